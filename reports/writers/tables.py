"""The report's tables as CSV, for spreadsheets and statistics programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.figures import number, p_value, signed
from reports.text import csv_cell, value_text
from reports.writers.detail import control_row

Data = Mapping[str, Any]


def csv_tables(data: Data) -> dict[str, str]:
    """The tables of a report by file name; the disclaimer is a table of its own.

    Parameters
    ----------
    data : mapping
        As ``report.schema.json`` describes.

    Returns
    -------
    dict of str to str
        RFC 4180 text; figures as every other format shows them. A cell that a spreadsheet would take for a
        formula starts with an apostrophe.
    """
    return {
        "read-me.csv": table(("claims_limits",), ([line] for line in data["cover"]["claims_limits"])),
        "findings.csv": findings(data["findings"]),
        "controls.csv": controls(data["controls"]),
        "coverage.csv": coverage(data["coverage"]),
        "not-measured.csv": table(
            ("what", "why"), ([row["what"], row["why"]] for row in data["not_measured"])
        ),
        "tokenisation.csv": table(
            TOKENISATION, ([row[key] for key in TOKENISATION] for row in data["tokenisation"])
        ),
        "provenance.csv": provenance(data["provenance"]["claims"]),
        "reviews.csv": table(
            RESPONSES, ([value_text(row[key]) for key in RESPONSES] for row in data["reviews"]["responses"])
        ),
    }


RESPONSES = (
    "at", "reviewer", "kind", "model", "item", "unit", "question", "said", "decision", "blind", "machine",
    "text",
)  # fmt: skip
TOKENISATION = ("model", "suite", "unit", "doubt", "items")
HEAD = (
    "number", "id", "model", "suite", "contrast", "role", "group", "reference", "verdict", "qualified",
    "severity", "estimate", "unit", "level", "lo", "hi", "equivalence_level", "equivalence_lo",
    "equivalence_hi", "margin", "p", "p_adjusted", "n_cells", "n_families", "n_terms", "minimum_detectable",
    "review", "needs", "reasons", "statement",
)  # fmt: skip


def findings(rows: Sequence[Data]) -> str:
    """One line a finding, in the report's order."""
    lines = []
    for told in rows:
        record = told["record"]
        ci, inner = record["ci"] or {}, record["ci_equivalence"] or {}
        lines.append(
            [
                told["number"], record["id"], record["model"], record["suite"], record["contrast"],
                record["role"], record["group_label"], record["reference_label"], record["verdict"],
                told["verdict"], record["severity"], signed(record["estimate"]), record["unit"],
                number(ci.get("level")), signed(ci.get("lo")), signed(ci.get("hi")),
                number(inner.get("level")), signed(inner.get("lo")), signed(inner.get("hi")),
                number(record["margin"]["value"]), p_value(record["p"]), p_value(record["p_adjusted"]),
                number(record["n_cells"]), number(record["n_clusters"]), number(record["n_terms"]),
                number(record["minimum_detectable"]), told["review"]["status"], told["needs"] or "",
                "; ".join(record["reasons"]), told["statement"],
            ]
        )  # fmt: skip
    return table(HEAD, lines)


def controls(rows: Sequence[Data]) -> str:
    """One line a control: groups against themselves, and invented words."""
    head = ("family", "model", "suite", "kind", "label", "estimate", "interval", "p", "p_adjusted", "reason")
    lines = []
    for family in rows:
        for kind, key in (("A/A", "aa"), ("invented words", "nonce")):
            for row in family[key]:
                shown = control_row(row)
                lines.append(
                    [
                        family["family"],
                        family["model"],
                        family["suite"],
                        kind,
                        *(shown[key] for key in head[4:]),
                    ]
                )
    return table(head, lines)


def coverage(rows: Sequence[Data]) -> str:
    """Answers by model, suite, arm and status."""
    head = ("model", "suite", "arm", "items", "status", "answers")
    return table(
        head,
        (
            [row["model"], row["suite"], row["arm"], row["items"], status, count]
            for row in rows
            for status, count in row["statuses"].items()
        ),
    )


def provenance(claims: Sequence[Data]) -> str:
    """One line a claim, what is not known first."""
    head = ("subject", "field", "status", "value", "source", "declared_by")
    return table(
        head,
        (
            [
                row["subject"],
                row["field"],
                row["status"],
                value_text(row["value"]),
                row["source"],
                row["declared_by"] or "",
            ]
            for row in claims
        ),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, every cell made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
