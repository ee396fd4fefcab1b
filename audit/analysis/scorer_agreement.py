"""How far the scorers of a family's texts say the same of them, text by text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from audit.measures import scorer_column
from audit.scorers.agreement import class_labels, codes_of, figure, kappa_of_classes
from audit.scorers.planned import PlannedScorer
from audit.stats.estimate import Floats, Undefined


def family_agreement(frame: pd.DataFrame, planned: Sequence[PlannedScorer]) -> list[dict[str, Any]]:
    """Cohen's kappa of the primary scorer's classes and those of each other one.

    Parameters
    ----------
    frame : DataFrame
        The rows of a family: ``family`` (of templates), ``value``, and ``value:`` columns of the others.
    planned : sequence of PlannedScorer
        The measure's scorers, the primary one first.

    Returns
    -------
    list of dict
        One a scorer besides the primary one: ``scorer``, ``n`` texts that both scored, ``n_one_only`` that
        only one of them did, and ``kappa`` with its interval, from -1 to 1, 0 as much as by chance.
        That two scorers agree makes neither of them right.
    """
    primary, *others = planned
    return [one_agreement(frame, primary, other) for other in others]


def one_agreement(frame: pd.DataFrame, primary: PlannedScorer, other: PlannedScorer) -> dict[str, Any]:
    """The primary scorer and another one on the texts of a family."""
    column = scorer_column(other.name)
    one, second = (
        frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), np.nan)
        for name in ("value", column)
    )
    both = ~np.isnan(one) & ~np.isnan(second)
    readings = (primary, other)
    codes = codes_of(one[both], second[both], readings)
    count = len(class_labels(readings)[0])
    families = frame["family"].to_numpy(dtype=object) if len(frame) else np.empty(0, dtype=object)
    clusters = pd.factorize(families[both])[0]

    def kappa(first: Floats, second: Floats) -> float | Undefined:
        return kappa_of_classes(first, second, count)

    found = figure(codes[0].astype(np.float64), codes[1].astype(np.float64), clusters, kappa)
    return {
        "scorer": other.name,
        "n": int(both.sum()),
        "n_one_only": int((np.isnan(one) != np.isnan(second)).sum()),
        "kappa": {key: value for key, value in asdict(found).items() if key not in ("n", "clusters")},
    }
