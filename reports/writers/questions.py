"""The ledger's questions about one subject: those with an answer, and the rest by where it was looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def answered(rows: Sequence[Row]) -> list[Row]:
    """The questions of which something is known."""
    return [row for row in rows if row["answers"]]


def unanswered(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """The questions of which nothing is known.

    Returns
    -------
    list of (status, places, questions)
        By status, and by where it was looked for.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row["answers"]:
            found.setdefault((row["status"].replace("_", " "), "; ".join(row["looked"])), []).append(row)
    return [(status, places, own) for (status, places), own in found.items()]
