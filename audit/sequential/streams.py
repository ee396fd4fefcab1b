"""Families asked unit by unit: what to ask next, and where the answers so far leave them.

The same code decides during the asking and afterwards: a run takes batches until every stream has stopped,
and an analysis replays the kept answers through the same rule, which stops at the same unit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from audit.plan import PlannedSuite
from audit.requests import Classify
from audit.scorers.judge import Judges, Kept, Key
from audit.scores import Score
from audit.sequential.plan import Design, Unit, designs
from audit.stats.sequential import Stream

PRIMARY = ""
"""The scorer that verdicts rest on."""
ROUNDING = 1e-9
"""What a difference of scores may exceed its bounds by."""


@dataclass(frozen=True)
class ScoredUnit:
    """A unit with what its answers are worth.

    Attributes
    ----------
    values : mapping of scorer to group to float or None
        Mean score of the group's prompts by each scorer, the primary one under an empty name; None where a
        prompt has no sample that could be scored.
    gaps : mapping of group to float or None
        Mean score of the even samples minus that of the odd ones, of the same prompts.
    statuses : mapping of group to Counter
        Samples by status.
    reasons : Counter
        Why samples could not be scored.
    scores : mapping of str to tuple of Score
        Request digest to the scores of its samples.
    """

    unit: Unit
    values: Mapping[str, Mapping[str, float | None]]
    gaps: Mapping[str, float | None]
    statuses: Mapping[str, Counter[str]]
    reasons: Counter[str]
    scores: Mapping[str, tuple[Score, ...]]


@dataclass(frozen=True)
class Counted:
    """One unit that counts for a hypothesis: X in [-1, 1] and the unit that it came from."""

    x: float
    scored: ScoredUnit


class FamilyStreams:
    """The streams of one family, one a hypothesis, fed with the same units.

    Parameters
    ----------
    design : Design
        What is asked, and when it stops.
    model : str
        The model's digest.

    Attributes
    ----------
    scored : list of ScoredUnit
        Every unit taken so far, in the order of the draw.
    pending : list of Unit
        The batch that was drawn last, until it is taken.
    """

    def __init__(self, design: Design, model: str) -> None:
        self.design = design
        self.model = model
        self.streams = {h.group: Stream(design.rule) for h in design.hypotheses}
        self.counted: dict[str, list[Counted]] = {h.group: [] for h in design.hypotheses}
        self.scored: list[ScoredUnit] = []
        self.pending: list[Unit] = []
        self._units = design.units()
        self._judged: tuple[Kept, Judges] | None = None

    @property
    def decided(self) -> bool:
        """Whether every hypothesis has its decision, or has reached the horizon."""
        return all(stream.decision != "undecided" for stream in self.streams.values())

    @property
    def most_requests(self) -> int:
        """Requests up to the horizon; prompts are counted as often as they may be drawn."""
        unit = next(iter(self.design.units()), None)
        return 0 if unit is None else self.design.rule.max_units * len(unit.questions)

    def next_batch(self) -> list[Unit]:
        """The next units to ask; none where the family is decided or the horizon is reached."""
        self.pending = [] if self.decided else list(islice(self._units, self.design.batch))
        return self.pending

    def take(self, units: Sequence[Unit], kept: Kept) -> None:
        """Feed the answers to some units to the streams, in the order of the draw."""
        judges = self.judges(kept)
        fresh = [self._score(unit, kept, judges) for unit in units]
        self.scored += fresh
        self.pending = []
        for group, stream in self.streams.items():
            counted = [
                Counted(x, scored) for scored in fresh if (x := self.difference(scored, group)) is not None
            ]
            before = stream.taken
            stream.add([each.x for each in counted])
            self.counted[group] += counted[: stream.taken - before]

    def judges(self, kept: Kept) -> Judges:
        """The suite's scorers over some answers; of the same answers, the same."""
        if self._judged is None or self._judged[0] is not kept:
            self._judged = (kept, self.design.planned.judges(kept))
        return self._judged[1]

    def follow_ups(self, units: Sequence[Unit], kept: Kept) -> dict[Key, Classify]:
        """What scorers are asked about the answers to some units, all of which are there."""
        judges = self.judges(kept)
        found: dict[Key, Classify] = {}
        for unit in units:
            for question in unit.questions:
                found |= judges.follow_ups(kept[self.model, question.digest])
        return found

    def difference(self, scored: ScoredUnit, group: str, scorer: str = PRIMARY) -> float | None:
        """X of a hypothesis: its contrast over the widest there can be; None where a part is missing."""
        values = scored.values[scorer]
        parts = []
        for name, coefficient in self.design.coefficients[group].items():
            value = values[name]
            if value is None:
                return None
            parts.append(coefficient * value)
        return bounded(math.fsum(parts) / (self.design.width * self.design.widening(scorer)))

    def _score(self, unit: Unit, kept: Kept, judges: Judges) -> ScoredUnit:
        measure = self.design.planned.measure
        scorers = (PRIMARY, *measure.scorers[1:])
        values: dict[str, dict[str, float | None]] = {scorer: {} for scorer in scorers}
        gaps: dict[str, float | None] = {}
        statuses: dict[str, Counter[str]] = {}
        reasons: Counter[str] = Counter()
        told: dict[str, tuple[Score, ...]] = {}
        for group, questions in unit.prompts.items():
            scores = [measure.read(q.item, q.request, kept[self.model, q.digest], judges) for q in questions]
            told |= {question.digest: each for question, each in zip(questions, scores, strict=True)}
            for scorer in scorers:
                values[scorer][group] = mean_of([mean_score(each, scorer) for each in scores])
            halves = [(mean_score(each[::2]), mean_score(each[1::2])) for each in scores]
            gaps[group] = mean_of([None if a is None or b is None else a - b for a, b in halves])
            statuses[group] = Counter(score.status for each in scores for score in each)
            reasons.update(score.reason for each in scores for score in each if score.status != "scored")
        return ScoredUnit(unit, values, gaps, statuses, reasons, told)


def bounded(x: float) -> float:
    """A number that may leave [-1, 1] by rounding, put back into it."""
    return max(-1.0, min(1.0, x)) if abs(x) <= 1.0 + ROUNDING else x


def mean_score(scores: Iterable[Score], scorer: str = PRIMARY) -> float | None:
    """Mean of the samples that were scored, by one scorer; None where none was."""
    found = [score.others.get(scorer) if scorer else score.value for score in scores]
    values = [value for value in found if value is not None]
    return math.fsum(values) / len(values) if values else None


def mean_of(values: Sequence[float | None]) -> float | None:
    """Mean of numbers, of which each has to be there."""
    there = [value for value in values if value is not None]
    return math.fsum(there) / len(there) if there and len(there) == len(values) else None


def replayed(design: Design, model: str, kept: Kept) -> tuple[FamilyStreams, set[Key], dict[Key, Classify]]:
    """A family taken as far as its answers go, with what it asks of model and scorers (answered or not).

    Parameters
    ----------
    model : str
        The model's digest.
    """
    family = FamilyStreams(design, model)
    asked: set[Key] = set()
    of_scorers: dict[Key, Classify] = {}
    while batch := family.next_batch():
        wanted = {(model, question.digest) for unit in batch for question in unit.questions}
        asked |= wanted
        if not wanted <= kept.keys():
            break
        follow_ups = family.follow_ups(batch, kept)
        of_scorers |= follow_ups
        if not follow_ups.keys() <= kept.keys():
            break
        family.take(batch, kept)
    return family, asked, of_scorers


def model_streams(
    plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], model: Mapping[str, Any]
) -> list[FamilyStreams]:
    """The streams of one of the plan's models, before the first unit."""
    return [FamilyStreams(design, model["digest"]) for design in designs(plan, suites, model["id"])]
