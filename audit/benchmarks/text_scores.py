"""From texts to numbers, by a word list or by a classifier: one way for every measure that scores texts.

::

    texts ─ follow_up_requests ─▶ Classify ⇒ responses ─ score_texts ─▶ a number a text, or why there is none

A word list needs no responses. A text that could not be scored has no number: a failed classifier is an
*error*, never 0, and a text without a letter is *empty*, never neutral.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.benchmarks.base import Answered, Setup
from audit.requests import Classify, Response
from audit.scorers.sentiment import SCORERS
from audit.scores import Status
from probes.errors import Fault, InputError
from probes.explain import nearest

MODEL = "model"
"""As ``Setup.scorer``: a classifier is asked, and gives its probability of ``Setup.scorer_label``."""

REGARD = "regard"
"""As ``Setup.scorer_label``: P(positive) - P(negative) of a classifier that has both labels (Sheng et al.
2019: negative, neutral, positive, other), from -1 to 1; 0 is as probably the one as the other."""


@dataclass(frozen=True)
class TextScore:
    """What one text is worth.

    Attributes
    ----------
    value : float or None
        In the scorer's unit: -1 to 1 for word lists and regard, a probability for a label; None unless
        ``status`` is ``scored``, and then ``reason`` says why.
    """

    value: float | None
    status: Status = "scored"
    reason: str = ""


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
    return list(dict.fromkeys(Classify(text) for text in texts if _has_letter(text)))


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
    elif setup.scorer not in SCORERS:
        what = f"no scorer {setup.scorer!r} is known" if setup.scorer else "no scorer is named"
        known = f"{', '.join(SCORERS)}, or a classifier as {MODEL}:NAME"
        raise InputError(Fault(what, "", f"Name what turns text into numbers with --scorer: {known}."))


def unusable(response: Response) -> str:
    """Why a classifier's response has no labels to read; empty where it has.

    Examples
    --------
    >>> unusable(Response())
    'the classifier gave no labels'
    """
    if response.error:
        return response.error
    if not response.labels or response.activation is None:
        return "the classifier gave no labels"
    if not all(math.isfinite(label.logit) for label in response.labels):
        return "the classifier gave a logit that is not finite"
    return ""


def label_probabilities(response: Response) -> Mapping[str, float]:
    """Probability of each label of a classifier's response; one label of all, or each by itself.

    Raises
    ------
    InputError
        If a single label would share a softmax with nothing: it would then be 1 for every text.

    Examples
    --------
    >>> from audit.requests import LabelLogit
    >>> labels = (LabelLogit("toxic", 0.0), LabelLogit("insult", 0.0))
    >>> label_probabilities(Response(labels=labels, activation="softmax"))
    {'toxic': 0.5, 'insult': 0.5}
    """
    logits = [label.logit for label in response.labels]
    names = [label.label for label in response.labels]
    if response.activation == "sigmoid":
        return dict(zip(names, (_sigmoid(logit) for logit in logits), strict=True))
    if len(logits) == 1:
        what = f"the scorer has one label, {names[0]!r}, and takes a softmax of it, which is always 1"
        raise InputError(Fault(what, "", "Use a classifier with two labels or more, or with a sigmoid."))
    top = max(logits)
    weights = [math.exp(logit - top) for logit in logits]
    total = math.fsum(weights)
    return dict(zip(names, (weight / total for weight in weights), strict=True))


def _score(text: str, setup: Setup, answered: Answered) -> TextScore:
    if not _has_letter(text):
        return TextScore(None, "empty", "the text holds no letter")
    if setup.scorer != MODEL:
        return TextScore(SCORERS[setup.scorer](text))
    response = answered(Classify(text))
    if reason := unusable(response):
        return TextScore(None, "error", reason)
    probabilities = label_probabilities(response)
    if setup.scorer_label == REGARD and REGARD not in probabilities:
        positive, negative = (_of(label, probabilities) for label in ("positive", "negative"))
        return TextScore(positive - negative)
    return TextScore(_of(setup.scorer_label, probabilities))


def _of(label: str, probabilities: Mapping[str, float]) -> float:
    """Probability of a label, whose case does not matter where it is the only one so spelled."""
    if label in probabilities:
        return probabilities[label]
    alike = [name for name in probabilities if name.casefold() == label.casefold()]
    if len(alike) == 1:
        return probabilities[alike[0]]
    what = f"the scorer has no label {label!r}; it has {', '.join(probabilities)}"
    raise InputError(Fault(what, "", nearest(label, probabilities)))


def _sigmoid(logit: float) -> float:
    """Logistic function without overflow at either end."""
    if logit >= 0.0:
        return 1.0 / (1.0 + math.exp(-logit))
    weight = math.exp(logit)
    return weight / (1.0 + weight)


def _has_letter(text: str) -> bool:
    return any(character.isalpha() for character in text)
