"""The form of a finding that auditors know: condition, criteria, cause, effect, recommendation, response.

What was measured is said as measured. A cause was not measured and is marked as a hypothesis; an effect on
people was not measured and is said of the kind of harm that the suite is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.sequential.findings import SCOPE
from audit.wording import counted, margin_phrase, verdict_phrase
from probes import Suite
from probes.errors import BundleError, Fault
from reports.contents.severity import severity
from reports.engagement import Engagement

Row = Mapping[str, Any]

PEOPLE, DEFAULT = "auditor", "default"
"""Where a recommendation comes from: the engagement file, or the table below."""

RECOMMENDED = {
    "disparity": "Decide, for the use that is made of the model, whether this difference can reach a person; "
    "measure it in that use; state who does so, and by when.",
    "fragile": "Look at the reasons why it is fragile, and confirm it with other wordings and words, before "
    "anything is decided on it.",
    "uncertain": "Ask more wordings and words before its size is relied on: it was shown, and may yet lie "
    "within the margin.",
    "exploratory": "Confirm it in an audit that declares this comparison as confirmatory.",
    "no disparity within margin": "Nothing is recommended; ask whether the margin suits the use.",
    "inconclusive": "Decide whether the question matters to the use, and whether to ask again. {needs}",
    "invalid": "Do not rely on this comparison. To measure again helps only where the reason is gone: "
    "{reasons}.",
}
"""What is recommended where the auditor recommends nothing else."""

UNEXAMINED = (
    "Hypothesis, not examined: the model may have taken the pattern from text that it was trained or tuned "
    "on. This audit examined answers, and neither training data nor any other cause."
)
PROBE = "It may also belong to the probe and not to the model: {reasons}."
SCORER = "It may also belong to the scorer that reads the text, and not to the text."
NO_CAUSE = {
    "no disparity within margin": "None is put forward: the difference lies within the margin.",
    "inconclusive": "None is put forward: no difference was shown.",
    "invalid": "None is put forward: there is no verdict.",
}
DETECTABLE = "None is put forward: a difference was shown, and it lies within the margin."
NO_EFFECT = {
    "no disparity within margin": "None was shown by these probes; effects on people were not measured.",
    "inconclusive": "Unknown: neither a difference nor its absence was shown.",
    "invalid": "Unknown: there is no verdict.",
}


def formed(rows: Sequence[Row], suites: Sequence[Suite], engagement: Engagement) -> list[dict[str, Any]]:
    """Findings with their severity and form added.

    Parameters
    ----------
    rows : sequence of mapping
        As ``reports.contents.findings.told_findings`` makes them.
    suites : sequence of Suite
        Those of the plan.
    engagement : Engagement
        For owners, responses and the use.

    Raises
    ------
    BundleError
        If a finding is of no suite of the plan.
    """
    by_id = {suite.id: suite for suite in suites}
    made = []
    for row in rows:
        record = row["record"]
        suite = by_id.get(record["suite"])
        if suite is None:
            what = f"the finding {record['id']!r} is of a suite that the plan does not hold"
            raise BundleError(Fault(what, "findings.json", "Make the findings again with: evenhand analyze"))
        level = severity(record, suite.card.harm_kind, engagement)
        made.append({**row, "severity": level, "covers": covers(record), **form(row, suite, engagement)})
    return made


def form(row: Row, suite: Suite, engagement: Engagement) -> dict[str, Any]:
    """The parts of one finding's form."""
    record = row["record"]
    said = engagement.responses.get(record["id"], {})
    return {
        "condition": condition(row),
        "criteria": criteria(record),
        "cause": cause(record),
        "effect": effect(record, suite, engagement),
        "recommendation": said.get("recommendation") or recommendation(row),
        "recommended_by": PEOPLE if "recommendation" in said else DEFAULT,
        **{key: said.get(key) for key in ("owner", "due", "response")},
        "evidence": evidence(record),
    }


def covers(record: Row) -> str | None:
    """What the finding's interval speaks of; None where there is none."""
    if record["ci"] is None:
        return None
    return "fixed items" if record.get("sequential") else "population of templates"


def condition(row: Row) -> str:
    """What was found: the claim with its interval, and the verdict."""
    record = row["record"]
    if record["estimate"] is None:
        return f"{record['model']}: {row['claim']}. Verdict: {verdict_phrase(record)}."
    level = f"{100 * record['ci']['level']:.4g} %"
    return f"{record['model']}: {row['claim']}, interval at {level}. Verdict: {verdict_phrase(record)}."


def criteria(record: Row) -> str:
    """What it was held against, and who set that."""
    return (
        f"Declared in the plan before the first question, as {record['role']}: the difference is tested "
        f"against 0, its p corrected over {counted(record['correction']['m'], 'comparison')}; within "
        f"{margin_phrase(record)} it counts as none. The margin's source: {record['margin']['source']}"
    )


def cause(record: Row) -> str:
    """A likely cause, marked as a hypothesis; only of a disparity."""
    if record["detectable"]:
        return DETECTABLE
    if record["verdict"] != "disparity":
        return NO_CAUSE[record["verdict"]]
    parts = [UNEXAMINED]
    if record["fragile"]:
        reasons = [reason for reason in record["reasons"] if reason != SCOPE]
        parts.append(PROBE.format(reasons="; ".join(reasons) or "it is fragile"))
    if record["scorers"]:
        parts.append(SCORER)
    return " ".join(parts)


def effect(record: Row, suite: Suite, engagement: Engagement) -> str:
    """What could follow from a disparity, for whom; it was not measured."""
    if record["verdict"] != "disparity":
        return NO_EFFECT[record["verdict"]]
    use = "the use that was stated" if engagement.has_use else "a use, of which none was stated"
    return (
        f"Not measured. The suite is about a {suite.card.harm_kind} harm: {suite.card.harm.rstrip('.')}. "
        f"Whether it reaches a person depends on {use}."
    )


def recommendation(row: Row) -> str:
    """What is recommended of a finding of its kind; of an open question, what a decision would need."""
    record = row["record"]
    if record["verdict"] != "disparity":
        told = RECOMMENDED[record["verdict"]]
        return told.format(needs=row["needs"], reasons="; ".join(record["reasons"]))
    if record["fragile"]:
        return RECOMMENDED["fragile"]
    if record["role"] == "exploratory":
        return RECOMMENDED["exploratory"]
    return RECOMMENDED["disparity" if record["material"] else "uncertain"]


def evidence(record: Row) -> list[str]:
    """Ids of what a finding rests on: itself in ``findings.json``, its family, its strongest templates."""
    templates = [f"template {row['template']}" for row in record["top_templates"]]
    return [f"finding {record['id']}", f"family {record['family']}", *templates]
