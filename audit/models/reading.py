"""Rows of tokens to run, and the log-probabilities and best tokens to be read from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from audit.models.network import Network

Row = tuple[int, ...]
AnyRow = TypeVar("AnyRow", bound=tuple[Any, ...])

LOGIT_BYTES = 64 * 2**20
"""Largest block of logits computed at once; taking their logarithm doubles it."""

MIN_FILL = 0.8
"""Rows share a padded batch where the shortest is at least this share of the longest."""


@dataclass(frozen=True)
class Read:
    """The log-probability of ``target`` at ``position`` of ``row`` is wanted."""

    row: Row
    position: int
    target: int


@dataclass(frozen=True)
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


Wanted = dict[Row, dict[int, list[Read | Best]]]
"""By row and position."""


def hosts(rows: Iterable[Row]) -> dict[Row, Row]:
    """For each row, the longest of the rows that begins with it.

    In a causal network the states of a row are the first states of every row that begins with it, so that
    only the leaves of the trie of rows need to be run.

    Examples
    --------
    >>> hosts([(1, 2), (1, 2, 3), (4,)])[(1, 2)]
    (1, 2, 3)
    """
    ordered = sorted(set(rows))
    found: dict[Row, Row] = {}
    for i in range(len(ordered) - 1, -1, -1):
        row = ordered[i]
        successor = ordered[i + 1] if i + 1 < len(ordered) else ()
        found[row] = found[successor] if successor[: len(row)] == row else row
    return found


def batches(rows: Iterable[AnyRow], token_budget: int, padded: bool) -> Iterator[list[AnyRow]]:
    """Rows in batches of like lengths, longest first, each within a budget of tokens.

    Parameters
    ----------
    rows : iterable of rows
        In any order, all distinct.
    token_budget : int
        Rows times the length of the longest; a longer row makes a batch by itself.
    padded : bool
        Whether rows of one batch may differ in length.
    """
    batch: list[AnyRow] = []
    for row in sorted(rows, key=lambda row: (-len(row), row)):
        if batch:
            longest = len(batch[0])
            alike = len(row) == longest or (padded and len(row) >= MIN_FILL * longest)
            if not alike or (len(batch) + 1) * longest > token_budget:
                yield batch
                batch = []
        batch.append(row)
    if batch:
        yield batch


def read(network: Network, reads: Iterable[Read | Best], token_budget: int, causal: bool) -> Readings:
    """Run the rows that are needed and read everything that is wanted.

    Masked rows are run in batches of one length. Causal rows may be padded on the right, which no earlier
    token can see, and a row that begins another is not run again.

    Returns
    -------
    Readings
        Natural logarithms: logits in float32, their difference to the log-sum-exp in float64.
    """
    wanted: Wanted = {}
    unique = dict.fromkeys(reads)
    host = hosts(item.row for item in unique) if causal else {}
    for item in unique:
        row = host.get(item.row, item.row)
        wanted.setdefault(row, {}).setdefault(item.position, []).append(item)
    if network.state_bytes:
        token_budget = max(1, min(token_budget, 2 * LOGIT_BYTES // network.state_bytes))
    found = Readings()
    with torch.inference_mode():
        for batch in batches(wanted, token_budget, padded=causal):
            _read_batch(network, batch, wanted, found)
    return found


def _read_batch(network: Network, batch: list[Row], wanted: Wanted, found: Readings) -> None:
    longest = len(batch[0])
    ids = torch.tensor([row + (0,) * (longest - len(row)) for row in batch], device=network.device)
    lengths = torch.tensor([len(row) for row in batch], device=network.device)
    mask = (torch.arange(longest, device=network.device) < lengths[:, None]).long()
    states = network.states(ids, mask if len(batch[-1]) < longest else None)
    places = [(i, position) for i, row in enumerate(batch) for position in wanted[row]]
    chunk = max(1, LOGIT_BYTES // (4 * network.vocabulary))
    for start in range(0, len(places), chunk):
        part = places[start : start + chunk]
        index = torch.tensor(part, device=network.device)
        logits = network.logits(states[index[:, 0], index[:, 1]])
        totals = torch.logsumexp(logits, dim=-1).double()
        items = [(k, item) for k, (i, position) in enumerate(part) for item in wanted[batch[i]][position]]
        reads = [(k, item) for k, item in items if isinstance(item, Read)]
        found.logprobs.update(zip((item for _, item in reads), _logprobs(logits, totals, reads), strict=True))
        for k, item in items:
            if isinstance(item, Best):
                found.best[item] = _best(logits[k], totals[k], item.count)


def _logprobs(logits: torch.Tensor, totals: torch.Tensor, items: Sequence[tuple[int, Read]]) -> list[float]:
    """Log-softmax at the wanted targets only: logits (places, vocabulary), float32; totals (places)."""
    if not items:
        return []
    places = torch.tensor([k for k, _ in items], device=logits.device)
    targets = torch.tensor([item.target for _, item in items], device=logits.device)
    values: list[float] = (logits[places, targets].double() - totals[places]).tolist()
    return values


def _best(logits: torch.Tensor, total: torch.Tensor, count: int) -> list[tuple[int, float]]:
    """The best tokens with their log-softmax: logits (vocabulary), float32."""
    values, tokens = torch.sort(logits, descending=True, stable=True)
    return list(zip(tokens[:count].tolist(), (values[:count].double() - total).tolist(), strict=True))
