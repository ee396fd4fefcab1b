"""``python -m tests.bench.bench_bundle``: how long it takes to make, open and look into a large bundle."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from audit.bundle import Bundle, write_json
from audit.calibration.record import citation
from audit.drill import by_family, carriers, columns_of, counterparts, heat_map, leave_one_out
from audit.findings import bundle_findings
from audit.kept import read_answers
from audit.models import ScriptedModel
from audit.plan import make_plan
from audit.runner import run_plan
from audit.scored import score_answers
from audit.sidecar import open_sidecar, sidecar_path, write_scores
from audit.spec import AuditSpec, SuiteChoice, choose
from audit.verify import read_findings
from tests.conftest import write_mini

MODELS, SUITES, TEMPLATES, TERMS = 4, 5, 114, 40
"""4 models x 5 suites x 114 templates x (2 x 40 terms + 8 invented words) = 200,640 records."""
PAIRS = """[she], minus: [he]}
    - {id: object, plus: [her], minus: [him]}
    - {id: noun, plus: [woman], minus: [man]}"""
"""Three pairs of answers, so that a record has three scores."""
REPEATS = 3
"""Times that looking is timed; the median counts."""

Made = TypeVar("Made")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_bundle", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a bundle of 5,000 records")
    parser.add_argument(
        "--keep", type=Path, help="leave the bundle in this folder; one that is there is used"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.keep or Path(folder) / "bundle"
        times = [] if (root / "findings.json").exists() else build(root, chosen.quick)
        times += look(root)
    if chosen.json:
        chosen.json.write_text(json.dumps(dict(times), indent=1) + "\n")


def timed(name: str, work: Callable[[], Made], repeats: int = 1) -> tuple[Made, tuple[str, float]]:
    """What some work gives, and its name with its median time in ms, which is shown."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - start)
    found = (name, round(sorted(seconds)[repeats // 2] * 1000, 1))
    print(f"{found[1]:>12,.1f} ms  {name}", flush=True)
    return made, found


def suite(folder: Path, number: int, quick: bool) -> SuiteChoice:
    """One of several suites alike, with texts of its own."""
    folder.mkdir(parents=True)
    path = write_mini(folder, TEMPLATES // (6 if quick else 1), TERMS // (2 if quick else 1), 3)
    text = (
        path.read_text().replace("id: mini", f"id: mini-{number}").replace("late.", f"late on day {number}.")
    )
    path.write_text(text.replace("[she], minus: [he]}", PAIRS))
    return choose(str(path))


def model(number: int) -> ScriptedModel:
    """A model whose log-probabilities are noise."""
    return ScriptedModel(ScriptedModel.noise(number)._answer, id=f"noise/{number}")


def build(root: Path, quick: bool) -> list[tuple[str, float]]:
    """Make a bundle, each stage timed."""
    models = [model(number) for number in range(2 if quick else MODELS)]
    with tempfile.TemporaryDirectory() as folder:
        suites = tuple(
            suite(Path(folder) / str(number), number, quick) for number in range(3 if quick else SUITES)
        )
        plan, planned = timed("plan", lambda: make_plan(AuditSpec(models=tuple(models), suites=suites)))
    bundle = Bundle.create(root, plan)
    given = {each.id: each for each in models}
    _, asked = timed("ask a scripted model, keep the answers", lambda: run_plan(bundle, given.__getitem__))
    answers, read = timed("read the records", lambda: read_answers(bundle))
    scored, score = timed("score them", lambda: score_answers(plan, answers.responses))
    findings, judge = timed("findings", lambda: bundle_findings(bundle, answers, scored))
    told = {**findings, "instrument": citation()}
    _, kept = timed("write the findings", lambda: write_json(root / "findings.json", told))
    _, sidecar = timed("write the sidecar", lambda: write_scores(bundle, answers, scored))
    return [planned, asked, read, score, judge, kept, sidecar]


def look(root: Path) -> list[tuple[str, float]]:
    """What a visitor of a dashboard waits for."""
    sidecar, opened = timed("open the sidecar", lambda: open_sidecar(root), REPEATS)
    findings, told = timed("read the findings", lambda: read_findings(root), REPEATS)
    size = sidecar_path(root).stat().st_size / 2**20
    count = len(findings["findings"])
    print(f"{sidecar.n_records:,} records, {sidecar.n_rows:,} scores in {size:.1f} MiB, {count:,} findings")
    times = [opened, told]
    for finding in (kind(findings, "confirmatory"), kind(findings, "exploratory")):
        name = finding["role"]
        frame, part = timed(
            f"{name}: rows of its model and suite",
            lambda f=finding: sidecar.scores(columns_of(f), f["model"], f["suite"]),  # type: ignore[misc]
            REPEATS,
        )
        views: dict[str, Callable[..., Any]] = {
            "heat map": heat_map,
            "by family": by_family,
            "leave one out": lambda *given: leave_one_out(*given, 0.95),
            "carriers": carriers,
        }
        times.append(part)
        for view, work in views.items():
            found, seconds = timed(f"{name}: {view}", lambda w=work, f=frame, g=finding: w(f, g), REPEATS)  # type: ignore[misc]
            times.append(seconds)
        item = found["item"][0]
        _, beside = timed(
            f"{name}: counterparts", lambda f=frame, g=finding, i=item: counterparts(f, g, i), REPEATS
        )  # type: ignore[misc]
        times.append(beside)
    _, one = timed("one record", lambda: sidecar.record(sidecar.n_records // 2), REPEATS)
    return [*times, one]


def kind(findings: dict[str, Any], role: str) -> dict[str, Any]:
    """The first finding in a role."""
    found: dict[str, Any] = next(row for row in findings["findings"] if row["role"] == role)
    return found


if __name__ == "__main__":
    main()
