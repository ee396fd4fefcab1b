"""Shares of groups with their intervals, beside the share of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.wording import visible
from reports.charts.intervals import MOST_NOTE
from reports.charts.look import GAP, ROW, column, data, dressed, names, needed_width, nothing, rest, row_place
from reports.charts.palette import Palette

Row = Mapping[str, Any]


def shares_by_group(rows: Sequence[Row], palette: Palette, title: str) -> Any:
    """A share of each group, from 0 to 1, with its interval.

    Parameters
    ----------
    rows : sequence of ``{label, estimate, lo, hi}``
        None missing; the first is that of all groups, by which a dashed line stands.
    palette : Palette
        The page's colours.
    title : str
        What the shares are of.

    Returns
    -------
    alt.HConcatChart
        Points whose interval does not hold the share of all are filled.
    """
    if not rows:
        return nothing(palette, "Nothing to show.")
    every = rows[0]["estimate"]
    notes = [share_text(row) for row in rows]
    marks = [
        {
            "row": place,
            "estimate": row["estimate"],
            "lo": row["lo"],
            "hi": row["hi"],
            "fill": palette.background if row["lo"] <= every <= row["hi"] else palette.series[0],
            "name": row["label"],
            "note": note,
        }
        for place, (row, note) in enumerate(zip(rows, notes, strict=True))
    ]
    left = names([row["label"] for row in rows], palette)
    right = column(notes, [palette.ink] * len(rows), needed_width(notes, MOST_NOTE))
    y = row_place(len(rows))
    x = alt.X(
        "at:Q",
        title="share",
        scale=alt.Scale(domain=[-0.02, 1.02], nice=False, zero=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format="%", orient="top"),
    )
    plot = alt.layer(
        data([{"at": every}]).mark_rule(color=palette.ink, strokeDash=[4, 3]).encode(x=x),
        data(marks).mark_rule(strokeWidth=1.6, color=palette.series[0]).encode(x="lo:Q", x2="hi:Q", y=y),
        data(marks)
        .mark_point(size=60, opacity=1, strokeWidth=1.6, stroke=palette.series[0])
        .encode(
            x="estimate:Q",
            y=y,
            fill=alt.Fill("fill:N", scale=None),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("note:N")],
        ),
    ).properties(width=rest(left, right), height=ROW * len(rows))
    heading = alt.TitleParams(title, subtitle=["dashed: all groups; filled: the interval does not hold it"])
    return dressed(alt.hconcat(left, plot, right, spacing=GAP).properties(title=heading), palette)


def share_text(row: Row) -> str:
    """A share and its interval as text."""
    return f"{row['estimate']:.0%} [{row['lo']:.0%}, {row['hi']:.0%}]"


def described_shares(rows: Sequence[Row], title: str) -> str:
    """What the chart shows, in words."""
    parts = [f"{row['label']}: {share_text(row)}" for row in rows]
    return str(visible(f"{title}. {'; '.join(parts)}."))
