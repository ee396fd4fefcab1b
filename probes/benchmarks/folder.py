"""A user's own copy of published data: a folder, whose files are checked before they are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from probes.benchmarks.sources import SourceFile, source
from probes.errors import Fault, InputError


@dataclass
class DataFolder:
    """The folder that holds published files, laid out as ``published/`` says.

    Attributes
    ----------
    root : Path
        The folder.
    changed_ok : bool
        Whether a file may be another than the published one; it is then said so with every number.
    read : dict of str to str
        SHA-256 of every file that was read, by its path.
    changed : list of str
        Paths of the files read that are not the published ones.
    """

    root: Path
    changed_ok: bool = False
    read: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    def files(self, name: str, use: str = "data") -> list[Path]:
        """The files of a data set that a measure reads, each checked.

        Raises
        ------
        InputError
            If one is missing, or is not the published file; every such file is named.
        """
        faults: list[Fault] = []
        found = []
        for wanted in source(name).files:
            if wanted.use == use:
                try:
                    found.append(self.file(name, wanted.path))
                except InputError as error:
                    faults += error.faults
        if faults:
            raise InputError(faults)
        return found

    def file(self, name: str, path: str) -> Path:
        """One file of a data set, checked; see :meth:`files`."""
        known = source(name)
        wanted = next((file for file in known.files if file.path == path), None)
        if wanted is None:
            raise LookupError(f"{name} has no file {path} in published/")
        where = self.root / path
        if not where.is_file():
            raise InputError(Fault(f"the data of {known.title} is not there", str(where), _how(name, wanted)))
        found = _sha256(where)
        if found != wanted.sha256:
            if not self.changed_ok:
                what = f"not the published file: SHA-256 {found[:12]}, published {wanted.sha256[:12]}"
                raise InputError(
                    Fault(what, str(where), f"{_how(name, wanted)} Or allow it: --changed-data.")
                )
            if path not in self.changed:
                self.changed.append(path)
        self.read[path] = found
        return where

    def has(self, name: str, path: str) -> bool:
        """Whether a file is there, right or wrong."""
        return (self.root / path).is_file()


def _how(name: str, wanted: SourceFile) -> str:
    if wanted.url:
        return f"Fetch it: evenhand benchmarks fetch {name}, or name a folder that has it with --data."
    return "It cannot be fetched: bring it from its publisher, and name its folder with --data."


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
