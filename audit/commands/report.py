"""``evenhand report``: the documents of a finished audit."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.commands.reading import Folder
from audit.commands.terminal import Json, print_json
from probes.errors import Fault, InputError

WRITER = "reports.audit_report:write"
"""What writes the documents; the rooms to the right are named here and imported late."""


def report(
    folder: Folder,
    formats: Annotated[
        str, typer.Option("--format", help="One or more of html, md, json, csv, with commas between.")
    ] = "html",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to.", show_default="the bundle's own")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of an audit: HTML, Markdown, JSON, CSV. Needs no model."""
    names = [name.strip() for name in formats.split(",") if name.strip()]
    if not names:
        raise InputError(Fault("--format names nothing", "", "Give one or more of html, md, json, csv."))
    module, _, function = WRITER.partition(":")
    write: Callable[..., list[Path]] = getattr(importlib.import_module(module), function)
    written: list[Any] = [str(path) for path in write(folder, names, out)]
    if as_json:
        print_json({"written": written})
        return
    for path in written:
        typer.echo(path)
