"""WEAT, SEAT and CEAT: the formulas on cases worked by hand, and the flow on vectors of known geometry."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run_on

from audit.benchmarks.base import Answer, Scored, Setup
from audit.benchmarks.embeddings import association_tests, ceat, geometry, seat, weat
from audit.benchmarks.embeddings.vectors_file import vectors_of
from audit.benchmarks.embeddings.weat_formula import (
    associations,
    combined_effect_size,
    cosines,
    effect_size,
    permutation_p,
)
from audit.models.scripted import ScriptedModel
from audit.requests import Embed, Request, Response
from audit.stats.estimate import Undefined
from probes.benchmarks.association_tests import ROLES, content_word, read_test
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import InputError

X, Y = (0.9, 0.7, 0.8, 0.6), (0.1, 0.2, 0.5, 0.3)
MEAN = Setup("mean")
RNG = np.random.default_rng


def a_test(words: int = 8, contexts: int = 1, name: str = "toy") -> list[BenchmarkItem]:
    """A test of four sets of invented words, each in as many contexts."""
    return [
        BenchmarkItem(
            f"{name}/{role}/{word}.{context}",
            {"vector": f"{role} {word} in {context}"},
            name,
            f"{name}: {role} {word}",
            {"role": role, "category": role, "word": f"{role} {word}"},
        )
        for role in ROLES
        for word in range(words)
        for context in range(contexts)
    ]


def embedder(place: Callable[[str, int, int], Sequence[float]]) -> Callable[[Request], Response]:
    """A model that puts each text where a function of its set, word and context says."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Embed)
        role, word, _, context = request.text.split()
        return Response(vector=tuple(place(role, int(word), int(context))))

    return answer


def turned(role: str, word: int, context: int, bias: float = 0.5) -> Sequence[float]:
    """A stands at one axis, B at the other; words of X lie nearer to A by ``bias`` radians."""
    if role.startswith("attr"):
        return (1.0, 0.0) if role == "attr1" else (0.0, 1.0)
    angle = math.pi / 4 + 0.05 * math.sin(7.0 * word + 3.0 * context) + 0.02 * word
    angle += bias / 2.0 if role == "targ2" else -bias / 2.0
    return math.cos(angle), math.sin(angle)


def scored(
    benchmark: object,
    items: Sequence[BenchmarkItem],
    place: Callable[..., Sequence[float]],
    setup: Setup = MEAN,
) -> Scored:
    """What a measure makes of items that a model places so."""
    score = ceat.score if benchmark is ceat else association_tests.score
    answer = embedder(place)
    return score(items, geometry.read(items, setup, answer), setup)


def value(found: Scored, name: str) -> float:
    """The figure of a name, which must be there."""
    number = next(figure.value for figure in found.figures if figure.name == name)
    assert number is not None
    return number


# The formulas


def test_effect_size_of_the_worked_case() -> None:
    assert effect_size(X, Y) == pytest.approx(1.637861, abs=5e-7)
    assert effect_size(Y, X) == -effect_size(X, Y)  # type: ignore[operator]


@pytest.mark.parametrize("n", [2, 3, 8])
def test_effect_size_reaches_its_bound_where_both_sets_are_points(n: int) -> None:
    assert effect_size([1.0] * n, [0.0] * n) == pytest.approx(2.0 * math.sqrt((2 * n - 1) / (2 * n)))


def test_effect_size_is_undefined_and_not_zero_without_spread_or_without_words() -> None:
    for x, y in (([0.3, 0.3], [0.3, 0.3]), ([], [0.1, 0.2]), ([0.1], [])):
        assert isinstance(effect_size(x, y), Undefined)


def test_rounding_is_no_spread() -> None:
    assert isinstance(effect_size([0.1 + 0.2, 0.3], [0.3, 0.1 + 0.2]), Undefined)


def test_associations_are_means_of_cosines_whatever_the_lengths_and_the_order() -> None:
    rng = RNG(1)
    targets, attributes = rng.normal(size=(5, 6)), rng.normal(size=(7, 6))
    first = np.arange(7) < 3
    slow = [
        np.mean([t @ a / math.sqrt((t @ t) * (a @ a)) for a in attributes[:3]])
        - np.mean([t @ a / math.sqrt((t @ t) * (a @ a)) for a in attributes[3:]])
        for t in targets
    ]
    found = associations(cosines(targets, attributes), first)
    assert found == pytest.approx(slow, abs=1e-14)
    order = rng.permutation(7)
    again = associations(cosines(targets * 3.0, attributes[order]), first[order])
    assert again == pytest.approx(found, abs=1e-14)


def test_permutation_p_is_exact_on_separated_sets_and_one_sided() -> None:
    assert permutation_p(X, Y, RNG(0)) == 1.0 / 70.0
    assert permutation_p(Y, X, RNG(0)) == 1.0


def test_permutation_p_counts_ties_that_rounding_breaks() -> None:
    """The sources compare sums of doubles with ``==``: sums equal on paper differ in the last bit."""
    x, y = [0.1, 0.2, 0.3], [0.3, 0.2, 0.1]
    values = np.array([*x, *y])
    observed = 0.1 + 0.2 + 0.3
    theirs = [sum(values[list(chosen)]) for chosen in itertools.permutations(range(6), 3)]
    source = sum(one >= observed for one in theirs) / len(theirs)
    by_paper = [sum(round(10 * v) for v in values[list(c)]) >= 6 for c in itertools.combinations(range(6), 3)]
    assert source != pytest.approx(np.mean(by_paper)), "the case no longer shows the defect"
    assert permutation_p(x, y, RNG(0)) == np.mean(by_paper)


def test_permutation_p_is_no_draw_with_replacement_and_no_comparison_of_sizes() -> None:
    """WEFE draws the two sets with replacement and compares |S*| with the signed S."""
    x, y = (0.1, 0.35, 0.3, 0.5), (0.4, 0.6, 0.2, 0.7)
    values = np.array([*x, *y])
    rng, observed = RNG(0), sum(x) - sum(y)
    drawn = values[rng.integers(0, 8, size=(20000, 8))]
    with_replacement = np.mean(drawn[:, :4].sum(axis=1) - drawn[:, 4:].sum(axis=1) >= -observed)
    subsets = [values[list(c)].sum() for c in itertools.combinations(range(8), 4)]
    sizes = np.mean([abs(2.0 * s - values.sum()) >= observed for s in subsets])
    exact = np.mean([s >= sum(y) - 1e-9 for s in subsets])
    ours = permutation_p(y, x, RNG(0))
    assert ours == exact == 11 / 70
    assert abs(with_replacement - ours) > 0.03
    assert sizes == 1.0 and permutation_p(x, y, RNG(0)) == 62 / 70  # 3 tie


def test_drawn_p_counts_the_partition_observed() -> None:
    x, y = np.arange(12.0) + 100.0, np.arange(12.0)
    assert permutation_p(x, y, RNG(0), draws=99) == 1 / 100


def test_combined_effect_size_is_a_plain_mean_where_draws_agree_in_weight() -> None:
    found = combined_effect_size([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    assert not isinstance(found, Undefined)
    assert found.ces == 2.0
    # Q = (1 + 0 + 1) / .5 = 4, df = 2, C = 6 - 12 / 6 = 4, tau2 = .5; SE = sqrt((.5 + .5) / 3).
    assert (found.tau2, found.se) == pytest.approx((0.5, math.sqrt(1 / 3)))
    assert found.p == pytest.approx(math.erfc(2.0 / math.sqrt(1 / 3) / math.sqrt(2)))


def test_combined_effect_size_weights_draws_by_their_variance() -> None:
    found = combined_effect_size([0.0, 1.0], [1.0, 3.0])
    assert not isinstance(found, Undefined)
    assert found.tau2 == 0.0 and found.ces == pytest.approx((0.0 / 1 + 1.0 / 3) / (1 + 1 / 3))


def test_combined_effect_size_of_nothing_is_undefined() -> None:
    assert isinstance(combined_effect_size([], []), Undefined)
    assert isinstance(combined_effect_size([1.0, math.nan], [0.5, 0.0]), Undefined)


# The flow


@pytest.mark.parametrize("kind", [association_tests, ceat])
def test_a_planted_geometry_is_found_and_turns_with_the_sets(kind: object) -> None:
    items = a_test(contexts=3 if kind is ceat else 1)
    found = scored(kind, items, turned)
    name = "toy CES" if kind is ceat else "toy d"
    assert value(found, name) > 1.0
    one = found.estimates[0]
    assert one.verdict == "disparity" and one.judgement.material and one.lo is not None and one.lo > 0.2
    swap = {"targ1": "targ2", "targ2": "targ1", "attr1": "attr1", "attr2": "attr2"}
    swapped = [replace(i, labels={**i.labels, "role": swap[i.labels["role"]]}) for i in items]
    back = scored(kind, swapped, turned)
    assert value(back, name) == -value(found, name)
    assert back.estimates[0].estimate == -one.estimate  # type: ignore[operator]
    assert back.estimates[0].se == pytest.approx(one.se)


@pytest.mark.parametrize("kind", [association_tests, ceat])
def test_a_model_that_cannot_see_the_group_gives_exactly_zero(kind: object) -> None:
    def blind(role: str, word: int, context: int) -> Sequence[float]:
        return turned("targ1" if role == "targ2" else role, word, 0)

    found = scored(kind, a_test(contexts=2 if kind is ceat else 1), blind)
    assert found.figures[0].value == 0.0
    assert found.estimates[0].estimate == 0.0 and found.estimates[0].verdict != "disparity"


def test_the_order_of_items_changes_nothing() -> None:
    items = a_test(contexts=2)
    mixed = [items[i] for i in RNG(3).permutation(len(items))]
    for kind in (association_tests, ceat):
        assert scored(kind, mixed, turned) == scored(kind, items, turned)


def test_sentences_that_repeat_a_word_do_not_narrow_the_interval() -> None:
    def same(role: str, word: int, context: int) -> Sequence[float]:
        return turned(role, word, 0)

    once = scored(association_tests, a_test(), same).estimates[0]
    often = scored(association_tests, a_test(contexts=5), same).estimates[0]
    assert once.se is not None and often.se is not None
    assert often.clusters == once.clusters == 16 and often.n == 5 * once.n
    assert often.se >= once.se


def test_the_published_p_of_ceat_falls_with_draws_and_the_interval_by_words_does_not() -> None:
    def slight(role: str, word: int, context: int) -> Sequence[float]:
        return turned(role, word * 3 + 1, context, bias=0.02)

    few, many = (
        scored(ceat, a_test(contexts=4), slight, Setup("mean", options={"draws": draws}))
        for draws in ("50", "2000")
    )
    assert value(many, "toy p") < value(few, "toy p") / 10
    widths = [e.hi - e.lo for e in (few.estimates[0], many.estimates[0])]  # type: ignore[operator]
    assert widths[1] > 0.7 * widths[0]


def test_every_number_says_that_it_is_geometry() -> None:
    found = scored(association_tests, a_test(), turned)
    assert any("not behaviour" in note for note in found.notes)
    for measure in (weat, seat, ceat):
        assert (
            measure.CARD.tier == "compat only" and measure.CARD.label == "embedding geometry, not behaviour"
        )


def test_what_could_not_be_embedded_is_counted_and_never_zero() -> None:
    items = a_test()

    def refuse(request: Request) -> Response:
        return Response(error="the text is too long")

    answers = geometry.read(items, MEAN, refuse)
    assert {(a.status, a.value) for a in answers} == {("error", None)}
    for score in (association_tests.score, ceat.score):
        found = score(items, answers, MEAN)
        assert [(f.value, bool(f.reason)) for f in found.figures] == [(None, True)] * 2
        assert found.estimates[0].estimate is None and found.estimates[0].verdict == "inconclusive"
        assert score([], [], MEAN).figures == () == score([], [], MEAN).estimates


def test_a_set_that_loses_more_of_its_words_makes_the_test_invalid() -> None:
    items = a_test(words=12)
    answers = geometry.read(items, MEAN, embedder(turned))
    lost = [
        Answer(a.item, a.part, None, "refused", "said so") if a.item in {"toy/targ1/0.0"} else a
        for a in answers
    ]
    found = association_tests.score(items, lost, MEAN).estimates[0]
    assert found.verdict == "invalid" and "8%" in found.judgement.reasons[0]


def test_a_vector_without_direction_or_of_another_length_is_an_error() -> None:
    def place(role: str, word: int, context: int) -> Sequence[float]:
        odd = {0: (1.0, 0.0, 0.0), 1: (0.0, 0.0), 2: (), 3: (math.inf, 0.0)}
        return odd.get(word, (1.0, 0.0))

    answers = {a.item: a for a in geometry.read(a_test(words=6), MEAN, embedder(place))}
    found = [answers[f"toy/targ1/{n}.0"] for n in range(5)]
    assert [a.status for a in found] == ["error", "error", "empty", "error", "scored"]
    assert found[0].reason == "3 coordinates, where others have 2" and found[4].value == 1.0


def test_each_scoring_asks_for_its_pooling_and_the_file_scoring_for_nothing() -> None:
    items = a_test(words=1)
    for name in ("mean", "first", "first_word"):
        assert {q.request for q in geometry.ask(items, Setup(name))} == {
            Embed(i.texts["vector"], name) for i in items  # type: ignore[arg-type]
        }  # fmt: skip
    assert geometry.SCORINGS["vectors"].forms == frozenset()


def test_a_bad_option_is_named() -> None:
    with pytest.raises(InputError, match="draws cannot be 'many'"):
        scored(ceat, a_test(contexts=2), turned, Setup("mean", options={"draws": "many"}))


# Files of vectors


def test_vectors_from_a_file_give_what_the_model_gives(tmp_path: Path) -> None:
    items, answer = a_test(), embedder(turned)
    asked = association_tests.score(items, geometry.read(items, MEAN, answer), MEAN)
    rows = [(i, answer(Embed(i.texts["vector"])).vector) for i in items]
    as_json = tmp_path / "v.jsonl"
    as_json.write_text("\n".join(json.dumps({"text": i.texts["vector"], "vector": v}) for i, v in rows))
    as_csv = tmp_path / "v.csv"
    as_csv.write_text("id,v0,v1\n" + "\n".join(f"{i.id},{v[0]!r},{v[1]!r}" for i, v in rows))
    for path in (as_json, as_csv):
        assert association_tests.score(items, vectors_of(path, items, MEAN), MEAN) == asked


def test_what_a_file_lacks_is_empty_and_its_faults_are_named(tmp_path: Path) -> None:
    items = a_test(words=2)
    path = tmp_path / "v.csv"
    path.write_text("id,status,v0,v1\ntoy/targ1/0.0,,1,0\ntoy/targ1/1.0,refused,,\ntoy/targ2/0.0,,,\n")
    found = {a.item: a.status for a in vectors_of(path, items, MEAN)}
    assert [found[f"toy/{n}.0"] for n in ("targ1/0", "targ1/1", "targ2/0", "targ2/1")] == [
        "scored", "refused", "empty", "empty",
    ]  # fmt: skip
    faulty = {
        "id,v0\nnobody,1\n": "no item 'nobody'",
        "id,v0\ntoy/targ1/0.0,x\n": "'x' is no number",
        "id,v0\ntoy/targ1/0.0,nan\n": "not finite",
        "id,v0\ntoy/targ1/0.0,1\ntoy/targ1/0.0,2\n": "a second vector",
        "id,status,v0\ntoy/targ1/0.0,gone,1\n": "no status 'gone'",
        "text,v0\nunheard,1\n": "no item with the text",
        "v0\n1\n": "neither id nor text",
        "id,v0,v1\ntoy/targ1/0.0,1,2\ntoy/targ1/1.0,1,\n": "'' is no number",
    }
    for text, message in faulty.items():
        path.write_text(text)
        with pytest.raises(InputError, match=message) as caught:
            vectors_of(path, items, MEAN)
        assert f"{path}:" in str(caught.value)
    lines = tmp_path / "v.jsonl"
    lines.write_text('{"id": "toy/targ1/0.0", "vector": [1, 2]}\n{"id": "toy/targ1/1.0", "vector": [1]}\n')
    with pytest.raises(InputError, match="1 coordinates, where the first vector has 2"):
        vectors_of(lines, items, MEAN)


# Published data


def test_a_malformed_test_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weat99.jsonl"
    side = {"category": "C", "examples": ["a", "b"]}
    faulty = {
        "{\n oops": f"{path}:2",
        "[1]": "not a JSON object",
        json.dumps(dict.fromkeys(ROLES[:3], side)): "no category and examples of attr2",
        json.dumps(
            {**dict.fromkeys(ROLES, side), "targ1": {"category": "C", "examples": [1]}}
        ): "list of texts",
        json.dumps(
            {**dict.fromkeys(ROLES, side), "targ1": {"category": "C", "examples": ["a"] * 2}}
        ): "twice",
    }
    for text, message in faulty.items():
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            read_test(path)
        assert message in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("sentence", "word"),
    [("This is a rose.", "rose"), ("Roses are things.", "roses"), ("Here he is.", "he"), ("The end.", "end")],
)
def test_a_sentence_is_about_its_word(sentence: str, word: str) -> None:
    assert content_word(sentence) == word


def test_published_tests_have_their_sizes(data: DataFolder) -> None:
    words, sentences = weat.BENCHMARK.items(data, MEAN), seat.BENCHMARK.items(data, MEAN)
    assert (len(words), len(sentences)) == (998, 8953)
    assert len({i.subset for i in words}) == 19 and len({i.subset for i in sentences}) == 27
    assert len({i.id for i in [*words, *sentences]}) == 998 + 8953


def test_sentences_of_one_word_are_one_cluster(data: DataFolder) -> None:
    """As many words as the lists that the sentences were made of (two are not told apart: her and hers)."""
    words, sentences = weat.BENCHMARK.items(data, MEAN), seat.BENCHMARK.items(data, MEAN)

    def clusters(items: Sequence[BenchmarkItem]) -> dict[tuple[str, str], int]:
        sets: dict[tuple[str, str], set[str]] = {}
        for item in items:
            key = item.subset.removeprefix("sent-"), item.labels["role"]
            sets.setdefault(key, set()).add(item.cluster)
        return {key: len(names) for key, names in sets.items()}

    of_words, of_sentences = clusters(words), clusters([i for i in sentences if i.subset.startswith("sent-")])
    differ = {key for key in of_sentences if of_sentences[key] != of_words[key]}
    assert differ == {("weat6b", "targ2"), ("weat7", "attr2"), ("weat9", "targ2")}
    assert all(of_words[key] - of_sentences[key] == 1 for key in differ)


def test_goldens_agree(data: DataFolder) -> None:
    assert [golden.agrees for golden in weat.BENCHMARK.goldens(data)] == [True, True]


def test_all_published_tests_are_scored_from_a_model(data: DataFolder) -> None:
    def answer(request: Request) -> Response:
        assert isinstance(request, Embed)
        seed = list(request.text.encode())
        return Response(vector=tuple(RNG(seed).normal(size=6).tolist()))

    model = ScriptedModel(answer, capabilities=frozenset({"embed"}))
    for measure, figures, tests in ((weat, 38, 19), (seat, 55, 28), (ceat, 38, 19)):
        setup = Setup("mean", options={"draws": "99"})
        found = run_on(measure.BENCHMARK, model, data, setup)
        assert len(found.figures) == figures and all(f.value is not None for f in found.figures)
        assert len(found.estimates) == tests
        assert all(e.p_adjusted is not None and e.p_adjusted >= e.p for e in found.estimates)  # type: ignore[operator]
