"""The step-down max-T adjustment: many questions of the same templates and terms, answered together.

Holm's adjustment allows for the worst dependence. Hypotheses of one family are asked with the same templates
and mostly the same terms, so their statistics move together; resampling them together keeps that, and less
is lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import SINGLE_PRECISION, Floats, Undefined, as_floats, check_fraction
from audit.stats.wild import JointTable, wild_null

__all__ = ["JointTable", "MaxT", "flip_null", "max_t", "wild_null"]

TIE = 1e-9
"""Relative difference below which two statistics are equal; they are computed in different orders."""

_CHUNK = 1 << 20
"""Doubles in one array of a chunk (8 MiB), to bound memory."""


@dataclass(frozen=True, eq=False)
class MaxT:
    """A family of p-values adjusted by the joint distribution of their statistics.

    Parameters
    ----------
    p : tuple of (float or None)
        Adjusted two-sided p-values, in (0, 1], in the order given; None where the hypothesis could not be
        tested.
    m : int
        Size of the family, hypotheses that could not be tested included.
    n_not_computable : int
        How many of them could not be tested.
    resamples : int
        Draws of the null distribution, B.
    maxima : ndarray, shape (B,)
        The largest |t*| of each draw, ascending, over the hypotheses that could be tested.
    method : str
        ``"westfall-young max-T"``.

    Examples
    --------
    >>> MaxT((0.5,), 1, 0, 3, np.array([1.0, 2.0, 3.0])).critical(0.25)
    3.0
    """

    p: tuple[float | None, ...]
    m: int
    n_not_computable: int
    resamples: int
    maxima: Floats = field(repr=False)
    method: str = "westfall-young max-T"

    def critical(self, alpha: float) -> float | Undefined:
        """Half-width, in standard errors, of intervals that all hold together.

        Parameters
        ----------
        alpha : float
            Chance that any interval misses, in (0, 1).

        Returns
        -------
        float or Undefined
            The k-th largest maximum, k = floor(alpha (B + 1)): |t| > critical exactly where the single-step
            adjusted p-value is at most alpha. Undefined where nothing was tested, the draws are too few, or
            so many of them have no spread that the bound is infinite.

        Raises
        ------
        ValueError
            If `alpha` is not strictly between 0 and 1.

        Examples
        --------
        >>> MaxT((0.5,), 1, 0, 3, np.array([1.0, 2.0, 3.0])).critical(0.05)
        Undefined(reason='3 resamples cannot bound an error of 0.05')
        """
        check_fraction("alpha", alpha)
        if self.maxima.size == 0:
            return Undefined("no hypothesis could be tested")
        # The tiny share absorbs the rounding of products such as 0.05 * 10000.
        rank = int(alpha * (self.resamples + 1) * (1.0 + TIE))
        if rank < 1:
            return Undefined(f"{self.resamples} resamples cannot bound an error of {alpha}")
        value = float(self.maxima[-rank])
        return value if np.isfinite(value) else Undefined("too few templates or terms for a joint interval")


def max_t(t: npt.ArrayLike, null: npt.ArrayLike, *, floor: Sequence[float | None] | None = None) -> MaxT:
    """Adjust a family of statistics by Westfall and Young's step-down max-T.

    Parameters
    ----------
    t : array_like, shape (m,)
        Observed statistics, estimate over standard error; NaN where not computable, may be infinite.
    null : array_like, shape (B, m)
        The same statistics in B joint draws under the null hypothesis; columns of NaN in `t` are ignored.
    floor : sequence of (float or None), length m, optional
        p-values below which no adjusted one may fall, for instance those of the hypotheses alone, so that
        no correction ever makes a claim easier.

    Returns
    -------
    MaxT
        p_(j) = max over i <= j of (1 + #{max over k >= i of |t*_k| >= |t_i|}) / (B + 1), hypotheses in
        descending order of |t|. A hypothesis that could not be tested stays out of the maxima and counts in
        ``m``; unlike in `holm` it does not make the others' p-values larger, because what was not computed
        has no joint distribution.

    Raises
    ------
    ValueError
        If shapes differ, there is no draw, a draw of a computable statistic is NaN, or a floor is outside
        [0, 1].

    Notes
    -----
    Controls the chance of any false claim if the draws keep the joint distribution of the statistics of the
    true hypotheses (subset pivotality). Source: Westfall and Young (1993), Resampling-based multiple
    testing, algorithm 4.1; MEASURES 7.5; Phipson and Smyth (2010) for the added 1.

    Examples
    --------
    >>> result = max_t([3.0, 1.0, np.nan], [[1.0, 2.0, 0.0], [0.5, 0.2, 0.0], [2.0, 0.1, 0.0]])
    >>> result.p, result.m
    ((0.25, 0.5, None), 3)
    """
    observed = np.abs(np.asarray(t, dtype=np.float64))
    draws = np.asarray(null, dtype=np.float64)
    if observed.ndim != 1 or draws.ndim != 2 or draws.shape[1] != observed.size:
        raise ValueError(f"t {observed.shape} and null {draws.shape} must have shapes (m,) and (B, m)")
    if draws.shape[0] < 1:
        raise ValueError("null holds no draw")
    floors = [None] * observed.size if floor is None else list(floor)
    if len(floors) != observed.size or any(low is not None and not 0.0 <= low <= 1.0 for low in floors):
        raise ValueError("floor must hold a p-value or None for each hypothesis")
    tested = np.flatnonzero(~np.isnan(observed))
    order = tested[np.argsort(-observed[tested], kind="stable")]
    if np.isnan(draws[:, order]).any():
        raise ValueError("null holds missing values for a statistic that was computed")
    hits, maxima = _count(observed[order], draws, order)
    p: list[float | None] = [None] * observed.size
    for place, value in zip(order, np.maximum.accumulate((1 + hits) / (len(draws) + 1)), strict=True):
        low = floors[place]
        p[place] = float(value) if low is None else max(float(value), float(low))
    n_lost = int(observed.size - tested.size)
    return MaxT(tuple(p), int(observed.size), n_lost, len(draws), np.sort(maxima))


def _count(
    ordered: Floats, draws: Floats, order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], Floats]:
    """#{max over k >= i of |t*_k| >= |t_i|} for each i, and the largest |t*| of each draw."""
    hits = np.zeros(ordered.size, dtype=np.intp)
    maxima: list[Floats] = []
    if ordered.size == 0:
        return hits, np.empty(0)
    threshold = ordered * (1.0 - TIE)
    size = max(1, _CHUNK // ordered.size)
    for start in range(0, len(draws), size):
        part = np.abs(draws[start : start + size][:, order])
        part = np.maximum.accumulate(part[:, ::-1], axis=1)[:, ::-1]
        hits += np.count_nonzero(part >= threshold, axis=0)
        maxima.append(part[:, 0].copy())
    return hits, np.concatenate(maxima)


def flip_null(effects: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = 9999) -> Floats:
    """Draw the t statistics of all comparisons while whole clusters change sign, the same for all.

    Parameters
    ----------
    effects : array_like, shape (m, G)
        Effect of each cluster (template, writer) in each comparison, any unit; NaN where a comparison has
        no answer from a cluster, which is then no part of that comparison.
    rng : numpy.random.Generator
        Source of randomness; not used where all patterns fit.
    resamples : int
        B, number of draws, >= 1.

    Returns
    -------
    ndarray, shape (B, m)
        t* = mean / (sd / sqrt(n)), as ``single`` computes it, dimensionless; NaN in the column of a
        comparison with fewer than 2 clusters. Where the 2^(G - 1) patterns that differ by more than a
        common sign are at most `resamples` + 1, each of them once, but for the data themselves: `max_t`
        then gives exact p-values, and B = 2^(G - 1) - 1.

    Raises
    ------
    ValueError
        If `effects` is not two-dimensional or holds an infinite value, or `resamples` < 1.

    Notes
    -----
    Valid if the vector of a cluster's effects is as likely to be x as -x. A flip leaves the sum of squares
    as it is, so that t* needs one product only. Source: MEASURES 7.5; Westfall and Young (1993).

    Examples
    --------
    >>> effects = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    >>> null = flip_null(effects, np.random.default_rng(0))
    >>> null.shape, max_t([4.2426], null).p
    ((15, 1), (0.0625,))
    """
    table = as_floats("effects", effects, 2)
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    n_clusters = table.shape[1]
    if 0 < n_clusters <= 30 and 2 ** (n_clusters - 1) <= resamples + 1:
        patterns = itertools.product((1.0, -1.0), repeat=n_clusters - 1)
        signs = np.array([(1.0, *pattern) for pattern in patterns]).reshape(-1, n_clusters)[1:]
        return _flipped_t(table, signs)
    parts = []
    size = max(1, _CHUNK // max(1, n_clusters))
    for start in range(0, resamples, size):
        coins = rng.integers(0, 2, (min(size, resamples - start), n_clusters), dtype=np.int8)
        parts.append(_flipped_t(table, 2.0 * coins.astype(np.float64) - 1.0))
    return np.concatenate(parts)


def _flipped_t(table: Floats, signs: Floats) -> Floats:
    seen = ~np.isnan(table)
    values = np.where(seen, table, 0.0)
    n = seen.sum(axis=1)
    count = np.where(n >= 2, n, np.nan).astype(np.float64)
    mean = signs @ values.T / count
    variance = ((values**2).sum(axis=1) / count - mean**2) / (count - 1.0)
    scale = np.abs(values).max(axis=1, initial=0.0)
    flat = variance <= (SINGLE_PRECISION * scale) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        t = mean / np.sqrt(np.where(flat, 0.0, variance))
    return np.where(flat & (mean == 0.0), 0.0, t)
