"""Scorers that err, and err differently by group: the correction must not make or hide a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit.calibration.estimators import ALPHA, ESTIMATORS, Estimator, estimator
from audit.calibration.study import COMPARISON, Settings, StudyResult, rate_check
from audit.stats.estimate import Undefined
from audit.stats.prediction_powered import Sample, ppi_gap
from audit.stats.scorer_error import Accuracy, Flags, rogan_gladen

STRICT, LAX = (0.9, 0.97), (0.8, 0.85)
"""Sensitivity and specificity of one scorer, in the two groups."""


@dataclass(frozen=True)
class ScorerWorld:
    """True rates of two groups, a scorer's errors in each, and how much people labelled.

    Attributes
    ----------
    rates : tuple of float
        Share of answers that people would call positive, by group.
    errors : tuple of (sensitivity, specificity)
        By group.
    answers, labels : int
        Answers scored, and other answers labelled by people, a group.
    """

    rates: tuple[float, float] = (0.2, 0.2)
    errors: tuple[tuple[float, float], tuple[float, float]] = (STRICT, LAX)
    answers: int = 1000
    labels: int = 400

    @property
    def gap(self) -> float:
        """The true gap."""
        return self.rates[0] - self.rates[1]


def drawn(rng: np.random.Generator, world: ScorerWorld) -> tuple[Flags, Flags]:
    """Flags and labels of both groups."""
    one, zero = (
        group_flags(rng, rate, errors, world) for rate, errors in zip(world.rates, world.errors, strict=True)
    )
    return one, zero


def group_flags(
    rng: np.random.Generator, rate: float, errors: tuple[float, float], world: ScorerWorld
) -> Flags:
    """What a scorer flagged in one group, with its accuracy as labels show it."""
    sensitivity, specificity = errors
    positive = min(max(int(rng.binomial(world.labels, rate)), 1), world.labels - 1)
    negative = world.labels - positive
    accuracy = Accuracy(
        rng.binomial(positive, sensitivity) / positive,
        positive,
        rng.binomial(negative, specificity) / negative,
        negative,
    )
    flagged = rng.binomial(world.answers, rate * sensitivity + (1.0 - rate) * (1.0 - specificity))
    return Flags(float(flagged), world.answers, accuracy)


def no_gap(settings: Settings) -> StudyResult:
    """The rates are equal; the scorer's errors are not."""
    n, own = settings.sims(8000, 500), estimator(settings.estimator)
    worlds = {
        "errors differ by group": ScorerWorld(),
        "errors differ, rare": ScorerWorld((0.08, 0.08), labels=600),
        "errors alike": ScorerWorld(errors=(LAX, LAX)),
    }
    checks = [
        rate_check(label, false_gaps(settings, label, world, own, n), n, (0.02, 0.06))
        for label, world in worlds.items()
    ]
    few = settings.sims(2000, 300)
    naive = false_gaps(settings, "naive", ScorerWorld(), ESTIMATORS["naive"], few)
    checks.append(rate_check("the scorer believed, errors differ", naive, few, (0.5, 1.0), None, COMPARISON))
    return StudyResult(
        "Where people would see no gap and the scorer's errors differ by group, the corrected test "
        "calls a gap at "
        "most about 1 time in 20; a test that believes the scorer calls one more often than not.",
        "share of worlds without a gap in which one is called",
        tuple(checks),
        ALPHA,
    )


def false_gaps(settings: Settings, label: str, world: ScorerWorld, own: Estimator, n: int) -> int:
    """How often a gap is called."""
    rng = settings.rng("no gap", label)
    hits = 0
    for _ in range(n):
        found = own.scorer_gap(*drawn(rng, world))
        hits += not isinstance(found, Undefined) and found[0] < ALPHA
    return hits


def gap_coverage(settings: Settings) -> StudyResult:
    """Intervals of corrected rates and gaps."""
    n, own = settings.sims(8000, 500), estimator(settings.estimator)
    world = ScorerWorld((0.3, 0.2))
    rng, hits, rate_hits = settings.rng("gap coverage"), 0, 0
    for _ in range(n):
        one, zero = drawn(rng, world)
        found = own.scorer_gap(one, zero)
        hits += not isinstance(found, Undefined) and found[1] <= world.gap <= found[2]
        rate = rogan_gladen(one.flagged, one.n, one.accuracy)
        rate_hits += not isinstance(rate, Undefined) and rate.lo <= world.rates[0] <= rate.hi
    powered = settings.sims(3000, 300)
    checks = (
        rate_check("gap of corrected rates", hits, n, (0.94, 0.98)),
        rate_check("one corrected rate", rate_hits, n, (0.94, 0.985)),
        rate_check(
            "gap of means, few labels and many scores",
            powered_coverage(settings, powered),
            powered,
            (0.935, 0.965),
        ),
    )
    return StudyResult(
        "Intervals that carry the scorer's errors hold the truth in about 95 of 100 worlds.",
        "share of intervals that hold the truth",
        checks,
        0.95,
    )


def powered_coverage(settings: Settings, n: int) -> int:
    """How often the prediction-powered interval of a gap holds the truth; scores are off by group."""
    rng, hits = settings.rng("powered"), 0
    for _ in range(n):
        samples = []
        for mean, off in ((0.3, 0.5), (0.0, 0.0)):
            truth = rng.standard_normal(640) + mean
            scores = 0.8 * truth + off + 0.5 * rng.standard_normal(640)
            samples.append(Sample(truth[:40], scores[:40], scores[40:]))
        found = ppi_gap(samples[0], samples[1])
        hits += not isinstance(found, Undefined) and found.lo <= 0.3 <= found.hi
    return hits
