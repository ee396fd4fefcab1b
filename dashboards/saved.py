"""Slices that a reader saved by name: kept in the program's cache, so that reading changes no bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from audit.bundle import file_bytes, read_json, this_writer, write_whole
from audit.models.cache import cache_folder
from probes.errors import InputError

Slice = Mapping[str, str]
"""Parameters of an address."""

MOST = 200


def place() -> Path:
    """The file of the saved slices."""
    return cache_folder() / "dashboard" / "slices.json"


def saved() -> dict[str, dict[str, str]]:
    """The saved slices by name; none where the file is missing or cannot be read as such."""
    try:
        kept = read_json(place()) if place().is_file() else {}
    except (InputError, OSError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        str(name): {str(key): str(value) for key, value in slice_.items()}
        for name, slice_ in kept.items()
        if isinstance(slice_, dict)
    }


def save(name: str, slice_: Slice) -> str:
    """Keep a slice; why it could not be kept, or nothing."""
    try:
        kept = {**saved(), name: dict(slice_)}
        if len(kept) > MOST:
            return f"{MOST} slices are saved already; forget one first"
        place().parent.mkdir(parents=True, exist_ok=True)
        write(kept)
    except InputError as error:
        return "; ".join(str(fault) for fault in error.faults)
    except OSError as error:
        return f"{place()}: {error.strerror}"
    return ""


def forget(name: str) -> str:
    """Drop a slice; why it could not be dropped, or nothing."""
    try:
        write({key: value for key, value in saved().items() if key != name})
    except InputError as error:
        return "; ".join(str(fault) for fault in error.faults)
    return ""


def write(kept: Mapping[str, Slice]) -> None:
    """Put all slices into the file, whole, whoever else is writing."""
    write_whole(place(), file_bytes(kept), this_writer())


def packed(values: Mapping[str, list[str]]) -> str:
    """Filters in one parameter of an address; empty without any.

    Examples
    --------
    >>> packed({"arm": ["probe"], "term": []})
    '{"arm": ["probe"]}'
    """
    kept = {key: chosen for key, chosen in values.items() if chosen}
    return json.dumps(kept) if kept else ""


def unpacked(text: str) -> dict[str, list[str]]:
    """The filters of an address; none where it holds no such thing.

    Examples
    --------
    >>> unpacked('{"arm": ["probe"]}'), unpacked("nonsense"), unpacked("[1]")
    ({'arm': ['probe']}, {}, {})
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(key): [str(each) for each in chosen] for key, chosen in found.items() if isinstance(chosen, list)
    }
