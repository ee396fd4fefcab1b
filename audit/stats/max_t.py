"""The step-down max-T adjustment: many questions of the same templates and terms, answered together.

Holm's adjustment allows for the worst dependence. Hypotheses of one family are asked with the same templates
and mostly the same terms, so their statistics move together; resampling them together keeps that, and less
is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import SINGLE_PRECISION, Floats, Undefined, as_floats, check_fraction
from audit.stats.signs import row_blocks, sign_patterns
from audit.stats.wild import JointTable, wild_draws

__all__ = ["JointTable", "MaxT", "flip_draws", "max_t", "wild_draws"]

TIE = 1e-9
"""Relative difference below which two statistics are equal; they are computed in different orders."""

_BLOCK = 1 << 19
"""Doubles of draws that are looked through at a time (4 MiB), which a processor's cache holds."""


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


def max_t(
    t: npt.ArrayLike,
    null: npt.ArrayLike | Iterator[Floats],
    *,
    floor: Sequence[float | None] | None = None,
) -> MaxT:
    """Adjust a family of statistics by Westfall and Young's step-down max-T.

    Parameters
    ----------
    t : array_like, shape (m,)
        Observed statistics, estimate over standard error; NaN where not computable, may be infinite.
    null : array_like, shape (B, m), or iterator of ndarray, shape (rows, m)
        The same statistics in B joint draws under the null hypothesis; columns of NaN in `t` are ignored. As
        an iterator (`flip_draws`, `wild_draws`) they come in chunks, and memory stays bounded whatever B is.
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
    if observed.ndim != 1:
        raise ValueError(f"t must have one dimension, not shape {observed.shape}")
    floors = [None] * observed.size if floor is None else list(floor)
    if len(floors) != observed.size or any(low is not None and not 0.0 <= low <= 1.0 for low in floors):
        raise ValueError("floor must hold a p-value or None for each hypothesis")
    tested = np.flatnonzero(~np.isnan(observed))
    order = tested[np.argsort(-observed[tested], kind="stable")]
    counted = _Counted(observed, order)
    for chunk in null if isinstance(null, Iterator) else [np.asarray(null, dtype=np.float64)]:
        counted.add(chunk)
    if counted.draws < 1:
        raise ValueError("null holds no draw")
    p: list[float | None] = [None] * observed.size
    share = (1 + counted.hits) / (counted.draws + 1)
    for place, value in zip(order, np.maximum.accumulate(share), strict=True):
        low = floors[place]
        p[place] = float(value) if low is None else max(float(value), float(low))
    n_lost = int(observed.size - tested.size)
    maxima = np.sort(np.concatenate([np.empty(0), *counted.maxima]))
    return MaxT(tuple(p), int(observed.size), n_lost, counted.draws, maxima)


class _Counted:
    """What the draws seen so far say of the hypotheses in `order`, that of descending |t|.

    `hits` holds #{max over k >= i of |t*_k| >= |t_i|} for each i, `maxima` the largest |t*| of each draw.
    """

    def __init__(self, observed: Floats, order: npt.NDArray[np.intp]) -> None:
        self.m = observed.size
        self.order = order
        self.threshold = observed[order] * (1.0 - TIE)
        self.hits = np.zeros(order.size, dtype=np.intp)
        self.maxima: list[Floats] = []
        self.draws = 0

    def add(self, draws: Floats) -> None:
        """Count more draws, shape (rows, m)."""
        if draws.ndim != 2 or draws.shape[1] != self.m:
            raise ValueError(f"t ({self.m},) and null {draws.shape} must have shapes (m,) and (B, m)")
        self.draws += len(draws)
        if self.order.size == 0:
            return
        size = max(1, _BLOCK // self.m)
        for start in range(0, len(draws), size):
            columns = np.ascontiguousarray(draws[start : start + size].T)
            np.abs(columns, out=columns)
            largest = np.zeros(columns.shape[1])
            for i in range(self.order.size - 1, -1, -1):
                np.maximum(largest, columns[self.order[i]], out=largest)
                self.hits[i] += np.count_nonzero(largest >= self.threshold[i])
            if np.isnan(largest).any():  # a maximum keeps every NaN that it has met
                raise ValueError("null holds missing values for a statistic that was computed")
            self.maxima.append(largest)


def flip_draws(
    effects: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = 9999
) -> Iterator[Floats]:
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

    Yields
    ------
    ndarray, shape (rows, m)
        Some draws, for `max_t`: in chunks, so that memory does not grow with B. The next chunk is written
        over it. t* = mean / (sd / sqrt(n)), as ``single`` computes it, dimensionless; NaN in the column of a
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
    >>> [chunk.shape for chunk in flip_draws(effects, np.random.default_rng(0))]
    [(15, 1)]
    >>> max_t([4.2426], flip_draws(effects, np.random.default_rng(0))).p
    (0.0625,)
    """
    table = as_floats("effects", effects, 2)
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    flipped = _FlippedT(table)
    for signs in sign_patterns(table.shape[1], rng, resamples):
        for rows in row_blocks(len(signs), len(table)):
            yield flipped.statistics(signs[rows])


class _FlippedT:
    """The t statistics of all comparisons for rows of signs."""

    def __init__(self, table: Floats) -> None:
        seen = ~np.isnan(table)
        self.values: Floats = np.where(seen, table, 0.0)
        n = seen.sum(axis=1)
        self.count: Floats = np.where(n >= 2, n, np.nan).astype(np.float64)
        self.square: Floats = (self.values**2).sum(axis=1) / self.count
        # A variance that is rounding only, next to the effects themselves.
        self.flat: Floats = (SINGLE_PRECISION * np.abs(self.values).max(axis=1, initial=0.0)) ** 2
        self.arrays = np.empty((2, 0, len(table)))

    def statistics(self, signs: Floats) -> Floats:
        """t* (rows, m), in an array that the next call writes over."""
        if len(signs) > self.arrays.shape[1]:
            self.arrays = np.empty((2, len(signs), len(self.values)))
        t, variance = self.arrays[0, : len(signs)], self.arrays[1, : len(signs)]
        np.matmul(signs, self.values.T, out=t)
        t /= self.count
        np.multiply(t, t, out=variance)
        np.subtract(self.square, variance, out=variance)
        variance /= self.count - 1.0
        flat = variance <= self.flat
        if not flat.any():
            np.sqrt(variance, out=variance)
            t /= variance
            return t
        still = flat & (t == 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            t /= np.sqrt(np.where(flat, 0.0, variance))
        t[still] = 0.0
        return t
