"""How many templates and terms a claim needs, before asking and after an inconclusive answer.

More terms never make up for too few templates, nor the reverse: each factor leaves a floor that only its own
number lowers. A plan that cannot reach its target is said to be so, with the floor that stops it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from audit.stats._two_way import Components
from audit.stats.equivalence import minimum_detectable, power_to_detect, power_to_show_within
from audit.stats.estimate import Contrast, check_fraction

Layout = Literal["nested", "crossed", "single"]
Decision = Literal["detect", "within"]

MOST = 1_000_000
"""Largest number of templates or terms that is proposed."""


@dataclass(frozen=True)
class DesignSds:
    """Standard deviations of the random effects, score units.

    What they describe depends on the layout. Nested: effects on a score within one group, so that a
    template's true difference varies with sd sqrt(2) `template`. Crossed and single: effects on a paired
    difference.

    Parameters
    ----------
    template : float
        Template by group (nested), template (crossed, single), >= 0.
    term : float
        Term (nested) or second factor (crossed), >= 0; 0 for single.
    residual : float
        What is left in one cell, >= 0.

    Examples
    --------
    >>> DesignSds(template=0.3, term=0.3, residual=1.0).term
    0.3
    """

    template: float
    term: float
    residual: float

    def __post_init__(self) -> None:
        for name in ("template", "term", "residual"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f"sd of {name} must be finite and not negative, not {value}")


@dataclass(frozen=True)
class Target:
    """What a design is to achieve.

    Parameters
    ----------
    size : float
        "detect": the true difference to be found. "within": the margin to be kept, at a true difference of
        0. Score units, > 0.
    decision : {"detect", "within"}
        A test of difference or a test of equivalence.
    alpha : float
        Its error: two-sided for "detect", of each one-sided test for "within".
    power : float
        Chance of success, in (0, 1).

    Examples
    --------
    >>> Target(0.5).decision
    'detect'
    """

    size: float
    decision: Decision = "detect"
    alpha: float = 0.05
    power: float = 0.8

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size) and self.size > 0.0):
            raise ValueError(f"size must be finite and positive, not {self.size}")
        if self.decision not in ("detect", "within"):
            raise ValueError(f"decision must be 'detect' or 'within', not {self.decision!r}")
        check_fraction("alpha", self.alpha)
        check_fraction("power", self.power)

    def reached(self, se: float, df: float) -> bool:
        """Whether a contrast with this standard error (score units) and df has the power."""
        if self.decision == "within":
            return power_to_show_within(self.size, se, df, self.alpha) >= self.power
        return power_to_detect(self.size, se, df, self.alpha) >= self.power


@dataclass(frozen=True)
class Needed:
    """A number of templates or terms, or the reason why no number suffices.

    Parameters
    ----------
    n : int or None
        The smallest number that suffices.
    reason : str
        Empty where there is a number.

    Examples
    --------
    >>> Needed(24, "").n
    24
    """

    n: int | None
    reason: str


@dataclass(frozen=True)
class DecisionNeed:
    """What an inconclusive contrast needs for a decision with 80 % power, if its estimate is the truth.

    Parameters
    ----------
    templates, terms : int or None
        Templates, and terms for each group (or second-factor levels), to ADD; together they suffice. Of the
        three ways (templates alone, terms alone, both in proportion) the one with the fewest cells. None
        where none suffices.
    decision : {"detect", "within"} or None
        The decision that is reached.
    templates_alone, terms_alone : int or None
        To add if the other number stays; None where no number suffices.
    reason : str
        Why there is no way; empty where there is one.

    Examples
    --------
    >>> DecisionNeed(12, 0, "detect", 12, None, "").templates
    12
    """

    templates: int | None
    terms: int | None
    decision: Decision | None
    templates_alone: int | None
    terms_alone: int | None
    reason: str


def design_se(
    sds: DesignSds, n_templates: int, n_terms1: int, n_terms0: int, layout: Layout
) -> tuple[float, float]:
    """Standard error and degrees of freedom to expect from a design.

    Parameters
    ----------
    sds : DesignSds
        Standard deviations of the random effects, score units.
    n_templates : int
        Templates, >= 2.
    n_terms1, n_terms0 : int
        Nested: terms of each group, >= 2. Crossed: levels of the second factor, the same number twice,
        >= 2. Single: differences averaged within each template, the same number twice, >= 1.
    layout : {"nested", "crossed", "single"}
        As in `audit.stats.contrast`.

    Returns
    -------
    tuple of float
        Standard error, score units, and Satterthwaite's degrees of freedom, >= 1.

    Raises
    ------
    ValueError
        If a number is too small, the two numbers of terms differ outside a nested layout, or a single
        layout is given a term sd.

    Notes
    -----
    Source: MEASURES 7.2 and 7.8, the expectations of the components of `nested` and `crossed`.

    Examples
    --------
    >>> se, df = design_se(DesignSds(0.3, 0.3, 1.0), 20, 20, 20, "nested")
    >>> round(se, 4), round(df, 1)
    (0.1517, 34.1)
    """
    _check_layout(sds, n_templates, n_terms1, n_terms0, layout)
    return _se_df(sds, float(n_templates), float(n_terms1), float(n_terms0), layout)


def design_mde(
    sds: DesignSds, n_templates: int, n_terms1: int, n_terms0: int, layout: Layout, alpha: float = 0.05
) -> float:
    """Smallest true difference that a design finds with 80 % power.

    Parameters
    ----------
    sds, n_templates, n_terms1, n_terms0, layout
        As in `design_se`.
    alpha : float
        Two-sided error, in (0, 1).

    Returns
    -------
    float
        Score units, >= 0; 0 means that any difference is found. Source: MEASURES 7.8.

    Raises
    ------
    ValueError
        As `design_se`.

    Examples
    --------
    >>> round(design_mde(DesignSds(0.3, 0.3, 1.0), 20, 20, 20, "nested"), 3)
    0.437
    """
    return minimum_detectable(*design_se(sds, n_templates, n_terms1, n_terms0, layout), alpha)


def templates_needed(target: Target, sds: DesignSds, n_terms1: int, n_terms0: int, layout: Layout) -> Needed:
    """Fewest templates that reach a target with the terms at hand.

    Parameters
    ----------
    target : Target
        What is to be achieved.
    sds, n_terms1, n_terms0, layout
        As in `design_se`.

    Returns
    -------
    Needed
        At least 2, or None with the reason: the terms alone leave too large a standard error.

    Raises
    ------
    ValueError
        As `design_se`.

    Examples
    --------
    >>> templates_needed(Target(0.5), DesignSds(0.3, 0.3, 1.0), 20, 20, "nested").n
    14
    """
    _check_layout(sds, 2, n_terms1, n_terms0, layout)
    n = _smallest(lambda count: target.reached(*_se_df(sds, count, n_terms1, n_terms0, layout)), start=2)
    if n is not None:
        return Needed(n, "")
    floor, _ = _se_df(sds, MOST, n_terms1, n_terms0, layout)
    return Needed(
        None, f"no number of templates suffices: the terms alone leave a standard error of {floor:.3g}"
    )


def terms_needed(target: Target, sds: DesignSds, n_templates: int, layout: Layout) -> Needed:
    """Fewest terms for each group (or second-factor levels) that reach a target with the templates at hand.

    Parameters
    ----------
    target : Target
        What is to be achieved.
    sds, n_templates, layout
        As in `design_se`. For a single layout the answer is the number of differences averaged in each
        template.

    Returns
    -------
    Needed
        Or None with the reason: the templates alone leave too large a standard error.

    Raises
    ------
    ValueError
        As `design_se`.

    Examples
    --------
    >>> terms_needed(Target(0.5), DesignSds(0.3, 0.3, 1.0), 20, "nested").n
    14
    >>> terms_needed(Target(0.3), DesignSds(0.3, 0.3, 1.0), 10, "nested").reason
    'no number of terms suffices: the templates alone leave a standard error of 0.134'
    """
    start = 1 if layout == "single" else 2
    _check_layout(sds, n_templates, start, start, layout)
    n = _smallest(lambda count: target.reached(*_se_df(sds, n_templates, count, count, layout)), start=start)
    if n is not None:
        return Needed(n, "")
    floor, _ = _se_df(sds, n_templates, MOST, MOST, layout)
    return Needed(
        None, f"no number of terms suffices: the templates alone leave a standard error of {floor:.3g}"
    )


def needed_for_decision(
    contrast: Contrast, margin: float, alpha: float, layout: Layout, *, detect_alpha: float | None = None
) -> DecisionNeed:
    """What an inconclusive contrast needs for a decision, if its estimate is the true difference.

    A decision is a difference found (test of difference at `alpha`) or shown to be small (equivalence test
    at `alpha`), either with 80 % power.

    Parameters
    ----------
    contrast : Contrast
        The inconclusive estimate, from `nested`, `crossed` or `single`.
    margin : float
        Largest difference that does not matter, > 0, score units.
    alpha : float
        Error of either test, in (0, 0.5).
    layout : {"nested", "crossed", "single"}
        The layout of `contrast`.
    detect_alpha : float, optional
        Error of the test of difference where a family of hypotheses is corrected: `alpha` over their number
        is what the first of them must meet.

    Returns
    -------
    DecisionNeed
        Numbers to add. V_T and V_N shrink with their own factor, V_e with both (MEASURES 7.2). An estimate of
        a variance is itself uncertain: read the numbers as orders of magnitude.

    Raises
    ------
    ValueError
        If `margin`, `alpha` or `layout` is not allowed.

    Examples
    --------
    >>> cells = [[0.5, 0.1, 0.0], [0.0, 0.4, -0.6], [-0.1, 0.7, 0.3], [0.2, -0.3, 0.6]]
    >>> from audit.stats.contrast import crossed
    >>> need = needed_for_decision(crossed(cells), margin=0.1, alpha=0.05, layout="crossed")
    >>> need.decision, need.templates, need.terms
    ('detect', 9, 7)
    """
    if layout not in ("nested", "crossed", "single"):
        raise ValueError(f"layout must be 'nested', 'crossed' or 'single', not {layout!r}")
    effect = contrast.estimate

    def decision(templates: float, terms: float) -> Decision | None:
        se, df = _se_df(sds, templates, terms, terms, layout)
        # A contrast that is both is within margin; so that question goes first.
        if power_to_show_within(margin, se, df, alpha, effect) >= _POWER:
            return "within"
        return "detect" if power_to_detect(effect, se, df, detect_alpha or alpha) >= _POWER else None

    templates, terms = float(contrast.n_templates), contrast.n_terms / (2.0 if layout == "nested" else 1.0)
    sds = _sds_of(contrast, terms, layout)
    if contrast.degenerate:
        return DecisionNeed(
            None, None, None, None, None, "the data show no spread, so nothing can be planned from them"
        )
    more_templates = _smallest(lambda extra: decision(templates + extra, terms) is not None, start=0)
    more_terms, ways = None, []
    if more_templates is not None:
        ways.append((more_templates, 0))
    if layout != "single":
        more_terms = _smallest(lambda extra: decision(templates, terms + extra) is not None, start=0)
        if more_terms is not None:
            ways.append((0, more_terms))
        ratio = terms / templates
        both = _smallest(
            lambda extra: decision(templates + extra, terms + math.ceil(extra * ratio)) is not None, start=0
        )
        if both is not None:
            ways.append((both, math.ceil(both * ratio)))
    if not ways:
        reason = f"more than {MOST:,} templates would be needed"
        return DecisionNeed(None, None, None, None, None, reason)
    add_templates, add_terms = min(ways, key=lambda way: (templates + way[0]) * (terms + way[1]))
    reached = decision(templates + add_templates, terms + add_terms)
    return DecisionNeed(add_templates, add_terms, reached, more_templates, more_terms, "")


_POWER = 0.8


def _se_df(
    sds: DesignSds, n_templates: float, n_terms1: float, n_terms0: float, layout: Layout
) -> tuple[float, float]:
    if layout == "single":
        variance = (sds.template**2 + sds.residual**2 / n_terms1) / n_templates
        return math.sqrt(variance), n_templates - 1.0
    if layout == "nested":
        per_term, per_template, df_second = 1.0 / n_terms1 + 1.0 / n_terms0, 2.0, n_terms1 + n_terms0 - 2.0
    else:
        per_term, per_template, df_second = 1.0 / n_terms1, 1.0, n_terms1 - 1.0
    shared = sds.residual**2 * per_term / n_templates
    components = Components(
        first=per_template * sds.template**2 / n_templates + shared,
        second=sds.term**2 * per_term + shared,
        shared=shared,
        df_first=n_templates - 1.0,
        df_second=df_second,
    )
    return math.sqrt(components.variance()), components.df()


def _sds_of(contrast: Contrast, terms: float, layout: Layout) -> DesignSds:
    """Standard deviations that give back the contrast's components at its own size."""
    parts = contrast.components
    first, shared = parts.get("V_T", contrast.se**2), parts.get("V_e", 0.0)
    second = parts.get("V_K", parts.get("V_N", 0.0))
    templates = contrast.n_templates
    if layout == "single":
        return DesignSds(math.sqrt(first * templates), 0.0, 0.0)
    per_term, per_template = (2.0 / terms, 2.0) if layout == "nested" else (1.0 / terms, 1.0)
    return DesignSds(
        template=math.sqrt(max(first - shared, 0.0) * templates / per_template),
        term=math.sqrt(max(second - shared, 0.0) / per_term),
        residual=math.sqrt(shared * templates / per_term),
    )


def _smallest(enough: Callable[[int], bool], start: int) -> int | None:
    """Smallest number from `start` to MOST that is enough; more is taken to be never worse."""
    if enough(start):
        return start
    low, step = start, 1
    while not enough(min(low + step, MOST)):
        if low + step >= MOST:
            return None
        low, step = low + step, step * 2
    high = min(low + step, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check_layout(sds: DesignSds, n_templates: int, n_terms1: int, n_terms0: int, layout: Layout) -> None:
    if layout not in ("nested", "crossed", "single"):
        raise ValueError(f"layout must be 'nested', 'crossed' or 'single', not {layout!r}")
    if n_templates < 2:
        raise ValueError(f"at least 2 templates are needed, not {n_templates}")
    least = 1 if layout == "single" else 2
    if min(n_terms1, n_terms0) < least:
        raise ValueError(f"at least {least} term(s) are needed in each group, not {n_terms1} and {n_terms0}")
    if layout != "nested" and n_terms1 != n_terms0:
        raise ValueError(f"a {layout} layout is paired: {n_terms1} and {n_terms0} terms must be equal")
    if layout == "single" and sds.term != 0.0:
        raise ValueError("a single layout has one random factor: the term sd must be 0")
