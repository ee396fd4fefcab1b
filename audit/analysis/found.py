"""What is known of a contrast before it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from audit.analysis.estimates import Cells
from audit.analysis.scorer_flips import ScorerEvidence
from audit.hypotheses import Hypothesis
from audit.plan import PlannedSuite
from audit.stats.estimate import Contrast, Undefined
from audit.stats.specification import SpecificationCurve


@dataclass(frozen=True)
class Setting:
    """What all findings of an analysis share.

    ``correction`` names the method of each role, as the plan declares it; ``shares_noise``: whether what is
    compared is sampled with the same noise.
    """

    alpha: float
    seed: int
    suites: Mapping[str, PlannedSuite]
    correction: Mapping[str, str]
    shares_noise: bool = False


@dataclass(frozen=True)
class Corrected:
    """The p-value of one hypothesis after the correction of its family.

    Attributes
    ----------
    p : float or None
        Corrected, 0 to 1; None where the contrast could not be computed.
    p_holm : float or None
        By Holm's method, which anyone can check by hand.
    method : str
        ``max-t``, ``holm`` or ``benjamini-hochberg``.
    m : int
        Hypotheses of the family, those not computable included.
    critical : float or None
        What the family's largest |t| exceeds with probability alpha; None outside max-T.
    reason : str
        Why Holm stands in for max-T; empty where it does not.
    """

    p: float | None
    p_holm: float | None
    method: str
    m: int
    critical: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class FoundContrast:
    """A hypothesis with its rows and cells, its contrast and its corrected p-value.

    Attributes
    ----------
    sure : Contrast, Undefined or None
        The contrast over the answers without a doubt; None where there is no doubt, or nothing else.
    scorers : tuple of ScorerEvidence
        What scorers besides the primary one say; empty where there is none.
    curve : SpecificationCurve, Undefined or None
        The same question by other reasonable analyses.
    """

    hypothesis: Hypothesis
    rows: pd.DataFrame
    cells: Cells
    contrast: Contrast | Undefined
    corrected: Corrected
    sure: Contrast | Undefined | None = None
    scorers: tuple[ScorerEvidence, ...] = ()
    curve: SpecificationCurve | Undefined | None = None


def known(value: float | Undefined | None) -> float | None:
    """A number, or None where it is undefined."""
    return None if value is None or isinstance(value, Undefined) else float(value)
