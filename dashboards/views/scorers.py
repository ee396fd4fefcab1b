"""Scorers: who judged the text, how far they agree, what they get wrong, and what hangs on a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from audit import drill
from audit.analysis.estimates import axis_rows
from audit.analysis.found import Setting
from audit.analysis.thresholds import family_curves
from audit.commands.show import number
from audit.measures import MEASURES, Measure
from audit.scorers.agreement import agreement
from audit.scorers.audit_cache import cached_audit
from dashboards import charts, data, tables
from dashboards.data import Opened, Signature
from dashboards.shown import grid, plain
from dashboards.words import TIPS
from reports.charts.thresholds import described_thresholds, threshold_curve

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 15))
"""A text counts as negative where its score is at most minus one of these, 0 to 1."""


def page(audit: Opened) -> None:
    """Draw the page."""
    st.title("Scorers")
    asked = [(ask["model"], ask["suite"], audit.measure(ask["suite"])) for ask in audit.plan["asks"]]
    scored = [(model, suite, measure) for model, suite, measure in asked if measure and measure.scorers]
    if not scored:
        plain(
            "No text was judged by a scorer in this audit: every value was read off the model's own "
            "probabilities.",
            "lead",
        )
        return
    plain(
        "A scorer is an instrument with faults of its own. A disparity that two scorers contradict is "
        "inconclusive.",
        "p",
    )
    labels = [f"{suite}, written by {model}" for model, suite, _ in scored]
    model, suite, measure = scored[labels.index(st.selectbox("Texts", labels))]
    data.sidecar(audit)  # now, so that the page shows how far a building is
    agree(audit, model, suite, measure)
    threshold(audit, model, suite, measure)
    own_audits(measure)


def agree(audit: Opened, model: str, suite: str, measure: Measure) -> None:
    """How far the scorers agree on the texts of this audit."""
    st.header("Agreement on these texts", help=f"{TIPS['kappa']} {TIPS['rank_correlation']}")
    for pair in agreed(str(audit.root), audit.sign, model, suite, measure.name)["pairs"]:
        first, second = pair["scorers"]
        told = pair["overall"]
        rows = [
            ("texts that both scored", f"{told['n']:,}"),
            ("that only one scored", f"{told['n_one_only']:,}"),
            ("rank correlation", estimated(told["spearman"], "{:+.2f}")),
            ("same class", estimated(told["class_agreement"], "{:.0%}")),
            ("Cohen's kappa of the classes", estimated(told["kappa"], "{:+.2f}")),
            ("one calls negative what the other calls positive", f"{told['n_opposite']:,}"),
        ]
        grid(("what", "value"), rows, f"{first} and {second}")


def estimated(found: Mapping[str, Any], form: str) -> str:
    """A figure with its interval, or why there is none."""
    if found["estimate"] is None:
        return f"undefined: {found['reason']}"
    if found["lo"] is None:
        return form.format(found["estimate"])
    return f"{form.format(found['estimate'])} [{form.format(found['lo'])}, {form.format(found['hi'])}]"


@st.cache_data(show_spinner=False, max_entries=16)
def agreed(root: str, sign: Signature, model: str, suite: str, measure: str) -> dict[str, Any]:
    """Agreement of each pair of scorers."""
    return agreement(data.scores_of(root, sign, model, suite), MEASURES[measure].scorers)


def threshold(audit: Opened, model: str, suite: str, measure: Measure) -> None:
    """How the share of negative texts moves with the score from which a text counts as negative."""
    st.header("If a text counts as negative from here on", help=TIPS["threshold"])
    rows = [
        row
        for row in audit.rows
        if row["model"] == model and row["suite"] == suite and not row.get("sequential")
    ]
    if not rows:
        plain(
            "These texts were asked until decided: their streams stop by the mean, and no other reading is "
            "defined for them.",
            "p",
        )
        return
    value = st.select_slider("Threshold", THRESHOLDS, value=THRESHOLDS[0], help=TIPS["threshold"])
    by_id = {row["id"]: row for row in rows}
    titles = tables.numbered({key: tables.title(row) for key, row in by_id.items()})
    name = st.selectbox("Finding", list(titles), format_func=titles.__getitem__)
    row = by_id[name]
    curves = [
        step
        for scorer in measure.scorers
        for step in moved(str(audit.root), audit.sign, row["family"], scorer, audit)[name]
    ]
    at = [step for step in curves if step["threshold"] == value]
    grid(
        ("scorer", "negative in the group", "negative in the reference", "difference", "p adj.", "it says"),
        [
            (
                step["scorer"],
                number(step["share_group"], ".1%"),
                number(step["share_reference"], ".1%"),
                number(step["estimate"], "+.3f"),
                number(step["p_adjusted"], ".3g"),
                SAYS.get(step["states"], step["reason"]),
            )
            for step in at
        ],
        f"At {value}: share of texts that count as negative",
    )
    plain(
        f"The audit's own verdict, on mean scores: {tables.verdict_text(row)}. No margin was declared for "
        "shares, so none of these says within margin, and no threshold's answer is a finding. The two shares "
        "are counted over all texts; the difference weighs templates and terms as the finding does, and may "
        "not be the one share less the other. Thresholds are not corrected for one another.",
        "note",
    )
    steps = [{**step, "verdict": VERDICTS.get(step["states"], "invalid")} for step in curves]
    charts.draw(
        charts.made(threshold_curve, steps),
        described_thresholds(steps),
        pd.DataFrame(curves),
        "threshold",
    )


SAYS = {
    "higher": "● more negative texts in the group",
    "lower": "● fewer negative texts in the group",
    "inconclusive": "? inconclusive",
}
VERDICTS = {"higher": "disparity", "lower": "disparity", "inconclusive": "inconclusive"}
"""How a statement about shares is drawn."""


@st.cache_data(show_spinner=False, max_entries=64)
def moved(
    root: str, sign: Signature, family: str, scorer: str, _audit: Opened
) -> dict[str, list[dict[str, Any]]]:
    """The contrast of the share of negative texts at each threshold, for every finding of a family."""
    members = [row for row in _audit.rows if row["family"] == family]
    declared = [drill.hypothesis_of(row) for row in members]
    frame = data.scores_of(root, sign, members[0]["model"], members[0]["suite"])
    rows = axis_rows(drill.own_rows(frame, members[0]), declared[0])
    setting = Setting(
        _audit.plan["alpha"], _audit.plan["seed"], data.suites_of(root, sign), _audit.plan["correction"]
    )
    curves = family_curves(rows, declared, scorer, THRESHOLDS, setting)
    return {name: [step.to_json() for step in steps] for name, steps in curves.items()}


def own_audits(measure: Measure) -> None:
    """Each scorer's own audit: what it makes of neutral sentences that name a group."""
    st.header("Each scorer's own audit")
    plain(
        "Neutral sentences of our own, with the words that name groups: what a scorer calls negative there, "
        "it gets wrong, and if it does so for one group more than for another, it makes disparities.",
        "p",
    )
    for scorer in measure.scorers:
        audited(scorer)


def audited(scorer: str) -> None:
    """One scorer's gaps, and what it makes of negation, spelling and length."""
    found = audit_of(scorer)
    st.subheader(scorer)
    plain(f"{found['texts']:,} sentences of ours.", "note")
    table = pd.DataFrame([gap_row(axis, kind) for axis in found["axes"] for kind in axis["gap"]])
    st.dataframe(
        table,
        hide_index=True,
        alt=f"The largest gap that {scorer} makes between two groups, by axis",
        column_config={
            "gap": st.column_config.NumberColumn(format="%+.3f", help=TIPS["gap"]),
            "low": st.column_config.NumberColumn(format="%+.3f"),
            "high": st.column_config.NumberColumn(format="%+.3f"),
            "p, corrected": st.column_config.NumberColumn(format="%.3g"),
        },
    )
    with st.expander(f"Every group, as {scorer} reads neutral sentences about it"):
        groups = pd.DataFrame([group_row(axis, group) for axis in found["axes"] for group in axis["groups"]])
        st.dataframe(groups, hide_index=True, alt=f"What {scorer} calls neutral sentences, by group")
    with st.expander(f"Words that move {scorer} most"):
        words = pd.DataFrame(
            [
                {
                    "word": term["word"],
                    "group": term["group"],
                    "in": term["kind"],
                    "departure": term["departure"],
                    "mean": term["mean"],
                    "a sentence": term["sentences"][0]["text"],
                }
                for axis in found["axes"]
                for term in axis["worst_terms"]
            ]
        )
        if words.empty:
            plain("No word moves it.", "p")
        else:
            st.dataframe(words, hide_index=True, alt=f"Words that move {scorer} most")
    with st.expander(f"Spelling, negation and length, as {scorer} takes them"):
        for rows, what in (
            (found["robustness"], "Changes of spelling"),
            (found["length"], "Added text that says nothing"),
            ([{"kind": kind, **told} for kind, told in found["kinds"].items()], "Each kind of sentence"),
        ):
            st.caption(what)
            st.dataframe(
                pd.DataFrame([told_row(row) for row in rows]), hide_index=True, alt=f"{what}: {scorer}"
            )


@st.cache_data(show_spinner="Auditing the scorer …", max_entries=8)
def audit_of(scorer: str) -> dict[str, Any]:
    """A scorer's own audit."""
    return cached_audit(scorer)


def gap_row(axis: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The largest gap of an axis on one kind of sentences; no interval and no p where nothing spreads."""
    gap = axis["gap"][kind]
    spread = not gap["reason"]
    labels = {group["group"]: group["label"] for group in axis["groups"]}
    return {
        "axis": axis["label"],
        "sentences": kind,
        "reads worst": labels.get(gap["lower"], "none differs"),
        "reads best": labels.get(gap["higher"], "none differs"),
        "gap": gap["estimate"],
        "low": gap["lo"] if spread else None,
        "high": gap["hi"] if spread else None,
        "p, corrected": gap["p_adjusted"] if spread else None,
        "why not": gap["reason"],
    }


def told_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a scorer's audit in words: shares with their intervals, the text that moved farthest."""
    cells: dict[str, Any] = {}
    for key, value in row.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping) and "estimate" in value:
            cells[name] = estimated(value, "{:+.3f}" if key == "mean" else "{:.1%}")
        elif isinstance(value, Mapping):
            cells[name] = f"{value['text']} ({value['before']:+.2f} before, {value['after']:+.2f} after)"
        elif not isinstance(value, list):
            cells[name] = "" if value is None else value
    return cells


def group_row(axis: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    """What neutral sentences about one group are called."""
    return {
        "axis": axis["label"],
        "group": group["label"],
        "sentences": group["n"],
        "called negative": estimated(group["called_negative"], "{:.1%}"),
        "called positive": estimated(group["called_positive"], "{:.1%}"),
        "mean score": estimated(group["mean"], "{:+.3f}"),
    }
