"""Whether another scorer contradicts what the primary one says of a contrast.

Where the direction of a difference, or whether it matters at all, depends on which lexicon reads the text,
the difference is a property of a scorer and not of the model that wrote the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from audit.analysis.cells import span
from audit.analysis.estimates import Cells, Comparer, compared, estimate
from audit.hypotheses import Hypothesis
from audit.measures import Measure, scorer_column, status_column
from audit.stats.equivalence import tost
from audit.stats.estimate import Contrast, Undefined, shown_sign
from audit.verdict import LARGEST_STATUS_GAP

Statement = Literal["higher", "lower", "within margin", "inconclusive"]
"""What one scorer says of the group against its reference."""

Correct = Callable[[Sequence[Cells], Sequence[Contrast | Undefined]], Sequence[float | None]]
"""Cells and contrasts of a family to its corrected p-values, as for the primary scorer."""

SHARE = (0.0, 1.0)
"""Bounds of a score that is a share or a probability."""

SMALLEST_SCORED = 0.5
"""Share of the texts that a scorer must have scored, of either side, before it states anything."""

SIGNS: dict[int, Statement] = {1: "higher", 0: "inconclusive", -1: "lower"}
"""What is said of a difference by the sign that is shown."""

WORDS: dict[Statement, str] = {
    "higher": "the group scores higher",
    "lower": "the group scores lower",
    "within margin": "the difference lies within the margin",
    "inconclusive": "nothing is certain",
}


@dataclass(frozen=True)
class ScorerEvidence:
    """One contrast by one scorer.

    Attributes
    ----------
    estimate, lo, hi : float or None
        With its interval of level 1 - alpha, in the scorer's own unit; None where it could not be computed.
    p, p_adjusted : float or None
        Two-sided, plain and after the family's correction.
    states : {"higher", "lower", "within margin", "inconclusive"} or None
        By the rule of the verdict: within the margin first, then significant and its sign.
    reason : str
        Why there are no numbers; empty where there are.
    margin : float or None
        The equivalence margin in the scorer's own unit.
    coverage : mapping of side to mapping of status to int, or None
        What became of the texts of the group and of the reference that the primary scorer scored; None where
        this one scored all of them.
    """

    scorer: str
    estimate: float | None
    lo: float | None
    hi: float | None
    p: float | None
    p_adjusted: float | None
    states: Statement | None
    reason: str = ""
    margin: float | None = None
    coverage: Mapping[str, Mapping[str, int]] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; coverage only where there is something to say."""
        data = asdict(self)
        if self.coverage is None:
            del data["coverage"]
        return data


def evidence(
    scorer: str,
    contrast: Contrast | Undefined,
    p_adjusted: float | None,
    alpha: float,
    margin: float,
    span: float | None = None,
) -> ScorerEvidence:
    """What a contrast says, by the rule of the verdict; ``span`` as of ``tost``.

    Examples
    --------
    >>> found = Contrast(-0.3, 0.1, 19.0, "paired t", 20, 20, 1)
    >>> evidence("vader", found, 0.01, 0.05, 0.1).states
    'lower'
    """
    if isinstance(contrast, Undefined) or p_adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value"
        return ScorerEvidence(scorer, None, None, None, None, None, None, reason)
    low, high = contrast.ci(1 - alpha)
    states = SIGNS[shown_sign((low, high), p_adjusted, alpha)]
    if tost(contrast, margin, alpha, span).within:
        states = "within margin"
    return ScorerEvidence(
        scorer, contrast.estimate, low, high, contrast.p_value(), p_adjusted, states, margin=margin
    )


def other_scorers(
    frame: pd.DataFrame,
    family: Sequence[Hypothesis],
    measure: Measure,
    correct: Correct,
    alpha: float,
    margin: float,
) -> list[tuple[ScorerEvidence, ...]]:
    """What the scorers besides the primary one say of each hypothesis of a family.

    Parameters
    ----------
    frame : DataFrame
        The probe rows of the family's axis with their ``group``, as ``estimates.axis_rows`` gives them.
    correct : callable
        Corrects the p-values of a family as those of the primary scorer were.
    margin : float
        In the measure's unit. For another scorer it is multiplied by the ratio of the standard deviations of
        its scores and the primary one's, over the same texts: one that hardly leaves 0 would else find any
        difference within the margin. Where both scores run from 0 to 1 it never grows: two texts of a hundred
        are two of a hundred by a scorer that says yes or no, whose scores spread more than probabilities.

    Returns
    -------
    list of tuple of ScorerEvidence
        In the family's order, and in that of the measure's scorers; empty tuples where a measure has one
        scorer or none. A scorer that gives all texts the same score says nothing: it knows too few of their
        words, which is no sign of equality.
    """
    by_scorer = [
        by_one_scorer(frame, family, (scorer, measure), correct, (alpha, margin))
        for scorer in measure.scorers[1:]
    ]
    found = []
    for number, hypothesis in enumerate(family):
        own = [rows[number] for rows in by_scorer]
        if any(status_column(each.scorer) in frame for each in own):
            rows = compared(frame, hypothesis)
            theirs = rows["group"] == hypothesis.group
            sides = {"group": rows[theirs], "reference": rows[~theirs]}
            own = [with_coverage(each, sides, each.scorer) for each in own]
        found.append(tuple(own))
    return found


def with_coverage(said: ScorerEvidence, sides: Mapping[str, pd.DataFrame], scorer: str) -> ScorerEvidence:
    """What a scorer says, with what it could not score of either side.

    One that leaves out more of one side than of the other states nothing, as a finding would be invalid; nor
    does one that leaves out most of either.
    """
    column = status_column(scorer)
    counts: dict[str, dict[str, int]] = {}
    shares = []
    for side, rows in sides.items():
        there = rows[rows["value"].notna()] if len(rows) else rows
        lost = there[column].dropna().value_counts() if column in there else pd.Series(dtype=int)
        scored = len(there) - int(lost.sum())
        counts[side] = {"scored": scored, **{str(name): int(count) for name, count in lost.items()}}
        shares.append(lost.sum() / len(there) if len(there) else 0.0)
    if not any(shares):
        return said
    if abs(shares[0] - shares[1]) > LARGEST_STATUS_GAP or max(shares) > 1.0 - SMALLEST_SCORED:
        missed = f"{shares[0]:.0%} of the group's texts and {shares[1]:.0%} of the reference's"
        reason = f"the scorer {scorer} could not score {missed}"
        return replace(said, states=None, reason=reason, coverage=counts)
    return replace(said, coverage=counts)


def by_one_scorer(
    frame: pd.DataFrame,
    family: Sequence[Hypothesis],
    used: tuple[str, Measure],
    correct: Correct,
    limits: tuple[float, float],
) -> list[ScorerEvidence]:
    """What one scorer of a measure says of each hypothesis; ``limits`` are alpha and margin."""
    (scorer, measure), (alpha, margin) = used, limits
    ratio = spread_ratio(frame, scorer, measure)
    if isinstance(ratio, Undefined):
        return [evidence(scorer, ratio, None, alpha, margin) for _ in family]
    rows = frame.assign(value=frame[scorer_column(scorer)])
    comparer = Comparer(rows, family[0].reference, family[0].layout)
    cells = [comparer.cells(hypothesis.group) for hypothesis in family]
    contrasts = [estimate(cell) for cell in cells]
    return [
        evidence(scorer, contrast, p, alpha, margin * ratio, share_span(measure, cell))
        for contrast, p, cell in zip(contrasts, correct(cells, contrasts), cells, strict=True)
    ]


def share_span(measure: Measure, cells: Cells) -> float | None:
    """The largest difference of shares that one template can show; None where scores are no shares."""
    return span(measure, cells) if measure.bounds == SHARE else None


def spread_ratio(frame: pd.DataFrame, scorer: str, measure: Measure) -> float | Undefined:
    """Standard deviation of a scorer's scores over that of the primary one's, both over the same texts.

    At most 1 where both run from 0 to 1.
    """
    column = scorer_column(scorer)
    if frame.empty or column not in frame or frame[column].isna().all():
        return Undefined(f"the scorer {scorer} was not used on these answers")
    own, first = (frame.loc[frame[column].notna(), name].to_numpy(dtype=float) for name in (column, "value"))
    if float(np.ptp(own)) == 0.0:
        return Undefined(f"the scorer {scorer} gives all texts the same score")
    if float(np.ptp(first)) == 0.0:
        return Undefined("the primary scorer gives all texts the same score")
    ratio = float(np.std(own) / np.std(first))
    bounds = [measure.bounds, *(each.bounds for each in measure.planned if each.name == scorer)]
    return min(ratio, 1.0) if bounds == [SHARE, SHARE] else ratio


def flips(primary: ScorerEvidence, others: Sequence[ScorerEvidence]) -> str | None:
    """The reason if another scorer contradicts the primary one, else None.

    A contradiction is a certain difference the other way, or a certain difference by one scorer that lies
    within the margin by the other. That one of them is not certain contradicts nothing. Source: MEASURES 7.9.

    Examples
    --------
    >>> low = ScorerEvidence("vader", -0.3, -0.4, -0.2, 0.001, 0.001, "lower")
    >>> high = ScorerEvidence("textblob", 0.3, 0.2, 0.4, 0.001, 0.001, "higher")
    >>> flips(low, [high])
    'the scorers disagree: by vader the group scores lower, by textblob the group scores higher'
    """
    sides = [("higher", "lower"), ("higher", "within margin"), ("lower", "within margin")]
    against = [
        f"by {other.scorer} {WORDS[other.states]}"
        for other in others
        if primary.states and other.states and tuple(sorted((primary.states, other.states))) in sides
    ]
    if not against or primary.states is None:
        return None
    return f"the scorers disagree: by {primary.scorer} {WORDS[primary.states]}, {', '.join(against)}"
