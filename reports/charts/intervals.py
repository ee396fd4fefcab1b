"""Plain rows of an estimate with its interval: without one family, a group against itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from audit.verdict import CONTROL_ALPHA
from audit.wording import visible
from reports.charts.look import (
    GAP,
    ROW,
    arrows,
    beyond,
    column,
    cut,
    data,
    dressed,
    effect_axis,
    names,
    needed_width,
    nothing,
    padded,
    reach,
    rest,
    row_place,
)
from reports.charts.palette import SALTIRE, Palette
from reports.figures import p_value, signed

Row = Mapping[str, Any]

Control = Literal["aa", "nonce"]

CONTROL_TITLES: Mapping[Control, str] = {
    "aa": "each group against itself",
    "nonce": "invented words against one another",
}
CONTROL_NOTES: Mapping[Control, str] = {
    "aa": f"crossed: p below {CONTROL_ALPHA} after correction",
    "nonce": "how far mere words differ where there is no group to speak of",
}
"""Over the rows of each kind of control."""

MOST_NOTE = 300
"""Pixels: the most that the text beside the rows takes."""


def leave_one_out(rows: Sequence[Row], palette: Palette, estimate: float, scale: str = "points") -> Any:
    """The estimate without each template family in turn.

    Parameters
    ----------
    rows : sequence of ``{family, estimate, lo, hi, reason}``
        What is left without the family, in the measure's unit; figures None with a reason.
    palette : Palette
        The page's colours.
    estimate : float
        Over all families: the line that the rows are held against.
    scale : {"points", "shares", "log-odds"}
        Log-odds are labelled as ratios, too.

    Returns
    -------
    alt.HConcatChart
        Rows whose interval includes 0 are hollow.
    """
    marks = [
        {
            **row,
            "name": f"without {row['family']}",
            "note": row["reason"] or figures(row),
            "sure": row["lo"] is not None and not row["lo"] <= 0 <= row["hi"],
        }
        for row in rows
    ]
    title = alt.TitleParams(
        "without one template family",
        subtitle=["dashed: the estimate over all; hollow: the interval includes 0"],
    )
    return rows_with_intervals(marks, palette, estimate, scale, title)


def controls_panel(rows: Sequence[Row], palette: Palette, scale: str = "points", kind: Control = "aa") -> Any:
    """A group against itself, where nothing should show, or invented words against one another.

    Parameters
    ----------
    rows : sequence of ``{label, estimate, lo, hi, p_adjusted, reason}``
        As ``controls[].aa`` or ``.nonce`` in ``findings.json``: figures None with a reason where the control
        could not be had.
    palette : Palette
        The page's colours.
    scale : {"points", "shares", "log-odds"}
        Log-odds are labelled as ratios, too.
    kind : {"aa", "nonce"}
        Which of the two. Invented words may differ: that fails nothing.

    Returns
    -------
    alt.HConcatChart
        A row of a group against itself that fails after correction is crossed.
    """
    marks = [
        {
            **row,
            "name": row["label"],
            "note": row["reason"] or f"{figures(row)}, p {p_value(row['p_adjusted'])}",
            "sure": True,
            "fails": failing(row, kind),
        }
        for row in rows
    ]
    title = alt.TitleParams(CONTROL_TITLES[kind], subtitle=[CONTROL_NOTES[kind]])
    return rows_with_intervals(marks, palette, None, scale, title)


def failing(row: Row, kind: Control) -> bool:
    """Whether a control shows a difference where there can be none."""
    return kind == "aa" and row["p_adjusted"] is not None and row["p_adjusted"] < CONTROL_ALPHA


def figures(row: Row) -> str:
    """Estimate and interval as text."""
    ends = "no interval" if row["lo"] is None else f"[{row['lo']:+.3g}, {row['hi']:+.3g}]"
    return f"{row['estimate']:+.3g} {ends}"


def rows_with_intervals(
    rows: Sequence[Row], palette: Palette, estimate: float | None, scale: str, title: alt.TitleParams
) -> Any:
    """The chart: names, points with intervals, and the figures."""
    if not rows:
        return nothing(palette, "Nothing to show.")
    ends = extent(rows, estimate)
    left = names([row["name"] for row in rows], palette)
    notes = [row["note"] for row in rows]
    colours = [palette.muted if row["reason"] else palette.ink for row in rows]
    right = column(notes, colours, needed_width(notes, MOST_NOTE))
    plot = alt.layer(*layers(rows, ends, estimate, scale, palette))
    plot = plot.properties(width=rest(left, right), height=ROW * len(rows))
    return dressed(alt.hconcat(left, plot, right, spacing=GAP).properties(title=title), palette)


def extent(rows: Sequence[Row], estimate: float | None) -> tuple[float, float]:
    """The ends of the axis: all intervals, 0 and the estimate, less what lies far beyond the rest."""
    values = [row[key] for row in rows for key in ("lo", "hi", "estimate") if row[key] is not None]
    values += [0.0] if estimate is None else [0.0, estimate]
    limit = reach([abs(value) for value in values if value] or [1.0], abs(estimate or 0.0))
    return padded(max(-limit, min(values)), min(limit, max(values)))


def layers(
    rows: Sequence[Row], ends: tuple[float, float], estimate: float | None, scale: str, palette: Palette
) -> list[Any]:
    """Zero, the estimate over all, intervals and points."""
    low, high = ends
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        **effect_axis(scale, low, high),
    )
    lines = [data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(x=x)]
    if estimate is not None:
        lines.append(
            data([{"at": estimate}]).mark_rule(color=palette.ink, strokeDash=[4, 3]).encode(x="at:Q")
        )
    y = row_place(len(rows))
    spans, points, far = [], [], []
    for place, row in enumerate(rows):
        fails = row.get("fails", False)
        colour = palette.fail if fails else palette.series[0]
        far += [{"row": place, "at": at, "shape": s, "colour": colour} for at, s in beyond(row, ends)]
        if row["lo"] is not None and (span := cut("", row["lo"], row["hi"], ends)):
            spans.append({"row": place, "colour": colour, **span})
        if row["estimate"] is not None and low <= row["estimate"] <= high:
            fill = colour if row["sure"] else palette.background
            points.append(
                {
                    "row": place,
                    "estimate": row["estimate"],
                    "colour": colour,
                    "fill": fill,
                    "shape": SALTIRE if fails else "circle",
                    "name": row["name"],
                    "note": row["note"],
                }
            )
    colour_of = alt.Color("colour:N", scale=None)
    return [
        *lines,
        data(spans).mark_rule(strokeWidth=1.6).encode(x="lo:Q", x2="hi:Q", y=y, color=colour_of),
        arrows(far, len(rows)),
        data(points)
        .mark_point(size=60, opacity=1, strokeWidth=1.6)
        .encode(
            x="estimate:Q",
            y=y,
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("note:N")],
        ),
    ]


def described_leave_one_out(rows: Sequence[Row], estimate: float) -> str:
    """What the chart shows, in words."""
    parts = [f"without {row['family']}: {row['reason'] or figures(row)}" for row in rows]
    return str(visible(f"The estimate over all families is {signed(estimate)}; " + "; ".join(parts) + "."))


def described_controls(rows: Sequence[Row], kind: Control = "aa") -> str:
    """What the chart shows, in words."""
    parts = []
    for row in rows:
        told = row["reason"] or f"{figures(row)}, p {p_value(row['p_adjusted'])}"
        parts.append(f"{row['label']}: {told}{', fails' if failing(row, kind) else ''}")
    return str(visible(f"{CONTROL_TITLES[kind].capitalize()}. " + "; ".join(parts) + "."))
