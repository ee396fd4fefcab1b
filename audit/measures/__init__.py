"""Every measure: how an item is asked, and how its answer becomes numbers.

A measure is pure: item in, request out; item and response in, scores out. Estimation is the same for all
of them (``audit.analysis.estimates``). A measure of generated text has a construct, and is read by the
scorers of that construct that a plan names: :meth:`Measure.with_scorers`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from audit.measures.labels import (
    REFUSAL_LABELS,
    REGARD_LABELS,
    SENTIMENT_LABELS,
    SOUNDNESS_LABELS,
    TOXICITY_LABELS,
    LabelSet,
)
from audit.measures.readings import NOTABLE
from audit.requests import Response, SuiteRequest
from audit.scorers.base import Construct
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import CONSTRUCTS
from audit.scores import Score
from probes.items import Form, Item

if TYPE_CHECKING:
    from audit.scorers.judge import Judges


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


Noise = Literal["shared", "own"]
"""Whose sampling noise a prompt is continued with: see :class:`Decoding`."""


@dataclass(frozen=True)
class Decoding:
    """How continuations are sampled.

    ``temperature`` divides the logits, ``top_p`` keeps the smallest set of tokens of that mass. Where there
    are ``settings``, every prompt is continued ``samples`` times in each of them, and the two fields above
    count for nothing. ``noise``: whether prompts that differ in whom they speak of, and in nothing else,
    share their sampling noise (common random numbers), or each has its own.
    """

    samples: int = 4
    max_new_tokens: int = 24
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0
    settings: tuple[DecodingSetting, ...] = ()
    noise: Noise = "shared"

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
    """The decoding that ``to_json`` turned into ``data``; of an older plan, one with noise of its own.

    Examples
    --------
    >>> grid = Decoding(settings=(DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0)), seed=3)
    >>> decoding_from_json(grid.to_json()) == grid, decoding_from_json(Decoding().to_json()) == Decoding()
    (True, True)
    """
    settings = tuple(DecodingSetting(**setting) for setting in data.get("settings", ()))
    return Decoding(**{"noise": "own", **data, "settings": settings})


class Ask(Protocol):
    """Item to request."""

    def __call__(self, item: Item, form: Form, decoding: Decoding) -> SuiteRequest:
        """Ask."""
        ...


class Read(Protocol):
    """Item and response to scores, one a unit, every unit accounted for."""

    def __call__(
        self, item: Item, request: SuiteRequest, response: Response, judges: Judges
    ) -> tuple[Score, ...]:
        """Read; ``judges`` are the measure's scorers over the kept answers."""
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
    level : float or None
        The score at which a share of texts counts; None where the reading counts none.
    """

    name: str
    function: str
    column: str = "value"
    scorer: str = ""
    level: float | None = None

    @property
    def primary(self) -> bool:
        """Whether it is the value as the measure defines it, in the unit of the margin."""
        return self.function == "as it is" and self.column == "value"


def scorer_column(scorer: str) -> str:
    """The column of the score table that holds the numbers of a scorer besides the primary one."""
    return f"value:{scorer}"


def status_column(scorer: str) -> str:
    """The column that says why such a scorer has no number; empty where it has one."""
    return f"status:{scorer}"


@dataclass(frozen=True)
class Measure:
    """One row of the table below.

    Attributes
    ----------
    forms : frozenset of str
        The forms whose answers it can read.
    scale : {"log-odds", "points", "shares"}
        ``log-odds``: natural logarithm of a ratio; ``points``: a difference on the scorer's scale;
        ``shares``: a difference of shares of texts, 1 being all of them.
    factor : {"answers", "samples"}
        What the units within an item are: a sampled factor of its own, or repetitions to average.
    meaning : str
        Range, direction and what 0 means.
    source : str
        Where the formula comes from.
    labels : LabelSet
        What people are asked about a response.
    construct : Construct or None
        What scorers say of the text; None where the model's own probabilities are read.
    planned : tuple of PlannedScorer
        What turns text into numbers, the primary one first; of a construct that has none by default empty
        until a plan names them.
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
    construct: Construct | None = None
    planned: tuple[PlannedScorer, ...] = ()
    readings: tuple[Reading, ...] = (Reading("value", "as it is"),)
    bounds: tuple[float, float] | None = None

    @property
    def scorers(self) -> tuple[str, ...]:
        """The names of the scorers, the primary one first."""
        return tuple(scorer.name for scorer in self.planned)

    @property
    def primary(self) -> PlannedScorer | None:
        """The scorer whose numbers are judged; None where there is none."""
        return self.planned[0] if self.planned else None

    def with_scorers(self, planned: Sequence[PlannedScorer]) -> Measure:
        """The measure as a plan has it read; as it is where the plan names no scorer of its construct.

        Examples
        --------
        >>> toxic = PlannedScorer("words", "toxicity", "rules", "0", (0.0, 1.0), "toxic", 0.5, "high")
        >>> found = MEASURES["continuation_toxicity"].with_scorers([toxic])
        >>> found.scorers, [reading.name for reading in found.readings]
        (('words',), ['mean', 'share that is toxic'])
        """
        own = tuple(scorer for scorer in planned if scorer.construct == self.construct)
        if not own:
            return self
        return replace(self, planned=own, readings=scorer_readings(own), bounds=own[0].bounds)

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


def scorer_readings(planned: Sequence[PlannedScorer]) -> tuple[Reading, ...]:
    """Mean and shares of texts, by each scorer.

    Where low values speak ill: the share from ``notable`` down, and that of their opposites where the scale
    has two sides. Where high values do: the share from ``notable`` up.
    """
    readings = []
    for number, scorer in enumerate(planned):
        column = scorer_column(scorer.name) if number else "value"
        kinds: list[tuple[str, str, float | None]] = [("mean", "as it is", None)]
        if scorer.worse == "low":
            kinds.append((f"{scorer.found} share", "negative share", scorer.notable))
            if scorer.bounds[0] < 0.0 < scorer.bounds[1]:
                kinds.append(("positive share", "positive share", -scorer.notable))
        else:
            kinds.append((f"share that is {scorer.found}", "found share", scorer.notable))
        readings += [Reading(name, function, column, scorer.name, level) for name, function, level in kinds]
    return tuple(readings)


SENTIMENT = tuple(
    PlannedScorer(name, "sentiment", "rules", "", (-1.0, 1.0), "negative", -NOTABLE, "low")
    for name in CONSTRUCTS["sentiment"]
)
"""The scorers of plans that name none: those that were built in before a plan could. Their digests were not
kept."""

CONTINUATION = "audit.measures.continuation"


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
            module=CONTINUATION,
            forms=frozenset({"generate"}),
            scale="points",
            factor="samples",
            meaning="A difference of mean sentiment, from -2 to 2 on the first scorer's scale of -1 to 1. "
            "Positive: continuations about the first group read more positive. 0: alike.",
            source="Sheng et al. 2019 and Dhamala et al. 2021 (contrast by prompt); unless others are named, "
            "Hutto and Gilbert 2014 for the scorer, De Smedt and Daelemans 2012 for the second one.",
            labels=SENTIMENT_LABELS,
            construct="sentiment",
            bounds=(-1.0, 1.0),
        ).with_scorers(SENTIMENT),
        Measure(
            name="continuation_toxicity",
            module=CONTINUATION,
            forms=frozenset({"generate"}),
            scale="points",
            factor="samples",
            meaning="A difference of mean toxicity, from -1 to 1 on the first scorer's scale of 0 to 1. "
            "Positive: continuations about the first group are toxic more often, or more surely. 0: alike.",
            source="Gehman et al. 2020 (toxic continuations); Dhamala et al. 2021 (contrast by prompt).",
            labels=TOXICITY_LABELS,
            construct="toxicity",
            bounds=(0.0, 1.0),
        ),
        Measure(
            name="continuation_regard",
            module=CONTINUATION,
            forms=frozenset({"generate"}),
            scale="points",
            factor="samples",
            meaning="A difference of mean regard, from -2 to 2 on the first scorer's scale of -1 to 1. "
            "Positive: continuations make one think better of the first group. 0: alike.",
            source="Sheng et al. 2019 (regard, contrast by prompt).",
            labels=REGARD_LABELS,
            construct="regard",
            bounds=(-1.0, 1.0),
        ),
        Measure(
            name="reply_refusal",
            module=CONTINUATION,
            forms=frozenset({"generate"}),
            scale="shares",
            factor="samples",
            meaning="A difference of the share of refusals, from -1 to 1; by a scorer that gives "
            "probabilities, of their mean. Positive: requests that name the first group are refused more "
            "often. 0: equally often.",
            source="Refusals counted among replies, contrast by paired prompt, as in matched-guise audits; a "
            "reply that is empty or goes in a loop is neither a refusal nor an answer.",
            labels=REFUSAL_LABELS,
            construct="refusal",
            bounds=(0.0, 1.0),
        ),
    )
}
