"""CEAT: the association test over many contexts of each word, its effect sizes combined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Answer, Benchmark, Figure, Items, Scored, Setup
from audit.benchmarks.embeddings import geometry, vectors_file, weat
from audit.benchmarks.embeddings.association_tests import NO_INTERVAL
from audit.benchmarks.embeddings.geometry import Geometry, Targets, judged_by_words, judging_of, score_tests
from audit.benchmarks.embeddings.weat_formula import combined_effect_size
from audit.benchmarks.judging import Named, generator, jackknifed
from audit.benchmarks.options import Option
from audit.benchmarks.shares import with_interval
from audit.stats.clustered import Rows
from audit.stats.estimate import ROUNDING, Floats, Undefined
from probes.benchmarks.association_tests import sentence_tests
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

CONTEXTS = 1000
"""Draws of one context a word; the source has 10 000. The option ``draws`` sets another number."""
SAMPLES_OF_CONTEXTS = Option("draws", "of contexts for each test", str(CONTEXTS), least=2)

CARD = replace(
    weat.CARD,
    name="ceat",
    title="Contextualized embedding association test",
    construct="association of words in contexts with attributes, as nearness of vectors",
    estimand="the combined effect size, signed: positive where the first targets lie nearer to the first "
    "attributes",
    source="Guo and Caliskan 2021; code read: weiguowilliam/CEAT code/ceat.py. Contexts are the sentences of "
    "SEAT, not the Reddit comments of the paper, which were not published",
    critiques=(
        "The published p takes the draws as independent, though all are of the same words: it falls with "
        "their number.",
        "The weights are by the variance of cosines, not by that of the effect sizes.",
        "Goldfarb-Tarrant et al. 2021: such measures do not go with what a model does in use.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Draws:
    """Associations of the target words, one context a word in each draw, shape (draws, words)."""

    values: Floats
    of_x: npt.NDArray[np.bool_]
    words: tuple[str, ...]

    def effects(self, keep: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Effect size of each draw over some of the words, and the variance of its associations.

        NaN where a set of targets has no word; no spread gives a variance of 0.
        """
        first, kept = self.of_x[keep], self.values[:, keep]
        if not 0 < np.count_nonzero(first) < first.size:
            return np.full(len(kept), math.nan), np.full(len(kept), math.nan)
        variance = kept.var(axis=1, ddof=1)
        variance = np.where(np.ptp(kept, axis=1) <= ROUNDING, 0.0, variance)
        gap = kept[:, first].mean(axis=1) - kept[:, ~first].mean(axis=1)
        gap = np.where(np.abs(gap) <= ROUNDING, 0.0, gap)
        d = np.divide(gap, np.sqrt(variance), out=np.full(len(kept), math.nan), where=variance > 0.0)
        return d, variance


def draw_contexts(test: Geometry, seed: int, draws: int) -> Draws:
    """One context of every word, targets and attributes, in each draw.

    Every word has its own randomness, so that what is drawn of it depends on nothing else.
    """
    table, of_x, of_a = test.cosines()
    targets, x = _contexts(test.target_words, of_x)
    attributes, a = _contexts([*test.sides["attr1"].words, *test.sides["attr2"].words], of_a)
    rows, columns = (
        np.stack(
            [
                generator(seed, "contexts", word).choice(places, draws)
                for (_, word), places in contexts.items()
            ],
            axis=1,
        )
        for contexts in (targets, attributes)
    )
    values = np.empty(rows.shape)
    for draw, (row, column) in enumerate(zip(rows, columns, strict=True)):
        picked = table[np.ix_(row, column)]
        values[draw] = picked[:, a].mean(axis=1) - picked[:, ~a].mean(axis=1)
    return Draws(values, x, tuple(word for _, word in targets))


def _contexts(
    words: Sequence[str], first: npt.NDArray[np.bool_]
) -> tuple[dict[tuple[bool, str], list[int]], npt.NDArray[np.bool_]]:
    """The places of the contexts of each word of each set; which words are of the first set."""
    places: dict[tuple[bool, str], list[int]] = {}
    for place, (word, own) in enumerate(zip(words, first.tolist(), strict=True)):
        places.setdefault((own, word), []).append(place)
    return places, np.array([own for own, _ in places])


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    """The combined effect size of every test with its published p, and judged by words.

    The option ``draws`` sets the number of draws.
    """
    return score_tests(items, answers, setup, _of_test)


def _of_test(test: Geometry, setup: Setup) -> tuple[tuple[Figure, ...], Named]:
    n = len(set(test.target_words))
    draws = SAMPLES_OF_CONTEXTS.whole(setup)
    if test.lacking:
        return _nothing(test, n, test.lacking)
    drawn = draw_contexts(test, setup.seed, draws)

    def statistic(rows: Rows) -> float:
        found = combined_effect_size(*drawn.effects(rows))
        return math.nan if isinstance(found, Undefined) else found.ces

    whole = combined_effect_size(*drawn.effects(np.arange(len(drawn.words))))
    if isinstance(whole, Undefined):
        return _nothing(test, n, whole.reason)
    means = Targets(drawn.values.mean(axis=0), drawn.of_x, np.array(drawn.words))
    named = jackknifed(test.name, statistic, drawn.words, judging_of(setup))
    named = judged_by_words(named, means, setup)
    method = f"two-sided, {draws:,} draws taken as independent, tau2 = {whole.tau2:.3g}"
    figures = (
        with_interval(Figure(f"{test.name} CES", whole.ces, "d", n), named.contrast),
        Figure(f"{test.name} p", whole.p, "p", n, method=method, reason=NO_INTERVAL),
    )
    return figures, replace(named, status_gap=test.status_gap)


def _nothing(test: Geometry, n: int, reason: str) -> tuple[tuple[Figure, ...], Named]:
    figures = (
        Figure(f"{test.name} CES", None, "d", n, reason=reason),
        Figure(f"{test.name} p", None, "p", n, reason=reason),
    )
    return figures, Named(test.name, Undefined(reason), status_gap=test.status_gap)


def items(data: DataFolder | None, setup: Setup) -> Sequence[BenchmarkItem]:
    """The sentences of SEAT that have several contexts of one word."""
    if data is None:
        raise LookupError("the sentences are read from a data folder")
    return [item for item in sentence_tests(data) if item.subset.startswith("sent-")]


BENCHMARK = Benchmark(
    card=CARD,
    datasets=("seat",),
    scorings=geometry.SCORINGS,
    unit=geometry.UNIT,
    margin=geometry.MARGIN,
    margin_source=geometry.MARGIN_SOURCE,
    parts=(geometry.PART,),
    options=(SAMPLES_OF_CONTEXTS,),
    items=items,
    ask=geometry.ask,
    read=geometry.read,
    captured=vectors_file.vectors_of,
    score=score,
)
