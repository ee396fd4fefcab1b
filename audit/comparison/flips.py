"""Answers whose preference, or whose tone, is another one now.

Of two probabilities: which answers the model prefers, the first or the second. Of sampled text: what the
continuations of a prompt are by the mean of the first scorer: negative, neutral or positive; toxic or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.comparison.rows import MATCHED
from audit.hypotheses import TERM_AXIS
from audit.scorers.classes import class_names, text_classes
from audit.scorers.planned import PlannedScorer
from audit.spec import SuiteChoice
from audit.stats.estimate import Floats, Undefined
from audit.stats.multiplicity import holm
from audit.stats.paired_proportions import PairedCounts, mcnemar_exact
from audit.table import AXIS
from probes.cells import JOIN, is_crossed

LISTED = 200
"""Flips that are listed, the farthest moves first; all are counted."""
PREFERENCES = {1: "first answers", 0: "neither", -1: "second answers"}
"""The names of the classes of answers, by sign."""
NOTE = (
    "The test takes each row for independent, which rows of one template or term are not: it speaks of these "
    "rows alone. What is claimed of a contrast stands in its change."
)


def suite_flips(
    table: pd.DataFrame, suites: Mapping[str, SuiteChoice], axes: Mapping[str, Sequence[str]], number: int
) -> Iterator[dict[str, Any]]:
    """The flips of each suite, of the rows that are compared.

    Parameters
    ----------
    table : DataFrame
        As ``matched_rows`` gives it.
    suites : mapping
        Suite id to suite, as planned after.
    axes : mapping
        Suite id to the axes whose groups are counted.

    Returns
    -------
    iterator of dict
        ``kind``: ``preference`` (a row is an answer pair of an item) or ``tone`` (a row is an item in one
        setting, by the mean of its continuations). ``flipped``: rows whose preference is the opposite, or
        whose tone is another. ``transitions``: every change of class, that to and from ``neither`` included.
        ``groups``: the same by group, with an exact McNemar test for preferences. ``items``: the first
        :data:`LISTED` flips by size of the move.
    """
    probes = table[(table["arm"] == "probe") & (table["reason"] == MATCHED)]
    for suite, rows in probes.groupby("suite", sort=False):
        measure = suites[str(suite)].measure
        scorer = measure.primary
        kind = "preference" if scorer is None else "tone"
        classed = with_classes(rows if scorer is None else by_prompt(rows), scorer)
        flipped = classed[classed["flipped"]]
        order = flipped["value"].abs().sort_values(ascending=False, kind="stable").index
        names = PREFERENCES if scorer is None else signed_names(scorer)
        yield {
            "pair": number,
            "suite": suite,
            "kind": kind,
            "rows": len(classed),
            "flipped": len(flipped),
            "transitions": transitions(classed, names),
            "groups": [row for axis in axes[str(suite)] for row in group_flips(classed, axis, kind)],
            "items": [listed(row, names) for row in flipped.loc[order[:LISTED]].to_dict("records")],
        }


def by_prompt(rows: pd.DataFrame) -> pd.DataFrame:
    """Continuations of one prompt in one setting as one row, by their mean."""
    means = rows.groupby(["item", "setting"], sort=False)[["before", "after"]].mean()
    first = rows.drop_duplicates(["item", "setting"]).set_index(["item", "setting"])
    whole = first.assign(before=means["before"], after=means["after"], unit=None).reset_index()
    return whole.assign(value=whole["after"] - whole["before"])


def with_classes(rows: pd.DataFrame, scorer: PlannedScorer | None) -> pd.DataFrame:
    """Rows with the class before (``old``), after (``new``), and whether it flipped.

    ``scorer`` reads text; without one the class is the sign.
    """
    sides = [rows[side].to_numpy(dtype=float) for side in ("before", "after")]
    if scorer is None:
        old, new = (np.sign(values).astype(np.int_) for values in sides)
        return rows.assign(old=old, new=new, flipped=old * new < 0)
    old, new = (signed_classes(values, scorer) for values in sides)
    return rows.assign(old=old, new=new, flipped=old != new)


def signed_classes(values: Floats, scorer: PlannedScorer) -> npt.NDArray[np.int_]:
    """The class of each text as a sign: -1 or 1 for what the scorer is there to find, by its worse side."""
    away = 1 - text_classes(values, scorer).astype(np.int_)
    return away if scorer.worse == "high" else -away


def signed_names(scorer: PlannedScorer) -> dict[int, str]:
    """What those classes are called."""
    side = 1 if scorer.worse == "high" else -1
    return {side * (1 - place): name for place, name in enumerate(class_names(scorer))}


def transitions(rows: pd.DataFrame, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """How many rows went from one class to another; those that stayed are left out."""
    counts = rows.groupby(["old", "new"]).size()
    return [
        {"from": names[old], "to": names[new], "rows": int(counts[old, new])}
        for old, new in counts.index
        if old != new
    ]


def group_flips(rows: pd.DataFrame, axis: str, kind: str) -> list[dict[str, Any]]:
    """The flips of each group of one axis; p corrected by Holm over these groups."""
    labels = group_labels(rows, axis)
    found: list[dict[str, Any]] = []
    classed = rows[["old", "new", "flipped"]].assign(group=labels)
    for group, own in classed[labels.notna()].groupby("group", sort=False):
        up, down = (int((own["flipped"] & (own["new"] == sign)).sum()) for sign in (1, -1))
        if kind == "tone":
            up, down = (int((sign * (own["new"] - own["old"]) > 0).sum()) for sign in (1, -1))
        p, reason = mcnemar(own, kind)
        found.append({"axis": axis, "group": group, "rows": len(own), "flipped": int(own["flipped"].sum()),
                      "up": up, "down": down, "p": p, "undefined": reason})  # fmt: skip
    raw: list[float | None] = [row["p"] for row in found]
    adjusted = holm(raw).p
    return [{**row, "p_adjusted": p} for row, p in zip(found, adjusted, strict=True)]


def group_labels(rows: pd.DataFrame, axis: str) -> pd.Series[Any]:
    """Each row's group on an axis, that of a cell where two axes are crossed; nothing where it has none."""
    if axis == TERM_AXIS:
        return rows["term"]
    names = [AXIS + name for name in (axis.split(JOIN) if is_crossed(axis) else [axis])]
    missing = [name for name in names if name not in rows]
    if missing:
        return pd.Series(None, index=rows.index, dtype=object)
    labels = rows[names[0]].astype(object)
    for name in names[1:]:
        labels = labels.str.cat(rows[name].astype(object), sep=JOIN)
    return labels


def mcnemar(rows: pd.DataFrame, kind: str) -> tuple[float | None, str | None]:
    """Exact test of as many flips one way as the other; rows without a preference are left out."""
    if kind != "preference":
        return None, "no test for classes of text"
    sure = rows[(rows["old"] != 0) & (rows["new"] != 0)]
    old, new = (sure[side].to_numpy() > 0 for side in ("old", "new"))
    p = mcnemar_exact(PairedCounts.of(old, new))
    return (None, "no row with a preference in both") if isinstance(p, Undefined) else (p, None)


def listed(row: Mapping[Any, Any], names: Mapping[int, str]) -> dict[str, Any]:
    """One flip as plain data; the digests name the requests in the two bundles' records."""
    return {
        "item": row["item"],
        "unit": row["unit"],
        "setting": row["setting"],
        "term": row["term"],
        "text": row["text_after"],
        "before": float(row["before"]),
        "after": float(row["after"]),
        "from": names[row["old"]],
        "to": names[row["new"]],
        "request_before": row["request_before"],
        "request_after": row["request_after"],
    }
