"""Published measures in the report: recomputed, the same numbers in every format, with their limits."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from typing import Any, cast

import pytest

from audit import benchmarks
from audit.benchmarks.base import Setup
from audit.benchmarks.run import Chosen, run_benchmark
from audit.benchmarks.wording import ABOVE
from audit.cli import main
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Request, Response, Score
from probes.errors import BundleError
from reports.asked import Asked
from reports.audit_report import csv_tables, html, markdown, report_data
from reports.charts.measures import MOST, described_measure, drawn_estimates, drawn_text, measure_forest
from reports.charts.palette import LIGHT
from reports.contents.published import beside
from reports.writers.paper.drawings import Drawings
from reports.writers.paper.published import published
from reports.writers.parts import shown
from tests.benchmarks import toy
from tests.reports.pages import Outline
from tests.reports.test_reports_charts import svg

HOSTILE = "<script>alert(1)</script> | *b*"


def prefers_cooks(request: Request) -> Response:
    assert isinstance(request, Score)
    text = request.continuations[0]
    number = int(text.split()[2])
    if number == 7:
        return Response(error=HOSTILE)
    return Response((Choice(-10.0 + (("cook" in text) == bool(number % 4)), 6 if number % 10 == 0 else 4),))


def toy_run(folder: Path, name: str = "scripted/cooks") -> Path:
    """A run of pairs, with answers missing and doubted; the measure must be registered."""
    model = ScriptedModel(prefers_cooks, id=name, capabilities=frozenset({"score"}))
    run_benchmark(Chosen(toy.BENCHMARK, (), Setup("")), model, folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")
        return toy_run(tmp_path_factory.mktemp("published") / "run")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")


@pytest.fixture
def told(bundle: Path, run: Path) -> dict[str, Any]:
    return report_data(bundle, Asked(benchmarks=(run,)))


def test_page_text_paper_and_tables_hold_the_same_numbers(told: dict[str, Any], data: dict[str, Any]) -> None:
    assert data["published"] is None
    assert "Published measures" not in html(data) + markdown(data)
    (entry,) = told["published"]
    assert entry["of_this_audit"] is False
    page, text = html(told), markdown(told)
    for shape in (page, text):
        for words in (
            "13 Published measures", "74.87 %", "Toy pairs: scripted/cooks", "several pieces: 20 items",
            "a model that is not one of this audit", "Not evidence: anything", "Audited by: ",
        ):  # fmt: skip
            assert words in shape, words
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    tables = csv_tables(told)
    (figure,) = csv.DictReader(io.StringIO(tables["published-numbers.csv"]))
    (estimate,) = csv.DictReader(io.StringIO(tables["published-estimates.csv"]))
    section = entry["result"]["scorings"][0]
    assert float(figure["value"]) == section["figures"][0]["value"]
    assert float(estimate["estimate"]) == section["estimates"][0]["estimate"]
    assert estimate["verdict"] == section["estimates"][0]["verdict"] == "disparity"


def test_what_a_model_said_shows_as_itself(told: dict[str, Any]) -> None:
    page, text = html(told), markdown(told)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert r"\| \*b\*" in text


def test_a_run_that_was_edited_is_refused(bundle: Path, run: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    path = copy / "result.json"
    result = json.loads(path.read_text("utf-8"))
    result["scorings"][0]["figures"][0]["value"] = 50.0
    path.write_text(json.dumps(result), "utf-8")
    with pytest.raises(BundleError, match=r"not what its records give.*figures\[0\]\.value"):
        report_data(bundle, Asked(benchmarks=(copy,)))


def test_the_command_takes_several_runs(
    bundle: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", str(bundle), "--format", "json,pdf", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--benchmark", str(run), "--benchmark", str(run)])
    assert ended.value.code == 0
    assert len(json.loads((tmp_path / "report.json").read_text("utf-8"))["published"]) == 2
    assert (tmp_path / "report.pdf").stat().st_size > 10_000
    with pytest.raises(SystemExit) as ended:
        main([*words, "--benchmark", str(tmp_path)])
    assert ended.value.code == 2
    assert "holds no plan.json" in capsys.readouterr().err


class NoCharts:
    """In the place of what draws the charts of a paper: keeps what each would say."""

    def add(self, chart: Any, described: str, caption: Any) -> dict[str, Any]:
        return {"kind": "figure", "alt": described, "caption": caption}


def test_the_paper_says_it_too(told: dict[str, Any], data: dict[str, Any]) -> None:
    drawings = cast(Drawings, NoCharts())
    blocks = json.dumps(published(shown(told)["report"], drawings), ensure_ascii=False)
    for words in ("74.87 %", "Toy pairs: scripted/cooks", "● disparity", "a model that is not one of this"):
        assert words in blocks, words
    assert "overall: +0.249" in blocks and "1 audited estimate, in share" in blocks
    assert published(data, drawings) == []


def test_the_summary_counts_it_apart_and_no_section_of_the_audit_counts_it(
    told: dict[str, Any], data: dict[str, Any]
) -> None:
    line = told["executive"]["published"]
    assert line == (
        "Beside this audit, and in none of its counts, section 13 holds 1 run of published measures. "
        "Of 1 estimate: 1 disparity."
    )
    assert data["executive"]["published"] is None
    for shape in (html(told), markdown(told)):
        assert line in shape
    parts = set(data) - {"published", "executive"}
    assert {part for part in parts if told[part] != data[part]} == set()
    rest = set(data["executive"]) - {"published"}
    assert {part for part in rest if told["executive"][part] != data["executive"][part]} == set()


def test_geometry_and_what_nothing_should_rest_on_are_counted_apart(told: dict[str, Any]) -> None:
    (plain,) = told["published"]
    geometry, compat, again = (copy.deepcopy(plain) for _ in range(3))
    geometry["result"]["card"]["label"] = "embedding geometry, not behaviour"
    compat["result"]["card"]["tier"] = "compat only"
    again["result"]["scorings"][0]["estimates"][0]["verdict"] = "inconclusive"
    assert str(beside([plain, geometry, compat, again])).endswith(
        "section 13 holds 4 runs of published measures. Of 2 estimates: 1 disparity, 1 inconclusive. Of 1 "
        "estimate of embedding geometry, not behaviour: 1 disparity. Of 1 estimate of measures that nothing "
        "should be decided by: 1 disparity."
    )
    page = html({**told, "published": [geometry]})
    assert page.count("embedding geometry, not behaviour") >= 4, "heading, chart, caption, scoring"


def test_a_caution_is_told_once_and_a_long_table_is_folded_the_worst_first(told: dict[str, Any]) -> None:
    (first,) = told["published"]
    second = copy.deepcopy(first)
    section = second["result"]["scorings"][0]
    one = section["estimates"][0]
    mild = {**one, "verdict": "no disparity within margin", "estimate": 0.001, "lo": -0.02, "hi": 0.02}
    section["estimates"] = [*({**mild, "name": f"mild {n}"} for n in range(30)), {**one, "name": "grave"}]
    data = {**told, "published": [first, second]}
    page, text = html(data), markdown(data)
    own = page[page.index('<h2 id="published">') : page.index('<section aria-labelledby="glossary">')]
    assert own.count("<li>it is a test</li>") == text.count("\n- it is a test\n") == 1
    assert page.count(ABOVE) == text.count(ABOVE) == 1
    folded = page[page.index("The other 19 audited estimates of toy, sums") :]
    assert '<th scope="row" class="left named">grave' in page.split("The other 19 audited")[0]
    assert folded.count("mild ") == 19
    assert text.index("grave") < text.index("mild 0"), "the worst first"
    drawn = drawn_estimates(second["result"])
    assert len(drawn) == MOST and drawn[0]["name"] == "grave"
    assert drawn_text(second["result"], drawn) == (
        f"toy of scripted/cooks: {MOST} of 31 audited estimates, in share; the tables have all."
    )


def test_the_chart_draws_each_estimate_beside_its_published_number(told: dict[str, Any]) -> None:
    found = told["published"][0]["result"]
    rows = drawn_estimates(found)
    written = svg(measure_forest(rows, LIGHT, "Toy pairs"))
    for words in ("overall (published 74.87 %)", "● disparity", "departure, in share", "line: 95 % interval"):
        assert words in written, words
    lost = {**rows[0], "estimate": None, "lo": None, "hi": None, "verdict": "invalid", "reason": "no pair"}
    assert "invalid: no pair" in svg(measure_forest([lost], LIGHT, "Toy pairs"))
    assert "no pair, invalid" in described_measure([lost], "Toy pairs")
    assert "No estimate" in svg(measure_forest([], LIGHT, "Toy pairs"))
