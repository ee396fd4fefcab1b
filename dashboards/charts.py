"""The reports' charts on a page: in the page's colours, with a text alternative and the data behind them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from audit.spreadsheets import guarded
from reports.charts.forest import described_forest
from reports.charts.forest import forest as forest_chart
from reports.charts.palette import DARK, LIGHT, Palette


def palette() -> Palette:
    """The colours of the page as it is shown."""
    return DARK if st.context.theme.type == "dark" else LIGHT


Spec = dict[str, Any]
"""A chart as plain data."""


def made(chart: Callable[..., Any], rows: Sequence[Mapping[str, Any]], *rest: Any) -> Spec:
    """A chart of the reports in the page's colours; the same rows are drawn once.

    Parameters
    ----------
    chart : callable
        Takes rows, a palette, and ``rest``.
    """
    return _made(chart.__qualname__, rows, palette() is DARK, rest, chart)


@st.cache_data(show_spinner=False, max_entries=256)
def _made(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    dark: bool,
    rest: tuple[Any, ...],
    _chart: Callable[..., Any],
) -> Spec:
    spec: Spec = _chart(rows, DARK if dark else LIGHT, *rest).to_dict()
    return spec


def draw(chart: Spec, description: str, data: pd.DataFrame, name: str) -> None:
    """Show a chart, what it shows in words, and the table behind it."""
    st.vega_lite_chart(chart, width="stretch", theme=None, alt=description[:2000], key=f"chart-{name}")
    with st.expander("The figures behind this chart"):
        st.dataframe(data, hide_index=True, alt=f"Data of the chart: {name}")


def svg(drawing: str, alt: str) -> None:
    """Show a drawing of the reports in the page's colours."""
    colours = palette().variables()
    drawn = re.sub(r"var\(--([\w-]+), (#\w+)\)", lambda found: colours.get(found[1], found[2]), drawing)
    st.image(drawn, alt=alt[:2000])


def known(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain data: what is missing is None."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV that a spreadsheet takes for text, even where a cell looks like a formula."""
    words = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    safe = table.assign(
        **{
            str(column): table[column].map(lambda cell: guarded(cell) if isinstance(cell, str) else cell)
            for column in words
        }
    )
    # With this end of a line a lone carriage return is quoted, too: else it would begin another row.
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8")


def forest(rows: Sequence[Mapping[str, Any]], measure: str) -> None:
    """Estimates of one measure with intervals, margin and null band."""
    data = pd.DataFrame(
        [
            {
                "group": row["group_label"],
                "reference": row["reference_label"],
                "suite": row["suite"],
                "model": row["model"],
                "estimate": row["estimate"],
                "low": row["ci"]["lo"] if row["ci"] else None,
                "high": row["ci"]["hi"] if row["ci"] else None,
                "margin": row["margin"]["value"],
                "invented words": row["nonce_size"],
                "verdict": row["verdict"],
            }
            for row in rows
        ]
    )
    draw(made(forest_chart, rows), described_forest(rows), data, f"forest-{measure}")


def record(value: Any) -> str:
    """Plain data as JSON that a person can read."""
    return json.dumps(value, indent=1, ensure_ascii=False)
