from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from null_worlds import defined, nested_world
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from audit.stats.contrast import nested, single
from audit.stats.equivalence import (
    minimum_detectable,
    power_to_detect,
    power_to_show_within,
    tost,
)
from audit.stats.estimate import Contrast

GOLDENS = json.loads((Path(__file__).parents[1] / "cases" / "stats_goldens.json").read_text())


def contrast(estimate, se, df=19.0, smallest_p=1.0):
    return Contrast(estimate, se, df, "paired t", 20, 20, 1, {}, smallest_p)


def test_tost_against_statsmodels():
    x = np.random.default_rng(3).standard_normal(25) * 0.3 + 0.05
    for margin in (0.1, 0.2, 0.4):
        ours = tost(defined(single(x)), margin, 0.05)
        # statsmodels: DescrStatsW(x).ttost_mean(-margin, margin)
        p = DescrStatsW(x).ttost_mean(-margin, margin)[0]
        assert ours.p == pytest.approx(p, rel=1e-10)
        assert ours.within == (p < 0.05)


finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e6)


@given(estimate=finite, se=positive, df=st.floats(1, 1e6), margin=positive, alpha=st.floats(0.001, 0.2))
def test_a_wide_interval_is_never_within(estimate, se, df, margin, alpha):
    result = tost(contrast(estimate, se, df), margin, alpha)
    if (result.hi - result.lo) / 2 > margin * (1 + 1e-9):
        assert not result.within
    assert result.within == (-margin < result.lo and result.hi < margin)
    if abs(result.p - alpha) > 1e-6:
        assert result.within == (result.p < alpha)


@given(estimate=finite, se=positive, margin=positive)
def test_tost_is_blind_to_which_group_comes_first(estimate, se, margin):
    one, other = tost(contrast(estimate, se), margin, 0.05), tost(contrast(-estimate, se), margin, 0.05)
    assert (one.p, one.within) == (other.p, other.within)
    assert one.lo == -other.hi


def test_without_spread_few_templates_are_not_enough():
    assert not tost(contrast(0.0, 0.0, smallest_p=0.25), 0.1, 0.05).within
    assert tost(contrast(0.0, 0.0, smallest_p=2.0**-19), 0.1, 0.05).within
    assert not tost(contrast(0.1, 0.0, smallest_p=2.0**-19), 0.1, 0.05).within  # at the margin


def test_error_at_the_margin():
    random, within, sets = np.random.default_rng(2032), 0, 2000
    for _ in range(sets):
        result = defined(nested(*nested_world(random, effect=0.5, template=0.15, term=0.15)))
        within += tost(result, 0.5, 0.05).within
    # MEASURES 11 test 11: .05 + 2 binomial sd of 2000
    assert within / sets <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / sets)
    assert within / sets > 0.02  # and the test is not merely silent


def test_crows_pairs_bert():
    # MEASURES 6.1, 11 test 11: 48 of 87 (age) decides nothing; 75 of 105 (religion) is a disparity.
    age = defined(single(np.repeat([50.0, -50.0], [48, 39])))
    assert age.p_value() > 0.05
    assert not tost(age, 5.0, 0.05).within
    religion = defined(single(np.repeat([50.0, -50.0], [75, 30])))
    assert religion.p_value() < 0.001
    overall = defined(single(np.repeat([50.0, -50.0], [912, 596])))
    assert overall.ci(0.95)[0] > 5.0


@pytest.mark.parametrize(("n", "d"), [(int(n), d) for n, d in GOLDENS["detectable_d_z"].items()])
def test_detectable_effect_golden(n, d):
    assert minimum_detectable(n**-0.5, n - 1, 0.05) == pytest.approx(d, abs=0.005)


@pytest.mark.parametrize("effect", [0.0, 0.2, 0.66, 1.0])
@pytest.mark.parametrize("n", [3, 20, 400])
def test_power_to_detect_against_statsmodels(effect, n):
    # TTestPower().power(effect, n, .05): noncentral t, both tails
    reference = TTestPower().power(effect, n, 0.05, alternative="two-sided")
    assert power_to_detect(effect, n**-0.5, n - 1, 0.05) == pytest.approx(reference, abs=1e-9)
    assert power_to_detect(-effect, n**-0.5, n - 1, 0.05) == power_to_detect(effect, n**-0.5, n - 1, 0.05)


def test_power_rises_with_the_effect_even_at_extremes():
    for df in (1.0, 4.5, 19.0, 1e7):
        for alpha in (0.2, 0.05, 1e-6):
            power = [
                power_to_detect(e, 1.0, df, alpha) for e in np.concatenate([[0.0], np.logspace(-2, 12, 80)])
            ]
            assert power[0] == pytest.approx(alpha, rel=1e-6)
            assert np.all(np.diff(power) >= -1e-5)
            assert power[-1] == pytest.approx(1.0)
    assert power_to_detect(0.5, 5e-324, 30.0, 0.05) == 1.0
    assert power_to_detect(0.5, 0.0, 30.0, 0.05) == 1.0
    assert power_to_show_within(0.5, 5e-324, 30.0, 0.05) == 1.0


@pytest.mark.parametrize("df", [1.0, 3.5, 30.0, 1000.0])
@pytest.mark.parametrize("effect", [0.0, 0.3, -0.6])
def test_power_to_show_within_against_quadrature(df, effect):
    margin, se, alpha = 0.5, 0.12, 0.05
    c = scipy.stats.t.ppf(1 - alpha, df)

    def density(s):
        inside = scipy.stats.norm.cdf((margin - effect) / se - c * s) - scipy.stats.norm.cdf(
            (-margin - effect) / se + c * s
        )
        return max(inside, 0.0) * scipy.stats.chi.pdf(s * df**0.5, df) * df**0.5

    # scipy.integrate.quad over s = estimated over true standard error
    expected = scipy.integrate.quad(
        density, 0, margin / (se * c), limit=200, points=[min(1.0, margin / se / c)]
    )[0]
    assert power_to_show_within(margin, se, df, alpha, effect) == pytest.approx(expected, abs=2e-5)


def test_power_to_show_within_by_simulation():
    random, sets = np.random.default_rng(9), 4000
    x = random.standard_normal((sets, 12)) * 0.5
    hits = sum(tost(defined(single(row)), 0.4, 0.05).within for row in x)
    expected = power_to_show_within(0.4, 0.5 / 12**0.5, 11.0, 0.05)
    # 3 binomial sd of 4000
    assert hits / sets == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / sets))


def test_eight_of_nine_crows_categories_can_never_be_within():
    # MEASURES 7.7: 50 +- 5 points needs n > 271, and 856 for a power of .8
    def power(n):
        return power_to_show_within(5.0, 50.0 / n**0.5, n - 1.0, 0.05)

    assert not tost(contrast(0.0, 50 / 270**0.5, 269.0), 5.0, 0.05).within
    assert tost(contrast(0.0, 50 / 273**0.5, 272.0), 5.0, 0.05).within
    assert power(262) < 0.05
    assert power(850) < 0.8 <= power(862)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tost(contrast(0.0, 1.0), 0.0, 0.05), "margin"),
        (lambda: tost(contrast(0.0, 1.0), float("inf"), 0.05), "margin"),
        (lambda: tost(contrast(0.0, 1.0), 1.0, 0.5), "alpha"),
        (lambda: minimum_detectable(-1.0, 5.0, 0.05), "se"),
        (lambda: minimum_detectable(1.0, 0.0, 0.05), "df"),
        (lambda: minimum_detectable(1.0, 5.0, 0.05, 80), "power"),
        (lambda: power_to_detect(float("nan"), 1.0, 5.0, 0.05), "effect"),
        (lambda: power_to_show_within(-1.0, 1.0, 5.0, 0.05), "margin"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("templates", "departs"), [(5, 0.05), (8, 0.05), (12, 0.1)])
def test_rare_differences_that_did_not_show_are_not_ruled_out(templates, departs):
    """0/1 differences that happen to be 0 in every template, though a share of templates differs."""
    rng = np.random.default_rng([5, templates])
    sets = (rng.random((4000, templates)) < departs).astype(float)
    flat = sets[~sets.any(axis=1)]
    assert len(flat) / len(sets) > 0.2  # so often nothing shows
    for values in flat[:3]:
        contrast = single(values)
        assert tost(contrast, 0.05, 0.05).within  # scores without bounds: equal in every template
        assert not tost(contrast, 0.05, 0.05, span=1.0).within
        assert tost(contrast, 0.05, 0.05, span=1.0).p == 1.0
    # The rule of three: 1 - .05^(1/T) of the templates may differ, by 1.
    unseen = 1.0 - 0.05 ** (1.0 / templates)
    assert tost(single(np.zeros(templates)), unseen * 1.001, 0.05, span=1.0).within
    assert not tost(single(np.zeros(templates)), unseen * 0.999, 0.05, span=1.0).within
