"""Models and callers that misbehave: memory that ends, passes that break, threads, odd configurations."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as tf

from audit.models import LoadOptions, Plant, PlantedModel, attending, resolve
from audit.models.budget import Budget, is_out_of_memory
from audit.models.network import Network
from audit.models.packing import Packer
from audit.models.quiet import quiet
from audit.models.slots import Slots
from audit.requests import (
    Classify,
    Embed,
    Fill,
    Generate,
    PseudoTokens,
    Request,
    Response,
    Score,
)
from probes.errors import ModelError

Tiny = Callable[[str], Path]
TEXTS = ("The nurse said that she was tired.", "People walked home.", "The nurse said that he was late.")
MASKED: list[Request] = [
    *(PseudoTokens(text, "masked") for text in TEXTS),
    Fill("The {answer} walked home.", ("nurse", "doctor")),
]
ATTENTION: list[Request] = [PseudoTokens(text, "unmasked_attention") for text in TEXTS]
EMBED: list[Request] = [Embed(text, "mean") for text in TEXTS]
SCORES: list[Request] = [Score(text, (" she", " he was late.")) for text in TEXTS]
WRITTEN: list[Request] = [Generate(text, 5, 6, 1.0, 0.9, 1) for text in TEXTS]
CLASSIFIED: list[Request] = [Classify(text) for text in TEXTS]
WORK = [
    ("bert-uncased", MASKED),
    ("bert-uncased", ATTENTION),
    ("deberta-v2", MASKED),
    ("bert-encoder", EMBED),
    ("gpt2-encoder", EMBED),
    ("bert-classifier", CLASSIFIED),
    ("llama-classifier", CLASSIFIED),
    ("gpt2", SCORES),
    ("gemma2", SCORES),
    ("llama", WRITTEN),
    ("gemma2", WRITTEN),
]
IMPOSSIBLE = 2**60
"""Bytes that no machine has."""


def layers(model: Any) -> Any:
    """The layers of a model's body, which every architecture keeps in a list of its own."""
    network = model._loaded.network.model
    return next(m for _, m in network.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 2)


def assert_alike(ones: list[Response], others: list[Response]) -> None:
    def numbers(answer: Response) -> list[float | None]:
        pieces = [*(one.logprob for one in answer.choices), *(one.logprob for one in answer.tokens)]
        return [*pieces, *answer.vector, *(label.logit for label in answer.labels)]

    for one, other in zip(ones, others, strict=True):
        assert not one.error and not other.error and one.samples == other.samples
        assert numbers(one) == pytest.approx(numbers(other), abs=3e-5)


# -- memory -----------------------------------------------------------------------------------------


def test_what_this_machine_says_when_memory_runs_out_is_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(IMPOSSIBLE, dtype=torch.int8)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"))
    assert is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    assert not is_out_of_memory(RuntimeError("a bug"))
    assert not is_out_of_memory(ValueError("this text says: out of memory"))


@pytest.mark.parametrize(("name", "requests"), WORK)
def test_a_pass_that_fails_lets_go_of_its_memory_before_the_next(
    tiny: Tiny, name: str, requests: list[Request]
) -> None:
    """A true failure in the last layer: not a tensor of it lives when the next pass begins, nor any cycle."""
    model: Any = resolve(str(tiny(name)))
    usual = model.ask(requests)
    kept: list[weakref.ref[Any]] = []
    seen: list[bool] = []

    def before(module: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        states = given[0] if given else keywords["hidden_states"]
        seen.append(any(one() is not None for one in kept))
        if len(seen) == 1:
            kept.append(weakref.ref(states))
            torch.empty(IMPOSSIBLE, dtype=torch.int8)

    layers(model)[-1].register_forward_pre_hook(before, with_kwargs=True)
    gc.disable()
    try:
        answers = model.ask(requests)
    finally:
        gc.enable()
    assert len(seen) > 1 and len(kept) == 1 and not any(seen)
    assert_alike(usual, answers)


def test_one_prompt_goes_on_with_fewer_of_its_samples(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = resolve(str(tiny("llama")))
    request = Generate("The nurse said that", 200, 6, 1.0, 0.9, 3)
    whole = model.ask([request])
    step = Slots.step

    def short(self: Slots, tokens: Any) -> Any:
        if len(tokens) > 60:
            raise torch.OutOfMemoryError
        return step(self, tokens)

    monkeypatch.setattr(Slots, "step", short)
    assert model.ask([request]) == whole and len(whole[0].samples) == 200
    assert model._writer._budget.tokens == 50
    monkeypatch.setattr(Slots, "step", lambda self, tokens: short(self, [0] * 61))
    with pytest.raises(ModelError, match="memory does not hold one text"):
        model.ask([request])


@pytest.mark.parametrize("slots", [True, False])
def test_prompts_that_were_answered_before_memory_ran_out_are_passed_by(
    tiny: Tiny, slots: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("llama")))
    assert model._writer.has_slots
    model._writer.has_slots = slots
    first = Generate(" ".join(TEXTS), 1, 1, 1.0, 0.9, 3)  # ends with the pass that reads it
    asked = [first, *WRITTEN]
    whole = model.ask(asked)
    from audit.models import generation

    made = Slots if slots else generation.PaddedRows
    step = made.step

    def short(self: Any, tokens: Any) -> Any:
        if len(tokens) > 1:
            raise torch.OutOfMemoryError
        return step(self, tokens)

    monkeypatch.setattr(made, "step", short)
    assert model.ask(asked) == whole
    assert model._writer._budget.tokens == 1


def test_a_piece_is_divided_only_where_that_can_help() -> None:
    def never(part: Any) -> None:
        tried.append(budget.tokens)
        raise MemoryError

    for divides, expected in ((False, [8]), (True, [8, 4, 2, 1])):
        budget, tried = Budget(8), []
        with pytest.raises(ModelError, match="memory does not hold one text"):
            budget.spend(["a"], lambda todo, start, tokens: 1, never, divides)
        assert tried == expected


@pytest.mark.parametrize(
    ("name", "requests"), [("bert-uncased", MASKED), ("gpt2", SCORES), ("llama", WRITTEN)]
)
def test_memory_too_small_for_a_probe_or_the_weights_is_one_line(
    tiny: Tiny, name: str, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Network, "states_at", lambda *_: torch.empty(IMPOSSIBLE, dtype=torch.int8))
        patch.setattr(Packer, "_pass", lambda *_: torch.empty(IMPOSSIBLE, dtype=torch.int8))
        with pytest.raises(ModelError, match="memory does not hold one text in this model") as caught:
            resolve(str(tiny(name))).ask(requests)
        assert len(caught.value.faults) == 1
    full = RuntimeError("CUDA error: out of memory")
    for place in ("to", "from_pretrained"):
        with monkeypatch.context() as patch:

            def none(*_: Any, **__: Any) -> Any:
                raise full

            patch.setattr(tf.PreTrainedModel, place, none)
            with pytest.raises(ModelError, match=r"memory does not hold this model\. Free memory") as caught:
                resolve(str(tiny(name)))


# -- passes that break ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "requests"), WORK)
def test_a_pass_that_breaks_leaves_the_network_as_it_was(
    tiny: Tiny, name: str, requests: list[Request]
) -> None:
    model: Any = resolve(str(tiny(name)))
    usual = model.ask(requests)
    network = model._loaded.network.model
    way = network.config._attn_implementation

    def broken(*_: Any) -> None:
        raise KeyError("a hook of the user's own")

    hook = layers(model)[-1].register_forward_hook(broken)
    with pytest.raises(KeyError, match="of the user's own"):
        model.ask(requests)
    hook.remove()
    assert attending._ACTIVE.layout is None and network.config._attn_implementation == way
    assert not any(m._forward_pre_hooks for m in network.modules())
    assert "forward" not in vars(network.base_model)
    assert_alike(usual, model.ask(requests))


def test_one_probe_that_fails_takes_nothing_from_another(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written in slots needs the layouts, also where trees are refused after it."""
    model: Any = resolve(str(tiny("llama")))
    written = model.ask(WRITTEN)
    assert model._writer.has_slots
    monkeypatch.setattr(type(model._reader), "_tree_is_exact", lambda self: False)
    assert model._reader.reach == 0
    assert_alike(written, model.ask(WRITTEN))


def test_a_model_may_be_asked_while_another_answers(tiny: Tiny) -> None:
    """Also from within a pass, and by several threads at once."""
    models: list[Any] = [resolve(str(tiny(name))) for name in ("bert-uncased", "gpt2")]
    work = [MASKED, [*SCORES, *WRITTEN]]
    usual = [model.ask(requests) for model, requests in zip(models, work, strict=True)]
    within: list[list[Response]] = []
    hook = layers(models[0])[-1].register_forward_hook(
        lambda *_: within.append(models[1].ask(work[1])) or None
    )
    assert_alike(usual[0], models[0].ask(work[0]))
    hook.remove()
    assert within
    for answers in within:
        assert_alike(usual[1], answers)
    with ThreadPoolExecutor(4) as pool:
        for k, answers in pool.map(lambda k: (k % 2, models[k % 2].ask(work[k % 2])), range(24)):
            assert_alike(usual[k], answers)


def test_a_planted_model_asks_the_one_that_it_wraps(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    plant = Plant("nurse", ("she",), 0.5)
    planted = PlantedModel(PlantedModel(model, [plant]), [plant])
    [one], [other] = (m.ask([Score("The nurse said that", (" she", " he"))]) for m in (model, planted))
    assert [b.logprob - a.logprob for a, b in zip(one.choices, other.choices, strict=True)] == [1.0, 0.0]  # type: ignore[operator]


# -- odd configurations -----------------------------------------------------------------------------


def changed(folder: Path, where: Path, **settings: Any) -> Path:
    """A copy of a model with other settings."""
    shutil.copytree(folder, where)
    config = json.loads((where / "config.json").read_text())
    (where / "config.json").write_text(json.dumps({**config, **settings}))
    return where


@pytest.mark.parametrize("name", ["bert-uncased", "gpt2", "bert-classifier"])
def test_attention_that_a_configuration_names_is_kept(tiny: Tiny, name: str, tmp_path: Path) -> None:
    requests = {"bert-uncased": MASKED, "gpt2": [*SCORES, *WRITTEN], "bert-classifier": CLASSIFIED}[name]
    eager: Any = resolve(str(changed(tiny(name), tmp_path / "eager", attn_implementation="eager")))
    eager._loaded.network.use_attention("eager")
    assert_alike(resolve(str(tiny(name))).ask(requests), eager.ask(requests))


def test_dropout_and_problem_types_of_classifiers(tiny: Tiny, tmp_path: Path) -> None:
    usual = resolve(str(tiny("bert-classifier"))).ask(CLASSIFIED)
    dropped = changed(
        tiny("bert-classifier"), tmp_path / "a", classifier_dropout=0.9, hidden_dropout_prob=0.9
    )
    assert_alike(usual, resolve(str(dropped)).ask(CLASSIFIED))
    for kind, activation in (
        ("single_label_classification", "softmax"),
        ("multi_label_classification", "sigmoid"),
    ):
        model = resolve(str(changed(tiny("bert-classifier"), tmp_path / kind, problem_type=kind)))
        answers = model.ask(CLASSIFIED)
        assert_alike(usual, answers)
        assert {answer.activation for answer in answers} == {activation}
    holes = changed(
        tiny("bert-classifier"), tmp_path / "b", id2label={"0": "calm", "2": "angry", "3": "afraid"}
    )
    with pytest.raises(ModelError, match="id2label does not number its labels from 0 on"):
        resolve(str(holes))


class MeanPooled(tf.BertForSequenceClassification):  # type: ignore[misc]
    """A classifier that reads all tokens of a row, and not the first alone."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.bert.pooler.forward = lambda states: torch.tanh(self.bert.pooler.dense(states.mean(1)))


def test_a_pooler_of_all_tokens_is_not_trimmed(tiny: Tiny) -> None:
    model: Any = resolve(str(tiny("bert-classifier")))
    with quiet():
        pooled = MeanPooled.from_pretrained(tiny("bert-classifier")).eval()
    assert model._packer.packs
    network = Network(pooled, torch.device("cpu"), has_head=False)
    assert not Packer(network, "labels").packs
    assert pooled.config._attn_implementation == "sdpa"


class Twice(torch.nn.Module):
    """A layer that is run twice."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, states: Any, *given: Any, **keywords: Any) -> Any:
        first = self.layer(states, *given, **keywords)
        return self.layer(first[0] if isinstance(first, tuple) else first, *given, **keywords)


@pytest.mark.parametrize("name", ["bert-uncased", "llama"])
def test_a_layer_that_is_run_twice_gives_what_it_gives_alone(tiny: Tiny, name: str) -> None:
    model: Any = resolve(str(tiny(name)))
    stack = layers(model)
    stack[-1] = Twice(stack[-1])
    fresh = type(model)(model._loaded)
    requests = MASKED if name == "bert-uncased" else SCORES
    alone = [answer for request in requests for answer in fresh.ask([request])]
    assert_alike(alone, fresh.ask(requests))
    if name == "llama":
        assert not fresh._writer.has_slots, "its keys are written twice"
        assert_alike([one for request in WRITTEN for one in fresh.ask([request])], fresh.ask(WRITTEN))


def test_a_mask_of_a_model_s_own_is_not_passed_over(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be lost in a layout, and a short probe might not miss it."""
    mask = torch.zeros(1, 1, 1, 1)
    monkeypatch.setattr("transformers.models.bert.modeling_bert.create_bidirectional_mask", lambda **_: mask)
    model: Any = resolve(str(tiny("bert-uncased")))
    assert not model._reader._packer.packs
    assert model._loaded.network.model.config._attn_implementation == "sdpa"


def test_rows_longer_than_a_probe_speaks_of_are_not_written_in_slots(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny("llama")))
    whole = model.ask(WRITTEN)
    assert model._writer.has_slots
    lengths = [len(model._writer.encode(text)) + 6 for text in TEXTS]
    model._loaded.network._reaches.append(min(lengths))  # as "attention_chunk_size" of a configuration says
    made: list[int] = []
    init = Slots.__init__
    monkeypatch.setattr(
        Slots, "__init__",
        lambda self, network, count, most: (made.append(most), init(self, network, count, most))[1],
    )  # fmt: skip
    assert_alike(whole, [model.ask([request])[0] for request in WRITTEN])
    assert made == [min(lengths)] and max(lengths) > min(lengths), (
        "longer ones have a cache of transformers' own"
    )


def test_half_precision_and_a_small_budget_are_no_traceback(tiny: Tiny) -> None:
    assert resolve(str(tiny("gpt2")), LoadOptions(token_budget=1)).ask(SCORES[:1])[0].choices
