"""The claim ledger as a report prints it: what is not known comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORDER = ("unknown", "conflict", "withheld", "declared", "derived", "measured", "not_applicable")
"""From what a reviewer must ask about to what needs no asking."""

FLAGS = {
    "TRAINING_DATA_UNDECLARED": "nobody was found to say what the model was trained on",
    "LICENCE_UNDECLARED": "no licence was found",
    "QUANTISED_OR_CONVERTED": "the weights were converted, and may behave otherwise than the original's",
    "REVISION_NOT_PINNED": "the revision on the hub is not known",
}
"""What each flag asks a person to look at; a flag never says that something infringes."""


def provenance(ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Every claim with its status, and the flags with their meaning."""
    claims = sorted(ledger["claims"], key=lambda row: ORDER.index(row["status"]))
    return {
        "unknown": sum(row["status"] == "unknown" for row in claims),
        "flags": [
            {**flag, "meaning": FLAGS.get(flag["flag"], "see the claims about it")}
            for flag in ledger["flags"]
        ],
        "claims": claims,
    }
