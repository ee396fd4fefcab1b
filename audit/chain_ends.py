"""The ends of a bundle's record files: a spot check of the chain that reads a few lines of any bundle."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from audit.bundle import Bundle, Record, parse_record
from probes.errors import BundleError, Fault

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; no answer of a model is longer."""
BLOCK = 1 << 16


@dataclass(frozen=True)
class Ends:
    """First and last whole line of a record file, line feeds kept; None where it holds no whole line.

    ``torn``: whether a line that was cut short comes after them.
    """

    first: bytes | None
    last: bytes | None
    torn: bool


@dataclass(frozen=True)
class ChainEnds:
    """What the ends of all record files say of the chain.

    Attributes
    ----------
    files, records : int
        Record files, and records by the number of the last one.
    head : str
        SHA-256 of the last whole record; of the plan where there is none.
    torn : bool
        Whether the last file ends in a line that was cut short, as a killed run leaves it.
    faults : tuple of str
        Where one end does not follow from the one before it.
    """

    files: int
    records: int
    head: str
    torn: bool
    faults: tuple[str, ...]


def chain_ends(bundle: Bundle) -> ChainEnds:
    """Check that the record files follow from the plan and from one another, by their first and last lines.

    What lies between the ends is not read: ``verify_bundle`` checks every record.

    Raises
    ------
    BundleError
        If an end is no record.
    OSError
        If a file cannot be read.
    """
    head, count, torn = bundle.plan_sha256, 0, False
    faults = []
    files = bundle.record_files()
    for path in files:
        name = path.relative_to(bundle.root).as_posix()
        if torn:
            faults.append(f"{name}: the file before it ends in a record that was cut short")
        ends = line_ends(path)
        torn = ends.torn
        if ends.first is None or ends.last is None:
            if path != files[-1]:
                faults.append(f"{name}: holds no record, and other files come after it")
            continue
        first, last = record_of(ends.first, path, "first"), record_of(ends.last, path, "last")
        if first.prev != head or first.n != count:
            before = "the plan" if count == 0 else "the last record of the file before it"
            faults.append(f"{name}: its first record does not follow from {before}")
        if last.n < first.n:
            faults.append(f"{name}: its last record has a lower number than its first")
        head, count = last.chained(ends.last[:-1]), last.n + 1
    return ChainEnds(len(files), count, head, torn, tuple(faults))


def record_of(line: bytes, path: Path, which: str) -> Record:
    """A line as a record; a :class:`BundleError` says that it is none."""
    return parse_record(line, f"{path}: {which} line")


def line_ends(path: Path) -> Ends:
    """The first and the last whole line of a file, without reading what lies between.

    Raises
    ------
    BundleError
        If one is longer than any record.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        first = file.readline(min(size, LONGEST_LINE) + 1)
        if not first.endswith(b"\n"):
            if size > LONGEST_LINE:
                raise BundleError(Fault("holds a line longer than any record", str(path)))
            return Ends(None, None, size > 0)
        start, block, tail = size, BLOCK, b""
        while start > 0 and tail.count(b"\n") < 2:
            if size - start > LONGEST_LINE:
                raise BundleError(Fault("holds a line longer than any record", str(path)))
            begin = max(0, start - block)
            file.seek(begin)
            tail = file.read(start - begin) + tail
            start, block = begin, 2 * block
    end = tail.rfind(b"\n") + 1
    begin = tail.rfind(b"\n", 0, end - 1) + 1
    return Ends(first, tail[begin:end], end != len(tail))
