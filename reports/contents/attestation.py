"""Who signed the audit, and what a signature is of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.attestation import signatures_of
from audit.bundle import ENGAGEMENT, disk_errors, file_sha256

COVERS = (
    "A signature covers the audit's plan, records, findings and reviews, the engagement file in its folder, "
    "and the report files that lay there when it was made; it covers no earlier audit and no table of "
    "selections that a report was given. A document cannot hold its own hash: whether a signature covers "
    "this very file, evenhand verify DIR says."
)
WHOSE = (
    "Name, role, organisation and time are as the signer stated them. Whose key it is, this report does not "
    "know: compare the fingerprint with one that the signer gave you."
)
UNSIGNED = (
    "No valid signature is of the records, findings, reviews and engagement file that this report was made "
    "from. To sign it, take the steps for signing in the section on reproduction."
)
OUTSIDE = (
    "the engagement file of this report is not among what was signed. "
    f"Save it as {ENGAGEMENT} in the audit's folder, and sign again."
)
"""Why a signature that holds is none of a report that was made with another engagement file."""
ORIGINAL = (
    "of the original of this redacted copy: plan, findings and reviews are as they were signed, and the "
    "records, in which texts are withheld, are not."
)
"""Why a signature that holds does not sign the report of a redacted copy."""


def attestation(root: Path, engagement_sha256: str | None = None) -> dict[str, Any]:
    """The signatures of a bundle, for its report.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    engagement_sha256 : str, optional
        SHA-256 of the engagement file that the report was made with, if it was made with one.

    Returns
    -------
    dict
        ``signed``: whether at least one valid signature is of the manifest, records and reviews as they lie
        there, and of the engagement file that the report was made with; ``covers``, ``whose``: what that
        says, in words; ``signatures``: each, with why not.
    """
    found = signatures_of(root)
    outside = "" if engagement_sha256 in (None, own_engagement(root)) else OUTSIDE
    signed = not outside and any(signature.covers_records for signature in found)
    return {
        "signed": signed,
        "covers": COVERS if signed else f"{UNSIGNED} {COVERS}",
        "whose": WHOSE,
        "signatures": [
            {
                **{key: getattr(signature, key) for key in ("name", "role", "organisation", "at")},
                "fingerprint": signature.fingerprint,
                "valid": signature.covers_records and not outside,
                "problem": signature.problem or outside or (ORIGINAL if signature.of_original else ""),
            }
            for signature in found
        ],
    }


def own_engagement(root: Path) -> str | None:
    """SHA-256 of the engagement file in a bundle's folder, if there is one; a valid signature covers it."""
    path = root / ENGAGEMENT
    with disk_errors(path):
        return file_sha256(path) if path.is_file() else None


def signers(attested: Mapping[str, Any]) -> list[str]:
    """Whose signatures hold, by the name that they stated; each once, in order."""
    return list(dict.fromkeys(row["name"] for row in attested["signatures"] if row["valid"]))
