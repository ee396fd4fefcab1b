"""The figures of each finding in each format, read back from its own row: those of report.json as printed."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reports.audit_report import csv_tables, markdown
from reports.audit_report import html as page_of
from reports.exports import cyclonedx
from reports.exports.hub import hub_files

Told = dict[str, Any]
Read = Callable[[Told, Path], Mapping[str, list[float]]]

PRINTED = r"[-+]?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?"
FIGURES = 4
"""Digits of a printed number."""
LEAST_P = 0.0001
"""A smaller p is printed as being below it."""


def numbers(text: str) -> list[float]:
    """The numbers of a text, a bound of a small p among them."""
    return [float(one) for one in re.findall(PRINTED, text)]


def printed(value: float, digits: int = FIGURES) -> float:
    """A number as it reads back from a document."""
    return float(f"{value:.{digits}g}")


def page_rows(data: Told, root: Path) -> dict[str, list[float]]:
    """Of the page: estimate, interval and p from the row of the finding's number."""
    found = {}
    for number, row in re.findall(r'href="#(F-\d+)">\1</a></th>(.*?)</tr>', page_of(data), re.DOTALL):
        cells = [html.unescape(re.sub("<[^>]+>", " ", cell)) for cell in row.split("<td")[4:6]]
        found.setdefault(number, numbers(" ".join(cell.partition(">")[2] for cell in cells)))
    return found


def text_rows(data: Told, root: Path) -> dict[str, list[float]]:
    """Of the Markdown text: the same from the row of its table of results."""
    found = {}
    for line in markdown(data).splitlines():
        cells = re.split(r"(?<!\\)\|", html.unescape(line))
        if re.fullmatch(r" F-\d+ ", cells[1] if len(cells) == 10 else ""):
            found[cells[1].strip()] = numbers(" ".join(cells[5:8]))
    return found


def table_rows(data: Told, root: Path) -> dict[str, list[float]]:
    """Of findings.csv."""
    rows = csv.DictReader(io.StringIO(csv_tables(data)["findings.csv"]))
    keys = ("estimate", "lo", "hi", "p_adjusted")
    return {row["number"]: numbers(" ".join(row[key] for key in keys)) for row in rows}


def card_rows(data: Told, root: Path) -> dict[str, list[float]]:
    """Of the section of a model card for a hub."""
    found = {}
    for name, content in hub_files(data, root).items():
        for line in content.decode().splitlines() if name.endswith(".md") else ():
            cells = re.split(r"(?<!\\)\|", html.unescape(line))
            if re.fullmatch(r" F-\d+ ", cells[1] if len(cells) == 9 else ""):
                found[cells[1].strip()] = numbers(" ".join(cells[4:7]))
    return found


def bill_rows(data: Told, root: Path) -> dict[str, list[float]]:
    """Of the bill of materials: estimate and interval, unrounded; p stands in the reasoning of the claim."""
    found = {}
    bill = cyclonedx.bill(data)
    reasons = {row["bom-ref"]: row.get("reasoning", "") for row in bill["declarations"]["claims"]}
    for part in (bill["metadata"]["component"], *bill["components"]):
        analysis = part.get("modelCard", {}).get("quantitativeAnalysis", {})
        for row in analysis.get("performanceMetrics", ()):
            number, ends = row["slice"].split()[0], row["confidenceInterval"]
            p = re.search(rf'"p_adjusted":({PRINTED})', reasons.get(f"claim-{number}", ""))
            figures = [row["value"], ends["lowerBound"], ends["upperBound"], *([p[1]] if p else [])]
            found[number] = [float(one) for one in figures]
    return found


@pytest.mark.parametrize("read", [page_rows, text_rows, table_rows, card_rows, bill_rows])
def test_each_finding_has_its_own_figures_in_each_format(read: Read, data: Told, bundle: Path) -> None:
    found = read(data, bundle)
    computed = [told for told in data["findings"] if told["record"]["estimate"] is not None]
    assert len(computed) > 3
    for told in computed:
        record = told["record"]
        kept = [record["estimate"], record["ci"]["lo"], record["ci"]["hi"]]
        own = found[told["number"]]
        assert [printed(one) for one in own[:3]] == [printed(one) for one in kept], told["number"]
        if len(own) > 3:
            assert printed(own[3], 3) == printed(max(record["p_adjusted"], LEAST_P), 3) or read is bill_rows
        else:
            assert read is bill_rows and record["verdict"] == "invalid"


def test_what_the_summary_says_is_counted(data: Told) -> None:
    """Counts in the words of the first pages are those of the findings."""
    records = [told["record"] for told in data["findings"]]
    lines = [line for line in data["executive"]["tested"] if "declared beforehand" in line]
    assert len(lines) == len({record["role"] for record in records})
    for line in lines:
        total, role = line.split()[:2]
        own = [record["verdict"] for record in records if record["role"] == role]
        assert int(total) == len(own)
        parts = line.partition(": ")[2].split("; ")
        assert sum(int(part.split()[0]) for part in parts) == len(own)
        assert {int(part.split()[0]) for part in parts} == {own.count(each) for each in set(own)}
    fragile = sum(record["fragile"] for record in records)
    assert any(f"Of the disparities {fragile} " in line for line in data["executive"]["tested"]) == bool(
        fragile
    )
