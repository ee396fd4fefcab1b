"""Asking until it is decided: when to stop, and what may be said then.

Units X_1, X_2, ... lie in [-1, 1] and come in random order; under "no difference" each has a mean of 0,
whatever came before it. After every unit the stream may stop for one of two reasons: the wealth of the
e-process against a mean of 0 is large enough (disparity), or the confidence sequence lies inside the margin
(within). Both hold at all times at once, so that looking after every unit costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from audit.stats.betting import CHUNK, Capital, check_units
from audit.stats.confidence_sequence import ConfidenceSequence
from audit.stats.estimate import Floats, Undefined, check_fraction

Decision = Literal["disparity", "within", "horizon", "undecided"]

POWER = 0.8
"""At which the smallest detectable mean is stated."""
NEAR_ZERO = 2e-4
"""A mean that must be excluded as well as 0, so that a bound which is rounded outwards still excludes 0."""
MIXTURE_COST = math.log(16.0)
"""Nats that betting on many means at once costs against the best single bet; for planning only."""


@dataclass(frozen=True)
class Rule:
    """When a stream stops. All of it is decided before the first unit.

    Parameters
    ----------
    margin : float
        Equivalence margin on the scale of X, in (0, 1): that of the score divided by its widest difference.
    alpha : float
        Error rate of the test and of the confidence sequence, in (0, 1).
    hypotheses : int
        Streams that are judged together, >= 1: a disparity needs a wealth of hypotheses / alpha (Bonferroni,
        valid at any time). The confidence sequence is not corrected.
    max_units : int
        The horizon: after this many units the stream ends undecided, >= 1.

    Examples
    --------
    >>> Rule(margin=0.05, hypotheses=2).threshold == math.log(40.0)
    True
    """

    margin: float
    alpha: float = 0.05
    hypotheses: int = 1
    max_units: int = 2000

    def __post_init__(self) -> None:
        check_fraction("margin", self.margin)
        check_fraction("alpha", self.alpha)
        if self.hypotheses < 1 or self.max_units < 1:
            raise ValueError("hypotheses and max_units must be at least 1")

    @property
    def threshold(self) -> float:
        """Log wealth (nats) from which a difference is claimed."""
        return math.log(self.hypotheses / self.alpha)


@dataclass(frozen=True)
class Stopped:
    """Where a stream stands; final unless `decision` is ``undecided``.

    Parameters
    ----------
    n : int
        Units that counted; those after the stop do not.
    decision : {"disparity", "within", "horizon", "undecided"}
        ``horizon``: the last unit that was planned decided nothing. ``undecided``: more units may come.
    estimate, sd : float
        Mean of the n units, and their standard deviation (0 for one unit), on the scale of X.
    cs_lo, cs_hi : float
        The confidence sequence of level 1 - alpha at n, which covers the mean at all n at once.
    log_wealth : float
        Nats, of the e-process against a mean of 0 after n units; ``exp`` of it is an e-value.
    p_anytime : float
        1 over the largest wealth so far, in (0, 1].

    Examples
    --------
    >>> replay([0.2, -0.1, 0.1], Rule(margin=0.05)).decision
    'undecided'
    """

    n: int
    decision: Decision
    estimate: float
    sd: float
    cs_lo: float
    cs_hi: float
    log_wealth: float
    p_anytime: float


class Stream:
    """Units as they come, one at a time or in batches; stops by itself and then ignores the rest.

    The decision and the time of the stop do not depend on how the units were batched.

    Parameters
    ----------
    rule : Rule
        When to stop.

    Examples
    --------
    >>> stream = Stream(Rule(margin=0.05))
    >>> stream.add([0.4, 0.5] * 20)
    'disparity'
    >>> stream.state().n < 40
    True
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.decision: Decision = "undecided"
        self._wealth = Capital([0.0])
        marks = (-rule.margin, -NEAR_ZERO, 0.0, NEAR_ZERO, rule.margin)
        self._sequence = ConfidenceSequence(rule.alpha, marks)
        self._units: list[float] = []
        self._log_wealth = self._largest = 0.0

    @property
    def taken(self) -> int:
        """Units that counted so far; those after the stop do not."""
        return len(self._units)

    def add(self, units: npt.ArrayLike) -> Decision:
        """Take more units, in [-1, 1]; says whether, and how, the stream is decided.

        Raises
        ------
        ValueError
            If a unit is missing or outside [-1, 1].
        """
        x = check_units(np.atleast_1d(np.asarray(units, dtype=np.float64)))
        for start in range(0, x.size, CHUNK):
            if self.decision != "undecided":
                break
            self._add(x[start : start + CHUNK])
        return self.decision

    def _add(self, x: Floats) -> None:
        wealth = self._wealth.update(x)[:, 0]
        bounds = self._sequence.update(x)
        for value, log_wealth, (lo, hi) in zip(x, wealth, bounds, strict=True):
            self._units.append(float(value))
            self._log_wealth = float(log_wealth)
            self._largest = max(self._largest, self._log_wealth)
            self._bounds = (float(lo), float(hi))
            self.decision = self._decide(*self._bounds)
            if self.decision != "undecided":
                return

    def _decide(self, lo: float, hi: float) -> Decision:
        if -self.rule.margin <= lo and hi <= self.rule.margin:
            return "within"
        if self._largest >= self.rule.threshold and not lo <= 0.0 <= hi:
            return "disparity"
        return "horizon" if len(self._units) >= self.rule.max_units else "undecided"

    def state(self) -> Stopped | Undefined:
        """Where the stream stands; undefined before the first unit."""
        if not self._units:
            return Undefined("no units")
        units = np.array(self._units)
        return Stopped(
            n=units.size,
            decision=self.decision,
            estimate=math.fsum(self._units) / units.size,
            sd=float(units.std(ddof=1)) if units.size > 1 else 0.0,
            cs_lo=self._bounds[0],
            cs_hi=self._bounds[1],
            log_wealth=self._log_wealth,
            p_anytime=math.exp(-self._largest),
        )


def replay(units: npt.ArrayLike, rule: Rule) -> Stopped | Undefined:
    """Where a stream stops if these units come in this order.

    Parameters
    ----------
    units : array_like, shape (n,)
        In [-1, 1]; those after the stop are ignored.
    rule : Rule
        When to stop.

    Returns
    -------
    Stopped or Undefined
        ``undecided`` where the units run out before the rule stops them; undefined without a unit.

    Raises
    ------
    ValueError
        If a unit is missing or outside [-1, 1].

    Examples
    --------
    >>> found = replay([0.01, -0.01] * 500, Rule(margin=0.05))
    >>> found.decision, found.n
    ('within', 88)
    """
    stream = Stream(rule)
    stream.add(units)
    return stream.state()


@dataclass(frozen=True)
class UnitsNeeded:
    """About how many units, from the first one on, a decision takes if the estimate is the truth.

    Examples
    --------
    >>> UnitsNeeded(400, "within").units
    400
    """

    units: int
    decision: Literal["disparity", "within"]


def units_needed(found: Stopped, rule: Rule) -> UnitsNeeded:
    """What an undecided stream would need; for planning only.

    Capital against a mean that is false by d grows by about d^2 / (2 sd^2) nats a unit (the first term of
    the optimal growth rate), and has to make up for the mixture of bets too.

    Parameters
    ----------
    found : Stopped
        Where the stream stands.
    rule : Rule
        Its rule.

    Returns
    -------
    UnitsNeeded
        The cheaper of both decisions.

    Examples
    --------
    >>> found = Stopped(2000, "horizon", 0.02, 0.4, -0.01, 0.06, 1.0, 0.3)
    >>> units_needed(found, Rule(margin=0.05))
    UnitsNeeded(units=2051, decision='within')
    """
    size, spread = abs(found.estimate), 2.0 * max(found.sd, 1e-6) ** 2
    options: list[UnitsNeeded] = []
    if size > 0.0:
        units = spread * (rule.threshold + MIXTURE_COST) / size**2
        options.append(UnitsNeeded(math.ceil(min(units, 1e12)), "disparity"))
    if size < rule.margin:
        units = spread * (math.log(1.0 / rule.alpha) + MIXTURE_COST) / (rule.margin - size) ** 2
        options.append(UnitsNeeded(math.ceil(min(units, 1e12)), "within"))
    return min(options, key=lambda option: option.units)


def smallest_detectable(sd: float, rule: Rule) -> float:
    """About the smallest mean that is claimed before the horizon with a power of 80 %; for planning only.

    At the best bet the log wealth after N units of mean d is about normal with mean u^2 / 2 and standard
    deviation u, u = d sqrt(N) / sd; this is the d at which it passes what is needed four times in five.

    Parameters
    ----------
    sd : float
        Standard deviation of the units, on the scale of X, >= 0.
    rule : Rule
        The stream's rule.

    Returns
    -------
    float
        On the scale of X, > 0; at most 1.

    Examples
    --------
    >>> round(smallest_detectable(0.3, Rule(margin=0.05, max_units=2000)), 4)
    0.0291
    """
    z = float(ndtri(POWER))
    u = z + math.sqrt(z * z + 2.0 * (rule.threshold + MIXTURE_COST))
    return min(1.0, u * max(sd, 1e-6) / math.sqrt(rule.max_units))
