"""The ledger of one audit: every claim, every flag, and the notes that spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.plan import PlannedSuite, planned_scorers
from audit.provenance.claims import Claim
from audit.provenance.flags import flags
from audit.provenance.models import model_ledger
from audit.provenance.probes import contamination_claims, probe_claims
from audit.provenance.run import run_claims

SAME = ("value", "status", "source", "declared_by", "location", "evidence_sha256", "note")
"""What two records of one field must share for the earlier one to stand."""


def ledger(
    plan: Mapping[str, Any],
    suites: Mapping[str, PlannedSuite],
    facts: Mapping[str, Mapping[str, Any]],
    earlier: Mapping[str, Any] | None = None,
    runs: Sequence[Mapping[str, Any]] = (),
    at: str | None = None,
) -> dict[str, Any]:
    """The ledger of one audit.

    Parameters
    ----------
    facts : mapping of model id to facts
        Of the models loaded in this run, and of its scorers by digest; those loaded in an earlier,
        interrupted run are taken from ``earlier``.
    earlier : mapping, optional
        The ledger that lies there. A record of it that still says the same stands as it is, with its date.
    runs : sequence of mapping
        As environment.json lists them.
    at : str, optional
        When this run began.
    """
    before = earlier or {}
    kept = [row for row in before.get("claims", []) if not str(row["field"]).startswith("contamination:")]
    claims: list[Claim] = []
    spoke: list[dict[str, str]] = []
    for model in plan["models"]:
        subject = f"model:{model['id']}"
        if model["id"] in facts:
            found, notes = model_ledger(model, facts[model["id"]], at)
            claims += found
            spoke += [match.data(subject) for match in notes]
        else:
            claims += [row for row in kept if row["subject"] == subject]
            spoke += [row for row in before.get("notes", []) if row["subject"] == subject]
    asked = (scorer for scorer in planned_scorers(plan) if scorer.kind == "asked")
    away = {f"scorer:{scorer.name}" for scorer in asked if scorer.digest not in facts}
    before_now = [row for row in kept if row["subject"] in away]
    spoken = {row["subject"] for row in before_now}
    claims += [row for row in probe_claims(suites, at, facts) if row["subject"] not in spoken] + before_now
    told = {row["subject"].removeprefix("model:") for row in claims if row["subject"].startswith("model:")}
    models = [model["id"] for model in plan["models"] if model["id"] in told]
    claims += contamination_claims(models, claims, suites)
    claims += run_claims(plan, runs)
    return {"claims": unchanged(claims, before.get("claims", [])), "flags": flags(claims), "notes": spoke}


def unchanged(claims: Sequence[Claim], earlier: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """The claims, each as it stood before where it says the same: what was seen first keeps its date."""
    before = {(row["subject"], row["field"]): row for row in earlier}
    rows = []
    for row in claims:
        known = before.get((row["subject"], row["field"]), {})
        same = known.keys() == row.keys() and all(known.get(key) == row.get(key) for key in SAME)
        rows.append(dict(known) if same else row)
    return rows
