"""The forest plot: every finding of a family with its intervals, its margin and what mere words can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import altair as alt

from audit.hypotheses import OVERALL, REST
from audit.sequential.findings import SCOPE
from audit.wording import claim, verdict_phrase, visible
from reports.charts.look import (
    GAP,
    LABEL,
    ROW,
    TEXT_SIZE,
    arrows,
    beyond,
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
    shortened,
)
from reports.charts.palette import Look, Palette, look
from reports.figures import size_phrase

Finding = Mapping[str, Any]

THICK = 7
"""Pixels: the height of the inner interval."""
MOST_VERDICT, MOST_FIGURES = 235, 190
MOST_REASON = 350
"""Pixels: the most that verdicts, figures and reasons take beside the plot."""
TITLE = 600
"""Pixels of a title, if its letters were as small as those of a row."""
AXES = {
    "continuation_sentiment": ["difference in sentiment, scale -1 to 1", "above 0: more positive"],
    "continuation_toxicity": ["difference in toxicity, scale 0 to 1", "above 0: more toxic"],
    "continuation_regard": ["difference in regard, scale -1 to 1", "above 0: better thought of"],
    "reply_refusal": ["difference of shares of refusals", "above 0: more refusals"],
}
"""Below the axis, by the measure of all rows; of others the unit stands there."""


def forest(rows: Sequence[Finding], palette: Palette) -> Any:
    """Estimates with their intervals, one row a finding, none left out.

    Parameters
    ----------
    rows : sequence of findings
        As in ``findings.json``, all of one unit; the order is kept.
    palette : Palette
        The page's colours.

    Returns
    -------
    alt.HConcatChart
        Left the intervals over the margin (area) and over what invented words show (dashed lines), right the
        verdict and the figures. Rows without a verdict of their own are grey and say why. Intervals that
        reach far beyond the others end in an arrow.

    Raises
    ------
    ValueError
        Where the rows have more than one unit.
    """
    if not rows:
        return nothing(palette, "No finding.")
    return named_forest(rows, [label(row, rows) for row in rows], palette, heading)


def named_forest(
    rows: Sequence[Finding],
    labels: Sequence[str],
    palette: Palette,
    titled: Callable[[Sequence[Finding], Sequence[Mapping[str, Any]]], alt.TitleParams],
    axis_title: str | Sequence[str] | None = None,
    most: float = LABEL,
) -> Any:
    """As :func:`forest`, of at least one row, with names of rows, a title and an axis of one's own.

    ``most`` is how many pixels the names may take.
    """
    if len({row["unit"] for row in rows}) > 1:
        raise ValueError("one forest plot has one unit")
    ends = extent(rows)
    axis_title = axis_title or AXES.get(only({row.get("measure") for row in rows}))
    drawn = [drawn_row(place, row, ends, palette) for place, row in enumerate(rows)]
    left = names(labels, palette, most)
    right = beside(drawn)
    axis = effect_axis(rows[0]["scale"], *ends, axis_title)
    plot = alt.layer(*layers(drawn, axis, ends, palette))
    plot = plot.properties(width=rest(left, right), height=ROW * len(rows))
    chart = alt.hconcat(left, plot, right, spacing=GAP).properties(title=titled(rows, drawn))
    return dressed(chart, palette)


def only(values: Set[Any]) -> Any:
    """The one value of a set that has one; else None."""
    return next(iter(values)) if len(values) == 1 else None


def beside(drawn: Sequence[Mapping[str, Any]]) -> Any:
    """Verdict and figures of each row, or the reason why it is grey."""
    verdicts = needed_width([row["verdict"] for row in drawn], MOST_VERDICT) + GAP
    figures = needed_width([row["note"] for row in drawn if not row["grey"]], MOST_FIGURES)
    reasons = needed_width([f"{row['verdict']}: {row['note']}" for row in drawn if row["grey"]], MOST_REASON)
    whole = max(verdicts + figures, reasons)
    rows = []
    for row in drawn:
        told = {"row": row["row"], "whole": row["verdict"] + " " + row["note"]}
        if row["grey"]:
            text = shortened(f"{row['verdict']}: {row['note']}", whole)
            rows.append({**told, "at": 0, "text": text, "colour": row["verdict_colour"]})
            continue
        rows.append({**told, "at": 0, "text": row["verdict"], "colour": row["verdict_colour"]})
        rows.append({**told, "at": verdicts, "text": row["note"], "colour": row["note_colour"]})
    shown = (
        data(rows)
        .mark_text(align="left", baseline="middle", fontSize=TEXT_SIZE)
        .encode(
            y=row_place(len(drawn)),
            x=alt.X("at:Q", axis=None, scale=alt.Scale(domain=[0, whole], nice=False)),
            text="text:N",
            color=alt.Color("colour:N", scale=None),
            tooltip=alt.Tooltip("whole:N", title="verdict"),
        )
    )
    return alt.layer(shown).properties(width=whole, height=ROW * len(drawn))


def extent(rows: Sequence[Finding]) -> tuple[float, float]:
    """The ends of the axis: all intervals and the margin, less what lies far beyond the rest."""
    shown = [row["ci"] for row in rows if row["ci"]]
    least = 1.15 * max(row["margin"]["value"] for row in rows)
    limit = reach([max(abs(ci["lo"]), abs(ci["hi"])) for ci in shown], least)
    low = max(-limit, min([ci["lo"] for ci in shown], default=0.0))
    high = min(limit, max([ci["hi"] for ci in shown], default=0.0))
    return padded(min(low, -least), max(high, least))


def greyed(row: Finding) -> str:
    """Why a row is drawn in grey; empty where it is not.

    Too small a sample, a contradicting scorer, a failed control, or nothing that could be computed.
    """
    reasons = [reason for reason in row["reasons"] if reason != SCOPE]
    quiet = row["estimate"] is None or row["verdict"] == "invalid"
    return "; ".join(reasons) if reasons and (quiet or row["verdict"] == "inconclusive") else ""


def drawn_row(place: int, row: Finding, ends: tuple[float, float], palette: Palette) -> dict[str, Any]:
    """One row as the marks need it: what lies beyond the ends is cut there."""
    low, high = ends
    seen = look(palette, row["verdict"])
    reason = greyed(row)
    if reason:
        seen = Look(palette.muted, palette.background, seen.shape, seen.sign)
    made: dict[str, Any] = {
        "row": place,
        "claim": claim(row),
        "margin_lo": max(-row["margin"]["value"], low),
        "margin_hi": min(row["margin"]["value"], high),
        "null": row["nonce_size"],
        "colour": seen.colour,
        "fill": seen.fill,
        "shape": seen.shape,
        "verdict": f"{seen.sign} {verdict_phrase(row)}",
        "verdict_colour": seen.colour,
        "grey": bool(reason),
        "note": reason or size_phrase(row),
        "note_colour": palette.muted if reason else palette.ink,
        "beyond": [],
    }
    if row["estimate"] is None:
        return made
    ci, inner = row["ci"], row["ci_equivalence"]
    made["beyond"] = beyond({**ci, "estimate": row["estimate"]}, ends)
    made |= cut("", ci["lo"], ci["hi"], ends)
    made |= cut("inner_", inner["lo"], inner["hi"], ends) if inner else {}
    return made | ({"estimate": row["estimate"]} if low <= row["estimate"] <= high else {})


def layers(
    drawn: Sequence[Mapping[str, Any]],
    axis: Mapping[str, Any],
    ends: tuple[float, float],
    palette: Palette,
) -> list[Any]:
    """The plot: from the bands behind to the points in front."""
    low, high = ends
    x = alt.X(
        "margin_lo:Q",
        scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        **axis,
    )
    hint = [alt.Tooltip("claim:N", title="finding"), alt.Tooltip("verdict:N"), alt.Tooltip("note:N")]
    rows = [{name: value for name, value in row.items() if name != "beyond"} for row in drawn]
    base, inside, core, points = (
        data([row for row in rows if name in row]).encode(y=row_place(len(rows)))
        for name in ("row", "lo", "inner_lo", "estimate")
    )
    far = [
        {"row": row["row"], "at": at, "shape": shape, "colour": row["colour"]}
        for row in drawn
        for at, shape in row["beyond"]
    ]
    colour = alt.Color("colour:N", scale=None)
    return [
        base.mark_bar(height=ROW, color=palette.band).encode(x=x, x2="margin_hi:Q"),
        null_lines(drawn, ends, palette),
        data([{"at": 0.0}]).mark_rule(color=palette.muted).encode(x="at:Q"),
        inside.mark_rule(strokeWidth=1.4).encode(x="lo:Q", x2="hi:Q", color=colour),
        core.mark_bar(height=THICK, opacity=0.55).encode(x="inner_lo:Q", x2="inner_hi:Q", color=colour),
        arrows(far, len(drawn)),
        points.mark_point(size=70, opacity=1, strokeWidth=1.6).encode(
            x="estimate:Q",
            shape=alt.Shape("shape:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            fill=alt.Fill("fill:N", scale=None),
            tooltip=hint,
        ),
    ]


def null_lines(drawn: Sequence[Mapping[str, Any]], ends: tuple[float, float], palette: Palette) -> Any:
    """How far invented words differ, either way, as dashed lines through the rows."""
    lines = [
        {"row": row["row"], "at": sign * row["null"]}
        for row in drawn
        if row["null"] is not None and row["null"] < min(-ends[0], ends[1])
        for sign in (-1.0, 1.0)
    ]
    scale = alt.Scale(domain=[row["row"] for row in drawn])
    return (
        data(lines)
        .mark_rule(color=palette.muted, strokeDash=[3, 3])
        .encode(
            x="at:Q",
            y=alt.Y("row:O", bandPosition=0, scale=scale, axis=None),
            y2=alt.Y2("row:O", bandPosition=1),
        )
    )


def label(row: Finding, rows: Sequence[Finding]) -> str:
    """The name of a row: what varies among the rows, and the group where nothing else does."""
    varying = [str(row[key]) for key in ("suite", "model") if len({each[key] for each in rows}) > 1]
    if varying and len({group(each) for each in rows}) == 1:
        return ", ".join(varying)
    text = group(row)
    if row["reference"] not in (REST, OVERALL) and len({each["reference_label"] for each in rows}) > 1:
        whole = ", ".join([f"{text} / {row['reference_label']}", *varying])
        if not varying or shortened(whole, LABEL) == whole:
            return whole  # else the reference goes: what tells the rows apart must not be cut off
    return ", ".join([text, *varying])


def group(row: Finding) -> str:
    """The group of a finding, or both groups of an interaction."""
    crossed = row["crossed_group_label"]
    return f"{row['group_label']} × {crossed}" if crossed else str(row["group_label"])


def heading(rows: Sequence[Finding], drawn: Sequence[Mapping[str, Any]]) -> alt.TitleParams:
    """What the rows are compared with, and how the marks are read."""
    against = {str(row["reference_label"]) for row in rows}
    title = f"against {against.pop()}" if len(against) == 1 else "each against its reference"
    groups = {group(row) for row in rows}
    title = shortened(f"{groups.pop()} {title}" if len(groups) == 1 else title, TITLE)
    outer, inner = levels(rows, "ci"), levels(rows, "ci_equivalence")
    lines = [f"line: {outer} interval; thick: {inner} interval, held against the margin; area: the margin"]
    second = []
    if any(row["null"] is not None for row in drawn):
        second.append("dashed: how far invented words differ")
    count = sum(bool(row["beyond"]) for row in drawn)
    if count:
        second.append(f"arrow: {count} of {len(rows)} reach beyond the axis")
    return alt.TitleParams(title, subtitle=[*lines, *(["; ".join(second)] if second else [])])


def levels(rows: Sequence[Finding], key: str) -> str:
    """The levels of an interval over all rows, in words."""
    found = sorted({row[key]["level"] for row in rows if row[key]})
    return " or ".join(f"{100 * level:g} %" for level in found) or "no"


def described_forest(rows: Sequence[Finding]) -> str:
    """What a forest plot shows, in words: every row with its figures and its verdict."""
    parts = []
    for row in rows:
        told = greyed(row) or size_phrase(row)
        parts.append(f"{label(row, rows)}: {told}, {verdict_phrase(row)}")
    margin = sorted({row["margin"]["value"] for row in rows})
    unit = rows[0]["unit"] if rows else ""
    text = f"Estimates with intervals against a margin of ±{' or ±'.join(f'{m:g}' for m in margin)} {unit}. "
    return str(visible(text + "; ".join(parts) + "."))
