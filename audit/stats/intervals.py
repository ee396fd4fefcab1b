"""Proportions with intervals, and effect sizes for two independent samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtri

from audit.stats.estimate import Floats, Undefined, as_floats, check_fraction


@dataclass(frozen=True)
class Interval:
    """A point with its interval.

    Parameters
    ----------
    estimate, lo, hi : float
        Point and bounds, same unit.
    level : float
        Coverage, in (0, 1).
    n : int
        Observations behind it.
    method : str
        How the bounds were obtained.

    Examples
    --------
    >>> Interval(0.5, 0.4, 0.6, 0.95, 100, "Wilson").hi
    0.6
    """

    estimate: float
    lo: float
    hi: float
    level: float
    n: int
    method: str


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | Undefined:
    """Proportion with Wilson's score interval.

    For independent observations only; clustered ones need a `Contrast`.

    Parameters
    ----------
    successes, n : int
        Counts, 0 <= successes <= n.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Fractions in [0, 1]; 0 means that it never happened. Undefined for n = 0.

    Raises
    ------
    ValueError
        If a count is negative, `successes` > `n`, or `level` is not in (0, 1).

    Notes
    -----
    Source: Wilson (1927), JASA 22, 209-212.

    Examples
    --------
    >>> interval = wilson(912, 1508)
    >>> round(interval.lo, 6), round(interval.hi, 6)
    (0.579863, 0.629154)
    """
    check_fraction("level", level)
    if not 0 <= successes <= n:
        raise ValueError(f"counts must satisfy 0 <= successes <= n, not {successes} of {n}")
    if n == 0:
        return Undefined("no observations")
    z2 = normal_quantile(level) ** 2
    p = successes / n
    centre = (successes + z2 / 2.0) / (n + z2)
    half = math.sqrt(z2 * (n * p * (1.0 - p) + z2 / 4.0)) / (n + z2)
    # At 0 of n and n of n the bound is exactly 0 or 1; rounding must not move it.
    lo = 0.0 if successes == 0 else centre - half
    hi = 1.0 if successes == n else centre + half
    return Interval(p, lo, hi, level, n, "Wilson")


def newcombe(group1: tuple[int, int], group0: tuple[int, int], level: float = 0.95) -> Interval | Undefined:
    """Difference of two independent proportions with Newcombe's hybrid score interval.

    Parameters
    ----------
    group1, group0 : tuple of int
        (successes, n) of each group.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Proportion of group 1 minus that of group 0, in [-1, 1]; 0 means no difference. Undefined if a group
        is empty.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10 (without continuity correction).

    Examples
    --------
    >>> interval = newcombe((45, 100), (30, 100))
    >>> round(interval.lo, 6), round(interval.hi, 6)
    (0.015852, 0.276831)
    """
    one, zero = wilson(*group1, level), wilson(*group0, level)
    if isinstance(one, Undefined) or isinstance(zero, Undefined):
        return Undefined("no observations in a group")
    gap = one.estimate - zero.estimate
    lo = gap - math.hypot(one.estimate - one.lo, zero.hi - zero.estimate)
    hi = gap + math.hypot(one.hi - one.estimate, zero.estimate - zero.lo)
    return Interval(gap, lo, hi, level, one.n + zero.n, "Newcombe")


def hedges_j(df: float) -> float:
    """Factor that removes the small-sample bias of a standardised mean difference.

    Parameters
    ----------
    df : float
        Degrees of freedom of the pooled standard deviation, > 1.

    Returns
    -------
    float
        J = Gamma(df/2) / (sqrt(df/2) Gamma((df-1)/2)), in (0, 1); 1 means no correction.

    Raises
    ------
    ValueError
        If `df` <= 1, where J does not exist.

    Notes
    -----
    Source: Hedges (1981), J. Educational Statistics 6, 107-128.

    Examples
    --------
    >>> round(hedges_j(6), 6)
    0.868627
    """
    if not df > 1.0:
        raise ValueError(f"df must exceed 1, not {df}")
    return math.exp(float(gammaln(df / 2.0)) - float(gammaln((df - 1.0) / 2.0))) / math.sqrt(df / 2.0)


def hedges_g(x: npt.ArrayLike, y: npt.ArrayLike) -> float | Undefined:
    """Standardised mean difference of two independent samples, corrected for small samples.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        Scores, same unit, none missing.

    Returns
    -------
    float or Undefined
        J (mean x - mean y) / pooled sd; unbounded, positive where x is larger, 0 means equal means.
        Undefined with fewer than 2 values in a sample, fewer than 4 in all, or no spread.

    Raises
    ------
    ValueError
        If a value is missing or infinite.

    Notes
    -----
    Source: Hedges (1981).

    Examples
    --------
    >>> round(hedges_g([0.9, 0.7, 0.8, 0.6], [0.1, 0.2, 0.5, 0.3]), 6)
    2.725531
    """
    a, b = complete("x", x), complete("y", y)
    if min(a.size, b.size) < 2:
        return Undefined(f"{a.size} and {b.size} values; at least 2 are needed in each sample")
    df = int(a.size + b.size) - 2
    pooled = math.sqrt(((a.size - 1) * float(a.var(ddof=1)) + (b.size - 1) * float(b.var(ddof=1))) / df)
    if np.ptp(a) == 0.0 and np.ptp(b) == 0.0:
        return Undefined("no spread within either sample")
    return hedges_j(df) * float(a.mean() - b.mean()) / pooled


def cliffs_delta(x: npt.ArrayLike, y: npt.ArrayLike) -> float | Undefined:
    """How much more often a value of x exceeds one of y than the reverse.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        Scores, same unit, none missing.

    Returns
    -------
    float or Undefined
        P(x > y) - P(x < y), in [-1, 1]; 0 means neither exceeds the other more often. Undefined if a sample
        is empty.

    Raises
    ------
    ValueError
        If a value is missing or infinite.

    Notes
    -----
    Source: Cliff (1993), Psychological Bulletin 114, 494-509; equals 2 AUC - 1. By ranks, O((n + m) log m).

    Examples
    --------
    >>> cliffs_delta([0.9, 0.7, 0.8, 0.6], [0.1, 0.2, 0.5, 0.3])
    1.0
    """
    a, b = complete("x", x), np.sort(complete("y", y))
    if not (a.size and b.size):
        return Undefined("no observations in a sample")
    less = int(np.searchsorted(b, a, side="left").sum())
    at_most = int(np.searchsorted(b, a, side="right").sum())
    pairs = int(a.size * b.size)
    return (less - (pairs - at_most)) / pairs


def complete(name: str, values: npt.ArrayLike) -> Floats:
    """Convert a sample to float64 and refuse missing values.

    Parameters
    ----------
    name : str
        What the sample is called in the message.
    values : array_like, shape (n,)
        Finite numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
        The same numbers.

    Raises
    ------
    ValueError
        If it is not one-dimensional, or a value is missing or infinite.

    Examples
    --------
    >>> complete("x", [1, 2])
    array([1., 2.])
    """
    array = as_floats(name, values, 1)
    if np.isnan(array).any():
        raise ValueError(f"{name} holds missing values; leave them out and report how many")
    return array


def normal_quantile(level: float) -> float:
    """Half-width of the central interval of the standard normal distribution.

    Parameters
    ----------
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    float
        The (1 + level) / 2 quantile, > 0.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    check_fraction("level", level)
    return float(ndtri((1.0 + level) / 2.0))
