"""What people made of an audit so far, as plain data for terminal, dashboard and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import Bundle
from audit.labelling.labels import drawn_targets
from audit.measures.labels import LABEL_SETS
from audit.review.events import KINDS, Review
from audit.review.log import Reviews, read_reviews
from audit.review.machine import machine_agreement, rater_agreement
from audit.review.targets import locate
from audit.review.views import (
    OPEN,
    Standing,
    blind_labels,
    by_reviewers,
    comments_by_finding,
    double_labelled,
    standings,
)
from audit.verify import read_findings


def summarize(root: Path) -> dict[str, Any]:
    """Count and compare all that reviewers kept of an audit.

    Parameters
    ----------
    root : Path
        The bundle's folder.

    Returns
    -------
    dict
        ``reviews`` (how many), ``head``, ``torn``, ``kinds`` (kind to count), ``reviewers`` (name to kind to
        count), ``stale`` (reviews of other records; None with a ``stale_reason`` where there are no
        findings), ``findings`` (where each stands of which anybody said anything), ``decisions`` (agree and
        override), ``agreement`` (a row two reviewers and question, see ``audit.review.machine``),
        ``machine`` (rows of ``machine_agreement``).

    Raises
    ------
    BundleError
        If there is no plan, or a chain is broken.
    """
    bundle = Bundle(root)
    kept = read_reviews(root)
    events = kept.events
    return {
        "reviews": len(events),
        "head": kept.head,
        "torn": kept.torn,
        "kinds": {kind: sum(event.kind == kind for event in events) for kind in KINDS},
        "reviewers": reviewer_counts(events),
        **stale_count(root, kept),
        "findings": finding_rows(bundle.plan, events),
        "decisions": dict(Counter(event.fields["decision"] for event in events if event.kind == "decision")),
        "agreement": agreement_rows(events),
        "machine": machine_rows(bundle, events),
    }


def reviewer_counts(events: Sequence[Review]) -> dict[str, dict[str, int]]:
    """Name to kind to how often."""
    return {
        name: {kind: count for kind in KINDS if (count := own[kind])}
        for name in dict.fromkeys(event.reviewer for event in events)
        if (own := Counter(event.kind for event in events if event.reviewer == name))
    }


def stale_count(root: Path, kept: Reviews) -> dict[str, Any]:
    """How many reviews are of other records than those that the findings were made from."""
    path = root / "findings.json"
    if not path.exists():
        return {"stale": None, "stale_reason": "there are no findings yet"}
    return {"stale": len(kept.stale(read_findings(root))), "stale_reason": ""}


def finding_rows(plan: Mapping[str, Any], events: Sequence[Review]) -> list[dict[str, Any]]:
    """Each finding of which anybody said anything, in the plan's order."""
    known, comments = standings(events), comments_by_finding(events)
    rows = []
    for finding in (row["id"] for row in plan["hypotheses"]):
        if finding in known or finding in comments:
            standing = known.get(finding, Standing(OPEN, ()))
            last = standing.history[-1] if standing.history else None
            rows.append(
                {
                    "finding": finding,
                    "status": standing.status,
                    "reviewer": last.reviewer if last else None,
                    "at": last.at if last else None,
                    "reason": last.fields["reason"] if last else "",
                    "changes": len(standing.history),
                    "comments": len(comments.get(finding, ())),
                }
            )
    return rows


def agreement_rows(events: Sequence[Review]) -> list[dict[str, Any]]:
    """Every two reviewers who labelled the same responses blind, by question."""
    rows = []
    for (question, reviewers), own in by_reviewers(double_labelled(events)).items():
        first, second = ([double.labels[side] for double in own] for side in (0, 1))
        rows.append(
            {
                "question": question,
                "reviewers": list(reviewers),
                "n": len(own),
                "disagreements": sum(not double.agree for double in own),
                **rater_agreement(question, first, second),
            }
        )
    return rows


def machine_rows(bundle: Bundle, events: Sequence[Review]) -> list[dict[str, Any]]:
    """People against the machine; the records are read only where there is something to compare.

    Labels of a sheet are left out: its outputs are drawn with unequal chances, and ``audit.labelling`` weighs
    them by these.
    """
    weighed = drawn_targets(events)
    labelled = {
        asked: told
        for asked, told in blind_labels(events).items()
        if asked[0] not in weighed and asked[1] in LABEL_SETS and LABEL_SETS[asked[1]].found
    }
    if not labelled:
        return []
    return machine_agreement(labelled, locate(bundle, {target for target, _ in labelled}).found)
