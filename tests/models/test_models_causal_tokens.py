"""Tokens of whole texts by causal models, against a loop of one prefix at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.answers import checked
from audit.models import LoadOptions, resolve
from audit.requests import CausalTokens, Embed, Score
from tests.models.slow_models import slow_causal

Tiny = Callable[[str], Path]
NAMES = ["gpt2", "llama", "neox"]
TOLERANCE = 1e-4
INVARIANCE = 1e-5
TEXTS = (
    "The nurse said that she was tired.",
    "The nurse said that she was late.",
    "The tistanae spoke; people walked.",
    "she",
)
REQUESTS = [CausalTokens(text, keep) for text in TEXTS for keep in (True, False)]


def slow_tokens(folder: Path, request: CausalTokens) -> tuple[list[int], list[float]]:
    """Each token after everything before it, fed anew; the start token stands there or not, as asked."""
    slow = slow_causal(folder)
    ids = slow.ids(request.text)
    values = []
    for i, token in enumerate(ids):
        before = [slow.start, *ids[:i]] if request.keep_start or i == 0 else ids[:i]
        values.append(float(slow.logs(before)[-1, token]))
    return ids, values


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_what_a_slow_loop_gives(tiny: Tiny, name: str) -> None:
    for request, answer in zip(REQUESTS, resolve(str(tiny(name))).ask(REQUESTS), strict=True):
        assert not answer.error and checked(request, answer) == answer
        ids, values = slow_tokens(tiny(name), request)
        assert [token.id for token in answer.tokens] == ids
        assert [token.logprob for token in answer.tokens] == pytest.approx(values, abs=TOLERANCE)
        assert answer.text_tokens == len(ids)
        assert "".join(token.text for token in answer.tokens) == request.text
        words = [token.word for token in answer.tokens]
        assert words == sorted(words, key=lambda word: -1 if word is None else word) and words[0] == 0


@pytest.mark.parametrize("name", NAMES)
def test_tokens_after_the_start_sum_to_the_score_of_the_text(tiny: Tiny, name: str) -> None:
    asked = [item for text in TEXTS for item in (CausalTokens(text, True), Score("", (text,)))]
    answers = resolve(str(tiny(name))).ask(asked)
    for tokens, score in zip(answers[::2], answers[1::2], strict=True):
        assert math.fsum(token.logprob for token in tokens.tokens) == score.choices[0].logprob


def test_without_the_start_only_the_first_token_is_the_same(tiny: Tiny) -> None:
    kept, dropped = resolve(str(tiny("gpt2"))).ask([CausalTokens(TEXTS[0], keep) for keep in (True, False)])
    same = [a.logprob == b.logprob for a, b in zip(kept.tokens, dropped.tokens, strict=True)]
    assert same == [True] + [False] * (len(same) - 1)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_do_not_depend_on_batch_or_neighbours(tiny: Tiny, name: str) -> None:
    whole = resolve(str(tiny(name))).ask(REQUESTS)
    small = resolve(str(tiny(name)), LoadOptions(token_budget=1))
    for answer, request in zip(whole, REQUESTS, strict=True):
        alone = small.ask([request])[0]
        expected = [token.logprob for token in alone.tokens]
        assert [token.logprob for token in answer.tokens] == pytest.approx(expected, abs=INVARIANCE)


def test_texts_that_cannot_be_read_are_errors(tiny: Tiny) -> None:
    model = resolve(str(tiny("gpt2")))
    fits, long, longer, empty = model.ask(
        [
            CausalTokens("!" * 64, True),
            CausalTokens("!" * 65, True),
            CausalTokens("!" * 65, False),
            CausalTokens("", True),
        ]
    )
    assert len(fits.tokens) == 64 and len(longer.tokens) == 65, "the last token is read and not fed"
    assert long.error.startswith("the text is too long: 65 tokens") and not long.tokens
    assert empty.error == "the tokenizer leaves nothing of the text"
    model._start = ()  # type: ignore[attr-defined]
    for keep in (True, False):
        assert "no start token" in model.ask([CausalTokens("she", keep)])[0].error


@pytest.mark.parametrize("name", NAMES)
def test_causal_models_give_the_states_of_their_last_layer(tiny: Tiny, name: str) -> None:
    slow = slow_causal(tiny(name))
    ids = slow.tokenizer(TEXTS[0])["input_ids"]
    states = slow.states(ids)
    mean, first, word = resolve(str(tiny(name))).ask(
        [Embed(TEXTS[0], pooling) for pooling in ("mean", "first", "first_word")]  # type: ignore[arg-type]
    )
    special = 1 if name == "llama" else 0
    assert ids[0] == slow.tokenizer.bos_token_id or not special
    assert mean.vector == pytest.approx(states.mean(0).tolist(), abs=1e-5)
    assert first.vector == pytest.approx(states[0].tolist(), abs=1e-5)
    assert word.vector == pytest.approx(states[special].tolist(), abs=1e-5)
