"""Counts by cluster from which AUCs and error rates of a subgroup, of the background and across follow.

Everything that a cluster adds stands in one row of a table, so that leaving one out is one subtraction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.auc import Codes, sorted_clusters, wins
from audit.stats.clustered import Rows
from audit.stats.estimate import Floats

Bools = npt.NDArray[np.bool_]
Statistic = Callable[[Rows], float]


@dataclass(frozen=True)
class Scores:
    """The scored sentences: one entry each.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Score; larger means more surely toxic.
    decided : ndarray of bool, shape (n,)
        Whether the score reaches the threshold.
    toxic : ndarray of bool, shape (n,)
        As labelled.
    identity : ndarray of str, shape (n,)
    codes : ndarray of int, shape (n,)
        Number of the cluster, an index of ``clusters``.
    """

    values: Floats
    decided: Bools
    toxic: Bools
    identity: npt.NDArray[np.str_]
    codes: Codes
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """Wins of positives over negatives by cluster, and how many there are of both."""

    wins: Floats
    positives: Floats
    negatives: Floats

    def auc(self, rows: Rows) -> float:
        """AUC over some clusters; NaN where they hold one class only."""
        kept = np.bincount(rows, minlength=self.positives.size).astype(np.float64)
        pairs = float(kept @ self.positives) * float(kept @ self.negatives)
        return float(kept @ self.wins @ kept) / pairs if pairs > 0.0 else math.nan


@dataclass(frozen=True)
class Rate:
    """Errors and chances to err by cluster."""

    errors: Floats
    of: Floats

    def share(self, rows: Rows) -> float:
        """Error rate over some clusters; NaN where none holds a chance to err."""
        chances = float(self.of[rows].sum())
        return float(self.errors[rows].sum()) / chances if chances > 0.0 else math.nan

    @property
    def counts(self) -> tuple[int, int]:
        """Errors and chances over all clusters."""
        return round(float(self.errors.sum())), round(float(self.of.sum()))


@dataclass(frozen=True)
class Subgroup:
    """One identity term beside all other sentences, the background.

    ``bpsn``: positives of the background over negatives of the subgroup; ``bnsp``: positives of the subgroup
    over negatives of the background. Rates are of the subgroup and of the background.
    """

    identity: str
    subgroup: Pairs
    bpsn: Pairs
    bnsp: Pairs
    background: Pairs
    false_positives: tuple[Rate, Rate]
    false_negatives: tuple[Rate, Rate]


class Tables:
    """All counts of one set of scores."""

    def __init__(self, scores: Scores) -> None:
        self.scores = scores
        positive, size = scores.toxic, len(scores.clusters)
        self._high = sorted_clusters(scores.values[positive], scores.codes[positive], size)
        # A negative that is lower is, with the signs turned, higher.
        self._low = sorted_clusters(-scores.values[~positive], scores.codes[~positive], size)
        self._counts = self._count(positive), self._count(~positive)
        self.all = Pairs(self._over(~positive), *self._counts)

    def subgroup(self, identity: str) -> Subgroup:
        """The counts of one identity term."""
        scores, positive = self.scores, self.scores.toxic
        own = scores.identity == identity
        own_high, own_low = self._count(own & positive), self._count(own & ~positive)
        high, low = self._counts
        over_own, own_over = self._over(own & ~positive), self._under(own & positive)
        inner = self._inner(own)
        return Subgroup(
            identity,
            subgroup=Pairs(inner, own_high, own_low),
            bpsn=Pairs(over_own - inner, high - own_high, own_low),
            bnsp=Pairs(own_over - inner, own_high, low - own_low),
            background=Pairs(self.all.wins - over_own - own_over + inner, high - own_high, low - own_low),
            false_positives=(self._rate(own, False), self._rate(~own, False)),
            false_negatives=(self._rate(own, True), self._rate(~own, True)),
        )

    def _count(self, which: Bools) -> Floats:
        return np.bincount(self.scores.codes[which], minlength=len(self.scores.clusters)).astype(np.float64)

    def _over(self, which: Bools) -> Floats:
        """Wins of all positives over some negatives."""
        return wins(self._high, self.scores.values[which], self.scores.codes[which])

    def _under(self, which: Bools) -> Floats:
        """Wins of some positives over all negatives."""
        return wins(self._low, -self.scores.values[which], self.scores.codes[which]).T

    def _inner(self, own: Bools) -> Floats:
        scores, high, low = self.scores, own & self.scores.toxic, own & ~self.scores.toxic
        ordered = sorted_clusters(scores.values[high], scores.codes[high], len(scores.clusters))
        return wins(ordered, scores.values[low], scores.codes[low])

    def _rate(self, which: Bools, toxic: bool) -> Rate:
        of = which & (self.scores.toxic == toxic)
        return Rate(self._count(of & (self.scores.decided != toxic)), self._count(of))


def gap(one: Statistic, other: Statistic) -> Statistic:
    """The difference of two statistics of the same clusters."""
    return lambda rows: one(rows) - other(rows)


def power_mean(values: Sequence[float], power: float) -> float:
    """Generalised mean of numbers > 0: (mean of x^p)^(1/p); NaN without numbers or where one is not > 0.

    With a power of -5 it leans to the smallest. Source: the final metric of the Jigsaw Unintended Bias in
    Toxicity Classification competition (2019), after Borkan et al. (2019).

    Examples
    --------
    >>> power_mean([0.5, 0.5], -5), round(power_mean([0.5, 1.0], -5), 4)
    (0.5, 0.5708)
    """
    numbers = np.array(values, dtype=np.float64)
    if not (numbers.size and (numbers > 0.0).all()):
        return math.nan
    return float(np.mean(numbers**power) ** (1.0 / power))
