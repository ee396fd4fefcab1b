"""A finding's rates of found texts, corrected by what the scorer's own audit says of its errors.

The scorer's own audit fills sentences of known kind with the terms of groups: how often the scorer finds what
is there, and how often what is not, by group. Taken for its errors on a model's texts, they correct the rates
(Rogan and Gladen 1978). That it errs on a model's texts as it does on those sentences is an assumption, and
nothing in a bundle can test it: labels of the texts themselves can (`audit.stats.double_sampling`). So the
corrected gap stands beside a finding and shows how far its errors could explain it. It is no part of the
verdict, nor does it make a finding fragile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from audit.analysis.cells import Cells, mean_cells
from audit.analysis.estimates import Comparer, estimate
from audit.hypotheses import Hypothesis
from audit.scorers.classes import Reading, found_flags
from audit.stats.estimate import Contrast, Undefined
from audit.stats.scorer_accuracy import Accuracy, Clustered, Flags
from audit.stats.scorer_error import CorrectedRate, CorrectedSum, corrected_sum, rogan_gladen

LEVEL = 0.95
"""Coverage of the intervals of all gaps that were put together (Bonferroni; Dunn 1961, JASA 56, 52-64)."""

Effect = Literal["stands", "turns", "goes", "appears", "open"]
"""What the correction does to a gap of found texts: it is certain with and without it, and on the same side
or on the other; certain only without it; only with it; or neither way."""

WORDS: dict[Effect, str] = {
    "stands": "the gap stands when the scorer's own errors are taken off",
    "turns": "the gap turns to the other side when the scorer's own errors are taken off",
    "goes": "the gap is no longer certain when the scorer's own errors are taken off",
    "appears": "no gap is certain as found; one would be if the scorer errs here as in its own audit",
    "open": "no gap is certain, with or without the scorer's own errors",
}


@dataclass(frozen=True)
class GroupFound:
    """How often a scorer finds what it looks for in the texts about one group.

    Attributes
    ----------
    n : int
        Texts that it scored.
    rate : float
        Share of them that it finds, templates and terms weighing the same, in [0, 1].
    accuracy : Accuracy or None
        By its own audit; None where that does not know the group.
    corrected : CorrectedRate or Undefined
        The share that is there, if the scorer errs on these texts as in its own audit.
    """

    group: str
    n: int
    rate: float
    accuracy: Accuracy | None
    corrected: CorrectedRate | Undefined


@dataclass(frozen=True)
class OwnAuditCorrection:
    """One finding by one scorer, with and without the errors of the scorer's own audit.

    Attributes
    ----------
    scorer, found : str
        Its name, and what a text is said to be that it finds.
    groups : tuple of GroupFound
        Those that the finding compares and that were scored.
    raw : Contrast or Undefined
        Difference of the shares that it finds.
    corrected : CorrectedSum or Undefined
        The same of the corrected shares, or why there is none.
    hypotheses : int
        How many were put together with this one, among which a gap is certain or not.
    """

    scorer: str
    found: str
    groups: tuple[GroupFound, ...]
    raw: Contrast | Undefined
    corrected: CorrectedSum | Undefined
    hypotheses: int = 1

    @property
    def level(self) -> float:
        """Of the gaps' intervals, which hold together with those of the other hypotheses."""
        return 1.0 - (1.0 - LEVEL) / self.hypotheses

    @property
    def effect(self) -> Effect | None:
        """What the correction does to the gap; None where either is undefined."""
        if isinstance(self.raw, Undefined) or isinstance(self.corrected, Undefined):
            return None
        before = self.raw.p_value() < 1.0 - self.level
        after = self.corrected.p < 1.0 - self.level
        if before and after:
            return "stands" if self.raw.estimate * self.corrected.estimate > 0.0 else "turns"
        return "goes" if before else "appears" if after else "open"

    @property
    def says(self) -> str:
        """The effect in words, or why there is none."""
        if self.effect is not None:
            return WORDS[self.effect]
        undefined = self.raw if isinstance(self.raw, Undefined) else self.corrected
        assert isinstance(undefined, Undefined)
        return f"not corrected: {undefined.reason}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is undefined is None, with its reason."""
        return {
            "scorer": self.scorer,
            "found": self.found,
            "effect": self.effect,
            "says": self.says,
            "groups": [_group_json(each) for each in self.groups],
            "raw": _gap_json(self.raw, self.level),
            "corrected": _gap_json(self.corrected, self.level),
        }


def corrected_by_own_audit(
    rows: pd.DataFrame,
    hypothesis: Hypothesis,
    scorer: Reading,
    accuracy: Mapping[str, Accuracy],
    hypotheses: int = 1,
) -> OwnAuditCorrection:
    """Take the errors of a scorer's own audit off the rates of found texts that a finding compares.

    Parameters
    ----------
    rows : DataFrame
        Rows of the finding's axis with their ``group``, as ``estimates.axis_rows`` gives them; ``value``
        holds this scorer's scores, NaN where it has none.
    hypothesis : Hypothesis
        Says which groups are compared, and with what.
    scorer : Reading
        A card or a planned scorer: says which values are found.
    accuracy : mapping of group to Accuracy
        By the scorer's own audit, on this axis. Of the groups that it lacks none is assumed.
    hypotheses : int
        How many the finding was corrected together with, itself among them.

    Returns
    -------
    OwnAuditCorrection
        Its intervals of gaps hold together with those of the other hypotheses in 95 of 100 audits; those of
        one group's rate by themselves. The corrected gap is undefined where a group has no accuracy, one of
        fewer than 10 texts of a class, or one too poor to be corrected (`scorer_error.rogan_gladen`).

    Notes
    -----
    The finding's own estimator, over whole templates and terms, gives the variance of the flags:
    `scorer_error.corrected_sum` adds that of the accuracies. Texts without a score are left out. Where a
    group's families are all alike (nothing is found of it), each counts as one answer of that group.

    The accuracies count as independent between groups. Those of one audit rest on the same sentences, so what
    they have in common would cancel: the interval is too wide rather than too narrow.
    """
    scored = rows[rows["value"].notna()]
    scored = scored.assign(value=found_flags(scored["value"].to_numpy(dtype=float), scorer))
    if hypothesis.group not in set(scored["group"]):
        nothing = Undefined(f"no text about {hypothesis.group} has a score")
        return OwnAuditCorrection(scorer.name, scorer.found, (), nothing, nothing, hypotheses)
    comparer = Comparer(scored, hypothesis.reference, hypothesis.layout)
    weights = {group: weight for group, weight in comparer.weights(hypothesis.group).items() if weight != 0.0}
    raw = estimate(comparer.cells(hypothesis.group))
    counted = {group: _flags(comparer, group, accuracy.get(group)) for group in weights}
    groups = tuple(_group_found(comparer, group, accuracy.get(group), counted[group]) for group in weights)
    level = 1.0 - (1.0 - LEVEL) / hypotheses
    corrected = _corrected(comparer, hypothesis, weights, counted, level)
    return OwnAuditCorrection(scorer.name, scorer.found, groups, raw, corrected, hypotheses)


def _flags(comparer: Comparer, group: str, accuracy: Accuracy | None) -> Flags | Undefined:
    """What was found of one group, by whole templates and terms, with the scorer's accuracy there."""
    rows = comparer.frame[comparer.frame["group"] == group]
    if rows.empty:
        return Undefined("no text has a score")
    if accuracy is None:
        return Undefined("the scorer's own audit does not know this group")
    rate = _rate(comparer, rows)
    if isinstance(rate, Undefined):
        return rate
    share = min(max(rate.estimate, 0.0), 1.0)
    if rate.degenerate or share in (0.0, 1.0):
        # No spread between clusters shows none of the spread of others: each family counts as one answer.
        return Flags(share * rate.n_templates, rate.n_templates, accuracy)
    return Flags(share * len(rows), len(rows), accuracy, Clustered(rate.se**2, rate.df))


def _rate(comparer: Comparer, rows: pd.DataFrame) -> Contrast | Undefined:
    table = mean_cells(rows, "term", comparer.templates)
    return estimate(Cells("crossed" if table.shape[1] > 1 else "single", table, None, comparer.families))


def _group_found(
    comparer: Comparer, group: str, accuracy: Accuracy | None, flags: Flags | Undefined
) -> GroupFound:
    rows = comparer.frame[comparer.frame["group"] == group]
    if isinstance(flags, Undefined):
        rate = float(rows["value"].mean()) if len(rows) else float("nan")
        return GroupFound(group, len(rows), rate, accuracy, flags)
    corrected = rogan_gladen(flags.flagged, flags.n, flags.accuracy, LEVEL, clustered=flags.clustered)
    return GroupFound(group, len(rows), flags.rate, accuracy, corrected)


def _corrected(
    comparer: Comparer,
    hypothesis: Hypothesis,
    weights: Mapping[str, float],
    counted: Mapping[str, Flags | Undefined],
    level: float,
) -> CorrectedSum | Undefined:
    parts: list[tuple[float, Flags]] = []
    for group, weight in weights.items():
        flags = counted[group]
        known = flags if isinstance(flags, Undefined) else _correctable(flags)
        if isinstance(known, Undefined):
            return Undefined(f"{group}: {known.reason}")
        parts.append((weight, known))
    youden = {group: flags.accuracy.youden for group, (_, flags) in zip(weights, parts, strict=True)}
    scaled = comparer.frame.assign(
        value=comparer.frame["value"] / comparer.frame["group"].map(youden).to_numpy(dtype=float)
    )
    known_rows = scaled[np.isfinite(scaled["value"])]
    spread = estimate(Comparer(known_rows, hypothesis.reference, hypothesis.layout).cells(hypothesis.group))
    if isinstance(spread, Undefined):
        return spread
    return corrected_sum(parts, Clustered(spread.se**2, spread.df), level)


def _correctable(flags: Flags) -> Flags | Undefined:
    rate = rogan_gladen(flags.flagged, flags.n, flags.accuracy, LEVEL, clustered=flags.clustered)
    return rate if isinstance(rate, Undefined) else flags


def _group_json(each: GroupFound) -> dict[str, Any]:
    corrected, accuracy = each.corrected, each.accuracy
    known = None if isinstance(corrected, Undefined) else corrected
    return {
        "group": each.group,
        "n": each.n,
        "rate": each.rate if each.n else None,
        "sensitivity": None if accuracy is None else accuracy.sensitivity,
        "specificity": None if accuracy is None else accuracy.specificity,
        "corrected": None if known is None else known.estimate,
        "lo": None if known is None else known.lo,
        "hi": None if known is None else known.hi,
        "reason": corrected.reason if isinstance(corrected, Undefined) else "",
    }


def _gap_json(gap: Contrast | CorrectedSum | Undefined, level: float) -> dict[str, Any]:
    if isinstance(gap, Undefined):
        return {**dict.fromkeys(("estimate", "lo", "hi", "p")), "level": level, "reason": gap.reason}
    low, high = gap.ci(level) if isinstance(gap, Contrast) else (gap.lo, gap.hi)
    p = gap.p_value() if isinstance(gap, Contrast) else gap.p
    return {"estimate": gap.estimate, "lo": low, "hi": high, "p": p, "level": level, "reason": ""}
