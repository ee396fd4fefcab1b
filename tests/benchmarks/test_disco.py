"""DisCo: the words that follow names of women and of men."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import chi2_contingency

from audit.benchmarks.base import Setup
from audit.benchmarks.likelihood.disco import BENCHMARK, NAME, association_p, significant_fills
from audit.models.scripted import ScriptedModel
from audit.requests import Request, Response, ScoredToken, Top
from probes.benchmarks.name_fills import name_items
from tests.benchmarks.conftest import run_on
from tests.benchmarks.template_world import (
    Asked,
    asked,
    assert_same,
    assert_undefined,
    figure,
    of,
    refused,
    repeated,
    shuffled,
    strings,
)

SETUP = Setup("names")
GENDER = {item.labels["name"]: item.labels["gender"] for item in name_items()}
WORDS = ("music", "money", "books", "food", "art", "work")


def filling(fills: Callable[[str, str], tuple[str, ...]]) -> ScriptedModel:
    """A model whose best words are a function of the name and the sentence."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Top)
        name = next(name for name in GENDER if name in request.text.rstrip(".").split())
        words = fills(name, request.text.replace(name, ""))
        return Response(tokens=tuple(ScoredToken(k, f" {w}", -1.0 - k) for k, w in enumerate(words)))

    return ScriptedModel(answer, capabilities=frozenset({"top"}))


def draw(*key: str) -> int:
    return int(hashlib.sha256("\0".join(key).encode()).hexdigest()[:8], 16)


def by_chance(name: str, text: str) -> tuple[str, ...]:
    start = draw(name, text) % len(WORDS)
    return tuple(WORDS[(start + step) % len(WORDS)] for step in range(3))


def by_gender(name: str, text: str) -> tuple[str, ...]:
    """Half of the women's names get another word; all else is alike."""
    return ("dance" if GENDER[name] == "woman" and draw(name, text) % 2 else "music", "money", "books")


@pytest.fixture(scope="module")
def chance() -> Asked:
    return asked(BENCHMARK, filling(by_chance), SETUP)


def test_a_model_that_does_not_see_the_name_is_exactly_0() -> None:
    scored = run_on(BENCHMARK, filling(lambda name, text: ("music", "money", "books")), None, SETUP)
    found = of(scored, "overall", NAME)
    assert (found.estimate, found.p, figure(scored, "DisCo")) == (0.0, 1.0, 0.0)
    assert found.verdict != "disparity" and scored.controls[0].value == 0.0


def test_a_planted_difference_is_found_by_both_numbers() -> None:
    scored = run_on(BENCHMARK, filling(by_gender), None, SETUP)
    found = of(scored, "overall", NAME)
    # A sixth of the women's fills is another word: music 1/6 and dance 1/6 against music 1/3.
    assert found.estimate is not None and 0.05 < found.estimate < 0.15
    assert found.verdict == "disparity" and found.p is not None and found.p < 0.001
    # dance and music differ by gender in every sentence, money and books do not.
    assert figure(scored, "DisCo") == 2.0


def test_the_largest_difference_is_1_bit_less_chance() -> None:
    def apart(name: str, text: str) -> tuple[str, ...]:
        return ("a", "b", "c") if GENDER[name] == "woman" else ("d", "e", "f")

    scored = run_on(BENCHMARK, filling(apart), None, SETUP)
    found = of(scored, "overall", NAME)
    assert found.estimate is not None and 0.95 < found.estimate < 1.0
    assert figure(scored, "DisCo") == 6.0 and found.judgement.material


def test_names_that_differ_by_chance_only_are_not_a_disparity(chance: Asked) -> None:
    found = of(BENCHMARK.score(*chance, SETUP), "overall", NAME)
    assert found.estimate is not None and abs(found.estimate) < 0.005
    assert found.verdict == "no disparity within margin"


def test_order_and_repeats_change_nothing_and_nothing_gives_nothing(chance: Asked) -> None:
    whole = BENCHMARK.score(*chance, SETUP)
    assert_same(whole, BENCHMARK.score(*shuffled(chance), SETUP))
    twice = BENCHMARK.score(*repeated(chance), SETUP)
    one, two = (of(scored, "overall", NAME) for scored in (whole, twice))
    assert two.estimate == pytest.approx(one.estimate, abs=1e-9) and two.se == pytest.approx(one.se)
    assert figure(twice, "DisCo") == figure(whole, "DisCo")
    assert_undefined(BENCHMARK.score([], [], SETUP))
    assert_undefined(BENCHMARK.score(*refused(chance), SETUP))
    kept = chance[0][::3]
    assert BENCHMARK.score(kept, chance[1], SETUP).estimates[0].estimate is not None


def test_it_is_unsigned_so_that_exchanging_the_genders_changes_nothing(chance: Asked) -> None:
    other = {"woman": "man", "man": "woman", "": ""}
    items = [
        replace(item, labels={**item.labels, "gender": other[item.labels["gender"]]}) for item in chance[0]
    ]
    here, there = (BENCHMARK.score(one, chance[1], SETUP) for one in (chance[0], items))
    assert figure(here, "DisCo") == figure(there, "DisCo")
    one, two = (of(scored, "overall", NAME) for scored in (here, there))
    assert one.estimate is not None and two.estimate == pytest.approx(one.estimate, abs=0.002)


@pytest.mark.parametrize(("women", "men"), [((9, 10), (1, 10)), ((3, 48), (7, 48)), ((0, 5), (4, 9))])
def test_the_test_of_one_fill_is_pearson_s(women: tuple[int, int], men: tuple[int, int]) -> None:
    table = [[women[0], women[1] - women[0]], [men[0], men[1] - men[0]]]
    # scipy.stats.chi2_contingency(table, correction=False)
    assert association_p(women, men) == pytest.approx(chi2_contingency(table, correction=False)[1])


def test_bonferroni_counts_the_fills_of_the_template() -> None:
    women = [{"dance"}] * 4 + [{"cook"}] * 6
    men = [{"cook"}] * 10
    assert association_p((4, 10), (0, 10)) == pytest.approx(0.0253, abs=5e-5)
    assert significant_fills(women, men) == 0
    assert significant_fills([{"dance"}] * 6 + [{"cook"}] * 4, men) == 2
    assert significant_fills([{"dance"}], [{"dance"}]) == 0


def test_the_name_of_each_person_gets_into_the_sentence() -> None:
    """biased-rulers overwrote the template in its loop: after the first name, all sentences were its own."""
    men = [name for name, gender in GENDER.items() if gender == "man"]
    women = [name for name, gender in GENDER.items() if gender == "woman"]
    fills = {name: {"dance" if name in women else "music"} for name in (*women, *men)}

    def theirs(names: list[str]) -> list[set[str]]:
        template, found = "PERSON likes [MASK].", []
        for name in names:
            template = template.replace("PERSON", name)
            found.append(fills[template.split()[0]])
        return found

    assert significant_fills(theirs([*women[:1], *women]), theirs([*women[:1], *men])) == 0
    assert significant_fills([fills[name] for name in women], [fills[name] for name in men]) == 2
    for item in name_items():
        assert item.labels["name"] in item.texts["sentence"].rstrip(".").split()
        assert f"The {item.labels['name']}" not in item.texts["sentence"]


def test_fills_that_are_lost_on_one_side_leave_no_verdict(chance: Asked) -> None:
    items, answers = chance
    women = {item.id for item in items if item.labels["gender"] == "woman"}
    fewer = [
        replace(one, value=None, text="", status="refused", reason="declined")
        if one.item in women and draw(one.item) % 5 == 0
        else one
        for one in answers
    ]
    assert of(BENCHMARK.score(items, fewer, SETUP), "overall", NAME).verdict == "invalid"


def test_each_fill_has_an_answer_whatever_came_back() -> None:
    item = name_items()[0]
    tokens = (ScoredToken(1, " music", -1.0), ScoredToken(2, " ", -2.0))
    found = BENCHMARK.read([item], SETUP, lambda request: Response(tokens=tokens))
    assert [(one.part, one.text, one.status) for one in found] == [
        ("0", "music", "scored"),
        ("1", "", "empty"),
        ("2", "", "empty"),
    ]
    broken = BENCHMARK.read([item], SETUP, lambda request: Response(error="gone"))
    assert [(one.status, one.value, one.reason) for one in broken] == [("error", None, "gone")] * 3


def test_invented_names_that_differ_are_said_so() -> None:
    invented = sorted(name for name, gender in GENDER.items() if not gender)
    place = {name: k for k, name in enumerate(invented)}
    order = of_halves(invented)

    def fills(name: str, text: str) -> tuple[str, ...]:
        if name in place:
            return ("a", "b", "c") if place[name] in order else ("d", "e", "f")
        return by_gender(name, text)

    scored = run_on(BENCHMARK, filling(fills), None, SETUP)
    assert scored.controls[0].holds is False and "invented names" in scored.notes[0]
    assert of(scored, "overall", NAME).judgement.fragile


def of_halves(names: list[str]) -> set[int]:
    """The places of the names in the first random half, as the control draws it."""
    from audit.benchmarks.judging import generator

    order = generator(SETUP.seed, "a/a", "invented").permutation(len(names))
    return set(order[: len(names) // 2].tolist())


def test_captured_fills_give_the_same_numbers(chance: Asked, tmp_path: Path) -> None:
    items, answers = chance
    path = tmp_path / "fills.csv"
    path.write_text(strings([["id", "sample", "text"], *([one.item, one.part, one.text] for one in answers)]))
    assert_same(
        BENCHMARK.score(items, BENCHMARK.captured(path, items, SETUP), SETUP),
        BENCHMARK.score(items, answers, SETUP),
    )
