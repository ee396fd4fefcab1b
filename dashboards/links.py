"""Addresses: from page to page, with what is shown in the address, so that it can be shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboards.data import Opened

ROW = 66
"""Pixels of a row of findings: below 65 its text is cut at the first line."""
SAID = "address-"
"""Before the name of a parameter: key of the session, under which stands what these pages put there last."""


def page_of(name: str) -> Any:
    """A page of the app by its address."""
    return st.session_state["pages"][name]


def go(name: str, audit: Opened, **parameters: str) -> None:
    """Leave for another page of the same audit."""
    st.switch_page(page_of(name), query_params={"bundle": audit.name, **parameters})


def link(name: str, audit: Opened, label: str, icon: str | None = None, **parameters: str) -> None:
    """A link to another page of the same audit. ``label`` is this program's own text."""
    st.page_link(page_of(name), label=label, icon=icon, query_params={"bundle": audit.name, **parameters})


def findings_listed(audit: Opened, table: pd.DataFrame, alt: str, columns: Mapping[str, Any]) -> None:
    """A table of findings, with their ``id``; choosing a row leads to its finding."""
    event = st.dataframe(
        table,
        hide_index=True,
        height=min(38 + ROW * len(table), 9 * ROW),
        row_height=ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt=alt,
        column_config=columns,
    )
    chosen = event["selection"]["rows"]
    if chosen:
        go("finding", audit, finding=str(table["id"].iloc[chosen[0]]))


def one_of(name: str, key: str, options: Sequence[str]) -> str:
    """The key of a control that offers one of some options, and starts from what the address asks for.

    The address decides where the control is new, or where somebody else changed it: a link, a reader. Else
    the reader's choice stands, and :func:`keep` puts it into the address.

    Parameters
    ----------
    name : str
        Of the parameter.
    key : str
        Of the control; no other page's.
    """
    wanted = st.query_params.get(name)
    if changed(name, key) and wanted in options:
        st.session_state[key] = wanted
    elif key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    return key


def some_of(name: str, key: str, options: Sequence[str], wanted: Sequence[str]) -> str:
    """As :func:`one_of`, for a control that offers any number of options; ``wanted`` is what is asked for."""
    chosen = wanted if changed(name, key) else st.session_state.get(key, [])
    there = [value for value in dict.fromkeys(chosen) if value in options]
    if there != st.session_state.get(key, []):
        st.session_state[key] = there
    return key


def changed(name: str, key: str) -> bool:
    """Whether the address asks for something that no control of this page put there."""
    said = st.query_params.get_all(name)
    return bool(said) and (key not in st.session_state or said != st.session_state.get(SAID + name))


def asked(name: str, options: Sequence[str]) -> int:
    """The place of what the address asks for among some options; 0 where it asks for none of them."""
    wanted = st.query_params.get(name)
    return options.index(wanted) if wanted in options else 0


def keep(name: str, *values: str) -> None:
    """Put what is shown into the address; where nothing is, the parameter is taken out of it."""
    said = [value for value in values if value]
    if said and said != st.query_params.get_all(name):
        st.query_params[name] = said
    elif not said and name in st.query_params:
        del st.query_params[name]
    st.session_state[SAID + name] = said
