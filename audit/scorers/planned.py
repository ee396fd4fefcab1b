"""A scorer as a plan holds it: which one, how its answers are read, and what it was kept from seeing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from audit.scorers.base import Construct, Kind
from audit.scorers.labels import LabelReading

MASKED = ", groups masked"
"""How the name of a scorer ends from which words that name groups are hidden."""


@dataclass(frozen=True)
class PlannedScorer:
    """One scorer, as it was decided before the first question.

    Attributes
    ----------
    name : str
        As reports name it; unique within a plan.
    digest : str
        Of the scorer; of one that is asked, the digest under which its answers are kept.
    bounds, found, notable, worse
        As on its card (``audit.scorers.base.ScorerCard``).
    masked : bool
        Whether words that name groups are replaced before a text is scored.
    reading : LabelReading or None
        How the kept answers of a scorer that is asked become numbers; None for rules.
    model : mapping or None
        Of a scorer that is asked, what loads it: ``id, digest, kind, capabilities, parameters, options``.
    """

    name: str
    construct: Construct
    kind: Kind
    digest: str
    bounds: tuple[float, float]
    found: str
    notable: float
    worse: Literal["low", "high"]
    masked: bool = False
    reading: LabelReading | None = None
    model: Mapping[str, Any] | None = None

    @property
    def registered(self) -> str:
        """The name under which a scorer of rules comes with the instrument."""
        return self.name.removesuffix(MASKED) if self.masked else self.name

    def to_json(self) -> dict[str, Any]:
        """Plain data for a plan."""
        data = asdict(self)
        data["bounds"] = list(self.bounds)
        if self.reading is not None:
            data["reading"] = {
                "weights": [list(pair) for pair in self.reading.weights],
                "temperature": self.reading.temperature,
            }
        return data


def planned_from_json(data: Mapping[str, Any]) -> PlannedScorer:
    """The scorer that :meth:`PlannedScorer.to_json` turned into ``data``.

    Examples
    --------
    >>> reading = LabelReading((("toxic", 1.0),), 2.0)
    >>> one = PlannedScorer("t", "toxicity", "asked", "0", (0, 1), "toxic", 0.5, "high", True, reading, {})
    >>> planned_from_json(one.to_json()) == one
    True
    """
    reading = data["reading"]
    if reading is not None:
        weights = tuple((str(label), float(weight)) for label, weight in reading["weights"])
        reading = LabelReading(weights, float(reading["temperature"]))
    low, high = data["bounds"]
    return PlannedScorer(**{**data, "bounds": (low, high), "reading": reading})
