"""For a model's own page: results for its hub, and a section of its model card. A convenience.

The hub's results (``.eval_results/*.yaml``) name a benchmark by its id on the hub. The suites of an audit
have none until somebody publishes them there, so their ids stand under ``evenhand/`` and every entry says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from reports.exports.files import component, findings_of, when
from reports.figures import interval, p_value, signed
from reports.text import markdown_emphasised, markdown_text

Data = Mapping[str, Any]

FOLDER = "report-hub"
OWNER = "evenhand"
PLACEHOLDER = "the dataset id is a placeholder until the suite is published on the hub"
HEAD = ("finding", "verdict", "compared", "difference", "interval", "p adj.", "n")
PROSE = (
    "Disparities between groups, as measured by Evenhand with probe suites. Zero is no difference; "
    "the sign says which group is higher. *Inconclusive* is no evidence of equality."
)


def hub_files(data: Data, root: Path) -> dict[str, bytes]:
    """Results and a section of the card for each model, below ``report-hub/``."""
    files: dict[str, bytes] = {}
    taken = set[str]()
    for model in data["cover"]["models"]:
        part = component(model["id"])
        if part.casefold() in taken:  # one folder to a system that does not tell capitals apart
            part = component(f"{model['id']}/")
        taken.add(part.casefold())
        folder = f"{FOLDER}/{part}"
        findings = findings_of(data, model["id"])
        entries = yaml.safe_dump(results(data, findings), sort_keys=False, allow_unicode=True, width=100)
        files[f"{folder}/.eval_results/evenhand.yaml"] = entries.encode("utf-8")
        files[f"{folder}/README-section.md"] = section(data, model, findings).encode("utf-8")
    return files


def results(data: Data, findings: Sequence[Data]) -> list[dict[str, Any]]:
    """The findings with a figure as the hub's entries, in the report's order."""
    suites = {suite["id"]: suite for suite in data["suites"]}
    return [
        {
            "dataset": {
                "id": f"{OWNER}/{component(told['record']['suite'])}",
                "task_id": task(told["record"]),
            },
            "value": told["record"]["estimate"],
            "date": when(data["cover"]),
            "notes": "; ".join(
                [
                    f"{told['number']}, {told['verdict']}: {told['statement'].rstrip('.')}",
                    f"in {told['record']['unit']}, 0 is no difference",
                    f"suite SHA-256 {suites[told['record']['suite']]['digest']}",
                    PLACEHOLDER,
                    " ".join(data["cover"]["claims_limits"]),
                ]
            ),
        }
        for told in findings
        if told["record"]["estimate"] is not None
    ]


def task(record: Data) -> str:
    """What of the suite a finding is about."""
    return f"{record['contrast']}:{record['axis']}={record['group']}"


def section(data: Data, model: Data, findings: Sequence[Data]) -> str:
    """A section of a model card in Markdown: every finding about the model, with the disclaimer."""
    cover = data["cover"]
    lines = [
        "## Disparities between groups",
        "",
        PROSE,
        "",
        *(f"- {markdown_text(line)}" for line in cover["claims_limits"]),
        "",
        f"Model digest `{markdown_text(model['digest'])}`, plan `{markdown_text(cover['plan_sha256'])}`, "
        f"{markdown_text(when(cover)[:10])}, {markdown_text(cover['status'])}.",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
        *(f"| {' | '.join(row(told))} |" for told in findings),
        "",
    ]
    return "\n".join(lines)


def row(told: Data) -> Sequence[str]:
    """One finding as a row of the table, with figures as every document of the report shows them."""
    record = told["record"]
    return (
        markdown_text(told["number"]),
        markdown_text(told["verdict"]),
        markdown_emphasised(told["claim"]),
        markdown_text(f"{signed(record['estimate'])} {record['unit']}"),
        markdown_text(interval(record["ci"])),
        markdown_text(p_value(record["p_adjusted"])),
        markdown_text(record["n_cells"]),
    )
