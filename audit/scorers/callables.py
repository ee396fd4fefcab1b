"""Any Python function as a scorer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from numbers import Real
from typing import Any

from audit.redaction.masked import unquoted
from audit.scorers.base import Around, ScorerCard, TextScore, each_once
from audit.scorers.judge import within
from audit.wording import counted
from probes.documents import digest
from probes.errors import Fault, InputError

BATCH = 256
"""Texts given to a function in one call."""


class CallableScorer:
    """A Python function as a scorer.

    Where a call fails, or gives another number of values than it was given texts, its texts are given again
    in halves until those that it fails for are found; they are *errors* with the reason, the others are
    scored. A value that is no finite number within the card's bounds is an error as well.

    Parameters
    ----------
    function : callable
        A list of texts to as many numbers; or one text to one number, where ``batched`` is False. The same
        text always gives the same.
    card : ScorerCard
        What is to be known of it; its bounds are held to.
    version : str
        Changes whenever a number could: the function's own source is looked at, what it calls is not.
    batched : bool
        Whether it takes a list.

    Examples
    --------
    >>> card = ScorerCard("shout", "toxicity", "Shouting", "share of capitals", "ours", "-", (0, 1), "loud",
    ...     0.5, "high")
    >>> scorer = CallableScorer(lambda text: sum(map(str.isupper, text)) / len(text), card, "1", False)
    >>> [score.value for score in scorer.score(["HO", "hO"])]
    [1.0, 0.5]
    """

    def __init__(
        self, function: Callable[[Any], Any], card: ScorerCard, version: str, batched: bool = True
    ) -> None:
        if not version:
            what = f"the scorer {card.name!r} has no version"
            raise InputError(Fault(what, "", "Give one that changes whenever a score could."))
        self._function = function
        self._card = card
        self._version = version
        self._batched = batched

    @property
    def card(self) -> ScorerCard:
        """What is to be known of it."""
        return self._card

    @property
    def digest(self) -> str:
        """SHA-256 over its name, version and bounds, and over its source where that can be had."""
        known = {
            "callable": self._card.name,
            "version": self._version,
            "bounds": asdict(self._card)["bounds"],
            "batched": self._batched,
            "source": source_of(self._function),
        }
        return digest({**known, "bounds": list(known["bounds"])})

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text; equal texts are scored once. A text without a letter is ``empty``."""
        return each_once(texts, lambda some: one_each(self._called, some), BATCH if self._batched else 1)

    def _called(self, texts: Sequence[str]) -> list[TextScore]:
        values = self._function(list(texts)) if self._batched else [self._function(texts[0])]
        return [self._scored(value) for value in values]

    def _scored(self, value: Any) -> TextScore:
        low, high = self._card.bounds
        if value is None or isinstance(value, str | bytes):
            return TextScore(None, "error", f"the scorer gave a {type(value).__name__} and no number")
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            return TextScore(None, "error", f"the scorer gave a {type(value).__name__} and no number")
        if not math.isfinite(number):
            return TextScore(None, "error", f"the scorer gave {number}, which is not finite")
        if not low <= number <= high:
            return TextScore(None, "error", f"the scorer gave {number:g}, outside of {low:g} to {high:g}")
        return TextScore(number)


class Guarded(Around):
    """A scorer that is anybody's: where it fails, or leaves its scale, its texts are errors, and no more.

    Parameters
    ----------
    scorer : Scorer
        Any.
    """

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text, in their order."""
        return [within(score, self.card.bounds) for score in one_each(self._scorer.score, texts)]


def source_of(function: Callable[..., Any]) -> str | None:
    """The source of a function, or of the class of a callable object; None where it cannot be had."""
    for one in (function, type(function)):
        try:
            return inspect.getsource(one)
        except (TypeError, OSError):
            continue
    return None


def one_each(score: Callable[[Sequence[str]], Iterable[TextScore]], texts: Sequence[str]) -> list[TextScore]:
    """One score a text from code that is anybody's, and fails as it likes.

    Where a call fails, or gives another number of scores than it was given texts, its texts are given again
    in halves, until those that it fails for are found: they are errors with the reason.

    Examples
    --------
    >>> scores = one_each(lambda texts: [TextScore(1 / len(text)) for text in texts], ["a", ""])
    >>> [score.status for score in scores]
    ['scored', 'error']
    """
    try:
        scores = list(score(list(texts)))
        if len(scores) != len(texts):
            raise ValueError(f"it gave {counted(len(scores), 'value')} for {counted(len(texts), 'text')}")
        scores = [numbered(score) for score in scores]
    except MemoryError:
        raise
    except Exception as error:
        if len(texts) == 1:
            return [TextScore(None, "error", reason_of(error, texts[0]))]
        half = len(texts) // 2
        return one_each(score, texts[:half]) + one_each(score, texts[half:])
    return scores


def numbered(score: Any) -> TextScore:
    """A score whose value, where it has one, is a plain number."""
    if not isinstance(score, TextScore):
        raise TypeError(f"it gave a {type(score).__name__} and no score")
    if score.value is None:
        return score
    if not isinstance(score.value, Real):
        raise TypeError(f"it gave a {type(score.value).__name__} and no number")
    return replace(score, value=float(score.value))


def reason_of(error: Exception, text: str) -> str:
    """What a function failed with, in one line, without the words of the text that it failed for."""
    said = unquoted(str(error), text)
    return f"the scorer failed: {type(error).__name__}" + (f": {said}" if said else "")
