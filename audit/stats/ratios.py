"""Ratios of rates and odds, with their intervals, and the impact ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import brentq

from audit.stats.estimate import Undefined, check_fraction
from audit.stats.intervals import Interval, normal_quantile

FOUR_FIFTHS = 0.8
"""Impact ratio below which selection is presumed to have adverse impact (29 CFR 1607.4 D; no unit)."""

Verdict = Literal["disparity", "within margin", "inconclusive"]


@dataclass(frozen=True)
class ImpactRatio:
    """How often one group is selected, relative to another.

    Parameters
    ----------
    group, reference : str
        Whose selection rate is divided by whose.
    interval : Interval or Undefined
        The ratio of the rates, no unit; 1 means equal rates.
    verdict : str or None
        See `impact_ratios`; None where there is no ratio.

    Examples
    --------
    >>> ImpactRatio("a", "b", Undefined("nobody was asked about a"), None).verdict is None
    True
    """

    group: str
    reference: str
    interval: Interval | Undefined
    verdict: Verdict | None


def risk_ratio_katz(
    group1: tuple[int, int], group0: tuple[int, int], level: float = 0.95
) -> Interval | Undefined:
    """Ratio of two independent proportions with Katz's log interval.

    Parameters
    ----------
    group1, group0 : tuple of int
        (successes, n) of each group.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Proportion of group 1 over that of group 0, no unit, > 0; 1 means equal proportions. If a group has
        no success, or neither has a failure, 0.5 is added to each of the four cells, for the point too, and
        `method` says so. Undefined if a group is empty or there is no success at all.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: Katz, Baptista, Azen and Pike (1978), Biometrics 34, 469-474; 0.5: Walter (1976), Biometrika 63,
    in the form that keeps the variance positive.

    Examples
    --------
    >>> interval = risk_ratio_katz((30, 100), (45, 100))
    >>> round(interval.lo, 6), round(interval.hi, 6)
    (0.460686, 0.964746)
    """
    z = normal_quantile(level)
    fault = _faulty(group1, group0)
    if fault is not None:
        return fault
    (x1, n1), (x0, n0) = group1, group0
    added = 0.5 if min(x1, x0) == 0 or (x1 == n1 and x0 == n0) else 0.0
    # Half a success and half a failure more: 1 more in all.
    parts = [(x + added, n + 2.0 * added) for x, n in (group1, group0)]
    log_ratio = math.log(parts[0][0] / parts[0][1]) - math.log(parts[1][0] / parts[1][1])
    half = z * math.sqrt(sum(1.0 / x - 1.0 / n for x, n in parts))
    method = "Katz, 0.5 added to each cell" if added else "Katz"
    bounds = (math.exp(log_ratio - half), math.exp(log_ratio + half))
    return Interval(math.exp(log_ratio), *bounds, level, n1 + n0, method)


def risk_ratio_score(
    group1: tuple[int, int], group0: tuple[int, int], level: float = 0.95
) -> Interval | Undefined:
    """Ratio of two independent proportions with Miettinen and Nurminen's score interval.

    Parameters
    ----------
    group1, group0 : tuple of int
        (successes, n) of each group.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Proportion of group 1 over that of group 0, no unit, >= 0; 1 means equal proportions; 0 means that
        it never happened in group 1. Undefined if a group is empty, and if group 0 has no success: then
        the ratio has neither an estimate nor an upper bound.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: Miettinen and Nurminen (1985), Statistics in Medicine 4, 213-226: all ratios that the score test
    does not reject, with their factor N / (N - 1) on the variance, N = n1 + n0; without that factor it is the
    interval of Koopman (1984), Biometrics 40, 513-517, which is a little shorter.

    Examples
    --------
    >>> interval = risk_ratio_score((30, 100), (45, 100))
    >>> round(interval.lo, 6), round(interval.hi, 6)
    (0.45804, 0.959694)
    """
    z = normal_quantile(level)
    fault = _faulty(group1, group0)
    if fault is not None:
        return fault
    (x1, n1), (x0, n0) = group1, group0
    if x0 == 0:
        return Undefined(f"no success among {n0} in the reference group; the ratio has no upper bound")
    lo = 0.0 if x1 == 0 else 1.0 / _score_upper(group0, group1, z)
    ratio = (x1 / n1) / (x0 / n0)
    return Interval(ratio, lo, _score_upper(group1, group0, z), level, n1 + n0, "Miettinen-Nurminen")


def log_odds_ratio(
    group1: tuple[int, int], group0: tuple[int, int], level: float = 0.95
) -> Interval | Undefined:
    """Difference of the log odds of two independent proportions with Woolf's interval.

    Parameters
    ----------
    group1, group0 : tuple of int
        (successes, n) of each group.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Log odds of group 1 minus those of group 0, nats; 0 means equal odds; exp of it is the odds ratio.
        If one of the four cells is 0, 0.5 is added to each, for the point too, and `method` says so.
        Undefined if a group is empty, or if there is no success or no failure at all.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: Woolf (1955), Annals of Human Genetics 19, 251-253; 0.5: Haldane (1956), Annals of Human Genetics
    20, 309-311, and Anscombe (1956), Biometrika 43, 461-464.

    Examples
    --------
    >>> interval = log_odds_ratio((30, 100), (45, 100))
    >>> round(interval.estimate, 6), round(interval.lo, 6), round(interval.hi, 6)
    (-0.646627, -1.228123, -0.065132)
    """
    z = normal_quantile(level)
    fault = _faulty(group1, group0)
    if fault is not None:
        return fault
    (x1, n1), (x0, n0) = group1, group0
    if x1 == n1 and x0 == n0:
        return Undefined("no failure in either group")
    cells = [x1, n1 - x1, x0, n0 - x0]
    added = 0.5 if min(cells) == 0 else 0.0
    a, b, c, d = (cell + added for cell in cells)
    estimate = math.log(a) - math.log(b) - math.log(c) + math.log(d)
    half = z * math.sqrt(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d)
    method = "Woolf, 0.5 added to each cell" if added else "Woolf"
    return Interval(estimate, estimate - half, estimate + half, level, n1 + n0, method)


def log_odds(successes: int, n: int, level: float = 0.95) -> Interval | Undefined:
    """Log odds of a proportion with the logit interval.

    For independent observations only. For the proportion itself prefer ``intervals.wilson``.

    Parameters
    ----------
    successes, n : int
        Counts, 0 <= successes <= n.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        log(successes / failures), nats; 0 means as many successes as failures. If either is 0, 0.5 is added
        to both, for the point too, and `method` says so. Undefined for n = 0.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: Anscombe (1956), Biometrika 43, 461-464; delta method, se = sqrt(1/successes + 1/failures).

    Examples
    --------
    >>> interval = log_odds(30, 100)
    >>> round(interval.estimate, 6), round(interval.lo, 6), round(interval.hi, 6)
    (-0.847298, -1.274997, -0.419599)
    """
    z = normal_quantile(level)
    _check_counts(successes, n)
    if n == 0:
        return Undefined("no observations")
    added = 0.5 if successes in (0, n) else 0.0
    yes, no = successes + added, n - successes + added
    estimate, half = math.log(yes) - math.log(no), z * math.sqrt(1.0 / yes + 1.0 / no)
    method = "logit, 0.5 added to each cell" if added else "logit"
    return Interval(estimate, estimate - half, estimate + half, level, n, method)


def odds(successes: int, n: int, level: float = 0.95) -> Interval | Undefined:
    """Odds of a proportion: `log_odds`, exponentiated.

    Parameters
    ----------
    successes, n : int
        Counts, 0 <= successes <= n.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        Successes for each failure, no unit, > 0; 1 means as many of one as of the other. Undefined for n = 0.

    Raises
    ------
    ValueError
        If a count is impossible or `level` is not in (0, 1).

    Notes
    -----
    Source: as `log_odds`.

    Examples
    --------
    >>> round(odds(75, 100).estimate, 6)
    3.0
    """
    logs = log_odds(successes, n, level)
    if isinstance(logs, Undefined):
        return logs
    point, lo, hi = (math.exp(value) for value in (logs.estimate, logs.lo, logs.hi))
    return Interval(point, lo, hi, level, n, logs.method)


def impact_ratios(
    groups: Mapping[str, tuple[int, int]], level: float = 0.95, *, reference: str | None = None
) -> tuple[ImpactRatio, ...]:
    """Each group's selection rate over that of the most selected group, judged by its interval.

    The four-fifths rule is never applied to the point: of two groups that are selected equally often, at a
    rate of .3 and asked about 50 times each, one has less than .8 of the other's rate almost half of the
    time.

    Parameters
    ----------
    groups : Mapping of str to tuple of int
        (selected, asked) by group, at least two groups; independent observations.
    level : float
        Coverage, in (0, 1).
    reference : str, optional
        The group to divide by. Without it, the one with the highest rate, of equal ones the largest; as this
        is any of the others, each interval then has the level 1 - (1 - level) / (groups asked about - 1), so
        that picking it from the same data makes no disparities (Bonferroni).

    Returns
    -------
    tuple of ImpactRatio
        One for each other group, in the order given. Verdict: ``"disparity"`` if the whole interval lies
        below 0.8, or above 1.25 (then the reference is the one that is selected less than four fifths as
        often); ``"within margin"`` if all of it lies between 0.8 and 1.25; else ``"inconclusive"``. The
        interval is Undefined, and the verdict None, if the group or the reference was not asked about, or if
        the reference was never selected.

    Raises
    ------
    ValueError
        With fewer than two groups, an unknown reference, an impossible count, or a `level` not in (0, 1).

    Notes
    -----
    Source: 29 CFR 1607.4 D for four fifths; interval of `risk_ratio_score`; verdict of MEASURES 7.6.

    Examples
    --------
    >>> result, = impact_ratios({"women": (150, 500), "men": (225, 500)})
    >>> result.group, round(result.interval.hi, 3), result.verdict
    ('women', 0.786, 'disparity')
    """
    check_fraction("level", level)
    if len(groups) < 2:
        raise ValueError(f"{len(groups)} group(s); an impact ratio compares at least two")
    for selected, asked in groups.values():
        _check_counts(selected, asked)
    base = _most_selected(groups) if reference is None else reference
    if base not in groups:
        raise ValueError(f"the reference {base!r} is not among the groups {', '.join(groups)}")
    if reference is None:
        candidates = sum(asked > 0 for _, asked in groups.values())
        level = 1.0 - (1.0 - level) / max(candidates - 1, 1)
    ratios = {
        name: risk_ratio_score(counts, groups[base], level) for name, counts in groups.items() if name != base
    }
    return tuple(ImpactRatio(name, base, ratio, _verdict(ratio)) for name, ratio in ratios.items())


def _verdict(ratio: Interval | Undefined) -> Verdict | None:
    if isinstance(ratio, Undefined):
        return None
    if ratio.hi < FOUR_FIFTHS or ratio.lo > 1.0 / FOUR_FIFTHS:
        return "disparity"
    if ratio.lo > FOUR_FIFTHS and ratio.hi < 1.0 / FOUR_FIFTHS:
        return "within margin"
    return "inconclusive"


def _most_selected(groups: Mapping[str, tuple[int, int]]) -> str:
    """The group with the highest rate; one nobody was asked about only if there is no other."""
    return max(groups, key=lambda name: (groups[name][0] / max(groups[name][1], 1), groups[name][1]))


def _check_counts(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"counts must satisfy 0 <= successes <= n, not {successes} of {n}")


def _faulty(group1: tuple[int, int], group0: tuple[int, int]) -> Undefined | None:
    """Why two groups have no ratio at all, if so."""
    _check_counts(*group1)
    _check_counts(*group0)
    if not (group1[1] and group0[1]):
        return Undefined("no observations in a group")
    if group1[0] == group0[0] == 0:
        return Undefined("no success in either group")
    return None


def _score_upper(group1: tuple[int, int], group0: tuple[int, int], z: float) -> float:
    """The largest ratio that the score test does not reject; `group0` must have a success."""
    (x1, n1), (x0, n0) = group1, group0
    total = n1 + n0

    def excess(log_ratio: float) -> float:
        # Squared distance minus z^2 times the variance, both times ratio^2: no division by a variance of 0.
        ratio = math.exp(log_ratio)
        p0 = _restricted(group1, group0, ratio)
        p1 = min(ratio * p0, 1.0)
        variance = p1 * (1.0 - p1) / n1 + ratio * ratio * p0 * (1.0 - p0) / n0
        return (x1 / n1 - ratio * x0 / n0) ** 2 - z * z * variance * total / (total - 1)

    start = math.log((x1 if x1 else 1e-9) / n1 / (x0 / n0))
    step = 1.0
    while excess(start + step) <= 0.0:
        step *= 2.0
    return math.exp(float(brentq(excess, start + 1e-9, start + step, xtol=1e-14, rtol=1e-14)))


def _restricted(group1: tuple[int, int], group0: tuple[int, int], ratio: float) -> float:
    """Maximum likelihood estimate of the proportion of group 0, given the ratio of the two."""
    (x1, n1), (x0, n0) = group1, group0
    # The smaller root of (n1 + n0) ratio p^2 - (u + v) p + x1 + x0, written so that nothing cancels.
    u, v = ratio * (n1 + x0), x1 + n0
    root = math.sqrt((u - v) ** 2 + 4.0 * ratio * (n1 - x1) * (n0 - x0))
    return min(2.0 * (x1 + x0) / (u + v + root), 1.0)
