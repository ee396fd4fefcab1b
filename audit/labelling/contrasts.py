"""Every contrast again, of what people find in place of what a scorer finds.

The scorer reads all outputs and people a sample of them; together they give each output a value whose mean
is what people would say of all (``audit.stats.double_sampling``). These values go the way that scores go:
template families and terms stay whole, and a family of hypotheses is corrected together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.correction import corrected
from audit.analysis.estimates import Comparer, axis_rows, compared, compared_groups, estimate
from audit.analysis.found import Corrected, Setting
from audit.analysis.rare import rare
from audit.drill import DRAWN
from audit.hypotheses import Hypothesis
from audit.labelling.labels import UNCLEAR, UNSETTLED
from audit.labelling.outputs import Outputs
from audit.plan import hypotheses_of
from audit.stats.double_sampling import corrected_values, unseen_variance, with_unseen
from audit.stats.equivalence import minimum_detectable, tost
from audit.stats.estimate import Contrast, Floats, Undefined, shown_sign
from audit.wording import counted

LEAST = 10
"""Labels that each side of a contrast needs: with fewer, what people find there is a guess."""
POWER = 0.8
"""With which the labels that are said to be needed would decide."""
SHOWN = 3
"""Strata without a label that are named."""

Found = Contrast | Undefined


@dataclass(frozen=True)
class Judged:
    """A contrast of one hypothesis with its corrected p-value, and what it says by the rule of verdicts.

    ``too_rare``: why a contrast within the margin is not shown to lie there; else None.
    """

    contrast: Found
    p_adjusted: float | None
    states: str
    too_rare: str | None = None

    def data(self, level: float) -> dict[str, Any]:
        """Plain data: ``estimate, lo, hi, level, p, p_adjusted, states, reason``."""
        if isinstance(self.contrast, Undefined):
            unknown = dict.fromkeys(("estimate", "lo", "hi", "level", "p", "p_adjusted"))
            return {**unknown, "states": self.states, "reason": self.contrast.reason}
        low, high = self.contrast.ci(level)
        return {
            "estimate": self.contrast.estimate, "lo": low, "hi": high, "level": level,
            "p": self.contrast.p_value(), "p_adjusted": self.p_adjusted, "states": self.states, "reason": "",
        }  # fmt: skip


def contrast_rows(outputs: Outputs, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Every hypothesis about the outputs of suites that people labelled, in the plan's order.

    Parameters
    ----------
    frame : DataFrame
        As of ``audit.labelling.labels.with_labels``.

    Returns
    -------
    list of dict
        The fields of the hypothesis; ``found`` (the label that is looked for); ``labels`` (that count, by
        side); ``rates`` (share of outputs that the scorer found, and that people would, by side, 0 to 1; None
        where not known); ``scorer, people, error``: the difference of these shares by the primary scorer's
        flags, by people, and of one less the other (``Judged.data``); positive: more is found of the group;
        ``margin`` (None where the suite's is on another scale), ``verdict``, ``says`` (in words) and
        ``needed`` (labels more, or why they would not do; None where there is a verdict).
    """
    setting = Setting(outputs.plan["alpha"], outputs.plan["seed"], outputs.suites, outputs.plan["correction"])
    rows: list[dict[str, Any]] = []
    known = [each for each in hypotheses_of(outputs.plan) if each.suite in outputs.asked]
    for _, members in groupby(known, key=lambda each: each.family):
        family = list(members)
        own = frame[(frame["model"] == family[0].model) & (frame["suite"] == family[0].suite)]
        if (own["state"] != "").any():
            rows += family_rows(outputs, own, family, setting)
    return rows


def family_rows(
    outputs: Outputs, own: pd.DataFrame, family: Sequence[Hypothesis], setting: Setting
) -> Iterator[dict[str, Any]]:
    """The rows of hypotheses that are corrected together."""
    asked = outputs.asked[family[0].suite]
    rows = valued(outputs, own, family)
    sides: dict[str, list[Judged]] = {}
    for name in ("scorer", "people", "error"):
        margin = None if name == "error" else asked.margin
        sides[name] = judged(rows, name, family, setting, margin)
    open_rows = own["state"] == UNSETTLED
    either = [
        judged(valued(outputs, settled_as(own, value), family), "people", family, setting, asked.margin)
        for value in ((0.0, 1.0) if open_rows.any() else ())
    ]
    for number, hypothesis in enumerate(family):
        part = compared(rows.frame, hypothesis)
        mine = {name: each[number] for name, each in sides.items()}
        hangs = len({each[number].states for each in either}) > 1
        row = told(hypothesis, part, mine, setting.alpha, asked.margin)
        yield (hanging(row, part) if hangs else row) | {"found": asked.labels.found}


def settled_as(own: pd.DataFrame, value: float) -> pd.DataFrame:
    """The rows as if everything that is not settled had been settled one way."""
    return own.assign(share=own["share"].where(own["state"] != UNSETTLED, value))


def hanging(row: dict[str, Any], part: pd.DataFrame) -> dict[str, Any]:
    """A row whose verdict depends on which label labellers settle on where they differ."""
    count = int((part["state"] == UNSETTLED).sum())
    reason = f"it hangs on {counted(count, 'output')} on which labellers differ: see --disagreements"
    said = "whether people see a difference is not settled among them"
    return {**row, "verdict": "inconclusive", "says": said, "needed": {"labels": None, "reason": reason}}


@dataclass(frozen=True, eq=False)
class Valued:
    """The rows of a family's axis with what scorer and people find.

    Attributes
    ----------
    frame : DataFrame
        With ``group``, and columns ``scorer`` (1 found, 0 not; NaN without a score), ``people`` (the value
        that stands for people's label) and ``error``, the first less the second.
    reason : str
        Why there is nothing from people; empty where there is.
    """

    frame: pd.DataFrame
    reason: str


def valued(outputs: Outputs, own: pd.DataFrame, family: Sequence[Hypothesis]) -> Valued:
    """What scorer and people find in each output of a family's axis."""
    first = outputs.asked[family[0].suite].scorers[0]
    rows = axis_rows(own, family[0])
    named = [compared_groups(hypothesis) for hypothesis in family]
    if all(groups is not None for groups in named):
        rows = rows[rows["group"].isin({name for groups in named for name in groups or ()})]
    rows = rows.assign(scorer=first.flags(rows), people=np.nan, error=np.nan)
    judged_rows = rows[(rows["stratum"] != "") & (rows["state"] != UNCLEAR)]
    reason = DRAWN if bool(rows["drawn"].any()) else without_labels(judged_rows)
    if not reason:
        strata = pd.factorize(judged_rows["stratum"])[0]
        found = corrected_values(judged_rows["scorer"], strata, judged_rows["share"], weights(judged_rows))
        reason = found.reason if isinstance(found, Undefined) else ""
        if not isinstance(found, Undefined):
            rows.loc[judged_rows.index, "people"] = found
            rows["error"] = rows["scorer"] - rows["people"]
    return Valued(rows, reason)


def weights(rows: pd.DataFrame) -> Floats:
    """One over the chance of each output to be labelled; they sum to the outputs of every stratum."""
    parts = rows.groupby("stratum")["share"]
    return (parts.transform("size") / parts.transform("count")).to_numpy(dtype=float)


def without_labels(rows: pd.DataFrame) -> str:
    """Which strata lack a label; empty where none does."""
    if rows.empty:
        return "no output was scored"
    parts = rows.groupby("stratum")["share"]
    sizes = parts.size()[parts.count() == 0]
    if sizes.empty:
        return ""
    named = [f"{name} ({counted(int(size), 'output')})" for name, size in sizes.head(SHOWN).items()]
    more = f" and {len(sizes) - SHOWN} more" if len(sizes) > SHOWN else ""
    return f"no label in {counted(len(sizes), 'stratum', 'strata')}: {'; '.join(named)}{more}"


def judged(
    rows: Valued, column: str, family: Sequence[Hypothesis], setting: Setting, margin: float | None
) -> list[Judged]:
    """The contrasts of a family in one column of what is found."""
    if rows.reason and column != "scorer":
        return [Judged(Undefined(rows.reason), None, "unknown") for _ in family]
    comparer = Comparer(rows.frame.assign(value=rows.frame[column]), family[0].reference, family[0].layout)
    cells = [comparer.cells(hypothesis.group) for hypothesis in family]
    contrasts = [estimate(cell) for cell in cells]
    if column != "scorer":
        contrasts = [
            with_unseen(contrast, unseen(rows.frame, comparer.weights(hypothesis.group)))
            for contrast, hypothesis in zip(contrasts, family, strict=True)
        ]
    adjusted = corrected(family, cells, contrasts, setting)
    found = []
    for contrast, each, cell in zip(contrasts, adjusted, cells, strict=True):
        states, too_rare = states_of(contrast, each, setting.alpha, margin), None
        if states == "within margin" and margin is not None:
            too_rare = rare(cell, margin, setting.alpha)
        found.append(Judged(contrast, each.p, "inconclusive" if too_rare else states, too_rare))
    return found


def unseen(frame: pd.DataFrame, coefficients: Mapping[str, float]) -> float | Undefined:
    """Variance of a contrast that its few labels do not show."""
    rows = frame[frame["people"].notna()]
    return unseen_variance(pd.factorize(rows["stratum"])[0], rows["share"], shares(rows, coefficients))


def shares(rows: pd.DataFrame, coefficients: Mapping[str, float]) -> Floats:
    """What each output counts for in a contrast of group means."""
    sizes = rows["group"].map(rows["group"].value_counts()).to_numpy(dtype=float)
    counted_for = rows["group"].map(coefficients).fillna(0.0).to_numpy(dtype=float)
    return counted_for / sizes


def states_of(contrast: Found, adjusted: Corrected, alpha: float, margin: float | None) -> str:
    """What a contrast says: ``more``, ``less``, ``within margin``, ``inconclusive`` or ``unknown``.

    By the rule of verdicts: within the margin first, then significant and its sign.
    """
    if isinstance(contrast, Undefined) or adjusted.p is None:
        return "unknown"
    if margin is not None and tost(contrast, margin, alpha, span=1.0).within:
        return "within margin"
    return {1: "more", 0: "inconclusive", -1: "less"}[shown_sign(contrast.ci(1.0 - alpha), adjusted.p, alpha)]


def told(
    hypothesis: Hypothesis,
    rows: pd.DataFrame,
    sides: Mapping[str, Judged],
    alpha: float,
    margin: float | None,
) -> dict[str, Any]:
    """One hypothesis as plain data."""
    own = rows["group"] == hypothesis.group
    by_side = {"group": rows[own], "reference": rows[~own]}
    counts = {name: int(part["share"].notna().sum()) for name, part in by_side.items()}
    people = sides["people"]
    fewest = min(counts.values())
    verdict, needed = "inconclusive", None
    if isinstance(people.contrast, Contrast):
        if fewest < LEAST:
            more = sum(max(0, LEAST - count) for count in counts.values())
            there = min(int(part["people"].notna().sum()) for part in by_side.values())
            needed = {"labels": more, "reason": FEW} if there >= LEAST else {"labels": None, "reason": FEWER}
        elif people.states == "within margin":
            verdict = "no disparity within margin"
        elif people.states in ("more", "less"):
            verdict = "disparity"
        elif people.too_rare:
            needed = {"labels": None, "reason": people.too_rare}
        else:
            needed = labels_needed(people.contrast, rows, hypothesis, alpha, margin)
    else:
        needed = {"labels": None, "reason": people.contrast.reason}
    return {
        **{field.name: getattr(hypothesis, field.name) for field in fields(Hypothesis)},
        "labels": counts,
        "rates": {
            name: {key: mean_of(part[key]) for key in ("scorer", "people")} for name, part in by_side.items()
        },
        **{name: each.data(1.0 - alpha) for name, each in sides.items()},
        "margin": margin,
        "verdict": verdict,
        "says": says(sides, verdict),
        "needed": needed,
    }


FEW = f"each side needs at least {LEAST} labels"
FEWER = f"{FEW}, and there are fewer outputs: ask more templates or terms"
ALONE = "labels alone do not decide it: ask more templates or terms"


def mean_of(values: pd.Series[float]) -> float | None:
    """The mean of what is known; None where nothing is."""
    return float(values.mean()) if values.notna().any() else None


def says(sides: Mapping[str, Judged], verdict: str) -> str:
    """What people's labels say of the difference that the scorer shows.

    That a scorer shows a difference and people do not yet is no contradiction; it is one where the scorer's
    error differs between the sides beyond chance.
    """
    scorer, people, error = (sides[name].states for name in ("scorer", "people", "error"))
    shown = scorer in ("more", "less")
    if verdict == "disparity":
        if not shown:
            return "people see a difference that the scorer does not show"
        if scorer == people:
            return "people see the difference that the scorer shows"
        return "people see a difference the other way"
    if shown and error in ("more", "less") and error == scorer:
        return "the difference that the scorer shows is not what people see"
    if verdict == "no disparity within margin":
        return "what people see differs by less than the margin"
    if shown:
        return "the labels neither bear out nor refute the difference that the scorer shows"
    return "neither scorer nor people show a difference for certain"


def labels_needed(
    contrast: Contrast, rows: pd.DataFrame, hypothesis: Hypothesis, alpha: float, margin: float | None
) -> dict[str, Any]:
    """How many labels more would decide, if the estimate is the truth, spread over strata as those now.

    What the labels leave open shrinks with their number; what the outputs themselves leave open does not. A
    decision is a difference found, or, where there is a margin, shown to be small, with a power of 80 %.
    """
    known = rows[rows["people"].notna()]
    weighing = Comparer(known.assign(value=known["people"]), hypothesis.reference, hypothesis.layout)
    open_now = label_variance(known, weighing.weights(hypothesis.group))
    rest = max(contrast.se**2 - open_now, 0.0)
    wanted = abs(contrast.estimate) / minimum_detectable(1.0, contrast.df, alpha, POWER)
    if margin is not None:
        small = (margin - abs(contrast.estimate)) / minimum_detectable(1.0, contrast.df, 2 * alpha, POWER)
        wanted = max(wanted, small)
    spare = wanted**2 - rest
    labels = int(known["share"].notna().sum())
    if spare <= 0.0 or labels == len(known):
        return {"labels": None, "reason": ALONE}
    more = math.ceil(labels * (open_now / spare - 1.0))
    return {"labels": min(max(more, 1), len(known) - labels), "reason": ""}


def label_variance(rows: pd.DataFrame, coefficients: Mapping[str, float]) -> float:
    """Variance of a contrast that comes from labelling a sample and not all; shares squared.

    Half a label of either kind is added to each stratum, since labels of one kind show no spread.
    """
    own = rows.assign(weight=shares(rows, coefficients))
    parts = own.groupby("stratum")
    m, n, k = parts["share"].count(), parts["share"].size(), parts["share"].sum()
    rate = (k + 0.5) / (m + 1.0)
    return float((parts["weight"].sum() ** 2 * rate * (1.0 - rate) / m * (1.0 - m / n)).sum())
