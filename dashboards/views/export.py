"""Export: the reports, from the same data and with the same numbers as these pages."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards import data
from dashboards.data import Opened, Signature
from dashboards.shown import plain
from probes.errors import InputError
from reports import audit_report

FORMATS = {
    "html": ("HTML", "One file that needs nothing else: for reading, printing and sending.", "text/html"),
    "md": ("Markdown", "For a repository or a ticket.", "text/markdown"),
    "json": ("JSON", "Every number unrounded, against a published schema: for machines.", "application/json"),
    "csv": ("CSV", "The tables, with figures as they are read, in a ZIP file.", "application/zip"),
}
"""Name, use and media type of each format."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Export")
    plain(
        "Every format is made from the same data as these pages, with the reviews that were kept. Until a "
        "person signs it, the report says that it is a draft.",
        "lead",
    )
    changed = data.reviews_changed(audit.root)
    events = len(data.reviews(audit).events)
    plain(
        f"{len(audit.rows)} findings, {events} review entries. Text that a model wrote is not in the report.",
        "note",
    )
    for name, (title, use, media) in FORMATS.items():
        left, right = st.columns([0.7, 0.3], vertical_alignment="center")
        with left:
            plain(f"{title}: {use}", "p")
        with right:
            st.download_button(
                f"Download {title}",
                partial(made, str(audit.root), audit.sign, changed, name),
                f"report-{audit.plan_name}.{'zip' if name == 'csv' else name}",
                media,
                key=f"download-{name}",
                on_click="ignore",
                width="stretch",
            )
    st.header("Into the bundle")
    plain(
        "Writes the report beside the records, as `evenhand report` does; the manifest stays as it is.", "p"
    )
    if st.button("Write the report into the bundle"):
        try:
            paths = audit_report.write(audit.root, list(FORMATS))
        except InputError as error:
            for fault in error.faults:
                plain(f"Not written: {fault}", "banner", "div")
            return
        for path in paths:
            plain(str(path), "code")


@st.cache_data(show_spinner="Making the report …", max_entries=12)
def made(root: str, sign: Signature, changed: tuple[int, int], name: str) -> bytes:
    """The report in one format: a file, or several in a ZIP file."""
    files = audit_report.FORMATS[name](document(root, sign, changed), Path(root))
    return next(iter(files.values())) if len(files) == 1 else zipped(files)


@st.cache_data(show_spinner="Making the report …", max_entries=4)
def document(root: str, sign: Signature, changed: tuple[int, int]) -> dict[str, Any]:
    """The report as data."""
    return audit_report.report_data(Path(root))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Some files as one ZIP file, the same bytes every time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return target.getvalue()
