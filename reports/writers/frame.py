"""The order and the numbers of a page's sections, and its contents.

A section is one template with one ``h2`` that has an ``id``, and an ``h3`` for each part of it. One that
tells of what was not given, such as selection data, is left out; the numbers of the others stay, so that
"section 8" is the same section of every report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from markupsafe import Markup, escape

HEADING = re.compile(r'<h([23]) id="([\w-]+)">(.*?)</h\1>', re.DOTALL)
BELOW = re.compile(r'<h3(?: id="([\w-]+)")?>')
SCROLLING = '<div class="scroll">'
"""What may be wider than a narrow screen; a keyboard must reach it to move it (WCAG 2.2, 2.1.1)."""
REACHABLE = '<div class="scroll" tabindex="0" role="group" aria-label="wide content">'


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Parameters
    ----------
    number : str
        A number, or the letter of an appendix.
    name : str
        Of its template.
    key : str
        A part of the report's data without which it is left out; empty where it is always there.
    """

    number: str
    name: str
    key: str = ""

    @property
    def template(self) -> str:
        """Its template's file."""
        return f"audit/_{self.name}.html.j2"


SECTIONS = (
    Section("1", "executive"),
    Section("2", "engagement"),
    Section("3", "provenance"),
    Section("4", "context"),
    Section("5", "method"),
    Section("6", "results"),
    Section("7", "detail"),
    Section("8", "crosswalk"),
    Section("9", "coverage"),
    Section("10", "reproduction"),
    Section("11", "signoff"),
    Section("12", "selection", "selection"),
    Section("13", "published", "published"),
    Section("A", "glossary"),
    Section("B", "tables"),
    Section("C", "suites"),
    Section("D", "changes"),
    Section("E", "examples"),
)
"""Number 0 is the first page."""


def sections(report: Mapping[str, Any]) -> list[Section]:
    """The sections that a report has."""
    return [section for section in SECTIONS if not section.key or report[section.key] is not None]


def numbered(number: str, part: Markup) -> Markup:
    """A section with its number before its heading, and before those below it.

    Examples
    --------
    >>> print(numbered("8", Markup('<h2 id="a">One</h2><h3>Two</h3><h3 id="c">Three</h3>')))
    <h2 id="a">8 One</h2><h3 id="a-1">8.1 Two</h3><h3 id="c">8.2 Three</h3>
    """
    own = HEADING.search(str(part))
    places = count(1)

    def below(found: re.Match[str]) -> str:
        place = next(places)
        name = found[1] or f"{own[2] if own else number}-{place}"
        return f'<h3 id="{name}">{escape(number)}.{place} '

    first = re.sub(r'(<h2 id="[\w-]+">)', rf"\g<1>{escape(number)} ", str(part), count=1)
    return Markup(BELOW.sub(below, first))


def reachable(page: Markup) -> Markup:
    """A page in which a keyboard can scroll what is wider than the screen."""
    return Markup(str(page).replace(SCROLLING, REACHABLE))


def contents(body: Markup) -> list[tuple[str, Markup, list[tuple[str, Markup]]]]:
    """Anchor and heading of each section, with those below it.

    Examples
    --------
    >>> contents(Markup('<h2 id="method">5 Method</h2><h3 id="tests">5.1 Tests</h3>'))
    [('method', Markup('5 Method'), [('tests', Markup('5.1 Tests'))])]
    """
    found: list[tuple[str, Markup, list[tuple[str, Markup]]]] = []
    for rank, name, title in HEADING.findall(str(body)):
        if rank == "2":
            found.append((name, Markup(title), []))
        elif found:
            found[-1][2].append((name, Markup(title)))
    return found
