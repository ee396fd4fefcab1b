"""Mean differences in units of a standard deviation, with intervals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, gammaln, ndtr

from audit.stats.estimate import ROUNDING, Floats, Undefined, check_fraction
from audit.stats.intervals import Interval, complete, hedges_g, hedges_j, normal_quantile

_LEGENDRE = np.polynomial.legendre.leggauss(160)
"""Nodes and weights on [-1, 1]; 400 nodes change no bound by more than a relative 1e-10."""

_REACH = 9.0
"""Standard deviations beyond which a normal variable is not integrated; they hold 2e-19."""


def paired_d(
    x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95, *, corrected: bool = True
) -> Interval | Undefined:
    """Mean of paired differences over their standard deviation, d_z, with its exact interval.

    For independent pairs with normal differences. The better x and y go together, the larger it is: it
    measures how reliably they differ, not how far; for that see `paired_d_average`.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Scores of the two halves of each pair, same unit, none missing.
    level : float
        Coverage, in (0, 1).
    corrected : bool
        Multiply the point by Hedges' J with n - 1 degrees of freedom. The interval is that of the population
        value, which needs no correction.

    Returns
    -------
    Interval or Undefined
        No unit, positive where x is larger; 0 means equal means. Undefined with fewer than 2 pairs (3 if
        corrected), or if all differences are equal.

    Raises
    ------
    ValueError
        If lengths differ, a value is missing or infinite, or `level` is not in (0, 1).

    Notes
    -----
    Source: Cohen (1988), Statistical Power Analysis, 2.3.5; interval by inverting the noncentral t
    distribution, Steiger and Fouladi (1997), in What If There Were No Significance Tests; J: Hedges (1981).

    Examples
    --------
    >>> interval = paired_d([3.0, 5.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0])
    >>> round(interval.estimate, 4), round(interval.lo, 4), round(interval.hi, 4)
    (1.4012, 0.1458, 3.6717)
    """
    check_fraction("level", level)
    a, b = _paired(x, y)
    n, fewest = int(a.size), 3 if corrected else 2
    if n < fewest:
        return Undefined(f"{n} pairs; at least {fewest} are needed")
    difference = a - b
    if _flat(difference, max(float(np.abs(a).max()), float(np.abs(b).max()))):
        return Undefined("all paired differences are equal")
    d = float(difference.mean()) / float(difference.std(ddof=1))
    lo, hi = _noncentrality(d * math.sqrt(n), n - 1, level)
    point = hedges_j(n - 1) * d if corrected else d
    method = "d_z, Hedges' J, noncentral t" if corrected else "d_z, noncentral t"
    return Interval(point, lo / math.sqrt(n), hi / math.sqrt(n), level, n, method)


def paired_d_average(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> Interval | Undefined:
    """Mean of paired differences over the mean of the two standard deviations, d_av.

    On the scale of the scores themselves, so that it compares with differences of independent groups.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Scores of the two halves of each pair, same unit, none missing; independent pairs.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        No unit, positive where x is larger; 0 means equal means. Undefined with fewer than 3 pairs, or if
        x or y does not vary, or x and y differ by the same amount in every pair.

    Raises
    ------
    ValueError
        If lengths differ, a value is missing or infinite, or `level` is not in (0, 1).

    Notes
    -----
    Source: Cumming (2012), Understanding the New Statistics, and Lakens (2013), Frontiers in Psychology 4,
    863, for d_av. Interval: the large-sample variance of Bonett (2008), Psychological Methods 13, 99-109, for
    paired scores, d^2 var(log s) + var(mean difference) / s^2, taken for s = (s_x + s_y) / 2. His own s is
    the root of the mean variance; for s_x = s_y the two are the same.

    Examples
    --------
    >>> interval = paired_d_average([3.0, 5.0, 4.0, 6.0], [1.0, 2.0, 3.0, 2.0])
    >>> round(interval.estimate, 4), round(interval.lo, 4), round(interval.hi, 4)
    (2.3725, 0.3759, 4.3691)
    """
    z = normal_quantile(level)
    a, b = _paired(x, y)
    n = int(a.size)
    if n < 3:
        return Undefined(f"{n} pairs; at least 3 are needed")
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()))
    if _flat(a, scale) or _flat(b, scale):
        return Undefined("no spread within a half of the pairs")
    if _flat(a - b, scale):
        return Undefined("all paired differences are equal")
    covariance: Floats = np.cov(a, b)
    var_a, var_b, cross = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    average = (math.sqrt(var_a) + math.sqrt(var_b)) / 2.0
    d = float((a - b).mean()) / average
    # var(s_x + s_y), bivariate normal: (s_x^2 + s_y^2 + 2 r^2 s_x s_y) / (2 df)
    spread = (var_a + var_b + 2.0 * cross * cross / math.sqrt(var_a * var_b)) / (8.0 * average**2)
    noise = (var_a + var_b - 2.0 * cross) / average**2
    half = z * math.sqrt((d * d * spread + noise) / (n - 1))
    return Interval(d, d - half, d + half, level, n, "d_av, Bonett")


def hedges_g_interval(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> Interval | Undefined:
    """``intervals.hedges_g`` with its exact interval.

    For independent, normal scores with one standard deviation; clustered scores need a `Contrast`.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        Scores, same unit, none missing.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        No unit, positive where x is larger; 0 means equal means. The interval is that of the population
        value. Undefined with fewer than 2 values in a sample, fewer than 4 in all, or no spread.

    Raises
    ------
    ValueError
        If a value is missing or infinite or `level` is not in (0, 1).

    Notes
    -----
    Source: Hedges (1981); interval by inverting the noncentral t distribution, Steiger and Fouladi (1997).

    Examples
    --------
    >>> interval = hedges_g_interval([0.9, 0.7, 0.8, 0.6], [0.1, 0.2, 0.5, 0.3])
    >>> round(interval.estimate, 4), round(interval.lo, 4), round(interval.hi, 4)
    (2.7255, 0.8756, 5.3102)
    """
    check_fraction("level", level)
    g = hedges_g(x, y)
    if isinstance(g, Undefined):
        return g
    n, m = np.size(x), np.size(y)
    root = math.sqrt(n * m / (n + m))
    lo, hi = _noncentrality(g / hedges_j(n + m - 2) * root, n + m - 2, level)
    return Interval(g, lo / root, hi / root, level, n + m, "Hedges' g, noncentral t")


def pooled_set_d(x: npt.ArrayLike, y: npt.ArrayLike) -> float | Undefined:
    """Effect size of WEAT and SEAT: difference of means over the standard deviation of all scores together.

    Not Cohen's d, and not to be read as such: the difference itself is part of the denominator, so that for n
    scores on each side it never exceeds 2 sqrt((2n - 1) / (2n)), however far apart they are. Without
    interval, because the test that belongs to it permutes the scores.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        Associations of the words of either set, same unit, none missing.

    Returns
    -------
    float or Undefined
        (mean x - mean y) / sd of the union (ddof 1), positive where x is larger; 0 means equal means.
        Undefined if a set is empty or the scores do not vary.

    Raises
    ------
    ValueError
        If a value is missing or infinite.

    Notes
    -----
    Source: Caliskan, Bryson and Narayanan (2017), Science 356, 183-186; ddof 1 as in May et al. (2019).

    Examples
    --------
    >>> round(pooled_set_d([0.9, 0.7, 0.8, 0.6], [0.1, 0.2, 0.5, 0.3]), 6)
    1.637861
    """
    a, b = complete("x", x), complete("y", y)
    if not (a.size and b.size):
        return Undefined("no scores in a set")
    union = np.concatenate([a, b])
    if _flat(union, float(np.abs(union).max())):
        return Undefined("all scores are equal")
    return float(a.mean() - b.mean()) / float(union.std(ddof=1))


def _noncentrality(t: float, df: int, level: float) -> tuple[float, float]:
    """The noncentralities under which t lies at the upper and at the lower tail."""
    tail = (1.0 - level) / 2.0
    lo, hi = (_inverted(abs(t), df, p) for p in (1.0 - tail, tail))
    return (lo, hi) if t >= 0.0 else (-hi, -lo)


def _inverted(t: float, df: int, p: float) -> float:
    """The noncentrality under which P(T <= t) = p; t >= 0."""
    # T = (Z + noncentrality) / S: without the noise of Z, T <= t would amount to S >= noncentrality / t.
    start = t * math.sqrt(float(chdtri(df, p)) / df)

    def gap(noncentrality: float) -> float:
        return _noncentral_t(t, df, noncentrality) - p

    below = above = 1.0
    while gap(start - below) <= 0.0 and below < 4.0 * _REACH:
        below *= 2.0
    while gap(start + above) >= 0.0 and above < 4.0 * _REACH:
        above *= 2.0
    if gap(start - below) <= 0.0 or gap(start + above) >= 0.0:
        raise ValueError("level is too near 1 for double precision")
    return float(brentq(gap, start - below, start + above, xtol=1e-12, rtol=1e-13))


def _noncentral_t(t: float, df: int, noncentrality: float) -> float:
    """P(T <= t) for t >= 0; scipy's ``nctdtr`` is NaN where t and the noncentrality are large.

    Integrates out whichever of Z and S varies less in T = (Z + noncentrality) / S, so that the integrand is
    smooth beside the spacing of the nodes.
    """
    if t > math.sqrt(2.0 * df):
        # P(S >= (z + noncentrality) / t) is 1 up to z = -noncentrality, and smooth after it.
        z, weights = _nodes(min(max(-noncentrality, -_REACH), _REACH), _REACH)
        least = (z + noncentrality) / t
        density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        return float(ndtr(-noncentrality)) + float(weights @ (density * chdtrc(df, df * least * least)))
    s, weights = _nodes(max(1.0 - _REACH / math.sqrt(df), 0.0), 1.0 + _REACH / math.sqrt(df))
    log_scale = 0.5 * df * math.log(df / 2.0) + math.log(2.0) - float(gammaln(df / 2.0))
    density = np.exp(log_scale + (df - 1) * np.log(s) - 0.5 * df * s * s)
    return float(weights @ (density * ndtr(t * s - noncentrality)))


def _nodes(lo: float, hi: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on [lo, hi]."""
    half = (hi - lo) / 2.0
    return lo + half * (1.0 + _LEGENDRE[0]), half * _LEGENDRE[1]


def _paired(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
    a, b = complete("x", x), complete("y", y)
    if a.size != b.size:
        raise ValueError(f"x and y must be paired; they have {a.size} and {b.size} values")
    return a, b


def _flat(values: Floats, scale: float) -> bool:
    """Whether values that come from numbers up to `scale` differ by no more than rounding."""
    return float(np.ptp(values)) <= ROUNDING * scale
