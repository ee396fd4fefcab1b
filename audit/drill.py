"""From a finding down to the items it rests on.

Pure functions of two things: a frame of ``audit.sidecar.Sidecar.scores`` that holds the finding's model and
suite (other rows are left out) with at least the columns of :func:`columns_of`, and a finding of
``findings.json``. What cannot be told is an empty frame whose ``attrs["reason"]`` says why, or NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.estimates import Cells, axis_rows, compared, comparer, estimate
from audit.hypotheses import (
    COMBINATION,
    OVERALL,
    REST,
    TERM_AXIS,
    Hypothesis,
    four_cells,
    hypothesis_from_json,
)
from audit.stats.estimate import Undefined
from audit.table import AXIS
from probes.cells import JOIN
from probes.errors import Fault, InputError

Finding = Mapping[str, Any]
"""One of ``findings.json``."""

GROUP, REFERENCE = "group", "reference"
"""The sides of a finding, as its coverage names them: the group it is about, and what it is held against."""
COLUMNS = (
    "model", "suite", "arm", "item", "template", "family", "term", "pair", "unit", "factor", "value", "text",
    "digest", "n", "draw", "drawn", "drawn_for",
)  # fmt: skip
"""What the functions here read, besides the columns of the finding's axes."""
DRAWN = (
    "asked until decided: the estimate is a mean over sets of prompts as they were drawn, and not over "
    "template families"
)


def hypothesis_of(finding: Finding) -> Hypothesis:
    """The hypothesis that a finding is of."""
    return hypothesis_from_json({name: finding[name] for name in Hypothesis.__dataclass_fields__})


def columns_of(finding: Finding) -> list[str]:
    """The columns of the sidecar that the functions here read."""
    axes = [] if finding["axis"] == TERM_AXIS else finding["axis"].split(JOIN)
    return [*COLUMNS, *(AXIS + axis for axis in axes)]


def rows_of(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """The scores that a finding rests on, those without a value included.

    Of a family that was asked until decided: its own draws, up to the one at which this finding's stream
    stopped.

    Returns
    -------
    DataFrame
        Rows of the frame with their ``group`` on the finding's axis, and their ``side``: ``group`` for the
        finding's own, else ``reference``. Against ``overall`` the group's own rows are part of the reference
        as well, and stand there once, as ``group``.
    """
    hypothesis = hypothesis_of(finding)
    rows = compared(axis_rows(own_rows(frame, finding), hypothesis), hypothesis)
    return rows.assign(side=np.where(rows["group"] == hypothesis.group, GROUP, REFERENCE))


def own_rows(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """Rows of a finding's model and suite, and of what was drawn those of its family up to its stop."""
    own = (frame["model"] == finding["model"]) & (frame["suite"] == finding["suite"])
    rows = frame[own & (~frame["drawn"] | (frame["drawn_for"] == finding["family"]))]
    stopped = (finding.get("sequential") or {}).get("stopped_at")
    if stopped is not None:
        rows = rows[rows["draw"] <= stopped]
    categories = [name for name in rows if isinstance(rows[name].dtype, pd.CategoricalDtype)]
    plain: pd.DataFrame = rows.astype(dict.fromkeys(categories, object))
    return plain


def heat_map(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """Mean score of each paraphrase family by group.

    Returns
    -------
    DataFrame
        A row for each family and group, ``family, group, mean, n, lost``: the mean of the scores that have a
        value, NaN where none has, how many these are, and how many have none. Groups in order: the finding's
        own; its reference; and where that is several groups together (``rest``, ``overall``), each of them by
        itself. The mean of several together weighs each score the same.
    """
    hypothesis = hypothesis_of(finding)
    rows = rows_of(frame, finding)
    parts = [rows]
    groups = [hypothesis.group, *dict.fromkeys(rows["group"])]
    if hypothesis.reference in (REST, OVERALL):
        together = rows if hypothesis.reference == OVERALL else rows[rows["side"] == REFERENCE]
        parts.append(together.assign(group=hypothesis.reference))
        groups.insert(1, hypothesis.reference)
    elif hypothesis.layout != COMBINATION:
        groups.insert(1, hypothesis.reference)
    values = pd.concat(parts).groupby(["family", "group"], sort=False)["value"]
    grid = pd.MultiIndex.from_product(
        [dict.fromkeys(rows["family"]), dict.fromkeys(groups)], names=["family", "group"]
    )
    counts = values.agg(["mean", "count", "size"]).reindex(grid)
    scored, asked = counts["count"].fillna(0).astype(int), counts["size"].fillna(0).astype(int)
    return pd.DataFrame({"mean": counts["mean"], "n": scored, "lost": asked - scored}).reset_index()


def cells_of(frame: pd.DataFrame, finding: Finding, *, pooled: bool = False) -> Cells | Undefined:
    """The arrays that the finding's estimate was made from, or why there are none.

    Parameters
    ----------
    pooled : bool
        With what the finding's family says of their spread, which only intervals need.
    """
    if finding.get("sequential") is not None:
        return Undefined(DRAWN)
    own = own_rows(frame, finding)
    hypothesis = hypothesis_of(finding)
    if bool(own["drawn"].any()):
        return Undefined(DRAWN)
    if rows_of(own, finding).empty:
        return Undefined("no item of the finding was asked")
    made = comparer(own, hypothesis)
    return made.cells(hypothesis.group) if pooled else made.own_cells(hypothesis.group)


def by_template(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """The contrast of each template alone.

    Returns
    -------
    DataFrame
        ``template, family, effect, n``: the contrast in the finding's unit, NaN where a side was scored
        nowhere, and the number of cells that it is made from.
    """
    cells = cells_of(frame, finding)
    if isinstance(cells, Undefined):
        return nothing(("template", "family", "effect", "n"), cells.reason)
    families = cells.families.loc[cells.templates]
    effects = {"effect": cells.by_template().to_numpy(), "n": scored_cells(cells).to_numpy()}
    return pd.DataFrame({"template": cells.templates, "family": families.to_numpy(), **effects})


def by_family(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """The contrast of each paraphrase family alone: ``family, effect, n``, as :func:`by_template`.

    Their mean is the estimate wherever every family has all of its cells.
    """
    cells = cells_of(frame, finding)
    if isinstance(cells, Undefined):
        return nothing(("family", "effect", "n"), cells.reason)
    families = cells.families.loc[cells.templates].to_numpy()
    counts = scored_cells(cells).groupby(families, sort=False).sum()
    effects = cells.by_family().by_template()
    return pd.DataFrame(
        {
            "family": list(effects.index),
            "effect": effects.to_numpy(),
            "n": counts.loc[effects.index].to_numpy(),
        }
    )


def scored_cells(cells: Cells) -> pd.Series[int]:
    """How many cells of each template were scored."""
    counts = [table.notna().sum(axis=1) for _, table in cells.parts]
    total: pd.Series[int] = sum(counts[1:], start=counts[0])
    return total


def leave_one_out(frame: pd.DataFrame, finding: Finding, level: float) -> pd.DataFrame:
    """The finding without each of its paraphrase families in turn.

    Parameters
    ----------
    level : float
        Coverage of the intervals, in (0, 1); that of the finding is ``finding["ci"]["level"]``.

    Returns
    -------
    DataFrame
        ``family`` (the one left out), ``estimate, lo, hi, reason``: NaN with a reason where the rest gives
        no estimate.
    """
    cells = cells_of(frame, finding, pooled=True)
    columns = ("family", "estimate", "lo", "hi", "reason")
    if isinstance(cells, Undefined):
        return nothing(columns, cells.reason)
    cells = cells.by_family()
    rows: list[tuple[Any, ...]] = []
    for name in cells.templates:
        found = estimate(cells.keep([other for other in cells.templates if other != name]))
        if isinstance(found, Undefined):
            rows.append((name, math.nan, math.nan, math.nan, found.reason))
        else:
            rows.append((name, found.estimate, *found.ci(level), ""))
    return pd.DataFrame(rows, columns=list(columns))


def items_of(frame: pd.DataFrame, finding: Finding) -> pd.DataFrame:
    """The items that a finding rests on, one row each, in the order in which they were asked.

    Returns
    -------
    DataFrame
        ``item, template, family, term, pair, side, group, text, model``; ``value``, the mean of its scores
        that have a value, NaN where none has; ``n``, how many these are, and ``lost``, how many have none;
        ``digest`` and ``record`` (the number) of its first request; and ``sign``: 1 where a higher value
        raises the contrast, -1 where it lowers it.
    """
    hypothesis = hypothesis_of(finding)
    rows = rows_of(frame, finding).rename(columns={"n": "record"})
    named = ["template", "family", "term", "pair", "side", "group", "text", "model", "digest", "record"]
    items = rows.drop_duplicates("item").set_index("item")[named]
    scores = rows.groupby("item", sort=False)["value"].agg(["mean", "count", "size"])
    if hypothesis.layout == COMBINATION:
        weights = four_cells(hypothesis.group, hypothesis.reference)
        sign = items["group"].map(weights).astype(float)
    else:
        sign = items["side"].map({GROUP: 1.0, REFERENCE: -1.0}).astype(float)
    lost = scores["size"] - scores["count"]
    made = items.assign(value=scores["mean"], n=scores["count"], lost=lost, sign=sign)
    return made.reset_index()


def carriers(frame: pd.DataFrame, finding: Finding, count: int = 20, side: str | None = None) -> pd.DataFrame:
    """The items that lie furthest on the finding's side.

    Each item is held against the other side in its own template: ``baseline`` is the mean of the items there,
    and ``pull`` is how far the item's value lies from it in the direction of the estimate. Above 0 the item
    agrees with the finding, below 0 it speaks against it. A pull describes the answers to this one text; it
    is no test, and says nothing of why the model answered so.

    Parameters
    ----------
    count : int
        How many items, those with the largest pull first.
    side : {"group", "reference"}, optional
        Only items of this side. Where the reference is many groups, the furthest of all are mostly its own.

    Returns
    -------
    DataFrame
        As :func:`items_of`, with ``baseline`` and ``pull`` in the finding's unit, without ``sign``.
        ``attrs["left_out"]`` is the number of items that have no pull: they, or the whole other side of
        their template, have no score.
    """
    columns = (
        "item", "template", "family", "term", "side", "group", "text", "value", "baseline", "pull", "n",
        "lost", "digest", "record", "model",
    )  # fmt: skip
    if finding["estimate"] is None:
        return nothing(columns, finding["undefined"])
    items = items_of(frame, finding)
    means = items.groupby(["template", "sign"])["value"].mean()
    other = pd.MultiIndex.from_arrays([items["template"], -items["sign"]])
    baseline = means.reindex(other).to_numpy(dtype=float)
    direction = math.copysign(1.0, finding["estimate"])
    pull = direction * items["sign"] * (items["value"] - baseline)
    placed = items.assign(baseline=baseline, pull=pull)
    chosen = placed if side is None else placed[placed["side"] == side]
    ranked = chosen.dropna(subset=["pull"])
    found = ranked.sort_values("pull", ascending=False, kind="stable").head(count)
    found = found[list(columns)].reset_index(drop=True)
    found.attrs["left_out"] = len(chosen) - len(ranked)
    return found


def counterparts(frame: pd.DataFrame, finding: Finding, item: str) -> pd.DataFrame:
    """What an item is held against: the items of the other side in its own template.

    Parameters
    ----------
    item : str
        Its id.

    Returns
    -------
    DataFrame
        As :func:`items_of`, with ``same_pair`` (whether it is matched with the item, term by term) and
        ``distance`` (of the two values, in the finding's unit; NaN where one has none). Pairs come first,
        then the rest from the nearest value to the furthest, then what has none.

    Raises
    ------
    InputError
        If the finding does not rest on such an item.
    """
    items = items_of(frame, finding)
    own = items[items["item"] == item]
    if own.empty:
        raise InputError(
            Fault(f"no item {item!r} under the finding {finding['id']}", "", "Choose one of its items.")
        )
    one = own.iloc[0]
    others = items[(items["template"] == one["template"]) & (items["sign"] == -one["sign"])]
    found = others.assign(
        same_pair=others["pair"].notna() & (others["pair"] == one["pair"]),
        distance=(others["value"] - one["value"]).abs(),
    )
    ranked = found.sort_values(["same_pair", "distance"], ascending=[False, True], kind="stable")
    placed: pd.DataFrame = ranked.reset_index(drop=True)
    return placed


def nothing(columns: Sequence[str], reason: str) -> pd.DataFrame:
    """A frame without rows that says why."""
    frame = pd.DataFrame(columns=list(columns))
    frame.attrs["reason"] = reason
    return frame
