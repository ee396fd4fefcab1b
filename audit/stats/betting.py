"""Betting against a mean: capital that grows only if the mean is another one."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats, as_floats

BETS = (-0.5, -0.25, -0.1, -0.05, 0.05, 0.1, 0.25, 0.5)
"""Fixed bets, as shares of the capital for each unit of X - m; no loss can exceed the stake."""
PLUG_IN_WEIGHT = 0.5
"""Share of the first capital that follows the data; the fixed bets have the rest, in equal parts."""
CHUNK = 64
"""Units bet on at a time, to bound memory; no result depends on it."""
LARGEST = 1e250
"""No gambler is said to own more from chunk to chunk: no decision depends on it, and no product overflows."""
PLUG_IN_CAP = 0.9
"""The bet that follows the data risks at most this share of its capital on one unit."""


class Capital:
    """What gamblers own who bet that the mean of a stream is not m, for each of several m at once.

    Parameters
    ----------
    means : array_like, shape (k,)
        The hypothesised means m, in [-1, 1].
    plug_in_weight : float
        Share of the capital that follows the data, in [0, 1]; 0 leaves the fixed bets alone.

    Notes
    -----
    K_t(m) = (1 - w) average_j prod(1 + l_j (X_i - m)) + w prod(1 + l_i(m) (X_i - m)), with the fixed l_j of
    `BETS` and l_i(m) computed from the units before i: (a - m) / (s2 + (a - m)^2), clipped so that at most
    `PLUG_IN_CAP` is risked, a and s2 being their mean and variance with one more unit of mean 0 and second
    moment 1. Where E[X | past] = m, every K_t(m) is a martingale that starts at 1 and never falls below 0,
    so that it ever reaches c with probability at most 1 / c (Ville 1939), however often it is looked at.

    The bets that follow the data are the aGRAPA of Waudby-Smith and Ramdas (2024), section B.3; mixing
    fixed bets is their "diversified" betting; the fixed bets are those of MEASURES 7.10. Against the fixed
    bets alone the mixture needs up to half the units where the spread is small, as with scores of text
    (sd .1 to .2 of the range), and about 5 % more where every unit is -1 or 1.

    A unit is added to all sums in turn, so that batches give the same numbers to the last digit as units
    one by one.

    Examples
    --------
    >>> path = Capital([0.0], plug_in_weight=0.0).update([1.0, 1.0])
    >>> [round(float(value), 4) for value in path[:, 0]]
    [0.0, 0.0781]
    """

    def __init__(self, means: npt.ArrayLike, plug_in_weight: float = PLUG_IN_WEIGHT) -> None:
        self.means = as_floats("means", means, 1)
        if not (np.abs(self.means) <= 1.0).all():
            raise ValueError("means must lie in [-1, 1]")
        if not 0.0 <= plug_in_weight <= 1.0:
            raise ValueError(f"plug_in_weight must lie in [0, 1], not {plug_in_weight}")
        shares = np.full(len(BETS) + 1, (1.0 - plug_in_weight) / len(BETS))
        shares[-1] = plug_in_weight
        self._owned = np.tile(shares[:, None], self.means.size)  # the last gambler follows the data
        self._moments = np.zeros(3)  # number of units, their sum, their sum of squares

    def update(self, units: npt.ArrayLike) -> Floats:
        """Bet on more units.

        Parameters
        ----------
        units : array_like, shape (n,)
            The next units, in [-1, 1], in the order in which they came.

        Returns
        -------
        ndarray, shape (n, k)
            Logarithm (nats) of the capital after each of them, 0 being where all start.

        Raises
        ------
        ValueError
            If a unit is missing, infinite or outside [-1, 1].
        """
        x = check_units(units)
        step = CHUNK if self.means.size > CHUNK else 3 * CHUNK
        pieces = [self._update(x[start : start + step]) for start in range(0, x.size, step)]
        return np.concatenate(pieces) if pieces else np.empty((0, self.means.size))

    def _update(self, x: Floats) -> Floats:
        gains = x[:, None] - self.means
        moments = np.cumsum(np.vstack([self._moments, np.column_stack([np.ones_like(x), x, x * x])]), axis=0)
        paths = np.empty((len(BETS) + 1, x.size + 1, self.means.size))
        paths[:, 0] = self._owned
        np.multiply(np.array(BETS)[:, None, None], gains, out=paths[:-1, 1:])
        np.multiply(self._plug_in_bets(moments[:-1]), gains, out=paths[-1, 1:])
        paths[:, 1:] += 1.0
        # A stake of all that is owned can come out at -1e-17 by rounding: nobody owes anything.
        np.maximum(paths[:, 1:], 0.0, out=paths[:, 1:])
        _multiply_up(paths)
        self._owned = np.minimum(paths[:, -1], LARGEST)
        self._moments = moments[-1]
        total = paths[0, 1:].copy()
        for path in paths[1:, 1:]:  # one by one, so that the number of means changes no digit
            total += path
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(total))

    def keep(self, kept: slice) -> None:
        """Go on with some of the means only; what the others own is forgotten."""
        self.means = self.means[kept]
        self._owned = self._owned[:, kept]

    def _plug_in_bets(self, before: Floats) -> Floats:
        """Bets for units, from what was known before each: shape (n, k)."""
        count, total, squares = (column[:, None] for column in before.T)
        mean = total / (count + 1.0)
        variance = (1.0 + squares) / (count + 1.0) - mean * mean
        away = mean - self.means
        bets = away / np.maximum(variance + away * away, 1e-12)
        lowest = -PLUG_IN_CAP / np.maximum(1.0 - self.means, 1e-12)
        highest = PLUG_IN_CAP / np.maximum(1.0 + self.means, 1e-12)
        return np.asarray(np.clip(bets, lowest, highest))


def check_units(units: npt.ArrayLike) -> Floats:
    """Units as float64, refused where one is missing or outside [-1, 1].

    Parameters
    ----------
    units : array_like, shape (n,)
        Differences divided by the widest difference there can be.

    Raises
    ------
    ValueError
        If they are not what a bounded stream may hold.

    Examples
    --------
    >>> check_units([0.5, 2.0])
    Traceback (most recent call last):
    ValueError: units must lie in [-1, 1]; divide them by the range of the score
    """
    x = as_floats("units", units, 1)
    if np.isnan(x).any():
        raise ValueError("units hold a missing value; leave it out and report how many")
    if (np.abs(x) > 1.0).any():
        raise ValueError("units must lie in [-1, 1]; divide them by the range of the score")
    return x


def log_wealth(units: npt.ArrayLike, plug_in_weight: float = PLUG_IN_WEIGHT) -> Floats:
    """Evidence against a mean of 0 after each unit: logarithm (nats) of an e-process.

    Parameters
    ----------
    units : array_like, shape (n,)
        In [-1, 1], in the order in which they came.
    plug_in_weight : float
        See `Capital`.

    Returns
    -------
    ndarray, shape (n,)
        0 where there is no evidence; at a mean of 0 it ever exceeds log(1 / alpha) with probability at most
        alpha. Source: MEASURES 7.10.

    Raises
    ------
    ValueError
        If a unit is missing or outside [-1, 1].

    Examples
    --------
    >>> bool(log_wealth([1.0] * 20)[-1] > np.log(20))
    True
    >>> bool(log_wealth([1.0, -1.0] * 10)[-1] > 0)
    False
    """
    return Capital([0.0], plug_in_weight).update(units)[:, 0]


def anytime_p(log_e: npt.ArrayLike) -> float:
    """A p-value that holds whenever one looks: 1 over the largest wealth so far.

    Parameters
    ----------
    log_e : array_like, shape (n,)
        Logarithm (nats) of the wealth after each unit.

    Returns
    -------
    float
        In (0, 1]; 1 without any unit. Source: Ville's inequality (1939).

    Examples
    --------
    >>> round(anytime_p([0.0, np.log(40.0), 0.1]), 6)
    0.025
    """
    path = np.asarray(log_e, dtype=np.float64)
    return math.exp(-max(0.0, float(path.max(initial=0.0))))


def average_e(log_e: npt.ArrayLike) -> float:
    """Evidence against all streams being without a difference: the average of their e-values.

    Valid whatever the streams have to do with one another. Source: Vovk and Wang (2021), Annals of
    Statistics 49, section 3.

    Parameters
    ----------
    log_e : array_like, shape (k,)
        Logarithms (nats) of the e-values of k >= 1 streams.

    Returns
    -------
    float
        Logarithm (nats) of the average; at least log(1 / alpha) rejects at alpha.

    Raises
    ------
    ValueError
        If there is none, or one is NaN.

    Examples
    --------
    >>> round(math.exp(average_e([math.log(30.0), math.log(10.0)])), 6)
    20.0
    """
    values = _log_values(log_e)
    if not values.size:
        raise ValueError("no e-values to average")
    top = float(values.max())
    return top if math.isinf(top) else top + math.log(float(np.exp(values - top).mean()))


def e_benjamini_hochberg(log_e: npt.ArrayLike, alpha: float) -> tuple[bool, ...]:
    """Which streams differ, with a false discovery rate of at most alpha under any dependence (e-BH).

    Rejects the k largest for the largest k with k e_(k) / m >= 1 / alpha. Source: Wang and Ramdas (2022),
    JRSS-B 84, section 4.

    Parameters
    ----------
    log_e : array_like, shape (m,)
        Logarithms (nats) of the e-values.
    alpha : float
        In (0, 1).

    Returns
    -------
    tuple of bool
        True where a difference is claimed, in the order given.

    Raises
    ------
    ValueError
        If an e-value is NaN or alpha lies outside (0, 1).

    Examples
    --------
    >>> e_benjamini_hochberg(np.log([60.0, 1.0, 31.0]), 0.05)
    (True, False, True)
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie strictly between 0 and 1, not {alpha}")
    values = _log_values(log_e)
    ordered = np.sort(values)[::-1]
    ranks = np.arange(1, values.size + 1)
    passing = np.flatnonzero(ordered >= np.log(values.size / (alpha * ranks)))
    if not passing.size:
        return (False,) * int(values.size)
    return tuple(bool(value >= ordered[passing[-1]]) for value in values)


def _log_values(log_e: npt.ArrayLike) -> Floats:
    values: Floats = np.asarray(log_e, dtype=np.float64)
    if values.ndim != 1 or np.isnan(values).any():
        raise ValueError("e-values must be a plain list without missing values")
    return values


def _multiply_up(paths: Floats) -> None:
    """Running products along the second axis, in place and in order; whichever way is faster."""
    if paths.shape[2] < paths.shape[1]:
        np.cumprod(paths, axis=1, out=paths)
        return
    for unit in range(1, paths.shape[1]):
        paths[:, unit] *= paths[:, unit - 1]
