"""Models without weights: the public test double, and a wrapper that plants a known bias.

Nothing here imports torch.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from audit.models.base import Model
from audit.models.blind import blind_answer, place_of
from audit.requests import (
    FORMS,
    CausalTokens,
    ChoiceRequest,
    Classify,
    PseudoTokens,
    Request,
    Response,
    answers_of,
    canonical,
)
from probes.errors import Fault, ModelError

ALL_FORMS = frozenset(FORMS)


class ScriptedModel:
    """Answers with a function; counts what it was asked.

    Parameters
    ----------
    answer : callable
        Gives the response to one request.
    id : str
        Its name in plans and reports.
    version : str
        Stands in for the weights: its digest is derived from ``id`` and this.
    capabilities : frozenset of str
        The request forms it answers.

    Attributes
    ----------
    asked : list of Request
        Every request so far, in order.

    Examples
    --------
    >>> from audit.requests import Score
    >>> model = ScriptedModel.group_blind()
    >>> model.ask([Score("The nurse said that", (" he", " she"))])[0].choices[0].logprob
    -7.0
    >>> len(model.asked)
    1
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        id: str = "scripted",
        version: str = "1",
        capabilities: frozenset[str] = ALL_FORMS,
    ) -> None:
        self._answer = answer
        self._id = id
        self._version = version
        self._capabilities = capabilities
        self.asked: list[Request] = []

    @property
    def id(self) -> str:
        """The name it was given."""
        return self._id

    @property
    def digest(self) -> str:
        """SHA-256 over its name and version."""
        return hashlib.sha256(canonical(["scripted", self._id, self._version])).hexdigest()

    @property
    def capabilities(self) -> frozenset[str]:
        """The request forms it answers."""
        return self._capabilities

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request with the function."""
        self.asked.extend(requests)
        return [self._answer(request) for request in requests]

    def describe(self) -> dict[str, Any]:
        """Kind and version."""
        return {
            "name": self._id,
            "kind": "scripted",
            "version": self._version,
            "capabilities": sorted(self._capabilities),
            "parameters": 0,
            "files": [],
        }

    @classmethod
    def group_blind(cls) -> ScriptedModel:
        """A model that cannot see groups: every contrast of its answers is exactly 0.

        Each candidate of each text has the same log-probability, so it is blind whether the groups stand
        in the text or among the candidates; sample ``i`` of every prompt is the same text. Each token,
        label and vector has the same numbers, too: see :func:`~audit.models.blind.blind_answer`.
        """
        return cls(blind_answer, id="scripted/group-blind", version="1")

    @classmethod
    def noise(cls, seed: int = 0, scale: float = 1.0) -> ScriptedModel:
        """A model whose numbers are independent normal noise, with no group effect to find.

        The value is fixed by (seed, text, candidate) and by nothing else; for the forms without candidates
        by the place of the token, the label or the coordinate. What it writes is not random.

        Parameters
        ----------
        seed : int
            Another seed, another model.
        scale : float
            Standard deviation, nats.
        """

        def answer(request: Request) -> Response:
            return blind_answer(request, lambda key: scale * _normal([seed, *key]))

        return cls(answer, id="scripted/noise", version=f"1;seed={seed};scale={scale!r}")

    @staticmethod
    def planting(model: Model, plants: Sequence[Plant]) -> PlantedModel:
        """``model`` with known biases added: see :class:`PlantedModel`."""
        return PlantedModel(model, plants)


@dataclass(frozen=True)
class Plant:
    """A bias to add: in texts that match, the named candidates gain ``nats``.

    ``where`` is a regular expression searched in the text of a request, in ``Score.prefix``, or in both texts
    of a pair with a line feed between them. Candidates are named without regard to spaces around them. The
    log-probabilities of one text then need not sum to 1.

    Of a :class:`~audit.requests.Classify`, the candidates name labels, and their logits gain. Of a
    :class:`~audit.requests.PseudoTokens` or :class:`~audit.requests.CausalTokens`, the first token of a text
    that matches gains, whatever the candidates are. Other forms stay as they are.
    """

    where: str
    candidates: tuple[str, ...]
    nats: float


class PlantedModel:
    """Any model, with exactly known numbers added to its log-probabilities.

    An answer that gains something has no pieces: they would no longer sum to it.

    Parameters
    ----------
    model : Model
        Answers first.
    plants : sequence of Plant
        Added to its answers; where several apply, they add up.

    Examples
    --------
    >>> from audit.requests import Score
    >>> plain = ScriptedModel.group_blind()
    >>> model = PlantedModel(plain, [Plant("nurse", ("she",), 0.5)])
    >>> [c.logprob for c in model.ask([Score("The nurse said that", (" he", " she"))])[0].choices]
    [-7.0, -6.5]
    """

    def __init__(self, model: Model, plants: Sequence[Plant]) -> None:
        self._model = model
        self._plants = tuple(plants)
        self._compiled: list[tuple[re.Pattern[str], frozenset[str], float]] = []
        for plant in self._plants:
            if not math.isfinite(plant.nats):
                raise ModelError(Fault(f"a plant of {plant.nats} nats", plant.where, "Name a finite number."))
            try:
                pattern = re.compile(plant.where)
            except re.error as error:
                raise ModelError(
                    Fault(f"not a regular expression: {error}", plant.where, "Correct the plant.")
                ) from error
            self._compiled.append((pattern, frozenset(c.strip() for c in plant.candidates), plant.nats))

    @property
    def id(self) -> str:
        """The wrapped model's name, marked."""
        return f"{self._model.id}+planted"

    @property
    def digest(self) -> str:
        """SHA-256 over the wrapped model's digest and the plants."""
        plants = [asdict(plant) for plant in self._plants]
        return hashlib.sha256(canonical({"model": self._model.digest, "plants": plants})).hexdigest()

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the wrapped model."""
        return self._model.capabilities

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """The wrapped model's answers, with the plants added."""
        answers = self._model.ask(requests)
        return [self._plant(request, answer) for request, answer in zip(requests, answers, strict=True)]

    def describe(self) -> Mapping[str, Any]:
        """The wrapped model's facts, and the plants."""
        return {
            **self._model.describe(),
            "planted": [asdict(plant) for plant in self._plants],
            "planted_on": self._model.digest,
        }

    def _plant(self, request: Request, answer: Response) -> Response:
        if answer.choices and isinstance(request, ChoiceRequest):
            added = self._added(place_of(request), answers_of(request))
            choices = [
                choice
                if nats is None or choice.logprob is None
                else replace(choice, logprob=choice.logprob + nats, tokens=())
                for choice, nats in zip(answer.choices, added, strict=True)
            ]
            return replace(answer, choices=tuple(choices))
        if answer.labels and isinstance(request, Classify):
            text = f"{request.text}\n{request.pair}" if request.pair else request.text
            added = self._added(text, [label.label for label in answer.labels])
            labels = [
                label if nats is None else replace(label, logit=label.logit + nats)
                for label, nats in zip(answer.labels, added, strict=True)
            ]
            return replace(answer, labels=tuple(labels))
        if answer.tokens and isinstance(request, PseudoTokens | CausalTokens):
            nats = math.fsum(nats for pattern, _, nats in self._compiled if pattern.search(request.text))
            first, *others = answer.tokens
            return replace(answer, tokens=(replace(first, logprob=first.logprob + nats), *others))
        return answer

    def _added(self, text: str, candidates: Sequence[str]) -> list[float | None]:
        """What each candidate gains in a text; None where no plant names it."""
        added: list[float | None] = [None] * len(candidates)
        for pattern, named, nats in self._compiled:
            if not pattern.search(text):
                continue
            for i, candidate in enumerate(candidates):
                if candidate.strip() in named:
                    added[i] = (added[i] or 0.0) + nats
        return added


def _normal(key: list[Any]) -> float:
    """A standard normal number fixed by a key (Box and Muller 1958)."""
    raw = hashlib.blake2b(canonical(key), digest_size=16).digest()
    u, v = ((int.from_bytes(raw[i : i + 8], "big") + 0.5) / 2.0**64 for i in (0, 8))
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
