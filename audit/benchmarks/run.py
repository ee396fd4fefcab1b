"""Asks a model what a published measure asks, keeps every answer, and computes its numbers from them.

The folder of a benchmark is laid out as that of an audit: a plan that is hashed before the first question,
the items, the records with their chain, the result, the environment, a manifest. ``result.json`` can be made
again from the others, without the model and without the publisher's data.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from audit.benchmarks import benchmark as named
from audit.benchmarks.base import Benchmark, Items, Setup
from audit.benchmarks.fetch import Say
from audit.benchmarks.folder import ITEMS, KIND, RESULT, BenchmarkBundle, lookup, result_of
from audit.benchmarks.outlook import beyond_reach, outlook
from audit.benchmarks.result import data_facts, item_facts, setup_from_json, setup_to_json
from audit.bundle import PassingFile, RecordWriter, sha256, write_json, write_whole
from audit.environment import matmul_rate
from audit.models import LoadOptions, resolve
from audit.models.base import Model
from audit.models.options import CAPABILITIES
from audit.models.threads import use_threads
from audit.requests import Request, canonical, digest
from audit.runner import ModelRun, Progress, RunCounts, Silent
from audit.wording import counted, duration
from audit.work import seconds
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import item_to_json
from probes.errors import Fault, InputError

TRIES = 3
"""Measurements of the processor's speed, of which the best counts: other programs only ever slow it."""


def quietly(message: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Chosen:
    """What a user decided.

    ``scorings`` empty takes every scoring that the model can be asked.
    """

    benchmark: Benchmark
    scorings: tuple[str, ...]
    setup: Setup
    data: DataFolder | None = None
    load: LoadOptions = field(default_factory=LoadOptions)


def run_benchmark(
    chosen: Chosen,
    model: Model | str,
    out: Path,
    *,
    scorer: Model | str | None = None,
    progress: Progress | None = None,
    say: Say = quietly,
) -> dict[str, Any]:
    """Plan, ask, score: the result, which also lies in ``out``; an unfinished run there is resumed.

    Parameters
    ----------
    model, scorer : Model or str
        Objects, or names as ``audit.models.resolve`` takes them. The scorer turns text into numbers, where
        the setup says that a model does.
    say : callable
        Told, in words, what the run will cost and what it cannot show, before the first question.

    Raises
    ------
    InputError
        If no scoring can be asked of the model (by name, with what it lacks), the data is not there, or the
        folder holds another plan. What was answered stays.
    """
    from audit.plan import planned_model

    bench, options = chosen.benchmark, chosen.load
    use_threads(options.threads)
    entry = asdict(planned_model(model, options))
    scorings = applicable(bench, chosen.scorings, frozenset(entry["capabilities"]), entry)
    check_margin(bench, scorings, chosen.setup)
    judge = None if scorer is None else asdict(planned_model(scorer, replace(options, dtype="float32")))
    bundle = _planned(chosen, scorings, _plain(entry), None if judge is None else _plain(judge), out)
    given = {one.id: one for one in (model, scorer) if one is not None and not isinstance(one, str)}
    return _complete(bundle, given, progress or Silent(), say)


def _planned(
    chosen: Chosen,
    scorings: Sequence[str],
    model: Mapping[str, Any],
    scorer: Mapping[str, Any] | None,
    out: Path,
) -> BenchmarkBundle:
    """The folder of a run, with its plan and its items; they are read from there, and not held twice."""
    bench = chosen.benchmark
    items = list(bench.items(chosen.data, chosen.setup))
    if not items:
        raise InputError(Fault(f"{bench.name} has no item to ask", "", "Choose other options."))
    plan = {
        "format": 1,
        "kind": KIND,
        "benchmark": bench.name,
        "card_sha256": sha256(canonical(asdict(bench.card))),
        "data": data_facts(bench, chosen.data),
        "items": item_facts(items),
        "outlook": outlook(bench, items, chosen.setup),
        "scorings": list(scorings),
        "setup": setup_to_json(chosen.setup, bench),
        "model": model,
        "scorer": scorer,
        "seed": chosen.setup.seed,
        "load": chosen.load.to_json(),
    }
    bundle = BenchmarkBundle.create(out, plan)
    if not (out / ITEMS).exists():
        lines = PassingFile()
        for item in items:
            lines.write(canonical(item_to_json(item)) + b"\n")
        write_whole(out / ITEMS, lines)
    return bundle


def resume_benchmark(
    out: Path, models: Sequence[Model] = (), *, progress: Progress | None = None, say: Say = quietly
) -> dict[str, Any]:
    """Take up the run in a folder by the plan that lies there."""
    return _complete(BenchmarkBundle(out), {model.id: model for model in models}, progress or Silent(), say)


def applicable(
    bench: Benchmark, wanted: Sequence[str], can: frozenset[str], entry: Mapping[str, Any]
) -> tuple[str, ...]:
    """The scorings that a model can be asked, of those wanted or of all.

    Raises
    ------
    InputError
        If one that is wanted, or every one, needs a form that the model does not answer.
    """
    if unknown := [name for name in wanted if name not in bench.scorings]:
        raise InputError(
            Fault(f"{bench.name} has no scoring {unknown[0]!r}", "", f"Known: {', '.join(bench.scorings)}.")
        )
    asked = {name: row.forms for name, row in bench.scorings.items() if row.forms}
    wanted = list(dict.fromkeys(wanted))
    chosen = [name for name in (wanted or asked) if name in asked and asked[name] <= can]
    refused = [name for name in wanted if name not in chosen]
    if chosen and not refused:
        return tuple(chosen)
    model = f"{entry['id']} ({entry['kind']})"
    what = f"{bench.name} cannot be measured on {model}"
    if refused or entry["kind"] not in CAPABILITIES:
        needs = "; ".join(
            f"{name} needs {' and '.join(sorted(asked[name])) if name in asked else 'a captured file'}"
            for name in refused or asked
        )
        what += f", which answers {', '.join(sorted(can))}: {needs}"
    others = [name for name in asked if asked[name] <= can]
    if others:
        raise InputError(Fault(what, "", f"Choose --scoring {' or '.join(others)}."))
    kinds = " or ".join(kinds_of(bench))
    remedy = (
        f"Choose a {kinds} model." if kinds else f"It scores files: evenhand benchmarks score {bench.name}."
    )
    raise InputError(Fault(what, "", remedy))


def check_margin(bench: Benchmark, scorings: Sequence[str], setup: Setup) -> None:
    """Raise an :class:`InputError` where one margin would be read in several units."""
    units = dict.fromkeys(bench.unit_of(name) for name in scorings)
    if setup.margin is not None and len(units) > 1:
        what = f"a margin of {setup.margin:g} for scorings in {' and '.join(units)}"
        raise InputError(Fault(what, "--margin", "Choose scorings of one unit with --scoring."))


def kinds_of(bench: Benchmark) -> list[str]:
    """The kinds of model that at least one scoring can be asked of."""
    return [
        kind
        for kind, forms in CAPABILITIES.items()
        if any(row.forms and row.forms <= forms for row in bench.scorings.values())
    ]


def _complete(
    bundle: BenchmarkBundle, given: Mapping[str, Model], progress: Progress, say: Say
) -> dict[str, Any]:
    from audit.api import write_environment

    plan = bundle.plan
    bench = named(plan["benchmark"])
    items = bundle.items()
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    described: dict[str, Any] = {}
    options = LoadOptions(**plan["load"])

    def loaded(name: str, options: LoadOptions = options) -> Model:
        model = given.get(name) or resolve(name, options)
        described[name] = dict(model.describe())
        return model

    def scorer(name: str) -> Model:
        return loaded(name, replace(options, dtype="float32"))  # the instrument stays as it is

    if text := beyond_reach(plan["outlook"]):
        say(text)
    with bundle.writer() as writer:
        requests = _requests(bench, items, plan)
        ask = _Ask(writer, loaded, progress, say)
        counts = [ask(plan["model"], requests)]
        if plan["scorer"]:
            answered = lookup(plan, writer.answered)
            further = [
                question.request
                for scoring in plan["scorings"]
                for question in bench.follow_up(items, setup_from_json(plan["setup"], scoring), answered)
            ]
            counts.append(replace(ask, load=scorer)(plan["scorer"], further))
        say("Every answer is kept. Computing the numbers.")
        found = result_of(bundle, items, writer.answered)
    total = RunCounts(
        sum(one.kept for one in counts),
        sum(one.asked for one in counts),
        0,
        {name: seconds for one in counts for name, seconds in one.seconds.items()},
        {name: tokens for one in counts for name, tokens in one.pass_tokens.items()},
    )
    if total.asked or not (bundle.root / "environment.json").exists():
        write_environment(bundle, started, total, time.monotonic() - clock)
        write_json(bundle.root / "provenance.json", {"models": described, "data": plan["data"]})
    write_json(bundle.root / RESULT, found)
    bundle.write_manifest()
    return found


@dataclass(frozen=True)
class _Ask:
    """Asks one model what has no answer yet."""

    writer: RecordWriter
    load: Callable[[str], Model]
    progress: Progress
    say: Say

    def __call__(self, entry: Mapping[str, Any], requests: Sequence[Request]) -> RunCounts:
        unique = list({digest(request): request for request in requests}.values())
        runner = ModelRun(entry, self.writer, {}, self.load, self.progress)
        missing = [request for request in unique if not runner.has(request)]
        self.say(cost_text(entry, len(unique), missing))
        runner.begin(unique, len(unique))
        clock = time.monotonic()
        runner.blocks(unique)
        took = {entry["id"]: time.monotonic() - clock} if runner.asked else {}
        held = {entry["id"]: runner.pass_tokens} if runner.pass_tokens else {}
        return RunCounts(runner.kept, runner.asked, 0, took, held)


def cost_text(entry: Mapping[str, Any], total: int, missing: Sequence[Request]) -> str:
    """How much is asked of a model, and about how long that takes."""
    text = f"{entry['id']}: {counted(total, 'request')}"
    if len(missing) < total:
        text += f", of which {total - len(missing):,} are answered"
    if not missing:
        return text
    about = seconds(missing, entry["parameters"], max(matmul_rate() for _ in range(TRIES)))
    if about is None:
        return text
    return f"{text}; about {duration(max(1.0, about))} at this processor's present speed"


def _requests(bench: Benchmark, items: Items, plan: Mapping[str, Any]) -> list[Request]:
    """What all scorings ask, item by item: those that read the same rows of a text then share them."""
    place = {item.id: number for number, item in enumerate(items)}
    asked = [
        (place[question.item], question.request)
        for scoring in plan["scorings"]
        for question in bench.ask(items, setup_from_json(plan["setup"], scoring))
    ]
    return [request for _, request in sorted(asked, key=lambda pair: pair[0])]


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "capabilities": sorted(entry["capabilities"])}
