"""Licence files beside a model: their hash, and which licence their text is by rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from audit.provenance.claims import Claim, Origin, claim
from audit.provenance.licences import spdx_of_text
from audit.provenance.readers.files import names_like, read_text

LICENCES = ("license", "license.*", "licence", "licence.*", "copying", "copying.*")
POLICIES = ("use_policy*", "use-policy*", "acceptable_use*", "acceptable-use*")
LOOKED = "LICENSE and COPYING files of the folder"
MAX_BYTES = 1 << 20


def licence_claims(folder: Path, subject: str, at: str | None) -> list[Claim]:
    """Which licence the files of a folder are, and whether a policy of use lies there."""
    return [_licence(folder, subject, at), *_policy(folder, subject, at)]


def _licence(folder: Path, subject: str, at: str | None) -> Claim:
    reasons: list[str] = []
    for name in names_like(folder, LICENCES):
        found = read_text(folder, name, MAX_BYTES)
        if found.text is None:
            reasons.append(found.reason or f"{name} is not there")
            continue
        identifier, rule = spdx_of_text(found.text)
        if identifier:
            where = Origin("text of the licence file", None, name, at, found.sha256)
            return claim(subject, "licence_file", identifier, "derived", where, rule)
        reasons.append(f"{name} (SHA-256 {found.sha256}): {rule}")
    note = "; ".join(reasons) or "there is none"
    return claim(subject, "licence_file", None, "unknown", Origin(LOOKED, at=at), note)


def _policy(folder: Path, subject: str, at: str | None) -> Iterator[Claim]:
    """That a policy of use lies there, with its hash; nothing where none does."""
    for name in names_like(folder, POLICIES)[:1]:
        found = read_text(folder, name, MAX_BYTES)
        where = Origin("file of the folder", None, name, at, found.sha256)
        value = f"{name} lies beside the weights; its terms were not read by this program"
        yield claim(subject, "use_policy", value, "measured", where, found.reason)
