"""The page in a real browser: by day and by night, on a narrow screen, by keyboard, and on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import benchmarks
from reports.audit_report import html
from reports.contents.published import published
from tests.reports.sections import formed
from tests.reports.test_reports_published import toy_run

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test does")

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome")
                 if (path := shutil.which(name))), None)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: make browser installs it")

PATIENCE = 120_000
"""Milliseconds that a page may take on a busy machine."""
PAPER = 688
"""Pixels of a line on A4 between the margins that the page asks for: 182 mm at 96 to the inch."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    path: Path = folder / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmarks.BENCHMARKS, "toy", "tests.benchmarks.toy")
        beside = published([toy_run(folder / "run")], {"models": []})
    path.write_text(html({**formed(data), "published": beside}), encoding="utf-8")
    return path.as_uri()


def opened(browser: Any, address: str, width: int, scheme: str) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url))
    page.goto(address)
    assert loads == [address], "the page asks for something else"
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_the_page_shuts_nobody_out(browser: Any, address: str, width: int, scheme: str) -> None:
    """axe-core finds nothing, with every part open; nothing but wide tables and charts needs scrolling."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, address, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_the_keyboard_goes_past_the_first_page_and_opens_a_finding(browser: Any, address: str) -> None:
    page = opened(browser, address, 1280, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.locator("#F-001 > summary").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('F-001').open")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.context.close()


def test_paper_shows_what_is_folded_and_cuts_nothing(browser: Any, address: str) -> None:
    page = opened(browser, address, PAPER, "light")
    page.emulate_media(media="print")
    hidden = """[...document.querySelectorAll('details:not([open]) table, details:not([open]) dl')]
        .filter(part => !part.checkVisibility() || part.closest('details').offsetHeight < part.offsetHeight)
        .length"""
    assert page.evaluate("document.querySelectorAll('details:not([open]) table').length") >= 10
    assert page.evaluate(hidden) == 0
    wide = f"""[...document.querySelectorAll('main *')].filter(part => !part.closest('.sideways')
        && part.getBoundingClientRect().right > {PAPER} + 1).map(part => part.outerHTML.slice(0, 150))"""
    assert page.evaluate(wide) == []
    sideways = "Math.max(...[...document.querySelectorAll('.sideways table')].map(part => part.scrollWidth))"
    assert page.evaluate(sideways) <= 990  # 297 mm less the margins
    repeated = "getComputedStyle(document.querySelector('thead')).display"
    assert page.evaluate(repeated) == "table-header-group"
    again = "[...document.querySelectorAll('#F-001 .again')].filter(part => part.checkVisibility()).length"
    assert page.evaluate(again) == 0
    page.emulate_media(media="screen")
    page.evaluate("document.getElementById('F-001').open = true")
    assert page.evaluate(again) >= 10
    page.context.close()


def test_it_prints(browser: Any, address: str) -> None:
    page = opened(browser, address, 1280, "dark")
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-") and 10 < printed.count(b"/Type /Page\n") < 200
    page.context.close()
