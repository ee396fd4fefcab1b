"""How many templates and terms a plan needs for disparities of a given size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from audit.analysis.estimates import SMALLEST_CLUSTERS
from audit.design.family_design import FamilyDesign, family_design
from audit.design.spreads import Spreads, SpreadSource
from audit.hypotheses import Hypothesis
from audit.measures import decoding_from_json
from audit.plan import PlannedSuite, hypotheses_of, planned_suites
from audit.sequential.plan import is_sequential
from audit.stats.cheapest import cheapest
from audit.stats.design import DesignSds, design_se
from audit.stats.equivalence import power_to_detect, power_to_show_within
from audit.stats.planning import Decision, Needed, Target, templates_needed, terms_needed
from probes.errors import Fault, InputError

POWER = 0.8
"""The chance of success that is planned for."""


def check_size(size: float) -> float:
    """A size to plan for, refused unless it is a positive number."""
    if not (math.isfinite(size) and size > 0.0):
        what = f"--solve {size:g}: a disparity to plan for is larger than 0 and finite"
        raise InputError(Fault(what, "", "Give a size in the unit of the suites, such as 0.05."))
    return size


def solve(plan: Mapping[str, Any], size: float, spreads: SpreadSource) -> dict[str, Any]:
    """What each family of a plan needs to find a disparity of a size, and to show that it is smaller.

    Parameters
    ----------
    size : float
        In the unit of each suite's margin, > 0.
    spreads : SpreadSource
        Assumed or found; see ``audit.design.spreads``.

    Returns
    -------
    dict
        ``size, power, rows``: a row a family, with ``detect`` and ``within``, each of them as
        ``decision_row`` gives it, or None with a ``reason``.

    Raises
    ------
    InputError
        If the size is not a positive number.

    Notes
    -----
    "detect" is planned at alpha over the number of hypotheses, which is what the first of the family must
    meet, whatever the correction: conservative, because later ones need less. "within" is planned at alpha,
    because that is the level at which the audit decides it; the true disparity is taken to be 0.
    """
    check_size(size)
    suites = planned_suites(plan)
    rows = []
    for _, members in groupby(hypotheses_of(plan), key=lambda hypothesis: hypothesis.family):
        family = list(members)
        first = family[0]
        planned = suites[first.suite]
        design = family_design(first, planned, decoding_from_json(plan["decoding"]))
        row = head(first, planned, design) | {
            "hypotheses": len(family),
            "alpha_detect": plan["alpha"] / len(family),
            "alpha_within": plan["alpha"],
        }
        rows.append(row | answers(size, row, design, spreads.of(first, planned, design)))
        if is_sequential(plan, first):
            reason = "it is asked until it is decided, so that its size is not planned"
            rows[-1] |= {"detect": None, "within": None, "reason": reason}
    return {"size": size, "power": POWER, "rows": rows}


def head(first: Hypothesis, planned: PlannedSuite, design: FamilyDesign) -> dict[str, Any]:
    """What a family is, and what is at hand."""
    return {
        "model": first.model,
        "suite": first.suite,
        "contrast": first.contrast,
        "axis": first.axis,
        "role": first.role,
        "unit": planned.margin.unit,
        "layout": design.layout,
        "at_hand": {
            "templates": design.templates,
            "terms": list(design.sizes) if design.layout == "nested" else design.terms,
            "second_factor": design.second,
            "cells": design.templates * max(1, design.terms),
        },
    }


def answers(size: float, row: Mapping[str, Any], design: FamilyDesign, spreads: Spreads) -> dict[str, Any]:
    """Both decisions about a family."""
    reason = design.reason
    if not reason and spreads.sds.template == spreads.sds.term == spreads.sds.residual == 0.0:
        reason = "the earlier answers show no spread, so nothing can be planned from them"
    decisions: dict[str, Any] = {"detect": None, "within": None}
    if not reason:
        try:
            decisions = {
                name: decision_row(Target(size, name, row[f"alpha_{name}"], POWER), design, spreads)
                for name in DECISIONS
            }
        except ValueError as error:
            reason = str(error)
    known = {**asdict(spreads.sds), "source": spreads.source, "assumed": spreads.assumed}
    return {**decisions, "reason": reason, "spreads": known}


DECISIONS: tuple[Decision, ...] = ("detect", "within")


def decision_row(target: Target, design: FamilyDesign, spreads: Spreads) -> dict[str, Any]:
    """What one decision needs.

    Returns
    -------
    dict
        ``power_now``, 0 to 1; ``templates`` and ``terms``, the number needed if the other stays as it is
        (``n``, or None with a ``reason`` and the ``floor`` of the standard error); ``cheapest``, the design
        with the fewest cells.
    """
    sds, layout = design.scaled(spreads.sds), design.layout
    se, df = design_se(sds, design.templates, design.one, design.zero, layout)
    if target.decision == "within":
        now = power_to_show_within(target.size, se, df, target.alpha)
    else:
        now = power_to_detect(target.size, se, df, target.alpha)
    templates = templates_needed(target, sds, design.one, design.zero, layout)
    if templates.n is not None:
        templates = replace(templates, n=max(templates.n, SMALLEST_CLUSTERS))
    elif templates.floor is not None:
        what = f"no number of template families suffices: the {design.second or 'answers'} at hand"
        templates = replace(templates, reason=f"{what} leave a standard error of {templates.floor:.2g}")
    if layout == "single":
        terms = Needed(None, single_reason(design, sds, se), se)
    else:
        terms = terms_needed(target, sds, design.templates, layout)
        if terms.floor is not None:
            what = f"no number of {design.second} suffices: the template families at hand"
            terms = replace(terms, reason=f"{what} leave a standard error of {terms.floor:.2g}")
    both = cheapest(target, sds, layout, least=SMALLEST_CLUSTERS)
    if both.templates is not None and both.terms is not None:
        both = replace(both, cells=both.templates * both.terms * design.tables)
    return {
        "power_now": now,
        "templates": asdict(templates),
        "terms": asdict(terms),
        "cheapest": asdict(both),
    }


def single_reason(design: FamilyDesign, sds: DesignSds, se: float) -> str:
    """Why groups of one term can be given nothing but templates, and samples where text is generated."""
    what = "each group is one term, so that only template families can be added"
    left = f"those at hand leave a standard error of {se:.2g}"
    least = sds.template / math.sqrt(design.templates)
    # Spreads that were found in one component do not tell the noise of sampling apart.
    told = design.sampled and sds.residual > 0.0
    more = f", and of {least:.2g} however often each prompt is sampled" if told else ""
    return f"{what}: {left}{more}"
