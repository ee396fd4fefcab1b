"""What is said of a family as a whole: ledger, shrunken ranks, reliability, and second looks at a size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.effects import effect_sizes, resampled_interval
from audit.analysis.estimates import Cells, Comparer
from audit.analysis.profile import group_tables, reliability_record, rest_covariance
from audit.findings import analyze_answers
from audit.hypotheses import REST
from audit.models import ScriptedModel
from audit.plan import make_plan, planned_suites, questions
from audit.requests import Choice, Response
from audit.spec import AuditSpec, choose
from audit.stats.estimate import Undefined


@pytest.fixture
def plan(mini: Path) -> dict[str, Any]:
    return make_plan(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(mini)),)))


def answers(plan: dict[str, Any], rng: np.random.Generator, lift: dict[str, float]) -> Any:
    """Answers with normal noise of .3 nats, and a lift of some terms."""
    model = plan["models"][0]
    kept = {}
    for question in questions(plan, model["id"], planned_suites(plan)):
        value = rng.normal(0, 0.3) + lift.get(question.item.term, 0.0)
        kept[model["digest"], question.digest] = Response((Choice(value - 5.0, 1), Choice(-5.0, 1)))
    return kept


def family(found: dict[str, Any], axis: str) -> dict[str, Any]:
    return next(row for row in found["families"] if row["axis"] == axis)


def test_every_hypothesis_of_the_plan_is_in_the_ledger(plan: dict[str, Any]) -> None:
    found = analyze_answers(plan, answers(plan, np.random.default_rng(1), {"mini-terms:w1": 1.0}))
    assert sum(row["m"] for row in found["families"]) == len(plan["hypotheses"]) == len(found["findings"])
    each = family(found, "term")
    assert (each["m"], each["role"], each["method"]) == (16, "exploratory", "benjamini-hochberg")
    own = [row for row in found["findings"] if row["family"] == each["id"]]
    assert each["p_omnibus"] == min(row["p_holm"] for row in own) < 0.01


def test_hypotheses_that_could_not_be_computed_are_counted(plan: dict[str, Any]) -> None:
    kept = {
        key: Response(error="no answer") for key in answers(plan, np.random.default_rng(1), {})
    }  # nothing was answered
    found = analyze_answers(plan, kept)
    assert {row["verdict"] for row in found["findings"]} == {"invalid"}
    for row in found["families"]:
        assert row["n_not_computable"] == row["m"] and row["p_omnibus"] is None
        assert row["shrinkage"] is None and row["shrinkage_undefined"]
        assert row["reliability"] is None and row["reliability_undefined"]


def test_corrected_values_never_claim_more_than_raw_ones(plan: dict[str, Any]) -> None:
    found = analyze_answers(plan, answers(plan, np.random.default_rng(2), {"mini-terms:w1": 1.0}))
    for row in found["findings"]:
        assert row["p_adjusted"] >= row["p"] and row["p_holm"] >= row["p"]
        if row["ci_simultaneous"]:
            assert row["ci_simultaneous"]["lo"] <= row["ci"]["lo"]
            assert row["ci_simultaneous"]["hi"] >= row["ci"]["hi"]


def test_a_lifted_term_is_ranked_first_and_noise_is_drawn_to_the_mean(plan: dict[str, Any]) -> None:
    lifted = analyze_answers(plan, answers(plan, np.random.default_rng(3), {"mini-terms:w3": 2.0}))
    rows = {row["group"]: row for row in family(lifted, "term")["shrinkage"]["groups"]}
    top = rows["mini-terms:w3"]
    assert top["p_highest"] > 0.99 and top["rank_hi"] == 1
    flat = analyze_answers(plan, answers(plan, np.random.default_rng(3), {}))
    shrunken = family(flat, "term")["shrinkage"]["groups"]
    assert np.ptp([row["shrunken"] for row in shrunken]) < 0.5 * np.ptp([row["raw"] for row in shrunken])
    assert max(row["p_highest"] for row in shrunken) < 0.9


def test_reliability_is_high_where_groups_differ_and_low_where_they_do_not(plan: dict[str, Any]) -> None:
    spread = {f"mini-terms:w{i}": 0.4 * i for i in range(16)}
    differ = analyze_answers(plan, answers(plan, np.random.default_rng(4), spread))
    same = analyze_answers(plan, answers(plan, np.random.default_rng(4), {}))
    high, low = (family(found, "term")["reliability"] for found in (differ, same))
    assert high["coefficient"] > 0.95 and high["split_half"]["reliability"] > 0.9
    assert low["coefficient"] < 0.7
    assert low["needed"]["templates"]["n"] is None or low["needed"]["templates"]["n"] > low["templates"]


def test_two_groups_cannot_be_ranked_and_say_so(plan: dict[str, Any]) -> None:
    found = analyze_answers(plan, answers(plan, np.random.default_rng(5), {}))
    two = family(found, "kind")
    assert two["shrinkage"] is None and "are needed" in two["shrinkage_undefined"]
    assert two["reliability"] is None and two["reliability_undefined"] == "2 groups; 3 are needed"


def test_terms_are_no_certainty_about_groups() -> None:
    """Where a group is only its terms, their spread is error, and may not count as the group's own."""
    rng = np.random.default_rng(6)
    rows = [
        {
            "template": f"t{t}",
            "family": f"t{t}",
            "group": f"g{g}",
            "term": f"g{g}n{n}",
            "value": value + noise,
            "factor": "samples",
        }
        for g in range(5)
        for n, value in enumerate(rng.normal(size=4))
        for t, noise in enumerate(rng.normal(0, 0.1, size=8))
    ]
    frame = pd.DataFrame(rows)
    nested = reliability_record(Comparer(frame, REST, "nested"), rng)
    fixed = reliability_record(Comparer(frame, REST, "fixed"), rng)
    assert not isinstance(nested, Undefined) and not isinstance(fixed, Undefined)
    assert fixed["coefficient"] > 0.95 > nested["coefficient"] + 0.2


def test_answer_pairs_are_no_certainty_about_groups() -> None:
    """Groups that differ only from answer pair to answer pair keep no order with other pairs."""
    rng = np.random.default_rng(11)
    pull = rng.normal(size=(20, 6))
    rows = [
        {"template": str(t), "family": str(t), "group": f"g{g}", "term": f"g{g}", "unit": f"p{k}",
         "factor": "answers", "value": pull[g, k] + rng.normal(0, 0.3)}
        for g in range(20) for t in range(9) for k in range(6)
    ]  # fmt: skip
    found = reliability_record(Comparer(pd.DataFrame(rows), REST, "fixed"), rng)
    assert not isinstance(found, Undefined)
    # The true components are 0, 0, 1 and .09: with 6 pairs, E rho^2 of the estimates is near 0.
    assert found["coefficient"] < 0.5 and found["split_half"] is None and found["alpha"] is None
    assert found["components"]["s2_group_sample"] == pytest.approx(1.0, abs=0.35)
    assert found["components"]["s2_sample"] == pytest.approx(0.09, abs=0.02)


def test_groups_with_unequal_numbers_of_terms_have_no_reliability() -> None:
    frame = pd.DataFrame(
        {
            "template": ["a"] * 4,
            "family": ["a"] * 4,
            "group": list("xxyz"),
            "term": list("abcd"),
            "factor": "samples",
            "value": 1.0,
        }
    )
    found = group_tables(Comparer(frame, REST, "nested"))
    assert isinstance(found, Undefined) and "different numbers of terms" in found.reason


def test_contrasts_with_the_rest_share_their_errors() -> None:
    """The covariance against one drawn from independent groups: C diag(v) C'."""
    own = np.array([0.5, 1.0, 2.0, 4.0])
    contrast = np.eye(4) - (1 - np.eye(4)) / 3
    true = contrast @ np.diag(own) @ contrast.T
    found = rest_covariance(np.sqrt(np.diag(true)))
    assert found == pytest.approx(true, abs=1e-12)
    assert found.sum() == pytest.approx(0.0, abs=1e-12)


def cells(values: np.ndarray, second: np.ndarray | None = None) -> Cells:
    names = [f"t{i}" for i in range(len(values))]
    families = pd.Series(names, index=names)
    first = pd.DataFrame(values, index=names)
    if second is not None:
        return Cells("nested", first, pd.DataFrame(second, index=names), families)
    return Cells("crossed" if values.shape[1] > 1 else "single", first, None, families)


def test_effects_turn_their_sign_with_the_groups_and_ignore_the_unit() -> None:
    rng = np.random.default_rng(7)
    one, two = rng.normal(0.5, 1, (9, 6)), rng.normal(0, 1, (9, 8))
    plain, turned, scaled = (
        effect_sizes(each, 0.95) for each in (cells(one, two), cells(two, one), cells(10 * one, 10 * two))
    )
    assert [row["name"] for row in plain] == ["d_z", "Cliff's delta"]
    for a, b, c in zip(plain, turned, scaled, strict=True):
        assert b["estimate"] == pytest.approx(-a["estimate"]) and c["estimate"] == pytest.approx(
            a["estimate"]
        )
    for row in plain:  # an interval over families or terms alone would be too narrow
        assert row["lo"] is None and row["reason"] == "no interval: more than one factor was sampled"


def test_an_effect_over_templates_alone_has_its_interval() -> None:
    (row,) = effect_sizes(cells(np.random.default_rng(12).normal(0.5, 1.0, (15, 1))), 0.95)
    assert row["lo"] < row["estimate"] < row["hi"] and row["reason"] == ""


@pytest.mark.parametrize(("groups", "rate"), [(8, 0.1), (26, 0.1), (26, 0.3)])
def test_rare_answers_do_not_pass_for_differences_from_the_rest(groups: int, rate: float) -> None:
    """0/1 scores: a group that happens to score 0 everywhere shows no spread of its own."""
    from audit.analysis.correction import corrected
    from audit.analysis.estimates import estimate
    from tests.audit.test_audit_correction import SETTING, hypotheses

    rng, sets, false = np.random.default_rng([31, groups]), 60, 0
    for _ in range(sets):
        rows = [
            {"template": str(t), "family": str(t), "group": f"g{g}", "term": f"g{g}", "unit": "0",
             "factor": "samples", "value": float(rng.random() < rate)}
            for g in range(groups) for t in range(9)
        ]  # fmt: skip
        probes = Comparer(pd.DataFrame(rows), REST, "fixed")
        made = [probes.cells(f"g{g}") for g in range(groups)]
        found = corrected(hypotheses(groups), made, [estimate(cell) for cell in made], SETTING)
        false += min(each.p for each in found if each.p is not None) < 0.05
    # At a true .05, more than 9 of 60 has a chance of .001 (scipy.stats.binom.sf(9, 60, .05)).
    assert false <= 9, false


def test_an_effect_that_does_not_exist_has_a_reason_and_no_number() -> None:
    (row,) = effect_sizes(cells(np.full((5, 1), 0.3)), 0.95)
    assert row["estimate"] is None and row["reason"] == "all paired differences are equal"


@pytest.mark.parametrize("columns", [1, 5])
def test_the_second_interval_is_near_the_first(columns: int) -> None:
    from audit.analysis.estimates import estimate

    rng = np.random.default_rng(8)
    made = cells(rng.normal(1.0, 1.0, (25, columns)))
    found, contrast = resampled_interval(made, rng, 0.95), estimate(made)
    assert found is not None and not isinstance(contrast, Undefined)
    low, high = contrast.ci(0.95)
    assert found["lo"] < contrast.estimate < found["hi"]
    assert (found["hi"] - found["lo"]) == pytest.approx(high - low, rel=0.6)


def test_no_spread_has_no_second_interval() -> None:
    assert resampled_interval(cells(np.full((6, 3), 0.2)), np.random.default_rng(9), 0.95) is None
