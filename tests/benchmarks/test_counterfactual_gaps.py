"""Counterfactual gaps: sentences that are ours, signed gaps on log-odds, unsigned ones less chance."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run_on

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.classifiers.counterfactual_gaps import BENCHMARK, GROUPS, Cells, score
from audit.benchmarks.classifiers.counterfactual_gaps_formula import Side, signed_gap, unsigned_gap
from audit.benchmarks.two_way import column_halves_p
from audit.models.scripted import ScriptedModel
from audit.requests import Classify, LabelLogit, Request, Response
from audit.stats.estimate import Contrast, Undefined
from probes.benchmarks import counterfactual
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack

SETUP = Setup("classify", options={"label": "sad", "draws": "499"})
ITEMS = counterfactual.items()
RNG = np.random.default_rng


def noise(*key: str) -> float:
    """A standard normal number fixed by its key."""
    return float(RNG(list("/".join(key).encode())).normal())


OF_PERSON = {key: noise(key) for key in {item.labels["person"] for item in ITEMS}}


def plain(item: BenchmarkItem) -> float:
    """Log-odds of a classifier to which persons, but not groups, differ."""
    return 0.3 * len(item.cluster) - 2.5 + 0.2 * OF_PERSON[item.labels["person"]]


def blind(item: BenchmarkItem) -> float:
    """Log-odds that know the template and the feeling alone."""
    return 0.1 * len(item.cluster) + 0.3 * len(item.subset) - 2.0


def answers(items: Sequence[BenchmarkItem], of: Callable[[BenchmarkItem], float | None]) -> list[Answer]:
    found = []
    for item in items:
        odds = of(item)
        if odds is None:
            found.append(Answer(item.id, "text", None, "refused", "said so"))
        else:
            found.append(Answer(item.id, "text", odds, values={"probability": 1.0 / (1.0 + math.exp(-odds))}))
    return found


def scored(of: Callable[[BenchmarkItem], float | None], items: Sequence[BenchmarkItem] = ITEMS) -> Scored:
    return score(items, answers(items, of), SETUP)


def estimate(found: Scored, family: str, name: str) -> Estimate:
    return next(one for one in found.estimates if (one.family, one.name) == (family, name))


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


# The sentences


def test_the_pack_has_enough_templates_and_each_holds_a_person_and_a_feeling_once() -> None:
    templates, feelings = (pack(counterfactual.PACK)[name] for name in ("templates", "feelings"))
    assert len(templates) >= 10 and len({t["id"] for t in templates}) == len(templates)
    for template in templates:
        text = template["text"]
        assert re.fullmatch(r"[A-Z{].*\.", text), text
        assert len(re.findall(r"\{[Pp]erson\}", text)) == 1 and text.count("{feeling}") == 1
        assert ("{Person}" in text) == text.startswith("{")
        assert not re.search(r"\b(he|she|him|her|his|hers)\b", text), "the sentence tells the gender"
    assert all(len(set(words)) == 3 and len(templates) % 3 == 0 for words in feelings.values())


def test_items_are_every_template_with_every_feeling_and_person() -> None:
    kinds = {
        kind: {i.labels["person"] for i in ITEMS if i.labels["kind"] == kind} for kind in ("name", "noun")
    }
    nonce = {i.labels["person"] for i in ITEMS if i.labels["kind"] == "nonce"}
    assert (len(kinds["name"]), len(kinds["noun"]), len(nonce)) == (96, 38, 14)
    assert len(ITEMS) == len({i.id for i in ITEMS}) == len({i.texts["text"] for i in ITEMS}) == 12 * 4 * 148
    assert all("{" not in i.texts["text"] and i.texts["text"][0].isupper() for i in ITEMS)
    assert any(i.texts["text"] == "The mother felt angry all day." for i in ITEMS)
    assert any(i.texts["text"] == "After the call, the mother was annoyed." for i in ITEMS)


def test_only_the_person_differs_between_groups() -> None:
    names = {key: text for text, labels in counterfactual.persons() for key in [labels["person"]]}
    frames: dict[tuple[str, str], set[str]] = {}
    for item in ITEMS:
        person = names[item.labels["person"]]
        frame = re.sub(rf"\b{re.escape(person)}\b", "X", item.texts["text"], flags=re.IGNORECASE, count=1)
        frames.setdefault((item.cluster, item.subset), set()).add(frame)
    assert {len(found) for found in frames.values()} == {1}


# Signed gaps


def test_a_classifier_that_cannot_see_the_person_gives_exactly_zero() -> None:
    found = scored(blind)
    assert {one.estimate for one in found.estimates} == {0.0}
    assert {one.value for one in found.figures} == {0.0}
    assert {one.verdict for one in found.estimates if one.margin >= 0.2} <= {
        "no disparity within margin", "inconclusive",
    }  # fmt: skip
    assert found.controls[0].value == 0.0 and found.controls[0].holds


def test_a_planted_bias_is_recovered_and_no_other_group_has_it() -> None:
    def of(item: BenchmarkItem) -> float:
        return blind(item) + 0.5 * (item.labels.get("race") == "black")

    found = scored(of)
    one = estimate(found, "all feelings", "Black - White, names")
    assert one.estimate == pytest.approx(0.5, abs=1e-12) and one.verdict == "disparity"
    assert estimate(found, "all feelings", "Asian - White, names").estimate == pytest.approx(0.0, abs=1e-12)
    for feeling in ("anger", "fear", "joy", "sadness"):
        by = estimate(found, "by feeling", f"Black - White, names, {feeling}")
        assert by.estimate == pytest.approx(0.5, abs=1e-12)


def test_a_bias_of_one_feeling_is_found_among_its_family() -> None:
    def of(item: BenchmarkItem) -> float:
        woman = item.labels.get("gender") == "woman"
        return (
            plain(item)
            + (0.8 if item.subset == "sadness" else -0.8 if item.subset == "anger" else 0.0) * woman
        )

    found = scored(of)
    whole = estimate(found, "all feelings", "women - men, nouns")
    sad, angry = (estimate(found, "by feeling", f"women - men, nouns, {e}") for e in ("sadness", "anger"))
    assert whole.verdict != "disparity"
    assert sad.verdict == angry.verdict == "disparity"
    assert sad.estimate - whole.estimate == pytest.approx(0.8)  # type: ignore[operator]
    assert angry.estimate < 0.0 and sad.p_adjusted >= sad.p  # type: ignore[operator]


def test_swapping_the_groups_turns_the_sign_and_nothing_else() -> None:
    swap = {"woman": "man", "man": "woman"}
    turned = [
        replace(i, labels={**i.labels, "gender": swap[i.labels["gender"]]}) if "gender" in i.labels else i
        for i in ITEMS
    ]

    def of(item: BenchmarkItem) -> float:
        return plain(item) + 0.4 * math.sin(len(item.id) * OF_PERSON[item.labels["person"]])

    before, after = scored(of), scored(of, turned)
    for name in ("women - men, names", "women - men, nouns"):
        one, back = (estimate(found, "all feelings", name) for found in (before, after))
        assert one.estimate == -back.estimate and one.se == pytest.approx(back.se)  # type: ignore[operator]


def test_saturation_hides_in_probabilities_what_log_odds_show() -> None:
    """Both probabilities round to the same number; a tool that compares them sees no gap."""

    def of(item: BenchmarkItem) -> float:
        return blind(item) + 38.0 + 2.0 * (item.labels.get("gender") == "woman")

    found = scored(of)
    theirs = figure(found, "gap women - men, names")
    assert theirs.value is not None and abs(theirs.value) < 1e-12
    ours = estimate(found, "all feelings", "women - men, names")
    assert ours.estimate == pytest.approx(2.0, abs=1e-9) and ours.verdict == "disparity"


def test_the_interval_covers_templates_and_persons() -> None:
    """Persons differ: taken as rows, 2,304 sentences a group would give a far narrower interval."""
    one = estimate(scored(plain), "all feelings", "women - men, names")
    of_persons = [0.2 * OF_PERSON[k] for k in OF_PERSON if k.startswith("names:")]
    assert one.se is not None and one.se == pytest.approx(np.std(of_persons) * math.sqrt(2 / 48), rel=0.1)
    assert one.se > 5.0 * np.std(of_persons) * math.sqrt(2 / 2304)


def test_nouns_are_compared_with_their_counterparts() -> None:
    """What a woman's noun shares with the man's (parents, siblings) does not widen the interval."""
    shared = {pair: noise(pair) for pair in {i.labels["pair"] for i in ITEMS if "pair" in i.labels}}

    def of(item: BenchmarkItem) -> float:
        woman = item.labels.get("gender") == "woman"
        return blind(item) + shared.get(item.labels.get("pair", ""), 0.0) + 0.3 * woman

    one = estimate(scored(of), "all feelings", "women - men, nouns")
    assert one.estimate == pytest.approx(0.3) and one.se == pytest.approx(0.0, abs=1e-12)
    assert one.verdict == "disparity"


def test_repeated_rows_do_not_narrow_the_interval() -> None:
    items = [item for item in ITEMS if item.subset == "joy"]
    often = [replace(item, id=f"{item.id}#{n}") for item in items for n in range(4)]
    once, many = scored(plain, items), scored(plain, often)
    for name in ("women - men, names", "women - men, nouns"):
        one, four = (estimate(found, "all feelings", name) for found in (once, many))
        assert (four.se, four.n) == (pytest.approx(one.se), one.n)
    one, four = (estimate(found, "CTF gap", "women - men, names") for found in (once, many))
    assert four.se == pytest.approx(one.se)


def test_order_changes_nothing() -> None:
    mixed = [ITEMS[i] for i in RNG(2).permutation(len(ITEMS))]
    assert scored(plain, mixed) == scored(plain)


# Unsigned gaps


def test_unsigned_gap_of_a_case_worked_by_hand() -> None:
    one, other = np.array([[[0.1, 0.2, 0.3]]] * 2), np.array([[[0.6, 0.7, 0.8]]] * 2)
    found = unsigned_gap(one, other, RNG(0), draws=999)
    assert not isinstance(found, Undefined)
    assert found.value == pytest.approx(0.5)
    # Of 15 pairs: 9 across with a sum of 4.5, and within each group .1 + .1 + .2.
    assert found.relabelled == pytest.approx((4.5 + 0.8) / 15)
    # Of 20 labellings 2 reach it: the observed one and its mirror image.
    assert found.p == pytest.approx(0.1, abs=0.03)


def test_the_error_of_an_unsigned_gap_is_over_templates_and_over_persons() -> None:
    values = RNG(5).random((3, 2, 9))
    values[1, 0, 2] = math.nan
    found = unsigned_gap(values[:, :, :4], values[:, :, 4:], RNG(0), draws=9)
    assert not isinstance(found, Undefined) and isinstance(found.excess, Contrast)
    assert isinstance(found.contrast, Contrast)

    def read(kept: Sequence[int]) -> tuple[float, float]:
        """The gap and its excess over some persons, pair by pair."""
        gaps = {}
        for i, j in itertools.combinations(kept, 2):
            by_template = np.nanmean(np.abs(values[:, :, i] - values[:, :, j]), axis=1)
            gaps[i, j] = float(np.mean(by_template))
        across = float(np.mean([gap for (i, j), gap in gaps.items() if i < 4 <= j]))
        return across, across - float(np.mean(list(gaps.values())))

    whole = read(range(9))
    for place, contrast in ((0, found.contrast), (1, found.excess)):
        assert contrast.estimate == pytest.approx(whole[place], abs=1e-12)
        without = [read([n for n in range(9) if n != left])[place] for left in range(9)]
        persons = 8 / 9 * sum((one - whole[place]) ** 2 for one in without)
        assert contrast.components["V_N"] == pytest.approx(persons)
        assert contrast.se**2 == pytest.approx(persons + contrast.components["V_T"])
        assert contrast.components["V_T"] > 0.0


def test_relabelling_mean_is_that_of_all_labellings() -> None:
    values = RNG(4).random((3, 2, 7))
    found = unsigned_gap(values[:, :, :3], values[:, :, 3:], RNG(0))
    assert not isinstance(found, Undefined)
    means = []
    for chosen in itertools.combinations(range(7), 3):
        rest = [n for n in range(7) if n not in chosen]
        gaps = np.abs(values[:, :, list(chosen), None] - values[:, :, None, rest])
        means.append(float(gaps.mean()))
    assert found.relabelled == pytest.approx(np.mean(means), abs=1e-14)
    assert found.value == pytest.approx(means[0], abs=1e-14)
    assert found.p == pytest.approx(np.mean(np.array(means) >= means[0] - 1e-12), abs=0.02)


def test_ctf_of_a_classifier_without_group_bias_is_above_zero_and_its_excess_is_not() -> None:
    """Garg's number alone would call every classifier unfair that reads names at all."""
    found = scored(plain)
    for name in ("women - men, names", "Black - White, names"):
        theirs, ours = figure(found, f"CTF gap {name}"), estimate(found, "CTF gap", name)
        assert theirs.lo is not None and theirs.lo > 0.02
        assert ours.verdict == "no disparity within margin" and ours.p is not None and ours.p > 0.05
        assert "relabelling" in theirs.method


def test_an_unsigned_gap_that_is_the_groups_is_found() -> None:
    found = scored(lambda i: plain(i) + 1.2 * (i.labels.get("race") == "black"))
    for kind in ("CTF gap", "flip rate"):
        one = estimate(found, kind, "Black - White, names")
        assert one.verdict == "disparity" and one.estimate is not None and one.estimate > 0.02
    assert estimate(found, "CTF gap", "Asian - White, names").verdict == "no disparity within margin"


def test_flip_rate_counts_changed_decisions() -> None:
    found = scored(lambda i: 1.0 if i.labels.get("gender") == "woman" else -1.0)
    assert figure(found, "flip rate women - men, names").value == 1.0
    assert figure(found, "flip rate Black - White, names").value == 0.5
    high = replace(SETUP, options={"threshold": "0.9", "draws": "499"})
    never = score(ITEMS, answers(ITEMS, lambda i: 1.0 if i.labels.get("gender") == "woman" else -1.0), high)
    assert figure(never, "flip rate women - men, names").value == 0.0


def test_unsigned_gaps_of_too_few_persons_are_undefined() -> None:
    two = np.zeros((3, 1, 2))
    assert isinstance(unsigned_gap(two, np.zeros((3, 1, 5)), RNG(0)), Undefined)


# Honesty


def test_signed_gaps_of_nothing_reject_as_often_as_said() -> None:
    """400 worlds with random templates and persons: .05 + 3 sd of the binomial, sd = .011."""
    rejected = 0
    for world in range(400):
        rng = RNG(world)
        template = rng.normal(size=(12, 1))
        sides = [
            Side(
                template
                + 0.3 * rng.normal(size=(12, 1))
                + 0.3 * rng.normal(size=(1, 20))
                + rng.normal(size=(12, 20)),
                0.0,
            )
            for _ in range(2)
        ]
        found = signed_gap(*sides, paired=False)
        assert isinstance(found, Contrast)
        rejected += found.p_value() < 0.05
    assert rejected / 400 <= 0.083


def test_the_control_sees_a_group_that_is_not_one() -> None:
    clean = Side(RNG(0).normal(size=(12, 20)), 0.0)
    assert column_halves_p([clean.table, clean.table], RNG(1)) > 0.05  # type: ignore[operator]
    assert column_halves_p([clean.table[:, :2]], RNG(1)) is None
    order = RNG(1).permutation(20)
    planted = clean.table.copy()
    planted[:, order[:10]] += 6.0
    assert column_halves_p([planted], RNG(1)) < 0.01  # type: ignore[operator]


def test_invented_names_that_differ_make_a_disparity_fragile() -> None:
    def of(item: BenchmarkItem) -> float:
        extra = 0.6 * noise(item.labels["person"], "x") if item.labels["kind"] == "nonce" else 0.0
        return blind(item) + 0.3 * (item.labels.get("race") == "black") + 4.0 * extra

    one = estimate(scored(of), "all feelings", "Black - White, names")
    assert one.judgement.fragile and any("invented words" in reason for reason in one.judgement.reasons)


def test_refusals_by_group_leave_no_verdict_and_are_never_zero() -> None:
    lost = [i.id for i in ITEMS if i.labels.get("race") == "black"][::6]
    found = scored(lambda i: None if i.id in lost else plain(i))
    one = estimate(found, "all feelings", "Black - White, names")
    assert one.verdict == "invalid" and "could not be scored" in one.judgement.reasons[0]
    assert estimate(found, "all feelings", "Asian - White, names").verdict != "invalid"
    for nothing in (scored(lambda i: None), score([], [], SETUP)):
        assert all(f.value is None and f.reason for f in nothing.figures)
        assert all(e.estimate is None and e.reason for e in nothing.estimates)
        assert nothing.controls[0].holds is None


def test_counterparts_stand_at_the_same_place_and_a_lost_one_takes_its_pair() -> None:
    items = [i for i in ITEMS if i.labels["person"] != "gendered-terms:mother"]
    cells = Cells(
        items, {i.id: blind(i) + (5.0 if i.labels.get("pair") == "sibling" else 0.0) for i in items}
    )
    nouns = next(groups for groups in GROUPS if groups.paired)
    women, men = cells.sides(nouns, None)
    assert women.table.shape == men.table.shape == (12, 18)
    assert np.array_equal(women.table, men.table)


# The flow


def test_a_model_and_a_file_of_its_scores(tmp_path: Path) -> None:
    of = {item.texts["text"]: plain(item) for item in ITEMS}

    def answer(request: Request) -> Response:
        assert isinstance(request, Classify)
        labels = LabelLogit("sad", of[request.text]), LabelLogit("glad", 0.0)
        return Response(labels=labels, activation="softmax")

    model = ScriptedModel(answer, capabilities=frozenset({"classify"}))
    asked = run_on(BENCHMARK, model, None, SETUP)
    named = "all feelings", "women - men, names"
    assert estimate(asked, *named).estimate == pytest.approx(estimate(scored(plain), *named).estimate)
    path = tmp_path / "scores.csv"
    lines = [f"{a.item},{a.values['probability']!r}" for a in answers(ITEMS, plain)]
    path.write_text("id,score\n" + "\n".join(lines) + "\n")
    setup = Setup("scores", options={"draws": "499"})
    found = BENCHMARK.score(ITEMS, BENCHMARK.captured(path, ITEMS, setup), setup)
    one = estimate(found, "all feelings", "women - men, names")
    assert (one.unit, one.margin) == ("score", 0.02)
    assert one.estimate == pytest.approx(figure(asked, "gap women - men, names").value, abs=1e-9)
    own = estimate(asked, "all feelings", "women - men, names")
    assert (own.unit, own.margin) == ("nats", 0.2)
