"""The shapes that every published measure shares.

::

    items ─ ask ─▶ questions ⇒ responses ─ read ─▶ answers ─ score ─▶ figures and estimates
                                  captured file ─ captured ─▶ answers

``⇒`` is the model; every other arrow is a pure function. A *figure* is the published number, quirks kept and
named (``compat``); an *estimate* is what an audit says instead: signed, with interval and verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Literal

from audit.benchmarks.options import Option, check_options
from audit.requests import Request, Response
from audit.scores import Status
from audit.verdict import Judgement, Verdict
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError
from probes.suite import HarmKind

Items = Sequence[BenchmarkItem]
Tier = Literal["primary", "secondary", "compat only"]


@dataclass(frozen=True)
class Card:
    """What a measure is, for whoever reads its number.

    Attributes
    ----------
    harm, harm_kind : str, HarmKind
        What may come of it, in one sentence, and its kind.
    construct, compares, estimand : str
        What is meant to be measured; who is compared with whom; what the audited estimate estimates.
    range, direction, zero : str
        Of the published number: its range, what a larger one says, and what "no disparity" is (0, 50, .05).
    source : str
        Who published it, and which code was read.
    critiques : tuple of str
        What has been said against it, with sources.
    not_evidence : str
        What a result does not show.
    tier : {"primary", "secondary", "compat only"}
        ``compat only``: published numbers can be had, but no verdict should rest on it.
    label : str
        Stands at every number of the measure, such as ``embedding geometry, not behaviour``.
    """

    name: str
    title: str
    harm: str
    harm_kind: HarmKind
    construct: str
    compares: str
    estimand: str
    range: str
    direction: str
    zero: str
    source: str
    critiques: tuple[str, ...]
    not_evidence: str
    tier: Tier = "primary"
    label: str = ""


@dataclass(frozen=True)
class Scoring:
    """One way to turn answers into the measure's number.

    ``forms`` are the request forms that it asks a model in: all of them are needed. Empty: it reads captured
    outputs only. ``unit`` is that of its main audited estimate where it is not the measure's.
    """

    name: str
    forms: frozenset[str]
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Setup:
    """Everything decided before the first question.

    Attributes
    ----------
    scoring : str
        A key of the benchmark's ``scorings``.
    margin : float or None
        Equivalence margin in the unit of the main audited estimate; estimates in other units keep the
        benchmark's own margins. None keeps them all.
    samples, max_new_tokens, temperature, top_p : numbers
        How text is generated, where it is.
    scorer, scorer_label : str
        What turns text into a number: a key of ``audit.scorers.sentiment.WORD_LISTS``, or ``model``, which
        asks a classifier and takes its probability of ``scorer_label``.
    options : mapping
        What else a measure lets one decide, by its own names.
    """

    scoring: str
    alpha: float = 0.05
    margin: float | None = None
    seed: int = 0
    samples: int = 25
    max_new_tokens: int = 20
    temperature: float = 1.0
    top_p: float = 0.9
    scorer: str = ""
    scorer_label: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def margin_for(setup: Setup, own: float, unit: str, main: str) -> float:
    """The margin of an estimate: what the user chose, if it is in the unit that the user's number is in.

    Parameters
    ----------
    own : float
        The benchmark's margin for estimates in this unit.
    unit, main : str
        Of this estimate, and of the main audited estimate of the scoring.

    Examples
    --------
    >>> setup = Setup("masked", margin=0.1)
    >>> margin_for(setup, 0.05, "share", "share"), margin_for(setup, 0.2, "nats", "share")
    (0.1, 0.2)
    """
    return own if setup.margin is None or unit != main else setup.margin


@dataclass(frozen=True)
class Question:
    """A request about one part of one item."""

    item: str
    part: str
    request: Request


Answered = Callable[[Request], Response]
"""The response to a request that was asked."""

Doubt = Literal["several pieces", "unknown token", "unequal length", "low prior"]
"""What the tokenizer did that may carry a result; such items are counted, and the estimate is given with and
without them."""


@dataclass(frozen=True)
class Answer:
    """What came of one part of one item.

    Attributes
    ----------
    value : float or None
        In the unit of the scoring; None unless ``status`` is ``scored``, and for texts not yet scored.
    text : str
        What was written, where text is scored.
    values : mapping of str to float
        Further numbers that the measure needs, by names that it documents.
    doubts : tuple of Doubt
        Of this part.
    """

    item: str
    part: str
    value: float | None
    status: Status = "scored"
    reason: str = ""
    text: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A published number (``compat``), computed as its source does.

    Attributes
    ----------
    name : str
        As the source's table calls it: ``overall``, ``stereotype``, ``race-color``.
    value : float or None
        None where it cannot be had, and then ``reason`` says why.
    unit : str
        ``percent``, ``share``, ``nats``, ...
    n : int
        Items that it counts.
    lo, hi : float or None
        95 % interval, by ``method``, which respects clusters where there are any. None with ``reason``.
    """

    name: str
    value: float | None
    unit: str
    n: int
    lo: float | None = None
    hi: float | None = None
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Estimate:
    """An audited estimate: signed, its uncertainty by clusters, its verdict against a margin.

    ``estimate`` is the departure from ``null``, the value that would mean no disparity, so that 0 means none;
    both in ``unit``. ``p_adjusted`` is corrected over the ``family``. ``needed`` says what an inconclusive
    one would need. Where nothing can be estimated, the numbers are None and ``reason`` says why.
    """

    name: str
    family: str
    unit: str
    null: float
    estimate: float | None
    se: float | None
    df: float | None
    lo: float | None
    hi: float | None
    p: float | None
    p_adjusted: float | None
    correction: str
    n: int
    clusters: int
    design_effect: float | None
    margin: float
    minimum_detectable: float | None
    power_within: float | None
    control_p: float | None
    judgement: Judgement
    needed: str = ""
    method: str = ""
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """Of the judgement."""
        return self.judgement.verdict


@dataclass(frozen=True)
class Control:
    """A comparison that should show nothing (or exactly a known number), and whether it does."""

    name: str
    value: float | None
    p: float | None
    holds: bool | None
    detail: str


@dataclass(frozen=True)
class Scored:
    """What one scoring of a measure comes to.

    ``notes`` are sentences that must stand beside the numbers (a failed control, a known defect kept).
    """

    figures: tuple[Figure, ...]
    estimates: tuple[Estimate, ...]
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Golden:
    """A published number, ours beside the source's.

    ``tolerance`` is absolute, in ``unit``: half the last digit that the source prints, or 1e-6 where it
    prints all of them. ``ours`` is None where it could not be computed, which never agrees.
    """

    benchmark: str
    name: str
    ours: float | None
    theirs: float
    tolerance: float
    unit: str
    source: str

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance (and a rounding of doubles)."""
        return self.ours is not None and abs(self.ours - self.theirs) <= self.tolerance + 1e-12


def _nothing(items: Items, setup: Setup, answered: Answered) -> list[Question]:
    return []


def _no_goldens(data: DataFolder) -> list[Golden]:
    return []


@dataclass(frozen=True)
class Benchmark:
    """One published measure.

    Attributes
    ----------
    datasets : tuple of str
        Names in ``probes.benchmarks.sources`` that ``items`` reads; empty where the sentences are our own.
    scorings : mapping
        By name; the first one that a model can be asked is the default.
    unit : str
        Of the main audited estimate, in which a user's margin is given.
    margin, margin_source : float, str
        Default equivalence margin of the main audited estimate in ``unit``, and why.
    parts : tuple of str
        The parts of an item that are scored; ``*`` where they are numbered samples.
    items : callable
        Data folder (None where ``datasets`` is empty) and setup to items. The setup's options are checked
        first, whoever calls it: one that is not among ``options`` is refused.
    ask : callable
        Items and setup to questions.
    read : callable
        Items, setup and the responses to answers, every part of every item accounted for.
    captured : callable
        A file of published or captured scores or outputs, items and setup to answers; see
        ``audit.benchmarks.captured`` for the plain table that each accepts.
    score : callable
        Items, answers and setup to numbers.
    follow_up : callable
        What is asked of the scorer model once the first responses are there; usually nothing.
    goldens : callable
        Data folder to every published number that needs no weights, ours beside the source's.
    options : tuple of Option
        What else a user may decide, by ``Setup.options``.
    spread : float, mapping of str to float, or None
        Standard deviation of one item's value if there is no disparity, in the unit of the audited estimate:
        .5 for a choice between two. It says, before the run, what a subset can show. By scoring, where it is
        known for some only; None where only the answers can tell.
    """

    card: Card
    datasets: tuple[str, ...]
    scorings: Mapping[str, Scoring]
    unit: str
    margin: float
    margin_source: str
    parts: tuple[str, ...]
    items: Callable[[DataFolder | None, Setup], Sequence[BenchmarkItem]]
    ask: Callable[[Items, Setup], Iterable[Question]]
    read: Callable[[Items, Setup, Answered], Sequence[Answer]]
    captured: Callable[[Path, Items, Setup], Sequence[Answer]]
    score: Callable[[Items, Sequence[Answer], Setup], Scored]
    follow_up: Callable[[Items, Setup, Answered], Iterable[Question]] = _nothing
    goldens: Callable[[DataFolder], Iterable[Golden]] = _no_goldens
    options: tuple[Option, ...] = ()
    spread: float | Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        unchecked = self.items

        @wraps(unchecked)
        def items(data: DataFolder | None, setup: Setup) -> Sequence[BenchmarkItem]:
            check_options(self.name, self.options, setup)
            if setup.scorer and not self.takes_scorer:
                raise InputError(Fault(f"{self.name} takes no scorer", "--scorer", "Leave it out."))
            return unchecked(data, setup)

        object.__setattr__(self, "items", items)

    @property
    def takes_scorer(self) -> bool:
        """Whether texts are judged by a scorer that the user names."""
        return self.follow_up is not _nothing

    @property
    def name(self) -> str:
        """Of its card."""
        return self.card.name

    def unit_of(self, scoring: str) -> str:
        """Unit of the main audited estimate of one of the scorings."""
        return self.scorings[scoring].unit or self.unit
