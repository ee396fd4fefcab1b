"""The forms in which a model is asked, and what it answers.

A request is plain data, and its digest identifies it: two requests with one digest are one question. A
response is kept whole. Log-probabilities are natural logarithms (nats) throughout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

MASK = "{answer}"
"""Marks, in the text of a :class:`Fill`, the place that the model fills. It occurs exactly once."""


@dataclass(frozen=True)
class Fill:
    """How probable is each candidate at the marked place of a text, both sides given?

    ``text`` holds :data:`MASK` once. Candidates are words without the leading space. A candidate of
    several pieces is scored by the chain rule, left to right: as many masks as pieces, each filled in turn.
    """

    text: str
    candidates: tuple[str, ...]
    form: Literal["fill"] = "fill"


@dataclass(frozen=True)
class Score:
    """How probable is each continuation, given a prefix?

    An empty prefix asks for the probability of the whole text after the model's beginning-of-sequence
    token. A continuation carries its own leading space. The log-probability is the sum over its tokens.
    """

    prefix: str
    continuations: tuple[str, ...]
    form: Literal["score"] = "score"


@dataclass(frozen=True)
class Generate:
    """Sampled continuations of a prompt.

    Sampling noise comes from a counter keyed by (seed, request digest, sample, position, token), so that
    sample ``i`` is the same whatever is asked beside it and however large the batch is.
    ``temperature=0`` is greedy. ``top_p`` keeps the smallest set of tokens whose mass reaches it.
    """

    prompt: str
    samples: int
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    form: Literal["generate"] = "generate"


Request = Fill | Score | Generate


def answers_of(request: Fill | Score) -> tuple[str, ...]:
    """What a model is asked the probability of, in the order of the response's choices.

    Examples
    --------
    >>> answers_of(Score("The nurse said", (" she", " he")))
    (' she', ' he')
    """
    return request.candidates if isinstance(request, Fill) else request.continuations


@dataclass(frozen=True)
class TokenLogprob:
    """One scored piece of an answer.

    Attributes
    ----------
    text : str
        The token as its tokenizer spells it for a reader.
    logprob : float
        Nats, given everything that stands before it, in a :class:`Fill` also what stands behind the answer.
    """

    text: str
    logprob: float


@dataclass(frozen=True)
class Choice:
    """What a model said of one candidate or continuation.

    Attributes
    ----------
    logprob : float or None
        Nats, sum over pieces; None where it cannot be had, and then ``reason`` says why.
    pieces : int
        Number of tokens the candidate was split into; 0 where it has none.
    reason : str
        Empty when ``logprob`` is a number.
    tokens : tuple of TokenLogprob
        The pieces in order; their log-probabilities sum to ``logprob``. Empty where there is one piece only,
        which says nothing new, or where the model does not tell them apart.
    """

    logprob: float | None
    pieces: int
    reason: str = ""
    tokens: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class Sampled:
    """One sampled continuation.

    ``finish`` is ``stop`` (the model ended it) or ``length`` (cut at ``max_new_tokens``).
    """

    text: str
    tokens: int
    finish: Literal["stop", "length"]


@dataclass(frozen=True)
class Response:
    """A model's raw answer to one request.

    ``choices`` answers :class:`Fill` and :class:`Score` in the order of the candidates, ``samples``
    answers :class:`Generate`. ``text_tokens`` is the length of the fixed part in tokens. ``error`` is
    not empty where the request as a whole could not be answered; then both are empty.
    """

    choices: tuple[Choice, ...] = ()
    samples: tuple[Sampled, ...] = ()
    text_tokens: int = 0
    error: str = ""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8: one value, one byte string.

    Raises ``ValueError`` for NaN and infinities, which have no place in a kept record.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def digest(request: Request) -> str:
    """SHA-256 of a request's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(asdict(request))).hexdigest()


ANSWER_DIGITS = 16
"""Hexadecimal digits that tell one raw answer from another: 64 bits, enough to hold one against one other."""


def answer_digest(response: Response) -> str:
    """The first digits of the SHA-256 of a response as it lies in a record: equal answers have equal ones."""
    return hashlib.sha256(canonical(response_to_json(response))).hexdigest()[:ANSWER_DIGITS]


def request_from_json(data: dict[str, Any]) -> Request:
    """The request that :func:`dataclasses.asdict` turned into ``data``."""
    kinds: dict[str, Callable[..., Request]] = {
        "fill": Fill,
        "score": Score,
        "generate": Generate,
    }
    kind = kinds[data["form"]]
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return kind(**fields)


def response_to_json(response: Response) -> dict[str, Any]:
    """A response as it lies in a record: a choice without tokens has no such key, as in older records."""
    return {
        "choices": [_choice_to_json(choice) for choice in response.choices],
        "samples": [asdict(sample) for sample in response.samples],
        "text_tokens": response.text_tokens,
        "error": response.error,
    }


def response_from_json(data: dict[str, Any]) -> Response:
    """The response that :func:`response_to_json` turned into ``data``."""
    return Response(
        choices=tuple(_choice_from_json(choice) for choice in data["choices"]),
        samples=tuple(Sampled(**sample) for sample in data["samples"]),
        text_tokens=data["text_tokens"],
        error=data["error"],
    )


def _choice_to_json(choice: Choice) -> dict[str, Any]:
    data: dict[str, Any] = {
        "logprob": choice.logprob,
        "pieces": choice.pieces,
        "reason": choice.reason,
    }
    if choice.tokens:
        data["tokens"] = [{"text": token.text, "logprob": token.logprob} for token in choice.tokens]
    return data


def _choice_from_json(data: dict[str, Any]) -> Choice:
    tokens = tuple(TokenLogprob(**token) for token in data.get("tokens", ()))
    return Choice(**{**data, "tokens": tokens})
