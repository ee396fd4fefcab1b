"""Shares and means of scored sentences, frames by terms, with intervals that keep frames and terms whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from audit.stats.contrast import crossed, single
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.intervals import wilson

LEVEL = 0.95


def share(table: Floats) -> dict[str, Any]:
    """Share of the texts of which something is so.

    Wilson's interval where one term fills every frame, so that texts are as independent as their frames; else
    the interval of a table of two sampled factors, frames and terms. Where all texts are alike that table
    shows no spread, and Wilson's interval is taken with frames for observations.

    Parameters
    ----------
    table : ndarray, shape (frames, terms)
        1 where it is so, else 0.

    Returns
    -------
    dict
        ``estimate, lo, hi`` (0 to 1), ``level, n, method``; without a text None and a ``reason``.
    """
    n_frames, n_terms = table.shape
    if n_terms > 1 and n_frames > 1 and float(np.ptp(table)) > 0.0:
        found = crossed(table)
        if isinstance(found, Undefined):
            return undefined(found.reason)
        low, high = found.ci(LEVEL)
        return known(found, (max(0.0, low), min(1.0, high)), LEVEL)
    alike = n_terms > 1 and n_frames > 0
    counted = table[:, 0] if alike else table.ravel()
    interval = wilson(int(counted.sum()), int(counted.size), LEVEL)
    if isinstance(interval, Undefined):
        return undefined(interval.reason)
    method = "Wilson, frames for observations" if alike else interval.method
    return {**asdict(interval), "n": int(table.size), "method": method, "reason": ""}


def mean_score(table: Floats) -> dict[str, Any]:
    """Mean score of the texts of a group: (frames, terms), score units, with its interval."""
    found = crossed(table) if table.shape[1] > 1 else single(table.ravel())
    if isinstance(found, Undefined):
        return undefined(found.reason)
    return known(found, found.ci(LEVEL), LEVEL)


def known(found: Contrast, bounds: tuple[float, float], level: float) -> dict[str, Any]:
    """A number with its interval as plain data; ``reason`` says where an interval has no width."""
    return {
        "estimate": found.estimate,
        "lo": bounds[0],
        "hi": bounds[1],
        "level": level,
        "n": found.n_obs,
        "method": found.method,
        "reason": "all frames and terms score alike, so there is no spread" if found.degenerate else "",
    }


def undefined(reason: str) -> dict[str, Any]:
    """A number that could not be had, and why."""
    return {
        **dict.fromkeys(("estimate", "lo", "hi", "level")),
        "n": 0,
        "method": "",
        "reason": reason,
    }
