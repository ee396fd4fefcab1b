"""The groups of a family side by side: how surely they can be told apart, and in what order.

No verdict rests on this. A table of many groups invites a ranking; shrinkage and reliability say how little
of it may be left when other templates or terms are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from audit.controls import generator
from audit.estimates import Comparer
from audit.found import Setting, known
from audit.hypotheses import OVERALL, REST, Hypothesis
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.generalizability import Facets, cronbach_alpha, d_study
from audit.stats.shrinkage import shrink
from audit.stats.split_half import split_half
from audit.stats.variance_components import Axes, VarianceComponents, components

SMALLEST_PROFILE = 3
"""Groups that can be ranked at all."""
RELIABILITY = 0.8
"""The generalizability coefficient that a design is planned for."""


def profile(
    family: Sequence[Hypothesis],
    probes: Comparer,
    contrasts: Sequence[Contrast | Undefined],
    setting: Setting,
) -> dict[str, Any]:
    """Shrunken estimates with ranks, and reliability; None with a reason where they do not exist."""
    rng = generator(setting.seed, "profile", family[0].family)
    shrunken = shrinkage_record(family, contrasts, rng, 1 - setting.alpha)
    reliability = reliability_record(probes, rng)
    return {
        "shrinkage": None if isinstance(shrunken, Undefined) else shrunken,
        "shrinkage_undefined": shrunken.reason if isinstance(shrunken, Undefined) else "",
        "reliability": None if isinstance(reliability, Undefined) else reliability,
        "reliability_undefined": reliability.reason if isinstance(reliability, Undefined) else "",
    }


def shrinkage_record(
    family: Sequence[Hypothesis],
    contrasts: Sequence[Contrast | Undefined],
    rng: np.random.Generator,
    level: float,
) -> dict[str, Any] | Undefined:
    """Raw and shrunken estimates of the groups, with the probability of their rank."""
    there = [
        (hypothesis.group, contrast)
        for hypothesis, contrast in zip(family, contrasts, strict=True)
        if isinstance(contrast, Contrast)
    ]
    if len(there) < SMALLEST_PROFILE:
        return Undefined(f"{len(there)} contrast(s) in the family; {SMALLEST_PROFILE} are needed")
    errors = np.array([contrast.se for _, contrast in there])
    if not errors.all():
        return Undefined("an estimate shows no spread, so its error is not known")
    found = shrink(
        [group for group, _ in there],
        [contrast.estimate for _, contrast in there],
        rest_covariance(errors) if family[0].reference in (REST, OVERALL) else errors,
        rng,
        level=level,
    )
    if isinstance(found, Undefined):
        return found
    return {
        "mean": found.mu,
        "sd_between": float(np.sqrt(found.tau2)),
        "level": found.level,
        "groups": [asdict(row) for row in found.groups],
    }


def rest_covariance(errors: Floats) -> Floats:
    """Covariance of contrasts of each of G groups with the mean of the others, from their standard errors.

    The groups' own errors v are taken to be independent, so that se_g^2 = v_g + sum of the others' v over
    (G - 1)^2, which is solved for v; a v below 0 is held at 0.

    Parameters
    ----------
    errors : ndarray, shape (G,)
        Standard errors, score units.

    Examples
    --------
    >>> rest_covariance(np.array([1.0, 1.0, 1.0])).round(3).tolist()
    [[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [-0.5, -0.5, 1.0]]
    """
    count = errors.size
    share = 1.0 / (count - 1) ** 2
    system = np.full((count, count), share) + (1.0 - share) * np.eye(count)
    own = np.maximum(np.linalg.solve(system, errors**2), 0.0)
    contrast = (1.0 + 1.0 / (count - 1)) * np.eye(count) - 1.0 / (count - 1)
    covariance = contrast @ np.diag(own) @ contrast.T
    # Holding a v at 0 moves the diagonal: scale back to the standard errors that were estimated.
    scale = errors / np.sqrt(np.diag(covariance))
    result: Floats = covariance * np.outer(scale, scale)
    return result


def reliability_record(probes: Comparer, rng: np.random.Generator) -> dict[str, Any] | Undefined:
    """How far the order of the groups would stand with other templates and terms (generalizability theory).

    ``coefficient`` is E rho^2, 0 to 1, and ``needed`` the D-study: what would bring it to .8.
    """
    tables = group_tables(probes)
    if isinstance(tables, Undefined):
        return tables
    cells, axes, facets = tables
    parts = components(cells, axes)
    if isinstance(parts, Undefined):
        return parts
    study = d_study(parts, facets, RELIABILITY)
    if isinstance(study, Undefined):
        return study
    by_template = cells if axes == "GT" else cells.mean(axis=2)
    halves = split_half(by_template, rng)
    return {
        "coefficient": study.e_rho2,
        "phi": study.phi,
        "templates": facets.templates,
        "terms": facets.names,
        "target": study.target,
        "needed": {
            "templates": asdict(study.templates),
            "terms": asdict(study.names) if axes == "GTN" else None,
            "together": asdict(study.together) if axes == "GTN" else None,
        },
        "components": variances(parts),
        "split_half": None if isinstance(halves, Undefined) else asdict(halves),
        "alpha": known(cronbach_alpha(by_template)),
    }


def variances(parts: VarianceComponents) -> dict[str, float]:
    """The components that the table could tell, unit squared, not below 0."""
    return {
        name: value
        for name, value in asdict(parts).items()
        if name.startswith("s2_") and isinstance(value, float)
    }


def group_tables(probes: Comparer) -> tuple[Floats, Axes, Facets] | Undefined:
    """Mean scores by group and template family, and by term where groups have terms of their own."""
    frame = probes.frame[probes.frame["value"].notna()]
    groups = list(dict.fromkeys(probes.frame["group"]))
    if len(groups) < SMALLEST_PROFILE:
        return Undefined(f"{len(groups)} groups; {SMALLEST_PROFILE} are needed")
    families = list(dict.fromkeys(probes.frame["family"]))
    if probes.layout == "fixed":
        table = frame.groupby(["group", "family"])["value"].mean().unstack("family")
        cells = table.reindex(index=groups, columns=families).to_numpy(dtype=float)
        return cells, "GT", Facets(templates=len(families))
    terms = probes.frame.groupby("group")["term"].unique()
    if terms.map(len).nunique() > 1:
        return Undefined("the groups have different numbers of terms")
    tables: list[pd.DataFrame] = []
    for group in groups:
        own = frame[frame["group"] == group].groupby(["family", "term"])["value"].mean().unstack("term")
        tables.append(own.reindex(index=families, columns=list(terms[group])))
    cells = np.stack([table.to_numpy(dtype=float) for table in tables])
    return cells, "GTN", Facets(templates=len(families), names=len(terms.iloc[0]))
