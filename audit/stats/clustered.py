"""A mean, or any other number, of observations that come in clusters which were sampled whole.

Items of one writer, sentences about one target and answers to one prompt are not independent. With them taken
so, the published interval of a benchmark is too narrow: on CrowS-Pairs the variance of bert-base-uncased is
1.9 times as large by writers as by pairs (MEASURES 7.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import flip_p
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined, as_floats
from audit.stats.max_t import max_t
from audit.stats.signs import sign_patterns

Rows = npt.NDArray[np.intp]


def clustered_mean(values: npt.ArrayLike, clusters: npt.ArrayLike) -> Contrast | Undefined:
    """The plain mean, with a standard error by whole clusters.

    Parameters
    ----------
    values : array_like, shape (n,)
        Differences from what would mean no disparity (for a share of .5, the share minus .5), any unit. NaN
        means not scored: left out, and visible as ``n_obs`` < n.
    clusters : array_like, shape (n,)
        Label of the cluster (writer, target, question, prompt) of each value. They may differ in size; large
        ones weigh more, because the estimand is the plain mean.

    Returns
    -------
    Contrast or Undefined
        Mean, units of `values`; ``n_templates`` counts clusters. The variance is the bias-reduced sandwich
        CR2, V = sum_g s_g^2 / (1 - n_g / n) / n^2 with s_g the sum of the residuals of cluster g, its degrees
        of freedom those of Bell and McCaffrey. Undefined with fewer than 2 clusters that hold a value.

    Raises
    ------
    ValueError
        If lengths differ or a value is infinite.

    Notes
    -----
    With clusters of one size this is the t-test of the cluster means. Source: Bell and McCaffrey (2002),
    Survey Methodology 28, 169-181; MEASURES 7.3.

    Examples
    --------
    >>> found = clustered_mean([0.1, 0.3, -0.1, 0.3], ["a", "b", "c", "d"])
    >>> round(found.estimate, 3), round(found.se, 4), found.df
    (0.15, 0.0957, 3.0)
    >>> doubled = clustered_mean([0.1, 0.3, -0.1, 0.3] * 2, ["a", "b", "c", "d"] * 2)
    >>> round(doubled.se, 4), round(doubled.df, 1)
    (0.0957, 3.0)
    """
    scores, codes = _scored(values, clusters)
    sizes = np.bincount(codes).astype(np.float64)
    n, n_clusters = float(scores.size), int(sizes.size)
    if n_clusters < 2:
        return Undefined(f"{n_clusters} cluster(s) with a score; at least 2 are needed")
    estimate = float(scores.mean())
    share = sizes / n
    sums = np.bincount(codes, scores - estimate)
    sums = np.where(np.abs(sums) <= ROUNDING * n * float(np.abs(scores).max()), 0.0, sums)
    variance = float(np.sum(sums**2 / (1.0 - share))) / n**2
    # The trace of the squared working covariance: n_g on the diagonal, -n_g n_h / n between clusters.
    odds = share**2 / (1.0 - share)
    between = n**2 * (float(odds.sum()) ** 2 - float(np.sum(odds**2)))
    df = n**2 / (float(np.sum(sizes**2)) + between)
    return Contrast(
        estimate,
        math.sqrt(variance),
        max(1.0, round(df, 9)),
        "cluster-robust mean (CR2)",
        n_obs=int(scores.size),
        n_templates=n_clusters,
        n_terms=1,
        components={"V_T": variance},
        smallest_p=flip_p(n_clusters),
    )


@dataclass(frozen=True, eq=False)
class ClusterFlips:
    """t statistics of m comparisons, and the same under random signs of whole clusters, shared by all.

    Parameters
    ----------
    t : ndarray, shape (m,)
        Mean over its CR2 standard error, no unit; NaN where a comparison has fewer than 2 clusters.
    null : ndarray, shape (B, m)
        The same statistics in B sign patterns.
    clusters : ndarray, shape (m,)
        Clusters that hold a value, in each comparison.
    """

    t: Floats
    null: Floats
    clusters: Floats

    def p(self) -> tuple[float | None, ...]:
        """Two-sided p-value of each comparison, (1 + #{|t*| >= |t|}) / (B + 1); None without a t."""
        hits = (np.abs(self.null) >= np.abs(self.t) * (1.0 - ROUNDING)).sum(axis=0)
        return tuple(
            None if np.isnan(t) else float((1 + count) / (len(self.null) + 1))
            for t, count in zip(self.t, hits, strict=True)
        )

    def adjusted(self, alpha: float) -> tuple[float | None, ...]:
        """p-values corrected for the family by step-down max-T; none below that of its comparison alone.

        A comparison of so few clusters that no pattern could reach `alpha` (2^(1 - G) is the smallest p of G
        clusters) cannot be found by mistake either: it stays out of the maxima, which its wild t would
        fill, and keeps its own p-value. Source: Westfall and Young (1993), algorithm 4.1; Tarone (1990),
        Biometrics 46, 515-522, for what cannot be reached.
        """
        alone = self.p()
        reached = np.exp2(1.0 - self.clusters) < alpha
        t = np.where(reached, self.t, np.nan)
        found = max_t(t, self.null, floor=alone).p
        return tuple(p if joint is None else joint for joint, p in zip(found, alone, strict=True))


def cluster_flips(
    sums: npt.ArrayLike, sizes: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = 9999
) -> ClusterFlips:
    """The randomisation test of clustered means: whole clusters change sign, and t is computed again.

    Parameters
    ----------
    sums : array_like, shape (m, G)
        Sum of the values of each cluster in each comparison, departures from the null value, any unit.
    sizes : array_like, shape (m, G)
        Number of values of each cluster; 0 where a comparison has none from it.
    rng : numpy.random.Generator
        Source of randomness; not used where all patterns fit.
    resamples : int
        Patterns to draw, >= 1. Where the 2^(G - 1) patterns that differ by more than a common sign are at
        most one more, each of them counts once, but for the data themselves; p is then exact.

    Notes
    -----
    Valid if the sums of a cluster are as likely to be x as -x when there is no disparity. The statistic is
    the t of :func:`clustered_mean`, in the data and in every pattern: where clusters differ in size it tells
    more than the sum alone, and it is the one that the interval stands on. This is the wild cluster bootstrap
    with the null imposed and Rademacher weights. Source: Cameron, Gelbach and Miller (2008), Review of
    Economics and Statistics 90, 414-427; the variance as in :func:`clustered_mean`.

    Examples
    --------
    >>> found = cluster_flips([[1.0, 2.0, 3.0, 4.0, 5.0]], [[1, 1, 1, 1, 1]], np.random.default_rng(0))
    >>> found.p()
    (0.0625,)
    """
    totals, counts = as_floats("sums", sums, 2), as_floats("sizes", sizes, 2)
    if totals.shape != counts.shape:
        raise ValueError("sums and sizes must have the same shape")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    n_clusters = totals.shape[1]
    observed = _flipped(totals, counts, np.ones((1, n_clusters)))[0]
    parts = [_flipped(totals, counts, signs) for signs in sign_patterns(n_clusters, rng, resamples)]
    return ClusterFlips(observed, np.concatenate(parts), (counts > 0).sum(axis=1).astype(np.float64))


def _flipped(sums: Floats, sizes: Floats, signs: Floats) -> Floats:
    """T of every comparison under every pattern, shape (patterns, comparisons)."""
    n = sizes.sum(axis=1)
    enough = (sizes > 0).sum(axis=1) >= 2
    n = np.where(enough, n, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(sizes > 0, 1.0 / (1.0 - sizes / n[:, None]), 0.0)
        values = np.where(sizes > 0, sums, 0.0)
        mean = signs @ values.T / n
        # sum of (S - n_g mean)^2 / (1 - n_g / n), multiplied out so that it needs two products only
        square = (values**2 * weight).sum(axis=1)
        cross = signs @ (values * sizes * weight).T
        variance = square - 2.0 * mean * cross + mean**2 * (sizes**2 * weight).sum(axis=1)
        flat = variance <= ROUNDING * np.maximum(square, 0.0)
        t = mean * n / np.sqrt(np.where(flat, 0.0, variance))
    return np.where(flat & (mean == 0.0), 0.0, t)


def cluster_jackknife(statistic: Callable[[Rows], float], clusters: npt.ArrayLike) -> Contrast | Undefined:
    """Any smooth statistic with a standard error from leaving out one cluster at a time.

    Parameters
    ----------
    statistic : callable
        Row numbers, shape (k,), to a number that means no disparity where it is 0; NaN where these rows
        cannot give it.
    clusters : array_like, shape (n,)
        Label of the cluster of each row.

    Returns
    -------
    Contrast or Undefined
        The statistic of all rows with V = (G - 1) / G sum_g (theta_(-g) - theta)^2 and G - 1 degrees of
        freedom. Undefined with fewer than 3 clusters, or where the statistic is, or would be without one of
        them.

    Notes
    -----
    Source: Tukey (1958); for clusters Rust and Rao (1996), Statistical Methods in Medical Research 5,
    283-310. Not valid for a median or an extreme, which are not smooth.

    Examples
    --------
    >>> values = np.array([0.1, 0.3, -0.1, 0.3])
    >>> found = cluster_jackknife(lambda rows: float(values[rows].mean()), ["a", "b", "c", "d"])
    >>> round(found.estimate, 3), round(found.se, 4), found.df
    (0.15, 0.0957, 3.0)
    """
    labels, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if labels.size < SMALLEST_JACKKNIFE:
        return Undefined(f"{labels.size} cluster(s); at least {SMALLEST_JACKKNIFE} are needed")
    rows = np.arange(codes.size)
    whole = statistic(rows)
    if not math.isfinite(whole):
        return Undefined("the statistic cannot be computed from these answers")
    without = np.array([statistic(rows[codes != code]) for code in range(labels.size)])
    if not np.isfinite(without).all():
        lost = labels[int(np.argmin(np.isfinite(without)))]
        return Undefined(f"the statistic cannot be computed without cluster {str(lost)!r}")
    departures = without - whole
    departures = np.where(np.abs(departures) <= ROUNDING * max(1.0, abs(whole)), 0.0, departures)
    variance = float(np.sum(departures**2)) * (labels.size - 1) / labels.size
    return Contrast(
        whole,
        math.sqrt(variance),
        float(labels.size - 1),
        "cluster jackknife",
        n_obs=int(codes.size),
        n_templates=int(labels.size),
        n_terms=1,
        components={"V_T": variance},
        smallest_p=flip_p(int(labels.size)),
    )


SMALLEST_JACKKNIFE = 3
"""Clusters that a jackknife needs: leaving one of two out leaves a sample of one."""


def cluster_sums(values: npt.ArrayLike, clusters: npt.ArrayLike, names: npt.ArrayLike) -> Floats:
    """Sum of the values of each named cluster, shape (G,); NaN where a cluster holds no value.

    Examples
    --------
    >>> cluster_sums([1.0, 2.0, 5.0], ["a", "a", "c"], ["a", "b", "c"])
    array([ 3., nan,  5.])
    """
    scores = as_floats("values", values, 1)
    seen = ~np.isnan(scores)
    place = {str(name): number for number, name in enumerate(np.asarray(names).tolist())}
    codes = np.array([place[str(label)] for label in np.asarray(clusters).tolist()], dtype=np.intp)
    count = np.bincount(codes[seen], minlength=len(place))
    sums = np.bincount(codes[seen], scores[seen], minlength=len(place)).astype(np.float64)
    return np.where(count > 0, sums, np.nan)


def _scored(values: npt.ArrayLike, clusters: npt.ArrayLike) -> tuple[Floats, Rows]:
    scores = as_floats("values", values, 1)
    labels = np.asarray(clusters)
    if labels.shape != scores.shape:
        raise ValueError("values and clusters must have the same length")
    seen = ~np.isnan(scores)
    if not seen.any():
        return scores[seen], np.empty(0, dtype=np.intp)
    return scores[seen], np.unique(labels[seen], return_inverse=True)[1].astype(np.intp)
