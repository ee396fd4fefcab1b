from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from null_worlds import SETS, crossed_world, defined, long_table, nested_world, with_gaps
from statsmodels.stats.anova import anova_lm

from audit.stats.contrast import Undefined, cell_means, crossed, nested, sandwich, single
from audit.stats.estimate import Contrast
from audit.stats.sandwich import mean_sandwich

ESTIMATORS = {"nested": nested, "crossed": crossed, "single": single}
GOLDENS = json.loads((Path(__file__).parents[1] / "cases" / "stats_contrasts.json").read_text())["cases"]


def rng(seed=7):
    return np.random.default_rng(seed)


# Goldens


@pytest.mark.parametrize("case", GOLDENS, ids=[case["name"] for case in GOLDENS])
def test_golden(case):
    data = [np.array(table, dtype=float) for table in case["data"]]
    result = defined(ESTIMATORS[case["estimator"]](*data))
    for key in ("estimate", "se", "df"):
        assert getattr(result, key) == pytest.approx(case[key], rel=1e-12, abs=1e-14), key
    for key in ("n_obs", "n_templates", "n_terms"):
        assert getattr(result, key) == case[key], key
    assert dict(result.components) == pytest.approx(case["components"], rel=1e-12, abs=1e-14)


# References


def test_single_is_the_paired_t_test():
    x = rng().standard_normal(23)
    result = defined(single(x))
    # scipy.stats.ttest_1samp(x, 0).confidence_interval(.9)
    reference = scipy.stats.ttest_1samp(x, 0)
    assert result.t == pytest.approx(reference.statistic, rel=1e-12)
    assert result.p_value() == pytest.approx(reference.pvalue, rel=1e-10)
    assert result.ci(0.9) == pytest.approx(tuple(reference.confidence_interval(0.9)), rel=1e-12)


def test_interaction_is_that_of_the_analysis_of_variance():
    import pandas as pd

    group1, group0 = nested_world(rng(), n_templates=5, n_terms=4)
    expected = 0.0
    for group in (group1, group0):
        row, column = np.indices(group.shape)
        frame = pd.DataFrame({"y": group.ravel(), "row": row.ravel(), "column": column.ravel()})
        # statsmodels: anova_lm(ols("y ~ C(row) + C(column)").fit()), residual mean square
        table = anova_lm(sm.OLS.from_formula("y ~ C(row) + C(column)", frame).fit())
        expected += table.loc["Residual", "mean_sq"] / (5 * 4)
    assert defined(nested(group1, group0)).components["V_e"] == pytest.approx(expected, rel=1e-10)


def test_nested_against_a_slow_loop():
    group1, group0 = nested_world(rng(3), n_templates=6, n_terms=5)
    group0 = group0[:, :4]
    gaps = [sum(a) / len(a) - sum(b) / len(b) for a, b in zip(group1.tolist(), group0.tolist(), strict=True)]
    v_n = 0.0
    for group in (group1, group0):
        columns = [sum(column) / len(column) for column in zip(*group.tolist(), strict=True)]
        centre = sum(columns) / len(columns)
        v_n += sum((c - centre) ** 2 for c in columns) / (len(columns) - 1) / len(columns)
    centre = sum(gaps) / 6
    result = defined(nested(group1, group0))
    assert result.estimate == pytest.approx(centre, rel=1e-12)
    assert result.components["V_T"] == pytest.approx(sum((g - centre) ** 2 for g in gaps) / 5 / 6, rel=1e-12)
    assert result.components["V_N"] == pytest.approx(v_n, rel=1e-12)


def cluster_ols(y, treated, template, term):
    """statsmodels: OLS(y - template mean, treated - template mean).fit(cov_type="cluster", 2 columns)."""

    def demeaned(x):
        return x - (np.bincount(template, x) / np.bincount(template))[template]

    groups = np.column_stack([template, np.unique(term, return_inverse=True)[1]])
    fit = sm.OLS(demeaned(y), demeaned(treated)[:, None]).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    return float(fit.params[0]), float(fit.bse[0] ** 2)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
def test_sandwich_is_cameron_gelbach_miller(share):
    random = rng(11)
    floored = 0
    for _ in range(5):
        table = long_table(*(with_gaps(random, g, share) for g in nested_world(random, 0.2, 9, 7, 1, 1, 1)))
        estimate, variance = cluster_ols(*table)
        result = defined(sandwich(*table))
        assert result.estimate == pytest.approx(estimate, abs=1e-12)
        parts = result.components
        assert parts["V_T"] + parts["V_N"] - parts["V_e"] == pytest.approx(variance, rel=1e-10)
        assert result.se**2 == pytest.approx(max(variance, parts["V_T"], parts["V_N"]), rel=1e-12)
        floored += result.se**2 > variance * (1 + 1e-9)
    assert floored < 5  # the sum itself is compared at least once


@pytest.mark.parametrize(("size", "sets", "low", "high"), [(20, 20, 1.08, 1.11), (60, 3, 1.02, 1.04)])
def test_nested_variance_exceeds_the_uncorrected_sandwich(size, sets, low, high):
    # MEASURES 11 test 14: 1.08-1.10 at T = N = 20 and 1.03 at 60. Algebra: 1 / (1 - 1/T) times a mean of
    # 1 / (1 - 1/2N) and 1 / (1 - 1/N), so between 1.080 and 1.108 at 20.
    ratios = []
    for seed in range(sets):
        groups = nested_world(rng(seed), n_templates=size, n_terms=size)
        estimate, variance = cluster_ols(*long_table(*groups))
        ours = defined(nested(*groups))
        assert ours.estimate == pytest.approx(estimate, abs=1e-12)
        parts = ours.components
        ratios.append((parts["V_T"] + parts["V_N"] - parts["V_e"]) / variance)
    assert low <= min(ratios)
    assert max(ratios) <= high


def test_without_gaps_the_sandwich_of_differences_is_crossed_exactly():
    for seed in range(20):
        cells = crossed_world(rng(seed), 4 + seed % 5, 3 + seed % 4)
        closed, open_ = defined(crossed(cells)), defined(mean_sandwich(cells))
        assert open_.estimate == pytest.approx(closed.estimate, rel=1e-12)
        if closed.components["V_T"] + closed.components["V_K"] > closed.components["V_e"]:
            assert open_.se == pytest.approx(closed.se, rel=1e-10)
            assert open_.df == pytest.approx(closed.df, rel=1e-8)


def test_one_missing_cell_changes_the_interval_little():
    # Without the correction for few clusters the first gap would narrow the interval by about 5 %.
    ratios = []
    for seed in range(30):
        group1, group0 = nested_world(rng(seed))
        whole = defined(nested(group1, group0))
        group1[3, 4] = np.nan
        part = defined(nested(group1, group0))
        assert part.n_obs == whole.n_obs - 1
        assert "sandwich" in part.method
        ratios.append(part.se / whole.se)
    assert min(ratios) > 0.97
    assert 0.99 < np.mean(ratios) < 1.03


# Invariants


def same(left, right, *, sign=1.0):
    assert left.estimate == pytest.approx(sign * right.estimate, rel=1e-10, abs=1e-12)
    assert left.se == pytest.approx(right.se, rel=1e-10)
    assert left.df == pytest.approx(right.df, rel=1e-8)
    assert (left.n_obs, left.n_templates, left.n_terms) == (right.n_obs, right.n_templates, right.n_terms)


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_order_of_templates_and_terms_is_irrelevant(share):
    random = rng(5)
    group1, group0 = (with_gaps(random, group, share) for group in nested_world(random))
    rows, columns = random.permutation(20), random.permutation(20)
    same(defined(nested(group1[rows][:, columns], group0[rows])), defined(nested(group1, group0)))
    cells = with_gaps(random, crossed_world(random), share)
    same(defined(crossed(cells[rows][:, columns])), defined(crossed(cells)))
    y, treated, template, term = long_table(group1, group0)
    order = random.permutation(y.size)
    same(
        defined(sandwich(y[order], treated[order], template[order], term[order])),
        defined(sandwich(y, treated, template, term)),
    )


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_swapping_the_groups_flips_the_sign_exactly(share):
    for seed in range(20):
        random = rng(seed)
        group1, group0 = (with_gaps(random, g, share) for g in nested_world(random, 0.3, 7, 6))
        one, other = defined(nested(group1, group0)), defined(nested(group0, group1))
        assert one.estimate == -other.estimate
        assert one.se == pytest.approx(other.se, rel=1e-12)
        assert one.p_value() == pytest.approx(other.p_value(), rel=1e-10)
        cells = with_gaps(random, crossed_world(random, 7, 6), share)
        assert defined(crossed(cells)).estimate == -defined(crossed(-cells)).estimate
        y, treated, template, term = long_table(group1, group0)
        assert (
            defined(sandwich(y, treated, template, term)).estimate
            == -defined(sandwich(y, 1 - treated, template, term)).estimate
        )


def test_a_constant_added_to_all_scores_changes_nothing():
    group1, group0 = nested_world(rng(8), 0.4, 6, 5)
    same(defined(nested(group1 + 50.0, group0 + 50.0)), defined(nested(group1, group0)))


def test_planted_difference_is_recovered():
    group1, group0 = nested_world(rng(8), 0.0, 6, 5)
    shift = defined(nested(group1 + 0.25, group0)).estimate - defined(nested(group1, group0)).estimate
    assert shift == pytest.approx(0.25, abs=1e-12)


def test_a_group_blind_model_gives_exactly_zero():
    # Scores that depend on the template only; 7 and 9 terms, so that means round differently.
    by_template = rng().standard_normal((12, 1)) / 3.0
    for group1, group0 in [
        (np.repeat(by_template, 7, axis=1), np.repeat(by_template, 9, axis=1)),
        (np.full((12, 7), 0.1), np.full((12, 9), 0.1)),
    ]:
        missing = group1.copy()
        missing[2, 3] = np.nan
        for result in (defined(nested(group1, group0)), defined(nested(missing, group0))):
            assert (result.estimate, result.se, result.p_value()) == (0.0, 0.0, 1.0)
            assert result.ci(0.95) == (0.0, 0.0)
            assert result.degenerate


def test_no_spread_is_not_taken_for_proof():
    few = defined(single([0.3, 0.3, 0.3]))
    assert few.degenerate
    assert few.p_value() == 0.25  # 2 / 2^3: no sign flip of three equal values is more extreme
    assert few.ci(0.95) == (few.estimate, few.estimate)
    assert few.t == math.inf
    assert defined(crossed(np.full((8, 3), 0.3))).p_value() == 0.25
    # 2 / C(4, 2): two terms a group
    assert defined(nested(np.full((9, 2), 1.3), np.full((9, 2), 1.0))).p_value() == pytest.approx(1 / 3)


def test_repeating_rows_does_not_shrink_the_interval():
    group1, group0 = nested_world(rng(4), n_templates=8, n_terms=6)
    y, treated, template, term = long_table(group1, group0)
    once = defined(sandwich(y, treated, template, term))
    many = defined(sandwich(*(np.repeat(column, 5) for column in (y, treated, template, term))))
    assert many.estimate == pytest.approx(once.estimate, abs=1e-12)
    assert many.se == pytest.approx(once.se, rel=1e-12)
    assert many.df == once.df
    matrices = []
    for group in (1, 0):
        rows = np.repeat(np.flatnonzero(treated == group), 5)
        matrices.append(cell_means(y[rows], template[rows], term[rows]))
    same(defined(nested(*matrices)), defined(nested(group1, group0)))


# Missing cells and what cannot be had


def test_cell_means_places_labels_and_keeps_gaps():
    table = cell_means(
        [1.0, np.nan, 4.0, 6.0, np.nan],
        ["a", "a", "b", "b", "c"],
        ["x", "x", "y", "y", "x"],
        templates=["c", "b", "a", "d"],
        terms=["y", "x"],
    )
    expected = [[np.nan, np.nan], [5.0, np.nan], [np.nan, 1.0], [np.nan, np.nan]]
    np.testing.assert_array_equal(table, expected)


def test_cells_that_tell_nothing_are_not_counted():
    group1, group0 = nested_world(rng(1), n_templates=6, n_terms=5)
    group1[2, :] = np.nan  # no contrast in this template
    result = defined(nested(group1, group0))
    assert (result.n_templates, result.n_obs) == (5, 50)
    kept = [0, 1, 3, 4, 5]
    assert result.estimate == pytest.approx(defined(nested(group1[kept], group0[kept])).estimate, abs=1e-12)


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (nested([[1.0, 2.0]], [[1.0, 2.0]]), "1 template"),
        (nested([[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]]), "1 and 2 term"),
        (nested(np.full((3, 2), np.nan), np.ones((3, 2))), "0 template"),
        (nested([[1.0, np.nan], [2.0, np.nan]], [[1.0, 2.0], [3.0, 5.0]]), "1 and 2 term"),
        (nested(np.empty((0, 2)), np.empty((0, 2))), "0 template"),
        (crossed([[1.0, 2.0]]), "1 template"),
        (crossed([[1.0], [2.0]]), "1 second-factor"),
        (crossed(np.full((3, 3), np.nan)), "0 template"),
        (crossed([[1.0, np.nan], [2.0, np.nan]]), "1 second-factor"),
        (single([1.0, np.nan]), "1 paired"),
        (single([]), "0 paired"),
        (sandwich([], [], [], []), "0 template"),
    ],
)
def test_undefined_says_why(result, word):
    assert isinstance(result, Undefined)
    assert word in result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nested([[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]), "row by row"),
        (lambda: nested([1.0], [2.0]), "dimension"),
        (lambda: crossed([[1.0, -np.inf]]), "infinite"),
        (lambda: sandwich([1.0, 2.0], [1, 2], [1, 1], [1, 2]), "treated"),
        (lambda: sandwich([1.0, 2.0], [1, 0], [1], [1, 2]), "same length"),
        (lambda: single([1.0, 2.0, 3.0]).ci(95), "level"),
        (lambda: Contrast(math.nan, 1.0, 1.0, "", 1, 1, 1), "estimate"),
        (lambda: Contrast(0.0, -1.0, 1.0, "", 1, 1, 1), "se"),
        (lambda: Contrast(0.0, 1.0, 0.5, "", 1, 1, 1), "df"),
        (lambda: cell_means([1.0], ["a"], ["x"], templates=["b"]), "not in the list"),
        (lambda: cell_means([1.0], ["a"], ["x"], templates=["a", "a"]), "twice"),
        (lambda: cell_means([1.0], ["a", "b"], ["x"]), "same length"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Honesty: no bias, no claim


def rejections(p_values):
    return float(np.mean(np.array(p_values) < 0.05))


def test_null_rejection_of_nested():
    random, ours, naive = rng(2026), [], []
    for _ in range(SETS):
        group1, group0 = nested_world(random)
        ours.append(defined(nested(group1, group0)).p_value())
        naive.append(scipy.stats.ttest_ind(group1.ravel(), group0.ravel()).pvalue)
    # .05 -1.8 sd / +2.3 sd of a binomial of 400 (MEASURES 11 test 1); rows as units prove that the test bites
    assert 0.03 <= rejections(ours) <= 0.075
    assert rejections(naive) > 0.20


def test_null_rejection_with_a_tenth_of_the_cells_missing():
    random, ours, corrected, naive = rng(2027), [], [], []
    for _ in range(SETS):
        group1, group0 = (with_gaps(random, group) for group in nested_world(random))
        table = long_table(group1, group0)
        ours.append(defined(sandwich(*table)).p_value())
        corrected.append(defined(nested(group1, group0)).p_value())
        naive.append(scipy.stats.ttest_ind(table[0][table[1] == 1], table[0][table[1] == 0]).pvalue)
    # bounds as above; 1500 sets give .059 and .052
    assert 0.03 <= rejections(ours) <= 0.075
    assert 0.03 <= rejections(corrected) <= 0.075
    assert rejections(naive) > 0.20


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_null_rejection_of_crossed(share):
    random, ours, naive = rng(2029), [], []
    for _ in range(SETS):
        cells = with_gaps(random, crossed_world(random), share)
        ours.append(defined(crossed(cells)).p_value())
        naive.append(scipy.stats.ttest_1samp(cells[~np.isnan(cells)], 0.0).pvalue)
    assert 0.03 <= rejections(ours) <= 0.075
    assert rejections(naive) > 0.20


def test_intervals_cover_a_planted_difference():
    random, covered = rng(2030), 0
    for _ in range(SETS):
        lo, hi = defined(nested(*nested_world(random, 0.5))).ci(0.95)
        covered += lo <= 0.5 <= hi
    # .95 - 2.3 sd and + 2.8 sd of a binomial of 400
    assert 0.925 <= covered / SETS <= 0.98
