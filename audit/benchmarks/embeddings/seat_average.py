"""The mean absolute effect size over the gender tests of SEAT, less what relabelling whole words gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.benchmarks.base import Estimate, Figure, Setup, margin_for
from audit.benchmarks.embeddings.geometry import MARGIN, RELABELLINGS, UNIT, Geometry, Targets
from audit.benchmarks.embeddings.weat_formula import associations, effect_size
from audit.benchmarks.judging import Judging, Named, generator, jackknifed, judge_contrasts
from audit.stats.clustered import Rows
from audit.stats.estimate import Contrast, Floats, Undefined

GENDER_TESTS = ("sent-weat6", "sent-weat6b", "sent-weat7", "sent-weat7b", "sent-weat8", "sent-weat8b")
"""Which tests bias-bench averages for gender (Meade et al. 2022)."""

NAME = "mean |d|, gender tests"


class SizedTargets(Targets):
    """Those of a test whose size of effect is averaged with others."""

    def effect(self, rows: Rows) -> float:
        """Effect size over some of the targets; NaN where it is undefined."""
        d = effect_size(self.values[rows[self.of_x[rows]]], self.values[rows[~self.of_x[rows]]])
        return math.nan if isinstance(d, Undefined) else d

    def relabelled(self, rng: np.random.Generator, draws: int) -> Floats:
        """Effect sizes with whole words given to the sets anew, as many to each as it has, shape (draws,)."""
        names, codes = np.unique(self.words, return_inverse=True)
        codes = codes.reshape(-1)
        sums = np.bincount(codes, self.values)
        sizes = np.bincount(codes).astype(np.float64)
        own = np.bincount(codes, self.of_x) > 0.0
        first = rng.permuted(np.tile(own, (draws, 1)), axis=1).astype(np.float64)
        means = [(side @ sums) / (side @ sizes) for side in (first, 1.0 - first)]
        found: Floats = (means[0] - means[1]) / self.values.std(ddof=1)
        return found if names.size > 1 else np.full(draws, math.nan)


def gender_average(tests: Sequence[Geometry], setup: Setup) -> tuple[Figure, tuple[Estimate, ...]]:
    """Bias-bench's average over the gender tests, and its excess over relabelled words, judged.

    The average is above 0 for every encoder, because it adds up sizes without a sign: with 8 words a set,
    relabelling alone gives about .4. The sentences of one word move together.

    Notes
    -----
    Source: Meade, Poole-Dayan and Reddy (2022), and McGill-NLP/bias-bench, whose table gives the average
    alone. Words that several tests share are relabelled in each by themselves.
    """
    here = {test.name: test for test in tests if not test.lacking}
    missing = [name for name in GENDER_TESTS if name not in here]
    judging = Judging(
        "overall",
        UNIT,
        margin_for(setup, MARGIN, UNIT, UNIT),
        "word",
        alpha=setup.alpha,
        seed=setup.seed,
    )
    if missing:
        return _nothing(f"no vectors for {', '.join(missing)}", judging)
    targets = [_targets(here[name]) for name in GENDER_TESTS]
    whole = [own.effect(np.arange(own.values.size)) for own in targets]
    if not all(map(math.isfinite, whole)):
        return _nothing("all associations of a test are equal", judging)
    drawn = np.mean(
        [
            np.abs(own.relabelled(generator(setup.seed, "relabel", name), RELABELLINGS))
            for name, own in zip(GENDER_TESTS, targets, strict=True)
        ],
        axis=0,
    )
    value = float(np.mean(np.abs(whole)))
    p = (1 + int(np.count_nonzero(drawn >= value - 1e-12))) / (RELABELLINGS + 1)
    chance = float(drawn.mean())
    named = _jackknifed(targets, chance, judging)
    gap = max(here[name].status_gap for name in GENDER_TESTS)
    method = f"relabelling whole words gives {chance:.3g} on average (p = {p:.2g})"
    figure = Figure(NAME, value, "d", len(whole), method=method)
    if isinstance(named.contrast, Contrast):
        lo, hi = named.contrast.ci(0.95)
        method = f"{named.contrast.method}; {method}"
        figure = replace(figure, lo=max(lo + chance, 0.0), hi=hi + chance, method=method)
    else:
        figure = replace(figure, reason=named.contrast.reason)
    return figure, judge_contrasts([replace(named, p=p, status_gap=gap)], judging)


def _nothing(reason: str, judging: Judging) -> tuple[Figure, tuple[Estimate, ...]]:
    return Figure(NAME, None, "d", 0, reason=reason), judge_contrasts(
        [Named(NAME, Undefined(reason))], judging
    )


def _targets(test: Geometry) -> SizedTargets:
    table, of_x, of_a = test.cosines()
    words = [cluster.split(": ", 1)[1] for cluster in test.target_words]
    return SizedTargets(associations(table, of_a), of_x, np.array(words))


def _jackknifed(targets: Sequence[SizedTargets], chance: float, judging: Judging) -> Named:
    """The average less chance, by leaving out one word from all tests in which it is a target."""
    starts = np.cumsum([0, *(own.values.size for own in targets)])

    def statistic(rows: Rows) -> float:
        effects = [
            own.effect(rows[(rows >= start) & (rows < start + own.values.size)] - start)
            for own, start in zip(targets, starts, strict=False)
        ]
        return float(np.mean(np.abs(effects))) - chance

    return jackknifed(NAME, statistic, np.concatenate([own.words for own in targets]), judging)
