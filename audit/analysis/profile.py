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

from audit.analysis.controls import generator
from audit.analysis.estimates import Comparer, answer_units
from audit.analysis.found import Setting, known
from audit.hypotheses import OVERALL, REST, Hypothesis
from audit.stats.estimate import Contrast, Floats, Undefined, sum_of_squares
from audit.stats.generalizability import Facets, cronbach_alpha, d_study
from audit.stats.shrinkage import shrink
from audit.stats.split_half import split_half
from audit.stats.variance_components import VarianceComponents, components

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
        rest_covariance(errors) if family[0].reference in (REST, OVERALL) else shared_covariance(errors),
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


def shared_covariance(errors: Floats) -> Floats:
    """Covariance of contrasts of several groups with one reference, from their standard errors.

    Half of each variance is taken to be the reference's, as where all groups are asked alike: taken as
    independent, intervals of 95 % held .63 to .88 of true values.

    Examples
    --------
    >>> shared_covariance(np.array([1.0, 2.0])).tolist()
    [[1.0, 1.0], [1.0, 4.0]]
    """
    count = errors.size
    result: Floats = np.outer(errors, errors) * (np.eye(count) + np.ones((count, count))) / 2.0
    return result


def reliability_record(probes: Comparer, rng: np.random.Generator) -> dict[str, Any] | Undefined:
    """How far the order of the groups would stand with other templates and terms (generalizability theory).

    ``coefficient`` is E rho^2, 0 to 1, and ``needed`` the D-study: what would bring it to .8. Split-half
    reliability and alpha vary templates alone; they are given only where nothing else was sampled.
    """
    tables = group_tables(probes)
    if isinstance(tables, Undefined):
        return tables
    cells, axes, facets = tables
    parts = answer_components(cells) if axes == "GTA" else components(cells, axes)
    if isinstance(parts, Undefined):
        return parts
    study = d_study(parts, facets, RELIABILITY)
    if isinstance(study, Undefined):
        return study
    halves = split_half(cells, rng) if axes == "GT" else Undefined("more than templates was sampled")
    return {
        "coefficient": study.e_rho2,
        "phi": study.phi if axes != "GTA" else None,
        "templates": facets.templates,
        "terms": facets.names,
        "answers": facets.samples,
        "target": study.target,
        "needed": {
            "templates": asdict(study.templates),
            "terms": asdict(study.names) if axes == "GTN" else None,
            "answers": asdict(study.samples) if axes == "GTA" else None,
            "together": asdict(study.together) if axes == "GTN" else None,
        },
        "components": variances(parts),
        "split_half": None if isinstance(halves, Undefined) else asdict(halves),
        "alpha": known(cronbach_alpha(cells)) if axes == "GT" else None,
    }


def answer_components(cells: Floats) -> VarianceComponents | Undefined:
    """Components of groups by templates by answer pairs, all crossed, one mean score a cell.

    What templates and pairs do to all groups alike leaves their order as it is, and is not told.

    Parameters
    ----------
    cells : ndarray, shape (G, T, K)
        Scores; Undefined where one is missing.

    Notes
    -----
    Expected mean squares of a crossed design, with gt, gk and e the interactions with groups:
    MS_G = e + K gt + T gk + T K g, MS_GT = e + K gt, MS_GK = e + T gk, MS_GTK = e. Source: Brennan (2001),
    Generalizability Theory, chapter 3.
    """
    if np.isnan(cells).any() or min(cells.shape) < 2:
        return Undefined("a group was not scored everywhere")
    groups, templates, answers = cells.shape
    by_template, by_answer = cells.mean(axis=2), cells.mean(axis=1)
    mean, group = cells.mean(axis=(1, 2)), cells.mean(axis=(1, 2))[:, None]
    with_template = by_template - group - by_template.mean(axis=0) + mean.mean()
    with_answer = by_answer - group - by_answer.mean(axis=0) + mean.mean()
    rest = cells - cells.mean(axis=0) - group[:, :, None] + mean.mean()
    rest = rest - with_template[:, :, None] - with_answer[:, None, :]
    freedom = groups - 1
    ms_e = sum_of_squares(rest) / (freedom * (templates - 1) * (answers - 1))
    ms_t = answers * sum_of_squares(with_template) / (freedom * (templates - 1))
    ms_k = templates * sum_of_squares(with_answer) / (freedom * (answers - 1))
    ms_g = templates * answers * float(mean.var(ddof=1))
    raw = {
        "s2_group": (ms_g - ms_t - ms_k + ms_e) / (templates * answers),
        "s2_group_template": (ms_t - ms_e) / answers,
        "s2_group_sample": (ms_k - ms_e) / templates,
        "s2_sample": ms_e,
    }
    kept = {name: max(value, 0.0) for name, value in raw.items()}
    unknown = dict.fromkeys(("s2_template", "s2_name", "s2_residual"))
    return VarianceComponents(raw=raw, **unknown, **kept)


def variances(parts: VarianceComponents) -> dict[str, float]:
    """The components that the table could tell, unit squared, not below 0."""
    return {
        name: value
        for name, value in asdict(parts).items()
        if name.startswith("s2_") and isinstance(value, float)
    }


def group_tables(probes: Comparer) -> tuple[Floats, Any, Facets] | Undefined:
    """Mean scores by group and template family, and by what else was sampled: terms, or answer pairs.

    The second value names the axes: "GT", "GTN" (names of each group) or "GTA" (the same answers for all).
    """
    frame = probes.frame[probes.frame["value"].notna()]
    groups = list(dict.fromkeys(probes.frame["group"]))
    if len(groups) < SMALLEST_PROFILE:
        return Undefined(f"{len(groups)} groups; {SMALLEST_PROFILE} are needed")
    if probes.layout == "paired":
        return Undefined("terms are matched across groups, whose reliability is not told here")
    families = list(dict.fromkeys(probes.frame["family"]))
    if probes.layout == "fixed":
        column = answer_units(probes.frame)
        columns = {group: list(dict.fromkeys(probes.frame[column])) for group in groups}
    else:
        terms = probes.frame.groupby("group")["term"].unique()
        if terms.map(len).nunique() > 1:
            return Undefined("the groups have different numbers of terms")
        column, columns = "term", {group: list(terms[group]) for group in groups}
    cells = np.stack([group_table(frame, group, families, (column, columns[group])) for group in groups])
    count = int(cells.shape[2])
    if probes.layout != "fixed":
        return cells, "GTN", Facets(templates=len(families), names=count)
    if count == 1:
        return cells[:, :, 0], "GT", Facets(templates=len(families))
    return cells, "GTA", Facets(templates=len(families), samples=count)


def group_table(
    frame: pd.DataFrame, group: str, families: Sequence[str], columns: tuple[str, Sequence[str]]
) -> Floats:
    """One group's mean scores by family and by one more column; NaN where nothing was scored."""
    name, wanted = columns
    own = frame[frame["group"] == group].groupby(["family", name])["value"].mean().unstack(name)
    result: Floats = own.reindex(index=list(families), columns=list(wanted)).to_numpy(dtype=float)
    return result
