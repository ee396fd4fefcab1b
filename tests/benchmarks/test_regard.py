"""Regard: who comes across worse, rated with the group's name masked and not."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Answer, Setup
from audit.benchmarks.written.regard import BENCHMARK, whole_text
from audit.requests import Request, Response
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import (
    by_name,
    classifier,
    drawn_words,
    figures_of,
    nothing_known,
    same_numbers,
    scored,
    write_csv,
    writer,
)

RACE = Setup("written", scorer="model", samples=2, options={"axes": "race"})
WHO = Setup("written", scorer="model", samples=2, options={"axes": "gender"})


def noise(item: BenchmarkItem, number: int) -> float:
    return random.Random(f"{item.id}|{number}").uniform(-0.1, 0.1)


def kinder_to(group: str, by: float):  # type: ignore[no-untyped-def]
    return lambda item, number: noise(item, number) + (by if item.labels["group"] == group else 0.0)


def test_a_hand_worked_case_at_both_ends() -> None:
    """Black -1, the three others 1: a difference of -2; each of the others is (1 - (1 + 1 - 1) / 3) above."""
    items = BENCHMARK.items(None, RACE)
    answers = scored(items, lambda item, _: -1.0 if item.labels["group"] == "black" else 1.0, 2)
    found = BENCHMARK.score(items, answers, RACE)
    masked = by_name(found, "race, masked")
    assert masked["Black people - the others"].estimate == -2.0
    assert masked["Asian people - the others"].estimate == pytest.approx(1.0 - 1.0 / 3.0)
    assert figures_of(found)["Black people: regard, masked"].value == -1.0
    assert figures_of(found)["Black people: regard, masked"].n == 24


def test_a_planted_difference_is_recovered_and_its_sign_turns_with_the_groups() -> None:
    items = BENCHMARK.items(None, WHO)
    one, other = (
        by_name(BENCHMARK.score(items, scored(items, kinder_to(group, 0.3), 2), WHO), "gender, masked")
        for group in ("woman", "man")
    )
    found, turned = one["women - men"], other["women - men"]
    assert found.estimate == pytest.approx(0.3, abs=0.02) and found.verdict == "disparity"
    assert turned.estimate == pytest.approx(-0.3, abs=0.02) and turned.verdict == "disparity"
    swapped = [
        replace(item, labels={**item.labels, "group": {"woman": "man", "man": "woman"}[item.labels["group"]]})
        if item.subset == "gender"
        else item
        for item in items
    ]
    answers = scored(items, kinder_to("woman", 0.3), 2)
    assert (
        found.estimate
        == -(by_name(BENCHMARK.score(swapped, answers, WHO), "gender, masked")).popitem()[1].estimate
    )  # type: ignore[operator]


def test_a_model_that_sees_no_groups_shows_exactly_0() -> None:
    model = writer(lambda prompt, number: ["a good friend", "a liar", "nobody"][number])
    rated = classifier(lambda text: {"positive": len(text) % 3, "negative": 0.3, "neutral": 0.0})
    setup = replace(RACE, samples=3)
    masked = by_name(run_on(BENCHMARK, model, None, setup, rated), "race, masked")
    assert len(masked) == 4 and all(one.estimate == 0.0 for one in masked.values())


def test_a_classifier_that_rates_the_name_shows_in_unmasked_texts_only() -> None:
    """Hugging Face's evaluate rates texts as they are: its view of a name is taken for the model's."""
    rated = classifier(
        lambda text: {"positive": 0.0, "negative": 1.0 if "Black" in text else -1.0, "other": 0}
    )
    model = writer(drawn_words(["tall", "a", "friend", "who", "sang", "Black"], 5))
    found = run_on(BENCHMARK, model, None, RACE, rated)
    masked, plain = by_name(found, "race, masked"), by_name(found, "race, unmasked")
    name = "Black people - the others"
    assert plain[name].estimate < -0.2 and plain[name].verdict == "disparity"  # type: ignore[operator]
    assert masked[name].estimate == 0.0
    assert figures_of(found)["Black people: negative, unmasked"].value == 1.0


def test_masking_takes_whole_names_of_all_groups_alike() -> None:
    """Masking the item's own group alone would leave its name in the texts about the others."""
    item = next(i for i in BENCHMARK.items(None, RACE) if i.labels["group"] == "white")
    text = whole_text(item, "White as a whitened wall", masked=True)
    assert "XYZ as a whitened wall" in text and "white person" not in text
    assert whole_text(item, "of Black and gay men", masked=True).endswith("of XYZ and XYZ men")
    assert whole_text(item, "", masked=False) == item.texts["prompt"]


def test_order_changes_nothing_and_doubled_rows_do_not_shrink_the_interval() -> None:
    items = BENCHMARK.items(None, RACE)
    answers = scored(items, noise, 4)
    whole = BENCHMARK.score(items, answers, RACE)
    rng = random.Random(3)
    mixed = BENCHMARK.score(rng.sample(items, len(items)), rng.sample(answers, len(answers)), RACE)
    assert same_numbers(whole, mixed)
    doubled = [*answers, *(replace(a, part=str(int(a.part) + 4)) for a in answers)]
    again = BENCHMARK.score(items, doubled, RACE)
    for one, two in zip(whole.estimates, again.estimates, strict=True):
        if one.se is not None:
            assert two.se == pytest.approx(one.se)
    for before, after in zip(whole.figures, again.figures, strict=True):
        if before.lo is not None and before.hi is not None and after.lo is not None and after.hi is not None:
            assert after.hi - after.lo == pytest.approx(before.hi - before.lo, abs=1e-9)


def test_nothing_and_nothing_but_refusals_have_no_number() -> None:
    items = BENCHMARK.items(None, RACE)
    refused = BENCHMARK.score(items, scored(items, lambda *_: None, 2), RACE)
    assert nothing_known(refused)
    assert "Black people: 24 of 24 texts not scored (24 refused)" in refused.notes
    assert nothing_known(BENCHMARK.score([], [], RACE)) and nothing_known(BENCHMARK.score(items, [], RACE))


def test_a_group_that_is_refused_more_often_gets_no_verdict() -> None:
    """Where only the harsh texts about a group are refused, the rest looks kind."""
    items = BENCHMARK.items(None, RACE)
    answers = scored(
        items, lambda item, n: None if item.labels["group"] == "black" and n == 0 else noise(item, n), 4
    )
    found = by_name(BENCHMARK.score(items, answers, RACE), "race, masked")
    assert found["Black people - the others"].verdict == "invalid"
    assert "25%" in found["Black people - the others"].judgement.reasons[-1]


def test_invented_words_that_differ_as_much_make_a_disparity_fragile() -> None:
    items = BENCHMARK.items(None, RACE)

    def value(item: BenchmarkItem, number: int) -> float:
        jump = 0.4 if item.labels["group"] in ("black", "blorvish", "tresken") else 0.0
        return noise(item, number) + jump

    found = by_name(BENCHMARK.score(items, scored(items, value, 4), RACE), "race, masked")
    judged = found["Asian people - the others"].judgement
    assert judged.verdict == "disparity" and any("invented words" in reason for reason in judged.reasons)


def test_refusals_and_failures_are_counted_by_status() -> None:
    texts = ["I'm sorry, but I can't help with that.", " ...", "a friend of ours", "a neighbor"]
    rated = classifier(
        lambda text: {"positive": 0.0, "negative": math.nan if "neighbor" in text[-8:] else 0.0}
    )
    setup = replace(RACE, samples=4)
    items = BENCHMARK.items(None, setup)
    asked = {
        q.request: writer(lambda _, n: texts[n]).ask([q.request])[0] for q in BENCHMARK.ask(items, setup)
    }
    for question in BENCHMARK.follow_up(items, setup, asked.__getitem__):
        asked[question.request] = rated.ask([question.request])[0]
    answers = BENCHMARK.read(items, setup, asked.__getitem__)
    assert len(answers) == 4 * len(items)
    assert [answer.status for answer in answers[:4]] == ["refused", "empty", "scored", "error"]


def test_a_failed_answer_is_an_error_of_every_sample() -> None:
    items = BENCHMARK.items(None, RACE)

    def failed(request: Request) -> Response:
        return Response(error="out of memory")

    answers = BENCHMARK.read(items, RACE, failed)
    assert {(a.status, a.reason) for a in answers} == {("error", "out of memory")}
    assert len(answers) == RACE.samples * len(items)


def test_captured_scores_are_read_and_texts_alone_are_refused(tmp_path: Path) -> None:
    items = BENCHMARK.items(None, RACE)
    rows = [{"id": item.id, "sample": n, "score": 0.25, "unmasked": -0.5} for item in items for n in range(2)]
    answers = BENCHMARK.captured(write_csv(tmp_path / "r.csv", rows), items, RACE)
    assert answers[0] == Answer(items[0].id, "0", 0.25, values={"unmasked": -0.5})
    figures = figures_of(BENCHMARK.score(items, answers, RACE))
    assert figures["white people: regard, unmasked"].value == -0.5
    assert figures["white people: negative, masked"].reason == "captured scores do not tell the label"
    bare = write_csv(tmp_path / "t.csv", [{"id": items[0].id, "text": "a friend"}])
    with pytest.raises(InputError, match="no score"):
        BENCHMARK.captured(bare, items, RACE)


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        (Setup("written"), "rated by a classifier. Name a regard classifier: --scorer"),
        (Setup("written", scorer="vader"), "rated by a classifier, not by vader"),
        (
            Setup("written", scorer="model", options={"axes": "rase"}),
            "cannot take axes='rase'.*'race'",
        ),
    ],
)
def test_a_setup_that_cannot_be_rated_is_refused_by_name(setup: Setup, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BENCHMARK.ask(BENCHMARK.items(None, setup), setup)


def test_a_classifier_without_the_labels_is_refused_by_name() -> None:
    rated = classifier(lambda text: {"toxic": 1.0, "fine": 0.0})
    with pytest.raises(InputError, match="no label 'positive'; it has toxic, fine"):
        run_on(BENCHMARK, writer(lambda *_: "a friend"), None, RACE, rated)
