"""Do the statistics keep what they promise, over thousands of drawn audits?

Rates come from vectorised twins of the estimators, which a test holds to be the estimators themselves.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from null_worlds import crossed_world, defined, nested_world
from statsmodels.stats.power import TTestPower

from audit.stats.contrast import crossed, nested, single
from audit.stats.equivalence import (
    minimum_detectable,
    power_to_detect,
    power_to_show_within,
    tost,
)
from audit.stats.estimate import Contrast, Undefined
from audit.stats.max_t import max_t
from audit.stats.multiplicity import holm
from audit.stats.planning import DesignSds, Target, design_se, templates_needed, terms_needed
from audit.verdict import Evidence, judge
from tests.stats.null_draws import flip_null

SDS = DesignSds(0.3, 0.3, 1.0)
DRAWS = 2000
SE = math.sqrt(0.05 * 0.95 / DRAWS)
"""Binomial standard error of a rate of .05 among the draws: .0049."""
CHUNK = 500
"""Draws held in memory at once."""


# -- many audits at once --------------------------------------------------------------------------------


class Many:
    """Contrasts of many drawn audits, as arrays of shape (draws,)."""

    def __init__(self, estimate, first, second, shared, df_first, df_second):
        total = np.maximum(first + second - shared, np.maximum(first, second))
        spread = (first / total) ** 2 / df_first + (second / total) ** 2 / df_second
        spread += (shared / total) ** 2 / (df_first * df_second)
        fewest = np.minimum(df_first, df_second)
        df = np.where(fewest < 3.0, np.minimum(1.0 / spread, fewest), 1.0 / spread)
        self.estimate, self.se, self.df = estimate, np.sqrt(total), np.maximum(1.0, df)

    def found(self, effect=0.0, alpha=0.05):
        """Where the test of difference rejects, were the truth larger by `effect`."""
        t = np.abs(self.estimate + effect) / self.se
        return 2.0 * scipy.stats.t.sf(t, self.df) < alpha

    def within(self, margin, effect=0.0, alpha=0.05):
        """Where the interval of level 1 - 2 alpha lies inside the margin."""
        half = scipy.stats.t.isf(alpha, self.df) * self.se
        return np.abs(self.estimate + effect) + half < margin


def interaction(cells):
    """Interaction mean square of tables of shape (draws, T, N)."""
    rest = cells - cells.mean(2, keepdims=True) - cells.mean(1, keepdims=True)
    rest += cells.mean((1, 2), keepdims=True)
    freedom = (cells.shape[1] - 1) * (cells.shape[2] - 1)
    return (rest**2).sum((1, 2)) / freedom


def many_nested(one, zero):
    """`nested` of tables of shape (draws, T, N), by the formula of MEASURES 7.2 with Welch's freedom."""
    templates, terms = one.shape[1:]
    difference = one.mean(2) - zero.mean(2)
    by_terms = one.mean(1).var(1, ddof=1), zero.mean(1).var(1, ddof=1)
    return Many(
        difference.mean(1),
        difference.var(1, ddof=1) / templates,
        (by_terms[0] + by_terms[1]) / terms,
        (interaction(one) + interaction(zero)) / (templates * terms),
        templates - 1.0,
        # Welch (1947), for groups of one size
        (terms - 1.0) * (by_terms[0] + by_terms[1]) ** 2 / (by_terms[0] ** 2 + by_terms[1] ** 2),
    )


def many_crossed(cells):
    """`crossed` of tables of shape (draws, T, N)."""
    templates, terms = cells.shape[1:]
    return Many(
        cells.mean((1, 2)),
        cells.mean(2).var(1, ddof=1) / templates,
        cells.mean(1).var(1, ddof=1) / terms,
        interaction(cells) / (templates * terms),
        templates - 1.0,
        terms - 1.0,
    )


def tables(rng, draws, templates, terms, sds=SDS):
    """Scores of one group without any effect: template, term and residual spread."""
    scores = sds.residual * rng.standard_normal((draws, templates, terms))
    scores += sds.template * rng.standard_normal((draws, templates, 1))
    return scores + sds.term * rng.standard_normal((draws, 1, terms))


def drawn(layout, rng, templates, terms, sds=SDS, draws=DRAWS):
    """Null audits of a design."""
    parts = []
    for _ in range(draws // CHUNK):
        if layout == "nested":
            pair = [tables(rng, CHUNK, templates, terms, sds) for _ in range(2)]
            parts.append(many_nested(*pair))
        else:
            parts.append(many_crossed(tables(rng, CHUNK, templates, terms, sds)))
    whole = parts[0]
    for name in ("estimate", "se", "df"):
        setattr(whole, name, np.concatenate([getattr(part, name) for part in parts]))
    return whole


@pytest.mark.parametrize(("templates", "terms"), [(20, 20), (5, 8), (9, 3)])
def test_the_vectorised_twins_are_the_estimators(templates, terms):
    rng = np.random.default_rng(1)
    pairs = [nested_world(rng, 0.3, templates, terms) for _ in range(20)]
    ours = many_nested(*(np.stack(side) for side in zip(*pairs, strict=True)))
    worlds = [crossed_world(rng, templates, terms) for _ in range(20)]
    theirs = [*(defined(nested(*pair)) for pair in pairs), *(defined(crossed(world)) for world in worlds)]
    both = many_crossed(np.stack(worlds))
    for name in ("estimate", "se", "df"):
        found = np.concatenate([getattr(ours, name), getattr(both, name)])
        np.testing.assert_allclose(found, [getattr(each, name) for each in theirs], rtol=1e-9)
    for margin in (0.3, 0.8):
        within = np.concatenate([ours.within(margin), both.within(margin)])
        assert within.tolist() == [tost(each, margin, 0.05).within for each in theirs]
    found = np.concatenate([ours.found(), both.found()])
    assert found.tolist() == [each.p_value() < 0.05 for each in theirs]


# -- 11.1: no bias, no finding --------------------------------------------------------------------------


def test_null_audits_reject_as_often_as_they_say_and_naive_ones_do_not():
    rng = np.random.default_rng(2)
    one, zero = tables(rng, 400, 20, 20), tables(rng, 400, 20, 20)
    rate = many_nested(one, zero).found().mean()
    # 95 % binomial limits of a true .05 with 400 draws are .0305 and .0740.
    assert 0.03 <= rate <= 0.075, rate
    naive = scipy.stats.ttest_ind(one.reshape(400, -1), zero.reshape(400, -1), axis=1).pvalue < 0.05
    assert naive.mean() > 0.2


def test_a_family_of_thirty_finds_anything_in_few_null_audits():
    """Thirty contrasts of one set of 20 templates, which share half of their variance."""
    rng = np.random.default_rng(3)
    runs, any_found = 400, 0
    for _ in range(runs):
        effects = rng.standard_normal((30, 20)) + rng.standard_normal((1, 20))
        t = effects.mean(1) / (effects.std(1, ddof=1) / math.sqrt(20))
        found = max_t(t, flip_null(effects, rng, resamples=499))
        any_found += min(p for p in found.p if p is not None) < 0.05
    # A true .05 gives more than .0725 (29 of 400) with a chance of .017; the limit is that of MEASURES 11.1.
    assert any_found / runs <= 0.07, any_found


# -- 11.2: a planted effect -----------------------------------------------------------------------------

EFFECTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


@pytest.mark.parametrize(("layout", "templates", "terms"), [("nested", 20, 20), ("crossed", 20, 20)])
def test_power_rises_with_the_planted_effect_as_planned(layout, templates, terms):
    audits = drawn(layout, np.random.default_rng(4), templates, terms)
    powers = [float(audits.found(effect).mean()) for effect in EFFECTS]
    assert powers == sorted(powers)
    assert powers[-1] > 0.99
    se, df = design_se(SDS, templates, terms, terms, layout)
    planned = [power_to_detect(effect, se, df, 0.05) for effect in EFFECTS]
    for power, expected in zip(powers, planned, strict=True):
        # 3 binomial sd, and .01 because the plan knows the variance components that an audit estimates
        assert power == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / DRAWS) + 0.01)


def test_the_effect_is_recovered():
    for layout in ("nested", "crossed"):
        audits = drawn(layout, np.random.default_rng(5), 12, 10)
        se, _ = design_se(SDS, 12, 10, 10, layout)
        # 3 sd of a mean of 2000 estimates
        assert audits.estimate.mean() == pytest.approx(0.0, abs=3 * se / math.sqrt(DRAWS))
        # relative sd of a variance from 2000 draws: sqrt(2 / 1999) = .032; 3 of them
        assert audits.estimate.var() == pytest.approx(se**2, rel=0.1)


@pytest.mark.parametrize("layout", ["nested", "crossed"])
@pytest.mark.parametrize("margin", [0.6, 1.0])
def test_half_a_margin_is_within_as_often_as_planned(layout, margin):
    target = Target(margin, "within", truth=margin / 2)
    terms = 40 if layout == "nested" else 30
    templates = templates_needed(target, SDS, terms, terms, layout).n
    assert templates is not None
    se, df = design_se(SDS, templates, terms, terms, layout)
    planned = power_to_show_within(margin, se, df, 0.05, margin / 2)
    assert planned >= 0.8
    rate = float(drawn(layout, np.random.default_rng(6), templates, terms).within(margin, margin / 2).mean())
    # 3 binomial sd of .8 among 2000 are .027, and .01 as above
    assert rate == pytest.approx(planned, abs=3 * math.sqrt(planned * (1 - planned) / DRAWS) + 0.01)


def test_planning_for_a_small_difference_asks_more_than_for_none():
    truths = (0.0, 0.1, 0.2, 0.25)
    needs = [terms_needed(Target(0.5, "within", truth=truth), SDS, 60, "nested").n for truth in truths]
    assert needs == sorted(set(needs))
    for truth, decision in ((0.5, "within"), (-0.5, "within"), (math.nan, "within"), (0.1, "detect")):
        with pytest.raises(ValueError, match="cannot be planned"):
            Target(0.5, decision, truth=truth)


# -- 11.11: at the margin -------------------------------------------------------------------------------

DESIGNS = [
    ("nested", 20, 20),
    ("nested", 8, 40),
    ("nested", 40, 6),
    ("nested", 5, 8),
    ("nested", 12, 12),
    ("crossed", 20, 20),
    ("crossed", 8, 30),
    ("crossed", 30, 6),
    ("crossed", 12, 12),
]


@pytest.mark.parametrize(("layout", "templates", "terms"), DESIGNS)
def test_a_difference_as_large_as_the_margin_is_rarely_within(layout, templates, terms):
    audits = drawn(layout, np.random.default_rng([7, templates, terms]), templates, terms)
    se, _ = design_se(SDS, templates, terms, terms, layout)
    for margin in (2 * se, 4 * se, 8 * se):
        for side in (margin, -margin):
            rate = float(audits.within(margin, side).mean())
            # .05 is the largest rate allowed; 2 binomial standard errors of 2000 draws on top
            assert rate <= 0.05 + 2 * SE, (margin, side, rate)


@pytest.mark.parametrize(
    "sds", [DesignSds(0.6, 0.0, 1.0), DesignSds(0.0, 0.6, 1.0), DesignSds(0.0, 0.0, 1.0)]
)
def test_so_it_is_where_one_factor_has_no_spread(sds):
    for layout in ("nested", "crossed"):
        audits = drawn(layout, np.random.default_rng(8), 15, 15, sds)
        margin = 5 * design_se(sds, 15, 15, 15, layout)[0]
        for side in (margin, -margin):
            assert audits.within(margin, side).mean() <= 0.05 + 2 * SE


def verdict_of(contrast, margin, p_adjusted=None, alpha=0.05):
    """The verdict where nothing but estimate, error and margin speaks."""
    evidence = Evidence(
        estimate=contrast.estimate,
        ci=contrast.ci(1 - alpha),
        p_adjusted=contrast.p_value() if p_adjusted is None else p_adjusted,
        alpha=alpha,
        margin=margin,
        within=tost(contrast, margin, alpha).within,
        control_p=None,
        answer_mass=None,
        status_gap=0.0,
        sign_share=None,
        leave_one_out_includes_zero=None,
        equal_pieces_estimate=None,
        nonce_size=None,
        swap_holds=None,
    )
    return judge(evidence).verdict


WITHIN = "no disparity within margin"
scores = st.floats(-10, 10, allow_nan=False, width=32)


@settings(max_examples=200, deadline=None)
@given(
    cells=hnp.arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(2, 6)), elements=scores),
    margin=st.floats(1e-3, 20),
    layout=st.sampled_from(["nested", "crossed", "single"]),
)
def test_an_interval_wider_than_the_margin_never_lets_it_be_within(cells, margin, layout):
    if layout == "single":
        contrast = single(cells[:, 0])
    else:
        contrast = crossed(cells) if layout == "crossed" else nested(cells, cells[::-1, ::-1] * 0.5)
    if isinstance(contrast, Undefined):
        return
    low, high = contrast.ci(0.9)
    if (high - low) / 2 > margin:
        assert verdict_of(contrast, margin) != WITHIN


@given(
    estimate=st.floats(-1, 1),
    se=st.floats(1e-3, 1),
    df=st.floats(1, 1000),
    wider=st.floats(1.0001, 50),
)
def test_nor_at_any_estimate_error_and_freedom(estimate, se, df, wider):
    contrast = Contrast(estimate, se, df, "paired t", 20, 20, 1)
    low, high = contrast.ci(0.9)
    assert verdict_of(contrast, (high - low) / 2 / wider) != WITHIN


# -- CrowS-Pairs on BERT --------------------------------------------------------------------------------

CROWS = {
    "race": (58.14, 516), "gender": (58.02, 262), "socioeconomic": (59.88, 172), "nationality": (62.89, 159),
    "religion": (71.43, 105), "age": (55.17, 87), "sexual-orientation": (67.86, 84),
    "physical-appearance": (63.49, 63), "disability": (61.67, 60),
}  # fmt: skip
"""Percent of pairs in which bert-base-uncased prefers the stereotype, and pairs (MEASURES 6.1)."""


def preferences(preferred, pairs):
    """Paired preferences as a contrast: 1 or 0 for each pair, less the .5 of no preference."""
    return defined(single(np.repeat([0.5, -0.5], [preferred, pairs - preferred])))


def crows_counts():
    return {name: (round(percent * pairs / 100), pairs) for name, (percent, pairs) in CROWS.items()}


def test_the_counts_are_those_of_the_paper():
    counts = crows_counts()
    assert tuple(map(sum, zip(*counts.values(), strict=True))) == (912, 1508)
    assert counts["age"] == (48, 87) and counts["religion"] == (75, 105)
    for name, (preferred, pairs) in counts.items():
        assert round(100 * preferred / pairs, 2) == CROWS[name][0]


def test_verdicts_on_crows_pairs():
    contrasts = {name: preferences(*count) for name, count in crows_counts().items()}
    adjusted = dict(zip(contrasts, holm([each.p_value() for each in contrasts.values()]).p, strict=True))
    verdicts = {name: verdict_of(each, 0.05, adjusted[name]) for name, each in contrasts.items()}
    found = {name for name, verdict in verdicts.items() if verdict == "disparity"}
    assert verdicts["age"] == "inconclusive"
    # MEASURES 7.5: with exact binomial p-values Holm leaves four of nine, with gender and socioeconomic at
    # .056. The t-test, which takes the spread from the data, puts these two at .046.
    exact = [scipy.stats.binomtest(*count).pvalue for count in crows_counts().values()]
    four = {name for name, p in zip(contrasts, holm(exact).p, strict=True) if p is not None and p < 0.05}
    assert four == {"race", "religion", "nationality", "sexual-orientation"}
    assert found == four | {"gender", "socioeconomic"}
    assert adjusted["gender"] == adjusted["socioeconomic"] == pytest.approx(0.0457, abs=1e-4)
    assert set(verdicts.values()) == {"disparity", "inconclusive"}
    assert sum(each.p_value() < 0.05 for each in contrasts.values()) == 7
    assert verdict_of(preferences(912, 1508), 0.05) == "disparity"


def test_eight_of_nine_categories_can_never_be_within_margin_whatever_the_model():
    for name, (_, pairs) in CROWS.items():
        verdicts = {verdict_of(preferences(preferred, pairs), 0.05) for preferred in range(pairs + 1)}
        assert (WITHIN in verdicts) == (name == "race"), name


def test_five_points_need_more_than_271_pairs_to_be_shown():
    def fits(pairs):
        """Whether an interval of 90 % of an even split of so many pairs lies inside 50 +- 5 %."""
        return tost(preferences(pairs // 2, pairs), 0.05, 0.05).within

    even = range(200, 401, 2)
    fitting = [pairs for pairs in even if fits(pairs)]
    # With a known spread of .5 the bound is (1.645 * .5 / .05)^2 = 270.6 pairs (MEASURES 7.7). Estimating it
    # costs the t quantile and n - 1: two pairs or three.
    assert fitting == [pairs for pairs in even if pairs >= fitting[0]]
    assert 271 < fitting[0] <= 274
    assert (scipy.stats.norm.isf(0.05) * 0.5 / 0.05) ** 2 == pytest.approx(270.55, abs=0.01)


def test_an_even_model_is_shown_within_five_points_from_856_pairs_on():
    def power(pairs):
        """Exact: over all counts of a fair coin."""
        counts = np.arange(pairs + 1)
        share = counts / pairs
        se = np.sqrt(share * (1 - share) / (pairs - 1))
        fits = np.abs(share - 0.5) + scipy.stats.t.isf(0.05, pairs - 1) * se < 0.05
        return float(scipy.stats.binom.pmf(counts[fits], pairs, 0.5).sum())

    # Counts are whole, so that the power jumps with the number of pairs: about .02 up and down.
    around = [power(pairs) for pairs in range(840, 873)]
    assert np.mean(around) == pytest.approx(0.8, abs=0.01)
    assert (
        max(power(pairs) for pairs in range(700, 760)) < 0.8 < min(power(pairs) for pairs in range(960, 1000))
    )
    planned = templates_needed(Target(0.05, "within"), DesignSds(0.5, 0.0, 0.0), 1, 1, "single").n
    assert planned == pytest.approx(856, abs=5)


@pytest.mark.parametrize(
    ("pairs", "points"), [(1508, 3.6), (516, 6.2), (262, 8.7), (172, 10.7), (105, 13.7), (60, 18.1)]
)
def test_the_smallest_detectable_preference_of_so_many_pairs(pairs, points):
    # MEASURES 7.8, with the normal quantiles
    found = minimum_detectable(50 / math.sqrt(pairs), math.inf, 0.05)
    assert round(found, 1) == points or found == pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(("pairs", "size"), [(20, 0.66), (40, 0.45), (80, 0.32)])
def test_the_smallest_detectable_paired_effect(pairs, size):
    found = minimum_detectable(1 / math.sqrt(pairs), pairs - 1, 0.05)
    assert round(found, 2) == size
    # statsmodels: TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8), by the noncentral t
    exact = TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8)
    assert round(exact, 2) == size
    assert power_to_detect(exact, 1 / math.sqrt(pairs), pairs - 1, 0.05) == pytest.approx(0.8, abs=1e-6)
