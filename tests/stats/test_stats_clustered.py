"""Means of clusters that were sampled whole: against matrices, against every pattern, and under the null."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from audit.stats.clustered import cluster_flips, cluster_jackknife, cluster_sums, clustered_mean
from audit.stats.estimate import Contrast, Floats, Undefined

SIZES = (3, 1, 4, 7, 2, 5)


def clustered(rng: np.random.Generator, sizes: tuple[int, ...] = SIZES) -> tuple[Floats, Floats]:
    labels = np.repeat(np.arange(len(sizes), dtype=np.float64), sizes)
    values = rng.normal(size=labels.size) + rng.normal(size=len(sizes))[labels.astype(int)]
    return values, labels


def by_matrices(values: Floats, labels: Floats) -> tuple[float, float]:
    """CR2's standard error and Bell and McCaffrey's degrees of freedom, written as they are defined."""
    n = values.size
    annihilator = np.eye(n) - np.ones((n, n)) / n
    residuals = annihilator @ values
    variance, columns = 0.0, []
    for label in np.unique(labels):
        own = labels == label
        roots, vectors = np.linalg.eigh(annihilator[np.ix_(own, own)])
        adjust = vectors @ np.diag([0.0 if root < 1e-9 else root**-0.5 for root in roots]) @ vectors.T
        variance += float((adjust @ residuals[own]).sum()) ** 2 / n**2
        columns.append(annihilator[:, own] @ adjust @ np.ones(own.sum()) / n)
    square = np.array(columns) @ np.array(columns).T
    return float(np.sqrt(variance)), float(np.trace(square) ** 2 / (square**2).sum())


@pytest.mark.parametrize("sizes", [SIZES, (1, 1, 1, 1), (9, 1, 1), (2, 2)])
def test_the_error_and_its_freedom_equal_their_definition(sizes: tuple[int, ...]) -> None:
    values, labels = clustered(np.random.default_rng(1), sizes)
    found = clustered_mean(values, labels)
    assert isinstance(found, Contrast)
    se, df = by_matrices(values, labels)
    assert found.se == pytest.approx(se, rel=1e-10)
    assert found.df == pytest.approx(max(1.0, df), rel=1e-8)
    assert found.estimate == pytest.approx(values.mean())


def test_clusters_of_one_are_students_t() -> None:
    values = np.random.default_rng(2).normal(0.3, 1.0, 25)
    found = clustered_mean(values, np.arange(25))
    assert isinstance(found, Contrast)
    assert found.p_value() == pytest.approx(float(stats.ttest_1samp(values, 0.0).pvalue), rel=1e-9)


def test_duplicating_every_row_does_not_shrink_the_interval() -> None:
    values, labels = clustered(np.random.default_rng(3))
    once, thrice = clustered_mean(values, labels), clustered_mean(np.tile(values, 3), np.tile(labels, 3))
    assert isinstance(once, Contrast) and isinstance(thrice, Contrast)
    assert thrice.se == pytest.approx(once.se, rel=1e-10)
    assert thrice.df == pytest.approx(once.df, rel=1e-8)


def test_order_changes_nothing_and_exchanging_the_sides_the_sign_only() -> None:
    values, labels = clustered(np.random.default_rng(4))
    order = np.random.default_rng(5).permutation(values.size)
    one, other, turned = (
        clustered_mean(values, labels), clustered_mean(values[order], labels[order]),
        clustered_mean(-values, labels),
    )  # fmt: skip
    assert isinstance(one, Contrast) and isinstance(other, Contrast) and isinstance(turned, Contrast)
    assert other.se == pytest.approx(one.se, rel=1e-12)
    assert (turned.estimate, turned.se) == (-one.estimate, one.se)


def test_missing_values_are_left_out_and_seen() -> None:
    found = clustered_mean([1.0, np.nan, 3.0, 5.0], ["a", "a", "b", "c"])
    assert isinstance(found, Contrast)
    assert (found.estimate, found.n_obs, found.n_templates) == (3.0, 3, 3)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0, 2.0]])
def test_one_cluster_gives_no_error(values: list[float]) -> None:
    found = clustered_mean(values, ["a"] * len(values))
    assert isinstance(found, Undefined)
    assert "at least 2" in found.reason


def test_a_constant_has_no_spread_and_the_smallest_p_of_its_design() -> None:
    found = clustered_mean([0.1] * 12, ["a", "b", "c"] * 4)
    assert isinstance(found, Contrast)
    assert found.degenerate
    assert found.p_value() == 0.25


# -- flips ------------------------------------------------------------------------------------------


def t_of(values: Floats, labels: Floats) -> float:
    found = clustered_mean(values, labels)
    assert isinstance(found, Contrast)
    return found.t


def test_the_flip_test_equals_every_pattern_one_by_one() -> None:
    values, labels = clustered(np.random.default_rng(6))
    names = np.unique(labels)
    observed = abs(t_of(values, labels))
    patterns = list(itertools.product((1.0, -1.0), repeat=len(names)))
    at_least = sum(
        abs(t_of(values * np.array(signs)[labels.astype(int)], labels)) >= observed * (1 - 1e-9)
        for signs in patterns
    )
    sums = cluster_sums(values, labels, names)
    found = cluster_flips([sums], [np.array(SIZES, dtype=float)], np.random.default_rng(0))
    assert found.p()[0] == pytest.approx(at_least / len(patterns))
    assert found.t[0] == pytest.approx(t_of(values, labels), rel=1e-9)


def test_clusters_of_one_size_give_the_exact_sign_flip_test() -> None:
    from audit.stats.signflip import sign_flip

    rng = np.random.default_rng(7)
    for _ in range(20):
        values = rng.normal(0.4, 1.0, 9)
        plain = sign_flip(values, np.arange(9), rng)
        found = cluster_flips([values], [np.ones(9)], rng)
        assert not isinstance(plain, Undefined)
        assert found.p()[0] == pytest.approx(plain.p)


def test_a_cluster_without_a_value_is_no_part_of_a_comparison() -> None:
    with_gap = cluster_flips([[1.0, 0.0, 2.0, 4.0]], [[1, 0, 1, 1]], np.random.default_rng(0))
    without = cluster_flips([[1.0, 2.0, 4.0]], [[1, 1, 1]], np.random.default_rng(0))
    assert with_gap.t == pytest.approx(without.t)
    assert with_gap.p() == without.p()
    alone = cluster_flips([[1.0, 0.0], [1.0, 2.0]], [[1, 0], [1, 1]], np.random.default_rng(0))
    assert alone.p()[0] is None
    assert alone.p()[1] is not None


def test_three_clusters_that_can_show_nothing_do_not_hide_what_thirty_show() -> None:
    rng = np.random.default_rng(8)
    clear = rng.normal(0.9, 1.0, 30)
    few = np.zeros(30)
    few[:3] = (1.0, 1.1, 1.05)
    sizes = np.stack([np.ones(30), np.where(np.arange(30) < 3, 1.0, 0.0)])
    found = cluster_flips([clear, few], sizes, np.random.default_rng(9))
    both = found.adjusted(0.05)
    assert both[0] is not None and both[0] < 0.01
    assert both[1] == pytest.approx(0.25, abs=0.02)


def test_a_family_without_any_effect_is_wrong_in_one_of_twenty() -> None:
    """Nine comparisons of unequal clusters, 400 worlds: FWER <= .05 + 2.3 standard errors (.025)."""
    rng = np.random.default_rng(10)
    wrong = naive = 0
    sizes = rng.integers(1, 9, (9, 24)).astype(float)
    for _ in range(400):
        effects = rng.normal(0.0, 1.0, (9, 24))
        noise = rng.normal(0.0, 1.0, (9, 24)) * np.sqrt(sizes)
        sums = effects * sizes + noise
        p = cluster_flips(sums, sizes, rng, resamples=399).adjusted(0.05)
        wrong += min(value for value in p if value is not None) < 0.05
        n = sizes.sum(axis=1)
        z = np.abs(sums.sum(axis=1) / np.sqrt(n)) / np.sqrt(2.0)  # as if values were independent
        naive += bool((2 * stats.norm.sf(z) * 9 < 0.05).any())
    assert wrong / 400 <= 0.075
    assert naive / 400 > 0.2  # so that the test bites


# -- jackknife --------------------------------------------------------------------------------------


def test_the_jackknife_of_a_mean_of_equal_clusters_is_students_t() -> None:
    values = np.random.default_rng(11).normal(size=12)
    found = cluster_jackknife(lambda rows: float(values[rows].mean()), np.arange(12))
    assert isinstance(found, Contrast)
    assert found.se == pytest.approx(float(stats.sem(values)), rel=1e-9)


def test_the_jackknife_says_which_cluster_a_statistic_cannot_do_without() -> None:
    values = np.array([1.0, np.nan, 2.0])

    def first_known(rows: np.ndarray) -> float:
        return float("nan") if 0 not in rows else float(np.nanmean(values[rows]))

    found = cluster_jackknife(first_known, ["a", "b", "c"])
    assert isinstance(found, Undefined)
    assert "without cluster 'a'" in found.reason
    assert isinstance(cluster_jackknife(first_known, ["a", "a", "c"]), Undefined)
