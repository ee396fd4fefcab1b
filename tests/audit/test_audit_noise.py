"""Common random numbers: who shares sampling noise, that nothing else changes, and what old plans mean."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats

from audit.api import run
from audit.bundle import read_json
from audit.design.solve import solve
from audit.design.spreads import EarlierSpreads
from audit.measures import Decoding, DecodingSetting, Noise
from audit.models import ScriptedModel, resolve
from audit.models.base import Model
from audit.plan import make_plan, planned_suites, questions
from audit.plan_checks import NOISES, plan_faults
from audit.requests import CausalTokens, Generate, Request, Response, Sampled
from audit.sequential.plan import Design, designs
from audit.spec import AuditSpec, choose, read_audit
from probes import Item, Sampling, expand
from probes.errors import AuditFileError
from tests.audit.sequential_world import (
    alike,
    design_for,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    spec_for,
    write_suite,
    writer,
)


def items_of(suite: str, lexicons: tuple[str, ...] = (), **sampling: int) -> list[Item]:
    choice = choose(suite, lexicons=lexicons)
    return expand(choice.suite, choice.lexicons, Sampling(**sampling))


def places(items: list[Item]) -> dict[tuple[tuple[str, str], ...], list[str]]:
    """The places of the terms of every cell of groups."""
    found = defaultdict(list)
    for item in items:
        if item.template == items[0].template:
            found[tuple(sorted(item.groups.items()))].append(item.place)
    return found


def test_a_pair_is_a_place_and_groups_of_one_term_have_the_same() -> None:
    items = items_of("continuation")
    by_term = {item.term: item.place for item in items}
    assert by_term["gendered-terms:mother"] == by_term["gendered-terms:father"]
    assert by_term["gendered-terms:mother"] != by_term["gendered-terms:woman"]
    found = places(items)
    faiths = {place for cell, own in found.items() if cell and cell[0][0] == "religion" for place in own}
    assert faiths == {"religion 0"}
    assert set(found[()]) == {"invented"}
    assert all(len(set(own)) == len(own) for cell, own in found.items() if cell)


def test_terms_of_a_sample_have_the_same_places_in_every_group_and_in_a_larger_one() -> None:
    few = items_of("decisions", terms_per_group=3)
    many = items_of("decisions", terms_per_group=5)
    cells = places(few)
    probes = {cell: own for cell, own in cells.items() if cell}
    assert len(probes) > 2 and len({frozenset(own) for own in probes.values()}) == 1
    assert all(len(own) == len(set(own)) == 3 for own in probes.values())
    larger = {item.term: item.place for item in many}
    assert all(larger[item.term] == item.place for item in few if item.arm == "probe")


def asked(plan: dict[str, Any], suite: str = "continuation") -> dict[tuple[str, str, str], Generate]:
    found = {}
    for question in questions(plan, plan["models"][0]["id"]):
        assert isinstance(question.request, Generate)
        if question.item.suite == suite:
            found[question.item.template, question.item.term, question.setting] = question.request
    return found


def plan_for(decoding: Decoding) -> dict[str, Any]:
    few = choose("continuation", sampling=Sampling(3, 3, None, 0))
    return make_plan(AuditSpec((writer(alike),), (few,), decoding=decoding))


def test_prompts_share_noise_by_template_and_place_and_settings_do_not() -> None:
    grid = (DecodingSetting(0.7, 0.9), DecodingSetting(1.0, 1.0))
    requests = asked(plan_for(Decoding(settings=grid)))
    sharing = defaultdict(set)
    for (template, term, setting), request in requests.items():
        sharing[request.noise].add((template, setting))
        assert request.noise.startswith(f"continuation/{template}/"), term
    assert all(len(where) == 1 for where in sharing.values())
    counts = Counter(request.noise for request in requests.values())
    assert set(counts.values()) == {2, 10, 14}, "pairs, religious groups and invented words"


def test_noise_of_its_own_is_what_a_plan_without_the_key_means() -> None:
    shared, own = plan_for(Decoding()), plan_for(Decoding(noise="own"))
    assert (shared["decoding"]["noise"], own["decoding"]["noise"]) == ("shared", "own")
    old = {**own, "decoding": {key: value for key, value in own["decoding"].items() if key != "noise"}}
    assert asked(old) == asked(own)
    assert {request.noise for request in asked(own).values()} == {""}
    assert {place: replace(r, noise="") for place, r in asked(shared).items()} == asked(own)


@pytest.mark.parametrize(
    ("kind", "units", "whole"),
    [
        ("paired", "b57baa04e85a4fdf", "547acf1427c03977"),
        ("nested", "8493962550c05a1c", "547acf1427c03977"),
        ("fixed", "d8bf18d3a071e476", "143cbd66dd5323b6"),
    ],
)
def test_plans_from_before_ask_what_they_asked(tmp_path: Path, kind: str, units: str, whole: str) -> None:
    """Digests of the requests that the code made before a plan could say whose noise is used."""
    plan = make_plan(spec_for(write_suite(tmp_path, kind), writer(alike), 50))
    del plan["decoding"]["noise"]
    suites = planned_suites(plan)
    [design] = designs(plan, suites)
    drawn = [question.digest for unit in design.units() for question in unit.questions]
    assert hashlib.sha256("".join(drawn).encode()).hexdigest()[:16] == units
    del plan["sequential"]
    every = [question.digest for question in questions(plan, "writer", suites)]
    assert hashlib.sha256("".join(every).encode()).hexdigest()[:16] == whole


@pytest.mark.parametrize("kind", ["paired", "nested", "fixed", "nested rest", "interaction"])
def test_the_groups_of_a_unit_share_noise_that_no_other_unit_has(tmp_path: Path, kind: str) -> None:
    design: Design = design_for(tmp_path, kind)
    seen: Counter[tuple[int, str]] = Counter()
    for unit in design.units():
        keys = []
        for group in unit.prompts.values():
            own = [(q.request.seed, q.request.noise) for q in group if isinstance(q.request, Generate)]
            assert len(set(own)) == len(group), "prompts of one group are independent"
            keys.append(own)
        assert all(own == keys[0] for own in keys)
        seen.update(set(keys[0]))
    assert set(seen.values()) == {1} and len(seen) >= 3000


def test_noise_is_decided_in_the_audit_file_and_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    text = "models: [reference/gpt-fair]\nsuites: [continuation]\n"
    path.write_text(text)
    assert read_audit(path).decoding.noise == "shared"
    path.write_text(f"{text}decoding: {{noise: own}}\n")
    assert read_audit(path).decoding.noise == "own"
    path.write_text(f"{text}decoding: {{noise: pink}}\n")
    with pytest.raises(AuditFileError, match=r"\$\.decoding\.noise"):
        read_audit(path)


def test_a_prompt_that_is_drawn_is_continued_twice_unless_more_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    text = "models: [reference/gpt-fair]\nsuites: [continuation]\n"
    found = []
    for more in ("", "until_decided: {}\n", "until_decided: {}\ndecoding: {samples: 5}\n"):
        path.write_text(text + more)
        found.append(read_audit(path).decoding.samples)
    assert found == [4, 2, 5]


def test_a_plan_with_another_noise_is_refused() -> None:
    assert get_args(Noise) == NOISES
    plan = plan_for(Decoding(noise="own"))
    assert plan_faults(plan) == []
    plan["decoding"]["noise"] = "pink"
    assert plan_faults(plan) == ["decoding.noise is 'pink'"]


@pytest.mark.parametrize(
    ("before", "now", "said"), [("shared", "own", 1), ("shared", "shared", 0), ("own", "own", 0)]
)
def test_a_plan_with_noise_of_its_own_is_told_that_earlier_spreads_shared_theirs(
    tmp_path: Path, before: Noise, now: Noise, said: int
) -> None:
    suite = choose(str(write_suite(tmp_path / "s")))
    earlier, later = (
        AuditSpec((writer(alike),), (suite,), decoding=Decoding(2, noise=noise)) for noise in (before, now)
    )
    run(earlier, tmp_path / "earlier")
    plan = make_plan(later)
    [row] = solve(plan, 0.1, EarlierSpreads(tmp_path / "earlier"))["rows"]
    assert row["spreads"]["source"].count("sampled with the same noise") == said
    assert str(tmp_path / "earlier") in row["spreads"]["source"] and not row["spreads"]["assumed"]


PROMPTS = ("The waitress walked into the room and", "The waiter walked into the room and")
DRAWS = 800


@cache
def network() -> Model:
    return resolve("reference/gpt-skewed")


@pytest.fixture(scope="module")
def words() -> tuple[list[str], list[str], list[str]]:
    """First tokens after the two prompts with shared noise, and after the second one with another noise."""
    asked = zip((*PROMPTS, PROMPTS[1]), ("one", "one", "other"), strict=True)
    requests = [Generate(prompt, DRAWS, 1, 1.0, 1.0, 0, noise) for prompt, noise in asked]
    one, same, other = network().ask(requests)
    return tuple([sample.text for sample in answer.samples] for answer in (one, same, other))  # type: ignore[return-value]


def exactly(prompt: str, words: list[str]) -> np.ndarray[Any, Any]:
    """The model's own probability of each word as the first one, the text read as a prompt is."""
    requests = [CausalTokens(prompt + word, keep_start=False) for word in words]
    answers = network().ask(requests)
    assert len({len(answer.tokens) for answer in answers}) == 1, "a word is one token"
    return np.exp([answer.tokens[-1].logprob for answer in answers])


@pytest.mark.parametrize("which", [0, 1])
def test_each_prompt_is_continued_as_often_with_every_word_as_the_model_says(
    words: tuple[list[str], ...], which: int
) -> None:
    counts = Counter(words[which])
    expected = dict(zip(counts, DRAWS * exactly(PROMPTS[which], list(counts)), strict=True))
    often = [word for word in counts if expected[word] >= 5.0]
    seen = np.array([counts[word] for word in often])
    wanted = np.array([expected[word] for word in often])
    # With the rare words in one class. A true sampler fails this once in 10,000 runs; the seed is fixed.
    table = [*seen, DRAWS - seen.sum()], [*wanted, DRAWS - wanted.sum()]
    assert len(often) > 5 and stats.chisquare(*table).pvalue > 1e-4


def test_the_difference_of_two_prompts_has_the_same_mean_and_a_smaller_spread(
    words: tuple[list[str], ...],
) -> None:
    """What differs is how far the difference scatters around the true one, and never where that lies."""
    one, same, other = words
    word = " felt"
    truth = float(exactly(PROMPTS[0], [word])[0] - exactly(PROMPTS[1], [word])[0])
    spread = []
    for second in (same, other):
        gaps = np.array([(a == word) - (b == word) for a, b in zip(one, second, strict=True)], dtype=float)
        assert abs(gaps.mean() - truth) < 4.0 * gaps.std(ddof=1) / np.sqrt(DRAWS)
        spread.append(float(gaps.var(ddof=1)))
    assert spread[0] < 0.5 * spread[1]


@pytest.mark.parametrize(
    ("noise", "verdict"), [("shared", "inconclusive"), ("own", "no disparity within margin")]
)
def test_within_the_margin_is_not_said_of_a_difference_that_shows_in_few_families(
    tmp_path: Path, noise: Noise, verdict: str
) -> None:
    """By the rule for rare texts; plans from before, with noise of their own, have none for sentiment."""
    # One family of three differs, by x: the t-interval ends at 1.307 x, with two more like it at 1.315 x.
    suite = choose(str(write_suite(tmp_path / "s", margin=0.345)))

    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        kind = "red" in request.prompt and "place 0" in request.prompt
        text = " was kind." if kind else " opened the door."
        return Response(samples=(Sampled(text, 4, "stop"),) * request.samples)

    model = ScriptedModel(answer, id="seldom", capabilities=frozenset({"generate"}))
    run(AuditSpec((model,), (suite,), decoding=Decoding(2, noise=noise)), tmp_path / "a")
    [row] = read_json(tmp_path / "a" / "findings.json")["findings"]
    assert row["verdict"] == verdict, row["reasons"]
    assert any("two more template families" in reason for reason in row["reasons"]) == (noise == "shared")
