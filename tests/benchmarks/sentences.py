"""Models that give every token of a sentence a log-probability, by a function of the sentence."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

from audit.models.scripted import ScriptedModel
from audit.requests import (
    Choice,
    Insert,
    PseudoTokens,
    Request,
    Response,
    Score,
    ScoredToken,
    TokenLogprob,
)

Of = Callable[[str, str], float]
"""A sentence and one of its words to nats."""

FORMS = frozenset({"pseudo_tokens", "causal_tokens", "score", "insert"})


def word_model(of: Of, pieces: Callable[[str], int] = lambda word: 1, fails: str = "") -> ScriptedModel:
    """Tokens are words; each piece of a word that has several gets the word's log-probability.

    A text that contains ``fails``, if not empty, cannot be answered. The attention that a token receives, if
    asked for, is one over their number. Between the pieces of an inserted word, each counts as the word does.
    """

    def answer(request: Request) -> Response:
        text = request.text if not isinstance(request, Score) else request.continuations[0]
        if fails and fails in text:
            return Response(error="out of memory")
        if isinstance(request, Insert):
            return Response(tuple(_choice(of(text, word), pieces(word)) for word in request.candidates))
        tokens = _tokens(text, of, pieces)
        if isinstance(request, Score):
            total = sum(token.logprob for token in tokens)
            told = tuple(TokenLogprob(token.text, token.logprob) for token in tokens)
            return Response((Choice(total, len(tokens), tokens=told),))
        if isinstance(request, PseudoTokens) and request.scheme == "unmasked_attention":
            tokens = tuple(replace(token, weight=1.0 / len(tokens)) for token in tokens)
        return Response(tokens=tokens)

    return ScriptedModel(answer, capabilities=FORMS)


def _tokens(text: str, of: Of, pieces: Callable[[str], int]) -> tuple[ScoredToken, ...]:
    words = text.replace(".", "").split()
    parts = [(number, word, k) for number, word in enumerate(words) for k in range(pieces(word))]
    return tuple(
        ScoredToken(zlib.crc32(f"{word.lower()}/{k}".encode()), word, of(text, word), number)
        for number, word, k in parts
    )


def _choice(logprob: float, pieces: int) -> Choice:
    if pieces == 1:
        return Choice(logprob, 1)
    tokens = tuple(TokenLogprob(f"piece {k}", logprob if k == 0 else -0.001) for k in range(pieces))
    return Choice(sum(token.logprob for token in tokens), pieces, tokens=tokens)
