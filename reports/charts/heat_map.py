"""Means by template family and group: where a difference sits, and where nothing could be scored."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from audit.wording import visible
from reports.charts.look import LABEL, TEXT_SIZE, TOTAL, data, dressed, names, nothing, row_place, shortened
from reports.charts.palette import MIDDLE, Palette
from reports.figures import signed

Cell = Mapping[str, Any]
Centre = Literal["zero", "family"]

CELL_HEIGHT = 22
WIDEST, NARROWEST_CELL = 76, 17
"""Pixels: the most and the least that a column takes."""
KEY = 420
"""Pixels: the width of the key of the colours."""
SLANT = 50
"""Pixels to the right of the cells, for the end of the last slanted name."""
MOST_PRINTED = 12
"""With more columns than this the values are told on hover and in the table, not printed, and a plus or a
minus says whether a cell lies above the middle or below it: colour alone never does."""
STEPS = 2 * MIDDLE + 1
MISSING = "×"
PLUS, MINUS = "M-1,0L1,0M0,-1L0,1", "M-1,0L1,0"


def heat_map(
    cells: Sequence[Cell], palette: Palette, centre: Centre = "zero", title: str = "mean score"
) -> Any:
    """A cell for every family and group, blue below the middle and orange above it.

    Parameters
    ----------
    cells : sequence of ``{family, group, mean, n, lost}``
        ``mean`` in the measure's unit, None where nothing was scored; ``n`` scores, ``lost`` answers without
        one. The order of first appearance is kept. A pair that is not among them is drawn as missing.
    palette : Palette
        The page's colours.
    centre : {"zero", "family"}
        What is the middle of the colours: 0, or the mean of each family over its groups, which suits levels
        (log-odds of an answer) that differ from family to family for reasons of their own.
    title : str
        What the means are of.

    Returns
    -------
    alt.HConcatChart
        Readable for 40 families by 30 groups. Missing cells are crossed and outlined. Where no value lies
        below a middle of 0, as of toxicity, the key has no such steps.
    """
    if not cells:
        return nothing(palette, "Nothing was scored.")
    families = list(dict.fromkeys(str(cell["family"]) for cell in cells))
    groups = list(dict.fromkeys(str(cell["group"]) for cell in cells))
    left = names(families, palette)
    left = left.properties(height=CELL_HEIGHT * len(families))
    width = min(WIDEST, max(NARROWEST_CELL, (TOTAL - SLANT - left.width) // len(groups)))
    rows = placed(cells, families, groups, centre)
    limit = max((abs(row["value"]) for row in rows if row["value"] is not None), default=0.0) or 1.0
    plot = alt.layer(*layers(rows, groups, (limit, width), palette))
    plot = plot.properties(width=width * len(groups), height=CELL_HEIGHT * len(families))
    chart = alt.vconcat(
        alt.hconcat(left, plot, spacing=8),
        key(limit, legend(title, centre), palette, first_step(rows, centre)),
        spacing=14,
    )
    return dressed(chart, palette)


def placed(
    cells: Sequence[Cell], families: Sequence[str], groups: Sequence[str], centre: Centre
) -> list[dict[str, Any]]:
    """Every pair of family and group with its place, and its value about the middle."""
    found = {(str(cell["family"]), str(cell["group"])): cell for cell in cells}
    rows = []
    for row, family in enumerate(families):
        means = [
            found[family, group]["mean"]
            for group in groups
            if (family, group) in found and found[family, group]["mean"] is not None
        ]
        middle = statistics.fmean(means) if means and centre == "family" else 0.0
        for column, group in enumerate(groups):
            cell = found.get((family, group), {"mean": None, "n": None, "lost": None})
            mean = cell["mean"]
            told = {"family": visible(family), "group": visible(group), "mean": signed(mean)}
            rows.append(
                {
                    "row": row,
                    "column": column,
                    "value": None if mean is None else mean - middle,
                    "scores": "unknown" if cell["n"] is None else str(cell["n"]),
                    "lost": "unknown" if cell["lost"] is None else str(cell["lost"]),
                    **told,
                }
            )
    return rows


def first_step(rows: Sequence[Mapping[str, Any]], centre: Centre) -> int:
    """The lowest step that the key needs: the middle one where values have an end at 0, else the first.

    Examples
    --------
    >>> first_step([{"value": 0.0}, {"value": None}], "zero"), first_step([{"value": -0.1}], "zero")
    (4, 0)
    """
    below = any(row["value"] is not None and row["value"] < 0.0 for row in rows)
    return 0 if below or centre == "family" else MIDDLE


def step(value: float, limit: float) -> int:
    """The step of the diverging scale that a value falls in.

    Examples
    --------
    >>> [step(value, 0.9) for value in (-0.9, -0.05, 0.0, 0.25, 0.9)]
    [0, 4, 4, 5, 8]
    """
    place = (value + limit) / (2 * limit) * STEPS
    return min(max(int(place), 0), STEPS - 1)


def digits(limit: float) -> int:
    """Digits after the point with which values up to ``limit`` can be told apart, 2 to 4.

    Examples
    --------
    >>> digits(1.3), digits(0.1), digits(0.009), digits(1e-6)
    (2, 2, 4, 4)
    """
    return min(max(2, 1 + math.ceil(-math.log10(limit))), 4)


def thresholds(limit: float) -> list[float]:
    """Where one step of the scale ends and the next begins."""
    return [limit * (2 * number / STEPS - 1) for number in range(1, STEPS)]


def layers(
    rows: Sequence[Mapping[str, Any]],
    groups: Sequence[str],
    sizes: tuple[float, int],
    palette: Palette,
) -> list[Any]:
    """Cells, crosses and printed values; ``sizes``: the farthest value, and the width of a column."""
    limit, width = sizes
    heads = [shortened(group, LABEL) for group in groups]
    places = list(range(len(groups)))
    x = alt.X("column:O", scale=alt.Scale(domain=places), axis=None)
    y = row_place(1 + max(row["row"] for row in rows))
    colour = alt.Color("colour:N", scale=None)
    hint = [alt.Tooltip(f"{name}:N") for name in ("family", "group", "mean", "scores", "lost")]
    there = [
        {**row, "colour": palette.diverging[step(row["value"], limit)]}
        for row in rows
        if row["value"] is not None
    ]
    gone = [row for row in rows if row["value"] is None]
    marks: list[Any] = [
        data(there).mark_rect(stroke=palette.background, strokeWidth=1).encode(
            x=x, y=y, color=colour, tooltip=hint
        ),
        data(gone).mark_rect(
            fill=palette.background, stroke=palette.muted, strokeDash=[2, 2], strokeWidth=0.8
        ).encode(x=x, y=y, tooltip=hint),
        data(gone).mark_text(text=MISSING, color=palette.muted, fontSize=12).encode(x=x, y=y, tooltip=hint),
    ]  # fmt: skip
    if len(groups) <= MOST_PRINTED:
        for ink in (palette.ink, palette.background):
            texts = [
                {**row, "text": f"{row['value']:+.{digits(limit)}f}"}
                for row in there
                if palette.text_on(step(row["value"], limit)) == ink
            ]
            printed = data(texts).mark_text(fontSize=10, baseline="middle", color=ink)
            marks.append(printed.encode(x=x, y=y, text="text:N", tooltip=hint))
    else:
        marks.append(signs(there, limit, palette).encode(x=x, y=y, tooltip=hint))
    return [*marks, head(heads, x, width, palette)]


def signs(rows: Sequence[Mapping[str, Any]], limit: float, palette: Palette) -> Any:
    """A plus on what lies above the middle step, a minus on what lies below it."""
    places = [(row, step(row["value"], limit)) for row in rows]
    marks = [
        {**row, "shape": PLUS if place > MIDDLE else MINUS, "ink": palette.text_on(place)}
        for row, place in places
        if place != MIDDLE
    ]
    drawn = data(marks).mark_point(size=50, opacity=1, filled=False, strokeWidth=1.2)
    return drawn.encode(shape=alt.Shape("shape:N", scale=None), stroke=alt.Stroke("ink:N", scale=None))


def head(heads: Sequence[str], x: alt.X, width: int, palette: Palette) -> Any:
    """The names of the groups above their columns, slanted where they would not fit side by side."""
    rows = [{"column": column, "text": text} for column, text in enumerate(heads)]
    slanted = max(map(len, heads)) * 6.4 > width
    mark = data(rows).mark_text(
        align="left" if slanted else "center",
        baseline="middle" if slanted else "bottom",
        angle=310 if slanted else 0,
        dy=0,
        fontSize=TEXT_SIZE,
        color=palette.ink,
    )
    return mark.encode(x=x, y=alt.value(-8), text="text:N")


def key(limit: float, title: str, palette: Palette, first: int) -> Any:
    """The steps of the scale from one on, in their colours, with the values between them."""
    steps = [
        {"from": place, "to": place + 1, "colour": colour}
        for place, colour in enumerate(palette.diverging)
        if place >= first
    ]
    ends = [
        {"at": place, "text": f"{value:+.{digits(limit)}f}"}
        for place, value in enumerate(thresholds(limit), start=1)
        if place > first
    ]
    x = alt.X("from:Q", axis=None, scale=alt.Scale(domain=[first, STEPS], nice=False))
    top, foot = alt.value(18), alt.value(36)
    words = data([{"text": title}]).mark_text(align="left", fontSize=TEXT_SIZE, color=palette.muted)
    numbers = data(ends).mark_text(fontSize=10, color=palette.ink)
    return alt.layer(
        words.encode(x=alt.value(0), y=alt.value(8), text="text:N"),
        data(steps)
        .mark_rect(stroke=palette.background)
        .encode(x=x, x2="to:Q", y=top, y2=foot, color=alt.Color("colour:N", scale=None)),
        numbers.encode(x="at:Q", y=alt.value(44), text="text:N"),
    ).properties(width=KEY, height=50)


def legend(title: str, centre: Centre) -> str:
    """What the colours are of."""
    return f"{title}, less the mean of its row" if centre == "family" else f"{title}, from 0"


def described_heat_map(cells: Sequence[Cell], centre: Centre = "zero") -> str:
    """What a heat map shows, in words: its size, its ends, and what is missing."""
    if not cells:
        return "Nothing was scored."
    families = list(dict.fromkeys(str(cell["family"]) for cell in cells))
    groups = list(dict.fromkeys(str(cell["group"]) for cell in cells))
    rows = placed(cells, families, groups, centre)
    there = [row for row in rows if row["value"] is not None]
    parts = [f"{len(families)} template families by {len(groups)} groups"]
    if centre == "family":
        parts.append("each less the mean of its family")
    for words, choose in (("lowest", min), ("highest", max)):
        if there:
            end = choose(there, key=lambda row: row["value"])
            parts.append(f"{words} {signed(end['value'])} ({end['family']}, {end['group']})")
    parts.append(f"{len(rows) - len(there)} cells without a score")
    return "; ".join(parts) + "."
