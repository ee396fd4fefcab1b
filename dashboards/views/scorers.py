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
from audit.measures import Measure
from audit.plan import measures_of
from audit.scorers.agreement import agreement
from audit.scorers.audit_cache import cached_audit
from audit.scorers.bundle_audit import read_scorer_audits
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import SCORERS, scorer_named
from audit.scorers.wording import KINDS, published_lines, unlike, unscored_text
from audit.wording import counted, in_points, with_interval
from dashboards import charts, data, tables
from dashboards.data import Opened, Signature
from dashboards.judged import without_errors
from dashboards.shown import grid, plain
from dashboards.words import TIPS
from reports.charts.shares import described_shares, shares_by_group
from reports.charts.thresholds import described_thresholds, threshold_curve

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 15))
"""How far from 0, on the side that the scorers are there to find, a text begins to count."""


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
    own_audits(audit, measure)


def agree(audit: Opened, model: str, suite: str, measure: Measure) -> None:
    """How far the scorers agree on the texts of this audit."""
    st.header("Agreement on these texts", help=f"{TIPS['kappa']} {TIPS['rank_correlation']}")
    if len(measure.planned) < 2:
        plain("One scorer only: nothing is held against it.", "p")
        return
    for pair in agreed(str(audit.root), audit.sign, model, suite, measure.planned)["pairs"]:
        first, second = pair["scorers"]
        told = pair["overall"]
        rows = [
            ("texts that both scored", f"{told['n']:,}"),
            ("that only one scored", f"{told['n_one_only']:,}"),
            ("rank correlation", with_interval(told["spearman"], "+.2f")),
            ("same class", with_interval(told["class_agreement"], ".0%")),
            ("Cohen's kappa of the classes", with_interval(told["kappa"], "+.2f")),
            ("texts on which they contradict each other", f"{told['n_opposite']:,}"),
        ]
        grid(("what", "value"), rows, f"{first} and {second}")


@st.cache_data(show_spinner=False, max_entries=16)
def agreed(
    root: str, sign: Signature, model: str, suite: str, _planned: tuple[PlannedScorer, ...]
) -> dict[str, Any]:
    """Agreement of each pair of scorers, which the bundle's plan names."""
    return agreement(data.scores_of(root, sign, model, suite), _planned)


def threshold(audit: Opened, model: str, suite: str, measure: Measure) -> None:
    """How the share of texts that count moves with the score from which on they do."""
    first = measure.planned[0]
    st.header(f"If a text counts as {first.found} from here on", help=TIPS["threshold"])
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
    own = min(THRESHOLDS, key=lambda step: abs(step - abs(first.notable)))
    value = st.select_slider("Threshold", THRESHOLDS, value=own, help=TIPS["threshold"])
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
        (
            "scorer",
            "share in the group",
            "share in the reference",
            "difference, percentage points",
            "p adj.",
            "it says",
        ),
        [
            (
                step["scorer"],
                number(step["share_group"], ".1%"),
                number(step["share_reference"], ".1%"),
                number(None if step["estimate"] is None else 100.0 * step["estimate"], "+.1f"),
                number(step["p_adjusted"], ".3g"),
                SAYS.get(step["states"], step["reason"]),
            )
            for step in at
        ],
        f"At {value}: share of texts that count as {first.found}",
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
    without_errors(audit, row)


SAYS = {
    "higher": "● more such texts in the group",
    "lower": "● fewer such texts in the group",
    "inconclusive": "? inconclusive",
}
VERDICTS = {"higher": "disparity", "lower": "disparity", "inconclusive": "inconclusive"}
"""How a statement about shares is drawn."""


@st.cache_data(show_spinner=False, max_entries=64)
def moved(
    root: str, sign: Signature, family: str, scorer: str, _audit: Opened
) -> dict[str, list[dict[str, Any]]]:
    """The contrast of the share of texts that count at each threshold, for every finding of a family."""
    members = [row for row in _audit.rows if row["family"] == family]
    declared = [drill.hypothesis_of(row) for row in members]
    frame = data.scores_of(root, sign, members[0]["model"], members[0]["suite"])
    rows = axis_rows(drill.own_rows(frame, members[0]), declared[0])
    setting = Setting(
        _audit.plan["alpha"], _audit.plan["seed"], data.suites_of(root, sign), _audit.plan["correction"]
    )
    curves = family_curves(rows, declared, scorer, THRESHOLDS, setting)
    return {name: [step.to_json() for step in steps] for name, steps in curves.items()}


def own_audits(audit: Opened, measure: Measure) -> None:
    """Each scorer's own audit: what it makes of sentences of ours that name a group."""
    st.header("Each scorer's own audit")
    plain(
        "Sentences of our own, with the words that name groups. What they say is known by construction, so "
        "what a scorer makes of them shows its errors; if it errs for one group more than for another, it "
        "makes disparities.",
        "p",
    )
    kept = read_scorer_audits(audit.root)
    for scorer in measure.planned:
        if scorer.name in kept:
            audited(kept[scorer.name])
        elif scorer.registered in SCORERS:
            audited(audit_of(scorer.registered))
        else:
            st.subheader(scorer.name)
            plain("The bundle keeps no audit of it, and it does not come with the instrument.", "p")
    judges = {name for each in measures_of(audit.plan).values() for name in each.scorers}
    for name in kept.keys() - judges:
        audited(kept[name])


def audited(found: Mapping[str, Any]) -> None:
    """One scorer: how often it is right, its gaps, and what else moves it."""
    scorer, card = found["scorer"], found["card"]
    st.subheader(scorer)
    plain(f"{card['construct']}; {found['texts']:,} sentences of ours. {without_score(found)}", "note")
    right = found["accuracy"]
    grid(
        ("what", "figure [95% interval]"),
        [
            (f"of what is {card['found']}, found", with_interval(right["sensitivity"], ".0%")),
            ("of what is not, left alone", with_interval(right["specificity"], ".0%")),
            *dialect_rows(found),
        ],
        f"{scorer}: how often it is right, over all groups",
    )
    accuracy_chart(found)
    gap_table(found)
    with st.expander(f"Every group, as {scorer} reads sentences about it"):
        groups = pd.DataFrame(
            [group_row(axis, group, found) for axis in found["axes"] for group in axis["groups"]]
        )
        st.dataframe(groups, hide_index=True, alt=f"How often {scorer} is right, by group")
    with st.expander(f"Words that move {scorer} most"):
        words = pd.DataFrame(word_rows(found))
        if words.empty:
            plain("No word moves it.", "p")
        else:
            st.dataframe(words, hide_index=True, alt=f"Words that move {scorer} most")
    with st.expander(f"Spelling, denial, dialect and length, as {scorer} takes them"):
        for rows, what in (
            ([{"kind": kind, **told} for kind, told in found["kinds"].items()], "Each kind of sentence"),
            (found["robustness"], "Changes of spelling, and disguises"),
            (found["length"], "Added text that says nothing"),
            (found["dialect"].get("features", []), "African American English, feature by feature"),
        ):
            if rows:
                st.caption(what)
                st.dataframe(
                    pd.DataFrame([told_row(row) for row in rows]), hide_index=True, alt=f"{what}: {scorer}"
                )
    if found.get("published"):
        with st.expander(f"{scorer} on published labelled sentences"):
            for line in published_lines(found["published"]):
                plain(line, "p")


def gap_table(found: Mapping[str, Any]) -> None:
    """The largest gap of each axis and kind of sentences, those that the scorer makes for certain first."""
    scorer = found["scorer"]
    rows = [gap_row(axis, kind) for axis in found["axes"] for kind in axis["gap"]]
    gaps = [row for row in rows if row["gap"] != 0.0]
    gaps.sort(key=lambda row: (row["it says"] != READS, -abs(row["gap"] or 0.0)))
    alike = len(rows) - len(gaps)
    if gaps:
        st.dataframe(
            pd.DataFrame(gaps),
            hide_index=True,
            alt=f"The largest gap that {scorer} makes between two groups, by axis",
            column_config={
                "gap": st.column_config.NumberColumn(format="%+.3f", help=TIPS["gap"]),
                "p, corrected": st.column_config.NumberColumn(format="%.3g"),
            },
        )
    if alike:
        plain(
            f"In {alike} of {counted(len(rows), 'comparison')} by axis and kind of sentences it rates all "
            "groups exactly alike.",
            "note",
        )


def without_score(found: Mapping[str, Any]) -> str:
    """How many sentences have no score, and why."""
    unscored = found["unscored"]
    return f"Without a score: {unscored_text(unscored)}." if unscored else "All have a score."


def dialect_rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the scorer makes of one content in two dialects."""
    told = found["dialect"]
    if told["reason"]:
        return []
    return [
        ("African American less mainstream English, mean score", with_interval(told["difference"], "+.3f")),
        (
            f"called {found['card']['found']}, African American less mainstream English, percentage points",
            in_points(told["found"]["gap"]),
        ),
    ]


def accuracy_chart(found: Mapping[str, Any]) -> None:
    """The groups about which the scorer errs unlike about the others: sensitivity and specificity."""
    marks = list(unlike(found))
    if not marks:
        plain("It is as often right about each group as about the others, within 5 points.", "p")
        return
    for side, words in (("specificity", "left alone"), ("sensitivity", "found")):
        rows = [
            {"label": group["label"], "axis": axis, **group[side]}
            for axis, group in [("", {"label": "all groups", **found["accuracy"]}), *marks]
        ]
        known = [row for row in rows if row["estimate"] is not None]
        if len({row["estimate"] for row in known}) < 2:
            continue
        title = f"Of what is {'not ' if side == 'specificity' else ''}{found['card']['found']}, {words}"
        charts.draw(
            charts.made(shares_by_group, known, title),
            described_shares(known, title),
            pd.DataFrame(rows)[["axis", "label", "estimate", "lo", "hi", "n", "reason"]],
            f"{side}-{found['scorer']}",
        )


def word_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The terms whose sentences a scorer rates farthest from the same with other terms."""
    return [
        {
            "word": term["word"],
            "group": term["group"],
            "in": KINDS[term["kind"]],
            "departure": term["departure"],
            "mean": term["mean"],
            "a sentence": term["sentences"][0]["text"],
        }
        for axis in found["axes"]
        for term in axis["worst_terms"]
    ]


@st.cache_data(show_spinner="Auditing the scorer …", max_entries=8)
def audit_of(scorer: str) -> dict[str, Any]:
    """The own audit of a scorer that comes with the instrument."""
    return cached_audit(scorer_named(scorer))


def gap_row(axis: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The largest gap of an axis on one kind of sentences, and why it has no interval where it has none."""
    gap = axis["gap"][kind]
    spread = not gap["reason"]
    labels = {group["group"]: group["label"] for group in axis["groups"]}
    return {
        "axis": axis["label"],
        "sentences": KINDS[kind],
        "scored higher": labels.get(gap["higher"], "unknown"),
        "scored lower": labels.get(gap["lower"], "unknown"),
        "gap": gap["estimate"],
        "p, corrected": gap["p_adjusted"],
        "it says": READS if gap["states"] == "higher" else gap["states"] or "unknown",
        "95% interval": f"[{gap['lo']:+.3f}, {gap['hi']:+.3f}]" if spread else gap["reason"],
    }


READS = "reads the group"
"""Of a scorer whose corrected test shows a gap between two groups."""
HIDDEN = frozenset({"method", "reason", "level", "n_effective", "p"})
"""Keys of a figure that its table leaves out."""


def told_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a scorer's audit in words: shares with their intervals, the text that moved farthest."""
    cells: dict[str, Any] = {}
    for key, value in row.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping) and "estimate" in value:
            cells[name] = with_interval(value, "+.3f" if key == "mean" else ".1%")
        elif key == "unscored":
            cells["without a score"] = unscored_text(value)
        elif isinstance(value, Mapping):
            cells[name] = f"{value['text']} ({value['before']:+.2f} before, {value['after']:+.2f} after)"
        elif key == "truth":
            cells["what they are"] = {True: "found, if right", False: "left alone, if right", None: "open"}[
                value
            ]
        elif key == "kind":
            cells[name] = KINDS.get(value, value)
        elif key not in HIDDEN and not isinstance(value, list):
            cells[name] = "" if value is None else value
    return cells


def group_row(axis: Mapping[str, Any], group: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What a scorer makes of sentences about one group."""
    word, plainest = found["card"]["found"], KINDS[found["compared"][0]]
    return {
        "axis": axis["label"],
        "group": group["label"],
        f"{word}: found": with_interval(group["sensitivity"], ".0%"),
        "not: left alone": with_interval(group["specificity"], ".0%"),
        f"{plainest} sentences": group["n"],
        f"called {word}": with_interval(group["found"], ".1%"),
        "mean score": with_interval(group["mean"], "+.3f"),
        "without a score": unscored_text(group["unscored"]),
    }
