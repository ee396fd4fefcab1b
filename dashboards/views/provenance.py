"""Provenance: where it all comes from, what nobody knows, and whether the bundle is what it says it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from audit.integrity import deviations, quick_status
from audit.provenance import MEANINGS, answered
from audit.verify import Check, verify_bundle
from dashboards import charts
from dashboards.data import Opened, Signature, made_since
from dashboards.shown import fact_table, grid, in_words, plain
from dashboards.words import TIPS

ORDER = ("unknown", "conflict", "withheld", "declared", "derived", "measured", "not_applicable")
"""What is not known comes first."""
STATES = ("calibration",)
"""Checks that tell a state, which no bundle can pass or fail."""
RIGHTS = ("training_data", "licence", "developer", "origin", "languages", "revision", "conversion")
"""Fields that say where a model and its data come from."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Provenance")
    rows = audit.provenance["claims"]
    flags(audit)
    asked(rows)
    unknowns(rows)
    rights(audit, rows)
    integrity(audit)
    plan(audit)
    cards(audit)
    st.header("The whole ledger")
    table = pd.DataFrame([shown(row) for row in sorted(rows, key=lambda row: place(row["status"]))])
    st.dataframe(table, hide_index=True, alt="Every claim, what is unknown first")
    st.download_button(
        "The ledger as CSV", charts.csv(table), "provenance.csv", "text/csv", on_click="ignore"
    )


def place(status: str) -> int:
    """Where a status stands in the order; one that is not known comes first."""
    return ORDER.index(status) if status in ORDER else -1


def shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A claim as a row of words."""
    value = row["value"]
    return {
        "status": str(row["status"]).replace("_", " "),
        "of": str(row["subject"]),
        "what": str(row["field"]),
        "value": "" if value is None else in_words(value),
        "who says so": str(row["declared_by"] or ""),
        "where it was looked for": str(row["source"]),
    }


def flags(audit: Opened) -> None:
    """What needs a person's review."""
    st.header("For review")
    found = audit.provenance["flags"]
    if not found:
        plain("No rule of the ledger asks for a review. That says nothing of what no rule looks for.", "p")
    for row in found:
        meaning = MEANINGS.get(str(row["flag"]), "needs review: see the claims about it")
        fields = row.get("claims")
        rests = f" Rests on: {', '.join(map(str, fields))}." if isinstance(fields, list) and fields else ""
        plain(f"{row['flag']} · {row['subject']} · {meaning}.{rests}", "banner", "div")


def asked(rows: Sequence[Mapping[str, Any]]) -> None:
    """What standards ask about origin and data, with what the ledger answers."""
    st.header("Questions that standards ask")
    found = answered(rows)
    grid(
        ("of", "answered"),
        [(each["subject"], each["completeness"]["text"]) for each in found],
        "How many of the questions are answered, and how; none of this is a grade",
    )
    with st.expander("Every question with its answers"):
        for each in found:
            grid(
                ("question", "known", "answer", "asked by"),
                [question(row) for row in each["rows"]],
                f"Questions about {each['subject']}",
            )


def question(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """A question as a row of words."""
    said = [f"{told['field']}: {in_words(told['value'])} ({told['status']})" for told in row["answers"]]
    said += [f"not known: {', '.join(row['open'])}"] if row["open"] else []
    said += [f"looked for in: {'; '.join(row['looked'])}"] if row["looked"] else []
    status = str(row["status"]).replace("_", " ")
    return f"{row['id']} {row['question']}", status, "\n".join(said), "; ".join(row["standards"])


def unknowns(rows: Sequence[Mapping[str, Any]]) -> None:
    """What was looked for and not found."""
    st.header("Not known")
    found = [row for row in rows if row["status"] in ("unknown", "conflict", "withheld")]
    counts = []
    for subject in dict.fromkeys(row["subject"] for row in rows):
        own = [row["status"] for row in rows if row["subject"] == subject]
        counts.append((subject, *(own.count(status) or "" for status in ORDER), len(own)))
    header = ("of", *(status.replace("_", " ") for status in ORDER), "in all")
    grid(header, counts, "Claims by how they are known; none of this is a grade")
    if found:
        grid(
            ("of", "what", "status", "looked for in"),
            [(row["subject"], row["field"], row["status"], row["source"]) for row in found],
            "Looked for and not found",
        )
    else:
        plain("Every field that was looked for was found.", "p")


def rights(audit: Opened, rows: Sequence[Mapping[str, Any]]) -> None:
    """Data rights: what is declared of training data and licences, by whom."""
    st.header("Data and rights")
    plain(
        "A licence of weights says nothing about the rights in the data they were made from. What is "
        "declared here was not checked by this program, and nothing here is legal advice.",
        "note",
    )
    for model in audit.plan["models"]:
        own = [row for row in rows if row["subject"] == f"model:{model['id']}" and row["field"] in RIGHTS]
        lines = [
            (
                row["field"].replace("_", " "),
                shown(row)["value"] or row["status"].replace("_", " "),
                str(row["source"]) if row["value"] is None else said_by(row),
            )
            for row in own
        ]
        if lines:
            fact_table(lines, model["id"], "How it is known")
        else:
            plain(f"{model['id']}: the ledger holds nothing about it.", "banner", "div")


def said_by(row: Mapping[str, Any]) -> str:
    """How a claim is known."""
    status = str(row["status"]).replace("_", " ")
    return f"{status}, by {row['declared_by']}" if row["declared_by"] else status


@st.cache_data(show_spinner=False, max_entries=8)
def looked_at(root: str, sign: Signature, since: Signature) -> list[Check]:
    """A quick look at a bundle."""
    return quick_status(Path(root))


@st.cache_data(show_spinner=False, max_entries=8)
def departed_from(root: str, sign: Signature) -> list[str]:
    """What departed from the plan."""
    return deviations(Path(root))


def integrity(audit: Opened) -> None:
    """Chain, manifest, calibration and signature: quickly on opening, whole when asked for."""
    st.header("Is it what it says it is?", help=TIPS["chain"])
    since = made_since(audit.root)
    checks_shown(looked_at(str(audit.root), audit.sign, since), "A quick look, without recomputing anything")
    if st.button(
        "Verify everything now",
        help="Every hash, the whole chain, and every figure recomputed. Minutes for a large audit; "
        "`evenhand verify` does the same.",
    ):
        with st.spinner("Recomputing every figure …"):
            st.session_state[f"verified-{audit.name}"] = (audit.sign + since, verify_bundle(audit.root))
    sign, checks = st.session_state.get(f"verified-{audit.name}", (None, None))
    if checks is not None and sign == audit.sign + since:
        checks_shown(checks, "Verified in this session: every figure recomputed")


def checks_shown(checks: Sequence[Check], caption: str) -> None:
    """Checks with what each found."""
    rows = [
        (
            "✗" if not check.holds else "–" if check.name in STATES or not check.made else "✓",
            check.name,
            "; ".join(check.faults) or check.detail,
        )
        for check in checks
    ]
    grid(("holds", "check", "what was found"), rows, caption)


def plan(audit: Opened) -> None:
    """What was declared before the first question, and what departed from it."""
    st.header("The plan, and what departed from it")
    plain(f"SHA-256 of the plan: {audit.findings['plan_sha256']}", "code")
    departed = departed_from(str(audit.root), audit.sign)
    if not departed:
        plain("Nothing departed from the plan, as far as the bundle can tell.", "p")
    for line in departed:
        plain(f"– {line}", "p")
    decided = {key: audit.plan[key] for key in ("title", "alpha", "seed", "decoding", "load", "correction")}
    fact_table(
        [(name, in_words(value), "") for name, value in decided.items()],
        "Decided before the first question",
    )
    grid(
        ("model", "digest", "kind", "parameters"),
        [
            (
                m["id"],
                m["digest"],
                m["kind"],
                "unknown" if m["parameters"] is None else f"{m['parameters']:,}",
            )
            for m in audit.plan["models"]
        ],
        "Models, by digest",
    )


def cards(audit: Opened) -> None:
    """Each suite's card: what it is for, its critiques, and what it cannot show."""
    st.header("The suites' cards")
    for entry in audit.plan["suites"]:
        card = entry["data"]["card"]
        rows = [
            ("harm", f"{card['harm']} ({card['harm_kind']})", ""),
            ("construct", card["construct"], ""),
            ("compares", card["compares"], ""),
            ("limits", "\n".join(card["limits"]), ""),
            ("critiques", "\n".join(card["critiques"]), ""),
            ("would not be evidence", card["not_evidence"], ""),
            ("version, licence", f"{entry['data']['version']}, {entry['data']['licence']}", ""),
            ("digest", entry["digest"], ""),
            ("lexicons", ", ".join(entry["lexicons"]), ""),
        ]
        fact_table(rows, f"{entry['id']}: {entry['data']['title']}")
