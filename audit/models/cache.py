"""The folder in which fetched and converted models lie."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from probes.errors import Fault, ModelError

VARIABLE = "EVENHAND_CACHE"
"""The environment variable that names the folder."""


def home_path(name: str, where: str = "") -> Path:
    """A path as a user wrote it, ``~`` and ``~user`` written out.

    Raises
    ------
    ModelError
        Where there is no such user, or the home folder is not known.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        what = f"{name!r} names a home folder that this machine does not know"
        raise ModelError(Fault(what, where, "Write the whole path.")) from error


def cache_folder() -> Path:
    """Where fetched and converted models lie: ``$EVENHAND_CACHE``, else ``~/.cache/evenhand``.

    Raises
    ------
    ModelError
        Where the variable names the home folder of nobody.
    """
    named = os.environ.get(VARIABLE)
    return home_path(named, VARIABLE) if named else home_path("~", VARIABLE) / ".cache" / "evenhand"


def workplace(folder: Path, prefix: str) -> Path:
    """A new, empty folder within a folder of the cache, which is made where it is not there.

    Raises
    ------
    ModelError
        Where nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = f"Name a folder that can be written to in {VARIABLE}."
        raise ModelError(Fault(f"the cache cannot be written ({reason})", str(folder), remedy)) from error
