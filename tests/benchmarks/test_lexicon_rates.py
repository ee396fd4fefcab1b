"""Lexicon rates: words of a list in what is written about a group."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Answer, Scored, Setup
from audit.benchmarks.written.lexicon_rates import BENCHMARK
from probes.benchmarks.folder import DataFolder
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.writers import (
    Write,
    by_name,
    figures_of,
    nothing_known,
    same_numbers,
    write_csv,
    writer,
)

LIST = "slob\tx\nDrama Queen\ty\n# a remark\n\nMuslim\nblâmable\n"
FILLER = ("and", "went", "home", "with", "drama", "some", "bread")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    path = tmp_path / "words.txt"
    path.write_text(LIST, "utf-8")
    return Setup("written", samples=4, options={"axes": "race", "words": str(path)})


def about(group: str, share: float, base: float = 0.3) -> Write:
    """Six words, one of them of the list: more often where the prompt names a group."""

    def write(prompt: str, number: int) -> str:
        rng = random.Random(f"{prompt}|{number}")
        words = [rng.choice(FILLER) for _ in range(6)]
        if rng.random() < (share if group in prompt else base):
            words[0] = "slob"
        return " " + " ".join(words)

    return write


def run(setup: Setup, write: Write) -> Scored:
    return run_on(BENCHMARK, writer(write), None, setup)


def test_hits_by_hand(setup: Setup) -> None:
    """Case, accents and several words; a word that names a group is counted for nobody."""
    items = BENCHMARK.items(None, setup)
    texts = {"asian": " a Slob, a blamable slob!", "black": " a drama queen; a Muslim."}

    def write(prompt: str, number: int) -> str:
        return next((text for group, text in texts.items() if group in prompt.lower()), " good bread")

    found = run(setup, write)
    figures = figures_of(found)
    asian, black = (figures[f"{who}: hits a 1,000 words"] for who in ("Asian people", "Black people"))
    assert asian.value == 1000 * 3 / 5 and black.value == 1000 * 1 / 5
    assert figures["white people: hits a 1,000 words"].value == 0.0
    assert asian.n == 4 * sum(item.labels["group"] == "asian" for item in items)
    difference = by_name(found, "race")["Asian people - the others"]
    assert difference.estimate == pytest.approx(600 - 1000 / 9)
    told = next(note for note in found.notes if note.startswith("words of the list, Asian"))
    assert told.endswith(f"s··b ({2 * asian.n}), b······e ({asian.n})")
    assert "Muslim" not in " ".join(found.notes)


def test_rates_are_those_of_a_slow_loop(setup: Setup) -> None:
    """A second computation from the texts themselves, with texts that cannot be scored among them."""

    def write(prompt: str, number: int) -> str:
        rng = random.Random(f"{number}|{prompt}")
        count = rng.randrange(1, 12)
        words = rng.choices([*FILLER, "slob", "drama queen", "blâmable"], k=count)
        return "" if rng.random() < 0.1 else " " + " ".join(words)

    found = run(setup, write)
    hits: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for item in BENCHMARK.items(None, setup):
        for number in range(setup.samples):
            text = write(item.texts["prompt"], number)
            group = item.labels["label"] if item.subset == "race" else "nobody"
            hits[group] += text.count("slob") + text.count("drama queen") + text.count("blâmable")
            words[group] += len(text.split())
    figures = figures_of(found)
    for group in ("Asian people", "Black people", "Hispanic people", "white people"):
        value = figures[f"{group}: hits a 1,000 words"].value
        assert value == pytest.approx(1000 * hits[group] / words[group], abs=1e-9)
        rest = [other for other in hits if other not in (group, "nobody")]
        others = sum(hits[o] for o in rest) / sum(words[o] for o in rest)
        difference = by_name(found, "race")[f"{group} - the others"]
        assert difference.estimate == pytest.approx(value - 1000 * others, abs=1e-9)
        ratio = by_name(found, "race, ratio")[f"{group} / the others"]
        assert ratio.estimate == pytest.approx(math.log(hits[group] / words[group] / others), abs=1e-9)


def test_a_planted_difference_is_found_and_its_sign_turns(setup: Setup) -> None:
    many = replace(setup, samples=12)
    more, less = run(many, about("Black", 0.9)), run(many, about("Black", 0.08))
    for family, name in (("race", "Black people - the others"), ("race, ratio", "Black people / the others")):
        one, other = by_name(more, family)[name], by_name(less, family)[name]
        assert one.verdict == "disparity" and one.estimate is not None and one.estimate > 0
        assert other.verdict == "disparity" and other.estimate is not None and other.estimate < 0
    ratio = by_name(more, "race, ratio")["Black people / the others"]
    assert ratio.estimate == pytest.approx(math.log(3), abs=0.3)


@pytest.mark.parametrize("axes", ["race", "gender"])
def test_a_model_that_sees_no_groups_shows_exactly_0(setup: Setup, axes: str) -> None:
    blind = Setup("written", samples=3, options={**setup.options, "axes": axes})
    texts = [" a slob of a day", " some bread", " a drama queen here"]
    found = run(blind, lambda prompt, number: texts[number])
    assert found.estimates and all(one.estimate == 0.0 for one in found.estimates)


def test_no_hit_on_one_side_has_a_difference_and_no_ratio(setup: Setup) -> None:
    found = run(setup, lambda prompt, number: " a slob" if "Black" in prompt else " some bread")
    assert by_name(found, "race")["Black people - the others"].estimate == 500.0
    ratio = by_name(found, "race, ratio")["Black people / the others"]
    assert ratio.estimate is None and "no word of the list" in ratio.reason


def test_order_changes_nothing_and_nothing_and_refusals_have_no_number(setup: Setup) -> None:
    items = BENCHMARK.items(None, setup)
    model = writer(about("Black", 0.9))
    requests = [question.request for question in BENCHMARK.ask(items, setup)]
    answered = dict(zip(requests, model.ask(requests), strict=True))
    answers = BENCHMARK.read(items, setup, answered.__getitem__)
    whole = BENCHMARK.score(items, answers, setup)
    assert same_numbers(whole, BENCHMARK.score(items[::-1], answers[::-1], setup))
    assert nothing_known(BENCHMARK.score([], [], setup))
    refused = [Answer(item.id, "0", None, "refused", "no") for item in items]
    assert nothing_known(BENCHMARK.score(items, refused, setup))
    twice = [*answers, *(Answer(a.item, f"1{a.part}", a.value, values=a.values) for a in answers)]
    for one, other in zip(whole.estimates, BENCHMARK.score(items, twice, setup).estimates, strict=True):
        assert one.se is not None and other.se is not None and other.se > 0.99 * one.se


def test_a_group_that_is_refused_more_often_gets_no_verdict(setup: Setup) -> None:
    no = " I'm sorry, but I cannot help with that."
    found = run(setup, lambda p, n: no if "Black" in p and n else about("Black", 0.9)(p, n))
    for family, name in (("race", "Black people - the others"), ("race, ratio", "Black people / the others")):
        assert by_name(found, family)[name].verdict == "invalid"


def test_captured_texts_give_what_the_model_gave(setup: Setup, tmp_path: Path) -> None:
    write = about("Black", 0.9)
    items = BENCHMARK.items(None, setup)
    rows = [
        {"id": item.id, "sample": n, "text": write(item.texts["prompt"], n)}
        for item in items
        for n in range(4)
    ]
    answers = BENCHMARK.captured(write_csv(tmp_path / "texts.csv", rows), items, setup)
    assert same_numbers(BENCHMARK.score(items, answers, setup), run(setup, write))


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"\xff", "not UTF-8"), (b"# only\n", "no entry"), (b"slob\n!!\n", "no word")],
)
def test_a_list_that_cannot_be_is_one_line(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        BENCHMARK.items(None, Setup("written", options={"words": str(path)}))
    assert len(caught.value.faults) == 1 and str(path) in str(caught.value)


def test_no_list_and_unknown_options_are_one_line() -> None:
    with pytest.raises(InputError, match="no list of words"):
        BENCHMARK.items(None, Setup("written"))
    with pytest.raises(InputError, match="no option 'word'"):
        BENCHMARK.items(None, Setup("written", options={"word": "x"}))


def test_the_published_list_is_read(data: DataFolder) -> None:
    setup = Setup("written", samples=1, options={"axes": "race"})
    found = run_on(BENCHMARK, writer(lambda prompt, number: " a politician and a dog"), data, setup)
    assert figures_of(found)["Asian people: hits a 1,000 words"].value == 400.0
