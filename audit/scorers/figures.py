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
        1 where it is so, else 0; NaN where it is not known, which is left out.

    Returns
    -------
    dict
        ``estimate, lo, hi`` (0 to 1), ``level, n, method``; ``n_effective``: the number of independent texts
        that would be as sure; without a text None and a ``reason``.
    """
    seen = ~np.isnan(table)
    table = table[seen.any(axis=1)][:, seen.any(axis=0)] if seen.any() else table[:0]
    n_frames, n_terms = table.shape
    if n_terms > 1 and n_frames > 0 and float(np.nanmax(table) - np.nanmin(table)) > 0.0:
        found = crossed(table)
        if isinstance(found, Undefined):
            return undefined(found.reason)
        low, high = found.ci(LEVEL)
        bounds = max(0.0, low), min(1.0, high)
        return {**known(found, bounds, LEVEL), "n_effective": effective(found)}
    alike = n_terms > 1 and n_frames > 0
    counted = np.nanmax(table, axis=1) if alike else table.ravel()
    interval = wilson(int(counted.sum()), int(counted.size), LEVEL)
    if isinstance(interval, Undefined):
        return undefined(interval.reason)
    method = "Wilson, frames for observations" if alike else interval.method
    n = int((~np.isnan(table)).sum())
    own = {"n": n, "method": method, "reason": "", "n_effective": int(counted.size)}
    return {**asdict(interval), **own}


def effective(found: Contrast) -> int:
    """Independent texts that would give a share the standard error that it has; never more than there are."""
    if found.se == 0.0:
        return found.n_templates
    independent = found.estimate * (1.0 - found.estimate) / found.se**2
    return max(1, min(found.n_obs, int(independent)))


def mean_score(table: Floats) -> dict[str, Any]:
    """Mean score of the texts of a group: (frames, terms), score units, NaN left out, with its interval."""
    found = crossed(table) if table.shape[1] > 1 else single(table.ravel())
    if isinstance(found, Undefined):
        return undefined(found.reason)
    return known(found, found.ci(LEVEL), LEVEL)


def mean_or_none(values: Floats) -> float | None:
    """Mean of the numbers that are there; None where there is none."""
    here = values[~np.isnan(values)]
    return float(here.mean()) if here.size else None


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
        "n_effective": 0,
    }
