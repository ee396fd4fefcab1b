"""How far the answers of a suite moved, whatever that does to its contrasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from audit.comparison.rows import MATCHED
from audit.stats.estimate import ROUNDING, Floats, Undefined

SMALLEST_CORRELATION = 3
"""Rows that a correlation needs: two always lie on a line."""


def overall(table: pd.DataFrame, number: int) -> Iterator[dict[str, Any]]:
    """One row a suite and arm; it describes these rows and claims nothing of others.

    Returns
    -------
    iterator of dict
        ``mean_absolute_move``, ``mean_move`` and ``largest_move`` (after minus before, in the measure's
        unit; None without a matched row), and ``correlation`` of before and after, -1 to 1: near 1, the
        answers kept their order. None where it is undefined, with the reason. ``alike``: rows whose raw
        answer is the same.
    """
    for (suite, arm), own in table.groupby(["suite", "arm"], sort=False):
        rows = own[own["reason"] == MATCHED]
        move = rows["value"].to_numpy(dtype=float)
        found = correlation(rows["before"].to_numpy(dtype=float), rows["after"].to_numpy(dtype=float))
        yield {
            "pair": number,
            "suite": suite,
            "arm": arm,
            "rows": len(rows),
            "alike": int(rows["alike"].sum()),
            "mean_absolute_move": float(np.abs(move).mean()) if move.size else None,
            "mean_move": float(move.mean()) if move.size else None,
            "largest_move": float(move[np.abs(move).argmax()]) if move.size else None,
            "correlation": None if isinstance(found, Undefined) else found,
            "correlation_undefined": found.reason if isinstance(found, Undefined) else None,
        }


def correlation(before: Floats, after: Floats) -> float | Undefined:
    """Pearson's correlation of two columns.

    Examples
    --------
    >>> round(correlation(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])), 12)
    1.0
    >>> correlation(np.array([0.0, 1.0]), np.array([1.0, 3.0]))
    Undefined(reason='2 rows; 3 are needed')
    """
    if before.size < SMALLEST_CORRELATION:
        return Undefined(f"{before.size} rows; {SMALLEST_CORRELATION} are needed")
    for name, values in (("before", before), ("after", after)):
        if float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max()):
            return Undefined(f"all scores are the same {name}")
    return float(np.clip(np.corrcoef(before, after)[0, 1], -1.0, 1.0))
