"""What changed from one audit to another: before and after of every finding, and the change itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.comparison.judgement import ChangeVerdict
from audit.verdict import Verdict
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
from reports.charts.palette import Palette, look
from reports.figures import signed

Change = Mapping[str, Any]

MOST_NOTE = 260
"""Pixels: the most that the text beside the rows takes."""
LOOKS: Mapping[ChangeVerdict, Verdict] = {
    "changed": "disparity",
    "no change within margin": "no disparity within margin",
    "inconclusive": "inconclusive",
    "not comparable": "invalid",
}
"""A verdict on a change is drawn as the verdict on a finding that says as much."""


def changes(rows: Sequence[Change], palette: Palette, scale: str = "points") -> Any:
    """Two audits of the same questions, finding by finding.

    Parameters
    ----------
    rows : sequence of ``{label, before, after, change, lo, hi, verdict}``
        Estimates of both audits and their paired difference with its interval, in the measure's unit; None
        where it could not be computed, with a ``reason`` where there is one. The verdict is one on a change.
    palette : Palette
        The page's colours.
    scale : {"points", "shares", "log-odds"}
        Log-odds are labelled as ratios, too.

    Returns
    -------
    alt.HConcatChart
        Left both estimates (hollow before, filled after), in the middle the change with its interval and the
        verdict's mark, right the figures.
    """
    if not rows:
        return nothing(palette, "Nothing to compare.")
    left = names([row["label"] for row in rows], palette)
    notes = [note(row, palette) for row in rows]
    colours = [palette.muted if row["change"] is None else palette.ink for row in rows]
    right = column(notes, colours, needed_width(notes, MOST_NOTE))
    width = (rest(left, right) - GAP) // 2
    sized = {"width": width, "height": ROW * len(rows)}
    chart = alt.hconcat(
        left,
        alt.layer(*dumbbells(rows, scale, palette)).properties(**sized),
        alt.layer(*differences(rows, scale, palette)).properties(**sized),
        right,
        spacing=GAP,
    )
    title = alt.TitleParams(
        "before and after",
        subtitle=[
            "left: both estimates, hollow before and filled after; right: the change with its interval"
        ],
    )
    return dressed(chart.properties(title=title), palette)


def note(row: Change, palette: Palette) -> str:
    """The change as text."""
    sign = look(palette, LOOKS[row["verdict"]]).sign
    if row["change"] is None:
        return f"{sign} {row.get('reason') or 'not computable'}"
    ends = "no interval" if row["lo"] is None else f"[{row['lo']:+.3g}, {row['hi']:+.3g}]"
    return f"{sign} {row['change']:+.3g} {ends}"


def dumbbells(rows: Sequence[Change], scale: str, palette: Palette) -> list[Any]:
    """Both estimates of every row on one line."""
    values = [row[key] for row in rows for key in ("before", "after") if row[key] is not None]
    limit = reach([abs(value) for value in values], 0.0) or 1.0
    ends = padded(max(-limit, min([0.0, *values])), min(limit, max([0.0, *values])))
    colour = palette.series[0]
    points, lines, far = [], [], []
    for place, row in enumerate(rows):
        for key, fill in (("before", palette.background), ("after", colour)):
            told = {"row": place, "name": row["label"], "which": key}
            if row[key] is not None and ends[0] <= row[key] <= ends[1]:
                points.append({**told, "at": row[key], "fill": fill, "value": signed(row[key])})
            edges = beyond({"lo": None, "hi": None, "estimate": row[key]}, ends)
            far += [{"row": place, "at": at, "shape": shape, "colour": colour} for at, shape in edges]
        if row["before"] is not None and row["after"] is not None:
            both = sorted((row["before"], row["after"]))
            lines.append({"row": place, **cut("", both[0], both[1], ends)})
    y = row_place(len(rows))
    return [
        data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(x=axis("at", scale, ends, "estimates")),
        data([line for line in lines if "lo" in line])
        .mark_rule(color=colour, strokeWidth=1.6)
        .encode(x="lo:Q", x2="hi:Q", y=y),
        arrows(far, len(rows)),
        data(points)
        .mark_point(size=60, opacity=1, strokeWidth=1.6, stroke=colour)
        .encode(
            x="at:Q",
            y=y,
            fill=alt.Fill("fill:N", scale=None),
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("name", "which", "value")],
        ),
    ]


def differences(rows: Sequence[Change], scale: str, palette: Palette) -> list[Any]:
    """The change of every row with its interval."""
    values = [row[key] for row in rows for key in ("change", "lo", "hi") if row[key] is not None]
    limit = reach([abs(value) for value in values], 0.0) or 1.0
    ends = padded(max(-limit, min([0.0, *values])), min(limit, max([0.0, *values])))
    points, lines, far = [], [], []
    for place, row in enumerate(rows):
        seen = look(palette, LOOKS[row["verdict"]])
        told = {
            "row": place,
            "colour": seen.colour,
            "name": row["label"],
            "note": note(row, palette),
        }
        edges = beyond({**row, "estimate": row["change"]}, ends)
        far += [{**told, "at": at, "shape": shape} for at, shape in edges]
        if row["lo"] is not None and (span := cut("", row["lo"], row["hi"], ends)):
            lines.append({**told, **span})
        if row["change"] is not None and ends[0] <= row["change"] <= ends[1]:
            points.append({**told, "at": row["change"], "fill": seen.fill, "shape": seen.shape})
    y = row_place(len(rows))
    return [
        data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(x=axis("at", scale, ends, "change")),
        data(lines)
        .mark_rule(strokeWidth=1.6)
        .encode(x="lo:Q", x2="hi:Q", y=y, color=alt.Color("colour:N", scale=None)),
        arrows(far, len(rows)),
        data(points)
        .mark_point(size=70, opacity=1, strokeWidth=1.6)
        .encode(
            x="at:Q",
            y=y,
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("note:N")],
        ),
    ]


def axis(field: str, scale: str, ends: tuple[float, float], title: str) -> alt.X:
    """A horizontal axis of one panel."""
    unit = "ratio of odds, nats" if scale == "log-odds" else scale
    limits = alt.Scale(domain=list(ends), nice=False, zero=False)
    return alt.X(f"{field}:Q", scale=limits, **effect_axis(scale, *ends, title=f"{title}, {unit}"))


def described_changes(rows: Sequence[Change]) -> str:
    """What the chart shows, in words."""
    parts = []
    for row in rows:
        told = f"{signed(row['before'])} before, {signed(row['after'])} after"
        ends = "" if row["lo"] is None else f" [{signed(row['lo'])}, {signed(row['hi'])}]"
        parts.append(f"{row['label']}: {told}, change {signed(row['change'])}{ends}, {row['verdict']}")
    return str(visible("Estimates of two audits. " + "; ".join(parts) + "."))
