"""The paired change of each contrast that two audits have in common.

The estimator is that of a finding, on a table whose value is after minus before for each matched row: its
interval rests on how far the moves of the rows differ, and not on how far the rows do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.cells import span
from audit.analysis.estimates import Cells, Comparer, axis_rows, compared_groups, estimate, insufficient
from audit.analysis.finding_record import finite
from audit.analysis.scorer_flips import evidence, flips, other_scorers
from audit.comparison.judgement import ChangeEvidence, judge_change
from audit.comparison.pairs import ModelPair
from audit.comparison.plan_changes import value_changes
from audit.comparison.rows import APART, MATCHED, REASONS, UNSCORED, comparable, drawn_suites
from audit.comparison.side import Side
from audit.comparison.twins import Twin
from audit.hypotheses import Hypothesis
from audit.measures import Measure
from audit.stats.equivalence import tost
from audit.stats.estimate import SINGLE_PRECISION, Contrast, Undefined
from audit.stats.multiplicity import Adjusted, benjamini_hochberg, holm
from audit.verdict import LARGEST_STATUS_GAP

Found = Contrast | Undefined

TEXTS = ("item", "setting", "text_", "request_", "status_")
"""How the columns begin that no change is made from, and that would be copied for each family."""

STATED = ("estimate", "se", "ci", "p_adjusted", "verdict", "fragile", "severity", "undefined")
"""What a change repeats of the two findings that it lies between."""


@dataclass(frozen=True)
class Limits:
    """What two plans allow together: the smaller alpha, and the smaller margin of a suite."""

    alpha: float
    margin: float


@dataclass(frozen=True)
class Shared:
    """What the changes of one suite have in common.

    Attributes
    ----------
    hindrance : str
        Why no change of the suite can be told; empty where it can.
    notes : tuple of str
        What a reader must know beside the numbers.
    """

    pair: ModelPair
    measure: Measure
    unit: str
    limits: Limits
    margins: tuple[float, float]
    hindrance: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PairedContrast:
    """One contrast on the matched rows: its change, and either side of it."""

    cells: Cells | None
    change: Found
    before: Found
    after: Found


def changes(
    table: pd.DataFrame, twins: Sequence[Twin], before: Side, after: Side, pair: ModelPair
) -> Iterator[dict[str, Any]]:
    """Every change of one pair of models, family by family, as plain data.

    Parameters
    ----------
    table : DataFrame
        As ``matched_rows`` gives it.
    """
    table = table.drop(columns=[name for name in map(str, table) if name.startswith(TEXTS)])
    for _, members in groupby(twins, key=lambda twin: twin.after.family):
        family = list(members)
        shared = shared_by(before, after, family[0].after.suite, pair)
        yield from family_changes(axis_rows(table, family[0].after), family, shared)


def shared_by(before: Side, after: Side, suite: str, pair: ModelPair) -> Shared:
    """What the two plans say of a suite together."""
    old, new = before.suites[suite], after.suites[suite]
    measure = new.measure
    alphas = before.plan["alpha"], after.plan["alpha"]
    margins = old.margin.value, new.margin.value
    drawn = [
        side.when
        for side, model in ((before, pair.before), (after, pair.after))
        if suite in drawn_suites(side, model)
    ]
    hindrance = f"asked until decided {' and '.join(drawn)}" if drawn else ""
    if old.suite.measure != new.suite.measure:
        hindrance = f"measured as {old.suite.measure} before and as {new.suite.measure} after"
    elif not same_scorer(old.measure, new.measure):
        hindrance = f"scored by {old.measure.scorers[0]} before and by {new.measure.scorers[0]} after"
        if old.measure.scorers[0] == new.measure.scorers[0]:
            hindrance = f"scored by another {new.measure.scorers[0]} after than before"
    elif old.margin.unit != new.margin.unit:
        hindrance = f"in {old.margin.unit} before and in {new.margin.unit} after"
    notes = [
        f"the {name} differ, {values[0]} before and {values[1]} after: the smaller one counts"
        for name, values in (("margins", margins), ("alphas", alphas))
        if values[0] != values[1]
    ]
    if "generate" in measure.forms:
        decoding = value_changes("decoding", "", before.plan["decoding"], after.plan["decoding"])
        if names := ", ".join(change["field"] for change in decoding):
            notes.append(f"sampled with another decoding ({names}), which may be what changed the answers")
    limits = Limits(min(alphas), min(margins))
    return Shared(pair, measure, new.margin.unit, limits, margins, hindrance, tuple(notes))


def same_scorer(before: Measure, after: Measure) -> bool:
    """Whether two plans rest on one primary scorer; of the built-in ones older plans kept no digest."""
    if not before.planned or not after.planned:
        return before.planned == after.planned
    one, other = before.planned[0], after.planned[0]
    alike = not (one.digest and other.digest) or one.digest == other.digest
    return alike and (one.name, one.masked, one.reading) == (other.name, other.masked, other.reading)


def family_changes(rows: pd.DataFrame, family: Sequence[Twin], shared: Shared) -> Iterator[dict[str, Any]]:
    """The changes of hypotheses that are corrected together, from the rows of their axis."""
    hypotheses = [twin.after for twin in family]
    tallies = tallied(rows)
    rows = comparable(rows)
    found = paired_contrasts(rows, hypotheses)
    if shared.hindrance:
        nothing = Undefined(shared.hindrance)
        found = [PairedContrast(None, nothing, nothing, nothing) for _ in found]
    adjusted = corrected([each.change for each in found], family[0].role)
    against = scorer_contradictions(rows, hypotheses, found, adjusted, shared)
    for number, twin in enumerate(family):
        contrast = found[number]
        own = own_tallies(tallies, twin.after)
        head = {**heading(twin, shared), **rows_told(own)}
        lost = {} if shared.hindrance else head["unmatched"]
        head["notes"] = [*shared.notes, *own_notes(twin, lost)]
        p = adjusted.p[number]
        if isinstance(contrast.change, Undefined) or p is None:
            reason = contrast.change.reason if isinstance(contrast.change, Undefined) else "no p-value"
            yield {**head, **incomparable(reason)}
            continue
        told = change_fields(contrast, contrast.change, shared, p)
        correction = {"method": adjusted.method, "m": adjusted.m}
        judged = judgement_fields(twin, contrast, own, p, shared, against[number])
        yield {**head, **told, "correction": correction, **judged}


def paired_contrasts(table: pd.DataFrame, family: Sequence[Hypothesis]) -> list[PairedContrast]:
    """Each contrast of a family, on the change and on either side of it, from the rows of one question.

    Parameters
    ----------
    table : DataFrame
        With ``before``, ``after``, ``value`` and ``reason``, beside the columns of the score table.
    """
    rows = axis_rows(table, family[0])
    if rows.empty or not rows["value"].notna().any():
        nothing = Undefined("no row of the one audit has its like in the other")
        return [PairedContrast(None, nothing, nothing, nothing) for _ in family]
    there = rows["reason"] == MATCHED
    comparers = [
        Comparer(frame, family[0].reference, family[0].layout)
        for frame in (rows, *(rows.assign(value=rows[side].where(there)) for side in ("before", "after")))
    ]
    found = []
    for hypothesis in family:
        cells = [comparer.cells(hypothesis.group) for comparer in comparers]
        change, before, after = (estimate(each) for each in cells)
        found.append(PairedContrast(cells[0], change, before, after))
    return found


def corrected(contrasts: Sequence[Found], role: str) -> Adjusted:
    """p-values of no change, corrected within a family; those that could not be computed count, too."""
    raw = [contrast.p_value() if isinstance(contrast, Contrast) else None for contrast in contrasts]
    return holm(raw) if role == "confirmatory" else benjamini_hochberg(raw)


def scorer_contradictions(
    rows: pd.DataFrame,
    family: Sequence[Hypothesis],
    found: Sequence[PairedContrast],
    adjusted: Adjusted,
    shared: Shared,
) -> list[str | None]:
    """Why another scorer contradicts what the primary one says of each change; None where none does."""
    measure, alpha, margin = shared.measure, shared.limits.alpha, shared.limits.margin
    if len(measure.scorers) < 2 or all(isinstance(each.change, Undefined) for each in found):
        return [None] * len(family)

    def correct(cells: Sequence[Cells], contrasts: Sequence[Found]) -> list[float | None]:
        return list(corrected(contrasts, family[0].role).p)

    others = other_scorers(rows, family, measure, correct, alpha, margin)
    reasons = []
    for each, p, other in zip(found, adjusted.p, others, strict=True):
        against = flips(evidence(measure.scorers[0], each.change, p, alpha, margin), other)
        reasons.append(against and f"on the change {against}")
    return reasons


def heading(twin: Twin, shared: Shared) -> dict[str, Any]:
    """What a change is about, and what the two audits found of it."""
    told = ("suite", "contrast", "axis", "group", "reference", "layout", "claim", "group_label",
            "reference_label", "crossed_group_label", "crossed_reference_label")  # fmt: skip
    return {
        "id": twin.key,
        "model_before": shared.pair.before,
        "model_after": shared.pair.after,
        **{name: getattr(twin.after, name) for name in told},
        "role": twin.role,
        "measure": shared.measure.name,
        "scale": shared.measure.scale,
        "unit": shared.unit,
        "alpha": shared.limits.alpha,
        "margin": {
            "value": shared.limits.margin,
            "before": shared.margins[0],
            "after": shared.margins[1],
        },
        "before": stated(twin.found_before),
        "after": stated(twin.found_after),
    }


def stated(finding: Mapping[str, Any]) -> dict[str, Any]:
    """What is repeated of a finding."""
    return {name: finding[name] for name in STATED}


@dataclass(frozen=True)
class Tally:
    """The rows of one group that have one reason.

    Attributes
    ----------
    rows : int
        How many.
    alike : bool
        Whether all their raw answers are.
    largest : float
        Absolute score of either side; NaN where there is none.
    """

    group: str
    reason: str
    rows: int
    alike: bool
    largest: float


def tallied(rows: pd.DataFrame) -> list[Tally]:
    """The rows of one axis, counted by group and reason."""
    size = np.fmax(rows["before"].abs(), rows["after"].abs())
    groups = rows.assign(size=size).groupby(["group", "reason"], sort=False, observed=True)
    counts = groups.agg(rows=("alike", "size"), alike=("alike", "all"), largest=("size", "max"))
    return [
        Tally(str(group), str(reason), int(count), bool(alike), float(largest))
        for (group, reason), count, alike, largest in counts.itertuples(name=None)
    ]


def own_tallies(tallies: Sequence[Tally], hypothesis: Hypothesis) -> list[Tally]:
    """Those of the groups that a hypothesis compares."""
    groups = compared_groups(hypothesis)
    return [tally for tally in tallies if groups is None or tally.group in groups]


def rows_told(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Rows of a hypothesis' groups that are compared, and those that are not by reason."""
    counts = dict.fromkeys((MATCHED, *REASONS), 0)
    for tally in tallies:
        counts[tally.reason] += tally.rows
    return {"rows": counts.pop(MATCHED), "unmatched": {key: count for key, count in counts.items() if count}}


def own_notes(twin: Twin, lost: Mapping[str, int]) -> Iterator[str]:
    """What a reader must know of one change beside its numbers."""
    if twin.before.role != twin.after.role:
        yield f"{twin.before.role} before and {twin.after.role} after: corrected as exploratory"
    if lost:
        counts = ", ".join(f"{count} {reason}" for reason, count in lost.items())
        yield f"not compared: {counts}; the two findings rest on these rows, too"


def incomparable(reason: str) -> dict[str, Any]:
    """The fields of a change that could not be computed: all unknown, and why."""
    return {
        "change": None,
        "undefined": reason,
        "correction": None,
        "verdict": "not comparable",
        "direction": None,
        "material": False,
        "detectable": False,
        "reasons": [reason],
    }


def change_fields(found: PairedContrast, change: Contrast, shared: Shared, p: float) -> dict[str, Any]:
    """The change with its uncertainty."""
    alpha = shared.limits.alpha
    assert found.cells is not None
    assert isinstance(found.before, Contrast) and isinstance(found.after, Contrast)
    low, high = change.ci(1 - alpha)
    equivalence = tost(change, shared.limits.margin, alpha, change_span(shared.measure, found.cells))
    return {
        "change": {
            "estimate": change.estimate,
            "se": change.se,
            "df": finite(change.df),
            "method": change.method,
            "ci": {"level": 1 - alpha, "lo": low, "hi": high},
            "ci_equivalence": {"level": 1 - 2 * alpha, "lo": equivalence.lo, "hi": equivalence.hi},
            "p": change.p_value(),
            "p_adjusted": p,
            "p_equivalence": equivalence.p,
            "matched_before": found.before.estimate,
            "matched_after": found.after.estimate,
            "se_unpaired": math.hypot(found.before.se, found.after.se),
            "n_cells": found.cells.count(),
            "n_templates": len(found.cells.templates),
            "n_clusters": change.n_templates,
            "n_terms": change.n_terms,
        },
        "undefined": None,
    }


def change_span(measure: Measure, cells: Cells) -> float | None:
    """The largest change that one template can show: twice the largest difference."""
    largest = span(measure, cells)
    return None if largest is None else 2.0 * largest


def judgement_fields(
    twin: Twin, found: PairedContrast, tallies: Sequence[Tally], p: float, shared: Shared, against: str | None
) -> dict[str, Any]:
    """The fields that state the verdict; ``tallies`` are those of the hypothesis' groups."""
    limits, change = shared.limits, found.change
    assert found.cells is not None and isinstance(change, Contrast)
    assert isinstance(found.before, Contrast) and isinstance(found.after, Contrast)
    there = [tally for tally in tallies if tally.reason == MATCHED]
    open_questions = (insufficient(found.cells, twin.after), against)
    judgement = judge_change(
        ChangeEvidence(
            before=(found.before.estimate, *found.before.ci(1 - limits.alpha)),
            after=(found.after.estimate, *found.after.ci(1 - limits.alpha)),
            ci=change.ci(1 - limits.alpha),
            p_adjusted=p,
            alpha=limits.alpha,
            margin=limits.margin,
            within=tost(change, limits.margin, limits.alpha, change_span(shared.measure, found.cells)).within,
            rounding=SINGLE_PRECISION * max(tally.largest for tally in there),
            blocked=tuple(blocked(twin, tallies)),
            open_questions=tuple(reason for reason in open_questions if reason),
            alike=all(tally.alike for tally in there),
            same_digest=shared.pair.same_digest,
        )
    )
    return {
        "verdict": judgement.verdict,
        "direction": judgement.direction,
        "material": judgement.material,
        "detectable": judgement.detectable,
        "reasons": list(judgement.reasons),
    }


def blocked(twin: Twin, tallies: Sequence[Tally]) -> Iterator[str]:
    """Why a change that has a number is none all the same."""
    for when, finding in (("before", twin.found_before), ("after", twin.found_after)):
        if finding["verdict"] == "invalid":
            yield f"no verdict {when}: {'; '.join(finding['reasons'])}"
    asked = [tally for tally in tallies if tally.reason not in APART]
    own, other = (
        lost_share([tally for tally in asked if (tally.group == twin.after.group) == side])
        for side in (True, False)
    )
    gap = abs(own - other)
    if not gap <= LARGEST_STATUS_GAP:
        yield f"the groups differ by {gap:.0%} in answers that could not be scored in both audits"


def lost_share(tallies: Sequence[Tally]) -> float:
    """Share of rows that have not two scores; NaN where there is no row."""
    rows = sum(tally.rows for tally in tallies)
    lost = sum(tally.rows for tally in tallies if tally.reason in UNSCORED)
    return lost / rows if rows else math.nan
