"""Discrim-eval: coefficients as published, their audited means by question, and what may not move them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.questions.discrim_eval import BENCHMARK, PART
from audit.benchmarks.questions.discrim_eval_formula import DESCRIBED, coefficients, design
from audit.benchmarks.questions.yes_no import MASS
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Fill, Request, Response, Score
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on

SETUP = Setup("score")
ITEMS = BENCHMARK.items(None, SETUP)
DESCRIPTIONS = [item for item in ITEMS if item.subset == "explicit"]


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, name: str) -> Estimate:
    return next(one for one in found.estimates if one.name == name)


def noise(key: str, scale: float = 0.2) -> float:
    response = ScriptedModel.noise(11, scale).ask([Score(key, ("x",))])[0]
    return (response.choices[0].logprob or 0.0) + 7.0


def answers_of(
    items: Sequence[BenchmarkItem], effects: Mapping[str, float], spread: float = 0.0
) -> list[Answer]:
    """Question effects, noise by question and person, and effects of groups (``age``: by ten years)."""
    answers = []
    for item in items:
        value = 2.0 * noise(item.cluster, 1.0) + noise(item.id)
        for level, size in effects.items():
            own = size + spread * noise(f"{item.cluster} {level}", 1.0)
            if level == "age":
                value += own * float(item.labels["age"] or 0.0) / 10.0
            elif level in (item.labels["gender"], item.labels["race"]):
                value += own
        answers.append(Answer(item.id, PART, value, values={MASS: 0.995}))
    return answers


# ------------------------------------------------------------------ the formula


def test_coefficients_by_hand() -> None:
    """Two ages, two genders, white: y = 1 + 2 z + 3 female, with z = -+ sqrt(3)/2 for four rows."""
    labels = [
        {"age": age, "gender": gender, "race": "white"}
        for age in ("20", "40")
        for gender in ("male", "female")
    ]
    x = design(labels, [("age", ""), ("gender", "female")])
    z = math.sqrt(3.0) / 2.0
    assert np.allclose(x[:, 1], [-z, -z, z, z])
    y = np.array([1.0 - 2.0 * z, 4.0 - 2.0 * z, 1.0 + 2.0 * z, 4.0 + 2.0 * z])
    assert np.allclose(coefficients(x, y), [1.0, 2.0, 3.0])
    assert np.isnan(coefficients(x[:2], y[:2])).all(), "two rows cannot tell three columns apart"


def test_the_published_mixed_model_has_these_coefficients() -> None:
    """By MixedLM of statsmodels: random intercept and slopes by question, as lm-evaluation-harness fits."""
    questions = sorted({item.cluster for item in DESCRIPTIONS})[:8]
    items = [item for item in DESCRIPTIONS if item.cluster in questions]
    answers = answers_of(items, {"female": 0.5, "age": -0.3, "black": -0.4}, spread=0.3)
    found = BENCHMARK.score(items, answers, SETUP)
    terms = [("age", ""), ("gender", "female"), ("race", "black")]
    x = design([item.labels for item in items], [*terms, *[("gender", "non-binary"), ("race", "asian")]])
    y = np.array([answer.value for answer in answers], dtype=np.float64)
    # Fewer random slopes than columns: their fixed effects are the same whichever they are.
    fitted = MixedLM(y, full_design(items), groups=[item.cluster for item in items], exog_re=x[:, :3]).fit()
    for place, name in enumerate(DESCRIBED, start=1):
        ours = figure(found, f"described: {name}").value
        assert ours is not None and math.isclose(ours, fitted.fe_params[place], abs_tol=1e-6)


def full_design(items: Sequence[BenchmarkItem]) -> np.ndarray:
    return design([item.labels for item in items], list(DESCRIBED.values()))


def test_the_age_keeps_its_sign() -> None:
    """lm-evaluation-harness reports the size of the coefficient: two opposite models look the same."""
    slopes = {}
    for size in (0.3, -0.3):
        found = BENCHMARK.score(DESCRIPTIONS, answers_of(DESCRIPTIONS, {"age": size}), SETUP)
        slopes[size] = figure(found, "described: age_bias").value or 0.0
        assert estimate(found, "age, by standard deviation").verdict == "disparity"
    assert slopes[0.3] > 0.4 and slopes[-0.3] < -0.4
    assert math.isclose(abs(slopes[0.3]), abs(slopes[-0.3]), abs_tol=0.02), "so abs() tells them not apart"


def test_an_interval_knows_that_questions_were_sampled() -> None:
    """With effects that differ by question, rows taken as independent give half the interval or less."""
    answers = answers_of(DESCRIPTIONS, {"female": 0.0}, spread=0.5)
    found = BENCHMARK.score(DESCRIPTIONS, answers, SETUP)
    x = full_design(DESCRIPTIONS)
    y = np.array([answer.value for answer in answers], dtype=np.float64)
    dummies = np.array(
        [[float(i.cluster == q) for q in sorted({j.cluster for j in DESCRIPTIONS})] for i in DESCRIPTIONS]
    )
    both = np.column_stack([dummies, x[:, 1:]])
    residual = y - both @ np.linalg.lstsq(both, y, rcond=None)[0]
    place = dummies.shape[1] + 1
    naive = math.sqrt(
        float(residual @ residual) / (y.size - both.shape[1]) * np.linalg.inv(both.T @ both)[place, place]
    )
    honest = estimate(found, "women - men").se
    assert honest is not None and honest > 2.0 * naive
    spread = figure(found, "described: female_bias, spread over questions").value
    assert spread is not None and 0.35 < spread < 0.75


# ------------------------------------------------------------------ the pack


def test_every_question_is_asked_about_everyone() -> None:
    questions = {item.cluster for item in ITEMS}
    assert len(questions) == 24
    for question in questions:
        rows = [item for item in ITEMS if item.cluster == question]
        assert len([item for item in rows if item.subset == "explicit"]) == 6 * 3 * 5
        assert len([item for item in rows if item.subset == "names"]) == 96
        assert len([item for item in rows if item.subset == "nonce"]) == 14
    assert len({item.id for item in ITEMS}) == len(ITEMS)


def test_sentences_are_whole_and_tell_no_gender_but_the_persons() -> None:
    for item in ITEMS:
        prompt = item.texts["prompt"]
        assert "{" not in prompt and prompt.endswith("Answer yes or no.\nAnswer:")
        words = set(prompt.lower().replace(".", " ").replace(",", " ").split())
        assert not words & {"he", "she", "his", "her", "him", "hers"}
        if item.subset == "explicit":
            assert f" is a {item.labels['age']}-year-old " in prompt


def test_people_can_be_chosen() -> None:
    described, named = (
        BENCHMARK.items(None, Setup("score", options={"people": who})) for who in ("described", "named")
    )
    assert len(described) + len(named) == len(ITEMS) and {item.subset for item in described} == {"explicit"}
    found = BENCHMARK.score(named, answers_of(named, {}), SETUP)
    assert estimate(found, "women - men").estimate is None
    assert estimate(found, "names of women - men").estimate is not None
    with pytest.raises(InputError, match=r"discrim-eval cannot take people='some'.*described"):
        BENCHMARK.items(None, Setup("score", options={"people": "some"}))


# ------------------------------------------------------------------ what may not move it


@pytest.mark.parametrize("scoring", ["score", "fill"])
def test_a_group_blind_model_gives_exactly_nothing(scoring: str) -> None:
    """It depends on the question, and not on the person."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Score | Fill)
        text = request.prefix if isinstance(request, Score) else request.text
        question = text.splitlines()[1]
        logs = [noise(f"{question} {place}") - 1.5 for place in range(4)]
        return Response(tuple(Choice(value, 1) for value in logs))

    found = run_on(BENCHMARK, ScriptedModel(answer), None, Setup(scoring))
    assert all(one.estimate == 0.0 and one.verdict != "disparity" for one in found.estimates)
    assert found.controls[0].value == 0.0 and found.controls[0].holds
    for name in DESCRIBED:
        value = figure(found, f"described: {name}").value
        assert value is not None and abs(value) < 1e-12


def test_order_changes_nothing() -> None:
    answers = answers_of(ITEMS, {"female": 0.2})
    assert BENCHMARK.score(ITEMS, answers[::-1], SETUP) == BENCHMARK.score(ITEMS, answers, SETUP)
    turned = BENCHMARK.score(ITEMS[::-1], answers, SETUP)
    for one, other in zip(BENCHMARK.score(ITEMS, answers, SETUP).estimates, turned.estimates, strict=True):
        assert one.estimate is not None and math.isclose(one.estimate, other.estimate or 0.0, abs_tol=1e-12)
        assert one.se is not None and math.isclose(one.se, other.se or 0.0, rel_tol=1e-9)


def test_exchanging_the_groups_turns_the_sign() -> None:
    swap = {"female": "male", "male": "female", "woman": "man", "man": "woman"}
    turned = [
        replace(
            item, labels={**item.labels, "gender": swap.get(item.labels["gender"], item.labels["gender"])}
        )
        for item in ITEMS
    ]
    answers = answers_of(ITEMS, {"female": 0.2, "woman": 0.1})
    one, other = (BENCHMARK.score(items, answers, SETUP) for items in (ITEMS, turned))
    for name in ("women - men", "names of women - men"):
        a, b = estimate(one, name), estimate(other, name)
        assert a.estimate and b.estimate and math.isclose(a.estimate, -b.estimate, rel_tol=1e-9)
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-9)


def test_repeating_items_does_not_narrow_the_interval() -> None:
    again = [replace(item, id=f"{item.id}/again") for item in ITEMS]
    answers = answers_of(ITEMS, {"black": 0.2})
    doubled = [*answers, *(replace(answer, item=f"{answer.item}/again") for answer in answers)]
    once = BENCHMARK.score(ITEMS, answers, SETUP)
    twice = BENCHMARK.score([*ITEMS, *again], doubled, SETUP)
    for a, b in zip(once.estimates, twice.estimates, strict=True):
        # The age is standardised by n - 1, which differs a little.
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-3)
    bias = [figure(found, "described: black_bias") for found in (once, twice)]
    assert bias[0].hi is not None and math.isclose(bias[0].hi, bias[1].hi or 0.0, rel_tol=1e-3)


def test_nothing_and_failures_give_no_number_and_a_reason() -> None:
    refused = [Answer(item.id, PART, None, "refused", "no") for item in ITEMS]
    for found in (BENCHMARK.score([], [], SETUP), BENCHMARK.score(ITEMS, refused, SETUP)):
        assert all(one.value is None and one.reason for one in found.figures)
        assert all(one.estimate is None and one.reason for one in found.estimates)
        assert found.controls[0].value is None
    answers = BENCHMARK.read(ITEMS[:1], SETUP, lambda request: Response(error="too long"))
    assert [(answer.status, answer.reason) for answer in answers] == [("error", "too long")]
    part = Response((Choice(-1.0, 1), Choice(None, 0, "no such word"), Choice(-1.0, 1), Choice(-1.0, 1)))
    assert BENCHMARK.read(ITEMS[:1], SETUP, lambda request: part)[0].reason == "no such word"


def test_more_failures_for_one_group_give_no_verdict() -> None:
    answers = [
        replace(answer, value=None, status="refused", values={}) if lost else answer
        for answer, lost in zip(
            answers_of(ITEMS, {}),
            (
                item.labels["gender"] in ("female", "woman") and int(item.labels["age"] or 30) < 40
                for item in ITEMS
            ),
            strict=True,
        )
    ]
    found = BENCHMARK.score(ITEMS, answers, SETUP)
    assert estimate(found, "women - men").verdict == "invalid"
    assert "could not be scored" in estimate(found, "women - men").judgement.reasons[0]
    assert estimate(found, "names of Black - White people").verdict != "invalid"


# ------------------------------------------------------------------ what it finds


def test_planted_effects_are_recovered() -> None:
    planted = {"female": -0.5, "black": 0.4, "woman": -0.5}
    found = BENCHMARK.score(ITEMS, answers_of(ITEMS, planted), SETUP)
    for name, size in (("women - men", -0.5), ("Black - White people", 0.4), ("names of women - men", -0.5)):
        one = estimate(found, name)
        assert one.estimate is not None and abs(one.estimate - size) < 0.05, name
        assert one.verdict == "disparity" and one.judgement.material
    assert estimate(found, "Asian - White people").verdict == "no disparity within margin"
    names = estimate(found, "names of Asian - White people")
    assert names.verdict == "no disparity within margin"


def test_spellings_are_summed_and_those_of_one_word_counted_once() -> None:
    logs = [math.log(p) for p in (0.5, 0.25, 0.125, 0.0625)]
    response = Response(tuple(Choice(value, 1) for value in logs))
    answer = BENCHMARK.read(ITEMS[:1], SETUP, lambda request: response)[0]
    assert answer.value is not None and math.isclose(answer.value, math.log(0.75 / 0.1875))
    assert math.isclose(answer.values[MASS], 0.9375)
    uncased = Response(tuple(Choice(math.log(p), 1) for p in (0.75, 0.75, 0.25, 0.25)))
    answer = BENCHMARK.read(ITEMS[:1], Setup("fill"), lambda request: uncased)[0]
    assert math.isclose(answer.values[MASS], 1.0), "not 2"
    certain = Response(tuple(Choice(value, 1) for value in (0.0, -800.0, -750.0, -760.0)))
    sure = BENCHMARK.read(ITEMS[:1], SETUP, lambda request: certain)[0].value
    assert sure is not None and abs(sure - 750.0) < 0.01, "no infinity where a probability rounds to 1"


def test_answers_that_hold_little_probability_give_a_warning_and_no_verdict() -> None:
    answers = [replace(a, values={MASS: 0.5}) for a in answers_of(ITEMS, {"female": 1.0})]
    found = BENCHMARK.score(ITEMS, answers, SETUP)
    assert figure(found, MASS).value == 0.5 and "50.0%" in found.notes[0]
    assert {one.verdict for one in found.estimates} == {"invalid"}
    enough = [replace(a, values={MASS: 0.95}) for a in answers]
    found = BENCHMARK.score(ITEMS, enough, SETUP)
    assert "95.0%" in found.notes[0] and estimate(found, "women - men").verdict == "disparity"


def test_captured_log_odds(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(f"id,score\n{ITEMS[0].id},0.25\n", "utf-8")
    answers = BENCHMARK.captured(path, ITEMS, SETUP)
    assert answers[0].value == 0.25 and {a.status for a in answers[1:]} == {"empty"}
    assert figure(BENCHMARK.score(ITEMS, answers, SETUP), MASS).value is None
