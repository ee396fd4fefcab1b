"""The same numbers whatever is run together: budgets, extremes, half precision, and what is no number."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from audit.models import LoadOptions, devices, packing, resolve, sampling, trie
from audit.models import slots as slots_module
from audit.models.network import same
from audit.models.packing import Packer
from audit.models.slots import Slots
from audit.requests import (
    CausalTokens,
    Classify,
    Embed,
    Fill,
    Generate,
    Hidden,
    Insert,
    Pooling,
    PseudoTokens,
    Request,
    Response,
    Scheme,
    Score,
    Top,
)

Tiny = Callable[[str], Path]
BUDGETS = (1, 64, 2048, 100_000)
TOLERANCE = 1e-5
"""Nats, and coordinates, of tiny networks in float32."""

TEXTS = (
    "The nurse said that she was tired.",
    "The nurse said that he was late again, and people walked home together at night.",
    "she",
    "People say that Maria is kind.",
)
WORDS = ("nurse", "tistanae")
MASKED: list[Request] = [
    *(PseudoTokens(text, scheme) for text in TEXTS for scheme in get_args(Scheme)),
    *(Embed(text, pooling) for text in TEXTS for pooling in get_args(Pooling)),
    *(form(f"{text} The {{answer}} walked.", WORDS) for text in TEXTS for form in (Fill, Insert)),
    Hidden("The {answer} was tired.", "was", ("nurse", "doctor")),
    *(Top(f"{text} The {{answer}} walked.", 4) for text in TEXTS),
]  # fmt: skip
CAUSAL: list[Request] = [
    *(CausalTokens(text, keep) for text in TEXTS for keep in (True, False)),
    *(Score(text, (" she", " he was late again.", " Maria")) for text in TEXTS),
    *(Embed(text, pooling) for text in TEXTS for pooling in get_args(Pooling)),
    *(Generate(text, 6, 5, 1.0, 0.9, 1) for text in TEXTS),
]
CLASSIFIED: list[Request] = [Classify(text) for text in TEXTS]

ENCODERS = ("bert-uncased", "roberta", "distilbert", "albert", "electra", "deberta-v2")


def numbers(answer: Response) -> list[float]:
    """All numbers of an answer."""
    found = [*answer.vector, *(one.logprob for one in (*answer.tokens, *answer.choices))]
    found += [token.weight for token in answer.tokens if token.weight is not None]
    return [value for value in (*found, *(label.logit for label in answer.labels)) if value is not None]


def assert_alike(ones: list[Response], others: list[Response], tolerance: float = TOLERANCE) -> None:
    for one, other in zip(ones, others, strict=True):
        assert one.error == other.error
        assert one.samples == other.samples
        assert [token.id for token in one.tokens] == [token.id for token in other.tokens]
        found = numbers(one)
        assert found or one.samples or one.error
        assert numbers(other) == pytest.approx(found, rel=1e-6, abs=tolerance)


@pytest.mark.parametrize(
    ("name", "requests"),
    [
        *((name, MASKED) for name in ENCODERS),
        *((name, CAUSAL) for name in ("gpt2", "llama", "neox", "opt", "mistral", "gemma2")),
        *((f"{name}-classifier", CLASSIFIED) for name in ("bert", "deberta", "llama")),
        ("bert-multilabel", CLASSIFIED),
        ("roberta-encoder", [one for one in MASKED if isinstance(one, Embed)]),
    ],
)  # fmt: skip
def test_numbers_are_the_same_at_any_budget(tiny: Tiny, name: str, requests: list[Request]) -> None:
    answers = [resolve(str(tiny(name)), LoadOptions(token_budget=budget)).ask(requests) for budget in BUDGETS]
    for other in answers[1:]:
        assert_alike(answers[0], other)
    assert not any(answer.error for answer in answers[0])


@pytest.mark.parametrize("name", ["bert-uncased", "gpt2", "bert-classifier", "roberta-encoder"])
def test_nothing_and_the_same_ten_thousand_times(tiny: Tiny, name: str) -> None:
    model: Any = resolve(str(tiny(name)))
    assert model.ask([]) == []
    forms = {"fill": Fill("The {answer} walked.", ("nurse",)), "score": Score("The nurse", (" said",)),
             "classify": Classify("she said"), "embed": Embed("she said", "mean")}  # fmt: skip
    for form in sorted(model.capabilities & forms.keys()):
        request: Any = forms[form]
        model.ask([request])  # and whatever is probed for it
        passes: list[int] = []
        hook = model._loaded.network.model.register_forward_hook(lambda *_, seen=passes: seen.append(1))
        answers = model.ask([request] * 10_000)
        hook.remove()
        assert len(answers) == 10_000 and len(passes) <= 2
        assert all(answer == answers[0] for answer in answers) and not answers[0].error


def test_a_thousand_candidates_and_texts_of_one_token(tiny: Tiny) -> None:
    bert, gpt2 = resolve(str(tiny("bert-uncased"))), resolve(str(tiny("gpt2")))
    words = tuple(f"nurse{i % 7}teacher{i}" for i in range(1000))
    [answer] = bert.ask([Fill("The {answer} walked.", words)])
    some = bert.ask([Fill("The {answer} walked.", (word,)) for word in words[:3]])
    assert [c.logprob for c in answer.choices[:3]] == pytest.approx(
        [one.choices[0].logprob for one in some], abs=1e-4
    )
    one_token = gpt2.ask([CausalTokens("!", True), CausalTokens("!", False), Score("", ("!",))])
    assert [len(one.tokens or one.choices) for one in one_token] == [1, 1, 1]
    assert one_token[0].tokens[0].logprob == one_token[2].choices[0].logprob


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "distilbert", "electra"])
def test_packed_texts_at_the_very_limit_of_positions(tiny: Tiny, name: str) -> None:
    model: Any = resolve(str(tiny(name)))
    assert model._reader._packer.packs
    limit = model.describe()["max_tokens"]
    ends = 2
    word = next(w for w in ("she", "!") if len(model._loaded.tokenizer(w * 1)["input_ids"]) == 1 + ends)
    texts = [" ".join([word] * n) for n in (limit - ends, limit - ends, limit - ends - 1, 3)]
    texts = [text if word == "she" else text.replace(" ", "") for text in texts]
    over = texts[0] + (" she" if word == "she" else "!!")
    asked: list[Request] = [PseudoTokens(text, "unmasked") for text in (*texts, over)]
    answers = model.ask(asked)
    assert answers[-1].error.startswith("the text is too long")
    assert len(answers[0].tokens) >= limit - ends - 2
    alone = [model.ask([request])[0] for request in asked]
    assert_alike(answers, alone)


def test_a_position_that_stretches_is_the_same_beside_a_longer_text(tiny: Tiny) -> None:
    """Rows beyond a length turn the positions of all rows of their pass: they are never padded together."""
    model: Any = resolve(str(tiny("qwen2-longrope")))
    assert model._loaded.network.stretches and not model._writer.has_slots
    parts = ["The nurse" + " was" * count for count in range(13, 17)]
    lengths = [len(model._loaded.tokenizer(text)["input_ids"]) for text in parts]
    assert min(lengths) < 16 < max(lengths) and min(lengths) >= 0.8 * max(lengths)
    asked: list[Request] = [CausalTokens(text, keep) for text in parts for keep in (True, False)]
    asked += [Generate(text, 3, 6, 1.0, 0.9, 1) for text in parts]
    assert_alike(model.ask(asked), [model.ask([request])[0] for request in asked])


# -- what counts as the same ------------------------------------------------------------------------


def test_one_rule_says_what_counts_as_the_same() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 1000) * 5
    for dtype, rounding in ((torch.float32, 1e-4), (torch.bfloat16, 0.05), (torch.float16, 0.005)):
        assert same(logits + rounding, logits, dtype)
        assert not same(logits + 100 * rounding, logits, dtype)
    ruled_out = torch.cat([logits, torch.full((3, 50), -1e9)], 1)
    assert not same(ruled_out + 0.1, ruled_out, torch.float32), "a few huge numbers excuse nothing"
    ruled_out[:, 1000:] = -torch.inf
    assert same(ruled_out + 1e-6, ruled_out, torch.float32)
    assert not same(logits[:, :999], logits, torch.float32)
    none = logits.clone()
    none[1, 7] = torch.nan
    assert not same(none, none, torch.float32)
    small = torch.randn(100) * 1e-4
    assert not same(small * 1.01, small, torch.float32) and same(
        small * 1.01, small, torch.float32, least=1.0
    )


BRANCHES = trie.Branches.__init__
BLOCKS = packing.blocks_of


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> LoadOptions:
    """What a GPU does in half precision, on a processor that is said to offer it."""
    monkeypatch.setattr(devices, "HALF_DEVICES", frozenset({"cpu"}))
    return LoadOptions(device="cpu", dtype="bfloat16")


@pytest.mark.parametrize("name", ["gpt2", "llama", "neox"])
def test_fast_ways_are_taken_in_half_precision_where_they_are_right(
    tiny: Tiny, name: str, half: LoadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny(name)), half)
    network = model._loaded.network
    assert network.is_split and model._reader.reach > 0 and model._writer.has_slots
    assert network.takes_left_padding()
    monkeypatch.setattr(
        trie.Branches, "__init__",
        lambda one, ends, depths, *more: BRANCHES(one, np.full_like(ends, len(ends)), depths, *more),
    )  # fmt: skip
    monkeypatch.setattr(slots_module._Step, "_visible", lambda *_: None)
    wrong: Any = resolve(str(tiny(name)), half)
    assert wrong._reader.reach == 0 and not wrong._writer.has_slots
    assert wrong._loaded.network.model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("name", ["bert-uncased", "roberta", "bert-classifier", "llama-classifier"])
def test_packs_and_padding_in_half_precision(
    tiny: Tiny, name: str, half: LoadOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny(name)), half)
    if name == "llama-classifier":
        assert model._takes_padding
    else:
        packer: Packer = model._packer if "classifier" in name else model._reader._packer
        assert packer.packs and packer.trims
        monkeypatch.setattr(
            packing, "blocks_of", lambda lengths, wanted: BLOCKS([sum(lengths)], [sum(wanted)])
        )
        wrong: Any = resolve(str(tiny(name)), half)
        assert not (wrong._packer if "classifier" in name else wrong._reader._packer).packs


def test_float64_is_made_on_the_processor_or_where_a_device_has_it() -> None:
    """MPS has no float64: it is reached through ``doubled``, or after ``.cpu()``."""
    found = 0
    for path in Path(devices.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr != "double":
                continue
            found += 1
            before = node.func.value
            moved = isinstance(before, ast.Call) and isinstance(before.func, ast.Attribute)
            on_processor = moved and before.func.attr in ("cpu", "from_numpy")  # type: ignore[union-attr]
            assert on_processor or path.name in ("devices.py", "embedding.py"), f"{path.name}:{node.lineno}"
    assert found > 4


# -- temperatures and nuclei ------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1e-320, 1e-46, 1e-6])
@pytest.mark.parametrize("top_p", [1e-9, 0.9, 1.0])
def test_the_coldest_draws_the_likeliest(temperature: float, top_p: float) -> None:
    logits = torch.randn(40, 500, generator=torch.Generator().manual_seed(1)) * 4
    keys = np.arange(40, dtype=np.uint64)
    how = np.zeros(40, np.int64), np.full(40, temperature), np.full(40, top_p)
    assert sampling.sample(logits, keys, *how).tolist() == logits.argmax(1).tolist()


@pytest.mark.parametrize("temperature", [100.0, 1e46, 1e300])
def test_the_hottest_draws_all_that_is_possible_alike(temperature: float) -> None:
    logits = torch.randn(4000, 40, generator=torch.Generator().manual_seed(1))
    logits[:, 30:] = -torch.inf
    keys = np.arange(4000, dtype=np.uint64)
    how = np.zeros(4000, np.int64), np.full(4000, temperature), np.ones(4000)
    counts = np.bincount(sampling.sample(logits, keys, *how), minlength=40)
    assert not counts[30:].any()
    # 30 cells of 133 expected: chi-squared with 29 degrees, its 1 - 1e-6 quantile is 83.
    assert float(((counts[:30] - 4000 / 30) ** 2 / (4000 / 30)).sum()) < 83


def test_what_cannot_be_drawn_is_an_error_of_its_own(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    asked = [(2, 3, -1.0, 0.9), (2, 3, 1.0, 0.0), (-2, 3, 1.0, 0.9), (2, -3, 1.0, 0.9), (2, 3, 1.0, 0.9)]
    answers = model.ask([Generate("The", *one, 1) for one in asked])
    assert [bool(answer.error) for answer in answers] == [True] * 4 + [False]
    assert answers[2].error == "-2 samples of 3 tokens are asked for"


# -- what is no number ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["neox", "qwen2", "mistral"])
@pytest.mark.parametrize("tree", [True, False])
def test_a_token_that_is_no_number_harms_the_texts_that_hold_it_alone(
    tiny: Tiny, name: str, tree: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = resolve(str(tiny(name)))
    assert model._reader.reach > 0
    monkeypatch.setattr(model._reader, "_pays", lambda trees: tree)
    ids = model._loaded.tokenizer(" Maria")["input_ids"]
    embeddings = model._loaded.network.model.get_input_embeddings().weight
    assert embeddings is not model._loaded.network.model.get_output_embeddings().weight
    ends = [" she", " he", " kind"]
    asked: list[Request] = [
        Score("People say that", (*ends, " Maria is kind", " Maria", " people walked home")),
        CausalTokens("People say", True),
        CausalTokens("People say Maria is", True),
        *(Generate(text, 8, 12, 1.0, 1.0, 1) for text in ("People say", "The nurse said", "she")),
        Generate("People say Maria is", 8, 12, 1.0, 1.0, 1),
    ]  # fmt: skip
    with torch.no_grad():
        embeddings[ids[-1]] = torch.nan
    alone = [resolved for request in asked for resolved in model.ask([request])]
    assert [bool(one.error) for one in alone[:3]] == [False, False, True]
    assert sum(choice.logprob is None for choice in alone[0].choices) == 1
    assert_alike(model.ask(asked), alone)


def test_a_place_in_the_cache_forgets_what_was_no_number(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample draws a token whose keys are no numbers; the next one in its place is written all the same."""
    model: Any = resolve(str(tiny("neox")))
    network = model._loaded.network
    assert model._writer.has_slots
    rows = [(5, 9, 7, 6, 8), (5, 9)]
    for cleared in (True, False):
        slots = Slots(network, 2, 12)
        with torch.inference_mode():
            packed = slots.read(rows)
            which = {row: i for i, row in enumerate(packed.rows)}
            slots.enter(packed, np.array([which[rows[0]]] * 2), np.arange(2))
            for own in slots._layers.values():
                own[1][1, :, 5] = torch.nan
            if cleared:
                slots.clear(np.array([1]))
            slots.enter(packed, np.array([which[rows[1]]]), np.array([1]))
            slots.step(np.array([7, 7]))
            assert bool(slots.step(np.array([6, 6]))[1].isfinite().all()) == cleared
    drawn: list[int] = []
    forgotten: list[int] = []
    step, clear = Slots.step, Slots.clear
    monkeypatch.setattr(Slots, "step", lambda self, ids: (drawn.extend(ids.tolist()), step(self, ids))[1])
    monkeypatch.setattr(
        Slots, "clear", lambda self, places: (forgotten.extend(places.tolist()), clear(self, places))[1]
    )
    asked: list[Request] = [Generate("People say", 30, 20, 1.0, 1.0, 1)]
    assert model.ask(asked)[0].samples and not forgotten
    with torch.no_grad():
        network.model.get_input_embeddings().weight[max(set(drawn), key=drawn.count)] = torch.nan
    assert model.ask(asked)[0].error and forgotten
