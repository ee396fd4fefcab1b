"""Nothing that a model, a suite, a plan or a reviewer says is obeyed: it is spelt out where it is shown."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from audit import benchmarks
from audit.bundle import read_json
from audit.review.log import append_review
from dashboards import charts
from dashboards.app import VIEWS
from dashboards.shown import emphasised, escaped
from tests.audit.review_world import Hand
from tests.dashboards.conftest import Pages, clean, table, texts, widget
from tests.dashboards.worlds import MARK, MARKUP, TURNED, TYPED
from tests.reports.test_reports_published import toy_run

TAGS = {
    "p",
    "div",
    "span",
    "em",
    "mark",
    "blockquote",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
ATTRIBUTES = {"class", "scope", "tabindex", "role", "aria-label", "aria-hidden"}
"""What this program's own HTML is made of."""

DRAWN = (
    ".delta.new_element.dataframe.",
    ".delta.new_element.vega_lite_chart.",
    ".delta.new_element.selectbox.options",
    ".delta.new_element.multiselect.options",
    ".delta.new_element.selectbox.raw_value",
    ".delta.new_element.multiselect.raw_values",
    ".delta.new_element.imgs.alt",
    "file",
    ".page_info_changed.query_string",
)
"""Places whose text is drawn as it is, or is not shown: cells, axes, lists, files, the address.

A browser reads everything else as Markdown: labels, captions, headings, tooltips.
"""
BARE = (".id", ".key", ".query_param_key", ".element_id", ".form_id")
"""Names that are not shown."""


class Tags(HTMLParser):
    """Every tag and attribute of a text, as a browser finds them."""

    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.found.update(f"{tag}.{name}" for name, _ in attrs if name not in ATTRIBUTES)

    def handle_comment(self, data: str) -> None:
        self.found.add(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.add(f"declaration {decl}")


def faults(pages: Pages) -> Iterator[str]:
    """Where the last run sent a stranger's text to a place that would obey it."""
    for place, text in pages.sent():
        if place.endswith("html.body"):
            if text.startswith("<style"):
                continue
            yield from (f"{place}: <{tag}>" for tag in Tags(text).found - TAGS)
            if any(turned in text for turned in ("\x1b", "\u202e", "\u200b", "\u2028")):
                yield f"{place}: a control character"
        elif MARK in text and not place.startswith(DRAWN) and not place.endswith(BARE):
            yield f"{place}: {text[:200]}"


def said_by_people(root: Path) -> Path:
    """The audit with reviews in markup, by somebody whose name is markup."""
    hand, name = Hand(root), TYPED[:80]
    finding = hand.findings["findings"][0]["id"]
    append_review(root, hand.status(name, 0, "disputed", TURNED))
    append_review(root, hand.by(name, kind="comment", finding=finding, text=TURNED))
    append_review(root, hand.by(name, kind="reveal", scope=TURNED[:200]))
    return root


@pytest.fixture
def attacked(hostile: Path, tmp_path: Path) -> Path:
    return said_by_people(Path(shutil.copytree(hostile, tmp_path / "attacked <b>**x**")))


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a published measure by a model whose name is markup."""
    monkeypatch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")
    return toy_run(tmp_path / "run <b>**x**", f"scripted/{MARKUP}")


@pytest.mark.parametrize("page", list(VIEWS))
def test_no_page_obeys_what_it_shows(
    attacked: Path, hostile: Path, measured: Path, pages: Pages, page: str
) -> None:
    app = clean(pages.open(page, attacked, hostile, measured))
    assert list(faults(pages)) == []
    assert MARK in texts(app) or any(MARK in text for _, text in pages.sent()) or page == "export"
    if page in ("finding", "review"):
        widget(app, "text_input", "Your name").set_value(TYPED[:80])
        clean(app.run())
        assert list(faults(pages)) == []


def test_a_finding_shows_strangers_words_to_the_letter(attacked: Path, pages: Pages) -> None:
    rows = read_json(attacked / "findings.json")["findings"]
    for suite in ("mini", "continuation"):
        row = next(row for row in rows if row["suite"] == suite)
        app = clean(pages.open("finding", attacked, finding=row["id"]))
        assert list(faults(pages)) == []
        if suite == "mini":
            assert TYPED in texts(app), "the question"
            assert "one zqhostile" in texts(app), "the group"
        widget(app, "text_input", "Your name").set_value("Ada <b>*x*</b>")
        app = clean(app.run())
        for button in [each for each in app.button if each.label.startswith("Show what")]:
            app = clean(button.click().run())
            assert list(faults(pages)) == []
            assert r"\u202e\u200b\u2028\x1b[31m was cruel" in texts(app)
        for button in [each for each in app.button if each.label.startswith("Pin it")][:2]:
            app = clean(button.click().run())
        assert list(faults(pages)) == []


def test_what_people_wrote_is_shown_to_the_letter(attacked: Path, pages: Pages) -> None:
    row = read_json(attacked / "findings.json")["findings"][0]
    said = texts(clean(pages.open("finding", attacked, finding=row["id"])))
    assert said.count(TYPED + r"\u202e\u200b\u2028") >= 2 and f"{TYPED[:80]} · disputed" in said
    shown = table(clean(pages.open("review", attacked)), "Everything that reviewers said")
    assert list(shown["who"]) == [TYPED[:80]] * 3 and TURNED in list(shown["in words"])


def test_a_label_of_a_hostile_text_goes_the_whole_way(attacked: Path, pages: Pages) -> None:
    app = pages.open("review", attacked)
    widget(app, "text_input", "Your name").set_value("Ada")
    app = clean(app.run())
    seen = 0
    for _ in range(6):
        for button in [each for each in app.button if each.label.startswith("Show what the models")]:
            app = clean(button.click().run())
        assert list(faults(pages)) == []
        seen += texts(app).count("was cruel") + texts(app).count("xxxxxxxx […]")
        next(each for each in app.radio if "unclear" in each.options).set_value("unclear")
        app = clean(widget(app, "button", "Keep label").click().run())
        assert list(faults(pages)) == []
        app = clean(widget(app, "button", "Next, without").click().run())
    assert seen


def test_texts_of_a_slice_are_drawn_and_never_run(attacked: Path, pages: Pages) -> None:
    app = pages.open("explore", attacked, suite="continuation")
    widget(app, "text_input", "Your name").set_value("Ada")
    app = clean(app.run())
    app = clean(widget(app, "button", "Show what the models").click().run())
    assert list(faults(pages)) == []
    shown = table(app, "Scores, page 1")
    assert any("was cruel" in str(text) for text in shown["output"])
    widget(app, "text_input", "Save this view as").set_value(TYPED[:60])
    app = clean(widget(app, "button", "Save view").click().run())
    assert TYPED[:60] in widget(app, "selectbox", "Saved slices").options
    assert list(faults(pages)) == []


def test_a_spreadsheet_runs_no_cell() -> None:
    cells = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "a\r=1", "-1.5", None]
    content = charts.csv(pd.DataFrame({"said": cells, "n": range(9)})).decode()
    shown = [row[0] for row in csv.reader(io.StringIO(content, newline=""))][1:]
    assert shown == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "'\rx", "a\r=1", "-1.5", ""]


def test_half_a_character_is_named_and_stops_nothing(hostile: Path, pages: Pages, tmp_path: Path) -> None:
    """JSON can spell half of a surrogate pair, which no page can carry."""
    own = Path(shutil.copytree(hostile, tmp_path / "own"))
    for name in ("provenance.json", "environment.json"):
        data = json.loads((own / name).read_text("utf-8"))
        rows = data.get("claims") or data["runs"]
        field = "value" if "claims" in data else "started"
        rows[0][field] = f"half \ud800 {MARKUP}"
        (own / name).write_text(json.dumps(data), "utf-8")
        app = clean(pages.open("provenance", own))
        assert "This audit cannot be read" in texts(app) and "half a character" in texts(app)
        assert list(faults(pages)) == []


@pytest.mark.parametrize("text", [MARKUP, "a\ud800b", "\x00", "x" * 30_000, "*a* <b>*<i>*"])
def test_escaping_leaves_no_markup_and_loses_no_letter(text: str) -> None:
    body = escaped(text)
    assert not Tags(body).found
    body.encode("utf-8")
    assert "".join(each for each in html.unescape(body) if each in text[:20]).startswith(text[:1].strip("\0"))
    assert Tags(emphasised(text)).found <= {"em"}
    assert len(body) < 200_000 and (len(text) < 20_000 or body.endswith("[…]"))


def test_what_a_page_was_told_reads_the_same(attacked: Path, pages: Pages) -> None:
    """The title, the card and the reasons, to the letter."""
    said = texts(clean(pages.open("provenance", attacked)))
    assert re.search(re.escape(f"title {TYPED}"), said)
    for words in ("harm", "construct", "would not be evidence"):
        assert f"{words}\n{TYPED}" in said
    said = texts(clean(pages.open("findings", attacked)))
    assert f"title {TYPED}" in said
