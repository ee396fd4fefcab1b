"""Published data, fetched from its publisher into a user's own folder, each file checked by its hash."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from audit.bundle_files import file_sha256, sha256, write_whole
from audit.models.cache import cache_folder, home_path
from probes.benchmarks.sources import SourceFile, source
from probes.errors import Fault, InputError

VARIABLE = "EVENHAND_DATA"
"""The environment variable that names the data folder."""
SECONDS = 60
"""How long a publisher's server may be silent."""

Say = Callable[[str], None]


def data_folder(named: Path | None = None) -> Path:
    """Where published data lies: the folder named, else ``$EVENHAND_DATA``, else one in the cache."""
    if named is not None:
        return named
    variable = os.environ.get(VARIABLE)
    return home_path(variable, VARIABLE) if variable else cache_folder() / "benchmarks"


def fetch(name: str, root: Path, say: Say) -> list[Path]:
    """Fetch every file of a data set that is not there already; its licence must have been accepted.

    Parameters
    ----------
    name : str
        A data set of ``probes.benchmarks.sources``.
    root : Path
        The data folder; made where it is not there.
    say : callable
        Told, in words, what is being done.

    Raises
    ------
    InputError
        For every file that cannot be fetched, is not the published one, or has no address and is read; the
        others are fetched nevertheless.
    """
    found: list[Path] = []
    faults: list[Fault] = []
    for file in source(name).files:
        path = root / file.path
        try:
            if path.is_file() and file_sha256(path) == file.sha256:
                say(f"{file.path} is here")
                found.append(path)
                continue
            if not file.url and file.use == "reference":
                say(f"{file.path} has no address; only evenhand benchmarks verify compares with it")
                continue
            content = _checked(_download(file, path, say), file, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
            found.append(path)
        except InputError as error:
            faults += error.faults
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            faults.append(Fault(what, str(path), "Name a folder that can be written to with --data."))
    if faults:
        raise InputError(faults)
    return found


def _download(file: SourceFile, path: Path, say: Say) -> bytes:
    if not file.url:
        what = "its publisher has no address for it that could be fetched"
        raise InputError(Fault(what, str(path), "Bring the file by hand, and put it there."))
    say(f"{file.path}: fetching {file.bytes / 1e6:.1f} MB" if file.bytes >= 5e4 else f"{file.path}: fetching")
    try:
        with urllib.request.urlopen(file.url, timeout=SECONDS) as answer:
            content: bytes = answer.read(file.bytes + 1)
            return content
    except (urllib.error.URLError, OSError, ValueError) as error:
        cause = getattr(error, "reason", None) or error
        reason = getattr(cause, "strerror", None) or cause
        remedy = f"Fetch {file.url} elsewhere and put it there, or name a folder that has it with --data."
        raise InputError(Fault(f"it could not be fetched: {reason}", str(path), remedy)) from error


def _checked(content: bytes, file: SourceFile, path: Path) -> bytes:
    if len(content) != file.bytes or sha256(content) != file.sha256:
        what = f"what {file.url} gives is not the published file (SHA-256 differs); nothing was written"
        raise InputError(Fault(what, str(path), "Check the network, and whether the publisher changed it."))
    return content
