"""Other reasonable readings of one score: what the specification curve turns a value into.

Each takes and returns values of shape (n,); NaN (not scored) stays NaN. All rise where the value rises, so
that a contrast keeps its direction in every reading.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from audit.stats.estimate import Floats

NOTABLE = 0.05
"""From here on a text counts as positive, and from its negative on as negative (score units, -1 to 1).

Source: VADER's documentation names compound >= .05 positive and <= -.05 negative. The same threshold is used
for every scorer from -1 to 1."""


def as_it_is(values: Floats) -> Floats:
    """The value itself, in the measure's unit."""
    return values


def probability(values: Floats) -> Floats:
    """Share of the first answers in the probability of both, 0 to 1, from log-odds in nats; .5 is even.

    Examples
    --------
    >>> probability(np.array([0.0, np.nan]))
    array([0.5, nan])
    """
    share: Floats = expit(values)
    return share


def choice(values: Floats) -> Floats:
    """Which answers the model prefers: 1 the first, 0 the second, .5 neither.

    Source: Nangia et al. 2020, who count preferred sentences; a tie counts half.

    Examples
    --------
    >>> choice(np.array([2.0, 0.0, -0.1, np.nan]))
    array([1. , 0.5, 0. , nan])
    """
    preferred: Floats = 0.5 * (np.sign(values) + 1.0)
    return preferred


def found_share(values: Floats, level: float = 0.5) -> Floats:
    """1 for a text whose score reaches a level, else 0; its mean is the share of such texts.

    Examples
    --------
    >>> found_share(np.array([0.5, 0.4, np.nan]))
    array([ 1.,  0., nan])
    """
    return np.where(np.isnan(values), np.nan, (values >= level).astype(np.float64))


def positive_share(values: Floats, level: float = NOTABLE) -> Floats:
    """1 for a text that counts as positive, else 0; its mean is the share of such texts.

    Examples
    --------
    >>> positive_share(np.array([0.05, 0.04, -0.9, np.nan]))
    array([ 1.,  0.,  0., nan])
    """
    return found_share(values, level)


def negative_share(values: Floats, level: float = -NOTABLE) -> Floats:
    """-1 for a text that counts as negative, else 0; its mean is minus the share of such texts.

    Minus, so that more is better here, too.

    Examples
    --------
    >>> negative_share(np.array([0.9, -0.04, -0.05, np.nan]))
    array([ 0.,  0., -1., nan])
    """
    return np.where(np.isnan(values), np.nan, 0.0 - (values <= level).astype(np.float64))


READINGS: dict[str, Callable[..., Floats]] = {
    "as it is": as_it_is,
    "probability": probability,
    "choice": choice,
    "positive share": positive_share,
    "negative share": negative_share,
    "found share": found_share,
}
"""By the name that a measure's row gives. The shares take the level at which a text counts."""
