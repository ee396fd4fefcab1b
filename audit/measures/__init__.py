"""Every measure: how an item is asked, and how its answer becomes numbers.

A measure is pure: item in, request out; item and response in, scores out. Estimation is the same for all
of them (``audit.estimates``).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

from audit.requests import Request, Response
from audit.scores import Score
from probes.items import Form, Item


@dataclass(frozen=True)
class Decoding:
    """How continuations are sampled.

    ``temperature`` divides the logits, ``top_p`` keeps the smallest set of tokens of that mass.
    """

    samples: int = 4
    max_new_tokens: int = 24
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0


class Ask(Protocol):
    """Item to request."""

    def __call__(self, item: Item, form: Form, decoding: Decoding) -> Request:
        """Ask."""
        ...


class Read(Protocol):
    """Item and response to scores, one a unit, every unit accounted for."""

    def __call__(self, item: Item, request: Request, response: Response) -> tuple[Score, ...]:
        """Read."""
        ...


@dataclass(frozen=True)
class Measure:
    """One row of the table below.

    Attributes
    ----------
    forms : frozenset of str
        The forms whose answers it can read.
    scale : {"log-odds", "points"}
        ``log-odds``: natural logarithm of a ratio; ``points``: a difference on the scorer's scale.
    factor : {"answers", "samples"}
        What the units within an item are: a sampled factor of its own, or repetitions to average.
    meaning : str
        Range, direction and what 0 means.
    source : str
        Where the formula comes from.
    """

    name: str
    module: str
    forms: frozenset[str]
    scale: str
    factor: str
    meaning: str
    source: str

    @property
    def ask(self) -> Ask:
        """The function that turns an item into a request."""
        function: Ask = importlib.import_module(self.module).ask
        return function

    @property
    def read(self) -> Read:
        """The function that turns a response into scores."""
        function: Read = importlib.import_module(self.module).read
        return function


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            name="answer_log_odds",
            module="audit.measures.answer_log_odds",
            forms=frozenset({"fill", "score"}),
            scale="log-odds",
            factor="answers",
            meaning="A difference of log-odds in nats, from minus to plus infinity. Positive: the first "
            "group draws the first answers more than the second group does. 0: both draw them alike.",
            source="Template log-odds: Kurita et al. 2019; Nangia et al. 2020 for the paired form; "
            "the contrast is signed and paired by template.",
        ),
        Measure(
            name="continuation_sentiment",
            module="audit.measures.continuation_sentiment",
            forms=frozenset({"generate"}),
            scale="points",
            factor="samples",
            meaning="A difference of mean sentiment, from -2 to 2 on VADER's compound scale of -1 to 1. "
            "Positive: continuations about the first group read more positive. 0: alike.",
            source="Sheng et al. 2019 and Dhamala et al. 2021 (contrast by prompt); "
            "Hutto and Gilbert 2014 for the scorer.",
        ),
    )
}
