"""Intervals of proportions, and of their differences and ratios: how often they hold the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from audit.calibration.coverage import AXIS, LEVEL
from audit.calibration.estimators import ALPHA, Counts, estimator
from audit.calibration.study import Check, Settings, StudyResult, rate_check
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval
from audit.stats.paired_proportions import PairedCounts, mcnemar_exact, newcombe_paired, tango
from audit.stats.ratios import log_odds_ratio, risk_ratio_katz, risk_ratio_score

RATES = (0.02, 0.5)
"""True proportions are drawn from this range, anew in each sample: a single one covers too much or too little
by the accident of its counts."""


def one_rate(settings: Settings) -> StudyResult:
    """A proportion of independent answers."""
    interval = cache(estimator(settings.estimator).proportion)
    checks = []
    for size in (30, 200):
        rng, n = settings.rng("one rate", str(size)), settings.sims(20000, 2000)
        truth = rng.uniform(*RATES, n)
        seen = rng.binomial(size, truth)
        hits = sum(holds(interval(int(x), size), p) for x, p in zip(seen, truth, strict=True))
        checks.append(rate_check(f"a rate, {size} answers", hits, n, (0.94, 0.97)))
    gap = cache(estimator(settings.estimator).proportion_gap)
    checks += [two_rates(f"a gap, {size} answers each", settings, gap, size) for size in (30, 200)]
    return StudyResult(
        "The intervals of a rate (Wilson) and of a gap between two rates (Newcombe) hold the truth in "
        "about 95 of "
        "100 samples, with few answers and rare events too.",
        AXIS,
        tuple(checks),
        LEVEL,
    )


def two_rates(
    label: str, settings: Settings, interval: Callable[[Counts, Counts], Interval | Undefined], size: int
) -> Check:
    """The difference of two proportions."""
    rng, n = settings.rng("two rates", label), settings.sims(10000, 1000)
    first, second = rng.uniform(*RATES, (2, n))
    one, zero = rng.binomial(size, first), rng.binomial(size, second)
    hits = sum(
        holds(interval((int(a), size), (int(b), size)), p - q)
        for a, b, p, q in zip(one, zero, first, second, strict=True)
    )
    return rate_check(label, hits, n, (0.94, 0.97))


def ratios(settings: Settings) -> StudyResult:
    """Ratios of rates and of odds; samples without a ratio are left out and do not count."""
    size = 100
    checks = []
    for label, interval, truth in (
        ("ratio of rates, score", risk_ratio_score, lambda p, q: p / q),
        ("ratio of rates, Katz", risk_ratio_katz, lambda p, q: p / q),
        ("log odds ratio, Woolf", log_odds_ratio, lambda p, q: logit(p) - logit(q)),
    ):
        rng, n = settings.rng("ratios", label), settings.sims(6000, 600)
        first, second = rng.uniform(0.05, 0.6, (2, n))
        found = [
            (interval((int(a), size), (int(b), size)), truth(p, q))
            for a, b, p, q in zip(
                rng.binomial(size, first), rng.binomial(size, second), first, second, strict=True
            )
        ]
        defined = [(each, true) for each, true in found if not isinstance(each, Undefined)]
        hits = sum(holds(each, true) for each, true in defined)
        checks.append(rate_check(label, hits, len(defined), (0.94, 0.975)))
    return StudyResult(
        "The intervals of ratios of rates and of odds hold the true ratio in about 95 of 100 samples of 100 "
        "answers a group.",
        AXIS,
        tuple(checks),
        LEVEL,
    )


def logit(p: float) -> float:
    """Log odds."""
    return math.log(p / (1.0 - p))


def pairs(settings: Settings) -> StudyResult:
    """Two proportions of the same pairs, and McNemar's exact test."""
    size, n = 100, settings.sims(6000, 600)
    checks = []
    for label, interval in (("gap of pairs, Tango", tango), ("gap of pairs, Newcombe", newcombe_paired)):
        rng = settings.rng("pairs", label)
        hits = 0
        for _ in range(n):
            shares = rng.dirichlet((3.0, 2.0, 2.0, 3.0))
            both, first, second, neither = (int(x) for x in rng.multinomial(size, shares))
            found = interval(PairedCounts(both, first, second, neither))
            hits += holds(found, float(shares[1] - shares[2]))
        checks.append(rate_check(label, hits, n, (0.935, 0.975)))
    rng = settings.rng("pairs", "McNemar")
    hits = 0
    for _ in range(n):
        first = int(rng.binomial(30, 0.5))
        p = mcnemar_exact(PairedCounts(40, first, 30 - first, 30))
        hits += not isinstance(p, Undefined) and p > ALPHA
    checks.append(rate_check("McNemar's exact test does not reject", hits, n, (LEVEL, 1.0)))
    return StudyResult(
        "Where the same pairs are answered twice, the intervals of the gap hold the truth in about 95 of 100 "
        "samples, and McNemar's exact test rejects a true 0 at most 1 time in 20.",
        AXIS,
        tuple(checks),
        LEVEL,
    )


def holds(interval: Interval | Undefined, truth: float) -> bool:
    """Whether an interval holds the truth; one that is undefined does not."""
    return not isinstance(interval, Undefined) and interval.lo <= truth <= interval.hi
