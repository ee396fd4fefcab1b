"""What a classifier says of one label: its log-odds against all others, and its probability.

The value of an answer is the log-odds in nats; ``values`` holds ``probability``. Log-odds come from the raw
outputs: near 0 and 1 probabilities hardly move, and one that rounds to 1 has no log-odds at all.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logsumexp

from audit.benchmarks.base import Answer, Answered, Items, Question, Setup
from audit.benchmarks.options import Option
from audit.requests import Classify, Response
from audit.scorers.labels import unusable
from probes.errors import Fault, InputError
from probes.explain import nearest

CLASSIFY = frozenset({"classify"})
LABEL = Option("label", "the classifier's label whose log-odds are taken")


def scored_label(setup: Setup) -> str:
    """The label that is scored, by the option ``label``.

    Raises
    ------
    InputError
        If it is not said: which of a classifier's labels is meant cannot be guessed.
    """
    label = LABEL.text(setup)
    if not label:
        raise InputError(Fault("no label is named", "", "Name the classifier's label: label=toxic."))
    return label


def ask_labels(items: Items, setup: Setup, part: str) -> list[Question]:
    """Each text, to a classifier."""
    scored_label(setup)
    return [Question(item.id, part, Classify(item.texts[part])) for item in items]


def read_labels(items: Items, setup: Setup, answered: Answered, part: str) -> list[Answer]:
    """The log-odds of the label for each text, or why there is none."""
    label = scored_label(setup)
    return [_answer(q.item, part, answered(q.request), label) for q in ask_labels(items, setup, part)]


def log_odds(response: Response, label: str) -> float | None:
    """Log-odds of a label against all others, nats; None where they are not finite.

    With ``sigmoid`` each label stands by itself, and its output is its log-odds; with ``softmax`` it is the
    output minus the log of the summed exponentials of the others.

    Raises
    ------
    InputError
        If the classifier has no such label, or under softmax no other.

    Examples
    --------
    >>> from audit.requests import LabelLogit
    >>> three = (LabelLogit("bad", 2.0), LabelLogit("good", 0.0), LabelLogit("mixed", 0.0))
    >>> round(log_odds(Response(labels=three, activation="softmax"), "bad"), 6)
    1.306853
    >>> log_odds(Response(labels=three, activation="sigmoid"), "bad")
    2.0
    """
    logits = {given.label: given.logit for given in response.labels}
    if label not in logits:
        raise InputError(Fault(f"the classifier has no label {label!r}", "", nearest(label, logits)))
    others = [logit for name, logit in logits.items() if name != label]
    if response.activation == "softmax" and not others:
        remedy = "A classifier of one label must use a sigmoid."
        raise InputError(Fault(f"the classifier has no label but {label!r}", "", remedy))
    odds = logits[label] - (float(logsumexp(np.array(others))) if response.activation == "softmax" else 0.0)
    return odds if math.isfinite(odds) else None


def _answer(item: str, part: str, response: Response, label: str) -> Answer:
    if reason := unusable(response):
        return Answer(item, part, None, "error", reason)
    odds = log_odds(response, label)
    if odds is None:
        return Answer(item, part, None, "error", "the log-odds are not finite")
    return Answer(item, part, odds, values={"probability": float(expit(odds))})
