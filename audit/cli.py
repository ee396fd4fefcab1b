"""The command line: ``evenhand``.

Exit codes: 0 done, 1 a check failed, 2 bad input (one line a fault, no traceback), 3 stopped and
resumable. Heavy modules are imported by the commands that need them.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from audit.commands import calibrate as calibration_command
from audit.commands import checking, labelling, reading, redacting, reviewing
from audit.commands import compare as comparison_command
from audit.commands import dashboard as dashboard_command
from audit.commands import impact as impact_command
from audit.commands import report as report_command
from audit.commands.asking import asking, slug
from audit.commands.benchmarks import benchmarks_app
from audit.commands.catalogue import models_app, suites_app
from audit.commands.options import (
    AllowPickle,
    Alpha,
    Device,
    DtypeWish,
    RemoteCode,
    Seed,
    Threads,
    refuse_ignored,
)
from audit.commands.scorers import scorers_app
from audit.commands.terminal import Json, console, print_json
from audit.plan_checks import MOST_UNITS
from probes.errors import Fault, InputError, InterruptedAudit

if TYPE_CHECKING:
    from audit.measures import Noise
    from audit.models.options import Dtype
    from audit.spec import AuditSpec, UntilDecided

app = typer.Typer(
    name="evenhand",
    help="Audit language models for social bias and toxicity, with verdicts anyone can recompute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(suites_app, name="suites")
app.add_typer(models_app, name="models")
app.add_typer(benchmarks_app, name="benchmarks")
app.add_typer(scorers_app, name="scorers")

USAGE_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""The root of what typer raises for a wrong command line; newer versions carry their own copy of
click, and give the class no public name."""

HELP_WANTED: Any = getattr(importlib.import_module(USAGE_ERROR.__module__), "NoArgsIsHelpError", ())
"""What typer raises where it is to say what there is; nothing where it prints that by itself."""

UNREADABLE = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP)
"""What a path on the command line may be at fault for, wherever it is first touched."""
INTERRUPTED = 130
"""What typer exits with after Ctrl-C."""

AuditFile = Annotated[Path | None, typer.Argument(help="Audit description (YAML).", metavar="[AUDIT.yaml]")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", help="Catalog name, folder, .gguf file or hub id. May be repeated."),
]
Suites = Annotated[
    list[str] | None, typer.Option("--suite", "-s", help="Suite id or .yaml file. May be repeated.")
]
Templates = Annotated[
    int | None, typer.Option(min=3, help="Ask only this many templates of each suite, drawn evenly.")
]
Terms = Annotated[int | None, typer.Option(min=2, help="Ask only this many terms a group.")]
Samples = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10_000,
        help="Continuations sampled for each prompt. [default: 4, or 2 with --until-decided]",
    ),
]
NoiseWish = Annotated[
    Literal["shared", "own"],
    typer.Option(help="Whether prompts that differ in the group alone share their sampling noise."),
]
UntilDecidedFlag = Annotated[
    bool,
    typer.Option("--until-decided", help="Where text is generated: ask unit by unit until a rule stops it."),
]
MaxUnits = Annotated[
    int | None,
    typer.Option(
        min=2, max=MOST_UNITS, help="With --until-decided: the most units a family. [default: 2000]"
    ),
]
Scorers = Annotated[
    list[str] | None,
    typer.Option(
        "--scorer",
        metavar="CONSTRUCT=NAME[,NAME]",
        help="What scores text: names, or model:PATH#label, the first one decides. May be repeated.",
    ),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; bad input is one line a fault, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without these letters shows others
    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False)
    except InputError as error:
        for fault in error.faults:
            print(f"evenhand: {fault}", file=sys.stderr)  # noqa: T201
        code = 2
    except InterruptedAudit as error:
        print(f"evenhand: {error}", file=sys.stderr)  # noqa: T201
        code = 3
    except USAGE_ERROR as error:
        if isinstance(error, HELP_WANTED):  # a group without a command: what there is, as --help says it
            typer.echo(error.format_message(), err=True)
            sys.exit(2)
        text = " ".join(str(error.format_message()).split()).rstrip(".")
        print(f"evenhand: {text}. See evenhand --help.", file=sys.stderr)  # noqa: T201
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        print("evenhand: stopped", file=sys.stderr)  # noqa: T201
        code = 3
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: that is no fault
        code = 0
    except OSError as error:
        if error.errno in UNREADABLE and error.filename is not None:
            where = os.fsdecode(error.filename)
            fault = Fault(f"cannot be read: {error.strerror}", where, "Check the path and its permissions.")
            print(f"evenhand: {fault}", file=sys.stderr)  # noqa: T201
            sys.exit(2)
        if error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        print(f"evenhand: the output cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 2
    if code == INTERRUPTED:  # typer's own answer to Ctrl-C, before anything was asked
        print("evenhand: stopped", file=sys.stderr)  # noqa: T201
        code = 3
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Hold the options of the program itself."""
    if version:
        from audit.environment import version as version_of

        typer.echo(f"evenhand {version_of('evenhand')}")
        raise typer.Exit


@app.command()
def run(
    context: typer.Context,
    audit_file: AuditFile = None,
    model: Models = None,
    suite: Suites = None,
    out: Annotated[
        Path | None, typer.Option(help="The bundle's folder; an unfinished one is resumed.")
    ] = None,
    reuse: Annotated[
        list[Path] | None, typer.Option(help="Earlier bundle whose answers are taken over. May be repeated.")
    ] = None,
    templates: Templates = None,
    terms: Terms = None,
    samples: Samples = None,
    noise: NoiseWish = "shared",
    seed: Seed = 0,
    alpha: Alpha = 0.05,
    until_decided: UntilDecidedFlag = False,
    max_units: MaxUnits = None,
    scorer: Scorers = None,
    device: Device = "auto",
    dtype: DtypeWish = "float32",
    threads: Threads = None,
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    as_json: Json = False,
) -> None:
    """Plan, ask and analyze. With --out alone, resume the audit that lies there."""
    from audit import api

    if audit_file:
        refuse_ignored(context, DECISIONS, "an audit file")
    if out and not audit_file and not model and not suite:
        refuse_ignored(context, DECISIONS, "the plan that lies there")
        with asking(out) as progress:
            counts = api.resume(out, reuse=reuse or [], progress=progress)
        finish(out, counts, as_json)
        return
    spec = spec_of(
        audit_file, model, suite,
        Choices(
            templates, terms, samples, seed, alpha, device, allow_pickle, trust_remote_code, until_decided,
            max_units, tuple(scorer or ()), noise, dtype,
        ),
    )  # fmt: skip
    folder = out or Path("audits") / (slug(spec.title) or "audit")
    with asking(folder) as progress:
        counts = api.run(spec, folder, reuse=reuse or [], progress=progress)
    finish(folder, counts, as_json)


DECISIONS = (
    "templates", "terms", "samples", "seed", "alpha", "device", "allow_pickle", "trust_remote_code",
    "until_decided", "max_units", "scorer", "noise", "dtype",
)  # fmt: skip
"""Options that a plan or an audit file decides by itself."""


@dataclass(frozen=True)
class Choices:
    """The decisions that can be made on the command line."""

    templates: int | None
    terms: int | None
    samples: int | None
    seed: int
    alpha: float
    device: str
    allow_pickle: bool
    trust_remote_code: bool
    until_decided: bool = False
    max_units: int | None = None
    scorers: tuple[str, ...] = ()
    noise: Noise = "shared"
    dtype: Dtype = "float32"

    def horizon(self) -> UntilDecided | None:
        """How far to ask until decided, if at all."""
        from audit.spec import UntilDecided

        if self.max_units is not None and not self.until_decided:
            raise InputError(Fault("--max-units without --until-decided", "", "Give both, or neither."))
        if not self.until_decided:
            return None
        return UntilDecided() if self.max_units is None else UntilDecided(self.max_units)


def spec_of(
    audit_file: Path | None, models: list[str] | None, suites: list[str] | None, choices: Choices
) -> AuditSpec:
    """The audit that the command line describes: a file, or models and suites."""
    from audit.measures import Decoding
    from audit.models import LoadOptions
    from audit.scorers.wishes import wishes_said
    from audit.spec import AuditSpec, choose, read_audit, usual_samples
    from probes import Sampling

    if audit_file:
        if models or suites:
            raise InputError(Fault("an audit file and --model or --suite", "", "Give one or the other."))
        return read_audit(audit_file)
    if not models or not suites:
        missing = "--model" if not models else "--suite"
        raise InputError(
            Fault(f"{missing} is missing", "", "Give an audit file, or --model and --suite; see --help.")
        )
    sampling = Sampling(choices.templates, choices.terms, None, choices.seed)
    twice = sorted({name for name in suites if suites.count(name) > 1})
    faults = [Fault(f"suite {name!r} is named twice", "", "Name each suite once.") for name in twice]
    chosen = []
    for name in suites:
        try:
            chosen.append(choose(name, sampling=sampling))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return AuditSpec(
        models=tuple(models),
        suites=tuple(chosen),
        title=f"{', '.join(Path(name).name for name in models)}: {', '.join(c.suite.id for c in chosen)}",
        alpha=choices.alpha,
        seed=choices.seed,
        decoding=Decoding(
            samples=choices.samples or usual_samples(choices.until_decided),
            seed=choices.seed,
            noise=choices.noise,
        ),
        load=LoadOptions(
            device=choices.device,
            dtype=choices.dtype,
            allow_pickle=choices.allow_pickle,
            trust_remote_code=choices.trust_remote_code,
        ),
        until_decided=choices.horizon(),
        scorers=wishes_said(choices.scorers),
    )


@app.command()
def plan(
    context: typer.Context,
    audit_file: AuditFile = None,
    model: Models = None,
    suite: Suites = None,
    templates: Templates = None,
    terms: Terms = None,
    samples: Samples = None,
    noise: NoiseWish = "shared",
    seed: Seed = 0,
    alpha: Alpha = 0.05,
    until_decided: UntilDecidedFlag = False,
    max_units: MaxUnits = None,
    scorer: Scorers = None,
    device: Device = "auto",
    dtype: DtypeWish = "float32",
    threads: Threads = None,
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    solve: Annotated[
        float | None,
        typer.Option(help="Say how many templates and terms a disparity of this size needs.", metavar="SIZE"),
    ] = None,
    spreads: Annotated[
        Path | None, typer.Option(help="Reckon with the spreads that the audit in this folder found.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what would be asked, how long it takes and what it could detect. Asks nothing."""
    from audit.design.outlook import outlook
    from audit.design.solve import check_size
    from audit.design.solve import solve as needs
    from audit.design.spreads import AssumedSpreads, EarlierSpreads
    from audit.environment import matmul_rate
    from audit.plan import make_plan

    if solve is not None:
        check_size(solve)
    if audit_file:
        refuse_ignored(context, DECISIONS, "an audit file")
    choices = Choices(
        templates, terms, samples, seed, alpha, device, allow_pickle, trust_remote_code, until_decided,
        max_units, tuple(scorer or ()), noise, dtype,
    )  # fmt: skip
    planned = make_plan(spec_of(audit_file, model, suite, choices))
    source = EarlierSpreads(spreads) if spreads else AssumedSpreads()
    found = outlook(planned, matmul_rate, source)
    if solve is not None:
        found["solve"] = needs(planned, solve, source)
    if as_json:
        print_json(found)
        return
    from audit.commands.listings import show_outlook

    show_outlook(console(), found)


def finish(folder: Path, counts: Any, as_json: bool) -> None:
    """Print what a run found and where it lies."""
    from audit.bundle import Bundle, read_json
    from audit.commands.show import show_findings

    findings = read_json(folder / "findings.json")
    if as_json:
        print_json({"bundle": str(folder), "asked": counts.asked, "reused": counts.reused, **findings})
        return
    show_findings(console(), Bundle(folder).plan, findings, str(folder))
    typer.echo(f"\nThe bundle lies in {folder}")


for command in (
    reading.analyze, reading.show, checking.verify, checking.sign, reviewing.reviews, labelling.label,
    redacting.redact,
):  # fmt: skip
    app.command()(command)
app.command()(dashboard_command.dashboard)
app.command()(comparison_command.compare)
app.command()(calibration_command.calibrate)
app.command()(report_command.report)
app.command()(impact_command.impact)


if __name__ == "__main__":
    main()
