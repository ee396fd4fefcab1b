"""A scorer that tells how far it has come, while its own audit is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.scorers.base import Around, Scorer, TextScore

BLOCK = 1024
"""Texts that are scored between two words about how far it is."""


class Watched(Around):
    """A scorer that reads a text once, in blocks, and says after each how many texts it has read.

    Parameters
    ----------
    scorer : Scorer
        The one that scores; card and digest are its own.
    advance : callable
        Told how many more texts are read; those that were read before do not count again.

    Examples
    --------
    >>> from audit.scorers.registry import scorer_named
    >>> told = []
    >>> watched = Watched(scorer_named("vader"), told.append)
    >>> [score.value for score in watched.score(["Good.", "Good.", "Bad."])]
    [0.4404, 0.4404, -0.5423]
    >>> _ = watched.score(["Bad.", "Worse."])
    >>> told
    [2, 1]
    """

    def __init__(self, scorer: Scorer, advance: Callable[[int], None]) -> None:
        super().__init__(scorer)
        self._advance = advance
        self._known: dict[str, TextScore] = {}

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text, in their order."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(fresh), BLOCK):
            block = fresh[start : start + BLOCK]
            self._known.update(zip(block, self._scorer.score(block), strict=True))
            self._advance(len(block))
        return [self._known[text] for text in texts]
