"""The legal map: instruments, their clauses, and what of an audit speaks to each. Dated data, no code.

::

    frameworks/*.yaml                one instrument a file, as ``schemas/framework.schema.json`` describes
    frameworks/vocabularies/*.yaml   names of risks, as ``schemas/risks.schema.json`` describes
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

Instrument = dict[str, Any]


def folder() -> Traversable:
    """Where the map lies."""
    return files("reports").joinpath("frameworks")


def parsed(path: Traversable) -> dict[str, Any]:
    """One file of the map."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=loader)
    return found


@cache
def legal_map() -> tuple[Instrument, ...]:
    """Every instrument, by id."""
    paths = [path for path in folder().iterdir() if path.name.endswith(".yaml")]
    return tuple(sorted((parsed(path) for path in paths), key=lambda found: str(found["id"])))


@cache
def risk_vocabularies() -> tuple[dict[str, Any], ...]:
    """The vocabularies of risks, in their order."""
    return tuple(parsed(folder().joinpath("vocabularies", "risks.yaml"))["vocabularies"])
