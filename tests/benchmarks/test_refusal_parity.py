"""Refusal parity: the same request about every group, its outcomes, and the errors of the rules."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from audit.benchmarks.base import Answer, Estimate, Figure, Items, Scored, Setup
from audit.benchmarks.written.outcomes import outcome_of
from audit.benchmarks.written.refusal_parity import BENCHMARK
from audit.models.scripted import ScriptedModel
from audit.requests import Generate, Request, Response, Sampled
from audit.scorers.refusal import phrases_accuracy
from probes.benchmarks.packs import pack
from probes.errors import InputError
from tests.benchmarks.conftest import run_on

PAIR = {"axes": "religion", "groups": "muslim,christian"}
SETUP = Setup("written", samples=1, options=PAIR)
NO, YES, LOOP = "I'm sorry, but I can't help with that.", "Of course: here it is.", "yes " * 20


def chance(text: str) -> float:
    """A number in [0, 1) that a text alone decides."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def replying(reply: Callable[[str], str]) -> ScriptedModel:
    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        samples = tuple(
            Sampled(reply(f"{request.prompt}{n or ''}"), 9, "stop") for n in range(request.samples)
        )
        return Response(samples=samples)

    return ScriptedModel(answer, capabilities=frozenset({"generate"}))


def scored(reply: Callable[[str], str], setup: Setup = SETUP) -> Scored:
    return run_on(BENCHMARK, replying(reply), None, setup)


def estimate(found: Scored, name: str) -> Estimate:
    return next(one for one in found.estimates if one.name == name)


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def neutral(text: str) -> str:
    """A request without its group."""
    return re.sub(r"\S+ people", "people", text)


def blind(text: str) -> str:
    return NO if chance(neutral(text)) < 0.3 else YES


def biased(text: str) -> str:
    return NO if chance(neutral(text)) < (0.7 if "Muslim" in text else 0.2) else YES


# what is asked


def test_requests_differ_in_nothing_but_the_group() -> None:
    items = BENCHMARK.items(None, Setup("written", options={"axes": "religion,gender"}))
    assert len({item.id for item in items}) == len(items) == (10 + 2 + 4) * 24 * 10
    asked: dict[str, set[str]] = {}
    for item in items:
        text = re.sub(rf"\b{item.labels['group']}\b", "GROUP", item.texts["request"])
        assert "{" not in text and text.count("GROUP") == 1
        asked.setdefault(item.labels["group"], set()).add(text)
    assert len({frozenset(texts) for texts in asked.values()}) == 1
    assert {item.labels["group"] for item in items if item.subset == "gender"} == {"women", "men"}


def test_an_axis_that_is_named_twice_is_asked_once() -> None:
    options = {"axes": "gender, gender", "frames": "1"}
    items = BENCHMARK.items(None, Setup("written", options=options))
    assert len(items) == len({item.id for item in items}) == (2 + 4) * 24 * 2


def test_the_pack_has_what_a_claim_needs() -> None:
    content = pack("refusal-parity")
    assert {kind: len(requests) for kind, requests in content["requests"].items()} == {
        "plain": 12,
        "contentious": 12,
    }
    phrases = [
        w for requests in content["requests"].values() for wordings in requests.values() for w in wordings
    ]
    assert len(phrases) == len(set(phrases)) == 48
    assert all(phrase.count("{people}") == 1 and phrase[0].islower() for phrase in phrases)
    assert len(content["frames"]) == 5 and all(frame.count("{request}") == 1 for frame in content["frames"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axes": "religon"}, r"cannot take axes='religon'\. Did you mean 'religion'"),
        ({"groups": "muslin"}, r"no group 'muslin' on religion\. Did you mean 'muslim'"),
        ({"groups": "muslim"}, "1 group on axis religion"),
        ({"frames": "6"}, r"frames='6'\. Give a whole number from 1 to 5"),
        ({"frame": "2"}, r"no option 'frame'\. Did you mean 'frames'"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BENCHMARK.items(None, Setup("written", options=options))


# what comes of it


def test_a_blind_model_gives_exactly_no_difference_and_the_same_figures() -> None:
    found = scored(blind)
    for one in found.estimates:
        assert one.estimate == 0.0
        assert one.verdict != "disparity"
    muslim = {
        one.name.split(": ")[1]: one.value
        for one in found.figures
        if one.name.startswith("Muslim people, plain")
    }
    for name, value in muslim.items():
        assert figure(found, f"Christian people, plain: {name}").value == value
    refused = figure(found, "Muslim people, plain: refused").value
    assert refused is not None and 0.15 < refused < 0.45
    assert [control.value for control in found.controls] == [0.0, 0.0]


def test_a_planted_bias_is_found_in_both_forms_and_swapping_groups_turns_the_sign() -> None:
    found = scored(biased)
    one = estimate(found, "Muslim people - Christian people, plain")
    assert one.lo is not None and one.estimate is not None and one.hi is not None
    assert 0.2 < one.lo < 0.5 < one.hi
    assert one.verdict == "disparity" and one.clusters == 12
    ratio = estimate(found, "Muslim people / Christian people, plain")
    rates = [
        figure(found, f"{group}, plain: refused").value for group in ("Muslim people", "Christian people")
    ]
    assert rates[0] is not None and rates[1] is not None and ratio.estimate is not None
    assert ratio.estimate == pytest.approx(math.log(rates[0] / rates[1]), abs=1e-12)
    assert one.estimate == pytest.approx(rates[0] - rates[1], abs=1e-12)
    swapped = scored(biased, replace(SETUP, options={**PAIR, "groups": "christian,muslim"}))
    turned = estimate(swapped, "Christian people - Muslim people, plain")
    assert turned.estimate == pytest.approx(-one.estimate, abs=1e-15)
    assert (turned.lo, turned.hi) == pytest.approx((-one.hi, -one.lo), abs=1e-15)


def test_every_group_of_an_axis_is_held_against_the_mean_of_the_others() -> None:
    setup = replace(SETUP, options={"groups": "muslim,jewish,hindu,sikh", "frames": "2"})
    found = scored(lambda text: NO if "Muslim" in text else YES, setup)
    differences = [one for one in found.estimates if one.family == "religion, plain"]
    assert [one.estimate for one in differences] == pytest.approx([1.0, -1 / 3, -1 / 3, -1 / 3], abs=1e-12)
    assert {one.correction for one in differences} == {"holm"}
    ratios = [one for one in found.estimates if one.family == "religion, plain, ratio"]
    assert all(one.estimate is None and one.reason for one in ratios)


def test_the_four_outcomes_are_told_apart_and_sum_to_one() -> None:
    def reply(text: str) -> str:
        return (NO, YES, LOOP, "...")[int(chance(text) * 4)]

    found = scored(reply)
    names = ("refused", "answered", "repeated", "empty")
    values = [figure(found, f"Muslim people, plain: {name}").value for name in names]
    items = BENCHMARK.items(None, SETUP)
    mine = [i for i in items if i.labels["group"] == "Muslim people" and i.labels["kind"] == "plain"]
    counts = Counter(outcome_of(reply(item.texts["request"])) for item in mine)
    assert values == [counts[name] / len(mine) for name in ("refused", "scored", "repeated", "empty")]
    assert sum(value for value in values if value is not None) == pytest.approx(1.0)


def test_both_ends_of_the_range() -> None:
    found = scored(lambda text: NO if "Muslim" in text else YES)
    one = estimate(found, "Muslim people - Christian people, plain")
    assert one.estimate == 1.0
    always, never = (
        figure(found, f"{group}, plain: refused") for group in ("Muslim people", "Christian people")
    )
    assert (always.value, always.hi, never.value, never.lo) == (1.0, 1.0, 0.0, 0.0)
    assert always.lo == pytest.approx(0.757, abs=1e-3) and "12 requests" in always.method
    assert scored(lambda text: NO).estimates[0].estimate == 0.0


def test_a_rate_is_corrected_for_the_errors_of_the_rules() -> None:
    found = scored(biased)
    raw = figure(found, "Muslim people, plain: refused").value
    corrected = figure(found, "Muslim people, plain: refused, corrected")
    known = phrases_accuracy()
    assert raw is not None and corrected.value is not None
    expected = (raw + known.specificity - 1.0) / (known.sensitivity + known.specificity - 1.0)
    assert corrected.value == pytest.approx(expected, abs=1e-12)
    assert corrected.lo is not None and corrected.hi is not None
    assert corrected.lo < corrected.value < corrected.hi
    never = figure(scored(lambda text: YES), "Muslim people, plain: refused, corrected")
    assert never.value is None and never.reason
    assert "sensitivity 0.73 [0.57, 0.85]" in found.notes[0]


def test_invented_peoples_that_differ_make_a_disparity_fragile_and_the_control_fail() -> None:
    def reply(text: str) -> str:
        level = 0.9 if "Muslim" in text or "Blorvish" in text or "Tresken" in text else 0.1
        return NO if chance(neutral(text)) < level else YES

    found = scored(reply)
    control = found.controls[0]
    assert control.value is not None and control.value > 0.2 and control.holds is False
    assert estimate(found, "Muslim people - Christian people, plain").judgement.fragile
    calm = scored(biased)
    assert calm.controls[0].holds is True
    assert not estimate(calm, "Muslim people - Christian people, plain").judgement.fragile


def shuffled(items: Items) -> list[int]:
    return sorted(range(len(items)), key=lambda place: chance(items[place].id))


def test_order_changes_nothing_and_repeated_samples_add_no_certainty() -> None:
    items = BENCHMARK.items(None, SETUP)
    answers = BENCHMARK.read(items, SETUP, lambda request: replying(biased).ask([request])[0])
    plain = BENCHMARK.score(items, answers, SETUP)
    mixed = BENCHMARK.score(items, [answers[place] for place in shuffled(items)], SETUP)
    assert mixed.figures == plain.figures
    assert mixed.estimates == plain.estimates
    reversed_items = BENCHMARK.score(list(reversed(items)), answers, SETUP)
    turned = estimate(reversed_items, "Christian people - Muslim people, plain")
    assert turned.estimate is not None and plain.estimates[0].estimate is not None
    assert turned.estimate == pytest.approx(-plain.estimates[0].estimate, abs=1e-12)
    doubled = [*answers, *(replace(answer, part="again") for answer in answers)]
    twice = BENCHMARK.score(items, doubled, SETUP)
    for one, other in zip(plain.estimates, twice.estimates, strict=True):
        assert one.estimate is not None
        assert (other.estimate, other.se) == pytest.approx((one.estimate, one.se), abs=1e-12)
    for mine, theirs in zip(plain.figures, twice.figures, strict=True):
        if mine.value is not None and "corrected" not in mine.name:
            assert (theirs.value, theirs.lo, theirs.hi) == pytest.approx(
                (mine.value, mine.lo, mine.hi), abs=1e-12
            )


# what is missing


def test_failures_are_counted_and_are_neither_answers_nor_refusals() -> None:
    def reply(request: Request) -> Response:
        assert isinstance(request, Generate)
        if chance(request.prompt) < 0.02:
            return Response(error="timed out")
        return replying(blind).ask([request])[0]

    items = BENCHMARK.items(None, SETUP)
    answers = BENCHMARK.read(items, SETUP, reply)
    failed = [answer for answer in answers if answer.status == "error"]
    assert failed and all(answer.value is None and answer.reason == "timed out" for answer in failed)
    found = BENCHMARK.score(items, answers, SETUP)
    assert any(f"{len(failed)} of {len(items):,} requests failed" in note for note in found.notes)
    n = sum(one.n for one in found.figures if one.name.endswith(": refused"))
    own = [a for a in answers if a.status != "error" and a.item.startswith("religion")]
    assert n == len(own)
    few = BENCHMARK.read(
        items, replace(SETUP, samples=2), lambda request: Response(samples=(Sampled(YES, 5, "stop"),))
    )
    assert [answer.status for answer in few[:2]] == ["scored", "error"]


def test_more_failures_about_one_group_give_no_verdict() -> None:
    def reply(request: Request) -> Response:
        assert isinstance(request, Generate)
        if "Muslim" in request.prompt and chance(request.prompt) < 0.2:
            return Response(error="blocked")
        return replying(biased).ask([request])[0]

    items = BENCHMARK.items(None, SETUP)
    found = BENCHMARK.score(items, BENCHMARK.read(items, SETUP, reply), SETUP)
    assert estimate(found, "Muslim people - Christian people, plain").verdict == "invalid"


def test_nothing_at_all_and_any_part_of_the_items() -> None:
    nothing = BENCHMARK.score([], [], SETUP)
    assert [(one.value, one.reason) for one in nothing.figures] == [(None, "no request was answered")]
    assert nothing.estimates == () and all(control.holds is None for control in nothing.controls)
    items = BENCHMARK.items(None, SETUP)
    errors = [Answer(item.id, "0", None, "error", "down") for item in items]
    found = BENCHMARK.score(items, errors, SETUP)
    assert all(one.value is None and one.reason for one in found.figures)
    assert all(one.estimate is None and one.reason for one in found.estimates)
    part = [item for item in items if item.labels["kind"] == "plain" and item.subset != "nonce"]
    answers = BENCHMARK.read(part, SETUP, lambda request: replying(biased).ask([request])[0])
    assert (
        estimate(BENCHMARK.score(part, answers, SETUP), "Muslim people - Christian people, plain").clusters
        == 12
    )


def test_captured_replies_give_the_same_numbers(tmp_path: Path) -> None:
    items = BENCHMARK.items(None, SETUP)
    rows = [json.dumps({"id": item.id, "text": biased(item.texts["request"])}) for item in items]
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(rows), "utf-8")
    found = BENCHMARK.score(items, BENCHMARK.captured(path, items, SETUP), SETUP)
    assert found.estimates == scored(biased).estimates
