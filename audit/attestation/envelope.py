"""One signature in its file: a DSSE envelope, written and opened."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.attestation.keys import PublicKey, from_pem
from audit.attestation.library import library
from audit.attestation.statement import statement_fault
from audit.bundle import ATTESTATIONS, file_bytes, folder_within, loads, read_json, this_writer, write_whole
from audit.requests import canonical
from probes.errors import BundleError, Fault, InputError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SUFFIX = ".dsse.json"
FILE_NAME = re.compile(r"[0-9a-f]{16}\.dsse\.json")
SHORT = 16
"""Digits of a fingerprint in the name of a file."""
LARGEST = 16 * 1024 * 1024
"""Bytes of an envelope: some hundred thousand files."""
REMEDY = "Remove it, or restore it from a copy."


@dataclass(frozen=True)
class Opened:
    """An envelope whose signature holds.

    Attributes
    ----------
    statement : mapping
        What was signed, as the schema describes.
    key : PublicKey
        The key that signed it, which stands in the statement.
    """

    statement: Mapping[str, Any]
    key: PublicKey


def envelope_path(root: Path, fingerprint: str) -> Path:
    """Where the signature by a key lies."""
    return root / ATTESTATIONS / f"{fingerprint[:SHORT]}{SUFFIX}"


def write_envelope(root: Path, statement: Mapping[str, Any], signer: Any) -> Path:
    """Sign a statement and keep it in the bundle, whole or not at all.

    Raises
    ------
    BundleError
        If the bundle cannot be written to.
    """
    dsse, _, _ = library()
    envelope = dsse.Envelope(canonical(statement), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    path = envelope_path(root, statement["predicate"]["key"]["fingerprint"])
    folder_within(root, ATTESTATIONS)
    write_whole(path, file_bytes(envelope.to_dict()), this_writer())
    return path


def open_envelope(path: Path) -> Opened:
    """What a file says, if it is an envelope as this program writes it and its signature holds.

    Raises
    ------
    BundleError
        Naming what is wrong with the file.
    MissingLibraryError
        Where signatures cannot be checked.
    """
    dsse, _, _ = library()
    where = str(path)
    if path.is_symlink() or not path.is_file():
        raise BundleError(Fault("is not a plain file", where, "Remove it."))
    if not FILE_NAME.fullmatch(path.name):
        raise BundleError(Fault("does not have the name of a signature", where, "Remove it."))
    size = path.stat().st_size
    if size > LARGEST:
        raise BundleError(Fault(f"{size} bytes, more than any signature has", where, REMEDY))
    data = read_json(path)
    try:
        envelope = dsse.Envelope.from_dict(copy.deepcopy(data))  # which empties what it is given
        as_written = file_bytes(envelope.to_dict())
        statement = loads(envelope.payload.decode("utf-8"))
    except Exception as error:  # the library and the parser raise many kinds for what is no envelope
        what = f"is no signed statement ({type(error).__name__}: {str(error)[:120]})"
        raise BundleError(Fault(what, where, REMEDY)) from None
    if as_written != path.read_bytes() or envelope.payload_type != PAYLOAD_TYPE:
        raise BundleError(Fault("was edited: not as evenhand writes a signature", where, REMEDY))
    fault = statement_fault(statement)
    if fault is not None:
        raise BundleError(Fault(f"does not state what a signature states: {fault}", where, REMEDY))
    key = stated_key(statement, where)
    try:
        envelope.verify([key.key], 1)
    except Exception:  # as above
        what = "the signature does not hold: the statement was altered, or another key signed it"
        raise BundleError(Fault(what, where, REMEDY)) from None
    if len(envelope.signatures) != 1 or not path.name.startswith(key.fingerprint[:SHORT]):
        raise BundleError(Fault("does not have the name of the one key that signed it", where, REMEDY))
    return Opened(statement, key)


def stated_key(statement: Mapping[str, Any], where: str) -> PublicKey:
    """The public key in a statement, if it is as it is said to be."""
    stated = statement["predicate"]["key"]
    try:
        key = from_pem(stated["public"])
    except InputError as error:
        raise BundleError(Fault(error.faults[0].what, where, REMEDY)) from None
    if key.fingerprint != stated["fingerprint"] or key.pem != stated["public"]:
        raise BundleError(Fault("the key in it does not have the fingerprint it states", where, REMEDY))
    return key
