"""The calibration report: one page to look at, one text to read, from one record."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.charts import study_svg
from reports.templating import templates


def write(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``report.html`` and ``report.md`` of a calibration.

    Parameters
    ----------
    record : mapping
        As ``calibration.schema.json`` describes.
    folder : Path
        Where to; it must exist.

    Returns
    -------
    list of Path
        The two files. The page needs nothing else: no script, no network.
    """
    written = []
    for name, text in (("report.html", html(record)), ("report.md", markdown(record))):
        path = folder / name
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def html(record: Mapping[str, Any]) -> str:
    """The page."""
    charts = {study["id"]: Markup(study_svg(study)) for study in record["studies"]}
    return templates(escape=True).get_template("calibration.html.j2").render(**shown(record), charts=charts)


def markdown(record: Mapping[str, Any]) -> str:
    """The text."""
    return templates(escape=False).get_template("calibration.md.j2").render(**shown(record), cell=cell)


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """What both templates show."""
    return {
        "record": record,
        "headline": headline(record),
        "verdict": verdict(record),
        "themes": [
            (theme, list(studies))
            for theme, studies in groupby(record["studies"], lambda study: study["theme"])
        ],
        "cpu_seconds": sum(study["cpu_seconds"] for study in record["studies"]),
        "number": number,
    }


def headline(record: Mapping[str, Any]) -> str:
    """How many studies hold."""
    return f"{record['studies_holding']} of {len(record['studies'])} studies hold"


def verdict(record: Mapping[str, Any]) -> str:
    """What that means, in a sentence."""
    if record["holds"]:
        return "Every number lies where the claims say that it must."
    names = ", ".join(study["title"].lower() for study in record["studies"] if not study["holds"])
    return f"The claims are not borne out by: {names}."


def number(value: float | None) -> str:
    """A number to four figures.

    Examples
    --------
    >>> number(0.051234), number(1.0), number(-1e-9), number(None)
    ('0.05123', '1', '-1e-09', 'undefined')
    """
    return "undefined" if value is None else f"{value:.4g}"


def cell(text: str) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
