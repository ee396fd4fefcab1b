"""The table of applicants on its way in: counts by category, or one row a person."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from probes.errors import Fault, InputError

AXES = ("sex", "race_ethnicity")
"""Columns that hold a person's category."""
OUTCOMES = ("applicants", "selected", "score")
UNKNOWN = ("", "unknown")
"""What a cell holds where a person's category is not known."""
FORMS = (
    "A header of sex, race_ethnicity or both, then applicants and selected (counts), or selected (0 or 1) or "
    "score (one row a person), with commas between."
)

MAX_BYTES = 200_000_000
MAX_COUNT = 100_000_000
"""Most applicants of one row, and people of one file; more is some other number."""
MAX_SCORE = 1e300
"""Largest size of a score: the mean of two of them is still a number."""
MAX_LABEL = 200
FAULTS_SHOWN = 10

_COUNT = re.compile(r"[0-9]{1,12}")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")

Labels = tuple[str | None, ...]
Kind = Literal["selection", "scoring"]


@dataclass(frozen=True)
class Cell:
    """The applicants who share a category on every axis.

    Parameters
    ----------
    labels : tuple of str or None
        Category by axis; None where it is not known.
    applicants, selected : int
        How many there are, and how many of them were selected or score above the sample's median.
    """

    labels: Labels
    applicants: int
    selected: int


@dataclass(frozen=True)
class Applicants:
    """A table of applicants, checked.

    Parameters
    ----------
    sha256 : str
        Of the file's bytes.
    axes : tuple of str
        Which of ``AXES`` the file has.
    kind : {"selection", "scoring"}
        Whether people were selected, or scored.
    median : float or None
        Of all scores, people of unknown category among them; None where nobody was scored.
    cells : tuple of Cell
        In the order in which the combinations first appear.
    """

    sha256: str
    axes: tuple[str, ...]
    kind: Kind
    median: float | None
    cells: tuple[Cell, ...]


@dataclass
class _Reading:
    """A file half read: its columns, and the faults found so far."""

    where: str
    columns: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    spellings: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(axis for axis in AXES if axis in self.columns)

    def fault(self, line: int, what: str, remedy: str) -> None:
        self.faults.append(Fault(what, f"{self.where}: line {line}", remedy))


def read_applicants(path: Path) -> Applicants:
    """Read a table of applicants, whole, or name what is wrong with it.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8. Categories stand in ``sex``, ``race_ethnicity`` or both; a cell that is empty or
        says ``unknown`` is an unknown category. Either ``applicants`` and ``selected`` count the people of
        each combination, or every row is a person with ``selected`` (0 or 1) or ``score`` (any number).

    Raises
    ------
    InputError
        With the first faults, each with its line.
    """
    content = _bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text (byte {error.start})"
        raise InputError(Fault(what, str(path), "Save the table as CSV in UTF-8.")) from None
    reading = _Reading(str(path))
    rows = _rows(reading, text)
    reading.columns = [name.strip().lower() for name in next(rows, (0, [""]))[1]]
    _check_columns(reading)
    counted = "applicants" in reading.columns
    kind, median, cells = (_counted if counted else _listed)(reading, rows)
    _stop(reading)
    if not sum(cell.applicants for cell in cells):
        raise InputError(Fault("holds no applicants", str(path), FORMS))
    digest = hashlib.sha256(content).hexdigest()
    return Applicants(digest, reading.axes, kind, median, tuple(cells))


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is no file" if os.path.lexists(path) else "no such file"
        raise InputError(Fault(what, str(path), "Give a CSV table of applicants."))
    if path.stat().st_size > MAX_BYTES:
        raise InputError(Fault(f"is larger than {MAX_BYTES // 10**6} MB", str(path), "Give counts instead."))
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = "Check the path and its permissions."
        raise InputError(Fault(f"cannot be read: {error.strerror}", str(path), remedy)) from None


def _rows(reading: _Reading, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that they end on; empty lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = "Save the table as CSV again."
            reading.fault(reader.line_num, f"is not CSV: {error}", remedy)
            _stop(reading)
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _check_columns(reading: _Reading) -> None:
    """Refuse a header that does not say which of the forms the table has."""
    names = reading.columns
    what = ""
    unknown = [name for name in names if name not in AXES + OUTCOMES]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    outcome = sorted(set(names) & set(OUTCOMES))
    if names == [""]:
        what = "is empty"
    elif unknown:
        what = f"unknown column {unknown[0][:MAX_LABEL]!r}"
    elif twice:
        what = f"the column {twice[0]!r} stands there twice"
    elif not reading.axes:
        what = "has no column of categories"
    elif outcome not in (["applicants", "selected"], ["selected"], ["score"]):
        what = f"the outcome stands in {', '.join(outcome)}" if outcome else "has no column of an outcome"
    if what:
        raise InputError(Fault(what, reading.where, FORMS))


def _counted(
    reading: _Reading, rows: Iterator[tuple[int, list[str]]]
) -> tuple[Kind, float | None, list[Cell]]:
    """Counts: one row a combination of categories."""
    cells: dict[Labels, Cell] = {}
    for line, row in rows:
        found = _labelled(reading, line, row)
        if found is None:
            continue
        labels, values = found
        wrong = [name for name in ("applicants", "selected") if not _COUNT.fullmatch(values[name])]
        if wrong:
            name = wrong[0]
            what = f"{name} is {values[name][:MAX_LABEL]!r}"
            reading.fault(line, what, "Counts are whole numbers from 0, without separators.")
            continue
        applicants, selected = int(values["applicants"]), int(values["selected"])
        if selected > applicants:
            reading.fault(line, f"{selected} selected of {applicants} applicants", "Correct the counts.")
        elif applicants > MAX_COUNT:
            reading.fault(line, f"{applicants} applicants", f"At most {MAX_COUNT} can be read.")
        elif labels in cells:
            what = f"{_told(labels)} stands there twice"
            reading.fault(line, what, "Give each combination of categories one row.")
        else:
            cells[labels] = Cell(labels, applicants, selected)
    return "selection", None, list(cells.values())


def _listed(
    reading: _Reading, rows: Iterator[tuple[int, list[str]]]
) -> tuple[Kind, float | None, list[Cell]]:
    """One row a person, selected or scored."""
    scored = "score" in reading.columns
    name = "score" if scored else "selected"
    remedy = "A score is a number." if scored else "Write 1 for a person who was selected, 0 for any other."
    remedy += " Leave out whom nobody decided on, and say how many those are."
    people: list[tuple[Labels, float]] = []
    for line, row in rows:
        found = _labelled(reading, line, row)
        if found is None:
            continue
        labels, values = found
        said = values[name]
        if not (_NUMBER.fullmatch(said) if scored else said in ("0", "1")):
            reading.fault(line, f"{name} is {said[:MAX_LABEL]!r}", remedy)
            continue
        value = float(said)
        if abs(value) > MAX_SCORE:
            reading.fault(line, f"score is {said[:MAX_LABEL]!r}, too large to compute with", remedy)
            continue
        people.append((labels, value))
    median = statistics.median(value for _, value in people) if scored and people else None
    bound = 0.5 if median is None else median
    totals: dict[Labels, list[int]] = {}
    for labels, value in people:
        total = totals.setdefault(labels, [0, 0])
        total[0] += 1
        total[1] += value > bound
    cells = [Cell(labels, applicants, selected) for labels, (applicants, selected) in totals.items()]
    return ("scoring" if scored else "selection"), median, cells


def _labelled(reading: _Reading, line: int, row: Sequence[str]) -> tuple[Labels, dict[str, str]] | None:
    """The categories of one row and its cells by column; None if it has a fault."""
    if len(row) != len(reading.columns):
        what = f"{len(row)} cells under {len(reading.columns)} columns"
        reading.fault(line, what, "Quote a cell that holds a comma.")
        return None
    values = dict(zip(reading.columns, (" ".join(cell.split()) for cell in row), strict=True))
    labels: list[str | None] = []
    for axis in reading.axes:
        said = values[axis]
        plain = unicodedata.normalize("NFKC", said).casefold()
        if plain in UNKNOWN:
            labels.append(None)
            continue
        if len(said) > MAX_LABEL:
            reading.fault(line, f"{axis} is longer than {MAX_LABEL} characters", "Name the category.")
            return None
        first = reading.spellings.setdefault((axis, plain), said)
        if first != said:
            reading.fault(line, f"{axis} is {said!r}, and {first!r} above", "Spell a category in one way.")
            return None
        labels.append(said)
    return tuple(labels), values


def _told(labels: Labels) -> str:
    return ", ".join("unknown" if label is None else label for label in labels)


def _stop(reading: _Reading) -> None:
    """Raise what was found, the first faults alone."""
    if not reading.faults:
        return
    shown = reading.faults[:FAULTS_SHOWN]
    more = len(reading.faults) - len(shown)
    if more:
        shown.append(Fault(f"{more} more faults", reading.where, "Correct those above first."))
    raise InputError(shown)
