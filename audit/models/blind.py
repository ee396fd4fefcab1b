"""Answers without weights, in every request form: the same numbers whatever is asked, and noise on top.

Words are counted by whitespace, and each is one token. Nothing here imports torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from audit.requests import (
    CausalTokens,
    Choice,
    ChoiceRequest,
    Classify,
    Generate,
    Hidden,
    LabelLogit,
    PseudoTokens,
    Request,
    Response,
    Sampled,
    Score,
    ScoredToken,
    Top,
    answers_of,
)

Noise = Callable[[list[Any]], float]
"""A number for a key of strings and whole numbers: nats, a logit or a coordinate."""

LABELS = ("negative", "positive")
"""What a scripted classifier tells apart."""
LOGPROB = -7.0
WEIGHT = 0.125
WIDTH = 8
"""Coordinates of a scripted vector."""
_WORDS = ("today", "people", "walked", "quietly", "home", "and", "then", "read", "a", "letter")
_HIDDEN = "{hidden}"


def blind_answer(request: Request, noise: Noise = lambda key: 0.0) -> Response:
    """The answer of a model that sees nothing of a text but its words' number, and ``noise``.

    Parameters
    ----------
    request : Request
        Of any form.
    noise : callable
        Added to every log-probability, logit and coordinate; keyed by what is judged, so that equal
        questions have equal answers. Attention is the same for all words.

    Examples
    --------
    >>> [token.logprob for token in blind_answer(CausalTokens("She left.", True)).tokens]
    [-7.0, -7.0]
    >>> blind_answer(Classify("She left.")).labels[0]
    LabelLogit(label='negative', logit=0.0)
    """
    if isinstance(request, Generate):
        return _written(request)
    if isinstance(request, ChoiceRequest):
        text = place_of(request)
        values = [LOGPROB + noise([_given(request), candidate]) for candidate in answers_of(request)]
        return Response(tuple(Choice(value, 1) for value in values), text_tokens=len(text.split()))
    if isinstance(request, Top):
        return _top(request, noise)
    words = request.text.split()
    if not words:
        return Response(error="a text without words")
    if isinstance(request, PseudoTokens | CausalTokens):
        return Response(tokens=_tokens(request, words, noise), text_tokens=len(words))
    if isinstance(request, Classify):
        words += request.pair.split()
        labels = [LabelLogit(label, noise([request.text, request.pair, label])) for label in LABELS]
        return Response(labels=tuple(labels), activation="softmax", text_tokens=len(words))
    vector = [1.0 + noise([request.text, request.pooling, i]) for i in range(WIDTH)]
    return Response(vector=tuple(vector), text_tokens=len(words))


def place_of(request: ChoiceRequest) -> str:
    """The text that a request's candidates stand in or follow."""
    return request.prefix if isinstance(request, Score) else request.text


def _given(request: ChoiceRequest) -> str:
    """What is seen of a text: a hidden part is not."""
    if isinstance(request, Hidden):
        return request.text.replace(request.hidden, _HIDDEN)
    return place_of(request)


def _written(request: Generate) -> Response:
    words = request.max_new_tokens
    samples = [
        " " + " ".join(_WORDS[(i * 3 + k) % len(_WORDS)] for k in range(words))
        for i in range(request.samples)
    ]
    return Response(samples=tuple(Sampled(text, words, "length") for text in samples))


def _tokens(request: PseudoTokens | CausalTokens, words: list[str], noise: Noise) -> tuple[ScoredToken, ...]:
    """One token a word, its number fixed by its spelling; a word of one piece has no later pieces to hide."""
    if isinstance(request, CausalTokens):
        how, weight = f"causal {request.keep_start}", None
    else:
        how = "masked" if request.scheme in ("masked", "word_l2r") else "unmasked"
        weight = WEIGHT if request.scheme == "unmasked_attention" else None
    return tuple(
        ScoredToken(_number(word), word, LOGPROB + noise([request.text, how, i]), i, weight)
        for i, word in enumerate(words)
    )


def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4).digest(), "big")


def _top(request: Top, noise: Noise) -> Response:
    """The likeliest of twice as many words as are asked for."""
    if request.k < 1:
        return Response(error=f"{request.k} tokens asked for")
    names = [_WORDS[i] if i < len(_WORDS) else f"{_WORDS[i % len(_WORDS)]}{i}" for i in range(2 * request.k)]
    offered = [
        ScoredToken(i, name, LOGPROB + noise([request.text, "top", name])) for i, name in enumerate(names)
    ]
    best = sorted(offered, key=lambda token: -token.logprob)[: request.k]
    return Response(tokens=tuple(best), text_tokens=len(request.text.split()))
