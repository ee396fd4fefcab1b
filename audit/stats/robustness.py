"""Whether a difference hangs on single templates or wordings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Contrast, Undefined, as_floats

Template = TypeVar("Template")


@dataclass(frozen=True)
class LeaveOneOut:
    """What becomes of a contrast when each template in turn is left out.

    Parameters
    ----------
    lo, hi : float or None
        Smallest and largest of the estimates, score units.
    includes_zero : bool or None
        Whether any of the intervals includes 0.
    reason : str
        Why these are None; empty where they are not.

    Examples
    --------
    >>> LeaveOneOut(0.1, 0.3, False, "").includes_zero
    False
    """

    lo: float | None
    hi: float | None
    includes_zero: bool | None
    reason: str


def sign_share(template_effects: npt.ArrayLike, estimate: float) -> float | Undefined:
    """Share of templates whose own difference has the sign of the estimate.

    Parameters
    ----------
    template_effects : array_like, shape (T,)
        Difference of each template, score units; NaN where a template has none, and is left out.
    estimate : float
        The contrast, score units.

    Returns
    -------
    float or Undefined
        In [0, 1]; 1 means that all agree. A template with a difference of exactly 0 does not agree.
        Undefined for an estimate of 0 or without templates. Source: MEASURES 7.12.

    Raises
    ------
    ValueError
        If an effect is infinite or `estimate` is not finite.

    Examples
    --------
    >>> sign_share([0.2, 0.1, -0.1, 0.0], 0.05)
    0.5
    """
    if not math.isfinite(estimate):
        raise ValueError(f"estimate must be finite, not {estimate}")
    effects = as_floats("template_effects", template_effects, 1)
    effects = effects[~np.isnan(effects)]
    if effects.size == 0:
        return Undefined("no template has a difference of its own")
    if estimate == 0.0:
        return Undefined("the estimate is 0 and has no sign")
    return float(np.mean(np.sign(effects) == np.sign(estimate)))


def leave_one_template_out(
    templates: Sequence[Template],
    estimator: Callable[[list[Template]], Contrast | Undefined],
    level: float,
) -> LeaveOneOut:
    """Estimate again without each template in turn.

    Parameters
    ----------
    templates : sequence
        Templates (labels or row numbers), in any order.
    estimator : callable
        Gives the contrast for the templates that are kept.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    LeaveOneOut
        Range of the estimates, score units, and whether any interval includes 0. All None, with a reason,
        where a contrast without some template is undefined. Source: MEASURES 7.12.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Examples
    --------
    >>> from audit.stats.contrast import single
    >>> effects = np.array([0.2, 0.3, 0.1, 0.2])
    >>> out = leave_one_template_out([0, 1, 2, 3], lambda kept: single(effects[kept]), 0.95)
    >>> round(out.lo, 3), round(out.hi, 3), out.includes_zero
    (0.167, 0.233, True)
    """
    if not templates:
        return LeaveOneOut(None, None, None, "no templates")
    estimates, crosses = [], False
    for place, left_out in enumerate(templates):
        found = estimator([template for other, template in enumerate(templates) if other != place])
        if isinstance(found, Undefined):
            return LeaveOneOut(None, None, None, f"without template {left_out}: {found.reason}")
        lo, hi = found.ci(level)
        estimates.append(found.estimate)
        crosses = crosses or lo <= 0.0 <= hi
    return LeaveOneOut(min(estimates), max(estimates), crosses, "")


def i_squared(contrast: Contrast) -> float | Undefined:
    """Share of the variation among template differences that is more than noise within templates.

    Parameters
    ----------
    contrast : Contrast
        From `nested`, `crossed` or `sandwich`.

    Returns
    -------
    float or Undefined
        In [0, 1]; 0 means that templates differ no more than noise makes them differ. Undefined with one
        random factor (no replication within a template) or without any spread among templates.

    Notes
    -----
    Higgins and Thompson (2002), Statistics in Medicine 21, 1539-1558: I2 = max(0, 1 - (T - 1) / Q). With the
    pooled interaction mean square as the variance of each template's difference, Q = (T - 1) V_T / V_e, so
    that I2 = max(0, 1 - V_e / V_T). Terms' own effects, shared by all templates, drop out of both.

    Examples
    --------
    >>> components = {"V_T": 0.04, "V_N": 0.02, "V_e": 0.01}
    >>> i_squared(Contrast(0.5, 0.2, 19.0, "two-way nested", 800, 20, 40, components))
    0.75
    """
    if "V_e" not in contrast.components:
        return Undefined("one random factor: no replication within templates")
    templates, noise = contrast.components["V_T"], contrast.components["V_e"]
    if templates == 0.0:
        return Undefined("the templates' differences show no spread")
    return max(0.0, 1.0 - noise / templates)


def paraphrase_sd(template_effects: npt.ArrayLike, families: npt.ArrayLike) -> float | Undefined:
    """Standard deviation of template differences among paraphrases of one another, pooled over families.

    Parameters
    ----------
    template_effects : array_like, shape (T,)
        Difference of each template, score units; NaN where a template has none, and is left out.
    families : array_like, shape (T,)
        Paraphrase family of each template.

    Returns
    -------
    float or Undefined
        Score units, >= 0; 0 means that wording makes no difference. Undefined if no family has two members.
        Source: MEASURES 7.12; pooled as sqrt(sum of squares / sum of (members - 1)).

    Raises
    ------
    ValueError
        If lengths differ or an effect is infinite.

    Examples
    --------
    >>> round(paraphrase_sd([0.1, 0.3, 0.2, 0.6, 0.5], ["a", "a", "b", "b", "c"]), 4)
    0.2236
    """
    effects, labels = as_floats("template_effects", template_effects, 1), np.asarray(families)
    if labels.shape != effects.shape:
        raise ValueError("template_effects and families must have the same length")
    known = ~np.isnan(effects)
    effects, family = effects[known], np.unique(labels[known], return_inverse=True)[1]
    members = np.bincount(family)
    freedom = int(effects.size) - int(members.size)
    if freedom < 1:
        return Undefined("no family has two templates with a difference of their own")
    means = np.bincount(family, effects) / members
    return math.sqrt(float(np.sum((effects - means[family]) ** 2)) / freedom)
