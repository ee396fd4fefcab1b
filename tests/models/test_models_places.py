"""Inserted pieces, hidden text and the best words for a place, against a loop of one row at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from audit.answers import checked
from audit.models import LoadOptions, resolve
from audit.models.reading import Best, _best
from audit.requests import Fill, Hidden, Insert, Request, Top
from tests.models.slow_models import Slow, slow_masked
from tests.models.test_models_pseudo_tokens import INVARIANCE, NAMES, TOLERANCE

Tiny = Callable[[str], Path]

INSERTS = [
    Insert("The nurse said that {answer} was tired.", ("she", "anaespist", "tistanae")),
    Insert("People say that Ahmed is {answer}", ("kind", "teachist")),
]
WORDS = ("she", "he", "tired", "tistanae")
HIDDENS = [
    Hidden("{answer} said that the anaesthetist was late.", "anaesthetist", WORDS),
    Hidden("The anaesthetist said that {answer} was late.", "anaesthetist", WORDS),
]
TOPS = [Top("The nurse said that {answer} was tired.", 5), Top("{answer} walked home.", 1)]
REQUESTS: list[Request] = [*INSERTS, *HIDDENS, *TOPS]


def spelt(model: Slow, before: str, word: str) -> list[int]:
    """A word's tokens after some text; a leading space is part of the word, as in running text."""
    ids: list[int] = model.tokenizer((" " if before.endswith(" ") else "") + word, add_special_tokens=False)[
        "input_ids"
    ]
    return ids


def found_at(row: list[int], part: list[int]) -> int:
    (place,) = [i for i in range(len(row)) if row[i : i + len(part)] == part]
    return place


def slow_insert(model: Slow, request: Insert, candidate: str) -> list[float]:
    left, right = request.text.split("{answer}")
    row = model.tokenizer(left + candidate + right)["input_ids"]
    pieces = spelt(model, left, candidate)
    start = found_at(row, pieces)
    values = []
    for t, piece in enumerate(pieces):
        shorter = [*row[: start + t], model.tokenizer.mask_token_id, *row[start + len(pieces) :]]
        values.append(float(model.logs(shorter)[start + t, piece]))
    return values


def slow_hidden(model: Slow, request: Hidden, candidate: str, at: str = "answer") -> list[float]:
    """At the candidate's own masks, or at the last of the attribute, as in the code of Kurita et al."""
    left, right = request.text.split("{answer}")
    row = model.tokenizer(left + candidate + right)["input_ids"]
    mask = model.tokenizer.mask_token_id
    pieces = spelt(model, left, candidate)
    start = found_at(row, pieces)
    before = (left + candidate + right).split(request.hidden)[0]
    attribute = spelt(model, before, request.hidden)
    hidden = found_at(row, attribute)
    row[hidden : hidden + len(attribute)] = [mask] * len(attribute)
    values = []
    for t, piece in enumerate(pieces):
        masked = list(row)
        masked[start + t : start + len(pieces)] = [mask] * (len(pieces) - t)
        place = start + t if at == "answer" else hidden + len(attribute) - 1
        values.append(float(model.logs(masked)[place, piece]))
    return values


@pytest.mark.parametrize("name", NAMES)
def test_insert_is_what_a_hand_made_loop_gives(tiny: Tiny, name: str) -> None:
    several = 0
    for request, answer in zip(INSERTS, resolve(str(tiny(name))).ask(INSERTS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        for candidate, choice in zip(request.candidates, answer.choices, strict=True):
            values = slow_insert(slow_masked(tiny(name)), request, candidate)
            assert choice.pieces == len(values)
            assert choice.logprob == pytest.approx(math.fsum(values), abs=TOLERANCE)
            if len(values) > 1:
                several += 1
                assert [token.logprob for token in choice.tokens] == pytest.approx(values, abs=TOLERANCE)
    assert several


def test_insert_is_fill_for_words_of_one_piece_alone(tiny: Tiny) -> None:
    text, words = "The nurse said that {answer} was tired.", ("she", "he", "tistanae")
    inserted, filled = resolve(str(tiny("bert-uncased"))).ask([Insert(text, words), Fill(text, words)])
    same = [a.logprob == b.logprob for a, b in zip(inserted.choices, filled.choices, strict=True)]
    assert [choice.pieces == 1 for choice in inserted.choices] == same == [True, True, False]


@pytest.mark.parametrize("name", NAMES)
def test_hidden_is_read_at_the_candidates_own_mask_whichever_comes_first(tiny: Tiny, name: str) -> None:
    for request, answer in zip(HIDDENS, resolve(str(tiny(name))).ask(HIDDENS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        apart = []
        for candidate, choice in zip(request.candidates, answer.choices, strict=True):
            values = slow_hidden(slow_masked(tiny(name)), request, candidate)
            assert choice.pieces == len(values)
            assert choice.logprob == pytest.approx(math.fsum(values), abs=TOLERANCE)
            theirs = math.fsum(slow_hidden(slow_masked(tiny(name)), request, candidate, at="attribute"))
            apart.append(abs(theirs - math.fsum(values)))
        assert max(apart) > 10 * TOLERANCE, "the test must tell the two apart by one of its words"


def test_what_is_hidden_changes_nothing_and_what_is_not_does(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    (a,), (b,), (c,) = (
        answer.choices
        for answer in model.ask(
            [
                Hidden("The doctor said that {answer} was late.", "doctor", ("she",)),
                Hidden("The nurse said that {answer} was late.", "nurse", ("she",)),
                Fill("The nurse said that {answer} was late.", ("she",)),
            ]
        )
    )
    assert a.logprob == b.logprob != c.logprob


@pytest.mark.parametrize("name", NAMES)
def test_the_best_words_are_those_of_a_slow_look(tiny: Tiny, name: str) -> None:
    reference = slow_masked(tiny(name))
    special = set(reference.tokenizer.all_special_ids)
    for request, answer in zip(TOPS, resolve(str(tiny(name))).ask(TOPS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        # A mask takes the place of a word with the space before it.
        left, right = request.text.split("{answer}")
        row = reference.tokenizer(left + "a" + right)["input_ids"]
        place = found_at(row, spelt(reference, left, "a"))
        row[place] = reference.tokenizer.mask_token_id
        logs = reference.logs(row)[place].tolist()
        order = sorted((i for i in range(len(logs)) if i not in special), key=lambda i: (-logs[i], i))
        assert [token.id for token in answer.tokens] == order[: request.k]
        expected = [logs[i] for i in order[: request.k]]
        assert [token.logprob for token in answer.tokens] == pytest.approx(expected, abs=TOLERANCE)
        filled = resolve(str(tiny(name))).ask([Fill(request.text, (answer.tokens[0].text.strip(),))])[0]
        if filled.choices[0].pieces == 1:
            assert filled.choices[0].logprob == pytest.approx(expected[0], abs=TOLERANCE)


def test_every_word_can_be_asked_for_and_no_more(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    tokenizer = slow_masked(tiny("bert-uncased")).tokenizer
    words = len(tokenizer) - len(tokenizer.all_special_ids)
    every, more, none = model.ask([Top("The {answer} left.", k) for k in (words, words + 1, 0)])
    assert len({token.id for token in every.tokens}) == words
    assert not {token.id for token in every.tokens} & set(tokenizer.all_special_ids)
    assert more.error == f"{words + 1} tokens are asked for, the vocabulary has {words}"
    assert none.error == "0 tokens are asked for"


def test_equal_words_are_in_the_order_of_the_vocabulary() -> None:
    logits = torch.tensor([0.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    both = torch.stack([torch.arange(6.0), logits])
    items = [(1, Best((7, 8), 1, 4)), (0, Best((7,), 0, 2))]
    best, other = _best(both, torch.logsumexp(both, -1).double(), items)
    assert [token for token, _ in other] == [5, 4]
    assert [token for token, _ in best] == [1, 3, 5, 2]
    assert best[0][1] == pytest.approx(2 - math.log(1 + 2 * math.e + 3 * math.e**2), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_places_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(REQUESTS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1)).ask(REQUESTS[::-1])[::-1]
    for a, b in zip(whole, small, strict=True):
        ours = [x.logprob for x in (*a.choices, *a.tokens)]
        assert ours and ours == pytest.approx([x.logprob for x in (*b.choices, *b.tokens)], abs=INVARIANCE)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Insert("no mark", ("she",)), "not once"),
        (Top("{answer} and {answer}", 3), "not once"),
        (Top("{answer}" + " she" * 80, 3), "too long"),
        (Top("People s{answer}id", 3), "no word fits the marked place"),
        (Hidden("{answer} left.", "", ("she",)), "no text to be hidden"),
        (Hidden("{answer} left.", "stayed", ("she",)), "does not hold 'stayed' exactly once"),
        (Hidden("{answer} left, left.", "left", ("she",)), "does not hold 'left' exactly once"),
        (Hidden("{answer} left.", "answer", ("she",)), "overlaps"),
        (Hidden("{answer} left.", "} left", ("she",)), "overlaps"),
        (Hidden("{answer} left" + " she" * 80, "left", ("she", "he")), "too long"),
    ],
)
def test_places_that_cannot_be_asked_are_errors(tiny: Tiny, request_: Request, error: str) -> None:
    answer = resolve(str(tiny("roberta"))).ask([request_])[0]
    assert error in answer.error and not answer.choices and not answer.tokens


def test_hidden_text_within_a_token_is_told_and_not_guessed(tiny: Tiny) -> None:
    answer = resolve(str(tiny("roberta"))).ask([Hidden("{answer} said that", "tha", ("she",))])[0]
    assert answer.choices[0].logprob is None
    assert answer.choices[0].reason == "the hidden text shares a token with the text beside it"


def test_a_candidate_spelt_like_the_hidden_text_is_not_hidden(tiny: Tiny) -> None:
    request = Hidden("{answer} said that nurse was late.", "nurse", ("nurse", "she"))
    answer = resolve(str(tiny("bert-uncased"))).ask([request])[0]
    assert all(choice.logprob is not None for choice in answer.choices)
