"""Resampling tasks, ours and scipy's, on the same data; ``bench_resampling`` times them on one core."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audit.environment import peak_memory
from audit.stats.bootstrap_means import bootstrap_means
from audit.stats.max_t import JointTable, flip_draws, max_t, wild_draws
from audit.stats.pigeonhole import pigeonhole
from audit.stats.resampling import permute_labels, sign_flips
from tests.bench import scipy_calls

COMPARISONS, RESAMPLES = 300, 100_000
SIDES = ("ours", "loop", "wide")
"""Our code; scipy called for each comparison; scipy called once for all of them."""

LOOP = 5
"""Comparisons that scipy's loop is timed on, with all resamples."""
WIDE = 2000
"""Resamples that scipy's wide call is timed on, with all comparisons."""
BATCH = 50
"""Resamples that scipy holds at a time in a wide call: the fastest of 10, 50, 200, 1000 and 2000."""
REPEATS = 3
"""Runs of each side; the fastest counts, because other work on the machine can only slow a run down."""

Arrays = np.ndarray


@dataclass(frozen=True)
class Task:
    """A piece of work.

    ``ours`` and ``theirs`` take the data; ``theirs`` also the resamples and the batch (None: scipy's own).
    """

    work: str
    data: Callable[[np.random.Generator], Arrays]
    ours: Callable[[Arrays, np.random.Generator], object]
    theirs: Callable[[Arrays, float, int | None], object] | None = None
    exact: bool = False

    def has(self, side: str) -> bool:
        """Whether a side exists."""
        return side == "ours" or (self.theirs is not None and not (self.exact and side == "wide"))


def measure(name: str, side: str) -> dict[str, float]:
    """Seconds for all the work, the share that was really timed, and the peak memory of this process."""
    task = TASKS[name]
    data, rng = task.data(np.random.default_rng(1)), np.random.default_rng(2)
    share, work = 1.0, lambda: task.ours(data, rng)
    if side == "loop":
        count = 1 if task.exact else LOOP
        resamples = np.inf if task.exact else RESAMPLES
        share, work = (
            count / COMPARISONS,
            lambda: [task.theirs(row[None, :], resamples, None) for row in data[:count]],
        )
    elif side == "wide":
        share, work = WIDE / RESAMPLES, lambda: task.theirs(data, WIDE, BATCH)
    seconds = min(timed(work) for _ in range(REPEATS)) / share
    return {
        "seconds": seconds,
        "share": share,
        "peak_mb": peak_memory() / 2**20,
    }


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def normal(n_units: int) -> Callable[[np.random.Generator], Arrays]:
    return lambda rng: rng.standard_normal((COMPARISONS, n_units)) + 0.2


def family(rng: np.random.Generator) -> Arrays:
    """Scores of 60 groups, 27 templates, 8 terms each."""
    return rng.standard_normal((60, 27, 8))


def wild_family(scores: Arrays, rng: np.random.Generator) -> object:
    groups, templates, terms = scores.shape
    codes = np.arange(groups * terms).reshape(groups, terms)
    tables = [
        JointTable(
            scores[g],
            np.concatenate(np.delete(scores, g, axis=0), axis=1),
            np.arange(templates),
            codes[g],
            np.delete(codes, g, axis=0).ravel(),
        )
        for g in range(groups)
    ]
    return max_t(np.full(groups, 2.0), wild_draws(tables, rng))


MANY = "300 comparisons x 100 000 resamples"
TASKS: dict[str, Task] = {
    "sign flips, 20 clusters, exact": Task(
        "300 comparisons x 1 048 576 patterns",
        normal(20),
        lambda values, rng: sign_flips(values, rng),
        scipy_calls.flips,
        exact=True,
    ),
    "sign flips, 40 clusters": Task(
        MANY, normal(40), lambda values, rng: sign_flips(values, rng, resamples=RESAMPLES), scipy_calls.flips
    ),
    "sign flips, 60 clusters": Task(
        MANY, normal(60), lambda values, rng: sign_flips(values, rng, resamples=RESAMPLES), scipy_calls.flips
    ),
    "labels, 20 against 20 units": Task(
        MANY,
        normal(40),
        lambda values, rng: permute_labels(values, 1 - np.arange(40) % 2, rng, resamples=RESAMPLES),
        scipy_calls.labels,
    ),
    "bootstrap percentile, 40": Task(
        MANY,
        normal(40),
        lambda values, rng: bootstrap_means(values, rng, method="percentile", resamples=RESAMPLES),
        scipy_calls.bootstrap("percentile"),
    ),
    "bootstrap BCa, 40": Task(
        MANY,
        normal(40),
        lambda values, rng: bootstrap_means(values, rng, method="bca", resamples=RESAMPLES),
        scipy_calls.bootstrap("BCa"),
    ),
    "bootstrap-t, 40": Task(
        MANY,
        normal(40),
        lambda values, rng: bootstrap_means(values, rng, method="bootstrap-t", resamples=RESAMPLES),
    ),
    "max-T by flips, 40": Task(
        "300 hypotheses x 9999 draws",
        normal(40),
        lambda values, rng: max_t(np.full(len(values), 2.0), flip_draws(values, rng)),
    ),
    "max-T by signs, 27 x 480": Task("60 hypotheses x 9999 draws", family, wild_family),
    "pigeonhole, 27 x 8": Task(
        "60 tables x 2000 draws",
        family,
        lambda scores, rng: [pigeonhole(table, None, rng) for table in scores],
    ),
}
