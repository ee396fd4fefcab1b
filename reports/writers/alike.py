"""What many findings say in the same words: told once before them, and on paper not again at each.

A page that is opened finding by finding needs every text at every finding. On paper the same texts would fill
a third of the sheets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.writers.detail import detail, form
from reports.writers.plain import NONE

Row = Mapping[str, Any]

LEAST_FINDINGS = 8
"""Of fewer findings than these a text stands at each of them alone."""
LEAST_LENGTH = 60
"""Characters; to look a shorter text up elsewhere costs more than to read it, if not all findings say it."""
ELSEWHERE = ("condition", "severity", "comparison", "role", "estimate", "interval")
"""Told elsewhere of each finding: in the statement above it, in why its level is what it is, and in the full
tables."""


@dataclass(frozen=True)
class Line:
    """One line of a finding.

    Parameters
    ----------
    name, text : str
    again : bool
        Whether it is told elsewhere too: above the finding, in the full tables, or among the texts that many
        findings share.
    """

    name: str
    text: str
    again: bool


@dataclass(frozen=True)
class Shared:
    """One text that many findings share.

    Parameters
    ----------
    name, text : str
    findings : str
        Their numbers.
    """

    name: str
    text: str
    findings: str


def alike(rows: Sequence[Row]) -> list[Shared]:
    """The texts that many findings share, in the order of a finding's lines."""
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    names: dict[str, None] = {}
    for place, told in enumerate(rows):
        for name, text in (*form(told), *detail(told)):
            names[name] = None
            places[name, text].append(place)
    return [
        Shared(name, text, ranges(rows, own))
        for wanted in names
        for (name, text), own in places.items()
        if name == wanted and worth_sharing(text, len(own), len(rows))
    ]


def worth_sharing(text: str, times: int, of: int) -> bool:
    """Whether a text is told once for all that say it."""
    return times >= LEAST_FINDINGS and (len(text) >= LEAST_LENGTH or text == NONE or times == of)


def ranges(rows: Sequence[Row], places: Sequence[int]) -> str:
    """Numbers of findings, those in a row as first and last.

    Examples
    --------
    >>> ranges([{"number": f"F-{n}"} for n in range(9)], [1, 2, 3, 6, 7])
    'F-1 to F-3, F-6, F-7'
    """
    if len(places) == len(rows):
        return "all"
    breaks = [0, *(n for n, (a, b) in enumerate(pairwise(places), start=1) if b != a + 1), len(places)]
    parts = []
    for start, end in pairwise(breaks):
        first, last = rows[places[start]]["number"], rows[places[end - 1]]["number"]
        joint = " to " if end - start > 2 else ", "
        parts.append(first if end - start == 1 else f"{first}{joint}{last}")
    return ", ".join(parts)


def lines(told: Row, shared: Sequence[Shared]) -> tuple[list[Line], list[Line]]:
    """The form and the figures of one finding, line by line."""
    known = {(each.name, each.text) for each in shared}
    first, second = (
        [Line(name, text, (name, text) in known or name in ELSEWHERE) for name, text in part]
        for part in (form(told), detail(told))
    )
    return first, second
