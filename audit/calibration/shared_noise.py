"""Shared sampling noise: whether tests and intervals hold where matched prompts share their luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audit.analysis.controls import control_row, with_correction
from audit.analysis.estimates import Cells
from audit.calibration.coverage import LEVEL
from audit.calibration.estimators import ALPHA, Estimator, estimator
from audit.calibration.family_wise import any_false
from audit.calibration.study import Check, Settings, StudyResult, count, rate_check
from audit.calibration.worlds import World, families_of, framed, group_scores
from audit.stats.design import DesignSds
from audit.stats.estimate import Contrast, Floats
from audit.verdict import CONTROL_ALPHA

EFFECT = 0.3
COUPLED = 0.7
"""Correlation of the noise of prompts that share it: far more than text of a real model shows."""
SPREADS = DesignSds(template=0.3, term=0.3, residual=0.3)
NOISE_SD = 1.0
"""Of one prompt's mean score by sampling alone."""
NEAR = (0.035, 0.06)
BELOW = (0.0, 0.055)
"""Of layouts in which what is shared makes the test cautious, or the design does."""

GROUPS = 6
"""Of one family."""
FIXED = DesignSds(0.3, 0.0, 0.3)
"""Where each group is one term."""
FEW = (0.0, 0.012)
"""Families in which the A/A control, at .01, raises an alarm by luck."""

Draw = Callable[[np.random.Generator, float], Cells]


@dataclass(frozen=True)
class Layout:
    """How the cells of a world are drawn, and the range that its error rate is to lie in."""

    draw: Draw
    claim: tuple[float, float]


def noise(rng: np.random.Generator, shapes: tuple[tuple[int, int], ...], whole: bool = False) -> list[Floats]:
    """Sampling noise of several groups, each (templates, terms): that of one place, or one template, coupled.

    Each group's own noise has the same distribution as without sharing: only their dependence differs.
    """
    templates, widest = shapes[0][0], max(terms for _, terms in shapes)
    common = rng.standard_normal((templates, 1 if whole else widest))
    own, shared = np.sqrt(1.0 - COUPLED), np.sqrt(COUPLED)
    return [
        NOISE_SD * (own * rng.standard_normal(shape) + shared * common[:, : 1 if whole else shape[1]])
        for shape in shapes
    ]


def two_groups(world: World, whole: bool = False) -> Draw:
    """Groups with terms of their own, matched by their number."""

    def draw(rng: np.random.Generator, effect: float) -> Cells:
        shapes = tuple((world.templates, size) for size in world.terms)
        first, second = (
            group_scores(rng, world, size, shift) + luck
            for size, shift, luck in zip(world.terms, (effect, 0.0), noise(rng, shapes, whole), strict=True)
        )
        return Cells("nested", framed(first, "a"), framed(second, "b"), families_of(world))

    return draw


def pairs(world: World) -> Draw:
    """Pairs of terms, matched by their pair."""

    def draw(rng: np.random.Generator, effect: float) -> Cells:
        one, other = noise(rng, ((world.templates, world.terms[0]),) * 2)
        differences = group_scores(rng, world, world.terms[0], effect) + one - other
        return Cells("crossed", framed(differences), None, families_of(world))

    return draw


def each_against_rest(world: World, groups: int) -> Draw:
    """Groups of one term, all of which share what a template has."""

    def draw(rng: np.random.Generator, effect: float) -> Cells:
        own, *others = noise(rng, ((world.templates, 1),) * groups)
        gap = group_scores(rng, world, 1, effect) + own - np.mean(others, axis=0)
        return Cells("single", framed(gap), None, families_of(world))

    return draw


def layouts() -> dict[str, Layout]:
    """The layouts in use, and a key for whole templates, which audits do not have."""
    fixed = World(12, (1, 1), FIXED)
    return {
        "pairs, 12 × 12": Layout(pairs(World(12, (12,), SPREADS)), NEAR),
        "two groups, 12 × 12": Layout(two_groups(World(12, (12, 12), SPREADS)), BELOW),
        "two groups, 12 × 8 and 20": Layout(two_groups(World(12, (8, 20), SPREADS)), BELOW),
        "each against the rest, 12 templates": Layout(each_against_rest(fixed, 8), NEAR),
        "two groups that share by template, 12 × 12": Layout(
            two_groups(World(12, (12, 12), SPREADS), whole=True), NEAR
        ),
    }


def each_of_family(rng: np.random.Generator) -> list[Cells]:
    """A family of groups of one term, each against the others, none of which differs."""
    world = World(12, (1,), FIXED)
    luck = noise(rng, ((world.templates, 1),) * GROUPS)
    scores = np.stack([group_scores(rng, world, 1, 0.0) + one for one in luck])
    total = scores.sum(axis=0)
    gaps = [own - (total - own) / (GROUPS - 1) for own in scores]
    return [Cells("single", framed(gap), None, families_of(world)) for gap in gaps]


def groups_and_reference(rng: np.random.Generator) -> list[Cells]:
    """A family of groups with terms of their own, against one reference, none of which differs."""
    world = World(12, (8,), SPREADS)
    reference, *others = (
        group_scores(rng, world, 8, 0.0) + one for one in noise(rng, ((world.templates, 8),) * GROUPS)
    )
    against = framed(reference, "reference")
    return [
        Cells("nested", framed(own, f"g{number}"), against, families_of(world))
        for number, own in enumerate(others)
    ]


FAMILIES = {
    "each of 6 groups against the rest": each_of_family,
    "5 groups with terms of their own and a reference": groups_and_reference,
}


def alarms(rng: np.random.Generator) -> bool:
    """Whether even against odd samples, luck alone that groups share in part, raise the alarm of A/A."""
    world = World(12, (8,))
    halves = zip(*(noise(rng, ((world.templates, 8),) * GROUPS) for _ in range(2)), strict=True)
    cells = [Cells("crossed", framed(even - odd), None, families_of(world)) for even, odd in halves]
    rows = with_correction([control_row("", cell, ALPHA) for cell in cells])
    return bool(min(row["p_adjusted"] for row in rows) < CONTROL_ALPHA)


def calls(settings: Settings) -> StudyResult:
    """Tests without a difference, and intervals with one."""
    n, own = settings.sims(3000, 300), estimator(settings.estimator)
    checks: list[Check] = []
    for label, layout in layouts().items():
        false = wrong(settings, own, layout.draw, (label, n))
        checks.append(rate_check(label, false, n, layout.claim))
        missed = wrong(settings, own, layout.draw, (f"{label}, with a difference", n), EFFECT)
        checks.append(rate_check(f"{label}: interval misses the difference", missed, n, layout.claim))
    checks += [
        any_false(f"{label}: any false claim", settings, draw, settings.sims(500, 30))
        for label, draw in FAMILIES.items()
    ]
    often, rng = settings.sims(2000, 100), settings.rng("shared noise", "halves")
    raised = count(often, lambda: alarms(rng))
    checks.append(rate_check("6 groups: alarm of even against odd samples", raised, often, FEW))
    return StudyResult(
        "Where matched prompts share their sampling noise, a difference is called where there is none, and "
        "an interval misses the true one, in about 1 world of 20, and in fewer where groups have terms of "
        "their own: there the interval keeps the width that terms with luck of their own would need. A "
        "family holds a false claim in at most about 1 of 20; its A/A control raises an alarm in 1 of 100.",
        "share of worlds",
        tuple(checks),
        ALPHA,
    )


def wrong(settings: Settings, own: Estimator, draw: Draw, named: tuple[str, int], effect: float = 0.0) -> int:
    """Of so many worlds, those whose 95 % interval misses the true difference."""
    label, n = named
    rng = settings.rng("shared noise", label)
    misses = 0
    for _ in range(n):
        found = own.contrast(draw(rng, effect))
        if isinstance(found, Contrast):
            lo, hi = found.ci(LEVEL)
            misses += not lo <= effect <= hi
    return misses
