"""The calibration report: complete, readable without scripts or colours, and honest about what failed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from audit.calibration.run import calibrate
from audit.calibration.study import Settings
from reports.calibration import html, markdown, write
from reports.charts import study_svg
from tests.reports.pages import Outline

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """A calibration with every kind of chart: rows, rows beside a wrong method, and a curve."""
    return calibrate(Settings(quick=True), only=["one-factor", "peeking", "equivalence-power"], workers=1)


@pytest.fixture(scope="module")
def failing() -> dict[str, Any]:
    return calibrate(Settings(quick=True, estimator="naive"), only=["wordings"], workers=1)


def test_the_page_has_a_figure_and_a_table_for_every_study(record: dict[str, Any]) -> None:
    page = Outline()
    page.feed(html(record))
    assert page.open == []
    assert page.seen.count("figure") == page.seen.count("table") == len(record["studies"]) == 3
    assert page.seen.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_no_script_and_no_network(record: dict[str, Any]) -> None:
    text = html(record)
    assert "<script" not in text
    loads = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)|url\((?!#)([^)]*)\)|@import""", text)
    assert [found for found in loads if any(found)] == []


def test_every_check_is_in_the_page_and_in_the_text(record: dict[str, Any]) -> None:
    page, text = html(record), markdown(record)
    for study in record["studies"]:
        for check in study["checks"]:
            assert check["label"] in page and check["label"] in text
            assert f"{check['observed']:.4g}" in page
        assert study["claim"] in text
    assert "3 of 3 studies hold" in page and "3 of 3 studies hold" in text


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chart_is_valid_and_tells_those_who_do_not_see_it(record: dict[str, Any], place: int) -> None:
    study = record["studies"][place]
    root = ElementTree.fromstring(study_svg(study))
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    texts = {node.get("id"): node.text or "" for node in root if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert set((root.get("aria-labelledby") or "").split()) == set(texts)
    assert study["title"] in texts.values()
    description = texts[f"chart-{study['id']}-desc"]
    for check in study["checks"]:
        assert check["label"] in description


def test_colours_are_the_pages_so_that_a_dark_page_shows_its_own(record: dict[str, Any]) -> None:
    page = html(record)
    used = set(re.findall(r'="var\(--([\w-]+), #', page))
    assert {"ink", "mark-1", "band"} <= used
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)[:2]
    for name in used:
        assert f"--{name}:" in light and f"--{name}:" in dark, name


def test_what_fails_is_said_in_words_and_by_shape(failing: dict[str, Any]) -> None:
    page, text = html(failing), markdown(failing)
    assert "✗ FAILS" in page and "not borne out" in page and "**no**" in text
    assert "not the shipped one" in page.replace("\n", " ")
    assert "0 of 1 studies hold" in page
    study = failing["studies"][0]
    holding = {**study, "checks": [{**check, "holds": True} for check in study["checks"]]}
    assert marks(study) != marks(holding)


def marks(study: dict[str, Any]) -> str:
    """A chart without its words and without the colours that tell what fails."""
    drawn = re.sub(r"<desc.*?</desc>|aria-label=\"[^\"]*\"", "", study_svg(study), flags=re.DOTALL)
    return re.sub(r"var\(--(fail|mark-1), #\w+\)", "one colour", drawn)


def test_an_undefined_number_is_called_so(record: dict[str, Any]) -> None:
    study = record["studies"][0]
    first = {**study["checks"][0], "observed": None, "holds": False}
    broken = {**record, "studies": [{**study, "checks": [first, *study["checks"][1:]], "holds": False}]}
    assert "undefined" in html(broken) and "undefined" in markdown(broken)


def test_names_cannot_break_the_page_or_the_table(record: dict[str, Any]) -> None:
    study = record["studies"][0]
    check = {**study["checks"][0], "label": "a <b>| c"}
    hostile = {**record, "studies": [{**study, "checks": [check, *study["checks"][1:]]}]}
    assert "<b>|" not in html(hostile)
    assert r"a <b>\| c" in markdown(hostile)


def test_both_files_are_written(record: dict[str, Any], tmp_path: Path) -> None:
    paths = write(record, tmp_path)
    assert [path.name for path in paths] == ["report.html", "report.md"]
    assert all(path.read_text("utf-8") for path in paths)
