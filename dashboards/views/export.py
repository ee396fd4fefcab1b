"""Export: the reports, from the same data and with the same numbers as these pages."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards import data, runs
from dashboards.data import Opened, Signature
from dashboards.shown import plain
from probes.errors import InputError
from reports import audit_report
from reports.asked import Asked
from reports.engagement import find_engagement, read_engagement
from reports.exports.archive import zipped
from reports.writers.pdf import installed

FORMATS = {
    "html": ("HTML", "One file that needs nothing else: for reading, printing and sending.", "text/html"),
    "pdf": (
        "PDF",
        "For signing and keeping: a tagged PDF, a machine-checked subset, with the data attached.",
        "application/pdf",
    ),
    "md": ("Markdown", "For a repository or a ticket.", "text/markdown"),
    "json": ("JSON", "Every number unrounded, against a published schema: for machines.", "application/json"),
    "csv": ("CSV", "The tables, with figures as they are read, in a ZIP file.", "application/zip"),
    "cyclonedx": (
        "CycloneDX",
        "Model cards, declarations and data components, for tools of procurement and governance.",
        "application/vnd.cyclonedx+json",
    ),
    "eval-ever": (
        "Every Eval Ever",
        "Results a model and answers line by line, beside other evaluations, in a ZIP file.",
        "application/zip",
    ),
    "croissant": ("Croissant", "The probe suites as data sets, in a ZIP file.", "application/zip"),
    "hub": ("Model hub", "Results and a model-card section for a hub, in a ZIP file.", "application/zip"),
    "bundle": ("Bundle", "Report, plan, findings and provenance in a ZIP file.", "application/zip"),
}
"""Name, use and media type of each format."""
FIRST = {"html": "To read", "json": "For other programs", "bundle": "To keep"}
"""The headings, each by the format that stands first below it."""
ZIP = "application/zip"

State = tuple[tuple[str, int, int] | int, ...]
"""What tells one state of an audit, and of what people wrote for its report, from another."""
Beside = tuple[tuple[str, Signature], ...]
"""The folders of runs that stand beside an audit, each with the state of its files."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Export")
    plain(
        "Every format is made from the same data as these pages, with the reviews that were kept. Until a "
        "person signs it, the report says that it is a draft.",
        "lead",
    )
    changed = data.report_changed(audit.root)
    events = len(data.reviews(audit).events)
    plain(
        f"{len(audit.rows)} findings, {events} review entries. Text that a model wrote is "
        "not in the report; evenhand report --reveal makes one that shows it.",
        "note",
    )
    try:
        read_engagement(find_engagement(audit.root, None), [row["id"] for row in audit.rows])
    except InputError as error:
        for fault in error.faults:
            plain(f"No report can be made: {fault}", "banner", "div")
        return
    beside = chosen_runs()
    for name, (title, use, media) in FORMATS.items():
        if name in FIRST:
            st.header(FIRST[name])
        left, right = st.columns([0.7, 0.3], vertical_alignment="center")
        with left:
            plain(f"{title}: {use}", "p")
        if name == "pdf" and not installed():
            with right:
                plain("Install evenhand[pdf] for it.", "note")
            continue
        with right:
            st.download_button(
                f"Download {title}",
                partial(made, str(audit.root), (*audit.sign, *changed), beside, name),
                f"report-{audit.plan_name}.{ending(name, media)}",
                media,
                key=f"download-{name}",
                on_click="ignore",
                width="stretch",
            )
    st.subheader("Into the bundle")
    plain("Writes the report beside the records, as evenhand report does; the manifest stays as it is.", "p")
    if st.button("Write the report into the bundle"):
        try:
            formats = [name for name in FORMATS if name != "pdf" or installed()]
            paths = audit_report.write(audit.root, formats, asked=asked(beside))
        except InputError as error:
            for fault in error.faults:
                plain(f"Not written: {fault}", "banner", "div")
            return
        for path in paths:
            plain(str(path), "code")


def chosen_runs() -> Beside:
    """Let the reader choose which of the runs that are open stand beside the audit, in section 13."""
    there = runs.runs()
    if not there:
        return ()
    names = st.multiselect(
        "Published measures to stand beside it, in section 13",
        list(there),
        help="Their verdicts are counted apart from the audit's.",
    )
    return tuple((str(there[name]), runs.signature(there[name])) for name in names)


def asked(beside: Beside) -> Asked:
    """What the report is to hold beside the audit."""
    return Asked(benchmarks=tuple(Path(folder) for folder, _ in beside))


@st.cache_data(show_spinner="Making the report …", max_entries=12)
def made(root: str, state: State, beside: Beside, name: str) -> bytes:
    """The report in one format: a file, or several in a ZIP file."""
    files = audit_report.FORMATS[name](document(root, state, beside), Path(root))
    (first, *more) = files.values()
    return first if not more and isinstance(first, bytes) else zipped(files)


@st.cache_data(show_spinner="Making the report …", max_entries=4)
def document(root: str, state: State, beside: Beside) -> dict[str, Any]:
    """The report as data."""
    return audit_report.report_data(Path(root), asked(beside))


def ending(name: str, media: str) -> str:
    """How the name of a format's file ends."""
    return {"cyclonedx": "cdx.json"}.get(name, name) if media != ZIP else f"{name}.zip"
