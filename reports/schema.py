"""The JSON Schema of a report, whole: the parts that lie in the bundle as they are keep their own schema."""

from __future__ import annotations

import importlib.resources
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from probes.errors import BundleError, Fault

KEPT = ("findings", "benchmark")
"""Schemas of what a report holds as it lies in a bundle."""
SHOWN = 200
"""Characters of a message that are shown."""


def read(room: str, name: str) -> dict[str, Any]:
    """One schema file of a room."""
    text = importlib.resources.files(room).joinpath(f"schemas/{name}.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def report_schema() -> dict[str, Any]:
    """The report's schema with those of what lies in a bundle inside it, so that it stands alone.

    A schema with an ``$id`` of its own, embedded in another's ``$defs``, is found by that ``$id`` (JSON
    Schema 2020-12, core, section 9.3).
    """
    schema = read("reports", "report")
    parts = {name: read("audit", name) for name in KEPT}
    return {**schema, "$defs": {**schema["$defs"], **parts}}


@cache
def validator(part: str) -> Draft202012Validator:
    """A validator of the whole report, or of one of its definitions."""
    whole = report_schema()
    known = registry()
    if not part:
        return Draft202012Validator(whole, registry=known)
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": whole["$defs"]}, registry=known)


@cache
def registry() -> Registry[Any]:
    """The schemas of :data:`KEPT`, found at once: else all schemas are searched for them at every finding."""
    found: Registry[Any] = Registry()
    for name in KEPT:
        part = Resource.from_contents(read("audit", name))
        found = found.with_resource(str(part.id()), part)
    return found.crawl()


def checked(value: Any, part: str, where: Path) -> dict[str, Any]:
    """The value, if it is as the schema says.

    Parameters
    ----------
    value : Any
        Plain JSON data.
    part : str
        A definition of the schema, or empty for the whole report.
    where : Path
        For the message.

    Raises
    ------
    BundleError
        Naming the first departure.
    """
    error = next(iter(sorted(validator(part).iter_errors(value), key=lambda error: error.json_path)), None)
    if error is not None:
        what = f"not as this version writes it: {error.json_path}: {error.message[:SHOWN]}"
        raise BundleError(Fault(what, str(where), "Restore the file from a copy."))
    found: dict[str, Any] = value
    return found
