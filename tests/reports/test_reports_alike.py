"""What many findings say in the same words: told once, and never lost on paper."""

from __future__ import annotations

import copy
import re
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any

import pytest

from reports.audit_report import html
from reports.writers import page as page_writer
from reports.writers.alike import ELSEWHERE, LEAST_FINDINGS, alike, lines
from reports.writers.detail import detail, form
from reports.writers.plain import NONE
from reports.writers.questions import answered, unanswered
from tests.reports.sections import HOSTILE, formed


@pytest.fixture
def rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = formed(data)["findings"]
    return told


def test_every_line_of_a_finding_stands_with_it_and_what_is_repeated_is_told_once(
    rows: list[dict[str, Any]],
) -> None:
    shared = alike(rows)
    said = {(each.name, each.text) for each in shared}
    assert len(said) == len(shared)
    for told in rows:
        parts = lines(told, shared)
        assert [[(line.name, line.text) for line in part] for part in parts] == [form(told), detail(told)]
        for line in (*parts[0], *parts[1]):
            assert line.again == ((line.name, line.text) in said or line.name in ELSEWHERE)


def test_a_text_of_few_and_a_short_one_of_some_stay_where_they_are(rows: list[dict[str, Any]]) -> None:
    long = "a cause that takes more than a line to tell, and that nobody would look up elsewhere gladly"
    for place, told in enumerate(rows):
        told["cause"] = long if place < LEAST_FINDINGS - 1 else f"cause {place}"
        told["effect"] = "short" if place else "another"
        told["response"] = None if place else "yes"
        told["criteria"] = f"{long}, {place >= LEAST_FINDINGS}"
    found = {(each.name, each.text): each.findings for each in alike(rows)}
    assert not [name for name, _ in found if name in ("likely cause", "effect")]
    last = rows[-1]["number"]
    assert found["response", NONE] == f"F-002 to {last}"
    assert found["criteria", f"{long}, False"] == f"F-001 to F-{LEAST_FINDINGS:03}"
    assert found["criteria", f"{long}, True"] == f"F-{LEAST_FINDINGS + 1:03} to {last}"
    assert found["evidence", "finding x; family y"] == "all"


def test_the_page_tells_shared_texts_in_a_table_and_marks_them_at_each_finding(
    data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    empty: Future[str] = Future()
    empty.set_result("")
    for chart in ("forest", "power", "map", "control", "curve"):
        monkeypatch.setattr(page_writer, f"{chart}_figure", lambda *_: empty)
    monkeypatch.setattr(page_writer, "drawing", lambda count: nullcontext())
    full = formed(data)
    page = html(full)
    count = len(full["findings"])
    assert page.count('<dt class="again">response</dt><dd class="again">&lt;script') == count
    assert re.search(r'<th scope="row">response</th><td class="wide">&lt;script.*?</td><td>all</td>', page)
    assert HOSTILE not in page
    few = {**full, "findings": full["findings"][: LEAST_FINDINGS - 1]}
    few["findings"] = copy.deepcopy(few["findings"])
    assert "What many findings say" not in html({**few, "heat_maps": [], "controls": []})


def test_questions_without_an_answer_stand_together_by_where_it_was_looked_for() -> None:
    def row(name: str, *looked: str, answers: int = 0) -> dict[str, Any]:
        status = "declared" if answers else "not_applicable" if name == "Q4" else "unknown"
        return {"id": name, "status": status, "looked": list(looked), "answers": [{}] * answers}

    asked = [
        row("Q1", "card"),
        row("Q2", answers=1),
        row("Q3", "card", "header"),
        row("Q4"),
        row("Q5", "card"),
    ]
    assert [each["id"] for each in answered(asked)] == ["Q2"]
    told = [(status, looked, [each["id"] for each in own]) for status, looked, own in unanswered(asked)]
    assert told == [
        ("unknown", "card", ["Q1", "Q5"]),
        ("unknown", "card; header", ["Q3"]),
        ("not applicable", "", ["Q4"]),
    ]
