"""Who signed a bundle, whether that holds, and whether it is of what lies there now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from audit.attestation.envelope import Opened, open_envelope
from audit.attestation.statement import NO_FILE, about, hashes, is_report, signed_files
from audit.bundle import ATTESTATIONS, PARTIAL, REDACTION, REVIEWS
from audit.redaction.document import read_redaction
from audit.review.log import read_reviews
from probes.errors import Fault, InputError

MOST = 100
"""Signatures of one bundle that are looked at."""
AGAIN = "If that was meant, sign again."


@dataclass(frozen=True)
class Signature:
    """One signature of a bundle.

    Where the signature itself does not hold, nothing that it states is believed: its texts are empty.

    Attributes
    ----------
    file : str
        Its path below the bundle.
    name, role, organisation, at : str
        Who signed and when, as the signer stated it; not verified. ``organisation`` is None where none was
        stated.
    fingerprint : str
        SHA-256 of the key that signed.
    faults : tuple of str
        Why it does not hold for the records, findings and reviews that lie there now.
    altered, unsigned : tuple of str
        Report files that are no longer as they were signed, and those that were made since.
    reports : int
        Report files that lie there now.
    of_original : bool
        Whether it is of the bundle that this redacted copy was made from. Plan, findings, reviews and what
        else the copy holds as it was are held against it; of the records, and of what was left out, only what
        the copy says of them.
    """

    file: str
    name: str = ""
    role: str = ""
    organisation: str | None = None
    at: str = ""
    fingerprint: str = ""
    faults: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    reports: int = 0
    of_original: bool = False

    @property
    def valid(self) -> bool:
        """Whether it holds, and is of the manifest, records, findings and reviews that lie there now."""
        return not self.faults

    @property
    def covers_records(self) -> bool:
        """Whether it is also of the very records that lie there now."""
        return self.valid and not self.of_original

    @property
    def covers_report(self) -> bool:
        """Whether it is also of every report file that lies there now, and there is one."""
        return self.covers_records and self.reports > 0 and not (self.altered or self.unsigned)

    @property
    def problem(self) -> str:
        """Why it is not valid; empty where it is."""
        return self.faults[0] if self.faults else ""


class Present:
    """What lies in a bundle now, read when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Path to SHA-256 of every file that a signature covers."""
        return hashes(self.root)

    @cached_property
    def original(self) -> Mapping[str, str]:
        """The same of the bundle that a redacted copy was made from, as the copy says."""
        told = read_redaction(self.root)
        own = {name: value for name, value in self.files.items() if name != REDACTION and not is_report(name)}
        return {**own, **told.replaced, **told.left_out}

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the audit is."""
        return about(self.root)

    @cached_property
    def earlier_heads(self) -> frozenset[str]:
        """The heads that the reviews have had before the last one was added; none where they are broken."""
        try:
            return frozenset(event.prev for event in read_reviews(self.root).events)
        except InputError:
            return frozenset()


def signatures_of(root: Path) -> list[Signature]:
    """Every signature of a bundle, in order of their files, checked with the keys that they carry.

    Nothing that a folder holds makes this raise: what cannot be read or checked, also for want of the
    library that checks it, is a signature that is not valid.

    Parameters
    ----------
    root : Path
        The bundle's folder.

    Examples
    --------
    >>> signatures_of(Path("no-such-folder"))
    []
    """
    folder = root / ATTESTATIONS
    if not os.path.lexists(folder):
        return []
    if folder.is_symlink() or not folder.is_dir():
        return [Signature(ATTESTATIONS, faults=(f"{ATTESTATIONS}: is not a folder. Remove it.",))]
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.endswith(PARTIAL))
    except OSError as error:
        return [Signature(ATTESTATIONS, faults=(f"{ATTESTATIONS}: cannot be read: {error.strerror}",))]
    present = Present(root)
    found = [signature_in(path, present) for path in paths[:MOST]]
    if len(paths) > MOST:
        found.append(Signature(ATTESTATIONS, faults=(f"{ATTESTATIONS}: more than {MOST} files",)))
    return found


def is_signed(root: Path) -> bool:
    """Whether at least one valid signature is of the manifest, records, findings and reviews as they lie."""
    return any(signature.covers_records for signature in signatures_of(root))


def signature_in(path: Path, present: Present) -> Signature:
    """The signature in a file."""
    name = str(Fault(f"{ATTESTATIONS}/{path.name}"))
    try:
        return compared(name, open_envelope(path), present)
    except InputError as error:
        fault = error.faults[0]
        return Signature(name, faults=(str(Fault(fault.what, name, fault.remedy)),))
    except OSError as error:
        return Signature(name, faults=(f"{name}: cannot be read: {error.strerror}",))


def compared(name: str, opened: Opened, present: Present) -> Signature:
    """A signature that holds, held against what lies in the bundle."""
    predicate, signed = opened.statement["predicate"], signed_files(opened.statement)
    now: Mapping[str, str] = {}
    differing: list[str] = []
    of_original = False
    try:
        of_original = REDACTION in present.files and REDACTION not in signed
        now = present.original if of_original else present.files
        differing = [file for file in sorted({*signed, *now}) if now.get(file) != signed.get(file)]
        faults = [
            why(file, name, now.get(file), present, predicate) for file in differing if not is_report(file)
        ]
        if not faults and present.about != predicate["audit"]:
            faults.append(f"{name}: what it says of the audit is not so")
    except InputError as error:
        faults = [f"{name}: cannot be held against the bundle: {error.faults[0]}"]
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        faults = [f"{name}: cannot be held against the bundle ({type(error).__name__}: {error})"]
    reports = [file for file in differing if is_report(file)]
    return Signature(
        file=name,
        **predicate["signer"],
        at=predicate["at"],
        fingerprint=opened.key.fingerprint,
        faults=tuple(faults),
        altered=tuple(file for file in reports if file in signed),
        unsigned=tuple(file for file in reports if file not in signed),
        reports=sum(map(is_report, now)),
        of_original=of_original,
    )


def why(file: str, name: str, now: str | None, present: Present, predicate: Mapping[str, Any]) -> str:
    """How a file, with its hash now, differs from what was signed."""
    if now is None:
        what = "is missing, and not"
    elif file == REVIEWS and predicate["audit"]["reviews"]["head"] in present.earlier_heads:
        what = "reviews were added and are not"
    else:
        what = f"{now}, not" if now in NO_FILE else "is not"
    return str(Fault(f"{file}: {what} as {name} has it signed", "", AGAIN))
