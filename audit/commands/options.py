"""Options that several commands offer: of draws and tests, and of how a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from audit.models.threads import MOST_THREADS, use_threads
from audit.plan_checks import LARGEST_ALPHA
from probes.errors import Fault, InputError

Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of every draw.")]
Alpha = Annotated[
    float, typer.Option(min=0.0001, max=LARGEST_ALPHA, help="Error rate of tests and intervals.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, mps, cuda, cuda:1 ...")]
DtypeWish = Annotated[
    Literal["float32", "bfloat16", "float16"],
    typer.Option(help="Half precision is for a GPU that has it, and makes another model."),
]


def _computed_on(threads: int | None) -> int | None:
    """Heed the option before a command imports what reads the number of threads once and for all."""
    use_threads(threads)
    return threads


Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_THREADS,
        callback=_computed_on,
        help="Threads to compute on. [default: as torch decides]",
    ),
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Load .bin weights, which can run code when opened.")
]
RemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run code that comes with a model.")]


def refuse_ignored(context: typer.Context, names: Sequence[str], beside: str) -> None:
    """Refuse options that were given on the command line and would not be heeded."""
    given = []
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            given.append(f"--{name.replace('_', '-')}")
    if given:
        raise InputError(Fault(f"{', '.join(given)} beside {beside}", "", "Decide it in one place."))
