"""What an audit could have found: the smallest difference it would detect, held against the margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.wording import SECOND_FACTOR, visible
from reports.charts.forest import label
from reports.charts.look import (
    GAP,
    ROW,
    arrows,
    beyond,
    column,
    data,
    dressed,
    names,
    needed_width,
    nothing,
    rest,
    row_place,
    shortened,
)
from reports.charts.palette import Palette
from reports.figures import number, share

Finding = Mapping[str, Any]

FARTHEST = 6.0
"""Margins: where the axis ends at the latest."""
MOST_NOTE = 410
"""Pixels: the most that the text beside the rows takes."""


def power_panel(rows: Sequence[Finding], palette: Palette) -> Any:
    """The smallest detectable difference of every finding, in margins, so that units can be mixed.

    Parameters
    ----------
    rows : sequence of findings
        As in ``findings.json``; the order is kept.
    palette : Palette
        The page's colours.

    Returns
    -------
    alt.HConcatChart
        Filled where the sample could detect a difference of the margin's size, hollow where it could not;
        beside it the power to show that an estimate of 0 lies within the margin, and what an inconclusive
        finding needs.
    """
    if not rows:
        return nothing(palette, "No finding.")
    sizes = [margins(row) for row in rows]
    high = min(FARTHEST, 1.1 * max([1.3, *(size for size in sizes if size is not None)]))
    left = names([label(row, rows) for row in rows], palette)
    notes = [note(row) for row in rows]
    colours = [palette.muted if size is None else palette.ink for size in sizes]
    right = column(notes, colours, needed_width(notes, MOST_NOTE))
    plot = alt.layer(*layers(rows, sizes, high, palette))
    plot = plot.properties(width=rest(left, right), height=ROW * len(rows))
    title = alt.TitleParams(
        "what the sample could detect",
        subtitle=[
            "smallest difference detected with a power of 80 %, after correction; line: the margin",
            "hollow: a difference as large as the margin may be missed; power: to show a true 0 within",
        ],
    )
    return dressed(alt.hconcat(left, plot, right, spacing=GAP).properties(title=title), palette)


def margins(row: Finding) -> float | None:
    """The smallest detectable difference as a multiple of the margin; None where it is not known."""
    size = row["minimum_detectable"]
    return None if size is None else float(size / row["margin"]["value"])


def note(row: Finding) -> str:
    """Smallest detectable difference, power and needs of one finding as text."""
    if row["minimum_detectable"] is None:
        return row["undefined"] or "not known"
    parts = [f"{number(row['minimum_detectable'])} {row['unit']}"]
    if row["power_within"] is not None:
        parts.append(f"power {share(row['power_within'])}")
    if row["verdict"] == "inconclusive":
        parts.append(needs(row))
    return "; ".join(parts)


def needs(row: Finding) -> str:
    """What an inconclusive finding needs for a decision, in few words.

    Examples
    --------
    >>> asked = {"templates": 8, "terms": 12, "reason": ""}
    >>> needs({"needed": asked, "layout": "fixed", "reasons": []})
    'needs +8 families, +12 answer pairs'
    """
    if row.get("sequential"):
        found, asked = row["sequential"]["needed"], row["sequential"]["max_units"]
        return "needs unknown" if found is None else f"needs about {max(found['units'], asked + 1)} units"
    needed = row["needed"]
    if row["reasons"]:
        return "; ".join(row["reasons"])
    if needed is None or needed["reason"]:
        return "needs unknown" if needed is None else f"no plan: {needed['reason']}"
    parts = [f"+{needed['templates']} families"] if needed["templates"] else []
    parts += [f"+{needed['terms']} {SECOND_FACTOR[row['layout']]}"] if needed["terms"] else []
    return f"needs {', '.join(parts)}" if parts else "needs more templates"


def layers(
    rows: Sequence[Finding], sizes: Sequence[float | None], high: float, palette: Palette
) -> list[Any]:
    """A bar from 0 with its end, the margin, and arrows where the axis ends first."""
    marks, far = [], []
    for place, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        if size is None:
            continue
        colour = palette.series[0]
        made = {
            "row": place,
            "size": min(size, high),
            "zero": 0.0,
            "colour": colour,
            "fill": colour if size <= 1 else palette.background,
            "name": shortened(label(row, rows), 1000),
            "note": note(row),
            "inside": size <= high,
        }
        marks.append(made)
        ends = beyond({"lo": None, "hi": None, "estimate": size}, (0.0, high))
        far += [{"row": place, "at": at, "shape": shape, "colour": colour} for at, shape in ends]
    x = alt.X(
        "size:Q",
        title="smallest detectable difference, in margins",
        scale=alt.Scale(domain=[0, high], nice=False),
        axis=alt.Axis(tickCount=6, format=".3~g"),
    )
    y = row_place(len(rows))
    return [
        data([{"at": 1.0}]).mark_rule(color=palette.ink, strokeDash=[4, 3]).encode(x="at:Q"),
        data(marks)
        .mark_rule(strokeWidth=1.4)
        .encode(x=x, x2="zero:Q", y=y, color=alt.Color("colour:N", scale=None)),
        arrows(far, len(rows)),
        data([mark for mark in marks if mark["inside"]])
        .mark_point(size=60, opacity=1, strokeWidth=1.6)
        .encode(
            x="size:Q",
            y=y,
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("note:N")],
        ),
    ]


def described_power(rows: Sequence[Finding]) -> str:
    """What the panel shows, in words."""
    parts = []
    for row in rows:
        size = margins(row)
        held = "" if size is None else f", {number(size)} margins"
        parts.append(f"{label(row, rows)}: {note(row)}{held}")
    return str(visible("Smallest detectable difference of each finding. " + "; ".join(parts) + "."))
