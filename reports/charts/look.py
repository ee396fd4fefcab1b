"""What all charts share: their dress, their labels, their ticks and the rows they stand in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from audit.wording import visible
from reports.charts.palette import Palette

FONT = "DejaVu Sans, Verdana, sans-serif"
ROW = 24
"""Pixels: the height of a row."""
TOTAL, GAP = 880, 10
"""Pixels: the width of a chart but for its edges, and what lies between its columns."""
LABEL, NARROWEST = 245, 250
"""Pixels: the most that names of rows take, and the least that a plot does."""
CHARACTER = 6.4
"""Pixels that a character of a text takes, more than the average."""
TEXT_SIZE = 11

Row = Mapping[str, Any]
Align = Literal["left", "right"]


def dressed(chart: Any, palette: Palette) -> Any:
    """A chart in the colours of a palette, the same in a page and in the dashboard.

    Single marks are not read aloud: what a chart shows stands in its description and in the table behind it.
    """
    axis: dict[str, Any] = {
        "labelColor": palette.ink,
        "titleColor": palette.muted,
        "gridColor": palette.grid,
        "domainColor": palette.muted,
        "tickColor": palette.muted,
        "gridWidth": 0.7,
        "labelFontSize": TEXT_SIZE,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 8,
    }
    title: dict[str, Any] = {
        "color": palette.ink,
        "subtitleColor": palette.muted,
        "fontSize": 13,
        "subtitleFontSize": 11,
        "anchor": "start",
        "frame": "group",
        "fontWeight": 600,
        "offset": 10,
    }
    legend: dict[str, Any] = {
        "labelColor": palette.ink,
        "titleColor": palette.muted,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titleLimit": TOTAL,
        "labelLimit": TOTAL,
    }
    # one call, because each copies the whole chart
    return chart.configure(
        background=palette.background,
        font=FONT,
        axis=alt.AxisConfig(**axis),
        view=alt.ViewConfig(stroke=None),
        title=alt.TitleConfig(**title),
        legend=alt.LegendConfig(**legend),
        mark=alt.MarkConfig(aria=False),
    )


def data(rows: Sequence[Row]) -> alt.Chart:
    """A chart of rows: their values reach Vega as data, never as part of an expression or a name.

    Control characters are spelt out: an SVG may hold none. The rows stand in a tuple, which altair does not
    copy anew at every step.
    """
    return alt.Chart(alt.InlineData(values=tuple(visible(dict(row)) for row in rows)))


def shortened(text: str, pixels: float) -> str:
    """A label that fits, control characters spelt out; its end is cut where it does not.

    Examples
    --------
    >>> shortened("continuations about women", 90)
    'continuations…'
    """
    shown = " ".join(str(visible(text)).split())
    most = max(1, int(pixels / CHARACTER))
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def needed_width(texts: Sequence[str], most: float) -> int:
    """Pixels that a column of texts takes, at most so many."""
    return int(min(most, CHARACTER * max((len(str(text)) for text in texts), default=0) + CHARACTER))


def row_place(count: int) -> alt.Y:
    """The place of a row by its number: two rows may have the same name."""
    return alt.Y("row:O", title=None, axis=None, scale=alt.Scale(domain=tuple(range(count))))


def column(texts: Sequence[str], colours: Sequence[str], width: int, align: Align = "left") -> Any:
    """A column of text beside the rows; a text that does not fit is cut, and told whole on hover."""
    rows = [
        {"row": place, "text": shortened(text, width), "whole": text, "colour": colour}
        for place, (text, colour) in enumerate(zip(texts, colours, strict=True))
    ]
    shown = (
        data(rows)
        .mark_text(align=align, baseline="middle", fontSize=TEXT_SIZE)
        .encode(
            y=row_place(len(rows)),
            x=alt.value(0 if align == "left" else width),
            text="text:N",
            color=alt.Color("colour:N", scale=None),
            tooltip=alt.Tooltip("whole:N", title="text"),
        )
    )
    return alt.layer(shown).properties(width=width, height=ROW * len(rows))


def names(texts: Sequence[str], palette: Palette, most: float = LABEL) -> Any:
    """The names of the rows, to the left of a plot."""
    return column(texts, [palette.ink] * len(texts), needed_width(texts, most), "right")


def rest(*columns: Any) -> int:
    """Pixels that are left for the plot beside columns of text."""
    return max(NARROWEST, TOTAL - sum(int(each.width) + GAP for each in columns))


def nothing(palette: Palette, text: str) -> Any:
    """A chart of nothing, which says so."""
    drawn = data([{"text": text}]).mark_text(align="left", fontSize=12, color=palette.muted)
    return dressed(drawn.encode(x=alt.value(0), text="text:N").properties(width=TOTAL, height=ROW), palette)


def reach(ends: Sequence[float], least: float) -> float:
    """How far an axis goes from 0, so that one far value does not crush the rest.

    Six times the middle distance, at least as far as ``least``; what lies farther is drawn as an arrow.

    Examples
    --------
    >>> reach([0.5, 1.0, 2.0], 0.2), reach([0.5, 0.5, 0.5, 9.0], 0.2)
    (2.0, 3.0)
    """
    far = max(ends, default=least)
    limit = max(6 * statistics.median(ends), least) if ends else least
    return far if far <= limit else limit


def cut(name: str, lo: float, hi: float, ends: tuple[float, float]) -> dict[str, float]:
    """The part of an interval that lies between the ends of the axis; nothing where none does.

    Examples
    --------
    >>> cut("", -3.0, 1.0, (-2.0, 2.0)), cut("", 3.0, 4.0, (-2.0, 2.0))
    ({'lo': -2.0, 'hi': 1.0}, {})
    """
    low, high = max(lo, ends[0]), min(hi, ends[1])
    return {f"{name}lo": low, f"{name}hi": high} if low <= high else {}


def beyond(row: Row, ends: tuple[float, float]) -> list[tuple[float, str]]:
    """Where a row reaches beyond the axis: which end, and the arrow that says so."""
    low, high = ends
    values = [row[key] for key in ("lo", "hi", "estimate") if row[key] is not None]
    sides = (
        (low, "triangle-left", any(v < low for v in values)),
        (high, "triangle-right", any(v > high for v in values)),
    )
    return [(at, shape) for at, shape, far in sides if far]


def arrows(marks: Sequence[Row], count: int) -> Any:
    """What reaches beyond the axis, as arrows at its ends: ``{row, at, shape, colour}`` each."""
    return (
        data(marks)
        .mark_point(size=90, opacity=1, filled=True)
        .encode(
            x="at:Q",
            y=row_place(count),
            shape=alt.Shape("shape:N", scale=None),
            color=alt.Color("colour:N", scale=None),
        )
    )


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with some room at its ends."""
    pad = 0.05 * (high - low) or 0.1
    return low - pad, high + pad


FEWEST_TICKS = 4
RATIOS: tuple[tuple[float, ...], ...] = (
    *(tuple(10.0**power for power in range(-60, 61, step)) for step in (20, 10, 5, 2, 1)),
    tuple(base * 10.0**power for power in range(-3, 4) for base in (1, 3)),
    (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8),
    (1 / 2, 2 / 3, 0.8, 1, 1.25, 1.5, 2),
    (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4),
    (0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1),
    (0.98, 0.99, 0.995, 1.0, 1.005, 1.01, 1.02),
    (0.995, 0.998, 0.999, 1.0, 1.001, 1.002, 1.005),
)
"""Round ratios, from coarse to fine: an axis takes the first of these of which it holds enough."""


def ratio_ticks(low: float, high: float) -> list[float]:
    """Log-odds at which an axis says the ratio: about five, all of them round ratios.

    Examples
    --------
    >>> [round(math.exp(at), 3) for at in ratio_ticks(-1.0, 1.0)]
    [0.5, 0.667, 0.8, 1.0, 1.25, 1.5, 2.0]
    """
    for ratios in RATIOS:
        inside = [math.log(ratio) for ratio in ratios if low <= math.log(ratio) <= high]
        if len(inside) >= FEWEST_TICKS:
            return inside
    return [low, 0.0, high] if low < 0 < high else [low, high]


def effect_axis(
    scale: str, low: float, high: float, title: str | Sequence[str] | None = None
) -> dict[str, Any]:
    """Axis and title of a difference: log-odds are labelled as ratios, too.

    Returns
    -------
    dict
        ``title`` and ``axis``, for an encoding of the channel ``x`` or ``y``.
    """
    if scale != "log-odds":
        return {
            "title": title or f"difference {'of' if scale == 'shares' else 'in'} {scale}",
            "axis": alt.Axis(tickCount=6, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.3~g')"),
        }
    ratio = "exp(datum.value)"
    plain = "abs(datum.value) < 0.02 ? '.4~r' : '.3~r'"
    form = f"{ratio} < 0.001 || {ratio} >= 10000 ? '.0e' : {plain}"
    label = f"['×' + format({ratio}, {form}), datum.value == 0 ? '0' : format(datum.value, '+.2~r')]"
    return {
        "title": title or "ratio of odds, and its logarithm in nats",
        "axis": alt.Axis(values=ratio_ticks(low, high), labelExpr=label),
    }
