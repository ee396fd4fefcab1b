"""How a contrast fares in every reasonable analysis of the same answers: the specification curve.

Source: Simonsohn, Simmons and Nelson (2020), Specification curve analysis, Nature Human Behaviour 4,
1208-1214: the set of analyses that are sensible, valid and not redundant, each with its estimate, and what
they say together. Their test of the whole curve is not done here: analyses of the same answers are not
independent, and shares over the curve describe, they do not test.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from audit.stats.equivalence import tost
from audit.stats.estimate import Contrast, Floats, Undefined, check_fraction

Pooling = Literal["mean", "median"]
POOLINGS: tuple[Pooling, ...] = ("mean", "median")


@dataclass(frozen=True)
class Specification:
    """One analysis: the choices that make it, and its result.

    Parameters
    ----------
    choices : Mapping[str, str]
        Dimension to what was chosen in it.
    result : Contrast or Undefined
        Estimate in the unit of its reading.
    primary : bool
        Whether the result is in the unit of the margin.

    Examples
    --------
    >>> Specification({"templates": "all"}, Undefined("1 template"), True).choices["templates"]
    'all'
    """

    choices: Mapping[str, str]
    result: Contrast | Undefined
    primary: bool = True


@dataclass(frozen=True)
class SpecificationRow:
    """One analysis as plain numbers.

    Parameters
    ----------
    choices : Mapping[str, str]
        Dimension to what was chosen in it.
    estimate, t, p : float or None
        Signed estimate in the unit of its reading, 0 is no difference; estimate over standard error, None
        where that is 0; two-sided p-value, not corrected. None where not computable.
    within : bool or None
        Whether the 1 - 2 alpha interval lies inside the margin; None in another unit than the margin's.
    reason : str
        Why there is no estimate; empty where there is one.

    Examples
    --------
    >>> SpecificationRow({"templates": "all"}, None, None, None, None, "1 template").reason
    '1 template'
    """

    choices: Mapping[str, str]
    estimate: float | None
    t: float | None
    p: float | None
    within: bool | None
    reason: str = ""


@dataclass(frozen=True)
class SpecificationCurve:
    """What all analyses of one contrast say together.

    Parameters
    ----------
    estimate : float
        The main estimate, score units, that of the first specification.
    n_run : int
        Specifications that could be computed, the main one included.
    not_computable : Mapping[str, int]
        Reason to number of specifications; what was declared is ``n_run`` and these together.
    n_same_sign : int
        Of those run, how many have the sign of the main estimate. An estimate of exactly 0 has none.
    n_significant_same, n_significant_opposite : int
        How many have p < alpha, in the direction of the main estimate and against it. Uncorrected: each
        specification asks the same single question, not a further one.
    n_on_scale, n_within : int
        How many are in the unit of the margin, and how many of these lie within it.
    median_t : float or Undefined
        Median over those run of estimate / standard error, the sign as estimated.
    rows : tuple of SpecificationRow
        Every specification, in the order declared.

    Examples
    --------
    >>> curve([Specification({}, Contrast(0.5, 0.1, 19.0, "t", 20, 20, 1))], 0.05, 0.2).held("disparity")
    (1, 1)
    """

    estimate: float
    n_run: int
    not_computable: Mapping[str, int]
    n_same_sign: int
    n_significant_same: int
    n_significant_opposite: int
    n_on_scale: int
    n_within: int
    median_t: float | Undefined
    rows: tuple[SpecificationRow, ...] = field(repr=False)

    @property
    def sign_share(self) -> float | Undefined:
        """Share, 0 to 1, of the other specifications with a sign that have that of the main estimate.

        An estimate of exactly 0, as of a reading that gives all answers the same value, agrees with nothing
        and contradicts nothing.
        """
        if self.estimate == 0.0:
            return Undefined("the estimate is 0 and has no sign")
        others = [row.estimate for row in self.rows[1:] if row.estimate]
        if not others:
            return Undefined("no other specification has an estimate with a sign")
        return sum((other > 0.0) == (self.estimate > 0.0) for other in others) / len(others)

    def held(self, verdict: str) -> tuple[int, int] | None:
        """In how many specifications of how many a verdict holds; None for a verdict that claims nothing.

        A disparity holds where the sign is the same and p < alpha, of all that were run. "No disparity within
        margin" holds where the interval lies inside the margin, of those in the margin's unit.
        """
        if verdict == "disparity":
            return self.n_significant_same, self.n_run
        if verdict == "no disparity within margin":
            return self.n_within, self.n_on_scale
        return None


def curve(
    specifications: Sequence[Specification], alpha: float, margin: float
) -> SpecificationCurve | Undefined:
    """Summarise specifications, the main one first.

    Parameters
    ----------
    specifications : sequence of Specification
        At least one; the first is the analysis that the verdict rests on.
    alpha : float
        Two-sided error of each specification, in (0, 1); the margin's intervals have level 1 - 2 alpha.
    margin : float
        Equivalence margin, score units, > 0.

    Returns
    -------
    SpecificationCurve or Undefined
        Undefined where the main specification is, with its reason.

    Raises
    ------
    ValueError
        Without specifications, or with `alpha` outside (0, 1/2) or `margin` not above 0.

    Notes
    -----
    Source: Simonsohn, Simmons and Nelson (2020); Schuirmann (1987) for the interval and the margin.

    Examples
    --------
    >>> same, other = (Contrast(e, 0.1, 19.0, "paired t", 20, 20, 1) for e in (0.5, -0.02))
    >>> found = curve([Specification({}, same), Specification({}, other)], 0.05, 0.2)
    >>> found.n_run, found.n_same_sign, found.n_significant_same, found.n_within
    (2, 1, 1, 1)
    """
    check_fraction("alpha", alpha)
    if not specifications:
        raise ValueError("a curve needs at least its main specification")
    main = specifications[0].result
    if isinstance(main, Undefined):
        return main
    rows = [_row(each, alpha, margin) for each in specifications]
    run = [each.result for each in specifications if isinstance(each.result, Contrast)]
    sign = np.sign(main.estimate) * np.sign([contrast.estimate for contrast in run])
    sure = np.array([contrast.p_value() < alpha for contrast in run])
    on_scale = [row.within for row in rows if row.within is not None]
    return SpecificationCurve(
        estimate=main.estimate,
        n_run=len(run),
        not_computable=dict(Counter(row.reason for row in rows if row.reason)),
        n_same_sign=int((sign > 0).sum()),
        n_significant_same=int(((sign > 0) & sure).sum()),
        n_significant_opposite=int(((sign < 0) & sure).sum()),
        n_on_scale=len(on_scale),
        n_within=sum(on_scale),
        median_t=_median_t([contrast.t for contrast in run]),
        rows=tuple(rows),
    )


def pool(values: Floats, how: Pooling) -> Floats:
    """Mean or median over the first axis of the numbers that are there.

    Parameters
    ----------
    values : ndarray, shape (n, ...)
        Scores, any unit; NaN means missing.
    how : {"mean", "median"}
        The median of an even number is the mean of the middle two, so that two numbers have one pool.

    Returns
    -------
    ndarray, shape (...)
        In the unit of `values`; NaN where nothing is there.

    Raises
    ------
    ValueError
        For another `how`.

    Examples
    --------
    >>> pool(np.array([[1.0, np.nan], [2.0, np.nan], [6.0, 5.0]]), "median")
    array([2., 5.])
    >>> pool(np.array([[1.0, np.nan], [2.0, np.nan], [6.0, 5.0]]), "mean")
    array([3., 5.])
    """
    if how not in POOLINGS:
        raise ValueError(f"numbers are pooled by mean or median, not {how!r}")
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    if how == "mean":
        total = np.where(there, values, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    if values.shape[0] == 0:
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(values, axis=0)  # NaN comes last
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[0] - 1)[None], axis=0)[0]
    return np.where(count > 0, (low + high) / 2.0, np.nan)


def _row(specification: Specification, alpha: float, margin: float) -> SpecificationRow:
    result = specification.result
    if isinstance(result, Undefined):
        return SpecificationRow(specification.choices, None, None, None, None, result.reason)
    return SpecificationRow(
        choices=specification.choices,
        estimate=result.estimate,
        t=result.t if math.isfinite(result.t) else None,
        p=result.p_value(),
        within=tost(result, margin, alpha).within if specification.primary else None,
    )


def _median_t(sizes: Sequence[float]) -> float | Undefined:
    """Median of numbers of which some may be infinite."""
    low, high = (float(np.quantile(sizes, 0.5, method=how)) for how in ("lower", "higher"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Undefined("half of the specifications have a standard error of 0")
    return (low + high) / 2.0
