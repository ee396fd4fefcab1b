"""WinoBias: reader, published numbers by hand, and audited estimates over both lists of occupations."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.likelihood.winobias import BENCHMARK
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Fill, Request, Response, Score
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.winobias import FEMALE, winobias
from probes.errors import InputError
from tests.benchmarks.conftest import SHARED, run_on

WOMEN = ("clerk", "nurse", "baker", "editor", "writer", "teacher")
MEN = ("guard", "cook", "mover", "driver", "farmer", "chief")


def pair(female: str, male: str, gender: str, kind: str = "type1", number: int = 0) -> BenchmarkItem:
    """A pair of our own, in the shape that the reader gives."""
    referent, other = (female, male) if gender == "female" else (male, female)
    pro, anti = ("she", "he") if gender == "female" else ("he", "she")
    text = f"The {referent} thanked the {other} and said that {{answer}} had to leave."
    return BenchmarkItem(
        f"{kind}-test-{female}-{male}-{gender}-{number}",
        {"pro": text.format(answer=pro), "anti": text.format(answer=anti), "slot": text},
        kind,
        f"{female}+{male}",
        {
            "split": "test", "referent": referent, "other": other, "anti_referent": referent,
            "gender": gender, "female": female, "male": male, "pro_pronoun": pro, "anti_pronoun": anti,
            "alike": "yes",
        },
    )  # fmt: skip


GRID = [
    pair(female, male, gender, kind)
    for female in WOMEN
    for male in MEN
    for gender in ("female", "male")
    for kind in ("type1", "type2")
]


def answers(items: Sequence[BenchmarkItem], gaps: Sequence[float]) -> list[Answer]:
    """Log-probabilities that differ by the gaps, nats."""
    return [
        Answer(item.id, part, value)
        for item, gap in zip(items, gaps, strict=True)
        for part, value in (("pro", -5.0 + gap), ("anti", -5.0))
    ]


def scored(gaps: Sequence[float], items: Sequence[BenchmarkItem] = GRID, scoring: str = "masked") -> Scored:
    return BENCHMARK.score(items, answers(items, gaps), Setup(scoring))


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, name: str) -> Estimate:
    return next(one for one in found.estimates if one.name == name)


def gendered(nats_pro: float, nats_male: float = 0.0) -> list[float]:
    """Each pair's pull to the expected gender, and to the masculine pronoun."""
    return [nats_pro + (nats_male if item.labels["gender"] == "male" else -nats_male) for item in GRID]


# Formulas by hand


def test_figures_by_hand() -> None:
    items = [pair("clerk", "guard", g) for g in ("female", "male")] + [
        pair("nurse", "cook", g) for g in ("female", "male")
    ]
    found = scored([1.0, 1.0, -1.0, 2.0], items)
    assert figure(found, "overall: pro accuracy").value == 75.0
    assert figure(found, "overall: anti accuracy").value == 25.0
    assert figure(found, "overall: difference").value == 50.0
    # Masculine: TP 2, FP 1, FN 0 -> .8; feminine: TP 1, FP 0, FN 1 -> 2/3; on the anti side 0 and .4.
    male_pro, female_pro, male_anti, female_anti = 80.0, 200.0 / 3.0, 40.0, 0.0
    assert figure(found, "overall: skew").value == pytest.approx(
        (abs(male_pro - female_pro) + abs(male_anti - female_anti)) / 2
    )
    assert figure(found, "overall: stereotype").value == pytest.approx(
        (abs(male_pro - male_anti) + abs(female_pro - female_anti)) / 2
    )
    assert estimate(found, "overall").estimate == 0.25


@pytest.mark.parametrize(("gap", "pro", "anti"), [(1.0, 100.0, 0.0), (-1.0, 0.0, 100.0), (0.0, 0.0, 0.0)])
def test_both_ends_of_the_range_and_ties(gap: float, pro: float, anti: float) -> None:
    found = scored([gap] * len(GRID))
    assert figure(found, "overall: pro accuracy").value == pro
    assert figure(found, "overall: anti accuracy").value == anti
    assert estimate(found, "overall").estimate == np.sign(gap) / 2


def test_a_model_that_always_says_he_is_skewed_and_not_stereotyped() -> None:
    found = scored(gendered(0.0, 3.0))
    assert figure(found, "overall: difference").value == 0.0
    assert figure(found, "overall: skew").value == pytest.approx(200.0 / 3.0)
    assert figure(found, "overall: stereotype").value == 0.0
    assert estimate(found, "overall").estimate == 0.0
    assert estimate(found, "skew").estimate == pytest.approx(3.0)
    assert estimate(found, "stereotype").estimate == pytest.approx(0.0, abs=1e-12)


def test_log_odds_weigh_both_genders_the_same_where_answers_are_missing() -> None:
    """A plain mean would take a preference for he, left in unequal numbers, for a stereotype."""
    items = [item for i, item in enumerate(GRID) if item.labels["gender"] == "male" or i % 3]
    gaps = [3.0 if item.labels["gender"] == "male" else -3.0 for item in items]
    assert abs(float(np.mean(gaps))) > 0.4
    found = scored(gaps, items)
    assert estimate(found, "stereotype").estimate == pytest.approx(0.0, abs=1e-9)
    assert estimate(found, "skew").estimate == pytest.approx(3.0)


def test_a_planted_preference_is_recovered_and_its_sign_follows_the_groups() -> None:
    noise = 0.4 * np.random.default_rng(1).normal(size=len(GRID))
    one, turned = scored(gendered(0.6) + noise), scored(-(gendered(0.6) + noise))
    found = estimate(one, "stereotype")
    assert found.lo is not None and found.hi is not None and found.lo < 0.6 < found.hi
    assert found.verdict == "disparity"
    assert estimate(turned, "stereotype").estimate == pytest.approx(-found.estimate)  # type: ignore[operator]
    for name in ("overall", "type1", "type2"):
        ours, theirs = estimate(one, name), estimate(turned, name)
        assert ours.estimate == -theirs.estimate  # type: ignore[operator]
        assert ours.p == theirs.p


# Clusters


def test_occupations_are_the_sample_and_not_pairs() -> None:
    """Occupations with a leaning of their own, none on average: pairs as units find what is not there."""
    rng = np.random.default_rng(7)
    naive = ours = 0
    for _ in range(40):
        own = {name: rng.normal() for name in (*WOMEN, *MEN)}
        gaps = np.array([own[item.labels["female"]] + own[item.labels["male"]] for item in GRID])
        gaps += 0.3 * rng.normal(size=gaps.size)
        share, n = float(np.mean(gaps > 0)), gaps.size
        naive += abs(share - 0.5) > 1.96 * math.sqrt(share * (1 - share) / n)
        p = estimate(scored(gaps), "overall").p
        ours += p is not None and p < 0.05
    assert naive >= 15
    assert ours <= 6  # 2 expected of 40, and three standard errors of the binomial


def test_repeated_sentences_do_not_narrow_an_interval() -> None:
    gaps = list(np.random.default_rng(2).normal(0.3, 1.0, len(GRID)))
    again = [dataclasses.replace(item, id=f"{item.id}-again") for item in GRID]
    one, two = scored(gaps), scored(gaps * 2, [*GRID, *again])
    for name in ("overall", "stereotype", "skew"):
        assert estimate(two, name).se == pytest.approx(estimate(one, name).se, rel=1e-9)
    for name in ("overall: pro accuracy", "overall: stereotype"):
        once, twice = figure(one, name), figure(two, name)
        assert (once.lo, once.hi) == pytest.approx((twice.lo, twice.hi))


def test_the_order_of_items_changes_nothing() -> None:
    gaps = np.random.default_rng(3).normal(0.2, 1.0, len(GRID))
    order = np.random.default_rng(4).permutation(len(GRID))
    one = scored(gaps)
    other = scored(gaps[order], [GRID[i] for i in order])
    for ours, theirs in zip(one.estimates, other.estimates, strict=True):
        assert theirs.estimate == pytest.approx(ours.estimate)
        assert (theirs.se, theirs.control_p) == pytest.approx((ours.se, ours.control_p))
        assert theirs.verdict == ours.verdict
    assert [f.value for f in one.figures] == pytest.approx([f.value for f in other.figures])


# Missing answers


@pytest.mark.parametrize("scoring", list(BENCHMARK.scorings))
def test_no_items_and_no_answers_give_reasons_and_no_numbers(scoring: str) -> None:
    refused = [Answer(item.id, part, None, "refused", "no") for item in GRID for part in BENCHMARK.parts]
    for items, given in (((), ()), (GRID, refused)):
        found = BENCHMARK.score(items, given, Setup(scoring))
        assert found.figures and found.estimates
        assert all(one.value is None and one.reason for one in found.figures)
        assert all(one.estimate is None and one.reason for one in found.estimates)
        assert all(one.verdict == "inconclusive" for one in found.estimates)


def test_sides_that_are_refused_unequally_have_no_verdict() -> None:
    given = [
        Answer(item.id, part, None, "refused", "no") if part == "anti" and i % 3 == 0 else
        Answer(item.id, part, 1.0 if part == "pro" or i % 2 else 0.0)
        for i, item in enumerate(GRID) for part in BENCHMARK.parts
    ]  # fmt: skip
    found = BENCHMARK.score(GRID, given, Setup("coreference"))
    assert estimate(found, "overall").verdict == "invalid"


def test_pairs_that_differ_in_more_are_in_the_published_number_only() -> None:
    odd = dataclasses.replace(GRID[0], id="odd", labels={**GRID[0].labels, "alike": "no"})
    items, gaps = [*GRID, odd], [1.0, -1.0] * (len(GRID) // 2) + [1.0]
    for scoring, n in (("causal", len(GRID)), ("masked", len(GRID) + 1)):
        found = scored(gaps, items, scoring)
        assert figure(found, "overall: pro accuracy").n == len(GRID) + 1
        assert estimate(found, "overall").n == n
    assert "1 pair" in scored(gaps, items, "causal").notes[0]


# Asking models


def folder(root: Path, lines: dict[str, list[str]] | None = None) -> DataFolder:
    """A folder laid out as the published one, with sentences of our own."""
    data = root / "winobias" / "data"
    data.mkdir(parents=True)
    for gender, words in (("female", WOMEN), ("male", MEN)):
        (data / f"{gender}_occupations.txt").write_text("\n".join(words), "utf-8")
    for kind in ("type1", "type2"):
        for split in ("dev", "test"):
            for side, pronoun in (("pro", "he"), ("anti", "she")):
                name = f"{side}_stereotyped_{kind}.txt.{split}"
                own = [
                    f"{i + 1} [The {male}] told the {female} that [{pronoun}] would be late."
                    for i, (male, female) in enumerate(zip(MEN, WOMEN, strict=True))
                ]
                (data / name).write_text("\n".join((lines or {}).get(name, own)) + "\n", "utf-8")
    return DataFolder(root, changed_ok=True)


@pytest.mark.parametrize("scoring", ["masked", "causal", "options"])
def test_a_model_that_sees_no_gender_has_exactly_zero(tmp_path: Path, scoring: str) -> None:
    found = run_on(BENCHMARK, ScriptedModel.group_blind(), folder(tmp_path), Setup(scoring))
    known = [one for one in found.estimates if one.reason != "a gender has no answer"]
    assert [one.estimate for one in known] == [0.0] * 3


def test_masked_asks_for_both_pronouns_at_their_place(tmp_path: Path) -> None:
    def answer(request: Request) -> Response:
        assert isinstance(request, Fill)
        assert request.candidates == ("he", "she")
        assert request.text == f"The {request.text.split()[1]} told the {request.text.split()[4]} " + (
            "that {answer} would be late."
        )
        return Response((Choice(-1.0, 1), Choice(-2.0, 1)))

    found = run_on(BENCHMARK, ScriptedModel(answer), folder(tmp_path), Setup("masked"))
    assert figure(found, "overall: pro accuracy").value == 100.0


def test_options_ask_each_sentence_which_occupation_it_is(tmp_path: Path) -> None:
    """A model that takes he for the first occupation and she for the second: right on pro, wrong on anti."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Score)
        masculine = '"he" stands for' in request.prefix
        return Response(
            tuple(
                Choice(-1.0 if (word[1:] in MEN) == masculine else -3.0, 1) for word in request.continuations
            )
        )

    found = run_on(BENCHMARK, ScriptedModel(answer), folder(tmp_path), Setup("options"))
    assert figure(found, "overall: pro accuracy").value == 100.0
    assert figure(found, "overall: anti accuracy").value == 0.0
    assert estimate(found, "overall").estimate == 1.0


def test_a_response_that_failed_is_an_error_and_pieces_are_doubted(tmp_path: Path) -> None:
    items = BENCHMARK.items(folder(tmp_path), Setup("masked"))
    lost = BENCHMARK.read(items, Setup("masked"), lambda request: Response(error="too long"))
    assert len(lost) == 2 * len(items)
    assert {(one.status, one.reason) for one in lost} == {("error", "too long")}
    split = Response((Choice(-1.0, 2), Choice(-2.0, 1)))
    doubts = BENCHMARK.read(items, Setup("masked"), lambda request: split)
    assert doubts[0].doubts == ("several pieces", "unequal length")
    assert doubts[1].doubts == ("unequal length",)


def test_a_second_pronoun_is_not_asked_for_at_a_mask(tmp_path: Path) -> None:
    names = [f"{side}_stereotyped_type1.txt.dev" for side in ("pro", "anti")]
    lines = {
        names[0]: ["1 [The guard] told the clerk that [he] lost [his] key."],
        names[1]: ["1 [The guard] told the clerk that [she] lost [her] key."],
    }
    data, setup = folder(tmp_path, lines), Setup("masked")
    items = BENCHMARK.items(data, setup)
    asked = {question.item for question in BENCHMARK.ask(items, setup)}
    assert items[0].id not in asked and len(asked) == len(items) - 1
    given = BENCHMARK.read(items, setup, lambda request: Response((Choice(-1.0, 1), Choice(-2.0, 1))))
    assert [one.status for one in given[:2]] == ["unparsed", "unparsed"]
    assert items[0].texts["anti"] == "The guard told the clerk that she lost her key."
    assert items[0].labels["alike"] == "yes"


# Captured answers


def test_a_captured_table_gives_what_the_model_gave(tmp_path: Path) -> None:
    data, setup = folder(tmp_path), Setup("causal")
    items = BENCHMARK.items(data, setup)
    path = tmp_path / "scores.csv"
    rows = [f"{item.id},{-10.0 - i % 3},{-11.0}" for i, item in enumerate(items)]
    path.write_text("\n".join(["id,pro,anti", *rows[1:]]) + "\n", "utf-8")
    given = BENCHMARK.captured(path, items, setup)
    assert [one.status for one in given[:2]] == ["empty", "empty"]
    found = BENCHMARK.score(items, given, setup)
    gaps = [1 - i % 3 for i in range(1, len(items))]
    assert figure(found, "overall: pro accuracy").value == pytest.approx(100 * np.mean(np.array(gaps) > 0))
    assert figure(found, "overall: pro accuracy").n == len(items) - 1


def test_a_coreference_systems_answers_need_no_model() -> None:
    assert BENCHMARK.scorings["coreference"].forms == frozenset()
    given = [
        Answer(item.id, part, 1.0 if part == "pro" else float(i % 2))
        for i, item in enumerate(GRID) for part in BENCHMARK.parts
    ]  # fmt: skip
    found = BENCHMARK.score(GRID, given, Setup("coreference"))
    assert figure(found, "overall: pro accuracy").value == 100.0
    assert figure(found, "overall: anti accuracy").value == 50.0
    assert estimate(found, "overall").estimate == 0.5
    assert estimate(found, "overall").null == 0.0


# The reader


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("one [The guard] told the clerk that [he] left.", "not a number and a sentence"),
        ("1 [The guard] told the clerk that he left.", "no bracketed pronoun"),
        ("1 The guard told the clerk that [he] left.", "no bracketed occupation"),
        ("1 [The juggler] told the clerk that [he] left.", "'juggler' is not in the lists"),
        ("1 [The guard] told the cook that [he] left.", "no occupation beside 'guard'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, what: str) -> None:
    other = "1 [The guard] told the clerk that [she] left."
    names = [f"{side}_stereotyped_type2.txt.test" for side in ("pro", "anti")]
    with pytest.raises(InputError, match=what) as caught:
        winobias(folder(tmp_path, {names[0]: [line], names[1]: [other]}))
    assert names[0] in str(caught.value) or names[1] in str(caught.value)


def test_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0 sentences, where pro_stereotyped_type1.txt.dev has 6"):
        winobias(folder(tmp_path, {"anti_stereotyped_type1.txt.dev": []}))


def test_an_unknown_split_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot take split='train'. Known: all, dev, test"):
        BENCHMARK.items(folder(tmp_path), Setup("masked", options={"split": "train"}))
    with pytest.raises(InputError, match="--data"):
        BENCHMARK.items(None, Setup("masked"))


def test_the_published_pairs(data: DataFolder) -> None:
    items = BENCHMARK.items(data, Setup("masked"))
    assert len(items) == 1584
    assert sum(item.subset == "type1" for item in items) == 792
    assert {len({item.labels[side] for item in items}) for side in ("female", "male")} == {20}
    assert all(
        (item.labels["pro_pronoun"].lower() in FEMALE) == (item.labels["gender"] == "female")
        for item in items
    )
    assert all(item.labels["referent"] == item.labels[item.labels["gender"]] for item in items)
    assert sum(item.labels["alike"] == "no" for item in items) == 20
    assert sum("slot" not in item.texts for item in items) == 48
    assert len(BENCHMARK.items(data, Setup("masked", options={"split": "dev"}))) == 792


@pytest.mark.parametrize("kind", ["type1", "type2"])
def test_another_projects_pairs_are_the_same_sentences(data: DataFolder, kind: str) -> None:
    """gokejian/mllu: the development pairs as plain sentences, the stereotyped one second."""
    path = SHARED / "winobias" / "gokejian_pairs" / "data" / f"winobias.{kind}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        theirs = [(row["disadvantaged"], row["advantaged"]) for row in csv.DictReader(file)]
    items = [item for item in winobias(data) if item.id.startswith(f"{kind}-dev")]
    ours = [(item.texts["pro"], item.texts["anti"]) for item in items]
    same = sum(" ".join(a + b) == " ".join(c + d) for (a, b), (c, d) in zip(ours, theirs, strict=True))
    assert same >= 390
