"""Text that a model wrote may hurt: it is shown to whoever asks for it, and that they asked is kept."""

from __future__ import annotations

import html

import streamlit as st

from audit.redaction.withheld import NOT_HERE, withheld
from audit.review.log import why_not_kept
from dashboards.data import Opened
from dashboards.frame import reviewer
from dashboards.keeping import keep
from dashboards.shown import escaped, plain, quoted, veiled

SEEN = "revealed"
"""Key of the session: the scopes that were asked for."""


def is_shown(audit: Opened, scope: str) -> bool:
    """Whether the reader asked to see what belongs to a scope."""
    return f"{audit.name}/{scope}" in st.session_state.setdefault(SEEN, set())


def offer(audit: Opened, scope: str, what: str, place: str = "") -> bool:
    """A button that shows the text of a scope; whether it is shown.

    Parameters
    ----------
    scope : str
        What is shown, as the log names it: an item, a queue, a page of a table.
    what : str
        This program's words for it, after "Show".
    place : str
        Where on the page the button stands, where one scope has several.

    A redacted copy has nothing to hide: what stands in the place of its texts is shown, and said to be that.
    """
    if audit.redacted:
        plain(NOT_HERE, "note")
        return True
    if is_shown(audit, scope):
        return True
    reason = why_not_kept(audit.root)
    if not reason and not reviewer():
        plain(
            f"{what} is hidden: a model wrote it and it may hurt. Give your name in the sidebar to see it; "
            "that you did is kept with the reviews.",
            "note",
        )
        return False
    note = f"This cannot be logged: {reason}" if reason else "Logged with your name."
    if not st.button(f"Show {what[0].lower()}{what[1:]}", key=f"reveal-{scope}-{place}"):
        plain(f"{what} is hidden: a model wrote it and it may hurt. {note}", "note")
        return False
    if not reason and not keep(audit, {"kind": "reveal", "scope": scope}):
        return False
    st.session_state[SEEN].add(f"{audit.name}/{scope}")
    st.rerun()


def offer_published(run: str, scope: str) -> bool:
    """As :func:`offer`, of one item of a published measure: others wrote it, and a run keeps no reviews."""
    key = f"{run}/{scope}"
    seen = st.session_state.setdefault(SEEN, set())
    if key in seen:
        return True
    if st.button("Show the texts of this item", key=f"reveal-{key}"):
        seen.add(key)
        st.rerun()
    plain(
        "The texts are hidden: others published them to test models, a model may have gone on from them, and "
        "they may hurt. That you ask is not kept: a run of a published measure holds no reviews.",
        "note",
    )
    return False


def output(text: str, shown: bool, label: str) -> None:
    """A text that a model wrote, or its shape."""
    if shown:
        quoted(escaped(text), label)
        return
    quoted(
        f'<span aria-hidden="true" class="eh-veil">{html.escape(veiled(text))}</span>'
        f"<span> {html.escape(str(withheld(text)))}</span>",
        label,
    )
