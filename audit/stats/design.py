"""The standard error to expect from a design: so many templates and terms with such spreads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from audit.stats._two_way import Components
from audit.stats.equivalence import minimum_detectable
from audit.stats.estimate import Contrast

Layout = Literal["nested", "crossed", "single"]


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
    Source: MEASURES 7.2 and 7.8, the expectations of the components of `nested` and `crossed`; Welch's
    degrees of freedom for terms that spread alike in both groups.

    Examples
    --------
    >>> se, df = design_se(DesignSds(0.3, 0.3, 1.0), 20, 20, 20, "nested")
    >>> round(se, 4), round(df, 1)
    (0.1517, 34.1)
    """
    check_layout(sds, n_templates, n_terms1, n_terms0, layout)
    return expected_se(sds, float(n_templates), float(n_terms1), float(n_terms0), layout)


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


def expected_se(
    sds: DesignSds, n_templates: float, n_terms1: float, n_terms0: float, layout: Layout
) -> tuple[float, float]:
    """What `design_se` gives, without its checks; the numbers need not be whole."""
    if layout == "single":
        variance = (sds.template**2 + sds.residual**2 / n_terms1) / n_templates
        return math.sqrt(variance), n_templates - 1.0
    if layout == "nested":
        each = 1.0 / n_terms1, 1.0 / n_terms0
        per_term, per_template = each[0] + each[1], 2.0
        df_second = per_term**2 / (each[0] ** 2 / (n_terms1 - 1.0) + each[1] ** 2 / (n_terms0 - 1.0))
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


def sds_of(contrast: Contrast, n_terms1: float, n_terms0: float, layout: Layout) -> DesignSds:
    """Standard deviations that give back the contrast's components at its own size.

    A component below the interaction that it contains counts as none of its own.
    """
    parts = contrast.components
    first, shared = parts.get("V_T", contrast.se**2), parts.get("V_e", 0.0)
    second = parts.get("V_K", parts.get("V_N", 0.0))
    templates = contrast.n_templates
    if layout == "single":
        return DesignSds(math.sqrt(first * templates), 0.0, 0.0)
    nests = layout == "nested"
    per_term, per_template = (1.0 / n_terms1 + 1.0 / n_terms0, 2.0) if nests else (1.0 / n_terms1, 1.0)
    return DesignSds(
        template=math.sqrt(max(first - shared, 0.0) * templates / per_template),
        term=math.sqrt(max(second - shared, 0.0) / per_term),
        residual=math.sqrt(shared * templates / per_term),
    )


def check_layout(sds: DesignSds, n_templates: int, n_terms1: int, n_terms0: int, layout: Layout) -> None:
    """Refuse a design that no estimator of this layout could use."""
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
