"""The size of a contrast on scales that carry over from measure to measure, and a second interval.

Neither decides anything: verdicts rest on the estimate in its own unit.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from audit.analysis.estimates import Cells
from audit.stats.bootstrap import BootstrapInterval, bootstrap_t
from audit.stats.dominance import cliffs_delta_interval
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval
from audit.stats.pigeonhole import pigeonhole
from audit.stats.standardised import paired_d

RESAMPLES = 1999
"""Draws of the second interval."""
BOTH_SAMPLED = "no interval: more than one factor was sampled"


def effect_sizes(cells: Cells, level: float) -> list[dict[str, Any]]:
    """Standardised effects of a contrast, each with its interval or with the reason why it has none.

    * ``d_z``: the mean difference of template families over their standard deviation: how evenly the
      difference shows, not how large it is. Unbounded; 0 means no difference.
    * ``Cliff's delta`` (only where groups have terms of their own): P(a term of the group scores higher than
      one of the reference) less P(lower), over term means; -1 to 1, 0 means neither.

    Their intervals vary one factor alone, families or terms. Where both were sampled they would be too
    narrow (0 left out of .86 and .83 of null tables at worst), and are not given: the interval of the
    estimate respects both.

    Parameters
    ----------
    cells : Cells
        Of the contrast, with all wordings.
    level : float
        Coverage, in (0, 1).
    """
    families = cells.by_family()
    effects = families.by_template().dropna().to_numpy(dtype=float)
    rows = [effect_row("d_z", paired_d(effects, np.zeros_like(effects), level))]
    if families.layout == "nested" and families.second is not None:
        one, zero = (
            side.mean(axis=0).dropna().to_numpy(dtype=float) for side in (families.first, families.second)
        )
        rows.append(effect_row("Cliff's delta", cliffs_delta_interval(one, zero, level)))
    if families.layout != "single":
        rows = [{**row, "lo": None, "hi": None, "reason": row["reason"] or BOTH_SAMPLED} for row in rows]
    return rows


def effect_row(name: str, found: Interval | Undefined) -> dict[str, Any]:
    """One effect as plain data."""
    if isinstance(found, Undefined):
        unknown = {"estimate": None, "lo": None, "hi": None, "level": None, "n": None, "method": None}
        return {"name": name, **unknown, "reason": found.reason}
    return {"name": name, **asdict(found), "reason": ""}


def resampled_interval(cells: Cells, rng: np.random.Generator, level: float) -> dict[str, Any] | None:
    """An interval of the same estimate by resampling, to hold against the first.

    Bootstrap-t over template families where they are the only random factor, else the pigeonhole bootstrap
    over families and terms, which is wide by design. None where neither exists.
    """
    families = cells.by_family()
    first = families.first.to_numpy(dtype=float)
    if families.layout == "single":
        effects = first[:, 0][~np.isnan(first[:, 0])]
        alone = bootstrap_t(effects, np.arange(effects.size), rng, level=level, resamples=RESAMPLES)
        if isinstance(alone, BootstrapInterval):
            return {"method": "bootstrap-t", "level": level, "lo": alone.lo, "hi": alone.hi}
        return None
    if families.layout not in ("nested", "crossed"):
        return None
    second = None if families.second is None else families.second.to_numpy(dtype=float)
    found = pigeonhole(first, second, rng, level=level, resamples=RESAMPLES)
    if isinstance(found, Undefined):
        return None
    return {"method": "pigeonhole bootstrap", "level": level, "lo": found.lo, "hi": found.hi}
