"""Vectors that somebody else computed, read at the border.

A row names an item by ``id``, or every item with the same text by ``text``. Its vector is ``vector``, a list,
in JSON; in a CSV or TSV the columns besides ``id``, ``text`` and ``status`` are the coordinates, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audit.benchmarks.base import Answer, Items, Setup
from audit.benchmarks.captured import ABSENT, MOST_FAULTS, CapturedRow, number_of, read_rows
from audit.benchmarks.embeddings.geometry import PART, answer_of
from audit.scores import STATUSES, Status
from audit.stats.estimate import Floats
from probes.errors import Fault, InputError
from probes.explain import nearest

_NAMED = ("id", "text", "status")


def vectors_of(path: Path, items: Items, setup: Setup) -> list[Answer]:
    """One answer an item from a file of vectors; an item that the file lacks is *empty*.

    Raises
    ------
    InputError
        If a row names no item, gives a second vector, one of another length than the first, or none.
    """
    by_text: dict[str, list[str]] = {}
    for item in items:
        by_text.setdefault(item.texts[PART], []).append(item.id)
    known = {item.id for item in items}
    found: dict[str, Answer] = {}
    faults: list[Fault] = []
    coordinates = 0
    for row in read_rows(path):
        try:
            named = _items(row, known, by_text)
            status = _status(row)
            array = None if status else _numbers(row, coordinates)
        except ValueError as error:
            faults.append(Fault(str(error), f"{path}:{row.line}", "Correct the row."))
            continue
        if array is not None and array.size:
            coordinates = coordinates or int(array.size)
        for name in named:
            if name in found:
                faults.append(Fault(f"a second vector of {name!r}", f"{path}:{row.line}", "Give one."))
            found[name] = _answer(name, status, array)
    _stop(path, faults)
    return [found.get(item.id, Answer(item.id, PART, None, "empty", ABSENT)) for item in items]


def _items(row: CapturedRow, known: set[str], by_text: dict[str, list[str]]) -> Sequence[str]:
    if row.fields.get("id") not in (None, ""):
        name = str(row.fields["id"])
        if name not in known:
            remedy = f" {nearest(name, known)}" if len(known) < 50 else ""
            raise ValueError(f"no item {name!r}.{remedy}")
        return [name]
    text = row.fields.get("text")
    if not isinstance(text, str) or text not in by_text:
        raise ValueError(f"no item with the text {str(text)[:60]!r}" if text else "neither id nor text")
    return by_text[text]


def _status(row: CapturedRow) -> Status | None:
    given = row.fields.get("status") or "scored"
    for status in STATUSES:
        if given == status:
            return None if status == "scored" else status
    raise ValueError(f"no status {str(given)!r}")


def _numbers(row: CapturedRow, coordinates: int) -> Floats:
    """The coordinates of a row; none at all where every cell is empty."""
    if "vector" in row.fields:
        cells = row.fields["vector"]
        if not isinstance(cells, list):
            raise ValueError("vector is no list of numbers")
    else:
        cells = [value for name, value in row.fields.items() if name not in _NAMED]
        if all(cell in (None, "") for cell in cells):
            cells = []
    numbers = [number_of(cell) for cell in cells]
    if numbers and coordinates and len(numbers) != coordinates:
        raise ValueError(f"{len(numbers)} coordinates, where the first vector has {coordinates}")
    return np.array(numbers, dtype=np.float64)


def _answer(name: str, status: Status | None, array: Floats | None) -> Answer:
    if status is not None:
        return Answer(name, PART, None, status, "the file says so")
    if array is None or not array.size:
        return Answer(name, PART, None, "empty", ABSENT)
    return answer_of(name, array)


def _stop(path: Path, faults: list[Fault]) -> None:
    if len(faults) > MOST_FAULTS:
        rest = Fault(f"{len(faults) - MOST_FAULTS:,} more faults", str(path), "Correct the file.")
        faults = [*faults[:MOST_FAULTS], rest]
    if faults:
        raise InputError(faults)
