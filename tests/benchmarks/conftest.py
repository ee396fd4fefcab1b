"""What the tests of all published measures share."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.benchmarks.base import Benchmark, Scored, Setup
from audit.models.base import Model
from audit.requests import Request, Response
from probes.benchmarks.folder import DataFolder

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def data() -> DataFolder:
    """Published data, where this machine has it."""
    if not SHARED.is_dir():
        pytest.skip("the published data is not on this machine (../shared/data)")
    return DataFolder(SHARED)


def run_on(
    benchmark: Benchmark, model: Model, data: DataFolder | None, setup: Setup, scorer: Model | None = None
) -> Scored:
    """Ask a model everything and score its answers, as the runner does; ``scorer`` answers the rest."""
    items = benchmark.items(data, setup)
    requests = list(dict.fromkeys(question.request for question in benchmark.ask(items, setup)))
    answered: dict[Request, Response] = dict(zip(requests, model.ask(requests), strict=True))
    after = [question.request for question in benchmark.follow_up(items, setup, answered.__getitem__)]
    if scorer is not None:
        answered.update(zip(after, scorer.ask(after), strict=True))
    return benchmark.score(items, benchmark.read(items, setup, answered.__getitem__), setup)
