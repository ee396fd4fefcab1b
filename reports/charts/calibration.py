"""The charts of a calibration: what was found, what is claimed, and how far chance may carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from reports.charts.look import dressed
from reports.charts.palette import LIGHT, SALTIRE
from reports.charts.svg import figure

INK, MUTED = LIGHT.ink, LIGHT.muted
BAND, CLAIM = LIGHT.band, LIGHT.claim
SERIES, FAILING = LIGHT.series, LIGHT.fail
SHIPPED = SERIES[0]
"""Each stands for one variable of the page's style sheet, so that a dark page shows its own colours."""

WIDTH, ROW = 430, 24
"""Pixels: plot width, and height of one row."""
LABEL = 300
"""Pixels for the names of rows."""


def study_svg(study: Mapping[str, Any]) -> str:
    """The chart of one study of a calibration.

    Parameters
    ----------
    study : mapping
        A row of ``studies`` in a calibration record.

    Returns
    -------
    str
        An ``<svg>`` element with a title and a description; colours are variables of the page.
    """
    checks = [check for check in study["checks"] if check["observed"] is not None]
    curve = [check for check in checks if check["x"] is not None]
    chart = dose_chart(study, curve) if curve else interval_chart(study, checks)
    return figure(dressed(chart, LIGHT), f"chart-{study['id']}", study["title"], described(study))


def interval_chart(study: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> Any:
    """A row a check: its number, the claimed range and the tolerance; wrong methods apart, below."""
    own = [check for check in checks if not check["series"]]
    others = [check for check in checks if check["series"]]
    panels = [
        panel(study, rows, title)
        for rows, title in ((own, study["axis"]), (others, "for comparison"))
        if rows
    ]
    return alt.vconcat(*panels, spacing=18).resolve_scale(x="independent")


def panel(study: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], title: str) -> Any:
    """One panel of rows."""
    share = study["axis"].startswith("share")
    low, high = extent(study, checks, share)
    rows = [
        {
            "label": check["label"],
            "observed": check["observed"],
            "low": max(check["tolerance"][0], low),
            "high": min(check["tolerance"][1], high),
            "claim_low": max(check["claim"][0], low),
            "claim_high": min(check["claim"][1], high),
            "state": "holds" if check["holds"] else "fails",
        }
        for check in checks
    ]
    order = [row["label"] for row in rows]
    y = alt.Y("label:N", sort=order, title=None, axis=alt.Axis(labelLimit=LABEL, ticks=False, domain=False))
    x = alt.X(
        "low:Q",
        title=title,
        scale=alt.Scale(domain=[low, high], nice=False, zero=False),
        axis=alt.Axis(format=".0%" if share and high - low > 0.06 else ".1%" if share else "", tickCount=6),
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    layers: list[Any] = [
        base.mark_bar(height=14, color=BAND).encode(x=x, x2="high:Q"),
        base.mark_bar(height=14, color=CLAIM).encode(x=alt.X("claim_low:Q"), x2="claim_high:Q"),
    ]
    if study["reference"] is not None and low <= study["reference"] <= high:
        layers.append(
            alt.Chart(alt.InlineData(values=[{"at": study["reference"]}]))
            .mark_rule(color=MUTED, strokeDash=[4, 3])
            .encode(x="at:Q")
        )
    layers.append(
        base.mark_point(filled=True, size=75, opacity=1, stroke=INK, strokeWidth=0.8).encode(
            x=alt.X("observed:Q"),
            shape=alt.Shape(
                "state:N", scale=alt.Scale(domain=["holds", "fails"], range=["circle", SALTIRE]), legend=None
            ),
            color=alt.Color(
                "state:N", scale=alt.Scale(domain=["holds", "fails"], range=[SHIPPED, FAILING]), legend=None
            ),
        )
    )
    return alt.layer(*layers).properties(width=WIDTH, height=ROW * len(rows))


def extent(study: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], share: bool) -> tuple[float, float]:
    """The ends of an axis on which every number and every bound that says something can be seen."""
    values = [check["observed"] for check in checks]
    for check in checks:
        bounds = zip(check["claim"], check["tolerance"], (0.0, 1.0), strict=True)
        values += [bound for claim, bound, end in bounds if not share or claim != end]
    near = study["reference"]
    if near is not None and min(values) <= 2 * near and max(values) >= near / 2:
        values.append(near)
    if all(check["series"] for check in checks):
        values.append(0.0)  # what a wrong method does is read against nothing, not against its like
    pad = 0.06 * (max(values) - min(values)) or 0.05
    low, high = min(values) - pad, max(values) + pad
    return (max(low, 0.0), min(high, 1.0)) if share else (low, high)


def dose_chart(study: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> Any:
    """Numbers over doses, with the tolerance as a band."""
    share = study["axis"].startswith("share")
    names = list(dict.fromkeys(check["series"] for check in checks))
    rows = [
        {
            "x": check["x"],
            "y": check["observed"],
            "low": check["tolerance"][0],
            "high": check["tolerance"][1],
            "series": check["series"],
            "holds": check["holds"],
        }
        for check in checks
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("x:Q", title=study["dose"], axis=alt.Axis(tickCount=6)),
        color=alt.Color(
            "series:N",
            scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])),
            legend=alt.Legend(title=None, orient="bottom", symbolOpacity=1, labelLimit=LABEL),
        ),
    )
    shapes = alt.Scale(domain=names, range=["circle", "square", "triangle-up", "diamond"][: len(names)])
    y = alt.Y("low:Q", title=study["axis"], axis=alt.Axis(format=".0%" if share else "", tickCount=6))
    band = base.mark_area(opacity=0.22).encode(y=y, y2="high:Q")
    line = base.mark_line(strokeWidth=1.5).encode(y=alt.Y("y:Q"))
    # Curves may lie on one another: the first has the largest points, so that each can be seen.
    sizes = alt.Scale(domain=names, range=[150.0 / (1 + 1.2 * place) for place in range(len(names))])
    points = base.mark_point(filled=True, opacity=1).encode(
        y=alt.Y("y:Q"),
        shape=alt.Shape("series:N", scale=shapes),
        size=alt.Size("series:N", scale=sizes, legend=None),
    )
    failing = (
        alt.Chart(alt.InlineData(values=[row for row in rows if not row["holds"]]))
        .mark_point(
            filled=True, size=150, opacity=1, shape=SALTIRE, color=FAILING, stroke=INK, strokeWidth=0.8
        )
        .encode(x="x:Q", y="y:Q")
    )
    return alt.layer(band, line, points, failing).properties(width=WIDTH + 120, height=260)


def described(study: Mapping[str, Any]) -> str:
    """What a chart shows, in words."""
    rows = []
    for check in study["checks"]:
        seen = "undefined" if check["observed"] is None else f"{check['observed']:.4g}"
        low, high = check["tolerance"]
        state = "holds" if check["holds"] else "fails"
        rows.append(f"{check['label']}: {seen}, tolerance {low:.4g} to {high:.4g}, {state}")
    return f"{study['axis']}. " + "; ".join(rows) + "."
