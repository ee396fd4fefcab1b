"""What a plan will cost and what it can detect, said before anything is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from audit.bundle import file_bytes, sha256
from audit.design.family_design import FamilyDesign, family_design
from audit.design.spreads import AssumedSpreads, SpreadSource
from audit.hypotheses import Hypothesis
from audit.measures import decoding_from_json
from audit.plan import PlannedSuite, estimate_cost, hypotheses_of, planned_suites
from audit.sequential.plan import Design, is_sequential
from audit.sequential.plan import design_of as design_of_streams
from audit.stats.equivalence import power_to_show_within
from audit.stats.planning import DesignSds, design_mde, design_se
from audit.stats.sequential import smallest_detectable


def outlook(
    plan: Mapping[str, Any], rate: Callable[[], float], spreads: SpreadSource | None = None
) -> dict[str, Any]:
    """Requests, time and smallest detectable disparity of each family of a plan.

    Parameters
    ----------
    rate : callable
        This machine's speed, floating-point operations a second.
    spreads : SpreadSource, optional
        Where power is computed from; by default the spreads that each suite's file assumes. The outlook
        names its source, and the audit itself reports what it could detect with the spreads it found.
    """
    suites = planned_suites(plan)
    families = groupby(hypotheses_of(plan), key=lambda hypothesis: hypothesis.family)
    rows = []
    sources: dict[bool, list[str]] = {True: [], False: []}
    for _, members in families:
        family = list(members)
        first, planned = family[0], suites[family[0].suite]
        sequential = is_sequential(plan, first)
        source = AssumedSpreads() if spreads is None or sequential else spreads
        design = family_design(first, planned, decoding_from_json(plan["decoding"]))
        known = source.of(first, planned, design)
        sources[known.assumed].append(known.source)
        head = family_row(family, planned, design)
        row = head | power_row(head, design, design.scaled(known.sds), plan["alpha"])
        if sequential:
            row |= sequential_power(design_of_streams(plan, suites, family), plan["decoding"]["samples"])
        rows.append(row)
    return {
        "title": plan["title"],
        "plan_sha256": sha256(file_bytes(plan)),
        "cost": estimate_cost(plan, rate),
        "power": rows,
        "assumed": list(dict.fromkeys(sources[True])),
        "found_earlier": list(dict.fromkeys(sources[False])),
        "not_measurable": list(plan["not_measurable"]),
    }


def family_row(family: Sequence[Hypothesis], planned: PlannedSuite, design: FamilyDesign) -> dict[str, Any]:
    """What a family is."""
    first = family[0]
    return {
        "model": first.model,
        "suite": first.suite,
        "contrast": first.contrast,
        "axis": first.axis,
        "role": first.role,
        "hypotheses": len(family),
        "templates": design.templates,
        "terms": design.terms,
        "unit": planned.margin.unit,
        "margin": planned.margin.value,
    }


def power_row(head: Mapping[str, Any], design: FamilyDesign, sds: DesignSds, alpha: float) -> dict[str, Any]:
    """The power of one family, from its design and spreads.

    ``within_reach`` is False where "within margin" is no more likely without any disparity than it may be
    with one as large as the margin: the audit can then not show it, whatever the model does.
    """
    unknown = {"minimum_detectable": None, "power_within": None, "within_reach": None}
    if design.reason:
        return {**unknown, "reason": design.reason}
    shape = (design.templates, design.one, design.zero, design.layout)
    try:
        se, df = design_se(sds, *shape)
    except ValueError as error:
        return {**unknown, "reason": str(error)}
    within = power_to_show_within(head["margin"], se, df, alpha)
    return {
        "minimum_detectable": design_mde(sds, *shape, alpha / head["hypotheses"]),
        "power_within": within,
        "within_reach": within > alpha,
        "reason": "",
    }


def sequential_power(design: Design, samples: int) -> dict[str, Any]:
    """What replaces the power of a family that is asked until decided: by its horizon, over its prompts."""
    planning = design.planned.suite.planning
    spread = math.hypot(planning.template_sd, planning.term_sd, planning.residual_sd * (2 / samples) ** 0.5)
    smallest = smallest_detectable(spread / design.width, design.rule) * design.width
    return {
        "minimum_detectable": smallest,
        "power_within": None,
        "within_reach": None,
        "max_units": design.rule.max_units,
    }
