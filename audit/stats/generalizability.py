"""How far the order, or the level, of the groups would survive other templates, names and samples.

Two questions. Would another draw rank the groups alike (`e_rho2`)? Would it give each the same value (`phi`)?
And what it takes to reach a reliability of .8, or the reason why nothing does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import SINGLE_PRECISION, Undefined, as_floats, check_fraction
from audit.stats.planning import MOST, Needed, smallest
from audit.stats.variance_components import VarianceComponents

SMALLEST_GROUPS = 3
"""Groups needed for the agreement of templates on a profile."""


@dataclass(frozen=True)
class Facets:
    """How much is averaged over.

    Parameters
    ----------
    templates : int
        Templates, >= 1.
    names : int
        Names for each group, >= 1; 1 where the study did not tell names apart (the cell is then what it was).
    samples : int
        Samples for each cell, >= 1; 1 where the study did not tell them apart.

    Raises
    ------
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> Facets(20, names=10).samples
    1
    """

    templates: int
    names: int = 1
    samples: int = 1

    def __post_init__(self) -> None:
        if min(self.templates, self.names, self.samples) < 1:
            raise ValueError(f"numbers must be at least 1: {self}")


@dataclass(frozen=True)
class NeededTogether:
    """Templates and names that reach a target together, in the study's proportion, or why none do.

    Parameters
    ----------
    templates, names : int or None
        Both None where no numbers suffice.
    reason : str
        Empty where there are numbers.

    Examples
    --------
    >>> NeededTogether(24, 12, "").names
    12
    """

    templates: int | None
    names: int | None
    reason: str


@dataclass(frozen=True)
class DStudy:
    """Reliability of a design, and what a better one takes.

    Parameters
    ----------
    e_rho2, phi : float
        Reliability of the groups' order and of their level, in [0, 1]; see `e_rho2` and `phi`.
    target : float
        The `e_rho2` to reach, in (0, 1).
    templates, names, samples : Needed
        Smallest number that reaches it, the other two as they are.
    together : NeededTogether
        Templates and names in the design's proportion.

    Examples
    --------
    >>> found = VarianceComponents(1.0, 0.5, 2.0, None, None, 4.0, {})
    >>> study = d_study(found, Facets(10, samples=4))
    >>> round(study.e_rho2, 3), study.templates.n, study.samples.n
    (0.769, 12, 8)
    """

    e_rho2: float
    phi: float
    target: float
    templates: Needed
    names: Needed
    samples: Needed
    together: NeededTogether


def relative_error(parts: VarianceComponents, facets: Facets) -> float:
    """Variance of a group's mean that disturbs the order of groups.

    Parameters
    ----------
    parts : VarianceComponents
        Of the study, score units squared.
    facets : Facets
        What is averaged over.

    Returns
    -------
    float
        s2_gt / T + s2_n / N + s2_gs / S + s2_e / (T N) + s2_s / (T N S), score units squared, >= 0; a
        component that is None does not enter. Names belong to their group, so that they disturb its mean.

    Raises
    ------
    ValueError
        If names or samples other than 1 are asked of a study that did not tell them apart.

    Notes
    -----
    Source: MEASURES 7.12; Brennan (2001), chapters 3 and 5. There s2_e is what is left in one answer, here
    s2_s; with names told apart and one sample a cell, s2_e / (T N S) is s2_e / (T N).

    Examples
    --------
    >>> relative_error(VarianceComponents(1.0, 0.5, 2.0, None, None, 5.0, {}), Facets(10, samples=4))
    0.325
    """
    if facets.names > 1 and parts.s2_name is None:
        raise ValueError("the study did not tell names apart; what more names would do is not known")
    if facets.samples > 1 and parts.s2_sample is None and parts.s2_group_sample is None:
        raise ValueError("the study did not tell samples apart; what more samples would do is not known")
    return _relative(parts, float(facets.templates), float(facets.names), float(facets.samples))


def e_rho2(parts: VarianceComponents, facets: Facets) -> float | Undefined:
    """Reliability of the groups' order: the expected squared correlation with their true order.

    Parameters
    ----------
    parts : VarianceComponents
        Of the study.
    facets : Facets
        What is averaged over.

    Returns
    -------
    float or Undefined
        s2_g / (s2_g + relative error), in [0, 1]; 0 means that the profile is noise. Undefined for a table of
        one group, and where groups and error both have no variance.

    Raises
    ------
    ValueError
        As `relative_error`.

    Notes
    -----
    Source: MEASURES 7.12; Cronbach, Gleser, Nanda and Rajaratnam (1972).

    Examples
    --------
    >>> round(e_rho2(VarianceComponents(1.0, 0.5, 2.0, None, None, 4.0, {}), Facets(10, samples=4)), 4)
    0.7692
    """
    return _share(parts, relative_error(parts, facets))


def phi(parts: VarianceComponents, facets: Facets) -> float | Undefined:
    """Reliability of the groups' level: as `e_rho2`, with what moves all groups alike counted as error.

    Parameters
    ----------
    parts : VarianceComponents
        Of the study.
    facets : Facets
        What is averaged over.

    Returns
    -------
    float or Undefined
        s2_g / (s2_g + relative error + s2_t / T), in [0, 1], never above `e_rho2`. Undefined as there.

    Raises
    ------
    ValueError
        As `relative_error`.

    Notes
    -----
    Source: MEASURES 7.12; Brennan and Kane (1977). Names and samples have no main effect beyond the group's
    or the cell's: both are nested, and are in the relative error.

    Examples
    --------
    >>> round(phi(VarianceComponents(1.0, 0.5, 2.0, None, None, 4.0, {}), Facets(10, samples=4)), 4)
    0.7407
    """
    return _share(parts, relative_error(parts, facets) + (parts.s2_template or 0.0) / facets.templates)


def d_study(parts: VarianceComponents, facets: Facets, target: float = 0.8) -> DStudy | Undefined:
    """What reliability a design has, and the smallest one that reaches a target.

    Parameters
    ----------
    parts : VarianceComponents
        Of the study.
    facets : Facets
        The design to start from.
    target : float
        The `e_rho2` to reach, in (0, 1).

    Returns
    -------
    DStudy or Undefined
        Numbers are totals, not additions. Undefined as `e_rho2`.

    Raises
    ------
    ValueError
        As `relative_error`, or if `target` is not in (0, 1).

    Notes
    -----
    Source: MEASURES 7.12; decision studies after Cronbach et al. (1972). Estimates of variance are themselves
    uncertain: read the numbers as orders of magnitude.

    Examples
    --------
    >>> study = d_study(VarianceComponents(1.0, 0.5, 2.0, 0.2, 4.0, None, {}), Facets(5, 10))
    >>> study.templates.n, study.together.templates, study.together.names
    (11, 10, 20)
    >>> study.names.reason
    'no number of names suffices: 5 templates alone leave a reliability of 0.714'
    """
    check_fraction("target", target)
    order, level = e_rho2(parts, facets), phi(parts, facets)
    if isinstance(order, Undefined):
        return order
    if isinstance(level, Undefined):
        return level
    t, n, s = facets.templates, facets.names, facets.samples

    def reached(templates: float, names: float, samples: float) -> float:
        found = _share(parts, _relative(parts, templates, names, samples))
        return found if isinstance(found, float) else 0.0

    def needed(what: str, given: str, told_apart: bool, reliability: Callable[[float], float]) -> Needed:
        if parts.s2_group == 0.0:
            return Needed(None, "groups show no variance of their own: nothing can be told apart")
        if not told_apart:
            return Needed(None, f"the study did not tell {what} apart")
        count = smallest(lambda number: reliability(number) >= target, start=1)
        if count is not None:
            return Needed(count, "")
        most = reliability(math.inf)
        if most >= target:
            return Needed(None, f"more than {MOST:,} {what} would be needed")
        return Needed(None, f"no number of {what} suffices: {given} alone leave a reliability of {most:.3g}")

    by_name = parts.s2_name is not None
    by_sample = parts.s2_sample is not None or parts.s2_group_sample is not None
    templates, names, samples = _count(t, "template"), _count(n, "name"), _count(s, "sample")
    beside_templates = " and ".join([names] * by_name + [samples] * by_sample)
    beside_names = " and ".join([templates] + [samples] * by_sample)
    beside_samples = " and ".join([templates] + [names] * by_name)
    return DStudy(
        e_rho2=order,
        phi=level,
        target=target,
        templates=needed("templates", beside_templates, True, lambda number: reached(number, n, s)),
        names=needed("names", beside_names, by_name, lambda number: reached(t, number, s)),
        samples=needed("samples", beside_samples, by_sample, lambda number: reached(t, n, number)),
        together=_together(
            needed(
                "templates and names",
                samples,
                by_name,
                lambda number: reached(number, _matching(number, n / t), s),
            ),
            n / t,
        ),
    )


def cronbach_alpha(values: npt.ArrayLike) -> float | Undefined:
    """Agreement of templates on the groups' profile.

    Parameters
    ----------
    values : array_like, shape (G, T)
        Effect (or mean score) of each group in each template, any unit.

    Returns
    -------
    float or Undefined
        T / (T - 1) (1 - sum of templates' variances / variance of their sum), at most 1; 0 means that
        templates agree no more than by chance, below 0 that they contradict one another. Undefined with fewer
        than 3 groups or 2 templates, with a cell missing, or where groups' means do not differ.

    Raises
    ------
    ValueError
        If the table is not two-dimensional or holds an infinite value.

    Notes
    -----
    Source: Cronbach (1951), Psychometrika 16, 297-334. Equals `e_rho2` of the same table (axes GT) before
    components are held at 0 (Hoyt 1941).

    Examples
    --------
    >>> round(cronbach_alpha([[1.0, 2.0, 3.0], [2.0, 4.0, 3.0], [6.0, 6.0, 9.0]]), 4)
    0.9524
    """
    cells = as_floats("values", values, 2)
    n_groups, n_templates = cells.shape
    if n_groups < SMALLEST_GROUPS:
        return Undefined(f"{n_groups} group(s); at least {SMALLEST_GROUPS} are needed")
    if n_templates < 2:
        return Undefined(f"{n_templates} template(s); at least 2 are needed")
    if np.isnan(cells).any():
        return Undefined(f"{int(np.isnan(cells).sum())} of {cells.size} cells are missing")
    totals = cells.sum(axis=1)
    if float(np.ptp(totals)) <= SINGLE_PRECISION * n_templates * float(np.abs(cells).max()):
        return Undefined("groups' means do not differ")
    apart = float(cells.var(axis=0, ddof=1).sum()) / float(totals.var(ddof=1))
    return float(n_templates / (n_templates - 1) * (1.0 - apart))


def _relative(parts: VarianceComponents, templates: float, names: float, samples: float) -> float:
    terms = (
        (parts.s2_group_template, templates),
        (parts.s2_name, names),
        (parts.s2_group_sample, samples),
        (parts.s2_residual, templates * names),
        (parts.s2_sample, templates * names * samples),
    )
    return sum(part / number for part, number in terms if part is not None)


def _share(parts: VarianceComponents, error: float) -> float | Undefined:
    if parts.s2_group is None:
        return Undefined("the table is of one group")
    total = parts.s2_group + error
    return parts.s2_group / total if total > 0.0 else Undefined("neither groups nor errors show any variance")


def _matching(templates: float, ratio: float) -> float:
    """Names that keep the proportion, rounded up."""
    # A product such as 10 * (1 / 10) must not be rounded up to 2.
    return float(math.ceil(templates * ratio * (1.0 - 1e-12))) if math.isfinite(templates) else math.inf


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _together(needed: Needed, ratio: float) -> NeededTogether:
    if needed.n is None:
        return NeededTogether(None, None, needed.reason)
    return NeededTogether(needed.n, int(_matching(needed.n, ratio)), "")
