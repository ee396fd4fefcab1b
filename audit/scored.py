"""What the answers of an audit are worth, read off once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from audit.kept import Key, Told
from audit.plan import PlannedSuite, Question, planned_suites, questions
from audit.requests import Classify, Response
from audit.scorers.judge import Judges, Kept
from audit.sequential.plan import designs
from audit.sequential.streams import FamilyStreams, replayed
from audit.table import answer_table, suite_judges


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
    follow_ups : mapping of (scorer digest, request digest) to Classify
        What scorers that are asked are asked about the answers that there are: part of what is needed.
    """

    suites: Mapping[str, PlannedSuite]
    tables: Mapping[str, pd.DataFrame]
    streams: Mapping[str, FamilyStreams]
    needed: set[Key]
    missing: int
    follow_ups: Mapping[Key, Classify]


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
    follow_ups: dict[Key, Classify] = {}
    judges = suite_judges(suites, kept)
    for number, model in enumerate(models):
        if told:
            told(f"scoring the answers of {model['id']}", number / len(models))
        there = _Answered(questions(plan, model["id"], suites), model["digest"], judges, kept)
        tables[model["id"]] = answer_table(there, model["digest"], suites, kept, judges)
        needed |= there.needed
        follow_ups |= there.follow_ups
        for design in designs(plan, suites, model["id"]):
            family, drawn, own = replayed(design, model["digest"], kept)
            streams[design.first.family] = family
            needed |= drawn
            follow_ups |= own
    needed |= follow_ups.keys()
    return ScoredAnswers(suites, tables, streams, needed, len(needed - kept.keys()), follow_ups)


class _Answered:
    """Questions of a model that have all their answers, one after another; and what all of them need."""

    def __init__(
        self, asked: Iterable[Question], model: str, judges: Mapping[str, Judges], kept: Kept
    ) -> None:
        self._asked = asked
        self._model = model
        self._judges = judges
        self._kept = kept
        self.needed: set[Key] = set()
        self.follow_ups: dict[Key, Classify] = {}

    def __iter__(self) -> Iterator[Question]:
        for question in self._asked:
            self.needed.add((self._model, question.digest))
            own = asked_about(question, self._model, self._judges, self._kept)
            if own is not None:
                self.follow_ups |= own
                if own.keys() <= self._kept.keys():
                    yield question


def asked_about(
    question: Question, model: str, judges: Mapping[str, Judges], kept: Kept
) -> dict[Key, Classify] | None:
    """What scorers are asked about the answer of the model with that digest; None where there is none."""
    response = kept.get((model, question.digest))
    return None if response is None else judges[question.item.suite].follow_ups(response)
