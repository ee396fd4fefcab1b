"""Intervals for the mean of bounded values that assume nothing of their distribution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audit.stats.betting import CHUNK, Capital, check_units
from audit.stats.estimate import Floats, Undefined, check_fraction
from audit.stats.intervals import Interval

GRID_STEPS = 1000
"""The means -1 to 1 are tried in this many steps: bounds are rounded outwards by at most 2 / 1000."""


class ConfidenceSequence:
    """Bounds on the mean of a stream that hold after every unit at once.

    Parameters
    ----------
    alpha : float
        The chance that the bounds ever miss the mean is at most this.
    marks : tuple of float
        Means that the grid must hold exactly, so that "is it excluded?" has no rounding.

    Notes
    -----
    The set of all m against which the capital of `Capital` never reached 1 / alpha, with its running
    intersection: hedged betting over a grid of means (Waudby-Smith and Ramdas 2024, "Estimating means of
    bounded random variables by betting", JRSS-B 86, Theorem 3 and section B.3). The bounds are the excluded
    grid points next to that set, or -1 and 1, and any gap in it is filled: both only ever widen it. Where
    nothing is left, which a true mean allows with probability alpha at most, the last bounds stay.

    Examples
    --------
    >>> sequence = ConfidenceSequence(0.05)
    >>> sequence.update([0.3] * 100)[-1].round(2).tolist()
    [0.24, 0.33]
    """

    def __init__(self, alpha: float, marks: tuple[float, ...] = (0.0,)) -> None:
        check_fraction("alpha", alpha)
        half = GRID_STEPS // 2
        steps = np.arange(-half, half + 1) / half
        means = np.union1d(steps, np.asarray(marks, dtype=np.float64))
        self._threshold = math.log(1.0 / alpha)
        self._capital = Capital(means)
        self._left = np.ones(means.size, dtype=bool)
        self.lo, self.hi = -1.0, 1.0

    def update(self, units: npt.ArrayLike) -> Floats:
        """Take more units; gives the bounds after each of them, shape (n, 2)."""
        x = check_units(units)
        pieces = [self._update(x[start : start + CHUNK]) for start in range(0, x.size, CHUNK)]
        return np.concatenate(pieces) if pieces else np.empty((0, 2))

    def _update(self, x: Floats) -> Floats:
        path = self._capital.update(x)
        framed = np.concatenate([[self.lo], self._capital.means, [self.hi]])
        bounds = np.empty((x.size, 2))
        for row in range(x.size):
            self._left &= path[row] < self._threshold
            left = np.flatnonzero(self._left)
            if left.size:
                self.lo, self.hi = float(framed[left[0]]), float(framed[left[-1] + 2])
            bounds[row] = self.lo, self.hi
        left = np.flatnonzero(self._left)
        if left.size:
            kept = slice(int(left[0]), int(left[-1]) + 1)
            self._capital.keep(kept)
            self._left = self._left[kept]
        return bounds


def empirical_bernstein(
    values: npt.ArrayLike, bounds: tuple[float, float], alpha: float
) -> Interval | Undefined:
    """Mean with an interval that assumes nothing but bounds; for a number of values fixed beforehand.

    Half-width sqrt(2 V log(3 / alpha) / n) + 3 R log(3 / alpha) / n, with the variance V = mean of squared
    deviations and the range R. Source: Audibert, Munos and Szepesvari (2009), Theorem 1; MEASURES 7.8.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent values between the bounds, any unit.
    bounds : (float, float)
        Smallest and largest value there can be, known beforehand and not from the data.
    alpha : float
        The interval misses the mean with probability at most alpha, in (0, 1).

    Returns
    -------
    Interval or Undefined
        In the unit of the values, cut at the bounds. Undefined without a value.

    Raises
    ------
    ValueError
        If a value is missing or outside the bounds, or the bounds are not in order.

    Examples
    --------
    >>> found = empirical_bernstein([0.0, 1.0] * 500, (0.0, 1.0), 0.05)
    >>> round(found.lo, 4), round(found.hi, 4)
    (0.4425, 0.5575)
    """
    check_fraction("alpha", alpha)
    low, high = bounds
    if not low < high:
        raise ValueError(f"bounds must be in order, not {low} and {high}")
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not ((x >= low) & (x <= high)).all():
        raise ValueError(f"values must be a plain list between {low} and {high}, none missing")
    if x.size == 0:
        return Undefined("no values")
    mean = float(x.mean())
    scale = math.log(3.0 / alpha) / x.size
    half = math.sqrt(2.0 * float(x.var()) * scale) + 3.0 * (high - low) * scale
    lo, hi = max(low, mean - half), min(high, mean + half)
    return Interval(mean, lo, hi, 1.0 - alpha, int(x.size), "empirical Bernstein")
