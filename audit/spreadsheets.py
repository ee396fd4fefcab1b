"""Tables into spreadsheets and back: no cell runs as a formula, and nothing is read but a file."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from probes.errors import Fault, InputError

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
GUARD = "'"
"""What a cell begins with that would else be taken for one."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; a number stays one.

    Examples
    --------
    >>> guarded("=1+1"), guarded("-0.5"), guarded(" @x"), guarded("+1+cmd"), guarded("a-b")
    ("'=1+1", '-0.5', "' @x", "'+1+cmd", 'a-b')
    """
    risky = cell.startswith(FORMULA) or cell.lstrip().startswith(FORMULA)
    return GUARD + cell if risky and not _NUMBER.fullmatch(cell) else cell


def table_bytes(path: Path, largest: int) -> bytes:
    """The content of a file that somebody names as a table.

    Parameters
    ----------
    largest : int
        Bytes that it may have.

    Raises
    ------
    InputError
        If there is no such file, it is something else (to read a pipe may never end), or it is too large.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise InputError(Fault("not a file", str(path), "Save what it holds as a file, and name that."))
        if about.st_size > largest:
            what = f"larger than {largest / 1e6:,.0f} MB"
            raise InputError(Fault(what, str(path), "Name another file, or a part of it."))
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(Fault("no such file", str(path), "Check the path.")) from None
    except (OSError, ValueError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(Fault(what, str(path), "Check the path and its permissions.")) from None
