"""Findings: worst first, with nulls and open questions as visible as disparities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from audit.commands.show import coverage_notes
from audit.verdict import CONTROL_ALPHA
from audit.wording import MARKS, statement
from dashboards import charts, links, tables
from dashboards.data import Opened
from dashboards.shown import claim_text, plain
from dashboards.words import TIPS

FILTERS = (
    ("model", "Model"),
    ("suite", "Suite"),
    ("axis", "Axis"),
    ("group_label", "Group"),
    ("verdict", "Verdict"),
    ("severity", "Severity"),
    ("role", "Role"),
)
"""Fields that findings are filtered by, with their names."""

NAMES = {
    "disparity": "disparity",
    "no disparity within margin": "within margin",
    "inconclusive": "inconclusive",
    "invalid": "invalid",
}
PAGE = 25
"""Rows of a chart."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Findings")
    in_a_minute(audit)
    st.divider()
    rows = filtered(audit.rows)
    if not rows:
        plain("No finding passes these filters.", "lead")
        return
    listed(audit, rows)
    st.header("Size and certainty", help=TIPS["null_band"])
    forests(rows)
    not_measured(audit)


def in_a_minute(audit: Opened) -> None:
    """What an audit found, before any table."""
    plain(audit.plan["title"], "lead")
    found = tables.counts(audit.rows)
    for column, (verdict, count) in zip(st.columns(len(found)), found.items(), strict=True):
        column.metric(f"{MARKS[verdict]} {NAMES[verdict]}", count, border=True)
    worst = worst_of_each(audit.rows)
    if worst:
        st.markdown("**The most severe of each model and suite**", help=TIPS["severity"])
        for row in worst:
            left, right = st.columns([0.79, 0.21], vertical_alignment="center")
            with left:
                claim_text(f"{row['severity']}  {statement(row)}", "lead")
            with right:
                links.link("finding", audit, "Look into it", finding=row["id"])
    else:
        plain("No disparity was found. What was not measured, and what stayed open, stands below.", "lead")
    failing = [
        row for row in audit.findings["controls"] if row["aa_p"] is not None and row["aa_p"] < CONTROL_ALPHA
    ]
    state = f"{len(failing)} A/A controls fail" if failing else "No A/A control fails"
    declared = audit.findings["summary"]["hypotheses"]
    plain(
        f"{state}. {declared} hypotheses were declared before the first question. "
        f"The instrument: {audit.findings['instrument']['text']}. There is no overall score.",
        "note",
    )


def worst_of_each(rows: Sequence[Mapping[str, Any]], most: int = 5) -> list[Mapping[str, Any]]:
    """The first disparity of each model and suite, at most ``most`` of them, of findings worst first."""
    best: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        if row["verdict"] == "disparity":
            best.setdefault((row["model"], row["suite"]), row)
    return list(best.values())[:most]


def filtered(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings that the reader asks for; the filters stand in the address."""
    kept = list(rows)
    columns = st.columns(len(FILTERS))
    for column, (field, name) in zip(columns, FILTERS, strict=True):
        options = sorted(tables.choices(rows, field))
        wanted = column.multiselect(
            name,
            options,
            key=links.some_of(field, f"findings-{field}", options, st.query_params.get_all(field)),
            placeholder="all",
            help=TIPS.get(field),
            format_func=lambda value: NAMES.get(value, value),
        )
        if wanted:
            kept = [row for row in kept if str(row[field]) in wanted]
        links.keep(field, *wanted)
    plain(f"{len(kept)} of {len(rows)} findings, worst first.", "note")
    return kept


def listed(audit: Opened, rows: Sequence[dict[str, Any]]) -> None:
    """The table; choosing a row leads to the finding."""
    table = tables.findings_table(rows)
    links.findings_listed(
        audit,
        table,
        "Findings, worst first; choose a row to open the finding",
        {
            "verdict": st.column_config.TextColumn(help=TIPS["verdict"]),
            "severity": st.column_config.TextColumn(width="small", help=TIPS["severity"]),
            "claim": st.column_config.TextColumn(width="large"),
            "estimate": st.column_config.TextColumn(help=f"{TIPS['estimate']} {TIPS['interval']}"),
            "n": st.column_config.TextColumn(help=TIPS["n"]),
            "p adj.": st.column_config.TextColumn(width="small", help=TIPS["p_adjusted"]),
            "coverage": st.column_config.NumberColumn(format="percent", help=TIPS["coverage"]),
            "not scored": st.column_config.NumberColumn(format="percent", help=TIPS["invalid_rate"]),
            "what next, or why not": st.column_config.TextColumn(width="large", help=TIPS["needs"]),
        },
    )
    left, right = st.columns([0.7, 0.3])
    left.caption("Choose a row by the box at its left, or by Shift and Space, to open the finding.")
    right.download_button(
        "This table as CSV", charts.csv(table), "findings.csv", "text/csv", on_click="ignore", width="stretch"
    )


def forests(rows: Sequence[dict[str, Any]]) -> None:
    """A forest plot for each measure, page by page: what is large, and which side is worse, differs."""
    for measure in tables.choices(rows, "measure"):
        own = [row for row in rows if row["measure"] == measure]
        pages = -(-len(own) // PAGE)
        start = 0
        if pages > 1:
            chosen = st.number_input(
                f"Part of the chart of {measure.replace('_', ' ')} (1 to {pages})",
                1,
                pages,
                1,
                key=f"forest-{measure}",
            )
            start = (int(chosen) - 1) * PAGE
        charts.forest(own[start : start + PAGE], measure)


def not_measured(audit: Opened) -> None:
    """What was not asked, not scored, or is doubtful."""
    st.header("Not measured, and doubtful")
    notes = coverage_notes(audit.findings)
    if not notes:
        plain("Every question of the plan was asked and scored, and no answer was split unequally.", "p")
    for note in notes:
        plain(f"– {note}", "p")
