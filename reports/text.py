"""Text from suites, models and reviewers, made harmless for the format that it is put into."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup, escape

from audit.spreadsheets import guarded
from audit.wording import visible

SIGNS = re.compile(r"[\\`*_{}\[\]#|~$!]")
"""What Markdown, with the extensions that GitHub reads, takes for more than itself."""
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def markdown_text(text: Any) -> str:
    r"""Text that shows as itself in Markdown: no emphasis, link, image, heading, table cell, tag or list.

    Examples
    --------
    >>> markdown_text("a *b* [c](http://d.e) | <f>")
    'a \\*b\\* \\[c\\](http&#58;//d.e) \\| &lt;f&gt;'
    >>> markdown_text("- not a list"), markdown_text("1. nor this"), markdown_text("-1.5")
    ('\\- not a list', '1\\. nor this', '-1.5')
    """
    shown = " ".join(str(visible(str(text))).split())
    shown = SIGNS.sub(lambda found: "\\" + found[0], shown)
    shown = re.sub(r"[&<>@]", lambda found: ENTITIES[found[0]], shown)
    shown = re.sub(r"://", "&#58;//", shown)
    shown = re.sub(r"\bwww\.", "www&#46;", shown, flags=re.IGNORECASE)
    shown = re.sub(r"^([-+=])(?!\d)", r"\\\1", shown)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", shown)


def markdown_emphasised(text: str) -> Markup:
    r"""The same with the words between asterisks in italics, as suites write their claims.

    Examples
    --------
    >>> str(markdown_emphasised("the odds of *she* over *h_e*"))
    'the odds of *she* over *h\\_e*'
    """
    parts = re.split(r"\*([^*\s][^*]*)\*", str(text))
    shown = ""
    for place, part in enumerate(parts):
        lead, tail = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
        inner = markdown_text(part)
        shown += (
            f"*{inner}*" if place % 2 else (" " if lead else "") + inner + (" " if tail and inner else "")
        )
    return Markup(shown.strip())


def html_emphasised(text: str) -> Markup:
    """Text for a page, with the words between asterisks in italics.

    Examples
    --------
    >>> str(html_emphasised("odds of *she* <b>"))
    'odds of <em>she</em> &lt;b&gt;'
    """
    parts = re.split(r"\*([^*\s][^*]*)\*", str(text))
    return Markup("").join(
        Markup("<em>{}</em>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def csv_cell(text: Any) -> str:
    """A cell without control characters that no spreadsheet takes for a formula.

    Examples
    --------
    >>> csv_cell("=1+1"), csv_cell(-0.5)
    ("'=1+1", '-0.5')
    """
    return guarded(str(visible(str(text))))


def value_text(value: Any) -> str:
    """A claim's value as text.

    Examples
    --------
    >>> value_text(None), value_text("MIT"), value_text(["en"]), value_text(False)
    ('unknown', 'MIT', 'en', 'no')
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " · ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
