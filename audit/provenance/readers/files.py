"""Small files read with care: at most so many bytes, only what is a plain file, never an exception."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

MAX_BYTES = 4 << 20
"""Most bytes that are read of a file; of a larger one nothing is."""


@dataclass(frozen=True)
class Found:
    """A file that was read, or why it was not.

    Attributes
    ----------
    name : str
        The file within its folder.
    text : str or None
        None where it is not there or cannot be read.
    sha256 : str or None
        Of its bytes.
    reason : str or None
        Why there is no text, where the file is there.
    """

    name: str
    text: str | None = None
    sha256: str | None = None
    reason: str | None = None


def read_text(folder: Path, name: str, limit: int = MAX_BYTES) -> Found:
    """A text file of a folder, in UTF-8."""
    path = folder / name
    try:
        facts = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Found(name)
    except (OSError, ValueError) as error:
        return Found(name, reason=f"{name} cannot be read: {_said(error)}")
    if not stat.S_ISREG(facts.st_mode):
        return Found(name, reason=f"{name} is no file")
    if facts.st_size > limit:
        return Found(name, reason=f"{name} has {facts.st_size:,} bytes; no more than {limit:,} are read")
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        return Found(name, reason=f"{name} cannot be read: {_said(error)}")
    if len(content) > limit:
        return Found(name, reason=f"{name} grew beyond {limit:,} bytes while it was read")
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return Found(name, content.decode("utf-8-sig"), sha256)
    except UnicodeDecodeError as error:
        return Found(name, None, sha256, f"{name} is no UTF-8 text (byte {error.start})")


def read_object(folder: Path, name: str) -> tuple[dict[str, Any] | None, Found]:
    """A JSON object of a folder; None where there is none."""
    found = read_text(folder, name)
    if found.text is None:
        return None, found
    try:
        data = json.loads(found.text)
    except (ValueError, RecursionError) as error:
        return None, Found(name, None, found.sha256, f"{name} is no JSON ({_said(error)})")
    if not isinstance(data, dict):
        return None, Found(name, None, found.sha256, f"{name} is no JSON object")
    return data, found


def names_like(folder: Path, patterns: Sequence[str]) -> list[str]:
    """Names in a folder that fit one of some patterns, whatever their case; sorted, the hundred first."""
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []
    return [name for name in names if any(fnmatch(name.casefold(), p.casefold()) for p in patterns)][:100]


def short_text(value: Any, limit: int = 300) -> str | None:
    r"""A text on one line, cut where it is long; None for what is no text.

    Examples
    --------
    >>> short_text("  two\n words "), short_text(3), short_text("   ")
    ('two words', None, None)
    """
    if not isinstance(value, str):
        return None
    text = " ".join(value[: 8 * limit].encode("utf-8", "replace").decode("utf-8").split())
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text or None


def short_texts(value: Any, count: int = 50) -> list[str]:
    """The texts of a list, or the one text that stands in its place."""
    items = value if isinstance(value, list) else [value]
    return [text for item in items[:count] if (text := short_text(item)) is not None]


def _said(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return " ".join(str(reason).split())[:120] or type(error).__name__
