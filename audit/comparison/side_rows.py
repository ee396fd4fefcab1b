"""The scores of one model of a comparison, each with the question that it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.comparison.side import Side
from audit.measures import Decoding, decoding_from_json, scorer_column
from audit.spec import SuiteChoice
from audit.table import AXIS

KEY = ["suite", "item", "setting", "unit"]
PLACE = ["arm", "template", "family", "term", "pair"]
"""Columns that say, with those of the axes, what a row is an observation of."""

READ = (*KEY, *PLACE, "factor", "value", "status", "doubtful", "text", "form", "digest", "answer", "drawn")
"""Columns of the sidecar that are compared, besides those of axes and of further scorers."""


def side_rows(side: Side, model: str) -> pd.DataFrame:
    """The scores of what one model was asked whole, each row with the question that it answers.

    Beside the columns of the sidecar ``request`` (its digest), ``measure``, and ``answers`` (those that a
    score compares). Samples are counted within their setting, so that audits of several settings or of
    unequal numbers of samples agree on which is which.
    """
    more = [name for name in side.sidecar.columns if name.startswith((AXIS, scorer_column("")))]
    rows = side.sidecar.scores([*READ, *more], model=model)
    rows = rows[~rows["drawn"]].drop(columns="drawn").rename(columns={"digest": "request"})
    measures = {name: planned.suite.measure for name, planned in side.suites.items()}
    return rows.assign(
        unit=units_in_setting(rows, decoding_from_json(side.plan["decoding"])),
        measure=rows["suite"].astype(object).map(measures).astype("category"),
        answers=answers_compared(rows, side.suites),
    )


def units_in_setting(rows: pd.DataFrame, decoding: Decoding) -> pd.Series[Any]:
    """The unit of each row; of sampled text, its number among those of its setting."""
    first = {name: number * decoding.stride for number, name in enumerate(decoding.each())}
    if len(first) < 2 or rows.empty:
        return rows["unit"]
    sampled = rows["form"] == "generate"
    units = rows["unit"].astype(object)
    number = units[sampled].astype(int) - rows.loc[sampled, "setting"].astype(object).map(first).fillna(0)
    units.loc[sampled] = number.astype(int).astype(str)
    return units.astype("category")


def answers_compared(rows: pd.DataFrame, suites: Mapping[str, SuiteChoice]) -> pd.Series[Any]:
    """The two lists of answers that each score compares, as text; empty where it compares none."""
    known = {
        (planned.suite.id, template.id, pair.id): f"{pair.plus} {pair.minus}"
        for planned in suites.values()
        for template in planned.suite.templates
        for pair in planned.suite.answers_of(template)
    }
    columns = ["suite", "template", "unit"]
    codes, _ = pd.factorize(key_codes(rows, columns))
    first = rows[columns][~pd.Series(codes, index=rows.index).duplicated()]
    told = [known.get(named, "") for named in first.itertuples(index=False, name=None)]
    return pd.Series(pd.Categorical(told).take(codes), index=rows.index)


def key_codes(rows: pd.DataFrame, columns: Sequence[str] = KEY) -> npt.NDArray[np.int64]:
    """One number for each combination of categories; nothing is a category of its own."""
    code = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        own = rows[column].cat
        code = code * (len(own.categories) + 1) + own.codes.to_numpy() + 1
    return code


def columns_like(rows: pd.DataFrame, prefix: str) -> list[str]:
    """The columns whose names begin so."""
    return [column for column in map(str, rows.columns) if column.startswith(prefix)]
