"""The published data sets that are known: one file each in ``published/``, named as the data set is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from probes.errors import Fault, InputError
from probes.explain import nearest

FOLDER = Path(__file__).with_name("published")

Use = Literal["data", "reference"]


@dataclass(frozen=True)
class SourceFile:
    """One published file.

    Attributes
    ----------
    path : str
        Its place within a data folder, with ``/``.
    url : str
        Where its publisher has it, at a fixed commit; empty where it can only be brought by hand.
    sha256, bytes : str, int
        What it must be.
    use : {"data", "reference"}
        Read by a measure, or only compared with.
    """

    path: str
    url: str
    sha256: str
    bytes: int
    use: Use


@dataclass(frozen=True)
class Source:
    """A published data set: its files, its terms, and what has been said against it."""

    name: str
    title: str
    citation: str
    publisher: str
    licence: str
    non_commercial: bool
    critique: tuple[str, ...]
    files: tuple[SourceFile, ...]


@cache
def sources() -> Mapping[str, Source]:
    """Every known data set by its name.

    Examples
    --------
    >>> sources()["crows-pairs"].licence
    'CC BY-SA 4.0'
    """
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _read(path: Path) -> Source:
    row = yaml.safe_load(path.read_text("utf-8"))
    return Source(
        name=path.stem,
        title=row["title"],
        citation=row["citation"],
        publisher=row["publisher"],
        licence=row["licence"],
        non_commercial=row["non_commercial"],
        critique=tuple(row["critique"]),
        files=tuple(SourceFile(**file) for file in row["files"]),
    )


def source(name: str) -> Source:
    """One data set; an :class:`InputError` names the nearest where there is none of that name."""
    if name not in sources():
        raise InputError(Fault(f"no data set {name!r} is known", "", nearest(name, sources())))
    return sources()[name]
