"""What may be kept as an answer: a model's response is checked once, before it is on disk for good."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, get_args

from audit.redaction.masked import unquoted
from audit.requests import (
    Activation,
    CausalTokens,
    Choice,
    ChoiceRequest,
    Classify,
    Generate,
    LabelLogit,
    PseudoTokens,
    Request,
    Response,
    Sampled,
    ScoredToken,
    TokenLogprob,
    Top,
    answers_of,
)

SMALLEST_LOGPROB = -1e6
"""Nats; below this a log-probability is a fault and not an answer."""
LARGEST_LOGPROB = 1e-3
"""Nats; what rounding may put above 0."""
SUM_TOLERANCE = 1e-6
"""Nats, and share of the whole: how far the pieces of an answer may be from summing to it."""


def checked(request: Request, response: Any, largest: float = LARGEST_LOGPROB) -> Response:
    """The response as it may be kept; a malformed one becomes an error that says what is wrong with it.

    Parameters
    ----------
    response : Any
        What the model returned; it may come from anybody's code.
    largest : float
        Largest log-probability allowed, in nats; a planted model may go above 0.
    """
    if not isinstance(response, Response):
        return Response(error=f"malformed answer: a {type(response).__name__} and no Response")
    if response.error:
        return Response(
            error=message_of(request, response.error),
            text_tokens=whole(response.text_tokens),
            truncated=bool(response.truncated),
        )
    try:
        return checked_parts(request, response, largest)
    except (MalformedError, TypeError, ValueError, AttributeError, OverflowError) as error:
        return Response(error=message_of(request, f"malformed answer: {error}"))


def message_of(request: Request, error: Any) -> str:
    """Why there is no answer; of a text that somebody else wrote it repeats no words, and stays short."""
    if isinstance(request, Classify):
        return unquoted(text_of(error), f"{request.text} {request.pair}".strip()) or "no reason was given"
    return text_of(error)


def checked_parts(request: Request, response: Response, largest: float) -> Response:
    """The parts of a response that answer this form of request; the others are left out."""
    text_tokens = whole(response.text_tokens)
    if isinstance(request, Generate):
        samples = tuple(checked_sample(sample) for sample in response.samples)
        require(len(samples) == request.samples, f"{len(samples)} samples of {request.samples}")
        return Response(samples=samples, text_tokens=text_tokens)
    if isinstance(request, ChoiceRequest):
        options = answers_of(request)
        choices = tuple(checked_choice(choice, largest) for choice in response.choices)
        require(len(choices) == len(options), f"{len(choices)} log-probabilities for {len(options)} answers")
        return Response(choices=choices, text_tokens=text_tokens)
    if isinstance(request, PseudoTokens | CausalTokens | Top):
        tokens = tuple(checked_scored(token, largest) for token in response.tokens)
        require_tokens(request, tokens)
        return Response(tokens=tokens, text_tokens=text_tokens)
    if isinstance(request, Classify):
        labels = tuple(checked_label(label) for label in response.labels)
        require(len(labels) > 0, "no labels")
        require(len({one.label for one in labels}) == len(labels), "two labels of one name")
        known = get_args(Activation)
        require(response.activation in known, f"an activation {response.activation!r}, not one of {known}")
        words = tuple(text_of(word) for word in response.words)
        return Response(labels=labels, activation=response.activation, text_tokens=text_tokens, words=words)
    vector = tuple(finite(value, "a coordinate") for value in response.vector)
    require(len(vector) > 0, "an empty vector")
    return Response(vector=vector, text_tokens=text_tokens)


def require_tokens(request: PseudoTokens | CausalTokens | Top, tokens: tuple[ScoredToken, ...]) -> None:
    """Stop at tokens that are not those that were asked for."""
    require(len(tokens) > 0, "no tokens")
    weighed = isinstance(request, PseudoTokens) and request.scheme == "unmasked_attention"
    for token in tokens:
        without = token.weight is None
        require(without != weighed, f"a token {'without its' if without else 'with a'} weight")
    if isinstance(request, Top):
        require(len(tokens) == request.k, f"{len(tokens)} tokens of {request.k}")
        require(len({token.id for token in tokens}) == len(tokens), "the same token twice")
        falling = all(a.logprob >= b.logprob for a, b in pairwise(tokens))
        require(falling, "tokens that are not in the order of their log-probabilities")


class MalformedError(Exception):
    """A part of a response that cannot be kept."""


def require(holds: bool, what: str) -> None:
    """Stop at a part that cannot be kept."""
    if not holds:
        raise MalformedError(what)


def checked_choice(choice: Choice, largest: float) -> Choice:
    """A choice whose log-probability is a plain number in range, or None with a reason.

    A single token is left out: it is the choice itself.
    """
    pieces, reason = whole(choice.pieces), text_of(choice.reason)
    if choice.logprob is None:
        return Choice(None, pieces, reason or "the model gave no log-probability")
    value = checked_logprob(choice.logprob, largest)
    tokens = tuple(checked_token(token, largest) for token in choice.tokens)
    if tokens:
        require(len(tokens) == pieces, f"{len(tokens)} tokens of {pieces} pieces")
        total = math.fsum(token.logprob for token in tokens)
        agree = abs(total - value) <= SUM_TOLERANCE * (1 + abs(value))
        require(agree, f"tokens that sum to {total:g} nats, not {value:g}")
    return Choice(value, pieces, tokens=tokens if len(tokens) > 1 else ())


def checked_token(token: TokenLogprob, largest: float) -> TokenLogprob:
    """A piece with text that can be written down and a log-probability in range."""
    require(isinstance(token.text, str), "a token that is no text")
    return TokenLogprob(text_of(token.text), checked_logprob(token.logprob, largest))


def checked_scored(token: ScoredToken, largest: float) -> ScoredToken:
    """A token of a text whose numbers are plain ones in range."""
    require(isinstance(token.text, str), "a token that is no text")
    weight = None if token.weight is None else finite(token.weight, "a weight")
    require(weight is None or weight >= 0, f"a weight of {weight}")
    return ScoredToken(
        whole(token.id),
        text_of(token.text),
        checked_logprob(token.logprob, largest),
        None if token.word is None else whole(token.word),
        weight,
    )


def checked_label(label: LabelLogit) -> LabelLogit:
    """A label with a name that can be written down and a finite logit."""
    require(isinstance(label.label, str) and label.label != "", "a label without a name")
    return LabelLogit(text_of(label.label), finite(label.logit, "a logit"))


def finite(value: Any, what: str) -> float:
    """A plain number that is neither infinite nor undefined."""
    number = float(value)
    require(math.isfinite(number), f"{what} of {number:g}")
    return number


def checked_logprob(logprob: Any, largest: float) -> float:
    """A log-probability as a plain number in range."""
    value = float(logprob)
    if not (math.isfinite(value) and SMALLEST_LOGPROB <= value <= largest):
        raise MalformedError(f"a log-probability of {value:g} nats")
    return value


def checked_sample(sample: Sampled) -> Sampled:
    """A sample of text that can be written down."""
    require(sample.finish in ("stop", "length"), f"a sample that ended by {sample.finish!r}")
    require(isinstance(sample.text, str), "a sample that is no text")
    return Sampled(text_of(sample.text), whole(sample.tokens), sample.finish)


def whole(value: Any) -> int:
    """A count as a plain number."""
    number = int(value)
    require(number >= 0 and number == value, f"a count of {value!r}")
    return number


def text_of(value: Any) -> str:
    """Text that UTF-8 can hold: halves of characters are replaced."""
    return str(value).encode("utf-8", "replace").decode("utf-8")
