"""Log-odds of one set of answers over another, at the same place of the same sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from audit.measures import Decoding
from audit.requests import MASK, Choice, Fill, Request, Response
from audit.requests import Score as ScoreRequest
from audit.scores import Score
from probes.items import ANSWER, Form, Item


def ask(item: Item, form: Form, decoding: Decoding) -> Request:
    """The item as a question: every answer of every pair, each once.

    For ``fill`` the answers stand at the mask. For ``score`` the sentence up to the answer is the prefix
    and each continuation is the answer with the rest of the sentence; the prefix cancels in the log-odds.
    """
    words = answer_words(item)
    if form == "fill":
        return Fill(item.text.replace(ANSWER, MASK), words)
    before, after = item.text.split(ANSWER)
    lead = " " if before.endswith(" ") else ""
    return ScoreRequest(before.rstrip(), tuple(f"{lead}{word}{after}" for word in words))


def answer_words(item: Item) -> tuple[str, ...]:
    """Every answer of an item, in order, each once."""
    words = (word for pair in item.answers for word in (*pair.plus, *pair.minus))
    return tuple(dict.fromkeys(words))


def read(item: Item, request: Request, response: Response) -> tuple[Score, ...]:
    """One score an answer pair: ``log sum P(plus) - log sum P(minus)``, in nats.

    A pair with an answer that the model has no probability for is not scored. ``mass`` is the total
    probability of the item's answers (only for ``fill``, where it is that of whole answers).
    """
    if response.error:
        return tuple(Score(pair.id, None, "error", response.error) for pair in item.answers)
    choices = dict(zip(answer_words(item), response.choices, strict=True))
    known = [choice.logprob for choice in choices.values() if choice.logprob is not None]
    mass = math.fsum(math.exp(logprob) for logprob in known)
    scores = []
    for pair in item.answers:
        words = (*pair.plus, *pair.minus)
        missing = [f"{word}: {choices[word].reason}" for word in words if choices[word].logprob is None]
        if missing:
            scores.append(Score(pair.id, None, "unparsed", "; ".join(missing)))
            continue
        value = log_sum(choices, pair.plus) - log_sum(choices, pair.minus)
        scores.append(Score(pair.id, value, "scored", "", doubts(choices, words), mass))
    return tuple(scores)


def log_sum(choices: dict[str, Choice], words: Sequence[str]) -> float:
    """Log of the summed probability of some answers, in nats."""
    logprobs = [logprob for word in words if (logprob := choices[word].logprob) is not None]
    top = max(logprobs)
    return top + math.log(math.fsum(math.exp(logprob - top) for logprob in logprobs))


def doubts(choices: dict[str, Choice], words: Sequence[str]) -> tuple[str, ...]:
    """Answers of one pair that differ in their number of pieces: their probabilities compare less well."""
    if len({choices[word].pieces for word in words}) == 1:
        return ()
    return tuple(f"{word}: {choices[word].pieces} pieces" for word in words)
