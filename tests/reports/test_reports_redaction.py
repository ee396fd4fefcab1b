"""No document holds what a model wrote, unless it was asked for; and then the document says so."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from audit.redaction.copying import redact
from audit.redaction.withheld import NOT_HERE
from reports.asked import Asked
from reports.audit_report import FORMATS, report_data
from reports.exports.files import Content
from reports.schema import checked
from reports.writers.paper.sections import laid_out
from tests.audit.redaction_world import MARK, write_spoken
from tests.reports.made_up import stub_charts
from tests.reports.pages import Outline

REVEALED = ("html", "pdf", "md", "json", "csv", "eval-ever", "bundle")
"""Formats that can show such text; the others hold none."""
SAID = "Model-written text is shown, as was asked for: "


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return write_spoken(tmp_path_factory.mktemp("spoken"))


@pytest.fixture(scope="module")
def told(spoken: Path) -> dict[bool, dict[str, Any]]:
    """The report's data, without and with what the model wrote."""
    return {reveal: report_data(spoken, Asked(reveal=reveal)) for reveal in (False, True)}


@pytest.fixture(autouse=True)
def charts(without_charts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_charts(monkeypatch)


def text_of(name: str, data: dict[str, Any], root: Path) -> str:
    """Everything that a format writes, as text; of a paper what goes to the typesetter."""
    if name == "pdf":
        return json.dumps(laid_out(data)[0], ensure_ascii=False)
    return "\n".join(unpacked(path, content) for path, content in FORMATS[name](data, root).items())


def unpacked(path: str, content: Content) -> str:
    """The text of a file, that of all files in it if it is a ZIP file."""
    held = io.BytesIO(content) if isinstance(content, bytes) else io.BytesIO()
    if not isinstance(content, bytes):
        content.copy_to(held)
    if not path.endswith(".zip"):
        return held.getvalue().decode("utf-8")
    with zipfile.ZipFile(held) as archive:
        return "\n".join(archive.read(name).decode("utf-8") for name in archive.namelist())


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_holds_what_a_model_wrote_only_where_it_was_asked_for(
    name: str, spoken: Path, told: dict[bool, dict[str, Any]]
) -> None:
    without, shown = (text_of(name, told[reveal], spoken) for reveal in (False, True))
    assert MARK not in without
    assert (MARK in shown) == (name in REVEALED)
    assert "\x1b" not in without + shown
    if name in ("html", "md", "pdf", "csv"):
        assert "[withheld: 4 characters, sha256 " in without.replace("\\", "")


def test_what_is_shown_is_said_and_counted_and_fits_the_schema(
    told: dict[bool, dict[str, Any]], spoken: Path
) -> None:
    without, shown = told[False], told[True]
    texts = [text for row in shown["examples"]["findings"] for item in row["items"] for text in item["texts"]]
    assert (without["texts"], shown["texts"]) == ("withheld", "revealed")
    assert texts and shown["examples"]["warning"].endswith(f"{SAID}{len(texts)} texts.")
    assert sum(MARK in text["text"] for text in texts) == len(texts) * 3 // 4  # one in four has no letter
    assert SAID not in without["examples"]["warning"]
    for text in (page for page in (text_of("html", shown, spoken), text_of("md", shown, spoken))):
        assert f"{SAID}{len(texts)} texts" in text and "Examples, with what the model wrote" in text
    earlier = {key: value for key, value in without.items() if key != "texts"}
    assert checked(earlier, "", spoken) == earlier, "an earlier report says nothing of it, and is valid"


def test_what_is_shown_is_spelt_out_and_obeyed_by_nobody(
    told: dict[bool, dict[str, Any]], spoken: Path
) -> None:
    page = text_of("html", told[True], spoken)
    outline = Outline()
    outline.feed(page)
    assert "script" not in outline.seen and "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in text_of("md", told[True], spoken)
    assert "\u202e" not in page and "\x1b" not in page


def test_the_answers_line_by_line_say_whether_texts_are_shown(
    told: dict[bool, dict[str, Any]], spoken: Path
) -> None:
    for reveal, said in ((False, "is replaced by its length"), (True, "is shown, as was asked for: ")):
        assert said in text_of("eval-ever", told[reveal], spoken)


def test_a_redacted_copy_reports_the_same_and_reveals_nothing(
    told: dict[bool, dict[str, Any]], spoken: Path, tmp_path: Path
) -> None:
    redact(spoken, tmp_path / "copy")
    data = report_data(tmp_path / "copy", Asked(reveal=True))
    assert data["texts"] == "withheld" and NOT_HERE in data["examples"]["warning"]
    assert data["examples"]["findings"] == told[False]["examples"]["findings"]
    assert data["findings"] == told[False]["findings"]
    shown = text_of("eval-ever", data, tmp_path / "copy")
    kept = text_of("eval-ever", told[False], spoken)
    assert MARK not in shown and "not in this redacted copy" in shown
    assert shown.count("[withheld: ") == kept.count("[withheld: ") > 0
