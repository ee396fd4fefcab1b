"""The scores of one audit beside those of the other, row by row, and why some stand alone.

Two scores belong together where suite, item, unit and setting are the same, and where the same text was
asked in the same form about the same group. What cannot be put together is kept, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.comparison.pairs import ModelPair
from audit.comparison.side import Side
from audit.comparison.side_rows import KEY, PLACE, columns_like, key_codes, side_rows
from audit.measures import scorer_column
from audit.sequential.plan import FORM
from audit.stats.estimate import ROUNDING
from audit.table import AXIS
from probes.errors import BundleError, Fault

MATCHED = ""
UNSCORED = ("scored only before", "scored only after", "scored in neither")
"""Reasons of rows whose question is the same, but that have not two scores."""
APART = (
    "asked until decided",
    "item only before",
    "item only after",
    "unit or setting only before",
    "unit or setting only after",
    "read by another measure",
    "text differs",
    "asked in another form",
    "other answers are compared",
    "in another group, template family or pair",
)
"""Reasons of rows whose questions are not the same."""
REASONS = (*APART, *UNSCORED)
EXAMPLES = 20
"""Rows listed for each reason; all are counted."""


def matched_rows(before: Side, after: Side, pair: ModelPair) -> pd.DataFrame:
    """Every score of two models on which two audits rest, those of one question in one row.

    Returns
    -------
    DataFrame
        Columns of the score table as they are after (before, where a row has no after), and ``before,
        after`` (values), ``value`` (after minus before; NaN unless both are scored), ``reason`` (empty where
        two scores are compared, else one of :data:`REASONS`), ``alike`` (the raw answers are equal),
        ``text_before, text_after, request_before, request_after, status_before, status_after``. A difference
        that double precision cannot tell from none is 0. The ``value:`` columns of other scorers are
        differences, too. Strings that repeat are categories.

    Raises
    ------
    BundleError
        If a sidecar is damaged, or holds a score twice.
    """
    old, new = (side_rows(side, pair_id) for side, pair_id in ((before, pair.before), (after, pair.after)))
    old, new = side_by_side(*with_like_columns(old, new, [*planned_axes(before), *planned_axes(after)]))
    drawn = drawn_suites(before, pair.before) | drawn_suites(after, pair.after)
    reasons = reasons_of(old, new, drawn)
    compared = reasons == MATCHED
    told = {
        column: newer(old[column], new[column], new[THERE])
        for column in (*KEY, *PLACE, *columns_like(new, AXIS), "factor")
    }
    for column in ("value", *columns_like(new, scorer_column(""))):
        told[column] = moves(old[column], new[column]).where(compared)
    for name, side in (("before", old), ("after", new)):
        told[name] = side["value"]
        told |= {f"{column}_{name}": side[column] for column in ("text", "request", "status")}
    told["doubtful"] = truth(old["doubtful"]) | truth(new["doubtful"])
    told["alike"] = compared & (old["answer"] == new["answer"])
    return pd.DataFrame({**told, "reason": reasons})


THERE = "there"
"""Column that says whether a side has the row at all."""


def with_like_columns(
    old: pd.DataFrame, new: pd.DataFrame, axes: Iterable[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables with the columns of both and of some axes, and with the same categories in each."""
    sides = old.copy(deep=False), new.copy(deep=False)
    for column in dict.fromkeys([*new, *old, *(AXIS + axis for axis in axes)]):
        for side in sides:
            if column not in side:
                number = column.startswith(scorer_column(""))
                side[column] = np.nan if number else pd.Categorical([None] * len(side), dtype=EMPTY)
        kinds = [side[column].dtype for side in sides]
        if all(isinstance(kind, pd.CategoricalDtype) for kind in kinds):
            known = kinds[0].categories.union(kinds[1].categories, sort=False)
            for side in sides:
                side[column] = side[column].cat.set_categories(known)
    return sides


EMPTY = pd.CategoricalDtype(pd.Index([], dtype="str"))


def side_by_side(old: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables of like columns, row by row of one question: first the new ones in order, then the rest.

    Returns
    -------
    DataFrame, DataFrame
        With ``there``; a row that a side has not holds nothing there.
    """
    keys = [key_codes(side) for side in (old, new)]
    places = pd.Index(keys[0])
    if not (places.is_unique and pd.Index(keys[1]).is_unique):
        where = "sidecar/scores.parquet"
        raise BundleError(Fault("it holds a score twice", where, "Check it with: evenhand verify"))
    found = places.get_indexer(pd.Index(keys[1]))
    rest = np.setdiff1d(np.arange(len(old)), found)
    at_old = np.concatenate([found, rest])
    at_new = np.concatenate([np.arange(len(new)), np.full(len(rest), -1)])
    return tuple(  # type: ignore[return-value]
        side.reset_index(drop=True).reindex(at).reset_index(drop=True).assign(**{THERE: at >= 0})
        for side, at in ((old, at_old), (new, at_new))
    )


def newer(old: pd.Series[Any], new: pd.Series[Any], there: pd.Series[bool]) -> pd.Series[Any]:
    """A column as it is after, where the row is there, else as it was before."""
    return new.where(there, old)


def planned_axes(side: Side) -> Iterator[str]:
    """Every axis of a plan's lexicons, of which no row need be left where prompts were drawn."""
    for planned in side.suites.values():
        for lexicon in planned.lexicons.values():
            yield from lexicon.axes


def drawn_suites(side: Side, model: str) -> set[str]:
    """Suites whose prompts about groups one audit drew until it was decided: its draw is its own."""
    if not side.plan.get("sequential"):
        return set()
    return {ask["suite"] for ask in side.plan["asks"] if ask["model"] == model and ask["form"] == FORM}


def truth(column: pd.Series[Any]) -> pd.Series[bool]:
    """A column of truth values in which nothing stands for no."""
    return column.eq(True)


def moves(before: pd.Series[Any], after: pd.Series[Any]) -> pd.Series[float]:
    """After minus before; what the rounding of the larger of the two may have made is 0."""
    old, new = before.to_numpy(dtype=float), after.to_numpy(dtype=float)
    move = new - old
    size = np.maximum(np.maximum(np.abs(old), np.abs(new)), 1.0)  # a log-odds near 0 is made of larger terms
    return pd.Series(np.where(np.abs(move) <= ROUNDING * size, 0.0, move), index=before.index)


def reasons_of(old: pd.DataFrame, new: pd.DataFrame, drawn: Set[str]) -> pd.Series[Any]:
    """Why each row of two tables side by side is no comparison; empty where it is one.

    Parameters
    ----------
    drawn : set of str
        Suites whose probes one of the audits drew until it was decided.
    """
    only_old, only_new = ~new[THERE].to_numpy(), ~old[THERE].to_numpy()
    items = [key_codes(side, ["suite", "item"]) for side in (old, new)]
    scored = [side["value"].notna().to_numpy() for side in (old, new)]
    probes = newer(old["arm"], new["arm"], new[THERE]) == "probe"
    conditions = [
        probes & newer(old["suite"], new["suite"], new[THERE]).isin(list(drawn)),
        only_old & ~np.isin(items[0], items[1][~only_old]),
        only_new & ~np.isin(items[1], items[0][~only_new]),
        only_old,
        only_new,
        *(~equal(old[column], new[column]) for column in ("measure", "text", "form", "answers")),
        np.logical_or.reduce(
            [~equal(old[column], new[column]) for column in (*PLACE, *columns_like(new, AXIS))]
        ),
        scored[0] & ~scored[1],
        scored[1] & ~scored[0],
        ~scored[0] & ~scored[1],
    ]
    # The order of REASONS is that in which a row is looked at: the first that holds is named.
    chosen = np.select([np.asarray(each, dtype=bool) for each in conditions], REASONS, default=MATCHED)
    return pd.Series(chosen, new.index, dtype=pd.CategoricalDtype([MATCHED, *REASONS]))


def equal(old: pd.Series[Any], new: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Where a column is the same on both sides; nothing equals nothing."""
    if isinstance(old.dtype, pd.CategoricalDtype):  # of the same categories
        return np.asarray(old.cat.codes == new.cat.codes)
    return np.asarray((old == new) | (old.isna() & new.isna()), dtype=bool)


def matching(table: pd.DataFrame, number: int) -> list[dict[str, Any]]:
    """How the rows of a pair fell together, suite by suite: every row counted, every reason named.

    Returns
    -------
    list of dict
        ``pair, suite, arm, rows, matched``, and ``unmatched``: a row a reason with its numbers of rows and
        items and its first :data:`EXAMPLES` rows.
    """
    return [
        {
            "pair": number,
            "suite": suite,
            "arm": arm,
            "rows": len(rows),
            "matched": int((rows["reason"] == MATCHED).sum()),
            "unmatched": list(unmatched(rows)),
        }
        for (suite, arm), rows in table.groupby(["suite", "arm"], sort=False)
    ]


def unmatched(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows without a comparison, by reason, in the order in which reasons are looked for."""
    for reason, count in reason_counts(rows).items():
        own = rows[rows["reason"] == reason]
        yield {
            "reason": reason,
            "rows": count,
            "items": int(own["item"].nunique()),
            "examples": [example(row) for row in own.head(EXAMPLES).to_dict("records")],
        }


def reason_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Rows by reason, those that are compared left out."""
    counts = rows["reason"].value_counts()
    return {reason: int(counts[reason]) for reason in REASONS if counts.get(reason, 0)}


def example(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One row as plain data."""
    return {
        "item": row["item"],
        "unit": row["unit"],
        "setting": row["setting"],
        **{key: plain(row[key]) for key in ("text_before", "text_after", "status_before", "status_after")},
    }


def plain(value: Any) -> Any:
    """A cell for JSON: None where it holds nothing."""
    return None if value is None or (isinstance(value, float) and np.isnan(value)) else value


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows whose question is the same in both audits, scored or not: what contrasts are made from."""
    return table[~table["reason"].isin(APART)]
