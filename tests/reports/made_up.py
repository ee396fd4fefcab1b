"""A report with every part that the schema names, made up from the schema, each text of it marked."""

from __future__ import annotations

import copy
import re
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from reports.charts.drawing import Drawing
from reports.schema import checked, report_schema
from reports.writers.paper import drawings

BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="5"><rect width="10" height="5"/></svg>'

FORM = (
    "severity", "covers", "condition", "criteria", "cause", "effect", "recommendation", "recommended_by",
    "owner", "due", "response", "evidence", "risks",
)  # fmt: skip
"""What a finding has beside its measurement."""
ON_CARD = {"version": None, "digest": None, "licence": None, "critiques": [], "not_covered": []}
"""What of a suite's probe its card says already."""
IN_SENTENCES = ("sensitivity", "specificity", "lowest", "gap", "dialect")
"""Of a scorer's own audit: on paper its sentences, ``meaning``, say what these hold."""
SILENT = {
    "where": "a place on paper stands for it where the section is known",
    "anchor": "of the page",
    "evidence": "the crosswalk tells evidence in words; of a finding it is printed",
    "id": "of an instrument; its name is printed",
    "stale": "the banner says it",
    "finding": "the number stands for it",
    "reference": "the reason of its row says so",
    "ratio_interval": "its method stands in the caption",
    "rate_interval": "the same",
    "standards": "the ledger's own list of what asks a question",
}
"""Keys whose texts need not stand on paper, and why."""


def stub_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take most of a paper's time, and have tests of their own."""
    drawn: Future[str] = Future()
    drawn.set_result(BLANK)
    for chart in ("forest", "power_panel", "specification_curve", "heat_map"):
        monkeypatch.setattr(drawings, chart, lambda *given: None)
    monkeypatch.setattr(Drawing, "rendered", lambda pens, chart: drawn)


class Maker:
    """Values as a schema wants them; a text that may be any is a mark, such as ``Q001objective``."""

    def __init__(self, number: str) -> None:
        self.count = 0
        self.number = number
        self.definitions = report_schema()["$defs"]

    def of(self, name: str) -> Any:
        """A definition of the report's schema."""
        return self.made(self.definitions[name], name)

    def made(self, schema: dict[str, Any], name: str) -> Any:
        """A value with everything that a schema names."""
        if "$ref" in schema:
            return self.of(schema["$ref"].rpartition("/")[2])
        if "oneOf" in schema:
            return self.made(next(one for one in schema["oneOf"] if one.get("type") != "null"), name)
        if "enum" in schema:
            return schema["enum"][0]
        kinds = schema.get("type", "string")
        kind = kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")
        if kind == "object":
            return {key: self.made(part, key) for key, part in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.made(schema["items"], name) for _ in range(schema.get("minItems", 1))]
        if kind == "string":
            return self.text(schema.get("pattern", ""), name)
        return True if kind == "boolean" else max(1, schema.get("minimum", 1))

    def text(self, pattern: str, name: str) -> str:
        """A text; where not every one is allowed, one that is."""
        known = ("d" * 64, self.number, "2026-11-20", "Q07")
        self.count += 1
        mark = f"Q{self.count:03d}{name}"
        return next(value for value in (mark, *known) if re.search(pattern, value))


def with_every_part(data: dict[str, Any]) -> dict[str, Any]:
    """The same measurements with everything else made up."""
    number = data["findings"][0]["number"]
    maker = Maker(number)
    full = copy.deepcopy(data)
    cover = maker.of("cover")
    named = ("commissioned_by", "performed_by", "relationship", "classification", "distribution", "version")
    full["cover"] |= {key: cover[key] for key in (*named, "run_id")} | {"signed": False}
    parts = ("executive", "engagement", "context", "method", "crosswalk", "selection", "changes", "examples")
    full |= {part: maker.of(part) for part in (*parts, "attestation")}
    for row in full["method"]["scorer_audits"]:
        row["found"] = "toxic"
        for key in IN_SENTENCES:
            row[key]["reason"] = ""
    form = maker.definitions["told_finding"]["properties"]
    full["findings"][0] |= {key: maker.made(form[key], key) for key in FORM}
    full["provenance"] |= {
        "questions": [
            {
                "subject": f"{kind}:{maker.text('', 'subject')}",
                "rows": [
                    {**maker.of("question"), "looked": []},
                    {**maker.of("question"), "answers": [], "open": [], "status": "unknown"},
                ],
                "completeness": maker.of("completeness"),
            }
            for kind in ("model", "suite")
        ],
        "notes": [maker.of("ledger_note")],
        "probes": [{**maker.of("probe"), **ON_CARD, "suite": data["suites"][0]["id"]}],
    }
    full["attestation"]["signatures"][0]["valid"] = False  # for its problem
    signature = report_schema()["properties"]["signatures"]["items"]
    full["signatures"] = [maker.made(signature, "signature")]
    return checked(full, "", Path("made-up"))


def texts(value: Any, name: str = "") -> list[str]:
    """Every mark that is to be read on paper."""
    if isinstance(value, dict):
        return [text for key, item in value.items() if key not in SILENT for text in texts(item, key)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item, name)]
    return [value] if isinstance(value, str) and value.startswith("Q") and value[1:4].isdigit() else []
