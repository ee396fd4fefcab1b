"""What was not measured, and why: a table that no report may lack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.measures import MEASURES
from probes import TERM_AXIS, Suite
from probes.cells import JOIN, is_crossed

HARMS = {
    "allocational": "harms of allocation (who gets a resource or a chance)",
    "representational": "harms of representation (how people are spoken of)",
    "quality-of-service": "harms in quality of service (for whom the model works worse)",
}


def not_measured(
    plan: Mapping[str, Any], findings: Mapping[str, Any], suites: Sequence[Suite]
) -> list[dict[str, str]]:
    """Questions that could not be put or scored, comparisons that could not be made, and what no suite asks.

    Returns
    -------
    list of ``{what, why}``
    """
    rows = [
        {"what": f"{row['suite']} on {row['model']}", "why": row["reason"]}
        for row in findings["not_measurable"]
    ]
    for row in findings["coverage"]:
        lost = {status: number for status, number in row["statuses"].items() if status != "scored"}
        if lost:
            total = sum(row["statuses"].values())
            counts = ", ".join(f"{number} {status}" for status, number in lost.items())
            reason = next(iter(row["reasons"]), "no reason was kept")
            rows.append(
                {
                    "what": f"{sum(lost.values())} of {total} answers of {row['model']} to {row['suite']} "
                    f"({row['arm']})",
                    "why": f"{counts}, such as: {reason}",
                }
            )
    rows += [
        {"what": f"{row['id']}", "why": f"not computable: {row['undefined']}"}
        for row in findings["findings"]
        if row["estimate"] is None
    ]
    return rows + never_asked(findings, suites)


def axes_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The axes of some findings in words; where single terms are compared, what they are.

    Examples
    --------
    >>> axes_of([{"axis": "race*gender"}, {"axis": "labour_share"}, {"axis": TERM_AXIS}])
    ['gender', 'labour share', 'race', 'single words']
    """
    names = {axis for row in records for axis in row["axis"].split(JOIN)}
    return sorted("single words" if name == TERM_AXIS else name.replace("_", " ") for name in names)


def never_asked(findings: Mapping[str, Any], suites: Sequence[Suite]) -> list[dict[str, str]]:
    """What lies outside the suites that were chosen."""
    languages = ", ".join(sorted({suite.language for suite in suites}))
    axes = axes_of(findings["findings"])
    kinds = {suite.card.harm_kind for suite in suites}
    rows = [
        {"what": f"languages other than {languages}", "why": "no suite of this audit asks in them"},
        {
            "what": f"groups on axes other than {', '.join(axes) or 'none'}",
            "why": "no comparison of this audit names them",
        },
        {"what": "the use that a product makes of the model", "why": "the model was asked as loaded, alone"},
        {"what": "the data that the model was trained on", "why": "answers were examined, not training data"},
    ]
    if not any(MEASURES[suite.measure].construct == "toxicity" for suite in suites):
        rows.append(
            {"what": "toxic, hateful or denigrating text", "why": "no measure of this audit counts it"}
        )
    if not any(is_crossed(row["axis"]) for row in findings["findings"]):
        rows.append(
            {"what": "people of two groups at once", "why": "no comparison of this audit crosses two axes"}
        )
    return rows + [
        {"what": words, "why": "no suite of this audit is about them"}
        for kind, words in HARMS.items()
        if kind not in kinds
    ]
