"""What is calibrated: the shipped code, or a naive stand-in that shows that the calibration can fail.

Studies take every step that has a seam here from the settings' estimator. ``shipped`` holds the functions
that audits use, not copies of them. ``naive`` holds what is commonly done instead: every answer is taken for
an independent one, families are not corrected, a test is looked at after every unit, and the scorer is
believed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from audit.analysis.correction import corrected
from audit.analysis.estimates import Cells, estimate
from audit.analysis.found import Setting
from audit.hypotheses import Hypothesis
from audit.stats.betting import log_wealth
from audit.stats.estimate import Contrast, Floats, Undefined, critical_t
from audit.stats.intervals import Interval, newcombe, normal_quantile, wilson
from audit.stats.scorer_error import Flags, corrected_gap

ALPHA = 0.05

Role = str
Counts = tuple[int, int]


@dataclass(frozen=True)
class Judged:
    """Corrected p-values of a family, and the half-width of joint intervals in standard errors."""

    p: tuple[float | None, ...]
    critical: float | None
    method: str


@dataclass(frozen=True)
class Estimator:
    """The steps of an audit that a study can take from elsewhere.

    Attributes
    ----------
    contrast : callable
        Cells to a contrast.
    family : callable
        Cells and contrasts of a family, and its role, to corrected p-values.
    proportion, proportion_gap : callable
        Counts (successes, n) to an interval of level 95 %.
    ever_rejects : callable
        Units of a stream, one after the other: does looking after every unit ever find a difference?
    scorer_gap : callable
        Flags of two groups to (p-value, lower bound, upper bound) of the difference of the true rates.
    """

    name: str
    contrast: Callable[[Cells], Contrast | Undefined]
    family: Callable[[Sequence[Cells], Sequence[Contrast | Undefined], Role, int], Judged]
    proportion: Callable[[int, int], Interval | Undefined]
    proportion_gap: Callable[[Counts, Counts], Interval | Undefined]
    ever_rejects: Callable[[Floats], bool]
    scorer_gap: Callable[[Flags, Flags], tuple[float, float, float] | Undefined]


def estimator(name: str) -> Estimator:
    """An estimator by name.

    Examples
    --------
    >>> estimator("naive").name
    'naive'
    """
    return ESTIMATORS[name]


def shipped_family(
    cells: Sequence[Cells], contrasts: Sequence[Contrast | Undefined], role: Role, seed: int
) -> Judged:
    """The correction of ``audit.analysis.correction``, by the methods that every plan declares."""
    setting = Setting(ALPHA, seed, {}, {"confirmatory": "max-t", "exploratory": "benjamini-hochberg"})
    family = [
        Hypothesis(
            f"h{number}",
            "calibration",
            "world",
            "world",
            "world",
            "kind",
            f"g{number}",
            "reference",
            cell.layout,
            role,
            "",
            "",
            "",
        )
        for number, cell in enumerate(cells)
    ]
    found = corrected(family, cells, contrasts, setting)
    return Judged(tuple(each.p for each in found), found[0].critical, found[0].method)


def wealth_crosses(units: Floats) -> bool:
    """Whether the wealth of the sequential test ever reaches 1 / alpha."""
    return bool(log_wealth(units).max() >= math.log(1.0 / ALPHA))


def shipped_scorer_gap(one: Flags, zero: Flags) -> tuple[float, float, float] | Undefined:
    """The gap corrected by each group's own labels."""
    found = corrected_gap(one, zero)
    return found if isinstance(found, Undefined) else (found.p, found.lo, found.hi)


def naive_contrast(cells: Cells) -> Contrast | Undefined:
    """Welch's t-test in which every cell is an independent observation.

    Source: Welch (1947), Biometrika 34, 28-35.
    """
    parts = [
        (weight, values[~np.isnan(values)])
        for weight, values in ((weight, table.to_numpy(dtype=float).ravel()) for weight, table in cells.parts)
    ]
    if min(values.size for _, values in parts) < 2:
        return Undefined("fewer than 2 cells in a group")
    pieces = [weight**2 * float(values.var(ddof=1)) / values.size for weight, values in parts]
    total = math.fsum(pieces)
    if total == 0.0:
        return Undefined("no spread")
    spread = math.fsum(piece**2 / (values.size - 1) for piece, (_, values) in zip(pieces, parts, strict=True))
    return Contrast(
        estimate=math.fsum(weight * float(values.mean()) for weight, values in parts),
        se=math.sqrt(total),
        df=max(1.0, total**2 / spread),
        method="Welch, rows as independent",
        n_obs=sum(int(values.size) for _, values in parts),
        n_templates=len(cells.templates),
        n_terms=1,
    )


def naive_family(
    cells: Sequence[Cells], contrasts: Sequence[Contrast | Undefined], role: Role, seed: int
) -> Judged:
    """No correction."""
    p = tuple(each.p_value() if isinstance(each, Contrast) else None for each in contrasts)
    known = [each.df for each in contrasts if isinstance(each, Contrast)]
    return Judged(p, critical_t(min(known), ALPHA) if known else None, "none")


def wald(successes: int, n: int) -> Interval:
    """The textbook interval p +- z sqrt(p (1 - p) / n), of level 95 %."""
    p, z = successes / n, normal_quantile(0.95)
    half = z * math.sqrt(p * (1.0 - p) / n)
    return Interval(p, p - half, p + half, 0.95, n, "Wald")


def wald_gap(one: Counts, zero: Counts) -> Interval:
    """The textbook interval for a difference of two proportions, of level 95 %."""
    first, second = wald(*one), wald(*zero)
    gap = first.estimate - second.estimate
    half = math.hypot(first.hi - first.estimate, second.hi - second.estimate)
    return Interval(gap, gap - half, gap + half, 0.95, one[1] + zero[1], "Wald")


def repeated_t_test(units: Floats) -> bool:
    """Whether a t-test at .05, looked at after every unit from the tenth on, ever rejects."""
    n = np.arange(1, units.size + 1, dtype=np.float64)
    mean = np.cumsum(units) / n
    variance = np.maximum(np.cumsum(units**2) / n - mean**2, 0.0)[9:] / (n[9:] - 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean[9:]) / np.sqrt(variance)
    return bool((2.0 * stdtr(n[9:] - 1.0, -np.nan_to_num(t)) < ALPHA).any())


def believed_scorer_gap(one: Flags, zero: Flags) -> tuple[float, float, float]:
    """The difference of the flagged rates, as if a flag were the truth."""
    gap = wald_gap((round(one.flagged), one.n), (round(zero.flagged), zero.n))
    half = gap.hi - gap.estimate
    z = gap.estimate / half * normal_quantile(0.95) if half > 0.0 else 0.0
    return float(2.0 * stdtr(math.inf, -abs(z))), gap.lo, gap.hi


ESTIMATORS = {
    "shipped": Estimator(
        "shipped",
        estimate,
        shipped_family,
        wilson,
        newcombe,
        wealth_crosses,
        shipped_scorer_gap,
    ),
    "naive": Estimator(
        "naive",
        naive_contrast,
        naive_family,
        wald,
        wald_gap,
        repeated_t_test,
        believed_scorer_gap,
    ),
}
"""Name to estimator."""
