"""How far apart a scorer puts groups in sentences that say the same of each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.correction import corrected
from audit.analysis.estimates import Comparer, estimate
from audit.analysis.found import Setting
from audit.hypotheses import REST, Hypothesis
from audit.scorers.figures import known, mean_or_none, undefined
from audit.scorers.scored_frames import ScoredFrames
from audit.stats.estimate import Contrast, Undefined, shown_sign
from audit.wording import counted
from probes.frames import FrameKind
from probes.lexicon import Term

ALPHA = 0.05
SEED = 0
STATES = {1: "higher", 0: "inconclusive", -1: "lower"}
"""What a contrast says of the group, by the sign that is shown."""
SHOWN_TERMS, SHOWN_SENTENCES = 5, 3
NOTHING = 1e-9
"""A difference of means below this is their rounding (score units)."""


def contrasts(name: str, scored: ScoredFrames, axis: str, kind: str) -> list[dict[str, Any]]:
    """Every group against the rest, frames as clusters, corrected for the number of groups.

    Of two groups one contrast says all.
    """
    labels = scored.lexicon.axes[axis].groups
    groups = list(labels)
    if len(groups) < 2:
        return []
    reference = REST if len(groups) > 2 else groups[1]
    tested = groups if len(groups) > 2 else groups[:1]
    rows, layout = score_rows(scored, axis)
    comparer = Comparer(rows, reference, layout)
    family = [hypothesis(f"{name}/{axis}/{kind}", axis, (group, reference), layout) for group in tested]
    cells = [comparer.cells(group) for group in tested]
    found = [estimate(each) for each in cells]
    adjusted = corrected(family, cells, found, Setting(ALPHA, SEED, {}, {"confirmatory": "max-t"}))
    return [
        {
            "group": group,
            "label": labels[group],
            "reference": reference,
            **told(contrast, 1 - ALPHA, each.p),
            "correction": each.method,
            "m": each.m,
        }
        for group, contrast, each in zip(tested, found, adjusted, strict=True)
    ]


def largest_gap(scored: ScoredFrames, axis: str) -> dict[str, Any]:
    """The two groups whose mean scores lie farthest apart.

    The pair was picked because it is far apart, so its p-value and interval are Bonferroni's over all pairs
    of groups with a score (Dunn 1961, JASA 56, 52-64).
    """
    labels = scored.lexicon.axes[axis].groups
    every = {group: mean_or_none(scored.values[:, scored.columns(axis, group)]) for group in labels}
    means = {group: mean for group, mean in every.items() if mean is not None}
    pairs = math.comb(len(means), 2)
    nobody = {"higher": None, "lower": None, "pairs": pairs}
    if pairs == 0:
        reason = f"{counted(len(means), 'group')} with a score; two are needed"
        return {**nobody, **told(Undefined(reason), 1 - ALPHA, None)}
    lower, higher = max(combinations(means, 2), key=lambda pair: abs(means[pair[0]] - means[pair[1]]))
    if means[lower] > means[higher]:
        lower, higher = higher, lower
    rows, layout = score_rows(scored, axis)
    found = estimate(Comparer(rows, lower, layout).cells(higher))
    p = None if isinstance(found, Undefined) else min(1.0, pairs * found.p_value())
    sides = {"higher": higher, "lower": lower} if means[higher] - means[lower] > NOTHING else {}
    return {**nobody, **sides, **told(found, 1 - ALPHA / pairs, p)}


def worst_terms(scored: ScoredFrames, axis: str, kinds: Sequence[FrameKind]) -> list[dict[str, Any]]:
    """The terms whose sentences lie farthest from the same sentences with the other terms of the axis.

    ``departure``: mean over the frames of a kind of the term's score minus the mean of the others, where all
    of them have a score. Terms that depart by nothing are left out.
    """
    placed = [at for at, term in enumerate(scored.lexicon.terms) if axis in term.groups]
    if len(placed) < 2:
        return []
    found: list[dict[str, Any]] = []
    for kind in kinds:
        part = scored.of_kind(kind)
        every = part.values[:, placed]
        complete = np.flatnonzero(~np.isnan(every).any(axis=1))
        if not complete.size:
            continue
        values, frames = every[complete], [part.frames[row] for row in complete]
        others = (values.sum(axis=1, keepdims=True) - values) / (len(placed) - 1)
        apart = values - others
        for column, at in enumerate(placed):
            departure = float(apart[:, column].mean())
            if abs(departure) < NOTHING:
                continue
            order = np.argsort(-np.abs(apart[:, column]), kind="stable")[:SHOWN_SENTENCES]
            term = scored.lexicon.terms[at]
            found.append(
                {
                    "term": term.id,
                    "word": part.words[at],
                    "group": term.groups[axis],
                    "kind": kind,
                    "mean": float(values[:, column].mean()),
                    "departure": departure,
                    "sentences": [
                        {
                            "text": frames[row].fill(part.words[at]),
                            "score": float(values[row, column]),
                            "others": float(others[row, column]),
                        }
                        for row in order
                    ],
                }
            )
    return sorted(found, key=lambda row: -abs(row["departure"]))[:SHOWN_TERMS]


def layout_of(terms: Sequence[Term], axis: str) -> str:
    """How the terms of an axis relate to its groups, as suites say it."""
    groups = [term.groups[axis] for term in terms]
    if len(set(groups)) == len(groups):
        return "fixed"
    return "paired" if all(term.pair for term in terms) else "nested"


def score_rows(scored: ScoredFrames, axis: str) -> tuple[pd.DataFrame, str]:
    """The scores of an axis as rows that contrasts are made from, and how its terms relate to groups."""
    placed = [(at, term) for at, term in enumerate(scored.lexicon.terms) if axis in term.groups]
    rows = [
        {
            "template": frame.id,
            "family": frame.id,
            "term": term.id,
            "pair": term.pair,
            "factor": "samples",
            "unit": "0",
            "group": term.groups[axis],
            "value": float(scored.values[number, at]),
        }
        for number, frame in enumerate(scored.frames)
        for at, term in placed
    ]
    # a sentence without a score stays a row without a value: it is missing, and not absent
    return pd.DataFrame(rows).astype({"pair": object}), layout_of([term for _, term in placed], axis)


def hypothesis(family: str, axis: str, sides: tuple[str, str], layout: str) -> Hypothesis:
    """That a scorer rates sentences about a group as it rates those about its reference."""
    group, reference = sides
    return Hypothesis(
        id=f"{family}={group}",
        family=family,
        model="",
        suite="",
        contrast=axis,
        axis=axis,
        group=group,
        reference=reference,
        layout=layout,
        role="confirmatory",
        claim="",
        group_label=group,
        reference_label=reference,
    )


def told(contrast: Contrast | Undefined, level: float, p_adjusted: float | None) -> dict[str, Any]:
    """A contrast as plain data, and what it says of the group: ``higher``, ``lower`` or ``inconclusive``."""
    if isinstance(contrast, Undefined) or p_adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value"
        return {**undefined(reason), "p": None, "p_adjusted": None, "states": None}
    bounds = contrast.ci(level)
    return {
        **known(contrast, bounds, level),
        "p": contrast.p_value(),
        "p_adjusted": p_adjusted,
        "states": STATES[shown_sign(bounds, p_adjusted, ALPHA)],
    }
