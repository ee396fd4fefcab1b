"""The measurements on paper: overview, each group of findings drawn and as a table, the findings' forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.wording import MARKS
from reports.figures import interval, number, p_value, share, signed
from reports.writers import detail
from reports.writers.paper.blocks import (
    Block,
    Row,
    emphasised,
    facts,
    heading,
    lines,
    look_of,
    quiet,
    table,
    text,
    verdict_run,
)
from reports.writers.paper.drawings import Drawings
from reports.writers.parts import MOST_CURVES, analysed

Data = Mapping[str, Any]

MOST_FORMS = 30
"""Findings that have a form of their own; what is said of the others stands in the appendix."""
LONG_FORM = 1000
"""Characters of a form from which on it may be parted by the end of a page."""

Lines = list[tuple[str, str]]
"""Names with their values, in order."""


def results(report: Data, groups: Sequence[Data], drawings: Drawings) -> list[Block]:
    """Every comparison, also those that found nothing: drawn and as a table, by model, suite and role."""
    blocks = [overview(report)]
    blocks.append(
        quiet("Every comparison that was declared stands here, with those that found nothing and those that "
              "could not decide. There is no overall score: groups and suites are never averaged into one.")
    )  # fmt: skip
    curves = drawn_curves(report)
    maps = {found["number"]: found for found in report["heat_maps"]}
    for place, group in enumerate(groups):
        blocks.append(heading(named_group(group)))
        blocks += drawings.of_group(group, place)
        blocks.append(findings_table(group))
        blocks += drawings.of_group(group, place, powers=True)
        for told in group["rows"]:
            if told["number"] in curves:
                blocks.append(drawings.of_curve(told, report["settings"]["alpha"]))
            if told["number"] in maps:
                blocks.append(drawings.of_map(maps[told["number"]]))
    return blocks


def overview(report: Data) -> Block:
    """Findings by verdict."""
    verdicts = report["summary"]["verdicts"]
    rows: list[Row] = [
        [part["model"], part["suite"], part["role"], *(number(count) for count in part["verdicts"].values())]
        for part in report["summary"]["parts"]
    ]
    rows.append([[("strong", "all")], "", "", *([("strong", number(count))] for count in verdicts.values())])
    return table(
        "Comparisons by verdict",
        ("model", "suite", "role", *(f"{MARKS[name]} {name}" for name in verdicts)),
        rows,
        "3 2 2" + " 1.6" * len(verdicts),
        "lll" + "r" * len(verdicts),
    )


def drawn_curves(report: Data) -> set[str]:
    """The findings whose other analyses are drawn: the worst of the disparities that were to be confirmed."""
    found = [told["number"] for told in report["findings"] if analysed(told)]
    return set(found[:MOST_CURVES])


def findings_table(group: Data) -> Block:
    """One row a finding, with the figures as every other format shows them."""
    first = group["rows"][0]["record"]
    level = share(first["ci"]["level"]) if first["ci"] else "the declared level"
    return table(
        f"{group['model']}, {group['suite']}, {group['role']}: estimates in {first['unit']}, intervals at "
        f"{level}; n: template families × terms",
        ("no.", "finding", "verdict", "sev.", "estimate, interval", "corrected p", "n"),
        (finding_row(told) for told in group["rows"]),
        "auto 7 1.9 auto auto auto auto",
        "llllrrr",
    )


def finding_row(told: Data) -> Row:
    """The row of one finding."""
    record = told["record"]
    words = emphasised(told["claim"])
    more = remark(told)
    if more:
        words += [("line",), ("small", more)]
    figures: list[Any] = [signed(record["estimate"])]
    if record["ci"]:
        figures += [("line",), interval(record["ci"])]
    terms = f" × {record['n_terms']}" if record["n_terms"] else ""
    return [
        [("link", told["number"], told["number"])],
        words,
        [verdict_run(record, told["verdict"], MARKS[record["verdict"]])],
        detail.level(told),
        figures,
        p_value(record["p_adjusted"]),
        f"{number(record['n_clusters'])}{terms}",
    ]


def remark(told: Data) -> str:
    """What a decision would need, the margin that it lies within, or what speaks against it."""
    record = told["record"]
    if told["needs"]:
        return str(told["needs"])
    if record["verdict"] == "no disparity within margin":
        return f"margin {told['margin']}"
    return "; ".join(record["reasons"]) if record["estimate"] is not None else ""


def has_form(report: Data) -> list[str]:
    """Numbers of the findings that have a form: disparities, and what could not be judged; worst first."""
    return [
        told["number"] for told in report["findings"] if told["record"]["verdict"] in ("disparity", "invalid")
    ][:MOST_FORMS]


def forms(report: Data, groups: Sequence[Data]) -> list[Block]:
    """The findings in the form in which they are answered, by model, suite and role."""
    chosen = has_form(report)
    rest = len(report["findings"]) - len(chosen)
    if not chosen:
        return [text("No comparison showed a disparity, and none was without a verdict.")]
    blocks = [
        text(
            f"Disparities, and comparisons without a verdict, worst first in each group. The other {rest} of "
            f"{len(report['findings'])} comparisons stand in the results and, in detail, in the appendix."
        )
    ]
    for group in groups:
        own = [told for told in group["rows"] if told["number"] in chosen]
        shared, rows = alike([form_rows(told) for told in own])
        blocks += [heading(named_group(group), listed=False)] if own else []
        if shared:
            blocks += [quiet(f"Of each of these {len(own)} findings:"), facts(shared)]
        blocks += [form(told, each) for told, each in zip(own, rows, strict=True)]
    return blocks


def named_group(group: Data) -> str:
    """What a group of findings is called."""
    return f"{group['model']}: {group['suite']}, {group['role']}"


def alike(told: Sequence[Lines]) -> tuple[Lines, list[Lines]]:
    """What several lists of lines say alike, to be said once, and what each says of its own.

    Examples
    --------
    >>> alike([[("a", "1"), ("b", "2")], [("a", "1"), ("b", "3")]])
    ([('a', '1')], [[('b', '2')], [('b', '3')]])
    >>> alike([[("a", "1")]])
    ([], [[('a', '1')]])
    """
    if len(told) < 2:
        return [], list(told)
    shared = [line for line in told[0] if all(line in one for one in told)]
    return shared, [[line for line in one if line not in shared] for one in told]


def form(told: Data, rows: Lines) -> Block:
    """One finding: condition, criteria, cause, effect, recommendation, owner and response."""
    record = told["record"]
    return {
        "kind": "form",
        "id": told["number"],
        "verdict": look_of(record["verdict"]),
        "title": [f"{told['number']}  ", verdict_run(record, told["verdict"], MARKS[record["verdict"]])],
        "statement": [] if repeated(told) else emphasised(told["statement"]),
        "rows": [(name, emphasised(value)) for name, value in rows],
        "breaks": sum(len(value) for _, value in rows) > LONG_FORM,
    }


def repeated(told: Data) -> bool:
    """Whether a finding's condition says all that its statement says."""
    return bool(told["condition"].startswith(told["statement"].removesuffix(".")))


def form_rows(told: Data) -> Lines:
    """The lines of one finding's form, the standing of the finding among them."""
    review = ("review", told["review"]["status"])
    analyses = [("other analyses", told["analyses"])] if told["analyses"] else []
    return [*detail.form(told), *analyses, review]


def details(report: Data, groups: Sequence[Data]) -> list[Block]:
    """Every finding in every detail, small; what is recommended unless somebody said more stands once."""
    formed = has_form(report)
    usual: dict[str, list[str]] = {}
    parts = []
    for group in groups:
        for told in group["rows"]:
            said = usual.setdefault(told["record"]["verdict"], [])
            if told["number"] not in formed and told["recommended_by"] == "default":
                said += [told["recommendation"]] if told["recommendation"] not in said else []
        shared, rows = alike([detail_rows(told, told["number"] in formed) for told in group["rows"]])
        parts.append(
            {
                "title": named_group(group),
                "shared": shared,
                "items": [
                    one_detail(told, each, told["number"] in formed)
                    for told, each in zip(group["rows"], rows, strict=True)
                ],
            }
        )
    told_usual = [(verdict, lines(said)) for verdict, said in usual.items() if said]
    lead: list[Block] = []
    if told_usual:
        lead = [text("Recommended of findings that have no form, where the auditor gave nothing else:")]
        lead.append(facts(told_usual))
    return [*lead, {"kind": "details", "groups": parts}]


def detail_rows(told: Data, formed: bool) -> Lines:
    """The lines of one finding's detail; where it has no form, what people answered to it."""
    record = told["record"]
    rows = [("id", record["id"]), *detail.detail(told)]
    if record["top_templates"]:
        strongest = (f"{one['template']} {signed(one['estimate'])}" for one in record["top_templates"])
        rows.append(("strongest templates", ", ".join(strongest)))
    events = [event_words(event) for event in told["review"]["history"]]
    rows.append(("review", "; ".join([told["review"]["status"], *events])))
    if not formed:
        by_people = [("recommendation", told["recommendation"])] * (told["recommended_by"] != "default")
        answered = [(key, told[key]) for key in ("owner", "due", "response") if told[key]]
        rows += [("severity in this report", detail.level(told)), *by_people, *answered]
    return rows


def one_detail(told: Data, rows: Lines, formed: bool) -> dict[str, Any]:
    """The detail of one finding."""
    record = told["record"]
    return {
        "id": f"detail-{told['number']}" if formed else told["number"],
        "title": [f"{told['number']}  ", verdict_run(record, told["verdict"], MARKS[record["verdict"]])],
        "statement": [] if formed else emphasised(told["statement"]),
        "rows": rows,
    }


def event_words(event: Data) -> str:
    """What one reviewer said."""
    words = f"{event['at']}, {event['reviewer']}: {event['status'] or event['kind']}"
    words += f": {event['text']}" if event["text"] else ""
    return words + (" (about earlier answers)" if event["stale"] else "")
