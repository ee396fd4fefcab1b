from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, multinomial, norm
from statsmodels.stats.contingency_tables import mcnemar

from audit.stats.estimate import Undefined
from audit.stats.intervals import newcombe
from audit.stats.paired_proportions import PairedCounts, mcnemar_exact, newcombe_paired, tango

TABLES = [(1, 1, 7, 12), (36, 12, 2, 0), (20, 30, 25, 25), (5, 9, 1, 0), (100, 3, 40, 300), (2, 1, 1, 2)]


def test_pairs_are_counted():
    random = np.random.default_rng(0)
    first, second = random.uniform(size=(2, 60)) < 0.4
    pairs = PairedCounts.of(first, second)
    assert pairs.n == 60
    assert pairs.difference == pytest.approx(first.mean() - second.mean())
    assert pairs.both == np.sum(first & second)
    assert PairedCounts.of([], []) == PairedCounts(0, 0, 0, 0)


@pytest.mark.parametrize("interval_of", [newcombe_paired, tango])
@pytest.mark.parametrize("table", TABLES)
def test_swapping_the_halves_flips_the_interval(interval_of, table):
    a, b, c, d = table
    interval, swapped = interval_of(PairedCounts(a, b, c, d)), interval_of(PairedCounts(a, c, b, d))
    flipped = (-swapped.estimate, -swapped.hi, -swapped.lo)
    assert (interval.estimate, interval.lo, interval.hi) == pytest.approx(flipped, abs=1e-12)
    assert -1.0 <= interval.lo < interval.estimate < interval.hi <= 1.0
    assert (interval.estimate, interval.n) == (pytest.approx((b - c) / sum(table)), sum(table))


def score_p(b, c, n, difference):
    """p-value of a difference, with the discordant rate found by searching the likelihood."""

    def loss(rate):
        # rate: P(second only); the first only happens with rate + difference, concordant is the rest
        cells = [(b, rate + difference), (c, rate), (n - b - c, 1.0 - 2.0 * rate - difference)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return -sum(count * np.log(p) for count, p in cells if count)

    ends = (max(0.0, -difference), (1.0 - difference) / 2.0)
    rate = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-13}).x
    variance = (2.0 * rate + difference - difference**2) / n
    return 2.0 * norm.sf(abs((b - c) / n - difference) / math.sqrt(variance))


@pytest.mark.parametrize("table", [*TABLES, (43, 0, 1, 0), (0, 5, 0, 0), (0, 0, 5, 0), (4, 0, 0, 5)])
def test_tangos_bounds_are_where_the_score_test_turns(table):
    _, b, c, _ = table
    interval = tango(PairedCounts(*table), 0.9)
    for bound in (interval.lo, interval.hi):
        if abs(bound) < 1.0:
            assert score_p(b, c, sum(table), bound) == pytest.approx(0.1, abs=1e-4)


def test_without_discordant_pairs_tango_is_wilson_on_either_side():
    # z^2 / (n + z^2): the score bound of 0 of n
    z2 = norm.ppf(0.975) ** 2
    for n in (1, 5, 10**6):
        interval = tango(PairedCounts(n, 0, 0, 0))
        assert (interval.estimate, interval.lo, interval.hi) == pytest.approx(
            (0, -z2 / (n + z2), z2 / (n + z2))
        )


def test_all_pairs_discordant_one_way_reach_the_end_of_the_scale():
    for interval_of in (newcombe_paired, tango):
        interval = interval_of(PairedCounts(0, 8, 0, 0))
        assert (interval.estimate, interval.hi) == (1.0, 1.0)
        assert 0.0 < interval.lo < 1.0


@pytest.mark.parametrize("n", [1, 8, 1000, 10**6])
def test_all_pairs_discordant_one_way_have_a_closed_bound(n):
    # the discordant rate is (1 - delta) / 2 then, and n (1 - delta) = z^2 (1 + delta) at the bound
    z2 = norm.ppf(0.975) ** 2
    bound = (n - z2) / (n + z2)
    assert tango(PairedCounts(0, n, 0, 0)).lo == pytest.approx(bound, abs=1e-11)
    assert tango(PairedCounts(0, 0, n, 0)).hi == pytest.approx(-bound, abs=1e-11)


def test_independent_halves_give_newcombes_interval_for_independent_groups():
    # a d = b c: phi is 0, and the paired interval is the unpaired one
    interval, unpaired = newcombe_paired(PairedCounts(12, 18, 28, 42)), newcombe((30, 100), (40, 100))
    assert (interval.lo, interval.hi) == pytest.approx((unpaired.lo, unpaired.hi), abs=1e-12)
    # pairing that goes together makes it shorter
    together = newcombe_paired(PairedCounts(28, 2, 12, 58))
    assert together.hi - together.lo < 0.7 * (unpaired.hi - unpaired.lo)


@pytest.mark.parametrize("cells", [(0.2, 0.15, 0.15, 0.5), (0.3, 0.25, 0.1, 0.35), (0.02, 0.1, 0.03, 0.85)])
def test_coverage(cells):
    random = np.random.default_rng(7)
    runs, n = 1500, 40
    tables, counts = np.unique(random.multinomial(n, cells, size=runs), axis=0, return_counts=True)
    truth = cells[1] - cells[2]
    for interval_of in (newcombe_paired, tango):
        intervals = [interval_of(PairedCounts(*map(int, table))) for table in tables]
        covered = sum(int(count) for i, count in zip(intervals, counts, strict=True) if i.lo <= truth <= i.hi)
        # both are approximate at n = 40: .94 to .97 by their authors; 3 binomial sd of 1500 runs is .017
        assert 0.94 - 0.017 <= covered / runs <= 0.97 + 0.017


@pytest.mark.parametrize("table", [*TABLES, (5, 0, 0, 5), (0, 6, 6, 0), (0, 0, 1, 0), (0, 320, 245, 0)])
def test_mcnemar_against_scipy_and_statsmodels(table):
    a, b, c, d = table
    exact, mid = mcnemar_exact(PairedCounts(*table)), mcnemar_exact(PairedCounts(*table), mid_p=True)
    # mcnemar([[a, b], [c, d]], exact=True); binomtest(b, b + c)
    assert exact == pytest.approx(mcnemar([[a, b], [c, d]], exact=True).pvalue, abs=1e-12)
    assert exact == pytest.approx(binomtest(b, b + c).pvalue if b + c else 1.0, abs=1e-12)
    observed = math.comb(b + c, b) / 2 ** (b + c)
    assert mid == pytest.approx(min(exact, 1.0) - observed if b != c else 1.0, abs=1e-12)
    assert 0.0 < mid <= exact <= 1.0


def test_mcnemar_sizes():
    # exact: every table of 30 pairs with its probability, no simulation; 20 % discordant
    cells = (0.5, 0.1, 0.1, 0.3)
    size = dict.fromkeys((False, True), 0.0)
    for b in range(31):
        for c in range(31 - b):
            mass = multinomial.pmf([b, c, 30 - b - c], 30, [*cells[1:3], 0.8])
            for mid_p in size:
                rejected = mcnemar_exact(PairedCounts(30 - b - c, b, c, 0), mid_p=mid_p) <= 0.05
                size[mid_p] += mass * rejected
    assert size[False] < size[True] <= 0.05
    assert size[False] < 0.03  # the exact test spends little of its .05


@pytest.mark.parametrize("function", [newcombe_paired, tango, mcnemar_exact])
def test_no_pairs_are_undefined(function):
    assert function(PairedCounts(0, 0, 0, 0)) == Undefined("no pairs")


def test_pairs_of_which_none_is_discordant_show_no_difference():
    assert (
        mcnemar_exact(PairedCounts(3, 0, 0, 2)) == mcnemar_exact(PairedCounts(3, 0, 0, 2), mid_p=True) == 1.0
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PairedCounts(1, -1, 0, 0), "negative"),
        (lambda: PairedCounts.of([True], [True, False]), "same length"),
        (lambda: PairedCounts.of([1.0], [0.0]), "booleans"),
        (lambda: PairedCounts.of([[True]], [[True]]), "columns"),
        (lambda: tango(PairedCounts(1, 1, 1, 1), 1.0), "level"),
        (lambda: newcombe_paired(PairedCounts(1, 1, 1, 1), 0.0), "level"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
