"""The one long table that every estimate is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from audit.measures import Measure, scorer_column, status_column
from audit.plan import PlannedSuite, Question, questions
from audit.scorers.base import Construct
from audit.scorers.judge import Judges, Kept
from audit.scores import Score

AXIS = "axis:"
"""Prefix of the columns that hold a term's group on an axis."""


def score_table(
    plan: Mapping[str, Any],
    model: str,
    suites: Mapping[str, PlannedSuite],
    kept: Kept,
) -> pd.DataFrame:
    """One row a score: every unit of every item put to a model, scored or not.

    Columns: ``item, suite, arm, template, family, term, pair, setting, unit, factor, value, status, reason,
    doubtful, doubts, mass, digest`` (of the request), one ``axis:`` column an axis, and one ``value:`` column
    a scorer besides the primary one. A value is NaN unless ``status`` is ``scored``. Where another scorer
    could not score a text that the primary one scored, a ``status:`` column says why not.
    """
    model_digest = next(entry["digest"] for entry in plan["models"] if entry["id"] == model)
    judges = suite_judges(suites, kept)
    return answer_table(questions(plan, model, suites), model_digest, suites, kept, judges)


def suite_judges(suites: Mapping[str, PlannedSuite], kept: Kept) -> dict[str, Judges]:
    """Suite id to the scorers of its measure; suites of one construct share them, and what they said."""
    shared: dict[Construct | None, Judges] = {}
    for planned in suites.values():
        shared.setdefault(planned.measure.construct, planned.judges(kept))
    return {name: shared[planned.measure.construct] for name, planned in suites.items()}


def answer_table(
    asked: Iterable[Question],
    model: str,
    suites: Mapping[str, PlannedSuite],
    kept: Kept,
    judges: Mapping[str, Judges],
) -> pd.DataFrame:
    """The score table of some questions, each of which has an answer of the model with that digest.

    ``judges`` as from :func:`suite_judges`; of scorers that are asked the answers are there, too.
    """
    pairs = term_pairs(suites)
    rows = Columns()
    for question in asked:
        suite = question.item.suite
        measure, response = suites[suite].measure, kept[model, question.digest]
        scores = measure.read(question.item, question.request, response, judges[suite])
        for row in question_rows(question, scores, measure, pairs):
            rows.add(row)
    table = rows.frame()
    if len(table):
        table["digest"] = table["digest"].astype("category")  # long, and the same in all rows of a question
    return table


class Columns:
    """Rows that are gathered column by column, in less memory than a mapping each takes.

    Examples
    --------
    >>> rows = Columns()
    >>> rows.add({"item": "a", "value": 1.0})
    >>> rows.add({"item": "b", "reason": "empty"})
    >>> rows.frame().to_dict("list")
    {'item': ['a', 'b'], 'value': [1.0, nan], 'reason': [nan, 'empty']}
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._count = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """One row more; what it does not name is NaN in it."""
        for name, value in row.items():
            column = self._columns.setdefault(name, [])
            if len(column) < self._count:
                column += [float("nan")] * (self._count - len(column))
            column.append(value)
        self._count += 1

    def frame(self) -> pd.DataFrame:
        """The table of all rows so far."""
        found = {}
        for name, column in self._columns.items():
            column += [float("nan")] * (self._count - len(column))
            found[name] = pd.Series(column, dtype=_dtype(column))
        return pd.DataFrame(found, copy=False)


def _dtype(values: Iterable[Any]) -> type | None:
    """Texts are kept as they are: rows share those that repeat, which a column of bytes would copy."""
    return object if any(value is None or isinstance(value, str) for value in values) else None


def question_rows(
    question: Question, scores: Iterable[Score], measure: Measure, pairs: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The scores of one answer as rows of the score table; ``pairs`` as from :func:`term_pairs`."""
    item = question.item
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
    for score in scores:
        yield {
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
            **{status_column(scorer): status for scorer, status in score.lost.items()},
            "digest": question.digest,
        }


def term_pairs(suites: Mapping[str, PlannedSuite]) -> dict[str, str]:
    """Term id to the id of the pair it belongs to, for terms matched across groups."""
    return {
        lexicon.key(term): term.pair
        for planned in suites.values()
        for lexicon in planned.lexicons.values()
        for term in lexicon.terms
        if term.pair
    }
