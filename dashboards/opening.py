"""Which bundles the dashboard shows, and under what names."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "EVENHAND_DASHBOARD"
"""Environment variable that hands the folders from the command line to the pages, as a JSON list."""
DEFAULT = "audits"
"""Where audits lie unless the command line says otherwise."""


def chosen(folders: Sequence[Path]) -> list[Path]:
    """The bundles among some folders: each that holds a plan, else those directly within it.

    A folder that is no bundle and holds none is kept: its page says what is wrong with it.
    """
    found: list[Path] = []
    for folder in folders or [Path(DEFAULT)]:
        # os.path.exists, since a folder that may not be looked into is no error here.
        own = os.path.exists(folder / "plan.json")
        within = [] if own else bundles_within(folder)
        if own or within or folders:
            found += within or [folder]
    return list(dict.fromkeys(path.absolute() for path in found))


def bundles_within(folder: Path) -> list[Path]:
    """The folders directly within a folder that hold a plan, the last changed first."""
    try:
        plans = [path for path in folder.glob("*/plan.json") if path.is_file()]
        return [path.parent for path in sorted(plans, key=lambda path: -path.stat().st_mtime)]
    except OSError:
        return []  # cannot be looked into: its own page says why


def handed(folders: Sequence[Path]) -> str:
    """The folders as the environment variable carries them."""
    return json.dumps([str(folder) for folder in folders])


def given() -> list[Path]:
    """The folders that the command line handed over; those in the default place without it.

    A variable that holds no list of folders is taken for one folder, whose page says what is wrong with it.
    """
    kept = os.environ.get(VARIABLE)
    if not kept:
        return chosen([])
    try:
        names = json.loads(kept)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        names = [kept]
    return [Path(name) for name in names]


def named(folders: Sequence[Path]) -> dict[str, Path]:
    """Bundles by a short name that is unique: the last part of the path, with a number where two share it.

    Examples
    --------
    >>> list(named([Path("/a/first"), Path("/b/first"), Path("/b/second")]))
    ['first', 'first (2)', 'second']
    """
    names: dict[str, Path] = {}
    for folder in folders:
        name, count = folder.name or str(folder), 1
        while name in names:
            count += 1
            name = f"{folder.name} ({count})"
        names[name] = folder
    return names
