"""Where a kept document departs from the same document computed again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from audit.compiled_schema import is_number
from audit.wording import counted

TOLERANCE = 1e-9
"""Difference allowed between a kept and a recomputed figure, relative or absolute: another processor's last
digits."""


def differences(kept: Any, again: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each place where a kept value is not the recomputed one, with both values in words.

    Parameters
    ----------
    kept, again : JSON
        An absent key is as one that holds nothing.
    path : str
        Of the value in its document.

    Examples
    --------
    >>> list(differences({"a": [1, 2.0]}, {"a": [1, 2.5], "b": None}, "$"))
    [('$.a[1]', '2.0, recomputed 2.5')]
    >>> list(differences({"p": 0.1}, {"p": 0.1 + 1e-12}, "$"))
    []
    """
    if isinstance(kept, Mapping) and isinstance(again, Mapping):
        for key in sorted({*kept, *again}):
            yield from differences(kept.get(key), again.get(key), f"{path}.{key}".removeprefix("."))
    elif isinstance(kept, list) and isinstance(again, list):
        if len(kept) != len(again):
            yield path, f"{counted(len(kept), 'entry', 'entries')}, recomputed {len(again)}"
        for number, (one, other) in enumerate(zip(kept, again, strict=False)):
            yield from differences(one, other, f"{path}[{number}]")
    elif is_number(kept) and is_number(again):
        if not math.isclose(kept, again, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield path, f"{kept}, recomputed {again}"
    elif kept != again or type(kept) is not type(again):
        yield path, f"{short(kept)}, recomputed {short(again)}"


def short(value: Any) -> str:
    """A value as short text."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
