"""Scores whose truth is known: drawn from the crossed model of templates and terms (MEASURES 7.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from audit.analysis.estimates import Cells
from audit.stats.design import DesignSds
from audit.stats.estimate import Floats

USUAL = DesignSds(template=0.3, term=0.3, residual=1.0)
"""Spreads at which counting rows as independent calls one audit of three of a blameless model biased."""


@dataclass(frozen=True)
class World:
    """A design with its spreads and its true difference.

    Attributes
    ----------
    templates, wordings : int
        Paraphrase families, and templates in each; the wordings of a family share its effect.
    terms : tuple of int
        Terms of each group; or, where differences are drawn, levels of the second factor.
    sds : DesignSds
        As in ``audit.stats.design``.
    gaps : float
        Share of the cells that are missing at random.
    binary : bool
        Scores are 0 and 1: whether the normal score exceeds 0.
    effect : float
        True difference, score units (before they become 0 and 1).
    """

    templates: int = 20
    terms: tuple[int, ...] = (20, 20)
    sds: DesignSds = USUAL
    wordings: int = 1
    gaps: float = 0.0
    binary: bool = False
    effect: float = 0.0

    def at(self, effect: float) -> World:
        """The same world with another true difference."""
        return replace(self, effect=effect)


def nested_cells(rng: np.random.Generator, world: World) -> Cells:
    """Two groups of terms; template effects are drawn anew in each group."""
    first, second = (
        group_scores(rng, world, size, shift)
        for size, shift in zip(world.terms, (world.effect, 0.0), strict=True)
    )
    return Cells("nested", framed(first, "a"), framed(second, "b"), families_of(world))


def crossed_cells(rng: np.random.Generator, world: World) -> Cells:
    """Paired differences over templates and a second random factor."""
    return Cells(
        "crossed", framed(group_scores(rng, world, world.terms[0], world.effect)), None, families_of(world)
    )


def single_cells(rng: np.random.Generator, world: World, heavy: bool = False) -> Cells:
    """One paired difference a template; `heavy`: Student's t with 3 degrees of freedom."""
    rows = world.templates * world.wordings
    noise = rng.standard_t(3, rows) / np.sqrt(3.0) if heavy else rng.standard_normal(rows)
    own = np.repeat(world.sds.template * rng.standard_normal(world.templates), world.wordings)
    values = own + world.sds.residual * noise + world.effect
    return Cells("single", framed(values[:, None]), None, families_of(world))


def combination_cells(rng: np.random.Generator, world: World, coefficients: tuple[float, ...]) -> Cells:
    """Several groups of terms with a coefficient each; the first is shifted by the effect over its own."""
    tables = [
        group_scores(rng, world, size, world.effect / coefficients[0] if place == 0 else 0.0)
        for place, size in enumerate(world.terms)
    ]
    blocks = tuple(zip(coefficients, world.terms, strict=True))
    return Cells("combination", framed(np.concatenate(tables, axis=1)), None, families_of(world), blocks)


def family_cells(rng: np.random.Generator, world: World, effects: tuple[float, ...]) -> list[Cells]:
    """Several groups against one reference: contrasts that share templates and the reference's terms."""
    reference = framed(group_scores(rng, world, world.terms[1], 0.0), "reference")
    families = families_of(world)
    return [
        Cells(
            "nested",
            framed(group_scores(rng, world, world.terms[0], effect), f"g{number}"),
            reference,
            families,
        )
        for number, effect in enumerate(effects)
    ]


def each_against_rest(rng: np.random.Generator, world: World, effects: tuple[float, ...]) -> list[Cells]:
    """Each of several groups of one term against the mean of the others, over templates and answer pairs."""
    means = np.stack([group_scores(rng, world, world.terms[0], effect) for effect in effects])
    total, others = means.sum(axis=0), len(effects) - 1
    families = families_of(world)
    return [Cells("crossed", framed(own - (total - own) / others), None, families) for own in means]


def group_scores(rng: np.random.Generator, world: World, size: int, shift: float) -> Floats:
    """Scores of one group, shape (templates * wordings, size); NaN where missing."""
    rows = world.templates * world.wordings
    scores: Floats = world.sds.residual * rng.standard_normal((rows, size)) + shift
    scores += np.repeat(world.sds.template * rng.standard_normal((world.templates, 1)), world.wordings, 0)
    scores += world.sds.term * rng.standard_normal((1, size))
    if world.binary:
        scores = (scores > 0.0).astype(np.float64)
    if world.gaps > 0.0:
        scores = np.where(rng.random(scores.shape) < world.gaps, np.nan, scores)
    return scores


def framed(values: Floats, prefix: str = "k") -> pd.DataFrame:
    """Scores with names."""
    rows, columns = values.shape
    return pd.DataFrame(values, index=names("t", rows), columns=names(prefix, columns))


@cache
def names(prefix: str, size: int) -> pd.Index[str]:
    """``prefix`` with a number."""
    return pd.Index([f"{prefix}{number}" for number in range(size)])


def families_of(world: World) -> pd.Series[str]:
    """Which templates are wordings of one another."""
    return _families(world.templates, world.wordings)


@cache
def _families(templates: int, wordings: int) -> pd.Series[str]:
    labels = [f"f{number // wordings}" for number in range(templates * wordings)]
    return pd.Series(labels, index=names("t", templates * wordings))
