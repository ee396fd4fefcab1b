"""Rates that an imperfect scorer counted, corrected by what people found of its errors.

A scorer that flags too much for one group makes a difference where there is none. So its accuracy is measured
on answers that people labelled, for each group by itself; the correction carries the uncertainty of that
measurement. Where the scorer gives numbers and not flags, see `prediction_powered`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtr

from audit.stats.estimate import Undefined, check_fraction, critical_t
from audit.stats.intervals import normal_quantile
from audit.stats.scorer_accuracy import Accuracy, Clustered, Flags

__all__ = [
    "Accuracy", "Clustered", "CorrectedGap", "CorrectedRate", "CorrectedSum", "Flags", "corrected_gap",
    "corrected_sum", "rogan_gladen",
]  # fmt: skip

LEAST_YOUDEN = 0.3
"""Smallest Se + Sp - 1 that is corrected; the correction divides every error by it."""

LEAST_LABELS = 10
"""Human labels that each class needs: with fewer, the accuracy itself is a guess."""

_PSEUDO = normal_quantile(0.95)
"""Lang and Reiczigel's z, held at its value for 95 %, so that p-values and all intervals agree."""


@dataclass(frozen=True)
class CorrectedRate:
    """A rate corrected for the scorer's errors.

    Parameters
    ----------
    estimate : float
        `raw`, held within [0, 1].
    raw : float
        (q + Sp - 1) / (Se + Sp - 1); outside [0, 1] where flags are fewer than the scorer's errors alone
        would be.
    se : float
        Standard error of `raw` by the delta method, at the estimates themselves.
    lo, hi : float
        Lang and Reiczigel's interval, within [0, 1].
    level : float
        Coverage, in (0, 1).
    n : int
        Answers that were scored.
    method : str
        How the bounds were obtained.

    Examples
    --------
    >>> CorrectedRate(0.0, -0.01, 0.02, 0.0, 0.03, 0.95, 200, "Rogan-Gladen").clipped
    True
    """

    estimate: float
    raw: float
    se: float
    lo: float
    hi: float
    level: float
    n: int
    method: str

    @property
    def clipped(self) -> bool:
        """Whether the correction left [0, 1] and was held back."""
        return self.estimate != self.raw


@dataclass(frozen=True)
class CorrectedGap:
    """Difference of two corrected rates.

    Parameters
    ----------
    estimate : float
        Group 1 minus group 0, of rates that are not held within [0, 1]: holding one back would make a
        difference. 0 means that it happens as often in either.
    se : float
        Standard error by the delta method, at the estimates themselves.
    lo, hi : float
        Interval, within [-1, 1], around a centre pulled a little towards 0; see `corrected_gap`.
    level : float
        Coverage, in (0, 1).
    p : float
        Two-sided p-value of "no difference", in [0, 1]; below 1 - level exactly where the interval
        excludes 0.
    group1, group0 : CorrectedRate
        The two rates.

    Examples
    --------
    >>> accuracy = Accuracy(0.85, 100, 0.95, 100)
    >>> gap = corrected_gap(Flags(60, 200, accuracy), Flags(24, 200, accuracy))
    >>> round(gap.estimate, 4), gap.p < 0.001
    (0.225, True)
    """

    estimate: float
    se: float
    lo: float
    hi: float
    level: float
    p: float
    group1: CorrectedRate
    group0: CorrectedRate


def rogan_gladen(
    flagged: float, n: int, accuracy: Accuracy, level: float = 0.95, *, clustered: Clustered | None = None
) -> CorrectedRate | Undefined:
    """Rate of what people would call positive, from what a scorer flagged.

    Parameters
    ----------
    flagged, n : float, int
        Answers flagged and answers scored, 0 <= flagged <= n.
    accuracy : Accuracy
        Of the scorer, from human labels of other answers than these, of the same kind.
    level : float
        Coverage, in (0, 1).
    clustered : Clustered, optional
        Variance of flagged / n where answers are not independent; by default q (1 - q) / n.

    Returns
    -------
    CorrectedRate or Undefined
        In [0, 1]; 0 means that it never happened. Undefined without answers, with fewer than 10 labels in a
        class, with Se + Sp - 1 < .3, where a clustered variance says nothing (0, or a rate of 0 or 1), and
        where no rate in [0, 1] fits: the labels then do not describe these answers.

    Raises
    ------
    ValueError
        If counts or `level` are impossible.

    Notes
    -----
    Source: Rogan and Gladen (1978), American J. of Epidemiology 107, 71-76; MEASURES 7.9:
    p = (q + Sp - 1) / J with J = Se + Sp - 1, and
    Var = [Var q + p^2 Se (1 - Se) / m1 + (1 - p)^2 Sp (1 - Sp) / m0] / J^2.

    Interval: Lang and Reiczigel (2014), Preventive Veterinary Medicine 113, 13-22. The formula is taken after
    adding z^2 / 2 flagged and z^2 / 2 other answers and one right and one wrong label to each class, and its
    centre is moved by 2 z^2 [p Se (1 - Se) / m1 - (1 - p) Sp (1 - Sp) / m0]. A clustered variance counts as
    q (1 - q) / variance answers. Degrees of freedom by Satterthwaite.

    Measured over rates .03 to .3, Se .7 to .95, Sp .9 to .99, 50 to 200 labels a class, 200 and 1000 answers
    (162 settings, 20 000 sets each): coverage of the 95 % interval is .948 to .998 and .963 on average, above
    .97 where fewer than about 5 false positives are to be expected among the labels. The plain interval
    (p +- z sqrt Var) covers .814 to .967 and fails exactly there.

    Examples
    --------
    >>> rate = rogan_gladen(120, 1000, Accuracy(0.85, 100, 0.95, 100))
    >>> round(rate.estimate, 4), round(rate.lo, 3), round(rate.hi, 3)
    (0.0875, 0.017, 0.137)
    """
    check_fraction("level", level)
    part = _moments(Flags(flagged, n, accuracy, clustered))
    return part if isinstance(part, Undefined) else _rate(part, level, n)


def corrected_gap(
    group1: Flags, group0: Flags, level: float = 0.95, *, covariance: float = 0.0
) -> CorrectedGap | Undefined:
    """Difference between two groups' rates, each corrected by the scorer's accuracy in that group.

    Parameters
    ----------
    group1, group0 : Flags
        Each with an accuracy from labels of its own: a common one hides exactly the errors that depend on
        the group, and its uncertainty would be counted twice.
    level : float
        Coverage, in (0, 1).
    covariance : float
        Of the two flagged rates, where both groups were asked with the same templates; 0 if independent.

    Returns
    -------
    CorrectedGap or Undefined
        Rate of group 1 minus that of group 0; 0 means no difference. Undefined where a rate is.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1), or the covariance exceeds what the two variances allow.

    Notes
    -----
    Source: MEASURES 7.9. The variances of the two corrected rates are added, less twice the covariance over
    J1 J0; interval and p-value use the centres and variances of Lang and Reiczigel, see `rogan_gladen`.
    Degrees of freedom by Satterthwaite; with a positive covariance they are too few rather than too many.

    Measured over 150 settings (rates .03 to .3, five pairs of accuracies, 50 to 200 labels a class, 300 and
    1000 answers, 20 000 sets each): coverage .948 to .981, .958 on average; plain: .916 to .970.

    Examples
    --------
    >>> strict, lax = Accuracy(0.9, 200, 0.97, 200), Accuracy(0.8, 200, 0.85, 200)
    >>> gap = corrected_gap(Flags(117, 1000, strict), Flags(215, 1000, lax))
    >>> round(gap.estimate, 3), round(gap.p, 2)
    (0.0, 0.95)
    """
    check_fraction("level", level)
    one, zero = _moments(group1), _moments(group0)
    if isinstance(one, Undefined):
        return Undefined(f"group 1: {one.reason}")
    if isinstance(zero, Undefined):
        return Undefined(f"group 0: {zero.reason}")
    if covariance**2 > one.variance_q * zero.variance_q * (1.0 + 1e-9):
        raise ValueError(f"covariance {covariance} exceeds what the variances of the flagged rates allow")
    rate1, rate0 = _rate(one, level, group1.n), _rate(zero, level, group0.n)
    if isinstance(rate1, Undefined):
        return Undefined(f"group 1: {rate1.reason}")
    if isinstance(rate0, Undefined):
        return Undefined(f"group 0: {rate0.reason}")
    variance = one.variance + zero.variance - 2.0 * covariance / (one.youden * zero.youden)
    shared = 2.0 * covariance / (one.adjusted_youden * zero.adjusted_youden)
    labels = one.adjusted - one.from_flags + zero.adjusted - zero.from_flags
    # The adjusted variances of the flags are a little smaller than those that the covariance belongs to.
    adjusted = labels + max(one.from_flags + zero.from_flags - shared, 0.0)
    spread = one.from_flags**2 / one.df + zero.from_flags**2 / zero.df
    df = max(1.0, adjusted**2 / spread) if spread > 0.0 else math.inf
    centre, se = one.centre - zero.centre, math.sqrt(adjusted)
    half = critical_t(df, 1.0 - level) * se
    return CorrectedGap(
        estimate=one.raw - zero.raw,
        se=math.sqrt(max(variance, 0.0)),
        lo=max(centre - half, -1.0),
        hi=min(centre + half, 1.0),
        level=level,
        p=float(2.0 * stdtr(df, -abs(centre) / se)),
        group1=rate1,
        group0=rate0,
    )


@dataclass(frozen=True)
class CorrectedSum:
    """A weighted sum of corrected rates, such as a group's less the mean of all others.

    Parameters
    ----------
    estimate, se : float
        Of rates that are not held within [0, 1], and its standard error at the estimates themselves.
    lo, hi : float
        Interval, around a centre pulled a little towards 0; see `corrected_gap`.
    level : float
        Coverage, in (0, 1).
    p : float
        Two-sided p-value of "the sum is 0".

    Examples
    --------
    >>> CorrectedSum(0.1, 0.04, 0.02, 0.18, 0.95, 0.014).lo > 0
    True
    """

    estimate: float
    se: float
    lo: float
    hi: float
    level: float
    p: float


def corrected_sum(
    parts: Sequence[tuple[float, Flags]], flags: Clustered, level: float = 0.95
) -> CorrectedSum | Undefined:
    """A weighted sum of several groups' rates, each corrected by the scorer's accuracy in that group.

    Parameters
    ----------
    parts : sequence of (weight, Flags)
        Each group once, with an accuracy from labels of its own.
    flags : Clustered
        Variance of the sum of weight x flagged rate / (Se + Sp - 1), by an estimator that keeps templates and
        terms whole; what groups share through their templates is in it.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    CorrectedSum or Undefined
        0 means no difference where weights sum to 0. Undefined where a rate is, and the part is then told by
        its number from 1.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1) or there is no part.

    Notes
    -----
    Source: as `corrected_gap`, whose covariance of two groups is in `flags` here. The labels' variances add
    up by the squared weights, and so do the degrees of freedom by Satterthwaite, those of labels being
    without limit.

    Measured (20 templates x 20 answers a group, rates .05 to .4, two pairs of accuracies, 30 to 200 labels a
    class, 2000 sets each, no gap): coverage .942 to .967.

    Examples
    --------
    >>> strict, lax = Accuracy(0.9, 200, 0.97, 200), Accuracy(0.8, 200, 0.85, 200)
    >>> parts = [(1.0, Flags(117, 1000, strict)), (-1.0, Flags(215, 1000, lax))]
    >>> found = corrected_sum(parts, Clustered(0.02**2, 19.0))
    >>> round(found.estimate, 3), found.lo < 0 < found.hi
    (0.0, True)
    """
    check_fraction("level", level)
    if not parts:
        raise ValueError("a sum needs a part")
    known: list[tuple[float, _Moments]] = []
    for number, (weight, each) in enumerate(parts, 1):
        part = _moments(each)
        rate = part if isinstance(part, Undefined) else _rate(part, level, each.n)
        if isinstance(rate, Undefined):
            return Undefined(f"group {number}: {rate.reason}")
        assert isinstance(part, _Moments)
        known.append((weight, part))
    estimate = math.fsum(weight * part.raw for weight, part in known)
    centre = math.fsum(weight * part.centre for weight, part in known)
    plain = math.fsum(w**2 * (part.variance - part.variance_q / part.youden**2) for w, part in known)
    labels = math.fsum(w**2 * (part.adjusted - part.from_flags) for w, part in known)
    variance = labels + flags.variance
    df = max(1.0, (variance / flags.variance) ** 2 * flags.df) if flags.variance > 0.0 else math.inf
    half = critical_t(df, 1.0 - level) * math.sqrt(variance)
    least, most = (math.fsum(weight for weight, _ in known if sign * weight > 0.0) for sign in (-1.0, 1.0))
    return CorrectedSum(
        estimate,
        math.sqrt(plain + flags.variance),
        max(centre - half, least),
        min(centre + half, most),
        level,
        float(2.0 * stdtr(df, -abs(centre) / math.sqrt(variance))),
    )


@dataclass(frozen=True)
class _Moments:
    """A corrected rate with its variances, as estimated and as adjusted by Lang and Reiczigel."""

    raw: float
    variance: float
    variance_q: float
    youden: float
    centre: float
    adjusted: float
    adjusted_youden: float
    from_flags: float
    df: float


def _moments(flags: Flags) -> _Moments | Undefined:
    accuracy, clustered = flags.accuracy, flags.clustered
    if flags.n == 0:
        return Undefined("no answers")
    fewest = min(accuracy.n_positive, accuracy.n_negative)
    if fewest < LEAST_LABELS:
        return Undefined(f"{fewest} texts of known truth in a class; at least {LEAST_LABELS} are needed")
    if accuracy.youden < LEAST_YOUDEN:
        return Undefined(
            f"sensitivity + specificity - 1 is {accuracy.youden:.2f}, below {LEAST_YOUDEN}: "
            "the scorer is too poor to be corrected"
        )
    q, size, df = flags.rate, float(flags.n), math.inf
    variance_q = q * (1.0 - q) / size
    if clustered is not None:
        if clustered.variance == 0.0 or q in (0.0, 1.0):
            return Undefined("the flagged rate shows no spread between clusters")
        variance_q, df = clustered.variance, clustered.df
        size = q * (1.0 - q) / variance_q
    raw, variance, _ = _correct(q, variance_q, accuracy)
    more, z2 = _smoothed(accuracy), _PSEUDO**2
    q_more = (size * q + z2 / 2.0) / (size + z2)
    q_variance = q_more * (1.0 - q_more) / (size + z2)
    p, adjusted, from_flags = _correct(q_more, q_variance, more)
    wrong_positive = more.sensitivity * (1.0 - more.sensitivity) / more.n_positive
    wrong_negative = more.specificity * (1.0 - more.specificity) / more.n_negative
    shift = 2.0 * z2 * (p * wrong_positive - (1.0 - p) * wrong_negative)
    return _Moments(
        raw, variance, variance_q, accuracy.youden, p + shift, adjusted, more.youden, from_flags, df
    )


def _correct(q: float, variance_q: float, accuracy: Accuracy) -> tuple[float, float, float]:
    """Corrected rate, its variance, and the part of that which comes from the flags."""
    youden = accuracy.youden
    p = (q + accuracy.specificity - 1.0) / youden
    labels = p**2 * accuracy.sensitivity * (1.0 - accuracy.sensitivity) / accuracy.n_positive
    labels += (1.0 - p) ** 2 * accuracy.specificity * (1.0 - accuracy.specificity) / accuracy.n_negative
    return p, (variance_q + labels) / youden**2, variance_q / youden**2


def _smoothed(accuracy: Accuracy) -> Accuracy:
    """One right and one wrong label more in each class: no error seen does not mean that there is none."""
    n1, n0 = accuracy.n_positive, accuracy.n_negative
    sensitivity, specificity = accuracy.sensitivity * n1, accuracy.specificity * n0
    return Accuracy((sensitivity + 1.0) / (n1 + 2.0), n1 + 2, (specificity + 1.0) / (n0 + 2.0), n0 + 2)


def _rate(part: _Moments, level: float, n: int) -> CorrectedRate | Undefined:
    df = max(1.0, (part.adjusted / part.from_flags) ** 2 * part.df)
    half = critical_t(df, 1.0 - level) * math.sqrt(part.adjusted)
    lo, hi = part.centre - half, part.centre + half
    if hi < 0.0 or lo > 1.0:
        return Undefined("no rate in [0, 1] fits both flags and labels: the labels are of other answers")
    estimate = min(max(part.raw, 0.0), 1.0)
    method = "Rogan-Gladen, Lang-Reiczigel interval"
    # With few labels the centre may move so far that a narrow interval would miss the estimate that is shown.
    lo, hi = min(max(lo, 0.0), estimate), max(min(hi, 1.0), estimate)
    return CorrectedRate(estimate, part.raw, math.sqrt(part.variance), lo, hi, level, n, method)
