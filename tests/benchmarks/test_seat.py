"""The average of absolute effect sizes that bias-bench reports, less what relabelling whole words gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from audit.benchmarks.base import Scored, Setup
from audit.benchmarks.embeddings import geometry, seat
from audit.benchmarks.embeddings.seat_average import GENDER_TESTS, NAME, SizedTargets
from audit.benchmarks.embeddings.weat_formula import effect_size
from audit.requests import Embed, Request, Response
from probes.benchmarks.association_tests import ROLES
from probes.benchmarks.items import BenchmarkItem

MEAN = Setup("mean", options={"draws": "99"})


def items(words: int = 8, contexts: int = 3, tests: Sequence[str] = GENDER_TESTS) -> list[BenchmarkItem]:
    """Six tests of invented words in so many sentences each."""
    return [
        BenchmarkItem(
            f"{test}/{role}/{word}.{context}",
            {"vector": f"{test} {role} {word} {context}"},
            test,
            f"{test}: {test} {role} {word}",
            {"role": role, "category": role, "word": f"{role} {word}"},
        )
        for test in tests
        for role in ROLES
        for word in range(words)
        for context in range(contexts)
    ]


def scored(place: Callable[[str, str, int], float], given: Sequence[BenchmarkItem]) -> Scored:
    """Targets at an angle by test, set and word, equal in all sentences; A and B at two axes."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Embed)
        test, role, word, _ = request.text.split()
        angle = {"attr1": 0.0, "attr2": math.pi / 2}.get(role)
        if angle is None:
            angle = math.pi / 4 - place(test, role, int(word))
        return Response(vector=(math.cos(angle), math.sin(angle)))

    return seat.BENCHMARK.score(given, geometry.read(given, MEAN, answer), MEAN)


def by_word(test: str, role: str, word: int) -> float:
    """Noise of words alone: no set is nearer to A than the other but by chance."""
    return 0.3 * float(np.random.default_rng(list(f"{test}{role}{word}".encode())).normal())


def biased(test: str, role: str, word: int) -> float:
    """Noise of words, and in half of the tests the first set nearer to A, in the others the second."""
    sign = 1.0 if GENDER_TESTS.index(test) % 2 else -1.0
    return 0.3 * by_word(test, role, word) + sign * (0.2 if role == "targ1" else -0.2)


def test_the_average_is_that_of_sizes_without_signs() -> None:
    found = scored(biased, items())
    figure = found.figures[0]
    effects = [f.value for f in found.figures[1:] if f.name.endswith(" d")]
    assert figure.name == NAME and len(effects) == 6
    assert figure.value == pytest.approx(np.mean(np.abs(effects)))  # type: ignore[arg-type]
    assert min(effects) < -1.0 and max(effects) > 1.0  # type: ignore[type-var, operator]
    one = found.estimates[0]
    assert (one.name, one.family, one.verdict) == (NAME, "overall", "disparity")
    assert figure.lo is not None and figure.hi is not None and figure.lo < figure.value < figure.hi


def test_an_encoder_without_bias_has_an_average_far_above_zero_and_no_excess() -> None:
    """The published average alone calls it biased: .4 by chance of eight words a set."""
    found = scored(by_word, items())
    assert found.figures[0].value is not None and found.figures[0].value > 0.25
    one = found.estimates[0]
    assert one.estimate is not None and abs(one.estimate) < 0.25 and one.verdict != "disparity"
    assert one.p is not None and one.p > 0.05


def test_words_are_relabelled_with_all_their_sentences() -> None:
    """Relabelled sentence by sentence, the chance level would fall with the number of sentences."""
    chances = []
    for contexts in (1, 10):
        found = scored(by_word, items(contexts=contexts))
        figure, one = found.figures[0], found.estimates[0]
        chances.append(figure.value - one.estimate)  # type: ignore[operator]
    assert chances[1] == pytest.approx(chances[0], rel=0.1)


def test_relabelled_effects_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    words = np.array(["a", "a", "b", "b", "c", "d"])
    own = SizedTargets(rng.normal(size=6), np.array([True] * 4 + [False] * 2), words)
    drawn = set(np.round(own.relabelled(rng, 500), 9).tolist())
    possible = set()
    for pair in (("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")):
        first = np.isin(words, pair)
        possible.add(round(effect_size(own.values[first], own.values[~first]), 9))  # type: ignore[arg-type]
    assert drawn == possible


def test_a_missing_test_or_equal_vectors_leave_no_average() -> None:
    few = scored(by_word, items(tests=GENDER_TESTS[:5]))
    assert few.figures[0].value is None and "sent-weat8b" in few.figures[0].reason
    assert few.estimates[0].estimate is None and few.estimates[0].verdict == "inconclusive"
    flat = scored(lambda test, role, word: 0.1, items())
    assert flat.figures[0].value is None and "equal" in flat.figures[0].reason
    nothing = seat.BENCHMARK.score([], [], MEAN)
    assert nothing.figures[0].value is None and nothing.figures[0].reason


def test_swapping_the_sets_changes_no_size() -> None:
    swap = {"targ1": "targ2", "targ2": "targ1", "attr1": "attr1", "attr2": "attr2"}
    swapped = [replace(i, labels={**i.labels, "role": swap[i.labels["role"]]}) for i in items()]
    one, back = scored(biased, items()), scored(biased, swapped)
    assert back.figures[0].value == one.figures[0].value
    assert back.figures[1].value == -one.figures[1].value  # type: ignore[operator]
