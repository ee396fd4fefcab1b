"""A scorer as a model: it answers ``Classify``, and its answers are kept as those of any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from audit.requests import Classify, LabelLogit, Request, Response
from audit.scorers.base import Scorer, TextScore
from audit.scorers.callables import one_each
from audit.scorers.labels import LabelReading


class AsModel:
    """A scorer that is asked as a :class:`~audit.models.Model`.

    Its one label is the construct, and the label's number is the score itself (activation ``value``). A text
    that the scorer calls ``truncated`` stays that; whatever else has no value is an error with its reason, as
    is a text for which the scorer fails, or gives no score.
    Texts without a letter are ``empty`` for every scorer and should not be asked.

    Parameters
    ----------
    scorer : Scorer
        Any.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> model = AsModel(scorer_named("vader"))
    >>> model.ask([Classify("A kind and helpful friend.")])[0].labels
    (LabelLogit(label='sentiment', logit=0.8555),)
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    @property
    def id(self) -> str:
        """The scorer's name."""
        return self.scorer.card.name

    @property
    def digest(self) -> str:
        """That of the scorer."""
        return self.scorer.digest

    @property
    def capabilities(self) -> frozenset[str]:
        """Texts are classified, and nothing else."""
        return frozenset({"classify"})

    @property
    def reading(self) -> LabelReading:
        """How a kept answer becomes the scorer's number again."""
        return LabelReading(((self.scorer.card.construct, 1.0),))

    def ask(self, requests: Sequence[Request]) -> list[Response]:
        """Answer each request, in order; the scorer is called once, unless it fails."""
        for request in requests:
            if not isinstance(request, Classify):
                raise TypeError(f"a scorer cannot answer {request.form!r}")
        texts = [request.text for request in requests if isinstance(request, Classify) and not request.pair]
        scores = iter(one_each(self.scorer.score, texts) if texts else ())
        return [
            Response(error="a scorer takes one text, not a pair")
            if isinstance(request, Classify) and request.pair
            else self._response(next(scores))
            for request in requests
        ]

    def describe(self) -> Mapping[str, Any]:
        """Facts for the bundle."""
        card = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self.scorer.card).items()}
        return {
            "kind": "scorer",
            "labels": [self.scorer.card.construct],
            "activation": "value",
            "digest": self.digest,
            "card": card,
        }

    def _response(self, score: TextScore) -> Response:
        if score.value is None:
            reason = score.reason or f"the scorer calls the text {score.status} and says no more"
            return Response(error=reason, truncated=score.status == "truncated")
        label = LabelLogit(self.scorer.card.construct, score.value)
        return Response(labels=(label,), activation="value", words=score.words)
