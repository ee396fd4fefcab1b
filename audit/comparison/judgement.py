"""From a paired change to one of four verdicts, by rules that were fixed before the numbers were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ChangeVerdict = Literal["changed", "no change within margin", "inconclusive", "not comparable"]
CHANGE_VERDICTS: tuple[ChangeVerdict, ...] = (
    "changed",
    "inconclusive",
    "not comparable",
    "no change within margin",
)
"""In the order in which a reader needs them."""

Estimated = tuple[float, float, float]
"""Estimate, lower and upper bound of its interval."""
Direction = Literal["toward 0", "away from 0", "through 0"]

SAME_MODEL = "the model is the same, and it gave the same answers"
SAME_ANSWERS = "every answer compared is the same"


@dataclass(frozen=True)
class ChangeEvidence:
    """What the verdict on a change is made from.

    Attributes
    ----------
    before, after : (float, float, float)
        The contrast on the matched rows of either audit with its interval of level 1 - alpha, in the
        measure's unit: estimate, lower and upper bound.
    ci : (float, float)
        Interval of level 1 - alpha of the change.
    p_adjusted : float
        Of no change, after the family's correction.
    margin : float
        Largest change that does not matter, > 0.
    within : bool
        Whether the interval of level 1 - 2 alpha of the change lies inside the margin.
    rounding : float
        Size below which a change is the rounding of the models that count in single precision.
    blocked : tuple of str
        Why the two cannot be compared; empty where they can.
    open_questions : tuple of str
        Why the sample, or the scorer, allows no claim of this kind.
    alike, same_digest : bool
        Whether every raw answer compared is equal, and whether both models are one.
    """

    before: Estimated
    after: Estimated
    ci: tuple[float, float]
    p_adjusted: float
    alpha: float
    margin: float
    within: bool
    rounding: float = 0.0
    blocked: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    alike: bool = False
    same_digest: bool = False


@dataclass(frozen=True)
class ChangeJudgement:
    """A verdict on a change with its reasons.

    ``direction`` only where a change is claimed. ``material``: the bound of the interval nearest to 0 lies
    beyond the margin. ``detectable``: within the margin, yet not 0.
    """

    verdict: ChangeVerdict
    direction: Direction | None = None
    material: bool = False
    detectable: bool = False
    reasons: tuple[str, ...] = ()


def judge_change(evidence: ChangeEvidence) -> ChangeJudgement:
    """The verdict on one paired change.

    One model that gave one set of answers has not changed, whatever can be said of its bias. Else, as for a
    disparity: within the margin first, then a change if the corrected p-value and the interval both say so.

    Examples
    --------
    >>> before, after = (0.9, 0.7, 1.1), (0.1, -0.1, 0.3)
    >>> judge_change(ChangeEvidence(before, after, (-1.1, -0.5), 0.001, 0.05, 0.2, False)).direction
    'toward 0'
    """
    if evidence.alike and evidence.same_digest:
        return ChangeJudgement("no change within margin", reasons=(SAME_MODEL,))
    same = (SAME_ANSWERS,) if evidence.alike else ()
    if evidence.blocked:
        return ChangeJudgement("not comparable", reasons=(*evidence.blocked, *same))
    if evidence.open_questions:
        return ChangeJudgement("inconclusive", reasons=(*evidence.open_questions, *same))
    low, high = evidence.ci
    sure = evidence.p_adjusted < evidence.alpha and not low <= 0.0 <= high
    significant = sure and abs(low + high) / 2.0 > evidence.rounding
    if evidence.within:
        return ChangeJudgement("no change within margin", detectable=significant, reasons=same)
    if not significant:
        return ChangeJudgement("inconclusive", reasons=same)
    return ChangeJudgement(
        "changed",
        direction=direction(evidence.before, evidence.after),
        material=min(abs(low), abs(high)) > evidence.margin,
        reasons=same,
    )


def direction(before: Estimated, after: Estimated) -> Direction:
    """Where a contrast went; through 0 only where its interval lay on one side and now lies on the other.

    Examples
    --------
    >>> direction((0.5, 0.4, 0.6), (0.9, 0.8, 1.0)), direction((0.5, 0.4, 0.6), (-0.6, -0.7, -0.5))
    ('away from 0', 'through 0')
    >>> direction((0.5, 0.4, 0.6), (-0.01, -0.1, 0.08))
    'toward 0'
    """
    if side_of(before) * side_of(after) < 0:
        return "through 0"
    return "toward 0" if abs(after[0]) < abs(before[0]) else "away from 0"


def side_of(found: Estimated) -> int:
    """1 where the whole interval lies above 0, -1 where it lies below, else 0."""
    _, low, high = found
    return int(low > 0.0) - int(high < 0.0)
