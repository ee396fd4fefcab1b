"""Published measures on the pages: what stands there is what the kept answers give, and no text unasked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audit import benchmarks
from audit.benchmarks import wording as measures
from audit.bundle import read_json
from dashboards.app import VIEWS
from tests.dashboards.conftest import Pages, clean, table, texts, widget
from tests.reports.test_reports_published import toy_run


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of pairs whose texts are of our own making, with errors and doubts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")
        return toy_run(tmp_path_factory.mktemp("runs") / "pairs", "scripted/<b>cooks</b>")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Path:
    """A copy of its own: what is read is cached by the place and the time of its files."""
    return Path(shutil.copytree(kept, tmp_path / "pairs"))


def test_a_run_stands_beside_an_audit(scripted: Path, run: Path, pages: Pages) -> None:
    app = clean(pages.open("published", scripted, run))
    found = read_json(run / "result.json")
    section = found["scorings"][0]
    listed = table(app, "Runs of published measures")
    assert list(listed["run"]) == ["pairs"] and list(listed["● disparity"]) == [1]
    assert list(table(app, "Published numbers: toy, sums").iloc[0]) == list(
        measures.figure_cells(section["figures"][0])
    )
    shown = table(app, "Audited estimates: toy, sums")
    assert list(shown.iloc[0]) == list(measures.estimate_cells(section["estimates"][0]))
    both = table(app, "With and without doubtful items")
    without = section["without_doubts"]["estimates"][0]
    assert both["departure"][0] == shown["departure"][0]
    assert both["departure without"][0] == measures.estimate_cells(without)[2] != both["departure"][0]
    said = texts(app)
    for words in (
        "result.json says the same",
        "This run asked a model that is not one of this audit's.",
        "scripted/<b>cooks</b>: 200 items in 40 clusters",
        "Not evidence: anything",
    ):
        assert words in said, words
    errors = section["answers"]["error"]
    assert f"error\n{errors}" in said and errors == 2
    assert [each.options for each in app.selectbox if each.label == "Audit"] == [[scripted.name]]
    clean(pages.go(app, "findings"))


def test_no_text_of_an_item_is_sent_unasked(run: Path, pages: Pages) -> None:
    app = clean(pages.open("published", run))
    sent = [text for _, text in pages.sent()]
    assert not [text for text in sent if "The cook" in text or "The clerk" in text]
    app = clean(widget(app, "number_input", "Look at item").set_value(9).run())
    app = clean(widget(app, "button", "Show the texts").click().run())
    said = texts(app)
    assert "The cook 8 sang." in said and "The clerk 8 sang." in said
    app = clean(widget(app, "number_input", "Look at item").set_value(10).run())
    assert "The cook 9 sang." not in texts(app)


def test_runs_alone_open_the_dashboard(run: Path, pages: Pages) -> None:
    app = clean(pages.open("findings", run))
    assert app.title[0].value == "Published measures"
    assert "not one of this audit's" not in texts(app)
    assert not [each for each in app.selectbox if each.label == "Audit"]


def test_an_audit_without_runs_says_how_to_make_one(scripted: Path, pages: Pages) -> None:
    app = clean(pages.open("published", scripted))
    assert "evenhand benchmarks run" in texts(app)
    assert VIEWS["published"][0] == "Published measures"


def test_a_result_that_was_edited_is_told_from_what_the_answers_give(run: Path, pages: Pages) -> None:
    result = read_json(run / "result.json")
    result["scorings"][0]["figures"][0]["value"] = 50.0
    (run / "result.json").write_text(json.dumps(result), "utf-8")
    app = clean(pages.open("published", run))
    said = texts(app)
    assert "scorings[0].figures[0].value" in said and "says the same" not in said
    assert table(app, "Published numbers: toy, sums")["value"][0] == "74.87 %"


def test_what_cannot_be_shown_of_a_run_is_said(run: Path, kept: Path, tmp_path: Path, pages: Pages) -> None:
    other = Path(shutil.copytree(kept, tmp_path / "other"))
    (run / "result.json").unlink()
    (other / "items.jsonl").write_text("{}\n", "utf-8")
    app = clean(pages.open("published", run, other))
    assert "not finished" in texts(app) and "evenhand benchmarks run --out" in texts(app)
    app = clean(pages.open("published", run, other, run="other"))
    assert "items.jsonl: not items" in texts(app)
    (other / "result.json").write_text('{"scorings": 1}', "utf-8")
    app = clean(pages.open("published", other))
    assert "not as this version writes it" in str(table(app, "Runs of published measures")["measure"][0])


def test_the_export_puts_a_chosen_run_beside_the_audit(scripted: Path, run: Path, pages: Pages) -> None:
    app = clean(pages.open("export", scripted, run))
    name = next(name for name in pages.downloads if name.endswith(".json"))
    assert json.loads(pages.downloads[name]())["published"] is None
    clean(widget(app, "multiselect", "Published measures").set_value(["pairs"]).run())
    (told,) = json.loads(pages.downloads[name]())["published"]
    assert told["result"]["benchmark"] == "toy"
