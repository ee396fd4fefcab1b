"""What WEAT, SEAT and CEAT share: vectors of texts, and the tests that they make up.

The value of an answer is the length of its vector; the vector itself is in ``values``, its coordinates by
their number. A test is what its four sets have vectors for.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import get_args

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import (
    Answer,
    Answered,
    Estimate,
    Figure,
    Items,
    Question,
    Scored,
    Scoring,
    Setup,
    margin_for,
)
from audit.benchmarks.embeddings.weat_formula import cosines
from audit.benchmarks.judging import Judging, Named, generator, judge_contrasts
from audit.requests import Embed, Pooling, Request, Response
from audit.stats.estimate import Floats
from audit.stats.multiplicity import holm
from probes.benchmarks.association_tests import ROLES

UNIT = "d"
PART = "vector"
LABEL = "embedding geometry, not behaviour"
MARGIN = 0.2
MARGIN_SOURCE = "a fifth of a standard deviation of the associations; a convention of this project"
NOTE = (
    "embedding geometry, not behaviour: these numbers say how vectors lie, and no verdict on what a model "
    "does may rest on them; the attribute words are taken as given"
)

SCORINGS = {
    "mean": Scoring(
        "mean",
        frozenset({"embed"}),
        "the mean of the last layer over all tokens, special ones included (bias-bench)",
    ),
    "first": Scoring(
        "first", frozenset({"embed"}), "the last layer at the first token, [CLS] where there is one"
    ),
    "first_word": Scoring(
        "first_word",
        frozenset({"embed"}),
        "the last layer at the first token of the text itself: what sent-bias (May et al. 2019) took from "
        "BERT, to which it gave no [CLS]",
    ),
    "vectors": Scoring("vectors", frozenset(), "vectors from a file, whatever made them"),
}  # fmt: skip


class Vector(Mapping[str, float]):
    """The coordinates of a vector by their number, without a dictionary of them in memory.

    Examples
    --------
    >>> Vector(np.array([0.5, 2.0]))["1"], list(Vector(np.array([0.5, 2.0])))
    (2.0, ['0', '1'])
    """

    def __init__(self, array: Floats) -> None:
        self.array = array

    def __getitem__(self, key: str) -> float:
        try:
            return float(self.array[int(key)])
        except (ValueError, IndexError):
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return (str(number) for number in range(self.array.size))

    def __len__(self) -> int:
        return int(self.array.size)


@dataclass(frozen=True)
class Side:
    """The vectors of one of the four sets of a test, with the word of each.

    ``asked`` counts the texts of the set, with a vector or without.
    """

    vectors: Floats
    words: tuple[str, ...]
    asked: int

    @property
    def missing(self) -> float:
        """Share of the texts without a vector."""
        return 1.0 - len(self.words) / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Geometry:
    """One test: its sides by their role."""

    name: str
    sides: Mapping[str, Side]

    @property
    def lacking(self) -> str:
        """Why nothing can be computed; empty where every side has a vector."""
        lost = [role for role in ROLES if not self.sides[role].words]
        return f"no vector of {', '.join(lost)}" if lost else ""

    def cosines(self) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Cosines of targets with attributes; which targets are of X, and which attributes of A."""
        x, y, a, b = (self.sides[role].vectors for role in ROLES)
        table = cosines(np.concatenate([x, y]), np.concatenate([a, b]))
        return table, np.arange(len(x) + len(y)) < len(x), np.arange(len(a) + len(b)) < len(a)

    @property
    def target_words(self) -> list[str]:
        """The word of each target, those of X first."""
        return [*self.sides["targ1"].words, *self.sides["targ2"].words]

    @property
    def status_gap(self) -> float:
        """Difference of the two sets of targets in the share without a vector."""
        return abs(self.sides["targ1"].missing - self.sides["targ2"].missing)


def ask(items: Items, setup: Setup) -> Iterator[Question]:
    """Every text, once for each place that it stands at."""
    for item in items:
        yield Question(item.id, PART, Embed(item.texts[PART], pooling_of(setup)))


def pooling_of(setup: Setup) -> Pooling:
    """The way of pooling that a scoring is named after."""
    for pooling in get_args(Pooling):
        if setup.scoring == pooling:
            return pooling  # type: ignore[no-any-return]
    raise LookupError(f"the scoring {setup.scoring} asks nothing")


def read(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    """One vector an item, or why there is none."""
    known: dict[Request, Floats | Response] = {}
    answers = []
    for question in ask(items, setup):
        if question.request not in known:
            response = answered(question.request)
            known[question.request] = _array(response) if _usable(response) else response
        found = known[question.request]
        if isinstance(found, Response):
            answers.append(_without(question.item, found))
        else:
            answers.append(answer_of(question.item, found))
    return same_length(answers)


def answer_of(item: str, array: Floats) -> Answer:
    """An answer that holds a vector; one without a direction is an error."""
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(array))
    if not math.isfinite(length):
        return Answer(item, PART, None, "error", "the length of the vector is beyond double precision")
    if length == 0.0:
        return Answer(item, PART, None, "error", "a vector of length 0 has no direction")
    return Answer(item, PART, length, values=Vector(array))


def same_length(answers: Sequence[Answer]) -> list[Answer]:
    """The answers, those whose vector has fewer or more coordinates than most as errors."""
    lengths = Counter(len(answer.values) for answer in answers if answer.value is not None)
    usual = max(lengths, key=lambda length: (lengths[length], length), default=0)
    return [
        answer
        if answer.value is None or len(answer.values) == usual
        else Answer(
            answer.item, PART, None, "error", f"{len(answer.values)} coordinates, where others have {usual}"
        )
        for answer in answers
    ]


def geometries(items: Items, answers: Sequence[Answer]) -> list[Geometry]:
    """The tests in the order of their names, each with the vectors that were had.

    The order of the items changes nothing: texts are sorted within their set.
    """
    vectors = {answer.item: _vector(answer) for answer in answers if answer.value is not None}
    rows: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
    for item in items:
        test = rows.setdefault(item.subset, {role: [] for role in ROLES})
        test[item.labels["role"]].append((item.texts[PART], item.cluster, item.id))
    return [
        Geometry(name, {role: _side(sorted(sets[role]), vectors) for role in ROLES})
        for name, sets in sorted(rows.items(), key=lambda row: row[0])
    ]


def judged(found: Sequence[Named], setup: Setup) -> tuple[Estimate, ...]:
    """The tests' effect sizes as one family."""
    return judge_contrasts(found, judging_of(setup)) if found else ()


def judging_of(setup: Setup) -> Judging:
    """What the effect sizes are judged by."""
    margin = margin_for(setup, MARGIN, UNIT, UNIT)
    return Judging("tests", UNIT, margin, "word", alpha=setup.alpha, seed=setup.seed)


def judged_by_words(named: Named, targets: Targets, setup: Setup) -> Named:
    """An effect size with the p-value and the A/A control that relabelling whole words gives."""
    return replace(
        named,
        p=targets.relabelling_p(generator(setup.seed, "relabel", named.name)),
        control_p=targets.halves_p(generator(setup.seed, "a/a", named.name)),
    )


Of = Callable[[Geometry, Setup], tuple[tuple[Figure, ...], Named]]


def score_tests(items: Items, answers: Sequence[Answer], setup: Setup, of: Of) -> Scored:
    """The figures and the estimate of every test."""
    found = [of(test, setup) for test in geometries(items, answers)]
    figures = tuple(figure for own, _ in found for figure in own)
    return Scored(figures, judged([named for _, named in found], setup), notes=(NOTE,))


RELABELLINGS = 9999
"""Labellings of the target words that are drawn."""


@dataclass(frozen=True)
class Targets:
    """Associations of the targets of one test, which of them are of X, and the word of each."""

    values: Floats
    of_x: npt.NDArray[np.bool_]
    words: npt.NDArray[np.str_]

    def relabelling_p(self, rng: np.random.Generator) -> float | None:
        """Share of the ways to give whole words to X and Y that part them as far, either way.

        Exact where nothing tells the words of X from those of Y. An effect size cannot pass 2, so that its
        jackknife error shrinks as it grows: at .05 over 19 tests of 8 words a set, its t alone finds
        something in three of ten spaces of random vectors. None with fewer than 2 words of a set.
        """
        codes = np.unique(self.words, return_inverse=True)[1].reshape(-1)
        own = np.bincount(codes, self.of_x) > 0.0
        if min(np.count_nonzero(own), np.count_nonzero(~own)) < 2:
            return None
        sums, sizes = np.bincount(codes, self.values), np.bincount(codes).astype(np.float64)
        first = labellings(own, rng)
        gaps = np.abs((first @ sums) / (first @ sizes) - ((1.0 - first) @ sums) / ((1.0 - first) @ sizes))
        return float(np.count_nonzero(gaps >= gaps[0] - TIE)) / gaps.size

    def halves_p(self, rng: np.random.Generator) -> float | None:
        """A/A control: two random halves of the words of X, and of Y, parted; the smaller p after Holm."""
        found = []
        for side in (self.of_x, ~self.of_x):
            names = np.unique(self.words[side])
            half = rng.permutation(names)[: names.size // 2]
            words = self.words[side]
            found.append(Targets(self.values[side], np.isin(words, half), words).relabelling_p(rng))
        return min((p for p in holm(found).p if p is not None), default=None)


TIE = 1e-12
"""Differences of associations that are rounding."""
MOST_COUNTED = 20_000
"""Labellings that are counted one by one; 8 words against 8 have 12,870."""


def labellings(own: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Ways to label as many words, 1 or 0, shape (ways, words): `own` first, then drawn ones, or all others.

    Examples
    --------
    >>> labellings(np.array([True, False]), np.random.default_rng(0))
    array([[1., 0.],
           [0., 1.]])
    """
    n, k = own.size, int(np.count_nonzero(own))
    if math.comb(n, k) <= MOST_COUNTED:
        every = _every_labelling(n, k)
        others = every[(every != own).any(axis=1)]
    else:
        others = rng.permuted(np.tile(own, (RELABELLINGS, 1)), axis=1)
    return np.concatenate([own[None], others]).astype(np.float64)


@lru_cache(maxsize=8)
def _every_labelling(n: int, k: int) -> npt.NDArray[np.bool_]:
    chosen = np.array(list(itertools.combinations(range(n), k)), dtype=np.intp).reshape(-1, k)
    found = np.zeros((len(chosen), n), dtype=np.bool_)
    np.put_along_axis(found, chosen, True, axis=1)
    return found


def _usable(response: Response) -> bool:
    return bool(response.vector) and not response.error and all(map(math.isfinite, response.vector))


def _array(response: Response) -> Floats:
    return np.array(response.vector, dtype=np.float64)


def _without(item: str, response: Response) -> Answer:
    if response.error:
        return Answer(item, PART, None, "error", response.error)
    if not response.vector:
        return Answer(item, PART, None, "empty", "the model gave no vector")
    return Answer(item, PART, None, "error", "a coordinate is not finite")


def _vector(answer: Answer) -> Floats:
    if isinstance(answer.values, Vector):
        return answer.values.array
    return np.array([answer.values[str(number)] for number in range(len(answer.values))], dtype=np.float64)


def _side(rows: Sequence[tuple[str, str, str]], vectors: Mapping[str, Floats]) -> Side:
    here = [(vectors[identity], word) for _, word, identity in rows if identity in vectors]
    stacked = np.stack([array for array, _ in here]) if here else np.empty((0, 0))
    return Side(stacked, tuple(word for _, word in here), len(rows))
