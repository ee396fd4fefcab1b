"""The declarations of a bill of materials: what is claimed, on what evidence, and what speaks against it.

A requirement is a declared family of comparisons of the plan, and, where the report holds a crosswalk, each
clause of it. Claims are the findings; counter-claims are what was not measured, what has no verdict, and what
a reviewer disputes. ``confidence`` of a family is a share that is counted, with its rule beside it: how many
of its comparisons were decided and are not fragile. The format reads it as confidence that a claim meets the
requirement; no finding shows that a clause is met, so a clause has a rationale and no score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.exports.cyclonedx_parts import Data, Part
from reports.exports.files import compact, said

DECIDED = ("disparity", "no disparity within margin")
STATEMENT = "Measurement evidence only; nothing is stated about conformity with any requirement."
CONFIDENCE = "{decided} of {all} mapped comparisons were decided and are not fragile"
UNSCORED = "no score: a measurement does not show how far a clause is met"
PLAN = "The plan of this audit, declared before the first question"
OUTSIDERS = {"third_party": True, "internal_independent": False, "first_party": False}
"""How whoever ran the audit is related to the model's makers, and whether that makes them a third party;
another relationship leaves it open."""
LEFT_OUT = ("clause", "evidence")
"""What of a clause stands elsewhere in the document: as its identifier, and as the claims mapped to it."""


def standards(data: Data) -> list[Part]:
    """The plan with its families of comparisons, and each framework of the crosswalk with its clauses."""
    plan = {
        "bom-ref": "standard-plan",
        "name": PLAN,
        "version": data["cover"]["plan_sha256"],
        "requirements": [
            {
                "bom-ref": f"family-{number}",
                "identifier": family["id"],
                "text": f"{family['role']}: {family['model']} asked {family['suite']}, contrast "
                f"{family['contrast']} on {family['axis']}; corrected by {family['method']} over "
                f"{family['m']}",
            }
            for number, family in enumerate(data["families"], start=1)
        ],
    }
    return [plan, *(framework_standard(place, row) for place, row in enumerate(frameworks(data), start=1))]


def frameworks(data: Data) -> Sequence[Data]:
    """The frameworks of the crosswalk; none where the report holds no crosswalk."""
    rows: Sequence[Data] = (data.get("crosswalk") or {}).get("frameworks", [])
    return rows


def framework_standard(place: int, framework: Data) -> Part:
    """A framework with the clauses that the crosswalk speaks of, in this project's words."""
    part: Part = {
        "bom-ref": f"standard-{place}",
        "name": said(framework.get("name") or framework["id"]),
        "version": said(framework.get("version") or framework.get("instrument_version")),
        "requirements": [
            {
                "bom-ref": f"clause-{place}-{number}",
                "identifier": str(entry["clause"]),
                "properties": [
                    {"name": f"evenhand:{key}", "value": said(value)}
                    for key, value in entry.items()
                    if key not in LEFT_OUT and value not in (None, "", [])
                ],
            }
            for number, entry in enumerate(framework["entries"], start=1)
        ],
    }
    if framework.get("source_url"):
        part["externalReferences"] = [{"type": "documentation", "url": framework["source_url"]}]
    return part


def declarations(data: Data, time: str) -> Part:
    """Assessors, targets, evidence, claims, attestations and the affirmation.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.
    time : str
        Of the last run.
    """
    against = counter_claims(data)
    return {
        "assessors": [assessor(data["cover"])],
        "attestations": attestations(data, against),
        "claims": [*(claim(data, told) for told in data["findings"] if has_verdict(told)), *against.values()],
        "evidence": evidence(data, time),
        "targets": {
            "components": [
                {
                    "type": "machine-learning-model",
                    "bom-ref": target(number),
                    "name": model["id"],
                    "description": f"the model as it was loaded, digest {model['digest']}",
                }
                for number, model in enumerate(data["cover"]["models"], start=1)
            ]
        },
        "affirmation": affirmation(data),
    }


def assessor(cover: Data) -> Part:
    """Who ran the audit; whether they are a third party is stated only where the engagement states it."""
    part: Part = {"bom-ref": "assessor-1", "organization": {"name": said(cover.get("performed_by"))}}
    outsider = OUTSIDERS.get(str(cover.get("relationship")))
    if outsider is not None:
        part["thirdParty"] = outsider
    return part


def target(number: int) -> str:
    """The reference of a model as the target of claims, by its place from 1."""
    return f"target-{number}"


def target_of(data: Data, model: str) -> str:
    """The reference of a model as the target of claims, by its id."""
    return target(1 + [entry["id"] for entry in data["cover"]["models"]].index(model))


# -- evidence and claims ----------------------------------------------------------------------------


def evidence(data: Data, time: str) -> list[Part]:
    """The files that anyone can check, and of each fragile finding what speaks against it."""
    cover = data["cover"]
    files = [
        file_evidence(
            "plan", "plan.json", f"SHA-256 {cover['plan_sha256']}; hashed before the first question", time
        ),
        file_evidence(
            "records",
            "records/",
            f"every question and answer; head of the chain {cover['chain_sha256']}",
            time,
        ),
        file_evidence(
            "report", "report.json", "every figure, unrounded; `evenhand verify` recomputes them", time
        ),
    ]
    doubts = [
        {
            "bom-ref": f"doubt-{told['number']}",
            "propertyName": "evenhand:fragile",
            "description": f"{told['number']} may not survive a change that should not matter: "
            + "; ".join(told["record"]["reasons"]),
            "created": time,
        }
        for told in data["findings"]
        if told["record"]["fragile"]
    ]
    return files + doubts


def file_evidence(name: str, url: str, description: str, time: str) -> Part:
    """A part of the bundle as evidence."""
    return {
        "bom-ref": f"evidence-{name}",
        "propertyName": f"evenhand:{name}",
        "description": f"{url}: {description}",
        "data": [{"name": url, "contents": {"url": url}}],
        "created": time,
    }


def has_verdict(told: Data) -> bool:
    """Whether a finding states anything."""
    return bool(told["record"]["verdict"] != "invalid")


def claim(data: Data, told: Data) -> Part:
    """A finding as a claim about its model."""
    record = told["record"]
    part: Part = {
        "bom-ref": f"claim-{told['number']}",
        "target": target_of(data, record["model"]),
        "predicate": f"{told['verdict']}: {told['statement']}",
        "reasoning": reasoning(told),
        "evidence": ["evidence-plan", "evidence-records", "evidence-report"],
    }
    if record["fragile"]:
        part["counterEvidence"] = [f"doubt-{told['number']}"]
    return part


def reasoning(told: Data) -> str:
    """How a finding came about, with its numbers as they were kept."""
    record = told["record"]
    correction, margin = record["correction"], record["margin"]
    numbers = {
        key: record[key]
        for key in ("estimate", "ci", "ci_equivalence", "p", "p_adjusted", "n_cells", "n_clusters", "n_terms")
    }
    return (
        f"{record['measure']}, {record['method']}; {record['role']}, corrected by {correction['method']} "
        f"over {correction['m']}; margin {margin['value']!r} {margin['unit']}; {compact(numbers)}; "
        f"finding {record['id']}"
    )


def counter_claims(data: Data) -> dict[str, Part]:
    """What speaks against reading more into the findings, by what it is about.

    Returns
    -------
    dict
        Keys are finding numbers, of those without a verdict or disputed, and ``not-measured-N``.
    """
    found: dict[str, Part] = {}
    for told in data["findings"]:
        record, status = told["record"], told["review"]["status"]
        base = {"target": target_of(data, record["model"]), "evidence": ["evidence-report"]}
        if not has_verdict(told):
            why = record["undefined"] or "; ".join(record["reasons"]) or "a control failed"
            predicate = f"no verdict: {told['number']} {record['id']}: {why}"
        elif status == "disputed":
            predicate = f"a reviewer says of {told['number']}: {status}"
        else:
            continue
        found[told["number"]] = {"bom-ref": f"counter-{told['number']}", **base, "predicate": predicate}
    for number, row in enumerate(data["not_measured"], start=1):
        found[f"not-measured-{number}"] = {
            "bom-ref": f"counter-not-measured-{number}",
            "target": target(1) if len(data["cover"]["models"]) == 1 else "audit",
            "predicate": f"not measured: {row['what']}: {row['why']}",
            "evidence": ["evidence-report"],
        }
    return found


# -- attestations -----------------------------------------------------------------------------------


def attestations(data: Data, against: Mapping[str, Part]) -> list[Part]:
    """One attestation a standard, each requirement mapped to the claims for and against it."""
    by_family: dict[str, list[Data]] = {family["id"]: [] for family in data["families"]}
    for told in data["findings"]:
        by_family.setdefault(told["record"]["family"], []).append(told)
    general = [row["bom-ref"] for key, row in against.items() if key.startswith("not-measured-")]
    plan = {
        "summary": f"Every declared comparison, with what was found. {STATEMENT}",
        "assessor": "assessor-1",
        "map": [
            mapped(f"family-{number}", by_family[family["id"]], against)
            for number, family in enumerate(data["families"], start=1)
        ],
    }
    return [
        plan,
        *(
            {
                "summary": f"Evidence relevant to {said(row.get('name') or row['id'])}. {STATEMENT}",
                "assessor": "assessor-1",
                "map": [
                    clause(data, f"clause-{place}-{number}", entry, {**against, "general": general})
                    for number, entry in enumerate(row["entries"], start=1)
                ],
            }
            for place, row in enumerate(frameworks(data), start=1)
        ),
    ]


def mapped(requirement: str, findings: Sequence[Data], against: Mapping[str, Part]) -> Part:
    """A requirement with the claims for and against it, and how far these decide what was asked."""
    part: Part = {
        "requirement": requirement,
        "claims": [f"claim-{told['number']}" for told in findings if has_verdict(told)],
        "counterClaims": [
            against[told["number"]]["bom-ref"] for told in findings if told["number"] in against
        ],
        "confidence": {"rationale": "no comparison is mapped to this requirement"},
    }
    if findings:
        sure = sum(
            told["record"]["verdict"] in DECIDED and not told["record"]["fragile"] for told in findings
        )
        part["confidence"] = {
            "score": sure / len(findings),
            "rationale": CONFIDENCE.format(decided=sure, all=len(findings)),
        }
    return {key: value for key, value in part.items() if value != []}


def clause(data: Data, requirement: str, entry: Data, against: Mapping[str, Any]) -> Part:
    """A clause of the crosswalk: the findings that it names, and what was not measured at all."""
    named = set(map(str, entry.get("evidence") or ()))
    findings = [told for told in data["findings"] if {told["number"], told["record"]["id"]} & named]
    part = mapped(requirement, findings, against)
    if findings:
        part["counterClaims"] = [*part.get("counterClaims", []), *against["general"]]
    rationale = f"{said(entry.get('status'))}; {part['confidence']['rationale']}; {UNSCORED}"
    return {**part, "confidence": {"rationale": rationale}}


def affirmation(data: Data) -> Part:
    """What is affirmed, and by whom, if anybody signed."""
    cover = data["cover"]
    signed = [row for row in data["attestation"]["signatures"] if row["valid"]]
    part: Part = {"statement": " ".join([f"{cover['status']}.", STATEMENT, *cover["claims_limits"]])}
    if signed:
        part["signatories"] = [
            {
                "name": said(row["name"]),
                "role": said(row["role"]),
                "organization": {"name": said(row["organisation"])},
                "externalReference": {
                    "type": "electronic-signature",
                    "url": "attestations",
                    "comment": f"by key {row['fingerprint']}; {data['attestation']['whose']}",
                },
            }
            for row in signed
        ]
    return part
