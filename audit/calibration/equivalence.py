"""Equivalence: "within the margin" must not be said of a difference that is as large as the margin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audit.analysis.estimates import Cells
from audit.calibration.error_rates import Draw
from audit.calibration.estimators import ALPHA, estimator
from audit.calibration.study import Check, Settings, StudyResult, count, rate_check
from audit.calibration.worlds import World, combination_cells, crossed_cells, nested_cells, single_cells
from audit.stats.design import DesignSds, design_se
from audit.stats.equivalence import power_to_show_within, tost
from audit.stats.estimate import Contrast

QUIET = DesignSds(template=0.1, term=0.1, residual=0.3)
MARGIN = 0.2
AXIS = "share of worlds called within the margin"
DrawAt = Callable[[np.random.Generator, float], Cells]

DESIGNS: dict[str, DrawAt] = {
    "two groups, 20 × 20": lambda rng, effect: nested_cells(rng, World(sds=QUIET, effect=effect)),
    "two groups, 9 × 16": lambda rng, effect: nested_cells(rng, World(9, (16, 16), sds=QUIET, effect=effect)),
    "paired, 9 × 12": lambda rng, effect: crossed_cells(rng, World(9, (12,), sds=QUIET, effect=effect)),
    "9 paired templates": lambda rng, effect: single_cells(
        rng, World(9, sds=DesignSds(0.0, 0.0, 0.2), effect=effect)
    ),
    "interaction, 20 × 12 a cell": lambda rng, effect: combination_cells(
        rng, World(20, (12,) * 4, sds=QUIET, effect=effect), (1.0, -1.0, -1.0, 1.0)
    ),
}


def at_margin(settings: Settings) -> StudyResult:
    """The true difference is exactly the margin, or just beyond it."""
    n = settings.sims(4000, 300)
    checks = [within(label, settings, at(draw, MARGIN), (n, (0.0, 0.06))) for label, draw in DESIGNS.items()]
    beyond = DESIGNS["two groups, 20 × 20"]
    checks.append(
        within(
            "two groups, 20 × 20, at -1.2 margins",
            settings,
            at(beyond, -1.2 * MARGIN),
            (n, (0.0, 0.02)),
        )
    )
    return StudyResult(
        'A difference as large as the margin is called "within the margin" in at most about 1 world in 20.',
        AXIS,
        tuple(checks),
        ALPHA,
    )


def forecast(settings: Settings) -> StudyResult:
    """The power to say "within" beside the forecast that a plan makes."""
    n = settings.sims(2500, 150)
    checks = []
    se, df = design_se(QUIET, 20, 20, 20, "nested")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        effect = share * MARGIN
        power = power_to_show_within(MARGIN, se, df, ALPHA, effect)
        claim = (max(0.0, power - 0.04), min(1.0, power + 0.04))
        draw = DESIGNS["two groups, 20 × 20"]
        label = f"true difference {effect:g}"
        found = within(label, settings, at(draw, effect), (n, claim))
        checks.append(Check(**{**vars(found), "x": effect, "series": "two groups, 20 × 20"}))
    return StudyResult(
        'A true difference inside the margin of 0.2 is called "within the margin" as often as the plan '
        "foretells.",
        AXIS,
        tuple(checks),
        None,
        "true difference, score units",
    )


def at(draw: DrawAt, effect: float) -> Draw:
    """Cells of one true difference."""
    return lambda rng: draw(rng, effect)


def within(label: str, settings: Settings, draw: Draw, expected: tuple[int, tuple[float, float]]) -> Check:
    """The share of worlds that the equivalence test calls within the margin."""
    own, rng = estimator(settings.estimator), settings.rng("equivalence", label)

    def once() -> bool:
        found = own.contrast(draw(rng))
        return isinstance(found, Contrast) and tost(found, MARGIN, ALPHA).within

    n, claim = expected
    return rate_check(label, count(n, once), n, claim)
