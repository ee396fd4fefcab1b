"""From a classifier's kept answer to a number: which labels count, how much, and whether it has them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.requests import Response
from audit.scorers.base import TextScore
from probes.errors import Fault, InputError
from probes.explain import nearest

_UNNAMED = re.compile(r"LABEL_\d+")


@dataclass(frozen=True)
class LabelReading:
    """How a classifier's labels become one number: the weighted sum of their probabilities.

    Attributes
    ----------
    weights : tuple of (label, weight)
        ``(("toxic", 1.0),)`` for a probability; ``(("positive", 1.0), ("negative", -1.0))`` for regard.
    temperature : float
        Logits are divided by it before softmax or sigmoid; above 0, 1 leaves them as they are. Of an answer
        that is a number already it changes nothing.
    """

    weights: tuple[tuple[str, float], ...]
    temperature: float = 1.0


LARGEST_WEIGHT = 1e6
"""Of a label, either side of 0."""


def label_reading(labels: Mapping[str, float], temperature: float = 1.0) -> LabelReading:
    """A mapping of labels to weights as a reading.

    Raises
    ------
    InputError
        If no label counts, a weight is no finite number, or the temperature is none above 0.

    Examples
    --------
    >>> label_reading({"positive": 1, "negative": -1})
    LabelReading(weights=(('positive', 1.0), ('negative', -1.0)), temperature=1.0)
    """
    faults = []
    if not any(labels.values()):
        faults.append(Fault("no label counts", "labels", "Give each label that does its weight: toxic: 1."))
    for label, weight in labels.items():
        if not is_number(weight) or abs(weight) > LARGEST_WEIGHT:
            what = f"the weight of the label {label!r} is {weight!r}"
            faults.append(Fault(what, "labels", "Give a finite number, such as 1 or -1."))
    if not is_number(temperature) or temperature <= 0:
        what = f"the temperature is {temperature!r}"
        faults.append(Fault(what, "temperature", "Give a number above 0; 1 leaves the model as it is."))
    if faults:
        raise InputError(faults)
    return LabelReading(tuple((label, float(weight)) for label, weight in labels.items()), float(temperature))


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and neither true nor false."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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


def read_labels(response: Response, reading: LabelReading) -> TextScore:
    """What one text is worth, from the answer to its :class:`~audit.requests.Classify`.

    Raises
    ------
    InputError
        If the classifier has no such label; its labels are then named.

    Examples
    --------
    >>> from audit.requests import LabelLogit
    >>> answer = Response(labels=(LabelLogit("toxic", 0.0), LabelLogit("fine", 0.0)), activation="softmax")
    >>> read_labels(answer, LabelReading((("toxic", 1.0),))).value
    0.5
    >>> read_labels(Response(error="out of memory"), LabelReading((("toxic", 1.0),))).status
    'error'
    """
    if response.truncated:
        return TextScore(None, "truncated", response.error)
    if reason := unusable(response):
        return TextScore(None, "error", reason)
    known = label_probabilities(response, reading.temperature)
    return TextScore(
        math.fsum(weight * known[exact_label(label, known)] for label, weight in reading.weights),
        words=response.words,
    )


def label_probabilities(response: Response, temperature: float = 1.0) -> Mapping[str, float]:
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
    names = [label.label for label in response.labels]
    if response.activation == "value":
        return {label.label: label.logit for label in response.labels}
    logits = [label.logit / temperature for label in response.labels]
    if response.activation == "sigmoid":
        return dict(zip(names, (_sigmoid(logit) for logit in logits), strict=True))
    if len(logits) == 1:
        what = f"the scorer has one label, {names[0]!r}, and takes a softmax of it, which is always 1"
        raise InputError(Fault(what, "", "Use a classifier with two labels or more, or with a sigmoid."))
    top = max(logits)
    weights = [math.exp(logit - top) for logit in logits]
    total = math.fsum(weights)
    return dict(zip(names, (weight / total for weight in weights), strict=True))


def exact_label(label: str, known: Mapping[str, float]) -> str:
    """A label as the classifier spells it; its case does not matter where only one is so spelled."""
    if label in known:
        return label
    alike = [name for name in known if name.casefold() == label.casefold()]
    if len(alike) == 1:
        return alike[0]
    what = f"the scorer has no label {label!r}; it has {', '.join(known)}"
    raise InputError(Fault(what, "", nearest(label, known)))


def check_labels(known: Sequence[str] | None, reading: LabelReading, model: str) -> None:
    """Stop at a reading of labels that a model does not have; nothing where it does not say which it has.

    A model whose labels have no names but LABEL_0, LABEL_1 is read only by those: what they mean is not
    guessed.

    Raises
    ------
    InputError
        With the labels that there are.

    Examples
    --------
    >>> check_labels(["LABEL_0", "LABEL_1"], label_reading({"LABEL_1": 1.0}), "mine")
    """
    if not known:
        return
    table = {str(label): 0.0 for label in known}
    unnamed = all(map(_UNNAMED.fullmatch, table))
    named: dict[str, str] = {}
    for label, _ in reading.weights:
        if unnamed and label not in table:
            what = f"the labels have no names ({', '.join(table)}), so that {label!r} cannot be found"
            remedy = f"Read in the model's card which one it is, and say so: {next(reversed(table))}."
            raise InputError(Fault(what, model, remedy))
        try:
            exact = exact_label(label, table)
        except InputError as error:
            raise InputError(Fault(error.faults[0].what, model, error.faults[0].remedy)) from None
        if exact in named:
            what = f"the labels {named[exact]!r} and {label!r} are one"
            raise InputError(Fault(what, model, "Give each label one weight."))
        named[exact] = label


def reading_bounds(
    reading: LabelReading, labels: Sequence[str] | None, activation: str | None
) -> tuple[float, float]:
    """Smallest and largest value of a weighted sum of label probabilities.

    Examples
    --------
    >>> reading_bounds(label_reading({"positive": 1, "negative": -1}), None, "softmax")
    (-1.0, 1.0)
    >>> reading_bounds(label_reading({"insult": 1, "threat": 1}), None, "sigmoid")
    (0.0, 2.0)
    """
    weights = [weight for _, weight in reading.weights]
    if activation != "softmax":  # labels by themselves: any of them may be certain
        return math.fsum(w for w in weights if w < 0), math.fsum(w for w in weights if w > 0)
    whole = labels is not None and len(labels) == len(weights)
    others = [] if whole else [0.0]
    return min(weights + others), max(weights + others)


def _sigmoid(logit: float) -> float:
    """Logistic function without overflow at either end."""
    if logit >= 0.0:
        return 1.0 / (1.0 + math.exp(-logit))
    weight = math.exp(logit)
    return weight / (1.0 + weight)
