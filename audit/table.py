"""The one long table that every estimate is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from audit.measures import MEASURES, scorer_column
from audit.plan import PlannedSuite, questions
from audit.requests import Response

AXIS = "axis:"
"""Prefix of the columns that hold a term's group on an axis."""


def score_table(
    plan: Mapping[str, Any],
    model: str,
    suites: Mapping[str, PlannedSuite],
    kept: Mapping[tuple[str, str], Response],
) -> pd.DataFrame:
    """One row a score: every unit of every item put to a model, scored or not.

    Columns: ``item, suite, arm, template, family, term, pair, setting, unit, factor, value, status, reason,
    doubtful, doubts, mass``, one ``axis:`` column an axis, and one ``value:`` column a scorer besides the
    primary one. A value is NaN unless ``status`` is ``scored``.
    """
    model_digest = next(entry["digest"] for entry in plan["models"] if entry["id"] == model)
    pairs = term_pairs(suites)
    rows = []
    for question in questions(plan, model, suites):
        item = question.item
        measure = MEASURES[suites[item.suite].suite.measure]
        base = {
            "item": item.id,
            "suite": item.suite,
            "arm": item.arm,
            "template": item.template,
            "family": item.family,
            "term": item.term,
            "pair": pairs.get(item.term),
            "setting": question.setting,
            **{AXIS + axis: group for axis, group in item.groups.items()},
        }
        response = kept[model_digest, question.digest]
        for score in measure.read(item, question.request, response):
            rows.append(
                {
                    **base,
                    "unit": str(int(score.unit) + question.first_sample) if question.setting else score.unit,
                    "factor": measure.factor,
                    "value": float("nan") if score.value is None else score.value,
                    "status": score.status,
                    "reason": score.reason,
                    "doubtful": bool(score.doubts),
                    "doubts": "; ".join(score.doubts),
                    "mass": float("nan") if score.mass is None else score.mass,
                    **{
                        scorer_column(scorer): score.others.get(scorer, float("nan"))
                        for scorer in measure.scorers[1:]
                    },
                }
            )
    return pd.DataFrame(rows)


def term_pairs(suites: Mapping[str, PlannedSuite]) -> dict[str, str]:
    """Term id to the id of the pair it belongs to, for terms matched across groups."""
    return {
        lexicon.key(term): term.pair
        for planned in suites.values()
        for lexicon in planned.lexicons.values()
        for term in lexicon.terms
        if term.pair
    }
