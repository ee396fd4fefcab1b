"""Writing: the same text in batches of any size and order, after a resume, and one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf

from audit.models import resolve
from audit.models.budget import Budget
from audit.models.catalog import is_fetched
from audit.models.network import Network
from audit.models.sampling import sample_key
from audit.models.slots import Slots, slots_are_exact
from audit.requests import Generate, Request, Response, digest
from probes.errors import ModelError
from tests.models.slow_sampling import sample
from tests.models.tiny_models import GPT2, SIZES

Tiny = Callable[[str], Path]
NAMES = ["gpt2", "llama", "neox"]
TEXTS = [
    "The nurse said that",
    "People",
    "My neighbour is a doctor, and they work at night. The",
    "A teacher and a carpenter walked home together.",
    "",
    "The engineer said",
    "People say that Maria",
    "The nurse said that she was",
]
REQUESTS = [Generate(text, 25, 4 + 2 * (i % 4), 1.0, 0.9, 3) for i, text in enumerate(TEXTS)]
"""200 samples, of several lengths."""


def ask(model: Any, requests: list[Generate], rows: int = 200) -> list[Response]:
    """Answers, with so many rows at once."""
    model._writer._budget = Budget(rows)
    asked: list[Request] = list(requests)
    answers: list[Response] = model.ask(asked)
    assert all(len(a.samples) == r.samples and not a.error for a, r in zip(answers, requests, strict=True))
    return answers


@pytest.mark.parametrize(
    ("name", "slots"), [("gpt2", True), ("llama", True), ("neox", True), ("llama", False)]
)
def test_200_of_200_samples_are_the_same_in_any_batch(tiny: Tiny, name: str, slots: bool) -> None:
    model: Any = resolve(str(tiny(name)))
    assert model._writer.has_slots
    whole = ask(model, REQUESTS)
    model._writer.has_slots = slots
    for rows in (25, 100):
        assert ask(model, REQUESTS, rows) == whole
    assert ask(model, REQUESTS[::-1], 100) == whole[::-1]
    assert [*ask(model, REQUESTS[:3]), *ask(model, REQUESTS[3:])] == whole
    assert len({s.text for a in whole for s in a.samples}) > 150


@pytest.mark.parametrize("name", NAMES)
def test_rows_in_slots_equal_one_row_at_a_time_without_a_cache(
    tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full passes over one row, a sorted nucleus, the same noise; log-probabilities within 1e-4."""
    model: Any = resolve(str(tiny(name)))
    network = model._loaded.network
    stops = model._writer._stops
    drawn_from: dict[tuple[int, int], torch.Tensor] = {}
    original = Network.logits

    def slow_logits(row: list[int]) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = network.model(input_ids=torch.tensor([row])).logits[0, -1:]
        return logits

    from audit.models import stream

    draws = stream.sample

    def spy(logits: torch.Tensor, keys: Any, counts: Any, *how: Any) -> Any:
        for i in range(len(keys)):
            drawn_from[int(keys[i]), int(counts[i])] = logits[i].clone()
        return draws(logits, keys, counts, *how)

    monkeypatch.setattr(stream, "sample", spy)
    requests = [replace(r, samples=2) for r in REQUESTS]
    answers = ask(model, requests, 5)
    assert Network.logits is original
    worst = 0.0
    for request, answer in zip(requests, answers, strict=True):
        prompt = model._writer.encode(request.prompt)
        for k, found in enumerate(answer.samples):
            key = sample_key(request.seed, digest(request), k)
            row, ended = list(prompt), False
            for position in range(request.max_new_tokens):
                logits = slow_logits(row)
                ours = drawn_from[key, position].double().log_softmax(-1)
                worst = max(worst, float((logits[0].double().log_softmax(-1) - ours).abs().max()))
                token = int(
                    sample(
                        logits.numpy(),
                        np.array([key], np.uint64),
                        np.array([position]),
                        np.array([request.temperature]),
                        np.array([request.top_p]),
                    )[0]
                )
                if token in stops:
                    ended = True
                    break
                row.append(token)
            assert found.finish == ("stop" if ended else "length")
            assert found.tokens == len(row) - len(prompt)
            assert found.text == model._writer._continuation(tuple(prompt), tuple(row[len(prompt) :]))
    assert 0 < worst < 1e-4


def test_no_token_lies_outside_the_nucleus_of_transformers(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.models import stream

    model: Any = resolve(str(tiny("gpt2")))
    warper = tf.TopPLogitsWarper(top_p=0.9)
    draws = stream.sample
    inside: list[bool] = []

    def spy(logits: torch.Tensor, *how: Any) -> Any:
        drawn = draws(logits, *how)
        kept = warper(None, logits)
        inside.extend(torch.isfinite(kept[torch.arange(len(drawn)), torch.from_numpy(drawn)]).tolist())
        return drawn

    monkeypatch.setattr(stream, "sample", spy)
    ask(model, REQUESTS)
    assert len(inside) > 300
    assert all(inside)


def causal(name: str) -> Any:
    """A tiny model of an architecture that is not built with a tokenizer."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {**SIZES, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2}
    shared = {**sizes, "num_key_value_heads": 1}
    match name:
        case "qwen2":
            model: Any = tf.Qwen2ForCausalLM(tf.Qwen2Config(**shared))
        case "opt":
            other = {"ffn_dim": 64, "word_embed_proj_dim": 32, "init_std": 0.4}
            model = tf.OPTForCausalLM(tf.OPTConfig(**sizes, **other))
        case "mistral":
            model = tf.MistralForCausalLM(tf.MistralConfig(**shared, sliding_window=4))
        case "gemma2":
            model = tf.Gemma2ForCausalLM(tf.Gemma2Config(**shared, head_dim=16))
        case "llama":
            model = tf.LlamaForCausalLM(tf.LlamaConfig(**shared))
        case "llama-dynamic":
            rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
            model = tf.LlamaForCausalLM(tf.LlamaConfig(**shared, rope_parameters=rope))
        case _:
            ends = {"bos_token_id": 1, "eos_token_id": 2}
            model = tf.GPT2LMHeadModel(tf.GPT2Config(vocab_size=50, **GPT2, **ends))
    return model.eval()


@pytest.mark.parametrize("name", ["qwen2", "opt", "llama", "gpt2"])
def test_slots_are_exact_where_a_probe_says_so(name: str) -> None:
    """Rows that begin at different times, move, and grow: each has the logits that it has alone."""
    network = Network(causal(name), torch.device("cpu"))
    assert slots_are_exact(network)
    rng = np.random.default_rng(0)
    prompts = [tuple(rng.integers(3, 50, n).tolist()) for n in (9, 1, 4, 4, 6, 2)]
    slots = Slots(network, 4, 30)
    with torch.inference_mode():
        packed = slots.read(prompts)
        number = {row: i for i, row in enumerate(packed.rows)}
        slots.enter(packed, np.array([number[prompts[i]] for i in (0, 1, 2, 4)]), np.array([3, 0, 2, 1]))
        rows = [prompts[1], prompts[4], prompts[2], prompts[0]]
        for step in range(12):
            if step == 4:
                slots.enter(packed, np.array([number[prompts[5]]]), np.array([2]))
                rows[2] = prompts[5]
            if step == 8:
                slots.move(np.array([3]), np.array([0]), 3)
                rows = [rows[3], *rows[1:3]]
            tokens = rng.integers(3, 50, len(rows))
            found = network.logits(slots.step(tokens))
            rows = [(*row, token) for row, token in zip(rows, tokens.tolist(), strict=True)]
            for row, logits in zip(rows, found, strict=True):
                alone = network.model(input_ids=torch.tensor([row])).logits[0, -1]
                assert torch.allclose(logits, alone, atol=1e-4)


@pytest.mark.parametrize("name", ["mistral", "gemma2", "llama-dynamic"])
def test_what_a_layout_does_not_know_is_refused_and_undone(name: str) -> None:
    model = causal(name)
    before = model.config._attn_implementation
    assert not slots_are_exact(Network(model, torch.device("cpu")))
    assert model.config._attn_implementation == before


def test_a_probe_sees_a_layout_that_reads_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.models import slots

    network = Network(causal("llama"), torch.device("cpu"))
    monkeypatch.setattr(slots._Step, "_visible", lambda *_: None)
    assert not slots_are_exact(network)


def test_memory_that_runs_out_means_fewer_rows_and_the_same_text(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("llama")))
    whole = ask(model, REQUESTS)
    step, seen = Slots.step, []

    def short(self: Slots, tokens: Any) -> Any:
        seen.append(len(tokens))
        if len(tokens) > 60 and len(seen) > 5:
            raise torch.OutOfMemoryError
        return step(self, tokens)

    monkeypatch.setattr(Slots, "step", short)
    assert ask(model, REQUESTS) == whole
    assert model._writer._budget.tokens == 50
    assert max(seen) == 200

    def none(self: Slots, tokens: Any) -> Any:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Slots, "step", none)
    with pytest.raises(ModelError, match="memory does not hold one text"):
        ask(model, REQUESTS)


def test_a_row_that_ends_makes_room_at_once(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = resolve(str(tiny("gpt2")))
    assert model._writer.has_slots
    step, seen = Slots.step, []

    def count(self: Slots, tokens: Any) -> Any:
        seen.append(len(tokens))
        return step(self, tokens)

    monkeypatch.setattr(Slots, "step", count)
    answers = ask(model, REQUESTS, 20)
    # Every token but the last of a row is fed; a row that the model ended was fed all that it wrote.
    fed = sum(s.tokens - (s.finish == "length") for a in answers for s in a.samples)
    assert sum(seen) == fed
    assert len({s.tokens for a in answers for s in a.samples}) > 3
    full = [n == 20 for n in seen]
    assert full[: full.index(False)] == [True] * full.index(False)
    assert sum(full) > 0.8 * len(full)


def test_a_short_cache_holds_fewer_rows(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = resolve(str(tiny("llama")))
    whole = ask(model, REQUESTS)
    writer = model._writer
    monkeypatch.setattr("audit.models.generation.CACHE_BYTES", 200 * writer._cache_bytes_per_token)
    made: list[tuple[int, int]] = []
    init = Slots.__init__

    def spy(self: Slots, network: Network, count: int, capacity: int) -> None:
        made.append((count, capacity))
        init(self, network, count, capacity)

    monkeypatch.setattr(Slots, "__init__", spy)
    assert ask(model, REQUESTS) == whole
    assert len(made) > 1
    assert all(count * capacity <= 200 for count, capacity in made)


def test_logits_that_are_no_numbers_are_an_error(tiny: Tiny) -> None:
    model: Any = resolve(str(tiny("gpt2")))
    with torch.no_grad():
        model._loaded.network.model.transformer.wte.weight[7] = torch.nan
    (answer,) = model.ask([Generate("The", 2, 5, 1.0, 0.9, 1)])
    assert "not a number" in answer.error
    assert not answer.samples


def test_nothing_is_written_where_nothing_is_asked(tiny: Tiny) -> None:
    model: Any = resolve(str(tiny("gpt2")))
    none, empty, one = model.ask([Generate("The", n, m, 1.0, 0.9, 1) for n, m in ((0, 5), (2, 0), (1, 1))])
    assert none.samples == ()
    assert [(s.text, s.tokens, s.finish) for s in empty.samples] == [("", 0, "length")] * 2
    assert len(one.samples) == 1


def test_one_prompt_under_two_names_of_noise_is_read_once(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("llama")))
    assert model._writer.has_slots
    read, rows = Slots.read, []

    def spy(self: Slots, given: Any) -> Any:
        rows.extend(given)
        return read(self, given)

    monkeypatch.setattr(Slots, "read", spy)
    one, two = ask(model, [Generate("People", 4, 9, 1.0, 0.9, 3, noise) for noise in ("a", "b")])
    assert rows == [model._writer.encode("People")]
    assert one != two
    alike, other = ask(model, [Generate(text, 4, 9, 1.0, 0.9, 3, "a") for text in ("People", "The")])
    assert alike == one
    assert other != two


def test_smollm2_writes_the_same_in_any_batch() -> None:
    name = "smollm2-135m"
    if not is_fetched(name):
        pytest.skip(f"{name} is not fetched (evenhand models fetch {name})")
    model: Any = resolve(name)
    requests = [Generate(text or "It", 25, 3, 1.0, 0.9, 3) for text in TEXTS]
    whole = ask(model, requests)
    assert model._writer.has_slots
    # In smaller batches, after a resume.
    assert [*ask(model, requests[:5], 25), *ask(model, requests[5:], 100)] == whole
