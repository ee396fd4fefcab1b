"""Where the time of a run goes: the model, or everything else.

``python -m tests.bench.profile_run [--quick] [--out DIR] [--json FILE]`` runs, as a user types them, a
measure of published pairs on a network of bert-base size with random weights, in every scoring, and an audit
that samples text from SmolLM2-135M. A thread looks many times a second at what the program does. Each look
counts for one part, which is found from the functions that are running. A Markdown table is printed, and
stands beside ``FILE``; ``DIR`` takes all looks as folded stacks, which flame graph programs read.

Each run is its own process, so that the start of the command and its imports are counted, too. Such parts
take as long for a few questions as for many, and are shown apart from the others.

The *figure* of ``FILE`` is the share of the wall time of all published pairs that is not the model: what the
measured pairs take counts as often as they fit into all of them, the fixed parts once.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
VOCABULARY = ROOT.parent / "shared" / "models" / "minilm-l6-mlm"
EVERY = 0.004
"""Seconds between two looks."""
PAIRS, QUICK_PAIRS = 200, 20
PUBLISHED = 1508
"""Pairs of the whole set."""

ANYWHERE: Sequence[tuple[str, Sequence[str]]] = (
    ("imports", ("<frozen importlib._bootstrap>:_find_and_load",)),
    ("hashing the model's files", ("audit/models/files.py:sha256_of",)),
    ("loading the model", ("audit/models/loading.py:load",)),
    ("the scorers' own audits", ("audit/api.py:write_own_audits",)),
    ("measuring the processor's speed", ("audit/environment.py:matmul_rate",)),
)
"""Parts that a look counts for where one of these functions runs anywhere: they come once a run, however much
is asked."""
MODEL = "model"

INNERMOST: Sequence[tuple[str, Sequence[str]]] = (
    (MODEL, ("audit/models/network.py", "/transformers/models/", "/torch/")),
    ("tokenising", ("audit/models/tokens.py", "audit/models/placing.py", "/transformers/tokenization")),
    ("drawing tokens", ("audit/models/sampling.py", "audit/models/stream.py")),
    (
        "rows in, answers out",
        (
            "audit/models/reader.py", "audit/models/reading.py", "audit/models/continuations.py",
            "audit/models/generation.py", "audit/models/masked.py", "audit/models/causal.py",
            "audit/models/spelling.py",
        ),
    ),
    (
        "records: JSON, hash, fsync",
        ("audit/bundle.py", "audit/bundle_files.py", "audit/records.py", "audit/answers.py", "audit/kept"),
    ),
    (
        "planning",
        (
            "audit/plan.py", "audit/blocks.py", "audit/work.py", "audit/runner.py", "audit/progress.py",
            "audit/environment.py", "/probes/",
        ),
    ),
    ("scoring", ("audit/scored.py", "audit/scorers/", "audit/table.py", "audit/measures/")),
    ("findings", ("audit/stats/", "audit/analysis/", "audit/benchmarks/", "audit/findings.py")),
    ("provenance and tables", ("audit/provenance/", "audit/sidecar", "audit/calibration/")),
    ("command line", ("audit/commands/", "audit/cli.py")),
)  # fmt: skip
"""Parts, by the innermost function whose file is named here."""
REST = "rest"
ONCE = tuple(name for name, _ in ANYWHERE)
OURS = (*(name for name, _ in INNERMOST), REST, *ONCE)


def part_of(stack: Sequence[str]) -> str:
    """What a look counts for; ``stack`` holds ``file:function``, the innermost first.

    Examples
    --------
    >>> part_of(["/x/torch/nn/functional.py:linear", "/r/audit/models/network.py:states"])
    'model'
    """
    for name, marks in ANYWHERE:
        if any(mark in frame for frame in stack for mark in marks):
            return name
    for frame in stack:
        for name, marks in INNERMOST:
            if any(mark in frame for mark in marks):
                return name
    return REST


class Looks:
    """A thread that looks at the main thread until it is stopped."""

    def __init__(self) -> None:
        self.stacks: collections.Counter[tuple[str, ...]] = collections.Counter()
        self._of = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Looks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(EVERY):
            frame: FrameType | None = sys._current_frames().get(self._of)
            stack = []
            while frame is not None:
                stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
                frame = frame.f_back
            self.stacks[tuple(stack)] += 1


def watched(arguments: Sequence[str], out: Path) -> None:
    """Run a command in this process, and write down the looks and the seconds that it took."""
    started = time.perf_counter()
    with Looks() as looks:
        from audit.cli import main

        try:
            main(arguments)
        except SystemExit as end:
            if end.code:
                raise
    seconds = time.perf_counter() - started
    stacks = [[list(stack), count] for stack, count in looks.stacks.items()]
    out.write_text(json.dumps({"seconds": seconds, "stacks": stacks}))


def profiled(arguments: Sequence[str], work: Path) -> tuple[float, collections.Counter[str], list[str]]:
    """Seconds of a command, looks a part, and the folded stacks."""
    told = work / "looks.json"
    command = [sys.executable, "-m", "tests.bench.profile_run", "--watched", str(told), "--", *arguments]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    found = json.loads(told.read_text())
    parts: collections.Counter[str] = collections.Counter()
    folded = []
    for stack, count in found["stacks"]:
        parts[part_of(stack)] += count
        names = [frame.removeprefix(f"{ROOT}/").replace(";", ",") for frame in reversed(stack)]
        folded.append(f"{';'.join(names)} {count}")
    return found["seconds"], parts, folded


def bert(folder: Path) -> Path:
    """A network of bert-base size with random weights, and the vocabulary of bert-base-uncased."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(vocab_size=30522, initializer_range=0.05)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(VOCABULARY).save_pretrained(folder)
    return folder


def few_pairs(folder: Path, count: int) -> Path:
    """A data folder with the first pairs only."""
    source = DATA / "crows_pairs" / "crows_pairs_anonymized.csv"
    target = folder / "crows_pairs" / source.name
    target.parent.mkdir(parents=True)
    with source.open(encoding="utf-8", newline="") as file, target.open("w", newline="") as out:
        rows = list(csv.reader(file))
        csv.writer(out).writerows(rows[: count + 1])
    return folder


def commands(work: Path, quick: bool) -> dict[str, list[str]]:
    """What is run, by what it is called in the table."""
    pairs = QUICK_PAIRS if quick else PAIRS
    masked = [
        "benchmarks", "run", "crows-pairs", "--model", str(bert(work / "bert")),
        "--data", str(few_pairs(work / "data", pairs)), "--changed-data", "--out", str(work / "pairs"),
    ]  # fmt: skip
    written = [
        "run", "--model", "smollm2-135m", "--suite", "continuation", "--templates", "3", "--terms", "2",
        "--samples", "2" if quick else "10", "--out", str(work / "written"),
    ]  # fmt: skip
    return {f"{pairs} pairs, bert-base size, every scoring": masked, "continuations, SmolLM2-135M": written}


def table(found: dict[str, tuple[float, collections.Counter[str], list[str]]]) -> str:
    """A Markdown table: share of the wall time by part, a column a run."""
    lines = [f"| share of the wall time | {' | '.join(found)} |", f"|---|{'---|' * len(found)}"]
    for part in OURS:
        shares = [parts[part] / max(1, parts.total()) for _, parts, _ in found.values()]
        if any(shares):
            named = f"{part}, once a run" if part in ONCE else part
            lines.append(f"| {named} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    lines.append(f"| seconds in all | {' | '.join(f'{seconds:.1f}' for seconds, _, _ in found.values())} |")
    return "\n".join(lines)


def beside_the_model(parts: collections.Counter[str], times: float = 1.0) -> float:
    """The share of the wall time that is not the model, were there so many times as many questions.

    Examples
    --------
    >>> looks = collections.Counter({"model": 90, "scoring": 2, "imports": 8})
    >>> beside_the_model(looks), round(beside_the_model(looks, 10.0), 3)
    (0.1, 0.03)
    """
    once = sum(parts[part] for part in ONCE)
    all_else = sum(parts.values()) - once - parts[MODEL]
    beside = once + times * all_else
    return beside / (beside + times * parts[MODEL])


def is_sound(folder: Path, pairs: int) -> bool:
    """Whether a run of pairs asked all of them, none failed, and its records give its result again."""
    from audit.benchmarks.folder import KeptRun

    run = KeptRun(folder)
    found = run.result()
    each = [section["answers"] for section in found["scorings"]]
    asked = all(sum(counts.values()) == 2 * pairs and "error" not in counts for counts in each)
    return asked and len(run.items) == pairs and run.stated() == json.loads(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--watched", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.watched:
        watched(chosen.arguments, chosen.watched)
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        runs = commands(work, chosen.quick)
        found = {name: profiled(command, work) for name, command in runs.items()}
        pairs = QUICK_PAIRS if chosen.quick else PAIRS
        sound = is_sound(work / "pairs", pairs)
    print(table(found))
    if chosen.json:
        parts = next(iter(found.values()))[1]
        figure = {"value": beside_the_model(parts, PUBLISHED / pairs), "sound": sound}
        told = [
            {"run": name, "seconds": seconds, "beside_the_model": beside_the_model(looks), "looks": looks}
            for name, (seconds, looks, _) in found.items()
        ]
        chosen.json.write_text(json.dumps({"figure": figure, "pairs": pairs, "runs": told}, indent=1))
        chosen.json.with_suffix(".md").write_text(table(found) + "\n", encoding="utf-8")
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        for number, (_, _, folded) in enumerate(found.values()):
            (chosen.out / f"profile-{number}.folded").write_text("\n".join(folded) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
