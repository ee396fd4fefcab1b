"""Text from outside, put into Markdown and CSV: it shows as itself, whatever it is."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.text import csv_cell, markdown_emphasised, markdown_text

SIGNS = "ab*_`[]()<>|#~-+=1.)!&\\:/ @$^{}\"';\n"
markdown_it = pytest.importorskip("markdown_it")
READER = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(st.text(SIGNS, max_size=30))
@settings(max_examples=150, deadline=None)
def test_a_reader_of_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    plain = " ".join(text.split())
    shown = markdown_text(text)
    if not plain:
        assert shown == ""
        return
    paragraph = READER.render(shown).strip()
    assert paragraph.startswith("<p>") and "<" not in paragraph[3:-4]
    assert html.unescape(paragraph[3:-4]) == plain
    table = READER.render(f"| a | b |\n|---|---|\n| {shown} | x |\n")
    assert table.count("<td>") == 2
    assert html.unescape(table.split("<td>")[1].split("</td>")[0]) == plain


@given(st.text(SIGNS, max_size=20), st.text("ab<_|", min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_only_asterisks_make_italics(before: str, word: str) -> None:
    paragraph = READER.render(markdown_emphasised(f"{before.replace('*', '')} *{word}*"))
    assert paragraph.count("<em>") <= 1 and "<a" not in paragraph and "<h" not in paragraph


@given(st.text(min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_cell_starts_a_formula(text: str) -> None:
    shown = csv_cell(text)
    assert shown[:1] not in ("=", "@", "\t", "\r")
    assert shown[:1] not in ("+", "-") or shown[1:2].isdigit() or shown[1:2] == "."
    assert "\x1b" not in shown and "\x00" not in shown


def test_addresses_do_not_become_links() -> None:
    shown = markdown_text("see https://evil.example, www.evil.example or me@evil.example")
    assert "://" not in shown and "www." not in shown and "@" not in shown
