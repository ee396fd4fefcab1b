from __future__ import annotations

import numpy as np
import pytest
from null_worlds import crossed_world, defined, nested_world

from audit.stats.contrast import crossed, nested, single
from audit.stats.equivalence import minimum_detectable, power_to_detect, tost
from audit.stats.planning import (
    DesignSds,
    Target,
    design_mde,
    design_se,
    needed_for_decision,
    templates_needed,
    terms_needed,
)

SDS = DesignSds(0.3, 0.3, 1.0)


def test_planned_variance_is_that_of_the_estimates():
    random, sets = np.random.default_rng(1), 1500
    nests = [defined(nested(*nested_world(random, 0.0, 9, 7))).estimate for _ in range(sets)]
    crosses = [defined(crossed(crossed_world(random, 9, 7))).estimate for _ in range(sets)]
    # relative sd of a variance from 1500 draws: sqrt(2 / 1499) = .037; 3 of them
    assert np.var(nests) == pytest.approx(design_se(SDS, 9, 7, 7, "nested")[0] ** 2, rel=0.11)
    assert np.var(crosses) == pytest.approx(design_se(SDS, 9, 7, 7, "crossed")[0] ** 2, rel=0.11)


def test_single_by_hand():
    assert design_se(DesignSds(0.3, 0.0, 0.4), 25, 1, 1, "single") == pytest.approx((0.1, 24.0))
    assert design_se(DesignSds(0.3, 0.0, 0.4), 25, 4, 4, "single")[0] == pytest.approx(0.13**0.5 / 5)


def test_power_of_the_reference_design():
    # MEASURES 7.2: power .89 at a difference of .5 with T = N = 20
    assert power_to_detect(0.5, *design_se(SDS, 20, 20, 20, "nested"), 0.05) == pytest.approx(0.89, abs=0.01)


def test_detectable_effect():
    se, df = design_se(SDS, 12, 8, 15, "nested")
    assert design_mde(SDS, 12, 8, 15, "nested", 0.1) == minimum_detectable(se, df, 0.1)


@pytest.mark.parametrize("layout", ["nested", "crossed"])
@pytest.mark.parametrize("target", [Target(0.5), Target(0.6, "within"), Target(0.45, power=0.9)])
def test_the_number_needed_is_the_smallest(target, layout):
    n = templates_needed(target, SDS, 25, 25, layout).n
    assert target.reached(*design_se(SDS, n, 25, 25, layout))
    assert n == 2 or not target.reached(*design_se(SDS, n - 1, 25, 25, layout))
    n = terms_needed(target, SDS, 25, layout).n
    assert target.reached(*design_se(SDS, 25, n, n, layout))
    assert n == 2 or not target.reached(*design_se(SDS, 25, n - 1, n - 1, layout))


def test_more_names_cannot_fix_too_few_templates():
    answer = terms_needed(Target(0.3), SDS, 10, "nested")
    assert answer.n is None
    assert "templates alone leave a standard error of 0.134" in answer.reason  # sqrt(2 * .09 / 10)
    answer = templates_needed(Target(0.3), SDS, 10, 10, "nested")
    assert answer.n is None
    assert "terms alone" in answer.reason


def test_proportion_within_five_points():
    # MEASURES 7.7: about 856 independent items of sd 50
    n = templates_needed(Target(5.0, "within"), DesignSds(50.0, 0.0, 0.0), 1, 1, "single").n
    assert n == pytest.approx(856, abs=5)


def inconclusive(effect, seed, n_templates=8, n_terms=8):
    world = nested_world(np.random.default_rng(seed), effect, n_templates, n_terms)
    return defined(nested(*world))


@pytest.mark.parametrize("seed", range(1, 7))
def test_what_is_needed_suffices(seed):
    contrast = inconclusive(0.2, seed)
    assert contrast.p_value() > 0.05
    assert not tost(contrast, 0.3, 0.05).within
    need = needed_for_decision(contrast, 0.3, 0.05, "nested")
    assert need.reason == ""
    assert need.templates + need.terms > 0
    cells = (8 + need.templates) * (8 + need.terms)
    for alone, other in ((need.templates_alone, need.terms_alone), (need.terms_alone, need.templates_alone)):
        if alone is not None:
            assert cells <= (8 + alone) * 8
            assert alone > 0 or other == 0


@pytest.mark.parametrize(("effect", "decision"), [(0.0, "within"), (0.4, "detect")])
def test_the_decision_needed_is_reached_by_simulation(effect, decision):
    # A contrast whose components are the true ones: then the plan must have the power it promises.
    random = np.random.default_rng(12)
    se, df = design_se(SDS, 8, 8, 8, "nested")
    shared = 2 / 64
    parts = {"V_T": 2 * 0.09 / 8 + shared, "V_N": 2 * 0.09 / 8 + shared, "V_e": shared}
    contrast = type(inconclusive(0.0, 0))(effect, se, df, "two-way nested", 128, 8, 16, parts)
    need = needed_for_decision(contrast, 0.4, 0.05, "nested")
    assert need.decision == decision
    hits, sets = 0, 600
    for _ in range(sets):
        result = defined(nested(*nested_world(random, effect, 8 + need.templates, 8 + need.terms)))
        hits += result.p_value() < 0.05 if decision == "detect" else tost(result, 0.4, 0.05).within
    # 3 binomial sd of 600 are .05
    assert hits / sets == pytest.approx(0.8, abs=0.06)


def test_one_factor_needs_templates_only():
    contrast = defined(single([0.3, -0.2, 0.5, 0.1, -0.4, 0.6]))
    need = needed_for_decision(contrast, 0.2, 0.05, "single")
    assert need.terms == 0
    assert need.terms_alone is None
    assert need.templates == need.templates_alone > 0


def test_terms_alone_may_never_suffice():
    # All variance lies between templates.
    cells = np.repeat(np.random.default_rng(1).standard_normal((6, 1)), 5, axis=1)
    cells += 0.01 * np.random.default_rng(2).standard_normal((6, 5))
    need = needed_for_decision(defined(crossed(cells)), 0.2, 0.05, "crossed")
    assert need.terms_alone is None
    assert need.templates == need.templates_alone


def test_no_plan_without_spread_or_beyond_reason():
    need = needed_for_decision(defined(single([0.0, 0.0])), 0.1, 0.05, "single")
    assert need.templates is None
    assert "no spread" in need.reason
    need = needed_for_decision(defined(single([0.0, 1.0, -1.0])), 1e-5, 0.05, "single")
    assert need.templates is None
    assert "1,000,000" in need.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DesignSds(-0.1, 0.0, 1.0), "template"),
        (lambda: Target(0.0), "size"),
        (lambda: Target(1.0, "guess"), "decision"),
        (lambda: design_se(SDS, 1, 5, 5, "nested"), "templates"),
        (lambda: design_se(SDS, 5, 1, 5, "nested"), "term"),
        (lambda: design_se(SDS, 5, 5, 6, "crossed"), "paired"),
        (lambda: design_se(SDS, 5, 1, 1, "single"), "term sd"),
        (lambda: design_se(SDS, 5, 5, 5, "ladder"), "layout"),
        (lambda: needed_for_decision(inconclusive(0.0, 1), -1.0, 0.05, "nested"), "margin"),
        (lambda: needed_for_decision(inconclusive(0.0, 1), 1.0, 0.05, "ladder"), "layout"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
