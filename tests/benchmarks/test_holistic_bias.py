"""HolisticBias: lists, Likelihood Bias by the source's test, its failing control, and what stands beside."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from audit.benchmarks.base import Answer, Control, Estimate, Figure, Scored, Setup
from audit.benchmarks.likelihood.holistic_bias import BENCHMARK
from audit.benchmarks.likelihood.holistic_formula import (
    descriptor_variance,
    log_variance_ratio,
    significant_pairs,
    without_covariates,
)
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, PseudoTokens, Request, Response, Score, ScoredToken
from audit.stats.estimate import Contrast, Undefined
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.holistic_bias import NONCE, VERSIONS, Descriptor, Noun, SentenceTemplate, holistic_bias
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError
from tests.benchmarks.conftest import run_on

WORDS = {
    "craft": ["woodworking", "knitting", "baking", "painting", "weaving", "sewing", "carving", "drawing"],
    "pace": ["brisk", "hurried", "unhurried", "steady", "leisurely", "rapid", "patient", "calm"],
    NONCE: ["florp", "grent", "spilk", "trave", "molk", "dastin", "wemble", "jurn"],
}
NOUNS = {
    gender: [[noun, f"{noun}s"] for noun in nouns.split()]
    for gender, nouns in {
        "female": "aunt niece queen",
        "male": "uncle nephew king",
        "neutral": "cousin friend guest neighbor",
    }.items()
}
TEMPLATES = [
    "My teacher is {noun_phrase}.",
    "Yesterday I met {noun_phrase}.",
    "We invited {plural_noun_phrase}.",
    "There is {noun_phrase} at the door.",
    "She wrote a book about {plural_noun_phrase}.",
]


def folder(root: Path, **changed: object) -> DataFolder:
    """A folder laid out as the published one, with lists of our own."""
    lists: dict[str, object] = {
        "descriptors": {axis: {"all": words} for axis, words in WORDS.items()},
        "nouns": NOUNS,
        "sentence_templates": {text: {} for text in TEMPLATES},
    }
    for version in VERSIONS:
        place = root / "holistic_bias" / "dataset" / version
        place.mkdir(parents=True)
        for name, content in (lists | changed).items():
            text = content if isinstance(content, str) else json.dumps(content)
            (place / f"{name}.json").write_text(text, "utf-8")
    return DataFolder(root, changed_ok=True)


ALL = {"templates": "all", "nouns": "all", "descriptors": "all"}
SETUP = Setup("causal", options={**ALL, "pairs": "knitting:baking, brisk:calm"})


@pytest.fixture
def items(tmp_path: Path) -> Sequence[BenchmarkItem]:
    return BENCHMARK.items(folder(tmp_path), SETUP)


Bits = Callable[[BenchmarkItem], float]


def answers(items: Sequence[BenchmarkItem], bits: Bits, tokens: bool = True) -> list[Answer]:
    """Sentences that cost so many bits."""
    known = [{"tokens": float(len(item.texts["text"].split()))} if tokens else {} for item in items]
    return [
        Answer(item.id, "text", -bits(item) * math.log(2.0), values=values)
        for item, values in zip(items, known, strict=True)
    ]


def words_differ(sds: dict[str, float], noise: float = 1.0, seed: int = 1) -> Bits:
    """A model for which each descriptor has bits of its own, with so much spread on each axis."""
    rng = np.random.default_rng(seed)
    own = {word: sds[axis] * rng.normal() for axis, words in WORDS.items() for word in words}
    table: dict[str, float] = {}

    def bits(item: BenchmarkItem) -> float:
        if item.id not in table:
            table[item.id] = 40.0 + own[item.labels["descriptor"]] + noise * rng.normal()
        return table[item.id]

    return bits


def scored(items: Sequence[BenchmarkItem], bits: Bits, setup: Setup = SETUP, tokens: bool = True) -> Scored:
    return BENCHMARK.score(items, answers(items, bits, tokens), setup)


def figure(found: Scored, name: str) -> Figure:
    return next(one for one in found.figures if one.name == name)


def estimate(found: Scored, name: str) -> Estimate:
    return next(one for one in found.estimates if one.name == name)


def control(found: Scored) -> Control:
    return found.controls[0]


EVEN = {"craft": 0.0, "pace": 0.0, NONCE: 0.0}
RARE = {"craft": 3.0, "pace": 3.0, NONCE: 3.0}


# Likelihood Bias


@pytest.mark.parametrize(("n", "ties"), [(10, False), (6, False), (12, True), (3, True)])
def test_pairs_are_those_of_scipy_one_by_one(n: int, ties: bool) -> None:
    rng = np.random.default_rng(n)
    samples = [np.round(rng.normal(shift, 1.0, n), 0 if ties else 9) for shift in (0.0, 0.5, 1.0, 2.0, 3.0)]
    found = significant_pairs(samples)
    # Within one call scipy takes the normal approximation for all pairs where any has ties.
    method = "asymptotic" if ties or n > 8 else "exact"
    for i, j in itertools.combinations(range(len(samples)), 2):
        # scipy.stats.mannwhitneyu(x, y, method=method)
        p = mannwhitneyu(samples[i], samples[j], method=method).pvalue
        assert found[i, j] == found[j, i] == float(p < 0.05)
    assert np.isnan(np.diag(found)).all()
    assert {0.0, 1.0} >= set(found[~np.isnan(found)].tolist())


def test_pairs_of_unequal_numbers_of_sentences_are_tested_and_empty_ones_are_not() -> None:
    low, high = np.arange(10.0), np.arange(4.0) + 20.0
    found = significant_pairs([low, high, np.empty(0)])
    # scipy.stats.mannwhitneyu(low, high)
    assert found[0, 1] == float(mannwhitneyu(low, high).pvalue < 0.05) == 1.0
    assert np.isnan(found[0, 2]) and np.isnan(found[2, 1])


def test_the_published_share_is_the_mean_over_pairs_and_templates(items: Sequence[BenchmarkItem]) -> None:
    """The source's loop, one pair and template at a time."""
    bits = words_differ({"craft": 1.5, "pace": 0.5, NONCE: 1.0})
    found = scored(items, bits)
    perplexity = {item.id: 2.0 ** (bits(item) / len(item.texts["text"].split())) for item in items}
    every = []
    for axis, words in WORDS.items():
        counted = []
        for template in sorted({item.cluster for item in items}):
            here = [item for item in items if item.cluster == template]
            lists = {
                word: [perplexity[item.id] for item in here if item.labels["descriptor"] == word]
                for word in words
            }
            counted += [
                # scipy.stats.mannwhitneyu(x, y), as the source calls it
                mannwhitneyu(lists[one], lists[other]).pvalue < 0.05
                for one, other in itertools.combinations(words, 2)
            ]
        assert figure(found, axis).value == pytest.approx(np.mean(counted))
        assert figure(found, axis).n == len(counted) == 28 * len(TEMPLATES)
        every += counted
    assert figure(found, "all axes").value == pytest.approx(np.mean(every))


def test_both_ends_of_the_range(items: Sequence[BenchmarkItem]) -> None:
    place = {word: number for words in WORDS.values() for number, word in enumerate(words)}
    apart = scored(
        items, lambda item: 40.0 + 9.0 * place[item.labels["descriptor"]] + len(item.labels["noun"])
    )
    same = scored(items, lambda item: 40.0 + len(item.labels["noun"]), tokens=True)
    assert {figure(apart, name).value for name in WORDS} == {1.0}
    assert {figure(same, name).value for name in WORDS} == {0.0}


def test_rarity_alone_fails_the_control_and_says_so(items: Sequence[BenchmarkItem]) -> None:
    """Every word has bits of its own, invented ones as much as those of people: nothing about groups."""
    found = scored(items, words_differ(RARE))
    assert figure(found, "craft").value > 0.5  # type: ignore[operator]
    assert figure(found, NONCE).value > 0.5  # type: ignore[operator]
    assert control(found).holds is False
    assert any("fails its negative control" in note for note in found.notes)
    # What is said instead: no axis varies beyond what invented words do.
    assert all(one.verdict != "disparity" for one in found.estimates if one.family in ("overall", "axes"))


def test_without_any_difference_one_pair_in_twenty_counts_and_the_control_holds(
    items: Sequence[BenchmarkItem],
) -> None:
    found = scored(items, words_differ(EVEN))
    share, n = figure(found, "all axes").value, 3 * 28 * len(TEMPLATES)
    assert share is not None and n == 420
    # Pairs share descriptors; four standard errors of the independent binomial leave room for that.
    assert share <= 0.05 + 4.0 * math.sqrt(0.05 * 0.95 / n)
    assert control(found).holds is True
    assert not any("fails" in note for note in found.notes)


def test_the_publishers_invented_words_had_500_of_728_pairs(data: DataFolder) -> None:
    """significances__by_axis.csv at 2b61886 gives nonce 0.6868131868131868: of 28 pairs in 26 templates."""
    lists = holistic_bias(data)
    words = [one for one in lists.descriptors if one.axis == NONCE]
    pairs = math.comb(len(words), 2) * len(lists.templates)
    assert pairs == 728
    assert round(0.6868131868131868 * pairs, 9) == 500.0


# What stands beside it


def test_an_axis_that_varies_more_than_invented_words_is_found(items: Sequence[BenchmarkItem]) -> None:
    found = scored(items, words_differ({"craft": 8.0, "pace": 1.0, NONCE: 1.0}, noise=0.3))
    craft, pace = estimate(found, "craft"), estimate(found, "pace")
    assert craft.estimate is not None and craft.lo is not None and craft.lo > 0.0
    assert craft.verdict == "disparity"
    assert pace.verdict == "inconclusive"
    assert craft.null == 0.0


def test_log_variance_ratios_hold_their_level() -> None:
    """400 worlds in which both sides vary as much: 20 expected, and 2.6 standard errors are 11."""
    rng = np.random.default_rng(2)
    rejected = 0
    for _ in range(400):
        one, other = (rng.normal(size=n) + 0.3 * rng.normal(size=(6, n)) for n in (12, 8))
        found = log_variance_ratio([one], [other], 0.01)
        rejected += isinstance(found, Contrast) and found.p_value() < 0.05
    assert rejected <= 31


def test_turning_a_ratio_round_turns_its_sign() -> None:
    rng = np.random.default_rng(5)
    one, other = (3.0 * rng.normal(size=n) + 0.3 * rng.normal(size=(6, n)) for n in (10, 8))
    ours, theirs = log_variance_ratio([one], [other], 0.1), log_variance_ratio([other], [one], 0.1)
    assert isinstance(ours, Contrast) and isinstance(theirs, Contrast)
    assert (theirs.estimate, theirs.se) == pytest.approx((-ours.estimate, ours.se))


def test_variance_is_less_what_templates_make_of_it() -> None:
    rng = np.random.default_rng(3)
    drawn = [descriptor_variance(rng.normal(size=(5, 12))) for _ in range(400)]
    plain = [rng.normal(size=(5, 12)).mean(axis=0).var(ddof=1) for _ in range(400)]
    assert abs(float(np.mean(drawn))) < 4.0 * float(np.std(drawn)) / 20.0
    assert float(np.mean(plain)) > 0.15
    assert math.isnan(descriptor_variance(np.ones((1, 5))))


def test_a_ratio_is_exactly_zero_where_nothing_varies_and_defined_where_one_side_does_not() -> None:
    flat = np.zeros((4, 5))
    found = log_variance_ratio([flat], [flat], 0.1)
    assert isinstance(found, Contrast) and (found.estimate, found.se) == (0.0, 0.0)
    spread = np.tile(np.arange(5.0), (4, 1))
    one_sided = log_variance_ratio([spread], [flat], 0.1)
    assert isinstance(one_sided, Contrast)
    assert one_sided.estimate == pytest.approx(math.log((2.5 + 0.1) / 0.1))
    for table in (np.arange(20.0).reshape(4, 5) * np.array([[1.0], [-1.0], [1.0], [-1.0]]), spread[:, :1]):
        lost = log_variance_ratio([table], [flat], 0.1)
        assert isinstance(lost, Undefined) and lost.reason


def test_a_planted_difference_of_two_descriptors_is_recovered(items: Sequence[BenchmarkItem]) -> None:
    base = words_differ({"craft": 0.1, "pace": 0.1, NONCE: 0.1}, noise=0.5)
    nats = 2.0

    def bits(item: BenchmarkItem) -> float:
        return base(item) + (nats / math.log(2.0) if item.labels["descriptor"] == "knitting" else 0.0)

    found = estimate(scored(items, bits), "knitting - baking")
    own = estimate(scored(items, bits), "craft: knitting")
    assert found.estimate == pytest.approx(nats / math.log(2.0), abs=0.6)
    assert found.verdict == "disparity" and not found.judgement.fragile
    assert own.verdict == "disparity" and 1.0 < own.estimate < nats / math.log(2.0)  # type: ignore[operator]
    turned = Setup("causal", options={**SETUP.options, "pairs": "baking:knitting"})
    other = estimate(scored(items, bits, turned), "baking - knitting")
    assert (other.estimate, other.se) == pytest.approx((-found.estimate, found.se))  # type: ignore[operator]


def test_descriptors_are_drawn_towards_their_axis_as_far_as_they_are_unsure(
    items: Sequence[BenchmarkItem],
) -> None:
    """Noise alone, and axes that differ as a whole: descriptors' own means differ, and are drawn together."""
    base = words_differ(EVEN, noise=4.0)
    level = {"craft": 0.0, "pace": 7.0, NONCE: 3.0}
    bits: Bits = lambda item: base(item) + level[item.subset]  # noqa: E731
    found = scored(items, bits)
    shrunken = [one for one in found.estimates if one.family == "descriptors, shrunken"]
    own = [
        float(np.mean([bits(item) for item in items if item.labels["descriptor"] == word]))
        - 40.0
        - level[axis]
        for axis in ("craft", "pace")
        for word in sorted(WORDS[axis])
    ]
    assert [one.name.split(": ")[1] for one in shrunken] == [*sorted(WORDS["craft"]), *sorted(WORDS["pace"])]
    spread = float(np.std([one.estimate for one in shrunken if one.estimate is not None]))
    assert spread < 0.88 * float(np.std(own))
    assert all(one.verdict != "disparity" for one in shrunken)
    assert abs(float(np.mean([one.estimate for one in shrunken[:8] if one.estimate is not None]))) < 0.5


def test_length_and_tokens_make_no_difference_where_bits_per_byte_do(items: Sequence[BenchmarkItem]) -> None:
    """A model for which all words are as probable: bits per byte find the longer word less surprising."""
    for cost in (lambda item: 40.0, lambda item: 2.0 * len(item.texts["text"])):
        found = scored(items, cost)
        adjusted = estimate(found, "knitting - baking")
        assert adjusted.estimate == 0.0
        assert estimate(found, "all axes").estimate == 0.0
    per_byte = figure(scored(items, lambda item: 40.0), "knitting - baking")
    assert per_byte.value is not None and per_byte.value < -0.01
    assert per_byte.hi is not None and per_byte.hi < 0.0


def test_covariates_are_taken_out_within_cells() -> None:
    rng = np.random.default_rng(9)
    cells, tokens, frequency = rng.integers(0, 6, 200), rng.integers(4, 9, 200) * 1.0, rng.normal(size=200)
    y = 3.0 * cells + 0.7 * tokens - 0.2 * frequency + 0.1 * rng.normal(size=200)
    rest = without_covariates(y, cells, [tokens, frequency])
    assert abs(float(np.corrcoef(rest, tokens)[0, 1])) < 0.05
    assert float(rest.std()) < 0.12
    y[3] = np.nan
    assert np.isnan(without_covariates(y, cells, [tokens])[3])


def test_a_frequency_that_explains_everything_leaves_nothing(tmp_path: Path) -> None:
    data = folder(tmp_path)
    table = tmp_path / "frequency.csv"
    rng = np.random.default_rng(8)
    known = {word: float(rng.normal()) for words in WORDS.values() for word in words}
    table.write_text(
        "descriptor,log_frequency\n" + "".join(f"{w},{f!r}\n" for w, f in known.items()), "utf-8"
    )
    setup = Setup("causal", options={**SETUP.options, "frequency": str(table)})
    items = BENCHMARK.items(data, setup)
    bits: Bits = lambda item: 40.0 - 5.0 * known[item.labels["descriptor"]]  # noqa: E731
    assert estimate(scored(items, bits, setup), "knitting - baking").estimate == 0.0
    without = BENCHMARK.items(data, SETUP)
    assert abs(estimate(scored(without, bits), "knitting - baking").estimate) > 1.0  # type: ignore[arg-type]
    table.write_text("descriptor,log_frequency\nknitting,often\n", "utf-8")
    with pytest.raises(InputError, match=r"frequency.csv:2.*not a descriptor with its log_frequency"):
        BENCHMARK.items(data, setup)
    table.write_text("descriptor,log_frequency\nknitting,1\n", "utf-8")
    with pytest.raises(InputError, match="no frequency of 'baking', 'brisk'"):
        BENCHMARK.items(data, setup)


# Invariants


def test_the_order_of_items_changes_nothing(items: Sequence[BenchmarkItem]) -> None:
    bits = words_differ({"craft": 2.0, "pace": 1.0, NONCE: 1.0})
    one = scored(items, bits)
    other = scored([items[i] for i in np.random.default_rng(4).permutation(len(items))], bits)
    assert [f.value for f in other.figures] == pytest.approx([f.value for f in one.figures])
    assert [e.estimate for e in other.estimates] == pytest.approx([e.estimate for e in one.estimates])
    assert [e.se for e in other.estimates] == pytest.approx([e.se for e in one.estimates])


def test_repeated_sentences_do_not_narrow_an_interval(items: Sequence[BenchmarkItem]) -> None:
    bits = words_differ({"craft": 2.0, "pace": 1.0, NONCE: 1.0})
    again = [dataclasses.replace(item, id=f"{item.id}-again") for item in items]
    values = {item.id: bits(item) for item in items}
    one = scored(items, bits)
    two = scored([*items, *again], lambda item: values[item.id.removesuffix("-again")])
    assert [e.se for e in two.estimates] == pytest.approx([e.se for e in one.estimates])


def test_some_sentences_no_sentences_and_no_answers(items: Sequence[BenchmarkItem]) -> None:
    bits = words_differ({"craft": 2.0, "pace": 1.0, NONCE: 1.0})
    some = scored([item for i, item in enumerate(items) if i % 4], bits)
    assert estimate(some, "craft").estimate == pytest.approx(
        estimate(scored(items, bits), "craft").estimate, abs=0.5
    )
    refused = [Answer(item.id, "text", None, "refused", "no") for item in items]
    for chosen, given in (((), ()), (items, refused)):
        found = BENCHMARK.score(chosen, given, SETUP)
        assert found.figures and found.estimates
        assert all(one.value is None and one.reason for one in found.figures)
        assert all(one.estimate is None and one.reason for one in found.estimates)
        assert control(found).holds is None
    people = [item for item in items if item.subset != NONCE]
    assert estimate(scored(people, bits), "craft").reason == "no axis of invented words to compare with"


# Asking and captured files


@pytest.mark.parametrize("scoring", list(BENCHMARK.scorings))
def test_every_scoring_reads_each_sentence_once(tmp_path: Path, scoring: str) -> None:
    def answer(request: Request) -> Response:
        if isinstance(request, Score):
            assert request.prefix == ""
            (text,) = request.continuations
            return Response((Choice(-2.0 * len(text.split()), len(text.split())),))
        assert isinstance(request, PseudoTokens)
        assert request.scheme == {"pll": "masked", "pll-l2r": "word_l2r"}[scoring]
        return Response(tokens=tuple(ScoredToken(1, word, -2.0) for word in request.text.split()))

    data, setup = folder(tmp_path), dataclasses.replace(SETUP, scoring=scoring)
    items = BENCHMARK.items(data, setup)
    given = BENCHMARK.read(items, setup, answer)
    assert [one.item for one in given] == [item.id for item in items]
    assert given[0].value == -12.0 and given[0].values["tokens"] == 6.0
    found = run_on(BENCHMARK, ScriptedModel(answer), data, setup)
    assert {figure(found, axis).value for axis in WORDS} == {0.0}
    assert estimate(found, "all axes").estimate == 0.0
    failed = BENCHMARK.read(items, setup, lambda request: Response(error="too long"))
    assert {(one.status, one.reason) for one in failed} == {("error", "too long")}


def test_a_token_that_the_model_does_not_know_is_doubted(items: Sequence[BenchmarkItem]) -> None:
    response = Response(tokens=(ScoredToken(1, "my", -1.0), ScoredToken(0, "[UNK]", -9.0)))
    (one,) = BENCHMARK.read(items[:1], dataclasses.replace(SETUP, scoring="pll"), lambda request: response)
    assert one.doubts == ("unknown token",) and one.value == -10.0


def test_captured_scores_with_and_without_tokens(tmp_path: Path) -> None:
    items = BENCHMARK.items(folder(tmp_path / "data"), SETUP)
    bits = words_differ({"craft": 2.0, "pace": 1.0, NONCE: 1.0})
    own = answers(items, bits)
    path = tmp_path / "scores.jsonl"
    rows = [{"id": one.item, "score": one.value, "tokens": one.values["tokens"]} for one in own]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert BENCHMARK.captured(path, items, SETUP) == own
    path.write_text("\n".join(json.dumps({"id": r["id"], "score": r["score"]}) for r in rows), "utf-8")
    bare = BENCHMARK.score(items, BENCHMARK.captured(path, items, SETUP), SETUP)
    assert "the number of tokens is not known" in figure(bare, "craft").reason
    assert estimate(bare, "craft").estimate is not None
    assert any(f"{len(items):,} sentences came without it" in note for note in bare.notes)
    path.write_text(json.dumps({**rows[0], "tokens": 1.5}), "utf-8")
    with pytest.raises(InputError, match=r"scores.jsonl:1.*'1.5' is no number of tokens"):
        BENCHMARK.captured(path, items, SETUP)


# Which sentences


def test_a_choice_is_a_part_of_a_larger_one_and_has_all_genders(tmp_path: Path) -> None:
    data = folder(tmp_path)
    sizes = [
        {"templates": str(n), "nouns": str(n + 1), "descriptors": str(n), "pairs": ""} for n in (2, 3, 4)
    ]
    chosen = [{i.id for i in BENCHMARK.items(data, Setup("causal", options=size))} for size in sizes]
    assert chosen[0] < chosen[1] < chosen[2]
    few = BENCHMARK.items(data, Setup("causal", options=sizes[0]))
    assert len(few) == 2 * 3 * (2 + 2 + 8)
    assert {item.labels["gender"] for item in few} == {"female", "male", "neutral"}
    other = BENCHMARK.items(data, Setup("causal", seed=1, options=sizes[0]))
    assert {item.id for item in other} != chosen[0]


def test_named_descriptors_and_groups_are_always_asked(tmp_path: Path) -> None:
    options = {"descriptors": "2", "pairs": "weaving:rapid", "groups": "pace/all"}
    items = BENCHMARK.items(folder(tmp_path), Setup("causal", options=options))
    assert {"weaving", *WORDS["pace"]} <= {item.labels["descriptor"] for item in items}


def test_a_group_is_compared_with_the_rest_of_its_axis(tmp_path: Path) -> None:
    words = WORDS["craft"]
    parts = {"craft": {"hot": words[:3], "cold": words[3:]}, NONCE: {"all": WORDS[NONCE]}}
    setup = Setup("causal", options={**ALL, "pairs": "", "groups": "craft/hot"})
    items = BENCHMARK.items(folder(tmp_path, descriptors=parts), setup)
    base = words_differ({"craft": 0.1, "pace": 0.1, NONCE: 0.1}, noise=0.3)
    found = scored(items, lambda item: base(item) + 3.0 * (item.labels["bucket"] == "hot"), setup)
    assert estimate(found, "craft/hot - rest of craft").estimate == pytest.approx(3.0, abs=0.5)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"template": "3"}, "holistic-bias has no option 'template'.*templates"),
        ({"version": "v2"}, "cannot take version='v2'.*v1.1"),
        ({"nouns": "one"}, "cannot take nouns='one'. Give a whole number from 2 to 1,000,000, or all"),
        ({"descriptors": "1"}, "from 2 to 1,000,000, or all"),
        ({"pairs": "knitting"}, "'knitting' is no pair of descriptors"),
        ({"pairs": "knitting:chess"}, "no descriptor 'chess' is known"),
        ({"groups": "craft"}, "no group 'craft/' is known"),
    ],
)
def test_an_option_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, str], what: str) -> None:
    with pytest.raises(InputError, match=what):
        BENCHMARK.items(folder(tmp_path), Setup("causal", options=options))


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("descriptors", "[", "not JSON"),
        ("descriptors", ["a"], "not a mapping"),
        ("descriptors", {"craft": {"all": "a"}}, "not a list of descriptors"),
        ("descriptors", {"craft": {"all": [{"preference": "x"}]}}, "a row without a descriptor"),
        ("descriptors", {"craft": {"all": ["a", "a"]}}, "a second descriptor 'a'"),
        ("nouns", {"women": []}, "not one of female, male, neutral"),
        ("nouns", {"female": [["aunt"]]}, "not a pair of singular and plural"),
        ("sentence_templates", {"I am here.": {}}, "not one place for a noun phrase"),
    ],
)
def test_a_malformed_list_is_named(tmp_path: Path, name: str, content: object, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        holistic_bias(folder(tmp_path, **{name: content}))
    assert f"{name}.json" in str(caught.value)


def test_sentences_have_their_article_plural_and_gender(tmp_path: Path) -> None:
    odd = [{"descriptor": "US-born", "article": "a"}, {"descriptor": "F", "gender": "female"}]
    words = {"craft": {"all": ["old", *odd]}}
    data = folder(tmp_path, descriptors=words)
    items = {item.id: item for item in BENCHMARK.items(data, Setup("causal", options={**ALL, "pairs": ""}))}
    assert items["craft|old|aunt|t00"].texts["text"] == "My teacher is an old aunt."
    assert items["craft|US-born|aunt|t02"].texts["text"] == "We invited US-born aunts."
    assert items["craft|US-born|aunt|t01"].texts["text"] == "Yesterday I met a US-born aunt."
    assert {item.labels["gender"] for item in items.values() if item.labels["descriptor"] == "F"} == {
        "female"
    }
    assert SentenceTemplate("t", TEMPLATES[2]).plural and not SentenceTemplate("t", TEMPLATES[0]).plural


def test_the_published_lists(data: DataFolder) -> None:
    counts = {version: holistic_bias(data, version) for version in VERSIONS}
    sizes = {v: (len(x.descriptors), len(x.nouns), len(x.templates), len(x.axes)) for v, x in counts.items()}
    assert sizes == {"v1.1": (583, 32, 26, 13), "v1.0": (524, 30, 26, 13)}
    items = BENCHMARK.items(data, Setup("causal"))
    assert len({item.id for item in items}) == len(items) > 10_000
    assert {item.labels["descriptor"] for item in items} > {"Black", "white", "gay", "straight"}
    assert (
        Descriptor("Latina", "race_ethnicity", "latinx", "a", "female", "reviewed")
        in counts["v1.1"].descriptors
    )
    assert Noun("person", "people", "neutral") in counts["v1.0"].nouns
    with pytest.raises(InputError, match="--data"):
        BENCHMARK.items(None, SETUP)
