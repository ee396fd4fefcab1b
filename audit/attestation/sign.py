"""Sign a finished audit that holds."""

from __future__ import annotations

import datetime
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.attestation.envelope import envelope_path, open_envelope, write_envelope
from audit.attestation.keys import Passphrase, private_key
from audit.attestation.statement import LONGEST_NAME, NO_FILE, Signer, about, hashes, is_plain, statement_of
from audit.environment import version
from audit.verify import content_checks
from probes.errors import BundleError, Fault, InputError

SHOWN = 5
"""Faults of a bundle that are named where it is not signed."""


@dataclass(frozen=True)
class Signed:
    """What was signed, by which key, and where the signature lies."""

    path: Path
    fingerprint: str
    files: int


def sign(
    root: Path, key: Path, signer: Signer, passphrase: Passphrase, at: datetime.datetime | None = None
) -> Signed:
    """Sign everything that lies in a bundle, once all of it was verified.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    key : Path
        File of a private key; it may not lie in the bundle.
    signer : Signer
        Who signs, as they state it.
    passphrase : callable
        Asked only where the key is locked.
    at : datetime, optional
        With its zone; now, by this machine's clock, if it is not given.

    Returns
    -------
    Signed
        The same bundle, key, signer and time give the same bytes.

    Raises
    ------
    InputError
        If the key cannot sign, a name is none, the bundle does not verify or cannot be written to, or the key
        has signed it for somebody else.
    """
    for what, text in signer.data().items():
        if text is not None and not is_plain(text):
            remedy = f"Give 1 to {LONGEST_NAME} letters on one line."
            raise InputError(Fault(f"--{what} {text[:LONGEST_NAME]!r} is no name", "", remedy))
    if Path(os.path.realpath(key)).is_relative_to(os.path.realpath(root)):  # loops of links make no end
        what = "a private key within the bundle, which would be given away with it"
        raise InputError(Fault(what, str(key), "Move the key elsewhere."))
    crypto_signer, public = private_key(key, passphrase)
    refuse_another(envelope_path(root, public.fingerprint), signer)
    files = hashes(root)
    checks = content_checks(root)
    faults = [fault for check in checks for fault in check.faults]
    faults += [f"{name}: {value}" for name, value in files.items() if value in NO_FILE]
    faults += [f"{name!r}: a name that is not UTF-8" for name in files if not is_text(name)]
    if faults:
        more = [f"and {len(faults) - SHOWN} more faults"] if len(faults) > SHOWN else []
        remedy = f"Not signed. See: evenhand verify {shlex.quote(str(root))}"
        raise BundleError([Fault(text, str(root), remedy) for text in [*faults[:SHOWN], *more]])
    moment = (at or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC)
    predicate: dict[str, Any] = {
        "signer": signer.data(),
        "at": moment.isoformat(timespec="seconds"),
        "key": {"type": "ed25519", "fingerprint": public.fingerprint, "public": public.pem},
        "evenhand": version("evenhand"),
        "checked": [{"check": check.name, "detail": check.detail} for check in checks],
        "audit": about(root),
    }
    path = write_envelope(root, statement_of(files, predicate), crypto_signer)
    return Signed(path, public.fingerprint, len(files))


def is_text(name: str) -> bool:
    """Whether the name of a file can be written down: some systems take any bytes for one."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def refuse_another(path: Path, signer: Signer) -> None:
    """Refuse to write over what the same key signed for another person or in another role."""
    if not path.exists():
        return
    try:
        earlier = open_envelope(path).statement["predicate"]["signer"]
    except BundleError:
        return  # no signature, or a broken one: nothing is lost
    if Signer(**earlier) != signer:
        remedy = "Sign with a key of your own, or remove the file to take that signature back."
        raise InputError(Fault(f"this key has signed here as {Signer(**earlier)}", str(path), remedy))
