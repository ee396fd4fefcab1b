"""Exact and drawn randomisation tests for many comparisons at once.

All comparisons of a call share the same sign flips or the same labels, so that what correlates them stays in
the draws. Statistics of thousands of draws are one matrix product, taken in chunks of bounded memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats, as_floats
from audit.stats.signflip import EXACT_UP_TO, count_patterns

EXACT_LABELLINGS = 200_000
"""Number of ways to label units up to which all of them are counted (10 units against 10: 184 756)."""

TIE = 100.0 * float(np.finfo(np.float64).eps)
"""Sums that differ by less than this share of the sum of absolute values are equal, see `sign_flip`."""

Alternative = Literal["two-sided", "greater", "less"]

SMALL_ERROR = 0.01
"""Error of single precision, relative to the sum of absolute values, up to which a first pass uses it."""

FEW = 64
"""One sum of so many may be doubtful: computing one alone takes about as long as 30 in a product."""

_CHUNK = 1 << 18
"""Numbers in one array of a chunk (2 MiB of doubles), which a processor's cache holds."""

Singles = npt.NDArray[np.float32]

_SIGNS: Singles = np.where(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), 1, -1).astype("f4")
"""The eight signs that each byte stands for."""


@dataclass(frozen=True, eq=False)
class Randomised:
    """Result of a randomisation test of m comparisons.

    Parameters
    ----------
    p : ndarray, shape (m,)
        p-values, in (0, 1]; NaN where a comparison has no data.
    statistic : ndarray, shape (m,)
        What was tested, score units; 0 means no difference. NaN where a comparison has no data.
    n_units : ndarray of int, shape (m,)
        Clusters or units that hold data.
    exact : bool
        Whether all patterns were counted.
    resamples : int
        Patterns counted if exact, else those drawn.

    Examples
    --------
    >>> Randomised(np.array([0.5]), np.array([1.0]), np.array([2]), True, 4).exact
    True
    """

    p: Floats
    statistic: Floats
    n_units: npt.NDArray[np.intp]
    exact: bool
    resamples: int


def sign_flips(sums: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = 9999) -> Randomised:
    """Test whether paired differences are centred at 0, flipping the same whole clusters in all comparisons.

    Parameters
    ----------
    sums : array_like, shape (m, G)
        Sum of the paired differences of each cluster in each comparison, centred at the null value, any
        unit. NaN where a cluster has no answer for a comparison: it then adds nothing to it, and is not
        counted in ``n_units``.
    rng : numpy.random.Generator
        Source of randomness; not used for an exact test.
    resamples : int
        Sign patterns to draw when there are more than 20 clusters, >= 1.

    Returns
    -------
    Randomised
        Two-sided; ``statistic`` is the sum over clusters. Exact for up to 20 clusters (the number of
        columns, the same for all comparisons); otherwise p = (1 + #{|S*| >= |S|}) / (resamples + 1).

    Raises
    ------
    ValueError
        If `sums` is not two-dimensional or holds an infinite value, or `resamples` < 1.

    Notes
    -----
    One comparison is `sign_flip`; assumptions, tie rule and source are given there.

    Examples
    --------
    >>> sign_flips([[1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 0.0, 0.0, 0.0]], np.random.default_rng(0)).p
    array([0.0625, 1.    ])
    """
    table = as_floats("sums", sums, 2)
    _check_resamples(resamples)
    n_clusters = table.shape[1]
    seen = ~np.isnan(table)
    values: Floats = np.where(seen, table, 0.0)
    statistic = values.sum(axis=1)
    threshold = np.abs(statistic) - TIE * np.abs(values).sum(axis=1)
    exact = n_clusters <= EXACT_UP_TO
    if exact:
        drawn = 2**n_clusters
        counted = [count_patterns(row, float(bound)) for row, bound in zip(values, threshold, strict=True)]
        p = np.array(counted, dtype=np.float64) / drawn
    else:
        drawn = resamples
        hits = _Flips(values, threshold).hits(rng, resamples)
        p = (1.0 + hits) / (resamples + 1.0)
    return _result(p, statistic, seen, exact, drawn)


class _Flips:
    """Counts of flipped sums that reach a threshold.

    Single precision decides wherever its error cannot change the answer. The few sums that lie within that
    error of the threshold are computed again in double precision; where they are not few (scores of a few
    distinct values, whose sums tie), everything is.
    """

    def __init__(self, values: Floats, threshold: Floats) -> None:
        n = values.shape[1]
        # Powers of two bring the sums of absolute values to 1/2 ... 1, exactly, so that nothing overflows.
        exponent = -np.frexp(np.abs(values).sum(axis=1))[1]
        self.values: Floats = np.ldexp(values, exponent[:, None])
        self.threshold: Floats = np.ldexp(threshold, exponent)[:, None]
        self.single = self.values.astype(np.float32)
        # Rounding n values and adding them in any order errs by n u / (1 - n u) of the sum of absolute
        # values, u = 2^-24; the rest of this bound is for rounding the bounds below. Source: Higham (2002),
        # Accuracy and stability of numerical algorithms, 3.1 and 4.2.
        error = (n + 4) * 2.0**-24
        error = error / (1.0 - error) if error < SMALL_ERROR else np.inf
        # Every sum reaches a threshold of 0 or less.
        always = self.threshold <= 0.0
        self.sure = np.where(always, -1.0, self.threshold + error).astype(np.float32)
        self.possible = np.where(always, -1.0, self.threshold - error).astype(np.float32)
        self.trusted = bool(np.isfinite(error))

    def hits(self, rng: np.random.Generator, resamples: int) -> npt.NDArray[np.intp]:
        """#{|S*| >= threshold} of each comparison, shape (m,), in as many random patterns."""
        m, n = self.values.shape
        found = np.zeros(m, dtype=np.intp)
        width = 4 * -(-n // 32)  # bytes of a pattern, in whole words: chunks of any size draw the same ones
        size = max(1, min(resamples, _CHUNK // max(m, 8 * width)))
        signs = np.empty((size, width, 8), dtype=np.float32)
        sums = np.empty((m, size), dtype=np.float32)
        for start in range(0, resamples, size):
            rows = min(size, resamples - start)
            raw = np.frombuffer(rng.bytes(rows * width), dtype=np.uint8).reshape(rows, width)
            # No byte can be out of range; with "raise" numpy would copy everything once more.
            np.take(_SIGNS, raw, axis=0, out=signs[:rows], mode="clip")
            found += self._reached(signs[:rows].reshape(rows, -1)[:, :n], sums[:, :rows])
        return found

    def _reached(self, signs: Singles, sums: Singles) -> npt.NDArray[np.intp]:
        if self.trusted:
            np.matmul(self.single, signs.T, out=sums)
            np.abs(sums, out=sums)
            certain, possible = sums >= self.sure, sums >= self.possible
            found: npt.NDArray[np.intp] = np.count_nonzero(certain, axis=1)
            doubtful = np.count_nonzero(possible) - int(found.sum())
            if doubtful <= min(sums.size // FEW, 4 * _CHUNK // signs.shape[1]):
                comparison, pattern = np.nonzero(possible & ~certain)
                again = np.einsum("ij,ij->i", self.values[comparison], signs[pattern], dtype=np.float64)
                reached = np.abs(again) >= self.threshold[comparison, 0]
                return found + np.bincount(comparison[reached], minlength=len(found))
            self.trusted = False
        flipped = np.abs(self.values @ signs.T.astype(np.float64))
        every: npt.NDArray[np.intp] = np.count_nonzero(flipped >= self.threshold, axis=1)
        return every


def permute_labels(
    values: npt.ArrayLike,
    treated: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    alternative: Alternative = "two-sided",
    resamples: int = 9999,
) -> Randomised:
    """Test a difference of two group means by giving whole units to the groups anew, in all comparisons.

    Parameters
    ----------
    values : array_like, shape (m, n)
        Value of each unit (a term, a writer) in each comparison, any unit of measurement. NaN where a unit
        has none for a comparison: its label still moves with the others', but it adds nothing.
    treated : array_like, shape (n,)
        1 for units of group 1, 0 for group 0.
    rng : numpy.random.Generator
        Source of randomness; not used for an exact test.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the mean of group 1 is larger. Two-sided is twice the smaller one-sided p-value, at
        most 1, as in scipy.
    resamples : int
        Labellings to draw when there are more than 200 000, >= 1.

    Returns
    -------
    Randomised
        ``statistic`` is mean of group 1 minus mean of group 0, NaN (as p) where a group has no value.
        Exact: share of labellings at least as extreme; drawn: (1 + hits) / (resamples + 1).

    Raises
    ------
    ValueError
        If lengths differ, `treated` is not 0/1 or leaves a group empty, a value is infinite,
        `alternative` is unknown, or `resamples` < 1.

    Notes
    -----
    Valid if units are exchangeable between groups when there is no difference. A labelling that leaves a
    group without any value counts as at least as extreme, which can only make p larger. Ties: see
    `sign_flip`; the values are centred first. Source: Fisher (1935), The design of experiments; Phipson and
    Smyth (2010) for the added 1; MEASURES 11 test 3.

    Examples
    --------
    >>> values, treated = [[5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0]], [1, 1, 1, 1, 0, 0, 0, 0]
    >>> found = permute_labels(values, treated, np.random.default_rng(0), alternative="greater")
    >>> round(1.0 / float(found.p[0]), 9), found.statistic
    (70.0, array([4.]))
    """
    table = as_floats("values", values, 2)
    labels = np.asarray(treated)
    _check_resamples(resamples)
    if labels.shape != table.shape[1:] or not np.isin(labels, (0, 1)).all():
        raise ValueError("treated must be 0 or 1 for each column of values")
    n, n1 = labels.size, int(np.count_nonzero(labels))
    if n1 in (0, n):
        raise ValueError("each group needs at least one unit")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"alternative must be two-sided, greater or less, not {alternative!r}")
    seen = ~np.isnan(table)
    means = _Means(table, seen)
    own = labels.astype(np.float64)[:, None]
    statistic = means.difference(own)[:, 0]
    total = math.comb(n, n1)
    exact = total <= EXACT_LABELLINGS
    above, below = np.zeros(len(table), dtype=np.intp), np.zeros(len(table), dtype=np.intp)
    for chosen in _labellings(n, n1, len(table)) if exact else _drawn(rng, (n, n1), resamples, len(table)):
        drawn = means.difference(chosen)
        # An empty group gives NaN, which is counted because it is not less extreme.
        above += np.count_nonzero(~(drawn < (statistic - means.tie)[:, None]), axis=1)
        below += np.count_nonzero(~(drawn > (statistic + means.tie)[:, None]), axis=1)
    added, counted = (0, total) if exact else (1, resamples)
    greater, less = (above + added) / (counted + added), (below + added) / (counted + added)
    p = {"greater": greater, "less": less, "two-sided": np.minimum(2.0 * np.minimum(greater, less), 1.0)}
    there = ~np.isnan(statistic)
    return _result(np.where(there, p[alternative], np.nan), statistic, seen, exact, counted)


class _Means:
    """Differences of group means for columns of 0/1 labels."""

    def __init__(self, table: Floats, seen: npt.NDArray[np.bool_]) -> None:
        count = seen.sum(axis=1, keepdims=True)
        centre = np.where(seen, table, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
        self.values: Floats = np.where(seen, table - centre, 0.0)
        self.total = self.values.sum(axis=1, keepdims=True)
        self.complete = bool(seen.all())
        self.seen: Floats = seen.astype(np.float64)
        self.count = count.astype(np.float64)
        # No group mean errs by more than the rounding of the sum of all absolute values.
        self.tie: Floats = TIE * np.abs(self.values).sum(axis=1)

    def difference(self, chosen: Floats) -> Floats:
        """Mean of group 1 minus mean of group 0, shape (m, labellings); NaN where one is empty."""
        one = self.values @ chosen
        n1 = chosen[:, :1].sum(axis=0) if self.complete else self.seen @ chosen
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.complete:  # the groups' sizes never change: one product and one line
                factor = 1.0 / n1 + 1.0 / (self.count - n1)
                complete: Floats = one * factor - self.total / (self.count - n1)
                return complete
            difference: Floats = one / n1 - (self.total - one) / (self.count - n1)
        return difference


def _labellings(n: int, n1: int, m: int) -> Iterator[Floats]:
    """All ways to choose n1 of n units, as 0/1 columns."""
    chosen = itertools.combinations(range(n), n1)
    size = max(1, _CHUNK // max(m, n))
    while block := list(itertools.islice(chosen, size)):
        labels = np.zeros((n, len(block)))
        labels[np.array(block, dtype=np.intp).T, np.arange(len(block))] = 1.0
        yield labels


def _drawn(rng: np.random.Generator, design: tuple[int, int], resamples: int, m: int) -> Iterator[Floats]:
    """Random choices of n1 of n units, as 0/1 columns."""
    n, n1 = design
    for size in _sizes(resamples, max(m, n)):
        keys = rng.random((size, n))
        last = np.partition(keys, n1 - 1, axis=1)[:, n1 - 1 : n1]
        chosen = keys <= last
        if np.count_nonzero(chosen) > size * n1:  # equal keys: any of them, but not more than n1
            chosen[...] = False
            np.put_along_axis(chosen, np.argpartition(keys, n1 - 1, axis=1)[:, :n1], True, axis=1)
        yield chosen.T.astype(np.float64)


def _sizes(resamples: int, m: int) -> Iterator[int]:
    """Sizes of chunks that make up `resamples`."""
    size = max(1, _CHUNK // max(1, m))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _result(
    p: Floats, statistic: Floats, seen: npt.NDArray[np.bool_], exact: bool, resamples: int
) -> Randomised:
    there = seen.any(axis=1)
    return Randomised(
        np.where(there, p, np.nan), np.where(there, statistic, np.nan), seen.sum(axis=1), exact, resamples
    )


def _check_resamples(resamples: int) -> None:
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
