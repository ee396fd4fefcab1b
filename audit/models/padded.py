"""Rows of several lengths in one cache, padded on the left: for networks whose attention is their own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from audit.models.network import Network
from audit.models.reading import Row

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Padded:
    """Prompts of one pass: their rows, what a head reads at the last token of each, and what they keep."""

    rows: tuple[Row, ...]
    states: Any
    cache: Any
    mask: Any


class PaddedRows:
    """A cache of transformers' own for rows that begin together.

    Parameters
    ----------
    network : Network
        Any; rows of several lengths are for one that ``takes_left_padding``.
    """

    refills = False

    def __init__(self, network: Network) -> None:
        self._network = network
        self._cache: Any = None
        self._mask: Any = None

    def read(self, rows: Sequence[Row]) -> Padded:
        """Run prompts, all in one pass."""
        device = self._network.device
        longest = max(len(row) for row in rows)
        # What fills a row is a token of its own: of another it could get what is no number.
        ids = torch.tensor([row[:1] * (longest - len(row)) + row for row in rows], device=device)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        mask = (torch.arange(longest, device=device) >= longest - lengths[:, None]).long()
        cache = DynamicCache(config=self._network.model.config)
        return Padded(tuple(rows), self._network.step(ids, mask, cache), cache, mask)

    def enter(self, padded: Padded, which: Integers, slots: Integers) -> None:
        """Begin with read prompts: number ``which[i]`` of them in row ``slots[i]``; all rows are given."""
        order = torch.from_numpy(which[np.argsort(slots)]).to(self._network.device)
        self._cache = copy.deepcopy(padded.cache)
        self._cache.batch_select_indices(order)
        self._mask = padded.mask[order]

    def move(self, sources: Integers, targets: Integers, count: int) -> None:
        """Put some rows into the places of others, and keep the first ``count``."""
        order = np.arange(count)
        order[targets] = sources
        kept = torch.from_numpy(order).to(self._network.device)
        self._cache.batch_select_indices(kept)
        self._mask = self._mask[kept]

    def clear(self, slots: Integers) -> None:
        """Nothing: no row begins in the place of another."""

    def step(self, tokens: Integers) -> Any:
        """Feed one token to each row: the states of those tokens (rows, width)."""
        ids = torch.from_numpy(tokens).to(self._network.device)[:, None]
        self._mask = torch.cat([self._mask, torch.ones_like(ids)], dim=1)
        return self._network.step(ids, self._mask, self._cache)
