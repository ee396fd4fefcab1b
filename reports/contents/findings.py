"""The findings as a report tells them: the record as it was kept, and beside it the same in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from audit.verdict import VERDICTS
from audit.wording import (
    claim,
    curve_phrase,
    margin_phrase,
    needed_phrase,
    size_in_claim,
    statement,
    verdict_phrase,
)
from reports.contents.reviews import reviews_of
from reports.engagement import number_of

MOST_SEVERE, MOST_ALIKE = 6, 2
"""Findings that the summary names, and how many of them of one model, suite and role."""
WORDS = {
    "disparity": "show a disparity",
    "no disparity within margin": "lie within their margin",
    "inconclusive": "are inconclusive: neither a disparity nor its absence was shown",
    "invalid": "have no verdict, because a check failed or nothing could be computed",
}


def told_findings(findings: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every finding in the order of ``findings.json``, worst first, none left out.

    Returns
    -------
    list of dict
        ``record`` is the finding as it lies in the bundle; the rest says the same in words.
    """
    rows = []
    for place, record in enumerate(findings["findings"], start=1):
        open_question = record["verdict"] == "inconclusive"
        computed = record["estimate"] is not None
        rows.append(
            {
                "number": number_of(place),
                "statement": statement(record),
                "claim": claim(record),
                "verdict": verdict_phrase(record),
                "size": size_in_claim(record),
                "margin": margin_phrase(record),
                "needs": needed_phrase(record) if open_question else None,
                "analyses": curve_phrase(record) if computed else None,
                "review": reviews_of(record["id"], events, findings["chain_sha256"]),
                "record": record,
            }
        )
    return rows


def summary(findings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts by verdict and the most severe findings; no overall score."""
    records = findings["findings"]
    counts = count(records)
    keys = dict.fromkeys((record["model"], record["suite"], record["role"]) for record in records)
    return {
        "hypotheses": len(records),
        "verdicts": counts,
        "parts": [
            {
                "model": model,
                "suite": suite,
                "role": role,
                "verdicts": count(
                    [
                        row
                        for row in records
                        if (row["model"], row["suite"], row["role"]) == (model, suite, role)
                    ]
                ),
            }
            for model, suite, role in keys
        ],
        "text": plain_words(records, counts),
        "most_severe": [
            {"number": row["number"], "severity": row["record"]["severity"], "statement": row["statement"]}
            for row in most_severe(rows)
        ],
    }


def most_severe(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The worst disparities, at most two of a model, suite and role, so that one does not hide the others."""
    chosen: list[Mapping[str, Any]] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        record = row["record"]
        key = (record["model"], record["suite"], record["role"])
        if record["verdict"] == "disparity" and seen[key] < MOST_ALIKE:
            seen[key] += 1
            chosen.append(row)
    return chosen[:MOST_SEVERE]


def count(records: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Findings by verdict; a verdict that nobody has counts 0."""
    return {verdict: sum(row["verdict"] == verdict for row in records) for verdict in VERDICTS}


def plain_words(records: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> list[str]:
    """The outcome in sentences, for a reader who reads nothing else."""
    models = list(dict.fromkeys(row["model"] for row in records))
    suites = list(dict.fromkeys(row["suite"] for row in records))
    asked = f"{plural(len(models), 'model')} answered {plural(len(suites), 'suite')} of questions"
    lines = [
        f"{asked}. {plural(len(records), 'comparison')} between groups had been declared before the first "
        "question, each with the margin within which a difference counts as none."
    ]
    if records:
        told = [f"{number} {WORDS[verdict]}" for verdict, number in counts.items() if number]
        lines.append(f"Of these, {'; '.join(told)}.")
    fragile = sum(row["fragile"] for row in records)
    if fragile:
        marked = "is marked as fragile: it" if fragile == 1 else "are marked as fragile: they"
        count_of = plural(fragile, "disparity", "disparities")
        lines.append(f"{count_of} {marked} may not survive a change that should not matter.")
    if counts["inconclusive"]:
        lines.append("What an inconclusive comparison would need for a decision stands beside it.")
    return lines


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    Examples
    --------
    >>> plural(1, "model"), plural(2, "model"), plural(0, "disparity", "disparities")
    ('1 model', '2 models', '0 disparities')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"
