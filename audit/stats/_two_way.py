"""From variance components to a contrast: the arithmetic that every two-way estimator shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from audit.stats.estimate import ROUNDING, SINGLE_PRECISION, Contrast

MOST_COUNTED = 500
"""Terms up to which labellings are counted exactly."""
FEW_LEVELS = 3.0
"""Degrees of freedom of one factor below which they bound those of the contrast: up to three levels."""


@dataclass(frozen=True)
class Components:
    """Variance contributions of two crossed random factors, each with its degrees of freedom.

    ``first`` and ``second`` are the one-way variances of the estimate (score units squared); both contain
    ``shared``, the interaction, which is therefore subtracted once.
    """

    first: float
    second: float
    shared: float
    df_first: float
    df_second: float

    def variance(self) -> float:
        """V = max(V_T + V_N - V_e, V_T, V_N); V_e where all of these vanish (MEASURES 7.2)."""
        total = max(self.first + self.second - self.shared, self.first, self.second)
        # Row and column means can agree perfectly while cells do not (0/1 answers): V_e alone remains.
        return total if total > 0.0 else self.shared

    def df(self) -> float:
        """Satterthwaite's degrees of freedom, not below 1; with very few levels of a factor, that factor's.

        His t has too light tails where a factor of two or three levels dominates: 9 templates by 2 levels
        (sds .3/1/.3) reject .099 of nulls at .05 and .058 at .01, and at most .05 and .01 with the cap.
        """
        total = self.variance()
        if total <= 0.0:
            return max(1.0, min(self.df_first, self.df_second))
        # Relative sizes: squares of very small variances would underflow.
        first, second, shared = self.first / total, self.second / total, self.shared / total
        spread = first**2 / self.df_first + second**2 / self.df_second
        spread += shared**2 / (self.df_first * self.df_second)
        found, fewest = 1.0 / spread, min(self.df_first, self.df_second)
        return max(1.0, min(found, fewest) if fewest < FEW_LEVELS else found)


@dataclass(frozen=True)
class Design:
    """How much data stands behind a contrast; names the second component.

    ``second`` is ``V_N`` (terms), ``V_K`` (another second factor) or None (one factor only).
    """

    method: str
    second: str | None
    n_obs: int
    n_templates: int
    n_terms: int
    smallest_p: float


def contrast(estimate: float, components: Components, design: Design, scale: float) -> Contrast:
    """Build the contrast; what lies below rounding (relative to `scale`, the largest score) becomes 0.

    The estimate is a mean of doubles; the scores themselves come from models that count in single precision,
    so a spread below theirs is none.
    """
    tolerance = ROUNDING * scale
    parts = [
        value if value > (SINGLE_PRECISION * scale) ** 2 else 0.0
        for value in (components.first, components.second, components.shared)
    ]
    kept = Components(parts[0], parts[1], parts[2], components.df_first, components.df_second)
    df = kept.df()
    if kept.variance() <= 0.0:
        # Those of the terms may come from rounding here.
        df = max(1.0, min(kept.df_first, design.n_terms - 1.0))
    named = {"V_T": kept.first}
    if design.second is not None:
        named |= {design.second: kept.second, "V_e": kept.shared}
    return Contrast(
        estimate=0.0 if abs(estimate) <= tolerance else estimate,
        se=math.sqrt(kept.variance()),
        df=df,
        method=design.method,
        n_obs=design.n_obs,
        n_templates=design.n_templates,
        n_terms=design.n_terms,
        components=named,
        smallest_p=design.smallest_p,
    )


def welch_df(variances: Sequence[float], sizes: Sequence[int]) -> float:
    """Degrees of freedom of a sum of variances of means, each estimated from its own terms.

    Parameters
    ----------
    variances : sequence of float
        Estimated variance of each group's mean, score units squared.
    sizes : sequence of int
        Terms of each group, >= 2.

    Returns
    -------
    float
        (sum q)^2 / sum(q^2 / (N - 1)), between the smallest N - 1 and sum (N - 1); the latter without any
        variance. With the pooled sum (N - 1) in its place, 8 terms against 472 in 9 templates reject .082 of
        nulls at .05 where terms vary most (sds .3/1/.3), and .054 so. Source: Welch (1947), Biometrika 34.

    Examples
    --------
    >>> round(welch_df([1.0, 0.1], [8, 80]), 1), welch_df([1.0, 1.0], [8, 8])
    (8.5, 14.0)
    """
    largest = float(sum(sizes) - len(sizes))
    total = math.fsum(variances)
    if total <= 0.0:
        return largest
    # Shares, because squares of very small variances would underflow.
    spread = math.fsum((part / total) ** 2 / (size - 1) for part, size in zip(variances, sizes, strict=True))
    return min(largest, 1.0 / spread)


def flip_p(n_clusters: int) -> float:
    """Smallest two-sided p-value from flipping the signs of whole clusters: 2 / 2^G, at most 1."""
    return min(1.0, math.ldexp(1.0, 1 - n_clusters))


def permutation_p(n1: int, n0: int) -> float:
    """Smallest two-sided p-value from permuting n1 + n0 terms over two groups, at most 1."""
    # By logarithms: the binomial coefficient of a large lexicon is no double.
    ways = math.lgamma(n1 + n0 + 1) - math.lgamma(n1 + 1) - math.lgamma(n0 + 1)
    if n1 + n0 <= MOST_COUNTED:
        return min(1.0, 2.0 / math.comb(n1 + n0, n1))
    return min(1.0, 2.0 * math.exp(-ways))
