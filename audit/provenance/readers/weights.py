"""Headers of weight files: how numbers are stored, and whether the format can run code."""

from __future__ import annotations

import json
import os
import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.provenance.claims import Claim, Origin, found_only, found_or_unknown
from audit.provenance.readers.files import names_like, short_text

MAX_HEADER = 100_000_000
"""Bytes of a header that are read, as safetensors itself allows."""
LOOKED = "headers of the safetensors files"


def weight_claims(folder: Path, subject: str, at: str | None) -> list[Claim]:
    """Precision and metadata of a folder's safetensors files, and pickles that lie beside them."""
    types: Counter[str] = Counter()
    metadata: dict[str, str] = {}
    reasons: list[str] = []
    names = names_like(folder, ("*.safetensors",))
    for name in names:
        header, reason = safetensors_header(folder / name)
        if header is None:
            reasons.append(f"{name}: {reason}")
            continue
        for key, entry in header.items():
            if key == "__metadata__":
                metadata |= _texts(entry)
            elif isinstance(entry, Mapping):
                types[short_text(entry.get("dtype"), 20) or "unknown type"] += 1
    note = "; ".join(reasons) or (None if names else "there is no safetensors file")
    where = Origin(LOOKED, location=", ".join(names[:5]) or None, at=at)
    stored = dict(sorted(types.items())) or None
    pickles = names_like(folder, ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl"))
    return [
        found_or_unknown(subject, "stored_dtype", stored, "measured", where, note),
        *found_only(subject, {"weight_metadata": metadata or None}, "measured", where),
        found_or_unknown(
            subject,
            "pickled_files",
            ", ".join(pickles) or "none",
            "measured",
            Origin("names of the files of the folder", at=at),
        ),
    ]


def safetensors_header(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """The JSON at the head of a safetensors file: eight bytes of length, then so many of text."""
    try:
        size = os.path.getsize(path)
        if not os.path.isfile(path):
            return None, "no file"
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(MAX_HEADER, size - 8):
                return None, f"it says that its header has {length:,} bytes, and the file has {size:,}"
            header = json.loads(file.read(length))
    except (OSError, struct.error, ValueError, RecursionError) as error:
        return None, f"no safetensors header ({short_text(str(error), 120) or type(error).__name__})"
    return (header, None) if isinstance(header, dict) else (None, "its header is no JSON object")


def _texts(entry: Any) -> dict[str, str]:
    if not isinstance(entry, Mapping):
        return {}
    found = {short_text(key, 80): short_text(value) for key, value in list(entry.items())[:20]}
    return {key: value for key, value in found.items() if key is not None and value is not None}
