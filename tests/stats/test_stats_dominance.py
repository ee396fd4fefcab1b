from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from audit.stats.dominance import cliffs_delta_clustered, cliffs_delta_interval
from audit.stats.estimate import Undefined
from audit.stats.intervals import cliffs_delta, wilson


def rng(seed=1):
    return np.random.default_rng(seed)


def asymmetric(delta, variance, z):
    """Bounds of Feng and Cliff (2004)."""
    half = z * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + z**2 * variance)
    middle, scale = delta - delta**3, 1 - delta**2 + z**2 * variance
    return (middle - half) / scale, (middle + half) / scale


def test_the_variance_is_that_of_the_dominance_matrix():
    random = rng(3)
    for n, m in ((5, 5), (9, 14), (30, 4)):
        x, y = random.integers(0, 7, n) / 2.0 + 0.5, random.integers(0, 7, m) / 2.0
        dominance = np.sign(x[:, None] - y[None, :])
        delta = dominance.mean()
        rows, columns = dominance.mean(axis=1).var(ddof=1), dominance.mean(axis=0).var(ddof=1)
        single = ((dominance - delta) ** 2).sum() / ((n - 1) * (m - 1))
        variance = ((m - 1) * rows + (n - 1) * columns + single) / (n * m)
        interval = cliffs_delta_interval(x, y, 0.9)
        expected = asymmetric(delta, variance, norm.ppf(0.95))
        assert interval.estimate == pytest.approx(delta, abs=1e-12)
        assert (interval.lo, interval.hi) == pytest.approx(expected, abs=1e-12)
        assert (interval.n, interval.level) == (n + m, 0.9)


def test_swapping_flips_the_interval_and_only_the_ranks_count():
    random = rng(4)
    x, y = random.standard_normal(12) + 0.4, random.standard_normal(9)
    interval, swapped = cliffs_delta_interval(x, y), cliffs_delta_interval(y, x)
    flipped = (-swapped.estimate, -swapped.hi, -swapped.lo)
    assert (interval.estimate, interval.lo, interval.hi) == pytest.approx(flipped, abs=1e-12)
    assert cliffs_delta_interval(np.exp(x), np.exp(y)) == interval


def test_samples_that_do_not_overlap_have_wilsons_bound_for_the_smaller_one():
    interval = cliffs_delta_interval([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0])
    # P(x > y) is 1 of 3 comparisons at least; delta = 2 P - 1
    assert (interval.lo, interval.hi) == pytest.approx((2 * wilson(3, 3).lo - 1, 1.0))
    below = cliffs_delta_interval([1.0, 2.0, 3.0], [5.0, 6.0, 7.0, 8.0])
    assert (below.lo, below.hi) == (-1.0, -interval.lo)


def test_coverage_of_independent_samples():
    random = rng(5)
    runs = 1500
    # approximate: .94 to .97 by Feng and Cliff (2004); 3 binomial sd of 1500 runs is .017
    for mu, n, m in ((0.0, 8, 8), (0.5, 10, 30), (1.5, 30, 30)):
        truth = 2 * norm.cdf(mu / math.sqrt(2)) - 1
        samples = zip(random.standard_normal((runs, n)) + mu, random.standard_normal((runs, m)), strict=True)
        intervals = [cliffs_delta_interval(x, y) for x, y in samples]
        covered = np.mean([i.lo <= truth <= i.hi for i in intervals])
        assert 0.94 - 0.017 <= covered <= 0.97 + 0.017


def clustered_scores(random, groups, each, paired, mu):
    """Scores with intraclass correlation .5; total variance 1."""
    common = math.sqrt(0.5) * random.standard_normal((2, groups, 1))
    own = math.sqrt(0.5) * random.standard_normal((2, groups, each))
    labels = np.repeat(np.arange(groups), each)
    x, y = common[0] + own[0] + mu, common[0 if paired else 1] + own[1]
    return x.ravel(), y.ravel(), (labels, labels if paired else labels + groups)


@pytest.mark.parametrize("paired", [True, False])
def test_the_samples_are_those_of_a_slow_loop_over_repeated_rows(paired):
    x, y, clusters = clustered_scores(rng(6), 7, 3, paired, 0.5)
    x, y = np.round(x, 1), np.round(y, 1)  # ties
    interval = cliffs_delta_clustered(x, y, clusters, rng(9), level=0.9, resamples=200)
    draws = rng(9)
    counts = [draws.multinomial(6, np.full(7, 1 / 7), size=200) for _ in range(1 if paired else 2)]
    deltas = []
    for sample in range(200):
        often_x, often_y = counts[0][sample], counts[-1][sample]
        deltas.append(cliffs_delta(np.repeat(x, np.repeat(often_x, 3)), np.repeat(y, np.repeat(often_y, 3))))
    df = 6 if paired else 12
    expected = asymmetric(cliffs_delta(x, y), np.var(deltas, ddof=1), t.ppf(0.95, df))
    assert (interval.lo, interval.hi) == pytest.approx(expected, abs=1e-10)
    assert interval.estimate == cliffs_delta(x, y)


@pytest.mark.parametrize("paired", [True, False])
def test_repeating_every_score_does_not_shrink_the_interval(paired):
    x, y, clusters = clustered_scores(rng(7), 10, 2, paired, 0.3)
    once = cliffs_delta_clustered(x, y, clusters, rng(), resamples=300)
    repeated = [np.repeat(values, 5) for values in (x, y, *clusters)]
    often = cliffs_delta_clustered(*repeated[:2], tuple(repeated[2:]), rng(), resamples=300)
    assert (often.lo, often.hi) == pytest.approx((once.lo, once.hi), abs=1e-12)
    naive = cliffs_delta_interval(*repeated[:2])
    assert naive.hi - naive.lo < 0.7 * (once.hi - once.lo)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("groups", "mu"), [(8, 0.0), (20, 1.0)])
def test_coverage_of_clustered_samples(paired, groups, mu):
    random = rng(8)
    runs = 500
    truth = 2 * norm.cdf(mu / math.sqrt(2)) - 1
    covered = independent = 0
    for _ in range(runs):
        x, y, clusters = clustered_scores(random, groups, 6, paired, mu)
        interval = cliffs_delta_clustered(x, y, clusters, random, resamples=299)
        covered += interval.lo <= truth <= interval.hi
        naive = cliffs_delta_interval(x, y)
        independent += naive.lo <= truth <= naive.hi
    # 3 binomial sd of 500 runs is .029; with 8 clusters the interval is known to be up to .025 too careful
    assert 0.95 - 0.029 <= covered / runs <= 0.975 + 0.029
    if not paired:
        assert independent / runs < 0.85


def test_samples_without_one_group_are_left_out_and_counted():
    # the second group occurs in one cluster of six only: (5/6)^5 = .40 of the samples have none of it
    labels = np.repeat(np.arange(6), 2)
    x = rng(2).standard_normal(12)
    interval = cliffs_delta_clustered(x, [0.1, 0.4], (labels, [0, 0]), rng(), resamples=500)
    left_out = int(interval.method.split("clusters, ")[1].split()[0])
    # 4 binomial sd of 500 draws
    assert left_out / 500 == pytest.approx((5 / 6) ** 5, abs=4 * math.sqrt(0.24 / 500))


def test_clusters_that_do_not_overlap():
    labels = np.repeat(np.arange(6), 2)
    interval = cliffs_delta_clustered(np.arange(12.0) + 50, np.arange(12.0), (labels, labels), rng())
    z2 = t.ppf(0.975, 5) ** 2
    assert (interval.estimate, interval.lo, interval.hi) == pytest.approx((1.0, (6 - z2) / (6 + z2), 1.0))


LABELS = np.arange(6)


@pytest.mark.parametrize(
    "result",
    [
        cliffs_delta_interval([], [1.0, 2.0]),
        cliffs_delta_interval([1.0], [1.0, 2.0]),
        cliffs_delta_interval([1.0, 1.0], [1.0, 1.0]),
        cliffs_delta_clustered([], [1.0], ([], [1]), rng()),
        cliffs_delta_clustered([1.0] * 4, [2.0] * 4, (LABELS[:4], LABELS[:4]), rng()),
        cliffs_delta_clustered([1.0] * 6, [2.0] * 4, (LABELS, LABELS[:4] + 9), rng()),
        cliffs_delta_clustered([1.0] * 6, [1.0] * 6, (LABELS, LABELS), rng()),
    ],
)
def test_undefined(result):
    assert isinstance(result, Undefined)
    assert result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cliffs_delta_interval([np.nan, 1.0], [1.0, 2.0]), "missing"),
        (lambda: cliffs_delta_interval([1.0, 2.0], [1.0, 2.0], 95), "level"),
        (lambda: cliffs_delta_clustered([1.0], [1.0], ([1], [1, 2]), rng()), "label"),
        (lambda: cliffs_delta_clustered([1.0], [np.inf], ([1], [1]), rng()), "infinite"),
        (lambda: cliffs_delta_clustered([1.0], [1.0], ([1], [1]), rng(), resamples=1), "resamples"),
        (lambda: cliffs_delta_clustered([1.0], [1.0], ([1], [1]), rng(), level=0.0), "level"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
