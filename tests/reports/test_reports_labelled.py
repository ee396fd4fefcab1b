"""What people found in a sample stands in every format of the report, the same in all."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from audit.labelling.filled import bring_in
from audit.labelling.outputs import scored_outputs
from audit.labelling.sample import Wish, draw
from audit.labelling.sheet import write_sheet
from audit.labelling.wording import WEIGHED, told_tables
from reports.audit_report import csv_tables, html, markdown, report_data
from reports.schema import checked
from reports.writers.paper.back import labelled
from reports.writers.parts import shown
from tests.audit.labelling_world import faulty_scorer, fill, write_world

LABELLER = "<b>Ann</b> | =1+1"


@pytest.fixture(scope="module")
def labelled_data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("labelled")
    with faulty_scorer():
        outputs = scored_outputs(write_world(folder / "bundle"))
        rows = draw(outputs, (), Wish(per_stratum=8)).rows
        sheet = write_sheet(outputs, rows, folder / "sheet.csv", 0).sheet
        bring_in(outputs, fill(sheet, outputs, folder / "filled.csv"), LABELLER)
        return report_data(folder / "bundle")


def test_every_format_holds_every_cell(labelled_data: dict[str, Any], without_charts: None) -> None:
    told = list(told_tables(labelled_data["reviews"]["labelled"]))
    assert [one["name"] for one in told] == ["accuracy", "contrasts"]
    cells = {cell for one in told for row in one["rows"] for cell in row}
    assert any("the difference that the scorer shows is not what people see" in cell for cell in cells)
    page, text = html(labelled_data), markdown(labelled_data)
    for cell in cells:
        assert cell in page
        assert cell.replace("[", "\\[").replace("]", "\\]") in text
    assert WEIGHED in page.replace("&#39;", "'") and WEIGHED in text
    assert LABELLER not in page and "<b>Ann" not in text and "&lt;b&gt;Ann&lt;/b&gt;" in page
    tables = csv_tables(labelled_data)
    for one in told:
        read = list(csv.reader(io.StringIO(tables[f"labelled-{one['name']}.csv"])))
        assert read[0] == ["table", *one["head"]] and len(read) == len(one["rows"]) + 1
    blocks = labelled(shown(labelled_data))
    assert [block["kind"] for block in blocks] == ["heading", "list", "table", "table", "text"]


def test_without_labels_there_is_no_section(data: dict[str, Any], without_charts: None) -> None:
    assert data["reviews"]["labelled"] is None
    assert "What people find in a sample" not in html(data) + markdown(data)
    assert labelled(shown(data)) == []
    reviews = {key: value for key, value in data["reviews"].items() if key != "labelled"}
    earlier = {**data, "reviews": reviews}
    assert checked(earlier, "", Path("report.json")) == earlier, "a report of an earlier version is as valid"
    assert "What people find in a sample" not in markdown(earlier)
