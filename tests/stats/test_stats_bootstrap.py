from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from null_worlds import crossed_world, defined, nested_world, with_gaps

from audit.stats.bootstrap import BootstrapInterval, bca, bootstrap_means, bootstrap_t
from audit.stats.contrast import crossed, nested, sandwich, single
from audit.stats.estimate import Undefined
from audit.stats.pigeonhole import Pigeonhole, pigeonhole
from audit.stats.sandwich import mean_sandwich

METHODS = ["percentile", "bca", "bootstrap-t"]


def rng(seed=1):
    return np.random.default_rng(seed)


def interval(result):
    assert isinstance(result, BootstrapInterval), result
    return result


# One comparison


@pytest.mark.parametrize(("ours", "theirs"), [("bca", "BCa"), ("percentile", "percentile")])
def test_equal_clusters_agree_with_scipy(ours, theirs):
    random = rng(3)
    values = random.exponential(1.0, (4, 25))
    found = bootstrap_means(values, rng(), method=ours, resamples=40_000)
    for row, lo, hi in zip(values, found.lo, found.hi, strict=True):
        # scipy.stats.bootstrap((values,), np.mean, method="BCa")
        reference = scipy.stats.bootstrap(
            (row,), np.mean, method=theirs, n_resamples=40_000, rng=random, vectorized=True
        ).confidence_interval
        # sd of a .025 quantile of 40 000 draws: sqrt(.025 * .975 / 40 000) / density, the normal density
        # there .0584 / se, so .013 se; of a difference .019 se; BCa's own shift adds as much. 5 sd: .13 se.
        se = row.std(ddof=1) / 5
        assert abs(lo - reference.low) < 0.13 * se
        assert abs(hi - reference.high) < 0.13 * se


def test_bca_is_shifted_towards_the_long_tail():
    values = np.append(np.linspace(0.0, 1.0, 24), 6.0)
    shifted = interval(bca(values, np.arange(25), rng()))
    plain = bootstrap_means(values[None, :], rng(), method="percentile")
    assert shifted.lo > plain.lo[0] and shifted.hi > plain.hi[0] + 0.02


def slow_bootstrap(values, weights, draws):
    """Ratio, its linearised standard error, and the studentised ratio of each draw, one at a time."""

    def ratio_and_se(v, w):
        ratio = (w * v).sum() / w.sum()
        n = len(v)
        return ratio, np.sqrt(n / (n - 1) * (w**2 * (v - ratio) ** 2).sum()) / w.sum()

    estimate, se = ratio_and_se(values, weights)
    drawn = [ratio_and_se(values[d], weights[d]) for d in draws]
    return estimate, se, np.array([r for r, _ in drawn]), np.array([(r - estimate) / s for r, s in drawn])


def test_every_method_against_a_slow_loop():
    random = rng(4)
    values, weights = random.standard_normal(7), random.integers(1, 6, 7).astype(float)
    draws = rng(2).integers(0, 7, (7, 3000), dtype=np.int32).T  # the same clusters as drawn below
    estimate, se, means, t = slow_bootstrap(values, weights, draws)
    out = [np.average(np.delete(values, g), weights=np.delete(weights, g)) for g in range(7)]
    influence = np.mean(out) - np.array(out)
    acceleration = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    below = np.mean(means < estimate - 1e-12) + np.mean(means < estimate + 1e-12)
    bias = scipy.stats.norm.ppf(below / 2)  # draws of the same clusters count half
    z = bias + scipy.stats.norm.ppf([0.025, 0.975])
    expected = {
        "percentile": np.quantile(means, [0.025, 0.975]),
        "bca": np.quantile(means, scipy.stats.norm.cdf(bias + z / (1 - acceleration * z))),
        "bootstrap-t": estimate - se * np.quantile(t, [0.975, 0.025]),
    }
    for method, bounds in expected.items():
        found = bootstrap_means(
            values[None, :], rng(2), weights=weights[None, :], method=method, resamples=3000
        )
        assert found.estimate[0] == pytest.approx(estimate, rel=1e-12)
        assert [found.lo[0], found.hi[0]] == pytest.approx(list(bounds), rel=1e-9), method


def test_clusters_of_different_size_give_the_plain_mean():
    difference, clusters = np.array([1.0, 2.0, 3.0, 10.0, 4.0, 0.0, 2.5, 1.5]), list("aabbbcde")
    for method in (bootstrap_t, bca):
        found = interval(method(difference, clusters, rng()))
        assert found.estimate == pytest.approx(difference.mean(), rel=1e-12)
        assert found.n_clusters == 5
        assert found.lo < found.estimate < found.hi


def test_equal_weights_and_no_weights_are_the_same():
    values = rng(5).standard_normal((3, 12))
    for method in METHODS:
        plain = bootstrap_means(values, rng(), method=method, resamples=999)
        weighted = bootstrap_means(values, rng(), weights=np.full((3, 12), 7.0), method=method, resamples=999)
        assert weighted.lo == pytest.approx(plain.lo, rel=1e-9)
        assert weighted.hi == pytest.approx(plain.hi, rel=1e-9)


def test_duplicating_rows_does_not_shrink_the_interval():
    values, clusters = rng(6).standard_normal(40), np.arange(40) // 4
    for method in (bootstrap_t, bca):
        once = interval(method(values, clusters, rng()))
        thrice = interval(method(np.repeat(values, 3), np.repeat(clusters, 3), rng()))
        assert (thrice.lo, thrice.hi) == pytest.approx((once.lo, once.hi), rel=1e-9)


def test_a_constant_moves_the_interval_and_a_swap_turns_it_round():
    values = rng(7).exponential(1.0, (1, 15))
    for method in METHODS:
        found = bootstrap_means(values, rng(), method=method)
        moved = bootstrap_means(values + 1e6, rng(), method=method)
        turned = bootstrap_means(-values, rng(), method=method)
        assert moved.lo - 1e6 == pytest.approx(found.lo, abs=1e-8)
        assert (turned.lo[0], turned.hi[0]) == pytest.approx((-found.hi[0], -found.lo[0]), rel=1e-6)


# Coverage


def coverage(method, n_clusters, sizes=None, seed=11):
    random = rng(seed)
    values = random.standard_normal((2000, n_clusters))
    weights = None if sizes is None else np.tile(sizes, (2000, 1)).astype(float)
    found = bootstrap_means(values, random, weights=weights, method=method, resamples=999)
    return float(np.mean((found.lo <= 0) & (found.hi >= 0)))


@pytest.mark.parametrize("n_clusters", [10, 20])
def test_bootstrap_t_covers_near_its_level(n_clusters):
    # Binomial sd of 2000 at .95: .0049. All samples share their 999 draws, whose .025 quantiles have an sd
    # of .0049 in coverage each, .007 together; joint sd .0085. 2.5 sd and the method's own error of .01.
    assert abs(coverage("bootstrap-t", n_clusters) - 0.95) <= 0.031
    sizes = np.arange(n_clusters) % 4 + 1
    assert abs(coverage("bootstrap-t", n_clusters, sizes) - 0.95) <= 0.031


def test_percentile_and_bca_are_too_narrow_with_ten_clusters():
    # .903 in 4000 samples; 2.5 sd of .0085 above is .925
    assert coverage("percentile", 10) < 0.925
    assert coverage("bca", 10) < 0.925


# Many comparisons


def test_many_comparisons_are_those_of_one_at_a_time():
    values = rng(8).standard_normal((50, 14))
    values[::7, 3] = np.nan
    for method in METHODS:
        many = bootstrap_means(values, rng(2), method=method, resamples=20_000)
        alone = bootstrap_means(values[[0]], rng(2), method=method, resamples=20_000)
        without = bootstrap_means(np.delete(values[[0]], 3, axis=1), rng(2), method=method, resamples=20_000)
        assert (many.lo[0], many.hi[0]) == pytest.approx((alone.lo[0], alone.hi[0]), abs=1e-12)
        assert (without.lo[0], without.hi[0]) == pytest.approx((alone.lo[0], alone.hi[0]), abs=1e-12)
        assert many.n_clusters[[0, 1]].tolist() == [13, 14]


def test_what_has_no_interval_says_why():
    values = np.array([[1.0, 2.0, np.nan, np.nan], [0.1, 0.1, 0.1, 0.1], [np.nan] * 4, [1.0, 2.0, 3.0, 4.0]])
    found = bootstrap_means(values, rng(), method="percentile")
    assert found.undefined == (
        "2 cluster(s); at least 3 are needed",
        "all clusters have the same value",
        "0 cluster(s); at least 3 are needed",
        None,
    )
    assert np.isnan(found.lo[:3]).all() and np.isnan(found.estimate[:3]).all()
    assert np.isfinite(found.hi[3])
    assert bootstrap_means(np.empty((0, 4)), rng()).undefined == ()


def test_three_clusters_leave_no_bound_for_the_bootstrap_t():
    # One draw in nine holds one cluster only: its t* is infinite, and so is the .975 quantile.
    result = bootstrap_t([1.0, 2.0, 4.0], [1, 2, 3], rng())
    assert isinstance(result, Undefined)
    assert result.reason == "3 clusters are too few for the bootstrap-t interval"
    assert isinstance(bca([1.0, 2.0, 4.0], [1, 2, 3], rng()), BootstrapInterval)


def test_degenerate_input_is_undefined_and_wrong_input_refused():
    for method in (bootstrap_t, bca):
        assert isinstance(method([], [], rng()), Undefined)
        assert isinstance(method([1.0, 5.0], [1, 2], rng()), Undefined)
        assert isinstance(method(np.ones(9), np.arange(9), rng()), Undefined)
        with pytest.raises(ValueError, match="missing"):
            method([1.0, np.nan], [1, 2], rng())
        with pytest.raises(ValueError, match="infinite"):
            method([1.0, np.inf], [1, 2], rng())
        with pytest.raises(ValueError, match="same length"):
            method([1.0], [1, 2], rng())
        with pytest.raises(ValueError, match="level"):
            method([1.0, 2.0], [1, 2], rng(), level=95)
        with pytest.raises(ValueError, match="resamples"):
            method([1.0, 2.0], [1, 2], rng(), resamples=0)
    with pytest.raises(ValueError, match="positive"):
        bootstrap_means([[1.0, 2.0, 3.0]], rng(), weights=[[1.0, 0.0, 1.0]])
    with pytest.raises(ValueError, match="same shape"):
        bootstrap_means([[1.0, 2.0, 3.0]], rng(), weights=[[1.0]])
    with pytest.raises(ValueError, match="method"):
        bootstrap_means([[1.0, 2.0, 3.0]], rng(), method="basic")


def test_the_generator_decides():
    values = rng(9).standard_normal(12)
    assert bca(values, np.arange(12), rng(1)) == bca(values, np.arange(12), rng(1))
    assert bca(values, np.arange(12), rng(1)) != bca(values, np.arange(12), rng(2))


# Pigeonhole


def hole(result):
    assert isinstance(result, Pigeonhole), result
    return result


def test_pigeonhole_estimates_are_those_of_the_formulas():
    random = rng(12)
    one, zero = nested_world(random, 0.3, 8, 6)
    table = crossed_world(random, 8, 6)
    assert hole(pigeonhole(one, zero[:, :5], random)).estimate == pytest.approx(
        defined(nested(one, zero[:, :5])).estimate, rel=1e-12
    )
    assert hole(pigeonhole(table, None, random)).estimate == pytest.approx(
        defined(crossed(table)).estimate, rel=1e-12
    )
    assert hole(pigeonhole(table[:, 0], None, random)).estimate == pytest.approx(
        defined(single(table[:, 0])).estimate, rel=1e-12
    )
    one, zero, table = (with_gaps(random, cells, 0.3) for cells in (one, zero, table))
    one[2] = np.nan  # a template of one group only: no part of the contrast
    stacked = np.concatenate([one, zero], axis=1)
    rows, columns = np.indices(stacked.shape)
    reference = sandwich(stacked.ravel(), (columns < 6).ravel(), rows.ravel(), columns.ravel())
    found = hole(pigeonhole(one, zero, random))
    assert found.estimate == pytest.approx(defined(reference).estimate, rel=1e-12)
    assert found.n_templates == 7
    assert hole(pigeonhole(table, None, random)).estimate == pytest.approx(
        defined(mean_sandwich(table)).estimate, rel=1e-12
    )


def slow_pigeonhole(random, one, zero, draws):
    """Standard deviation of the estimate over tables made by drawing rows and columns, one at a time."""
    found = []
    for _ in range(draws):
        rows = random.integers(0, len(one), len(one))
        sides = [side[rows][:, random.integers(0, side.shape[1], side.shape[1])] for side in (one, zero)]
        n1, n0 = ((~np.isnan(side)).sum(axis=1) for side in sides)
        s1, s0 = (np.nansum(side, axis=1) for side in sides)
        use = (n1 > 0) & (n0 > 0)
        if not use.any():
            continue
        weight = n1[use] * n0[use] / (n1[use] + n0[use])
        found.append(np.average(s1[use] / n1[use] - s0[use] / n0[use], weights=weight))
    return np.std(found, ddof=1)


def test_pigeonhole_with_gaps_against_a_slow_loop():
    random = rng(13)
    one, zero = (with_gaps(random, cells, 0.3) for cells in nested_world(random, 0.0, 6, 5, 1, 1, 1))
    expected = slow_pigeonhole(random, one, zero[:, :4], 3000)
    found = hole(pigeonhole(one, zero[:, :4], random, resamples=20_000))
    # sd of a standard deviation of n draws: se / sqrt(2 n) = 1.3% of it; 4 sd
    assert found.se == pytest.approx(expected, rel=0.052)


def test_pigeonhole_of_one_factor_is_the_plain_bootstrap():
    values = rng(14).standard_normal(30)
    found = hole(pigeonhole(values, None, rng(), resamples=20_000))
    # sd of the mean of a draw: sqrt(sum of squares) / T; 4 sd of its estimate, 1 / sqrt(2 B) = .5%
    assert found.se == pytest.approx(values.std() / np.sqrt(30), rel=0.02)
    assert found.n_terms == 1


def test_pigeonhole_variance_errs_upwards_by_the_interaction():
    random = rng(15)
    squares = [
        hole(pigeonhole(crossed_world(random, 20, 20, 0.3, 0.3, 1.0), None, random, resamples=300)).se ** 2
        for _ in range(150)
    ]
    true = 0.09 / 20 + 0.09 / 20 + 1 / 400
    # Owen: (1 - 1/T) (V_T + V_K) + about 3 V_e = (.0086 + .0071) / .0115 = 1.36. Relative sd of one square
    # .25 (from components of 19 df), of their mean .02; 4 sd.
    assert np.mean(squares) / true == pytest.approx(1.34, abs=0.09)


def test_pigeonhole_refuses_what_it_cannot_draw():
    table = np.arange(6.0).reshape(3, 2)
    assert isinstance(pigeonhole([1.0], None, rng()), Undefined)
    assert isinstance(pigeonhole([[1.0], [2.0]], None, rng()), Undefined)
    assert isinstance(pigeonhole(np.full((3, 3), np.nan), None, rng()), Undefined)
    assert isinstance(pigeonhole(table, table[:, :1], rng()), Undefined)
    assert isinstance(pigeonhole(np.ones((4, 4)), None, rng()), Undefined)
    lonely = np.full((4, 4), np.nan)
    lonely[[0, 1], [0, 1]] = 1.0, 2.0
    result = pigeonhole(lonely[:2, :2], None, rng())
    assert isinstance(result, Undefined) and "no comparable cell" in result.reason
    with pytest.raises(ValueError, match="row by row"):
        pigeonhole(table, table[:2], rng())
    with pytest.raises(ValueError, match="resamples"):
        pigeonhole(table, None, rng(), resamples=1)
    with pytest.raises(ValueError, match="infinite"):
        pigeonhole([[np.inf, 1.0], [1.0, 2.0]], None, rng())
    with pytest.raises(ValueError, match="dimension"):
        pigeonhole(np.zeros((2, 2, 2)), None, rng())


def test_pigeonhole_says_how_many_draws_it_left_out():
    cells = np.full((7, 7), np.nan)
    np.fill_diagonal(cells, np.arange(7.0))
    found = pigeonhole(cells, None, rng(), resamples=20_000)
    # A draw is empty if no template drawn meets its term: with 7 and 7 that is some draws in a thousand.
    assert isinstance(found, Pigeonhole)
    assert 0 < found.left_out <= 0.05 * found.resamples
