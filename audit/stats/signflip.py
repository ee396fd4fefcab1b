"""The sign-flip test: flips whole clusters, assumes only symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats, Undefined, as_floats

EXACT_UP_TO = 20
"""Number of clusters up to which all 2^G sign patterns are counted."""

_CHUNK = 1 << 21
"""Signs drawn at a time, to bound memory."""


@dataclass(frozen=True)
class SignFlip:
    """Result of `sign_flip`.

    Parameters
    ----------
    p : float
        Two-sided p-value, in (0, 1].
    statistic : float
        Sum over clusters of cluster sums, units of the differences; 0 means no difference.
    n_clusters : int
        Clusters flipped as wholes.
    exact : bool
        Whether all sign patterns were counted.
    resamples : int
        Sign patterns counted: 2^G if exact, else those drawn.

    Examples
    --------
    >>> SignFlip(p=0.0625, statistic=15.0, n_clusters=5, exact=True, resamples=32).exact
    True
    """

    p: float
    statistic: float
    n_clusters: int
    exact: bool
    resamples: int


def sign_flip(
    difference: npt.ArrayLike,
    clusters: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = 9999,
) -> SignFlip | Undefined:
    """Test whether paired differences are centred at 0, flipping the sign of whole clusters.

    Parameters
    ----------
    difference : array_like, shape (n,)
        Paired differences, already centred at the null value (for a percentage of stereotyped choices,
        subtract 50), any unit.
    clusters : array_like, shape (n,)
        Label of the cluster (writer, template, prompt) of each difference. Large clusters weigh more: the
        estimand is the plain mean.
    rng : numpy.random.Generator
        Source of randomness; not used for an exact test.
    resamples : int
        Sign patterns to draw when there are more than 20 clusters, >= 1.

    Returns
    -------
    SignFlip or Undefined
        Exact for up to 20 clusters; otherwise p = (1 + #{|S*| >= |S|}) / (resamples + 1), which is never 0.
        With G clusters p is at least 2^(1 - G). Undefined without any difference.

    Raises
    ------
    ValueError
        If lengths differ, a difference is missing or infinite, or `resamples` < 1.

    Notes
    -----
    Valid if each cluster's sum is as likely to be x as -x when there is no difference. Sums that differ by
    rounding only count as ties: tolerance 100 machine epsilons, as in ``scipy.stats.permutation_test``, but
    times the sum of the absolute cluster sums, because that is what bounds the rounding error (scipy takes
    the statistic itself, and misses ties when it is near 0). Source: MEASURES 7.3; Phipson and Smyth (2010)
    for the added 1.

    Examples
    --------
    >>> sign_flip([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], np.random.default_rng(0)).p
    0.0625
    """
    values = as_floats("difference", difference, 1)
    labels = np.asarray(clusters)
    if labels.shape != values.shape:
        raise ValueError("difference and clusters must have the same length")
    if np.isnan(values).any():
        raise ValueError("difference holds missing values; leave them out and report how many")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    if values.size == 0:
        return Undefined("no paired differences")
    sums = np.bincount(np.unique(labels, return_inverse=True)[1], values).astype(np.float64)
    n_clusters = int(sums.size)
    statistic = float(sums.sum())
    threshold = abs(statistic) - 100.0 * float(np.finfo(np.float64).eps) * float(np.abs(sums).sum())
    if n_clusters <= EXACT_UP_TO:
        total = 2**n_clusters
        return SignFlip(count_patterns(sums, threshold) / total, statistic, n_clusters, True, total)
    hits = _count_drawn(sums, threshold, rng, resamples)
    return SignFlip((1 + hits) / (resamples + 1), statistic, n_clusters, False, resamples)


def count_patterns(sums: Floats, threshold: float) -> int:
    """Count the 2^G sign patterns with |S*| >= threshold, splitting the clusters into two halves."""
    if threshold <= 0.0:
        return int(2**sums.size)
    half = sums.size // 2
    first, second = _signed_sums(sums[:half]), np.sort(_signed_sums(sums[half:]))
    above = second.size - np.searchsorted(second, threshold - first, side="left")
    below = np.searchsorted(second, -threshold - first, side="right")
    return int(above.sum() + below.sum())


def _signed_sums(values: Floats) -> Floats:
    """All 2^n signed sums of n values."""
    totals = np.zeros(1)
    for value in values:
        totals = np.concatenate([totals + value, totals - value])
    return totals


def _count_drawn(sums: Floats, threshold: float, rng: np.random.Generator, resamples: int) -> int:
    hits, left = 0, resamples
    while left:
        size = min(left, max(1, _CHUNK // sums.size))
        signs = rng.integers(0, 2, size=(size, sums.size), dtype=np.int8)
        # S* = 2 * (sum of the clusters kept positive) - (sum of all)
        drawn = 2.0 * (signs @ sums) - sums.sum()
        hits += int(np.count_nonzero(np.abs(drawn) >= threshold))
        left -= size
    return hits
