"""Distances between two distributions, less what chance alone makes of them.

A distance is never negative, so that two samples of the same distribution have one above 0: between 20 and 20
scores from Beta(1, 9), the Wasserstein distance is .031 on average. What is reported is the excess over the
mean that relabelling the same data gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats, Undefined
from audit.stats.intervals import complete

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]

_CHUNK = 1 << 20
"""Labels drawn at a time, to bound memory."""

_TOLERANCE = 100.0 * float(np.finfo(np.float64).eps)
"""Relative size below which two distances tie; as in ``scipy.stats.permutation_test``."""


@dataclass(frozen=True)
class Distance:
    """A distance and what relabelling the groups makes of it.

    Parameters
    ----------
    value : float
        The distance as observed, >= 0; biased upward.
    null_mean : float
        Its mean over the relabellings, same unit.
    excess : float
        `value` - `null_mean`, same unit; 0 means what chance alone gives, and it may be negative. Unsigned:
        it does not say which group is higher.
    p : float
        (1 + #{distance >= value}) / (resamples + 1), in (0, 1].
    resamples : int
        Relabellings counted.
    n, n_clusters : int
        Observations, and what was relabelled as a whole.

    Examples
    --------
    >>> Distance(0.3, 0.1, 0.2, 0.01, 999, 40, 40).excess
    0.2
    """

    value: float
    null_mean: float
    excess: float
    p: float
    resamples: int
    n: int
    n_clusters: int


def wasserstein(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    resamples: int = 9999,
) -> Distance | Undefined:
    """Wasserstein-1 distance of two samples: the area between their distribution functions.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        Scores, same unit, none missing.
    rng : numpy.random.Generator
        Source of randomness.
    clusters : tuple of array_like, shapes (n,) and (m,), optional
        Labels of the cluster (template, writer, prompt) of each score of x, and of y. Clusters with scores of
        one group trade groups as wholes; in a cluster with scores of both, the groups are exchanged or not.
        Without it every score is its own cluster.
    resamples : int
        Relabellings to draw, >= 1.

    Returns
    -------
    Distance or Undefined
        In the unit of the scores. Undefined if a sample is empty, or if no relabelling differs from the
        observed one but by exchanging the groups, which leaves the distance as it is.

    Raises
    ------
    ValueError
        If a score is missing or infinite, labels and scores differ in number, or `resamples` < 1.

    Notes
    -----
    Source: Vallender (1974), Theory of Probability and its Applications 18, 784-786; MEASURES 4.4 for the
    excess; Phipson and Smyth (2010) for the added 1. Assumes that clusters are exchangeable between groups,
    and groups within clusters, where there is no difference. Tests equal distributions, not equal means.

    Examples
    --------
    >>> result = wasserstein(np.arange(12.0) + 6, np.arange(12.0), np.random.default_rng(0))
    >>> round(result.value, 4), result.p < 0.01, result.excess < result.value
    (6.0, True, True)
    """
    a, b = complete("x", x), complete("y", y)
    if not (a.size and b.size):
        return Undefined("no scores in a sample")
    labels = _Labels.of(int(a.size), int(b.size), clusters)
    values = np.concatenate([a, b])
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])

    def distances(first: Bools) -> Floats:
        below = np.cumsum(first[:, order], axis=1)[:, :-1]
        n_first = first.sum(axis=1)[:, None]
        others = np.arange(1, values.size) - below
        area: Floats = np.abs(below / n_first - others / (values.size - n_first)) @ gaps
        return area

    return labels.compare(distances, rng, resamples, float(np.ptp(values)))


def total_variation(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    resamples: int = 9999,
) -> Distance | Undefined:
    """Total variation distance of two distributions over categories: half the sum of absolute differences.

    Parameters
    ----------
    first, second : array_like of int, shapes (k,), or (n, k) and (m, k)
        Counts by category. One vector a group if the counted things are independent; else one row for each
        prompt, template or writer, as what is counted in one text is not independent.
    rng : numpy.random.Generator
        Source of randomness.
    clusters : tuple of array_like, shapes (n,) and (m,), optional
        Labels of the cluster of each row, as in `wasserstein`; only with rows. Without it every row is
        its own cluster.
    resamples : int
        Relabellings to draw, >= 1.

    Returns
    -------
    Distance or Undefined
        Share of the distribution that would have to move, in [0, 1]. `n` counts what was counted.
        Relabellings that leave a group without any count are left out of `resamples`. Undefined if a group
        has no counts, or if no relabelling differs from the observed one but by exchanging the groups.

    Raises
    ------
    ValueError
        If shapes do not fit, a count is negative or not whole, labels are given without rows, or
        `resamples` < 1.

    Notes
    -----
    Source: Levin and Peres (2017), Markov Chains and Mixing Times, 4.1; the rest as in `wasserstein`. Without
    rows the relabelled counts are multivariate hypergeometric.

    Examples
    --------
    >>> result = total_variation([30, 10], [10, 30], np.random.default_rng(0))
    >>> result.value, result.p < 0.01
    (0.5, True)
    """
    one, two = _counts("first", first), _counts("second", second)
    if one.ndim != two.ndim or one.shape[-1] != two.shape[-1]:
        raise ValueError(f"first and second must have the same categories, not {one.shape} and {two.shape}")
    if not (one.sum() and two.sum()):
        return Undefined("nothing was counted in a group")
    if one.ndim == 1:
        if clusters is not None:
            raise ValueError("clusters need one row of counts each")
        return _independent_counts(one, two, rng, resamples)
    counts = np.concatenate([one, two]).astype(np.float64)

    def distances(chosen: Bools) -> Floats:
        mine = chosen @ counts
        return _half_difference(mine, counts.sum(axis=0) - mine)

    labels = _Labels.of(one.shape[0], two.shape[0], clusters)
    result = labels.compare(distances, rng, resamples, 1.0)
    if isinstance(result, Undefined):
        return result
    return Distance(**{**vars(result), "n": int(counts.sum())})


@dataclass(frozen=True)
class _Labels:
    """Which group each observation belongs to, and which observations are relabelled together."""

    first: Bools
    codes: Codes
    n_clusters: int

    @classmethod
    def of(cls, n: int, m: int, clusters: tuple[npt.ArrayLike, npt.ArrayLike] | None) -> _Labels:
        first = np.arange(n + m) < n
        if clusters is None:
            return cls(first, np.arange(n + m), n + m)
        sides = [np.asarray(side) for side in clusters]
        if sides[0].shape != (n,) or sides[1].shape != (m,):
            raise ValueError("each observation needs the label of its cluster")
        names, codes = np.unique(np.concatenate(sides), return_inverse=True)
        return cls(first, codes.reshape(-1), int(names.size))

    def compare(
        self, distances: Callable[[Bools], Floats], rng: np.random.Generator, resamples: int, largest: float
    ) -> Distance | Undefined:
        """Observed distance against that of relabelled data; `largest` is the size that rounding is of."""
        if resamples < 1:
            raise ValueError(f"resamples must be at least 1, not {resamples}")
        pure, mixed = self._kinds()
        if math.comb(pure.size, int(pure.sum())) * 2**mixed <= 2:
            return Undefined(f"{self.n_clusters} clusters are too few to relabel")
        value = float(distances(self.first[None, :])[0])
        drawn = np.concatenate([distances(chosen) for chosen in self._relabelled(rng, resamples)])
        return _judged(value, drawn, largest, int(self.first.size), self.n_clusters)

    def _kinds(self) -> tuple[Bools, int]:
        """For each cluster of one group, whether it is the first; and the number of those of both."""
        in_first = np.bincount(self.codes, self.first, self.n_clusters) > 0.0
        in_second = np.bincount(self.codes, ~self.first, self.n_clusters) > 0.0
        return in_first[in_first != in_second], int(np.count_nonzero(in_first & in_second))

    def _relabelled(self, rng: np.random.Generator, resamples: int) -> Iterator[Bools]:
        in_first = np.bincount(self.codes, self.first, self.n_clusters) > 0.0
        in_second = np.bincount(self.codes, ~self.first, self.n_clusters) > 0.0
        pure = in_first != in_second
        step = max(1, _CHUNK // self.first.size)
        for start in range(0, resamples, step):
            rows = min(step, resamples - start)
            moved = rng.integers(0, 2, size=(rows, self.n_clusters), dtype=np.int8).astype(np.bool_)
            labels = np.tile(in_first[pure], (rows, 1))
            moved[:, pure] = rng.permuted(labels, axis=1) != in_first[pure]
            yield self.first ^ moved[:, self.codes]


def _independent_counts(
    one: npt.NDArray[np.int64], two: npt.NDArray[np.int64], rng: np.random.Generator, resamples: int
) -> Distance | Undefined:
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    size, total = int(one.sum()), int(one.sum() + two.sum())
    if total <= 2:
        return Undefined(f"{total} counts are too few to relabel")
    pooled = one + two
    drawn = []
    step = max(1, _CHUNK // pooled.size)
    for start in range(0, resamples, step):
        mine = rng.multivariate_hypergeometric(pooled, size, size=min(step, resamples - start))
        drawn.append(_half_difference(mine, pooled - mine))
    value = float(_half_difference(one[None, :], two[None, :])[0])
    return _judged(value, np.concatenate(drawn), 1.0, total, total)


def _judged(value: float, drawn: Floats, largest: float, n: int, n_clusters: int) -> Distance | Undefined:
    drawn = drawn[~np.isnan(drawn)]
    if drawn.size == 0:
        return Undefined("every relabelling leaves a group without counts")
    hits = int(np.count_nonzero(drawn >= value - _TOLERANCE * largest))
    null_mean = float(drawn.mean())
    p = (1 + hits) / (drawn.size + 1)
    return Distance(value, null_mean, value - null_mean, p, int(drawn.size), n, n_clusters)


def _half_difference(mine: npt.NDArray[np.generic], others: npt.NDArray[np.generic]) -> Floats:
    """Total variation of each row; NaN where a row has no counts."""
    sums = [np.asarray(side, dtype=np.float64) for side in (mine, others)]
    totals = [np.where(side.sum(axis=1) > 0.0, side.sum(axis=1), np.nan)[:, None] for side in sums]
    result: Floats = np.abs(sums[0] / totals[0] - sums[1] / totals[1]).sum(axis=1) / 2.0
    return result


def _counts(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise ValueError(f"{name} must be counts by category, or rows of them, not of shape {array.shape}")
    if not (np.isfinite(array).all() and (array >= 0.0).all() and (array == np.floor(array)).all()):
        raise ValueError(f"{name} must hold whole numbers that are not negative")
    return array.astype(np.int64)
