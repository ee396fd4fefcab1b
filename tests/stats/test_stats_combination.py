"""Linear combinations of groups: interactions of two axes, and a group against the average of all."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.api as sm
from null_worlds import defined, nested_world, with_gaps

from audit.stats.combination import combination, equivalent_design
from audit.stats.contrast import Undefined, nested
from audit.stats.planning import DesignSds, design_se

INTERACTION = (1.0, -1.0, -1.0, 1.0)
SETS = 1000
"""Data sets for each rejection rate; at a rate of .05 the binomial sd is sqrt(.05 * .95 / 1000) = .0069."""
LOWEST, HIGHEST = 0.025, 0.071
""".05 + 3 sd above. Below, the rate aimed at is .042 (4000 other sets; V is never taken to be smaller than
either of its parts), less 2.7 sd of .0063."""


def rng(seed=7):
    return np.random.default_rng(seed)


def overall(n_groups):
    """The first group against the average of all, itself included."""
    return [float(place == 0) - 1 / n_groups for place in range(n_groups)]


def world(random, sizes=(12,) * 4, n_templates=9, template=0.3, term=0.3, residual=1.0):
    """Groups of scores without any difference, from the crossed model of MEASURES 7.2."""
    groups = []
    for size in sizes:
        cells = residual * random.standard_normal((n_templates, size))
        cells += template * random.standard_normal((n_templates, 1))
        groups.append(cells + term * random.standard_normal((1, size)))
    return groups


def rejections(p_values):
    return float(np.mean(np.array(p_values) < 0.05))


# References


@pytest.mark.parametrize("sizes", [(5, 5), (7, 4), (2, 12)])
def test_two_groups_make_the_nested_contrast_exactly(sizes):
    for seed in range(20):
        one, zero = nested_world(rng(seed), 0.3, 6, 12)
        one, zero = one[:, : sizes[0]], zero[:, : sizes[1]]
        ours, theirs = defined(combination([one, zero], [1, -1])), defined(nested(one, zero))
        for name in ("estimate", "se", "df", "components", "n_obs", "n_templates", "n_terms", "smallest_p"):
            assert getattr(ours, name) == getattr(theirs, name), name


def test_two_groups_with_missing_cells_make_the_sandwich():
    random = rng(11)
    for _ in range(20):
        one, zero = (with_gaps(random, group, 0.3) for group in nested_world(random, 0.3, 7, 6))
        one[2] = np.nan  # a template with answers for one group only
        ours, theirs = defined(combination([one, zero[:, :4]], [1, -1])), defined(nested(one, zero[:, :4]))
        assert ours.estimate == pytest.approx(theirs.estimate, abs=1e-12)
        assert (ours.se, ours.df) == pytest.approx((theirs.se, theirs.df), rel=1e-9)
        assert (ours.n_obs, ours.n_templates, ours.n_terms) == (
            theirs.n_obs,
            theirs.n_templates,
            theirs.n_terms,
        )


def test_an_interaction_against_a_slow_loop():
    groups = world(rng(3), (5, 4, 3, 6), 6)
    by_template, v_n, v_e = [0.0] * 6, 0.0, 0.0
    for coefficient, group in zip(INTERACTION, groups, strict=True):
        rows, n = group.tolist(), group.shape[1]
        row_means = [sum(row) / n for row in rows]
        column_means = [sum(column) / 6 for column in zip(*rows, strict=True)]
        centre = sum(row_means) / 6
        by_template = [b + coefficient * m for b, m in zip(by_template, row_means, strict=True)]
        v_n += sum((c - centre) ** 2 for c in column_means) / (n - 1) / n
        left = [
            (rows[t][k] - row_means[t] - column_means[k] + centre) ** 2 for t in range(6) for k in range(n)
        ]
        v_e += sum(left) / ((6 - 1) * (n - 1)) / (6 * n)
    estimate = sum(by_template) / 6
    v_t = sum((b - estimate) ** 2 for b in by_template) / 5 / 6
    result = defined(combination(groups, INTERACTION))
    assert result.estimate == pytest.approx(estimate, rel=1e-12)
    assert dict(result.components) == pytest.approx({"V_T": v_t, "V_N": v_n, "V_e": v_e}, rel=1e-12)
    assert result.se**2 == pytest.approx(max(v_t + v_n - v_e, v_t, v_n), rel=1e-12)
    assert (result.n_obs, result.n_templates, result.n_terms) == (6 * 18, 6, 18)


@pytest.mark.parametrize("coefficients", [INTERACTION, tuple(overall(4))])
def test_missing_cells_are_read_by_two_way_clustered_least_squares(coefficients):
    random = rng(5)
    for _ in range(5):
        groups = [with_gaps(random, group, 0.25) for group in world(random, (6, 5, 7, 6), 8)]
        long = [
            (group[t, k], t, place, f"{place}-{k}")
            for place, group in enumerate(groups)
            for t, k in np.argwhere(~np.isnan(group))
        ]
        frame = pd.DataFrame(long, columns=["y", "template", "group", "term"])
        # statsmodels: OLS(y ~ C(template) + C(group)).fit(cov_type="cluster", two columns, no correction)
        fit = sm.OLS.from_formula("y ~ C(template) + C(group)", frame).fit(
            cov_type="cluster",
            cov_kwds={
                "groups": np.column_stack([frame["template"], pd.factorize(frame["term"])[0]]),
                "use_correction": False,
            },
        )
        names = [f"C(group)[T.{place}]" for place in range(1, 4)]
        contrast = np.array(coefficients[1:])  # the first group is the baseline; coefficients sum to 0
        covariance = fit.cov_params().loc[names, names].to_numpy()
        result = defined(combination(groups, coefficients))
        assert result.estimate == pytest.approx(float(contrast @ fit.params[names]), abs=1e-10)
        # the correction for few clusters, taken off again: 8 templates, and 5 terms in the smallest group
        total = sum(result.components[name] * sign for name, sign in (("V_T", 1), ("V_N", 1), ("V_e", -1)))
        assert total / (8 / 7 * 5 / 4) == pytest.approx(float(contrast @ covariance @ contrast), rel=1e-8)
        assert result.n_obs == len(frame)


def test_one_missing_cell_changes_the_interval_little():
    # The uncorrected sandwich would be narrower by sqrt((1 - 1/9)(1 - 1/12)), about 10 %.
    ratios = []
    for seed in range(60):
        groups = world(rng(seed))
        whole = defined(combination(groups, INTERACTION))
        groups[1][3, 4] = np.nan
        part = defined(combination(groups, INTERACTION))
        assert part.n_obs == whole.n_obs - 1
        assert "sandwich" in part.method
        ratios.append(part.se / whole.se)
    assert 0.97 < np.mean(ratios) < 1.05


# What a combination means


def test_what_each_axis_adds_alone_is_no_interaction():
    cells = world(rng(2), (4, 4, 4, 4), 5)
    plain = defined(combination(cells, INTERACTION))
    race, gender = 3.0, -2.0
    shifted = [cells[0] + race + gender, cells[1] + gender, cells[2] + race, cells[3]]
    moved = defined(combination(shifted, INTERACTION))
    assert moved.estimate == pytest.approx(plain.estimate, abs=1e-12)
    assert moved.se == pytest.approx(plain.se, rel=1e-9)
    shifted[0] = shifted[0] + 0.5
    assert defined(combination(shifted, INTERACTION)).estimate == pytest.approx(plain.estimate + 0.5)


def test_against_the_average_of_all_is_a_share_of_against_the_rest():
    # 1 - 1/G and -1/G each are (1 - 1/G) times 1 and -1/(G - 1)
    groups = world(rng(4), (5, 6, 7), 8)
    rest = defined(combination(groups, [1.0, -0.5, -0.5]))
    average = defined(combination(groups, overall(3)))
    assert average.estimate == pytest.approx(2 / 3 * rest.estimate, rel=1e-12)
    assert average.se == pytest.approx(2 / 3 * rest.se, rel=1e-12)
    assert average.p_value() == pytest.approx(rest.p_value(), rel=1e-9)


def test_a_group_of_no_weight_is_left_out():
    groups = world(rng(4), (5, 6, 7), 8)
    groups[1][:] = np.nan
    with_it, without = combination(groups, [1, 0, -1]), combination([groups[0], groups[2]], [1, -1])
    assert with_it == without


# Degenerate inputs


def test_scores_that_depend_on_the_template_only_give_exactly_zero():
    by_template = rng().standard_normal((9, 1)) / 3.0
    for coefficients in (INTERACTION, overall(4)):
        groups = [np.repeat(by_template, size, axis=1) for size in (7, 9, 5, 12)]
        result = defined(combination(groups, coefficients))
        assert (result.estimate, result.se, result.p_value()) == (0.0, 0.0, 1.0)
        groups[2][1, 1] = np.nan
        result = defined(combination(groups, coefficients))
        assert (result.estimate, result.se, result.p_value()) == (0.0, 0.0, 1.0)


def test_no_spread_is_not_taken_for_proof():
    result = defined(combination([np.full((8, 2), value) for value in (1.0, 0.0, 0.0, 0.0)], INTERACTION))
    assert result.degenerate
    # 2 / C(8, 4): two cells count for, two against; larger than 2 / 2^8 from flipping templates
    assert result.p_value() == pytest.approx(2 / 70)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ([(0, 3)] * 4, "0 template"),
        ([(1, 3)] * 4, "1 template"),
        ([(5, 3), (5, 3), (5, 1), (5, 3)], "3, 3, 1, 3 term"),
        ([(5, 3), (5, 3), (5, 0), (5, 3)], "3, 3, 0, 3 term"),
    ],
)
def test_too_little_is_undefined_with_its_reason(shapes, reason):
    result = combination([np.zeros(shape) for shape in shapes], INTERACTION)
    assert isinstance(result, Undefined)
    assert reason in result.reason


def test_two_templates_and_two_terms_are_the_least():
    result = defined(combination(world(rng(1), (2,) * 4, 2), INTERACTION))
    assert result.df >= 1.0
    assert result.n_obs == 16


def test_groups_that_share_no_template_are_undefined():
    groups = world(rng(1), (4,) * 4, 8)
    for place, group in enumerate(groups):
        group[slice(0, 4) if place < 2 else slice(4, 8)] = np.nan
    # the first two meet only each other, and so do the last two
    result = combination(groups, [1, 1, -1, -1])
    assert isinstance(result, Undefined)
    assert "share" in result.reason
    # yet an interaction needs no more: each of its two differences lies within what is tied together
    assert defined(combination(groups, INTERACTION)).n_templates == 8
    nothing = combination([np.full((4, 3), np.nan)] * 4, INTERACTION)
    assert isinstance(nothing, Undefined)


@pytest.mark.parametrize(
    ("coefficients", "what"),
    [
        ((1.0, -1.0, 1.0, 1.0), "sum to"),
        ((1.0, -1.0), "2 coefficients for 4 groups"),
        ((0.0, 0.0, 0.0, 0.0), "at least two groups"),
        ((math.nan, 1.0, -1.0, 0.0), "not finite"),
    ],
)
def test_coefficients_that_make_no_contrast_are_refused(coefficients, what):
    with pytest.raises(ValueError, match=what):
        combination(world(rng()), coefficients)


def test_tables_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="row by row"):
        combination([np.zeros((3, 2)), np.zeros((4, 2))], [1, -1])
    with pytest.raises(ValueError, match="infinite"):
        combination([np.full((3, 2), np.inf), np.zeros((3, 2))], [1, -1])


# Honesty


@pytest.mark.parametrize("share", [0.0, 0.1])
@pytest.mark.parametrize("coefficients", [INTERACTION, tuple(overall(4))])
def test_null_rejection_with_four_groups_of_twelve_names_and_nine_families(coefficients, share):
    random, ours, naive = rng(2031), [], []
    for _ in range(SETS):
        groups = [with_gaps(random, group, share) for group in world(random)]
        ours.append(defined(combination(groups, coefficients)).p_value())
        flat = [group[~np.isnan(group)] for group in groups]
        size = sum(c * cells.mean() for c, cells in zip(coefficients, flat, strict=True))
        variance = sum(
            c**2 * cells.var(ddof=1) / cells.size for c, cells in zip(coefficients, flat, strict=True)
        )
        naive.append(2 * scipy.stats.norm.sf(abs(size) / math.sqrt(variance)))
    assert LOWEST <= rejections(ours) <= HIGHEST
    # Answers counted as if they were independent: about .19 with gaps; less 3.2 sd of .0124.
    assert rejections(naive) > 0.15


def test_intervals_cover_a_planted_interaction():
    random, covered = rng(2032), 0
    for _ in range(SETS):
        groups = world(random)
        groups[0] = groups[0] + 0.5
        low, high = defined(combination(groups, INTERACTION)).ci(0.95)
        covered += low <= 0.5 <= high
    # .95 - 3 sd, and .958 (as above) + 3 sd of a binomial of 1000
    assert 0.929 <= covered / SETS <= 0.977


def test_a_group_of_few_terms_is_no_better_known_for_standing_against_many():
    # 8 groups of 4 names that differ much: the first weighs 49 times as much as each other. With
    # sum N_g - G = 24 degrees of freedom it would be called different from the average far too often.
    random, ours, pooled = rng(2033), [], []
    for _ in range(SETS):
        groups = world(random, (4,) * 8, 12, template=0.0, term=1.0, residual=0.2)
        result = defined(combination(groups, overall(8)))
        ours.append(result.p_value())
        pooled.append(2 * scipy.stats.t.sf(abs(result.t), 24))
    assert LOWEST <= rejections(ours) <= HIGHEST
    assert rejections(pooled) > HIGHEST


# Planning


def test_an_equivalent_design_has_the_standard_error_of_the_combination():
    sds = DesignSds(0.3, 0.4, 1.1)
    for coefficients, sizes in (
        (INTERACTION, (12,) * 4),
        (INTERACTION, (20, 6, 10, 12)),
        (overall(3), (9,) * 3),
    ):
        factor, terms = equivalent_design(coefficients, sizes)
        templates = sum(c**2 for c in coefficients) * sds.template**2 / 9
        names = sum(c**2 / n for c, n in zip(coefficients, sizes, strict=True)) * sds.term**2
        left = sum(c**2 / n for c, n in zip(coefficients, sizes, strict=True)) * sds.residual**2 / 9
        scaled = DesignSds(factor * sds.template, factor * sds.term, factor * sds.residual)
        # design_se takes whole terms; the mean size is one where all sizes are equal
        if float(terms).is_integer():
            se, _ = design_se(scaled, 9, int(terms), int(terms), "nested")
            assert se**2 == pytest.approx(templates + names + left, rel=1e-12)
        assert 2 * factor**2 / terms == pytest.approx(
            sum(c**2 / n for c, n in zip(coefficients, sizes, strict=True))
        )
    with pytest.raises(ValueError, match="at least 1 term"):
        equivalent_design([1, -1], [3, 0])
    with pytest.raises(ValueError, match="no coefficient"):
        equivalent_design([0, 0], [3, 3])
