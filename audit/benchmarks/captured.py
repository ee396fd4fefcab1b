"""Scores and outputs that somebody else captured, read at the border.

A plain table is CSV or TSV with a header, JSON lines, or a JSON list of objects. Its columns:

* ``id``: the item, as the benchmark numbers it;
* scores, either long, ``part`` and ``score``, or wide, one column a part. A benchmark with one part needs
  only ``score``. An empty score is not scored, and counted so; ``status`` may say why;
* outputs, where text is scored: ``text``, with ``sample`` where an item has several (else in their order).

Every fault is named with its line. An item that the file lacks is counted as *empty*, never left out.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from audit.answers import LARGEST_LOGPROB
from audit.benchmarks.base import Answer, Items
from audit.scores import Status
from audit.spreadsheets import table_bytes
from probes.errors import Fault, InputError
from probes.explain import nearest

MAX_BYTES = 1_000_000_000
"""A larger file is some other file."""
MOST_FAULTS = 10
"""Faults that are named one by one; the rest is counted."""

LARGEST_SCORE = 1e15
"""A score beyond it, either side of 0, measures nothing, and its square or sum may be no number any more."""
MOST_ANSWERS = 20_000_000
"""Items times samples that one file may name: more do not fit into memory."""

ABSENT = "the file has no score for it"
_SHOWN = 60
"""Characters of a cell that a fault repeats."""
_SPELLED = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SAMPLE = re.compile(r"0*\d{1,9}", re.ASCII)

csv.field_size_limit(16_000_000)


@dataclass(frozen=True)
class CapturedRow:
    """One row of a captured file, with the line that it stands on."""

    line: int
    fields: Mapping[str, Any]


def read_rows(path: Path) -> list[CapturedRow]:
    """The rows of a table, by the end of its name: ``.csv``, ``.tsv``, ``.jsonl`` or ``.json``.

    Raises
    ------
    InputError
        If it cannot be read as what its name says, with the line.
    """
    text = read_text(path)
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        return list(_table(path, text, "\t" if kind == ".tsv" else ","))
    if kind == ".jsonl":
        lines = enumerate(text.split("\n"), start=1)
        return [CapturedRow(n, _object(path, n, line)) for n, line in lines if line.strip()]
    if kind == ".json":
        data = read_json_file(path, text)
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise InputError(Fault("not a list of objects", str(path), "Give a list of rows with an id."))
        return [CapturedRow(n, row) for n, row in enumerate(data, start=1)]
    raise InputError(
        Fault("not a .csv, .tsv, .jsonl or .json file", str(path), "Name the file by what it holds.")
    )


def read_text(path: Path) -> str:
    """The text of a captured file; an :class:`InputError` says why it cannot be had."""
    try:
        return table_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start}"
        raise InputError(Fault(what, str(path), "Save it as UTF-8.")) from None


def read_json_file(path: Path, text: str) -> Any:
    """The JSON of a captured file; NaN and infinities are refused like any other fault."""
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", str(path), "Check the file.")) from None


def number_of(value: Any) -> float:
    """A cell or a JSON number as a number.

    Raises
    ------
    ValueError
        If it is none, is not finite, or is larger than :data:`LARGEST_SCORE`: with what is wrong, in words.

    Examples
    --------
    >>> number_of("-1.5"), number_of(2)
    (-1.5, 2.0)
    >>> number_of(True)
    Traceback (most recent call last):
        ...
    ValueError: 'True' is no number
    """
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = value.strip() if isinstance(value, str) else ""
    shown = "null" if value is None else repr(_text(value)[:_SHOWN])
    if not plain and not _SPELLED.fullmatch(text):
        if text.lstrip("+-").casefold() in ("inf", "infinity", "nan"):
            raise ValueError(f"{shown} is not finite")
        raise ValueError(f"{shown} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown} is not finite")
    if abs(number) > LARGEST_SCORE:
        raise ValueError(f"{shown} is beyond {LARGEST_SCORE:g}")
    return number


def sample_of(value: Any) -> str:
    """The number of a sample as a part of an answer; empty where there is none.

    Raises
    ------
    ValueError
        If it is no whole number from 0, or has more than nine digits.

    Examples
    --------
    >>> sample_of(0), sample_of(" 07"), sample_of(None)
    ('0', '7', '')
    """
    text = _text(value).strip()
    if text and (isinstance(value, bool) or not _SAMPLE.fullmatch(text)):
        raise ValueError(f"{text[:_SHOWN]!r} is no number of a sample")
    return str(int(text)) if text else ""


def scores_of(path: Path, items: Items, parts: Sequence[str]) -> list[Answer]:
    """Answers from a plain table of scores, one for every part of every item."""
    return answers_of_scores(path, read_rows(path), items, parts)


def answers_of_scores(
    path: Path, rows: Sequence[CapturedRow], items: Items, parts: Sequence[str]
) -> list[Answer]:
    """As :func:`scores_of`, from rows that were read."""
    found: dict[tuple[str, str], Answer] = {}
    faults = _Faults(path)
    known = {item.id for item in items}
    for row in rows:
        identity = _text(row.fields.get("id"))
        if identity not in known:
            faults.add(row, f"no item {identity[:_SHOWN]!r}", _near(identity, known))
            continue
        for part, value in _parts_of(row, parts, faults):
            if (identity, part) in found:
                faults.add(row, f"a second score for {identity!r}, {part}")
                continue
            found[identity, part] = _answer(row, identity, part, value, faults)
    faults.stop()
    return [
        found.get((item.id, part), Answer(item.id, part, None, "empty", ABSENT))
        for item in items
        for part in parts
    ]


def log_probabilities(path: Path, answers: Sequence[Answer]) -> list[Answer]:
    """The answers, where no value is more than a log-probability can be.

    Raises
    ------
    InputError
        If one is above 0: a probability, a loss or a perplexity, whose sign or scale is another.
    """
    for answer in answers:
        if answer.value is not None and answer.value > LARGEST_LOGPROB:
            what = f"{answer.value:g} for {answer.part} of {answer.item!r} is no log-probability"
            raise InputError(Fault(what, str(path), "Give natural logarithms of probabilities, at most 0."))
    return list(answers)


def texts_of(path: Path, items: Items) -> list[Answer]:
    """Answers that hold a text and no value yet, from a table of outputs; parts are sample numbers.

    An empty text is *empty*. An item without any output is one *empty* answer of part ``0``.
    """
    found: dict[str, dict[str, Answer]] = {item.id: {} for item in items}
    faults = _Faults(path)
    for row in read_rows(path):
        identity = _text(row.fields.get("id"))
        if identity not in found:
            faults.add(row, f"no item {identity[:_SHOWN]!r}", _near(identity, found))
            continue
        own, given = found[identity], row.fields.get("text")
        if "text" not in row.fields:
            faults.add(row, "no text", "Give a column text.")
            continue
        if isinstance(given, (bool, list, dict)):
            faults.add(row, f"{_text(given)[:_SHOWN]!r} is no text")
            continue
        try:
            part = sample_of(row.fields.get("sample")) or str(len(own))
        except ValueError as error:
            faults.add(row, str(error), "Number the samples of an item from 0.")
            continue
        if part in own:
            faults.add(row, f"a second output of {identity!r}, sample {part}")
            continue
        text = _text(given)
        status = _status(row, faults) or ("empty" if not text.strip() else "scored")
        reason = "" if status == "scored" else f"the file says {status}" if text.strip() else "an empty text"
        own[part] = Answer(identity, part, None, status, reason, text)
    faults.stop()
    return [
        answer
        for item in items
        for answer in found[item.id].values()
        or [Answer(item.id, "0", None, "empty", "the file has no output for it")]
    ]


def _near(identity: str, known: Collection[str]) -> str:
    """The nearest item, where there are so few that it can be told at once."""
    return nearest(identity, known) if len(known) < 50 and len(identity) <= _SHOWN else ""


def _answer(row: CapturedRow, item: str, part: str, value: Any, faults: _Faults) -> Answer:
    status = _status(row, faults)
    if status and status != "scored":
        return Answer(item, part, None, status, "the file says so")
    if value is None or _text(value) == "":
        return Answer(item, part, None, "empty", ABSENT)
    try:
        return Answer(item, part, number_of(value))
    except ValueError as error:
        faults.add(row, str(error), "Leave a score empty that could not be had.")
        return Answer(item, part, None, "error", str(error))


def _parts_of(row: CapturedRow, parts: Sequence[str], faults: _Faults) -> Iterator[tuple[str, Any]]:
    fields = row.fields
    if "part" in fields:
        part = _text(fields["part"])
        if part not in parts:
            faults.add(row, f"no part {part!r}", nearest(part, parts))
        elif "score" not in fields:
            faults.add(row, "no score", "Give a column score.")
        else:
            yield part, fields["score"]
    elif len(parts) == 1 and "score" in fields:
        yield parts[0], fields["score"]
    else:
        missing = [part for part in parts if part not in fields]
        if missing:
            wanted = ", ".join(parts)
            faults.add(row, f"no column {missing[0]!r}", f"Give part and score, or the columns {wanted}.")
            return
        yield from ((part, fields[part]) for part in parts)


def _status(row: CapturedRow, faults: _Faults) -> Status | None:
    status = _text(row.fields.get("status"))
    if not status:
        return None
    known: tuple[Status, ...] = get_args(Status)
    for name in known:
        if status == name:
            return name
    faults.add(row, f"no status {status!r}", nearest(status, known))
    return None


class _Faults:
    """Faults of one file, with their lines; too many are counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: list[Fault] = []
        self.count = 0

    def add(self, row: CapturedRow, what: str, remedy: str = "") -> None:
        self.count += 1
        if self.count <= MOST_FAULTS:
            self.found.append(Fault(what, f"{self.path}:{row.line}", remedy or "Correct the row."))

    def stop(self) -> None:
        """Raise what was found."""
        if self.count > MOST_FAULTS:
            rest = self.count - MOST_FAULTS
            self.found.append(Fault(f"{rest:,} more faults like these", str(self.path), "Correct the file."))
        if self.found:
            raise InputError(self.found)


def _table(path: Path, text: str, delimiter: str) -> Iterator[CapturedRow]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = reader.fieldnames
    except csv.Error as error:
        raise InputError(Fault(f"not a table: {error}", f"{path}:1", "Check the quoting.")) from None
    if not names:
        raise InputError(Fault("the file is empty", str(path), "Give a header and rows."))
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        what = f"two columns {twice[0][:_SHOWN]!r}"
        raise InputError(Fault(what, f"{path}:1", "Keep one of them: which one counts cannot be told."))
    try:
        for fields in reader:
            if None in fields or None in fields.values():
                what = f"{'more' if None in fields else 'fewer'} cells than the header names"
                raise InputError(Fault(what, f"{path}:{reader.line_num}", "Correct the row."))
            yield CapturedRow(reader.line_num, fields)
    except csv.Error as error:
        raise InputError(
            Fault(f"not a table: {error}", f"{path}:{reader.line_num}", "Check the quoting.")
        ) from None


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        data = _loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", f"{path}:{number}", "Check the line.")) from None
    if not isinstance(data, dict):
        raise InputError(Fault("not an object", f"{path}:{number}", "Give one object a line."))
    return data


def _loads(text: str) -> Any:
    """JSON in which every key stands once; of a key that stands twice, Python would drop the first."""
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        key = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {key[:_SHOWN]!r} stands twice in one object")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
