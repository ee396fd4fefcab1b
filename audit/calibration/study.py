"""What a study is, what it hands back, and how much a simulated rate may stray by chance.

The tolerance. A check claims that a rate lies between two bounds; what is known to be off (a conservative
test, an approximation) stands in these bounds. Of n simulations the number of hits is binomial. A check fails
where the number is so small, or so large, that at the bound nearest to it the chance of that is at most half
of :data:`CHECK_ERROR`. With at most :data:`MOST_CHECKS` checks, the chance that any of them fails although
all claims are true is at most ``MOST_CHECKS * CHECK_ERROR``, which is 1 in 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.stats import binom

CHECK_ERROR = 5e-5
"""Chance that a check of a true claim fails."""
MOST_CHECKS = 200
"""Checks of a calibration, at most."""
COMPARISON = "for comparison"
"""The series of checks that show what a wrong method does in the same world: it must be wrong."""


@dataclass(frozen=True)
class Settings:
    """What all studies of a calibration share.

    Attributes
    ----------
    quick : bool
        Fewer simulations: wider tolerances, so that less is proven.
    seed : int
        Each study draws from it and its own name, so that no study depends on which others run.
    estimator : str
        A name in ``audit.calibration.estimators.ESTIMATORS``.
    """

    quick: bool = False
    seed: int = 0
    estimator: str = "shipped"

    def sims(self, full: int, quick: int) -> int:
        """The number of simulations."""
        return quick if self.quick else full

    def rng(self, *names: str) -> np.random.Generator:
        """A generator of its own for each purpose."""
        from audit.analysis.controls import generator

        return generator(self.seed, "calibration", *names)


@dataclass(frozen=True)
class Check:
    """One number with the range in which it must lie.

    Attributes
    ----------
    label : str
        The design, or the world.
    observed : float
        A share of the simulations, or a value.
    n : int
        Simulations, or what the value rests on.
    claim : tuple of float
        Where the true number lies, by the claim.
    tolerance : tuple of float
        Where `observed` must lie: the claim, widened by what chance can do in n simulations.
    x : float, optional
        The dose, where the checks form a curve.
    series : str
        What else distinguishes a curve, or marks a check that shows what a wrong method does.
    """

    label: str
    observed: float
    n: int
    claim: tuple[float, float]
    tolerance: tuple[float, float]
    x: float | None = None
    series: str = ""

    @property
    def holds(self) -> bool:
        """Whether the number lies where it must."""
        return bool(self.tolerance[0] <= self.observed <= self.tolerance[1])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        fields = asdict(self)
        if not math.isfinite(self.observed):  # undefined: it holds nothing, and JSON has no word for it
            fields["observed"] = None
        return {**fields, "claim": list(self.claim), "tolerance": list(self.tolerance), "holds": self.holds}


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    claim : str
        What holds if all checks hold, as a sentence.
    axis : str
        What the numbers are.
    checks : tuple of Check
        At least one.
    reference : float, optional
        The nominal value, for the eye.
    dose : str
        What ``x`` is, where the checks form a curve.
    """

    claim: str
    axis: str
    checks: tuple[Check, ...]
    reference: float | None = None
    dose: str = ""

    @property
    def holds(self) -> bool:
        """Whether every check holds; without any check nothing does."""
        return bool(self.checks) and all(check.holds for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "claim": self.claim,
            "axis": self.axis,
            "dose": self.dose,
            "reference": self.reference,
            "holds": self.holds,
            "checks": [check.to_json() for check in self.checks],
        }


@dataclass(frozen=True)
class Study:
    """One question of the shipped code.

    Attributes
    ----------
    id : str
        Its name on the command line.
    theme : str
        The chapter of the report.
    title : str
        A few words.
    shows : str
        What it shows, in one sentence.
    function : str
        ``module:function``, from :class:`Settings` to :class:`StudyResult`.
    cost : float
        About how many processor seconds it takes in full; longer ones start first.
    pluggable : bool
        Whether the estimator is taken from the settings; where not, the shipped code is always what runs.
    """

    id: str
    theme: str
    title: str
    shows: str
    function: str
    cost: float = field(default=5.0, compare=False)
    pluggable: bool = True


def tolerance(n: int, claim: tuple[float, float]) -> tuple[float, float]:
    """Where the share of n simulations lies, if its true rate lies within `claim`.

    Parameters
    ----------
    n : int
        Simulations, >= 1.
    claim : tuple of float
        Smallest and largest true rate, in [0, 1].

    Returns
    -------
    tuple of float
        Smallest and largest share, in [0, 1]; the module says with what error.

    Raises
    ------
    ValueError
        If `n` < 1 or the claim is no range of rates.

    Examples
    --------
    >>> tolerance(400, (0.05, 0.05))
    (0.0125, 0.1)
    >>> tolerance(400, (0.0, 0.05))
    (0.0, 0.1)
    """
    low, high = claim
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if not 0.0 <= low <= high <= 1.0:
        raise ValueError(f"a claim is a range of rates, not {claim}")
    smallest = binom.ppf(CHECK_ERROR / 2.0, n, low) if low > 0.0 else 0.0
    largest = binom.isf(CHECK_ERROR / 2.0, n, high) if high < 1.0 else float(n)
    return float(smallest) / n, float(largest) / n


def rate_check(
    label: str, hits: int, n: int, claim: tuple[float, float], x: float | None = None, series: str = ""
) -> Check:
    """A share of simulations against what is claimed of the rate.

    Examples
    --------
    >>> rate_check("null", 23, 400, (0.04, 0.06)).holds
    True
    """
    return Check(label, float(hits) / n, n, claim, tolerance(n, claim), x, series)


def value_check(
    label: str, observed: float, claim: tuple[float, float], n: int, x: float | None = None, series: str = ""
) -> Check:
    """A value that does not depend on chance, or whose range says what chance may do.

    Examples
    --------
    >>> value_check("recovered", 0.5, (0.4, 0.6), 1).holds
    True
    """
    return Check(label, float(observed), n, claim, claim, x, series)


def count(n: int, once: Callable[[], bool]) -> int:
    """How many of n simulations are hits."""
    return sum(once() for _ in range(n))
