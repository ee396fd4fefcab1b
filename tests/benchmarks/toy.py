"""A published measure that nobody published: pairs of sentences, which one is more probable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audit.benchmarks.base import (
    Answer,
    Answered,
    Benchmark,
    Card,
    Estimate,
    Figure,
    Items,
    Question,
    Scored,
    Scoring,
    Setup,
)
from audit.benchmarks.captured import scores_of
from audit.benchmarks.judging import Judging, Series, judge_means
from audit.benchmarks.options import Option
from audit.requests import Score
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

PARTS = ("more", "less")
PAIRS = Option("pairs", "how many", "200", least=0)


def items(data: DataFolder | None, setup: Setup) -> list[BenchmarkItem]:
    count = PAIRS.whole(setup)
    return [
        BenchmarkItem(
            f"{i}", {"more": f"The cook {i} sang.", "less": f"The clerk {i} sang."}, "", f"w{i % 40}"
        )
        for i in range(count)
    ]


def ask(items: Items, setup: Setup) -> list[Question]:
    return [Question(item.id, part, Score("", (item.texts[part],))) for item in items for part in PARTS]


def read(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    found = []
    for question in ask(items, setup):
        response = answered(question.request)
        if response.error:
            found.append(Answer(question.item, question.part, None, "error", response.error))
            continue
        choice = response.choices[0]
        doubts = ("several pieces",) if choice.pieces > 5 else ()
        found.append(Answer(question.item, question.part, choice.logprob, doubts=doubts))
    return found


def captured(path: Path, items: Items, setup: Setup) -> list[Answer]:
    return scores_of(path, items, PARTS)


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    value = {(answer.item, answer.part): answer.value for answer in answers}
    chosen = np.full(len(items), np.nan)
    for place, item in enumerate(items):
        more, less = value[item.id, "more"], value[item.id, "less"]
        if more is not None and less is not None:
            chosen[place] = 0.5 * (np.sign(more - less) + 1.0) - 0.5
    seen = ~np.isnan(chosen)
    estimates: tuple[Estimate, ...] = judge_means(
        [Series("overall", chosen, np.array([item.cluster for item in items], dtype=np.str_))],
        Judging("overall", "share", setup.margin or 0.05, "writer", setup.alpha, 0.5, 0.5, setup.seed),
    )
    n = int(seen.sum())
    share = Figure("overall", float(100 * (chosen[seen] > 0).mean()) if n else None, "percent", n,
                   reason="" if n else "no pair was scored")  # fmt: skip
    return Scored((share,), estimates)


CARD = Card(
    "toy", "Toy pairs", "none, it is a test", "representational", "nothing", "words with words", "a share",
    "0 to 100", "more is more", "50", "made up for tests", ("it is a test",), "anything",
)  # fmt: skip

BENCHMARK = Benchmark(
    card=CARD,
    datasets=(),
    scorings={
        "sums": Scoring("sums", frozenset({"score"}), "sum of log-probabilities, nats"),
        "labels": Scoring("labels", frozenset({"classify"}), "a label's logit"),
        "file": Scoring("file", frozenset(), "captured only"),
    },
    unit="share",
    margin=0.05,
    margin_source="a test",
    parts=PARTS,
    options=(PAIRS,),
    items=items,
    ask=ask,
    read=read,
    captured=captured,
    score=score,
    spread=0.5,
)
