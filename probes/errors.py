"""What can go wrong, in one small tree.

::

    EvenhandError                 anything this project raises on purpose
    ├── InputError                bad input; carries every fault found; exit code 2
    │   ├── SuiteError            a suite or lexicon file
    │   ├── AuditFileError        an audit description (AUDIT.yaml)
    │   ├── ModelError            a model that is unknown, unreadable or unsafe to load
    │   └── BundleError           a bundle that is broken, foreign or was changed
    └── InterruptedAudit          stopped from outside; resumable; exit code 3

The command line prints one line for each fault of an ``InputError`` and no traceback; any other
exception is a bug and prints a traceback.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 1000
"""Characters of what is wrong, and of where, that are shown: what somebody gave may be of any length."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: what, where, and the remedy.

    ``where`` names a file and, within it, a path or a line; it is empty only where there is no file.
    """

    what: str
    where: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        what, where = (
            part if len(part) <= LONGEST else f"{part[:LONGEST]}…" for part in (self.what, self.where)
        )
        text = f"{where}: {what}" if where else what
        text = " ".join(text.split())
        if self.remedy:
            text = f"{text.rstrip('.')}. {' '.join(self.remedy.split())}"
        return "".join(_shown(character) for character in text)


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Bidirectional classes of characters that turn the order of what stands behind them."""


def _shown(character: str) -> str:
    """A character, or its escape where a terminal would obey it or could not write it."""
    turns = unicodedata.bidirectional(character) in _TURNING
    if turns or unicodedata.category(character) in ("Cc", "Cs"):
        return character.encode("unicode_escape").decode("ascii")
    return character


class EvenhandError(Exception):
    """Root of everything this project raises on purpose."""


class InputError(EvenhandError):
    """Bad input from a user, with every fault that was found.

    Examples
    --------
    >>> str(InputError(Fault("no such suite 'ocupations'", remedy="Did you mean 'occupations'?")))
    "no such suite 'ocupations'. Did you mean 'occupations'?"
    """

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SuiteError(InputError):
    """A suite or lexicon file that cannot be used."""


class AuditFileError(InputError):
    """An audit description that cannot be used."""


class ModelError(InputError):
    """A model that is unknown, unreadable or unsafe to load."""


class BundleError(InputError):
    """A bundle that is broken, of another version, or was changed."""


class InterruptedAudit(EvenhandError):  # noqa: N818
    """The run was stopped from outside; what was answered is kept and the run can be resumed."""
