"""Who stands behind an audit, what it was held against, and which use it was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import MANIFEST, disk_errors, file_sha256
from probes import Suite
from reports.engagement import Engagement

ASSURANCE = (
    "Agreed-upon procedures: factual findings, no opinion. The procedures are those of the plan; the reader "
    "judges what follows from the findings. No level of assurance is expressed, and no auditing standard is "
    "said to have been followed."
)
RELATIONSHIPS = {
    "first_party": "whoever made or offers the model ran the audit",
    "internal_independent": "people of the same organisation, who did not make the model, ran the audit",
    "third_party": "people outside the organisation that made or offers the model ran the audit",
    "collaborative": "the model's makers and others ran the audit together",
    "other": "another relationship; see the statement on independence",
}
"""How whoever ran the audit is related to the model, as the engagement file says it; nobody checked it."""

NOT_MAPPED = "generic probe; not mapped to a use"
MAPPED = "read against the use that was stated; the probes were not written for it"
CONTAMINATION = "unknown: it was not examined whether the probes were part of the model's training data"


def engaged_cover(
    engagement: Engagement, signers: Sequence[str], root: Path, cover: Mapping[str, Any]
) -> Any:
    """The first page with whoever commissioned, ran and signed the audit.

    Parameters
    ----------
    signers : sequence of str
        Whose signatures hold, by the name that they stated.
    root : Path
        The bundle, for the hash of its manifest.
    cover : mapping
        As ``reports.contents.cover.cover`` makes it.
    """
    given = engagement.given
    manifest = root / MANIFEST
    with disk_errors(manifest):
        listed = file_sha256(manifest) if manifest.is_file() else None
    return {
        **cover,
        "title": given.get("title", cover["title"]),
        "status": f"SIGNED by {', '.join(signers)}" if signers else cover["status"],
        "signed": bool(signers),
        "version": given.get("report_version"),
        **{key: given.get(key) for key in ("classification", "distribution")},
        **{key: given.get(key) for key in ("commissioned_by", "performed_by", "relationship")},
        "run_id": f"{cover['plan_sha256'][:12]}-{cover['chain_sha256'][:12]}",
        "fingerprint": {"manifest_sha256": listed, "chain_sha256": cover["chain_sha256"]},
    }


def engaged(engagement: Engagement, plan_sha256: str) -> dict[str, Any]:
    """Objective, criteria, form of assurance and independence; what was not given is None."""
    given = engagement.given
    relationship = given.get("relationship")
    stated = [given["criteria"]] if "criteria" in given else []
    plan = (
        f"The plan with SHA-256 {plan_sha256}, written before the first question: its hypotheses, margins, "
        "error rate and corrections."
    )
    return {
        "given": engagement.sha256 is not None,
        "sha256": engagement.sha256,
        **{key: given.get(key) for key in ("commissioned_by", "performed_by")},
        "relationship": relationship,
        "relationship_meaning": RELATIONSHIPS[relationship] if relationship else None,
        "independence": given.get("independence"),
        "objective": given.get("objective"),
        "criteria": [plan, *stated],
        "assurance": ASSURANCE,
    }


def context(engagement: Engagement, suites: Sequence[Suite], findings: Mapping[str, Any]) -> dict[str, Any]:
    """The use of the model, the groups and why they are compared, the harms, and what was left out."""
    given, use = engagement.given, engagement.use
    return {
        "intended_use": use.get("description"),
        "decision_about_people": use.get("decision_about_people", "unknown"),
        "affected_groups": list(use.get("affected_groups", ())),
        "setting": use.get("setting"),
        "mapped": MAPPED if engagement.has_use else NOT_MAPPED,
        "groups": [
            *({**row, "source": "engagement"} for row in given.get("groups", ())),
            *compared_groups(suites, findings["findings"]),
        ],
        "languages": sorted({suite.language for suite in suites}),
        "harms": [
            *({**row, "source": "engagement"} for row in given.get("harms", ())),
            *(
                {"harm": suite.card.harm, "kind": suite.card.harm_kind, "source": f"suite {suite.id}"}
                for suite in suites
            ),
        ],
        "exclusions": list(given.get("exclusions", ())),
        "community_input": given.get("community_input"),
        "contamination": CONTAMINATION,
    }


SHOWN = 12
"""Groups of one suite that are named."""


def compared_groups(suites: Sequence[Suite], records: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The groups that each suite compares, with what its card says of the comparison."""
    rows = []
    for suite in suites:
        own = [record for record in records if record["suite"] == suite.id]
        labels = list(dict.fromkeys(record["group_label"] for record in own))
        more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
        if labels:
            group = ", ".join(labels[:SHOWN]) + more
            rows.append({"group": group, "why": suite.card.compares, "source": f"suite {suite.id}"})
    return rows
