"""Full generation bias: a variance between descriptors, without the noise of their means."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.base import Answer, Items, Setup
from audit.benchmarks.written.full_gen_bias import BENCHMARK
from audit.benchmarks.written.full_gen_bias_formula import (
    corrected_when_dealt_anew,
    noise_corrected,
    published,
)
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import (
    by_name,
    classifier,
    figures_of,
    nothing_known,
    same_numbers,
    scored,
    write_csv,
    writer,
)

ABILITY = Setup("written", scorer="model", samples=6, options={"axes": "ability"})


def styled(items: Items, samples: int, pity: Mapping[str, float]) -> list[Answer]:
    """Two styles; pity is a little noisy, and as probable as said for some groups, else .3."""

    def value(item: BenchmarkItem, number: int) -> float:
        jitter = random.Random(f"{item.id}|{number}").uniform(-0.1, 0.1)
        return pity.get(item.labels["group"], 0.3) + jitter

    found = scored(items, value, samples)
    return [replace(a, values={"pity": a.value, "calm": 1.0 - a.value}) for a in found if a.value is not None]


def test_a_hand_worked_case_at_both_ends() -> None:
    """One of six descriptors has pity 1, the others 0: twice the variance of (1, 0, 0, 0, 0, 0), 5/36."""
    items = BENCHMARK.items(None, ABILITY)
    answers = [
        replace(a, values={"pity": a.value or 0.0, "calm": 1.0 - (a.value or 0.0)})
        for a in scored(items, lambda item, _: float(item.labels["group"] == "blind"), 3)
    ]
    found = BENCHMARK.score(items, answers, ABILITY)
    assert figures_of(found)["ability"].value == pytest.approx(2 * 5 / 36)
    assert by_name(found, "axes")["ability"].estimate == pytest.approx(2 * 1 / 6)
    note = "ability: farthest from the mean are blind people, for whom the style calm is 0.833 less probable"
    assert note in found.notes


def test_the_published_number_falls_with_more_texts_and_the_corrected_one_stays() -> None:
    """No descriptor changes anything: the variance of means of n texts is their variance over n, not 0."""
    rng = np.random.default_rng(0)
    for n in (4, 16):
        worlds = [[rng.dirichlet([1.0, 2.0, 3.0], n) for _ in range(10)] for _ in range(400)]
        raw = [published(cells) for cells in worlds]
        ours = [noise_corrected(cells) for cells in worlds]
        variance = sum(a * (6 - a) / (36 * 7) for a in (1.0, 2.0, 3.0))
        assert np.mean(raw) == pytest.approx(0.9 * variance / n, rel=0.1) and min(raw) > 0.0
        assert abs(np.mean(ours)) < 4 * np.std(ours) / 20
        assert min(ours) < 0.0  # never cut off at 0


def test_dealing_texts_anew_matches_the_formula_on_the_dealt_texts() -> None:
    rng = np.random.default_rng(1)
    cells = [rng.random((size, 3)) for size in (4, 6, 5)]
    drawn = corrected_when_dealt_anew(cells, np.random.default_rng(7), 20)
    again = np.random.default_rng(7)
    texts, owner = np.concatenate(cells), np.repeat([0, 1, 2], [4, 6, 5])
    for value in drawn:
        dealt = again.permutation(owner)
        assert value == pytest.approx(noise_corrected([texts[dealt == group] for group in range(3)]))


def test_a_planted_style_is_recovered_and_permuted_descriptors_show_none() -> None:
    items = BENCHMARK.items(None, ABILITY)
    found = by_name(BENCHMARK.score(items, styled(items, 6, {"deaf": 0.7}), ABILITY), "axes")["ability"]
    assert found.estimate == pytest.approx(2 * 0.4**2 / 6, abs=0.005) and found.verdict == "disparity"
    assert found.p == 1 / 200  # of the dealings, none is as large
    rng = random.Random(5)
    answers = styled(items, 6, {"deaf": 0.7})
    own = {item.id: item for item in items}
    by_template: dict[str, list[Answer]] = {}
    for answer in answers:
        if own[answer.item].subset == "ability":
            by_template.setdefault(own[answer.item].cluster, []).append(answer)
    mixed = []
    for group in by_template.values():
        values = [(a.value, a.values) for a in group]
        rng.shuffle(values)
        mixed += [replace(a, value=v, values=s) for a, (v, s) in zip(group, values, strict=True)]
    permuted = by_name(BENCHMARK.score(items, mixed, ABILITY), "axes")["ability"]
    assert abs(permuted.estimate) < 0.01 and permuted.p > 0.01 and permuted.verdict != "disparity"  # type: ignore[operator]


def test_a_model_that_sees_no_groups_shows_exactly_0() -> None:
    rated = classifier(lambda text: {"pity": 0.7, "joy": 0.1, "calm": 0.2})
    found = run_on(BENCHMARK, writer(lambda *_: "all is well"), None, ABILITY, rated)
    assert figures_of(found)["ability"].value == 0.0
    assert by_name(found, "axes")["ability"].estimate == 0.0
    assert found.controls[0].value == 0.0


def test_a_written_style_is_told_by_the_classifier_named() -> None:
    rated = classifier(lambda text: {"pity": 3.0 if "poor" in text else 0.0, "calm": 0.0})
    model = writer(lambda prompt, n: f"that poor soul {n}" if "deaf" in prompt else f"good day {n}")
    found = run_on(BENCHMARK, model, None, ABILITY, rated)
    assert by_name(found, "axes")["ability"].verdict == "disparity"
    assert any("farthest from the mean are deaf people" in note for note in found.notes)


def test_invented_words_that_vary_as_much_make_a_disparity_fragile() -> None:
    items = BENCHMARK.items(None, ABILITY)
    pity = {"deaf": 0.7, "blorvish": 0.9, "tresken": 0.9}
    judged = by_name(BENCHMARK.score(items, styled(items, 6, pity), ABILITY), "axes")["ability"].judgement
    assert judged.fragile and any("invented words" in reason for reason in judged.reasons)


def test_order_changes_nothing_and_doubled_rows_do_not_shrink_the_interval() -> None:
    items = BENCHMARK.items(None, ABILITY)
    answers = styled(items, 4, {"deaf": 0.6})
    whole = BENCHMARK.score(items, answers, ABILITY)
    rng = random.Random(3)
    mixed = BENCHMARK.score(rng.sample(items, len(items)), rng.sample(answers, len(answers)), ABILITY)
    assert same_numbers(whole, mixed)
    doubled = [*answers, *(replace(a, part=str(int(a.part) + 4)) for a in answers)]
    again = BENCHMARK.score(items, doubled, ABILITY)
    assert again.estimates[0].se >= 0.9 * whole.estimates[0].se  # type: ignore[operator]
    assert again.figures[0].value == pytest.approx(whole.figures[0].value)


def test_nothing_and_nothing_but_refusals_have_no_number() -> None:
    items = BENCHMARK.items(None, ABILITY)
    refused = BENCHMARK.score(items, scored(items, lambda *_: None, 2), ABILITY)
    assert nothing_known(refused) and nothing_known(BENCHMARK.score([], [], ABILITY))
    assert "deaf people: 24 of 24 texts not scored (24 refused)" in refused.notes
    one = BENCHMARK.score(items, styled(items, 1, {}), ABILITY)
    assert one.figures[0].value is not None and one.estimates[0].estimate is None  # one text: noise not known


def test_captured_styles_are_read_and_faults_named(tmp_path: Path) -> None:
    items = BENCHMARK.items(None, ABILITY)
    rows = [{"id": i.id, "sample": n, "pity": 0.25, "calm": 0.75} for i in items for n in range(2)]
    answers = BENCHMARK.captured(write_csv(tmp_path / "a.csv", rows), items, ABILITY)
    assert answers[0] == Answer(items[0].id, "0", 0.75, values={"pity": 0.25, "calm": 0.75})
    for change, message in (({"pity": 1.5}, "'pity' of .* is 1.5"), ({"pity": ""}, "has no 'pity'")):
        broken = write_csv(tmp_path / "b.csv", [rows[0] | change, *rows[1:]])
        with pytest.raises(InputError, match=message):
            BENCHMARK.captured(broken, items, ABILITY)
    bare = write_csv(tmp_path / "c.csv", [{"id": items[0].id, "text": "a friend"}])
    with pytest.raises(InputError, match="no column of a style"):
        BENCHMARK.captured(bare, items, ABILITY)
    with pytest.raises(InputError, match="styles are told by a classifier"):
        BENCHMARK.ask(items, Setup("written", scorer="vader"))
