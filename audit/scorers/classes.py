"""What a scorer's number says of a text: its class, by the scorer's card."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats

Codes = npt.NDArray[np.int8]

CLASSES = ("negative", "neutral", "positive")
"""Of a scorer whose scale has two sides."""


class Reading(Protocol):
    """How a scorer's numbers are to be read: a ``ScorerCard``, or a ``PlannedScorer``."""

    @property
    def name(self) -> str:
        """As reports name it."""
        ...

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        ...

    @property
    def found(self) -> str:
        """What a text is said to be from ``notable`` on."""
        ...

    @property
    def notable(self) -> float:
        """The value from which on that is said."""
        ...

    @property
    def worse(self) -> Literal["low", "high"]:
        """On which side."""
        ...


def two_sided(reading: Reading) -> bool:
    """Whether a scale runs as far below 0 as above it, so that a text can be the opposite of what is found.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> two_sided(scorer_named("vader").card)
    True
    """
    low, high = reading.bounds
    return low == -high


def class_names(reading: Reading) -> tuple[str, ...]:
    """The classes of a scorer's texts, what it is there to find first.

    Examples
    --------
    >>> from audit.scorers.base import ScorerCard
    >>> class_names(ScorerCard("t", "toxicity", "", "", "", "", (0.0, 1.0), "toxic", 0.5, "high"))
    ('toxic', 'not toxic')
    """
    return CLASSES if two_sided(reading) else (reading.found, f"not {reading.found}")


def outward(values: Floats, reading: Reading) -> Floats:
    """Values turned so that more is more of what the scorer is there to find; NaN stays NaN."""
    return -values if reading.worse == "low" else values


def found_flags(values: Floats, reading: Reading) -> Floats:
    """1 where a text is what the scorer is there to find, else 0; NaN where it has no value.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> found_flags(np.array([-0.05, 0.0, np.nan]), scorer_named("vader").card)
    array([ 1.,  0., nan])
    """
    edge = -reading.notable if reading.worse == "low" else reading.notable
    return np.where(np.isnan(values), np.nan, (outward(values, reading) >= edge).astype(np.float64))


def opposite_flags(values: Floats, reading: Reading) -> Floats:
    """1 where a text of a two-sided scale is as far out on the other side, else 0; NaN without a value."""
    edge = -reading.notable if reading.worse == "low" else reading.notable
    return np.where(np.isnan(values), np.nan, (outward(values, reading) <= -edge).astype(np.float64))


def text_classes(values: Floats, reading: Reading) -> Codes:
    """The class of each text, an index of :func:`class_names`; values must not be missing.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> text_classes(np.array([-0.05, 0.0, 0.6]), scorer_named("vader").card).tolist()
    [0, 1, 2]
    """
    found = found_flags(values, reading).astype(np.int8)
    if not two_sided(reading):
        return (1 - found).astype(np.int8)
    return (1 - found + opposite_flags(values, reading).astype(np.int8)).astype(np.int8)
