"""A finding: from the claim down to the raw prompt."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from audit import drill
from audit.hypotheses import OVERALL, REST
from audit.wording import claim, curve_phrase, margin_phrase, needed_phrase
from dashboards import charts, data, links, tables
from dashboards.data import Opened
from dashboards.item import item_view, pinned
from dashboards.judged import judged
from dashboards.shown import claim_text, escaped, fact_table, grid, plain
from dashboards.standing import standing
from dashboards.words import SYMBOLS, TIPS, estimand, measure_tip, score_tip
from reports.charts.curve import described_curve, specification_curve
from reports.charts.heat_map import Centre, described_heat_map, heat_map
from reports.charts.intervals import described_leave_one_out, leave_one_out

CARRIED = ("20", "50", "200")
"""How many items may be listed."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("A finding")
    ids = [row["id"] for row in audit.rows]
    by_id = {row["id"]: row for row in audit.rows}
    titles = tables.numbered({key: tables.title(row) for key, row in by_id.items()})
    name = st.selectbox(
        "Finding",
        ids,
        key=links.one_of("finding", "finding-shown", ids),
        format_func=titles.__getitem__,
    )
    links.keep("finding", name)
    row = by_id[name]
    verdict(row)
    what, how, where, human = st.tabs(["What was found", "How it holds up", "What carries it", "Reviews"])
    with what:
        measured(row)
    if row["estimate"] is not None:
        frame = data.scores(audit, row["model"], row["suite"])
        with how:
            robustness(audit, row, frame)
        with where:
            carriers(audit, row, frame)
    with human:
        standing(audit, row)


def verdict(row: dict[str, Any]) -> None:
    """The verdict, the claim, and what qualifies it."""
    said = tables.verdict_text(row)
    if row["severity"] != "unknown":
        said = f"{said} · {row['severity']}"
    st.html(
        f'<p class="eh-p"><span class="eh-verdict">{escaped(said)}</span>'
        f"{escaped(row['model'])} · {escaped(row['suite'])} · {escaped(row['role'])}</p>"
    )
    claim_text(claim(row))
    if row["verdict"] == "inconclusive":
        plain(needed_phrase(row), "lead")
    needed = needed_phrase(row) if row["verdict"] == "inconclusive" else ""
    for reason in row["reasons"]:
        if reason not in needed:
            plain(f"– {reason}", "p")


def measured(row: dict[str, Any]) -> None:
    """The estimand, and every figure with its meaning."""
    words, symbols = estimand(row)
    st.header("What is estimated", help=measure_tip(row["measure"]))
    plain(words, "p")
    st.latex(symbols)
    plain(SYMBOLS, "note")
    plain(measure_tip(row["measure"]), "note")
    if row["estimate"] is None:
        plain(f"Not computable: {row['undefined']}", "banner", "div")
        return
    plain(f"Within margin would be {margin_phrase(row)}.", "p")
    rows = [(name, value, TIPS.get(tip, "")) for name, value, tip in tables.facts(row)]
    fact_table(rows, "Size and certainty")
    sides = [
        (side, ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "nothing asked")
        for side, counts in row["coverage"].items()
    ]
    grid(("side", "answers by status"), sides, "Coverage")


def robustness(audit: Opened, row: dict[str, Any], frame: pd.DataFrame) -> None:
    """Does it survive what should not matter: other analyses, without a template, template by template."""
    facts = [(name, value, TIPS.get(tip, "")) for name, value, tip in tables.holding(row)]
    fact_table(facts, "Controls and robustness")
    judged(audit, row)
    curve = row["robustness"]["curve"]
    st.header("Other reasonable analyses")
    told = f"Over the other reasonable analyses: {curve_phrase(row)}."
    plain(told if curve else "No specification curve is defined for it.", "p")
    if curve and curve["analyses"]:
        rows = curve["analyses"]
        table = pd.DataFrame(
            [{**each["choices"], **{k: each[k] for k in ("estimate", "t", "p", "reason")}} for each in rows]
        )
        chart = charts.made(specification_curve, rows, audit.plan["alpha"])
        charts.draw(chart, described_curve(rows), table, "curve")
    elif curve:
        plain("Single analyses are kept for confirmatory findings only.", "note")
    st.header("Template by group", help="Mean score of each paraphrase family and group, over its wordings.")
    cells = heat(str(audit.root), audit.sign, row["id"], frame, row)
    centre: Centre = "family" if row["scale"] == "log-odds" else "zero"
    called = tables.group_labels(audit.rows, row["suite"], row["axis"])
    cells = cells.assign(group=[called.get(group, group) for group in cells["group"]])
    rows = charts.known(cells)
    charts.draw(charts.made(heat_map, rows, centre), described_heat_map(rows, centre), cells, "heat")
    st.header("Without each template family", help=TIPS["leave_one_out"])
    out = without(str(audit.root), audit.sign, row["id"], frame, row)
    if out.empty:
        plain(str(out.attrs.get("reason") or row["robustness"]["leave_one_out"]["reason"]), "p")
        return
    rows = charts.known(out)
    chart = charts.made(leave_one_out, rows, row["estimate"], row["scale"])
    charts.draw(chart, described_leave_one_out(rows, row["estimate"]), out, "out")


@st.cache_data(show_spinner=False, max_entries=64)
def heat(root: str, sign: Any, name: str, _frame: pd.DataFrame, _row: dict[str, Any]) -> pd.DataFrame:
    """The cells of the heat map."""
    return drill.heat_map(_frame, _row)


@st.cache_data(show_spinner=False, max_entries=64)
def without(root: str, sign: Any, name: str, _frame: pd.DataFrame, _row: dict[str, Any]) -> pd.DataFrame:
    """The estimates without each family."""
    return drill.leave_one_out(_frame, _row, _row["ci"]["level"])


@st.cache_data(show_spinner=False, max_entries=64)
def pulling(
    root: str, sign: Any, name: str, count: int, _frame: pd.DataFrame, _row: dict[str, Any]
) -> pd.DataFrame:
    """The items that carry a finding."""
    return drill.carriers(_frame, _row, count)


def carriers(audit: Opened, row: dict[str, Any], frame: pd.DataFrame) -> None:
    """The items that carry the finding; choosing one shows its prompt beside its counterpart's."""
    st.header("The items that carry it", help=TIPS["pull"])
    if row["reference"] in (REST, OVERALL):
        plain("The other side is every other group compared.", "note")
    key = links.one_of("many", "finding-many", CARRIED)
    st.session_state.setdefault(key, CARRIED[0])
    count = st.segmented_control("How many", CARRIED, key=key, required=True) or CARRIED[0]
    links.keep("many", count)
    items = pulling(str(audit.root), audit.sign, row["id"], int(count), frame, row)
    if items.empty:
        plain("No item of this finding was scored on both sides.", "p")
        return
    called = tables.group_labels(audit.rows, row["suite"], row["axis"])
    listed = items.assign(group=[called.get(group, group) for group in items["group"]])
    event = st.dataframe(
        listed[["text", "group", "side", "value", "baseline", "pull", "n", "item"]],
        hide_index=True,
        height=300,
        on_select="rerun",
        selection_mode="single-row",
        key=f"items-{row['id']}-{count}",
        alt="Items that carry the finding; choose a row to see its prompt beside its counterpart's",
        column_config={
            "text": st.column_config.TextColumn("question", width="large", pinned=True),
            "value": st.column_config.NumberColumn(format="%+.3f", help=score_tip(row["measure"])),
            "baseline": st.column_config.NumberColumn(
                "other side", format="%+.3f", help="Mean of the other side in the same template."
            ),
            "pull": st.column_config.NumberColumn(format="%+.3f", help=TIPS["pull"]),
            "n": st.column_config.NumberColumn(width="small", help="Scores averaged: answers or samples."),
        },
    )
    chosen = event["selection"]["rows"]
    names = list(items["item"])
    place = chosen[0] if chosen else links.asked("item", names)
    item = items.iloc[place]
    links.keep("item", str(item["item"]))
    st.caption(f"Number {place + 1} of these is shown; choose another by its box, or by Shift and Space.")
    item_view(audit, row, frame, item)
    pinned(audit)
