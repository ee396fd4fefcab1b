from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
import scipy.stats

from audit.stats.resampling import EXACT_LABELLINGS, permute_labels, sign_flips
from audit.stats.signflip import sign_flip


def rng(seed=1):
    return np.random.default_rng(seed)


def scipy_flips(sums):
    """scipy.stats.permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=inf)."""
    return scipy.stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue


def scipy_labels(one, zero, alternative):
    """scipy.stats.permutation_test((one, zero), difference of means, n_resamples=inf)."""

    def difference(x, y, axis):
        return x.mean(axis=axis) - y.mean(axis=axis)

    return scipy.stats.permutation_test(
        (one, zero), difference, n_resamples=np.inf, vectorized=True, alternative=alternative
    ).pvalue


# MEASURES 11, test 3


def test_five_flips_give_what_scipy_and_wilcoxon_give():
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    found = sign_flips([values], rng())
    assert (found.p[0], found.exact, found.resamples) == (0.0625, True, 32)
    assert found.p[0] == scipy_flips(np.array(values))
    assert found.p[0] == scipy.stats.wilcoxon(values, method="exact").pvalue


def test_four_separated_from_four_is_one_in_seventy():
    values, treated = [[5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0]], [1, 1, 1, 1, 0, 0, 0, 0]
    for alternative, p in (("greater", 1 / 70), ("less", 1.0), ("two-sided", 2 / 70)):
        found = permute_labels(values, treated, rng(), alternative=alternative)
        assert (found.exact, found.resamples) == (True, 70)
        assert found.p[0] == pytest.approx(p, abs=1e-15)


def flip_case(random, kind):
    n = int(random.integers(2, 10))
    if kind == "continuous":
        return random.standard_normal(n)
    if kind == "tied":
        # eighths: their sums are exact, so that scipy sees ties at a statistic near 0, too
        return random.integers(-8, 9, n) / 8.0
    # tenths added up in random order: equal sums that differ in their last bits
    return np.array([random.permutation(random.integers(1, 9, 4) / 10.0).sum() for _ in range(n)])


@pytest.mark.parametrize("kind", ["continuous", "tied", "reordered"])
def test_exact_flips_agree_with_scipy_in_200_cases(kind):
    random = rng(len(kind))
    for _ in range(67):
        sums = flip_case(random, kind)
        table = np.stack([sums, random.permutation(sums), -sums])
        found = sign_flips(table, rng())
        assert found.exact
        assert np.abs(found.p - scipy_flips(sums)).max() < 1e-12


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("kind", ["continuous", "tied", "reordered"])
def test_exact_labels_agree_with_scipy_in_200_cases(kind, alternative):
    random = rng(len(kind) + len(alternative))
    for _ in range(23):
        n1, n0 = (int(n) for n in random.integers(2, 5, 2))
        if kind == "reordered":
            values = np.array([random.permutation(random.integers(1, 9, 4)).sum() for _ in range(n1 + n0)])
            values = values / 8.0
        else:
            values = random.standard_normal(n1 + n0)
            values = values if kind == "continuous" else np.round(values)
        treated = random.permutation(np.repeat([1, 0], [n1, n0]))
        found = permute_labels(np.stack([values, 1e6 + values]), treated, rng(), alternative=alternative)
        expected = scipy_labels(values[treated == 1], values[treated == 0], alternative)
        assert found.exact
        assert np.abs(found.p - expected).max() < 1e-12


# Drawn patterns


def test_drawn_flips_are_near_the_exact_ones():
    random = rng(3)
    sums = np.concatenate([random.standard_normal((40, 18)) + 0.3, np.zeros((40, 4))], axis=1)
    exact = sign_flips(sums[:, :18], rng())
    drawn = sign_flips(sums, rng(), resamples=20_000)  # clusters of 0 leave the distribution as it is
    assert (exact.exact, drawn.exact, drawn.resamples) == (True, False, 20_000)
    # 4.5 binomial sd of 20 000 draws: 40 comparisons exceed that with probability 3e-4; 1e-4 for the added 1
    bound = 4.5 * np.sqrt(exact.p * (1 - exact.p) / 20_000) + 1e-4
    assert (np.abs(drawn.p - exact.p) <= bound).all()
    assert np.unique(exact.p).size == 40


def test_drawn_labels_are_near_the_exact_ones():
    random = rng(5)
    treated = np.arange(18) % 2
    values = random.standard_normal((30, 18)) + 0.5 * treated
    exact = permute_labels(values, treated, rng(), alternative="greater")
    # four units more that hold nothing: 22 units have 705 432 labellings, so they are drawn
    more = np.concatenate([values, np.full((30, 4), np.nan)], axis=1)
    drawn = permute_labels(more, np.arange(22) % 2, rng(), alternative="greater", resamples=20_000)
    assert (exact.exact, exact.resamples, drawn.exact) == (True, 48_620, False)
    assert (drawn.n_units == 18).all()
    assert drawn.statistic == pytest.approx(exact.statistic, abs=1e-12)
    # Group sizes now vary from draw to draw, so p differs a little from the exact one with fixed sizes:
    # .02 beside 4.5 binomial sd of 20 000 draws.
    assert (np.abs(drawn.p - exact.p) <= 4.5 * np.sqrt(exact.p * (1 - exact.p) / 20_000) + 0.02).all()


def test_drawn_labels_of_complete_data_are_near_scipys():
    random = rng(6)
    values = random.standard_normal((3, 30)) + np.repeat([0.5, 0.0], [12, 18])
    found = permute_labels(values, np.repeat([1, 0], [12, 18]), rng(), resamples=20_000)
    assert not found.exact
    for row, p in zip(values, found.p, strict=True):
        expected = scipy.stats.permutation_test(
            (row[:12], row[12:]),
            lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
            n_resamples=20_000,
            vectorized=True,
            rng=random,
        ).pvalue
        # two-sided p is twice a share: sd of the difference is 2 sqrt(2 q (1 - q) / 20 000), q = p / 2
        assert abs(p - expected) <= 4 * 2 * np.sqrt(2 * (p / 2) * (1 - p / 2) / 20_000)


def test_drawn_groups_keep_their_sizes():
    values = np.zeros((1, 60))
    values[0, 0] = 1000.0
    found = permute_labels(values, np.arange(60) < 4, rng(), alternative="greater", resamples=20_000)
    # The outlier is in the group of 4 in 4 of 60 labellings; 4 binomial sd of 20 000 draws: .0071
    assert not found.exact
    assert found.p[0] == pytest.approx(4 / 60, abs=0.0071)


def test_a_drawn_p_is_never_zero():
    assert sign_flips(np.ones((1, 60)), rng(), resamples=99).p[0] == 0.01
    values = np.repeat([5.0, 0.0], 30)[None, :] + np.linspace(0, 1, 60)
    assert permute_labels(values, np.repeat([1, 0], 30), rng(), resamples=99).p[0] == 0.02
    assert (
        permute_labels(values, np.repeat([1, 0], 30), rng(), resamples=99, alternative="greater").p[0] == 0.01
    )


def test_comparisons_share_their_draws_and_chunks_change_nothing():
    table = rng(8).standard_normal((5, 30))
    together = sign_flips(table[[0, 1, 0]], rng(2), resamples=5000)
    assert together.p[0] == together.p[2]
    # 9 cells a column: several chunks at 300 comparisons, one at 5; each of them follows the same law
    many = sign_flips(np.repeat(table, 60, axis=0), rng(2), resamples=5000)
    assert (many.p.reshape(5, 60) == many.p.reshape(5, 60)[:, :1]).all()


def test_false_alarms_come_at_the_nominal_rate():
    random = rng(2031)
    flips = sign_flips(random.standard_normal((2000, 30)), random, resamples=999)
    labels = permute_labels(random.standard_normal((2000, 30)), np.arange(30) % 2, random, resamples=999)
    for found in (flips, labels):
        # binomial of 2000 at .05: sd .0049. The shared draws move all thresholds together, sd .0069 for a
        # 5% tail of 999 draws; 3 joint sd: .025
        assert abs(np.mean(found.p <= 0.05) - 0.05) <= 0.025


def test_memory_stays_bounded():
    values = rng(14).standard_normal((300, 40))
    for test in (
        lambda: sign_flips(values, rng(), resamples=100_000),
        lambda: permute_labels(values, np.arange(40) % 2, rng(), resamples=100_000),
    ):
        tracemalloc.start()
        test()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # all statistics at once would be 300 x 100 000 doubles, 240 MB
        assert peak < 50e6


# Missing values


def test_a_missing_cluster_adds_nothing_to_its_comparison_only():
    table = rng(4).standard_normal((2, 8))
    gap = table.copy()
    gap[0, 3] = np.nan
    found = sign_flips(gap, rng())
    assert found.p[0] == sign_flip(np.delete(table[0], 3), np.arange(7), rng()).p
    assert found.p[1] == sign_flip(table[1], np.arange(8), rng()).p
    assert found.n_units.tolist() == [7, 8]
    assert found.statistic[0] == pytest.approx(np.delete(table[0], 3).sum(), rel=1e-12)


def test_labels_with_a_missing_unit_against_a_slow_loop():
    values = np.array([2.0, np.nan, 1.5, 0.3, -0.2, 0.9, np.nan])
    treated = np.array([1, 1, 1, 0, 0, 0, 0])
    observed = values[:3][[0, 2]].mean() - values[3:6].mean()
    hits = 0
    for chosen in itertools.combinations(range(7), 3):
        one = [values[i] for i in chosen if not np.isnan(values[i])]
        zero = [values[i] for i in range(7) if i not in chosen and not np.isnan(values[i])]
        hits += not one or not zero or sum(one) / len(one) - sum(zero) / len(zero) >= observed - 1e-12
    found = permute_labels(values[None, :], treated, rng(), alternative="greater")
    assert found.p[0] == hits / 35
    assert found.statistic[0] == pytest.approx(observed, rel=1e-12)


def test_a_labelling_that_empties_a_group_makes_p_larger():
    # Only units 0 and 3 hold values: 4 of the 20 labellings of 6 units separate them as observed...
    values = np.array([[1.0, np.nan, np.nan, 0.0, np.nan, np.nan]])
    found = permute_labels(values, [1, 1, 1, 0, 0, 0], rng(), alternative="greater")
    separate = sum((0 in c) and (3 not in c) for c in itertools.combinations(range(6), 3))
    together = sum((0 in c) == (3 in c) for c in itertools.combinations(range(6), 3))
    assert found.p[0] == (separate + together) / 20


def test_no_data_gives_no_p_value():
    nothing = np.full((1, 4), np.nan)
    found = sign_flips(nothing, rng())
    assert np.isnan(found.p[0]) and np.isnan(found.statistic[0]) and found.n_units[0] == 0
    one_sided = [[1.0, 2.0, np.nan, np.nan]]
    assert np.isnan(permute_labels(one_sided, [1, 1, 0, 0], rng()).p[0])
    assert np.isnan(permute_labels(one_sided, [1, 1, 0, 0], rng()).statistic[0])
    assert sign_flips(np.empty((0, 5)), rng()).p.shape == (0,)


def test_no_spread_is_no_evidence():
    assert sign_flips(np.zeros((1, 30)), rng(), resamples=99).p[0] == 1.0
    assert permute_labels(np.full((1, 8), 0.1), np.arange(8) % 2, rng()).p[0] == 1.0
    assert sign_flips([[0.1, 0.2, -0.3]], rng()).p[0] == 1.0  # 5.6e-17 is rounding


def test_few_units_can_prove_little():
    assert sign_flips([[1.0]], rng()).p[0] == 1.0
    assert sign_flips([[1.0, 1.0]], rng()).p[0] == 0.5
    assert permute_labels([[1.0, 0.0]], [1, 0], rng()).p[0] == 1.0


def test_units_up_to_ten_against_ten_are_exact():
    assert (
        permute_labels(rng().random((1, 20)), np.arange(20) % 2, rng()).resamples
        == 184_756
        < EXACT_LABELLINGS
    )
    assert not permute_labels(rng().random((1, 21)), np.arange(21) % 2, rng(), resamples=9).exact


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="resamples"):
        sign_flips([[1.0]], rng(), resamples=0)
    with pytest.raises(ValueError, match="infinite"):
        sign_flips([[np.inf]], rng())
    with pytest.raises(ValueError, match="dimension"):
        sign_flips([1.0], rng())
    with pytest.raises(ValueError, match="treated"):
        permute_labels([[1.0, 2.0]], [1], rng())
    with pytest.raises(ValueError, match="treated"):
        permute_labels([[1.0, 2.0]], [1, 2], rng())
    with pytest.raises(ValueError, match="at least one unit"):
        permute_labels([[1.0, 2.0]], [1, 1], rng())
    with pytest.raises(ValueError, match="alternative"):
        permute_labels([[1.0, 2.0]], [1, 0], rng(), alternative="upper")
