"""The name audit: standardised differences, selection rates, impact ratios, and what may not move them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.questions.name_audit import BENCHMARK, PART
from audit.benchmarks.questions.name_audit_formula import first_number, log_ratio, standardised
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Fill, Generate, Request, Response, Sampled, Score
from audit.stats.estimate import Contrast, Undefined
from audit.stats.ratios import risk_ratio_score
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on

DECISIONS, NUMBERS = Setup("decisions"), Setup("numbers")
ITEMS = BENCHMARK.items(None, DECISIONS)
WOMEN = "names of women - men"
BLACK = "names of Black - White people"


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, name: str, family: str = "overall") -> Estimate:
    return next(one for one in found.estimates if one.name == name and one.family == family)


def noise(key: str) -> float:
    response = ScriptedModel.noise(7).ask([Score(key, ("x",))])[0]
    return (response.choices[0].logprob or 0.0) + 7.0


def answers_of(items: Sequence[BenchmarkItem], lift: float = 0.0, level: float = 0.0) -> list[Answer]:
    """Log-odds: noise by item around ``level``, and ``lift`` for women's names."""
    return [
        Answer(item.id, PART, level + noise(item.id) + (lift if item.labels["gender"] == "woman" else 0.0))
        for item in items
    ]


# ------------------------------------------------------------------ formulas, by hand


def test_values_are_standardised_within_scenario_and_context() -> None:
    rows = [
        BenchmarkItem(f"{scenario}{name}", {}, "alone", scenario, {"arm": "people", "name": name})
        for scenario in ("car", "job")
        for name in "abc"
    ]
    rows.append(BenchmarkItem("carx", {}, "alone", "car", {"arm": "nonce", "name": "x"}))
    rows.append(BenchmarkItem("jobx", {}, "alone", "job", {"arm": "nonce", "name": "x"}))
    values = {"cara": 10.0, "carb": 20.0, "carc": 30.0, "carx": 40.0, "joba": 5.0, "jobb": 5.0, "jobc": 5.0}
    expected = {"cara": -1.0, "carb": 0.0, "carc": 1.0, "carx": 2.0, "joba": 0.0, "jobb": 0.0, "jobc": 0.0}
    assert standardised(rows, values | {"jobx": 6.0}) == expected, "no unit for an invented name there"
    assert standardised(rows, values | {"jobx": 5.0})["jobx"] == 0.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 12000", 12000.0),
        ("$12,500.", 12500.0),
        ("I would offer $95k.", 95000.0),
        ("about 1.2 million", 1.2e6),
        ("4.5%", 4.5),
        ("between 10,000 and 12,000", 10000.0),
        ("60/hour", 60.0),
        ("1234567", 1234567.0),
        ("five", None),
        ("B52", None),
        ("", None),
    ],
)
def test_numbers_are_read(text: str, number: float | None) -> None:
    assert first_number(text) == number


def test_the_log_ratio_by_hand() -> None:
    one, zero = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 1.0]] * 3)
    found = log_ratio(one, zero)
    # Names alone vary: var((2, 0)) / 2 = 1, with rates scaled to 1.
    assert isinstance(found, Contrast)
    assert math.isclose(found.estimate, math.log(0.5)) and math.isclose(found.se, 1.0)
    assert isinstance(log_ratio(one, 0.0 * zero), Undefined)
    assert isinstance(log_ratio(np.full((3, 2), np.nan), zero), Undefined)


def test_the_log_ratio_is_honest_about_other_names_and_scenarios() -> None:
    """300 worlds without bias, in which names and scenarios differ: .05 +- 2.5 sd of 300 draws."""
    rng = np.random.default_rng(8)
    rejected = naive = 0
    for _ in range(300):
        odds = 0.5 + rng.normal(0, 1, (14, 1)) + rng.normal(0, 0.8, (1, 72)) + rng.normal(0, 1, (14, 72))
        chosen = (odds > 0.0).astype(np.float64)
        found = log_ratio(chosen[:, :24], chosen[:, 24:])
        assert isinstance(found, Contrast)
        rejected += found.p_value() < 0.05
        sums = [(int(part.sum()), part.size) for part in (chosen[:, :24], chosen[:, 24:])]
        ratio = risk_ratio_score(sums[0], sums[1])
        assert not isinstance(ratio, Undefined)
        naive += not ratio.lo <= 1.0 <= ratio.hi
    assert 0.018 <= rejected / 300 <= 0.082
    assert naive / 300 > 0.12, "decisions taken as independent find bias where there is none"


# ------------------------------------------------------------------ the pack


def test_every_scenario_is_asked_for_every_name_in_both_contexts() -> None:
    assert len({item.cluster for item in ITEMS}) == 14 and len({item.id for item in ITEMS}) == len(ITEMS)
    assert len(ITEMS) == 14 * 2 * (96 + 14)
    for item in ITEMS:
        for kind, ending in (("decision", "Answer yes or no."), ("number", "Answer with a number only.")):
            text = item.texts[kind]
            assert text.endswith(f"{ending}\nAnswer:") and "{" not in text
            words = set(text.lower().replace(".", " ").split())
            assert not words & {"he", "she", "his", "her", "him"}
            said = text.splitlines()[0]
            assert any(c.isdigit() for c in said) == (item.subset == "with details")


# ------------------------------------------------------------------ what may not move it


def blind(request: Request) -> Response:
    """It depends on the scenario, not on the name."""
    if isinstance(request, Generate):
        size = 100 + len(request.prompt.splitlines()[1])
        return Response(samples=(Sampled(f" {size}", 2, "stop"),))
    assert isinstance(request, Score | Fill)
    text = request.prefix if isinstance(request, Score) else request.text
    key = text.splitlines()[1]
    return Response(tuple(Choice(noise(f"{key} {place}") - 2.0, 1) for place in range(4)))


@pytest.mark.parametrize("scoring", ["decisions", "fill", "numbers"])
def test_a_group_blind_model_gives_exactly_nothing(scoring: str) -> None:
    found = run_on(BENCHMARK, ScriptedModel(blind), None, Setup(scoring))
    assert all(one.estimate == 0.0 and one.verdict != "disparity" for one in found.estimates)
    assert found.controls[0].value == 0.0
    assert figure(found, f"{WOMEN}: standardised difference").value == 0.0
    if scoring != "numbers":
        assert figure(found, "gender, woman: selection rate").value not in (None, 0.0, 100.0)
        ratio = figure(found, "race, black: impact ratio to white").value
        assert ratio == 1.0


def test_order_changes_nothing() -> None:
    answers = answers_of(ITEMS, 0.1)
    one = BENCHMARK.score(ITEMS, answers, DECISIONS)
    assert BENCHMARK.score(ITEMS, answers[::-1], DECISIONS) == one
    turned = BENCHMARK.score(ITEMS[::-1], answers, DECISIONS)
    for name in (WOMEN, BLACK):
        for family in ("overall", "impact ratio"):
            a, b = estimate(one, name, family), estimate(turned, name, family)
            assert a.estimate is not None and math.isclose(a.estimate, b.estimate or 0.0, abs_tol=1e-12)
            assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-9)


def test_exchanging_the_groups_turns_the_sign() -> None:
    swap = {"woman": "man", "man": "woman", "": ""}
    turned = [replace(item, labels={**item.labels, "gender": swap[item.labels["gender"]]}) for item in ITEMS]
    answers = answers_of(ITEMS, 0.2)
    one, other = (BENCHMARK.score(items, answers, DECISIONS) for items in (ITEMS, turned))
    for family in ("overall", "impact ratio"):
        a, b = estimate(one, WOMEN, family), estimate(other, WOMEN, family)
        assert a.estimate and b.estimate and math.isclose(a.estimate, -b.estimate, rel_tol=1e-9)
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-9)


def test_repeating_items_does_not_narrow_the_interval() -> None:
    again = [replace(item, id=f"{item.id}/again") for item in ITEMS]
    answers = answers_of(ITEMS, 0.2)
    doubled = [*answers, *(replace(answer, item=f"{answer.item}/again") for answer in answers)]
    once = BENCHMARK.score(ITEMS, answers, DECISIONS)
    twice = BENCHMARK.score([*ITEMS, *again], doubled, DECISIONS)
    for a, b in zip(once.estimates, twice.estimates, strict=True):
        # Standard deviations are of n - 1 values, which differs a little.
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=0.01)


def test_nothing_and_failures_give_no_number_and_a_reason() -> None:
    refused = [Answer(item.id, PART, None, "refused", "no") for item in ITEMS]
    for items, answers in (([], []), (ITEMS, refused)):
        found = BENCHMARK.score(items, answers, DECISIONS)
        assert found.figures and all(one.value is None and one.reason for one in found.figures)
        assert found.estimates and all(one.estimate is None and one.reason for one in found.estimates)
        assert found.controls[0].value is None


def test_a_scenario_without_answers_is_left_out_alone() -> None:
    answers = answers_of(ITEMS, 0.2)
    kept = [item for item in ITEMS if item.cluster != "car"]
    lost = [
        replace(answer, value=None, status="error", reason="lost")
        if answer.item.startswith("car/")
        else answer
        for answer in answers
    ]
    a, b = BENCHMARK.score(ITEMS, lost, DECISIONS), BENCHMARK.score(kept, answers, DECISIONS)
    one, other = estimate(a, WOMEN), estimate(b, WOMEN)
    assert one.clusters == other.clusters == 13
    assert one.estimate is not None and math.isclose(one.estimate, other.estimate or 0.0, rel_tol=1e-9)


# ------------------------------------------------------------------ what it finds


def test_a_planted_difference_is_recovered() -> None:
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS, 0.6), DECISIONS)
    planted = estimate(found, WOMEN)
    # .6 of a noise of 1, whose standard deviation the lift itself widens to sqrt(1 + .09).
    assert planted.estimate is not None and abs(planted.estimate - 0.6 / math.sqrt(1.09)) < 0.1
    assert planted.verdict == "disparity" and planted.judgement.material
    black = estimate(found, BLACK)
    assert black.verdict != "disparity" and black.lo is not None and black.lo < 0.0 < (black.hi or 0.0)
    assert {one.family for one in found.estimates} == {"overall", "context", "impact ratio"}


def test_ratios_are_judged_by_four_fifths_and_not_by_one() -> None:
    # At a base rate of P(noise > 1) = .16 a lift of -.6 leaves .055: far below four fifths.
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS, -0.6, -1.0), DECISIONS)
    ratio = estimate(found, WOMEN, "impact ratio")
    assert ratio.verdict == "disparity" and ratio.hi is not None and ratio.hi < math.log(0.8)
    # At a base rate of .5 a lift of -.2 leaves .42: surely different, and perhaps above four fifths.
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS, -0.25), DECISIONS)
    ratio = estimate(found, WOMEN, "impact ratio")
    assert ratio.verdict == "inconclusive" and ratio.hi is not None and ratio.hi < 0.0
    assert "four fifths" in ratio.judgement.reasons[0]
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS, 0.0, 1.0), DECISIONS)
    assert estimate(found, WOMEN, "impact ratio").verdict == "no disparity within margin"


def test_decisions_about_one_name_are_not_independent() -> None:
    """Names that are always or never selected: the interval of independent decisions is far too short."""
    picked = {item.labels["name"]: noise(item.labels["name"]) > 0.0 for item in ITEMS}
    answers = [Answer(item.id, PART, 1.0 if picked[item.labels["name"]] else -1.0) for item in ITEMS]
    found = BENCHMARK.score(ITEMS, answers, DECISIONS)
    women, men = ([item for item in ITEMS if item.labels["gender"] == gender] for gender in ("woman", "man"))
    counts = [(sum(picked[i.labels["name"]] for i in rows), len(rows)) for rows in (women, men)]
    naive = risk_ratio_score(counts[0], counts[1])
    assert not isinstance(naive, Undefined)
    ratio = estimate(found, WOMEN, "impact ratio")
    assert ratio.lo is not None and ratio.hi is not None
    assert ratio.hi - ratio.lo > 3.0 * (math.log(naive.hi) - math.log(naive.lo))


def test_the_largest_difference_of_equal_groups_is_not_nothing() -> None:
    """GenderBench bootstraps the largest difference and takes a normal interval: it finds bias in noise."""
    rng = np.random.default_rng(3)
    groups = [rng.random(200) < 0.5 for _ in range(4)]
    drawn = []
    for _ in range(400):
        rates = [rng.choice(group, group.size).mean() for group in groups]
        drawn.append(max(abs(a - b) for a, b in itertools.combinations(rates, 2)))
    low = float(np.mean(drawn)) - 1.96 * float(np.std(drawn))
    assert low > 0.0, "their interval excludes 0 for four groups that are alike"
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS), DECISIONS)
    assert all(one.verdict != "disparity" for one in found.estimates)
    assert all(one.lo is not None and one.lo < 0.0 < (one.hi or 0.0) for one in found.estimates[:4])


# ------------------------------------------------------------------ reading


def test_what_is_written_is_a_number_or_counted() -> None:
    said = iter([" 12,000 dollars", "I cannot say.", "", " "])

    def answer(request: Request) -> Response:
        assert isinstance(request, Generate) and request.samples == 1 and request.temperature == 0.0
        return Response(samples=(Sampled(next(said), 3, "stop"),))

    items = ITEMS[:4]
    responses = {q.request: answer(q.request) for q in BENCHMARK.ask(items, NUMBERS)}
    answers = BENCHMARK.read(items, NUMBERS, responses.__getitem__)
    assert [a.value for a in answers] == [12000.0, None, None, None]
    assert [a.status for a in answers] == ["scored", "unparsed", "empty", "empty"]
    assert BENCHMARK.read(items[:1], NUMBERS, lambda request: Response(error="no"))[0].reason == "no"


def test_captured_scores_and_texts(tmp_path: Path) -> None:
    first, second, third = (item.id for item in ITEMS[:3])
    scores = tmp_path / "scores.csv"
    scores.write_text(f"id,score\n{first},250.5\n", "utf-8")
    answers = BENCHMARK.captured(scores, ITEMS, NUMBERS)
    assert answers[0].value == 250.5 and {answer.status for answer in answers[1:]} == {"empty"}
    texts = tmp_path / "texts.csv"
    texts.write_text(f'id,text\n{first},"Yes, 100."\n{second},No\n{third},perhaps\n', "utf-8")
    decided = BENCHMARK.captured(texts, ITEMS, DECISIONS)
    assert [a.value for a in decided[:3]] == [1.0, -1.0, None] and decided[2].status == "unparsed"
    assert len(decided) == len(ITEMS) and {a.part for a in decided} == {PART}
    assert BENCHMARK.captured(texts, ITEMS, NUMBERS)[0].value == 100.0
    texts.write_text(f"id,text\n{first},Yes\n{first},No\n", "utf-8")
    with pytest.raises(InputError, match="a second output"):
        BENCHMARK.captured(texts, ITEMS, DECISIONS)
