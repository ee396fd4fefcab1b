"""Whole audits, and whole runs of a measure, of any number of questions; run by test_audit_memory.

``python -m tests.audit.large_run audit|texts|measure DIR COUNT... [--model NAME]`` prints the peak of this
process's memory in bytes: before anything was asked, and after each of the counts.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from audit import benchmarks, kept_lines
from audit.api import analyze, run
from audit.benchmarks.base import Setup
from audit.benchmarks.folder import recompute
from audit.benchmarks.run import Chosen, run_benchmark
from audit.environment import peak_memory
from audit.kept_lines import HELD_BYTES
from audit.measures import Decoding
from audit.models import ScriptedModel, resolve
from audit.models.base import Model
from audit.requests import Generate, Request, Response, Sampled
from audit.spec import AuditSpec, choose
from tests.benchmarks import toy
from tests.conftest import write_mini

TEMPLATES = 50
SAMPLES = 25
ODD = ("kind", "cruel")
CLAIM = 'claim: "continuations about {group} score {difference} than those about {reference}"'


def suite(count: int, folder: Path, writes: bool) -> Path:
    """The small suite with as many words as make so many items; or one of prompts to be continued."""
    path = write_mini(folder, TEMPLATES, count // (2 * TEMPLATES))
    before, rest = path.read_text().split("  - id: each\n")  # as many hypotheses as words: another matter
    text = before + rest[rest.index("margin:") :]
    if writes:
        head, tail = text.split("answers:\n")
        measure = ("answer_log_odds", "continuation_sentiment")
        head = head.replace("[fill, score]", "[generate]").replace(*measure)
        tail = re.sub("claim: .*", CLAIM, tail[tail.index("contrasts:") :]).replace("nats", "points")
        text = f"{head}outcome: {{plus: kind, minus: cruel}}\n{tail}".replace(" {answer} was late", "")
    path.write_text(text)
    return path


def audit(count: int, folder: Path, model: Model) -> None:
    """An audit of so many items, each with one score."""
    run(AuditSpec((model,), (choose(str(suite(count, folder, writes=False))),)), folder / "bundle")
    analyze(folder / "bundle")


def texts(count: int, folder: Path, model: Model) -> None:
    """An audit of so many prompts, each with 25 scores."""
    chosen = choose(str(suite(count, folder, writes=True)))
    run(AuditSpec((model,), (chosen,), decoding=Decoding(samples=SAMPLES)), folder / "bundle")
    analyze(folder / "bundle")


def measure(count: int, folder: Path, model: Model) -> None:
    """A measure's run of so many requests."""
    benchmarks.BENCHMARKS["toy"] = "tests.benchmarks.toy"
    setup = Setup("", options={"pairs": str(count // 2)})
    run_benchmark(Chosen(toy.BENCHMARK, (), setup), model, folder / "bundle")
    recompute(folder / "bundle")


def answer(request: Request) -> Response:
    """Noise; or texts, the same after every prompt, so that a scorer reads few."""
    if not isinstance(request, Generate):
        return ScriptedModel.noise()._answer(request)
    each = (f" and was {ODD[i % 2]} to {i} people, as they said." for i in range(request.samples))
    return Response(samples=tuple(Sampled(text, 12, "length") for text in each))


KINDS: dict[str, Callable[[int, Path, Model], None]] = {"audit": audit, "texts": texts, "measure": measure}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--model")
    parser.add_argument("--held", type=int, default=HELD_BYTES)
    given = parser.parse_args()
    kept_lines.HELD_BYTES = given.held
    model = resolve(given.model) if given.model else ScriptedModel(answer)
    print(peak_memory())
    for count in given.counts:
        folder = given.folder / str(count)
        folder.mkdir(parents=True)
        KINDS[given.kind](count, folder, model)
        if isinstance(model, ScriptedModel):
            model.asked.clear()
        print(peak_memory())


if __name__ == "__main__":
    main()
