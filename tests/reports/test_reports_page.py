"""The page: its sections in order, the charts with their tables, and the same bytes for the same bundle."""

from __future__ import annotations

import copy
import csv
import io
import os
import re
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from markupsafe import Markup

from audit import drill
from audit.sidecar import open_sidecar
from reports.audit_report import csv_tables, html, markdown, report_data
from reports.charts.drawing import drawing
from reports.charts.drawn import KEPT
from reports.charts.forest import described_forest, forest
from reports.charts.palette import LIGHT
from reports.charts.svg import figure
from reports.contents.heat_maps import MOST_FAMILIES, MOST_GROUPS, heat_maps, one_map
from reports.figures import signed
from reports.schema import report_schema
from reports.writers import page as page_writer
from reports.writers.frame import SECTIONS, contents, numbered, reachable, sections
from tests.reports.sections import formed, whole


@pytest.fixture(scope="module")
def page(data: dict[str, Any]) -> str:
    return html(data)


# -- the means behind the disparities ---------------------------------------------------------------


def test_a_heat_map_holds_the_means_of_the_worst_disparity(bundle: Path, data: dict[str, Any]) -> None:
    (found,) = data["heat_maps"]
    told = next(row for row in data["findings"] if row["record"]["verdict"] == "disparity")
    record = told["record"]
    assert (found["number"], found["model"], found["suite"]) == (told["number"], record["model"], "mini")
    cells = drill.heat_map(open_sidecar(bundle).scores(), record)
    assert found["groups"] == [record["group_label"], record["reference_label"]]
    assert found["families"] == list(dict.fromkeys(cells["family"])) and len(found["families"]) == 5
    means = [mean for row in found["means"] for mean in row]
    assert means == list(cells["mean"]) and found["centre"] == "family"
    assert [n for row in found["scores"] for n in row] == list(cells["n"])
    first = [row[0] - row[1] for row in found["means"]]
    assert sum(first) / len(first) == pytest.approx(record["estimate"], abs=1e-9)


def test_without_a_disparity_there_is_no_heat_map_and_the_page_says_so(
    bundle: Path, data: dict[str, Any], without_charts: None
) -> None:
    changed = copy.deepcopy(data)
    for told in changed["findings"]:
        told["record"]["verdict"] = "inconclusive"
    changed["heat_maps"] = heat_maps(bundle / "nowhere", changed["findings"])
    assert changed["heat_maps"] == []
    for shown in (html(changed), markdown(changed)):
        assert "No comparison shows a disparity, so there is none to take apart." in shown


def test_what_no_reader_can_take_in_is_counted(data: dict[str, Any]) -> None:
    cells = pd.DataFrame(
        [
            {"family": f"f{i}", "group": f"g{j}", "mean": None if i == j else 1.0 * i, "n": 2, "lost": 1}
            for i in range(MOST_FAMILIES + 3)
            for j in range(MOST_GROUPS + 2)
        ]
    )
    told = copy.deepcopy(data["findings"][0])
    told["record"]["scale"] = "points"
    found = one_map(told, cells, {"g1": "people of one kind"})
    assert (found["families_left_out"], found["groups_left_out"]) == (3, 2)
    assert len(found["means"]) == MOST_FAMILIES and {len(row) for row in found["means"]} == {MOST_GROUPS}
    assert found["means"][0][:2] == [None, 0.0] and found["means"][1][1] is None
    assert found["groups"][:2] == ["g0", "people of one kind"] and found["centre"] == "zero"
    Draft202012Validator(report_schema()["$defs"]["heat_map"]).validate(found)


def test_a_cell_without_a_score_is_told_as_such(data: dict[str, Any], without_charts: None) -> None:
    changed = copy.deepcopy(data)
    found = changed["heat_maps"][0]
    found["means"][0][0], found["scores"][0][0], found["lost"][0][0] = None, 0, 7
    assert "not scored (0, 7 lost)" in html(changed) and "not scored (0, 7 lost)" in markdown(changed)
    rows = list(csv.DictReader(io.StringIO(csv_tables(changed)["heat-maps.csv"])))
    assert rows[0]["mean"] == "unknown" and rows[0]["lost"] == "7"
    assert rows[1]["mean"] == signed(found["means"][0][1])


# -- charts -----------------------------------------------------------------------------------------


def test_a_chart_drawn_beside_is_the_same_to_the_byte(findings: list[dict[str, Any]]) -> None:
    rows = [row for row in findings if row["role"] == "confirmatory"]
    words = ("one", "Title <&>", described_forest(rows[:1]))
    KEPT.clear()
    with drawing(3) as pens:
        coming = [pens.figure(forest(rows[:1], LIGHT), *words) for _ in range(3)]
        drawn = {each.result() for each in coming}
    KEPT.clear()
    assert drawn == {figure(forest(rows[:1], LIGHT), *words)}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_cannot_be_drawn_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def to_dict(self, validate: bool) -> dict[str, Any]:
            return {"mark": {"type": "no mark"}, "data": {"values": []}, "encoding": {}}

    with pytest.raises(RuntimeError, match="could not be drawn"), drawing(1) as pens:
        pens.figure(Broken(), "x", "x", "x").result()
    assert "Error" in capfd.readouterr().err


def test_a_page_that_is_stopped_draws_no_more_and_says_nothing_of_it(
    findings: list[dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    KEPT.clear()
    spec = forest(findings[:1], LIGHT).to_dict()

    class Ready:
        """A chart that takes no time to lay out, so that all wait before the first is drawn."""

        def __init__(self, title: str) -> None:
            self.title = title

        def to_dict(self, validate: bool = True) -> dict[str, Any]:
            return {**spec, "title": self.title}

    coming: list[Future[str]] = []
    sessions: list[int] = []

    def stopped_in_the_middle() -> None:
        with drawing(1) as pens:
            pens.rendered(Ready("first")).result()
            (pen,) = pens._started
            sessions.append(os.getsid(pen.pid))
            for place in range(20):
                coming.append(pens.figure(Ready(f"chart {place}"), "x", "x", "x"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_in_the_middle()
    assert sum(each.cancelled() for each in coming) >= 15
    assert sessions != [os.getsid(0)], "Ctrl-C in a terminal would reach it, too"
    assert capfd.readouterr().err == ""


def test_behind_every_chart_stands_a_table(page: str) -> None:
    after = re.findall(r"</figure>\s*(<[^>]*>)", page)
    assert len(after) == page.count("<figure>") > 8
    assert set(after) <= {
        "<details>",
        '<div class="scroll" tabindex="0" role="group" aria-label="wide content">',
    }
    for text in re.findall(r"</figure>(.*?)(?=<figure>|</section>)", page, re.DOTALL):
        assert "<caption>" in text and 'scope="row"' in text


def test_the_curves_of_the_most_severe_are_drawn_and_the_rest_are_tables(
    data: dict[str, Any], without_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    empty: Future[str] = Future()
    empty.set_result("")
    changed = copy.deepcopy(data)
    worst = changed["findings"][0]
    for number in ("F-901", "F-902"):
        changed["findings"].append({**copy.deepcopy(worst), "number": number})
    monkeypatch.setattr(page_writer, "MOST_CURVES", 2)
    monkeypatch.setattr(
        page_writer, "curve_figure", lambda pens, told, _: drawn.append(told["number"]) or empty
    )
    shown = html(changed)
    assert drawn == ["F-001", "F-901"]
    assert shown.count("analyses, the main one first") == 3
    assert (
        "The other analyses of the 2 most severe of these disparities are drawn; those of the other 1"
        in shown
    )
    assert markdown(changed).count("| other analyses of F-") == 3


# -- sections ---------------------------------------------------------------------------------------


def test_sections_keep_their_numbers_whatever_is_there(page: str, data: dict[str, Any]) -> None:
    titles = re.findall(r'<h2 id="[\w-]+">(.*?)</h2>', page)
    numbers = [title.split()[0] for title in titles]
    known = [section.number for section in SECTIONS if section.number]
    assert [number for number in known if number in numbers] == numbers
    assert numbers == [*"123456789", "10", "11", *"ABCDE"]
    assert numbers[titles.index("7 Findings")] == "7"
    names = [section.name for section in sections({**data, "selection": {}})]
    assert "selection" in names and "selection" not in [section.name for section in sections(data)]
    text = [line.split()[1] for line in markdown(data).splitlines() if line.startswith("## ")]
    assert text == numbers


def test_a_heading_gets_its_number_once_and_only_where_it_has_one() -> None:
    part = Markup('<h2 id="a">One</h2><h2 id="b">Two</h2>')
    assert contents(numbered("8", part)) == [("a", "8 One", []), ("b", "Two", [])]
    part = Markup('<h2 id="a">One</h2><h3>Two</h3><h3 id="x">Three</h3>')
    assert contents(numbered("B", part)) == [("a", "B One", [("a-1", "B.1 Two"), ("x", "B.2 Three")])]
    assert 'tabindex="0"' in reachable(Markup('<div class="scroll">x</div>'))


def test_links_lead_somewhere_and_nothing_is_there_twice(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert {"controls", "coverage", "not-measured", "suites", "reviews", "glossary", "signatures"} <= set(ids)


def test_a_finding_is_told_in_the_form_that_auditors_know(data: dict[str, Any], without_charts: None) -> None:
    full = formed(data)
    shown, text, tables = html(full), markdown(full), csv_tables(full)
    for name in (
        "condition",
        "criteria",
        "likely cause",
        "effect",
        "recommendation",
        "owner",
        "due",
        "response",
    ):
        assert len(re.findall(f"<dt[^>]*>{name}</dt>", shown)) >= len(full["findings"]), name
        assert text.count(f"\n- {name}: ") >= len(full["findings"]), name
    assert "Moderate (would be High)" in shown and "Moderate (would be High)" in text
    assert "Confirm it (the instrument's default; the auditor gave none)" in text
    assert "MIT AI Risk Repository 1.1: Unfair discrimination" in shown
    assert "<script" not in shown and "<script" not in text
    (first, *rest) = csv.DictReader(io.StringIO(tables["finding-forms.csv"]))
    assert len(rest) == len(full["findings"]) - 1
    assert first["owner"] == "none given" and first["level of severity"] == "Moderate (would be High)"


def test_every_section_stands_in_the_text_and_none_becomes_markup(data: dict[str, Any]) -> None:
    text = markdown(whole(data))
    heads = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert heads == [
        "1 Executive summary",
        "2 Engagement",
        "3 Provenance",
        "4 Scope and context",
        "5 Method",
        "6 Results",
        "7 Findings",
        "8 Framework crosswalk",
        "9 Limitations, and what was not measured",
        "10 Reproduction",
        "11 Sign-off",
        "A Glossary",
        "B Full tables",
        "C The suites",
        "D Change log",
        "E Examples, redacted",
    ]
    assert "<script" not in text and "\x1b" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 12
    for head, width in (
        ("| groups | why", 3),
        ("| threshold |", 3),
        ("| no. | groups |", 5),
        ("| question | known", 4),
        ("| suite | sources", 6),
        ("| of | note", 4),
        ("| prompt of", 5),
    ):
        start = text.index(head)
        rows = text[start:].split("\n\n")[0].splitlines()
        assert len(rows) == 3, head
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {width + 1}, head


def test_tables_of_the_new_sections_are_files(data: dict[str, Any]) -> None:
    tables = csv_tables(whole(data))
    (row,) = csv.DictReader(io.StringIO(tables["changes-sizes.csv"]))
    assert row["number"] == "F-001" and row["p_adjusted"] == "0.01"
    (row,) = csv.DictReader(io.StringIO(tables["method-thresholds.csv"]))
    assert row["value"] == "0.2" and "\x1b" not in row["name"]
    assert {"context-groups.csv", "context-harms.csv", "method-intervals.csv"} <= set(tables)
    assert "changes-sizes.csv" not in csv_tables({**whole(data), "changes": None})


def test_the_first_page_tells_what_else_is_known_of_the_audit(
    data: dict[str, Any], without_charts: None
) -> None:
    more = {
        "commissioned_by": "<i>Ada</i>",
        "classification": None,
        "signed": False,
        "fingerprint": {"key": "ab"},
    }
    changed = {**data, "cover": {**data["cover"], **more}}
    shown, text = html(changed), markdown(changed)
    assert "<dt>commissioned by</dt><dd>&lt;i&gt;Ada&lt;/i&gt;</dd>" in shown
    assert "<dt>classification</dt><dd>none given</dd>" in shown and "<dt>key</dt><dd>ab</dd>" in shown
    assert "| classification | none given |" in text and "| signed |" not in text


def test_a_draft_says_so_on_every_sheet_of_paper(data: dict[str, Any], without_charts: None) -> None:
    mark = '@top-right { content: "UNSIGNED DRAFT"'
    assert mark in html(data)
    signed_by = {**data, "cover": {**data["cover"], "status": 'SIGNED by "}</style><script>'}}
    shown = html(signed_by)
    assert mark not in shown and "<script" not in shown and shown.count("</style>") == 1


# -- the same again ---------------------------------------------------------------------------------


def test_the_same_bundle_gives_the_same_bytes_twice(bundle: Path, page: str, data: dict[str, Any]) -> None:
    again = report_data(bundle)
    KEPT.clear()
    assert html(again) == page
    assert markdown(again) == markdown(data) and csv_tables(again) == csv_tables(data)
