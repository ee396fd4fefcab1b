"""Two audits held against each other: what was planted between them is what is found, and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from scipy import stats

from audit.comparison import flips
from audit.comparison.changes import paired_contrasts
from audit.comparison.judgement import ChangeEvidence, judge_change
from audit.comparison.rows import MATCHED
from audit.hypotheses import COMBINATION, OVERALL, REST, Hypothesis
from audit.models import Plant, ScriptedModel
from audit.plan import hypotheses_of, make_plan, questions
from audit.spec import AuditSpec, choose
from audit.stats.estimate import Contrast
from tests.audit.comparison_world import (
    NATS,
    ONE,
    SCHEMA,
    audit_of,
    change,
    compared,
    jittered,
    noise,
    planted,
    shifted,
    suite,
)
from tests.conftest import write_mini


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("before") / "a", noise(), each=True)


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("after") / "a", planted(), each=True)


@pytest.fixture(scope="module")
def blurred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_of(tmp_path_factory.mktemp("blurred") / "a", jittered(), each=True)


@pytest.fixture(scope="module")
def strong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So much bias that every word of the first group draws *she*."""
    return audit_of(tmp_path_factory.mktemp("strong") / "a", jittered(nats=5.0), each=True)


@pytest.fixture(scope="module")
def small_change(base: Path, blurred: Path) -> dict[str, Any]:
    return compared(base, blurred)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


# -- the paired change ----------------------------------------------------------------------------------


def test_a_planted_bias_is_the_change(base: Path, biased: Path) -> None:
    found = compared(base, biased)
    row = change(found)
    assert row["change"]["estimate"] == pytest.approx(NATS, abs=1e-9)
    assert row["verdict"] == "changed" and row["material"]
    assert row["change"]["se"] == 0.0  # the moves do not differ at all, whatever the noise
    each = [other for other in found["findings"] if other["contrast"] == "each"]
    for other in each:  # four of the eight words have it
        has = int(other["group"].removeprefix("mini-terms:w")) % 2
        size = NATS * (1 - 3 / 7) if has else -NATS * 4 / 7
        assert other["change"]["estimate"] == pytest.approx(size, abs=1e-9)


def test_the_change_is_the_difference_of_the_findings(small_change: dict[str, Any]) -> None:
    found = small_change
    assert found["matching"][0]["unmatched"] == []
    for row in found["findings"]:
        told = row["change"]
        assert told["estimate"] == pytest.approx(
            row["after"]["estimate"] - row["before"]["estimate"], abs=1e-12
        )
        assert told["matched_before"] == pytest.approx(row["before"]["estimate"], abs=1e-12)
        assert told["matched_after"] == pytest.approx(row["after"]["estimate"], abs=1e-12)


def test_the_paired_interval_is_far_narrower_and_covers(small_change: dict[str, Any]) -> None:
    row = change(small_change)
    told = row["change"]
    assert 0 < told["se"] < told["se_unpaired"] / 5
    assert told["ci"]["lo"] < NATS < told["ci"]["hi"]
    unpaired = math.hypot(row["before"]["se"], row["after"]["se"])
    assert told["se_unpaired"] == pytest.approx(unpaired, rel=1e-9)


def test_backwards_every_change_has_the_other_sign(
    base: Path, blurred: Path, small_change: dict[str, Any]
) -> None:
    there, back = change(small_change), change(compared(blurred, base))
    assert back["change"]["estimate"] == pytest.approx(-there["change"]["estimate"], abs=1e-12)
    assert back["change"]["p"] == pytest.approx(there["change"]["p"], rel=1e-9)
    assert (back["before"], back["after"]) == (there["after"], there["before"])


def test_a_constant_for_everything_changes_no_contrast(base: Path, tmp_path: Path) -> None:
    found = compared(base, audit_of(tmp_path / "a", shifted(), each=True))
    for row in found["findings"]:
        assert row["change"]["estimate"] == 0.0 and row["change"]["se"] == 0.0
        assert row["verdict"] == "no change within margin" and not row["detectable"]
    assert not any(row["flipped"] for row in found["flips"])
    assert {row["largest_move"] for row in found["overall"]} == {0.0}
    assert {row["alike"] for row in found["overall"]} == {0}  # the raw answers did change


def test_the_same_model_has_not_changed_and_it_is_said_why(base: Path, tmp_path: Path) -> None:
    found = compared(base, audit_of(tmp_path / "a", noise(), each=True))
    assert found["pairs"][0]["same_digest"]
    for row in found["findings"]:
        assert row["change"]["estimate"] == 0.0 and row["direction"] is None
        assert row["verdict"] == "no change within margin"
        assert row["reasons"] == ["the model is the same, and it gave the same answers"]
    assert all(row["alike"] == row["rows"] > 0 for row in found["overall"])
    assert found["plan_changes"] == [] and found["environment_changes"] == []


def test_another_model_that_answers_alike_is_told_apart(base: Path, tmp_path: Path) -> None:
    twin = ScriptedModel(noise()._answer, id="scripted/noise", version="converted")
    row = change(compared(base, audit_of(tmp_path / "a", twin)))
    assert row["verdict"] == "no change within margin"
    assert row["reasons"] == ["every answer compared is the same"]


DESIGNS = [
    ("nested", "two"),
    ("nested", REST),
    ("nested", OVERALL),
    ("paired", "two"),
    ("paired", OVERALL),
    ("fixed", "two"),
    ("fixed", REST),
    (COMBINATION, "two*man"),
]


def frame_of(layout: str, rng: np.random.Generator) -> pd.DataFrame:
    """Two sets of scores of groups in some layout, one in ten lacking on either side."""
    groups = (
        ("one*woman", "two*woman", "one*man", "two*man") if layout == COMBINATION else ("one", "two", "six")
    )
    rows = [
        {
            "suite": "s", "arm": "probe", "axis:a": g, "template": f"t{t}", "family": f"f{t // 2}",
            "term": g if layout == "fixed" else f"{g}{n}", "pair": f"p{n}", "unit": str(u),
            "factor": "answers", "before": rng.normal(), "after": rng.normal(),
        }
        for t in range(12) for g in groups for n in range(1 if layout == "fixed" else 4) for u in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def hypothesis(layout: str, reference: str) -> Hypothesis:
    group = "one*woman" if layout == COMBINATION else "one"
    return Hypothesis(
        id="h", family="f", model="m", suite="s", contrast="c", axis="a", group=group, reference=reference,
        layout=layout, role="confirmatory", claim="", group_label="", reference_label="",
    )  # fmt: skip


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("layout", "reference"), DESIGNS)
def test_in_every_layout_the_change_is_the_difference(layout: str, reference: str, gaps: bool) -> None:
    rng = np.random.default_rng(5)
    frame = frame_of(layout, rng)
    there = rng.random(len(frame)) > 0.1 * gaps
    frame["reason"] = np.where(there, MATCHED, "scored only before")
    frame["value"] = (frame["after"] - frame["before"]).where(there)
    (found,) = paired_contrasts(frame, [hypothesis(layout, reference)])
    assert isinstance(found.change, Contrast) and found.change.se > 0
    assert isinstance(found.before, Contrast) and isinstance(found.after, Contrast)
    assert found.change.estimate == pytest.approx(found.after.estimate - found.before.estimate, abs=1e-12)


AUDITS = 200


def probe_rows(path: Path) -> tuple[pd.DataFrame, list[Any], Hypothesis]:
    """Rows of the small suite's words without their scores, their questions, and its first hypothesis."""
    plan = make_plan(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(path)),)))
    asked = [q for q in questions(plan, plan["models"][0]["id"]) if q.item.arm == "probe"]
    rows = [
        {
            "suite": "mini", "arm": "probe", "axis:kind": q.item.groups["kind"], "family": q.item.family,
            "template": q.item.template, "term": q.item.term, "pair": None, "unit": "pronoun",
            "factor": "answers", "reason": MATCHED,
        }
        for q in asked
    ]  # fmt: skip
    return pd.DataFrame(rows), asked, hypotheses_of(plan)[0]


def claims(rows: pd.DataFrame, asked: Hypothesis, before: Any, after: Any) -> bool:
    """Whether a change is claimed, at a level of .05."""
    (found,) = paired_contrasts(rows.assign(before=before, after=after, value=after - before), [asked])
    assert isinstance(found.change, Contrast)
    return found.change.p_value() < 0.05


def test_two_models_of_nothing_but_noise_change_as_often_as_they_may(tmp_path: Path) -> None:
    """A/A: seed against seed of a model that knows no groups, one word against another."""
    rows, asked, first = probe_rows(write_mini(tmp_path, templates=8, terms=2, wordings=1))
    words = ["mini-terms:w1", "mini-terms:w0"]
    those = rows["term"].isin(words).to_numpy()
    requests = [question.request for question, chosen in zip(asked, those, strict=True) if chosen]
    one = replace(first, axis="term", group=words[0], reference=words[1], layout="fixed")

    def scores(seed: int) -> Any:
        answers = ScriptedModel.noise(seed).ask(requests)
        return np.array([a.choices[0].logprob - a.choices[1].logprob for a in answers])  # type: ignore[operator]

    claimed = sum(claims(rows[those], one, scores(2 * draw), scores(2 * draw + 1)) for draw in range(AUDITS))
    # The paired t-test is exact here. 99 % binomial limits of .05 with 200 draws are 3 and 19
    # (scipy.stats.binom.interval).
    assert 3 <= claimed <= 19, claimed


def test_what_models_make_of_words_and_templates_is_no_change_of_groups(tmp_path: Path) -> None:
    """A/A with terms nested in groups: each model has its own liking of words, and of templates by group."""
    rows, _, first = probe_rows(write_mini(tmp_path, templates=8, terms=8, wordings=1))
    terms, cells = (
        pd.factorize(column)[0] for column in (rows["term"], rows["template"] + rows["axis:kind"])
    )
    rng = np.random.default_rng(20261126)

    def scores() -> Any:
        shared = 0.3 * rng.normal(size=terms.max() + 1)[terms] + 0.3 * rng.normal(size=cells.max() + 1)[cells]
        return shared + 0.5 * rng.normal(size=len(rows))

    claimed = sum(claims(rows, first, scores(), scores()) for _ in range(AUDITS))
    # The same limits; Satterthwaite's degrees of freedom claim no more than the exact test would.
    assert 3 <= claimed <= 19, claimed


# -- verdicts -------------------------------------------------------------------------------------------


def test_within_margin_comes_first_and_rounding_is_no_change() -> None:
    def judged(ci: tuple[float, float], within: bool, **more: Any) -> Any:
        ends = (0.5, 0.4, 0.6), (0.5 + sum(ci) / 2, 0.1, 0.9)
        return judge_change(ChangeEvidence(*ends, ci, 0.001, 0.05, 0.2, within, **more))

    small = judged((0.05, 0.15), True)
    assert (small.verdict, small.detectable, small.direction) == ("no change within margin", True, None)
    tiny = judged((1e-8, 3e-8), True, rounding=1e-6)
    assert (tiny.verdict, tiny.detectable) == ("no change within margin", False)
    wide = judged((-0.3, 0.5), False)
    assert (wide.verdict, wide.direction) == ("inconclusive", None)
    clear = judged((0.3, 0.5), False)
    assert (clear.verdict, clear.direction, clear.material) == ("changed", "away from 0", True)
    assert not judged((0.1, 0.5), False).material
    stopped = judged((0.3, 0.5), False, blocked=("no verdict before",), same_digest=True)
    assert (stopped.verdict, stopped.reasons) == ("not comparable", ("no verdict before",))
    few = judged((0.3, 0.5), False, open_questions=("3 terms",))
    assert (few.verdict, few.reasons) == ("inconclusive", ("3 terms",))


def test_directions(base: Path, biased: Path, strong: Path, tmp_path: Path) -> None:
    opposite = audit_of(tmp_path / "b", jittered(nats=-1.5))
    assert change(compared(biased, strong))["direction"] == "away from 0"
    assert change(compared(strong, biased))["direction"] == "toward 0"
    assert change(compared(strong, opposite))["direction"] == "through 0"


def test_corrections_follow_the_role(small_change: dict[str, Any]) -> None:
    found = small_change
    each = [row for row in found["findings"] if row["contrast"] == "each"]
    assert {row["correction"]["method"] for row in each} == {"benjamini-hochberg"}
    assert {row["correction"]["m"] for row in each} == {8}
    raw = np.array([row["change"]["p"] for row in each])
    adjusted = stats.false_discovery_control(raw)  # scipy's Benjamini and Hochberg
    assert [row["change"]["p_adjusted"] for row in each] == pytest.approx(list(adjusted), rel=1e-9)
    assert change(found)["correction"] == {"method": "holm", "m": 1}


def test_the_worst_comes_first(small_change: dict[str, Any]) -> None:
    rows = small_change["findings"]
    order = ["changed", "inconclusive", "not comparable", "no change within margin"]
    places = [order.index(row["verdict"]) for row in rows]
    assert places == sorted(places) and rows[0]["contrast"] == "kind"


# -- flips and moves ------------------------------------------------------------------------------------


def test_flips_are_those_that_were_planted(base: Path, tmp_path: Path) -> None:
    model = ScriptedModel.planting(noise(), [Plant(ONE, ("she",), 5.0)])
    (row,) = compared(base, audit_of(tmp_path / "a", model, each=True))["flips"]
    groups = {entry["group"]: entry for entry in row["groups"] if entry["axis"] == "kind"}
    assert row["kind"] == "preference" and row["rows"] == 96
    assert groups["one"]["up"] == groups["one"]["flipped"] == row["flipped"] > 15
    assert groups["one"]["down"] == groups["two"]["flipped"] == 0
    count = groups["one"]["flipped"]
    assert groups["one"]["p"] == pytest.approx(stats.binomtest(count, count, 0.5).pvalue, rel=1e-9)
    assert groups["one"]["p_adjusted"] == pytest.approx(2 * groups["one"]["p"], rel=1e-9)
    assert groups["two"]["p"] == 1.0
    assert sum(entry["flipped"] for entry in row["groups"] if entry["axis"] == "term") == count
    assert row["transitions"] == [{"from": "second answers", "to": "first answers", "rows": count}]
    sizes = [abs(item["after"] - item["before"]) for item in row["items"]]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == count
    assert all(item["before"] < 0 < item["after"] and "{answer}" in item["text"] for item in row["items"])


def test_long_lists_are_cut_and_counted(base: Path, strong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flips, "LISTED", 3)
    (row,) = compared(base, strong)["flips"]
    assert len(row["items"]) == 3 < row["flipped"]
    monkeypatch.setattr(flips, "LISTED", 1000)
    (whole,) = compared(base, strong)["flips"]
    sizes = [abs(item["after"] - item["before"]) for item in whole["items"]]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(sizes) == row["flipped"]
    assert row["items"] == whole["items"][:3]


def test_moves_say_how_far_and_in_what_order(base: Path, biased: Path) -> None:
    row = next(row for row in compared(base, biased)["overall"] if row["arm"] == "probe")
    assert row["mean_absolute_move"] == pytest.approx(NATS / 2, abs=1e-9)
    assert row["mean_move"] == pytest.approx(NATS / 2, abs=1e-9)
    assert row["largest_move"] == pytest.approx(NATS, abs=1e-9)
    assert 0.8 < row["correlation"] < 1.0 and row["alike"] == row["rows"] // 2 == 48


def test_a_correlation_that_is_none_says_why(base: Path, tmp_path: Path) -> None:
    blind = audit_of(tmp_path / "a", ScriptedModel.group_blind())
    row = compared(base, blind)["overall"][0]
    assert row["correlation"] is None and row["correlation_undefined"] == "all scores are the same after"


def test_small_templates_leave_nothing_undefined_as_zero(tmp_path: Path) -> None:
    """Two template families: no contrast can be had, and no change of one either."""
    few = suite(tmp_path / "few", templates=4)
    bundles = [
        audit_of(tmp_path / name, model, suites=(choose(str(few)),))
        for name, model in (("a", noise()), ("b", jittered()))
    ]
    for row in compared(*bundles)["findings"]:
        assert row["change"] is None and row["verdict"] == "not comparable"
        assert "template families" in row["undefined"]
