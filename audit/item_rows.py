"""Every score of an audit with the text it is of, the answer it was read off, and where that lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from audit.kept import KeptAnswers, Place
from audit.measures import decoding_from_json, scorer_column
from audit.plan import PlannedSuite, Question
from audit.requests import Response, answer_digest
from audit.scored import ScoredAnswers
from audit.scores import Score
from audit.sequential.streams import FamilyStreams
from audit.table import AXIS, Columns, question_rows, term_pairs

TEXTS = ("text", "output", "digest", "answer")
"""Columns of strings that seldom occur twice."""
REPEATED = (
    "model", "suite", "arm", "item", "template", "family", "term", "pair", "setting", "unit", "factor",
    "status", "reason", "doubts", "form", "file", "drawn_for",
)  # fmt: skip
"""Columns of strings that occur again and again, besides the ``axis:`` columns."""
NUMBERS = ("value", "mass")
"""Columns of numbers, besides the ``value:`` columns of further scorers; null where there is none."""
COUNTS = ("n", "offset", "length", "draw")
FLAGS = ("doubtful", "drawn")


def extra_columns(suites: Mapping[str, PlannedSuite]) -> list[str]:
    """The ``axis:`` and ``value:`` columns of a plan's suites, in order."""
    axes = {axis for planned in suites.values() for item in planned.items for axis in item.groups}
    scorers = {scorer for planned in suites.values() for scorer in planned.measure.scorers[1:]}
    return [*sorted(AXIS + axis for axis in axes), *sorted(map(scorer_column, scorers))]


def item_frames(
    plan: Mapping[str, Any], answers: KeptAnswers, scored: ScoredAnswers, most: int
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Every score of an audit, one frame after another, each of one model and suite, in the plan's order.

    Parameters
    ----------
    most : int
        Rows of a frame.

    Yields
    ------
    model, suite : str
        Their ids.
    frame : DataFrame
        The rows of the score table of what was asked whole; in a frame of their own, those of what was drawn
        unit by unit, a row each sample of each prompt for each family that drew it. Columns, besides those of
        ``audit.table.score_table``: ``model, form, text`` (the item's), ``output`` (the continuation that was
        scored, or in a redacted copy what stands in its place; None in other forms), ``answer`` (short digest
        of the whole raw answer), ``n, file, offset, length`` (the record and where its line lies), ``drawn``,
        and of what was drawn ``draw`` (the number of the unit, else 0) and ``drawn_for`` (the family of
        hypotheses, else None).
    """
    texts = {item.id: item.text for planned in scored.suites.values() for item in planned.items}
    pairs = term_pairs(scored.suites)
    digests = {entry["id"]: entry["digest"] for entry in plan["models"]}
    placer = Placer(plan, answers, texts)
    for ask in plan["asks"]:
        model, suite = ask["model"], ask["suite"]
        table = scored.tables[model]
        whole = table[table["suite"] == suite] if len(table) else table
        told: dict[str, Any] = {"form": ask["form"], "drawn": False, "draw": 0, "drawn_for": None}
        for part in _parts(whole, most):
            yield model, suite, placer.placed(part.assign(model=model, **told), digests[model])
        for streams in scored.streams.values():
            first = streams.design.first
            if (first.model, first.suite) != (model, suite):
                continue
            rows = Columns()
            for row in drawn_rows(streams, answers.responses, pairs):
                rows.add(row)
            drawn = rows.frame()
            told = {"form": ask["form"], "drawn": True, "drawn_for": first.family}
            for part in _parts(drawn, most):
                yield model, suite, placer.placed(part.assign(model=model, **told), digests[model])


def _parts(frame: pd.DataFrame, most: int) -> Iterator[pd.DataFrame]:
    return (frame.iloc[start : start + most] for start in range(0, len(frame), most))


def drawn_rows(
    streams: FamilyStreams, kept: Mapping[tuple[str, str], Response], pairs: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The samples of every prompt that a family drew and that has its answer, as rows of the score table."""
    measure, judges = streams.design.planned.measure, streams.judges(kept)
    drawn: list[tuple[int, Question, tuple[Score, ...]]] = [
        (scored.unit.number, question, scored.scores[question.digest])
        for scored in streams.scored
        for question in scored.unit.questions
    ]
    drawn += [
        (unit.number, question, measure.read(question.item, question.request, response, judges))
        for unit in streams.pending
        for question in unit.questions
        if (response := kept.get((streams.model, question.digest))) is not None
        and judges.follow_ups(response).keys() <= kept.keys()
    ]
    for number, question, scores in drawn:
        for row in question_rows(question, scores, measure, pairs):
            yield {**row, "draw": number}


class Placer:
    """Says of rows which text they are of, which output they score, and where their records lie.

    Parameters
    ----------
    texts : mapping of str to str
        Item id to text.
    """

    def __init__(self, plan: Mapping[str, Any], answers: KeptAnswers, texts: Mapping[str, str]) -> None:
        decoding = decoding_from_json(plan["decoding"])
        self._first = {name: number * decoding.stride for number, name in enumerate(decoding.each())}
        self._answers = answers
        self._texts = texts

    def placed(self, rows: pd.DataFrame, model: str) -> pd.DataFrame:
        """Rows of one model, by its digest, with the columns that say so."""
        codes, digests = pd.factorize(rows["digest"])
        found = [self._answers.places[model, digest] for digest in digests]
        places = pd.DataFrame(found, columns=list(Place._fields))
        outputs = np.full(len(rows), None, dtype=object)
        answers = np.full(len(digests), "", dtype=object)
        told = list(zip(rows["setting"], rows["unit"], strict=True))
        own = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
        for code, (digest, numbers) in enumerate(zip(digests, own, strict=True)):
            response = self._answers.responses[model, digest]  # one at a time: they may be long
            answers[code] = answer_digest(response)
            for i in numbers.tolist():
                outputs[i] = self._output(response, *told[i])
        return rows.assign(
            text=[self._texts[item] for item in rows["item"]],
            output=pd.Series(outputs, rows.index, dtype=object),
            answer=answers[codes],
            **{column: places[column].to_numpy()[codes] for column in Place._fields},
        )

    def _output(self, response: Response, setting: str, unit: str) -> str | None:
        """The continuation that a row scores; None in a form that has none, and where the model gave none.

        Of a redacted one, what stands in its place.
        """
        if not response.samples:
            return None
        sample = response.samples[int(unit) - self._first.get(setting, 0)]
        return sample.text if sample.withheld is None else sample.withheld.whole
