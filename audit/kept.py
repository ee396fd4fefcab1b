"""Every answer of a bundle, read once, with the place where its record lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from audit.bundle import Bundle
from audit.kept_lines import KeptLines
from audit.kept_lines import Key as Key
from audit.requests import Response

Told = Callable[[str, float], None]
"""Is told what is being done and which share of it is done, 0 to 1."""
TOLD_EVERY = 1000
"""Records between two words on how far the reading is."""


class Place(NamedTuple):
    """Where a record lies: its number, its file, and its line's first byte and length there."""

    n: int
    file: str
    offset: int
    length: int


@dataclass(frozen=True)
class KeptAnswers:
    """The answers of a bundle.

    Attributes
    ----------
    responses, places : mapping of (model digest, request digest)
        Of a request that was answered twice, the last answer.
    repeated : tuple of str
        Digests of requests that were answered more than once.
    files : mapping of str to str
        Name of each record file to its SHA-256, as it was read.
    head : str
        SHA-256 of the last record; of the plan where there is none.
    count : int
        Records read.
    redacted : int
        How many of them are redacted.
    """

    responses: Mapping[Key, Response]
    places: Mapping[Key, Place]
    repeated: tuple[str, ...]
    files: Mapping[str, str]
    head: str
    count: int
    redacted: int


def read_answers(bundle: Bundle, told: Told | None = None) -> KeptAnswers:
    """Read every record of a bundle, the chain checked on the way.

    Raises
    ------
    BundleError
        At the first record that does not follow from the one before it.
    """
    responses = KeptLines()
    places: dict[Key, Place] = {}
    repeated = []
    hashes: dict[str, Any] = {path.name: hashlib.sha256() for path in bundle.record_files()}
    size = sum(path.stat().st_size for path in bundle.record_files())
    head, count, done, redacted = bundle.plan_sha256, 0, 0, 0
    for placed in bundle.placed():
        record, line = placed.record, placed.line
        if (record.model, record.digest) in responses:
            repeated.append(record.digest)
        key = responses.put(record, placed.path, placed.offset, len(line))
        places[key] = Place(record.n, placed.path.name, placed.offset, len(line))
        hashes[placed.path.name].update(line)
        head, count, done = placed.sha256, count + 1, done + len(line)
        redacted += record.redacted is not None
        if told and count % TOLD_EVERY == 0:
            told("reading the records", done / max(size, done))
    files = {name: found.hexdigest() for name, found in hashes.items()}
    return KeptAnswers(responses, places, tuple(repeated), files, head, count, redacted)
