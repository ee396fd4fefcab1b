"""What a plan will cost and what it can detect, said before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from audit.bundle import file_bytes, sha256
from audit.hypotheses import REST, TERM_AXIS, Hypothesis
from audit.measures import MEASURES
from audit.plan import PlannedSuite, estimate_cost, hypotheses_of, planned_suites
from audit.stats.equivalence import power_to_show_within
from audit.stats.planning import DesignSds, design_mde, design_se
from probes import Planning

Layout = Literal["nested", "crossed", "single"]


def outlook(plan: Mapping[str, Any], rate: Callable[[], float]) -> dict[str, Any]:
    """Requests, time and smallest detectable disparity of each family of a plan.

    Parameters
    ----------
    rate : callable
        This machine's speed, floating-point operations a second.

    Notes
    -----
    Power is computed from the spreads that each suite's file assumes, and says so; the audit itself
    reports what it could detect with the spreads it found.
    """
    suites = planned_suites(plan)
    families = groupby(hypotheses_of(plan), key=lambda hypothesis: hypothesis.family)
    rows = [
        power_row(list(members), suites, plan["alpha"], plan["decoding"]["samples"])
        for _, members in families
    ]
    assumed = list(dict.fromkeys(planned.suite.planning.source for planned in suites.values()))
    return {
        "title": plan["title"],
        "plan_sha256": sha256(file_bytes(plan)),
        "cost": estimate_cost(plan, rate),
        "power": rows,
        "assumed": assumed,
        "not_measurable": list(plan["not_measurable"]),
    }


def power_row(
    family: Sequence[Hypothesis], suites: Mapping[str, PlannedSuite], alpha: float, samples: int
) -> dict[str, Any]:
    """The power of one family, from its design and its suite's assumed spreads."""
    first = family[0]
    planned = suites[first.suite]
    layout, templates, one, zero = design_of(first, planned)
    row = {
        "model": first.model,
        "suite": first.suite,
        "contrast": first.contrast,
        "axis": first.axis,
        "role": first.role,
        "hypotheses": len(family),
        "templates": templates,
        "terms": 0 if layout == "single" else one + (zero if layout == "nested" else 0),
        "unit": planned.margin.unit,
        "margin": planned.margin.value,
        "minimum_detectable": None,
        "power_within": None,
        "reason": "",
    }
    sds = assumed_sds(planned.suite.planning, layout, planned, samples)
    corrected = alpha / len(family)
    try:
        se, df = design_se(sds, templates, one, zero, layout)
        smallest = design_mde(sds, templates, one, zero, layout, corrected)
    except ValueError as error:
        return {**row, "reason": str(error)}
    within = power_to_show_within(planned.margin.value, se, df, alpha)
    return {**row, "minimum_detectable": smallest, "power_within": within}


def assumed_sds(planning: Planning, layout: Layout, planned: PlannedSuite, samples: int) -> DesignSds:
    """The suite's assumed spreads for a layout; samples of one prompt average out."""
    repeats = samples if MEASURES[planned.suite.measure].factor == "samples" else 1
    residual = planning.residual_sd / repeats**0.5
    term = 0.0 if layout == "single" else planning.term_sd
    return DesignSds(planning.template_sd, term, residual)


def design_of(hypothesis: Hypothesis, planned: PlannedSuite) -> tuple[Layout, int, int, int]:
    """Layout, number of template families, and number of terms (or second-factor levels) of each side."""
    items = [item for item in planned.items if item.arm == "probe"]
    templates = len({item.family for item in items})
    if hypothesis.layout == "fixed":
        pairs = len(items[0].answers)
        return ("crossed", templates, pairs, pairs) if pairs > 1 else ("single", templates, 1, 1)
    groups: dict[str, set[str]] = {}
    for item in items:
        if hypothesis.axis in item.groups and hypothesis.axis != TERM_AXIS:
            groups.setdefault(item.groups[hypothesis.axis], set()).add(item.term)
    one = len(groups.get(hypothesis.group, ()))
    if hypothesis.reference == REST:
        zero = sum(len(terms) for group, terms in groups.items() if group != hypothesis.group)
    else:
        zero = len(groups.get(hypothesis.reference, ()))
    return (
        ("crossed", templates, one, one)
        if hypothesis.layout == "paired"
        else ("nested", templates, one, zero)
    )
