"""``evenhand redact``: a copy of an audit without the texts that a model wrote."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from audit.commands.reading import Folder
from audit.commands.terminal import Json, print_json


def redact(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="The folder of the copy: a new or an empty one.")],
    as_json: Json = False,
) -> None:
    """Copy an audit without the texts that a model wrote, so that it can be passed on. Needs no model.

    In the place of each text stand its length, its SHA-256 and what every scorer said of it: plan, chain and
    findings are those of the original, and evenhand verify, analyze, show, report, compare and dashboard take
    the copy as they take the original. Reports and other files are left out: they can be made again.

    This keeps people from reading what hurts. It keeps no secret: who can guess a short text can check the
    guess by its hash.
    """
    from audit.redaction.copying import redact as write
    from audit.wording import counted

    found = write(folder, out)
    if as_json:
        print_json({"written": str(out), **asdict(found)})
        return
    held = f"{counted(found.texts, 'text')} withheld in {counted(found.records, 'record')}"
    typer.echo(f"{out}: {held}; plan, chain and findings are those of {folder}")
    written = [name for name in ("reviews.jsonl", "engagement.yaml") if (out / name).exists()]
    if written:
        typer.echo(
            f"Read what people wrote before you pass it on, it is copied as it is: {', '.join(written)}"
        )
    if found.left_out:
        typer.echo(f"Left out, and not shown by the copy: {', '.join(sorted(found.left_out))}")
    typer.echo(f"Check it: evenhand verify {shlex.quote(str(out))} --original {shlex.quote(str(folder))}")
