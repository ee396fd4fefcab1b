"""Keys in files: made, read, and told apart by their fingerprints. Ed25519 alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.attestation.library import library
from audit.bundle_files import disk_errors, refuse_special, sha256
from probes.errors import Fault, InputError

PUBLIC = ".pub"
"""How the name of the file of a public key ends."""
LARGEST_KEY = 1 << 16
"""Bytes; no key is larger."""
LONGEST_PASSPHRASE = 1023
"""Bytes, as OpenSSL takes them."""
MAKE_ONE = "Make a key with: evenhand sign --new-key FILE"

Passphrase = Callable[[], str]
"""Asks for a passphrase; called only where a key needs one."""


@dataclass(frozen=True)
class PublicKey:
    """Half a key: enough to check what the other half signed.

    Attributes
    ----------
    pem : str
        As a file holds it.
    fingerprint : str
        SHA-256 of the key in DER form, in hexadecimal.
    key : Any
        The same for securesystemslib, by the fingerprint as its id.
    """

    pem: str
    fingerprint: str
    key: Any


def new_key(path: Path, passphrase: str = "") -> PublicKey:
    """Make a key: the private half in a file that only its owner may read, the public half beside it.

    Parameters
    ----------
    path : Path
        Of the private half; ``.pub`` is added to its name for the public one.
    passphrase : str
        Locks the private half, if it is not empty.

    Raises
    ------
    InputError
        If one of the files is there, or cannot be written, or the passphrase locks nothing.
    """
    _, signer, serialization = library()
    given = passphrase.encode("utf-8", "surrogateescape")
    if len(given) > LONGEST_PASSPHRASE:
        what = f"a passphrase of {len(given):,} bytes, more than {LONGEST_PASSPHRASE:,}"
        raise InputError(Fault(what, "", "Give a shorter one."))
    made = signer.CryptoSigner.generate_ed25519()._private_key
    lock = serialization.BestAvailableEncryption(given) if given else None
    secret = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock or serialization.NoEncryption()
    )
    public = described(made.public_key())
    beside = path.parent / (path.name + PUBLIC)
    for place in (path, beside):
        if os.path.lexists(place):
            what = "there is a file already: a key is not written over"
            raise InputError(Fault(what, str(place), "Choose another name."))
    written: list[Path] = []
    try:
        for place, content, mode in ((path, secret, 0o600), (beside, public.pem.encode(), 0o644)):
            with disk_errors(place):
                descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
                written.append(place)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
    except InputError:
        for place in written:
            with suppress(OSError):
                place.unlink()
        raise
    return public


def private_key(path: Path, passphrase: Passphrase) -> tuple[Any, PublicKey]:
    """What signs with a private key, and its public half.

    Raises
    ------
    InputError
        If it is no private Ed25519 key, others may read it, or the passphrase is not its own.
    """
    _, signer, serialization = library()
    content = read_key(path)
    if b"PUBLIC KEY" in content:
        raise InputError(Fault("a public key, which cannot sign", str(path), "Give the private key."))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InputError(
            Fault(f"a private key that others may use (mode {mode:04o})", str(path), f"chmod 600 {path}")
        )
    locked = b"ENCRYPTED" in content
    try:
        given = passphrase().encode("utf-8", "surrogateescape") if locked else None
        private = serialization.load_pem_private_key(content, given)
        public = described(private.public_key())
        return signer.CryptoSigner(private, public.key), public
    except InputError as error:
        raise placed(error, path) from None
    except Exception as error:  # the libraries raise many kinds for what is no key
        what = "the passphrase is not that of the key" if locked else f"no private key ({first_line(error)})"
        remedy = "Give the key's own passphrase." if locked else MAKE_ONE
        raise InputError(Fault(what, str(path), remedy)) from None


def public_key(path: Path) -> PublicKey:
    """The public key in a file.

    Raises
    ------
    InputError
        If it is no public Ed25519 key.
    """
    library()
    content = read_key(path)
    if b"PRIVATE KEY" in content:
        remedy = f"Give its public half, {path.name}{PUBLIC}, and keep this one to yourself."
        raise InputError(Fault("a private key", str(path), remedy))
    try:
        return from_pem(content.decode("utf-8"))
    except InputError as error:
        raise placed(error, path) from None
    except UnicodeDecodeError:
        raise InputError(Fault("no public key", str(path), MAKE_ONE)) from None


def from_pem(text: str) -> PublicKey:
    """A public key from its text.

    Raises
    ------
    InputError
        If it is no public Ed25519 key.
    """
    _, _, serialization = library()
    try:
        return described(serialization.load_pem_public_key(text.encode()))
    except InputError:
        raise
    except Exception as error:  # as above
        raise InputError(Fault(f"no public key ({first_line(error)})", "", MAKE_ONE)) from None


def described(public: Any) -> PublicKey:
    """A public key of the library with its text and fingerprint."""
    _, signer, serialization = library()
    form, coding = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding
    fingerprint = sha256(public.public_bytes(coding.DER, form))
    key = signer.SSlibKey.from_crypto(public, keyid=fingerprint)
    if key.keytype != "ed25519":
        raise InputError(Fault(f"a key of the kind {key.keytype}, not ed25519", "", MAKE_ONE))
    return PublicKey(public.public_bytes(coding.PEM, form).decode("ascii"), fingerprint, key)


def read_key(path: Path) -> bytes:
    """The content of a key's file."""
    try:
        refuse_special(path)
        with path.open("rb") as file:
            content = file.read(LARGEST_KEY + 1)
    except FileNotFoundError:
        raise InputError(Fault("no such file", str(path), MAKE_ONE)) from None
    except OSError as error:
        remedy = "Check the path and its permissions."
        raise InputError(Fault(f"cannot be read: {error.strerror}", str(path), remedy)) from None
    if len(content) > LARGEST_KEY:
        raise InputError(Fault(f"more than {LARGEST_KEY} bytes, so no key", str(path), MAKE_ONE))
    return content


def placed(error: InputError, path: Path) -> InputError:
    """The same fault, with the file it was found in."""
    fault = error.faults[0]
    return InputError(Fault(fault.what, str(path), fault.remedy))


def first_line(error: Exception) -> str:
    """What an error of a library says, at the length of a line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
