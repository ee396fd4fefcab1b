"""What people say of a finding: its status, their comments, and how to add to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from audit.review.log import why_not_kept
from dashboards import data
from dashboards.data import Opened
from dashboards.frame import reviewer
from dashboards.keeping import keep
from dashboards.shown import escaped, plain, quoted

STATUSES = ("open", "accepted", "disputed")
MEANING = {
    "open": "nobody has decided",
    "accepted": "a reviewer stands behind the machine's verdict",
    "disputed": "a reviewer does not, and says why",
}


def standing(audit: Opened, row: Mapping[str, Any]) -> None:
    """Status and comments of a finding, with a form for each."""
    reviews = data.reviews(audit)
    events = [event for event in reviews.events if event.finding == row["id"]]
    status = next((event for event in reversed(events) if event.kind == "status"), None)
    st.header("Status")
    now = "open" if status is None else status.fields["status"]
    plain(f"{now}: {MEANING[now]}.", "lead")
    for event in events:
        what = event.fields.get("status") or "comment"
        plain(f"{event.at} · {event.reviewer} · {what}", "note")
        words = event.fields.get("text") or event.fields.get("reason")
        if words:
            quoted(escaped(words), f"What {event.reviewer} wrote")
    stale = {event.n for event in reviews.stale(audit.findings)}
    if any(event.n in stale for event in events):
        plain("Some of this was written about other records than those shown here.", "banner", "div")
    reason = why_not_kept(audit.root)
    if reason:
        plain(f"Nothing can be added: {reason}", "banner", "div")
        return
    if not reviewer():
        plain("Give your name in the sidebar to add to this.", "note")
        return
    # Named by what was said so far: what could not be kept stays in the form, what was kept leaves it.
    with st.form(f"status-{row['id']}-{len(events)}"):
        chosen = st.radio(
            "New status",
            STATUSES,
            index=STATUSES.index(now),
            horizontal=True,
            captions=[MEANING[each] for each in STATUSES],
        )
        why = st.text_area("Reason (needed to dispute)", max_chars=10_000)
        if st.form_submit_button("Keep status"):
            said = {"kind": "status", "finding": row["id"], "status": chosen, "reason": why.strip()}
            if keep(audit, said):
                st.rerun()
    with st.form(f"comment-{row['id']}-{len(events)}"):
        text = st.text_area("Comment", max_chars=10_000)
        asked = st.form_submit_button("Keep comment") and text.strip()
        if asked and keep(audit, {"kind": "comment", "finding": row["id"], "text": text.strip()}):
            st.rerun()
