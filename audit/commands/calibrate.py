"""``evenhand calibrate``: the instrument's own proof, with its report."""

from __future__ import annotations

import importlib
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError, InterruptedAudit

WRITERS = {"calibration": "reports.calibration:write"}
"""Documents that the command line has written; the rooms to the right are named here and imported late."""


def calibrate(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer simulations, at most a minute: proves less.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder of record and report.")] = Path("calibration"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 0,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STUDY", help="Only this study. May be repeated.")
    ] = None,
    estimator: Annotated[
        str, typer.Option(help="'naive' plugs in rows taken as independent: the calibration must fail.")
    ] = "shipped",
    workers: Annotated[int, typer.Option(min=1, max=2, help="Processes; the numbers stay the same.")] = 2,
    as_json: Json = False,
) -> None:
    """Put the shipped code to the test in known worlds and write the report. Exit code 1 if a study fails."""
    from audit.calibration.run import calibrate as run
    from audit.calibration.run import chosen_studies
    from audit.calibration.study import Settings
    from audit.commands.progress import Share

    chosen_studies(only or (), estimator)  # a wrong name is said before anything is written
    prepare(out)
    try:
        with stoppable(), Share("studies") as bar:
            record = run(
                Settings(quick, seed, estimator), only=only or (), workers=workers, advance=bar.advance
            )
    except KeyboardInterrupt:
        raise InterruptedAudit("stopped; a calibration is not resumed, nothing was written") from None
    pages = save(record, out)
    if as_json:
        print_json(record)
    else:
        show_calibration(record)
        typer.echo(f"\nThe report lies in {', '.join(str(page) for page in pages)}")
    if not record["holds"]:
        raise typer.Exit(1)


@contextmanager
def stoppable() -> Iterator[None]:
    """Being told to end by the system is as good as Ctrl-C: the processes at work end, too."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def prepare(out: Path) -> None:
    """Make the folder, or say why it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"not a folder that can be written: {error.strerror}"
        raise InputError(Fault(what, str(out), "Give another --out.")) from error


def save(record: Mapping[str, Any], out: Path) -> list[Path]:
    """Write the record and its reports."""
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (out / "calibration.json").write_text(text, "utf-8")
    return writer("calibration")(record, out)


def writer(name: str) -> Callable[[Mapping[str, Any], Path], list[Path]]:
    """The function that writes a document."""
    module, _, function = WRITERS[name].partition(":")
    found: Callable[[Mapping[str, Any], Path], list[Path]] = getattr(
        importlib.import_module(module), function
    )
    return found


def show_calibration(record: Mapping[str, Any]) -> None:
    """The studies in the terminal, and under each that fails the checks that do."""
    from rich.table import Table
    from rich.text import Text

    from audit.wording import counted

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("study", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    table.add_column("checks", justify="right")
    table.add_column("what it shows")
    for study in record["studies"]:
        failing = [check for check in study["checks"] if not check["holds"]]
        passed = f"{len(study['checks']) - len(failing)}/{len(study['checks'])}"
        state = Text("✓ holds", "green") if study["holds"] else Text("✗ FAILS", "bold red")
        table.add_row(study["id"], state, passed, Text(study["shows"]))
        for check in failing:
            low, high = check["tolerance"]
            seen = "undefined" if check["observed"] is None else f"{check['observed']:.4g}"
            line = f"{check['label']}: {seen}, must lie in [{low:.4g}, {high:.4g}]"
            table.add_row("", "", "", Text(line, "red"))
    screen = console()
    screen.print(table)
    kind = "quick, " if record["quick"] else ""
    screen.print(
        f"\n{record['studies_holding']} of {len(record['studies'])} studies hold "
        f"({kind}{counted(record['checks'], 'check')}, "
        f"estimator {record['estimator']}, {record['seconds']:.0f} s)"
    )
