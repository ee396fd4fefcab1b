"""Agreement: by hand, against statsmodels, at both ends, and over many draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from audit.stats.agreement import (
    Kappa,
    adjusted_kappa,
    agreement_table,
    cohen_kappa,
    detection,
    observed_agreement,
)
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval

TABLES = [
    [[44, 5, 1], [7, 20, 3], [9, 5, 6]],
    [[20, 5], [10, 15]],
    [[3, 9, 2, 0], [1, 8, 8, 2], [0, 3, 30, 4], [5, 0, 1, 12]],
    [[5, 20], [18, 7]],
    [[90, 4], [5, 1]],
    [[7, 0, 3], [0, 0, 0], [2, 0, 8]],
]


def known(table, **how) -> Kappa:
    found = cohen_kappa(table, **how)
    assert isinstance(found, Kappa)
    return found


def test_a_table_worked_by_hand():
    # n = 50: observed 35/50 = .7; margins 25/25 and 30/20: expected (25 * 30 + 25 * 20) / 2500 = .5;
    # kappa = .2 / .5 = .4. With q = 1 - kappa = .6, means p_.i + p_j. of the other rater's shares
    # (.6 + .5, .6 + .5; .4 + .5, .4 + .5): sum of p (w - mean q)^2 =
    #   .4 (1 - .66)^2 + .1 (-.66)^2 + .2 (-.54)^2 + .3 (1 - .54)^2 = .2116 and
    # (kappa - expected q)^2 = (.4 - .3)^2 = .01; se = sqrt(.2016 / 50) / .5.
    found = known([[20, 5], [10, 15]])
    assert (found.observed, found.expected, found.n) == (0.7, 0.5, 50)
    assert found.estimate == pytest.approx(0.4, abs=1e-15)
    assert found.se == pytest.approx(math.sqrt(0.2016 / 50) / 0.5, rel=1e-14)


def test_the_published_example():
    # Fleiss, Cohen and Everitt 1969, table 1 (200 patients): kappa .429, variance .002885.
    found = known([[106, 10, 4], [22, 28, 10], [2, 12, 6]])
    assert (found.observed, round(found.expected, 3)) == (0.7, 0.475)
    assert round(found.estimate, 3) == 0.429
    assert round(found.se**2, 6) == 0.002885


@pytest.mark.parametrize(("level", "z"), [(0.8, 1.2816), (0.99, 2.5758)])
def test_the_level_sets_the_width(level, z):
    found = known([[20, 5], [10, 15]], level=level)
    assert found.lo is not None and found.hi is not None
    assert (found.hi - found.lo) / (2 * found.se) == pytest.approx(z, abs=1e-4)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("weights", "theirs"), [("none", None), ("linear", "linear")])
def test_it_is_statsmodels_kappa(table, weights, theirs):
    found = known(table, weights=weights)
    # statsmodels 0.14: cohens_kappa(table, wt=theirs), its interval at 95 %
    peer = cohens_kappa(np.array(table), wt=theirs)
    assert found.estimate == pytest.approx(peer.kappa, rel=1e-12)
    assert found.se == pytest.approx(peer.std_kappa, rel=1e-12)
    assert found.lo == pytest.approx(max(peer.kappa_low, -1.0), rel=1e-12)
    assert found.hi == pytest.approx(min(peer.kappa_upp, 1.0), rel=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_weights_of_two_labels_are_none_and_raters_may_change_places(table):
    array = np.array(table)
    for weights in ("none", "linear"):
        one, other = known(array, weights=weights), known(array.T, weights=weights)
        assert one.estimate == pytest.approx(other.estimate, rel=1e-12)
        assert one.se == pytest.approx(other.se, rel=1e-12)
    if len(array) == 2:
        assert known(array, weights="linear").se == pytest.approx(known(array).se, rel=1e-12)


def test_the_order_of_labels_matters_to_ordered_labels_only():
    table, order = np.array(TABLES[2]), [2, 0, 3, 1]
    mixed = table[order][:, order]
    assert known(mixed).estimate == pytest.approx(known(table).estimate, rel=1e-12)
    assert known(mixed).se == pytest.approx(known(table).se, rel=1e-12)
    assert known(mixed, weights="linear").estimate != pytest.approx(known(table, weights="linear").estimate)


@pytest.mark.parametrize("weights", ["none", "linear"])
def test_both_ends_and_chance(weights):
    perfect = known([[30, 0, 0], [0, 12, 0], [0, 0, 5]], weights=weights)
    assert perfect.estimate == 1.0
    chance = known([[16, 4], [4, 1]], weights=weights)
    assert chance.estimate == pytest.approx(0.0, abs=1e-15)
    assert chance.lo is not None and chance.hi is not None
    assert chance.lo < 0.0 < chance.hi
    worse = known([[5, 20], [18, 7]], weights=weights)
    assert worse.hi is not None and worse.hi < 0.0
    opposed = known([[0, 5], [5, 0]], weights=weights)
    assert opposed.estimate == -1.0


@pytest.mark.parametrize("table", [[[3, 0], [0, 4]], [[0, 5], [5, 0]], [[5, 0], [3, 0]], [[0, 9], [0, 0]]])
def test_no_interval_is_claimed_from_a_standard_error_of_0(table):
    found = known(table)
    assert (found.se, found.lo, found.hi) == (0.0, None, None)
    assert "standard error is 0" in found.reason
    assert ("one rater gave one label" in found.reason) == (table in ([[5, 0], [3, 0]], [[0, 9], [0, 0]]))


@pytest.mark.parametrize("weights", ["none", "linear"])
def test_a_rater_with_one_label_agrees_as_by_chance_exactly(weights):
    for counts in ([7, 5, 3], [42, 20, 1], [1, 1, 3]):
        table = np.zeros((3, 3), dtype=int)
        table[:, 1] = counts
        assert known(table, weights=weights).estimate == 0.0
        assert known(table.T, weights=weights).estimate == 0.0


def test_bounds_stay_within_the_scale():
    found = known([[4, 0], [1, 3]])
    assert found.hi == 1.0
    # the unbounded interval passes 1
    assert cohens_kappa(np.array([[4, 0], [1, 3]])).kappa_upp > 1.0


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([[0, 0], [0, 0]], "0 responses"),
        ([[1, 0], [0, 0]], "1 responses"),
        ([[9, 0], [0, 0]], "one and the same label"),
        ([[0, 0, 0], [0, 0, 0], [0, 0, 7]], "one and the same label"),
    ],
)
def test_where_kappa_does_not_exist_it_says_why(table, told):
    for weights in ("none", "linear"):
        found = cohen_kappa(table, weights=weights)
        assert isinstance(found, Undefined) and told in found.reason


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([[1, 2, 3], [4, 5, 6]], "square"),
        ([[5]], "square"),
        ([], "square"),
        ([[1, -1], [0, 2]], "whole numbers"),
        ([[1, 0.5], [0, 2]], "whole numbers"),
        ([[1, math.nan], [0, 2]], "whole numbers"),
    ],
)
def test_a_table_that_is_none_is_refused(table, told):
    for function in (cohen_kappa, adjusted_kappa, observed_agreement):
        with pytest.raises(ValueError, match=told):
            function(table)


def test_a_wrong_level_or_weight_is_refused():
    with pytest.raises(ValueError, match="level"):
        cohen_kappa([[1, 0], [0, 2]], level=1.0)
    with pytest.raises(ValueError, match="weights"):
        cohen_kappa([[1, 0], [0, 2]], weights="quadratic")


def test_observed_agreement_is_wilsons():
    found = observed_agreement([[20, 5], [10, 15]], 0.9)
    assert isinstance(found, Interval)
    # statsmodels 0.14: proportion_confint(35, 50, alpha=.1, method="wilson")
    assert (found.lo, found.hi) == pytest.approx(proportion_confint(35, 50, alpha=0.1, method="wilson"))
    assert isinstance(observed_agreement([[0, 0], [0, 0]]), Undefined)


def test_the_adjusted_kappa_ignores_prevalence_and_counts_the_labels_offered():
    rare = adjusted_kappa([[80, 10], [10, 0]])
    assert isinstance(rare, Interval)
    assert rare.estimate == pytest.approx(2 * 0.8 - 1)
    assert known([[80, 10], [10, 0]]).estimate < 0.0
    three = adjusted_kappa([[80, 10, 0], [10, 0, 0], [0, 0, 0]])
    assert isinstance(three, Interval)
    assert three.estimate == pytest.approx((3 * 0.8 - 1) / 2)
    none = adjusted_kappa([[0, 5], [5, 0]])
    assert isinstance(none, Interval)
    assert (none.estimate, none.lo) == (-1.0, -1.0)
    assert isinstance(adjusted_kappa([[0, 0], [0, 0]]), Undefined)


def test_labels_are_counted_by_both_raters():
    table = agreement_table(["a", "b", "a", "c"], ["a", "c", "b", "c"], ["a", "b", "c"])
    assert table.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert agreement_table([], [], ["a", "b"]).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ValueError, match="not among the labels: z"):
        agreement_table(["z"], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="each needs both"):
        agreement_table(["a"], [], ["a", "b"])
    with pytest.raises(ValueError, match="twice"):
        agreement_table([], [], ["a", "a"])


def test_a_scorer_is_held_against_people():
    people = [True] * 8 + [False] * 12
    scorer = [True] * 6 + [False] * 2 + [True] * 3 + [False] * 9
    found = detection(people, scorer)
    assert isinstance(found.sensitivity, Interval) and isinstance(found.specificity, Interval)
    assert (found.sensitivity.estimate, found.sensitivity.n) == (0.75, 8)
    assert (found.specificity.estimate, found.specificity.n) == (0.75, 12)
    assert (found.specificity.lo, found.specificity.hi) == pytest.approx(
        proportion_confint(9, 12, method="wilson")
    )
    nobody = detection([False, False], [True, False])
    assert isinstance(nobody.sensitivity, Undefined) and isinstance(nobody.specificity, Interval)
    empty = detection([], [])
    assert isinstance(empty.sensitivity, Undefined) and isinstance(empty.specificity, Undefined)
    with pytest.raises(ValueError, match="booleans"):
        detection([1, 0], [True, False])
    with pytest.raises(ValueError, match="same length"):
        detection([True], [True, False])


def test_the_interval_covers_the_true_kappa():
    # 400 draws of 120 responses from known shares; coverage of a 95 % interval lies above .90 in all but
    # one of 10 000 such studies (binomial, 400, .95: P(X < 364) = 3e-4; large-sample error allowed for).
    shares = np.array([[0.35, 0.07, 0.03], [0.05, 0.2, 0.05], [0.02, 0.08, 0.15]])
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    true = (np.trace(shares) - rows @ columns) / (1 - rows @ columns)
    random = np.random.default_rng(5)
    covered = 0
    for draw in random.multinomial(120, shares.ravel(), size=400):
        found = known(draw.reshape(3, 3))
        assert found.lo is not None and found.hi is not None
        covered += found.lo <= true <= found.hi
    assert covered >= 364
