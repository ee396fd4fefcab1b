"""``python -m tests.bench``: Evenhand beside what users would otherwise run, in turns, on the same work.

Numbers go to a file, a table to the screen. Exit status 1: a result differs, so that its ratio means nothing.
A target that is missed is shown as missed and changes no exit status.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit.environment import environment
from audit.models.cache import cache_folder
from audit.models.devices import DTYPES, check_device
from probes.errors import InputError
from tests.bench import peers, show
from tests.bench.figures import FIGURES, OTHERS, Run, left_out
from tests.bench.harness import INVALID, Side, Task, is_sound, last_line, measure
from tests.bench.measured import CLOCKS
from tests.bench.random_models import NAMES
from tests.bench.rpc import ROOT, Process, Remote, SideError
from tests.bench.tasks import SLOW, TASKS, Scale

RESULTS = Path(__file__).with_name("results")
README = ROOT / "README.md"
TABLE = "table.json"
ROUNDS, QUICK_ROUNDS = 5, 3


def main(words: Sequence[str] | None = None) -> int:
    chosen = _chosen(words)
    if chosen.readme:
        return into_readme(chosen.readme)
    cache = chosen.cache or cache_folder() / "bench"
    scale = Scale(chosen.rounds or (QUICK_ROUNDS if chosen.quick else ROUNDS), chosen.quick, chosen.device)
    found: dict[str, Any] = {
        "quick": chosen.quick,
        "rounds": scale.rounds,
        "clock": chosen.clock,
        "dtype": chosen.dtype,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {**environment(), "threads": chosen.threads, "load": os.getloadavg()[0]},
        "peers": {},
        "tasks": [],
        "figures": [],
    }
    hosts = Hosts(_peers(chosen.peers or cache / "peers"), chosen.threads, chosen.clock)
    try:
        for name in [name for name in TASKS if _is_wanted(name, chosen)]:
            task = TASKS[name](scale)
            print(f"{task.id}: {task.work}", file=sys.stderr, flush=True)
            start = time.monotonic()
            how = {"model": folder_of(task.model, cache), "device": chosen.device}
            record = side_by_side(task, hosts, {**how, "dtype": "float32"}, scale.rounds, found)
            found["tasks"].append(record)
            if chosen.dtype and task.model:
                record["reduced"] = side_by_side(
                    _in_dtype(task, chosen.dtype), hosts, {**how, "dtype": chosen.dtype}, scale.rounds, found
                )
            record["took"] = round(time.monotonic() - start, 1)
            _write(_path(chosen, found), found)
    except SideError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    finally:
        hosts.close()
    path = _path(chosen, found)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) if chosen.json or path is None else path.parent
        run = Run(folder, cache, chosen.threads, chosen.device)
        for name in [name for name in FIGURES if name in (chosen.only or FIGURES)]:
            print(f"{name}: {FIGURES[name].title}", file=sys.stderr, flush=True)
            is_left_out = chosen.quick and not chosen.only
            found["figures"].append(left_out(name) if is_left_out else run.measured(name, chosen.quick))
            _write(path, found)
        print(show.table(found), flush=True)
        failed = _others(run, [name for name in OTHERS if chosen.all or name in (chosen.only or ())])
    records = found["tasks"] + [one["reduced"] for one in found["tasks"] if "reduced" in one]
    sound = is_sound(records) and all(one["verdict"] != INVALID for one in found["figures"])
    return 0 if sound and not failed else 1


def _chosen(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    known = [*TASKS, *FIGURES, *OTHERS]
    parser.add_argument("--only", action="append", choices=known, help="measure this alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="little work and few rounds: about 3 minutes")
    parser.add_argument(
        "--all", action="store_true", help=f"after the table, run {', '.join(OTHERS)} as well"
    )
    parser.add_argument("--rounds", type=int, help=f"at least {ROUNDS} for figures that are kept")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps: for all sides")
    parser.add_argument(
        "--dtype",
        choices=DTYPES[1:],
        help="on a GPU: measure with these numbers, too, in columns of their own",
    )
    parser.add_argument("--threads", type=int, default=_cores(), help="of all sides; all cores if not given")
    parser.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="cpu: seconds of the processor, steadier on a busy machine; with --threads 1",
    )
    parser.add_argument("--peers", type=Path, help="environment of the peers; built where it is not there")
    parser.add_argument("--cache", type=Path, help="folder for models with random weights and the peers")
    parser.add_argument("--json", type=Path, help=f"write here, and not to {RESULTS.name}/ beside this file")
    parser.add_argument("--readme", type=Path, metavar="JSON", help="only put these numbers into README.md")
    chosen = parser.parse_args(words)
    for name in ("rounds", "threads"):
        if getattr(chosen, name) is not None and getattr(chosen, name) < 1:
            parser.error(f"--{name}: give 1 or more")
    if chosen.device != "cpu" or chosen.dtype:
        try:
            check_device(chosen.device, chosen.dtype or "float32")
        except InputError as error:
            parser.error(str(error))
    return chosen


def _peers(folder: Path) -> Path | str:
    try:
        return peers.environment(folder)
    except peers.MissingError as error:
        return str(error)


def _in_dtype(task: Task, dtype: str) -> Task:
    """The same work; what counts as the same result depends on the numbers it is computed in."""
    parts = [{**part, "dtype": dtype} for part in task.parts]
    return replace(task, parts=parts, trial={**task.trial, "dtype": dtype})


def _is_wanted(name: str, chosen: argparse.Namespace) -> bool:
    return name in chosen.only if chosen.only else not (chosen.quick and name in SLOW)


def _path(chosen: argparse.Namespace, found: dict[str, Any]) -> Path | None:
    """Where numbers are written: those of a whole run beside those of other machines."""
    if chosen.json or chosen.quick or chosen.only:
        given: Path | None = chosen.json
        return given
    return RESULTS / show.slug(found["machine"]) / TABLE


def _write(path: Path | None, found: dict[str, Any]) -> None:
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _others(run: Run, names: Sequence[str]) -> bool:
    """Run programs that have no row, and say whether one failed."""
    failed = False
    for name in names:
        print(f"\n{name}", flush=True)
        try:
            run.start(name, OTHERS[name], shown=True)
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    return failed


class Hosts:
    """A process of ours and one of the peers, in which sides are made; each waits while the other works.

    Parameters
    ----------
    python : Path or str
        That of the peers; a text says why there is none.
    """

    def __init__(self, python: Path | str, threads: int, clock: str) -> None:
        self._pythons = {"ours": Path(sys.executable), "peers": python}
        self._threads, self._clock = threads, clock
        self._started: dict[str, Process] = {}

    def of(self, whose: str) -> Process | str:
        """The process; one that has ended is started anew."""
        python = self._pythons[whose]
        if isinstance(python, str):
            return python
        known = self._started.get(whose)
        if known is None or not known.is_there:
            if known:
                known.close()
            known = self._started[whose] = Process(python, self._threads, self._clock)
        return known

    def forget(self) -> None:
        """Have the sides of a task let go of their memory."""
        for process in self._started.values():
            if process.is_there:
                with contextlib.suppress(SideError):
                    process.forget()

    def close(self) -> None:
        """End both."""
        for process in self._started.values():
            process.close()


def side_by_side(
    task: Task, hosts: Hosts, how: dict[str, str], rounds: int, found: dict[str, Any]
) -> dict[str, Any]:
    """Measure one task. Both processes make their sides at the same time, before any works."""
    ours = hosts.of("ours")
    assert isinstance(ours, Process)
    begun: dict[str, Remote | str] = {}
    own = ours.begin(task.ours, **how)
    for opponent in task.opponents:
        host = hosts.of("peers")
        begun[opponent.name] = host if isinstance(host, str) else host.begin(opponent.side, **how)
    own.ready()
    sides: dict[str, Side | str] = {}
    for name, side in begun.items():
        try:
            if isinstance(side, Remote):
                side.ready()
            sides[name] = side
        except SideError as error:
            sides[name] = last_line(error)
    fastest = max((one["fastest"] for one in found["tasks"]), default=0.0)
    record = measure(task, own, sides, rounds, fastest)
    with contextlib.suppress(SideError):
        for side in sides.values():
            if not isinstance(side, str):
                found["peers"].update(side.call("facts")[1]["packages"])
    facts = own.call("facts")[1]
    if how["device"] != "cpu" and task.model:
        found["machine"]["accelerator"] = facts["accelerator"] or how["device"]
    hosts.forget()
    return record


def folder_of(model: str, cache: Path) -> str:
    """The folder of a model; one with random weights is made once, in a process of its own."""
    if not model:
        return ""
    if model not in NAMES:
        from audit.models import fetch

        try:
            return str(fetch(model).folder)
        except InputError as error:
            raise SideError(str(error)) from error
    words = [sys.executable, "-m", "tests.bench.random_models", model, str(cache.resolve())]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SideError(done.stderr)
    return done.stdout.strip().splitlines()[-1]


def into_readme(path: Path) -> int:
    """Put what has a target of kept numbers into the README, and all of it into a page beside them."""
    found = json.loads(path.read_text("utf-8"))
    path.with_suffix(".md").write_text(show.table(found), "utf-8")
    show.write_page(README, path.resolve().relative_to(ROOT).as_posix(), show.short(found))
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
