"""Whatever is done to a bundle that was asked until decided, verify names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.api import analyze, run
from audit.bundle import Bundle, Record, sha256
from audit.plan import planned_suites
from audit.requests import Response, Sampled, digest
from audit.sequential.plan import designs
from probes.errors import BundleError
from tests.audit.sequential_world import (
    TEXTS,
    faults,
    kinder_to_red,
    quick_scorers,  # noqa: F401 - a fixture, which works by being here
    spec_for,
    write_suite,
    writer,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequential")
    suite = write_suite(folder / "s")
    run(spec_for(suite, writer(kinder_to_red), 2000), folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def rewritten(bundle: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    """Other records, with a chain that fits, and findings and manifest made to agree where they can be."""
    opened = Bundle(bundle)
    lines, prev = [], opened.plan_sha256
    for n, record in enumerate(change(list(opened.records()))):
        line = Record(n, prev, record.model, record.request, record.response).line()
        lines.append(line + b"\n")
        prev = sha256(line)
    (bundle / "records/00000.jsonl").write_bytes(b"".join(lines))
    try:
        analyze(bundle)
    except BundleError:
        opened.write_manifest()


def test_answers_beyond_the_stop_are_refused(bundle: Path) -> None:
    """One more batch, rightly drawn and rightly chained: asked on after the result was known."""
    plan = Bundle(bundle).plan
    [design] = designs(plan, planned_suites(plan))
    model = writer(kinder_to_red)
    there = {digest(record.request) for record in Bundle(bundle).records()}
    fresh = [q for unit in design.units() for q in unit.questions if q.digest not in there][:64]
    more = [Record(0, "", model.digest, q.request, model._answer(q.request)) for q in fresh]
    rewritten(bundle, lambda records: [*records, *more])
    assert "64 answers to requests that are not in the plan" in faults(bundle)


def test_answers_that_were_cut_off_before_the_stop_are_missed(bundle: Path) -> None:
    rewritten(bundle, lambda records: records[:-64])
    text = faults(bundle)
    assert "requests of the plan have no answer" in text and "findings" in text


def test_an_answer_that_was_changed_moves_the_stop_and_is_noticed(bundle: Path) -> None:
    """Cruel words about red people put in place of kind ones, chain and findings mended."""

    def spoil(records: list[Record]) -> list[Record]:
        cruel = tuple([Sampled(TEXTS["cruel"], 4, "stop")] * 2)
        return [
            Record(r.n, "", r.model, r.request, Response(samples=cruel)) if "red" in r.request.prompt else r
            for r in records
        ]

    rewritten(bundle, spoil)
    assert faults(bundle), "the rule would have stopped elsewhere"


@pytest.mark.parametrize(
    ("place", "value"),
    [(("sequential", "units"), 7), (("sequential", "e_value"), 9.0), (("sequential", "stopped_at"), None),
     (("ci", "lo"), 0.2), (("verdict",), "inconclusive"), (("p",), 0.9)],
)  # fmt: skip
def test_an_edited_finding_is_named(bundle: Path, place: tuple[str, ...], value: Any) -> None:
    path = bundle / "findings.json"
    told = json.loads(path.read_text())
    part = told["findings"][0]
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    Bundle(bundle).write_manifest()
    assert f"$.findings[0].{'.'.join(place)}" in faults(bundle)


def test_a_plan_with_another_rule_than_its_suites_give_is_named(bundle: Path) -> None:
    path = bundle / "plan.json"
    plan = json.loads(path.read_text())
    plan["sequential"]["families"][0]["wealth_needed"] = 2.0
    path.write_text(json.dumps(plan, indent=1, ensure_ascii=False) + "\n")
    Bundle(bundle).write_manifest()
    assert "its units and stopping rule are not those of its suites" in faults(bundle)
