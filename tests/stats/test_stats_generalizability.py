from __future__ import annotations

import math

import numpy as np
import pytest
from component_worlds import TRUTH, defined, worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats.estimate import Undefined
from audit.stats.generalizability import (
    MOST,
    Facets,
    cronbach_alpha,
    d_study,
    e_rho2,
    phi,
    relative_error,
)
from audit.stats.split_half import spearman_brown, split_half
from audit.stats.variance_components import VarianceComponents, components

# Reliability

STUDY = VarianceComponents(1.0, 0.5, 2.0, 0.2, 3.0, 4.0, {}, s2_group_sample=0.6)


def test_reliability_is_the_formula():
    facets = Facets(templates=10, names=5, samples=3)
    error = 2.0 / 10 + 0.2 / 5 + 0.6 / 3 + 3.0 / 50 + 4.0 / 150
    assert relative_error(STUDY, facets) == pytest.approx(error, rel=1e-14)
    assert e_rho2(STUDY, facets) == pytest.approx(1 / (1 + error), rel=1e-14)
    assert phi(STUDY, facets) == pytest.approx(1 / (1 + error + 0.05), rel=1e-14)


def test_reliability_is_the_squared_correlation_with_the_truth():
    """Means over fresh templates, names and samples, correlated with the groups' true effects."""
    sizes, sets, n_groups = (400, 6, 4, 2), 30, 400
    rng, squares = np.random.default_rng(3), []
    truth = TRUTH | {"s2_group": 0.0}
    for _ in range(sets):
        groups = math.sqrt(0.5) * rng.standard_normal(n_groups)
        means = groups + worlds(rng, 1, sizes, truth)[0].mean(axis=(1, 2, 3))
        squares.append(np.corrcoef(groups, means)[0, 1] ** 2)
    parts = VarianceComponents(**TRUTH, raw={})
    # 4 standard errors of the mean over 30 sets of 400 groups
    expected = e_rho2(parts, Facets(6, 4, 2))
    assert np.mean(squares) == pytest.approx(expected, abs=4 * np.std(squares) / math.sqrt(sets))


@given(
    st.lists(st.floats(0.0, 3.0), min_size=6, max_size=6),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_d_study_names_the_smallest_numbers(sizes, t, n, s):
    parts = VarianceComponents(*sizes, {})
    study = d_study(parts, Facets(t, n, s))
    if isinstance(study, Undefined):
        assert sum(sizes[i] for i in (0, 2, 3, 4, 5)) == 0.0
        return
    assert 0.0 <= study.phi <= study.e_rho2 <= 1.0
    for needed, at in (
        (study.templates, lambda number: Facets(number, n, s)),
        (study.names, lambda number: Facets(t, number, s)),
        (study.samples, lambda number: Facets(t, n, number)),
    ):
        if needed.n is None:
            assert needed.reason
            assert defined(e_rho2(parts, at(MOST))) < 0.8
            continue
        assert defined(e_rho2(parts, at(needed.n))) >= 0.8
        assert needed.n == 1 or defined(e_rho2(parts, at(needed.n - 1))) < 0.8
    if study.together.templates is not None:
        assert defined(e_rho2(parts, Facets(study.together.templates, study.together.names, s))) >= 0.8
        assert study.together.names == math.ceil(study.together.templates * n / t - 1e-9)


def test_what_no_number_can_reach_is_named_with_its_floor():
    parts = VarianceComponents(1.0, 0.5, 2.0, 0.4, 3.0, None, {})
    study = d_study(parts, Facets(5, 1))
    # one name: .4 / 1 stays; 5 templates: 2 / 5 stays
    assert study.templates.reason == (
        "no number of templates suffices: 1 name alone leave a reliability of 0.714"
    )
    assert study.names.reason == (
        "no number of names suffices: 5 templates alone leave a reliability of 0.714"
    )
    assert study.samples.reason == "the study did not tell samples apart"
    assert (study.together.templates, study.together.names) == (19, 4)
    same = VarianceComponents(0.0, 0.5, 2.0, 0.4, 3.0, None, {})
    flat = d_study(same, Facets(5, 5))
    assert flat.e_rho2 == 0.0
    assert "no variance" in flat.templates.reason and "no variance" in flat.together.reason
    scarce = d_study(VarianceComponents(1e-9, 0.5, 2.0, None, None, 3.0, {}), Facets(5))
    assert scarce.templates.reason == "more than 1,000,000 templates would be needed"
    assert scarce.names.reason == "the study did not tell names apart"


def test_reliability_is_undefined_without_groups_or_variance():
    one = defined(components([[1.0, 2.0], [3.0, 6.0]], "TN"))
    none = VarianceComponents(0.0, 0.0, 0.0, None, None, 0.0, {})
    for parts, reason in ((one, "one group"), (none, "any variance")):
        for measure in (e_rho2, phi, d_study):
            found = measure(parts, Facets(5))
            assert isinstance(found, Undefined)
            assert reason in found.reason


def test_what_was_not_told_apart_cannot_be_planned():
    averaged = defined(components([[1.0, 2.0], [3.0, 6.0]], "GT"))
    with pytest.raises(ValueError, match="names"):
        e_rho2(averaged, Facets(5, names=2))
    with pytest.raises(ValueError, match="samples"):
        phi(averaged, Facets(5, samples=2))


@given(st.integers(0, 300), st.integers(3, 7), st.integers(2, 9))
@settings(max_examples=30, deadline=None)
def test_alpha_is_hoyt_s_reliability(seed, n_groups, n_templates):
    table = worlds(np.random.default_rng(seed), 1, (n_groups, n_templates, 1, 1))[0, ..., 0, 0]
    raw = defined(components(table, "GT")).raw
    expected = raw["s2_group"] / (raw["s2_group"] + raw["s2_residual"] / n_templates)
    assert cronbach_alpha(table) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.ones((0, 3)), "0 group(s)"),
        (np.ones((1, 3)), "1 group(s)"),
        (np.ones((2, 3)), "2 group(s)"),
        (np.ones((3, 1)), "1 template(s)"),
        (np.ones((3, 0)), "0 template(s)"),
        (np.full((3, 3), 0.1), "do not differ"),
        ([[1.0, 2.0], [2.0, 1.0], [1.5, 1.5]], "do not differ"),
        ([[1.0, 2.0], [2.0, 1.0], [np.nan, 1.5]], "1 of 6 cells"),
    ],
)
def test_alpha_says_why_not(table, reason):
    assert reason in cronbach_alpha(table).reason


# Split halves


def test_spearman_brown():
    # MEASURES 7.12: r = .16 gives .27 (.276)
    assert spearman_brown([0.16, 0.0, 1.0, -1.0, -0.5]) == pytest.approx([0.32 / 1.16, 0, 1, -1, -2 / 3])


def test_split_halves_against_a_loop():
    table = worlds(np.random.default_rng(1), 1, (6, 7, 1, 1))[0, ..., 0, 0]
    found = defined(split_half(table, np.random.default_rng(5), n_splits=60))
    random, correlations = np.random.default_rng(5), []
    order = random.permuted(np.tile(np.arange(7), (60, 1)), axis=1)
    for split in order:
        first, second = table[:, split[:3]].mean(axis=1), table[:, split[3:6]].mean(axis=1)
        correlations.append(np.corrcoef(first, second)[0, 1])
    corrected = [2 * r / (1 + abs(r)) for r in correlations]
    assert found.correlation == pytest.approx(np.median(correlations))
    assert found.reliability == pytest.approx(np.median(corrected))
    assert (found.lo, found.hi) == pytest.approx(tuple(np.quantile(corrected, [0.05, 0.95])))
    assert (found.n_splits, found.n_flat) == (60, 0)


@pytest.mark.parametrize(("signal", "expected"), [(1.0, 10 / 11), (0.1, 0.5), (0.0, 0.0)])
def test_split_halves_estimate_the_reliability_of_all_templates(signal, expected):
    """10 templates, residual 1, so that E rho2 = signal / (signal + .1); with many groups SB comes near."""
    truth = {"s2_group": signal, "s2_template": 0.5, "s2_residual": 1.0}
    rng, found = np.random.default_rng(7), []
    for _ in range(30):
        table = worlds(rng, 1, (150, 10, 1, 1), truth)[0, ..., 0, 0]
        found.append(defined(split_half(table, rng, n_splits=100)).reliability)
    # 4 standard errors over 30 sets, and .01 for the median of splits that is no mean
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / math.sqrt(30) + 0.01


def test_split_halves_ignore_templates_own_means_and_the_order_of_groups():
    rng = np.random.default_rng(9)
    table = worlds(rng, 1, (5, 8, 1, 1))[0, ..., 0, 0]
    one = defined(split_half(table, np.random.default_rng(1)))
    moved = defined(split_half(table + rng.standard_normal(8), np.random.default_rng(1)))
    mixed = defined(split_half(table[rng.permutation(5)], np.random.default_rng(1)))
    for other in (moved, mixed):
        assert (other.reliability, other.lo, other.hi) == pytest.approx((one.reliability, one.lo, one.hi))
    same = defined(split_half(np.arange(4.0)[:, None] + np.zeros(6), np.random.default_rng(1)))
    assert (same.reliability, same.lo, same.hi) == pytest.approx((1.0, 1.0, 1.0))


def test_halves_in_which_groups_do_not_differ_are_counted():
    # Only the first template tells groups apart: of 5, one half of each split lacks it.
    table = np.zeros((4, 5))
    table[:, 0] = np.arange(4.0)
    assert "do not differ" in split_half(table, np.random.default_rng(1)).reason
    # Two templates tell them apart: halves of 2 of 5 hold one each with chance 2 (2 / 5) (2 / 4) = .4.
    table[:, 1] = np.arange(4.0)
    found = defined(split_half(table, np.random.default_rng(1), n_splits=3000))
    assert found.n_splits + found.n_flat == 3000
    # 4 binomial sd of 3000 at .4: .036
    assert found.n_splits / 3000 == pytest.approx(0.4, abs=0.036)
    assert found.reliability == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((0, 5), "0 group(s)"), ((1, 5), "1 group(s)"), ((2, 5), "2 group(s)"), ((3, 0), "0 template(s)"),
     ((3, 1), "1 template(s)"), ((3, 3), "3 template(s)")],
)  # fmt: skip
def test_too_little_for_split_halves_says_why(shape, reason):
    assert reason in split_half(np.ones(shape), np.random.default_rng(1)).reason


def test_constant_and_incomplete_tables_have_no_split_halves():
    assert "do not differ" in split_half(np.full((3, 4), 0.1), np.random.default_rng(1)).reason
    assert "do not differ" in split_half(np.zeros((3, 4)), np.random.default_rng(1)).reason
    table = np.arange(12.0).reshape(3, 4)
    table[1, 1] = np.nan
    assert "1 of 12 cells" in split_half(table, np.random.default_rng(1)).reason


@pytest.mark.parametrize(
    "call",
    [
        lambda: Facets(0),
        lambda: d_study(STUDY, Facets(3, 3), 80),
        lambda: split_half(np.ones(3), np.random.default_rng(1)),
        lambda: split_half(np.ones((3, 4)), np.random.default_rng(1), n_splits=0),
        lambda: split_half(np.ones((3, 4)), np.random.default_rng(1), level=90),
        lambda: split_half(np.full((3, 4), np.inf), np.random.default_rng(1)),
        lambda: cronbach_alpha([1.0, 2.0]),
    ],
)
def test_impossible_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"must|need|holds"):
        call()
