"""A scorer with exactly known faults: the public double that an audit of scorers is tried on."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from audit.scorers.base import Scorer, ScorerCard, TextScore
from probes.documents import digest
from probes.errors import Fault, InputError


@dataclass(frozen=True)
class Shift:
    """Texts in which ``where`` (a regular expression) is found gain ``constant``, in the unit of the card.

    Values are held within the card's bounds; see :attr:`PlantedScorer.held`.
    """

    where: str
    constant: float


@dataclass(frozen=True)
class Flip:
    """A share of the texts in which ``where`` is found is called the opposite of what the scorer calls it.

    Attributes
    ----------
    where : str
        Regular expression; an empty one is found in every text.
    rate : float
        Share of the texts, in [0, 1]: which ones is fixed by ``seed`` and the digest of the text alone.
    of : {"found", "other"}
        Which of them: those that the scorer finds (its sensitivity falls to 1 - rate of what it was), or
        those that it does not (its specificity does). A text gets the bound of the card on the other side.
    """

    where: str
    rate: float
    of: Literal["found", "other"] = "found"
    seed: int = 0


@dataclass(frozen=True)
class Fail:
    """Texts in which ``where`` (a regular expression) is found have no value, for the reason given."""

    where: str
    status: Literal["error", "truncated"] = "error"
    reason: str = "planted failure"


ScorerPlant = Shift | Flip | Fail


class PlantedScorer:
    r"""Any scorer, with known faults added to its scores in the order in which they are given.

    Parameters
    ----------
    scorer : Scorer
        Scores first. What it gives no value to stays as it is.
    plants : sequence of Shift, Flip or Fail
        The faults.

    Attributes
    ----------
    held : int
        Values so far that a shift would have taken out of the card's bounds; they got less than the constant.

    Raises
    ------
    InputError
        If a pattern is no regular expression, a constant is not finite or a rate is no share.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> scorer = PlantedScorer(scorer_named("vader"), [Shift(r"\bnurse\b", -0.25), Fail("unreadable")])
    >>> [score.value for score in scorer.score(["The nurse sat.", "The clerk sat.", "unreadable"])]
    [-0.25, 0.0, None]
    >>> scorer.held
    0
    """

    def __init__(self, scorer: Scorer, plants: Sequence[ScorerPlant]) -> None:
        self._scorer = scorer
        self._plants = tuple(plants)
        self._patterns = [_checked(plant) for plant in self._plants]
        self.held = 0

    @property
    def card(self) -> ScorerCard:
        """The scorer's, with a name of its own and a word on the faults."""
        card = self._scorer.card
        limits = (*card.limits, "faults were planted in it: it is a test of the instrument, not a scorer")
        return replace(card, name=f"{card.name}+planted", limits=limits)

    @property
    def digest(self) -> str:
        """SHA-256 over the scorer's digest and the plants."""
        plants = [{"kind": type(plant).__name__, **asdict(plant)} for plant in self._plants]
        return digest({"scorer": self._scorer.digest, "planted": plants})

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """The scorer's scores, with the faults."""
        scores = self._scorer.score(texts)
        return [self._planted(text, score) for text, score in zip(texts, scores, strict=True)]

    def _planted(self, text: str, score: TextScore) -> TextScore:
        for plant, pattern in zip(self._plants, self._patterns, strict=True):
            if score.value is not None and pattern.search(text):
                score = self._after(plant, text, score, score.value)
        return score

    def _after(self, plant: ScorerPlant, text: str, score: TextScore, value: float) -> TextScore:
        """What one plant that applies to a text makes of its score."""
        if isinstance(plant, Fail):
            return TextScore(None, plant.status, plant.reason)
        if isinstance(plant, Shift):
            return replace(score, value=self._within(value + plant.constant))
        if self._scorer.card.is_found(value) != (plant.of == "found"):
            return score
        if _share_of(text, plant.seed) >= plant.rate:
            return score
        return replace(score, value=self._opposite(plant.of), words=())

    def _within(self, value: float) -> float:
        low, high = self._scorer.card.bounds
        inside = min(max(value, low), high)
        self.held += inside != value
        return inside

    def _opposite(self, of: Literal["found", "other"]) -> float:
        low, high = self._scorer.card.bounds
        return low if (of == "found") == (self._scorer.card.worse == "high") else high


def _checked(plant: ScorerPlant) -> re.Pattern[str]:
    """The pattern of a plant whose numbers are possible."""
    if isinstance(plant, Shift) and not math.isfinite(plant.constant):
        raise InputError(Fault(f"a shift of {plant.constant}", plant.where, "Name a finite number."))
    if isinstance(plant, Flip) and not 0.0 <= plant.rate <= 1.0:
        raise InputError(Fault(f"a flip of {plant.rate} of the texts", plant.where, "Name a share, 0 to 1."))
    try:
        return re.compile(plant.where)
    except re.error as error:
        what = f"not a regular expression: {error}"
        raise InputError(Fault(what, plant.where, "Correct the plant.")) from error


def _share_of(text: str, seed: int) -> float:
    """A number in [0, 1) fixed by a text and a seed, as good as drawn for it."""
    key = f"{seed}:".encode() + text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") / 2.0**64
