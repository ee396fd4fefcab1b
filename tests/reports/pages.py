"""Reading a page as a browser would, as far as its outline goes."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from reports.templating import templates
from reports.text import html_emphasised
from reports.writers.parts import shown


def section(name: str, data: Mapping[str, Any]) -> str:
    """One section of a page, which needs no chart."""
    template = templates(escape=True).get_template(f"audit/_{name}.html.j2")
    return template.render(**shown(data), emphasised=html_emphasised)


class Outline(HTMLParser):
    """The elements of a page, and whether they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [value for name, value in attributes if name == "id" and value]
        self.links += [value for name, value in attributes if name == "href" and value]
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()
