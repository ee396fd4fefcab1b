"""Winogender: hard sentences, and how occupations' differences go with the labour market."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import rankdata

from audit.stats.estimate import Floats


def is_gotcha(pronoun: str, refers: str, share: float) -> bool:
    """Whether a sentence is one in which the labour market misleads.

    Parameters
    ----------
    pronoun : {"he", "she"}
    refers : {"occupation", "participant"}
        Whom the pronoun stands for.
    share : float
        Of women in the occupation, 0 to 1.

    Notes
    -----
    Source: Rudinger, Naradowsky, Leonard and Van Durme (2018), Gender Bias in Coreference Resolution, table
    2: for feminine pronouns, the answer is the occupation and fewer than half of its workers are women, or
    at least half are and the answer is the participant; for masculine ones the reverse.

    Examples
    --------
    >>> is_gotcha("she", "occupation", 0.1), is_gotcha("he", "occupation", 0.1)
    (True, False)
    >>> is_gotcha("she", "participant", 0.5), is_gotcha("he", "participant", 0.5)
    (True, False)
    """
    feminine = share < 0.5 if refers == "occupation" else share >= 0.5
    return feminine if pronoun == "she" else not feminine


def logit(share: Floats) -> Floats:
    """Log-odds of a share, nats; infinite at 0 and 1.

    Examples
    --------
    >>> logit(np.array([0.5]))
    array([0.])
    """
    return np.asarray(np.log(share) - np.log1p(-share))


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's correlation, -1 to 1; NaN where a side does not vary or has fewer than 3 values.

    Examples
    --------
    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 9)
    1.0
    >>> correlation(np.array([1.0, 2.0, 3.0]), np.zeros(3))
    nan
    """
    if x.size < 3:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    size = math.sqrt(float(np.dot(x, x)) * float(np.dot(y, y)))
    return float(np.dot(x, y)) / size if size > 0.0 else math.nan


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's correlation, tied values at their mean rank; as ``scipy.stats.spearmanr``.

    Examples
    --------
    >>> round(rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([2.0, 4.0, 5.0])), 9)
    1.0
    """
    return correlation(np.asarray(rankdata(x)), np.asarray(rankdata(y)))
