"""Which responses a person should look at: those that a result hangs on, and others drawn at random.

Flagged responses show what a disparity is made of. They are chosen by the machine's values, so how well the
machine does on them says nothing of how well it does in general; the controls, drawn at random from all
others and evenly from the groups, say that. Both lie mixed, and the order tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.controls import generator
from audit.analysis.estimates import axis_rows, compared
from audit.hypotheses import COMBINATION, Hypothesis, four_cells, hypothesis_from_json
from audit.measures import MEASURES
from audit.measures.labels import LABEL_SETS
from audit.table import AXIS

EACH_FINDING = 4
"""Responses of one finding before the next one's turn."""
EACH_STATUS = 2
"""Responses of each status without a value."""
LOOKED_AT = ("disparity", "inconclusive")
"""Verdicts whose findings are carried by responses worth a look, in this order."""
ID_LENGTH = 12
KEY = ["model", "item", "digest", "unit"]
"""What tells one row of the score tables from all others."""
COLUMNS = (
    "queue_id", "model", "suite", "item", "digest", "unit", "text", "output", "question", "flagged", "why",
    "finding", "value", "status", "reason",
)  # fmt: skip


def review_queue(
    frame: pd.DataFrame, findings: Mapping[str, Any], *, flagged: int = 20, control: int = 20, seed: int
) -> pd.DataFrame:
    """Choose responses for review.

    Parameters
    ----------
    frame : DataFrame
        Score tables (``audit.table.score_table``) of one model or several, with ``model, digest, text,
        output``. The order of its rows changes nothing.
    findings : mapping
        As in ``findings.json``, worst first.
    flagged, control : int
        How many responses at most: chosen by their values or statuses, and drawn at random from the rest.
    seed : int
        The audit's.

    Returns
    -------
    DataFrame
        One row a response, mixed: ``queue_id`` (the same in every queue that holds the response), ``model,
        suite, item, digest, unit, text, output, question`` (name of the set of labels), ``flagged``, ``why``
        (for whom the value is no secret), ``finding`` (id, or empty), ``value, status, reason``.

    Notes
    -----
    Flagged are first up to two responses of each status without a value, drawn at random. Then, finding by
    finding, disparities before inconclusive ones and each worst first, the four that carry it most: where
    what a model made is scored, the worst values on the side that the finding says comes off worse, if they
    are worse than the mean of all; of answers those that pull the contrast farthest its way, against the mean
    of their template. Then the next four.

    Controls are drawn from strata of model, suite and groups, one a stratum in random order and then again.

    Where people are asked about the sentence, and not about what the model made of it, a sentence is chosen
    once.
    """
    rows = frame[frame["arm"] == "probe"].drop_duplicates(KEY).sort_values(KEY, ignore_index=True)
    asked = {row["suite"]: MEASURES[row["measure"]].labels for row in findings["findings"]}
    rows = rows[rows["suite"].isin(list(asked))]
    chosen = Chosen(rows, {suite for suite, labels in asked.items() if labels.about == "text"}, flagged)
    for place, status in unscored(rows, generator(seed, "review", "unscored")):
        chosen.take(place, f"could not be scored: {status}", "")
    for place, finding in carriers(rows, findings):
        if chosen.full:
            break
        chosen.take(place, f"carries a finding: {finding['verdict']}", finding["id"])
    count = len(chosen.places)
    chosen.limit = count + control
    for place in at_random(rows, generator(seed, "review", "control")):
        if chosen.full:
            break
        chosen.take(place, "drawn at random", "")
    queue = rows.loc[chosen.places].assign(
        queue_id=[queue_id(seed, key) for key in rows.loc[chosen.places, KEY].itertuples(index=False)],
        question=[asked[suite].name for suite in rows.loc[chosen.places, "suite"]],
        flagged=[number < count for number in range(len(chosen.places))],
        why=chosen.why,
        finding=chosen.findings,
    )
    order = generator(seed, "review", "order").permutation(len(queue))
    return queue.iloc[order][list(COLUMNS)].reset_index(drop=True)


class Chosen:
    """The responses chosen so far, each once.

    Parameters
    ----------
    rows : DataFrame
        All there are.
    by_text : set of str
        Suites of which a sentence is chosen once, whatever its unit and model.
    limit : int
        How many at most.
    """

    def __init__(self, rows: pd.DataFrame, by_text: set[str], limit: int) -> None:
        self.limit = limit
        self.places: list[int] = []
        self.why: list[str] = []
        self.findings: list[str] = []
        self._rows = rows
        self._by_text = by_text
        self._taken: set[Any] = set()

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return len(self.places) >= self.limit

    def take(self, place: int, why: str, finding: str) -> None:
        """Choose a response, if there is room and it is not chosen yet."""
        if not self.full and self._same(place) not in self._taken:
            self._taken.add(self._same(place))
            self.places.append(place)
            self.why.append(why)
            self.findings.append(finding)

    def _same(self, place: int) -> Any:
        """What a response shares with those that are the same to a reviewer."""
        suite = self._rows.at[place, "suite"]
        return (suite, self._rows.at[place, "text"]) if suite in self._by_text else place


def unscored(rows: pd.DataFrame, rng: np.random.Generator) -> Iterator[tuple[int, str]]:
    """Places of a few responses of each status without a value, with the status."""
    for status, part in rows[rows["status"] != "scored"].groupby("status"):
        for place in rng.permutation(part.index.to_numpy())[:EACH_STATUS]:
            yield int(place), str(status)


def carriers(rows: pd.DataFrame, findings: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Places of the responses that carry findings: a few of each in turn, then the next few."""
    known = [row for row in findings["findings"] if row["estimate"]]
    worst = [row for verdict in LOOKED_AT for row in known if row["verdict"] == verdict]
    orders: dict[str, np.ndarray[Any, Any]] = {}
    start, left = 0, True
    while left:
        left = False
        for finding in worst:
            if finding["id"] not in orders:
                orders[finding["id"]] = most_telling(rows, finding)
            places = orders[finding["id"]][start : start + EACH_FINDING]
            left = left or len(places) == EACH_FINDING
            for place in places:
                yield int(place), finding
        start += EACH_FINDING


def most_telling(rows: pd.DataFrame, finding: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Places of the responses that pull a finding's contrast its way, the strongest first."""
    hypothesis = hypothesis_from_json({field.name: finding[field.name] for field in fields(Hypothesis)})
    own = compared(axis_rows(rows[rows["model"] == hypothesis.model], hypothesis), hypothesis)
    own = own[own["status"] == "scored"]
    labels = MEASURES[finding["measure"]].labels
    sign = float(np.sign(finding["estimate"]))
    if labels.about == "output":
        better = 1.0 if labels.worse == "low" else -1.0
        ill = own[better * sign * coefficients(own["group"], hypothesis) < 0.0]
        pull = better * (own["value"].mean() - ill["value"])
    else:
        centre = own.groupby(["template", "unit"])["value"].transform("mean")
        pull = sign * coefficients(own["group"], hypothesis) * (own["value"] - centre)
    return pull[pull > 0.0].sort_values(ascending=False, kind="stable").index.to_numpy()


def coefficients(groups: pd.Series[str], hypothesis: Hypothesis) -> pd.Series[float]:
    """How each row counts in a contrast: 1 on the side of the group, -1 on that of the reference."""
    if hypothesis.layout == COMBINATION:
        return groups.map(four_cells(hypothesis.group, hypothesis.reference)).astype(float)
    return (groups == hypothesis.group).map({True: 1.0, False: -1.0})


def at_random(rows: pd.DataFrame, rng: np.random.Generator) -> Iterator[int]:
    """Every place once: one of each stratum in random order, then again."""
    axes = sorted(str(column) for column in rows if str(column).startswith(AXIS))
    strata = [
        rng.permutation(part.index.to_numpy())
        for _, part in rows.groupby(["model", "suite", *axes], dropna=False)
    ]
    for depth in range(max((len(stratum) for stratum in strata), default=0)):
        for number in rng.permutation(len(strata)):
            if depth < len(strata[number]):
                yield int(strata[number][depth])


def queue_id(seed: int, key: Iterable[Any]) -> str:
    """A name that tells nothing of the response."""
    text = "\0".join([str(seed), "queue", *map(str, key)])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:ID_LENGTH]


def blind_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a reviewer may see of a row of the queue before giving a label.

    Neither value, status, flag, model nor scorer; and what the model made of a sentence only where people are
    asked about that.

    Returns
    -------
    dict
        ``queue_id``, ``question`` (as asked), ``labels`` (name and meaning of each), ``text`` and ``output``
        (None where it is not asked about).
    """
    labels = LABEL_SETS[row["question"]]
    return {
        "queue_id": row["queue_id"],
        "question": labels.question,
        "labels": [{"name": label.name, "meaning": label.meaning} for label in labels.labels],
        "text": row["text"],
        "output": row["output"] if labels.about == "output" else None,
    }
