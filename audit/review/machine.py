"""How far the machine's labels are those of people, whom a response is about taken apart.

Only labels count that were given without the machine's value in sight. A response that several people
labelled counts once, with the label that all of them gave; where they differ it is left out and counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audit.measures.labels import LABEL_SETS, LabelSet
from audit.review.events import Review, Target
from audit.review.targets import Reviewed
from audit.review.views import Asked, agreed_labels
from audit.stats.agreement import (
    Kappa,
    adjusted_kappa,
    agreement_table,
    cohen_kappa,
    detection,
    observed_agreement,
)
from audit.stats.estimate import Undefined
from audit.stats.intervals import Interval

Basis = Literal["drawn at random", "all"]
"""Which responses: those drawn at random, or also those that were chosen for their values. Only the first say
how well a scorer does in general: on responses that were not chosen, drawn evenly from the groups, so that a
group of few responses weighs as much as one of many."""


@dataclass(frozen=True)
class Pair:
    """One response with both labels, or the reason why it is left out.

    Attributes
    ----------
    groups : tuple of (axis, group)
        Whom it is about.
    flagged : bool
        Whether it was chosen for its value or status.
    left_out : str
        Empty where both labels are there.
    """

    groups: tuple[tuple[str, str], ...]
    flagged: bool
    people: str = ""
    machine: str = ""
    left_out: str = ""


def machine_agreement(
    labelled: Mapping[Asked, Mapping[str, Review]], found: Mapping[Target, Reviewed], level: float = 0.95
) -> list[dict[str, Any]]:
    """People against the machine, for every set of labels that a scorer's number can be turned into.

    Parameters
    ----------
    labelled : mapping
        As of ``audit.review.views.blind_labels``.
    found : mapping of Target to Reviewed
        What the machine made of the responses.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    list of dict
        One row a question, basis and group, the first of each over all groups: ``question, basis, axis,
        group, n, counts`` (people's label to the machine's label to responses), ``left_out`` (reason to
        responses), ``observed, kappa, found`` (the label that is looked for), ``sensitivity, specificity``.
    """
    pairs: defaultdict[str, list[Pair]] = defaultdict(list)
    for (target, question), told in labelled.items():
        labels = LABEL_SETS.get(question)
        if labels is not None and labels.found:
            pairs[question].append(paired(labels, told, found.get(target)))
    rows = []
    for question, own in pairs.items():
        labels = LABEL_SETS[question]
        bases: tuple[tuple[Basis, list[Pair]], ...] = (
            ("drawn at random", [pair for pair in own if not pair.flagged]),
            ("all", own),
        )
        for basis, chosen in bases:
            whom = [("", ""), *sorted({one for pair in chosen for one in pair.groups})]
            for axis, group in whom:
                some = [pair for pair in chosen if not axis or (axis, group) in pair.groups]
                row = {"question": question, "basis": basis, "axis": axis, "group": group}
                rows.append({**row, **compared_labels(labels, some, level)})
    return rows


def paired(labels: LabelSet, told: Mapping[str, Review], known: Reviewed | None) -> Pair:
    """What people and the machine say of one response."""
    flagged = any(event.fields["flagged"] for event in told.values())
    groups = () if known is None else tuple(sorted(known.groups.items()))
    people = agreed_labels(told)
    machine = None if known is None else labels.machine_label(known.score.value, known.measure.primary)
    if known is None:
        return Pair(groups, flagged, left_out="not in the records")
    if people is None:
        return Pair(groups, flagged, left_out="reviewers differ")
    if people not in labels.order:
        return Pair(groups, flagged, left_out=f"people say {people}")
    if machine is None:
        return Pair(groups, flagged, left_out=f"not scored: {known.score.status}")
    return Pair(groups, flagged, people, machine)


def compared_labels(labels: LabelSet, pairs: Sequence[Pair], level: float) -> dict[str, Any]:
    """The figures of some responses."""
    both = [pair for pair in pairs if not pair.left_out]
    people, machine = [pair.people for pair in both], [pair.machine for pair in both]
    table = agreement_table(people, machine, labels.order)
    rates = detection(
        [label == labels.found for label in people], [label == labels.found for label in machine], level
    )
    return {
        "n": len(both),
        "counts": {
            one: {other: int(table[i, j]) for j, other in enumerate(labels.order)}
            for i, one in enumerate(labels.order)
        },
        "left_out": dict(Counter(pair.left_out for pair in pairs if pair.left_out)),
        "observed": interval_data(observed_agreement(table, level)),
        "kappa": kappa_data(cohen_kappa(table, level)),
        "found": labels.found,
        "sensitivity": interval_data(rates.sensitivity),
        "specificity": interval_data(rates.specificity),
    }


def rater_agreement(
    question: str, first: Sequence[str], second: Sequence[str], level: float = 0.95
) -> dict[str, Any]:
    """Two people's labels of the same responses: ``observed, kappa, weighted, adjusted``.

    Weighted kappa leaves out responses with a label that has no place in the order, and counts them in its
    ``left_out``.
    """
    labels = LABEL_SETS.get(question)
    known = () if labels is None else labels.names
    names = [*known, *sorted({*first, *second} - {*known})]
    table: Any = agreement_table(first, second, names) if len(names) > 1 else [[len(first), 0], [0, 0]]
    order = () if labels is None else labels.order
    ordered = [(one, other) for one, other in zip(first, second, strict=True) if {one, other} <= {*order}]
    weighted: Kappa | Undefined = Undefined("the labels have no order")
    if len(order) > 1:
        one, other = ([pair[side] for pair in ordered] for side in (0, 1))
        weighted = cohen_kappa(agreement_table(one, other, order), level, "linear")
    return {
        "observed": interval_data(observed_agreement(table, level)),
        "kappa": kappa_data(cohen_kappa(table, level)),
        "weighted": {**kappa_data(weighted), "left_out": len(first) - len(ordered)},
        "adjusted": interval_data(adjusted_kappa(table, level)),
    }


def interval_data(found: Interval | Undefined) -> dict[str, Any]:
    """A share with its interval as plain data; None with a reason where there is none."""
    if isinstance(found, Undefined):
        return {"estimate": None, "lo": None, "hi": None, "level": None, "n": 0, "reason": found.reason}
    return {
        "estimate": found.estimate, "lo": found.lo, "hi": found.hi, "level": found.level, "n": found.n,
        "reason": "",
    }  # fmt: skip


def kappa_data(found: Kappa | Undefined) -> dict[str, Any]:
    """Kappa as plain data; None with a reason where there is none."""
    if isinstance(found, Undefined):
        unknown = dict.fromkeys(
            ("estimate", "se", "lo", "hi", "level", "n", "observed", "expected", "method")
        )
        return {**unknown, "reason": found.reason}
    return {
        "estimate": found.estimate, "se": found.se, "lo": found.lo, "hi": found.hi, "level": found.level,
        "n": found.n, "observed": found.observed, "expected": found.expected, "method": found.method,
        "reason": found.reason,
    }  # fmt: skip
