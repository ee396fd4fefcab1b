"""How far a run has come: in requests, weighed by their work, also while a model is busy with a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from audit.models.base import Model, Paced
from audit.requests import Request
from audit.work import tokens_read


class Progress(Protocol):
    """Told how far a run has come; the command line draws a bar with the time left."""

    def start(self, model: str, total: int, done: float) -> None:
        """A model's turn begins: of the work of ``total`` requests that of ``done`` is done already."""
        ...

    def advance(self, count: float) -> None:
        """The work of ``count`` more requests is done; over a turn they come to its total."""
        ...

    def say(self, text: str) -> None:
        """Something that the user should know, in a sentence."""
        ...


class Silent:
    """A :class:`Progress` that shows nothing."""

    def start(self, model: str, total: int, done: float) -> None:
        """Do nothing."""

    def advance(self, count: float) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""


class Pace:
    """Moves the bar of one turn.

    A request moves it by its share of the work of all. Within a block it moves with the tokens that the
    model says it has read: how many of them there are to a token of the estimate is learnt from the blocks
    before, as passes share what requests have in common.

    Parameters
    ----------
    progress : Progress
        The bar.
    requests : iterable of Request, optional
        All of the turn. Left out where they are not known beforehand: then each moves it by 1.

    Examples
    --------
    >>> from audit.requests import Score
    >>> class Told(Silent):
    ...     def advance(self, count: float) -> None:
    ...         print(round(count, 2))
    >>> short, long = Score("", ("one two",)), Score("", ("one two three four five six",))
    >>> pace = Pace(Told(), [short, long])
    >>> with pace.block([long]):
    ...     pace.told(4)
    0.71
    0.79
    """

    def __init__(self, progress: Progress, requests: Iterable[Request] | None = None) -> None:
        self._progress = progress
        self._each: float | None = None  # requests to a token of work
        if requests is not None:
            work = [tokens_read(request) for request in requests]
            self._each = len(work) / sum(work) if any(work) else None
        self._read = self._estimated = 0.0  # tokens of the blocks that are done
        self._block = self._left = self._now = self._expected = 0.0

    def worth(self, requests: Iterable[Request]) -> float:
        """By how much some requests move the bar."""
        if self._each is None:
            return float(sum(1 for _ in requests))
        return self._each * sum(map(tokens_read, requests))

    @contextmanager
    def block(self, requests: list[Request]) -> Iterator[None]:
        """Within it these requests are answered; at its end the bar has moved by what they are worth."""
        self._block = self._left = self.worth(requests)
        self._now = 0.0
        work = sum(map(tokens_read, requests))
        self._expected = work * (self._read / self._estimated if self._estimated else 1.0)
        yield
        self._progress.advance(self._left)
        self._left = 0.0
        if self._now:
            self._read += self._now
            self._estimated += work

    def told(self, tokens: int) -> None:
        """A pass has read so many tokens more."""
        self._now += tokens
        share = min(1.0, self._now / self._expected) if self._expected else 0.0
        more = share * self._block - (self._block - self._left)
        if more > 0.0:
            self._left -= more
            self._progress.advance(more)


@contextmanager
def watched(model: Model, pace: Pace) -> Iterator[None]:
    """Within it a model that knows how far it is tells so."""
    if not isinstance(model, Paced):
        yield
        return
    model.watch(pace.told)
    try:
        yield
    finally:
        model.watch(None)
