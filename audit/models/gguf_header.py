"""The header of a GGUF file: what it says of itself, and how its tensors are stored.

Read without the gguf package, whose reader believes every count that a file gives: an array that claims 2**60
elements keeps it busy for ever. Here every length is held against the size of the file before it is followed.

Source: the GGUF specification, versions 2 and 3 (ggml, docs/gguf.md).
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from probes.errors import Fault, ModelError

_SCALARS: Mapping[int, str] = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_MAX_TEXT = 2000
"""Characters that are kept of a text; of a longer one the first, and its hash."""
_MAX_ITEMS = 64
"""Elements that are kept of an array."""
_MAX_ENTRIES = 200_000
_MAX_STRINGS = 4_000_000


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF file says of itself.

    Attributes
    ----------
    metadata : mapping
        Its keys ``general.*`` and the chat template; long texts cut, with their hash beside them.
    quantisation : mapping of type to number
        How many tensors are stored in each type.
    parameters : int
        Numbers that the tensors hold.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    quantisation: Mapping[str, int] = field(default_factory=dict)
    parameters: int = 0


def gguf_header(path: Path) -> GgufHeader:
    """Read the header of a GGUF file.

    Raises
    ------
    ModelError
        Where it is no GGUF file of a version that is known, or breaks off.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, os.fstat(file.fileno()).st_size).header()
    except (OSError, struct.error, ValueError) as error:
        raise ModelError(Fault(f"not a GGUF file: {error}", str(path), "Fetch the file again.")) from error


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def header(self) -> GgufHeader:
        if self._bytes(4) != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        version = self._scalar("<I")
        if version not in (2, 3):
            raise ValueError(f"version {version}, where 2 and 3 are known")
        tensors, entries = self._scalar("<Q"), self._scalar("<Q")
        if max(tensors, entries) > _MAX_ENTRIES:
            raise ValueError(f"it says that it has {tensors:,} tensors and {entries:,} entries")
        kept: dict[str, Any] = {}
        for _ in range(entries):
            key = self._text(256)
            value = self._value(self._scalar("<I"))
            if key.startswith("general.") or key == "tokenizer.chat_template":
                kept[key] = value
        types: Counter[int] = Counter()
        parameters = 0
        for _ in range(tensors):
            shape, kind = self._tensor()
            types[kind] += 1
            parameters += math.prod(shape)
        if parameters > 8 * self._size:  # no type takes less than a bit
            raise ValueError(f"it says that it holds {parameters:,} numbers in {self._size:,} bytes")
        names = _type_names()
        counts = {names.get(kind, f"type {kind}"): count for kind, count in types.items()}
        return GgufHeader(kept, dict(sorted(counts.items())), parameters)

    def _tensor(self) -> tuple[list[int], int]:
        self._text(256)
        dimensions = self._scalar("<I")
        if dimensions > 8:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        shape = [self._scalar("<Q") for _ in range(dimensions)]
        kind = self._scalar("<I")
        self._scalar("<Q")
        return shape, kind

    def _value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self._scalar(_SCALARS[kind])
        if kind == _STRING:
            return self._text(_MAX_TEXT)
        if kind == _ARRAY:
            return self._array(self._scalar("<I"), self._scalar("<Q"))
        raise ValueError(f"a value of the unknown type {kind}")

    def _array(self, kind: int, count: int) -> list[Any]:
        if kind in _SCALARS:
            width = struct.calcsize(_SCALARS[kind])
            kept = min(count, _MAX_ITEMS)
            items = [self._scalar(_SCALARS[kind]) for _ in range(kept)]
            self._skip((count - kept) * width)
            return items
        if kind != _STRING or count > _MAX_STRINGS:
            raise ValueError(f"an array of {count:,} elements of type {kind}")
        texts = []
        for place in range(count):
            if place < _MAX_ITEMS:
                texts.append(self._text(_MAX_TEXT))
            else:
                self._skip(self._scalar("<Q"))
        return texts

    def _text(self, limit: int) -> str:
        length = self._scalar("<Q")
        if length > 16 << 20:
            raise ValueError(f"a text of {length:,} bytes")
        content = self._bytes(length)
        text = content.decode("utf-8", "replace")
        if len(text) <= limit:
            return text
        return f"{text[:limit]}… (SHA-256 of the whole: {hashlib.sha256(content).hexdigest()})"

    def _scalar(self, form: str) -> Any:
        return struct.unpack(form, self._bytes(struct.calcsize(form)))[0]

    def _bytes(self, length: int) -> bytes:
        content = self._file.read(length) if length <= self._size else b""
        if len(content) != length:
            raise ValueError("it breaks off in its header")
        return content

    def _skip(self, length: int) -> None:
        if self._file.tell() + length > self._size:
            raise ValueError("it breaks off in its header")
        self._file.seek(length, os.SEEK_CUR)


def _type_names() -> dict[int, str]:
    from gguf import GGMLQuantizationType

    return {int(kind): str(kind.name) for kind in GGMLQuantizationType}
