"""The libraries that sign and verify: an extra, loaded when needed, asked for by name where missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from probes.errors import Fault, InputError

NEEDED = ("securesystemslib.dsse", "securesystemslib.signer", "cryptography.hazmat.primitives.serialization")


class MissingLibraryError(InputError):
    """Signatures can neither be made nor checked here."""


def library() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Envelopes, keys of envelopes, and keys in files.

    Raises
    ------
    MissingLibraryError
        Where the extra is not installed.
    """
    try:
        dsse, signer, serialization = (import_module(name) for name in NEEDED)
    except ImportError as error:
        name = (error.name or NEEDED[0]).split(".")[0]
        what = f"signatures need {name}, which is not installed"
        raise MissingLibraryError(Fault(what, "", "Install it with: pip install 'evenhand[sign]'")) from None
    return dsse, signer, serialization
