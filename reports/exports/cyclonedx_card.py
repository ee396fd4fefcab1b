"""The model card of a bill of materials: every figure with its interval, and what it says of whom."""

from __future__ import annotations

from collections.abc import Mapping

from reports.exports.cyclonedx_parts import Data, Part, known, prop, training_refs
from reports.exports.files import findings_of, said

TASKS = {
    "masked": "fill-mask",
    "causal": "text-generation",
    "seq2seq": "text2text-generation",
    "classifier": "text-classification",
    "encoder": "feature-extraction",
}
"""Kind of model to the task as model hubs name it; another kind keeps its own name."""
NO_MITIGATION = "none: the audit measures and changes nothing"


def model_card(data: Data, place: int, told: Mapping[str, Data]) -> Part:
    """Parameters, every figure with its interval, limits, and what each finding says of which group."""
    model = data["cover"]["models"][place]
    findings = findings_of(data, model["id"])
    parameters: Part = {"task": TASKS.get(model["kind"], model["kind"])}
    architecture = known(told, "architecture")
    if architecture is not None:
        parameters["modelArchitecture"] = architecture
    suites = asked_suites(data, model["id"])
    numbers = [number for number, suite in enumerate(data["suites"], start=1) if suite["id"] in suites]
    parameters["datasets"] = [
        *({"ref": ref} for ref in training_refs(data, place + 1)),
        *({"ref": f"suite-{number}"} for number in numbers),
    ]
    considerations: Part = {
        "technicalLimitations": limitations(data, suites),
        "fairnessAssessments": [assessment(data, told_finding) for told_finding in findings],
    }
    use = data.get("context", {}).get("intended_use")
    if use:
        considerations["useCases"] = [said(use)]
    return {
        "modelParameters": parameters,
        "quantitativeAnalysis": {
            "performanceMetrics": [
                metric(told_finding)
                for told_finding in findings
                if told_finding["record"]["estimate"] is not None
            ]
        },
        "considerations": considerations,
        "properties": [
            prop("not-computable", f"{row['number']}: {row['record']['undefined']}")
            for row in findings
            if row["record"]["estimate"] is None
        ],
    }


def asked_suites(data: Data, model: str) -> set[str]:
    """The suites that were put to a model."""
    return {ask["suite"] for ask in data["settings"]["asked"] if ask["model"] == model}


def limitations(data: Data, suites: set[str]) -> list[str]:
    """What the figures cannot show: the disclaimer, what was not measured, and the limits of each suite."""
    lines = [
        *data["cover"]["claims_limits"],
        *(f"Not measured: {row['what']}: {row['why']}" for row in data["not_measured"]),
        *(
            f"{suite['id']}: {line}"
            for suite in data["suites"]
            if suite["id"] in suites
            for line in [*suite["card"]["limits"], suite["card"]["not_evidence"]]
        ),
    ]
    return list(dict.fromkeys(lines))


def metric(told: Data) -> Part:
    """One figure: what it is, its value, of which comparison, and its interval."""
    record = told["record"]
    ci = record["ci"]
    level = f", {ci['level'] * 100:g} % interval" if ci else ", no interval"
    part: Part = {
        "type": f"{record['measure']}, difference of groups, {record['unit']}{level}; 0 is no difference",
        "value": repr(float(record["estimate"])),
        "slice": f"{told['number']} {record['id']}: {compared(record)}",
    }
    if ci:
        part["confidenceInterval"] = {
            "lowerBound": repr(float(ci["lo"])),
            "upperBound": repr(float(ci["hi"])),
        }
    return part


def compared(record: Data) -> str:
    """Who is compared with whom."""
    return f"{record['group_label']}, compared with {record['reference_label']}"


def assessment(data: Data, told: Data) -> Part:
    """What a finding says of a group, its verdict first. Every finding has one: those within margin too."""
    record = told["record"]
    harm = next(suite["card"]["harm"] for suite in data["suites"] if suite["id"] == record["suite"])
    return {
        "groupAtRisk": compared(record),
        "harms": f"{told['number']}, {told['verdict']}: {told['statement']} The harm in question: {harm}",
        "mitigationStrategy": NO_MITIGATION,
    }
