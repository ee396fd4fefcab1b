from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from audit.stats.distances import total_variation, wasserstein
from audit.stats.estimate import Undefined


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("n", "m"), [(1, 4), (7, 7), (12, 5), (40, 60)])
def test_wasserstein_against_scipy(n, m):
    random = rng(n)
    for x, y in (random.standard_normal((2, 60)), random.integers(0, 4, (2, 60)) / 2.0):
        # scipy.stats.wasserstein_distance(x, y)
        ours = wasserstein(x[:n], y[:m], random, resamples=1).value
        assert ours == pytest.approx(wasserstein_distance(x[:n], y[:m]), abs=1e-12)


def test_total_variation_by_hand():
    assert total_variation([3, 0, 1], [1, 2, 1], rng()).value == pytest.approx(0.5)
    assert total_variation([5, 0], [0, 2], rng()).value == 1.0
    assert total_variation([5, 10], [1, 2], rng()).value == 0.0
    rows = total_variation([[1, 0, 1], [2, 0, 0]], [[1, 1, 0], [0, 1, 1]], rng())
    assert (rows.value, rows.n, rows.n_clusters) == (pytest.approx(0.5), 8, 4)


def every_relabelling(statistic, n_first, n):
    """Mean of the statistic and share not below the observed one, over all partitions."""
    values = []
    for chosen in itertools.combinations(range(n), n_first):
        first = np.isin(np.arange(n), chosen)
        values.append(statistic(first))
    observed = statistic(np.arange(n) < n_first)
    return np.mean(values), np.mean(np.array(values) >= observed - 1e-12), np.std(values)


def assert_close_to_enumeration(result, mean, p, sd, resamples):
    # 4 standard errors of `resamples` draws
    assert result.null_mean == pytest.approx(mean, abs=4 * sd / math.sqrt(resamples))
    assert result.p == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / resamples) + 1 / resamples)
    assert result.excess == result.value - result.null_mean
    assert result.resamples == resamples


def test_wasserstein_against_all_relabellings():
    pooled = rng(3).standard_normal(9)
    pooled[:4] += 0.8

    def statistic(first):
        return wasserstein_distance(pooled[first], pooled[~first])

    expected = every_relabelling(statistic, 4, 9)
    result = wasserstein(pooled[:4], pooled[4:], rng(), resamples=20_000)
    assert_close_to_enumeration(result, *expected, 20_000)


def test_total_variation_against_all_relabellings():
    kinds = np.array([0, 0, 0, 1, 0, 1, 1, 2, 2])

    def statistic(first):
        counts = [np.bincount(kinds[side], minlength=3) for side in (first, ~first)]
        return np.abs(counts[0] / counts[0].sum() - counts[1] / counts[1].sum()).sum() / 2

    expected = every_relabelling(statistic, 4, 9)
    counts = [np.bincount(kinds[:4], minlength=3), np.bincount(kinds[4:], minlength=3)]
    assert_close_to_enumeration(total_variation(*counts, rng(), resamples=20_000), *expected, 20_000)
    # the same, one row for each counted thing
    rows = np.eye(3, dtype=int)[kinds]
    result = total_variation(rows[:4], rows[4:], rng(), resamples=20_000)
    assert_close_to_enumeration(result, *expected, 20_000)


def test_whole_clusters_trade_groups():
    # 2 and 3 clusters of 4 equal scores: the five clusters are all that can be relabelled
    means = np.array([3.0, 2.5, 0.0, 1.0, 2.0])

    def statistic(first):
        return wasserstein_distance(means[first], means[~first])

    expected = every_relabelling(statistic, 2, 5)
    x, y = np.repeat(means[:2], 4), np.repeat(means[2:], 4)
    clusters = np.repeat(["a", "b"], 4), np.repeat(["c", "d", "e"], 4)
    result = wasserstein(x, y, rng(), clusters=clusters, resamples=20_000)
    assert_close_to_enumeration(result, *expected, 20_000)
    assert (result.n, result.n_clusters) == (20, 5)
    assert wasserstein(x, y, rng()).p < 0.01 < result.p


def test_groups_are_exchanged_within_clusters_that_hold_both():
    x, y = rng(4).standard_normal((2, 6))
    x += 0.7
    values = []
    for exchanged in itertools.product([False, True], repeat=6):
        values.append(wasserstein_distance(np.where(exchanged, y, x), np.where(exchanged, x, y)))
    p = np.mean(np.array(values) >= wasserstein_distance(x, y) - 1e-12)
    prompts = np.arange(6)
    result = wasserstein(x, y, rng(), clusters=(prompts, prompts), resamples=20_000)
    assert_close_to_enumeration(result, np.mean(values), p, np.std(values), 20_000)


def test_clusters_of_either_kind_may_be_mixed():
    # one prompt answered about both groups, two about one group each: 2 x 2 relabellings
    x, y = np.array([1.0, 5.0]), np.array([0.0, 2.0])
    result = wasserstein(x, y, rng(), clusters=(["p", "q"], ["p", "r"]), resamples=4000)
    values = [wasserstein_distance(*pair) for pair in (([1, 5], [0, 2]), ([0, 5], [1, 2]))]
    # the other two are these with the groups exchanged
    assert result.null_mean == pytest.approx(np.mean(values), abs=4 * np.std(values) / math.sqrt(4000))


def test_the_null_mean_of_published_scores_is_theirs():
    # MEASURES 4.4: equal Beta(1, 9) scores have a mean W1 of .031 / .015 at n = 20 / 100 (three decimals)
    random = rng(5)
    for n, published in ((20, 0.031), (100, 0.015)):
        results = [wasserstein(*random.beta(1, 9, (2, n)), random, resamples=99) for _ in range(300)]
        # sd of W1 is at most .015 here: 4 sd of the mean of 300, and half a unit of the last digit
        tolerance = 4 * 0.015 / math.sqrt(300) + 0.0005
        assert np.mean([r.value for r in results]) == pytest.approx(published, abs=tolerance)
        assert np.mean([r.excess for r in results]) == pytest.approx(0.0, abs=tolerance)


def test_size_with_independent_scores_and_with_clusters():
    random = rng(6)
    runs, resamples = 400, 99
    # with 99 relabellings p <= .05 has probability .05 exactly under the null; 4 binomial sd of 400: .044
    noise = 4 * math.sqrt(0.05 * 0.95 / runs)
    counts = dict.fromkeys(("plain", "traded", "exchanged", "naive"), 0)
    labels = np.repeat(np.arange(8), 5)
    for _ in range(runs):
        common = random.standard_normal((2, 8, 1))
        own = random.standard_normal((2, 8, 5))
        x, y = (common + own).reshape(2, 40)
        counts["plain"] += wasserstein(*own.reshape(2, 40), random, resamples=resamples).p <= 0.05
        counts["naive"] += wasserstein(x, y, random, resamples=resamples).p <= 0.05
        traded = wasserstein(x, y, random, clusters=(labels, labels + 8), resamples=resamples)
        counts["traded"] += traded.p <= 0.05
        paired = (own[1] + common[0]).ravel()
        exchanged = wasserstein(x, paired, random, clusters=(labels, labels), resamples=resamples)
        counts["exchanged"] += exchanged.p <= 0.05
    for name in ("plain", "traded", "exchanged"):
        assert counts[name] / runs == pytest.approx(0.05, abs=noise)
    assert counts["naive"] / runs > 0.15


def test_size_of_total_variation():
    random = rng(7)
    runs = 400
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    counts = dict.fromkeys(("plain", "rows", "naive"), 0)
    for _ in range(runs):
        one, two = random.multinomial(80, shares, size=2)
        counts["plain"] += total_variation(one, two, random, resamples=99).p <= 0.05
        # what one text says is one thing said five times
        one, two = 5 * random.multinomial(1, shares, size=(2, 25))
        counts["rows"] += total_variation(one, two, random, resamples=99).p <= 0.05
        counts["naive"] += total_variation(one.sum(0), two.sum(0), random, resamples=99).p <= 0.05
    noise = 4 * math.sqrt(0.05 * 0.95 / runs)
    # ties make discrete distances reject less often
    assert counts["plain"] / runs <= 0.05 + noise
    assert counts["rows"] / runs <= 0.05 + noise
    assert counts["naive"] / runs > 0.15


def test_a_planted_difference_is_found_and_its_excess_recovered():
    random = rng(8)
    x, y = random.standard_normal((2, 400))
    result = wasserstein(x + 1.0, y, random, resamples=999)
    assert result.p == 1 / 1000
    # a shift by 1 has W1 = 1; sd of a mean difference of 400 and 400 is .07, the null mean .1
    assert result.value == pytest.approx(1.0, abs=4 * 0.071)
    assert 0.0 < result.null_mean < 0.3


def test_order_and_chunks_are_irrelevant(monkeypatch):
    random = rng(9)
    x, y = random.standard_normal((2, 30))
    result = wasserstein(x, y, rng(), resamples=500)
    assert wasserstein(x[::-1], y, rng(), resamples=500).value == pytest.approx(result.value, abs=1e-12)
    assert wasserstein(y, x, rng(), resamples=500).value == pytest.approx(result.value, abs=1e-12)
    assert wasserstein(x, y, rng(), resamples=500) == result
    monkeypatch.setattr("audit.stats.distances._CHUNK", 100)
    chunked = wasserstein(x, y, rng(), resamples=500)
    assert chunked.resamples == 500
    assert chunked.p == pytest.approx(result.p, abs=0.15)


def test_scores_that_are_all_equal_have_no_distance():
    result = wasserstein([2.0] * 5, [2.0] * 4, rng(), resamples=99)
    assert (result.value, result.null_mean, result.excess, result.p) == (0.0, 0.0, 0.0, 1.0)


def test_relabellings_that_leave_a_group_without_counts_are_not_counted():
    # two of four texts contain nothing that is counted: 1 of 3 relabellings puts them together
    result = total_variation([[4, 1], [0, 0]], [[1, 4], [0, 0]], rng(), resamples=3000)
    assert result.resamples == pytest.approx(2000, abs=4 * math.sqrt(3000 * 2 / 9))


@pytest.mark.parametrize(
    "result",
    [
        wasserstein([], [1.0], rng()),
        wasserstein([1.0], [], rng()),
        wasserstein([1.0], [2.0], rng()),
        wasserstein([1.0, 2.0], [3.0, 4.0], rng(), clusters=(["a", "a"], ["b", "b"])),
        wasserstein([1.0, 2.0], [3.0, 4.0], rng(), clusters=(["a", "a"], ["a", "a"])),
        total_variation([0, 0], [1, 2], rng()),
        total_variation([1, 0], [0, 1], rng()),
        total_variation(np.zeros((0, 2)), [[1, 2]], rng()),
        total_variation([[1, 0]], [[0, 1]], rng()),
    ],
)
def test_undefined(result):
    assert isinstance(result, Undefined)
    assert result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wasserstein([np.nan], [1.0], rng()), "missing"),
        (lambda: wasserstein([np.inf], [1.0], rng()), "infinite"),
        (lambda: wasserstein([1.0, 2.0], [1.0], rng(), clusters=(["a"], ["b"])), "label"),
        (lambda: wasserstein([1.0, 2.0], [1.0], rng(), resamples=0), "resamples"),
        (lambda: total_variation([1, 2], [1, 2, 3], rng()), "same categories"),
        (lambda: total_variation([1, 2], [[1, 2]], rng()), "same categories"),
        (lambda: total_variation([1, -2], [1, 2], rng()), "whole"),
        (lambda: total_variation([1, 0.5], [1, 2], rng()), "whole"),
        (lambda: total_variation([], [], rng()), "shape"),
        (lambda: total_variation([1, 2], [1, 2], rng(), clusters=([1, 2], [1, 2])), "row"),
        (lambda: total_variation([1, 2], [1, 2], rng(), resamples=0), "resamples"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
