"""Sequential stopping: what looking after every single unit costs. It must cost nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audit.calibration.estimators import ALPHA, ESTIMATORS, estimator
from audit.calibration.study import COMPARISON, Settings, StudyResult, count, rate_check, value_check
from audit.stats.confidence_sequence import ConfidenceSequence
from audit.stats.estimate import Floats, Undefined
from audit.stats.sequential import Rule, Stream, replay, smallest_detectable

HORIZON = 2000
MARGIN = 0.05
SD = 0.3

DrawUnits = Callable[[np.random.Generator, float], Floats]


def coins(rng: np.random.Generator, mean: float) -> Floats:
    """Units of -1 and 1."""
    return np.where(rng.random(HORIZON) < (1.0 + mean) / 2.0, 1.0, -1.0)


def spread(rng: np.random.Generator, mean: float) -> Floats:
    """Units spread evenly around their mean, with a standard deviation of `SD`."""
    half = SD * np.sqrt(3.0)
    return rng.uniform(mean - half, mean + half, HORIZON)


def drifting(rng: np.random.Generator, mean: float) -> Floats:
    """Units whose spread grows with what came before; the mean, given the past, stays."""
    noise = rng.uniform(-1.0, 1.0, HORIZON)
    scale = 0.1 + 0.8 * (np.cumsum(np.concatenate([[0.0], noise[:-1]])) > 0.0)
    return mean + (1.0 - abs(mean)) * scale * noise


DETECTABLE = "smallest detectable difference of 500 units: found"

KINDS: dict[str, DrawUnits] = {
    "-1 or 1": coins,
    "spread evenly": spread,
    "spread depends on the past": drifting,
}


def false_alarms(settings: Settings) -> StudyResult:
    """Streams without a difference, looked at after every unit."""
    n, own = settings.sims(5000, 400), estimator(settings.estimator)
    checks = []
    for label, draw in KINDS.items():
        rng = settings.rng("peeking", label)
        hits = count(n, lambda draw=draw, rng=rng: own.ever_rejects(draw(rng, 0.0)))  # type: ignore[misc]
        checks.append(rate_check(f"units {label}", hits, n, (0.0, ALPHA)))
    rng, few = settings.rng("peeking", "naive"), settings.sims(2000, 300)
    hits = count(few, lambda: ESTIMATORS["naive"].ever_rejects(spread(rng, 0.0)))
    checks.append(rate_check("a t-test looked at after every unit", hits, few, (0.3, 1.0), None, COMPARISON))
    return StudyResult(
        "Looking after each of 2000 units, a difference is called where there is none in at most 1 "
        "stream of 20; "
        "a t-test, looked at as often, would call one in a third.",
        "share of streams in which a difference is ever called",
        tuple(checks),
        ALPHA,
    )


def sequences(settings: Settings) -> StudyResult:
    """Bounds that hold at all times at once."""
    n = settings.sims(600, 40)
    checks = []
    for label, draw, mean in (
        ("units -1 or 1, mean 0.1", coins, 0.1),
        ("units spread evenly, mean 0", spread, 0.0),
        ("spread depends on the past, mean 0.2", drifting, 0.2),
    ):
        rng = settings.rng("sequences", label)

        def once(draw: DrawUnits = draw, mean: float = mean, rng: np.random.Generator = rng) -> bool:
            bounds = ConfidenceSequence(ALPHA).update(draw(rng, mean))
            return bool(((bounds[:, 0] <= mean) & (mean <= bounds[:, 1])).all())

        checks.append(rate_check(label, count(n, once), n, (1.0 - ALPHA, 1.0)))
    return StudyResult(
        "The confidence sequence holds the true mean after every one of 2000 units at once, in at least "
        "95 of "
        "100 streams.",
        "share of streams whose bounds hold the truth at all times",
        tuple(checks),
        1.0 - ALPHA,
    )


def decisions(settings: Settings) -> StudyResult:
    """Where streams stop, and what is said of them then."""
    rule = Rule(margin=MARGIN, max_units=HORIZON)
    n = settings.sims(600, 40)
    short = Rule(margin=MARGIN, max_units=500)
    power = smallest_detectable(SD, short)
    checks = []
    for label, draw, mean, called, claim in (
        ("no difference: called a disparity", spread, 0.0, "disparity", (0.0, ALPHA)),
        ("as large as the margin: called within", spread, MARGIN, "within", (0.0, ALPHA)),
        ("as large as the margin, -1 or 1: called within", coins, -MARGIN, "within", (0.0, ALPHA)),
        (DETECTABLE, spread, power, "disparity", (0.75, 1.0)),
    ):
        rng = settings.rng("decisions", label)

        def once(
            draw: DrawUnits = draw,
            mean: float = mean,
            wanted: str = called,
            rng: np.random.Generator = rng,
            own: Rule = short if label == DETECTABLE else rule,
        ) -> bool:
            found = replay(draw(rng, mean), own)
            return not isinstance(found, Undefined) and found.decision == wanted

        checks.append(rate_check(label, count(n, once), n, claim))
    checks.append(
        value_check(
            "one by one or in batches: other decisions", float(batch_differences(settings)), (0.0, 0.0), 40
        )
    )
    return StudyResult(
        "A stream that stops by its rule is called a disparity without one, or within the margin when "
        "it is not, "
        "at most 1 time in 20; batches change nothing.",
        "share of streams",
        tuple(checks),
        ALPHA,
    )


def batch_differences(settings: Settings) -> int:
    """Streams that are decided otherwise when their units come in batches."""
    rule, rng = Rule(margin=MARGIN, max_units=HORIZON), settings.rng("decisions", "batches")
    different = 0
    for number in range(40):
        units = spread(rng, 0.02 * (number % 5))[:400]
        stream = Stream(rule)
        for start in range(0, units.size, 7):
            stream.add(units[start : start + 7])
        different += stream.state() != replay(units, rule)
    return different
