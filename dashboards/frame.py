"""Around every page: which audit, who is reviewing, and what is said where nothing can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from audit.integrity import BundleState
from audit.review.log import why_not_kept
from dashboards import links
from dashboards.data import Opened, opened, state
from dashboards.runs import bundles as given_bundles
from dashboards.shown import plain
from probes.errors import InputError

BUNDLE, LAST, REVIEWER = "bundle", "last-bundle", "reviewer"
"""Keys of the session: which bundle, which one the last page showed, and who is reviewing."""


def choose() -> tuple[str, Path] | None:
    """Let the reader choose an audit in the sidebar; None where there is none."""
    bundles = given_bundles()
    if not bundles:
        return None
    names = list(bundles)
    if BUNDLE not in st.session_state and st.session_state.get(LAST) in names:
        st.session_state[BUNDLE] = st.session_state[LAST]  # no address: go on with the last one
    with st.sidebar:
        name = st.selectbox(
            "Audit",
            names,
            key=links.one_of(BUNDLE, BUNDLE, names),
            help="The audits that `evenhand dashboard` was started with. The address of every page names the "
            "audit, so it can be shared with whoever runs the same dashboard.",
        )
    st.session_state[LAST] = name
    links.keep(BUNDLE, name)
    return name, bundles[name]


def others(current: str) -> Mapping[str, Path]:
    """The audits besides the one that is shown."""
    return {name: path for name, path in given_bundles().items() if name != current}


def reviewer() -> str:
    """Who is reviewing; empty until somebody says so."""
    return str(st.session_state.get(REVIEWER, "")).strip()


def ask_reviewer(root: Path) -> None:
    """Let the reader give a name, in the sidebar, or say why reviews cannot be kept."""
    with st.sidebar:
        st.text_input(
            "Your name",
            key=REVIEWER,
            max_chars=80,
            placeholder="for reviews",
            persist_state="session",
            help="Stands beside every label, decision and comment of yours, and beside every text that you "
            "asked to see. It is written into the audit's reviews.jsonl.",
        )
        reason = why_not_kept(root)
        if reason:
            plain(f"Reviews cannot be kept: {reason}", "note")


def read(name: str, root: Path) -> Opened | None:
    """The audit, or a page that says why it cannot be shown."""
    found = state(root)
    if found.state != "finished":
        refused(found, root)
        return None
    try:
        return opened(name, root)
    except InputError as error:
        refused(None, root, [str(fault) for fault in error.faults])
        return None


def refused(found: BundleState | None, root: Path, faults: list[str] | None = None) -> None:
    """A clear page in the place of one that cannot be shown."""
    st.title(found.title if found else "This audit cannot be read")
    plain(str(root), "code")
    for line in [found.message] if found else faults or []:
        plain(line, "banner", "div")
    if found and found.remedy:
        plain(f"What to do: {found.remedy}", "lead")


def nothing() -> None:
    """A page for a dashboard without an audit."""
    st.title("No audit to show")
    plain("There is no audit in the folder audits, and none was named.", "lead")
    st.code(
        "evenhand run --model reference/bert-skewed --suite occupations --out audits/mine\n"
        "evenhand dashboard audits/mine",
        language=None,
    )
