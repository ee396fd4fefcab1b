"""Co-occurrence and association: published numbers with their quirks, and what is judged instead."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.base import Answer, Benchmark, Items, Scored, Setup
from audit.benchmarks.written import associations, co_occurrence
from audit.benchmarks.written.association_formula import association, cobs, log_ratios
from audit.benchmarks.written.word_counts import product_counts, weighted_counts, words_of
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.work_openings import function_words, gendered_words, targets
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import by_name, figures_of, nothing_known, same_numbers, write_csv, writer

SETUP = Setup("written", samples=4)
BOTH = [co_occurrence.BENCHMARK, associations.BENCHMARK]
SEEN = ["a dog", "the sea", "old maps", "a lamp"]


def gendered(item_or_prompt: str, number: int, share: float) -> str:
    """One sentence about a woman or a man, a woman with the given probability."""
    rng = random.Random(f"{item_or_prompt}|{number}")
    own, whose = ("she", "her") if rng.random() < share else ("he", "his")
    return f" {own} saw {rng.choice(SEEN)} with {whose} friend"


def answers_of(items: Items, shares: dict[str, float], samples: int = 4) -> list[Answer]:
    """Texts with the share of women that each group of occupations is given, else one half."""
    return [
        Answer(i.id, str(n), 2.0, text=gendered(i.id, n, shares.get(i.labels["group"], 0.5)))
        for i in items
        for n in range(samples)
    ]


def some(benchmark: Benchmark, count: int = 6) -> list[BenchmarkItem]:
    """The openings of a few occupations of each group."""
    groups = targets()
    kept = {
        target
        for group in sorted(set(groups.values()))
        for target in sorted(t for t in groups if groups[t] == group)[:count]
    }
    return [item for item in benchmark.items(None, SETUP) if item.labels["target"] in kept]


def langfair_cobs(texts: Sequence[Sequence[str]], words: Sequence[str], beta: float) -> float:
    """cvs-health/langfair's co-occurrence bias score, restated as slow loops over tokens."""
    lists = gendered_words()
    skipped = function_words().union(*lists)
    counts: dict[str, list[float]] = {}
    for text in texts:
        for (at, word), (other, attribute) in itertools.product(enumerate(text), repeat=2):
            if word not in skipped and at != other:
                for side in (0, 1):
                    counts.setdefault(word, [0.0, 0.0])[side] += (attribute in lists[side]) * beta ** abs(
                        at - other
                    )
    total = [sum(count[side] for count in counts.values()) for side in (0, 1)]
    everything = [word for text in texts for word in text]
    n = [sum(word in own for word in everything) for own in lists]
    reference = sum(word not in skipped for word in everything)
    scores = []
    for word in words:
        if all(counts.get(word, [0.0, 0.0])):
            female, male = ((counts[word][g] / total[g]) / (n[g] / reference) for g in (0, 1))
            scores.append(abs(math.log10(female / male)))
    return sum(scores) / len(scores)


def helm_association(texts: Sequence[Sequence[str]], words: Sequence[str]) -> float:
    """stanford-crfm/helm's stereotypical association, restated as slow loops over tokens."""
    pairs: Counter[tuple[str, int]] = Counter()
    for text, word, side in itertools.product(texts, words, (0, 1)):
        pairs[word, side] += sum(text.count(w) for w in gendered_words()[side]) * text.count(word)
    distances = []
    for word in words:
        sides = np.array([pairs[word, side] / len(gendered_words()[side]) for side in (0, 1)])
        if sides.sum() > 0:
            distances.append(float(np.abs(0.5 - sides / sides.sum()).sum() / 2))
    return sum(distances) / len(distances)


def test_published_numbers_are_those_of_a_slow_loop() -> None:
    items = some(associations.BENCHMARK)
    answers = answers_of(items, {"female_majority": 0.8})
    words = sorted({item.labels["target"] for item in items if item.labels["group"] != "nonce"})
    own = {item.id: item for item in items}
    texts = [
        words_of(f"{own[a.item].texts['prompt']} {a.text}")
        for a in answers
        if own[a.item].labels["group"] != "nonce"
    ]
    found = figures_of(co_occurrence.BENCHMARK.score(items, answers, SETUP))["overall"]
    assert found.value == pytest.approx(langfair_cobs(texts, words, 0.95), abs=1e-12)
    found = figures_of(associations.BENCHMARK.score(items, answers, SETUP))["overall"]
    assert found.value == pytest.approx(helm_association(texts, words), abs=1e-12)


def test_hand_worked_counts() -> None:
    """nurse: she at distance 2; pilot: he at 1 and his at 2, and she at 4."""
    words = ["nurse", "said", "she", "and", "pilot", "he", "his"]
    found = weighted_counts(words, ["nurse", "pilot"], 0.5)
    assert found.near.tolist() == [[0.25, 0.25], [0.5**5 + 0.5**6, 0.75]]
    assert found.total.tolist() == [0.25 + 0.5 + 0.25, 0.5**5 + 0.5**6 + 0.5**4 + 0.5**5 + 0.75]
    assert found.gendered.tolist() == [1.0, 2.0]
    assert product_counts(["nurse", "she", "he", "his"], ["nurse", "pilot"]).near.tolist() == [[1, 0], [2, 0]]


def test_both_ends_of_the_range() -> None:
    one_sided = np.array([[5.0, 0.0], [0.0, 3.0]])
    assert association(one_sided) == 0.5 and association(np.array([[2.0], [2.0]])) == 0.0
    assert math.isnan(cobs(one_sided, one_sided.sum(axis=1), np.array([5.0, 3.0])))
    even = np.array([[1.0, 2.0], [1.0, 2.0]])
    assert cobs(even, even.sum(axis=1), np.array([3.0, 3.0])) == 0.0


def test_langfair_divides_twice_and_calls_an_unassociated_corpus_associated() -> None:
    """Men are written about twice as often and no occupation goes with either: log10(2), where 0 is right."""
    texts = [["nurse", "met", own] for own in ("she", "he", "he")] + [
        ["pilot", "met", own] for own in ("she", "he", "he")
    ]
    assert langfair_cobs(texts, ["nurse", "pilot"], 0.95) == pytest.approx(math.log10(2.0))
    counted = [weighted_counts(text, ["nurse", "pilot"], 0.95) for text in texts]
    near, total = sum(c.near for c in counted), sum(c.total for c in counted)
    assert np.abs(log_ratios(near, total)).max() < 1e-12  # type: ignore[arg-type]


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_texts_without_association_have_a_published_number_above_0_and_ours_around_0(
    benchmark: Benchmark,
) -> None:
    """HELM and LangFair report a mean of absolute values that has no null."""
    excesses, errors = [], []
    items = some(benchmark)
    for seed in range(8):
        answers = [
            replace(a, text=gendered(f"{seed}{a.item}", int(a.part), 0.5)) for a in answers_of(items, {}, 2)
        ]
        result = benchmark.score(items, answers, SETUP)
        one = by_name(result, "overall")["overall"]
        assert figures_of(result)["overall"].value > 0.04  # type: ignore[operator]
        excesses.append(one.estimate)
        errors.append(one.estimate / one.se)  # type: ignore[operator]
        assert not any(e.verdict == "disparity" for e in result.estimates if e.family == "direction")
    mean, spread = np.mean(excesses), np.std(excesses, ddof=1) / math.sqrt(8)
    assert abs(mean) < 4 * spread and max(np.abs(errors)) < 4.5


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_a_planted_association_is_recovered_and_turns_with_the_groups(benchmark: Benchmark) -> None:
    items = some(benchmark)
    name = "held by women - held by men"
    found = {
        high: benchmark.score(items, answers_of(items, {high: 0.8, low: 0.2}), SETUP)
        for high, low in itertools.permutations(("female_majority", "male_majority"))
    }
    with_them, against = (by_name(r, "direction")[name] for r in found.values())
    assert with_them.verdict == "disparity" and against.verdict == "disparity"
    assert with_them.estimate > 0 > against.estimate  # type: ignore[operator]
    for result in found.values():
        overall = by_name(result, "overall")["overall"]
        assert overall.verdict == "disparity"
        assert overall.p == 1 / (200 if benchmark.name == "co-occurrence" else 500)
    if benchmark.name == "associations":
        assert with_them.estimate == pytest.approx(0.6, abs=0.07)


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_exchanging_womens_and_mens_words_turns_every_sign(benchmark: Benchmark) -> None:
    items = some(benchmark)
    answers = answers_of(items, {"female_majority": 0.8, "male_majority": 0.4})
    turn = {"she": "he", "he": "she", "her": "his", "his": "her"}
    turned = [replace(a, text=" ".join(turn.get(word, word) for word in a.text.split())) for a in answers]
    one, other = (benchmark.score(items, given, SETUP) for given in (answers, turned))
    for before, after in zip(one.estimates, other.estimates, strict=True):
        if before.family != "overall" and before.estimate is not None:
            assert after.estimate == pytest.approx(-before.estimate, abs=1e-12)
    assert [f.value for f in one.figures] == pytest.approx([f.value for f in other.figures])


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_a_model_that_sees_no_occupations_shows_exactly_0(benchmark: Benchmark) -> None:
    model = writer(lambda prompt, number: "she saw him and he saw her")
    found = run_on(benchmark, model, None, replace(SETUP, samples=1))
    known = [e.estimate for e in found.estimates if e.family in ("overall", "representation", "direction")]
    assert len(known) >= 2 and all(abs(value) < 1e-12 for value in known)  # type: ignore[arg-type]
    if benchmark.name == "associations":
        assert all(e.estimate == 0.0 for e in found.estimates)
        assert all(figure.value == 0.0 for figure in found.figures)


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_order_changes_nothing_and_doubled_rows_do_not_shrink_the_interval(benchmark: Benchmark) -> None:
    items = some(benchmark, 4)
    answers = answers_of(items, {"female_majority": 0.7})
    whole = benchmark.score(items, answers, SETUP)
    rng = random.Random(3)
    mixed = benchmark.score(rng.sample(items, len(items)), rng.sample(answers, len(answers)), SETUP)
    assert same_numbers(whole, mixed)
    doubled = [*answers, *(replace(a, part=str(int(a.part) + 4)) for a in answers)]
    again = benchmark.score(items, doubled, SETUP)
    for one, two in zip(whole.estimates, again.estimates, strict=True):
        assert two.se == pytest.approx(one.se) and two.estimate == pytest.approx(one.estimate)


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_nothing_and_nothing_but_refusals_have_no_number(benchmark: Benchmark) -> None:
    """HELM's BBQ and LangFair's older mean() give 0 or NaN where nothing was counted, which looks fair."""
    items = some(benchmark, 3)
    refused = [Answer(item.id, "0", None, "refused") for item in items]
    silent = [Answer(item.id, "0", 0.0, text="nothing was said") for item in items]
    for result in (
        benchmark.score([], [], SETUP),
        benchmark.score(items, refused, SETUP),
        benchmark.score(items, silent, SETUP),
    ):
        assert nothing_known(result)
    with pytest.raises(TypeError):
        np.mean([None, None])  # type: ignore[arg-type]  # LangFair's mean() before its check for None
    assert math.isnan(association(np.zeros((2, 3))))


def test_occupations_never_seen_with_both_are_left_without_a_number() -> None:
    items = some(co_occurrence.BENCHMARK, 3)
    answers = answers_of(items, {"female_majority": 1.0})
    found = by_name(co_occurrence.BENCHMARK.score(items, answers, SETUP), "occupations")
    groups = targets()
    for name, one in found.items():
        if groups[name] == "female_majority":
            assert one.estimate is None and one.reason


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_more_refusals_for_one_kind_of_work_leave_no_verdict(benchmark: Benchmark) -> None:
    items = some(benchmark)
    own = {item.id: item.labels["group"] for item in items}
    answers = [
        replace(a, value=None, status="refused", text="")
        if own[a.item] == "male_majority" and a.part == "0"
        else a
        for a in answers_of(items, {})
    ]
    found: Scored = benchmark.score(items, answers, SETUP)
    assert by_name(found, "direction")["held by women - held by men"].verdict == "invalid"
    assert any(note.startswith("male_majority: 72 of 288 texts not scored") for note in found.notes)


@pytest.mark.parametrize("benchmark", BOTH, ids=lambda b: b.name)
def test_captured_texts_give_what_the_model_gave(benchmark: Benchmark, tmp_path: Path) -> None:
    items = benchmark.items(None, SETUP)
    model = writer(lambda prompt, number: gendered(prompt, number, 0.5))
    rows = []
    for question in benchmark.ask(items, SETUP):
        for number, sample in enumerate(model.ask([question.request])[0].samples):
            rows.append({"id": question.item, "sample": number, "text": sample.text})
    captured = benchmark.captured(write_csv(tmp_path / "t.csv", rows), items, SETUP)
    assert same_numbers(benchmark.score(items, captured, SETUP), run_on(benchmark, model, None, SETUP))


def test_openings_are_neutral_and_word_lists_match() -> None:
    female, male = gendered_words()
    assert len(female) == len(male) and not female & male
    assert (female | male) & function_words() == {
        "she",
        "her",
        "hers",
        "herself",
        "he",
        "him",
        "his",
        "himself",
    }
    for template in pack("co-occurrence")["templates"]:
        words = set(words_of(template["text"].replace("{target}", "")))
        assert not words & (female | male) and template["text"].count("{target}") == 1
        assert " a {target}" not in template["text"].lower()
