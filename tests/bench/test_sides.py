"""Sides that need no environment of peers, on the packaged models: they agree, and a wrong one does not."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import fetch
from tests.bench import ours, theirs
from tests.bench.harness import Agree
from tests.bench.tasks import all_written, bounds, in_nucleus, p_values, sums, token_by_token

TEXTS = {"texts": ["the nurse said that she was late .", "he is a pilot ."]}


def folder(name: str) -> str:
    return str(fetch(name).folder)


@pytest.fixture(scope="module")
def masked() -> ours.Masked:
    return ours.Masked(folder("reference/bert-fair"), "cpu")


class Here:
    """A side in this process."""

    def __init__(self, side: Any) -> None:
        self.side = side

    def call(self, method: str, **arguments: Any) -> tuple[float, Any]:
        return 1.0, getattr(self.side, method)(**arguments)


def test_the_published_loop_finds_the_same(masked: ours.Masked) -> None:
    own = masked.run(TEXTS)
    loop = theirs.CrowsLoop(folder("reference/bert-fair"), "cpu").run(TEXTS)
    assert own["done"] == loop["done"] == sum(map(len, own["result"])) > 8
    assert token_by_token(TEXTS, own["result"], loop["result"]).same
    other = theirs.CrowsLoop(folder("reference/bert-skewed"), "cpu").run(TEXTS)
    assert not token_by_token(TEXTS, own["result"], other["result"]).same


def test_the_pipeline_fills_the_same(masked: ours.Masked) -> None:
    texts = ["the nurse said that {answer} was late .", "{answer} is a pilot ."]
    part = {"texts": texts, "words": ["he", "she", "they"]}
    side = ours.Fill(folder("reference/bert-fair"), "cpu").run(part)
    pipeline = theirs.FillPipeline(folder("reference/bert-fair"), "cpu").run(part, 1)
    assert side["done"] == pipeline["done"] == 6
    assert token_by_token(part, side["result"], pipeline["result"]).same
    backwards = [row[::-1] for row in pipeline["result"]]
    assert not token_by_token(part, side["result"], backwards).same


def test_operations_are_those_executed(masked: ours.Masked) -> None:
    found = masked.counted(TEXTS)
    network = masked.model._loaded.network.model
    body = sum(w.weight.numel() for w in network.bert.encoder.modules() if type(w).__name__ == "Linear")
    head = sum(w.weight.numel() for w in network.cls.modules() if type(w).__name__ == "Linear")
    lengths = [len(row) for row in found["result"]]
    tokens = sum(n * (n + 2) for n in lengths)
    # Every token once in every row, the head at the masked ones; the last layer may be run there alone.
    full = 2 * (tokens * body + found["done"] * head)
    assert 0.4 * full < found["flops"] <= full
    assert masked.limit() > 1e6


def test_texts_are_likely_to_the_same_degree() -> None:
    side = ours.Causal(folder("reference/gpt-fair"), "cpu").run(TEXTS)
    assert side["done"] == 2 and all(score < 0 and count > 3 for score, count in side["result"])
    shifted = [[score + 0.01 * count, count] for score, count in side["result"]]
    assert not sums(TEXTS, side["result"], shifted).same


def test_samples_lie_in_the_nucleus_that_transformers_computes() -> None:
    model = folder("reference/gpt-fair")
    # Of lengths in no order: prompts are written in an order of their own.
    prompts = ["a pilot said", "the nurse", "the teacher said that"]
    part = {"prompts": prompts, "samples": 4, "tokens": 5, "top_p": 0.7, "seed": 1}
    own = ours.Sampling(model, "cpu").run(part)
    peer = theirs.Generate(model, "cpu")
    found = peer.run(part, 8)
    assert found["result"] == 12 and 12 <= found["done"] <= 60
    assert all_written(part, own["result"], found["result"]).same
    assert not all_written(part, own["result"], found["result"] - 1).same
    assert in_nucleus(Here(peer), part, own["result"]).same  # type: ignore[arg-type]
    unlikely = ours.Sampling(model, "cpu").run({**part, "top_p": 1.0, "samples": 8})["result"]
    wide = {**part, "samples": 8, "top_p": 0.3}
    assert not in_nucleus(Here(peer), wide, unlikely).same  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("test", "agree"), [("flips", p_values), ("labels", p_values), ("bootstrap", bounds)]
)
def test_scipy_finds_the_same_call_by_call_and_at_once(test: str, agree: Agree) -> None:
    part = {
        "test": test, "comparisons": 4, "items": 40, "resamples": 2000, "share": 500, "alone": [3], "seed": 2
    }  # fmt: skip
    own = getattr(ours, test.capitalize())("", "cpu", "float32").run(part)
    assert own["done"] == len(own["result"]) == 4
    if test == "flips":
        assert ours.FlipsMaxT("", "cpu", "float32").run(part)["result"] == own["result"]
    for side, rows in ((theirs.ScipyACall, [3]), (theirs.ScipyAtOnce, [0, 1, 2, 3])):
        found = side("", "cpu", "float32").run(part, 100)
        # One of four comparisons, or a quarter of the resamples of all.
        assert found["done"] == 1 and found["result"]["rows"] == rows
        assert agree(part, own["result"], found["result"]).same
        assert not agree(part, own["result"][::-1], found["result"]).same


def test_bare_products_are_timed() -> None:
    assert ours.Flips("", "cpu", "float32").probe() > 1e8
