"""Fills against a slow loop that takes one text and one mask at a time."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from audit.models import LoadOptions, resolve
from audit.models.packing import Packer
from audit.requests import Fill, Score
from probes.errors import ModelError
from tests.models.slow_models import slow_masked

Tiny = Callable[[str], Path]
NAMES = ["bert-uncased", "bert-cased", "distilbert", "roberta", "unigram"]
TOLERANCE = 1e-4  # nats; float32 forward passes of other shapes differ by about 1e-5
INVARIANCE = 1e-5  # nats; promised by Model.ask

FILLS = [
    Fill("The nurse said that {answer} was tired.", ("she", "he", "they", "Maria")),
    Fill("My neighbour is a {answer}, and they work.", ("doctor", "pharmacist", "carpenter", "kind teacher")),
    Fill("{answer} said that the patient was late.", ("Ahmed", "Maria", "People")),
    Fill("People say that Ahmed is {answer}", ("kind", "clever", "anaesthetist")),
    Fill("The {answer} spoke; the teacher walked home at night to the doctor.", ("nurse", "engineer")),
]


def slow_fill(folder: Path, fill: Fill) -> list[list[float]]:
    """Of each piece of each candidate: one row at a time, all logits, softmax in float64.

    Pieces are found by aligning token lists.
    """
    slow = slow_masked(folder)
    tokenizer = slow.tokenizer
    left, right = fill.text.split("{answer}")
    rows = [tokenizer(left + c + right)["input_ids"] for c in fill.candidates]
    result = []
    for row, candidate in zip(rows, fill.candidates, strict=True):
        # A leading space is part of the word, as in running text.
        spelt = tokenizer((" " if left.endswith(" ") else "") + candidate, add_special_tokens=False)[
            "input_ids"
        ]
        places = [i for i in range(len(row)) if row[i : i + len(spelt)] == spelt]
        assert len(places) == 1, (candidate, tokenizer.convert_ids_to_tokens(row))
        values = []
        for t, piece in enumerate(spelt):
            masked = list(row)
            for later in range(t, len(spelt)):
                masked[places[0] + later] = slow.mask
            values.append(float(slow.logs(masked)[places[0] + t, piece]))
        result.append(values)
    return result


@pytest.mark.parametrize("name", NAMES)
def test_fill_is_what_a_slow_loop_gives(tiny: Tiny, name: str) -> None:
    answers = resolve(str(tiny(name))).ask(FILLS)
    several = 0
    for fill, answer in zip(FILLS, answers, strict=True):
        assert not answer.error
        for choice, values in zip(answer.choices, slow_fill(tiny(name), fill), strict=True):
            assert choice.pieces == len(values)
            assert choice.logprob == pytest.approx(sum(values), abs=TOLERANCE)
            if len(values) == 1:
                assert choice.tokens == (), "one piece says nothing new"
                continue
            several += 1
            assert [token.logprob for token in choice.tokens] == pytest.approx(values, abs=TOLERANCE)
            assert math.fsum(token.logprob for token in choice.tokens) == choice.logprob
    assert several, "the tests must reach words of several pieces"


def test_real_bert_is_what_a_slow_loop_gives(minilm: Path) -> None:
    fill = Fill(
        "The {answer} said that she was tired.", ("nurse", "anesthesiologist", "Radiographer", "electrician")
    )
    answer = resolve(str(minilm)).ask([fill])[0]
    expected = slow_fill(minilm, fill)
    assert [c.pieces for c in answer.choices] == [len(values) for values in expected]
    assert [c.logprob for c in answer.choices] == pytest.approx([sum(x) for x in expected], abs=TOLERANCE)
    several = answer.choices[1].tokens
    assert [token.text for token in several] == ["an", "##est", "##hes", "##iol", "##ogist"]
    assert [token.logprob for token in several] == pytest.approx(expected[1], abs=TOLERANCE)
    assert answer.text_tokens == 9


@pytest.mark.parametrize(
    ("name", "inside", "spelt"),
    [
        ("bert-uncased", "##", "tistanae"),
        ("bert-cased", "##", "tistanae"),
        ("roberta", "", " tistanae"),
        ("unigram", "", " tistanae"),
    ],
)
def test_tokens_read_as_the_candidate(tiny: Tiny, name: str, inside: str, spelt: str) -> None:
    (choice,) = resolve(str(tiny(name))).ask([Fill("The {answer} was kind.", ("tistanae",))])[0].choices
    first, *later = [token.text for token in choice.tokens]
    assert later and all(token.startswith(inside) for token in later)
    assert first + "".join(token.removeprefix(inside) for token in later) == spelt


@pytest.mark.parametrize("name", NAMES)
def test_answers_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(FILLS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1))
    shuffled = list(range(len(FILLS)))
    random.Random(3).shuffle(shuffled)
    mixed = dict(zip(shuffled, small.ask([FILLS[i] for i in shuffled]), strict=True))
    for i, fill in enumerate(FILLS):
        alone = small.ask([fill])[0]
        for a, b, c in zip(whole[i].choices, alone.choices, mixed[i].choices, strict=True):
            assert a.logprob == pytest.approx(b.logprob, abs=INVARIANCE)
            assert a.logprob == pytest.approx(c.logprob, abs=INVARIANCE)


def test_single_pieces_of_one_text_share_one_row(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve(str(tiny("bert-uncased")))
    rows: list[Any] = []
    run = Packer.run
    monkeypatch.setattr(Packer, "run", lambda self, *some: (rows.extend(some[0]), run(self, *some))[1])
    answer = model.ask([FILLS[0]])[0]
    single = [c for c in answer.choices if c.pieces == 1]
    assert len(single) >= 2
    assert sum(row.count(4) == 1 for row in rows) <= 1 + sum(c.pieces > 1 for c in answer.choices)
    assert rows and len(rows) == len(set(rows))


@pytest.mark.parametrize("name", ["bert-uncased", "bert-cased", "distilbert", "roberta"])
def test_head_apart_equals_whole_model(tiny: Tiny, name: str) -> None:
    network = resolve(str(tiny(name)))._loaded.network  # type: ignore[attr-defined]
    assert network.is_split
    ids = torch.randint(5, 100, (3, 11), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, 4]
        found = network.logits(network.states(ids)[:, 4])
    assert torch.allclose(expected, found, atol=1e-5)


def test_a_model_that_cannot_be_split_gives_the_same(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = resolve(str(tiny("roberta"))).ask(FILLS)
    monkeypatch.setattr("audit.models.network.Network._can_split", lambda self: False)
    model = resolve(str(tiny("roberta")))
    assert not model._loaded.network.is_split  # type: ignore[attr-defined]
    for a, b in zip(expected, model.ask(FILLS), strict=True):
        assert [c.logprob for c in a.choices] == pytest.approx([c.logprob for c in b.choices], abs=INVARIANCE)


def test_what_has_no_probability_says_why(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    fill = Fill("The {answer} was late.", ("nurse", "☃", "", "\u200b"))
    nurse, unknown, empty, invisible = model.ask([fill])[0].choices
    assert nurse.logprob is not None
    assert (unknown.logprob, unknown.pieces) == (None, 0)
    assert "vocabulary" in unknown.reason
    assert empty.reason == "an empty candidate"
    assert invisible.reason == "the tokenizer leaves nothing of the candidate"
    merged = model.ask([Fill("The {answer}s were late.", ("nurse",))])[0].choices[0]
    assert merged.logprob is not None, "WordPiece goes by words: 'nurses' is cut after 'nurse', or shared"


def test_candidates_that_change_their_neighbours_are_set_aside(tiny: Tiny) -> None:
    model = resolve(str(tiny("roberta")))
    fill = Fill("The nurse and {answer}he teacher", ("a t", "the engineer and t", "t"))
    reasons = [choice.reason for choice in model.ask([fill])[0].choices]
    assert all("shares a token" in reason or "otherwise" in reason for reason in reasons if reason)
    assert any(reasons)


def test_special_tokens_in_a_text_are_text(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    answer = model.ask([Fill("The [MASK] said [SEP] that {answer} was late.", ("she", "he"))])[0]
    assert not answer.error
    assert (
        answer.text_tokens
        > model.ask([Fill("The said that {answer} was late.", ("she", "he"))])[0].text_tokens
    )
    assert model.ask([Fill("People say {answer} is.", ("[MASK]",))])[0].choices[0].pieces != 1


@pytest.mark.parametrize(("name", "limit"), [("bert-uncased", 64), ("roberta", 64)])
def test_long_texts_are_errors_and_the_longest_is_not(tiny: Tiny, name: str, limit: int) -> None:
    model = resolve(str(tiny(name)))
    lengths = []
    for count in range(5, 70):
        answer = model.ask([Fill("{answer}" + " she" * count, ("she",))])[0]
        if not answer.error:
            lengths.append(answer.text_tokens + answer.choices[0].pieces)
    assert limit - 1 <= max(lengths) <= limit
    too_long = model.ask([Fill("{answer}" + " she" * 200, ("she", "he"))])[0]
    assert "too long" in too_long.error
    assert not too_long.choices


def test_a_text_without_one_mark_is_an_error(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    for text in ("no mark", "{answer} and {answer}"):
        assert "not once" in model.ask([Fill(text, ("she",))])[0].error


def test_a_masked_model_does_not_score(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    assert model.capabilities == {"fill", "insert", "hidden", "pseudo_tokens", "top", "embed"}
    with pytest.raises(TypeError, match="score"):
        model.ask([Score("", ("a",))])


def test_a_missing_mask_token_is_named(tiny: Tiny) -> None:
    with pytest.raises(ModelError, match="mask token missing"):
        resolve(str(tiny("bert-nomask")))
