"""What scorers and people say of one finding: by each scorer, less its own errors, and by people's labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from audit.labelling.analysis import labelled
from audit.labelling.labels import drawn_targets
from audit.labelling.wording import CONTRAST_HEAD, WEIGHED, contrast_cells
from audit.own_errors import own_errors
from audit.wording import in_points, with_interval
from dashboards import data
from dashboards.data import Opened, Signature
from dashboards.shown import grid, plain
from dashboards.words import TIPS

Row = Mapping[str, Any]


def judged(audit: Opened, row: Row) -> None:
    """By whom the texts of a finding were judged, and what each of them says; nothing where no scorer did."""
    measure = audit.measure(row["suite"])
    if measure is None or not measure.scorers:
        return
    st.header("By other scorers, and by people", help=TIPS["kappa"])
    kappas = {
        pair["scorer"]: with_interval(pair["kappa"], "+.2f")
        for family in audit.findings["families"]
        if family["id"] == row["family"]
        for pair in family.get("agreement", ())
    }
    first = {"estimate": row["estimate"], **(row["ci"] or {}), "reason": row["undefined"]}
    rows = [(measure.scorers[0], with_interval(first, "+.3f"), "decides", "itself")]
    rows += [
        (each["scorer"], with_interval(each, "+.3f"), each["states"] or "unknown",
         kappas.get(each["scorer"], "unknown"))
        for each in row["scorers"]
    ]  # fmt: skip
    grid(
        ("scorer", "difference, on its own scale", "it says", "kappa with the first, text by text"),
        rows,
        "The same texts by each scorer",
    )
    without_errors(audit, row)
    by_people(audit, row)


def without_errors(audit: Opened, row: Row) -> None:
    """What is left of one finding without the errors that the scorers' own audits show."""
    found = errors_of_finding(str(audit.root), audit.sign, row["id"], audit)
    if not found:
        return
    grid(
        ("scorer", "found by it", "less its own errors", "it says"),
        [
            (each["scorer"], in_points(each["raw"]), in_points(each["corrected"]), each["says"])
            for each in found
        ],
        "If the scorers err on these texts as in their own audits: differences in percentage points",
    )
    plain(
        "The share of texts that a scorer finds, group less reference, and the same corrected by the "
        "sensitivity and specificity that its own audit shows for each group. That it errs on these texts as "
        "on our sentences is an assumption: no verdict rests on it.",
        "note",
    )


@st.cache_data(show_spinner=False, max_entries=64)
def errors_of_finding(root: str, sign: Signature, name: str, _audit: Opened) -> list[dict[str, Any]]:
    """What the scorers' own audits leave of one finding."""
    return own_errors(Path(root), [row for row in _audit.rows if row["id"] == name]).get(name, [])


def by_people(audit: Opened, row: Row) -> None:
    """What people find in a sample of the texts; nothing where nobody labelled one."""
    found = people_found(audit)
    told = [each for each in found["contrasts"] if each["id"] == row["id"]] if found else []
    if not told:
        plain("Nobody has labelled a sample of these texts: evenhand label draws one.", "note")
        return
    grid(CONTRAST_HEAD, [contrast_cells(told[0])], "By people's labels: differences in percentage points")
    plain(WEIGHED, "note")


def people_found(audit: Opened) -> dict[str, Any] | None:
    """What people's labels of a drawn sample come to; None where nobody labelled one."""
    if not drawn_targets(data.reviews(audit).events):
        return None
    return _people_found(str(audit.root), data.reviews_changed(audit.root), audit.sign)


@st.cache_data(show_spinner="Holding the labels against the records …", max_entries=4)
def _people_found(root: str, changed: tuple[int, int], sign: Signature) -> dict[str, Any]:
    return labelled(root)
