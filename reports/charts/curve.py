"""The specification curve: one contrast under every reasonable analysis, and the choices of each below.

After Simonsohn, Simmons and Nelson (2020). Readings have units of their own, so that each has a panel of its
own; within a panel the analyses are in the order of their estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.wording import visible
from reports.charts.look import GAP, TEXT_SIZE, TOTAL, data, dressed, names, nothing, padded, shortened
from reports.charts.palette import Palette
from reports.figures import p_value, signed

Analysis = Mapping[str, Any]

PANEL = 150
"""Pixels: the height of the estimates."""
CHOICE = 17
"""Pixels: the height of a choice."""
OWN_PANEL = ("reading", "scorer")
"""What is chosen by the panel and not by a row of the grid."""
ERRORS = 2.0
"""Standard errors that a line reaches, either way."""
ABREAST = 3
"""Panels side by side."""
MARGIN, WIDEST_LABEL = 46, 265
"""Pixels: what the scale of a panel takes, and the most that a choice does."""
WIDEST = 36
"""Pixels: the most that one analysis takes."""


def specification_curve(analyses: Sequence[Analysis], palette: Palette, alpha: float = 0.05) -> Any:
    """Every analysis of one finding, sorted, with the grid of its choices.

    Parameters
    ----------
    analyses : sequence of ``{choices, estimate, t, p, within, reason}``
        ``robustness.curve.analyses`` of a finding, the main analysis first.
    palette : Palette
        The page's colours.
    alpha : float
        Below this p a mark is filled.

    Returns
    -------
    alt.VConcatChart
        A panel for every reading. Lines reach two standard errors either way (estimate over t); the main
        analysis is a square. Analyses that could not be computed stand crossed at their place in the grid.
    """
    if not analyses:
        return nothing(palette, "The single analyses of this finding are not listed.")
    rows = choices(analyses)
    panels: dict[str, list[tuple[int, Analysis]]] = {}
    for place, analysis in enumerate(analyses):
        panels.setdefault(panel_name(analysis), []).append((place, analysis))
    labels = [f"{dimension}: {choice}" for dimension, choice in rows]
    left = names(labels, palette, WIDEST_LABEL).properties(height=CHOICE * len(rows))
    members = list(panels.items())
    abreast = [members[start : start + ABREAST] for start in range(0, len(members), ABREAST)]
    most = max(len(own) for own in panels.values())
    room = TOTAL - left.width - min(ABREAST, len(members)) * (GAP + MARGIN)
    each = min(WIDEST, max(5, room // (min(ABREAST, len(members)) * most)))
    blank = data([]).mark_point().properties(width=left.width, height=PANEL)
    lines = [
        alt.hconcat(
            alt.vconcat(blank, left, spacing=GAP),
            *(panel(name, own, rows, (each, alpha), palette) for name, own in line),
            spacing=GAP,
        )
        for line in abreast
    ]
    chart = alt.vconcat(*lines, spacing=2 * GAP)
    title = alt.TitleParams(
        f"{len(analyses)} analyses of the same answers",
        subtitle=[
            "square: the main analysis; filled: p below "
            f"{alpha:g}, not corrected; line: two standard errors either way; × not computable"
        ],
    )
    return dressed(chart.properties(title=title), palette)


def choices(analyses: Sequence[Analysis]) -> list[tuple[str, str]]:
    """The rows of the grid: every choice where there is one, but for what is chosen by the panel."""
    found: dict[str, dict[str, None]] = {}
    for analysis in analyses:
        for dimension, choice in analysis["choices"].items():
            if dimension not in OWN_PANEL:
                found.setdefault(dimension, {})[choice] = None
    open_to_choice = {dimension: own for dimension, own in sorted(found.items()) if len(own) > 1}
    return [(dimension, choice) for dimension, own in (open_to_choice or found).items() for choice in own]


def panel_name(analysis: Analysis) -> str:
    """Reading and scorer of an analysis."""
    return ", ".join(str(analysis["choices"][name]) for name in OWN_PANEL if name in analysis["choices"])


def panel(
    name: str,
    members: Sequence[tuple[int, Analysis]],
    rows: Sequence[tuple[str, str]],
    sizes: tuple[int, float],
    palette: Palette,
) -> Any:
    """One reading: its estimates in their order above, their choices below."""
    each, alpha = sizes
    order = sorted(members, key=lambda member: (member[1]["estimate"] is None, member[1]["estimate"] or 0.0))
    marks = [mark(column, place, analysis, alpha) for column, (place, analysis) in enumerate(order)]
    width = each * len(marks)
    x = alt.X("column:O", axis=None, scale=alt.Scale(domain=tuple(range(len(marks)))))
    shown = shortened(name, width + MARGIN)
    top = alt.layer(*estimates(marks, x, palette)).properties(
        width=width, height=PANEL, title=alt.TitleParams(shown, fontSize=TEXT_SIZE, fontWeight="normal")
    )
    grid = alt.layer(*grid_layers(marks, x, rows, palette)).properties(width=width, height=CHOICE * len(rows))
    return alt.vconcat(top, grid, spacing=GAP).resolve_scale(y="independent")


def mark(column: int, place: int, analysis: Analysis, alpha: float) -> dict[str, Any]:
    """One analysis as the marks need it."""
    made: dict[str, Any] = {
        "column": column,
        "main": place == 0,
        "there": analysis["estimate"] is not None,
        "chosen": dict(analysis["choices"]),
        "told": told(analysis),
    }
    if analysis["estimate"] is None:
        return made
    t = analysis["t"]
    half = abs(analysis["estimate"] / t) * ERRORS if t else None
    made |= {"estimate": analysis["estimate"], "sure": analysis["p"] < alpha}
    return made if half is None else {**made, "lo": made["estimate"] - half, "hi": made["estimate"] + half}


def told(analysis: Analysis) -> str:
    """One analysis in words."""
    chosen = ", ".join(f"{dimension} {choice}" for dimension, choice in analysis["choices"].items())
    if analysis["estimate"] is None:
        return f"{chosen}: {analysis['reason']}"
    return f"{chosen}: {signed(analysis['estimate'])}, p {p_value(analysis['p'])}"


def estimates(marks: Sequence[Mapping[str, Any]], x: alt.X, palette: Palette) -> list[Any]:
    """Lines and points of one panel."""
    there = [row for row in marks if row["there"]]
    values = [row[key] for row in there for key in ("estimate", "lo", "hi") if key in row]
    low, high = padded(min([0.0, *values]), max([0.0, *values]))
    y = alt.Y(
        "at:Q",
        title=None,
        scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        axis=alt.Axis(tickCount=5, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.2~r')"),
    )
    points = [
        {
            **row,
            "colour": palette.disparity if row["main"] else palette.series[0],
            "fill": (palette.disparity if row["main"] else palette.series[0])
            if row["sure"]
            else palette.background,
            "shape": "square" if row["main"] else "circle",
            "size": 90 if row["main"] else 38,
        }
        for row in there
    ]
    lines = [row for row in points if "lo" in row]
    colour = alt.Color("colour:N", scale=None)
    return [
        data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(y=y),
        data(lines).mark_rule(strokeWidth=1.3).encode(x=x, y="lo:Q", y2="hi:Q", color=colour),
        data(points)
        .mark_point(opacity=1, strokeWidth=1.4)
        .encode(
            x=x,
            y="estimate:Q",
            shape=alt.Shape("shape:N", scale=None),
            size=alt.Size("size:Q", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            tooltip=alt.Tooltip("told:N", title="analysis"),
        ),
    ]


def grid_layers(
    marks: Sequence[Mapping[str, Any]], x: alt.X, rows: Sequence[tuple[str, str]], palette: Palette
) -> list[Any]:
    """Which choice each analysis makes."""
    cells = [
        {
            "column": row["column"],
            "row": place,
            "told": row["told"],
            "colour": palette.disparity if row["main"] else palette.series[0],
            "text": "■" if row["there"] else "×",
        }
        for row in marks
        for place, (dimension, choice) in enumerate(rows)
        if row["chosen"].get(dimension) == choice
    ]
    lines = [{"row": place} for place in range(len(rows))]
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=tuple(range(len(rows)))))
    return [
        data(lines).mark_rule(color=palette.grid, strokeWidth=0.7).encode(y=y),
        data(cells)
        .mark_text(fontSize=10, baseline="middle")
        .encode(
            x=x,
            y=y,
            text="text:N",
            color=alt.Color("colour:N", scale=None),
            tooltip=alt.Tooltip("told:N", title="analysis"),
        ),
    ]


def described_curve(analyses: Sequence[Analysis]) -> str:
    """What the curve shows, in words: its ends, reading by reading."""
    parts = []
    for name in dict.fromkeys(panel_name(analysis) for analysis in analyses):
        own = [analysis for analysis in analyses if panel_name(analysis) == name]
        found = [analysis["estimate"] for analysis in own if analysis["estimate"] is not None]
        ends = f"{signed(min(found))} to {signed(max(found))}" if found else "none could be computed"
        lost = len(own) - len(found)
        parts.append(
            f"{name or 'the answers'}: {len(own)} analyses, {ends}"
            + (f", {lost} not computable" if lost and found else "")
        )
    return str(visible(f"{len(analyses)} analyses of the same answers. " + "; ".join(parts) + "."))
