"""The dashboard in a real browser: from a finding to its prompt, labels that stay, a comparison, a report."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.bundle import Bundle, read_json
from audit.review.log import read_reviews
from dashboards.app import VIEWS

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test does")

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome")
                 if (path := shutil.which(name))), None)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: make browser installs it")

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    loads: list[str] = []
    opened.on("request", lambda request: loads.append(request.url))
    yield opened
    away = [url for url in loads if not re.match(r"(https?|wss?)://localhost[:/]|data:|blob:", url)]
    assert away == [], "a page asks other machines for something"
    context.close()


def at(page: Any, address: str) -> None:
    """Go to an address and wait until the page is drawn."""
    page.goto(address)
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until the script has run and the page is drawn."""
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-test-script-state="notRunning"]')
    page.wait_for_timeout(300)
    page.wait_for_selector('[data-test-script-state="notRunning"]')
    assert page.locator('[data-testid="stException"]').count() == 0, page.inner_text("body")[:2000]


def name_oneself(page: Any, name: str) -> None:
    page.get_by_role("textbox", name="Your name").fill(name)
    page.keyboard.press("Enter")
    drawn(page)


def test_from_the_first_page_to_the_raw_prompt(page: Any, served: tuple[str, Path]) -> None:
    address, folder = served
    at(page, f"{address}/?bundle=before")
    page.get_by_role("link", name="Look into it").first.click()
    page.wait_for_url("**/finding?**")
    drawn(page)
    findings = read_json(folder / "before/findings.json")["findings"]
    worst = next(row for row in findings if row["verdict"] == "disparity")
    assert f"finding={worst['id'].replace('/', '%2F')}".lower()[:20] in page.url.lower()
    page.get_by_role("tab", name="What carries it").click()
    prompts = page.locator('blockquote[aria-label="The prompt"]')
    prompts.first.wait_for()
    asked = {record.request.text for record in Bundle(folder / "before").records()
             if record.request.form == "fill"}  # fmt: skip
    prefixes = {record.request.prefix for record in Bundle(folder / "before").records()
                if record.request.form == "score"}  # fmt: skip
    seen = [prompts.nth(number).inner_text() for number in range(2)]
    for text in seen:
        assert text in asked or any(text.startswith(prefix) for prefix in prefixes), text
    marks = [prompts.nth(number).locator("mark").all_inner_texts() for number in range(2)]
    assert marks[0] and marks[1] and marks[0] != marks[1]
    page.get_by_role("button", name="Where this lies").first.click()
    provenance = page.get_by_text("Provenance of this answer")
    provenance.wait_for()
    digests = {record.digest for record in Bundle(folder / "before").records()}
    assert any(digest in page.inner_text("body") for digest in digests)


def test_a_row_of_the_table_leads_to_its_finding(page: Any, served: tuple[str, Path]) -> None:
    address, folder = served
    at(page, f"{address}/?bundle=before")
    table = page.locator('[data-testid="stDataFrame"]').first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)  # the rows are drawn on a canvas, which tells nobody when it is ready
    box = table.bounding_box()
    page.mouse.move(box["x"] + 18, box["y"] + 66)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + 18, box["y"] + 66)
    page.wait_for_url("**/finding?**")
    drawn(page)
    first = read_json(folder / "before/findings.json")["findings"][0]
    assert page.evaluate("new URL(location).searchParams.get('finding')") == first["id"]


def test_labels_stay_when_the_page_is_loaded_again(page: Any, served: tuple[str, Path]) -> None:
    address, folder = served
    before = len(read_reviews(folder / "before").events)
    at(page, f"{address}/review?bundle=before")
    name_oneself(page, "Ada")
    for count in (1, 2):
        reveal = page.get_by_role("button", name="Show what the models wrote")
        if reveal.count():
            reveal.click()
            drawn(page)
        page.locator('[role="radiogroup"] label', has_text="unclear").first.click()
        page.get_by_role("button", name="Keep label").click()
        page.get_by_role("button", name="Next, without a decision").click()
        page.get_by_text(f"{count} of ").first.wait_for()
        drawn(page)
    page.reload()
    drawn(page)
    name_oneself(page, "Ada")
    page.get_by_text(re.compile(r"^2 of \d+ labelled by you")).wait_for()
    events = read_reviews(folder / "before").events[before:]
    labels = [event for event in events if event.kind == "label"]
    assert [event.fields["label"] for event in labels] == ["unclear", "unclear"]
    assert all(event.reviewer == "Ada" and event.fields["blind"] for event in labels)
    assert labels[0].target != labels[1].target


def test_two_audits_side_by_side(page: Any, served: tuple[str, Path]) -> None:
    address, _ = served
    at(page, f"{address}/compare?bundle=before")
    page.get_by_text("What changed, item by item").wait_for(timeout=2 * PATIENCE)
    drawn(page)
    said = page.inner_text("body")
    assert re.search(r"\d+ changed", said) and "only before" in said and "flipped" in said


def test_a_report_is_downloaded_with_the_numbers_of_the_page(page: Any, served: tuple[str, Path]) -> None:
    address, folder = served
    at(page, f"{address}/export?bundle=before")
    with page.expect_download(timeout=3 * PATIENCE) as waiting:
        page.get_by_role("button", name="Download JSON").click()
    report = json.loads(Path(waiting.value.path()).read_text("utf-8"))
    findings = read_json(folder / "before/findings.json")["findings"]
    assert [row["record"]["estimate"] for row in report["findings"]] == [row["estimate"] for row in findings]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anybody_out(browser: Any, served: tuple[str, Path], scheme: str) -> None:
    """axe-core finds nothing serious on any page, by day and by night."""
    from axe_playwright_python.sync_playwright import Axe

    address, _ = served
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
    context.set_default_timeout(2 * PATIENCE)
    axe, faults = Axe(), []
    for path in VIEWS:
        opened = context.new_page()
        at(opened, f"{address}/{'' if path == 'findings' else path}?bundle=before")
        for fault in axe.run(opened).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                faults.append((path, fault["id"], fault["nodes"][0]["html"][:200]))
        opened.close()
    context.close()
    assert faults == []


def test_the_keyboard_reaches_what_the_mouse_does(page: Any, served: tuple[str, Path]) -> None:
    address, _ = served
    at(page, f"{address}/?bundle=before")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.textContent || '').trim().slice(0, 40)"))
    for name in ("Explore", "Export", "Look into it", "This table as CSV"):
        assert any(name in text for text in reached), name


def test_an_address_names_the_audit_that_opens_first_too(page: Any, served: tuple[str, Path]) -> None:
    address, _ = served
    at(page, f"{address}/explore")
    assert page.evaluate("new URL(location).searchParams.get('bundle')") == "before"


def test_a_saved_slice_opens(page: Any, served: tuple[str, Path]) -> None:
    address, _ = served
    at(page, f"{address}/explore?bundle=before&suite=continuation&by=family")
    page.get_by_role("textbox", name="Save this view as").fill("mine")
    page.get_by_role("button", name="Save view").click()
    drawn(page)
    at(page, f"{address}/explore?bundle=before")
    page.get_by_role("combobox", name="Saved slices").click()
    page.get_by_role("option", name="mine").click()
    page.get_by_role("button", name="Open the saved slice").click()
    page.wait_for_url("**by=family**")
    drawn(page)


def test_what_is_pinned_stands_beside_what_was_chosen(page: Any, served: tuple[str, Path]) -> None:
    address, folder = served
    findings = read_json(folder / "before/findings.json")["findings"]
    written = next(row for row in findings if row["suite"] == "continuation" and row["estimate"] is not None)
    at(page, f"{address}/finding?bundle=before&finding={written['id']}")
    page.get_by_role("tab", name="What carries it").click()
    for left in (1, 0):
        page.get_by_role("button", name="Pin it for comparison").first.click()
        drawn(page)
        assert page.get_by_role("button", name="Pin it for comparison").count() == left
    page.get_by_role("heading", name="Pinned").wait_for()
