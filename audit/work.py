"""How much a model has to do for a request: the tokens that it reads and writes, over all passes.

The same estimate cuts the blocks of a run and says, before it, how long it will take.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from audit.requests import (
    CausalTokens,
    Classify,
    Embed,
    Fill,
    Generate,
    Hidden,
    Insert,
    PseudoTokens,
    Request,
    Score,
    Top,
)

PER_WORD = 1.4
"""Tokens a word."""
OVERHEAD = 0.0005
"""Seconds that a request costs whatever the model: tokenising, batching, and keeping the answer."""
FURTHER = 0.2
"""Of a text's rows, those that masking whole words adds to masking each token: words of several pieces."""
SHARE = 0.9
"""Of the speed of a matrix product, what models reach for each parameter that they store. Measured on two
cores: 1.1 for masked rows at bert-base size, whose embeddings are not multiplied, 0.8 for samples of
SmolLM2-135M."""


def seconds(requests: Iterable[Request], parameters: int | None, rate: float) -> float | None:
    """About how long a model takes to answer; None where its size is not known. A factor of two either way.

    Parameters
    ----------
    rate : float
        This processor's speed, in floating-point operations a second. Two operations a parameter and token.
    """
    asked = list(requests)
    return seconds_of(len(asked), shared_tokens(asked), parameters, rate)


def seconds_of(requests: int, tokens: float, parameters: int | None, rate: float) -> float | None:
    """The same, of so many requests with so many tokens in all."""
    if parameters is None:
        return None
    return 2 * parameters * tokens / (rate * SHARE) + OVERHEAD * requests


def shared_tokens(requests: Iterable[Request]) -> float:
    """About how many tokens a model reads and writes to answer requests that share what they can."""
    asked = list(requests)
    masked = {one.text for one in asked if isinstance(one, PseudoTokens) and one.scheme == "masked"}
    return sum(tokens_read(one) * (FURTHER if _again(one, masked) else 1.0) for one in asked)


def _again(request: Request, masked: Container[str]) -> bool:
    """Whether most rows of a request are those of another: words of one piece are masked alike."""
    return isinstance(request, PseudoTokens) and request.scheme == "word_l2r" and request.text in masked


def tokens_read(request: Request) -> float:
    """About how many tokens a model reads and writes to answer, over all passes.

    A text whose every token is masked in turn is read once for each of them; a candidate of several pieces
    is read once for each piece; candidates of one word share one pass, and continuations their prefix.

    Examples
    --------
    >>> words = "one two three four five six seven eight nine ten"
    >>> tokens_read(PseudoTokens(words, "unmasked")), tokens_read(PseudoTokens(words, "masked"))
    (14.0, 196.0)
    >>> tokens_read(Fill(words, ("she", "he"))), tokens_read(Fill(words, ("the old man", "she")))
    (14.0, 70.0)
    """
    match request:
        case PseudoTokens(text=text, scheme=scheme):
            length = _tokens(text)
            return length if scheme.startswith("unmasked") else length * length
        case Fill(text=text, candidates=candidates) | Insert(text=text, candidates=candidates):
            return _tokens(text) * _passes(candidates)
        case Hidden(text=text, candidates=candidates):
            return _tokens(text) * _passes(candidates)
        case Score(prefix=prefix, continuations=continuations):
            return _tokens(prefix) + sum(map(_tokens, continuations))
        case Generate():
            return _tokens(request.prompt) + request.samples * request.max_new_tokens
        case Classify(text=text, pair=pair):
            return _tokens(text) + _tokens(pair)
        case CausalTokens(text=text) | Top(text=text) | Embed(text=text):
            return _tokens(text)


def answers_given(request: Request) -> int:
    """About how many numbers or texts an answer holds: what it takes to keep it in memory."""
    match request:
        case Fill(candidates=found) | Insert(candidates=found) | Hidden(candidates=found):
            return len(found)
        case Score(continuations=found):
            return len(found)
        case Generate(samples=samples):
            return samples
        case Top(k=k):
            return k
        case PseudoTokens(text=text) | CausalTokens(text=text):
            return 1 + int(_tokens(text))
        case Classify() | Embed():
            return 1


def _passes(candidates: Iterable[str]) -> int:
    longer = [len(one.split()) for one in candidates if len(one.split()) > 1]
    return 1 + sum(round(PER_WORD * words) for words in longer)


def _tokens(text: str) -> float:
    return PER_WORD * len(text.split())
