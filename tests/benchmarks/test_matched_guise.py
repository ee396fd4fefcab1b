"""Matched guise probing and template log-odds."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Setup
from audit.benchmarks.likelihood.matched_guise import BENCHMARK, GROUPS
from audit.requests import Choice, Fill, Request, Response, Score
from probes.benchmarks.guises import dialect_items, group_items
from probes.benchmarks.packs import pack
from probes.errors import InputError
from tests.benchmarks.conftest import run_on
from tests.benchmarks.template_world import Asked, asked, assert_common, figure, of, saying, strings

MASKED, CAUSAL, ODDS = (Setup(name) for name in ("masked", "causal", GROUPS))
GAP, WORK_GAP = "favourable - unfavourable", "mostly women - mostly men"
CONTENT = pack("matched-guise")
AAE = [first for feature in CONTENT["dialect"]["features"] for first, _ in feature["pairs"]]
FAVOURABLE = set(CONTENT["dialect"]["attributes"]["favourable"])


def noise(*key: str) -> float:
    return int(hashlib.sha256("\0".join(key).encode()).hexdigest()[:8], 16) / 2**32 - 0.5


def shown(request: Request) -> str:
    assert isinstance(request, Fill | Score)
    return request.text if isinstance(request, Fill) else request.prefix


def prejudiced(request: Request, word: str) -> float:
    """Favourable adjectives lose half a nat behind the dialect; all adjectives gain .3 there."""
    in_dialect = any(f'"{sentence}"' in shown(request) for sentence in AAE)
    return -5.0 + in_dialect * (0.3 - 0.5 * (word.strip() in FAVOURABLE))


def few(made: Asked) -> Asked:
    """Three attributes of each kind, to save time."""
    words: set[str] = set()
    for side in {item.labels["side"] for item in made[0]}:
        words |= set(
            sorted({item.labels["attribute"] for item in made[0] if item.labels["side"] == side})[:3]
        )
    items = [item for item in made[0] if item.labels["attribute"] in words]
    known = {item.id for item in items}
    return items, [one for one in made[1] if one.item in known]


@pytest.mark.parametrize("setup", [MASKED, ODDS], ids=lambda setup: setup.scoring)
def test_what_holds_for_every_measure(setup: Setup) -> None:
    model = saying(lambda request, word: -4.0 + noise(shown(request), word))
    assert_common(BENCHMARK, few(asked(BENCHMARK, model, setup)), setup)


@pytest.mark.parametrize("setup", [MASKED, CAUSAL], ids=lambda setup: setup.scoring)
def test_a_planted_prejudice_comes_back_as_it_was_planted(setup: Setup) -> None:
    scored = run_on(BENCHMARK, saying(prejudiced), None, setup)
    assert of(scored, "overall", GAP).estimate == pytest.approx(-0.5, abs=1e-12)
    assert of(scored, "overall", GAP).verdict == "disparity"
    assert of(scored, "sides", "unfavourable").estimate == pytest.approx(0.3, abs=1e-12)
    assert figure(scored, "q(kind)") == pytest.approx(-0.2, abs=1e-12)
    assert {one.name for one in scored.estimates if one.family == "features"} == {
        feature["id"] for feature in CONTENT["dialect"]["features"]
    }
    assert scored.controls[0].holds is True and scored.controls[0].value == 0.0


def test_a_planted_expectation_of_work_comes_back_and_invented_peoples_show_none() -> None:
    work = {
        f"{'an' if one[0] in 'aeiou' else 'a'} {one}"
        for one in CONTENT["groups"]["attributes"]["mostly women"]
    }

    def answer(request: Request, word: str) -> float:
        man = any(f" {term} " in f"{shown(request)} " for term in ("man", "father", "uncle"))
        return -6.0 - 0.9 * (man and word.strip() in work)

    scored = run_on(BENCHMARK, saying(answer), None, ODDS)
    pairs = CONTENT["groups"]["pairs"]
    assert of(scored, "overall", WORK_GAP).estimate == pytest.approx(0.9 * 3 / len(pairs), abs=1e-12)
    assert figure(scored, "q(a nurse)") == pytest.approx(0.9 * 3 / len(pairs), abs=1e-12)
    assert scored.controls[0].value == 0.0 and scored.controls[0].name == "invented peoples"


@pytest.mark.parametrize("setup", [MASKED, CAUSAL, ODDS], ids=lambda setup: setup.scoring)
def test_a_model_that_cannot_see_the_guise_is_exactly_0(setup: Setup) -> None:
    scored = run_on(BENCHMARK, saying(lambda request, word: -4.0 + noise(word)), None, setup)
    assert {one.estimate for one in scored.estimates} == {0.0}
    assert {one.value for one in scored.figures} == {0.0}
    assert "disparity" not in {one.verdict for one in scored.estimates}


def test_exchanging_the_guises_turns_the_sign() -> None:
    items, answers = asked(BENCHMARK, saying(lambda r, w: -4.0 + noise(shown(r), w)), CAUSAL)
    other = {"first": "second", "second": "first"}
    here = BENCHMARK.score(items, answers, CAUSAL)
    there = BENCHMARK.score(items, [replace(one, part=other[one.part]) for one in answers], CAUSAL)
    for one, two in zip(here.estimates, there.estimates, strict=True):
        assert one.estimate is not None and two.estimate == pytest.approx(-one.estimate, abs=1e-12)


def test_calibration_by_the_empty_guise_leaves_q_as_it_is_and_says_what_each_guise_does() -> None:
    setup = Setup("causal", options={"calibrate": "empty"})

    def answer(request: Request, word: str) -> float:
        return prejudiced(request, word) + (0.7 if '""' in shown(request) else 0.0)

    plain, scored = (run_on(BENCHMARK, saying(answer), None, one) for one in (CAUSAL, setup))
    assert plain.estimates == scored.estimates
    assert figure(scored, "favourable, first guise over none") == pytest.approx(-0.9)
    assert figure(scored, "favourable, second guise over none") == pytest.approx(-0.7)
    items, answers = asked(BENCHMARK, saying(answer), setup)
    kept = [one for one in items if one.labels["arm"] != "empty" or one.labels["prompt"] != "bus"]
    part = BENCHMARK.score(kept, answers, setup)
    assert figure(part, "favourable, first guise over none") == pytest.approx(-0.9)
    with pytest.raises(InputError, match=r"matched-guise cannot take calibrate='twice'. Known: empty"):
        BENCHMARK.items(None, Setup("causal", options={"calibrate": "twice"}))


def test_the_same_question_is_asked_once_for_all_attributes() -> None:
    questions = list(BENCHMARK.ask(dialect_items(), CAUSAL))
    requests = {one.request for one in questions}
    assert len(requests) * 20 == len(questions)
    for request in requests:
        assert isinstance(request, Score) and not request.prefix.endswith(" ")
        assert all(word.startswith(" ") for word in request.continuations)


def test_a_mean_of_log_ratios_is_not_the_ratio_of_summed_probabilities() -> None:
    """biased-rulers sums probabilities where it should sum their logarithms: one common word decides all."""
    common, rare = {"first": 0.30, "second": 0.20}, {"first": 0.0001, "second": 0.0004}
    items = [
        replace(item, labels={**item.labels, "side": "favourable"})
        for item in dialect_items()
        if item.labels["attribute"] in ("kind", "calm", "polite") and item.labels["arm"] == "measured"
    ]

    def answer(request: Request) -> Response:
        assert isinstance(request, Score)
        part = "first" if any(f'"{sentence}"' in request.prefix for sentence in AAE) else "second"
        return Response(
            tuple(
                Choice(math.log((common if w == " kind" else rare)[part]), 1) for w in request.continuations
            )
        )

    answers = BENCHMARK.read(items, CAUSAL, answer)
    ours = figure(BENCHMARK.score(items, answers, CAUSAL), "favourable")
    theirs = math.log((common["first"] + 2 * rare["first"]) / (common["second"] + 2 * rare["second"]))
    assert theirs > 0.3
    assert ours == pytest.approx((math.log(1.5) - 2 * math.log(4)) / 3) and ours < -0.7


def test_adjectives_of_several_pieces_are_named_and_occupations_may_have_them() -> None:
    """Transformers' fill-mask pipeline would shorten such a target to its first piece and go on."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Fill | Score)
        words = request.candidates if isinstance(request, Fill) else request.continuations
        return Response(
            tuple(Choice(-9.0, 2 if word.strip() in ("lazy", "a nurse") else 1) for word in words)
        )

    items = [one for one in dialect_items() if one.labels["pair"] == "It look good on you"]
    found = BENCHMARK.read(items, MASKED, answer)
    lost = [one for one in found if one.value is None]
    assert len(lost) == 20 and {one.status for one in lost} == {"unparsed"}
    assert lost[0].reason.startswith("'lazy' is 2 pieces") and lost[0].doubts == ("several pieces",)
    groups = group_items()[:24]
    assert all(one.status == "scored" for one in BENCHMARK.read(groups, ODDS, answer))
    broken = BENCHMARK.read(groups[:1], ODDS, lambda request: Response(error="gone"))
    assert [one.status for one in broken] == ["error", "error"]


def test_a_guise_that_is_answered_less_often_gets_no_verdict() -> None:
    items, answers = asked(BENCHMARK, saying(prejudiced), CAUSAL)
    fewer = [
        replace(one, value=None, status="refused", reason="declined")
        if one.part == "first" and int(noise(one.item) * 100) % 5 == 0
        else one
        for one in answers
    ]
    assert of(BENCHMARK.score(items, fewer, CAUSAL), "overall", GAP).verdict == "invalid"


def test_a_model_that_reacts_to_wording_alone_fails_the_control() -> None:
    first = {one for one, _ in CONTENT["dialect"]["controls"]}

    def answer(request: Request, word: str) -> float:
        hit = any(f'"{sentence}"' in shown(request) for sentence in first) and word.strip() in FAVOURABLE
        return -5.0 + hit * (1.0 + 0.1 * noise(shown(request)))

    scored = run_on(BENCHMARK, saying(answer), None, CAUSAL)
    assert scored.controls[0].holds is False and "should be none" in scored.notes[0]


def test_captured_scores(tmp_path: Path) -> None:
    items, answers = asked(BENCHMARK, saying(prejudiced), CAUSAL)
    value = {(one.item, one.part): one.value for one in answers}
    path = tmp_path / "scores.tsv"
    rows = [[one.id, value[one.id, "first"], value[one.id, "second"]] for one in items]
    path.write_text(strings([["id", "first", "second"], *rows], "\t"))
    assert BENCHMARK.captured(path, items, CAUSAL) == answers


def test_the_pack_says_everything_it_must() -> None:
    assert (
        len(AAE) >= 30
        and len(CONTENT["dialect"]["prompts"]) >= 10
        and len(CONTENT["groups"]["prompts"]) >= 10
    )
    assert all(feature["source"] and len(feature["pairs"]) >= 4 for feature in CONTENT["dialect"]["features"])
    assert len(set(AAE)) == len(AAE)
    for items in (dialect_items(empty=True), group_items()):
        assert len({item.id for item in items}) == len(items)
        for item in items:
            for part in ("first", "second"):
                assert item.texts[part].endswith(" {answer}.") and item.texts[part].count("{answer}") == 1
            assert (item.texts["first"] == item.texts["second"]) == (item.labels["arm"] == "empty")
