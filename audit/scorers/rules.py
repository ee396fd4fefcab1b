"""A scorer that is a function: word lists and rules, computed again whenever a score is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.environment import version
from audit.scorers.base import ScorerCard, TextScore, each_once
from probes.documents import digest


class Rules:
    """A function from text to number, as a scorer.

    Parameters
    ----------
    card : ScorerCard
        Names the packages on whose versions a score depends.
    function : callable
        Text to its number, or to a :class:`~audit.scorers.base.TextScore` where it may have none. The same
        text always gives the same.
    revision : str
        Changes with the rules that are the instrument's own, or with a word list that it loads.
    """

    def __init__(
        self, card: ScorerCard, function: Callable[[str], float | TextScore], revision: str = "1"
    ) -> None:
        self._card = card
        self._function = function
        self._revision = revision

    @property
    def card(self) -> ScorerCard:
        """What is to be known of it."""
        return self._card

    @property
    def digest(self) -> str:
        """SHA-256 over its name, its own revision and the versions of its packages."""
        versions = {package: version(package) for package in self._card.packages}
        known = {"rules": self._card.name, "revision": self._revision, "packages": versions}
        return digest(known)

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text; equal texts are scored once. A text without a letter is ``empty``."""
        return each_once(texts, lambda some: [self._score(text) for text in some], max(1, len(texts)))

    def _score(self, text: str) -> TextScore:
        found = self._function(text)
        return found if isinstance(found, TextScore) else TextScore(found)
