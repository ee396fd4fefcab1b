"""Any smooth statistic of rows that come from two samples at once: templates, and words put into them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import Components, Design, contrast, flip_p
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined

Rows = npt.NDArray[np.intp]
SMALLEST = 2
"""Templates, and words, without which nothing can be left out."""


def two_way_jackknife(
    statistic: Callable[[Rows], float], template: npt.ArrayLike, term: npt.ArrayLike
) -> Contrast | Undefined:
    """Standard error from leaving out one template, and one word, at a time.

    Parameters
    ----------
    statistic : callable
        Row numbers, shape (k,), to a number that means no disparity where it is 0; NaN where these rows
        cannot give it.
    template, term : array_like, shape (n,)
        Labels of each row. Repeating every row changes nothing for a statistic that repetition leaves alone.

    Returns
    -------
    Contrast or Undefined
        The statistic of all rows with V = V_T + V_N, each (G - 1) / G sum_g (theta_(-g) - theta)^2 over its
        own G clusters, and Satterthwaite's degrees of freedom. The interaction is contained in both and is
        not taken off, so that V is a little too large where cells vary much by themselves. Undefined with
        fewer than 2 of either, or where the statistic is, or would be without one of them.

    Raises
    ------
    ValueError
        If `template` and `term` differ in length.

    Notes
    -----
    Source: Tukey (1958) for the jackknife; Cameron, Gelbach and Miller (2011), JBES 29(2), for the sum over
    two ways of clustering, whose third term is left out here.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0, 2.0, 4.0, 3.0])
    >>> found = two_way_jackknife(lambda rows: float(values[rows].mean()), list("aaabbb"), list("xyzxyz"))
    >>> round(found.estimate, 3), round(found.se, 4), found.n_templates, found.n_terms
    (2.5, 0.7071, 2, 3)
    """
    sides = [np.asarray(template), np.asarray(term)]
    if sides[0].shape != sides[1].shape or sides[0].ndim != 1:
        raise ValueError("template and term must be lists of the same length")
    names = [np.unique(side) for side in sides]
    if min(name.size for name in names) < SMALLEST:
        return Undefined(
            f"{names[0].size} template(s) and {names[1].size} word(s) with answers; "
            f"at least {SMALLEST} of each are needed"
        )
    rows = np.arange(sides[0].size)
    whole = statistic(rows)
    if not math.isfinite(whole):
        return Undefined("the statistic cannot be computed from these answers")
    variances = []
    for side, labels in zip(sides, names, strict=True):
        without = np.array([statistic(rows[side != label]) for label in labels])
        if not np.isfinite(without).all():
            lost = str(labels[int(np.argmin(np.isfinite(without)))])
            return Undefined(f"the statistic cannot be computed without {lost!r}")
        variances.append(_spread(without - whole, max(1.0, abs(whole))))
    n_templates, n_terms = int(names[0].size), int(names[1].size)
    parts = Components(variances[0], variances[1], 0.0, float(n_templates - 1), float(n_terms - 1))
    smallest = max(flip_p(n_templates), flip_p(n_terms))
    design = Design("two-way jackknife", "V_N", int(rows.size), n_templates, n_terms, smallest)
    return contrast(whole, parts, design, scale=abs(whole))


def _spread(departures: Floats, scale: float) -> float:
    kept = np.where(np.abs(departures) <= ROUNDING * scale, 0.0, departures)
    return float(np.sum(kept**2)) * (kept.size - 1) / kept.size
