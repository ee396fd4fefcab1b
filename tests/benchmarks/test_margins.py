"""One margin is one number in one unit: the user's goes to the main estimates, others keep their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import audit.benchmarks
from audit.benchmarks import BENCHMARKS, benchmark
from audit.benchmarks.base import Setup
from audit.benchmarks.folder import recompute
from audit.benchmarks.run import Chosen, run_benchmark
from audit.models.scripted import ScriptedModel
from probes.errors import InputError


@pytest.mark.parametrize(
    ("name", "scoring", "expected"),
    [
        ("rtp", "written", {"share": 0.3, "probability": 0.02}),
        ("occupation-slope", "masked", {"logit per logit": 0.3, "nats": 0.2, "correlation": 0.2}),
        ("winogender", "masked", {"nats per nat of log-odds of the share": 0.3, "nats": 0.2}),
        ("winogender", "options", {"share": 0.3}),
        ("winobias", "masked", {"share": 0.3, "nats": 0.2}),
        ("counterfactual-gaps", "classify", {"nats": 0.3}),
        ("counterfactual-gaps", "scores", {"score": 0.3}),
    ],
)
def test_a_chosen_margin_is_that_of_the_main_unit_alone(
    name: str, scoring: str, expected: dict[str, float]
) -> None:
    found = benchmark(name).score([], [], Setup(scoring, margin=0.3)).estimates
    own = {(one.unit, one.margin) for one in found if one.unit in expected}
    assert own == set(expected.items())
    assert benchmark(name).unit_of(scoring) == next(iter(expected))


def test_a_margin_that_nobody_chose_stays_that_of_each_unit_in_a_run(tmp_path: Path) -> None:
    """The plan writes the default margin down, which must not come back as a choice for every unit."""
    model = ScriptedModel.group_blind()
    chosen = Chosen(benchmark("winogender"), ("options", "causal"), Setup(""))
    found = run_benchmark(chosen, model, tmp_path / "run")
    by_unit = {(e["unit"], e["margin"]) for section in found["scorings"] for e in section["estimates"]}
    assert by_unit == {("share", 0.05), ("nats per nat of log-odds of the share", 0.2), ("nats", 0.2)}
    assert recompute(tmp_path / "run")[0] == found


def test_a_margin_for_scorings_in_two_units_is_refused(tmp_path: Path) -> None:
    chosen = Chosen(benchmark("winogender"), (), Setup("", margin=0.1))
    with pytest.raises(InputError, match=r"a margin of 0.1 for scorings in nats per nat .* and share"):
        run_benchmark(chosen, ScriptedModel.group_blind(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_rule_stands_in_one_place() -> None:
    readers = {
        path.name
        for path in Path(audit.benchmarks.__file__).parent.rglob("*.py")
        if re.search(r"\bsetup\.margin\b", path.read_text("utf-8"))
    }
    assert readers == {"base.py", "result.py", "outlook.py", "run.py"}
    assert all(benchmark(name).unit for name in BENCHMARKS)
