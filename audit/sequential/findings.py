"""The findings of families that were asked until they were decided, from the kept answers alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from audit.analysis.controls import ControlPanel, nonce_rows, nonce_size
from audit.analysis.estimates import too_few
from audit.analysis.finding_record import alone, judged, undefined_fields
from audit.analysis.found import Setting
from audit.analysis.scorer_agreement import family_agreement
from audit.analysis.scorer_flips import flips
from audit.hypotheses import OVERALL, REST, Hypothesis
from audit.scores import STATUSES
from audit.sequential.plan import Design, score_bounds
from audit.sequential.scorers import said_by_scorers, sample_rows
from audit.sequential.streams import Counted, FamilyStreams
from audit.stats.betting import anytime_p, average_e, log_wealth
from audit.stats.confidence_sequence import ConfidenceSequence
from audit.stats.estimate import ROUNDING, Undefined
from audit.stats.sequential import Rule, Stopped, replay, smallest_detectable, units_needed
from audit.verdict import Evidence, judge
from probes.cells import is_crossed

SCOPE = "it speaks of these prompts under this decoding, not of other templates or terms"
NO_PROFILE = "streams that stop at different times make no table of groups"
FEWEST_UNITS = 20
"""Units from which it is said what a decision would need."""
METHOD = "bonferroni e-values"
UNKNOWN_WITHOUT = "a stream is stopped when it is decided, so that without any family it need not be"


def sequential_family(
    streams: FamilyStreams, setting: Setting, nonce: pd.DataFrame
) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    """One family's findings, its row in the ledger and its row of controls: see ``findings.schema.json``.

    Parameters
    ----------
    streams : FamilyStreams
        The family as far as its answers go, which is to its end.
    nonce : DataFrame
        Rows of the score table with invented words, of the family's model and suite.
    """
    first = streams.design.first
    panel = sequential_panel(streams, nonce, setting)
    head = {"family": first.family, "model": first.model, "suite": first.suite}
    rows = [sequential_finding(streams, h, panel) for h in streams.design.hypotheses]
    return rows, family_row(streams, rows), {**head, **asdict(panel)}


def sequential_coverage(families: Iterable[FamilyStreams]) -> list[dict[str, Any]]:
    """Samples by status of what was asked of models unit by unit, a row a model and suite."""
    rows: dict[tuple[str, str], tuple[set[str], Counter[str], Counter[str]]] = {}
    for streams in families:
        first = streams.design.first
        key = (first.model, first.suite)
        items, statuses, reasons = rows.setdefault(key, (set(), Counter(), Counter()))
        for scored in streams.scored:
            items |= {question.item.id for question in scored.unit.questions}
            reasons += scored.reasons
            for counts in scored.statuses.values():
                statuses += counts
    return [
        {
            "model": model,
            "suite": suite,
            "arm": "probe",
            "items": len(items),
            "statuses": in_order(statuses),
            "reasons": dict(reasons.most_common(20)),
        }
        for (model, suite), (items, statuses, reasons) in rows.items()
    ]


def in_order(counts: Counter[str]) -> dict[str, int]:
    """Counts by status, in the order of the statuses; those that do not occur are left out."""
    return {status: counts[status] for status in STATUSES if counts[status]}


def sequential_finding(streams: FamilyStreams, hypothesis: Hypothesis, panel: ControlPanel) -> dict[str, Any]:
    """One finding as plain data."""
    design = streams.design
    planned = design.planned
    measure = planned.measure
    statuses = sides(streams, hypothesis)
    head = {
        **asdict(hypothesis),
        "measure": measure.name,
        "scale": measure.scale,
        "unit": planned.margin.unit,
        "margin": asdict(planned.margin),
        "correction": {"method": METHOD, "m": design.rule.hypotheses, "critical": None, "note": ""},
        "coverage": {side: in_order(counts) for side, counts in statuses.items()},
    }
    stopped = streams.streams[hypothesis.group].state()
    if isinstance(stopped, Undefined):
        reason = "no unit could be scored" if streams.scored else "no set of prompts holds every group"
        return {**head, **undefined_fields(reason), "sequential": None}
    gap = abs(lost_share(statuses["group"]) - lost_share(statuses["reference"]))
    return {**head, **measured(streams, hypothesis, stopped, panel, gap)}


def measured(
    streams: FamilyStreams, hypothesis: Hypothesis, stopped: Stopped, panel: ControlPanel, gap: float
) -> dict[str, Any]:
    """The fields of a finding whose stream holds at least one unit; ``gap`` as in ``Evidence.status_gap``."""
    design, counted = streams.design, streams.counted[hypothesis.group]
    rule, width = design.rule, design.width
    low, high = stopped.cs_lo * width, stopped.cs_hi * width
    estimate = stopped.estimate * width
    by_template = means(counted, "template", width)
    by_family = means(counted, "family", width)
    share = sum(value * estimate > 0 for value in by_family.values()) / len(by_family)
    p = min(1.0, rule.hypotheses * stopped.p_anytime)
    swap = swapped(stopped, counted, rule)
    own, others = said_by_scorers(streams, hypothesis)
    evidence = Evidence(
        estimate=estimate,
        ci=(low, high),
        p_adjusted=p,
        alpha=rule.alpha,
        margin=design.planned.margin.value,
        within=stopped.decision == "within",
        control_p=panel.aa_p,
        answer_mass=None,
        status_gap=gap,
        sign_share=share if abs(estimate) > ROUNDING else None,
        leave_one_out_includes_zero=False,  # not asked: see UNKNOWN_WITHOUT
        equal_pieces_estimate=None,
        nonce_size=panel.nonce_size,
        swap_holds=swap,
        insufficient=too_few_terms(design, hypothesis),
        scorer_flip=flips(own, others) if others else None,
    )
    judgement = judge(evidence)
    interval = {"level": 1 - rule.alpha, "lo": low, "hi": high}
    drawn = counted[-1].scored.unit.number
    open_end = judgement.verdict == "inconclusive" and stopped.decision in ("horizon", "undecided")
    return {
        **undefined_fields(""),
        "estimate": estimate,
        "undefined": None,
        "se": stopped.sd * width / math.sqrt(stopped.n),
        "method": f"betting confidence sequence over these prompt sets, {ending(stopped, drawn, rule)}",
        "ci": interval,
        "ci_equivalence": dict(interval),
        "p": stopped.p_anytime,
        "p_adjusted": p,
        "n_cells": stopped.n,
        "n_templates": len(by_template),
        "n_clusters": len(by_family),
        "n_terms": len({terms_of(each) for each in counted}),
        "minimum_detectable": smallest_detectable(stopped.sd, rule) * width,
        "control_p": panel.aa_p,
        "nonce_size": panel.nonce_size,
        "swap_holds": swap,
        "robustness": {
            "sign_share": evidence.sign_share,
            "leave_one_out": without_one_family(counted, width),
            "i_squared": None,
            "paraphrase_sd": None,
            "doubtful_share": 0.0,
            "equal_pieces_estimate": None,
            "curve": None,
            "decoding": None,
        },
        "scorers": [each.to_json() for each in others],
        "top_templates": [
            {"template": name, "estimate": by_template[name]}
            for name in sorted(by_template, key=lambda name: (-abs(by_template[name]), name))[:3]
        ],
        **judged(judgement, (low, high), design.planned, others),
        "reasons": [
            *judgement.reasons,
            *alone(design.planned, others),
            *([] if judgement.verdict == "invalid" else [SCOPE]),
        ],
        "sequential": {
            "units": stopped.n,
            "max_units": rule.max_units,
            "stopped_at": None if stopped.decision in ("horizon", "undecided") else drawn,
            "decision": "horizon" if stopped.decision == "undecided" else stopped.decision,
            "log_wealth": stopped.log_wealth,
            "e_value": math.exp(stopped.log_wealth),
            "needed": asdict(units_needed(stopped, rule)) if open_end and tells(stopped) else None,
        },
    }


def tells(stopped: Stopped) -> bool:
    """Whether a stream is long enough, and varies, so that its needs can be told."""
    return stopped.n >= FEWEST_UNITS and stopped.sd > 0.0


def ending(stopped: Stopped, drawn: int, rule: Rule) -> str:
    """Where a stream ended, in words."""
    if stopped.decision in ("horizon", "undecided"):
        return f"not decided by the horizon of {rule.max_units}"
    return f"stopped at {drawn} of {rule.max_units}; at a stop the estimate lies too far from 0 on average"


def too_few_terms(design: Design, hypothesis: Hypothesis) -> str | None:
    """As ``estimates.insufficient``: an intersection of which too few terms were there to be drawn."""
    if not is_crossed(hypothesis.axis) or hypothesis.layout == "fixed":
        return None
    cells = (design.cells[name] for name in design.coefficients[hypothesis.group])
    smallest = min(len({key for terms in cell.values() for key in terms}) for cell in cells)
    return too_few(smallest, hypothesis.layout)


def family_row(streams: FamilyStreams, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The family in the ledger; its omnibus test is the average of the e-values, whatever they share."""
    first, planned = streams.design.first, streams.design.planned
    agreed = {}
    if planned.scorers and planned.measure.planned:
        agreed["agreement"] = family_agreement(sample_rows(streams), planned.measure.planned)
    found = [row["sequential"]["log_wealth"] for row in rows if row["sequential"]]
    return {
        "id": first.family,
        "model": first.model,
        "suite": first.suite,
        "contrast": first.contrast,
        "axis": first.axis,
        "role": first.role,
        "method": METHOD,
        "m": len(rows),
        "n_not_computable": len(rows) - len(found),
        "note": "",
        "p_omnibus": math.exp(-max(0.0, average_e(found))) if found else None,
        "shrinkage": None,
        "shrinkage_undefined": NO_PROFILE,
        "reliability": None,
        "reliability_undefined": NO_PROFILE,
        **agreed,
    }


def sides(streams: FamilyStreams, hypothesis: Hypothesis) -> dict[str, Counter[str]]:
    """Samples by status of the group and of what it is compared with, over every unit that was asked."""
    found: dict[str, Counter[str]] = {"group": Counter(), "reference": Counter()}
    for scored in streams.scored:
        for name in streams.design.coefficients[hypothesis.group]:
            found["group" if name == hypothesis.group else "reference"] += scored.statuses[name]
    return found


def lost_share(counts: Counter[str]) -> float:
    """Share of samples that could not be scored, 0 to 1."""
    return 1.0 - counts["scored"] / counts.total()


def means(counted: Sequence[Counted], by: str, width: float) -> dict[str, float]:
    """Mean difference of each template or family, in the measure's unit."""
    parts: dict[str, list[float]] = {}
    for each in counted:
        parts.setdefault(getattr(each.scored.unit, by), []).append(each.x * width)
    return {name: math.fsum(values) / len(values) for name, values in parts.items()}


def terms_of(counted: Counted) -> tuple[str, ...]:
    """The terms that stand in a unit's prompts, which tell one set of terms from another."""
    return tuple(question.item.term for question in counted.scored.unit.questions)


def without_one_family(counted: Sequence[Counted], width: float) -> dict[str, Any]:
    """Range of the estimates without each template family in turn."""
    names = {each.scored.unit.family for each in counted}
    estimates = []
    for name in names:
        rest = [each.x * width for each in counted if each.scored.unit.family != name]
        if rest:
            estimates.append(math.fsum(rest) / len(rest))
    return {
        "lo": min(estimates, default=None),
        "hi": max(estimates, default=None),
        "includes_zero": None,
        "reason": UNKNOWN_WITHOUT,
    }


def swapped(stopped: Stopped, counted: Sequence[Counted], rule: Rule) -> bool:
    """Whether the stream with the groups exchanged stops at the same unit with the opposite estimate."""
    other = replay([-each.x for each in counted], rule)
    return (
        isinstance(other, Stopped)
        and (other.n, other.decision) == (stopped.n, stopped.decision)
        and abs(other.estimate + stopped.estimate) < 1e-9
    )


def sequential_panel(streams: FamilyStreams, nonce: pd.DataFrame, setting: Setting) -> ControlPanel:
    """The controls of a family: A/A streams, and the invented words as in an audit of fixed size.

    A/A: even against odd samples of the same prompts make a stream of their own for each group compared,
    whose mean is 0 whatever the model. It is looked at after every unit, with bets as well: the
    alarm is a wealth of (number of streams) / .01.
    """
    first = streams.design.first
    own = [h.group for h in streams.design.hypotheses]
    named = (name for each in streams.design.coefficients.values() for name in each)
    labels = list(dict.fromkeys(own if first.reference in (REST, OVERALL) else [*own, *named]))
    rows = [aa_row(streams, label, len(labels)) for label in labels]
    known = [row["p_adjusted"] for row in rows if row["p_adjusted"] is not None]
    invented = nonce_rows(nonce, first, setting.seed, setting.alpha)
    size = nonce_size(nonce, invented, streams.design.terms, first)
    return ControlPanel(rows, min(known, default=None), invented, size)


def aa_row(streams: FamilyStreams, group: str, m: int) -> dict[str, Any]:
    """The A/A stream of one group as plain data, its p-value valid at any time and corrected for m."""
    low, high = score_bounds(streams.design.planned)
    width = high - low  # of two scores, whatever the contrast makes of them
    gaps = [gap / width for s in streams.scored if (gap := s.gaps.get(group)) is not None]
    empty = dict.fromkeys(("estimate", "lo", "hi", "p", "p_adjusted"))
    if not gaps:
        return {"label": group, **empty, "reason": "no prompt has two samples that could be scored"}
    bounds = ConfidenceSequence(streams.design.rule.alpha).update(gaps)[-1]
    p = anytime_p(log_wealth(gaps))
    return {
        "label": group,
        "estimate": math.fsum(gaps) / len(gaps) * width,
        "lo": float(bounds[0]) * width,
        "hi": float(bounds[1]) * width,
        "p": p,
        "p_adjusted": min(1.0, m * p),
        "reason": "",
    }
