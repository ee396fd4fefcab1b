"""Who stands for a report: the names that were given, and blank lines to be signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.engagement import Engagement

ROLES = {"preparer": "prepared by", "reviewer": "reviewed by", "approver": "approved by"}
"""Keys of ``sign_off`` in the engagement file, as the report prints them."""


def signatures(engagement: Engagement, attested: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The lines to be signed: a name that was given is no signature.

    Parameters
    ----------
    attested : mapping
        As ``reports.contents.attestation.attestation`` makes it: a line is signed where a valid signature
        states the same name.
    """
    given = engagement.given.get("sign_off", {})
    keys = {row["name"]: f"key {row['fingerprint']}" for row in attested["signatures"] if row["valid"]}
    return [
        {
            "role": role,
            "name": given.get(key, {}).get("name"),
            "position": given.get(key, {}).get("role"),
            "date": given.get(key, {}).get("date"),
            "signature": keys.get(given.get(key, {}).get("name")),
        }
        for key, role in ROLES.items()
    ]
