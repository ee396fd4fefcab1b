"""The files of a bundle, one by one: read at the border with one clear fault, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shlex
import shutil
import stat
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from probes.errors import BundleError, Fault

PARTIAL = ".partial"
"""How the name of a file ends that is not yet whole."""


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_bytes(value: Any) -> bytes:
    """JSON as it lies in a bundle: a space an indent, a line feed at the end."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


class PassingFile:
    """What is too large for memory, on its way to a file: on disk, nameless, gone when nobody holds it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed below
        weakref.finalize(self, self._file.close)

    def write(self, content: bytes) -> None:
        """Add something at the end."""
        self._file.write(content)

    def copy_to(self, target: IO[bytes]) -> None:
        """Write all of it to another file."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, target)
        self._file.seek(0, os.SEEK_END)


def write_json(path: Path, value: Any) -> None:
    """Write JSON that a person can read, whole or not at all."""
    write_whole(path, file_bytes(value))


def write_whole(path: Path, content: bytes | PassingFile, writer: str = "") -> None:
    """Write a file whole or not at all: to a neighbour first, then renamed.

    ``writer`` tells the neighbours of several writers apart, where there may be more than one; see
    :func:`this_writer`. A link in the neighbour's place is removed and not followed; where writing fails,
    nothing is left of the neighbour.
    """
    partial = path.with_name(path.name + writer + PARTIAL)
    with disk_errors(path):
        partial.unlink(missing_ok=True)
        try:
            with partial.open("xb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    content.copy_to(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:  # Ctrl-C leaves nothing either
            with suppress(OSError):
                partial.unlink()
            raise


def this_writer() -> str:
    """What tells this thread's neighbours from those of all other writers of this machine."""
    return f".{os.getpid()}-{threading.get_ident()}"


def folder_within(root: Path, name: str) -> Path:
    """A folder directly within a bundle, made where it is not there; a link leads out and is refused.

    Raises
    ------
    BundleError
        If it is a link, or cannot be made.
    """
    path = root / name
    if path.is_symlink():
        what = "is a link, which may lead out of the bundle: nothing is written there"
        raise BundleError(Fault(what, str(path), "Remove the link."))
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def read_json(path: Path) -> Any:
    """The JSON in a bundle's file; a :class:`BundleError` names the file and what is wrong with it."""
    try:
        refuse_special(path)
        return loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        if path.name != "plan.json" and (path.parent / "plan.json").exists():
            remedy = (
                f"The audit is unfinished. Go on with: evenhand run --out {shlex.quote(str(path.parent))}"
            )
        else:
            remedy = "Is this the folder of an audit?"
        raise BundleError(Fault("the file is missing", str(path), remedy)) from None
    except BadConstantError as error:
        raise BundleError(
            Fault(f"holds {error}, which is no number", str(path), "Restore the file from a copy.")
        ) from None
    except UnicodeDecodeError as error:
        raise BundleError(
            Fault(f"not UTF-8 at byte {error.start}", str(path), "Restore the file from a copy.")
        ) from None
    except json.JSONDecodeError as error:
        raise BundleError(
            Fault(f"not JSON at line {error.lineno}: {error.msg}", str(path), "Restore the file from a copy.")
        ) from None
    except RecursionError:
        raise BundleError(Fault("nested too deeply", str(path), "Restore the file from a copy.")) from None
    except ValueError:  # more digits than Python turns into a number, or beyond double precision
        raise BundleError(
            Fault("holds a number of absurd size", str(path), "Restore the file from a copy.")
        ) from None
    except OSError as error:
        raise BundleError(
            Fault(f"cannot be read: {error.strerror}", str(path), "Check the path and its permissions.")
        ) from None


MOST_DIGITS = 300
"""Of a whole number: more do not fit into double precision."""


def loads(text: str) -> Any:
    """JSON of which every number is one of double precision.

    Raises
    ------
    ValueError
        For what is no JSON, and for a number that is too large.

    Examples
    --------
    >>> loads("[1, 2.5]")
    [1, 2.5]
    >>> loads("1e999")
    Traceback (most recent call last):
        ...
    ValueError: 1e999 is beyond double precision
    """
    return json.loads(text, parse_constant=refuse_constant, parse_int=whole_number, parse_float=finite_number)


def whole_number(digits: str) -> int:
    """A whole number, if double precision holds its size."""
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"{len(digits)} digits are beyond double precision")
    return int(digits)


def finite_number(text: str) -> float:
    """A number that is not so large that it would be read as infinity."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond double precision")
    return number


def refuse_special(path: Path) -> None:
    """Refuse a pipe or a device in place of a file: to read one may never end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BundleError(Fault("neither a file nor a folder", str(path), "Restore the file from a copy."))


class BadConstantError(Exception):
    """NaN or an infinity in a file that may hold none."""


def refuse_constant(name: str) -> None:
    """Refuse what Python reads as a number and JSON does not know."""
    raise BadConstantError(name)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one clear line."""
    try:
        yield
    except OSError as error:
        remedies = {
            errno.ENOSPC: "Free some space and run the same command again: what was answered is kept.",
            errno.EDQUOT: "Free some space and run the same command again: what was answered is kept.",
            errno.EACCES: "Choose a folder that you may write to.",
            errno.EROFS: "Choose a folder that you may write to.",
        }
        remedy = remedies.get(error.errno or 0, "Choose another folder.")
        raise BundleError(Fault(f"cannot write: {error.strerror}", str(path), remedy)) from None
