"""False positives: how often a test calls a difference where there is none, by design."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audit.analysis.estimates import Cells
from audit.calibration.estimators import ALPHA, ESTIMATORS, Estimator, estimator
from audit.calibration.study import COMPARISON, Check, Settings, StudyResult, count, rate_check
from audit.calibration.worlds import (
    World,
    combination_cells,
    crossed_cells,
    nested_cells,
    single_cells,
)
from audit.stats.design import DesignSds
from audit.stats.estimate import Contrast, Undefined
from audit.stats.signflip import sign_flip

Draw = Callable[[np.random.Generator], Cells]

NEAR = (0.04, 0.06)
"""A test that is meant to reject 5 %: Satterthwaite's degrees of freedom are good to about a percent."""
BELOW = (0.0, 0.055)
"""A test that is known to be conservative in a design, or discrete."""
AXIS = "share of worlds without a difference in which one is called"


def nested(settings: Settings) -> StudyResult:
    """Two groups of terms."""
    usual, many = World(), World(8, (40, 40))
    designs = {
        "20 templates × 20 terms a group": (World(), NEAR),
        "9 templates × 16 terms a group": (World(9, (16, 16)), NEAR),
        "9 templates × 12 and 84 terms": (World(9, (12, 84)), NEAR),
        "8 templates × 40 terms a group": (many, NEAR),
        "5 templates × 8 terms a group": (World(5, (8, 8)), BELOW),
        "20 × 20, only templates vary": (World(sds=DesignSds(0.3, 0.0, 1.0)), NEAR),
        "20 × 20, only terms vary": (World(sds=DesignSds(0.0, 0.3, 1.0)), NEAR),
        "20 × 20, nothing varies but cells": (World(sds=DesignSds(0.0, 0.0, 1.0)), BELOW),
        "20 × 20, yes or no answers": (World(binary=True), NEAR),
    }
    n = settings.sims(5000, 400)
    own = estimator(settings.estimator)
    checks = [
        null_rate(label, settings, own, world_draw(nested_cells, world), (n, claim))
        for label, (world, claim) in designs.items()
    ]
    for alpha in (0.01, 0.1):
        label = f"20 × 20 at {alpha:g}"
        claim = (0.6 * alpha, 1.4 * alpha)
        checks.append(
            null_rate(label, settings, own, lambda rng: nested_cells(rng, usual), (n, claim), alpha)
        )
    naive = null_rate(
        "rows taken as independent, 20 × 20",
        settings,
        ESTIMATORS["naive"],
        lambda rng: nested_cells(rng, usual),
        (settings.sims(2000, 200), (0.25, 1.0)),
    )
    checks.append(Check(**{**vars(naive), "series": COMPARISON}))
    return StudyResult(
        "Where two groups of terms do not differ, the test calls a difference about 1 time in 20, and less "
        "often in small designs; counting rows as independent would call one in at least a quarter.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def crossed(settings: Settings) -> StudyResult:
    """Paired differences over templates and a second factor."""
    designs = {
        "20 templates × 20 levels": (World(20, (20,)), NEAR),
        "9 templates × 12 levels": (World(9, (12,)), BELOW),
        # Up to three levels bound the degrees of freedom: safe where levels vary most, careful where not.
        "9 templates × 3 levels, only templates vary": (World(9, (3,), DesignSds(1.0, 0.0, 0.3)), BELOW),
        "9 templates × 2 levels, levels vary most": (World(9, (2,), DesignSds(0.3, 1.0, 0.3)), BELOW),
        "9 templates × 3 levels": (World(9, (3,)), BELOW),
    }
    return null_study(
        settings,
        designs,
        crossed_cells,
        "Where paired differences average 0, over templates and "
        "a second factor, the test calls a difference at most about 1 time in 20.",
    )


def single(settings: Settings) -> StudyResult:
    """One paired difference a template."""
    n, own = settings.sims(5000, 400), estimator(settings.estimator)
    plain = DesignSds(0.0, 0.0, 1.0)
    checks = [
        null_rate(label, settings, own, draw, (n, claim))
        for label, draw, claim in (
            ("9 templates", lambda rng: single_cells(rng, World(9, sds=plain)), NEAR),
            ("40 templates", lambda rng: single_cells(rng, World(40, sds=plain)), NEAR),
            ("20 templates, heavy tails", lambda rng: single_cells(rng, World(20, sds=plain), True), BELOW),
        )
    ]
    return StudyResult(
        "Where one paired difference a template averages 0, the test calls a difference at most "
        "about 1 time in 20.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def gaps(settings: Settings) -> StudyResult:
    """The cluster sandwich, with a tenth of the cells missing."""
    n, own = settings.sims(4000, 300), estimator(settings.estimator)
    designs: dict[str, tuple[Draw, tuple[float, float]]] = {
        "two groups, 20 × 20": (lambda rng: nested_cells(rng, World(gaps=0.1)), NEAR),
        "two groups, 9 × 12": (lambda rng: nested_cells(rng, World(9, (12, 12), gaps=0.1)), BELOW),
        "two groups, 5 × 8": (lambda rng: nested_cells(rng, World(5, (8, 8), gaps=0.1)), BELOW),
        "paired, 20 × 20": (lambda rng: crossed_cells(rng, World(20, (20,), gaps=0.1)), NEAR),
        "four cells, 9 × 8": (
            lambda rng: combination_cells(rng, World(9, (8,) * 4, gaps=0.1), INTERACTION),
            BELOW,
        ),
    }
    checks = [null_rate(label, settings, own, draw, (n, claim)) for label, (draw, claim) in designs.items()]
    return StudyResult(
        "With a tenth of the answers missing, the test still calls a difference at most about "
        "1 time in 20 where there is none.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def wordings(settings: Settings) -> StudyResult:
    """Paraphrases of one template share their error."""
    designs = {
        "9 families of 3 wordings × 20 terms": (World(9, (20, 20), wordings=3), NEAR),
        "20 families of 3 wordings × 12 terms": (World(20, (12, 12), wordings=3), NEAR),
    }
    return null_study(
        settings,
        designs,
        nested_cells,
        "Wordings of one template do not pass for templates: the test calls a difference about 1 time in 20.",
        3000,
    )


INTERACTION = (1.0, -1.0, -1.0, 1.0)


def combinations(settings: Settings) -> StudyResult:
    """Interactions of two axes, and a group against the average of all."""
    n, own = settings.sims(4000, 300), estimator(settings.estimator)
    overall = (0.8, -0.2, -0.2, -0.2, -0.2)
    designs: dict[str, tuple[Draw, tuple[float, float]]] = {
        "interaction, 20 × 12 a cell": (
            lambda rng: combination_cells(rng, World(20, (12,) * 4), INTERACTION),
            NEAR,
        ),
        "interaction, 9 × 8 a cell": (
            lambda rng: combination_cells(rng, World(9, (8,) * 4), INTERACTION),
            BELOW,
        ),
        "group against the average of 5, 9 × 12": (
            lambda rng: combination_cells(rng, World(9, (12,) * 5), overall),
            BELOW,
        ),
    }
    checks = [null_rate(label, settings, own, draw, (n, claim)) for label, (draw, claim) in designs.items()]
    return StudyResult(
        "Where two axes do not interact, and where a group is like the average, the test calls a "
        "difference about 1 time in 20.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def flips(settings: Settings) -> StudyResult:
    """The sign-flip test, whole clusters at a time."""
    n = settings.sims(20000, 1000)
    checks = []
    for label, clusters, sizes in (
        ("10 clusters, all patterns", 10, "equal"),
        ("20 clusters of 1 to 8 answers, all patterns", 20, "unequal"),
        ("40 clusters of 1 to 8 answers, drawn patterns", 40, "unequal"),
        ("20 clusters of choices, plus or minus 1", 20, "choices"),
    ):
        rng = settings.rng("flips", label)

        def once(clusters: int = clusters, sizes: str = sizes, rng: np.random.Generator = rng) -> bool:
            answers = rng.integers(1, 9, clusters) if sizes == "unequal" else np.full(clusters, 3)
            codes = np.repeat(np.arange(clusters), answers)
            values = rng.standard_normal(clusters)[codes] + rng.standard_normal(codes.size)
            if sizes == "choices":
                values = np.where(values > 0.0, 1.0, -1.0)
            found = sign_flip(values, codes, rng, resamples=999)
            return not isinstance(found, Undefined) and found.p <= ALPHA

        checks.append(rate_check(label, count(n, once), n, (0.0, ALPHA)))
    return StudyResult(
        "Where differences are symmetric about 0, flipping whole clusters calls a difference at "
        "most 1 time in 20, whatever their sizes.",
        AXIS,
        tuple(checks),
        ALPHA,
    )


def null_study(
    settings: Settings,
    designs: dict[str, tuple[World, tuple[float, float]]],
    draw: Callable[[np.random.Generator, World], Cells],
    claim: str,
    full: int = 5000,
) -> StudyResult:
    """Rejection rates of several designs."""
    own = estimator(settings.estimator)
    n = settings.sims(full, full // 15)
    checks = [
        null_rate(label, settings, own, world_draw(draw, world), (n, expected))
        for label, (world, expected) in designs.items()
    ]
    return StudyResult(claim, AXIS, tuple(checks), ALPHA)


def world_draw(draw: Callable[[np.random.Generator, World], Cells], world: World) -> Draw:
    """Cells of one world."""
    return lambda rng: draw(rng, world)


def null_rate(
    label: str,
    settings: Settings,
    own: Estimator,
    draw: Draw,
    expected: tuple[int, tuple[float, float]],
    alpha: float = ALPHA,
) -> Check:
    """The share of null worlds in which the estimator's p-value lies below alpha."""
    n, claim = expected
    rng = settings.rng("null", label)
    return rate_check(label, count(n, lambda: rejects(own, draw(rng), alpha)), n, claim)


def rejects(own: Estimator, cells: Cells, alpha: float = ALPHA) -> bool:
    """Whether the estimator calls a difference; where it is undefined it does not."""
    found = own.contrast(cells)
    return isinstance(found, Contrast) and found.p_value() < alpha
