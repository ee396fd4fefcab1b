"""``evenhand dashboard``: the pages in a browser, on this machine."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

LAUNCHER = "dashboards.launch"
"""The room to the right is named here and imported late."""


def dashboard(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Audits, runs of published measures, or folders that hold them. [default: audits]",
            metavar="[DIR]...",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="[default: the first free one from 8501 on]")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Where to listen. There is no login: leave it at this machine.")
    ] = "localhost",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no browser; print the address.")
    ] = False,
) -> None:
    """Open the review dashboard on audits and runs of published measures. Reads folders; asks no model."""
    code = importlib.import_module(LAUNCHER).launch(folders or [], address, port, not no_browser)
    if code:
        raise typer.Exit(code)
