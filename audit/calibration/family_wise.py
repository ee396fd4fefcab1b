"""Families: how often any of several questions is answered wrongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audit.analysis.estimates import Cells
from audit.calibration.estimators import ALPHA, Estimator, estimator
from audit.calibration.study import Check, Settings, StudyResult, rate_check
from audit.calibration.worlds import World, each_against_rest, family_cells
from audit.stats.estimate import Contrast

DrawFamily = Callable[[np.random.Generator], list[Cells]]

SMALL = World(12, (10, 10))
AXIS = "share of families with any false claim"
CONTROLLED = (0.0, 0.06)
"""Family-wise error: at most .05, and a percent for the approximations of the tests themselves."""


def confirmatory(settings: Settings) -> StudyResult:
    """The correction of confirmatory families: max-T, and Holm where max-T cannot be had."""
    eight, thirty = (0.0,) * 8, (0.0,) * 30
    designs: dict[str, tuple[DrawFamily, tuple[int, int]]] = {
        "8 groups and one reference, 12 × 10": (lambda rng: family_cells(rng, SMALL, eight), (600, 40)),
        "8 groups, each against the rest, 9 × 6": (
            lambda rng: each_against_rest(rng, World(9, (6,)), eight),
            (800, 50),
        ),
        "30 groups, each against the rest, 9 × 6": (
            lambda rng: each_against_rest(rng, World(9, (6,)), thirty),
            (250, 12),
        ),
        "8 groups, cells missing (Holm), 12 × 10": (
            lambda rng: family_cells(rng, World(12, (10, 10), gaps=0.1), eight),
            (1200, 80),
        ),
    }
    checks = [
        any_false(label, settings, draw, settings.sims(*sizes)) for label, (draw, sizes) in designs.items()
    ]
    checks.append(some_true(settings))
    return StudyResult(
        "In a family declared beforehand, the chance of any false claim is at most about 1 in 20, whether no "
        "group differs or some do.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def some_true(settings: Settings) -> Check:
    """Half of the groups differ by much: is any of the others called different?"""
    n = settings.sims(400, 30)
    own, rng = estimator(settings.estimator), settings.rng("family", "some true")
    effects = (2.0,) * 4 + (0.0,) * 4
    hits = 0
    for number in range(n):
        p = family_p(own, family_cells(rng, SMALL, effects), "confirmatory", number)
        hits += any(value is not None and value < ALPHA for value in p[4:])
    return rate_check("4 of 8 groups differ, the others", hits, n, CONTROLLED)


def exploratory(settings: Settings) -> StudyResult:
    """Benjamini and Hochberg's correction where no group differs: any claim is a false one."""
    rows = {
        "8 groups and one reference, 12 × 10": lambda rng: family_cells(rng, SMALL, (0.0,) * 8),
        "30 groups, each against the rest, 9 × 6": lambda rng: each_against_rest(
            rng, World(9, (6,)), (0.0,) * 30
        ),
    }
    checks = []
    for label, draw in rows.items():
        n = settings.sims(1200, 80)
        checks.append(any_false(label, settings, draw, n, "exploratory"))
    return StudyResult(
        "In an exploratory family in which no group differs, the chance of any claim is at most about 1 "
        "in 20.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def any_false(
    label: str,
    settings: Settings,
    draw: DrawFamily,
    n: int,
    role: str = "confirmatory",
) -> Check:
    """The share of families without a difference in which one is called."""
    own, rng = estimator(settings.estimator), settings.rng("family", role, label)
    hits = 0
    for number in range(n):
        p = family_p(own, draw(rng), role, number)
        hits += any(value is not None and value < ALPHA for value in p)
    return rate_check(label, hits, n, CONTROLLED)


def family_p(own: Estimator, cells: Sequence[Cells], role: str, seed: int) -> Sequence[float | None]:
    """Corrected p-values."""
    return own.family(cells, [own.contrast(cell) for cell in cells], role, seed).p


def joint_intervals(settings: Settings) -> StudyResult:
    """Intervals that are to hold for all hypotheses of a family together."""
    n = settings.sims(500, 40)
    own, rng = estimator(settings.estimator), settings.rng("family", "joint")
    effects = tuple(0.1 * place for place in range(8))
    hits = 0
    for number in range(n):
        cells = family_cells(rng, SMALL, effects)
        contrasts = [own.contrast(cell) for cell in cells]
        critical = own.family(cells, contrasts, "confirmatory", number).critical
        hits += critical is not None and all(
            isinstance(each, Contrast) and abs(each.estimate - truth) <= critical * each.se
            for each, truth in zip(contrasts, effects, strict=True)
        )
    check = rate_check("8 groups and one reference, 12 × 10", hits, n, (0.94, 1.0))
    return StudyResult(
        "The joint intervals of a family of 8 hold all the true differences at once in at least about "
        "95 of 100 "
        "families.",
        "share of families whose intervals all hold the truth",
        (check,),
        0.95,
    )
