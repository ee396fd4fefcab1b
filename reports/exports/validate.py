"""Exports are held to their published schemas before they are written, offline."""

from __future__ import annotations

import importlib.resources
import json
from functools import cache
from typing import Any, Literal

from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7

Kind = Literal["cyclonedx", "eval-ever", "eval-ever-sample"]

SCHEMAS: dict[Kind, str] = {
    "cyclonedx": "bom-1.7.SNAPSHOT.schema.json",
    "eval-ever": "every-eval-ever-0.3.0.schema.json",
    "eval-ever-sample": "every-eval-ever-instance-0.3.0.schema.json",
}
"""Kind of document to its schema in ``reports/schemas/vendor/``."""
REFERRED = (
    "spdx.SNAPSHOT.schema.json",
    "jsf-0.82.SNAPSHOT.schema.json",
    "cryptography-defs.SNAPSHOT.schema.json",
)
"""Schemas that CycloneDX's refers to, by their names beside it."""
BESIDE = "http://cyclonedx.org/schema/"
"""Where CycloneDX's schema says that it lies; nothing is fetched from there."""
SHOWN = 200
"""Characters of a message that are shown."""


class ExportError(RuntimeError):
    """A fault of this program: an export that is not as its format demands. Nothing was written."""


def vendored(name: str) -> dict[str, Any]:
    """A schema of others, by the name of its file."""
    text = importlib.resources.files("reports").joinpath(f"schemas/vendor/{name}").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def validator(kind: Kind) -> Draft7Validator:
    """The validator of one kind of document, all it refers to at hand."""
    resources = [(BESIDE + name, DRAFT7.create_resource(vendored(name))) for name in REFERRED]
    return Draft7Validator(vendored(SCHEMAS[kind]), registry=Registry().with_resources(resources))


@cache
def spdx_ids() -> dict[str, str]:
    """The licence identifiers that CycloneDX knows, by their small letters: hubs spell them small."""
    names: list[str] = vendored(REFERRED[0])["enum"]
    return {name.lower(): name for name in names}


def held_to(document: Any, kind: Kind, where: str) -> Any:
    """The document, if it is as its published schema says.

    Parameters
    ----------
    document : Any
        Plain JSON data.
    kind : str
        A key of ``SCHEMAS``.
    where : str
        The file that it is for.

    Raises
    ------
    ExportError
        Naming the file and the path of the first departure.
    """
    error = next(iter(sorted(validator(kind).iter_errors(document), key=lambda error: error.json_path)), None)
    if error is not None:
        raise ExportError(f"{where} is no {kind} document: {error.json_path}: {error.message[:SHOWN]}")
    return document
