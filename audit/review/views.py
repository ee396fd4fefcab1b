"""What the reviews of an audit come to: pure functions of the events, in their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from audit.review.events import Review, Target

OPEN = "open"
"""Where a finding stands of which nobody has said anything."""

Asked = tuple[Target, str]
"""A response with the name of the set of labels that people are asked about."""


@dataclass(frozen=True)
class Standing:
    """Where the review of one finding stands.

    Attributes
    ----------
    status : {"open", "accepted", "disputed"}
        The latest.
    history : tuple of Review
        Every ``status`` event of the finding, the latest last.
    """

    status: str
    history: tuple[Review, ...]


@dataclass(frozen=True)
class Double:
    """One response that two people labelled, neither shown the machine's value.

    Attributes
    ----------
    reviewers, labels : (str, str)
        In the order of the reviewers' names.
    """

    target: Target
    question: str
    reviewers: tuple[str, str]
    labels: tuple[str, str]

    @property
    def agree(self) -> bool:
        """Whether both gave the same label."""
        return self.labels[0] == self.labels[1]


def standings(events: Iterable[Review]) -> dict[str, Standing]:
    """Finding id to where its review stands; findings without a ``status`` event are left out."""
    history: defaultdict[str, list[Review]] = defaultdict(list)
    for event in events:
        if event.kind == "status" and event.finding is not None:
            history[event.finding].append(event)
    return {finding: Standing(told[-1].fields["status"], tuple(told)) for finding, told in history.items()}


def labels_by_target(events: Iterable[Review]) -> dict[Target, tuple[Review, ...]]:
    """Response to its ``label`` events."""
    return by_target(event for event in events if event.kind == "label")


def decisions_by_target(events: Iterable[Review]) -> dict[Target, tuple[Review, ...]]:
    """Response to its ``decision`` events."""
    return by_target(event for event in events if event.kind == "decision")


def by_target(events: Iterable[Review]) -> dict[Target, tuple[Review, ...]]:
    """Response to the events about it."""
    found: defaultdict[Target, list[Review]] = defaultdict(list)
    for event in events:
        if event.target is not None:
            found[event.target].append(event)
    return {target: tuple(told) for target, told in found.items()}


def comments_by_finding(events: Iterable[Review]) -> dict[str, tuple[Review, ...]]:
    """Finding id to its ``comment`` events."""
    found: defaultdict[str, list[Review]] = defaultdict(list)
    for event in events:
        if event.kind == "comment" and event.finding is not None:
            found[event.finding].append(event)
    return {finding: tuple(told) for finding, told in found.items()}


def blind_labels(events: Iterable[Review]) -> dict[Asked, dict[str, Review]]:
    """What each reviewer said of a response without knowing the machine's value.

    A reviewer may correct a label: the latest counts. After a decision or a label with the value in sight,
    that reviewer is no longer blind to the response, and later labels do not count here, whatever they say.

    Returns
    -------
    dict
        Response and set of labels to reviewer to the ``label`` event that counts.
    """
    found: defaultdict[Asked, dict[str, Review]] = defaultdict(dict)
    seen: set[tuple[Target, str]] = set()
    for event in events:
        target = event.target
        if target is None or event.kind not in ("label", "decision"):
            continue
        if event.kind == "decision" or not event.fields["blind"]:
            seen.add((target, event.reviewer))
        elif (target, event.reviewer) not in seen:
            found[target, event.fields["question"]][event.reviewer] = event
    return dict(found)


def double_labelled(events: Iterable[Review]) -> tuple[Double, ...]:
    """Every response that two reviewers labelled blind, once for each two of them."""
    return tuple(
        Double(
            target,
            question,
            (one, other),
            (told[one].fields["label"], told[other].fields["label"]),
        )
        for (target, question), told in blind_labels(events).items()
        for one, other in combinations(sorted(told), 2)
    )


def disagreements(events: Iterable[Review]) -> tuple[Double, ...]:
    """Of the responses that two reviewers labelled blind, those with different labels."""
    return tuple(double for double in double_labelled(events) if not double.agree)


def by_reviewers(doubles: Sequence[Double]) -> dict[tuple[str, tuple[str, str]], list[Double]]:
    """Set of labels and two reviewers to the responses that both labelled."""
    found: defaultdict[tuple[str, tuple[str, str]], list[Double]] = defaultdict(list)
    for double in doubles:
        found[double.question, double.reviewers].append(double)
    return dict(found)


def agreed_labels(told: Mapping[str, Review]) -> str | None:
    """The label that all blind reviewers of one response gave; None where they differ."""
    labels = {event.fields["label"] for event in told.values()}
    return labels.pop() if len(labels) == 1 else None
