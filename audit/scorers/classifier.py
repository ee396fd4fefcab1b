"""A network that classifies texts, as a scorer: its labels become a number by a mapping that was stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.answers import checked
from audit.models.base import Model
from audit.requests import Classify
from audit.scorers.base import Construct, ScorerCard, TextScore, each_once
from audit.scorers.constructs import SCALES
from audit.scorers.labels import LabelReading, check_labels, read_labels, reading_bounds
from audit.scorers.masking import PLACEHOLDER, mask_groups
from probes.documents import digest
from probes.errors import Fault, InputError

BLOCK = 8192
"""Texts whose tokens are held at a time; they are sorted by length within a block."""


TORN = TextScore(None, "error", "the text holds half a character")


class ClassifierScorer:
    """A model that answers :class:`~audit.requests.Classify` as a scorer.

    Parameters
    ----------
    model : Model
        A sequence classifier, or anything that answers like one. How long a text it reads is decided where
        it is loaded (``LoadOptions.max_length``); a longer one is ``truncated``.
    reading : LabelReading
        Which labels count, and how much (``audit.scorers.labels.label_reading``).
    card : ScorerCard
        What is to be known of it (:func:`classifier_card`).
    mask : sequence of str
        Words that name groups, each replaced before a text is read; empty where nothing is masked.

    Raises
    ------
    InputError
        If the model does not classify, or has no such label; its labels are then named.

    Examples
    --------
    >>> from audit.scorers.as_model import AsModel
    >>> from audit.scorers.labels import label_reading
    >>> from audit.scorers.registry import scorer_named
    >>> model, reading = AsModel(scorer_named("vader")), label_reading({"sentiment": 1.0})
    >>> scorer = ClassifierScorer(model, reading, scorer_named("vader").card, mask=["Sikh"])
    >>> scorer.score(["A kind Sikh."]) == scorer.score(["A kind person."])
    True
    """

    def __init__(
        self, model: Model, reading: LabelReading, card: ScorerCard, mask: Sequence[str] = ()
    ) -> None:
        if "classify" not in model.capabilities:
            can = ", ".join(sorted(model.capabilities)) or "nothing"
            what = f"the model {model.id!r} classifies no texts; it answers {can}"
            raise InputError(Fault(what, "", "Name a sequence classifier."))
        check_labels(model.describe().get("labels"), reading, model.id)
        self.model = model
        self.reading = reading
        self._card = card
        self._mask = tuple(mask)

    @property
    def card(self) -> ScorerCard:
        """What is to be known of it."""
        return self._card

    @property
    def digest(self) -> str:
        """SHA-256 over the model's digest, the reading of its labels and the words that are masked."""
        known = {
            "classifier": self.model.digest,
            "weights": [list(pair) for pair in self.reading.weights],
            "temperature": self.reading.temperature,
            "mask": [PLACEHOLDER, *self._mask] if self._mask else None,
        }
        return digest(known)

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text; equal texts are asked once. A text without a letter is ``empty``.

        Half a character (a lone surrogate), which no tokenizer reads, makes a text an error.
        """
        seen = {text: mask_groups(text, self._mask) for text in dict.fromkeys(texts)}
        return each_once([seen[text] for text in texts], self._asked, BLOCK)

    def _asked(self, texts: list[str]) -> list[TextScore]:
        requests = {text: Classify(text) for text in texts if is_whole(text)}
        answers = zip(requests.items(), self.model.ask(list(requests.values())), strict=True)
        scores = {
            text: read_labels(checked(request, response), self.reading)
            for (text, request), response in answers
        }
        return [scores.get(text, TORN) for text in texts]


def is_whole(text: str) -> bool:
    """Whether UTF-8 has a place for all of a text.

    Examples
    --------
    >>> is_whole("kind"), is_whole(chr(0xD800))
    (True, False)
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def classifier_card(
    name: str, construct: Construct, reading: LabelReading, facts: Mapping[str, Any], **known: Any
) -> ScorerCard:
    """The card of a classifier that came without one.

    Parameters
    ----------
    name : str
        As reports are to name it.
    facts : mapping
        The model's ``describe()``: its ``labels``, ``activation`` and ``licence``, where it has them.
    **known
        Fields of the card that are known better: ``source``, ``licence``, ``limits``, ``bounds`` ...
    """
    scale = SCALES[construct]
    counted = " ".join(f"{weight:+g} P({label})" for label, weight in reading.weights).removeprefix("+")
    tempered = "" if reading.temperature == 1.0 else f", logits divided by {reading.temperature:g}"
    fields: dict[str, Any] = {
        "title": name,
        "meaning": f"{counted.removeprefix('1 ')}{tempered}; 0: none of it, or as much of each side",
        "source": str(facts.get("origin") or facts.get("name") or name),
        "licence": str(facts.get("licence") or "not known"),
        "bounds": reading_bounds(reading, facts.get("labels"), facts.get("activation")),
        "found": scale.found,
        "notable": scale.notable,
        "worse": scale.worse,
        "limits": ("what it learned from decides what it calls so: see its own audit",),
    }
    return ScorerCard(name=name, construct=construct, **{**fields, **known})
