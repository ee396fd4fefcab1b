"""Two proportions measured on the same units: every prompt is asked once about each group."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import bdtr, gammaln

from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval, normal_quantile, wilson


@dataclass(frozen=True)
class PairedCounts:
    """Counts of independent pairs, by what happened in each half.

    Pairs that share a template or a writer are not independent; they need a `Contrast`.

    Parameters
    ----------
    both, first_only, second_only, neither : int
        Pairs where it happened for both groups, for the first alone, for the second alone, for none; >= 0.

    Raises
    ------
    ValueError
        If a count is negative.

    Examples
    --------
    >>> PairedCounts(36, 12, 2, 0).n
    50
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.first_only, self.second_only, self.neither) < 0:
            raise ValueError(f"counts must not be negative: {self}")

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def difference(self) -> float:
        """Proportion of the first minus that of the second, in [-1, 1]; needs a pair."""
        return (self.first_only - self.second_only) / self.n

    @classmethod
    def of(cls, first: npt.ArrayLike, second: npt.ArrayLike) -> PairedCounts:
        """Count the pairs of two columns of outcomes.

        Parameters
        ----------
        first, second : array_like of bool, shape (n,)
            Whether it happened, pair by pair.

        Returns
        -------
        PairedCounts
            The table.

        Raises
        ------
        ValueError
            If the columns differ in length or hold anything but booleans.

        Examples
        --------
        >>> PairedCounts.of([True, True, False], [True, False, False])
        PairedCounts(both=1, first_only=1, second_only=0, neither=1)
        """
        # An empty list has no type of its own.
        one, two = (np.asarray(side, dtype=None if np.size(side) else np.bool_) for side in (first, second))
        if one.ndim != 1 or one.shape != two.shape:
            raise ValueError("first and second must be columns of the same length")
        if one.dtype != np.bool_ or two.dtype != np.bool_:
            raise ValueError("outcomes must be booleans; leave missing ones out and report how many")
        return cls(
            *(int(np.count_nonzero(cell)) for cell in (one & two, one & ~two, ~one & two, ~one & ~two))
        )


def newcombe_paired(pairs: PairedCounts, level: float = 0.95) -> Interval | Undefined:
    """Difference of two paired proportions with Newcombe's hybrid score interval.

    Parameters
    ----------
    pairs : PairedCounts
        Independent pairs.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Proportion of the first minus that of the second, in [-1, 1]; 0 means that it happens as often for
        either. `n` counts pairs. Undefined without pairs.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Notes
    -----
    Source: Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10: Wilson limits of both margins,
    combined with the correlation phi of the table, whose numerator is reduced by n / 2 where it is positive.

    Examples
    --------
    >>> interval = newcombe_paired(PairedCounts(1, 1, 7, 12))
    >>> round(interval.lo, 3), round(interval.hi, 3)
    (-0.507, -0.026)
    """
    first = wilson(pairs.both + pairs.first_only, pairs.n, level)
    second = wilson(pairs.both + pairs.second_only, pairs.n, level)
    if isinstance(first, Undefined) or isinstance(second, Undefined):
        return Undefined("no pairs")
    phi = _corrected_phi(pairs)
    down1, up1 = first.estimate - first.lo, first.hi - first.estimate
    down2, up2 = second.estimate - second.lo, second.hi - second.estimate
    # |phi| <= 1, so neither sum is negative but by rounding.
    below = math.sqrt(max(down1**2 - 2.0 * phi * down1 * up2 + up2**2, 0.0))
    above = math.sqrt(max(up1**2 - 2.0 * phi * up1 * down2 + down2**2, 0.0))
    gap = pairs.difference
    return Interval(gap, max(gap - below, -1.0), min(gap + above, 1.0), level, pairs.n, "Newcombe, paired")


def tango(pairs: PairedCounts, level: float = 0.95) -> Interval | Undefined:
    """Difference of two paired proportions with Tango's score interval.

    Parameters
    ----------
    pairs : PairedCounts
        Independent pairs.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Proportion of the first minus that of the second, in [-1, 1]; 0 means that it happens as often for
        either. `n` counts pairs. Undefined without pairs.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Notes
    -----
    Source: Tango (1998), Statistics in Medicine 17, 891-908: all differences that the score test, with the
    discordant rate estimated under that difference, does not reject.

    Examples
    --------
    >>> interval = tango(PairedCounts(1, 1, 7, 12))
    >>> round(interval.lo, 3), round(interval.hi, 3)
    (-0.517, -0.026)
    """
    z = normal_quantile(level)
    if pairs.n == 0:
        return Undefined("no pairs")
    hi = _tango_upper(pairs.first_only, pairs.second_only, pairs.n, z)
    lo = -_tango_upper(pairs.second_only, pairs.first_only, pairs.n, z)
    return Interval(pairs.difference, lo, hi, level, pairs.n, "Tango")


def mcnemar_exact(pairs: PairedCounts, *, mid_p: bool = False) -> float | Undefined:
    """Test whether it happens as often for the second group as for the first.

    Parameters
    ----------
    pairs : PairedCounts
        Independent pairs. Only the discordant ones carry information.
    mid_p : bool
        Count the observed table half. Less conservative; its size may exceed the nominal one a little.

    Returns
    -------
    float or Undefined
        Two-sided p-value, in (0, 1] but for underflow with more than a thousand discordant pairs; 1 where
        pairs exist but none is discordant. Undefined without pairs.

    Notes
    -----
    Source: McNemar (1947), Psychometrika 12, 153-157, as a sign test; mid-p: Fagerland, Lydersen and Laake
    (2013), BMC Medical Research Methodology 13, 91.

    Examples
    --------
    >>> round(mcnemar_exact(PairedCounts(0, 320, 245, 0)), 7)
    0.0018257
    >>> round(mcnemar_exact(PairedCounts(1, 1, 7, 12), mid_p=True), 4)
    0.0391
    """
    if pairs.n == 0:
        return Undefined("no pairs")
    fewer = min(pairs.first_only, pairs.second_only)
    discordant = pairs.first_only + pairs.second_only
    p = 2.0 * float(bdtr(fewer, discordant, 0.5))
    if mid_p:
        log_choices = gammaln(discordant + 1) - gammaln(fewer + 1) - gammaln(discordant - fewer + 1)
        p -= math.exp(float(log_choices) - discordant * math.log(2.0))
    return min(p, 1.0)


def _corrected_phi(pairs: PairedCounts) -> float:
    """Correlation of the two halves, shrunk as in Newcombe's method 10; 0 where a margin is empty."""
    a, b, c, d = pairs.both, pairs.first_only, pairs.second_only, pairs.neither
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    product = float(a * d - b * c)
    if product > 0.0:
        product = max(product - pairs.n / 2.0, 0.0)
    return product / math.sqrt(margins)


def _tango_upper(first_only: int, second_only: int, n: int, z: float) -> float:
    """The largest difference that the score test does not reject."""
    observed = (first_only - second_only) / n
    if first_only == n:
        return 1.0

    def excess(delta: float) -> float:
        # Squared distance minus z^2 times the variance: no division by a variance that vanishes at the ends.
        linear = (2 * n - first_only + second_only) * delta - first_only - second_only
        # Near -1 rounding can make the discriminant negative.
        root = math.sqrt(max(linear * linear + 8.0 * n * second_only * delta * (1.0 - delta), 0.0))
        variance = (root - linear) / (2.0 * n) + delta * (1.0 - delta)
        return (observed - delta) ** 2 - z * z * variance / n

    # Without discordant pairs the function is 0 at the estimate itself, which is not the root that is meant.
    return float(brentq(excess, observed + 1e-12, 1.0, xtol=1e-15, rtol=1e-14))
