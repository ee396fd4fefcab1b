"""Are the reviews of an audit what they say they are? Chain, form, and all that they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.bundle import Bundle
from audit.review.events import Review, label_faults
from audit.review.log import read_reviews, unknown_faults
from audit.review.targets import Located, locate
from probes.errors import Fault

SHOWN = 20
"""Faults that are named; a broken file has as many as it has lines."""


def check_events(bundle: Bundle) -> tuple[str, tuple[str, ...]]:
    """What the reviews hold, in a few words, and every departure.

    A line cut short in the writing is a departure, though the next writing drops it.

    Raises
    ------
    BundleError
        If the chain of the reviews or of the records is broken.
    """
    kept = read_reviews(bundle.root)
    targets = {event.target for event in kept.events if event.target is not None}
    located = locate(bundle, targets)
    faults = [
        str(Fault(text, f"{bundle.root / 'reviews.jsonl'}:{event.n + 1}"))
        for event in kept.events
        for text in event_faults(bundle.plan, event, located)
    ]
    if kept.torn:
        faults.append(str(Fault("the last review was cut short in the writing", kept.torn, TORN_REMEDY)))
    return f"{len(kept.events)} reviews", tuple(faults[:SHOWN])


TORN_REMEDY = "The next review that is kept drops what is left of it."


def event_faults(plan: Mapping[str, Any], event: Review, located: Located) -> list[str]:
    """What one review speaks of that the bundle does not have."""
    data = event.data()
    faults = [*unknown_faults(plan, data), *label_faults(data)]
    if event.chain_sha256 not in located.heads:
        faults.append("chain_sha256: the records that the reviewer saw are not those of this bundle")
    target = event.target
    if target is None:
        return faults
    if target in located.lost:
        return [*faults, f"request {target.digest[:12]} {located.lost[target]}"]
    asked = located.found[target].measure.labels.name
    if "question" in data and data["question"] != asked:
        faults.append(f"question: people are asked about {asked} here, not {data['question']}")
    return faults
