"""``evenhand benchmarks``: published measures, number for number, each beside an audited estimate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.commands.asking import asking, slug
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
from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

if TYPE_CHECKING:
    from audit.benchmarks.base import Benchmark, Setup
    from probes.benchmarks.folder import DataFolder

benchmarks_app = typer.Typer(
    help="Published measures: list, show, fetch their data, verify their numbers, score captured files, run "
    "them on a model, recompute.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="A name from evenhand benchmarks list.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of published data. [default: $EVENHAND_DATA, else the cache]"),
]
ChangedData = Annotated[
    bool, typer.Option("--changed-data", help="Read data files that are not the published ones, and say so.")
]
Margin = Annotated[
    float | None, typer.Option(help="Equivalence margin in the measure's unit. [default: the measure's own]")
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="What this measure lets one decide. May be repeated."
    ),
]
Whole = Annotated[
    bool, typer.Option("--all", help="Show every row of a large result, not the most severe ones only.")
]
Scorer = Annotated[
    str | None,
    typer.Option(help="What turns text into numbers: vader, textblob, or a classifier as model:NAME."),
]
ScorerLabel = Annotated[
    str | None, typer.Option(help="With a classifier: the label whose probability counts.")
]


@benchmarks_app.command("list")
def benchmarks_list(data: Data = None, as_json: Json = False) -> None:
    """List the published measures, what they can be asked of, and whether their data is here."""
    from audit.benchmarks import BENCHMARKS, benchmark
    from audit.commands.benchmark_tables import list_row, show_list

    rows = [list_row(benchmark(name), _root(data)) for name in BENCHMARKS]
    if as_json:
        print_json(rows)
    else:
        show_list(console(), rows)


@benchmarks_app.command("show")
def benchmarks_show(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show a measure: its card, its scorings, whose data it reads, and what has been said against it."""
    from audit.benchmarks import benchmark
    from audit.commands.benchmark_tables import card_data, show_card

    found = card_data(benchmark(name), _root(data))
    if as_json:
        print_json(found)
    else:
        show_card(console(), found)


@benchmarks_app.command("fetch")
def benchmarks_fetch(
    names: Annotated[list[str], typer.Argument(help="Measures or data sets.", metavar="NAME...")],
    data: Data = None,
    accept_licence: Annotated[
        bool,
        typer.Option("--accept-licence", help="Accept the licence of data that is for non-commercial use."),
    ] = False,
) -> None:
    """Fetch published data from its publisher, checked by its hash. Shows its licence and critique first."""
    from audit.benchmarks.fetch import fetch
    from audit.commands.benchmark_tables import terms_text
    from audit.wording import counted
    from probes.benchmarks.sources import source

    root = _root(data)
    for name in dict.fromkeys(dataset for one in names for dataset in _datasets(one)):
        known = source(name)
        typer.echo(terms_text(known), err=True)
        if known.non_commercial and not accept_licence:
            _ask_consent(known.title, known.licence)
        paths = fetch(name, root, lambda message: typer.echo(message, err=True))
        typer.echo(f"{known.title}: {counted(len(paths), 'file')} in {root}")


def _ask_consent(title: str, licence: str) -> None:
    import sys

    if not sys.stdin.isatty():
        what = f"{title} is for non-commercial use only ({licence})"
        raise InputError(Fault(what, "", "If your use is, accept it: --accept-licence."))
    if not typer.confirm(f"{title} is for non-commercial use only ({licence}). Is yours?"):
        raise InputError(Fault(f"{title} was not fetched: its licence was not accepted", "", ""))


@benchmarks_app.command("verify")
def benchmarks_verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Measures. [default: all]", metavar="[NAME]...")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Every published number that needs no weights, ours beside the source's. Exit code 1 if one differs."""
    from audit.benchmarks import BENCHMARKS, benchmark
    from audit.commands.benchmark_tables import show_goldens
    from probes.benchmarks.folder import DataFolder

    folder = DataFolder(_root(data))
    rows: list[dict[str, Any]] = []
    missing: list[Fault] = []
    for name in names or BENCHMARKS:
        try:
            rows += [golden_row(golden) for golden in benchmark(name).goldens(folder)]
        except InputError as error:
            if names:
                raise
            missing += error.faults[:1]
    if as_json:
        left_out = [{"what": f.what, "where": f.where, "remedy": f.remedy} for f in missing]
        print_json({"goldens": rows, "not_verified": left_out})
    else:
        show_goldens(console(), rows, missing)
    if not rows:
        raise InputError(Fault("there was nothing to verify", "", "Name the folder of the data: --data."))
    if not all(row["agrees"] for row in rows):
        raise typer.Exit(1)


def golden_row(golden: Any) -> dict[str, Any]:
    """A published number as plain data, with the difference."""
    from dataclasses import asdict

    difference = None if golden.ours is None else golden.ours - golden.theirs
    return {**asdict(golden), "difference": difference, "agrees": golden.agrees}


@benchmarks_app.command("score")
def benchmarks_score(
    name: Name,
    scores: Annotated[Path, typer.Option(help="Captured scores or outputs: CSV, TSV, JSON or JSON lines.")],
    scoring: Annotated[
        str | None, typer.Option(help="Which of the measure's scorings the numbers are of.")
    ] = None,
    data: Data = None,
    changed_data: ChangedData = False,
    margin: Margin = None,
    alpha: Alpha = 0.05,
    seed: Seed = 0,
    scorer: Scorer = None,
    option: Options = None,
    out: Annotated[Path | None, typer.Option(help="Write the result there, too (JSON).")] = None,
    whole: Whole = False,
    as_json: Json = False,
) -> None:
    """Score what somebody captured: the published number, and the audited estimate. Asks no model."""
    from audit.benchmarks import benchmark
    from audit.benchmarks.scoring import score_file
    from audit.bundle import write_json

    bench = benchmark(name)
    chosen = scoring or next(iter(bench.scorings))
    if chosen not in bench.scorings:
        known = ", ".join(bench.scorings)
        raise InputError(Fault(f"{name} has no scoring {chosen!r}", "", f"Known: {known}."))
    if scorer is not None and scorer.startswith("model:"):
        what = "a captured file is scored without a model"
        raise InputError(Fault(what, "--scorer", "Put the classifier's scores into the file."))
    setup = _setup(chosen, margin, alpha, seed, option, scorer=scorer or "")
    found = score_file(bench, scores, setup, _data(bench, data, changed_data))
    if out:
        write_json(out, found)
    _finish(found, as_json, "", whole)


DECISIONS = (
    "scoring", "data", "changed_data", "margin", "alpha", "seed", "samples", "max_new_tokens", "temperature",
    "top_p", "scorer", "scorer_label", "option", "device", "dtype", "allow_pickle", "trust_remote_code",
)  # fmt: skip
"""Options of a run that its plan decides."""


@benchmarks_app.command("run")
def benchmarks_run(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A name from evenhand benchmarks list.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Catalog name, folder, .gguf file or hub id.")
    ] = None,
    scoring: Annotated[
        list[str] | None, typer.Option(help="May be repeated. [default: all that the model can be asked]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder; an unfinished run there is resumed.")] = None,
    data: Data = None,
    changed_data: ChangedData = False,
    margin: Margin = None,
    alpha: Alpha = 0.05,
    seed: Seed = 0,
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Continuations of each prompt.")] = 25,
    max_new_tokens: Annotated[int, typer.Option(min=1, max=1000, help="Tokens of a continuation.")] = 20,
    temperature: Annotated[float, typer.Option(min=0.0, max=10.0, help="0 is greedy.")] = 1.0,
    top_p: Annotated[float, typer.Option(min=0.01, max=1.0, help="Nucleus that is sampled from.")] = 0.9,
    scorer: Scorer = None,
    scorer_label: ScorerLabel = None,
    option: Options = None,
    device: Device = "auto",
    dtype: DtypeWish = "float32",
    threads: Threads = None,
    allow_pickle: AllowPickle = False,
    trust_remote_code: RemoteCode = False,
    whole: Whole = False,
    as_json: Json = False,
) -> None:
    """Run a measure on a model: plan, ask, score. With --out alone, resume the run that lies there."""
    from audit.benchmarks import benchmark
    from audit.benchmarks.run import Chosen, resume_benchmark, run_benchmark
    from audit.models import LoadOptions

    if name is None and model is None:
        if out is None:
            raise InputError(Fault("no measure is named", "", "Give a name and --model, or --out alone."))
        refuse_ignored(context, DECISIONS, "the plan that lies there")
        with asking(out, "evenhand benchmarks run") as progress:
            found = resume_benchmark(out, progress=progress, say=progress.say)
        _finish(found, as_json, str(out), whole)
        return
    if name is None or model is None:
        missing = "--model" if model is None else "the name of a measure"
        raise InputError(Fault(f"{missing} is missing", "", "See evenhand benchmarks run --help."))
    bench = benchmark(name)
    judge = scorer.removeprefix("model:") if scorer and scorer.startswith("model:") else None
    setup = _setup("", margin, alpha, seed, option, scorer="model" if judge else scorer or "")
    setup = _generation(setup, samples, max_new_tokens, temperature, top_p, scorer_label or "")
    chosen = Chosen(
        bench,
        tuple(scoring or ()),
        setup,
        _data(bench, data, changed_data),
        LoadOptions(
            device=device,
            dtype=dtype,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
        ),
    )
    folder = out or Path("benchmarks") / slug(f"{name} {Path(model).name}")
    with asking(folder, "evenhand benchmarks run") as progress:
        found = run_benchmark(chosen, model, folder, scorer=judge, progress=progress, say=progress.say)
    _finish(found, as_json, str(folder), whole)


@benchmarks_app.command("recompute")
def benchmarks_recompute(
    folder: Annotated[Path, typer.Argument(help="The folder of a benchmark's run.", metavar="DIR")],
    whole: Whole = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show what the model wrote, of large runs with --all.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a run's records and compute its result from them again. Exit code 1 if it is another one."""
    from audit.benchmarks.differences import differences
    from audit.benchmarks.folder import KeptRun
    from audit.commands.benchmark_tables import show_result, show_texts

    run = KeptRun(folder)
    found = run.result()
    changed = differences(run.stated(), found)
    texts = run.texts(reveal)
    if as_json:
        print_json({"holds": not changed, "differs_in": changed, "result": found, "texts": texts})
    else:
        show_result(console(), found, str(folder), whole)
        show_texts(console(), texts, reveal, whole)
        said = f"differs in {', '.join(changed[:5])}" if changed else "is what the kept answers give"
        typer.echo(f"\n{'×' if changed else '○'} The result in {folder} {said}")
    if changed:
        raise typer.Exit(1)


def _root(data: Path | None) -> Path:
    from audit.benchmarks.fetch import data_folder

    return data_folder(data)


def _data(bench: Benchmark, data: Path | None, changed: bool) -> DataFolder | None:
    from probes.benchmarks.folder import DataFolder

    return DataFolder(_root(data), changed) if bench.datasets else None


def _datasets(name: str) -> tuple[str, ...]:
    """The data sets of a measure, or the one of that name."""
    from audit.benchmarks import BENCHMARKS, benchmark
    from probes.benchmarks import sources as published
    from probes.explain import nearest

    if name in BENCHMARKS:
        found = benchmark(name).datasets
        if not found:
            raise InputError(Fault(f"{name} reads no published data: its sentences come along", "", ""))
        return found
    known = published.sources()
    if name in known:
        return (name,)
    raise InputError(Fault(f"no data set {name!r} is known", "", nearest(name, [*BENCHMARKS, *known])))


def _setup(
    scoring: str, margin: float | None, alpha: float, seed: int, option: list[str] | None, *, scorer: str
) -> Setup:
    from audit.benchmarks.base import Setup

    if margin is not None and not 0.0 < margin < float("inf"):
        raise InputError(Fault(f"a margin of {margin:g}", "--margin", "Give a number above 0."))
    options: dict[str, str] = {}
    for text in option or ():
        key, sign, value = text.partition("=")
        if not sign or not key or key in options:
            raise InputError(
                Fault(f"{text!r} is no NAME=VALUE, or names it twice", "--option", "Correct it.")
            )
        options[key] = value
    return Setup(scoring, alpha=alpha, margin=margin, seed=seed, scorer=scorer, options=options)


def _generation(
    setup: Setup, samples: int, max_new_tokens: int, temperature: float, top_p: float, label: str
) -> Setup:
    from dataclasses import replace

    return replace(
        setup,
        samples=samples,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_p=top_p,
        scorer_label=label,
    )


def _finish(found: dict[str, Any], as_json: bool, folder: str, whole: bool) -> None:
    from audit.commands.benchmark_tables import show_result

    if as_json:
        print_json(found)
        return
    show_result(console(), found, folder, whole)
