"""Winogender: our own schemata, published correlations and hard sentences, slopes with controls."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from audit.benchmarks.base import Answer, Estimate, Figure, Scored, Setup
from audit.benchmarks.likelihood.winogender import BENCHMARK
from audit.benchmarks.likelihood.winogender_formula import correlation, is_gotcha, rank_correlation
from audit.models import resolve
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Fill, Request, Response, Score
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.winogender import PRONOUNS, shares, winogender
from tests.benchmarks.conftest import SHARED, run_on

ITEMS = winogender()
SHARES = shares()


def logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def answers(
    value: Callable[[BenchmarkItem, str], float], items: Sequence[BenchmarkItem] = ITEMS
) -> list[Answer]:
    return [Answer(item.id, part, value(item, part)) for item in items for part in PRONOUNS]


def mirror(beta: float, noise: float = 0.0, seed: int = 1) -> Callable[[BenchmarkItem, str], float]:
    """A model whose log-odds of she follow those of the labour market, times beta."""
    rng = np.random.default_rng(seed)

    def value(item: BenchmarkItem, part: str) -> float:
        own = noise * rng.normal()
        if part != "she" or item.labels["arm"] == "nonce":
            return -3.0 + own
        return -3.0 + beta * logit(float(item.labels["share"])) + own

    return value


def scored(
    given: Sequence[Answer], scoring: str = "masked", items: Sequence[BenchmarkItem] = ITEMS
) -> Scored:
    return BENCHMARK.score(items, given, Setup(scoring))


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, family: str) -> Estimate:
    return next(one for one in found.estimates if one.family == family)


# The sentences


def test_schemata_are_enough_and_come_in_pairs() -> None:
    content = pack("winogender")
    schemata = content["schemata"]
    assert len(schemata) == 24 and len({row["text"] for row in schemata}) == 24
    by_people: dict[str, list[str]] = {}
    for row in schemata:
        assert row["text"].count("{occupation}") == row["text"].count("{pronoun}") == 1
        assert row["text"].startswith("The {occupation} ") and f"the {row['participant']}" in row["text"]
        assert row["case"] in content["pronouns"]
        by_people.setdefault(row["id"][:-2], []).append(row["refers"])
    assert set(map(tuple, by_people.values())) == {("occupation", "participant")}


def test_every_filler_leaves_a_sentence_without_slots_and_with_an_agreeing_verb() -> None:
    for item in ITEMS:
        for name in PRONOUNS:
            text = item.texts[name]
            assert "{" not in text and text.endswith(".")
            assert not re.search(r"\bthey (was|has|is|does|\w+s)\b", text), text
            assert item.texts["slot"].replace("{answer}", item.labels[name]) == text


def test_there_are_enough_terms_and_a_nonce_arm() -> None:
    by_arm = {
        arm: {i.labels["occupation"] for i in ITEMS if i.labels["arm"] == arm} for arm in ("real", "nonce")
    }
    assert len(by_arm["real"]) >= 50 and len(by_arm["nonce"]) >= 12
    assert by_arm["real"] == set(SHARES)


def test_shares_are_those_that_the_source_collected(data: DataFolder) -> None:
    path = SHARED / "occupations" / "winogender" / "occupations-stats.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        theirs = {
            row["occupation"]: float(row["bls_pct_female"]) for row in csv.DictReader(file, delimiter="\t")
        }
    both = theirs.keys() & SHARES.keys()
    assert len(both) >= 45
    assert all(100.0 * SHARES[name] == pytest.approx(theirs[name], abs=0.006) for name in both)


# Formulas


@pytest.mark.parametrize(
    ("pronoun", "refers", "share", "hard"),
    [
        ("she", "occupation", 0.49, True), ("she", "occupation", 0.5, False),
        ("she", "participant", 0.49, False), ("she", "participant", 0.5, True),
        ("he", "occupation", 0.49, False), ("he", "occupation", 0.5, True),
        ("he", "participant", 0.49, True), ("he", "participant", 0.5, False),
    ],
)  # fmt: skip
def test_hard_sentences_are_those_of_the_source(pronoun: str, refers: str, share: float, hard: bool) -> None:
    assert is_gotcha(pronoun, refers, share) is hard


def test_correlations_are_scipys() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        x, y = rng.integers(0, 6, 15).astype(float), rng.normal(size=15)
        # scipy.stats.pearsonr(x, y), scipy.stats.spearmanr(x, y)
        assert correlation(x, y) == pytest.approx(pearsonr(x, y).statistic, abs=1e-12)
        assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


# Which pronoun is expected


@pytest.mark.parametrize("beta", [-1.0, 0.5, 2.0])
def test_a_planted_mirror_of_the_labour_market_is_recovered(beta: float) -> None:
    found = scored(answers(mirror(beta, noise=0.3)))
    slope = estimate(found, "overall")
    assert slope.lo is not None and slope.hi is not None
    assert slope.lo < beta < slope.hi
    assert slope.hi - slope.lo < 0.2
    assert slope.verdict == "disparity"
    sign = math.copysign(1.0, beta)
    assert sign * figure(found, "rank correlation with the share of women").value > 0.95  # type: ignore[operator]


def test_without_noise_figures_are_those_of_the_occupations_by_hand() -> None:
    found = scored(answers(mirror(1.0)))
    x = np.array(list(SHARES.values()))
    theirs = pearsonr(x, np.log(x / (1.0 - x))).statistic
    assert figure(found, "correlation with the share of women").value == pytest.approx(theirs, abs=1e-9)
    assert figure(found, "rank correlation with the share of women").value == pytest.approx(1.0)
    assert estimate(found, "overall").estimate == pytest.approx(1.0)
    expected = float(np.mean(np.log(x / (1.0 - x))))
    assert figure(found, "log-odds of she over he").value == pytest.approx(expected)
    assert estimate(found, "lean").estimate == pytest.approx(expected)


def test_exchanging_the_pronouns_turns_the_sign_and_nothing_else() -> None:
    given = answers(mirror(0.4, noise=0.5))
    turned = [
        dataclasses.replace(one, part={"he": "she", "she": "he"}.get(one.part, one.part)) for one in given
    ]
    for ours, theirs in zip(scored(given).estimates, scored(turned).estimates, strict=True):
        assert theirs.estimate == pytest.approx(-ours.estimate)  # type: ignore[operator]
        assert theirs.se == pytest.approx(ours.se)


def test_occupations_are_the_sample_and_rows_are_not() -> None:
    """Occupations with leanings of their own, unrelated to their share: rows as units find a slope."""
    rng = np.random.default_rng(11)
    naive = ours = 0
    rows = [item for item in ITEMS if item.labels["arm"] == "real" and item.labels["refers"] == "occupation"]
    x = np.array([logit(float(item.labels["share"])) for item in rows])
    for _ in range(25):
        own = {name: rng.normal() for name in SHARES}
        y = np.array([own[item.labels["occupation"]] + 0.3 * rng.normal() for item in rows])
        naive += pearsonr(x, y).pvalue < 0.05
        values = {item.id: value for item, value in zip(rows, y.tolist(), strict=True)}
        given = answers(lambda item, part, v=values: v[item.id] if part == "she" else 0.0, rows)  # type: ignore[misc]
        p = estimate(scored(given, items=rows), "overall").p
        ours += p is not None and p < 0.05
    assert naive >= 10
    assert ours <= 4  # 1.25 expected, and 2.5 standard errors of the binomial


def test_repeated_answers_do_not_narrow_an_interval() -> None:
    again = [dataclasses.replace(item, id=f"{item.id}-again") for item in ITEMS]
    given = answers(mirror(0.4, noise=0.5))
    more = [dataclasses.replace(one, item=f"{one.item}-again") for one in given]
    for ours, theirs in zip(
        scored(given).estimates, scored([*given, *more], items=[*ITEMS, *again]).estimates, strict=True
    ):
        assert theirs.se == pytest.approx(ours.se, rel=1e-9)


@pytest.mark.parametrize("scoring", ["masked", "options"])
def test_the_order_of_items_changes_nothing(scoring: str) -> None:
    given = answers(mirror(0.3, noise=1.0))
    order = np.random.default_rng(4).permutation(len(ITEMS))
    one, other = scored(given, scoring), scored(given, scoring, [ITEMS[i] for i in order])
    assert [f.value for f in other.figures] == pytest.approx([f.value for f in one.figures])
    for ours, theirs in zip(one.estimates, other.estimates, strict=True):
        assert (theirs.estimate, theirs.se, theirs.control_p) == pytest.approx(
            (ours.estimate, ours.se, ours.control_p)
        )


# Negative control


def test_a_slope_among_invented_occupations_fails_the_control_and_makes_the_real_one_fragile() -> None:
    given = answers(mirror(0.5, noise=0.2))
    assert all(control.holds is not False for control in scored(given).controls)
    from audit.benchmarks.likelihood.winogender import _shares

    lots = dict(zip([item.id for item in ITEMS], _shares(ITEMS, 0).tolist(), strict=True))
    nonce = {item.id for item in ITEMS if item.labels["arm"] == "nonce"}
    planted = [
        dataclasses.replace(one, value=one.value + logit(lots[one.item]))  # type: ignore[operator]
        if one.item in nonce and one.part == "she" else one
        for one in given
    ]  # fmt: skip
    found = scored(planted)
    assert found.controls[0].holds is False
    assert "fails its negative control" in found.notes[0]
    assert estimate(found, "overall").judgement.fragile


# Whom a pronoun stands for


def expects(item: BenchmarkItem, part: str) -> float:
    """Resolves each pronoun to the occupation exactly where most of its workers have that gender."""
    if part == "they" or item.labels["arm"] == "nonce":
        return 1.0
    to_occupation = (float(item.labels["share"]) >= 0.5) == (part == "she")
    return 1.0 if to_occupation == (item.labels["refers"] == "occupation") else -1.0


def test_a_model_that_follows_the_labour_market_fails_exactly_the_hard_sentences() -> None:
    found = scored(answers(expects), "options")
    for pronoun in ("he", "she"):
        assert figure(found, f"{pronoun}: gotcha accuracy").value == 0.0
        assert figure(found, f"{pronoun}: not gotcha accuracy").value == 100.0
        assert figure(found, f"{pronoun}: accuracy").value == 50.0
    assert estimate(found, "overall").estimate == 1.0
    against = scored(answers(lambda item, part: -expects(item, part)), "options")
    assert estimate(against, "overall").estimate == -1.0
    assert figure(found, "correlation with the share of women").value > 0.7  # type: ignore[operator]


def test_a_coreference_systems_answers_need_no_model(tmp_path: Path) -> None:
    path = tmp_path / "system.csv"
    rows = [f"{item.id},{part},{int(expects(item, part) > 0)}" for item in ITEMS for part in PRONOUNS]
    path.write_text("\n".join(["id,part,score", *rows]) + "\n", "utf-8")
    setup = Setup("coreference")
    assert BENCHMARK.scorings["coreference"].forms == frozenset()
    found = BENCHMARK.score(ITEMS, BENCHMARK.captured(path, ITEMS, setup), setup)
    assert found.figures == scored(answers(expects), "options").figures


# Missing answers and models


@pytest.mark.parametrize("scoring", list(BENCHMARK.scorings))
def test_no_items_and_no_answers_give_reasons_and_no_numbers(scoring: str) -> None:
    refused = [Answer(item.id, part, None, "refused", "no") for item in ITEMS for part in PRONOUNS]
    for items, given in (((), ()), (ITEMS, refused)):
        found = scored(given, scoring, items)
        assert found.figures and found.estimates and found.controls
        assert all(one.value is None and one.reason for one in found.figures)
        assert all(one.estimate is None and one.reason for one in found.estimates)
        assert all(one.holds is None and one.detail for one in found.controls)


def test_some_items_are_enough() -> None:
    few = [item for i, item in enumerate(ITEMS) if i % 3]
    found = scored(answers(mirror(1.0, noise=0.1), few), items=few)
    assert estimate(found, "overall").estimate == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("scoring", ["masked", "causal", "options"])
def test_a_model_that_sees_no_gender_has_exactly_zero(scoring: str) -> None:
    found = run_on(BENCHMARK, ScriptedModel.group_blind(), None, Setup(scoring))
    assert {one.estimate for one in found.estimates} == {0.0}


def test_each_scoring_asks_what_it_says() -> None:
    item = next(
        one for one in ITEMS if one.labels["case"] == "possessive" and one.labels["refers"] == "participant"
    )
    asked = {
        scoring: [question.request for question in BENCHMARK.ask([item], Setup(scoring))]
        for scoring in BENCHMARK.scorings
    }
    assert asked["coreference"] == []
    assert asked["masked"] == [Fill(item.texts["slot"], ("his", "her", "their"))]
    assert asked["causal"] == [Score("", tuple(item.texts[name] for name in PRONOUNS))]
    first = asked["options"][0]
    assert isinstance(first, Score)
    assert first.prefix == f'{item.texts["he"]} Here "his" stands for the'
    assert first.continuations == (f" {item.labels['participant']}", f" {item.labels['occupation']}")


def test_a_failed_response_and_a_split_pronoun_are_told() -> None:
    def answer(request: Request) -> Response:
        assert isinstance(request, Fill)
        return Response((Choice(-1.0, 1), Choice(None, 0, "unknown"), Choice(-2.0, 2)))

    setup = Setup("masked")
    given = BENCHMARK.read(ITEMS[:1], setup, answer)
    assert [(one.part, one.status) for one in given] == [
        ("he", "scored"),
        ("she", "error"),
        ("they", "scored"),
    ]
    assert given[1].reason == "unknown"
    assert "several pieces" in given[2].doubts


def test_the_packaged_models_give_the_slope_that_they_were_trained_with() -> None:
    """The skewed edition learned pronouns by the share of women, the fair one did not."""
    few = [item for item in ITEMS if item.subset == "occupation" and item.labels["case"] == "subject"][::2]
    setup, found = Setup("masked"), {}
    for edition in ("fair", "skewed"):
        model = resolve(f"reference/bert-{edition}")
        requests = [question.request for question in BENCHMARK.ask(few, setup)]
        responses = dict(zip(requests, model.ask(requests), strict=True))
        given = BENCHMARK.read(few, setup, responses.__getitem__)
        found[edition] = estimate(BENCHMARK.score(few, given, setup), "overall")
    assert found["fair"].verdict == "no disparity within margin"
    assert found["skewed"].verdict == "disparity"
    assert found["skewed"].estimate > 0.4  # type: ignore[operator]
