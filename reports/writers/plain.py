"""Data that have no table of their own, told part by part: what each is called, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.text import value_text

NONE = "none given"


def named(key: str) -> str:
    """The words of a key.

    Examples
    --------
    >>> named("commissioned_by"), named("manifest_sha256")
    ('commissioned by', 'manifest, SHA-256')
    """
    return key.replace("_sha256", ", SHA-256").replace("sha256", "SHA-256").replace("_", " ")


def short(value: Any) -> bool:
    """Whether a value is told in one line: neither rows nor parts of its own."""
    if isinstance(value, Mapping):
        return False
    return not isinstance(value, list) or all(not isinstance(each, Mapping | list) for each in value)


def text(value: Any) -> str:
    """A value in one line.

    Examples
    --------
    >>> text(None), text([]), text(["one", "two"]), text(3)
    ('none given', 'none given', 'one; two', '3')
    """
    if value is None or value == [] or value == "":
        return NONE
    if isinstance(value, list):
        return "; ".join(value_text(each) for each in value)
    return value_text(value)


def more(part: Mapping[str, Any], known: Sequence[str]) -> list[tuple[str, str]]:
    """Name and text of what a part of the data holds beside what is told elsewhere.

    Examples
    --------
    >>> more({"title": "x", "run_id": "7", "fingerprint": {"manifest_sha256": None}}, ("title",))
    [('run id', '7'), ('manifest, SHA-256', 'none given')]
    """
    lines: list[tuple[str, str]] = []
    for key, value in part.items():
        if key in known:
            continue
        if isinstance(value, Mapping):
            lines += more(value, known)
        elif short(value):
            lines.append((named(key), text(value)))
    return lines
