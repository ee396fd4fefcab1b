"""What scorers say of a hypothesis that was asked until it was decided, all by the same rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from audit.analysis.scorer_flips import SIGNS, ScorerEvidence, spread_ratio, with_coverage
from audit.hypotheses import Hypothesis
from audit.measures import scorer_column, status_column
from audit.sequential.plan import Design
from audit.sequential.streams import PRIMARY, FamilyStreams, ScoredUnit
from audit.stats.betting import anytime_p, log_wealth
from audit.stats.confidence_sequence import ConfidenceSequence
from audit.stats.estimate import Undefined, shown_sign
from audit.stats.sequential import NEAR_ZERO


def said_by_scorers(
    streams: FamilyStreams, hypothesis: Hypothesis
) -> tuple[ScorerEvidence, list[ScorerEvidence]]:
    """What the primary scorer says of a hypothesis where its stream stopped, and what the others say there.

    A stream of bets may be looked at whenever one likes, and so at the time at which another one stopped.
    """
    names = streams.design.planned.measure.scorers or (PRIMARY,)
    end = streams.counted[hypothesis.group][-1].scored.unit.number
    units = [scored for scored in streams.scored if scored.unit.number <= end]
    others = []
    for name in names[1:]:
        x = [d for u in units if (d := streams.difference(u, hypothesis.group, name)) is not None]
        ratio = spread_ratio(prompt_means(units, name), name, streams.design.planned.measure)
        said = scorer_evidence(name, x, streams.design, ratio, streams.design.widening(name))
        others.append(with_coverage(said, sides_of(streams, hypothesis, units), name))
    own = [counted.x for counted in streams.counted[hypothesis.group]]
    return scorer_evidence(names[0], own, streams.design, 1.0), others


def sample_rows(streams: FamilyStreams) -> pd.DataFrame:
    """Every sample that a family was judged by, with what each scorer says of it."""
    names = streams.design.planned.measure.scorers[1:]
    rows = [
        (unit.unit.family, score.value, *(score.others.get(name) for name in names))
        for unit in streams.scored
        for scores in unit.scores.values()
        for score in scores
    ]
    return pd.DataFrame(rows, columns=["family", "value", *map(scorer_column, names)])


def sides_of(
    streams: FamilyStreams, hypothesis: Hypothesis, units: Sequence[ScoredUnit]
) -> dict[str, pd.DataFrame]:
    """The samples of the group and of what it is compared with, as rows that say what became of them."""
    names = streams.design.planned.measure.scorers[1:]
    sides: dict[str, list[dict[str, object]]] = {"group": [], "reference": []}
    for unit in units:
        for group in streams.design.coefficients[hypothesis.group]:
            own = sides["group" if group == hypothesis.group else "reference"]
            for question in unit.unit.prompts[group]:
                for score in unit.scores[question.digest]:
                    others = {scorer_column(name): score.others.get(name) for name in names}
                    lost = {status_column(name): status for name, status in score.lost.items()}
                    own.append({"value": score.value, **others, **lost})
    return {side: pd.DataFrame(rows) for side, rows in sides.items()}


def prompt_means(units: Sequence[ScoredUnit], scorer: str) -> pd.DataFrame:
    """What the primary scorer and another one say of every group of every unit."""
    rows = [
        (unit.values[PRIMARY][group], unit.values[scorer][group])
        for unit in units
        for group in unit.values[scorer]
    ]
    return pd.DataFrame(rows, columns=["value", scorer_column(scorer)], dtype=float).dropna()


def scorer_evidence(
    scorer: str, x: Sequence[float], design: Design, ratio: float | Undefined, widening: float = 1.0
) -> ScorerEvidence:
    """What a stream of one scorer's differences says, all of it, by the rule of the plan.

    ``ratio`` scales the margin to a scorer whose scores spread less, as in an audit of fixed size;
    ``widening`` is how many times as wide as the primary one's its scale is, by which ``x`` was divided.
    """
    if isinstance(ratio, Undefined) or not x:
        reason = ratio.reason if isinstance(ratio, Undefined) else "no unit could be scored"
        return ScorerEvidence(scorer, None, None, None, None, None, None, reason)
    rule, width = design.rule, design.width * widening
    margin = min(1.0, rule.margin * ratio / widening)
    marks = (-margin, -NEAR_ZERO, 0.0, NEAR_ZERO, margin)
    low, high = ConfidenceSequence(rule.alpha, marks).update(x)[-1].tolist()
    p = anytime_p(log_wealth(x))
    adjusted = min(1.0, rule.hypotheses * p)
    states = SIGNS[shown_sign((low, high), adjusted, rule.alpha)]
    if -margin <= low and high <= margin:
        states = "within margin"
    mean = math.fsum(x) / len(x)
    bounds = (mean * width, low * width, high * width)
    return ScorerEvidence(scorer, *bounds, p, adjusted, states, margin=margin * width)
