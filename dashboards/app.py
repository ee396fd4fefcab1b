"""The Streamlit app: ``evenhand dashboard`` starts it. Pages lie in ``dashboards.views``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from dashboards import frame
from dashboards.data import Opened
from dashboards.runs import runs
from dashboards.shown import ICON, STYLE, plain
from dashboards.views import (
    compare,
    explore,
    export,
    finding,
    findings,
    instrument,
    provenance,
    published,
    review,
    scorers,
)
from probes.errors import InputError

View = Callable[[Opened], None]

# Address, title, icon and function of each page, in the order of the sidebar. A comment and no string: the
# script that Streamlit runs shows strings that stand by themselves.
VIEWS: dict[str, tuple[str, str, View]] = {
    "findings": ("Findings", ":material/format_list_bulleted:", findings.page),
    "finding": ("A finding", ":material/search:", finding.page),
    "explore": ("Explore", ":material/table_chart:", explore.page),
    "compare": ("Compare", ":material/compare_arrows:", compare.page),
    "provenance": ("Provenance", ":material/account_tree:", provenance.page),
    "scorers": ("Scorers", ":material/straighten:", scorers.page),
    "instrument": ("Instrument", ":material/science:", instrument.page),
    "published": ("Published measures", ":material/menu_book:", published.page),
    "review": ("Review", ":material/rate_review:", review.page),
    "export": ("Export", ":material/download:", export.page),
}


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Evenhand", page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    # Here and not on a page: what is chosen holds on every page, and every page's address names it.
    chosen = frame.choose()
    if chosen is None and runs():
        title, icon, _ = VIEWS["published"]
        st.navigation([st.Page(alone, title=title, icon=icon, url_path="published", default=True)]).run()
        return
    pages = [
        st.Page(shown(view, chosen), title=title, icon=icon, url_path=path, default=path == "findings")
        for path, (title, icon, view) in VIEWS.items()
    ]
    st.session_state["pages"] = dict(zip(VIEWS, pages, strict=True))
    st.navigation(pages).run()


def shown(view: View, chosen: tuple[str, Path] | None) -> Callable[[], None]:
    """A view of the chosen audit with the frame around it."""

    def draw() -> None:
        if chosen is None:
            frame.nothing()
            return
        audit = frame.read(*chosen)
        if audit is None:
            return
        frame.ask_reviewer(audit.root)
        guarded(lambda: view(audit), audit.root)

    return draw


def alone() -> None:
    """The published measures where no audit is open beside them."""
    guarded(lambda: published.page(None), None)


def guarded(draw: Callable[[], None], root: Path | None) -> None:
    """Draw a page, or say what of it cannot be shown."""
    try:
        draw()
    except InputError as error:
        st.header("This part cannot be shown")
        for fault in error.faults:
            plain(str(fault), "banner", "div")
    except OSError as error:  # a folder that was moved or closed while its pages are open
        st.header("This part cannot be shown")
        plain(f"{error.filename or root}: cannot be read: {error.strerror}", "banner", "div")


if __name__ == "__main__":
    main()
