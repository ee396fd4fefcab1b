"""The first page: which audit this is, of what, when, and what the report is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.bundle import Bundle
from reports.asked import Asked

DRAFT = "UNSIGNED DRAFT"
"""The status of every report that nobody has signed."""

CLAIMS_LIMITS = (
    "This report states measurements made on the named artefact, with the named probes, on the named date.",
    "It is not a certificate, a conformity assessment, a legal opinion, or an independent bias audit under "
    "any law.",
    "Absence of a finding is not evidence of absence of bias.",
    "Results are for the model as loaded, not for a product built on it.",
)
"""What the report does not claim; it stands on the first page of every document."""


def cover(
    bundle: Bundle, findings: Mapping[str, Any], environment: Mapping[str, Any], asked: Asked
) -> dict[str, Any]:
    """Title, identity, dates and models of an audit.

    Parameters
    ----------
    bundle : Bundle
        For its plan.
    findings, environment : mapping
        ``findings.json`` and ``environment.json``.
    asked : Asked
        For the day that the report speaks of.
    """
    runs = environment["runs"]
    versions = {run["environment"]["packages"].get("evenhand") for run in runs}
    return {
        "title": bundle.plan["title"],
        "status": DRAFT,
        "as_of": asked.as_of.isoformat(),
        "claims_limits": list(CLAIMS_LIMITS),
        "plan_sha256": findings["plan_sha256"],
        "chain_sha256": findings["chain_sha256"],
        "started": min((run["started"] for run in runs), default=None),
        "last_run": max((run["started"] for run in runs), default=None),
        "evenhand": sorted(version for version in versions if version),
        "instrument": findings["instrument"]["text"],
        "models": [
            {key: model[key] for key in ("id", "digest", "kind", "parameters", "capabilities")}
            for model in bundle.plan["models"]
        ],
    }


def settings(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What was decided before the first question, beside suites and hypotheses."""
    declared = plan.get("sequential")
    return {
        "alpha": plan["alpha"],
        "seed": plan["seed"],
        "decoding": plan["decoding"],
        "correction": plan["correction"],
        "asked": [{key: ask[key] for key in ("model", "suite", "form", "items")} for ask in plan["asks"]],
        "until_decided": None if declared is None else {"max_units": declared["max_units"]},
    }
