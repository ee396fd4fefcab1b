"""From a response with choices to answers, one for each part of an item: what several measures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit.benchmarks.base import Answer, Doubt
from audit.requests import Choice, Response


def choice_answers(
    item: str, parts: Sequence[str], response: Response, what: Literal["words", "texts"]
) -> list[Answer]:
    """Answers whose values are the log-probabilities of the choices, in nats.

    Parameters
    ----------
    parts : sequence of str
        Names of the choices, in the order in which they were asked.
    what : {"words", "texts"}
        Single words are doubted where the tokenizer splits one of them, texts and words where they differ
        in number of tokens.

    Examples
    --------
    >>> found = choice_answers("1", ("she", "he"), Response((Choice(-2.0, 1), Choice(-1.0, 2))), "words")
    >>> [(answer.part, answer.value, answer.doubts) for answer in found][0]
    ('she', -2.0, ('unequal length',))
    >>> choice_answers("1", ("she",), Response(error="too long"), "words")[0].status
    'error'
    """
    if response.error:
        return [Answer(item, part, None, "error", response.error) for part in parts]
    unequal = len({choice.pieces for choice in response.choices}) > 1
    answers = []
    for part, choice in zip(parts, response.choices, strict=True):
        if choice.logprob is None:
            answers.append(Answer(item, part, None, "error", choice.reason or "no log-probability"))
        else:
            doubts = _doubts(choice, what, unequal)
            values = {"pieces": float(choice.pieces)}
            answers.append(Answer(item, part, choice.logprob, values=values, doubts=doubts))
    return answers


def lead(item: str, part: str, response: Response) -> Answer:
    """How much more probable the first of two choices is than the second, nats.

    Examples
    --------
    >>> lead("1", "she", Response((Choice(-1.0, 1), Choice(-3.0, 1)))).value
    2.0
    """
    first, second = choice_answers(item, (part, part), response, "texts")
    if first.value is None or second.value is None:
        return first if first.value is None else second
    return Answer(item, part, first.value - second.value, doubts=first.doubts)


def _doubts(choice: Choice, what: str, unequal: bool) -> tuple[Doubt, ...]:
    found: list[Doubt] = []
    if what == "words" and choice.pieces > 1:
        found.append("several pieces")
    if unequal:
        found.append("unequal length")
    return tuple(found)
