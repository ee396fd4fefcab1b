"""``evenhand report``: the documents of a finished audit."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.commands.reading import Folder
from audit.commands.terminal import Json, print_json
from probes.errors import Fault, InputError

WRITER, ASKED = "reports.audit_report:write", "reports.asked:Asked"
NEW_ENGAGEMENT = "reports.new_engagement:write_new_engagement"
"""What writes the documents, and what is asked of them; the rooms to the right are named here, and imported
late."""

FORMATS = "html, pdf, md, json, csv, cyclonedx, eval-ever, croissant, hub, bundle"


def report(
    folder: Folder,
    formats: Annotated[
        str, typer.Option("--format", help=f"One or more of {FORMATS}, with commas between.")
    ] = "html",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to.", show_default="the bundle's own")
    ] = None,
    engagement: Annotated[
        Path | None,
        typer.Option(
            help="Who commissioned, ran and answers the audit, and for which use (YAML).",
            show_default="engagement.yaml in the bundle's folder, if there is one",
        ),
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(help="The bundle of an earlier audit, for the change log.")
    ] = None,
    selection: Annotated[
        Path | None,
        typer.Option(help="A CSV table of people selected and not, for selection rates and impact ratios."),
    ] = None,
    benchmark: Annotated[
        list[Path] | None,
        typer.Option(help="The folder of a published measure's run, to stand beside. May be repeated."),
    ] = None,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="Show what the models wrote: it may hurt. Else length and hash."),
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            help="The day that the report speaks of; the age of the legal map counts to it.",
            show_default="today",
        ),
    ] = None,
    new_engagement: Annotated[
        Path | None,
        typer.Option(help="Write a commented engagement file for this bundle to fill in, and no report."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of an audit in one or more formats. Needs no model."""
    if new_engagement is not None:
        written_to = str(late(NEW_ENGAGEMENT)(folder, new_engagement))
        if as_json:
            return print_json({"written": [written_to]})
        own = folder / "engagement.yaml"
        naming = "" if Path(written_to) == own else f" --engagement {shlex.quote(written_to)}"
        typer.echo(f"{written_to}\nFill it in, then: evenhand report {shlex.quote(str(folder))}{naming}")
        return None
    names = [name.strip() for name in formats.split(",") if name.strip()]
    if not names:
        raise InputError(Fault("--format names nothing", "", f"Give one or more of {FORMATS}."))
    given: dict[str, Any] = {"engagement": engagement, "earlier": earlier, "selection": selection}
    given |= {"benchmarks": tuple(benchmark or ()), "reveal": reveal}
    if as_of is not None:
        given["as_of"] = as_of.date()
    asked = late(ASKED)(**given)
    if reveal:
        say_if_redacted(folder)
    written: list[Any] = [str(path) for path in late(WRITER)(folder, names, out, asked)]
    if as_json:
        print_json({"written": written})
        return
    for path in written:
        typer.echo(path)


def say_if_redacted(folder: Path) -> None:
    """Say on the error output that there are no texts to reveal, where the bundle is a redacted copy."""
    from audit.bundle import Bundle
    from audit.redaction.withheld import NOT_HERE

    if Bundle(folder).is_redacted:
        typer.echo(f"evenhand: {folder}: --reveal shows nothing. {NOT_HERE}", err=True)


def late(name: str) -> Callable[..., Any]:
    """What a room to the right offers, by ``module:name``."""
    module, _, within = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), within)
    return found
