"""How what is said of a contrast moves with the threshold at which a text counts as negative, or as toxic.

A share of such texts needs a threshold, and a threshold is a choice. Where the sign or the certainty of a
difference depends on it, the difference is a property of the choice. What texts are counted as, and on which
side of 0, is told by the scorer's entry in the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from audit.analysis.cells import CELL_COLUMNS
from audit.analysis.correction import corrected
from audit.analysis.estimates import Comparer, compared, estimate
from audit.analysis.found import Setting
from audit.hypotheses import Hypothesis
from audit.measures import scorer_column
from audit.scorers.classes import found_flags
from audit.scorers.planned import PlannedScorer
from audit.stats.estimate import Contrast, Undefined, shown_sign
from probes.errors import Fault, InputError
from probes.explain import nearest

THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""How far from 0 a text may begin to count; of a scale from -1 to 1 the first is the instrument's own."""

ShareStatement = Literal["higher", "lower", "inconclusive"]
"""What is said of a share of texts. Never "within margin": no margin is declared on this scale."""


@dataclass(frozen=True)
class ShareContrast:
    """One contrast of the share of texts found, at one threshold by one scorer.

    Attributes
    ----------
    threshold : float
        A text counts where its score lies at least this far from 0, on the side that the scorer is there to
        find: at most minus this for sentiment, at least this for toxicity.
    estimate, lo, hi : float or None
        The group's share minus the reference's, -1 to 1, by cells as in the finding, with its interval of
        level 1 - alpha. Positive: more of the group's texts count. None where it is not known.
    p_adjusted : float or None
        Two-sided, corrected within the family as the finding is.
    share_group, share_reference : float or None
        Texts that count among those scored, counted plainly, 0 to 1; the reference is all that the group is
        compared with, for an interaction the three other cells.
    n_group, n_reference : int
        Texts scored.
    states : {"higher", "lower", "inconclusive"} or None
        Of the group against its reference; None where there is no estimate.
    reason : str
        Why there is no estimate; empty where there is one.
    """

    threshold: float
    scorer: str
    estimate: float | None
    lo: float | None
    hi: float | None
    p_adjusted: float | None
    share_group: float | None
    share_reference: float | None
    n_group: int
    n_reference: int
    states: ShareStatement | None
    method: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return dict(vars(self))


def threshold_curve(
    frame: pd.DataFrame,
    family: Sequence[Hypothesis],
    hypothesis: Hypothesis,
    scorer: str,
    thresholds: Sequence[float],
    setting: Setting,
) -> list[dict[str, Any]]:
    """How one finding moves with the threshold; see :func:`family_curves`.

    Returns
    -------
    list of dict
        :class:`ShareContrast` as plain data, one a threshold.
    """
    curves = family_curves(frame, family, scorer, thresholds, setting)
    if hypothesis.id not in curves:
        what = f"{hypothesis.id} is not in the family {family[0].family}"
        raise InputError(Fault(what, "", "Give the family of the hypothesis."))
    return [row.to_json() for row in curves[hypothesis.id]]


def family_curves(
    frame: pd.DataFrame,
    family: Sequence[Hypothesis],
    scorer: str,
    thresholds: Sequence[float],
    setting: Setting,
) -> Mapping[str, list[ShareContrast]]:
    """How all findings of a family move with the threshold, each threshold corrected within the family.

    Parameters
    ----------
    frame : DataFrame
        The probe rows of the family's axis with their ``group``, as ``estimates.axis_rows`` gives them.
    scorer : str
        One of the measure's scorers.
    thresholds : sequence of float
        Each above 0 and at most the end of the scorer's scale.
    setting : Setting
        Of the audit; it tells the measure, alpha, and how families are corrected.

    Returns
    -------
    mapping of hypothesis id to list of ShareContrast
        In the order of the thresholds. The thresholds are not corrected for one another: a curve shows how a
        statement moves, and its best point is no finding.

    Raises
    ------
    InputError
        If the measure has no scorers, or not this one, or a threshold lies outside its range.
    """
    card = check_request(family[0], scorer, thresholds, setting)
    primary = setting.suites[family[0].suite].measure.scorers[0]
    column = "value" if scorer == primary else scorer_column(scorer)
    scores = frame[column].to_numpy(dtype=float) if column in frame else np.empty(0)
    if not len(frame) or column not in frame or bool(np.isnan(scores).all()):
        reason = f"no text of this contrast was scored by {scorer}"
        return {each.id: [unknown(threshold, scorer, reason) for threshold in thresholds] for each in family}
    needed = [name for name in CELL_COLUMNS if name in frame]
    labels = frame[needed].astype(object)  # plain objects are read many times faster than Arrow's strings
    curves: dict[str, list[ShareContrast]] = {each.id: [] for each in family}
    made: dict[bytes, list[ShareContrast]] = {}
    for threshold in thresholds:
        moved = replace(card, notable=-threshold if card.worse == "low" else threshold)
        counted = found_flags(scores, moved)
        key = counted.tobytes()
        if key not in made:  # scores come in steps: neighbouring thresholds often part the texts alike
            rows = labels.assign(value=counted)
            made[key] = at_one_threshold(rows, family, (threshold, card), setting)
        for each, row in zip(family, made[key], strict=True):
            curves[each.id].append(ShareContrast(**{**vars(row), "threshold": threshold}))
    return curves


def check_request(
    hypothesis: Hypothesis, scorer: str, thresholds: Sequence[float], setting: Setting
) -> PlannedScorer:
    """The scorer's entry in the plan; what has no share of texts to count is refused."""
    measure = setting.suites[hypothesis.suite].measure
    if not measure.scorers:
        what = f"the measure {measure.name} reads no text by a scorer, so none counts as found"
        raise InputError(Fault(what, hypothesis.id, "Choose a contrast of generated text."))
    if scorer not in measure.scorers:
        what = f"the measure {measure.name} has no scorer {scorer!r}"
        raise InputError(Fault(what, hypothesis.id, nearest(scorer, measure.scorers)))
    card = next(one for one in measure.planned if one.name == scorer)
    end = -card.bounds[0] if card.worse == "low" else card.bounds[1]
    wrong = [threshold for threshold in thresholds if not 0.0 < threshold <= end]
    if wrong:
        what = f"a threshold of {wrong[0]:g}"
        raise InputError(Fault(what, hypothesis.id, f"Give thresholds above 0 and at most {end:g}."))
    return card


def at_one_threshold(
    rows: pd.DataFrame, family: Sequence[Hypothesis], what: tuple[float, PlannedScorer], setting: Setting
) -> list[ShareContrast]:
    """The family's contrasts of one 0/1 reading; ``what`` is the threshold and the scorer."""
    threshold, scorer = what[0], what[1].name
    read = rows["value"].to_numpy(dtype=float)
    scored = read[~np.isnan(read)]
    if float(np.ptp(scored)) == 0.0:
        reason = f"{'every' if scored[0] else 'no'} text counts as {what[1].found}"
        return [unknown(threshold, scorer, reason, shares(rows, each)) for each in family]
    comparer = Comparer(rows, family[0].reference, family[0].layout)
    cells = [comparer.cells(each.group) for each in family]
    contrasts = [estimate(cell) for cell in cells]
    adjusted = corrected(family, cells, contrasts, setting)
    return [
        share_contrast((threshold, scorer), contrast, each.p, shares(rows, hypothesis), setting.alpha)
        for hypothesis, contrast, each in zip(family, contrasts, adjusted, strict=True)
    ]


Shares = tuple[float | None, float | None, int, int]
"""Share of the group, share of its reference, texts of the group, texts of its reference."""


def shares(rows: pd.DataFrame, hypothesis: Hypothesis) -> Shares:
    """Texts that count among those scored, of the group and of all that it is compared with."""
    pool = compared(rows, hypothesis)
    own = (pool["group"] == hypothesis.group).to_numpy()
    read = pool["value"].to_numpy(dtype=float)
    scored = ~np.isnan(read)
    one, other = read[own & scored], read[~own & scored]
    return (
        float(one.mean()) if one.size else None,
        float(other.mean()) if other.size else None,
        int(one.size),
        int(other.size),
    )


def share_contrast(
    what: tuple[float, str],
    contrast: Contrast | Undefined,
    p_adjusted: float | None,
    counted: Shares,
    alpha: float,
) -> ShareContrast:
    """What a contrast of shares says: significant and its sign, or nothing."""
    threshold, scorer = what
    if isinstance(contrast, Undefined) or p_adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value"
        return unknown(threshold, scorer, reason, counted)
    low, high = contrast.ci(1 - alpha)
    signs: dict[int, ShareStatement] = {1: "higher", 0: "inconclusive", -1: "lower"}
    states = signs[shown_sign((low, high), p_adjusted, alpha)]
    return ShareContrast(
        threshold, scorer, contrast.estimate, low, high, p_adjusted, *counted, states, contrast.method
    )


def unknown(
    threshold: float, scorer: str, reason: str, counted: Shares = (None, None, 0, 0)
) -> ShareContrast:
    """A point of the curve that could not be measured, and why."""
    return ShareContrast(threshold, scorer, None, None, None, None, *counted, None, reason=reason)
