"""What a scorer flagged, and how often people agree with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Undefined


@dataclass(frozen=True)
class Accuracy:
    """How often a scorer agrees with people, in one group.

    Parameters
    ----------
    sensitivity : float
        Share of the answers that people call positive which the scorer flags, in [0, 1].
    n_positive : int
        Answers that people called positive, >= 0.
    specificity : float
        Share of the answers that people call negative which the scorer does not flag, in [0, 1].
    n_negative : int
        Answers that people called negative, >= 0.

    Raises
    ------
    ValueError
        If a share lies outside [0, 1] or a count is negative.

    Examples
    --------
    >>> round(Accuracy(0.85, 100, 0.95, 100).youden, 2)
    0.8
    """

    sensitivity: float
    n_positive: int
    specificity: float
    n_negative: int

    def __post_init__(self) -> None:
        for name in ("sensitivity", "specificity"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        if min(self.n_positive, self.n_negative) < 0:
            raise ValueError(f"counts must not be negative: {self}")

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1, in [-1, 1]; 0 means that flags say nothing."""
        return self.sensitivity + self.specificity - 1.0

    @classmethod
    def of(cls, labels: npt.ArrayLike, flags: npt.ArrayLike) -> Accuracy | Undefined:
        """Count a calibration set.

        Parameters
        ----------
        labels, flags : array_like of bool, shape (n,)
            What people said and what the scorer said, answer by answer.

        Returns
        -------
        Accuracy or Undefined
            Undefined where people called no answer positive, or none negative.

        Raises
        ------
        ValueError
            If the columns differ in length or hold anything but booleans.

        Examples
        --------
        >>> Accuracy.of([True, True, False, False], [True, False, False, False])
        Accuracy(sensitivity=0.5, n_positive=2, specificity=1.0, n_negative=2)
        """
        # An empty list has no type of its own.
        sides = (labels, flags)
        truth, said = (np.asarray(side, dtype=None if np.size(side) else np.bool_) for side in sides)
        if truth.ndim != 1 or truth.shape != said.shape:
            raise ValueError("labels and flags must be columns of the same length")
        if truth.dtype != np.bool_ or said.dtype != np.bool_:
            raise ValueError("labels and flags must be booleans; leave missing ones out and report how many")
        positive = int(np.count_nonzero(truth))
        negative = int(truth.size) - positive
        if min(positive, negative) == 0:
            return Undefined(f"{positive} labels are positive and {negative} negative; both are needed")
        hits, rejections = int(np.count_nonzero(truth & said)), int(np.count_nonzero(~truth & ~said))
        return cls(hits / positive, positive, rejections / negative, negative)


@dataclass(frozen=True)
class Clustered:
    """Variance of a flagged rate whose answers share templates or terms, in place of q (1 - q) / n.

    Parameters
    ----------
    variance : float
        Of the flagged rate, >= 0; for instance the squared standard error of a cluster-robust estimate.
    df : float
        Its degrees of freedom, >= 1.

    Raises
    ------
    ValueError
        If the variance is negative or not finite, or `df` < 1.

    Examples
    --------
    >>> Clustered(0.03**2, 19.0).df
    19.0
    """

    variance: float
    df: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.variance) and self.variance >= 0.0):
            raise ValueError(f"variance must be finite and not negative, not {self.variance}")
        if not self.df >= 1.0:
            raise ValueError(f"df must be at least 1, not {self.df}")


@dataclass(frozen=True)
class Flags:
    """What a scorer flagged in one group, with its accuracy there.

    Parameters
    ----------
    flagged : float
        Answers flagged, 0 <= flagged <= n; not whole where answers are weighted.
    n : int
        Answers scored, >= 0.
    accuracy : Accuracy
        From human labels of answers about this group.
    clustered : Clustered, optional
        Needed where answers are not independent.

    Raises
    ------
    ValueError
        If the counts are impossible.

    Examples
    --------
    >>> Flags(12, 100, Accuracy(0.85, 100, 0.95, 100)).rate
    0.12
    """

    flagged: float
    n: int
    accuracy: Accuracy
    clustered: Clustered | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.flagged <= self.n:
            raise ValueError(f"counts must satisfy 0 <= flagged <= n, not {self.flagged} of {self.n}")

    @property
    def rate(self) -> float:
        """Flagged share, in [0, 1]; needs an answer."""
        return self.flagged / self.n
