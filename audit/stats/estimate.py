"""What an estimator hands back: a contrast with its uncertainty, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]

ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
"""Relative size below which a mean of doubles is indistinguishable from rounding (dimensionless)."""

SINGLE_PRECISION = 1e-6
"""Relative size below which a spread of scores is the rounding of the models that gave them (no unit)."""


@dataclass(frozen=True)
class Undefined:
    """A number that these data cannot give, and why. Never replaced by 0.

    Parameters
    ----------
    reason : str
        One sentence for the report, without a full stop.

    Examples
    --------
    >>> Undefined("1 template; two are needed").reason
    '1 template; two are needed'
    """

    reason: str


@dataclass(frozen=True)
class Contrast:
    """A mean difference between two groups, with a standard error that respects the design.

    Signed: positive where group 1 scores higher; 0 means no difference. The unit is that of the scores.

    Parameters
    ----------
    estimate : float
        The difference, group 1 minus group 0, score units.
    se : float
        Its standard error, score units, >= 0. Exactly 0 where no cell departs from the estimate by more
        than rounding; see `degenerate`.
    df : float
        Degrees of freedom of t = estimate / se, >= 1.
    method : str
        How `se` and `df` were obtained.
    n_obs, n_templates : int
        Cells and templates that entered the estimate. Cells left out are those missing here from the
        number that was asked.
    n_terms : int
        Terms, or levels of the second random factor; N1 + N0 for a nested design; 1 for one factor.
    components : Mapping[str, float]
        Variance contributions to `se` squared (score units squared): V_T from templates, V_N (terms) or
        V_K (second factor), and V_e, the interaction that both of them contain.
    smallest_p : float
        The smallest p-value that an exact randomisation test could give with this design. Used only
        where `se` is 0.

    Notes
    -----
    With `se` = 0 the t-test does not exist: data without spread say nothing about the spread of other
    templates and terms. An estimate of 0 then has p = 1, and any other estimate has p = `smallest_p`
    (flipping the sign of whole templates, and permuting or flipping terms; the larger of the two), so
    that two templates which agree are never taken for proof. The interval collapses to the estimate.

    Examples
    --------
    >>> contrast = Contrast(0.5, 0.2, 19.0, "paired t", 20, 20, 1, {"V_T": 0.04})
    >>> round(contrast.p_value(), 4)
    0.0217
    >>> lo, hi = contrast.ci(0.95)
    >>> round(lo, 3), round(hi, 3)
    (0.081, 0.919)
    """

    estimate: float
    se: float
    df: float
    method: str
    n_obs: int
    n_templates: int
    n_terms: int
    components: Mapping[str, float] = field(default_factory=dict)
    smallest_p: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.estimate):
            raise ValueError(f"estimate must be finite, not {self.estimate}")
        if not (math.isfinite(self.se) and self.se >= 0.0):
            raise ValueError(f"se must be finite and not negative, not {self.se}")
        if not self.df >= 1.0:
            raise ValueError(f"df must be at least 1, not {self.df}")

    @property
    def degenerate(self) -> bool:
        """Whether the data show no spread at all, so that no t-test and no real interval exist."""
        return self.se == 0.0

    @property
    def t(self) -> float:
        """Estimate over standard error; with a standard error of 0, 0 or an infinity of its sign."""
        if self.se > 0.0:
            return self.estimate / self.se
        return 0.0 if self.estimate == 0.0 else math.copysign(math.inf, self.estimate)

    def p_value(self) -> float:
        """Two-sided p-value of "no difference", in [0, 1]; for a standard error of 0 see the Notes."""
        if self.estimate == 0.0:
            return 1.0
        if self.degenerate:
            return self.smallest_p
        return float(2.0 * stdtr(self.df, -abs(self.t)))

    def ci(self, level: float) -> tuple[float, float]:
        """Two-sided t interval.

        Parameters
        ----------
        level : float
            Coverage, in (0, 1), for instance 0.95.

        Returns
        -------
        tuple[float, float]
            Lower and upper bound, score units; both equal the estimate where the standard error is 0.

        Raises
        ------
        ValueError
            If `level` is not strictly between 0 and 1.
        """
        check_fraction("level", level)
        half = critical_t(self.df, 1.0 - level) * self.se if self.se > 0.0 else 0.0
        return self.estimate - half, self.estimate + half


def critical_t(df: float, alpha: float) -> float:
    """Two-sided critical value of Student's t.

    Parameters
    ----------
    df : float
        Degrees of freedom, > 0.
    alpha : float
        Two-sided error, in (0, 1).

    Returns
    -------
    float
        The 1 - alpha / 2 quantile, > 0.

    Examples
    --------
    >>> round(critical_t(19, 0.05), 4)
    2.093
    """
    return -float(stdtrit(df, alpha / 2.0))


def shown_sign(ci: tuple[float, float], p: float, alpha: float) -> Literal[-1, 0, 1]:
    """The sign of a difference that is shown; 0 where none is.

    It is shown where the corrected test rejects "no difference" and the interval excludes 0: both, since the
    test answers for all hypotheses of a family and the interval for this one.

    Examples
    --------
    >>> shown_sign((-0.4, -0.1), 0.01, 0.05), shown_sign((-0.4, -0.1), 0.2, 0.05)
    (-1, 0)
    """
    low, high = ci
    if not p < alpha or low <= 0.0 <= high:
        return 0
    return 1 if low > 0.0 else -1


def check_fraction(name: str, value: float) -> None:
    """Raise ValueError unless 0 < `value` < 1.

    Parameters
    ----------
    name : str
        What the value is called in the message.
    value : float
        A level, an error rate or a power.

    Raises
    ------
    ValueError
        If the value lies outside the open unit interval.

    Examples
    --------
    >>> check_fraction("level", 95)
    Traceback (most recent call last):
    ValueError: level must lie strictly between 0 and 1, not 95
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie strictly between 0 and 1, not {value}")


def as_floats(name: str, values: npt.ArrayLike, ndim: int) -> Floats:
    """Convert to float64 and check; NaN is allowed and means missing.

    Parameters
    ----------
    name : str
        What the array is called in the message.
    values : array_like
        Numbers.
    ndim : int
        The number of dimensions that is wanted.

    Returns
    -------
    ndarray of float64
        The same numbers.

    Raises
    ------
    ValueError
        If the number of dimensions differs or a value is infinite.

    Examples
    --------
    >>> as_floats("difference", [1, 2], 1)
    array([1., 2.])
    """
    array: Floats = np.asarray(values, dtype=np.float64)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), not {array.ndim}")
    if np.isinf(array).any():
        raise ValueError(
            f"{name} holds an infinite value; score with finite numbers or mark it missing (NaN)"
        )
    return array


def sum_of_squares(values: npt.NDArray[Any]) -> float:
    """Sum of squares of an array, as a Python float.

    Examples
    --------
    >>> sum_of_squares(np.array([3.0, 4.0]))
    25.0
    """
    return float(np.dot(values.ravel(), values.ravel()))
