"""Beside each finding of written text: what the own audits of its scorers leave of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.own_errors import own_errors, told_errors

Row = Mapping[str, Any]


def without_errors(root: Path, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The findings with ``scorer_errors``: an entry a scorer whose own audit lies in the bundle.

    Parameters
    ----------
    rows : sequence of mapping
        The report's findings, each with its ``record``.
    """
    known = own_errors(root, [row["record"] for row in rows])
    return [
        {
            **row,
            "scorer_errors": [
                {"scorer": each["scorer"], "text": told_errors(each)}
                for each in known.get(row["record"]["id"], ())
            ],
        }
        for row in rows
    ]
