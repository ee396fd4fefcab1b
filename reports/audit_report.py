"""The report of one audit: one set of data, written in every format.

::

    bundle ─ report_data ─► data ─┬─ html        one page that needs nothing else
                                  ├─ pdf         the same set on paper, report.json attached
                                  ├─ markdown    one text
                                  ├─ csv_tables  a table a file
                                  ├─ itself      report.json, as ``schemas/report.schema.json`` describes
                                  └─ exports     for other programs; see ``reports.exports``

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
from reports.contents.attestation import attestation, signers
from reports.contents.changes import changes
from reports.contents.cover import cover, settings
from reports.contents.crosswalk import crosswalk
from reports.contents.engagement import context, engaged, engaged_cover
from reports.contents.examples import examples
from reports.contents.executive import executive
from reports.contents.finding_form import formed
from reports.contents.findings import summary, told_findings
from reports.contents.formulas import method
from reports.contents.heat_maps import heat_maps
from reports.contents.labelled import labelled_section
from reports.contents.limits import not_measured
from reports.contents.method import glossary, reproduction
from reports.contents.provenance import provenance
from reports.contents.published import published
from reports.contents.reviews import reviews_summary
from reports.contents.risks import tagged
from reports.contents.scorer_errors import without_errors
from reports.contents.scorers import scorer_audits
from reports.contents.selection import selection
from reports.contents.severity import levels
from reports.contents.signoff import signatures
from reports.contents.suites import suite_card
from reports.engagement import find_engagement, read_engagement
from reports.exports.archive import archive_files
from reports.exports.croissant import croissant_files
from reports.exports.cyclonedx import cyclonedx_files
from reports.exports.eval_ever import eval_ever_files
from reports.exports.files import Content
from reports.exports.hub import hub_files
from reports.lint import without_overclaims
from reports.schema import checked
from reports.writers.page import html
from reports.writers.pdf import pdf
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
    InputError
        If a file that people wrote for the report cannot be used, or the report would claim more than was
        measured.
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
    engagement = read_engagement(
        find_engagement(root, asked.engagement), [record["id"] for record in findings["findings"]]
    )
    told = told_findings(findings, [event.data() for event in kept.events])
    rows = without_errors(root, tagged(formed(told, suites, engagement), suites))
    known: dict[str, Any] = {
        "provenance": provenance(ledger),
        "reviews": {
            **reviews_summary(kept, summarize(root)),
            "labelled": labelled_section(root, kept.events),
        },
    }
    known["published"] = published(asked.benchmarks, bundle.plan)
    attested = attestation(root, engagement.sha256)
    first_page = cover(bundle, findings, environment, asked)
    data: dict[str, Any] = {
        "format": FORMAT,
        "texts": "revealed" if asked.reveal and not bundle.is_redacted else "withheld",
        "cover": engaged_cover(engagement, signers(attested), root, first_page),
        "executive": executive(rows, findings, suites, engagement, {**known, "attestation": attested}),
        "engagement": engaged(engagement, bundle.plan_sha256),
        "context": context(engagement, suites, findings),
        "method": {
            **method(findings, bundle.plan, known["reviews"]),
            "scorer_audits": scorer_audits(root),
        },
        "settings": settings(bundle.plan),
        "summary": {**summary(findings, rows), "levels": levels(rows)},
        "findings": rows,
        "heat_maps": heat_maps(root, rows),
        **{key: findings[key] for key in ("families", "controls", "coverage", "tokenisation")},
        "not_measured": not_measured(bundle.plan, findings, suites),
        "suites": [
            suite_card(entry, suite, bundle.plan["lexicons"])
            for entry, suite in zip(bundle.plan["suites"], suites, strict=True)
        ],
        **known,
        "glossary": glossary(),
        "reproduction": reproduction(environment),
        "signatures": signatures(engagement, attested),
        "changes": changes(asked.earlier, root, {row["record"]["id"]: row["number"] for row in rows}),
        "examples": examples(root, rows, asked.reveal),
        "selection": selection(asked.selection),
        "attestation": attested,
    }
    data["crosswalk"] = crosswalk(data, asked.as_of)
    return checked(without_overclaims(as_text(data, root), str(root)), "", root)


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


def pdf_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.pdf``."""
    return {"report.pdf": pdf(data)}


def markdown_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report.md``."""
    return {"report.md": markdown(data).encode("utf-8")}


def csv_files(data: Data, root: Path) -> dict[str, bytes]:
    """``report-csv/``, a table a file."""
    return {f"report-csv/{name}": text.encode("utf-8") for name, text in csv_tables(data).items()}


FORMATS: dict[str, Callable[[Data, Path], Mapping[str, Content]]] = {
    "html": html_files,
    "pdf": pdf_files,
    "md": markdown_files,
    "json": json_files,
    "csv": csv_files,
    "cyclonedx": cyclonedx_files,
    "eval-ever": eval_ever_files,
    "croissant": croissant_files,
    "hub": hub_files,
    "bundle": archive_files,
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


def put(folder: Path, path: Path, content: Content, inside: bool) -> None:
    """Write one file, whole or not at all; in a bundle that may not be written to, name the way out."""
    try:
        with disk_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
        place = folder
        for name in path.relative_to(folder).parts[:-1]:
            place = folder_within(place, name)
        write_whole(path, content, this_writer())
    except BundleError as error:
        if not inside:
            raise
        what = error.faults[0].what
        remedy = "Give --out FOLDER to write the report elsewhere."
        raise BundleError(Fault(what, str(path), remedy)) from None
