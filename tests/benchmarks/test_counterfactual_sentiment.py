"""Counterfactual sentiment: distances less what chance makes, and the signed difference beside them."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from audit.benchmarks.base import Setup
from audit.benchmarks.written.counterfactual_distances import (
    Excess,
    Question,
    group_distance,
    group_excess,
    individual_distance,
    individual_excess,
)
from audit.benchmarks.written.counterfactual_sentiment import BENCHMARK
from audit.stats.estimate import Undefined
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import (
    by_name,
    drawn_words,
    figures_of,
    nothing_known,
    same_numbers,
    scored,
    write_csv,
    writer,
)

FAITH = Setup("written", scorer="vader", samples=6, options={"axes": "religion"})
WHO = Setup("written", scorer="vader", samples=4, options={"axes": "gender"})
WORDS = ["good", "bad", "kind", "awful", "table", "door", "walked", "happy", "sad", "and"]


def noise(item: BenchmarkItem, number: int) -> float:
    return random.Random(f"{item.id}|{number}").uniform(-0.5, 0.5)


def darker_about(group: str, by: float):  # type: ignore[no-untyped-def]
    return lambda item, number: noise(item, number) - (by if item.labels["group"] == group else 0.0)


def questions(n: int, count: int, seed: int) -> list[Question]:
    rng = np.random.default_rng(seed)
    return [{group: rng.beta(1, 9, n) for group in "ab"} for _ in range(count)]


@pytest.mark.parametrize(("n", "mean"), [(20, 0.031), (50, 0.021), (100, 0.015), (500, 0.007)])
def test_the_published_distance_is_above_0_for_equal_distributions_and_ours_is_not(
    n: int, mean: float
) -> None:
    """LangFair's mean |sort(u) - sort(v)| has no null; 300 pairs of samples of Beta(1, 9)."""
    pairs = questions(n, 300, n)
    langfair = [float(np.mean(np.abs(np.sort(p["a"]) - np.sort(p["b"])))) for p in pairs]
    # Half of the printed digit and four standard errors.
    assert abs(np.mean(langfair) - mean) < 0.0005 + 4 * np.std(langfair) / np.sqrt(300)
    clusters = [f"t{number % 30:02d}" for number in range(300)]
    found = individual_excess(pairs, clusters, np.random.default_rng(1), 99)
    assert isinstance(found, Excess)
    assert found.value == pytest.approx(np.mean(langfair), abs=1e-12) and found.value > mean / 2
    assert abs(found.excess) < 4 * np.std(langfair) / np.sqrt(300) and found.excess < found.value / 3


def test_both_distances_are_scipys() -> None:
    rng = np.random.default_rng(4)
    asked = [{g: rng.normal(size=size) for g, size in zip("abc", (5, 7, 4), strict=True)} for _ in range(3)]
    pairs = [
        stats.wasserstein_distance(question[a], question[b])
        for question in asked
        for a, b in itertools.combinations("abc", 2)
    ]
    assert np.mean([individual_distance(question) for question in asked]) == pytest.approx(np.mean(pairs))
    pooled = {g: np.concatenate([question[g] for question in asked]) for g in "abc"}
    everyone = np.concatenate(list(pooled.values()))
    expected = np.mean([stats.wasserstein_distance(scores, everyone) for scores in pooled.values()])
    assert group_distance(asked) == pytest.approx(expected)
    again = group_excess(asked, list("xyz"), np.random.default_rng(0), 9)
    assert isinstance(again, Excess) and again.value == pytest.approx(expected)


def test_a_group_that_is_far_in_one_template_only_is_no_group_difference() -> None:
    """Samples dealt singly would take what sets one prompt apart for the group; groups move as wholes."""
    rng = np.random.default_rng(2)
    asked = [{g: rng.normal(rng.normal(), 0.1, 20) for g in "ab"} for _ in range(12)]
    names = [f"t{n}" for n in range(12)]
    whole = group_excess(asked, names, np.random.default_rng(0))
    single = individual_excess(asked, names, np.random.default_rng(0))
    assert isinstance(whole, Excess) and isinstance(single, Excess)
    assert single.p < 0.01 and whole.p > 0.05


def test_too_little_is_undefined_and_never_0() -> None:
    rng = np.random.default_rng(0)
    assert np.isnan(individual_distance({"a": np.array([1.0])})) and np.isnan(group_distance([]))
    assert isinstance(individual_excess([], [], rng), Undefined)
    assert isinstance(group_excess([{"a": np.ones(2), "b": np.ones(2)}], ["t"], rng), Undefined)


def test_a_hand_worked_case_at_both_ends() -> None:
    """All about one faith -1, all else 1: nine of 45 pairs lie 2 apart; GF = (.1 * 2 * 9 + .9 * 2) / 10."""
    items = BENCHMARK.items(None, FAITH)
    answers = scored(items, lambda item, _: -1.0 if item.labels["group"] == "sikh" else 1.0, 3)
    found = BENCHMARK.score(items, answers, FAITH)
    figures = figures_of(found)
    assert figures["religion: individual"].value == pytest.approx(2 * 9 / 45)
    assert figures["religion: group"].value == pytest.approx((0.1 * 2 * 9 + 0.9 * 2) / 10)
    assert by_name(found, "religion, signed")["Sikh people - the others"].estimate == -2.0
    assert by_name(found, "individual")["religion"].p == 1 / 500


def test_a_planted_difference_is_recovered_with_its_sign() -> None:
    items = BENCHMARK.items(None, WHO)
    darker, brighter = (
        BENCHMARK.score(items, scored(items, darker_about("woman", by), 6), WHO) for by in (0.4, -0.4)
    )
    assert by_name(darker, "gender, signed")["women - men"].estimate == pytest.approx(-0.4, abs=0.03)
    assert by_name(brighter, "gender, signed")["women - men"].estimate == pytest.approx(0.4, abs=0.03)
    for found in (darker, brighter):
        assert by_name(found, "individual")["gender"].verdict == "disparity"
        assert by_name(found, "group")["gender"].estimate == pytest.approx(0.2, abs=0.05)


def test_texts_drawn_without_regard_to_groups_show_no_disparity() -> None:
    found = run_on(BENCHMARK, writer(drawn_words(WORDS)), None, FAITH)
    assert figures_of(found)["religion: individual"].value > 0.2  # type: ignore[operator]
    for kind in ("individual", "group"):
        one = by_name(found, kind)["religion"]
        assert abs(one.estimate) < 3 * one.se and one.verdict == "no disparity within margin"  # type: ignore[operator]
    assert not any(one.verdict == "disparity" for one in found.estimates)


def test_a_model_that_sees_no_groups_shows_exactly_0() -> None:
    blind = writer(lambda prompt, number: "a kind word and a good deed")
    found = run_on(BENCHMARK, blind, None, replace(FAITH, samples=3))
    assert len(found.estimates) == 12 and all(one.estimate == 0.0 for one in found.estimates)
    assert all(figure.value == 0.0 for figure in found.figures)


def test_order_changes_nothing_and_doubled_rows_do_not_shrink_the_interval() -> None:
    items = BENCHMARK.items(None, FAITH)
    answers = scored(items, noise, 4)
    whole = BENCHMARK.score(items, answers, FAITH)
    rng = random.Random(3)
    assert same_numbers(
        whole, BENCHMARK.score(rng.sample(items, len(items)), rng.sample(answers, len(answers)), FAITH)
    )
    doubled = [*answers, *(replace(a, part=str(int(a.part) + 4)) for a in answers)]
    again = BENCHMARK.score(items, doubled, FAITH)
    for one, two in zip(whole.estimates, again.estimates, strict=True):
        assert two.se >= 0.9 * one.se  # type: ignore[operator]
    for before, after in zip(whole.figures, again.figures, strict=True):
        assert after.value == pytest.approx(before.value)
        assert after.hi - after.lo == pytest.approx(before.hi - before.lo)  # type: ignore[operator]


def test_nothing_and_nothing_but_refusals_have_no_number() -> None:
    items = BENCHMARK.items(None, FAITH)
    refused = BENCHMARK.score(items, scored(items, lambda *_: None, 2), FAITH)
    assert nothing_known(refused) and nothing_known(BENCHMARK.score([], [], FAITH))
    assert "Sikh people: 24 of 24 texts not scored (24 refused)" in refused.notes


def test_refusals_of_one_group_leave_no_verdict() -> None:
    items = BENCHMARK.items(None, FAITH)
    answers = scored(
        items, lambda item, n: None if item.labels["group"] == "sikh" and n == 0 else noise(item, n), 4
    )
    found = BENCHMARK.score(items, answers, FAITH)
    assert {by_name(found, kind)["religion"].verdict for kind in ("individual", "group")} == {"invalid"}


def test_any_subset_of_the_items_can_be_scored() -> None:
    items = BENCHMARK.items(None, WHO)
    kept = [item for item in items if item.labels["term"] in ("woman", "man", "aunt", "nephew")]
    found = BENCHMARK.score(kept, scored(items, darker_about("woman", 0.5), 4), WHO)
    assert by_name(found, "individual")["gender"].clusters == 12
    assert by_name(found, "gender, signed")["women - men"].reason  # one pair is left: no error over pairs
    assert not found.controls


def test_captured_texts_are_scored_by_a_word_list_and_not_by_a_classifier(tmp_path: Path) -> None:
    items = BENCHMARK.items(None, FAITH)
    path = write_csv(
        tmp_path / "out.csv",
        [
            {"id": items[0].id, "text": "a kind friend"},
            {"id": items[0].id, "text": "I can't help with that."},
        ],
    )
    answers = BENCHMARK.captured(path, items, FAITH)
    assert len(answers) == len(items) + 1
    assert answers[0].value == pytest.approx(0.7579, abs=0.1) and answers[1].status == "refused"
    assert {answer.status for answer in answers[2:]} == {"empty"}
    with pytest.raises(InputError, match="cannot ask the classifier"):
        BENCHMARK.captured(path, items, replace(FAITH, scorer="model", scorer_label="joy"))


def test_captured_scores_need_no_scorer(tmp_path: Path) -> None:
    items = BENCHMARK.items(None, FAITH)
    rows = [{"id": item.id, "score": n / 10} for item in items for n in range(2)]
    answers = BENCHMARK.captured(write_csv(tmp_path / "s.csv", rows), items, Setup("captured"))
    assert [(a.part, a.value) for a in answers[:2]] == [("0", 0.0), ("1", 0.1)]
    unknown = write_csv(tmp_path / "u.csv", [{"id": "no/such/item", "score": 1}])
    with pytest.raises(InputError, match="no item 'no/such/item'"):
        BENCHMARK.captured(unknown, items, Setup("captured"))
