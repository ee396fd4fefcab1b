"""Every measure: how an item is asked, and how its answer becomes numbers.

A measure is pure: item in, request out; item and response in, scores out. Estimation is the same for all
of them (``audit.analysis.estimates``).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from audit.measures.labels import SENTIMENT_LABELS, SOUNDNESS_LABELS, LabelSet
from audit.requests import Response, SuiteRequest
from audit.scores import Score
from probes.items import Form, Item


@dataclass(frozen=True)
class DecodingSetting:
    """One of several ways in which the same prompts are sampled."""

    temperature: float
    top_p: float

    @property
    def name(self) -> str:
        """As reports show it.

        Examples
        --------
        >>> DecodingSetting(0.7, 0.9).name
        'temperature 0.7, top-p 0.9'
        """
        return f"temperature {self.temperature:.12g}, top-p {self.top_p:.12g}"


@dataclass(frozen=True)
class Decoding:
    """How continuations are sampled.

    ``temperature`` divides the logits, ``top_p`` keeps the smallest set of tokens of that mass. Where there
    are ``settings``, every prompt is continued ``samples`` times in each of them, and the two fields above
    count for nothing.
    """

    samples: int = 4
    max_new_tokens: int = 24
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0
    settings: tuple[DecodingSetting, ...] = ()

    @property
    def total(self) -> int:
        """Continuations of one prompt, over all settings."""
        return self.samples * max(1, len(self.settings))

    @property
    def stride(self) -> int:
        """How far the numbers of two settings' samples lie apart: even, so that each has the same even ones.

        With an odd distance the even samples would hold more of one setting and the odd ones more of another,
        and the A/A control would find the settings' difference.
        """
        return self.samples + self.samples % 2

    def each(self) -> dict[str, Decoding]:
        """One decoding a setting, by its name; by an empty name where there is only one.

        Examples
        --------
        >>> list(Decoding().each())
        ['']
        >>> grid = Decoding(settings=(DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0)))
        >>> {name: one.top_p for name, one in grid.each().items()}
        {'temperature 0.7, top-p 0.9': 0.9, 'temperature 1, top-p 1': 1.0}
        """
        alone = {
            setting.name: replace(self, temperature=setting.temperature, top_p=setting.top_p, settings=())
            for setting in self.settings
        }
        if not alone:
            return {"": self}
        return alone if len(alone) > 1 else {"": next(iter(alone.values()))}

    def to_json(self) -> dict[str, Any]:
        """Plain data for a plan; it names the settings only where there are several."""
        each = self.each()
        data = asdict(next(iter(each.values())) if len(each) == 1 else self)
        if len(each) == 1:
            del data["settings"]
            return data
        del data["temperature"], data["top_p"]
        return {**data, "settings": list(data["settings"])}


def decoding_from_json(data: Mapping[str, Any]) -> Decoding:
    """The decoding that ``to_json`` turned into ``data``.

    Examples
    --------
    >>> grid = Decoding(settings=(DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0)), seed=3)
    >>> decoding_from_json(grid.to_json()) == grid, decoding_from_json(Decoding().to_json()) == Decoding()
    (True, True)
    """
    settings = tuple(DecodingSetting(**setting) for setting in data.get("settings", ()))
    return Decoding(**{**data, "settings": settings})


class Ask(Protocol):
    """Item to request."""

    def __call__(self, item: Item, form: Form, decoding: Decoding) -> SuiteRequest:
        """Ask."""
        ...


class Read(Protocol):
    """Item and response to scores, one a unit, every unit accounted for."""

    def __call__(self, item: Item, request: SuiteRequest, response: Response) -> tuple[Score, ...]:
        """Read."""
        ...


@dataclass(frozen=True)
class Reading:
    """One reasonable way to read a score; see ``audit.measures.readings``.

    Attributes
    ----------
    name : str
        As a report shows it.
    function : str
        Key of ``audit.measures.readings.READINGS``.
    column : str
        The column of the score table that it reads.
    scorer : str
        Which scorer gave the number; empty where no scorer is involved.
    """

    name: str
    function: str
    column: str = "value"
    scorer: str = ""

    @property
    def primary(self) -> bool:
        """Whether it is the value as the measure defines it, in the unit of the margin."""
        return self.function == "as it is" and self.column == "value"


def scorer_column(scorer: str) -> str:
    """The column of the score table that holds the numbers of a scorer besides the primary one."""
    return f"value:{scorer}"


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
    labels : LabelSet
        What people are asked about a response.
    scorers : tuple of str
        What turns text into numbers, the primary one first; empty where the model's own probabilities do.
    readings : tuple of Reading
        Readings for the specification curve; the first is the value itself.
    bounds : (float, float) or None
        Smallest and largest value of one score; None where there are none.
    """

    name: str
    module: str
    forms: frozenset[str]
    scale: str
    factor: str
    meaning: str
    source: str
    labels: LabelSet
    scorers: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = (Reading("value", "as it is"),)
    bounds: tuple[float, float] | None = None

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


SENTIMENT = ("vader", "textblob")
"""Keys of ``audit.scorers.sentiment.SCORERS``: the primary scorer and what it is held against."""


def sentiment_readings() -> tuple[Reading, ...]:
    """Mean, share of negative and share of positive texts, by each scorer."""
    kinds = (
        ("mean", "as it is"),
        ("negative share", "negative share"),
        ("positive share", "positive share"),
    )
    return tuple(
        Reading(name, function, "value" if scorer == SENTIMENT[0] else scorer_column(scorer), scorer)
        for scorer in SENTIMENT
        for name, function in kinds
    )


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
            labels=SOUNDNESS_LABELS,
            readings=(
                Reading("log-odds", "as it is"),
                Reading("probability", "probability"),
                Reading("choice", "choice"),
            ),
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
            "Hutto and Gilbert 2014 for the scorer, De Smedt and Daelemans 2012 for the second one.",
            labels=SENTIMENT_LABELS,
            scorers=SENTIMENT,
            readings=sentiment_readings(),
            bounds=(-1.0, 1.0),
        ),
    )
}
