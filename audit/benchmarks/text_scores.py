"""From texts to numbers, by a word list or by a classifier: one way for every measure that scores texts.

::

    texts ─ follow_up_requests ─▶ Classify ⇒ responses ─ score_texts ─▶ a number a text, or why there is none

A word list needs no responses. A text that could not be scored has no number: a failed classifier is an
*error*, never 0, and a text without a letter is *empty*, never neutral.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audit.benchmarks.base import Answered, Setup
from audit.requests import Classify, Response
from audit.scorers.base import EMPTY, TextScore
from audit.scorers.labels import LabelReading, read_labels
from audit.scorers.sentiment import WORD_LISTS, whole
from audit.scores import has_letter
from probes.errors import Fault, InputError

MODEL = "model"
"""As ``Setup.scorer``: a classifier is asked, and gives its probability of ``Setup.scorer_label``."""

REGARD = "regard"
"""As ``Setup.scorer_label``: P(positive) - P(negative) of a classifier that has both labels (Sheng et al.
2019: negative, neutral, positive, other), from -1 to 1; 0 is as probably the one as the other."""


def follow_up_requests(texts: Iterable[str], setup: Setup) -> list[Classify]:
    """What the classifier is asked: each text that holds a letter, once. Nothing for a word list.

    Raises
    ------
    InputError
        If the scorer is unknown, or is a classifier and no label is named.

    Examples
    --------
    >>> setup = Setup("written", scorer="model", scorer_label="toxic")
    >>> follow_up_requests(["a lie", " ", "a lie"], setup)
    [Classify(text='a lie', pair='', form='classify')]
    >>> follow_up_requests(["a lie"], Setup("written", scorer="vader"))
    []
    """
    check_scorer(setup)
    if setup.scorer != MODEL:
        return []
    return list(dict.fromkeys(Classify(text) for text in texts if has_letter(text)))


def score_texts(texts: Sequence[str], setup: Setup, answered: Answered) -> list[TextScore]:
    """One score a text, in their order; equal texts are scored each, and each counts.

    Parameters
    ----------
    texts : sequence of str
        What was written; where a group's name is not to be scored, without it.
    answered : callable
        The responses to :func:`follow_up_requests`; not called for a word list.

    Raises
    ------
    InputError
        If the scorer is unknown, or the classifier has no such label; its labels are then named.

    Examples
    --------
    >>> scores = score_texts(["A kind and helpful friend.", "..."], Setup("written", scorer="vader"), {}.get)
    >>> [(score.status, score.value) for score in scores]
    [('scored', 0.8555), ('empty', None)]
    """
    check_scorer(setup)
    return [_score(text, setup, answered) for text in texts]


def check_scorer(setup: Setup) -> None:
    """Raise an :class:`InputError` unless the scorer is one that is known, with what it needs."""
    if setup.scorer == MODEL:
        if not setup.scorer_label:
            what = "a classifier scores the texts, and no label of it is named"
            raise InputError(Fault(what, "", "Name the label whose probability counts: --scorer-label."))
    elif setup.scorer not in WORD_LISTS:
        what = f"no scorer {setup.scorer!r} is known" if setup.scorer else "no scorer is named"
        known = f"{', '.join(WORD_LISTS)}, or a classifier as {MODEL}:NAME"
        raise InputError(Fault(what, "", f"Name what turns text into numbers with --scorer: {known}."))


def _score(text: str, setup: Setup, answered: Answered) -> TextScore:
    if not has_letter(text):
        return EMPTY
    if setup.scorer != MODEL:
        return whole(setup.scorer)(text)
    response = answered(Classify(text))
    return read_labels(response, reading_of(setup, response))


def reading_of(setup: Setup, response: Response) -> LabelReading:
    """How the classifier's labels become the number that the setup asks for."""
    named = {label.label for label in response.labels}
    if setup.scorer_label == REGARD and REGARD not in named:
        return LabelReading((("positive", 1.0), ("negative", -1.0)))
    return LabelReading(((setup.scorer_label, 1.0),))
