"""Causal scores over a tree of prefixes, against plain transformers fed one row at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audit.models import LoadOptions, attending, resolve, trie
from audit.models.continuations import CausalReader
from audit.models.network import Network, reaches
from audit.requests import CausalTokens, Request, Response, Score
from probes.errors import ModelError
from tests.memory import megabytes
from tests.models.slow_models import Slow, slow_causal

Tiny = Callable[[str], Path]
TREES = ["gpt2", "llama", "neox", "qwen2", "opt", "mistral", "mistral-wide"]
"""Architectures that must be run as trees."""
ROWS = ["gemma2"]
"""Those whose attention no layout knows: it caps its logits."""
TOLERANCE = 1e-4
"""Nats, the sum of a text."""

PEOPLE = ("nurse", "engineer", "teacher and a carpenter", "doctor")
ENDS = (" she was tired.", " he was late again.", " they work at night.", " she", " he")
REQUESTS: list[Request] = [
    *(Score(f"The {person} said that", ENDS) for person in PEOPLE),
    *(CausalTokens(f"People say that the {person} is kind;", True) for person in PEOPLE),
    *(CausalTokens(f"People say that the {person} is kind;", False) for person in PEOPLE),
    Score("", tuple(f"My neighbour is a {person}{end}" for person in PEOPLE for end in ENDS)),
    Score("", ("The", "The nurse", "The nurse said that she was tired.", "!", "The nurse said that")),
    Score("The nurse said that", ENDS),
    CausalTokens("The", True),
    CausalTokens("!", True),
    CausalTokens("!", False),
    Score("My neighbour", (" is clever.",)),
]  # fmt: skip


class Told:
    """What a model's reader did: tokens of each pass, by way."""

    def __init__(self, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reader: CausalReader = model._reader
        network = model._loaded.network
        assert math.isfinite(self.reader.reach) or self.reader.reach > 0
        self.trees: list[int] = []
        self.rows: list[int] = []
        at, plain = network.states_at, network.states
        monkeypatch.setattr(
            network, "states_at", lambda ids, where: (self.trees.append(ids.numel()), at(ids, where))[1]
        )
        monkeypatch.setattr(
            network, "states", lambda ids, mask=None: (self.rows.append(ids.numel()), plain(ids, mask))[1]
        )


def expected(slow: Slow, request: Request) -> list[list[float]]:
    """What plain transformers say of each continuation or of a text's tokens."""
    if isinstance(request, Score):
        return [slow.score(request.prefix, one) for one in request.continuations]
    assert isinstance(request, CausalTokens)
    ids = slow.ids(request.text)
    with_start = slow.logprobs([slow.start, *ids])
    return [with_start if request.keep_start else [with_start[0], *slow.logprobs(ids)]]


def assert_equal(slow: Slow, requests: list[Request], answers: list[Response]) -> None:
    spread = set()
    for request, answer in zip(requests, answers, strict=True):
        assert not answer.error
        found = (
            [choice.logprob for choice in answer.choices]
            if isinstance(request, Score)
            else [math.fsum(token.logprob for token in answer.tokens)]
        )
        sums = [math.fsum(values) for values in expected(slow, request)]
        assert found == pytest.approx(sums, abs=TOLERANCE)
        if isinstance(request, CausalTokens):
            tokens = [token.logprob for token in answer.tokens]
            assert tokens == pytest.approx(expected(slow, request)[0], abs=TOLERANCE)
        spread |= {round(value, 2) for value in sums}
    assert len(spread) > 20, "a network that says the same of every text would agree with anything"


@pytest.mark.parametrize("budget", [2048, 30])
@pytest.mark.parametrize("name", TREES + ROWS)
def test_scores_are_what_one_row_at_a_time_gives(
    tiny: Tiny, name: str, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if budget == 30:
        monkeypatch.setattr(trie, "BLOCK", 7)  # several blocks a pass, the last one not full
    model: Any = resolve(str(tiny(name)), LoadOptions(token_budget=budget))
    told = Told(model, monkeypatch)
    answers = model.ask(REQUESTS)
    assert bool(told.trees) == (name in TREES)
    assert bool(told.rows) == (name in ROWS)
    if budget == 30 and told.trees:
        assert len(told.trees) > 5 and max(told.trees) <= 31, "a trie that takes many passes"
    assert_equal(slow_causal(tiny(name)), REQUESTS, answers)


@pytest.mark.parametrize("name", TREES)
def test_a_tree_computes_each_beginning_once(tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = resolve(str(tiny(name)))
    told = Told(model, monkeypatch)
    request = Score("", tuple(f"My neighbour is a {person}{end}" for person in PEOPLE for end in ENDS))
    model.ask([request])
    slow = slow_causal(tiny(name))
    rows = [(slow.start, *slow.ids(text)) for text in request.continuations]
    assert told.trees == [len({row[:k] for row in rows for k in range(1, len(row))})]
    model.ask([request, request])
    assert told.trees[1:] == told.trees[:1], "the same text is not computed twice"


def test_texts_without_a_common_beginning_are_run_as_rows(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("gpt2")))
    told = Told(model, monkeypatch)
    model.ask(
        [CausalTokens(f"{start} nurse said that she was tired.", False) for start in ("The", "A", "My")]
    )
    assert told.rows and not told.trees


@pytest.mark.parametrize(("length", "pays"), [(10, True), (60, False)])
def test_long_rows_must_share_more(tiny: Tiny, length: int, pays: bool) -> None:
    reader: CausalReader = resolve(str(tiny("gpt2")))._reader  # type: ignore[attr-defined]
    # Two rows with a fifth of their tokens in common: nine tenths of the tokens are left.
    begun = tuple(range(length // 5))
    rows = [(*begun, *([last] * (length - len(begun))), 0) for last in (70, 80)]
    assert len(trie.forest(dict.fromkeys(rows, 1)).tokens) == 0.9 * 2 * length
    assert reader.reach > length
    assert reader._pays(trie.forest(dict.fromkeys(rows, 1))) == pays


def test_a_window_that_the_probe_did_not_reach_is_left_to_the_network(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("mistral-wide")))
    told = Told(model, monkeypatch)
    assert told.reader.reach == 24
    slow = slow_causal(tiny("mistral-wide"))
    prefix = "The nurse said that she was tired; " + "people say that Maria is kind; " * 2 + "people say that"
    assert len(slow.ids(prefix)) > 24
    requests: list[Request] = [
        Score(prefix, tuple(f" the {person}{end}" for person in PEOPLE for end in ENDS)),
        *(Score(f"{prefix} {person}", ENDS) for person in PEOPLE),
    ]
    answers = model.ask(requests)
    assert told.rows and not told.trees
    assert_equal(slow, requests, answers)
    # Where the probe reaches the window, so does the tree.
    narrow: Any = resolve(str(tiny("mistral")))
    told = Told(narrow, monkeypatch)
    assert told.reader.reach == math.inf
    answers = narrow.ask(requests)
    assert told.trees and not told.rows
    assert_equal(slow_causal(tiny("mistral")), requests, answers)


def test_a_configuration_tells_at_which_lengths_a_network_changes() -> None:
    config = {
        "sliding_window": 4096,
        "use_sliding_window": True,
        "max_window_layers": 28,
        "rope_parameters": {"original_max_position_embeddings": 8192, "factor": 4},
        "attention_chunk_size": None,
        "hidden_size": 64,
    }
    assert list(reaches(config)) == [4096, 8192]


def _no_branches(one: Any, ends: Any, depths: Any, device: Any, window: Any = None) -> None:
    """Each token reads all before it in the pass, those of other branches too."""
    true_layout(one, np.full_like(ends, len(ends)), depths, device, window)


def _no_path(one: Any, ends: Any, depths: Any, device: Any, window: Any = None) -> None:
    """Each token reads itself alone."""
    true_layout(one, np.arange(1, len(ends) + 1), depths, device, window)


def _no_window(one: Any, ends: Any, depths: Any, device: Any, window: Any = None) -> None:
    true_layout(one, ends, depths, device, None)


true_layout = trie.Branches.__init__
BROKEN = [("gpt2", _no_branches), ("llama", _no_branches), ("neox", _no_path), ("mistral", _no_window)]


@pytest.mark.parametrize(("name", "broken"), BROKEN)
def test_the_probe_refuses_a_layout_that_reads_the_wrong_tokens(
    tiny: Tiny, name: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trie.Branches, "__init__", broken)
    model: Any = resolve(str(tiny(name)))
    assert model._reader.reach == 0
    assert model._loaded.network.model.config._attn_implementation == "sdpa", "its own attention is back"
    assert_equal(slow_causal(tiny(name)), REQUESTS, model.ask(REQUESTS))


@pytest.mark.parametrize("name", TREES)
def test_the_probe_refuses_wrong_positions(tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Network.states_at
    counted = torch.arange
    monkeypatch.setattr(
        Network, "states_at", lambda self, ids, where: at(self, ids, counted(ids.shape[1])[None])
    )
    assert resolve(str(tiny(name)))._reader.reach == 0  # type: ignore[attr-defined]


def test_an_unknown_keyword_of_attention_is_refused(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attending, "HARMLESS", attending.HARMLESS - {"scaling"})
    model: Any = resolve(str(tiny("llama")))
    assert model._reader.reach == 0
    assert_equal(slow_causal(tiny("llama")), REQUESTS, model.ask(REQUESTS))


@pytest.mark.parametrize("name", ["gpt2", "gemma2"])
def test_where_memory_runs_out_less_is_done_at_once(
    tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny(name)))
    told = Told(model, monkeypatch)
    network = model._loaded.network
    for method in ("states_at", "states"):
        run = getattr(network, method)

        def small(ids: Any, *more: Any, run: Any = run) -> Any:
            if ids.numel() > 40:
                raise torch.OutOfMemoryError("no room")
            return run(ids, *more)

        monkeypatch.setattr(network, method, small)
    assert_equal(slow_causal(tiny(name)), REQUESTS, model.ask(REQUESTS))
    assert max(told.trees + told.rows) <= 40
    assert told.reader._budget.tokens in (32, 64)
    with pytest.raises(ModelError, match="memory does not hold one text"):
        model.ask([CausalTokens("!" * 50, True)])


def test_what_is_not_split_from_its_head_is_run_in_small_passes(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.models.network.Network._can_split", lambda self: False)
    model: Any = resolve(str(tiny("llama")))
    vocabulary = model._loaded.network.vocabulary
    monkeypatch.setattr("audit.models.network.LOGIT_BYTES", 2 * 16 * vocabulary)
    told = Told(model, monkeypatch)
    assert_equal(slow_causal(tiny("llama")), REQUESTS, model.ask(REQUESTS))
    assert told.trees and max(told.trees) <= 16 + 1


MANY = """
from audit.models import resolve
from audit.requests import Score

model = resolve("reference/gpt-fair")
words = "nurse teacher farmer was is kind calm tired late early young old and walked home said that".split()
def text(k):
    return "The " + " ".join(words[(k // 17**i) % 17] for i in range(4))
requests = [Score(text(k), (" today",)) for k in range(8_000)]
assert len(set(requests)) == 8_000
model.ask(requests[:3])
before = peak()
answers = model.ask(requests)
assert all(answer.choices[0].logprob is not None for answer in answers)
print(peak() - before)
"""


def test_thousands_of_requests_of_one_call_take_little_memory() -> None:
    assert megabytes(MANY) < 60, "above the loaded model, 31 as measured; in one pass, they take 89"
