"""Published measures: each run's own numbers, the audited estimates beside them, and what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from audit.benchmarks import wording as measures
from audit.benchmarks.base import Answer
from audit.wording import MARKS, counted
from dashboards import charts, links, runs
from dashboards.data import Opened, Signature
from dashboards.reveal import offer_published, output
from dashboards.shown import fact_table, grid, in_words, plain
from dashboards.words import TIPS
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from reports.charts.measures import described_measure, drawn_estimates, drawn_text, measure_forest

Row = Mapping[str, Any]

LEAD = (
    "Measures that others published, run as their sources run them. Beside each published number stands what "
    "an audit says of it: the departure from the value that would mean no disparity. None of it counts among "
    "the findings of an audit."
)


def page(audit: Opened | None) -> None:
    """Draw the page; an audit that is open beside it says whether a run asked one of its models."""
    st.title("Published measures")
    plain(LEAD, "lead")
    there = runs.runs()
    if not there:
        plain("No run of a published measure was opened. To see one beside the audits:", "p")
        st.code(
            "evenhand benchmarks list\n"
            "evenhand benchmarks run lpbs --model reference/bert-skewed --out benchmarks/lpbs\n"
            "evenhand dashboard audits benchmarks",
            language=None,
        )
        return
    overview = pd.DataFrame([run_row(name, root) for name, root in there.items()])
    narrow = {"of": st.column_config.TextColumn(width="small")}
    st.dataframe(overview, hide_index=True, alt="Runs of published measures", column_config=narrow)
    plain("As each run states it. The one that is chosen below is computed again.", "note")
    names = list(there)
    name = st.selectbox("Run", names, key=links.one_of("run", "run-chosen", names))
    links.keep("run", name)
    if runs.stated(there[name]) is None:
        plain("This run is not finished: it has no result.", "banner", "div")
        plain("What to do: resume it with evenhand benchmarks run --out and its folder.", "lead")
        return
    one_run(name, runs.opened(there[name]), audit)


def run_row(name: str, root: Path) -> dict[str, Any]:
    """What the list says of a run: counts of verdicts as it states them."""
    try:
        found = runs.stated(root)
    except InputError as error:
        return {"run": name, "measure": str(error.faults[0])}
    if found is None:
        return {"run": name, "measure": "not finished"}
    counts = Counter(row["verdict"] for section in found["scorings"] for row in section["estimates"])
    label = found["card"]["label"]
    return {
        "run": name,
        "measure": f"{found['card']['title']}{f' ({label})' if label else ''}",
        "of": measures.subject(found),
        **{
            f"{mark} {verdict.removeprefix('no disparity ')}": counts[verdict]
            for verdict, mark in MARKS.items()
        },
        "tier": found["card"]["tier"],
    }


def one_run(name: str, run: runs.Opened, audit: Opened | None) -> None:
    """A run: whether it holds, its estimates drawn, its numbers by scoring, its cautions and its answers."""
    found = run.found
    title = measures.title(found)
    st.header(found["card"]["title"], help=measure_tip(found["card"]))
    plain(f"{measures.subject(found)}: {measures.extent(found)}.", "p")
    if label := found["card"]["label"]:
        plain(label, "banner", "div")
    of_audit = audit is None or found["model"]["digest"] in {row["digest"] for row in audit.plan["models"]}
    for line in measures.warnings({"of_this_audit": of_audit, "result": found}):
        plain(line, "banner", "div")
    if run.changed:
        plain(
            "× result.json is not what the kept answers give. It differs in "
            f"{', '.join(run.changed[:5])}. What stands here was computed from the answers.",
            "banner",
            "div",
        )
    else:
        plain("○ Computed again from the kept answers just now: result.json says the same.", "note")
    if rows := drawn_estimates(found):
        data = pd.DataFrame([estimate_cells(row) for row in rows])
        charts.draw(
            charts.made(measure_forest, rows, title), described_measure(rows, title), data, f"measure-{name}"
        )
        plain(drawn_text(found, rows), "note")
    for section in found["scorings"]:
        one_scoring(section, found)
    st.header("Before anybody relies on these numbers")
    for line in measures.cautions(found):
        plain(f"– {line}", "p")
    card(found)
    items(name, run)


def measure_tip(card: Row) -> str:
    """Range and direction of the published number."""
    return f"{card['range']}; {card['direction']}; no disparity would be: {card['zero']}"


def estimate_cells(row: Row) -> dict[str, str]:
    """An audited estimate as a row of words, as every other format shows it."""
    return dict(zip(measures.ESTIMATE_HEAD, measures.estimate_cells(row), strict=True))


def one_scoring(section: Row, found: Row) -> None:
    """One scoring: published numbers, audited estimates, answers by status, controls and doubts."""
    label = f" ({found['card']['label']})" if found["card"]["label"] else ""
    of = f"{found['benchmark']}, {section['scoring']}"
    st.subheader(f"{section['scoring']}{label}")
    plain(f"{section['meaning']}.", "p")
    if section["figures"]:
        st.caption("As published")
        cells = [measures.figure_cells(row) for row in section["figures"]]
        table = pd.DataFrame(cells, columns=list(measures.FIGURE_HEAD))
        st.dataframe(table, hide_index=True, alt=f"Published numbers: {of}")
    if section["estimates"]:
        first, rest = measures.parted(section["estimates"])
        st.caption(f"Audited{', the worst first' if rest else ''}", help=TIPS["verdict"])
        table = pd.DataFrame([estimate_cells(row) for row in [*first, *rest]])
        st.dataframe(table, hide_index=True, alt=f"Audited estimates: {of}")
        plain(measures.methods_text(section), "note")
    answered = [(status, f"{count:,}", "") for status, count in section["answers"].items()]
    answered += [(row["status"], f"{row['count']:,}", row["reason"]) for row in section["reasons"]]
    grid(("status", "answers", "reason"), answered, f"Answers by status: {of}")
    if section["controls"]:
        holds = {True: "○ holds", False: "× FAILS", None: "– unknown"}
        controls = [(row["name"], holds[row["holds"]], row["detail"]) for row in section["controls"]]
        grid(("control", "state", "what it is"), controls, f"Controls: {of}")
    for note in section["notes"]:
        plain(f"Note: {note}", "banner", "div")
    doubts(section, of)


def doubts(section: Row, of: str) -> None:
    """What the tokenizer did that may carry a result, and each estimate with and without those items."""
    if not section["doubts"]:
        return
    named = ", ".join(f"{doubt}: {counted(n, 'item')}" for doubt, n in section["doubts"].items())
    plain(f"The tokenizer may carry some of it: {named}.", "p")
    without = {(row["family"], row["name"]): row for row in section["without_doubts"]["estimates"]}
    rows = []
    for row in section["estimates"]:
        verdict, departure = standing(row)
        other = without.get((row["family"], row["name"]))
        left = ("", "no such item is left") if other is None else standing(other)
        rows.append(
            {
                "estimate": row["name"],
                "verdict": verdict,
                "verdict without": left[0],
                "departure": departure,
                "departure without": left[1],
            }
        )
    count = counted(section["without_doubts"]["items"], "item")
    with st.expander(f"The estimates with and without those items ({count} without any such doubt)"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt=f"With and without doubtful items: {of}")


def standing(row: Row) -> tuple[str, str]:
    """Verdict and departure of an estimate."""
    cells = estimate_cells(row)
    return cells["verdict"], cells["departure"] or str(row["reason"])


def card(found: Row) -> None:
    """What the measure is, and whose data it read."""
    told = found["card"]
    rows: list[tuple[str, object, str]] = [
        ("harm", f"{told['harm']} ({told['harm_kind']})", ""),
        ("construct", told["construct"], ""),
        ("compares", told["compares"], ""),
        ("estimates", told["estimand"], ""),
        ("published number", measure_tip(told), ""),
        ("margin", f"{found['margin']['value']:g}; {found['margin']['source']}", ""),
        ("source", told["source"], ""),
        ("standing", told["tier"], ""),
    ]
    for data in found["data"]["datasets"]:
        terms = f"{data['licence']}{', non-commercial use only' if data['non_commercial'] else ''}"
        rows.append((f"data {data['name']}", f"{data['title']}, {data['citation']}; {terms}", ""))
    rows.append(("decided beforehand", in_words(found["setup"]), ""))
    with st.expander("The card of this measure"):
        fact_table(rows, found["card"]["title"])


def items(name: str, run: runs.Opened) -> None:
    """Every item with what came of it; its texts are shown to whoever asks for them."""
    st.header("Items and answers")
    scorings = list(run.answers)
    scoring = scorings[0] if len(scorings) == 1 else st.selectbox("Scoring", scorings, key="run-scoring")
    table, answers = items_of(str(run.root), run.sign, scoring, run)
    st.dataframe(table, hide_index=True, alt=f"Items: {counted(len(run.items), 'item')}")
    number = st.number_input("Look at item", 1, len(run.items), key=f"run-item-{name}")
    item = run.items[int(number) - 1]
    own = answers.get(item.id, [])
    grid(
        ("part", "status", "value", "reason", "what the tokenizer did"),
        [(one.part, one.status, value_of(one), one.reason, ", ".join(one.doubts)) for one in own],
        f"What came of item {item.id}",
    )
    shown = offer_published(name, item.id)
    for part, text in item.texts.items():
        output(text, shown, f"Text: {part}")
    for one in own:
        if one.text:
            output(one.text, shown, f"What the model wrote: {one.part}")


@st.cache_resource(show_spinner=False, max_entries=8)
def items_of(
    root: str, sign: Signature, scoring: str, _run: runs.Opened
) -> tuple[pd.DataFrame, dict[str, list[Answer]]]:
    """The table of a run's items, and the answers of each. Shared between sessions: not to be changed."""
    answers = by_item(_run.answers[scoring])
    rows = [item_row(n, item, answers) for n, item in enumerate(_run.items, start=1)]
    return pd.DataFrame(rows), answers


def by_item(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers of each item."""
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.item, []).append(answer)
    return found


def item_row(n: int, item: BenchmarkItem, answers: Mapping[str, Sequence[Answer]]) -> dict[str, Any]:
    """An item without its texts: how many of its answers have which status, and what they doubt."""
    own = answers.get(item.id, [])
    counts = Counter(answer.status for answer in own)
    return {
        "no.": n,
        "item": item.id,
        "subset": item.subset,
        "answers": ", ".join(f"{count} {status}" for status, count in counts.items()),
        "doubts": ", ".join(dict.fromkeys(doubt for answer in own for doubt in answer.doubts)),
    }


def value_of(answer: Answer) -> str:
    """The value of an answer, and what else the measure reads off it."""
    more = in_words({key: f"{value:.4g}" for key, value in answer.values.items()}) if answer.values else ""
    value = "" if answer.value is None else f"{answer.value:.4g}"
    return "; ".join(filter(None, (value, more)))
