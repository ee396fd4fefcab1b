"""A published number with its interval, by whole clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Figure
from audit.stats.clustered import clustered_mean
from audit.stats.estimate import Contrast, Undefined
from audit.stats.intervals import Interval, wilson

LEVEL = 0.95
"""Of the interval of every figure."""
UNBOUNDED = (-math.inf, math.inf)


def with_interval(
    figure: Figure,
    found: Contrast | Undefined,
    bounds: tuple[float, float] = UNBOUNDED,
    by: str = "",
) -> Figure:
    """A figure with the 95 % interval of the contrast that estimates it, or the reason why it has none.

    Parameters
    ----------
    bounds : tuple of float
        Least and largest value that the figure can have; the interval ends there.
    by : str
        What the clusters are called, said with the method.

    Examples
    --------
    >>> one = Contrast(0.9, 0.1, 9.0, "mean", 10, 10, 1)
    >>> found = with_interval(Figure("overall", 0.9, "share", 10), one, (0.0, 1.0), "writer")
    >>> round(found.lo, 2), found.hi, found.method
    (0.67, 1.0, 'mean, by writer')
    >>> with_interval(Figure("overall", 0.9, "share", 10), Contrast(0.9, 0.0, 9.0, "mean", 10, 10, 1)).reason
    'no interval: the clusters do not differ'
    >>> agreed = Contrast(1.0, 0.0, 2.0, "mean", 9, 3, 1)
    >>> always = with_interval(Figure("overall", 1.0, "share", 9), agreed, (0.0, 1.0))
    >>> round(always.lo, 2), always.hi, always.method
    (0.44, 1.0, 'Wilson, over 3 clusters')
    """
    if figure.value is None:
        return figure
    if isinstance(found, Undefined):
        return replace(figure, reason=f"no interval: {found.reason}")
    if found.degenerate or found.se == 0.0:
        return _without_spread(figure, found.n_templates, bounds)
    low, high = found.ci(LEVEL)
    method = f"{found.method}, by {by}" if by else found.method
    return replace(figure, lo=max(low, bounds[0]), hi=min(high, bounds[1]), method=method)


def _without_spread(figure: Figure, clusters: int, bounds: tuple[float, float]) -> Figure:
    """All clusters agree: at a bound Wilson's interval over clusters, elsewhere none."""
    low, high = bounds
    if figure.value in bounds:
        found = wilson(clusters if figure.value == high else 0, clusters)
        if isinstance(found, Interval):
            lo, hi = (low + end * (high - low) for end in (found.lo, found.hi))
            return replace(figure, lo=lo, hi=hi, method=f"Wilson, over {clusters} clusters")
    return replace(figure, reason="no interval: the clusters do not differ")


def mean_figure(
    name: str, values: npt.ArrayLike, clusters: Sequence[str], cluster: str, unit: str = "share"
) -> Figure:
    """Plain mean of values with a 95 % interval that respects clusters.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN where there is none; for ``unit`` ``share`` within [0, 1].
    clusters : sequence of str
        The cluster of each.
    cluster : str
        What one cluster is called, such as ``template``.

    Returns
    -------
    Figure
        Without a value where there are none. Where all clusters agree there is no spread to estimate: a share
        of 0 or 1 then has Wilson's interval over clusters, any other mean has none, with the reason.

    Examples
    --------
    >>> found = mean_figure("overall", [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], list("aabbcc"), "template")
    >>> round(found.value, 3), found.n, round(found.lo, 2), round(found.hi, 2)
    (0.333, 6, -0.38, 1.05)
    >>> found = mean_figure("overall", [0.0] * 6, list("aabbcc"), "template")
    >>> found.value, found.lo, round(found.hi, 3), found.method
    (0.0, 0.0, 0.561, 'Wilson, over 3 templates')
    """
    array = np.asarray(values, dtype=np.float64)
    seen = ~np.isnan(array)
    n = int(np.count_nonzero(seen))
    if not n:
        return Figure(name, None, unit, 0, reason="nothing could be scored")
    value = float(array[seen].mean())
    found = clustered_mean(array, clusters)
    if isinstance(found, Undefined):
        return Figure(name, value, unit, n, reason=f"no interval: {found.reason}")
    if not found.degenerate:
        lo, hi = found.ci(0.95)
        return Figure(name, value, unit, n, lo, hi, f"{found.method}, clusters are {cluster}s")
    groups = found.n_templates
    bounds = wilson(round(value) * groups, groups) if unit == "share" and value in (0.0, 1.0) else None
    if isinstance(bounds, Interval):
        return Figure(name, value, unit, n, bounds.lo, bounds.hi, f"Wilson, over {groups} {cluster}s")
    return Figure(name, value, unit, n, reason=f"no interval: all {groups} {cluster}s agree")
