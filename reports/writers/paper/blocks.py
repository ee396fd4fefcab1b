"""The blocks that a paper is set from: plain data, in which every text is a string and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.figures import number
from reports.text import value_text
from reports.writers.plain import NONE, named

Block = dict[str, Any]
Run = str | tuple[str, ...]
"""Text, or how it looks and the text: em, strong, code, quiet, small, line, link or a verdict."""
Runs = str | Sequence[Run]
Row = Sequence[Runs]

LONG_ROW = 900
"""Characters of a cell from which on its row may be parted by the end of a page."""
VERDICTS = {"no disparity within margin": "within"}
"""The look of a verdict that is not called as the verdict is."""
EMPHASIS = re.compile(r"\*([^*\s][^*]*)\*")


def emphasised(text: str) -> list[Run]:
    """Text with the words between asterisks in italics, as suites write their claims.

    Examples
    --------
    >>> emphasised("the odds of *she* over he")
    ['the odds of ', ('em', 'she'), ' over he']
    """
    parts = EMPHASIS.split(str(text))
    return [("em", part) if place % 2 else part for place, part in enumerate(parts) if part]


def look_of(verdict: str) -> str:
    """The look of a verdict."""
    return VERDICTS.get(verdict, verdict)


def verdict_run(record: Mapping[str, Any], words: str, mark: str) -> Run:
    """A verdict in words with its sign; the colour only repeats them."""
    return (look_of(record["verdict"]), f"{mark} {words}")


ROOM = 22
"""Millimetres that a page must have left for a heading and the first lines below it."""


def heading(text: str, level: int = 2, listed: bool = True, room: int = ROOM) -> Block:
    """A heading, which stands in the contents if it is listed; on the next page if there is less room."""
    return {"kind": "heading", "text": text, "level": level, "listed": listed, "room": room}


def text(runs: Runs) -> Block:
    """A paragraph."""
    return {"kind": "text", "runs": runs}


def quiet(runs: Runs) -> Block:
    """A paragraph in small type."""
    return {"kind": "quiet", "runs": runs}


def note(runs: Runs) -> Block:
    """A paragraph that must not be missed."""
    return {"kind": "note", "runs": runs}


def items(rows: Iterable[Runs], numbered: bool = False) -> Block:
    """A list."""
    return {"kind": "list", "items": list(rows), "numbered": numbered}


def facts(rows: Iterable[tuple[str, Runs]]) -> Block:
    """Names with their values, one below the other."""
    return {"kind": "facts", "rows": list(rows)}


def table(
    caption: Runs,
    head: Sequence[str],
    rows: Iterable[Row],
    widths: str = "",
    sides: str = "",
    dense: bool = False,
) -> Block:
    """A table with a caption; its head is repeated on every page.

    Parameters
    ----------
    widths : str
        A word a column: ``auto``, or a share of the width that is left. All alike if empty.
    sides : str
        ``l``, ``r`` or ``c`` a column; all left if empty.
    dense : bool
        Whether it is for looking up, in the smallest type.

    Raises
    ------
    ValueError
        Where a row has more or fewer cells than the head.
    """
    kept = [list(row) for row in rows]
    given = widths.split() or ["1"] * len(head)
    aligned = [{"l": "left", "r": "right", "c": "center"}[side] for side in sides or "l" * len(head)]
    if {len(row) for row in kept} | {len(given), len(aligned)} != {len(head)}:
        raise ValueError(f"the table {caption!r} has rows of other lengths than its head")
    return {
        "kind": "table",
        "caption": caption,
        "head": list(head),
        "rows": kept,
        "widths": given,
        "sides": aligned,
        "dense": dense,
        "breaks": [any(length(cell) > LONG_ROW for cell in row) for row in kept],
    }


def length(runs: Runs) -> int:
    """Characters of a text."""
    if isinstance(runs, str):
        return len(runs)
    return sum(len(run) if isinstance(run, str) else len("".join(run[1:2])) for run in runs)


def plain(value: Any) -> str:
    """Any value as one text: what is missing is said, nested data is told with its names."""
    if value is None or value in ("", [], {}):
        return NONE
    if isinstance(value, Mapping):
        return "; ".join(f"{named(key)}: {plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(plain(item) for item in value)
    if isinstance(value, float):
        return number(value)
    return value_text(value)


def lines(rows: Iterable[str]) -> Runs:
    """Some sentences, each on a line of its own."""
    found: list[Run] = []
    for row in rows:
        found += [("line",), row] if found else [row]
    return found or NONE


def anything(data: Mapping[str, Any], level: int = 2, skip: Sequence[str] = ()) -> list[Block]:
    """Blocks for data that have no layout of their own: facts first, then each list and part by its name.

    Parameters
    ----------
    level : int
        Of the headings of the parts.
    skip : sequence of str
        Keys that are told elsewhere.
    """
    simple: list[tuple[str, Runs]] = []
    rest: list[Block] = []
    for key, value in data.items():
        if key in skip:
            continue
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            rest += listed_data(named(key), value, level)
        elif isinstance(value, Mapping) and value:
            below = anything(value, min(level + 1, 3))
            rest += [heading(named(key).capitalize(), level, listed=False), *below]
        elif isinstance(value, list) and value:
            simple.append((named(key), lines(plain(item) for item in value)))
        else:
            simple.append((named(key), plain(value)))
    return [*([facts(simple)] if simple else []), *rest]


MOST_COLUMNS = 6
"""With more keys than this, records are told one below the other."""


def listed_data(name: str, rows: Sequence[Mapping[str, Any]], level: int = 2) -> list[Block]:
    """A list of records: as a table with a column a key that any of them has, if those are few."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if len(keys) > MOST_COLUMNS:
        told = [facts((named(key), plain(value)) for key, value in row.items()) for row in rows]
        return [heading(name.capitalize(), level, listed=False), *told]
    cells = [[plain(row[key]) if key in row else "" for key in keys] for row in rows]
    weights = [max([len(key), *(len(row[place]) for row in cells)]) for place, key in enumerate(keys)]
    widths = " ".join(f"{max(8, min(60, weight)) ** 0.5:.2f}" for weight in weights)
    return [table(name.capitalize(), [named(key) for key in keys], cells, widths)]
