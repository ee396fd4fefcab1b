"""A report as blocks for paper: its sections, how many charts it may have, and its letters."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from reports.audit_report import html
from reports.charts import drawing, drawn
from reports.writers.paper import drawings
from reports.writers.paper.blocks import anything, listed_data, plain, table
from reports.writers.paper.letters import replaced, spellings, words_of
from reports.writers.paper.sections import laid_out
from tests.reports.made_up import stub_charts, with_every_part


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_charts(monkeypatch)


def test_sections_that_the_data_lack_are_left_out_and_numbers_stay(
    data: dict[str, Any], without_charts: None
) -> None:
    paper, _ = laid_out(data)
    titles = [
        block["text"] for block in paper["blocks"] if block["kind"] == "heading" and block["level"] == 1
    ]
    assert [title.split()[0] for title in titles] == [*map(str, range(1, 12)), *"ABCE"]
    full = with_every_part(data)
    paper, _ = laid_out(full)
    titles = [
        block["text"] for block in paper["blocks"] if block["kind"] == "heading" and block["level"] == 1
    ]
    assert [title.split()[0] for title in titles] == [*map(str, range(1, 13)), *"ABCDE"]


def test_charts_are_bounded_and_say_so(
    data: dict[str, Any], without_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "MOST_ROWS", 3)
    paper, _ = laid_out(data)
    captions = [block["caption"] for block in paper["blocks"] if block["kind"] == "figure"]
    assert any("The first 3 of 12" in caption for caption in captions)
    monkeypatch.setattr(drawings, "MOST_GROUPS", 1)
    fewer, files = laid_out(data)
    assert len(files) < len(captions)
    assert any(block["kind"] == "quiet" and "Not drawn" in block["runs"] for block in fewer["blocks"])


def test_a_chart_of_two_formats_is_drawn_once(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    small = {**data, "findings": data["findings"][1:3], "controls": [], "heat_maps": []}
    _, files = laid_out(small)
    asked: list[str] = []
    monkeypatch.setattr(drawing, "drawn_by", lambda pen, spec: asked.append(spec) or "<svg />")
    html(small)
    laid_out(small)
    assert asked == [] and len(files) == 2


def test_the_drawings_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "KEPT", OrderedDict())
    monkeypatch.setattr(drawn, "MOST", 2)
    for spec in ("a", "b", "a", "c"):
        assert drawn.kept(spec, str.upper) == spec.upper()
    assert list(drawn.KEPT) == ["a", "c"]


def test_a_table_of_unequal_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="rows of other lengths"):
        table("caption", ("a", "b"), [["1"]])


def test_data_of_any_shape_become_blocks() -> None:
    told = anything(
        {"one": 1.23456, "none": None, "list": ["a", "b"], "part": {"deep": True}, "rows": [{"x": 1}]}
    )
    assert told[0]["rows"] == [("one", "1.235"), ("none", "none given"), ("list", ["a", ("line",), "b"])]
    assert [block["kind"] for block in told] == ["facts", "heading", "facts", "table"]
    assert plain({"a_b": [1, None]}) == "a b: 1; none given"
    title, block = listed_data("x", [{str(key): key for key in range(9)}])
    assert (title["text"], block["kind"]) == ("X", "facts")  # too many columns for a page


def test_words_are_found_everywhere_and_spelt_only_where_they_must() -> None:
    assert words_of({"é": ["plain ü", {"x": "ö ascii"}]}) == {"é", "ü", "ö"}
    spelling = spellings({"aé", "b☃", "é☃"}, lambda found: not any("☃" in word for word in found))
    assert spelling == {"b☃": "b\\x2603", "é☃": "é\\x2603"}
    assert replaced({"k☃": ["b☃"]}, {"k☃": "k?", "b☃": "b?"}) == {"k?": ["b?"]}
    pair = spellings({"éö"}, lambda found: "éö" not in found)
    assert pair == {"éö": "\\xe9\\xf6"}  # each letter can be set, the two of them cannot


def test_what_findings_have_alike_is_said_once(data: dict[str, Any], without_charts: None) -> None:
    paper, _ = laid_out(data)
    (details,) = (block for block in paper["blocks"] if block["kind"] == "details")
    assert sum(len(group["items"]) for group in details["groups"]) == len(data["findings"])
    for group in details["groups"]:
        for name, value in group["shared"]:
            assert all([name, value] != list(row) for one in group["items"] for row in one["rows"])
    names = [name for group in details["groups"] for name, _ in group["shared"]]
    assert {"role", "margin from"} <= set(names)


def test_a_pen_is_started_only_for_what_was_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "KEPT", OrderedDict({'{"a": 1}': "<svg />"}))
    monkeypatch.setattr(drawing.subprocess, "Popen", lambda *given, **more: pytest.fail("a pen"))
    monkeypatch.setattr(drawing, "vega_lite", lambda chart: chart)
    with drawing.drawing(3) as pens:
        assert "<svg" in pens.rendered('{"a": 1}').result()
