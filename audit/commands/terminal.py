"""Standard output, for people and for machines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]


def console() -> Console:
    """Standard output for people."""
    from audit.commands.show import Terminal

    return Terminal(highlight=False, width=None if sys.stdout.isatty() else 110)


def print_json(value: Any) -> None:
    """Standard output for machines."""
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
