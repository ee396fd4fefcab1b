"""What is asked of a report beside the bundle: the day it speaks of, and files that people wrote for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from probes.errors import Fault, InputError

EPOCH = "SOURCE_DATE_EPOCH"
"""Variable that says which time it is, for who wants the same bytes again."""


def today() -> date:
    """The day by this machine's clock, in UTC, or that of ``SOURCE_DATE_EPOCH`` where it is set."""
    epoch = os.environ.get(EPOCH)
    if not epoch:
        return datetime.now(UTC).date()
    try:
        return datetime.fromtimestamp(int(epoch), UTC).date()
    except (ValueError, OverflowError, OSError):
        what = f"{EPOCH} is {epoch[:40]!r}, no time in seconds since 1970"
        raise InputError(Fault(what, "", "Set it to a whole number, or unset it.")) from None


@dataclass(frozen=True)
class Asked:
    """What a report is to hold beside the bundle.

    Parameters
    ----------
    as_of : date
        The day that the report speaks of: how old the legal map is counts to here. Today if not given.
    engagement : Path, optional
        Who commissioned, ran and answers the audit, and for which use: ``engagement.yaml`` in the bundle's
        folder where none is given and one lies there.
    earlier : Path, optional
        The bundle of an earlier audit, for the change log.
    selection : Path, optional
        A table of people selected and not selected, for selection rates and impact ratios.
    benchmarks : sequence of Path
        Folders of runs of published measures, whose numbers stand beside the audit's.
    reveal : bool
        Whether text that a model wrote is shown; else its length and hash stand for it.
    """

    as_of: date = field(default_factory=today)
    engagement: Path | None = None
    earlier: Path | None = None
    selection: Path | None = None
    benchmarks: Sequence[Path] = ()
    reveal: bool = False
