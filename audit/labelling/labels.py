"""What people said of the outputs that were drawn for them, and how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from audit.labelling.outputs import Outputs
from audit.review.events import Review, Target
from audit.review.machine import rater_agreement
from audit.review.views import blind_labels, by_reviewers, double_labelled
from audit.table import AXIS

LABELLED, UNCLEAR, UNSETTLED = "labelled", "cannot be told", "not settled"
"""States of an output that people labelled: with a label that counts, with one outside the order of labels
(people could not tell), and with labels of which none has the most voices."""


def with_labels(outputs: Outputs, events: Sequence[Review]) -> pd.DataFrame:
    """The outputs' frame with what people settled on.

    Only blind labels count, and only of outputs that were drawn from their strata by ``evenhand label``: what
    somebody chose to look at, for its value or for any other reason, says nothing of the rest.

    Parameters
    ----------
    events : sequence of Review
        Of the audit, in order.

    Returns
    -------
    DataFrame
        ``Outputs.frame`` with ``state`` (empty where nobody labelled), ``label`` (None unless the state is
        ``labelled``), ``people`` (how many labelled it), ``truth``: 1 where the label is the one that
        scorers are there to find, 0 where it is another, NaN where there is none; and ``share``: the same,
        and of what is not settled the share of people who gave that label. What people differ about is not
        like the rest: an estimate that left it out would be of the easy outputs.
    """
    frame = outputs.frame
    drawn = drawn_targets(events)
    told = {
        (target, question): tuple(event.fields["label"] for event in said.values())
        for (target, question), said in blind_labels(events).items()
        if target in drawn
    }
    rows = [
        row_of(outputs, suite, told.get((target, outputs.asked[suite].labels.name), ()))
        for suite, target in zip(frame["suite"], targets_of(frame), strict=True)
    ]
    found = pd.DataFrame(rows, columns=["state", "label", "people", "truth", "share"], index=frame.index)
    return pd.concat([frame, found], axis=1)


def row_of(outputs: Outputs, suite: str, labels: Sequence[str]) -> tuple[str, str | None, int, float, float]:
    """State, label, number of people, truth and share of one output, from what people said of it."""
    if not labels:
        return "", None, 0, np.nan, np.nan
    asked = outputs.asked[suite].labels
    label = settled(labels)
    if label is None:
        return UNSETTLED, None, len(labels), np.nan, labels.count(asked.found) / len(labels)
    if label not in asked.order:
        return UNCLEAR, None, len(labels), np.nan, np.nan
    truth = float(label == asked.found)
    return LABELLED, label, len(labels), truth, truth


def settled(labels: Sequence[str]) -> str | None:
    """The label that more than half gave; None where there is none, such as where two people differ.

    Examples
    --------
    >>> settled(["negative"]), settled(["negative", "neutral"]), settled(["negative", "neutral", "neutral"])
    ('negative', None, 'neutral')
    """
    label, count = Counter(labels).most_common(1)[0]
    return label if 2 * count > len(labels) else None


def drawn_targets(events: Sequence[Review]) -> frozenset[Target]:
    """The responses that were labelled on a sheet that had drawn them."""
    return frozenset(event.target for event in events if "drawn" in event.fields and event.target is not None)


def targets_of(frame: pd.DataFrame) -> list[Target]:
    """What each row is to a review."""
    columns = (frame[name] for name in ("model", "digest", "unit", "item"))
    return [Target(*row) for row in zip(*columns, strict=True)]


def labelled_ids(outputs: Outputs, events: Sequence[Review]) -> frozenset[str]:
    """Ids of the outputs that were drawn and labelled, by anybody."""
    drawn = drawn_targets(events)
    frame = outputs.frame
    return frozenset(
        name for name, target in zip(frame["id"], targets_of(frame), strict=True) if target in drawn
    )


def disagreement_rows(outputs: Outputs, events: Sequence[Review]) -> pd.DataFrame:
    """Rows of the outputs on whose label people have not settled."""
    frame = with_labels(outputs, events)
    return frame[frame["state"] == UNSETTLED]


def labellers(outputs: Outputs, events: Sequence[Review]) -> list[dict[str, Any]]:
    """How far every two people agree who labelled the same drawn outputs blind, overall and by group.

    Returns
    -------
    list of dict
        ``question, reviewers, axis, group`` (empty: over all), ``n, disagreements``, and ``observed, kappa,
        weighted, adjusted`` as of ``audit.review.machine.rater_agreement``; kappa with its interval.
    """
    drawn = drawn_targets(events)
    groups = groups_of(outputs)
    doubles = [double for double in double_labelled(events) if double.target in drawn]
    rows = []
    for (question, reviewers), own in by_reviewers(doubles).items():
        whom = [("", ""), *sorted({pair for double in own for pair in groups.get(double.target, ())})]
        for axis, group in whom:
            some = [each for each in own if not axis or (axis, group) in groups.get(each.target, ())]
            first, second = ([each.labels[side] for each in some] for side in (0, 1))
            rows.append(
                {
                    "question": question,
                    "reviewers": list(reviewers),
                    "axis": axis,
                    "group": group,
                    "n": len(some),
                    "disagreements": sum(not each.agree for each in some),
                    **rater_agreement(question, first, second),
                }
            )
    return rows


def groups_of(outputs: Outputs) -> Mapping[Target, tuple[tuple[str, str], ...]]:
    """Whom each output is about: axis and group."""
    frame = outputs.frame
    columns = [frame[AXIS + axis].to_list() for axis in outputs.axes]
    return {
        target: tuple(
            (axis, group) for axis, group in zip(outputs.axes, row, strict=True) if isinstance(group, str)
        )
        for target, row in zip(targets_of(frame), zip(*columns, strict=True), strict=True)
    }
