"""The forest plot of a published measure: its audited estimates, each beside the published number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from audit.benchmarks.wording import subject, value_text, worst_first
from audit.wording import counted, verdict_phrase, visible
from reports.charts.forest import greyed, named_forest
from reports.charts.look import nothing, shortened
from reports.charts.palette import Palette
from reports.figures import size_phrase

Row = Mapping[str, Any]

MOST = 24
"""Estimates of one chart; the table beside it has all."""


def drawn_estimates(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The estimates of a result that its chart shows: those in the unit of the first, at most :data:`MOST`.

    Parameters
    ----------
    found : mapping
        A result, as ``benchmark.schema.json`` describes.

    Returns
    -------
    list of dict
        In the measure's order where all fit, else the worst first. Each with its ``name`` as it is unique
        among them, ``published`` (the number that its source calls the same, in words; empty where there is
        none) and ``level`` of its interval.
    """
    several = len(found["scorings"]) > 1
    rows = [
        {
            **row,
            "name": f"{row['name']}, {section['scoring']}" if several else row["name"],
            "published": published_as(row["name"], section),
            "level": 1.0 - found["setup"]["alpha"],
        }
        for section in found["scorings"]
        for row in section["estimates"]
    ]
    alike = [row for row in rows if row["unit"] == rows[0]["unit"]]
    shown = alike if len(alike) <= MOST else worst_first(alike)[:MOST]
    names = [row["name"] for row in shown]
    return [
        {**row, "name": f"{row['name']} ({row['family']})"} if names.count(row["name"]) > 1 else {**row}
        for row in shown
    ]


def drawn_text(found: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Under the chart: whose estimates it shows, how many of how many, in which unit."""
    total = sum(len(section["estimates"]) for section in found["scorings"])
    label = f" ({found['card']['label']})" if found["card"]["label"] else ""
    if not rows:
        return f"{found['benchmark']}: no audited estimate."
    count = (
        f"{len(rows)} of {counted(total, 'audited estimate')}"
        if len(rows) < total
        else counted(total, "audited estimate")
    )
    rest = "; the tables have all" if len(rows) < total else ""
    return f"{found['benchmark']} of {subject(found)}{label}: {count}, in {rows[0]['unit']}{rest}."


def published_as(name: str, section: Row) -> str:
    """The published number of a name in words; empty where the source has none of that name."""
    own = [row for row in section["figures"] if row["name"] == name and row["value"] is not None]
    return value_text(own[0]) if len(own) == 1 else ""


def measure_forest(rows: Sequence[Row], palette: Palette, title: str) -> Any:
    """Audited estimates over their margin, with the published numbers of the same names.

    Parameters
    ----------
    rows : sequence of mapping
        From :func:`drawn_estimates`.
    palette : Palette
        The page's colours.
    title : str
        Of the measure, with its label.
    """
    if not rows:
        return nothing(palette, "No estimate.")
    level = f"{100 * rows[0]['level']:g} %"

    def titled(_: Sequence[Row], drawn: Sequence[Row]) -> alt.TitleParams:
        lines = [f"line: {level} interval; area: the margin; 0: what would mean no disparity"]
        if far := sum(bool(row["beyond"]) for row in drawn):
            lines.append(f"arrow: {far} of {len(drawn)} reach beyond the axis")
        return alt.TitleParams(shortened(title, TITLE), subtitle=lines)

    likes = [as_finding(row) for row in rows]
    return named_forest(
        likes, [label(row) for row in rows], palette, titled, f"departure, in {rows[0]['unit']}", NAMES
    )


TITLE, NAMES = 700, 330
"""Pixels of the title, if its letters were as small as those of a row, and the most that names take."""


def label(row: Row) -> str:
    """The name of a row, with the published number where it fits."""
    whole = f"{row['name']} (published {row['published']})" if row["published"] else row["name"]
    return str(whole if shortened(whole, NAMES) == whole else row["name"])


def as_finding(row: Row) -> dict[str, Any]:
    """An estimate as the forest plot takes findings."""
    known = row["estimate"] is not None
    return {
        **row,
        "reasons": row["reasons"] if known else [row["reason"]],
        "claim": row["name"],
        "undefined": row["reason"],
        "group_label": row["name"],
        "reference_label": "",
        "scale": "points",
        "ci": {"lo": row["lo"], "hi": row["hi"], "level": row["level"]} if known else None,
        "ci_equivalence": None,
        "margin": {"value": row["margin"]},
        "nonce_size": None,
    }


def described_measure(rows: Sequence[Row], title: str) -> str:
    """What the chart shows, in words: every row with its figures, its verdict and its published number."""
    parts = []
    for row in rows:
        like = as_finding(row)
        published = f", published {row['published']}" if row["published"] else ""
        told = greyed(like) or size_phrase(like)
        parts.append(f"{row['name']}: {told}, {verdict_phrase(like)}{published}")
    return str(visible(f"{title}. {counted(len(rows), 'audited estimate')}: {'; '.join(parts)}."))
