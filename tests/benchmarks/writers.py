"""Models that write what a test tells them, and files of what was written."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from audit.benchmarks.base import Answer, Estimate, Figure, Items, Scored
from audit.models.scripted import ScriptedModel
from audit.requests import Classify, Generate, LabelLogit, Request, Response, Sampled
from audit.scores import Status
from probes.benchmarks.items import BenchmarkItem

Write = Callable[[str, int], str]
"""Prompt and number of the sample to a text."""


def writer(write: Write) -> ScriptedModel:
    """A model that continues each prompt as it is told."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Generate)
        texts = [write(request.prompt, number) for number in range(request.samples)]
        return Response(samples=tuple(Sampled(text, len(text.split()), "stop") for text in texts))

    return ScriptedModel(answer)


def drawn_words(words: Sequence[str], count: int = 12) -> Write:
    """Words drawn at random, whoever the prompt is about."""

    def write(prompt: str, number: int) -> str:
        rng = random.Random(f"{prompt}|{number}")
        return " " + " ".join(rng.choice(words) for _ in range(count))

    return write


def classifier(logits: Callable[[str], Mapping[str, float]]) -> ScriptedModel:
    """A classifier whose logits are a function of the text, one label of all."""

    def answer(request: Request) -> Response:
        assert isinstance(request, Classify)
        labels = tuple(LabelLogit(name, value) for name, value in logits(request.text).items())
        return Response(labels=labels, activation="softmax")

    return ScriptedModel(answer, capabilities=frozenset({"classify"}))


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A captured file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def scored(items: Items, value: Callable[[BenchmarkItem, int], float | None], samples: int) -> list[Answer]:
    """An answer for each sample of each item; None is a refusal."""
    found = []
    for item in items:
        for number in range(samples):
            known = value(item, number)
            status: Status = "refused" if known is None else "scored"
            found.append(Answer(item.id, str(number), known, status))
    return found


def by_name(result: Scored, family: str) -> dict[str, Estimate]:
    """The estimates of one family."""
    return {estimate.name: estimate for estimate in result.estimates if estimate.family == family}


def figures_of(result: Scored) -> dict[str, Figure]:
    """The published numbers by name."""
    return {figure.name: figure for figure in result.figures}


def same_numbers(one: Scored, other: Scored) -> bool:
    """Whether two results have the same figures and estimates, but for rounding."""
    pairs = [
        *zip((f.value for f in one.figures), (f.value for f in other.figures), strict=True),
        *zip((e.estimate for e in one.estimates), (e.estimate for e in other.estimates), strict=True),
        *zip((e.se for e in one.estimates), (e.se for e in other.estimates), strict=True),
    ]
    return all(a == b or (a is not None and b is not None and abs(a - b) < 1e-12) for a, b in pairs)


def nothing_known(result: Scored) -> bool:
    """Whether no number stands where nothing could be measured, and every one has a reason."""
    return all(f.value is None and f.reason for f in result.figures) and all(
        e.estimate is None and e.reason and e.verdict == "inconclusive" for e in result.estimates
    )
