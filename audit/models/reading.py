"""Rows of tokens to run, and the log-probabilities and best tokens to be read from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from audit.models.devices import doubled
from audit.models.network import Network

Row = tuple[int, ...]

MIN_FILL = 0.8
"""Rows share a padded batch where the shortest is at least this share of the longest."""


@dataclass(frozen=True, slots=True)
class Read:
    """The log-probability of ``target`` at ``position`` of ``row`` is wanted."""

    row: Row
    position: int
    target: int


@dataclass(frozen=True, slots=True)
class Best:
    """The ``count`` most probable tokens at ``position`` of ``row`` are wanted, or as many as there are."""

    row: Row
    position: int
    count: int


@dataclass(frozen=True)
class Readings:
    """What was read, nats: one log-probability a :class:`Read`; tokens, best first, of a :class:`Best`.

    Equally probable tokens are in the order of the vocabulary.
    """

    logprobs: dict[Read, float] = field(default_factory=dict)
    best: dict[Best, list[tuple[int, float]]] = field(default_factory=dict)

    def of(self, reads: Sequence[Read]) -> list[float]:
        """The log-probabilities of some reads, in order."""
        return [self.logprobs[item] for item in reads]


def cut_alike(rows: Sequence[Sequence[Any]], start: int, tokens: int, padded: bool = False) -> int:
    """Where a batch of rows, the longest first, ends that begins at ``start``, within a budget of tokens.

    It holds one row at least.

    Parameters
    ----------
    rows : sequence of rows
        The longest first.
    start : int
        Where the batch begins.
    tokens : int
        Most rows times the length of the longest.
    padded : bool
        Whether rows of one batch may differ in length, the shortest at least :data:`MIN_FILL` of the longest.

    Examples
    --------
    >>> cut_alike([(1, 2), (3, 4), (5,)], 0, 100), cut_alike([(1, 2), (3, 4), (5,)], 0, 2)
    (2, 1)
    """
    longest = len(rows[start])
    shortest = MIN_FILL * longest if padded else longest
    most = min(len(rows), start + max(1, tokens // max(1, longest)))
    end = start + 1
    while end < most and len(rows[end]) >= shortest:
        end += 1
    return end


def tokens_alike(rows: Sequence[Sequence[Any]], tokens: int, padded: bool) -> int:
    """Tokens of all batches that :func:`cut_alike` makes of rows, padding included.

    Examples
    --------
    >>> tokens_alike([range(10), range(9), range(4)], 100, padded=True)
    24
    """
    start = total = 0
    while start < len(rows):
        end = cut_alike(rows, start, tokens, padded)
        total += (end - start) * len(rows[start])
        start = end
    return total


def take(network: Network, states: Any, wanted: Sequence[Sequence[Read | Best]], found: Readings) -> None:
    """Compute the vocabulary at some places and read what is wanted there.

    Parameters
    ----------
    network : Network
        Whose head reads the states.
    states : tensor, shape (places, width)
        Of every place.
    wanted : sequence of sequences of Read or Best
        What is wanted at each.
    found : Readings
        Extended by it.
    """
    for part in network.logit_chunks(len(wanted)):
        logits = network.logits(states[part])
        totals = doubled(torch.logsumexp(logits, dim=-1))
        items = [(k, item) for k, own in enumerate(wanted[part]) for item in own]
        reads = [(k, item) for k, item in items if isinstance(item, Read)]
        bests = [(k, item) for k, item in items if isinstance(item, Best)]
        if reads:
            values = _logprobs(logits, totals, reads)
            found.logprobs.update(zip((item for _, item in reads), values, strict=True))
        if bests:
            best = _best(logits, totals, bests)
            found.best.update(zip((item for _, item in bests), best, strict=True))


def _logprobs(logits: torch.Tensor, totals: torch.Tensor, items: Sequence[tuple[int, Read]]) -> list[float]:
    """Log-softmax at the wanted targets only: logits (places, vocabulary), float32; totals (places)."""
    places = torch.tensor([k for k, _ in items], device=logits.device)
    targets = torch.tensor([item.target for _, item in items], device=logits.device)
    values: list[float] = (doubled(logits[places, targets]) - totals[places.to(totals.device)]).tolist()
    return values


def _best(
    logits: torch.Tensor, totals: torch.Tensor, items: Sequence[tuple[int, Best]]
) -> Iterator[list[tuple[int, float]]]:
    """The best tokens of some places with their log-softmax."""
    places = torch.tensor([k for k, _ in items], device=logits.device)
    values, tokens = torch.sort(logits[places], descending=True, stable=True)
    most = max(item.count for _, item in items)
    logprobs = doubled(values[:, :most]) - totals[places.to(totals.device)][:, None]
    for (_, item), own, ids in zip(items, logprobs.tolist(), tokens[:, :most].tolist(), strict=True):
        yield list(zip(ids[: item.count], own[: item.count], strict=True))
