"""Tokens of whole texts by masked models, in four schemes, against a loop of one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from audit.answers import checked
from audit.models import LoadOptions, resolve
from audit.models.packing import Packer
from audit.requests import Fill, PseudoTokens, Response, Scheme
from tests.models.slow_models import slow_masked

Tiny = Callable[[str], Path]
NAMES = ["bert-uncased", "roberta", "distilbert", "albert", "electra", "unigram"]
TOLERANCE = 1e-4  # nats; float32 forward passes of other shapes differ by about 1e-5
INVARIANCE = 1e-5  # nats; promised by Model.ask
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
TEXTS = (
    "The nurse said that she was tired.",
    "The tistanae spoke to the anaesthetist",
    "People walked home.",
)
REQUESTS = [PseudoTokens(text, scheme) for text in TEXTS for scheme in SCHEMES]


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_what_a_slow_loop_gives(tiny: Tiny, name: str) -> None:
    model = resolve(str(tiny(name)))
    pieces = 0
    for request, answer in zip(REQUESTS, model.ask(REQUESTS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        values, words, weights = slow_masked(tiny(name)).tokens(request.text, request.scheme)
        assert [token.logprob for token in answer.tokens] == pytest.approx(values, abs=TOLERANCE)
        assert [token.word for token in answer.tokens] == words
        ids = slow_masked(tiny(name)).tokenizer(request.text)["input_ids"]
        assert [token.id for token in answer.tokens] == ids[1:-1], "no special ones at the ends"
        assert answer.text_tokens == len(ids)
        pieces += len(words) - len(set(words))
        if request.scheme == "unmasked_attention":
            assert [token.weight for token in answer.tokens] == pytest.approx(weights, abs=1e-6)
            assert len({round(weight, 6) for weight in weights}) > 1
        else:
            assert {token.weight for token in answer.tokens} == {None}
    assert pieces, "the texts must hold words of several pieces"


@pytest.mark.parametrize("name", NAMES)
def test_tokens_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(REQUESTS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1))
    for answer, turned in zip(whole, reversed(small.ask(REQUESTS[::-1])), strict=True):
        for a, b in zip(answer.tokens, turned.tokens, strict=True):
            assert a.logprob == pytest.approx(b.logprob, abs=INVARIANCE)
            assert a.weight == pytest.approx(b.weight, abs=INVARIANCE)


def values(answer: Response) -> list[float]:
    return [token.logprob for token in answer.tokens]


def test_word_l2r_is_masked_where_every_word_has_one_piece(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    short, split = "she said that he was late.", "The tistanae spoke."
    one, other, masked, l2r = model.ask(
        [
            PseudoTokens(text, scheme)  # type: ignore[arg-type]
            for text in (short, split)
            for scheme in ("masked", "word_l2r")
        ]
    )
    assert len({token.word for token in one.tokens}) == len(one.tokens) == 7
    assert values(one) == values(other)
    inside = [i for i, token in enumerate(masked.tokens[:-1]) if token.word == masked.tokens[i + 1].word]
    differs = [a != b for a, b in zip(values(masked), values(l2r), strict=True)]
    assert inside and [i for i, yes in enumerate(differs) if yes] == inside


def test_schemes_and_fills_share_their_rows(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = resolve(str(tiny("bert-uncased")))
    rows: list[Any] = []
    run = Packer.run
    monkeypatch.setattr(Packer, "run", lambda self, *some: (rows.extend(some[0]), run(self, *some))[1])
    text = "she said that he was late."
    asked = [PseudoTokens(text, scheme) for scheme in SCHEMES]
    answers = model.ask([*asked, Fill("she said that {answer} was late.", ("he", "she"))])
    assert len(rows) == 7 + 1, "one row for each token masked, and one without a mask"
    assert len(set(rows)) == len(rows)
    assert answers[4].choices[0].logprob == answers[0].tokens[3].logprob


def test_attention_is_weighed_and_then_computed_as_before(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    config = model._loaded.network.model.config  # type: ignore[attr-defined]
    usual = config._attn_implementation
    assert usual != "eager"
    plain, weighed = model.ask(
        [PseudoTokens(TEXTS[0], "unmasked"), PseudoTokens(TEXTS[0], "unmasked_attention")]
    )
    assert values(plain) == values(weighed)
    assert 0 < sum(token.weight or 0 for token in weighed.tokens) < 1, "the ends receive attention, too"
    assert config._attn_implementation == usual


@pytest.mark.parametrize("name", ["fnet", "funnel"])
def test_a_model_without_attention_between_its_tokens_says_so(tiny: Tiny, name: str) -> None:
    weighed, plain = resolve(str(tiny(name))).ask(
        [PseudoTokens(TEXTS[0], "unmasked_attention"), PseudoTokens(TEXTS[0], "unmasked")]
    )
    assert weighed.error == "the model does not give its attention" and plain.tokens


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_that_cannot_be_read_are_errors(tiny: Tiny, scheme: Scheme) -> None:
    model = resolve(str(tiny("roberta")))
    long, empty, good = model.ask([PseudoTokens(text, scheme) for text in (" she" * 80, "", "she")])
    assert long.error.startswith("the text is too long: ") and "at most 64" in long.error
    assert empty.error == "the tokenizer leaves nothing of the text"
    assert not good.error and len(good.tokens) >= 1


def test_special_tokens_in_a_text_are_text(tiny: Tiny) -> None:
    model = resolve(str(tiny("bert-uncased")))
    answer = model.ask([PseudoTokens("she [MASK] he [SEP]", "masked")])[0]
    special = slow_masked(tiny("bert-uncased")).tokenizer.convert_tokens_to_ids(["[MASK]", "[SEP]"])
    assert not {token.id for token in answer.tokens} & set(special)


def test_a_real_model_reads_tokens_as_a_slow_loop_does(minilm: Path) -> None:
    text = "The anesthesiologist was late."
    answers = resolve(str(minilm)).ask([PseudoTokens(text, scheme) for scheme in SCHEMES])
    for scheme, answer in zip(SCHEMES, answers, strict=True):
        expected, words, weights = slow_masked(minilm).tokens(text, scheme)
        assert values(answer) == pytest.approx(expected, abs=TOLERANCE)
        assert [token.word for token in answer.tokens] == words == [0, 1, 1, 1, 1, 1, 2, 3, 4]
        if scheme == "unmasked_attention":
            assert [token.weight for token in answer.tokens] == pytest.approx(weights, abs=1e-6)
