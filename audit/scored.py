"""What the answers of an audit are worth, read off once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from audit.kept import Key, Told
from audit.plan import PlannedSuite, planned_suites, questions
from audit.requests import Response
from audit.sequential.plan import designs
from audit.sequential.streams import FamilyStreams, replayed
from audit.table import answer_table


@dataclass(frozen=True)
class ScoredAnswers:
    """The scores of an audit, as far as it has answers.

    Attributes
    ----------
    suites : mapping of str to PlannedSuite
        The plan's suites, rebuilt.
    tables : mapping of str to DataFrame
        Model id to the score table of what it was asked whole; models that no suite can be put to are not
        there.
    streams : mapping of str to FamilyStreams
        Family id to the family that was asked unit by unit, taken as far as its answers go.
    needed : set of (model digest, request digest)
        Every answer that the plan needs, given those that there are: what is asked whole, and of each family
        that is asked unit by unit the batches up to the one in which its rule stops it. While a batch lacks
        an answer that batch is needed, and none after it. A finished audit holds these answers and no other.
    missing : int
        How many of them there are not.
    """

    suites: Mapping[str, PlannedSuite]
    tables: Mapping[str, pd.DataFrame]
    streams: Mapping[str, FamilyStreams]
    needed: set[Key]
    missing: int


def score_answers(
    plan: Mapping[str, Any], kept: Mapping[Key, Response], told: Told | None = None
) -> ScoredAnswers:
    """Score every answer that a plan asks for and that there is; the same answers give the same scores."""
    suites = planned_suites(plan)
    asked = {ask["model"] for ask in plan["asks"]}
    models = [model for model in plan["models"] if model["id"] in asked]
    tables: dict[str, pd.DataFrame] = {}
    streams: dict[str, FamilyStreams] = {}
    needed: set[Key] = set()
    for number, model in enumerate(models):
        if told:
            told(f"scoring the answers of {model['id']}", number / len(models))
        whole = list(questions(plan, model["id"], suites))
        needed.update((model["digest"], question.digest) for question in whole)
        there = (question for question in whole if (model["digest"], question.digest) in kept)
        tables[model["id"]] = answer_table(there, model["digest"], suites, kept)
        for design in designs(plan, suites, model["id"]):
            family, drawn = replayed(design, model["digest"], kept)
            streams[design.first.family] = family
            needed |= {(model["digest"], key) for key in drawn}
    return ScoredAnswers(suites, tables, streams, needed, len(needed - kept.keys()))
