from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from audit.stats.estimate import Undefined
from audit.stats.shrinkage import paule_mandel, shrink


def rng(seed=1):
    return np.random.default_rng(seed)


def named(n):
    return [f"g{i}" for i in range(n)]


def world(random, n_groups, tau):
    """True values, standard errors from .6 to 1.4, and estimates."""
    truth = tau * random.standard_normal(n_groups)
    ses = random.uniform(0.6, 1.4, n_groups)
    return truth, ses, truth + ses * random.standard_normal(n_groups)


@pytest.mark.parametrize("seed", range(1, 9))
def test_paule_mandel_against_statsmodels(seed):
    _, ses, estimates = world(rng(seed), 4 + seed, 2.0)
    # combine_effects(estimates, ses ** 2): stops within 1e-5 of the root of the estimating equation. With a
    # smaller atol, rounding may take it past the root, where it falls back to 0.
    reference = combine_effects(estimates, ses**2, method_re="iterated")
    assert reference.tau2 > 0.0
    tau2 = paule_mandel(estimates, ses)
    assert tau2 == pytest.approx(reference.tau2, rel=1e-5)
    found = shrink(named(ses.size), estimates, ses, rng(), draws=10)
    assert found.mu == pytest.approx(reference.mean_effect_re, rel=1e-5)
    assert found.mu_se == pytest.approx(reference.sd_eff_w_re, rel=1e-5)
    weights = 1 / (ses**2 + tau2)
    mu = weights @ estimates / weights.sum()
    assert weights @ (estimates - mu) ** 2 == pytest.approx(ses.size - 1, rel=1e-10)


def test_without_more_spread_than_error_tau2_is_0_and_all_are_alike():
    estimates, ses = [0.1, 0.0, -0.1, 0.05], [0.5, 0.6, 0.4, 0.5]
    assert combine_effects(np.array(estimates), np.array(ses) ** 2).tau2 == 0.0
    found = shrink(named(4), estimates, ses, rng())
    assert found.tau2 == 0.0
    assert {row.weight for row in found.groups} == {0.0}
    assert [row.shrunken for row in found.groups] == pytest.approx([found.mu] * 4, abs=1e-15)
    # that tau2 may not be 0 shows in the intervals, and the ranks stay open
    assert all(row.sd > found.mu_se for row in found.groups)
    assert all((row.rank_lo, row.rank_hi) == (1, 4) for row in found.groups)


def test_a_huge_tau2_leaves_the_raw_estimates_and_their_errors():
    estimates, ses = np.array([0.0, 1e5, -2e5, 4e5, 3e4]), np.array([0.5, 1.0, 0.2, 0.7, 0.9])
    found = shrink(named(5), estimates, ses, rng())
    assert [row.shrunken for row in found.groups] == pytest.approx(list(estimates), abs=1e-4)
    assert [row.sd for row in found.groups] == pytest.approx(list(ses), rel=1e-4)
    assert [row.expected_rank for row in found.groups] == [4.0, 2.0, 5.0, 1.0, 3.0]
    assert [(row.p_highest, row.p_lowest) for row in found.groups][2:4] == [(0.0, 1.0), (1.0, 0.0)]


def test_shrunken_means_by_the_formula():
    _, ses, estimates = world(rng(3), 7, 1.5)
    found = shrink(named(7), estimates, ses, rng(), draws=10)
    weight = found.tau2 / (found.tau2 + ses**2)
    assert [row.weight for row in found.groups] == pytest.approx(list(weight))
    expected = weight * estimates + (1 - weight) * found.mu
    assert [row.shrunken for row in found.groups] == pytest.approx(list(expected))
    assert [row.raw for row in found.groups] == list(estimates)
    assert [row.se for row in found.groups] == pytest.approx(list(ses))


@pytest.mark.parametrize("correlated", [False, True])
def test_sd_and_ranks_against_brute_force(correlated):
    """A slow posterior: tau on a fine grid, dense matrices, and one draw at a time of tau, mu, theta."""
    # One very uncertain group: the error of mu then moves it past the others.
    estimates, ses = np.array([-1.0, 0.1, 1.0, 0.3]), np.array([0.1, 0.2, 0.15, 4.0])
    errors = np.diag(ses**2)
    if correlated:
        errors = errors + 0.25
    found = shrink(named(4), estimates, errors, rng(), draws=100_000)
    taus = np.linspace(0.0, 60.0, 12_001)[1:]
    density, means, covariances, ones = [], [], [], np.ones(4)
    for tau in taus:
        precision = np.linalg.inv(errors + tau**2 * np.eye(4))
        total = ones @ precision @ ones
        mu = ones @ precision @ estimates / total
        rest = estimates - mu
        sign, log_det = np.linalg.slogdet(precision)
        assert sign == 1.0
        density.append(0.5 * (log_det - np.log(total) - rest @ precision @ rest))
        away = np.eye(4) - tau**2 * precision
        means.append(mu + tau**2 * precision @ rest)
        covariances.append(tau**2 * away + np.outer(away @ ones, away @ ones) / total)
    chance = np.exp(np.array(density) - max(density))
    chance /= chance.sum()
    shrunken = np.array([row.shrunken for row in found.groups])
    variances = np.array([np.diag(matrix) for matrix in covariances])
    square = chance @ (variances + (np.array(means) - shrunken) ** 2)
    # the two grids integrate the same density with steps of .005 and of 1 / 400 of its own scale
    assert [row.sd for row in found.groups] == pytest.approx(list(np.sqrt(square)), rel=3e-3)
    random, draws = rng(5), 50_000
    which = random.choice(taus.size, size=draws, p=chance)
    roots = {k: np.linalg.cholesky(covariances[k] + 1e-12 * np.eye(4)) for k in set(which.tolist())}
    drawn = np.array([means[k] + roots[k] @ random.standard_normal(4) for k in which.tolist()])
    highest = np.bincount(drawn.argmax(axis=1), minlength=4) / draws
    lowest = np.bincount(drawn.argmin(axis=1), minlength=4) / draws
    # 4 sd of the difference of two simulated shares: 4 sqrt(.25 / 50 000 + .25 / 100 000) = .011
    assert [row.p_highest for row in found.groups] == pytest.approx(list(highest), abs=0.011)
    assert [row.p_lowest for row in found.groups] == pytest.approx(list(lowest), abs=0.011)


def test_standard_errors_and_a_diagonal_covariance_are_the_same():
    _, ses, estimates = world(rng(4), 6, 1.0)
    one = shrink(named(6), estimates, ses, rng(9))
    other = shrink(named(6), estimates, np.diag(ses**2), rng(9))
    assert one == other
    assert np.array_equal(one.rank_probabilities, other.rank_probabilities)


def test_contrasts_with_a_common_rest_have_a_singular_covariance():
    """Means of 6 groups, each minus the mean of the others: they sum to 0, and so do the shrunken ones."""
    random, size = rng(6), 6
    means, ses = 2.0 * random.standard_normal(size), np.full(size, 0.8)
    matrix = (np.eye(size) - np.ones((size, size)) / size) * size / (size - 1)
    contrasts, errors = matrix @ means, matrix @ np.diag(ses**2) @ matrix.T
    assert np.linalg.matrix_rank(errors) == size - 1
    found = shrink(named(size), contrasts, errors, rng())
    assert found.mu == pytest.approx(0.0, abs=1e-9)
    assert sum(row.shrunken for row in found.groups) == pytest.approx(0.0, abs=1e-8)
    # Along every direction but the common one the errors are alike, c^2 = (.8 * 6 / 5)^2: by hand,
    # sum of squares / (tau2 + c^2) = G - 1.
    by_hand = np.sum(contrasts**2) / (size - 1) - (0.8 * size / (size - 1)) ** 2
    assert found.tau2 == pytest.approx(by_hand, rel=1e-6)
    # Ignoring that covariance is not the same analysis.
    apart = shrink(named(size), contrasts, np.sqrt(np.diag(errors)), rng())
    assert abs(apart.tau2 - found.tau2) > 0.1


@given(st.permutations(range(6)), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_the_order_of_groups_is_irrelevant(order, seed):
    _, ses, estimates = world(rng(seed), 6, 1.0)
    labels, order = np.array(named(6)), list(order)
    one = shrink(labels.tolist(), estimates, ses, rng(2), draws=300)
    other = shrink(labels[order].tolist(), estimates[order], ses[order], rng(2), draws=300)
    assert [row.group for row in other.groups] == labels[order].tolist()
    assert {row.group: row for row in one.groups} == {row.group: row for row in other.groups}
    assert np.array_equal(one.rank_probabilities[order], other.rank_probabilities)


@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_a_shift_or_a_new_unit_moves_all_alike(seed, shift, unit):
    _, ses, estimates = world(rng(seed), 5, 1.0)
    one = shrink(named(5), estimates, ses, rng(2), draws=50)
    other = shrink(named(5), unit * estimates + shift, unit * ses, rng(2), draws=50)
    assert other.tau2 == pytest.approx(unit**2 * one.tau2, rel=1e-6, abs=1e-9 * unit**2)
    for a, b in zip(one.groups, other.groups, strict=True):
        assert b.shrunken == pytest.approx(
            unit * a.shrunken + shift, rel=1e-6, abs=1e-6 * (unit + abs(shift))
        )
        assert b.sd == pytest.approx(unit * a.sd, rel=1e-5)


def test_the_rank_table_is_doubly_stochastic_and_agrees_with_its_rows():
    _, ses, estimates = world(rng(8), 8, 1.0)
    found = shrink(named(8), estimates, ses, rng(), draws=4000)
    table = found.rank_probabilities
    assert table.shape == (8, 8)
    assert np.allclose(table.sum(axis=0), 1.0) and np.allclose(table.sum(axis=1), 1.0)
    for row, chances in zip(found.groups, table, strict=True):
        assert (row.p_highest, row.p_lowest) == (chances[0], chances[-1])
        assert row.expected_rank == pytest.approx(chances @ np.arange(1, 9))
        # 95 % between the ranks, and no more than 2.5 % on either side
        assert chances[row.rank_lo - 1 : row.rank_hi].sum() >= 0.95 - 1e-9
        assert chances[: row.rank_lo - 1].sum() <= 0.025 + 1e-9
        assert chances[row.rank_hi :].sum() <= 0.025 + 1e-9
        assert chances[: row.rank_lo].sum() > 0.025 and chances[row.rank_hi - 1 :].sum() > 0.025


def test_shrunken_estimates_are_nearer_the_truth_and_their_intervals_hold_it():
    sets, n_groups = 500, 10
    for tau, gain in ((0.5, 0.5), (1.0, 0.75), (2.0, 0.95)):
        random, raw, drawn, inside = rng(int(10 * tau)), 0.0, 0.0, 0
        for _ in range(sets):
            truth, ses, estimates = world(random, n_groups, tau)
            found = shrink(named(n_groups), estimates, ses, random, draws=1)
            for row, true in zip(found.groups, truth, strict=True):
                raw += (row.raw - true) ** 2
                drawn += (row.shrunken - true) ** 2
                inside += row.lo <= true <= row.hi
        assert drawn / raw < gain
        # Groups of a set share mu and tau2, so 500 sets of 10 count for less than 5000: 3 sd of 1250 at .95
        # are .0185. Intervals are known to hold too much where tau is small.
        assert 0.93 - 0.0185 <= inside / (sets * n_groups) <= (1.0 if tau < 1.0 else 0.97 + 0.0185)


def test_the_chance_to_be_highest_is_a_chance():
    """Of groups given about 70 % to be the highest, about 70 % are."""
    random, said, was = rng(21), [], []
    for _ in range(700):
        truth, ses, estimates = world(random, 5, 1.0)
        found = shrink(named(5), estimates, ses, random, draws=400)
        said += [row.p_highest for row in found.groups]
        was += [bool(place == truth.argmax()) for place in range(5)]
    said, was = np.array(said), np.array(was)
    for lo, hi in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.01)):
        chosen = (said >= lo) & (said < hi)
        expected, n = said[chosen].mean(), chosen.sum()
        # 3 binomial sd, and .05: tau2 is estimated, with a flat prior, from 5 groups
        assert abs(was[chosen].mean() - expected) < 3 * np.sqrt(expected * (1 - expected) / n) + 0.05


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_groups_are_undefined(n):
    found = shrink(named(n), np.arange(float(n)), np.ones(n), rng())
    assert isinstance(found, Undefined)
    assert f"{n} group(s)" in found.reason
    assert isinstance(paule_mandel(np.arange(float(n)), np.ones((n, n))), Undefined)


def test_an_estimate_without_error_is_undefined():
    assert "no error" in shrink(named(3), [1.0, 2.0, 3.0], [0.1, 0.0, 0.1], rng()).reason
    assert "no error" in paule_mandel([1.0, 2.0, 3.0], np.zeros((3, 3))).reason


def test_equal_estimates_are_no_trouble():
    found = shrink(named(3), [2.0, 2.0, 2.0], [0.1, 0.2, 0.3], rng())
    assert (found.tau2, found.mu) == (0.0, pytest.approx(2.0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: shrink(["a", "a", "b"], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], rng()),
        lambda: shrink(["a", "b"], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], rng()),
        lambda: shrink(named(3), [1.0, np.nan, 3.0], [1.0, 1.0, 1.0], rng()),
        lambda: shrink(named(3), [1.0, np.inf, 3.0], [1.0, 1.0, 1.0], rng()),
        lambda: shrink(named(3), [1.0, 2.0, 3.0], [1.0, np.nan, 1.0], rng()),
        lambda: shrink(named(3), [1.0, 2.0, 3.0], [1.0, -1.0, 1.0], rng()),
        lambda: shrink(named(3), [1.0, 2.0, 3.0], [1.0, 1.0], rng()),
        lambda: shrink(named(3), [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], rng(), draws=0),
        lambda: shrink(named(3), [1.0, 2.0, 3.0], [1.0, 1.0, 1.0], rng(), level=95),
        lambda: paule_mandel([1.0, 2.0, 3.0], np.triu(np.ones((3, 3))) + np.eye(3)),
        lambda: paule_mandel([1.0, 2.0, 3.0], np.full((3, 3), 2.0) - np.eye(3)),
        lambda: paule_mandel([1.0, 2.0, 3.0], np.full((3, 3), np.nan)),
        lambda: paule_mandel([1.0, 2.0, 3.0], np.full((3, 3), np.inf)),
    ],
)
def test_impossible_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"must|need|holds|negative"):
        call()
