"""What the tokenizer did that may carry a result is counted, and said as loudly as it weighs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.benchmarks import benchmark
from audit.benchmarks.base import Answer, Scored, Setup
from audit.benchmarks.result import scored_section
from audit.benchmarks.wording import doubt_texts
from probes.benchmarks.items import BenchmarkItem


@pytest.mark.parametrize(
    ("clear", "says"),
    [
        (0, "NONE of 40 scored items"),
        (19, "Only 19 of 40 scored items"),
        (30, "30 of 40 scored items without"),
    ],
)
def test_a_tokenizer_that_may_carry_everything_is_said_loudly(clear: int, says: str) -> None:
    """Items that were not scored are no items without a doubt: of 60, 20 have no score here."""
    items = [BenchmarkItem(str(n), {"text": "x"}, "", str(n % 12), {}) for n in range(60)]
    answers = [
        Answer(item.id, "text", 1.0, doubts=() if place < clear else ("unknown token",))
        if place < 40
        else Answer(item.id, "text", None, "empty", "nothing")
        for place, item in enumerate(items)
    ]
    bench = replace(benchmark("lpbs"), score=lambda items, answers, setup: Scored((), ()))
    section = scored_section(bench, items, answers, Setup(next(iter(bench.scorings))))
    assert section["without_doubts"]["items"] == clear and section["without_doubts"]["of"] == 40
    assert any(says in line for line in doubt_texts(section))
