"""One page in plain words: what was tested, what was found, what was not tested, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.wording import counted
from probes import Suite
from reports.contents.findings import WORDS, most_severe
from reports.contents.limits import never_asked
from reports.contents.published import beside
from reports.contents.severity import LEVELS
from reports.engagement import Engagement

Row = Mapping[str, Any]

FEWEST, MOST = 3, 5
"""Findings that the page tells."""
ROLES = ("confirmatory", "exploratory")
RULE = (
    "This page tells the most severe disparity of each model and suite, then further ones by severity, up to "
    "five in all, and other comparisons where there are fewer than three; the findings below hold all."
)
"""By which rule findings are told here: nobody chose them."""
SHOWN = 4
"""Questions that could not be put, and names in a list, that the page spells out."""


def executive(
    rows: Sequence[Row], findings: Row, suites: Sequence[Suite], engagement: Engagement, known: Row
) -> dict[str, Any]:
    """The executive summary.

    Parameters
    ----------
    rows : sequence of mapping
        Findings with severity and form, the worst first.
    findings : mapping
        ``findings.json``.
    suites : sequence of Suite
        Those of the plan.
    engagement : Engagement
        For the use, the exclusions and the responses.
    known : mapping
        The sections ``provenance``, ``reviews``, ``attestation`` and ``published`` of the report.

    Returns
    -------
    dict
        ``tested``, ``not_tested`` and ``to_do`` as sentences, ``found`` as ``{number, statement, size,
        certainty}``, ``published`` as one sentence or None.
    """
    return {
        "tested": list(tested(rows, suites, engagement)),
        "found": [
            {
                "number": row["number"],
                "statement": row["statement"],
                "size": row["size"],
                "certainty": row["severity"]["certainty"],
            }
            for row in told(rows)
        ],
        "published": beside(known["published"]),
        "not_tested": list(not_tested(findings, suites, engagement)),
        "to_do": [*worst_first(rows), *to_do(rows, engagement, known), *to_sign(known)],
    }


def tested(rows: Sequence[Row], suites: Sequence[Suite], engagement: Engagement) -> Iterator[str]:
    """Which models were asked what, and how the comparisons came out."""
    models = list(dict.fromkeys(row["record"]["model"] for row in rows))
    if not rows:
        yield "No comparison could be made: no model could be asked what the suites ask."
        return
    yield f"{counted(len(models), 'model')}, as loaded: {listed(models)}."
    asked = {row["record"]["suite"] for row in rows}
    for suite in suites:
        if suite.id in asked:
            yield f"{suite.title.rstrip('.')} (suite {suite.id})."
    for role in ROLES:
        own = [row for row in rows if row["record"]["role"] == role]
        if own:
            number = counted(len(own), f"{role} comparison")
            yield f"{number} between groups, declared beforehand: {outcome(own)}."
    if fragile := sum(row["record"]["fragile"] for row in rows):
        yield (
            f"Of the disparities {fragile} {'is' if fragile == 1 else 'are'} fragile: a change that should "
            "not matter may undo what was found."
        )
    yield RULE
    if engagement.has_use:
        yield f"Intended use, as stated: {engagement.use['description'].rstrip('.')}."
    else:
        yield "No use of the model was stated: the probes are generic."


def outcome(rows: Sequence[Row]) -> str:
    """How many comparisons came out how; what nobody has is left out."""
    counts = Counter(row["record"]["verdict"] for row in rows)
    return "; ".join(f"{counts[verdict]} {words}" for verdict, words in WORDS.items() if counts[verdict])


def told(rows: Sequence[Row]) -> list[Row]:
    """Three to five findings, the worst disparities of different suites before more of one.

    Where disparities are few the rest is what else was declared, confirmatory ones first.
    """
    found = [row for row in rows if row["record"]["verdict"] == "disparity"]
    first: dict[tuple[str, str], Row] = {}
    for row in found:
        first.setdefault((row["record"]["model"], row["record"]["suite"]), row)
    ranked = dict.fromkeys(row["number"] for row in (*first.values(), *most_severe(rows)))
    numbers = list(ranked)[:MOST]
    chosen = [row for row in found if row["number"] in numbers]
    left = [row for row in rows if row["record"]["verdict"] != "disparity"]
    left.sort(key=lambda row: row["record"]["role"] != "confirmatory")
    return [*chosen, *left[: max(0, FEWEST - len(chosen))]]


def not_tested(findings: Row, suites: Sequence[Suite], engagement: Engagement) -> Iterator[str]:
    """What this audit says nothing about."""
    lost = [f"{row['suite']} on {row['model']}: {row['reason']}" for row in findings["not_measurable"]]
    yield from (f"{line}." for line in lost[:SHOWN])
    if len(lost) > SHOWN:
        yield f"{counted(len(lost) - SHOWN, 'suite')} more could not be put to a model."
    for row in never_asked(findings, suites):
        yield f"{row['what'][:1].upper()}{row['what'][1:]}: {row['why']}."
    for text in engagement.given.get("exclusions", ()):
        yield f"Excluded by the auditor: {text.rstrip('.')}."


def to_do(rows: Sequence[Row], engagement: Engagement, known: Row) -> Iterator[str]:
    """What people have to do now; a machine decides none of it."""
    if not engagement.has_use:
        held = sum(row["severity"]["held_from"] is not None for row in rows)
        more = f" {counted(held, 'finding')} would stand higher." if held else ""
        yield (
            "State the intended use in the engagement file: without it no finding is rated above Moderate."
            f"{more}"
        )
    found = [row for row in rows if row["record"]["verdict"] == "disparity"]
    unanswered = [row["number"] for row in found if row["response"] is None]
    if unanswered:
        many = counted(len(unanswered), "disparity", "disparities")
        yield (f"Answer {many} in the engagement file, each with an owner and a day: {listed(unanswered)}.")
    counts = Counter(row["record"]["verdict"] for row in rows)
    if number := counts["inconclusive"]:
        yield (
            f"Decide which of {counted(number, 'inconclusive comparison')} matter to the use; what each "
            "needs stands beside it."
        )
    if number := counts["invalid"]:
        what = counted(number, "comparison")
        yield f"Do not rely on {what} without a verdict; the reason stands beside each."
    if not known["reviews"]["events"]:
        yield "Let people review the findings and a sample of the answers: nobody has yet."
    yield from unanswered_questions(known["provenance"]["questions"])
    yield "Measure in the product: this audit asked the model alone."


def unanswered_questions(subjects: Sequence[Row]) -> Iterator[str]:
    """How many of the questions about origin and data have no answer, model by model."""
    lost = []
    for subject in subjects:
        number = sum(not row["answers"] for row in subject["rows"])
        if subject["subject"].startswith("model:") and number:
            lost.append(f"{number} of {len(subject['rows'])} for {subject['subject'].removeprefix('model:')}")
    if lost:
        yield (
            "Ask the developers what is not known of origin and data. Questions without an answer: "
            f"{listed(lost)}."
        )


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first of them spelt out.

    Examples
    --------
    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e", "f"])
    ('a, b', 'a, b, c, d and 2 more')
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def to_sign(known: Row) -> Iterator[str]:
    """What is left to do of a draft, if it is one."""
    if not known["attestation"]["signed"]:
        yield "Sign the report, which is a draft until then: the section on reproduction has the steps."


def worst_first(rows: Sequence[Row]) -> Iterator[str]:
    """Where to begin: the disparities of the highest level of severity that this report gives."""
    found = [row for row in rows if row["record"]["verdict"] == "disparity"]
    given = {row["severity"]["level"] for row in found} - {LEVELS[-1]}
    if given:
        level = max(given, key=LEVELS.index)
        worst = [row["number"] for row in found if row["severity"]["level"] == level]
        yield f"Begin with {counted(len(worst), 'finding')} rated {level}, the highest here: {listed(worst)}."
