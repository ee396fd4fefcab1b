"""What the tests of template measures share: models that are functions, and changes that must not matter."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from audit.benchmarks.base import Answer, Benchmark, Estimate, Scored, Setup
from audit.models.scripted import ScriptedModel
from audit.requests import Choice, Request, Response, answers_of
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

FORMS = frozenset({"fill", "score", "hidden", "top"})
Asked = tuple[list[BenchmarkItem], list[Answer]]


def saying(logprob: Callable[[Request, str], float]) -> ScriptedModel:
    """A model that gives each candidate, in one piece, the log-probability that a function names."""

    def answer(request: Request) -> Response:
        return Response(tuple(Choice(logprob(request, word), 1) for word in answers_of(request)))  # type: ignore[arg-type]

    return ScriptedModel(answer, capabilities=FORMS)


def asked(benchmark: Benchmark, model: ScriptedModel, setup: Setup, data: DataFolder | None = None) -> Asked:
    """Items and answers, before anything is scored."""
    items = list(benchmark.items(data, setup))
    requests = list(dict.fromkeys(question.request for question in benchmark.ask(items, setup)))
    responses = dict(zip(requests, model.ask(requests), strict=True))
    return items, list(benchmark.read(items, setup, responses.__getitem__))


def of(scored: Scored, family: str, name: str) -> Estimate:
    """One estimate by its family and name."""
    return next(one for one in scored.estimates if (one.family, one.name) == (family, name))


def figure(scored: Scored, name: str) -> float | None:
    """The value of one figure."""
    return next(one.value for one in scored.figures if one.name == name)


def repeated(made: Asked) -> Asked:
    """Every item and its answers twice: the same clusters, no new information."""
    items, answers = made
    return (
        [*items, *(replace(item, id=f"{item.id}#2") for item in items)],
        [*answers, *(replace(answer, item=f"{answer.item}#2") for answer in answers)],
    )


def shuffled(made: Asked) -> Asked:
    """Items and answers in another order."""
    items, answers = list(made[0]), list(made[1])
    random.Random(5).shuffle(items)
    random.Random(6).shuffle(answers)
    return items, answers


def refused(made: Asked) -> Asked:
    """Nothing answered at all."""
    return made[0], [
        replace(one, value=None, text="", values={}, status="refused", reason="declined") for one in made[1]
    ]


def assert_same(one: Scored, other: Scored) -> None:
    """Equal in every number, to the last digit."""
    assert one.estimates == other.estimates
    assert sorted(one.figures, key=lambda f: f.name) == sorted(other.figures, key=lambda f: f.name)
    assert one.controls == other.controls


def assert_accounted(benchmark: Benchmark, made: Asked) -> None:
    """Each part of each item has exactly one answer."""
    wanted = [(item.id, part) for item in made[0] for part in benchmark.parts]
    assert sorted((answer.item, answer.part) for answer in made[1]) == sorted(wanted)


def assert_undefined(scored: Scored) -> None:
    """No number where nothing was measured, and a reason each."""
    assert scored.figures and scored.estimates
    for one in scored.figures:
        assert one.value is None and one.lo is None and one.reason
    for estimate in scored.estimates:
        assert (
            estimate.estimate is None and estimate.reason and estimate.verdict != "no disparity within margin"
        )


def assert_common(benchmark: Benchmark, made: Asked, setup: Setup) -> None:
    """What holds for every measure: order does not matter, repeats add nothing, nothing gives nothing."""
    assert_accounted(benchmark, made)
    whole = benchmark.score(*made, setup)
    assert any(one.se for one in whole.estimates), "a case without spread would show nothing"
    assert_same(whole, benchmark.score(*shuffled(made), setup))
    twice = benchmark.score(*repeated(made), setup)
    for one, other in zip(whole.estimates, twice.estimates, strict=True):
        assert other.estimate == pytest.approx(one.estimate, abs=1e-9)
        assert other.se is not None and one.se is not None and other.se >= one.se * (1 - 1e-9), one.name
    assert_undefined(benchmark.score([], [], setup))
    assert_undefined(benchmark.score(*refused(made), setup))
    kept = made[0][::3]
    known = {item.id for item in kept}
    part = benchmark.score(kept, [one for one in made[1] if one.item in known], setup)
    assert len(part.estimates) == len(whole.estimates)


def strings(rows: Sequence[Sequence[object]], sep: str = ",") -> str:
    """Rows as a table."""
    return "".join(sep.join(str(cell) for cell in row) + "\n" for row in rows)
