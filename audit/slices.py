"""Scores by any columns: what a reader who slices the answers sees, with its n and what was lost.

Descriptive, and labelled so: slices are chosen after the answers were seen, so that they carry no p-value
and no verdict. The interval says how far the mean may move with other template families.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from audit.stats.estimate import ROUNDING
from audit.table import AXIS
from probes.errors import Fault, InputError

SLICE_COLUMNS = (
    "model", "suite", "arm", "template", "family", "term", "pair", "setting", "unit", "status", "doubts",
)  # fmt: skip
"""Columns by which scores may be sliced, beside those of axes."""
MOST_SLICES = 5000
FEWEST_FAMILIES = 2
"""Template families that an interval needs."""


def slice_columns(frame: pd.DataFrame) -> list[str]:
    """The columns by which the scores of a frame can be sliced: those that tell at least two rows apart."""
    axes = [column for column in frame.columns if column.startswith(AXIS)]
    there = [column for column in (*SLICE_COLUMNS, *axes) if column in frame]
    return [column for column in there if frame[column].nunique(dropna=False) > 1]


def slices(frame: pd.DataFrame, by: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """Mean score, counts and an interval for each combination of values that occurs.

    Parameters
    ----------
    frame : DataFrame
        Rows of the score table, of measures of one unit.
    by : sequence of str
        Columns, as :func:`slice_columns` names them; without any, one slice of everything.
    level : float
        Of the interval, 0 to 1.

    Returns
    -------
    DataFrame
        One row a slice: the columns of ``by``; ``items`` and ``scores`` (all of them), ``scored`` and
        ``lost``; ``mean`` over template families, each of which weighs the same, in the measure's unit;
        ``families`` that hold a score; ``lo, hi``: Student's t interval over them; and ``reason`` where there
        is no mean or no interval. Missing numbers are NaN.

    Raises
    ------
    InputError
        For a column that is not there, or more than 5000 slices.

    Examples
    --------
    >>> rows = pd.DataFrame({"item": list("abc"), "family": list("xyz"), "value": [1.0, 2.0, None]})
    >>> slices(rows, [])[["scores", "scored", "lost", "mean", "families"]].to_dict("records")
    [{'scores': 3, 'scored': 2, 'lost': 1, 'mean': 1.5, 'families': 2}]
    """
    unknown = [column for column in by if column not in frame]
    if unknown:
        what = f"no column {unknown[0]!r} to slice by"
        raise InputError(Fault(what, "", "Choose one of those that are there."))
    keys = list(by) or ["_all"]
    rows = frame if by else frame.assign(_all="")
    groups = rows.groupby(keys, sort=True, dropna=False, observed=True)
    if groups.ngroups > MOST_SLICES:
        remedy = f"Choose columns that give at most {MOST_SLICES:,}."
        raise InputError(Fault(f"{groups.ngroups:,} slices", "", remedy))
    table = groups.agg(items=("item", "nunique"), scores=("item", "size"), scored=("value", "count"))
    table["lost"] = table["scores"] - table["scored"]
    family = list(dict.fromkeys([*keys, "family"]))
    there = rows[rows["value"].notna()]
    means = there.groupby(family, dropna=False, observed=True)["value"].mean()
    spread = means.groupby(keys, dropna=False, observed=True).agg(["mean", "std", "size"])
    table["mean"] = spread["mean"]
    table["families"] = spread["size"].reindex(table.index).fillna(0).astype(int)
    count = np.maximum(table["families"], FEWEST_FAMILIES)
    half = stdtrit(count - 1, 0.5 + level / 2) * spread["std"].reindex(table.index) / np.sqrt(count)
    table["lo"], table["hi"] = table["mean"] - half, table["mean"] + half
    none, one = table["families"] == 0, table["families"] < FEWEST_FAMILIES
    alike = ~one & (half <= ROUNDING * np.maximum(table["mean"].abs(), 1.0))
    table.loc[alike, ["lo", "hi"]] = np.nan
    table["reason"] = np.select(
        [none, one, alike],
        ["nothing was scored", "one template family", "all template families score alike"],
        "",
    )
    return table.reset_index().drop(columns=[] if by else "_all")
