"""Two groups without common templates, against Welch's test and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.stats.estimate import Contrast, Undefined
from audit.stats.unpaired import difference, difference_p, unpaired


def test_with_one_score_a_cluster_it_is_welchs_test() -> None:
    rng = np.random.default_rng(3)
    one, zero = rng.normal(0.4, 1.0, 23), rng.normal(0.0, 2.5, 41)
    found = unpaired(one, np.arange(23), zero, np.arange(41))
    assert isinstance(found, Contrast)
    # scipy.stats.ttest_ind(one, zero, equal_var=False)
    theirs = stats.ttest_ind(one, zero, equal_var=False)
    assert found.estimate == pytest.approx(one.mean() - zero.mean(), abs=1e-14)
    assert found.t == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.df == pytest.approx(theirs.df, rel=1e-9)
    assert found.p_value() == pytest.approx(theirs.pvalue, rel=1e-9)
    interval = theirs.confidence_interval(0.95)
    assert found.ci(0.95) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_swapping_the_groups_turns_the_sign_and_repeated_rows_change_nothing() -> None:
    rng = np.random.default_rng(5)
    one, zero = rng.normal(size=30), rng.normal(size=20)
    places = np.repeat(np.arange(10), 3), np.repeat(np.arange(10), 2)
    found, turned = unpaired(one, places[0], zero, places[1]), unpaired(zero, places[1], one, places[0])
    doubled = unpaired(np.tile(one, 2), np.tile(places[0], 2), np.tile(zero, 2), np.tile(places[1], 2))
    assert isinstance(found, Contrast) and isinstance(turned, Contrast) and isinstance(doubled, Contrast)
    assert (turned.estimate, turned.se) == (-found.estimate, found.se)
    assert doubled.estimate == pytest.approx(found.estimate, abs=1e-14)
    assert doubled.se == pytest.approx(found.se, abs=1e-14)


def test_clusters_hold_the_rate_of_false_alarms_that_rows_do_not() -> None:
    """1000 null data sets, 12 and 15 clusters of 6, intracluster correlation .5: binomial sd .007 at .05."""
    rng = np.random.default_rng(11)
    ours = rows = 0
    for _ in range(1000):
        values = [rng.normal(size=(g, 1)) + rng.normal(size=(g, 6)) for g in (12, 15)]
        labels = [np.repeat(np.arange(v.shape[0]), 6) for v in values]
        found = unpaired(values[0].ravel(), labels[0], values[1].ravel(), labels[1])
        assert isinstance(found, Contrast)
        ours += found.p_value() < 0.05
        rows += stats.ttest_ind(values[0].ravel(), values[1].ravel(), equal_var=False).pvalue < 0.05
    assert 25 <= ours <= 75
    assert rows > 200


def test_a_group_without_two_clusters_is_undefined_and_named() -> None:
    found = unpaired([0.1, 0.2], ["a", "a"], [0.1, 0.2], ["b", "c"])
    assert isinstance(found, Undefined) and found.reason.startswith("group 1: 1 cluster")
    other = unpaired([0.1, 0.2], ["a", "b"], [np.nan, 0.2], ["b", "c"])
    assert isinstance(other, Undefined) and other.reason.startswith("group 0: 1 cluster")
    assert isinstance(difference(Undefined("x"), Undefined("y")), Undefined)


def test_groups_without_any_spread_have_the_p_of_a_permutation() -> None:
    found = unpaired([0.5] * 4, list("abcd"), [0.2] * 4, list("efgh"))
    assert isinstance(found, Contrast)
    assert (found.estimate, found.se) == (0.3, 0.0)
    assert found.p_value() == pytest.approx(2 / 70)
    uneven = unpaired([0.5] * 9, list("abcdefghi"), [0.2] * 3, list("xyz"))
    assert isinstance(uneven, Contrast) and uneven.df == 2.0


def test_the_p_of_two_estimates_that_have_no_spread_is_none_unless_they_agree() -> None:
    one, other = (Contrast(value, 0.0, 3.0, "", 4, 4, 1) for value in (0.5, 0.4))
    assert difference_p(one, other) is None and difference_p(one, one) == 1.0
    assert difference_p(one, Undefined("x")) is None
    wide = Contrast(0.4, 0.02, 3.0, "", 4, 4, 1)
    assert difference_p(one, wide) == pytest.approx(2 * stats.t.sf(5.0, 3.0), rel=1e-9)
