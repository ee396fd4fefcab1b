"""WEAT and SEAT on one test: effect size and permutation p as published, and d with an interval by words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.benchmarks.base import Answer, Figure, Items, Scored, Setup
from audit.benchmarks.embeddings.geometry import Geometry, Targets, judged_by_words, judging_of, score_tests
from audit.benchmarks.embeddings.weat_formula import DRAWS, associations, effect_size, permutation_p
from audit.benchmarks.judging import Named, generator, jackknifed
from audit.benchmarks.options import Option
from audit.benchmarks.shares import with_interval
from audit.stats.clustered import Rows
from audit.stats.estimate import Undefined

NO_INTERVAL = "a p-value has no interval"

PARTITIONS = Option("draws", "partitions drawn where there are too many to count", str(DRAWS), least=1)


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    """Every test's d and p as published, and d judged, its error by leaving out one target word at a time.

    The option ``draws`` sets how many partitions are drawn where they are too many to count.
    """
    return score_tests(items, answers, setup, _of_test)


def _of_test(test: Geometry, setup: Setup) -> tuple[tuple[Figure, ...], Named]:
    names = f"{test.name} d", f"{test.name} p"
    n = len(test.target_words)
    if test.lacking:
        figures = (Figure(names[0], None, "d", n, reason=test.lacking),)
        return (*figures, Figure(names[1], None, "p", n, reason=test.lacking)), Named(
            test.name, Undefined(test.lacking), status_gap=test.status_gap
        )
    table, of_x, of_a = test.cosines()
    values = associations(table, of_a)

    def statistic(rows: Rows) -> float:
        d = effect_size(values[rows[of_x[rows]]], values[rows[~of_x[rows]]])
        return math.nan if isinstance(d, Undefined) else d

    whole = effect_size(values[of_x], values[~of_x])
    named = judged_by_words(
        jackknifed(test.name, statistic, test.target_words, judging_of(setup)),
        Targets(values, of_x, np.array(test.target_words)),
        setup,
    )
    if isinstance(whole, Undefined):
        d = Figure(names[0], None, "d", n, reason=whole.reason)
        named = replace(named, contrast=whole)
    else:
        d = with_interval(Figure(names[0], whole, "d", n), named.contrast)
    rng = generator(setup.seed, "partitions", test.name)
    p = permutation_p(values[of_x], values[~of_x], rng, PARTITIONS.whole(setup))
    named = replace(named, status_gap=test.status_gap)
    return (
        d,
        Figure(names[1], p, "p", n, method=_counted(int(of_x.sum()), n), reason=NO_INTERVAL),
    ), named


def _counted(of_x: int, n: int) -> str:
    return f"one-sided, {of_x} against {n - of_x}"
