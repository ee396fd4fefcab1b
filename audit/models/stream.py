"""The loop of writing: rows begin, get a token a step, end, and make room for others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.network import Network
from audit.models.reading import Row
from audit.models.sampling import UNDEFINED, sample, sample_key
from audit.requests import Generate

AHEAD = 256
"""Tokens of prompts that a pass reads at least, so that a row that ends does not cause a small one."""

Integers = NDArray[np.int64]

_ROW = np.dtype(
    [
        ("prompt", np.int64),
        ("sample", np.int64),
        ("samples", np.int64),
        ("key", np.uint64),
        ("temperature", np.float64),
        ("top_p", np.float64),
        ("most", np.int64),
        ("count", np.int64),
        ("last", np.int64),
    ]
)
"""A row while it is written: one sample of ``samples`` of a prompt. ``count`` tokens of ``most`` are written,
and ``last`` is the latest."""


@dataclass(frozen=True)
class Written:
    """A prompt that is to be continued, with a number by which its caller knows it."""

    number: int
    row: Row
    request: Generate
    digest: str


Finish = Literal["stop", "length", "undefined"]


@dataclass(frozen=True)
class Ended:
    """The tokens of one sample, and why there are no more; ``undefined``: there was nothing to draw from."""

    tokens: Row
    finish: Finish


class Read(Protocol):
    """Prompts that a cache has read."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Their tokens."""
        ...

    @property
    def states(self) -> Any:
        """What a head reads at the end of each: tensor (prompts, width)."""
        ...


class Cache(Protocol):
    """Holds what was read of rows, in numbered places of which the first ones are in use."""

    refills: bool
    """Whether rows may begin while others are under way."""

    def read(self, rows: Sequence[Row]) -> Any:
        """Run prompts, all in one pass."""
        ...

    def enter(self, read: Any, which: Integers, slots: Integers) -> None:
        """Put prompt ``which[i]`` of those that were read into place ``slots[i]``."""
        ...

    def move(self, sources: Integers, targets: Integers, count: int) -> None:
        """Put rows into other places, so that the first ``count`` places are those in use."""
        ...

    def clear(self, slots: Integers) -> None:
        """Forget what lies in some places, which holds what is no number."""
        ...

    def step(self, tokens: Integers) -> Any:
        """Feed one token to each row in use: the states of those tokens (rows, width)."""
        ...


@dataclass
class _Waiting:
    """A prompt that is number ``which`` of those in ``read``; its samples from ``begun`` on are to begin."""

    prompt: Written
    read: Read
    which: int
    begun: int = 0


class Stream:
    """Writes samples, up to so many at once.

    Parameters
    ----------
    network : Network
        That the cache belongs to.
    cache : Cache
        Empty.
    most : int
        Rows at once.
    stops : set of int
        Tokens that end a text.
    """

    def __init__(self, network: Network, cache: Cache, most: int, stops: frozenset[int]) -> None:
        self._network = network
        self._cache = cache
        self._stops = np.array(sorted(stops), dtype=np.int64)
        self._rows = np.zeros(most, dtype=_ROW)
        self._tokens = np.zeros((most, 1), dtype=np.int64)
        self._used = 0
        self._waiting: deque[_Waiting] = deque()
        self._ended: dict[int, dict[int, Ended]] = {}
        self._whole: list[tuple[int, list[Ended]]] = []

    def run(self, prompts: Iterable[Written], prefill: int) -> Iterator[tuple[int, list[Ended]]]:
        """Each prompt's number with all of its samples, as soon as they are there.

        Parameters
        ----------
        prompts : iterable of Written
            Each with a token and a sample at least; those of equal tokens are read once where they are near.
        prefill : int
            Most tokens of the prompts of one pass; a longer one makes a pass by itself.
        """
        todo = deque(prompts)
        gone = np.zeros(0, dtype=np.int64)
        while True:
            self._fill(gone, todo, prefill)
            yield from self._whole
            self._whole = []
            if not self._used:
                return
            rows, tokens = self._rows[: self._used], self._tokens[: self._used]
            states = self._cache.step(rows["last"].copy())
            gone = np.flatnonzero(self._note(rows, tokens, self._draw(rows, states)))
            undefined = np.flatnonzero(rows["last"] == UNDEFINED)
            if len(undefined):
                self._cache.clear(undefined)

    def _fill(self, gone: Integers, todo: deque[Written], prefill: int) -> None:
        """Put samples that wait into the places of those that are gone, and into the unused ones behind."""
        free = np.concatenate([gone, np.arange(self._used, len(self._rows))])
        used = self._used - len(gone)
        while len(free) and (self._cache.refills or not used):
            if not self._waiting:
                self._read(todo, len(free), prefill)
            if not self._waiting:
                break
            begun = self._begin(free)
            free = free[begun:]
            used += begun
        self._close(free, used)

    def _close(self, free: Integers, used: int) -> None:
        """Leave no unused place before a used one."""
        if used < self._used:
            holes = free[free < used]
            last = np.setdiff1d(np.arange(used, len(self._rows)), free)
            self._cache.move(last, holes, used)
            self._rows[holes], self._tokens[holes] = self._rows[last], self._tokens[last]
        self._used = used

    def _read(self, todo: deque[Written], room: int, prefill: int) -> None:
        """Read the next prompts, enough for a pass that pays."""
        prompts: list[Written] = []
        rows: dict[Row, None] = {}
        tokens = samples = 0
        while todo and not (samples >= room and tokens >= AHEAD):
            more = 0 if todo[0].row in rows else len(todo[0].row)
            if rows and tokens + more > prefill:
                break
            prompts.append(todo.popleft())
            rows[prompts[-1].row] = None
            tokens += more
            samples += prompts[-1].request.samples
        if prompts:
            read = self._cache.read(tuple(rows))
            number = {row: i for i, row in enumerate(read.rows)}
            self._waiting.extend(_Waiting(prompt, read, number[prompt.row]) for prompt in prompts)

    def _begin(self, free: Integers) -> int:
        """Draw the first tokens of samples whose prompts were read together: how many go on from there."""
        read = self._waiting[0].read
        new: list[tuple[int | float, ...]] = []
        which: list[int] = []
        while self._waiting and len(new) < len(free) and self._waiting[0].read is read:
            one = self._waiting[0]
            request = one.prompt.request
            end = min(request.samples, one.begun + len(free) - len(new))
            noise = request.noise or one.prompt.digest
            for k in range(one.begun, end):
                key = sample_key(request.seed, noise, k)
                how = request.temperature, request.top_p, request.max_new_tokens
                new.append((one.prompt.number, k, request.samples, key, *how, 0, 0))
                which.append(one.which)
            one.begun = end
            if end == request.samples:
                self._waiting.popleft()
        rows, places = np.array(new, dtype=_ROW), np.array(which, dtype=np.int64)
        tokens = np.zeros((len(rows), max(self._tokens.shape[1], int(rows["most"].max()))), dtype=np.int64)
        self._tokens = np.pad(self._tokens, ((0, 0), (0, tokens.shape[1] - self._tokens.shape[1])))
        goes_on = ~self._note(rows, tokens, self._draw(rows, read.states, places))
        slots = free[: int(goes_on.sum())]
        if len(slots):
            self._cache.enter(read, places[goes_on], slots)
            self._rows[slots], self._tokens[slots] = rows[goes_on], tokens[goes_on]
        return len(slots)

    def _draw(self, rows: NDArray[Any], states: Any, places: Integers | None = None) -> Integers:
        """The next token of each row: by its own state, or by the one at its place."""
        drawn = []
        for part in self._network.logit_chunks(len(rows)):
            if places is None:
                logits = self._network.logits(states[part])
            else:
                distinct, index = np.unique(places[part], return_inverse=True)
                logits = self._network.logits(states[torch.from_numpy(distinct).to(states.device)])
                logits = logits[torch.from_numpy(index).to(states.device)]
            some = rows[part]
            drawn.append(sample(logits, *(some[name] for name in ("key", "count", "temperature", "top_p"))))
        return np.concatenate(drawn)

    def _note(self, rows: NDArray[Any], tokens: Integers, drawn: Integers) -> NDArray[np.bool_]:
        """Write down what was drawn, and keep what has ended with it: which rows those are."""
        stopped = np.isin(drawn, self._stops) | (drawn == UNDEFINED)
        on = np.flatnonzero(~stopped)
        tokens[on, rows["count"][on]] = drawn[on]
        rows["count"][on] += 1
        rows["last"] = drawn
        ended: NDArray[np.bool_] = stopped | (rows["count"] >= rows["most"])
        for i in np.flatnonzero(ended).tolist():
            self._keep(rows[i], tuple(tokens[i, : rows["count"][i]].tolist()), bool(stopped[i]))
        return ended

    def _keep(self, row: Any, tokens: Row, stopped: bool) -> None:
        finish: Finish = "stop" if stopped else "length"
        if row["last"] == UNDEFINED:
            finish = "undefined"
        number = int(row["prompt"])
        samples = self._ended.setdefault(number, {})
        samples[int(row["sample"])] = Ended(tokens, finish)
        if len(samples) == row["samples"]:
            self._whole.append((number, [samples[k] for k in range(len(samples))]))
            del self._ended[number]
