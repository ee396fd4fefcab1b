"""Published measures on paper: each one's own numbers, and the audited estimates beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.benchmarks import wording as measures
from reports.charts.measures import described_measure, drawn_estimates, drawn_text, measure_forest
from reports.charts.palette import LIGHT
from reports.writers.paper.blocks import Block, Row, heading, items, look_of, note, quiet, table, text
from reports.writers.paper.drawings import Drawings

Data = Mapping[str, Any]


def published(report: Data, drawings: Drawings) -> list[Block]:
    """Every published measure that was run beside the audit."""
    if report["published"] is None:
        return []
    blocks = [text(measures.INTRODUCTION)]
    cautions = measures.cautions_once(told["result"] for told in report["published"])
    for told, lines in zip(report["published"], cautions, strict=True):
        blocks += one_measure(told, drawings)
        blocks += [quiet("Before anybody relies on these numbers:"), items(lines)] if lines else []
    return blocks


def one_measure(told: Data, drawings: Drawings) -> list[Block]:
    """One measure: what it is, its estimates drawn, and its numbers by scoring."""
    found = told["result"]
    title = measures.title(found)
    blocks = [heading(title), text(f"{measures.extent(found)}.")]
    blocks += [note(line) for line in measures.warnings(told)]
    if rows := drawn_estimates(found):
        chart = measure_forest(rows, LIGHT, title)
        blocks.append(drawings.add(chart, described_measure(rows, title), drawn_text(found, rows)))
    label = f" ({found['card']['label']})" if found["card"]["label"] else ""
    for section in found["scorings"]:
        of = f"{found['benchmark']}, {section['scoring']}{label}"
        blocks.append(text([("strong", f"{section['scoring']}: "), f"{section['meaning']}."]))
        blocks.append(quiet(f"{measures.answers_text(section)}."))
        if section["figures"]:
            cells = [list(measures.figure_cells(row)) for row in section["figures"]]
            dense = len(cells) > measures.MOST_ROWS
            caption = f"{of}: as published"
            blocks.append(table(caption, measures.FIGURE_HEAD, cells, "3 2 2 1", "lrlr", dense))
        if section["estimates"]:
            blocks.append(estimates(of, section["estimates"]))
        blocks += [items(lines)] if (lines := measures.section_lines(section)) else []
    return blocks


def estimates(of: str, rows: list[Data]) -> Block:
    """The audited estimates of one scoring, a long list with the worst first."""
    first, rest = measures.parted(rows)
    caption = f"{of}: audited, departures from the value that would mean no disparity"
    caption += ", the worst first" if rest else ""
    widths, sides = "2.4 3.6 2 3 auto auto auto 4", "llrlrrrl"
    return table(
        caption, measures.ESTIMATE_HEAD, map(estimate_row, [*first, *rest]), widths, sides, dense=True
    )


def estimate_row(row: Data) -> Row:
    """One audited estimate, its verdict in its colour."""
    verdict, *cells = measures.estimate_cells(row)
    return [[(look_of(row["verdict"]), verdict)], *cells]
