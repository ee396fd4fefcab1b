"""UnQover: the comparative score, its published summaries, and what may not move it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from audit.benchmarks.base import Answer, Estimate, Scored, Setup
from audit.benchmarks.questions.unqover import BENCHMARK
from audit.benchmarks.questions.unqover_formula import (
    PARTS,
    attributive_error,
    comparative,
    intensities,
    positional_error,
    preference,
)
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Fill, Request, Response, Score
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.people import COMPARISONS, people
from probes.benchmarks.unqover import PAIRS
from probes.errors import InputError
from tests.benchmarks.conftest import run_on

SETUP = Setup("score")
ITEMS = BENCHMARK.items(None, SETUP)
GROUPS = {term.text: term.groups for term in people()}
BAD = {item.texts["12"].splitlines()[1] for item in ITEMS if item.labels["valence"] == "-1"}
GOOD = {item.texts["12"].splitlines()[1] for item in ITEMS if item.labels["valence"] == "1"}


def model(likes: Callable[[str, str, str, int], float]) -> ScriptedModel:
    """A model whose log-probability of a name depends on context, question, name, and the name's place."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Score | Fill)
        text = request.prefix if isinstance(request, Score) else request.text
        names = request.continuations if isinstance(request, Score) else request.candidates
        context, question = text.splitlines()[:2]
        choices = []
        for name in names:
            place = 0 if context.startswith(name.strip()) else 1
            choices.append(Choice(likes(context, question, name.strip(), place), 1))
        return Response(tuple(choices))

    return ScriptedModel(answer)


def estimate(found: Scored, name: str) -> Estimate:
    return next(one for one in found.estimates if one.name == name)


def value(found: Scored, name: str) -> float | None:
    return next(one for one in found.figures if one.name == name).value


def noisy(context: str, question: str, name: str, place: int) -> float:
    """Noise by question and name."""
    response = ScriptedModel.noise(5, 0.2).ask([Score(question, (name,))])[0]
    return response.choices[0].logprob or 0.0


# ------------------------------------------------------------------ formulas, by hand


def test_scores_by_hand() -> None:
    # x1 is the answer in .9 and .7 of the two orders, and still in .2 and .4 when the question is negated;
    # x2 has what is left: B(x1) = .8 - .3 = .5, B(x2) = .2 - .7 = -.5, C = .5.
    scores = {"12 x1": 0.9, "21 x1": 0.7, "not 12 x1": 0.2, "not 21 x1": 0.4}
    scores |= {part[:-1] + "2": 1.0 - value for part, value in scores.items()}
    assert math.isclose(preference(scores, "x1"), 0.5) and math.isclose(preference(scores, "x2"), -0.5)
    assert math.isclose(comparative(scores), 0.5)
    # By name and polarity .2 each; handed over: |.9-.8| |.1-.2| |.7-.6| |.3-.4|.
    assert math.isclose(positional_error(scores), 0.2)
    assert math.isclose(attributive_error(scores), 0.1)


@pytest.mark.parametrize(("first", "expected"), [(1.0, 1.0), (0.0, -1.0)])
def test_both_ends(first: float, expected: float) -> None:
    scores = {part: first if part.endswith("1") else 1.0 - first for part in PARTS}
    turned = {part: 1.0 - value for part, value in scores.items() if part.startswith("not")}
    assert comparative(scores | turned) == expected


def test_summaries_by_hand() -> None:
    cells = {("a", "p"): [0.2, 0.4], ("a", "q"): [-0.7, -0.1], ("b", "p"): [-0.2, 0.2], ("b", "q"): [0.1]}
    # Mean C: .3, -.4, 0, .1: mu = (.4 + .1) / 2; signs 1, -1, 0, 1: eta = (1 + .5) / 2.
    mu, eta = intensities(cells)
    assert math.isclose(mu, 0.25) and math.isclose(eta, 0.75)


# ------------------------------------------------------------------ the pack


def test_every_pair_differs_on_one_axis_and_every_comparison_has_its_pairs() -> None:
    for axis, group, reference, label in COMPARISONS:
        rows = [item for item in ITEMS if item.subset == label]
        assert len({item.labels["name"] for item in rows}) == PAIRS
        for item in rows:
            one, other = GROUPS[item.texts["x1"]], GROUPS[item.texts["x2"]]
            assert (one[axis], other[axis]) == (group, reference)
            assert [one[key] == other[key] for key in one if key != axis] == [True]
    assert len({item.cluster for item in ITEMS}) == 24
    assert len(GOOD) == len(BAD) == 12
    assert any(item.labels["arm"] == "nonce" for item in ITEMS)


def test_sentences_hold_both_names_once_in_both_orders() -> None:
    for item in ITEMS:
        one, other = item.texts["x1"], item.texts["x2"]
        for key in ("12", "21", "not 12", "not 21"):
            said = item.texts[key].splitlines()[0]
            assert len(re.findall(rf"\b{one}\b", said)) == len(re.findall(rf"\b{other}\b", said)) == 1
            assert (said.index(one) < said.index(other)) == (key.endswith("12"))
            assert "{" not in item.texts[key]


# ------------------------------------------------------------------ what may not move it


@pytest.mark.parametrize("scoring", ["score", "fill"])
def test_a_group_blind_model_gives_exactly_nothing(scoring: str) -> None:
    found = run_on(BENCHMARK, ScriptedModel.group_blind(), None, Setup(scoring))
    assert all(one.estimate == 0.0 and one.verdict != "disparity" for one in found.estimates)
    assert {value(found, name) for name in ("mu", "eta", "positional error")} == {0.0}
    assert found.controls[0].holds


def test_places_and_a_deaf_ear_for_not_are_taken_out() -> None:
    """Uncorrected, both would look like a preference."""
    places = run_on(BENCHMARK, model(lambda c, q, name, place: -1.0 - place), None, SETUP)
    assert all(one.estimate == 0.0 for one in places.estimates)
    error = value(places, "positional error")
    assert error is not None and error > 0.2

    def deaf(context: str, question: str, name: str, place: int) -> float:
        return 0.0 if GROUPS.get(name, {}).get("gender") == "woman" else -1.0

    same = run_on(BENCHMARK, model(deaf), None, SETUP)
    assert estimate(same, "names of women - men").estimate == 0.0
    handed = value(same, "attributive error")
    assert handed is not None and handed > 0.15
    assert "negation" in " ".join(same.notes)


def test_order_of_items_changes_nothing() -> None:
    answers = noisy_answers(ITEMS)
    one = BENCHMARK.score(ITEMS, answers, SETUP)
    other = BENCHMARK.score(ITEMS, answers[::-1], SETUP)
    assert one == other
    # Templates in another order are the same templates; pairs in another order are halved otherwise.
    by_cluster = sorted(ITEMS, key=lambda item: item.cluster)
    turned = BENCHMARK.score(by_cluster, answers, SETUP)
    for a, b in zip(one.estimates, turned.estimates, strict=False):
        if a.family == "overall":
            assert a.estimate is not None and math.isclose(a.estimate, b.estimate or 0.0, abs_tol=1e-15)


def noisy_answers(items: Sequence[BenchmarkItem], lift: float = 0.0) -> list[Answer]:
    """Noise by name and question, and ``lift`` nats for the first name where it is good to be named."""
    answers = []
    for item in items:
        for part in PARTS:
            text, subject = part[:-3], part[-2:]
            question = item.texts[text].splitlines()[1]
            good = (item.labels["valence"] == "1") != text.startswith("not")
            gain = lift if subject == "x1" and good else 0.0
            answers.append(Answer(item.id, part, noisy("", question, item.texts[subject], 0) + gain))
    return answers


def test_exchanging_the_groups_turns_the_sign() -> None:
    def turned(item: BenchmarkItem) -> BenchmarkItem:
        texts = dict(item.texts)
        for one, other in (("x1", "x2"), ("12", "21"), ("not 12", "not 21")):
            texts[one], texts[other] = item.texts[other], item.texts[one]
        return replace(item, texts=texts)

    swap = str.maketrans("12", "21")
    answers = noisy_answers(ITEMS, 0.1)
    swapped = [replace(answer, part=answer.part.translate(swap)) for answer in answers]
    one = BENCHMARK.score(ITEMS, answers, SETUP)
    other = BENCHMARK.score([turned(item) for item in ITEMS], swapped, SETUP)
    for a, b in zip(one.estimates, other.estimates, strict=True):
        assert a.estimate and b.estimate and math.isclose(a.estimate, -b.estimate, rel_tol=1e-9)
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-9)
    assert math.isclose(value(one, "mu") or 0.0, value(other, "mu") or 1.0)


def test_repeating_items_does_not_narrow_the_interval() -> None:
    again = [replace(item, id=f"{item.id}/again") for item in ITEMS]
    answers = noisy_answers(ITEMS)
    doubled = [*answers, *(replace(answer, item=f"{answer.item}/again") for answer in answers)]
    once = BENCHMARK.score(ITEMS, answers, SETUP)
    twice = BENCHMARK.score([*ITEMS, *again], doubled, SETUP)
    for a, b in zip(once.estimates, twice.estimates, strict=True):
        assert a.se is not None and math.isclose(a.se, b.se or 0.0, rel_tol=1e-9)
    for c, d in zip(once.figures[:2], twice.figures[:2], strict=True):
        assert c.hi is not None and math.isclose(c.hi, d.hi or 0.0, rel_tol=1e-9)


def test_nothing_and_failures_give_no_number_and_a_reason() -> None:
    refused = [Answer(item.id, part, None, "refused", "no") for item in ITEMS for part in PARTS]
    for found in (BENCHMARK.score([], [], SETUP), BENCHMARK.score(ITEMS, refused, SETUP)):
        assert all(one.value is None and one.reason for one in found.figures)
        assert all(one.estimate is None and one.reason for one in found.estimates)
        assert found.controls[0].value is None
    broken = ScriptedModel(lambda request: Response(error="too long"))
    requests = {q.request: broken.ask([q.request])[0] for q in BENCHMARK.ask(ITEMS[:1], SETUP)}
    answers = BENCHMARK.read(ITEMS[:1], SETUP, requests.__getitem__)
    assert [(a.part, a.status, a.reason) for a in answers] == [(p, "error", "too long") for p in PARTS]


def test_one_missing_score_leaves_out_its_pair_alone() -> None:
    answers = noisy_answers(ITEMS)
    lost = replace(answers[0], value=None, status="error", reason="lost")
    found = BENCHMARK.score(ITEMS, [lost, *answers[1:]], SETUP)
    assert estimate(found, "names of women - men").n == 24 * PAIRS - 1
    assert estimate(found, "names of Black - White people").n == 24 * PAIRS


# ------------------------------------------------------------------ what it finds


def test_a_planted_preference_is_recovered() -> None:
    """Women's names gain 1 nat where it is good to be named: C = (sigma(1) - 1/2) / 1, and races nothing."""
    found = BENCHMARK.score(ITEMS, noisy_answers(ITEMS, 1.0), SETUP)
    expected = 1.0 / (1.0 + math.exp(-1.0)) - 0.5
    planted = estimate(found, "names of women - men")
    assert planted.estimate is not None and math.isclose(planted.estimate, expected, abs_tol=0.02)
    assert planted.verdict == "disparity" and planted.judgement.material and not planted.judgement.fragile


def test_the_published_code_for_masked_models_cannot_find_it() -> None:
    """It reads the plain question twice, so that every score is 0, and knows the ten best words only."""
    scores = {part: 0.9 if part.endswith("1") else 0.1 for part in PARTS}
    theirs = scores | {part: scores[part.removeprefix("not ")] for part in PARTS}
    assert comparative(theirs) == 0.0
    honest = scores | {part: 1.0 - scores[part] for part in PARTS if part.startswith("not")}
    assert math.isclose(comparative(honest), 0.8)
    beyond = dict.fromkeys(PARTS, 0.0)
    assert comparative(beyond) == 0.0, "and two names below the tenth word are equally likely there"


def test_what_the_tokenizer_splits_is_doubtful() -> None:
    for scoring, pieces, doubt in (
        ("score", (1, 2), ("unequal length",)),
        ("fill", (2, 2), ("several pieces",)),
        ("score", (2, 2), ()),
    ):
        split = Response(tuple(Choice(-1.0, n) for n in pieces))
        answers = BENCHMARK.read(ITEMS[:1], Setup(scoring), lambda request, split=split: split)
        assert {answer.doubts for answer in answers} == {doubt}


def test_names_are_asked_as_each_kind_of_model_reads_them() -> None:
    scored = next(iter(BENCHMARK.ask(ITEMS[:1], SETUP))).request
    filled = next(iter(BENCHMARK.ask(ITEMS[:1], Setup("fill")))).request
    assert isinstance(scored, Score) and scored.prefix.endswith("Answer:")
    assert scored.continuations == (" Abigail", " Brendan")
    assert isinstance(filled, Fill) and filled.text.endswith("Answer: {answer}.")
    assert filled.candidates == ("Abigail", "Brendan")


def test_an_option_is_refused() -> None:
    with pytest.raises(InputError, match="no option 'pairs'"):
        BENCHMARK.items(None, Setup("score", options={"pairs": "3"}))
