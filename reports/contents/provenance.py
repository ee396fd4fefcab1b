"""The claim ledger as a report prints it: what is not known comes first, then what standards ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.provenance import MEANINGS, answered, probes

ORDER = ("unknown", "conflict", "withheld", "declared", "derived", "measured", "not_applicable")
"""From what a reviewer must ask about to what needs no asking."""
LATER = ("location", "observed_at", "evidence_sha256", "note")
"""What a claim says besides; a ledger of an earlier version has none of it."""


def provenance(ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Every claim with its status, the flags with their meaning, and the questions with their answers.

    Parameters
    ----------
    ledger : mapping
        As provenance.json holds it, of this version or an earlier one.
    """
    rows = [{**dict.fromkeys(LATER), **row} for row in ledger["claims"]]
    claims = sorted(rows, key=lambda row: ORDER.index(row["status"]))
    flags = [
        {
            "severity": "review",
            "claims": [],
            **flag,
            "meaning": MEANINGS.get(flag["flag"], "needs review: see the claims about it"),
        }
        for flag in ledger["flags"]
    ]
    return {
        "unknown": sum(row["status"] == "unknown" for row in claims),
        "flags": sorted(flags, key=lambda flag: flag["severity"] != "review"),
        "claims": claims,
        "questions": answered(rows),
        "probes": probes(rows),
        "notes": list(ledger.get("notes", [])),
    }
