"""Compare: what is different in a second audit, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from audit.commands.show import number
from audit.compare import compare_bundles
from dashboards import charts, data, frame, links
from dashboards.data import Opened, Signature
from dashboards.shown import grid, plain
from dashboards.words import TIPS
from reports.charts.changes import changes as changes_chart
from reports.charts.changes import described_changes

THIS, OTHER = "this audit", "the other"
"""Which of two audits came first."""
SHOWN = 40
"""Changes in a chart."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Compare")
    others = frame.others(audit.name)
    if not others:
        plain("Only one audit is open. Start the dashboard with two:", "lead")
        st.code("evenhand dashboard audits/before audits/after", language="sh")
        return
    names = list(others)
    left, right = st.columns(2)
    with left:
        other = st.selectbox("Held against", names, key=links.one_of("other", "compare-other", names))
        links.keep("other", other)
    with right:
        first = st.radio(
            "Which came first",
            (THIS, OTHER),
            horizontal=True,
        )
    if frame.read(other, others[other]) is None:
        return
    before, after = (audit.root, others[other]) if first == THIS else (others[other], audit.root)
    models = pairing(audit, data.opened(other, others[other]), first == THIS)
    found = compared(str(before), data.signature(before), str(after), data.signature(after), models)
    changes_of_plan(found)
    changes(found)
    flips(found)
    unmatched(found)


def pairing(audit: Opened, other: Opened, first: bool) -> tuple[str, str] | None:
    """Which model is held against which, where their names do not say it."""
    own = [model["id"] for model in audit.plan["models"]]
    theirs = [model["id"] for model in other.plan["models"]]
    if set(own) & set(theirs) or (len(own) == 1 and len(theirs) == 1):
        return None
    left, right = st.columns(2)
    one = left.selectbox("Model of this audit", own)
    two = right.selectbox("Model of the other", theirs)
    return (one, two) if first else (two, one)


@st.cache_data(show_spinner="Comparing item by item …", max_entries=8)
def compared(
    before: str, sign: Signature, after: str, other_sign: Signature, models: tuple[str, str] | None
) -> dict[str, Any]:
    """The comparison."""
    return compare_bundles(Path(before), Path(after), models=models)


def changes_of_plan(found: Mapping[str, Any]) -> None:
    """What was decided or ran otherwise."""
    st.header("What is different in the plan")
    for row in (*found["plan_changes"], *found["environment_changes"]):
        plain(f"– {row['text']}", "p")
    if not found["plan_changes"]:
        plain("The plans ask the same of the same models.", "p")
    for row in found["unpaired"]:
        plain(f"– {row['model']}, only {row['when']}: {row['reason']}", "p")


def counted(rows: Sequence[Mapping[str, Any]]) -> str:
    """Findings by verdict, in words."""
    verdicts = dict.fromkeys(row["verdict"] for row in rows)
    return ", ".join(f"{sum(row['verdict'] == verdict for row in rows)} {verdict}" for verdict in verdicts)


def changes(found: Mapping[str, Any]) -> None:
    """What became of each finding, worst change first."""
    st.header("What changed, item by item")
    rows = found["findings"]
    if not rows:
        plain("The audits share no hypothesis that can be compared.", "lead")
        return
    plain(f"{counted(rows)}. The change is after minus before on the same questions, worst first.", "lead")
    plain(
        "Before and after are those of the same questions, too, and may differ from the findings of the two "
        "audits; where nothing could be compared they are the findings.",
        "note",
    )
    table = pd.DataFrame([table_row(row) for row in rows])
    column = st.column_config.NumberColumn
    figures = ("before", "after", "change by", "low", "high")
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 480),
        alt="What became of each finding, worst change first",
        column_config={name: column(format="%+.3f") for name in figures}
        | {
            "p adj.": column(format="%.3g", help=TIPS["p_adjusted"]),
            "change": st.column_config.TextColumn(pinned=True, help=TIPS["change"]),
        },
    )
    st.download_button(
        "These changes as CSV", charts.csv(table), "changes.csv", "text/csv", on_click="ignore"
    )
    for unit in dict.fromkeys(row["unit"] for row in rows):
        own = [row for row in rows if row["unit"] == unit][:SHOWN]
        marks = [drawn_row(row) for row in own]
        chart = charts.made(changes_chart, marks, own[0]["scale"])
        charts.draw(chart, described_changes(marks), pd.DataFrame(marks), f"changes-{unit}")


def table_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change as a row of words and figures."""
    change = row["change"] or {}
    interval = change.get("ci") or {}
    return {
        "change": row["verdict"],
        "direction": row["direction"] or "",
        "group": row["group_label"],
        "reference": row["reference_label"],
        "suite": row["suite"],
        **sides(row),
        "change by": change.get("estimate"),
        "low": interval.get("lo"),
        "high": interval.get("hi"),
        "p adj.": change.get("p_adjusted"),
        "verdict before": row["before"]["verdict"],
        "verdict after": row["after"]["verdict"],
        "models": f"{row['model_before']} / {row['model_after']}",
        "notes": "; ".join([*row["reasons"], *row["notes"], *filter(None, [row["undefined"]])]),
    }


def sides(row: Mapping[str, Any]) -> dict[str, float | None]:
    """The contrast before and after on the questions that are compared, so that the change lies between them.

    Examples
    --------
    >>> found = {"before": {"estimate": 0.5}, "after": {"estimate": 0.9}, "change": None}
    >>> sides(found)
    {'before': 0.5, 'after': 0.9}
    >>> sides({**found, "change": {"matched_before": 0.4, "matched_after": 0.9}})
    {'before': 0.4, 'after': 0.9}
    """
    change = row["change"]
    if change is None:
        return {side: row[side]["estimate"] for side in ("before", "after")}
    return {side: change[f"matched_{side}"] for side in ("before", "after")}


def drawn_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change as the chart takes it."""
    change = row["change"] or {}
    interval = change.get("ci") or {}
    return {
        "label": f"{row['group_label']} / {row['reference_label']} ({row['suite']})",
        **sides(row),
        "change": change.get("estimate"),
        "lo": interval.get("lo"),
        "hi": interval.get("hi"),
        "verdict": row["verdict"],
        "reason": row["undefined"] or "",
    }


FLIPPED = {"preference": "the preferred answer", "tone": "the class of a prompt's texts"}
"""What may be another one after, by kind."""


def flips(found: Mapping[str, Any]) -> None:
    """Items whose preferred answer, or class, is another one now."""
    st.header("Flipped items", help=TIPS["flip"])
    plain(found["flips_note"], "note")
    for row in found["flips"]:
        pair = found["pairs"][row["pair"]]
        name = f"{row['suite']}, {pair['before']['id']} / {pair['after']['id']}"
        plain(f"{name}: {row['flipped']:,} of {row['rows']:,} flipped ({FLIPPED[row['kind']]}).", "lead")
        if row["transitions"]:
            grid(
                tuple(row["transitions"][0]),
                [tuple(each.values()) for each in row["transitions"]],
                "From and to",
            )
        if row["groups"]:
            with st.expander("By group"):
                table = pd.DataFrame(row["groups"])
                st.dataframe(table, hide_index=True, alt=f"Flips by group: {row['suite']}")
        if row["items"]:
            table = pd.DataFrame(row["items"])
            st.dataframe(
                table,
                hide_index=True,
                height=min(38 + 35 * len(table), 320),
                alt=f"Flipped items, farthest move first: {row['suite']}",
                column_config={"text": st.column_config.TextColumn(width="large", pinned=True)},
            )


def unmatched(found: Mapping[str, Any]) -> None:
    """What could not be held against anything, by reason."""
    st.header("How much was compared")
    rows = [
        (
            row["suite"],
            row["arm"],
            f"{row['rows']:,}",
            f"{row['matched']:,}",
            "; ".join(f"{each['rows']:,} {each['reason']}" for each in row["unmatched"]) or "none",
        )
        for row in found["matching"]
    ]
    grid(
        ("suite", "arm", "scores", "matched", "not matched, by reason"),
        rows,
        "Scores put together, suite by suite",
    )
    alone = found["not_compared"]
    if alone:
        with st.expander(f"Not compared as a whole: {len(alone):,}"):
            table = pd.DataFrame(
                [
                    {
                        "in": row["when"],
                        "suite": row["suite"],
                        "hypothesis": row["id"] or "all of the suite",
                        "why not": row["reason"],
                    }
                    for row in alone
                ]
            )
            st.dataframe(table, hide_index=True, alt="Suites and hypotheses that were not compared, and why")
    moved = [
        (
            row["suite"],
            row["arm"],
            f"{row['rows']:,}",
            f"{row['alike']:,}",
            number(row["mean_absolute_move"], ".3f"),
            number(row["mean_move"], "+.3f"),
            number(row["correlation"], "+.3f"),
        )
        for row in found["overall"]
    ]
    grid(
        ("suite", "arm", "scores", "same raw answer", "mean size of the move", "mean move", "correlation"),
        moved,
        "How far the answers moved",
    )
