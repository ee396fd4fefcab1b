"""Where two results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def differences(stated: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The places in which a stated result differs from a computed one; who computed it is no part of it."""
    return sorted(_differ({**stated, "instrument": None}, {**found, "instrument": None}, ""))


def _differ(one: Any, other: Any, where: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in {*one, *other}:
            yield from _differ(one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differ(left, right, f"{where}[{number}]")
    elif one != other:
        yield where
