"""Answers where they lie in the record files: those used last are in memory, the others are read again."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

from audit.records import Record, parse_record
from audit.requests import Response
from probes.errors import BundleError, Fault

Key = tuple[str, str]
"""(model digest, request digest): what an answer is kept under."""

HELD_BYTES = 64 * 2**20
"""Largest size of the lines whose answers are in memory; parsed, they take some three times as much. An audit
of some ten thousand answers is held whole."""


class KeptLines(Mapping[Key, Response]):
    """Answers by what they are kept under, of any number in bounded memory.

    To read one again takes a tenth of a millisecond. Its line was checked when it was first read or written;
    it has to be a record under that key still.
    """

    def __init__(self) -> None:
        self._places: dict[Key, tuple[Path, int, int]] = {}
        self._held: OrderedDict[Key, Response] = OrderedDict()
        self._bytes = 0

    def put(self, record: Record, path: Path, offset: int, length: int) -> Key:
        """Take the answer of a record, whose line lies at ``offset`` of a file; of two of a key the last.

        ``length`` is that of the line with its line feed.
        """
        key = (sys.intern(record.model), record.digest)
        self._let_go(key)
        self._places[key] = (path, offset, length)
        self._hold(key, record.response)
        return key

    def __getitem__(self, key: Key) -> Response:
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            return held
        path, offset, length = self._places[key]
        with path.open("rb") as file:
            file.seek(offset)
            record = parse_record(file.read(length), f"{path} at byte {offset}")
        if (record.model, record.digest) != key:
            what = "a record was changed while it was in use"
            raise BundleError(Fault(what, str(path), "Restore the bundle from a copy."))
        self._hold(key, record.response)
        return record.response

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _hold(self, key: Key, response: Response) -> None:
        self._held[key] = response
        self._bytes += self._places[key][2]
        while self._bytes > HELD_BYTES and len(self._held) > 1:
            self._let_go(next(iter(self._held)))

    def _let_go(self, key: Key) -> None:
        if self._held.pop(key, None) is not None:
            self._bytes -= self._places[key][2]
