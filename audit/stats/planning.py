"""How many templates and terms a claim needs, before asking and after an inconclusive answer.

More terms never make up for too few templates, nor the reverse: each factor leaves a floor that only its own
number lowers. A plan that cannot reach its target is said to be so, with the floor that stops it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from audit.stats.design import DesignSds, Layout, check_layout, design_mde, design_se, expected_se, sds_of
from audit.stats.equivalence import power_to_detect, power_to_show_within
from audit.stats.estimate import Contrast, check_fraction

__all__ = [
    "Decision",
    "DecisionNeed",
    "DesignSds",
    "Layout",
    "MOST",
    "Needed",
    "Target",
    "design_mde",
    "design_se",
    "needed_for_decision",
    "smallest",
    "templates_needed",
    "terms_needed",
]

Decision = Literal["detect", "within"]

MOST = 1_000_000
"""Largest number of templates or terms that is proposed."""


@dataclass(frozen=True)
class Target:
    """What a design is to achieve.

    Parameters
    ----------
    size : float
        "detect": the true difference to be found. "within": the margin to be kept, at a true difference of
        `truth`. Score units, > 0.
    decision : {"detect", "within"}
        A test of difference or a test of equivalence.
    alpha : float
        Its error: two-sided for "detect", of each one-sided test for "within".
    power : float
        Chance of success, in (0, 1).
    truth : float
        "within": the true difference that is planned for, smaller than the margin. "detect": 0, for there
        `size` is the truth.

    Examples
    --------
    >>> Target(0.5).decision
    'detect'
    """

    size: float
    decision: Decision = "detect"
    alpha: float = 0.05
    power: float = 0.8
    truth: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size) and self.size > 0.0):
            raise ValueError(f"size must be finite and positive, not {self.size}")
        if self.decision not in ("detect", "within"):
            raise ValueError(f"decision must be 'detect' or 'within', not {self.decision!r}")
        check_fraction("alpha", self.alpha)
        check_fraction("power", self.power)
        if not abs(self.truth) < (self.size if self.decision == "within" else math.ulp(0.0)):
            raise ValueError(f"a truth of {self.truth} cannot be planned for")

    def reached(self, se: float, df: float) -> bool:
        """Whether a contrast with this standard error (score units) and df has the power."""
        if self.decision == "within":
            return power_to_show_within(self.size, se, df, self.alpha, self.truth) >= self.power
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
    floor : float or None
        The standard error that no such number goes below, score units; None where there is a number, or
        where the reason is another.

    Examples
    --------
    >>> Needed(24, "").n
    24
    """

    n: int | None
    reason: str
    floor: float | None = None


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
    check_layout(sds, 2, n_terms1, n_terms0, layout)
    n = smallest(lambda count: target.reached(*expected_se(sds, count, n_terms1, n_terms0, layout)), start=2)
    if n is not None:
        return Needed(n, "")
    floor, _ = expected_se(sds, MOST, n_terms1, n_terms0, layout)
    reason = f"no number of templates suffices: the terms alone leave a standard error of {floor:.3g}"
    return Needed(None, reason, floor)


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
    check_layout(sds, n_templates, start, start, layout)
    n = smallest(
        lambda count: target.reached(*expected_se(sds, n_templates, count, count, layout)), start=start
    )
    if n is not None:
        return Needed(n, "")
    floor, _ = expected_se(sds, n_templates, MOST, MOST, layout)
    reason = f"no number of terms suffices: the templates alone leave a standard error of {floor:.3g}"
    return Needed(None, reason, floor)


def needed_for_decision(
    contrast: Contrast,
    margin: float,
    alpha: float,
    layout: Layout,
    *,
    detect_alpha: float | None = None,
    sizes: tuple[int, int] | None = None,
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
    sizes : tuple of int, optional
        Terms of each group; by default half of those of the contrast each. Only for a nested layout.

    Returns
    -------
    DecisionNeed
        Numbers to add, at least one: what is at hand has just not decided. Terms are added to each group.
        V_T and V_N shrink with their own factor, V_e with both (MEASURES 7.2). An estimate of
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

    even = contrast.n_terms / (2.0 if layout == "nested" else 1.0)
    one, zero = sizes if sizes and layout == "nested" else (even, even)
    templates = float(contrast.n_templates)
    sds = sds_of(contrast, one, zero, layout)

    def decides(more_templates: float, more_terms: float) -> Decision | None:
        se, df = expected_se(sds, templates + more_templates, one + more_terms, zero + more_terms, layout)
        # A contrast that is both is within margin; so that question goes first.
        if power_to_show_within(margin, se, df, alpha, effect) >= _POWER:
            return "within"
        return "detect" if power_to_detect(effect, se, df, detect_alpha or alpha) >= _POWER else None

    if contrast.degenerate:
        return DecisionNeed(
            None, None, None, None, None, "the data show no spread, so nothing can be planned from them"
        )
    more_templates = smallest(lambda extra: decides(extra, 0) is not None, start=1)
    more_terms, ways = None, []
    if more_templates is not None:
        ways.append((more_templates, 0))
    if layout != "single":
        more_terms = smallest(lambda extra: decides(0, extra) is not None, start=1)
        if more_terms is not None:
            ways.append((0, more_terms))
        ratio = min(one, zero) / templates
        both = smallest(lambda extra: decides(extra, math.ceil(extra * ratio)) is not None, start=1)
        if both is not None:
            ways.append((both, math.ceil(both * ratio)))
    if not ways:
        reason = f"more than {MOST:,} templates would be needed"
        return DecisionNeed(None, None, None, None, None, reason)
    add_templates, add_terms = min(ways, key=lambda way: (templates + way[0]) * (one + zero + 2 * way[1]))
    reached = decides(add_templates, add_terms)
    return DecisionNeed(add_templates, add_terms, reached, more_templates, more_terms, "")


_POWER = 0.8


def smallest(enough: Callable[[int], bool], start: int) -> int | None:
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
