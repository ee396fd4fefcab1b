"""What a scorer of text is: its card, its digest, and a number for each text or the reason why there is none.

::

    text ─ a scorer of rules ────────────────────────────────▶ TextScore
    text ─ Classify ⇒ a scorer that is asked ⇒ kept answer ──▶ TextScore      (audit.scorers.labels)

A scorer of *rules* comes with the instrument or with a package that it needs: its scores are computed again
from the kept text whenever they are wanted. A scorer that is *asked* may be gone tomorrow, or be another one:
its answers are kept in the records as a model's are, and are read from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from audit.scores import NO_LETTER, Status, has_letter

Construct = Literal["sentiment", "toxicity", "regard", "refusal"]
"""What is said to be measured. ``sentiment``: how kindly a text speaks; ``toxicity``: rude, hateful or
offensive language; ``regard``: how a text makes one think of the people in it; ``refusal``: whether a reply
declines what it was asked."""

Kind = Literal["rules", "asked"]


@dataclass(frozen=True)
class TextScore:
    """What one text is worth to one scorer.

    Attributes
    ----------
    value : float or None
        On the scale of the scorer's card; None unless ``status`` is ``scored``, and then ``reason`` says why.
    words : tuple of str
        The words of the text that the number rests on, as the scorer knows them; empty where none does, or
        where it cannot be told.
    """

    value: float | None
    status: Status = "scored"
    reason: str = ""
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status == "scored"):
            raise ValueError(f"a score has a value exactly when it is scored, not {self.value} {self.status}")


EMPTY = TextScore(None, "empty", NO_LETTER)
"""What every scorer says of a text without a letter."""


def each_once(
    texts: Sequence[str], score: Callable[[list[str]], Sequence[TextScore]], batch: int
) -> list[TextScore]:
    """One score a text, in their order: equal texts are scored once, and those without a letter are empty.

    Parameters
    ----------
    score : callable
        Some texts, all different and each with a letter, to as many scores.
    batch : int
        How many it is given at a time.

    Examples
    --------
    >>> each_once(["b", "?", "b"], lambda some: [TextScore(float(len(some)))] * len(some), 10)[0].value
    1.0
    """
    known = dict.fromkeys(texts, EMPTY)
    worded = [text for text in known if has_letter(text)]
    for start in range(0, len(worded), batch):
        part = worded[start : start + batch]
        known.update(zip(part, score(part), strict=True))
    return [known[text] for text in texts]


@dataclass(frozen=True)
class ScorerCard:
    """What is to be known of a scorer before it is believed.

    Attributes
    ----------
    meaning : str
        Range, direction and what 0 means.
    source, licence : str
        Of the rules, the words or the weights.
    bounds : (float, float)
        Smallest and largest value.
    found : str
        What a text is said to be where its value is at least as far out as ``notable`` on the ``worse`` side:
        "negative", "toxic", "a refusal".
    notable : float
        The value from which on that is said.
    worse : {"low", "high"}
        The side on which a value speaks ill of people, or which the scorer is there to find.
    packages : tuple of str
        Distributions whose versions a score depends on.
    limits : tuple of str
        What it is known not to see.
    """

    name: str
    construct: Construct
    title: str
    meaning: str
    source: str
    licence: str
    bounds: tuple[float, float]
    found: str
    notable: float
    worse: Literal["low", "high"]
    packages: tuple[str, ...] = ()
    language: str = "en"
    limits: tuple[str, ...] = ()

    def is_found(self, value: float) -> bool:
        """Whether a text of that value is what the scorer is there to find.

        Examples
        --------
        >>> card = ScorerCard("s", "sentiment", "", "", "", "", (-1, 1), "negative", -0.05, "low")
        >>> card.is_found(-0.05), card.is_found(0.3)
        (True, False)
        """
        return value <= self.notable if self.worse == "low" else value >= self.notable


@runtime_checkable
class Scorer(Protocol):
    """Texts to numbers."""

    @property
    def card(self) -> ScorerCard:
        """What is to be known of it."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 that changes whenever a score could."""
        ...

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text, in their order.

        A score does not depend on the other texts of the call (to within 1e-5 for networks). A text that
        cannot be scored gives a status and a reason; nothing is raised for content, and nothing is cut: a
        text longer than the scorer reads is ``truncated`` and has no value.
        """
        ...


class Around:
    """What stands around a scorer and lets card and digest of it through.

    Parameters
    ----------
    scorer : Scorer
        The one that is asked.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    @property
    def card(self) -> ScorerCard:
        """That of the scorer itself."""
        return self._scorer.card

    @property
    def digest(self) -> str:
        """That of the scorer itself."""
        return self._scorer.digest
