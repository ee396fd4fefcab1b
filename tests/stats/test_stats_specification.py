"""The specification curve: what is counted, and how numbers are pooled."""

from __future__ import annotations

import random

import numpy as np
import pytest

from audit.stats.estimate import Contrast, Undefined
from audit.stats.specification import POOLINGS, Specification, SpecificationCurve, curve, pool


def contrast(estimate: float, se: float = 0.1, df: float = 19.0) -> Contrast:
    return Contrast(estimate, se, df, "test", 20, 20, 1, smallest_p=0.01)


def specification(found: Contrast | Undefined, primary: bool = True) -> Specification:
    return Specification({"number": "1"}, found, primary)


def run(*found: Contrast | Undefined) -> SpecificationCurve:
    made = curve([specification(each) for each in found], 0.05, 0.25)
    assert isinstance(made, SpecificationCurve)
    return made


def test_the_counts_of_a_curve_by_hand():
    # critical t of 19 df: 2.093 at .05, 1.729 for the 90 % interval
    made = run(
        contrast(0.5),  # same sign, significant
        contrast(0.2),  # same sign, t = 2
        contrast(0.05),  # same sign, within: .05 + .173 < .25
        contrast(-0.05),  # the other sign, within
        contrast(-0.3),  # the other sign, significant
        contrast(0.0),  # no sign, within
        Undefined("1 template"),
        Undefined("1 template"),
        Undefined("no terms"),
    )
    assert (made.estimate, made.n_run) == (0.5, 6)
    assert made.not_computable == {"1 template": 2, "no terms": 1}
    assert (made.n_same_sign, made.n_significant_same, made.n_significant_opposite) == (3, 1, 1)
    assert (made.n_on_scale, made.n_within) == (6, 3)
    assert made.sign_share == 0.5  # two of the four others that have a sign
    # t: -3, -.5, 0, .5, 2, 5
    assert made.median_t == pytest.approx(0.25)
    assert made.held("disparity") == (1, 6)
    assert made.held("no disparity within margin") == (3, 6)
    assert made.held("inconclusive") is None
    assert [row.estimate for row in made.rows] == [0.5, 0.2, 0.05, -0.05, -0.3, 0.0, None, None, None]
    assert [row.reason for row in made.rows[5:]] == ["", "1 template", "1 template", "no terms"]


def test_only_numbers_in_the_margins_unit_are_held_against_the_margin():
    made = curve([specification(contrast(0.05)), specification(contrast(0.001), primary=False)], 0.05, 0.25)
    assert isinstance(made, SpecificationCurve)
    assert (made.n_run, made.n_on_scale, made.n_within) == (2, 1, 1)
    assert [row.within for row in made.rows] == [True, None]


def test_a_negative_main_estimate_counts_as_a_positive_one_does():
    found = [contrast(0.5), contrast(0.2), contrast(-0.3), contrast(0.0)]
    plus, minus = run(*found), run(*(contrast(-each.estimate) for each in found))
    assert (plus.n_same_sign, plus.n_significant_same, plus.n_significant_opposite) == (
        minus.n_same_sign,
        minus.n_significant_same,
        minus.n_significant_opposite,
    )
    assert isinstance(plus.median_t, float) and plus.median_t == -minus.median_t


def test_a_main_estimate_of_zero_has_no_sign_to_share():
    made = run(contrast(0.0), contrast(0.5), contrast(-0.5))
    assert (made.n_same_sign, made.n_significant_same, made.n_significant_opposite) == (0, 0, 0)
    assert isinstance(made.sign_share, Undefined)


def test_without_the_main_analysis_there_is_no_curve():
    assert curve([specification(Undefined("1 template")), specification(contrast(0.5))], 0.05, 0.2) == (
        Undefined("1 template")
    )


def test_specifications_without_spread_have_no_t():
    made = run(contrast(0.5, se=0.0), contrast(0.4))
    assert made.rows[0].t is None and made.rows[0].p == 0.01
    assert isinstance(made.median_t, Undefined)  # the median lies between 4 and infinity
    assert run(contrast(0.5, se=0.0), contrast(0.4), contrast(0.3)).median_t == pytest.approx(4.0)
    # an estimate of 0 without spread has t = 0
    assert run(contrast(0.0, se=0.0)).median_t == 0.0


def test_the_order_of_the_other_specifications_changes_no_count():
    rng = np.random.default_rng(1)
    others = [contrast(float(rng.normal(0, 0.3))) for _ in range(30)]
    first = run(contrast(0.2), *others)
    random.Random(1).shuffle(others)
    second = run(contrast(0.2), *others)
    for name in ("n_same_sign", "n_significant_same", "n_significant_opposite", "n_within", "median_t"):
        assert getattr(first, name) == getattr(second, name)


@pytest.mark.parametrize(("alpha", "margin"), [(0.0, 0.2), (1.0, 0.2), (0.05, 0.0), (0.05, -1.0)])
def test_impossible_limits_are_refused(alpha: float, margin: float):
    with pytest.raises(ValueError, match=r"alpha|margin"):
        curve([specification(contrast(0.5))], alpha, margin)


def test_a_curve_of_nothing_is_refused():
    with pytest.raises(ValueError, match="main specification"):
        curve([], 0.05, 0.2)


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (5, 4), (6, 2, 3)])
def test_pooling_is_numpys_where_something_is_there(shape: tuple[int, ...]):
    rng = np.random.default_rng(sum(shape))
    values = np.where(rng.random(shape) < 0.3, np.nan, rng.normal(size=shape).round(1))
    there = ~np.isnan(values).all(axis=0)
    for how, reference in (("mean", np.nanmean), ("median", np.nanmedian)):
        found = pool(values, how)  # type: ignore[arg-type]
        assert np.isnan(found[~there]).all()
        np.testing.assert_allclose(found[there], reference(values[:, there], axis=0), rtol=1e-12)


def test_mean_and_median_of_two_are_one_number():
    values = np.random.default_rng(2).normal(size=(2, 50))
    assert (pool(values, "mean") == pool(values, "median")).all()


def test_nothing_pools_to_nothing():
    for how in POOLINGS:
        assert np.isnan(pool(np.empty((0, 3)), how)).all()
        assert pool(np.empty((2, 0)), how).shape == (0,)


def test_an_unknown_way_to_pool_is_refused():
    with pytest.raises(ValueError, match="mode"):
        pool(np.zeros((2, 2)), "mode")  # type: ignore[arg-type]
