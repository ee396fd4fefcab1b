"""What reviewers said of the findings, as the report prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.review.events import Review
from audit.review.log import Reviews

Event = Mapping[str, Any]

UNREVIEWED = "not reviewed"
PRINTED = ("status", "comment")
"""The kinds of event that speak of a finding."""


def reviews_of(finding: str, events: Sequence[Event], chain_sha256: str) -> dict[str, Any]:
    """Status and history of one finding.

    Parameters
    ----------
    finding : str
        Its id.
    events : sequence of mapping
        The lines of ``reviews.jsonl``, in order.
    chain_sha256 : str
        Of the records that the findings were made from: an event about other records is marked as stale.
    """
    own = [event for event in events if event.get("finding") == finding and event["kind"] in PRINTED]
    decided = [event["status"] for event in own if event["kind"] == "status"]
    return {
        "status": decided[-1] if decided else UNREVIEWED,
        "history": [
            {
                "at": event["at"],
                "reviewer": event["reviewer"],
                "kind": event["kind"],
                "status": event.get("status"),
                "text": event.get("reason") or event.get("text") or "",
                "stale": event.get("chain_sha256") != chain_sha256,
            }
            for event in own
        ],
    }


def reviews_summary(kept: Reviews, found: Mapping[str, Any]) -> dict[str, Any]:
    """How much was reviewed, by whom, how far people agree, and every label and decision.

    Parameters
    ----------
    found : mapping
        As of ``audit.review.summary.summarize``.
    """
    return {
        "events": found["reviews"],
        "kinds": {kind: count for kind, count in found["kinds"].items() if count},
        "reviewers": sorted(found["reviewers"]),
        "head": kept.head,
        "stale": found["stale"],
        "responses": [response_row(event) for event in kept.events if event.kind in ("label", "decision")],
        "agreement": found["agreement"],
        "machine": found["machine"],
    }


def response_row(event: Review) -> dict[str, Any]:
    """A label or a decision about one response, beside the machine's value where that was shown."""
    said = event.fields
    return {
        "at": event.at,
        "reviewer": event.reviewer,
        "kind": event.kind,
        "model": said["model"],
        "item": said["item"],
        "unit": said["unit"],
        "question": said["question"],
        "said": said["label"] if event.kind == "label" else said["value"] or said["decision"],
        "decision": said.get("decision"),
        "blind": said.get("blind"),
        "machine": said.get("machine"),
        "drawn": "drawn" in said,
        "text": said.get("reason") or said.get("note") or "",
    }
