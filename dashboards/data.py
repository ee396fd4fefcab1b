"""What the pages read, each thing once: everything is keyed by the files it was read from.

Nothing is computed here; what a function gives is shared between sessions and is not to be changed. Tables
come from the bundle's sidecar, figures from its findings, and what a page asks of them from ``audit``.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from audit.bundle import ATTESTATIONS, ENGAGEMENT, REDACTION, REVIEWS, Bundle, read_json
from audit.integrity import BundleState, state_of
from audit.measures import Measure
from audit.plan import PlannedSuite, measures_of, planned_suites
from audit.review.log import Reviews, read_reviews
from audit.sidecar import Sidecar
from audit.verify import read_findings
from dashboards.sidecars import sidecar_of
from probes.errors import BundleError, Fault

Signature = tuple[tuple[str, int, int], ...]
"""Whether the folder is there; name, time of change and size of every file that a page may show."""

ROWS = {
    "claims": {"subject", "field", "value", "status", "source", "declared_by"},
    "flags": {"subject", "flag"},
    "runs": {"started", "asked", "reused", "kept", "environment"},
}
"""What each row of the files beside the results holds."""
FILES = ("plan.json", "findings.json", "provenance.json", "environment.json", "manifest.json")


def signature(root: Path) -> Signature:
    """What tells one state of a bundle from another without reading it."""
    there = (".", int(os.path.isdir(root)), 0)
    return (there, *(fact for path in shown_files(root) if (fact := fact_of(path))))


def shown_files(root: Path) -> list[Path]:
    """The files that a page may show, whether they are there or not."""
    try:
        records = sorted((root / "records").glob("*.jsonl"))
    except OSError:
        records = []  # what state_of says of such a folder is shown
    return [*(root / name for name in FILES), *records]


def made_since(root: Path) -> Signature:
    """The same of what people add to a finished audit and sign: reviews, reports, signatures."""
    paths = [root / REVIEWS]
    for pattern in (f"{ATTESTATIONS}/*", "report[.-]*", "report-*/*"):
        with suppress(OSError):
            paths += sorted(root.glob(pattern))
    return tuple(fact for path in paths if (fact := fact_of(path)))


def fact_of(path: Path) -> tuple[str, int, int] | None:
    """Name, time of change and size of a file; None where there is none, or it went away just now."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return (path.name, facts.st_mtime_ns, facts.st_size) if stat.S_ISREG(facts.st_mode) else None


@dataclass(frozen=True)
class Opened:
    """A bundle whose pages are shown.

    Attributes
    ----------
    name : str
        As the sidebar and the address name it; unique among the bundles that were opened.
    """

    name: str
    root: Path
    sign: Signature
    plan: Mapping[str, Any]
    findings: Mapping[str, Any]
    provenance: Mapping[str, Any]
    environment: Mapping[str, Any]

    def measure(self, suite: str) -> Measure | None:
        """The measure that reads a suite; None for one that this version does not know."""
        entry = next(entry for entry in self.plan["suites"] if entry["id"] == suite)
        return measures_of(self.plan).get(entry["data"]["measure"])

    @property
    def redacted(self) -> bool:
        """Whether the bundle is a copy without the texts that a model wrote."""
        return os.path.lexists(self.root / REDACTION)

    @property
    def plan_name(self) -> str:
        """The first digits of the plan's hash, as reports name the audit."""
        return str(self.findings["plan_sha256"])[:12]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The findings, worst first."""
        rows: list[dict[str, Any]] = self.findings["findings"]
        return rows

    def finding(self, name: str) -> dict[str, Any] | None:
        """The finding of an id; None where there is none."""
        return next((row for row in self.rows if row["id"] == name), None)


def opened(name: str, root: Path) -> Opened:
    """Read a finished bundle, or take it from the cache if no file of it changed."""
    return _opened(name, str(root), signature(root))


@st.cache_resource(show_spinner="Reading the audit …", max_entries=8)
def _opened(name: str, root: str, sign: Signature) -> Opened:
    folder = Path(root)
    return Opened(
        name,
        folder,
        sign,
        shown(Bundle(folder).plan, folder / "plan.json"),
        shown(read_findings(folder), folder / "findings.json"),
        optional(folder / "provenance.json", {"claims": [], "flags": []}),
        optional(folder / "environment.json", {"runs": []}),
    )


def optional(path: Path, without: dict[str, Any]) -> dict[str, Any]:
    """A file beside the results; what is not there is shown as missing."""
    if not path.exists():
        return without
    found = read_json(path)
    if not isinstance(found, dict) or not without.keys() <= found.keys():
        raise BundleError(Fault("not as evenhand writes it", str(path), "Restore the file from a copy."))
    for list_name, keys in ROWS.items():
        rows = found.get(list_name, [])
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and keys <= row.keys() for row in rows
        ):
            what = f"its {list_name} are not as evenhand writes them"
            raise BundleError(Fault(what, str(path), "Restore the file from a copy."))
    return shown(found, path)


def shown(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """The content of a file, if a page can carry it: JSON can spell half a character, a page cannot."""
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        what = "holds half a character (a lone surrogate)"
        raise BundleError(Fault(what, str(path), "Restore the file from a copy.")) from None
    return found


def sidecar(audit: Opened) -> Sidecar:
    """The item-level table of a bundle, built if it is not there."""
    return sidecar_of((str(audit.root), audit.sign))


def scores(audit: Opened, model: str, suite: str) -> pd.DataFrame:
    """Every score of one suite put to one model. Shared between sessions: not to be changed."""
    sidecar(audit)  # now, so that the page shows how far a building is
    return scores_of(str(audit.root), audit.sign, model, suite)


@st.cache_resource(show_spinner=False, max_entries=12)
def scores_of(root: str, sign: Signature, model: str, suite: str) -> pd.DataFrame:
    """As :func:`scores`, by the files they were read from."""
    return sidecar_of((root, sign)).scores(model=model, suite=suite)


@st.cache_resource(show_spinner=False, max_entries=4)
def suites_of(root: str, sign: Signature) -> dict[str, PlannedSuite]:
    """The suites of a plan, rebuilt."""
    return planned_suites(Bundle(Path(root)).plan)


def reviews(audit: Opened) -> Reviews:
    """What people said of an audit so far."""
    return _reviews(str(audit.root), reviews_changed(audit.root), audit.sign)


@st.cache_resource(show_spinner=False, max_entries=8)
def _reviews(root: str, changed: tuple[int, int], sign: Signature) -> Reviews:
    return read_reviews(Path(root))


def state(root: Path) -> BundleState:
    """Whether an audit can be shown, and if not, why."""
    return _state(str(root), signature(root))


@st.cache_data(show_spinner=False, max_entries=32)
def _state(root: str, sign: Signature) -> BundleState:
    return state_of(Path(root))


def reviews_changed(root: Path) -> tuple[int, int]:
    """What tells whether the reviews grew."""
    _, *facts = fact_of(root / REVIEWS) or ("", 0, 0)
    return (facts[0], facts[1])


def report_changed(root: Path) -> tuple[int, ...]:
    """What tells whether anything changed that people wrote and a report tells: reviews and engagement."""
    _, *facts = fact_of(root / ENGAGEMENT) or ("", 0, 0)
    return (*reviews_changed(root), *facts)
