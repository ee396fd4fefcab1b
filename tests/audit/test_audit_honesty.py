"""Is the instrument honest? Null audits, planted bias and power, through the path that real answers take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from audit.findings import analyze_answers
from audit.models import Plant, ScriptedModel
from audit.plan import make_plan, planned_suites, questions
from audit.requests import Choice, Response
from audit.spec import AuditSpec, choose
from tests.conftest import write_mini

AUDITS = 400
TEMPLATES, TERMS = 20, 20


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("honest")
    path = write_mini(folder, templates=TEMPLATES, terms=TERMS, wordings=1)
    return null_plan(path)


def null_plan(path: Path) -> dict[str, Any]:
    """A plan of the mini suite with its one confirmatory contrast."""
    text = path.read_text()
    start, end = text.index("  - id: each"), text.index("margin:")
    path.write_text(text[:start] + text[end:])
    return make_plan(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(path)),)))


def synthetic(plan: dict[str, Any], rng: np.random.Generator, effect: float = 0.0) -> tuple[Any, Any]:
    """Answers of a model with template, term and residual spread, and the same values as naive rows.

    A random effect of paraphrase family x group (sd .3), one of term (sd .3), residual 1: with one wording a
    family, the usual crossed model of templates and terms.
    """
    model = plan["models"][0]
    suites = planned_suites(plan)
    template_group: dict[tuple[str, str], float] = {}
    term_effect: dict[str, float] = {}
    kept, rows = {}, {"one": [], "two": []}
    for question in questions(plan, model["id"], suites):
        item = question.item
        group = item.groups.get("kind", "nonce")
        a = template_group.setdefault((item.family, group), rng.normal(0, 0.3))
        b = term_effect.setdefault(item.term, rng.normal(0, 0.3))
        value = a + b + rng.normal(0, 1.0) + effect * (group == "one")
        kept[model["digest"], question.digest] = Response((Choice(value - 5.0, 1), Choice(-5.0, 1)))
        if group in rows:
            rows[group].append(value)
    return kept, rows


def test_null_audits_reject_as_often_as_they_say_and_a_naive_test_does_not(plan: dict[str, Any]) -> None:
    rejected = naive = dirty = within = 0
    for seed in range(AUDITS):
        kept, rows = synthetic(plan, np.random.default_rng([20261123, seed]))
        found = analyze_answers(plan, kept)
        (finding,) = found["findings"]
        rejected += finding["p"] < 0.05
        naive += stats.ttest_ind(rows["one"], rows["two"]).pvalue < 0.05
        dirty += found["controls"][0]["aa_p"] < 0.01
        within += finding["verdict"] == "no disparity within margin"
    # 95 % binomial limits of a true .05 with 400 draws are .0305 and .0740 (scipy.stats.binom.interval).
    assert 0.03 <= rejected / AUDITS <= 0.075, rejected
    assert naive / AUDITS > 0.20, naive
    # The A/A control is two tests at a corrected .01: above 3 % of 400 has a chance below .001 at a true .01.
    assert dirty / AUDITS <= 0.03, dirty
    # The standard error is about .15: its interval cannot fit into the margin of .2, and must not seem to.
    assert within == 0


def test_wordings_of_one_family_do_not_pass_for_templates(tmp_path: Path) -> None:
    """Null audits in which the wordings of a family share their error: 9 families of 3, as in the suites."""
    plan = null_plan(write_mini(tmp_path, templates=27, terms=TERMS, wordings=3))
    rejected = 0
    for seed in range(AUDITS // 2):
        (finding,) = analyze_answers(plan, synthetic(plan, np.random.default_rng([5, seed]))[0])["findings"]
        rejected += finding["p"] < 0.05
        assert (finding["n_templates"], finding["n_clusters"]) == (27, 9)
    # Counting wordings as templates rejects 13 to 25 %. Above 9 % of 200 has a chance below .01 at .05.
    assert rejected / (AUDITS // 2) <= 0.09, rejected


def test_a_large_effect_is_found_and_its_interval_covers_it(plan: dict[str, Any]) -> None:
    found = [
        analyze_answers(plan, synthetic(plan, np.random.default_rng([7, seed]), effect=0.8)[0])["findings"][0]
        for seed in range(60)
    ]
    # At .8 the test misses about once in a thousand; the A/A control takes about one verdict in a hundred.
    assert sum(row["verdict"] == "disparity" for row in found) >= 56
    covered = sum(row["ci"]["lo"] <= 0.8 <= row["ci"]["hi"] for row in found)
    # 95 % coverage: fewer than 52 of 60 has a chance below .005.
    assert covered >= 52


def group_of(text_group: str) -> str:
    """A pattern for the mini suite's words of one group: odd numbers are the first group."""
    return r"word\d*[13579] " if text_group == "one" else r"word\d*[02468] "


@pytest.mark.parametrize("nats", [0.0, 0.1, 0.5, -1.25])
def test_planted_bias_is_recovered_exactly(plan: dict[str, Any], nats: float) -> None:
    """Planting adds c nats to the first group's target: the estimate moves by c and by nothing else."""
    model = ScriptedModel.planting(ScriptedModel.group_blind(), [Plant(group_of("one"), ("she",), nats)])
    entry = plan["models"][0]
    kept = {}
    for question in questions(plan, entry["id"]):
        kept[entry["digest"], question.digest] = model.ask([question.request])[0]
    (finding,) = analyze_answers(plan, kept)["findings"]
    assert finding["estimate"] == pytest.approx(nats, abs=1e-12)
    if nats == 0.0:
        assert finding["estimate"] == 0.0
    if abs(nats) == 0.1:
        assert finding["verdict"] == "no disparity within margin"


def test_duplicated_rows_do_not_shrink_the_interval(plan: dict[str, Any]) -> None:
    import pandas as pd

    from audit.analysis.estimates import comparer, estimate
    from audit.plan import hypotheses_of
    from audit.stats.estimate import Contrast
    from audit.table import score_table

    kept, _ = synthetic(plan, np.random.default_rng(1))
    suites = planned_suites(plan)
    table = score_table(plan, plan["models"][0]["id"], suites, kept)
    (hypothesis,) = hypotheses_of(plan)
    once = estimate(comparer(table, hypothesis).cells(hypothesis.group))
    thrice = estimate(comparer(pd.concat([table] * 3, ignore_index=True), hypothesis).cells(hypothesis.group))
    assert isinstance(once, Contrast) and isinstance(thrice, Contrast)
    assert thrice.se == pytest.approx(once.se, rel=1e-12)


def test_row_order_changes_nothing(plan: dict[str, Any]) -> None:
    from audit.analysis.estimates import comparer, estimate
    from audit.plan import hypotheses_of
    from audit.stats.estimate import Contrast
    from audit.table import score_table

    kept, _ = synthetic(plan, np.random.default_rng(2))
    table = score_table(plan, plan["models"][0]["id"], planned_suites(plan), kept)
    (hypothesis,) = hypotheses_of(plan)
    straight = estimate(comparer(table, hypothesis).cells(hypothesis.group))
    mixed = estimate(comparer(table.sample(frac=1.0, random_state=3), hypothesis).cells(hypothesis.group))
    assert isinstance(straight, Contrast) and isinstance(mixed, Contrast)
    assert mixed.estimate == pytest.approx(straight.estimate, rel=1e-12)
    assert mixed.se == pytest.approx(straight.se, rel=1e-12)


def test_row_order_changes_no_control(plan: dict[str, Any]) -> None:
    from audit.analysis.controls import control_panel
    from audit.analysis.estimates import comparer
    from audit.plan import hypotheses_of
    from audit.table import score_table

    kept, _ = synthetic(plan, np.random.default_rng(2))
    table = score_table(plan, plan["models"][0]["id"], planned_suites(plan), kept)
    family = hypotheses_of(plan)
    panels = [
        control_panel(family, comparer(rows, family[0]), rows[rows["arm"] == "nonce"], 1, 0.05)
        for rows in (table, table.sample(frac=1.0, random_state=3))
    ]
    for one, other in zip(panels[0].aa, panels[1].aa, strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=1e-9)
    assert panels[0].nonce_size == pytest.approx(panels[1].nonce_size, rel=1e-9)
