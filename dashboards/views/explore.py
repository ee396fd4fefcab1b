"""Explore: the scores of one suite by any columns, with n, saved by name, shareable, as CSV."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from audit.slices import slice_columns, slices
from dashboards import charts, data, links
from dashboards.data import Opened
from dashboards.reveal import offer
from dashboards.saved import forget, packed, save, saved, unpacked
from dashboards.shown import plain, veiled
from dashboards.words import TIPS, score_tip

ALL = "every model"
ROWS = 100
"""Items on a page."""
MOST_VALUES = 1000
"""Values of a column from which a filter can choose."""
MOST_COLUMNS = 3
"""Columns by which scores are sliced at a time."""
PARAMETERS = ("model", "suite", "by", "filters")


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Explore")
    plain(
        "Descriptive: slices are chosen after the answers were seen, so they carry no p-value and "
        "no verdict.",
        "note",
    )
    take_up(audit)
    suite, model, frame = chosen(audit)
    columns = slice_columns(frame)
    by = grouping(columns)
    kept = narrowed(frame, columns)
    measure = audit.measure(suite)
    tip = score_tip(measure.name if measure else "")
    st.header("Slices", help=TIPS["slice_mean"])
    table = slices(kept, by, 1 - audit.plan["alpha"])
    st.dataframe(
        table,
        hide_index=True,
        alt="Mean score by slice, with counts and intervals",
        column_config={
            "mean": st.column_config.NumberColumn(format="%+.4f", help=tip),
            "lo": st.column_config.NumberColumn(format="%+.4f", help=TIPS["slice_mean"]),
            "hi": st.column_config.NumberColumn(format="%+.4f", help=TIPS["slice_mean"]),
            "lost": st.column_config.NumberColumn(help=TIPS["lost"]),
        },
    )
    st.download_button("These slices as CSV", charts.csv(table), "slices.csv", "text/csv", on_click="ignore")
    keep_it(audit)
    items(audit, kept, f"{model}/{suite}")


def take_up(audit: Opened) -> None:
    """Offer the slices that were saved; choosing one leads to its address."""
    names = list(saved())
    if not names:
        return
    name = st.selectbox("Saved slices", names, index=None, placeholder="choose one", key="saved-slice")
    left, right = st.columns(2)
    if name and left.button("Open the saved slice"):
        links.go("explore", audit, **{k: v for k, v in saved()[name].items() if k in PARAMETERS})
    if name and right.button("Forget the saved slice"):
        reason = forget(name)
        if reason:
            plain(f"Not forgotten: {reason}", "banner", "div")
        else:
            st.rerun()


def chosen(audit: Opened) -> tuple[str, str, pd.DataFrame]:
    """Suite, model and their scores."""
    suites = list(dict.fromkeys(ask["suite"] for ask in audit.plan["asks"]))
    left, right = st.columns(2)
    suite = left.selectbox("Suite", suites, key=links.one_of("suite", "explore-suite", suites))
    links.keep("suite", suite)
    asked = [ask["model"] for ask in audit.plan["asks"] if ask["suite"] == suite]
    models = [*asked, ALL] if len(asked) > 1 else asked
    model = right.selectbox("Model", models, key=links.one_of("model", "explore-model", models))
    links.keep("model", model)
    if model != ALL:
        return suite, model, data.scores(audit, model, suite)
    return suite, model, pd.concat([data.scores(audit, each, suite) for each in asked], ignore_index=True)


def grouping(columns: list[str]) -> list[str]:
    """The columns to slice by."""
    wanted = st.query_params.get("by", "").split(",")[:MOST_COLUMNS]
    by = st.multiselect(
        "Slice by",
        columns,
        key=links.some_of("by", "explore-by", columns, wanted),
        max_selections=MOST_COLUMNS,
        placeholder="nothing: one slice",
    )
    links.keep("by", ",".join(by))
    return by


def narrowed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The rows that pass the filters, which stand in the address."""
    wanted = unpacked(st.query_params.get("filters", ""))
    filterable = [column for column in columns if frame[column].nunique() <= MOST_VALUES]
    shown = st.multiselect(
        "Filter by",
        filterable,
        key=links.some_of("filters", "explore-columns", filterable, list(wanted)),
        placeholder="nothing: all rows",
    )
    kept, chosen_values = frame, {}
    for column in shown:
        values = sorted({str(value) for value in frame[column].dropna().unique()})
        key = links.some_of("filters", f"filter-{column}", values, wanted.get(column, []))
        chosen_values[column] = st.multiselect(column, values, key=key)
        if chosen_values[column]:
            kept = kept[kept[column].astype(str).isin(chosen_values[column])]
    links.keep("filters", packed(chosen_values))
    plain(f"{len(kept):,} of {len(frame):,} scores, {kept['item'].nunique():,} items.", "note")
    return kept


def keep_it(audit: Opened) -> None:
    """Save what is shown by a name."""
    with st.form("save-slice", clear_on_submit=True):
        name = st.text_input("Save this view as", max_chars=60)
        if st.form_submit_button("Save view") and name.strip():
            reason = save(name.strip(), {key: st.query_params.get(key, "") for key in PARAMETERS})
            if reason:
                plain(f"Not saved: {reason}", "banner", "div")
            else:
                st.rerun()
    st.caption("The address of this page holds the whole view and can be shared.")


def items(audit: Opened, frame: pd.DataFrame, scope: str) -> None:
    """The scores of the slice, page by page."""
    st.header("The scores themselves")
    if frame.empty:
        plain("Nothing passes these filters.", "p")
        return
    pages = -(-len(frame) // ROWS)
    number = int(st.number_input(f"Page (1 to {pages:,})", 1, pages, 1)) if pages > 1 else 1
    part = frame.iloc[(number - 1) * ROWS : number * ROWS]
    written = part["output"].notna().any()
    shown = not written or offer(audit, f"explore/{scope}", "What the models wrote")
    axes = [c for c in part.columns if c.startswith("axis:") and frame[c].notna().any()]
    values = [c for c in part.columns if c.startswith("value:") and frame[c].notna().any()]
    columns = [
        "text",
        *(["output"] if written else []),
        "unit",
        "value",
        *values,
        "status",
        "reason",
        *axes,
        "family",
        "term",
        "setting",
        "item",
        "digest",
        "n",
    ]
    table = part[columns].copy()
    if written and not shown:
        table["output"] = [veiled(str(text)) if pd.notna(text) else None for text in table["output"]]
    st.dataframe(
        table,
        hide_index=True,
        height=420,
        alt=f"Scores, page {number} of {pages}",
        lazy=False,
        column_config={"text": st.column_config.TextColumn("question", width="large")},
    )
    name = f"scores-{number}.csv"
    st.download_button("This page as CSV", charts.csv(table), name, "text/csv", on_click="ignore")
