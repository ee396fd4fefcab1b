"""Do the signatures of a bundle hold, and are they by somebody who is trusted?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from audit.attestation.signatures import AGAIN, Signature, signatures_of
from audit.attestation.statement import Signer
from probes.errors import Fault

NOBODY = "nobody said whose it is"
SHOWN = 20
"""Faults that are named."""


def check_signatures(root: Path, keys: Mapping[str, str]) -> tuple[str, tuple[str, ...], bool]:
    """What the signatures say, every departure, and whether there was anything to check.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    keys : mapping of str to str
        Fingerprint to name of the public keys that are trusted. Where there are none, a signature by any key
        will do, and it is said that nobody answers for the key.
    """
    found = signatures_of(root)
    faults = [text for signature in found for text in signature.faults]
    for signature in found:
        faults += [
            str(Fault(f"{file}: is not as {signature.file} has it signed", "", AGAIN))
            for file in signature.altered
        ]
    if keys and not any(signature.valid and signature.fingerprint in keys for signature in found):
        faults.append(f"no valid signature is by a public key that was given: {', '.join(keys.values())}")
    if not found:
        return "not signed", tuple(faults), bool(keys)
    told = [described(signature, keys) for signature in found if signature.fingerprint]
    return "; ".join(told) or "no signature holds", tuple(faults[:SHOWN]), True


def described(signature: Signature, keys: Mapping[str, str]) -> str:
    """One signature in words."""
    if not keys:
        whose = f"({NOBODY})"
    elif signature.fingerprint in keys:
        whose = f"({keys[signature.fingerprint]})"
    else:
        whose = "(none of the public keys given)"
    signer = Signer(signature.name, signature.role, signature.organisation)
    state = "valid" if signature.valid else "not valid for what lies here"
    text = f"{state}, by key {signature.fingerprint} {whose}; {signer}, as stated, at "
    text += f"{signature.at} by the signer's own clock"
    if signature.of_original:
        text += "; of the original of this redacted copy, whose records here it does not cover"
    if signature.unsigned:
        text += f"; not covered, made since: {', '.join(signature.unsigned)}"
    return str(Fault(text))
