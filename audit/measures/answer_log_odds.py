"""Log-odds of one set of answers over another, at the same place of the same sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from audit.measures import Decoding
from audit.requests import MASK, Choice, Fill, Response, SuiteRequest
from audit.requests import Score as ScoreRequest
from audit.scorers.judge import Judges
from audit.scores import Score, has_letter
from probes.items import ANSWER, Form, Item


def ask(item: Item, form: Form, decoding: Decoding) -> SuiteRequest:
    """The item as a question: every answer of every pair, each once.

    For ``fill`` the answers stand at the mask. For ``score`` the sentence up to the answer is the prefix
    and each continuation is the answer with the rest of the sentence; the prefix cancels in the log-odds.
    A rest without a letter (a full stop) is not asked for: it would add its own probability and no word.
    """
    words = answer_words(item)
    if form == "fill":
        return Fill(item.text.replace(ANSWER, MASK), words)
    before, after = item.text.split(ANSWER)
    lead = " " if before.endswith(" ") else ""
    rest = after if has_letter(after) else ""
    return ScoreRequest(before.rstrip(), tuple(f"{lead}{word}{rest}" for word in words))


def answer_words(item: Item) -> tuple[str, ...]:
    """Every answer of an item, in order, each once."""
    words = (word for pair in item.answers for word in (*pair.plus, *pair.minus))
    return tuple(dict.fromkeys(words))


def read(item: Item, request: SuiteRequest, response: Response, judges: Judges) -> tuple[Score, ...]:
    """One score an answer pair: ``log sum P(plus) - log sum P(minus)``, in nats.

    A pair with an answer that the model has no probability for is not scored. ``mass`` is the total
    probability of the item's answers, where the model was asked for the answers and not for whole
    sentences.
    """
    if response.error:
        return tuple(Score(pair.id, None, "error", response.error) for pair in item.answers)
    choices = dict(zip(answer_words(item), response.choices, strict=True))
    known = [choice.logprob for choice in choices.values() if choice.logprob is not None]
    alone = request.form == "fill" or not has_letter(item.text.split(ANSWER)[1])
    mass = math.fsum(math.exp(logprob) for logprob in known) if alone else None
    scores = []
    for pair in item.answers:
        words = (*pair.plus, *pair.minus)
        missing = [f"{word}: {choices[word].reason}" for word in words if choices[word].logprob is None]
        if missing:
            scores.append(Score(pair.id, None, "unparsed", "; ".join(missing)))
            continue
        value = log_sum(choices, pair.plus) - log_sum(choices, pair.minus)
        scores.append(Score(pair.id, value, "scored", "", doubts(choices, words, request.form), mass))
    return tuple(scores)


def log_sum(choices: dict[str, Choice], words: Sequence[str]) -> float:
    """Log of the summed probability of some answers, in nats."""
    logprobs = [logprob for word in words if (logprob := choices[word].logprob) is not None]
    top = max(logprobs)
    return top + math.log(math.fsum(math.exp(logprob - top) for logprob in logprobs))


def doubts(choices: dict[str, Choice], words: Sequence[str], form: Form) -> tuple[str, ...]:
    """Answers of one pair whose probabilities compare less well, for what the tokenizer does to them.

    At a mask: a word that is split, since a masked model scores its pieces in turn (Kauf and Ivanova 2023).
    As a continuation: pairs of unequal numbers of pieces.
    """
    pieces = {choices[word].pieces for word in words}
    if pieces == {1} or (form != "fill" and len(pieces) == 1):
        return ()
    return tuple(f"{word}: {choices[word].pieces} pieces" for word in words)
