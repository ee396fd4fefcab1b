"""At the size of bert-base and gpt2: what published measures ask equals a loop of one row at a time."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

from audit.models import resolve
from audit.models.quiet import quiet
from audit.requests import CausalTokens, Insert, PseudoTokens, Score
from tests.models.conftest import REAL_MODELS

TOLERANCE = 1e-4
"""Nats, a token."""
PAIRS = Path(__file__).resolve().parents[3] / "shared" / "data" / "crows_pairs" / "crows_pairs_anonymized.csv"
TOKENIZER = REAL_MODELS / "minilm-l6-mlm"


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """The sentences of a published pair."""
    if not PAIRS.is_file():
        pytest.skip("the published pairs are not on this machine (../shared/data)")
    with PAIRS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [rows[1][side] for side in ("sent_more", "sent_less")]


@pytest.fixture(scope="module")
def vocabulary() -> Path:
    if not TOKENIZER.is_dir():
        pytest.skip("the tokenizer of bert-base-uncased is not on this machine (../shared/models)")
    return TOKENIZER


def saved(folder: Path, model: Any, vocabulary: Path) -> Path:
    tokenizer = tokenizer_of(vocabulary)
    if isinstance(model, GPT2LMHeadModel):
        tokenizer.bos_token = tokenizer.cls_token
    with quiet():
        model.eval().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory, vocabulary: Path) -> Iterator[tuple[Any, Any]]:
    """bert-base with random weights, whose predictions differ: the loop's network, and ours."""
    torch.manual_seed(0)
    network = BertForMaskedLM(BertConfig(vocab_size=30522, initializer_range=0.05)).eval()
    assert sum(p.numel() for p in network.parameters()) > 109e6
    folder = saved(tmp_path_factory.mktemp("bert-base"), network, vocabulary)
    yield network, resolve(str(folder))
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory, vocabulary: Path) -> Iterator[tuple[Any, Any]]:
    """gpt2 with random weights and another vocabulary."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=30522, bos_token_id=101, eos_token_id=102, initializer_range=0.05)
    network = GPT2LMHeadModel(config).eval()
    folder = saved(tmp_path_factory.mktemp("gpt2"), network, vocabulary)
    yield network, resolve(str(folder))
    shutil.rmtree(folder)


def tokenizer_of(vocabulary: Path) -> Any:
    from transformers import AutoTokenizer

    with quiet():
        return AutoTokenizer.from_pretrained(vocabulary)


def naive(network: Any, row: list[int], place: int, target: int) -> float:
    """One row, one forward pass, the whole vocabulary, float64 from the logits on."""
    with torch.no_grad():
        logits = network(input_ids=torch.tensor([row])).logits[0, place].double()
    return float(torch.log_softmax(logits, dim=-1)[target])


def test_every_token_of_published_pairs_equals_one_mask_at_a_time(
    bert: tuple[Any, Any], sentences: list[str], vocabulary: Path
) -> None:
    network, model = bert
    tokenizer = tokenizer_of(vocabulary)
    mask = tokenizer.mask_token_id
    answers = model.ask([PseudoTokens(text, "masked") for text in sentences])
    farthest, spread = 0.0, set()
    for text, answer in zip(sentences, answers, strict=True):
        row = tokenizer(text)["input_ids"]
        assert [token.id for token in answer.tokens] == row[1:-1]
        for place, token in enumerate(answer.tokens, start=1):
            masked = [*row[:place], mask, *row[place + 1 :]]
            farthest = max(farthest, abs(token.logprob - naive(network, masked, place, token.id)))
            spread.add(round(token.logprob, 2))
    assert farthest < TOLERANCE
    assert len(spread) > 20  # a network that says the same of every token would agree with anything


def test_words_of_several_pieces_equal_a_loop_from_left_to_right(
    bert: tuple[Any, Any], sentences: list[str], vocabulary: Path
) -> None:
    network, model = bert
    tokenizer = tokenizer_of(vocabulary)
    mask = tokenizer.mask_token_id
    text = "The anaesthesiologist sang."
    (answer,) = model.ask([PseudoTokens(text, "word_l2r")])
    encoded = tokenizer(text)
    row, words = encoded["input_ids"], encoded.word_ids()
    assert len(row) > len(set(words)) + 1
    for place, token in enumerate(answer.tokens, start=1):
        later = [k for k, word in enumerate(words) if word == words[place] and k >= place]
        masked = [mask if k in later else piece for k, piece in enumerate(row)]
        assert token.logprob == pytest.approx(naive(network, masked, place, token.id), abs=TOLERANCE)


def test_a_word_put_in_piece_by_piece_equals_a_loop(bert: tuple[Any, Any], vocabulary: Path) -> None:
    network, model = bert
    tokenizer = tokenizer_of(vocabulary)
    (answer,) = model.ask([Insert("The {answer} sang.", ("anaesthesiologist", "cook"))])
    left, right = tokenizer("The")["input_ids"][:-1], tokenizer(" sang.")["input_ids"][1:]
    for word, choice in zip(("anaesthesiologist", "cook"), answer.choices, strict=True):
        pieces = tokenizer(word)["input_ids"][1:-1]
        values = [
            naive(network, [*left, *pieces[:k], tokenizer.mask_token_id, *right], len(left) + k, piece)
            for k, piece in enumerate(pieces)
        ]
        assert choice.logprob == pytest.approx(sum(values), abs=TOLERANCE * len(values))


def test_a_causal_model_of_base_size_equals_one_sentence_at_a_time(
    gpt2: tuple[Any, Any], sentences: list[str], vocabulary: Path
) -> None:
    network, model = gpt2
    tokenizer = tokenizer_of(vocabulary)
    answers = model.ask([CausalTokens(text, True) for text in sentences])
    start = model.describe()["start_token"]
    for text, answer in zip(sentences, answers, strict=True):
        row = [
            tokenizer.convert_tokens_to_ids(start),
            *tokenizer(text, add_special_tokens=False)["input_ids"],
        ]
        assert [token.id for token in answer.tokens] == row[1:]
        for place, token in enumerate(answer.tokens, start=1):
            expected = naive(network, row[:place], place - 1, token.id)
            assert token.logprob == pytest.approx(expected, abs=TOLERANCE)


def test_a_grid_of_base_size_is_a_tree_that_equals_one_sentence_at_a_time(
    gpt2: tuple[Any, Any], vocabulary: Path
) -> None:
    network, model = gpt2
    tokenizer = tokenizer_of(vocabulary)
    people = [
        f"{kind} {person}" for kind in ("young", "deaf", "quiet") for person in ("nurse", "cook", "clerk")
    ]
    ends = (" walked home.", " sang at night.")
    assert model._reader.reach > 0
    answers = model.ask([Score(f"We met the {one} who", ends) for one in people])
    (start,) = model._start
    for one, answer in zip(people, answers, strict=True):
        for end, choice in zip(ends, answer.choices, strict=True):
            row = [start, *tokenizer(f"We met the {one} who{end}", add_special_tokens=False)["input_ids"]]
            with torch.no_grad():
                logs = torch.log_softmax(network(input_ids=torch.tensor([row])).logits[0].double(), dim=-1)
            values = [float(logs[k - 1, row[k]]) for k in range(answer.text_tokens + 1, len(row))]
            assert choice.logprob == pytest.approx(sum(values), abs=TOLERANCE)
