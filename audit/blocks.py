"""Requests of all suites and forms, pooled and cut into blocks: what is asked between two writes.

Requests about one text lie in one block, so that a model runs once what they share: the masked rows of a
sentence under several schemes, the beginning that prompts have in common. A block is as much work as keeps a
model busy, and no more, so that little is lost where a run is killed. Order and cuts depend on the requests
alone: a run that is taken up again cuts in the same places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from audit.requests import CausalTokens, Classify, Embed, Generate, Request, Score
from audit.work import answers_given, tokens_read

REQUESTS = 128
"""Requests of a block for a model that does not say how much work keeps it busy, such as a Python function:
each of them may be slow."""
MOST_REQUESTS = 4096
"""Of a block for a model that says so."""
MOST_ANSWERS = 1 << 17
"""Numbers and texts in the answers of a block; what bounds its memory."""

AnyRequest = TypeVar("AnyRequest", bound=Request)


def blocks(requests: Sequence[AnyRequest], tokens: int | None) -> Iterator[list[AnyRequest]]:
    """Requests in blocks; those about one text come together.

    Parameters
    ----------
    requests : sequence
        All distinct.
    tokens : int or None
        How much work makes a block, as :func:`~audit.work.tokens_read` counts it; None where a model does
        not say, and then blocks hold :data:`REQUESTS` in the order given. One request is never cut, and those
        about one text only where they are too many for a block of their own.

    Examples
    --------
    >>> from audit.requests import PseudoTokens
    >>> texts = ("to be", "or not", "to be")
    >>> asked = [PseudoTokens(t, s) for t, s in zip(texts, ("masked", "masked", "unmasked"))]
    >>> [[one.text for one in block] for block in blocks(asked, tokens=12)]
    [['or not'], ['to be', 'to be']]
    """
    if tokens is None:
        yield from (list(requests[i : i + REQUESTS]) for i in range(0, len(requests), REQUESTS))
        return
    whole = _Size(tokens, MOST_ANSWERS, MOST_REQUESTS)
    block: list[AnyRequest] = []
    size = _Size()
    for _, alike in groupby(sorted(requests, key=subject), key=subject):
        together = list(alike)
        for own in [together] if _size(together).within(whole) else [[one] for one in together]:
            more = size + _size(own)
            if block and not more.within(whole):
                yield block
                block, more = [], _size(own)
            block += own
            size = more
    if block:
        yield block


@dataclass(frozen=True)
class _Size:
    tokens: float = 0.0
    answers: int = 0
    requests: int = 0

    def __add__(self, other: _Size) -> _Size:
        return _Size(self.tokens + other.tokens, self.answers + other.answers, self.requests + other.requests)

    def within(self, other: _Size) -> bool:
        return (
            self.tokens <= other.tokens and self.answers <= other.answers and self.requests <= other.requests
        )


def _size(requests: Sequence[Request]) -> _Size:
    return _Size(sum(map(tokens_read, requests)), sum(map(answers_given, requests)), len(requests))


def subject(request: Request) -> tuple[int, str]:
    """What a request is about: which machinery answers it, and the text that it reads.

    Texts of one beginning are neighbours when requests are sorted by this.
    """
    match request:
        case Score(prefix=prefix, continuations=continuations):
            return 0, prefix or "".join(continuations[:1])
        case CausalTokens(text=text):
            return 0, text
        case Generate(prompt=prompt):
            return 1, prompt
        case Classify(text=text, pair=pair):
            return 2, f"{text}\n{pair}"
        case Embed(text=text):
            return 3, text
        case _:
            return 0, request.text
