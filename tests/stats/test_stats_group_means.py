"""Means of groups that nothing pairs, against the textbook and against worlds without a difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.stats.clustered import clustered_mean
from audit.stats.estimate import Contrast, Undefined
from audit.stats.group_means import (
    GroupTable,
    combined_means,
    group_table,
    halves_p,
    includes_zero_without_one,
)

TWO = {"a": 1.0, "b": -1.0}


def world(seed: int, sd: float = 1.0, groups: str = "ab", clusters: int = 30) -> GroupTable:
    """Clusters of one to eight values that share an effect; no group differs."""
    rng = np.random.default_rng(seed)
    values, own, names = [], [], []
    for group in groups:
        for number in range(clusters):
            size = int(rng.integers(1, 9))
            values += (rng.normal(scale=sd) + rng.normal(size=size)).tolist()
            own += [group] * size
            names += [f"{group}{number}"] * size
    return group_table(values, own, names)


def test_with_one_value_a_cluster_it_is_welchs_test() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=9), rng.normal(size=14)
    table = group_table([*x, *y], ["a"] * 9 + ["b"] * 14, [f"c{n}" for n in range(23)])
    found = combined_means(table, TWO)
    assert isinstance(found, Contrast)
    expected = stats.ttest_ind(x, y, equal_var=False)
    assert found.t == pytest.approx(expected.statistic) and found.p_value() == pytest.approx(expected.pvalue)


def test_each_group_has_the_error_of_a_clustered_mean() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=60)
    clusters = [f"{'ab'[n % 2]}{n // 7}" for n in range(60)]
    groups = [name[0] for name in clusters]
    found = combined_means(group_table(values, groups, clusters), TWO)
    assert isinstance(found, Contrast)
    one, other = (
        clustered_mean(values[np.array(groups) == g], np.array(clusters)[np.array(groups) == g]) for g in "ab"
    )
    assert isinstance(one, Contrast) and isinstance(other, Contrast)
    assert found.estimate == pytest.approx(one.estimate - other.estimate)
    assert found.se == pytest.approx(np.hypot(one.se, other.se))


def test_what_a_cluster_of_two_groups_shares_counts_once() -> None:
    """Every cluster holds both groups: the error is that of the paired differences, not of two samples."""
    rng = np.random.default_rng(2)
    shared = rng.normal(scale=5.0, size=20)
    x, y = shared + rng.normal(size=20), shared + rng.normal(size=20)
    names = [f"c{n}" for n in range(20)]
    found = combined_means(group_table([*x, *y], ["a"] * 20 + ["b"] * 20, names * 2), TWO)
    assert isinstance(found, Contrast)
    assert found.se == pytest.approx(stats.sem(x - y)) and found.n_templates == 20


def test_no_difference_is_called_one_in_twenty_times_and_rows_taken_singly_are_not() -> None:
    tables = [world(seed) for seed in range(300)]
    ps = [
        found.p_value() for found in (combined_means(t, TWO) for t in tables) if isinstance(found, Contrast)
    ]
    # 300 worlds at .05: binomial standard error .0126, bounds at three of them.
    assert len(ps) == 300 and 0.01 <= np.mean(np.array(ps) < 0.05) <= 0.09
    halves = [halves_p(table, TWO, np.random.default_rng(n)) for n, table in enumerate(tables)]
    assert np.mean([p is not None and p < 0.05 for p in halves]) <= 0.09


def test_swapping_groups_turns_the_sign_and_doubling_rows_shrinks_nothing() -> None:
    table = world(3)
    one, other = combined_means(table, TWO), combined_means(table, {"b": 1.0, "a": -1.0})
    assert isinstance(one, Contrast) and isinstance(other, Contrast)
    assert one.estimate == -other.estimate and one.se == other.se
    double = combined_means(GroupTable(table.groups, table.sums * 2, table.counts * 2, table.largest), TWO)
    assert isinstance(double, Contrast) and double.se == pytest.approx(one.se)


def test_a_difference_that_hangs_on_one_cluster_is_found_out() -> None:
    values = [0.01 * n for n in range(40)]
    groups, clusters = ["a", "b"] * 20, [f"c{n}" for n in range(40)]
    shifted = [v + (0.5 if g == "a" else 0.0) for v, g in zip(values, groups, strict=True)]
    assert includes_zero_without_one(group_table(shifted, groups, clusters), TWO, 0.05) is False
    for shift in np.arange(0.0, 0.2, 0.001):
        barely = [v + (shift if g == "a" else 0.0) for v, g in zip(values, groups, strict=True)]
        table = group_table(barely, groups, clusters)
        whole = combined_means(table, TWO)
        if isinstance(whole, Contrast) and whole.p_value() < 0.05:
            break
    assert isinstance(whole, Contrast) and 0.04 < whole.p_value() < 0.05
    assert includes_zero_without_one(table, TWO, 0.05) is True


def test_too_few_clusters_are_undefined() -> None:
    table = group_table([1.0, 2.0, 3.0, float("nan")], list("aabb"), list("wxyz"))
    assert combined_means(table, TWO) == Undefined("b has 1 cluster(s) with a score; at least 2 are needed")
    assert combined_means(group_table([], [], []), TWO) == Undefined(
        "a has 0 cluster(s) with a score; at least 2 are needed"
    )
    assert includes_zero_without_one(table, TWO, 0.05) is None
    assert halves_p(table, TWO, np.random.default_rng(0)) is None


def test_equal_values_differ_by_exactly_0() -> None:
    found = combined_means(
        group_table([0.1] * 30, list("abc") * 10, [f"c{n}" for n in range(30)]),
        {"a": 1.0, "b": -0.5, "c": -0.5},
    )
    assert (
        isinstance(found, Contrast) and found.estimate == 0.0 and found.se == 0.0 and found.p_value() == 1.0
    )
