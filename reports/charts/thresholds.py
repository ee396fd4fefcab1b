"""How a verdict moves with the threshold of a scorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.wording import visible
from reports.charts.look import TOTAL, data, dressed, nothing, padded
from reports.charts.palette import Palette, look
from reports.figures import number, signed

Step = Mapping[str, Any]

HEIGHT, LEFT = 280, 70
"""Pixels: the height of the plot, and what its scale takes."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""A line of its own for every scorer, beside its colour."""


def threshold_curve(rows: Sequence[Step], palette: Palette, margin: float | None = None) -> Any:
    """A difference of shares over the threshold from which on a scorer's text counts as found.

    Parameters
    ----------
    rows : sequence of ``{threshold, scorer, estimate, lo, hi, verdict}``
        A row a threshold and scorer, at most four scorers; figures None where nothing could be computed.
    palette : Palette
        The page's colours.
    margin : float, optional
        The equivalence margin, in the estimate's unit: an area about 0.

    Returns
    -------
    alt.LayerChart
        Lines with their intervals; at each threshold the mark of its verdict.

    Raises
    ------
    ValueError
        For more scorers than there are kinds of line.
    """
    there = [row for row in rows if row["estimate"] is not None]
    if not there:
        return nothing(palette, "No threshold gave an estimate.")
    scorers = list(dict.fromkeys(str(row["scorer"]) for row in rows))
    if len(scorers) > len(DASHES):
        raise ValueError(f"{len(scorers)} scorers in one chart of at most {len(DASHES)}")
    values = [row[key] for row in there for key in ("estimate", "lo", "hi") if row[key] is not None]
    reach = [] if margin is None else [-1.2 * margin, 1.2 * margin]
    low, high = padded(min([0.0, *values, *reach]), max([0.0, *values, *reach]))
    limits = alt.Scale(domain=[low, high], nice=False, zero=False)
    chart = alt.layer(*layers(there, scorers, margin, limits, palette))
    title = alt.TitleParams(
        "the difference of shares over the scorer's threshold",
        subtitle=[
            "filled circle: disparity; hollow: within margin; diamond: inconclusive; cross: invalid"
            + ("" if margin is None else "; area: the margin")
        ],
    )
    return dressed(chart.properties(width=TOTAL - LEFT, height=HEIGHT, title=title), palette)


def layers(
    rows: Sequence[Step], scorers: Sequence[str], margin: float | None, limits: alt.Scale, palette: Palette
) -> list[Any]:
    """Margin, zero, intervals, lines and points."""
    marks = []
    for row in rows:
        seen = look(palette, row["verdict"])
        place = scorers.index(str(row["scorer"]))
        colour = palette.series[place]
        fill = colour if seen.fill == seen.colour else palette.background
        told = {"scorer": str(row["scorer"]), "colour": colour, "shape": seen.shape, "fill": fill}
        marks.append({**row, **told})
    names = [visible(scorer) for scorer in scorers]
    y = alt.Y(
        "estimate:Q",
        title="difference of shares",
        scale=limits,
        axis=alt.Axis(tickCount=6, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.3~g')"),
    )
    base = data(marks).encode(
        x=alt.X("threshold:Q", title="threshold", scale=alt.Scale(zero=False, padding=12))
    )
    colour_of = alt.Color(
        "scorer:N",
        scale=alt.Scale(domain=names, range=list(palette.series[: len(names)])),
        legend=alt.Legend(
            title=None,
            orient="bottom",
            symbolType="stroke",
            symbolOpacity=1,
            symbolStrokeWidth=2.5,
            symbolSize=300,
        ),
    )
    dash = alt.StrokeDash(
        "scorer:N", scale=alt.Scale(domain=names, range=[list(each) for each in DASHES[: len(names)]])
    )
    band = [] if margin is None else [{"lo": -margin, "hi": margin}]
    return [
        data(band).mark_rect(color=palette.band).encode(y="lo:Q", y2="hi:Q"),
        data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(y="at:Q"),
        base.mark_area(opacity=0.16).encode(y="lo:Q", y2="hi:Q", color=colour_of),
        base.mark_line(strokeWidth=1.6).encode(y=y, color=colour_of, strokeDash=dash),
        base.mark_point(size=65, opacity=1, strokeWidth=1.6).encode(
            y="estimate:Q",
            shape=alt.Shape("shape:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            tooltip=[
                alt.Tooltip(f"{name}")
                for name in ("scorer:N", "threshold:Q", "estimate:Q", "lo:Q", "hi:Q", "verdict:N")
            ],
        ),
    ]


def described_thresholds(rows: Sequence[Step], margin: float | None = None) -> str:
    """What the curve shows, in words: where its verdicts change."""
    parts = []
    for scorer in dict.fromkeys(str(row["scorer"]) for row in rows):
        own = sorted((row for row in rows if str(row["scorer"]) == scorer), key=lambda row: row["threshold"])
        told = [f"at {number(row['threshold'])}: {signed(row['estimate'])}, {row['verdict']}" for row in own]
        parts.append(f"{scorer} " + "; ".join(told))
    text = "" if margin is None else f" Margin ±{number(margin)}."
    return str(visible("The difference over the threshold. " + ". ".join(parts) + "." + text))
