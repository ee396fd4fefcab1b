"""The report of one audit: one set of data, written in every format.

::

    bundle ─ report_data ─► data ─┬─ html        one page that needs nothing else
                                  ├─ markdown    one text
                                  ├─ csv_tables  a table a file
                                  └─ itself      report.json, as ``schemas/report.schema.json`` describes

A format is one row of ``FORMATS`` and one file in ``reports/writers/``; a section of the report is one file
in ``reports/contents/``, a property of the schema and a template. Reports are made from the bundle and can be
made again: they are not in its manifest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import (
    Bundle,
    disk_errors,
    file_bytes,
    folder_within,
    read_json,
    this_writer,
    write_whole,
)
from audit.review.log import read_reviews
from audit.review.summary import summarize
from audit.verify import read_findings
from probes import Suite, suite_from_data
from probes.errors import BundleError, Fault, InputError
from reports.asked import Asked
from reports.contents.cover import cover, settings, signatures
from reports.contents.findings import summary, told_findings
from reports.contents.limits import not_measured
from reports.contents.method import glossary, reproduction
from reports.contents.provenance import provenance
from reports.contents.reviews import reviews_summary
from reports.contents.suites import suite_card
from reports.schema import checked
from reports.writers.page import html
from reports.writers.tables import csv_tables
from reports.writers.text import markdown

__all__ = ["FORMATS", "csv_tables", "html", "markdown", "report_data", "write"]

FORMAT = 2
"""Version of the report's form."""

Data = Mapping[str, Any]


def report_data(root: Path, asked: Asked | None = None) -> dict[str, Any]:
    """Everything that a report says; numbers as they were kept, none rounded.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    asked : Asked, optional
        What the report is to hold beside the bundle.

    Returns
    -------
    dict
        As ``report.schema.json`` describes. It names no place, and no time but the day it speaks of: the same
        bundle gives the same report on that day.

    Raises
    ------
    BundleError
        If a file of the bundle is missing, or is not as this version of the program writes it.
    """
    asked = asked or Asked()
    bundle = Bundle(root)
    findings = read_findings(root)
    if findings["plan_sha256"] != bundle.plan_sha256:
        what = "the findings are of another plan than the one that lies there"
        raise BundleError(Fault(what, str(root / "findings.json"), "Restore the bundle from a copy."))
    environment = checked(read_json(root / "environment.json"), "environment", root / "environment.json")
    ledger = checked(read_json(root / "provenance.json"), "ledger", root / "provenance.json")
    suites = suites_of(bundle.plan)
    kept = read_reviews(root)
    rows = told_findings(findings, [event.data() for event in kept.events])
    data = {
        "format": FORMAT,
        "cover": cover(bundle, findings, environment, asked),
        "settings": settings(bundle.plan),
        "summary": summary(findings, rows),
        "findings": rows,
        **{key: findings[key] for key in ("families", "controls", "coverage", "tokenisation")},
        "not_measured": not_measured(bundle.plan, findings, suites),
        "provenance": provenance(ledger),
        "suites": [
            suite_card(entry, suite, bundle.plan["lexicons"])
            for entry, suite in zip(bundle.plan["suites"], suites, strict=True)
        ],
        "reviews": reviews_summary(kept, summarize(root)),
        "glossary": glossary(),
        "reproduction": reproduction(environment),
        "signatures": list(signatures()),
    }
    return checked(as_text(data, root), "", root)


def suites_of(plan: Data) -> list[Suite]:
    """The plan's suites, each checked as it is rebuilt."""
    return [suite_from_data(entry["data"], f"plan.json: suite {entry['id']}") for entry in plan["suites"]]


def as_text(data: dict[str, Any], root: Path) -> dict[str, Any]:
    """The same data, if all of it can be written down.

    Raises
    ------
    BundleError
        For half of a surrogate pair, which JSON can spell and no text file can hold.
    """
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError as error:
        what = f"holds a character that is no text: {error.object[error.start]!a}"
        raise BundleError(Fault(what, str(root), "Restore the bundle from a copy.")) from None
    return data


def json_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.json``."""
    return {"report.json": file_bytes(data)}


def html_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.html``."""
    return {"report.html": html(data).encode("utf-8")}


def markdown_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.md``."""
    return {"report.md": markdown(data).encode("utf-8")}


def csv_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report-csv/``, a table a file."""
    return {f"report-csv/{name}": text.encode("utf-8") for name, text in csv_tables(data).items()}


FORMATS: dict[str, Callable[[Data, Path], dict[str, bytes]]] = {
    "html": html_files,
    "md": markdown_files,
    "json": json_files,
    "csv": csv_files,
}
"""Format to what makes its files, by name below the folder they go to, from the report's data and, where it
tells more than the report, the bundle's folder."""


def write(
    root: Path, formats: Sequence[str], out: Path | None = None, asked: Asked | None = None
) -> list[Path]:
    """Write a report in some formats.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    formats : sequence of str
        Keys of ``FORMATS``.
    out : Path, optional
        Where to; the bundle's folder if it is not given.
    asked : Asked, optional
        What the report is to hold beside the bundle.

    Returns
    -------
    list of Path
        The files, in order.

    Raises
    ------
    InputError
        For a format that there is not, or a folder that cannot be written to.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        what = f"no format {unknown[0]!r}" if unknown else "no format"
        raise InputError(Fault(what, "", f"One or more of: {', '.join(FORMATS)}."))
    data = report_data(root, asked)
    made = {name: text for each in dict.fromkeys(formats) for name, text in FORMATS[each](data, root).items()}
    folder = root if out is None else out
    paths = []
    for name, content in made.items():
        path = folder / name
        put(folder, path, content, inside=out is None)
        paths.append(path)
    return paths


def put(folder: Path, path: Path, content: bytes, inside: bool) -> None:
    """Write one file, whole or not at all; in a bundle that may not be written to, name the way out."""
    try:
        if path.parent == folder:
            with disk_errors(path):
                folder.mkdir(parents=True, exist_ok=True)
        else:
            folder_within(folder, path.parent.name)
        write_whole(path, content, this_writer())
    except BundleError as error:
        if not inside:
            raise
        what = error.faults[0].what
        remedy = "Give --out FOLDER to write the report elsewhere."
        raise BundleError(Fault(what, str(path), remedy)) from None
