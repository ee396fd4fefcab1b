"""Intervals for many means at once, from resampled clusters.

Clusters (writers, templates, prompts) are drawn with replacement and stay whole. A draw is a row of counts,
so the means of all draws in all comparisons are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from audit.stats.estimate import ROUNDING, Floats, as_floats, check_fraction

Method = Literal["percentile", "bca", "bootstrap-t"]

FEWEST_CLUSTERS = 3
"""Clusters that any bootstrap needs: with two, half of the draws hold one of them alone."""

_CHUNK = 1 << 22
"""Doubles in one array of a chunk (32 MiB), to bound memory; about three such arrays live at a time."""

_KEPT = 1 << 27
"""Counts that are kept for the next chunk of comparisons (256 MiB); of more, each chunk draws them anew."""

_BLOCK = 1 << 12
"""Draws that are made, and whose counts are turned into doubles, at a time."""

_FEW = 1 << 8
"""Draws that are counted at a time."""


@dataclass(frozen=True, eq=False)
class BootstrapMeans:
    """Means of m comparisons with intervals.

    Parameters
    ----------
    estimate, lo, hi : ndarray, shape (m,)
        Weighted means and their bounds, score units; NaN where `undefined` gives a reason.
    n_clusters : ndarray of int, shape (m,)
        Clusters that hold a value.
    undefined : tuple of (str or None), length m
        Why a comparison has no interval; None where it has one.
    level : float
        Nominal coverage of each interval alone, in (0, 1).
    method : str
        ``"percentile"``, ``"bca"`` or ``"bootstrap-t"``.
    resamples : int
        Draws.

    Examples
    --------
    >>> one = np.array([0.5])
    >>> BootstrapMeans(one, one, one, np.array([9]), (None,), 0.95, "bca", 999).undefined
    (None,)
    """

    estimate: Floats
    lo: Floats
    hi: Floats
    n_clusters: npt.NDArray[np.intp]
    undefined: tuple[str | None, ...]
    level: float
    method: Method
    resamples: int


def bootstrap_means(
    values: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    weights: npt.ArrayLike | None = None,
    method: Method = "bootstrap-t",
    level: float = 0.95,
    resamples: int = 9999,
) -> BootstrapMeans:
    """Intervals for many means over the same clusters.

    Parameters
    ----------
    values : array_like, shape (m, G)
        Mean of each cluster in each comparison, any unit. NaN where a comparison has no answer from a
        cluster: the cluster is then no part of that comparison.
    rng : numpy.random.Generator
        Source of randomness. Comparisons that hold the same clusters share their draws.
    weights : array_like, shape (m, G), optional
        Answers behind each value (any scale), > 0 where a value is: the estimate is the weighted mean, for
        cluster sizes the plain mean of all answers. Default: all clusters weigh the same.
    method : {"percentile", "bca", "bootstrap-t"}
        See the Notes.
    level : float
        Coverage, in (0, 1).
    resamples : int
        B, draws, >= 1.

    Returns
    -------
    BootstrapMeans
        Undefined with fewer than 3 clusters, without spread, or where the method's bounds are not finite.

    Raises
    ------
    ValueError
        If shapes differ, a value is infinite, a weight of a value is not positive and finite, `method` is
        unknown, or `level` or `resamples` is impossible.

    Notes
    -----
    A mean is the ratio R = sum w v / sum w; numerator and denominator are resampled together. ``bca``: the
    acceleration comes from leaving out one cluster at a time; draws equal to R up to rounding count half
    in the bias correction. ``bootstrap-t``: t* = (R* - R) / se*, with the linearised standard error of a
    ratio, se = sqrt(G / (G - 1) sum w^2 (v - R)^2) / sum w, computed anew in each draw.
    Source: Efron (1987), JASA 82, 171-185; Efron and Tibshirani (1993), An introduction to the bootstrap,
    12.5 and 14.3; Davison and Hinkley (1997), Bootstrap methods, 2.4 and 3.8 for clusters.

    Examples
    --------
    >>> found = bootstrap_means([[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 1.0, 1.0, 1.0]],
    ...     np.random.default_rng(0), method="percentile")
    >>> float(found.lo[0]), float(found.hi[0]), found.undefined[1]
    (1.8, 4.2, 'all clusters have the same value')
    """
    table, weight = _checked(values, weights)
    check_fraction("level", level)
    if method not in _INTERVALS:
        raise ValueError(f"method must be one of {', '.join(_INTERVALS)}, not {method!r}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    m = len(table)
    seen = ~np.isnan(table)
    n_clusters = seen.sum(axis=1)
    estimate, lo, hi = (np.full(m, np.nan) for _ in range(3))
    reasons: list[str | None] = [_reason(row, there) for row, there in zip(table, seen, strict=True)]
    usable = np.array([reason is None for reason in reasons], dtype=np.bool_)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for code, pattern in enumerate(patterns):
        places = np.flatnonzero((which.ravel() == code) & usable)
        if places.size == 0:
            continue
        draws = _Draws(rng, int(pattern.sum()), resamples)
        # Where the counts are drawn anew for each chunk, larger chunks repay it.
        size = max(1, (_CHUNK if draws.kept else 4 * _CHUNK) // resamples)
        for start in range(0, places.size, size):
            some = places[start : start + size]
            here = np.ix_(some, pattern)
            part = _Part(table[here], None if weights is None else weight[here], draws)
            estimate[some] = part.estimate
            lo[some], hi[some] = _INTERVALS[method](part, 1.0 - level)
    for place in np.flatnonzero(usable & ~(np.isfinite(lo) & np.isfinite(hi))):
        reasons[place] = f"{n_clusters[place]} clusters are too few for the {method} interval"
    lost = np.array([reason is not None for reason in reasons], dtype=np.bool_)
    for array in (estimate, lo, hi):
        array[lost] = np.nan
    return BootstrapMeans(estimate, lo, hi, n_clusters, tuple(reasons), level, method, resamples)


class _Part:
    """Some comparisons over the same clusters, with the means of all draws."""

    def __init__(self, values: Floats, weights: Floats | None, draws: _Draws) -> None:
        self.draws = draws
        self.weights = weights
        if weights is None:
            self.total: Floats = np.full((len(values), 1), float(values.shape[1]))
            self.estimate: Floats = values.mean(axis=1)
            self.residual: Floats = values - self.estimate[:, None]
        else:
            self.total = weights.sum(axis=1, keepdims=True)
            self.estimate = (weights * values).sum(axis=1) / self.total[:, 0]
            self.residual = weights * (values - self.estimate[:, None])
        # Deviations R* - R, (m, B): small numbers, so that nothing is lost by subtraction later.
        self.shift = self.summed(self.residual)
        if weights is None:
            self.shift /= self.total
        else:
            self.drawn_total = self.summed(weights)
            self.shift /= self.drawn_total

    def summed(self, terms: Floats) -> Floats:
        """Sums over the clusters of each draw, shape (m, B)."""
        out = np.empty((len(terms), self.draws.resamples))
        for here, counts in self.draws.blocks():
            np.matmul(terms, counts, out=out[:, here])
        return out


def _percentile(part: _Part, alpha: float) -> tuple[Floats, Floats]:
    bounds = part.estimate[:, None] + _quantiles(part.shift, _tails(part, alpha))
    return bounds[:, 0], bounds[:, 1]


def _bca(part: _Part, alpha: float) -> tuple[Floats, Floats]:
    # Leaving out cluster g moves the mean by -r_g / (W - w_g), r the weighted residual.
    weights = 1.0 if part.weights is None else part.weights
    moved = -part.residual / (part.total - weights)
    influence = moved.mean(axis=1, keepdims=True) - moved
    acceleration = (influence**3).sum(axis=1) / (6.0 * (influence**2).sum(axis=1) ** 1.5)
    tie = ROUNDING * np.abs(part.residual).max(axis=1, keepdims=True)
    below = np.count_nonzero(part.shift < -tie, axis=1) + np.count_nonzero(part.shift <= tie, axis=1)
    bias = ndtri(below / (2.0 * part.shift.shape[1]))
    moved_z = bias[:, None] + ndtri(alpha / 2.0) * np.array([1.0, -1.0])
    slope = 1.0 - acceleration[:, None] * moved_z
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = ndtr(bias[:, None] + moved_z / slope)
    # An infinite bias, or an acceleration that turns the tail over, leaves no bound.
    shares = np.where(np.isfinite(bias)[:, None] & (slope > 0.0), shares, np.nan)
    bounds = part.estimate[:, None] + _quantiles(part.shift, shares)
    return bounds[:, 0], bounds[:, 1]


def _bootstrap_t(part: _Part, alpha: float) -> tuple[Floats, Floats]:
    n = part.residual.shape[1]
    squares = part.residual**2
    se = np.sqrt(n / (n - 1.0) * squares.sum(axis=1)) / part.total[:, 0]
    spread = part.summed(squares)
    smallest = ROUNDING * spread
    # sum of count w^2 (v - R*)^2, expanded about R
    if part.weights is None:
        total: Floats | float = float(n)
        spread -= n * part.shift**2
    else:
        total = part.drawn_total
        spread -= 2.0 * part.shift * part.summed(part.weights * part.residual)
        spread += part.shift**2 * part.summed(part.weights**2)
    spread = np.where(spread > smallest, spread, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = part.shift * total / np.sqrt(n / (n - 1.0) * spread)
    t = np.where(np.isnan(t), 0.0, t)
    bounds = _quantiles(t, _tails(part, alpha))
    return part.estimate - bounds[:, 1] * se, part.estimate - bounds[:, 0] * se


_INTERVALS: dict[Method, Callable[[_Part, float], tuple[Floats, Floats]]] = {
    "percentile": _percentile,
    "bca": _bca,
    "bootstrap-t": _bootstrap_t,
}


def _tails(part: _Part, alpha: float) -> Floats:
    """The two outer shares, the same in each comparison."""
    return np.tile([alpha / 2.0, 1.0 - alpha / 2.0], (len(part.shift), 1))


def _quantiles(draws: Floats, shares: Floats) -> Floats:
    """The quantiles `shares` (m, 2) of each row, linear between order statistics; NaN where a share is."""
    last = draws.shape[1] - 1
    found = np.full(shares.shape, np.nan)
    for i, (row, share) in enumerate(zip(draws, shares, strict=True)):
        if np.isnan(share).any():
            continue
        lower = (share * last).astype(np.intp)
        upper = np.minimum(lower + 1, last)
        ordered = np.sort(row)  # numpy's partition by four places takes longer
        for j, gap in enumerate(share * last - lower):
            # Without the test, infinity times 0 would spoil a bound that is finite.
            below, above = ordered[lower[j]], ordered[upper[j]]
            found[i, j] = below if gap == 0.0 else (1.0 - gap) * below + gap * above
    return found


class _Draws:
    """How often each of G clusters is in each of B draws.

    The counts are kept if they are few enough; else the generator is wound back, and the same ones are drawn
    again.
    """

    def __init__(self, rng: np.random.Generator, n_clusters: int, resamples: int) -> None:
        self.rng, self.n_clusters, self.resamples = rng, n_clusters, resamples
        self.kept = n_clusters * resamples <= _KEPT
        self._state = rng.bit_generator.state
        self._counts: list[npt.NDArray[np.uint16]] = []

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Places of some draws and their counts, shape (G, draws), which the next ones are written over."""
        block = np.empty((self.n_clusters, min(_BLOCK, self.resamples)))
        known = len(self._counts)
        if not known:
            self.rng.bit_generator.state = self._state
        for number, start in enumerate(range(0, self.resamples, _BLOCK)):
            here = slice(start, min(start + _BLOCK, self.resamples))
            size = here.stop - here.start
            counts = self._counts[number] if known else self._drawn(size)
            if self.kept and not known:
                self._counts.append(counts)
            block[:, :size] = counts
            yield here, block[:, :size]

    def _drawn(self, size: int) -> npt.NDArray[np.uint16]:
        drawn = self.rng.integers(0, self.n_clusters, (self.n_clusters, size), dtype=np.int32)
        counts = np.empty((self.n_clusters, size), dtype=np.uint16)
        # A few draws at a time, whose counts stay in the cache while they are made.
        for start in range(0, size, _FEW):
            some = drawn[:, start : start + _FEW]
            width = some.shape[1]
            cells = some.astype(np.intp)
            cells *= width
            cells += np.arange(width)
            flat = np.bincount(cells.ravel(), minlength=self.n_clusters * width)
            counts[:, start : start + width] = flat.reshape(self.n_clusters, width)
        return counts


def _checked(values: npt.ArrayLike, weights: npt.ArrayLike | None) -> tuple[Floats, Floats]:
    table = as_floats("values", values, 2)
    if weights is None:
        return table, np.empty((0, 0))
    weight = as_floats("weights", weights, 2)
    if weight.shape != table.shape:
        raise ValueError("values and weights must have the same shape")
    if not (weight[~np.isnan(table)] > 0.0).all():
        raise ValueError("weights must be positive wherever there is a value")
    return table, weight


def _reason(row: Floats, there: npt.NDArray[np.bool_]) -> str | None:
    """Why a comparison has no interval."""
    values = row[there]
    if values.size < FEWEST_CLUSTERS:
        return f"{values.size} cluster(s); at least {FEWEST_CLUSTERS} are needed"
    if float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max()):
        return "all clusters have the same value"
    return None
