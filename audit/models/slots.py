"""Rows of any length side by side in one cache of keys and values, in slots that others take over.

Nothing is padded and nothing is copied as rows grow: a step writes one token into each slot and reads what
the slot holds. It works inside transformers' own modules, through a layout; :func:`slots_are_exact` shows
on a network whether it gives what the network gives for each row alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import scaled_dot_product_attention

from audit.models.attending import laid_out, shown
from audit.models.network import Network, same
from audit.models.packing import attended, blocks_of
from audit.models.reading import Row

Integers = NDArray[np.int64]

_PROBE = ((5, 9, 7, 6), (8, 5), (6, 9, 3), (7, 4))
LONGEST_PROBED = 6
"""Tokens of the longest row of the probe, at its end."""


@dataclass(frozen=True)
class Packed:
    """Prompts of one pass: their rows, what a head reads at the last token of each, and what they keep.

    ``states`` is (prompts, width); ``layers`` are the keys and values (heads, tokens, size of a head) of each
    layer, in which a prompt begins at its number in ``starts``.
    """

    rows: tuple[Row, ...]
    states: Any
    layers: Sequence[tuple[Any, Any]]
    starts: Sequence[int]


class _Side:
    """A layout: rows one behind the other in a single long one, each reading itself from its beginning."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.layers: dict[Any, tuple[Any, Any]] = {}
        lengths = [len(row) for row in rows]
        self.starts = list(accumulate(lengths[:-1], initial=0))
        self._blocks = list(blocks_of(lengths, lengths))

    def attend(self, module: Any, query: Any, key: Any, value: Any, scaling: float | None) -> Any:
        self.layers[module] = key[0], value[0]
        return attended((query, key, value), scaling, self._blocks, is_causal=True)


class Slots:
    """A cache of keys and values for rows that come and go.

    Parameters
    ----------
    network : Network
        On which :func:`slots_are_exact`.
    count : int
        Rows at once.
    capacity : int
        Tokens of the longest row.
    """

    refills = True

    def __init__(self, network: Network, count: int, capacity: int) -> None:
        self._network = network
        self._shape = count, capacity
        self._layers: dict[Any, tuple[Any, Any]] = {}
        self._lengths = np.zeros(count, dtype=np.int64)

    def read(self, rows: Sequence[Row]) -> Packed:
        """Run prompts, all in one pass."""
        rows = tuple(sorted(rows, key=len))
        layout = _Side(rows)
        device = self._network.device
        ids = torch.tensor([[token for row in rows for token in row]], device=device)
        positions = torch.tensor([[k for row in rows for k in range(len(row))]], device=device)
        with laid_out(layout):
            states = self._network.states_at(ids, positions)[0]
        last = [start + len(row) - 1 for start, row in zip(layout.starts, rows, strict=True)]
        for module, (key, value) in layout.layers.items():
            if module not in self._layers:
                self._layers[module] = self._empty(key), self._empty(value)
        layers = [layout.layers[module] for module in self._layers]
        return Packed(rows, states[last], layers, layout.starts)

    def _empty(self, like: Any) -> Any:
        count, capacity = self._shape
        heads, _, size = like.shape
        # Not uninitialised: what is not read yet is multiplied with 0, and must be a number.
        return like.new_zeros((count, heads, capacity, size))

    def enter(self, packed: Packed, which: Integers, slots: Integers) -> None:
        """Put read prompts into slots: number ``which[i]`` of them into slot ``slots[i]``."""
        for prompt in np.unique(which).tolist():
            start, length = packed.starts[prompt], len(packed.rows[prompt])
            theirs = torch.from_numpy(slots[which == prompt]).to(self._network.device)
            for own, kept in zip(self._layers.values(), packed.layers, strict=True):
                for cache, new in zip(own, kept, strict=True):
                    cache[theirs, :, :length] = new[:, start : start + length]
            self._lengths[slots[which == prompt]] = length

    def move(self, sources: Integers, targets: Integers, count: int) -> None:
        """Put the rows of some slots into others, so that the first ``count`` slots are those in use."""
        if not len(sources):
            return
        length = int(self._lengths[sources].max())
        take, put = (torch.from_numpy(x).to(self._network.device) for x in (sources, targets))
        for own in self._layers.values():
            for cache in own:
                cache[put, :, :length] = cache[take, :, :length]
        self._lengths[targets] = self._lengths[sources]

    def clear(self, slots: Integers) -> None:
        """Forget what lies in some slots, which rows after them would multiply with 0, and not read."""
        theirs = torch.from_numpy(slots).to(self._network.device)
        for own in self._layers.values():
            for cache in own:
                cache[theirs] = 0

    def step(self, tokens: Integers) -> Any:
        """Feed one token to each of the first slots: the states of those tokens (rows, width)."""
        device = self._network.device
        lengths = self._lengths[: len(tokens)]
        layout = _Step(
            self._layers, torch.from_numpy(lengths).to(device), int(lengths.max()), int(lengths.min())
        )
        ids = torch.from_numpy(tokens).to(device)[:, None]
        with laid_out(layout):
            states = self._network.states_at(ids, layout.lengths[:, None])[:, 0]
        lengths += 1
        return states


class _Step:
    """A layout: one token for each slot, which reads what lies in the slot and itself."""

    def __init__(self, layers: dict[Any, tuple[Any, Any]], lengths: Any, longest: int, shortest: int) -> None:
        self._layers = layers
        self.lengths = lengths.clone()
        self._rows = torch.arange(len(lengths), device=lengths.device)
        self._read = longest + 1
        self._is_even = longest == shortest
        self._mask: Any = None

    def attend(self, module: Any, query: Any, key: Any, value: Any, scaling: float | None) -> Any:
        keys, values = self._layers[module]
        keys[self._rows, :, self.lengths] = key[:, :, 0]
        values[self._rows, :, self.lengths] = value[:, :, 0]
        count, heads, _, size = query.shape
        kept = key.shape[1]
        # Heads that share their keys are so many tokens that read the same.
        found = _read_by_few(
            query.reshape(count, kept, heads // kept, size),
            keys[:count, :, : self._read],
            values[:count, :, : self._read],
            self._visible(query),
            scaling,
        )
        return found.reshape(count, 1, heads, size)

    def _visible(self, query: Any) -> Any:
        if self._is_even:
            return None
        if self._mask is None:
            hidden = torch.arange(self._read, device=query.device) > self.lengths[:, None]
            mask = torch.zeros(hidden.shape, dtype=query.dtype, device=query.device)
            self._mask = mask.masked_fill_(hidden, -torch.inf)[:, None, None]
        return self._mask


def _read_by_few(query: Any, key: Any, value: Any, mask: Any | None, scaling: float | None) -> Any:
    """Attention of a token or a few, to many: as torch's own, which is made for many that read.

    On a processor, torch's takes up to 4 times as long as two products with what lies between them.
    """
    if query.device.type != "cpu" or query.dtype != torch.float32:
        return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scaling)
    scaled = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    weights = scaled @ key.transpose(-1, -2)
    if mask is not None:
        weights += mask
    return weights.softmax(-1) @ value


def slots_are_exact(network: Network) -> bool:
    """Whether rows in slots get what each gets alone, also in another's place: shown on a probe.

    It says nothing of rows longer than ``network.reach(LONGEST_PROBED)``.
    """
    possible = network.takes_positions and not network.stretches
    return possible and shown(network.model, lambda: _probe(network))


def _probe(network: Network) -> bool:
    rows = [tuple(token % network.vocabulary for token in row) for row in _PROBE]
    slots = Slots(network, 3, 8)
    packed = slots.read(rows)
    if not all(_is_alone(network, row, s) for row, s in zip(packed.rows, packed.states, strict=True)):
        return False
    number = {row: i for i, row in enumerate(packed.rows)}
    slots.enter(packed, np.array([number[row] for row in rows[:3]]), np.arange(3))
    held = rows[:3]
    tokens = np.array([rows[3][0], rows[0][0], rows[0][1]])
    for change in ("none", "refill", "move"):
        if change == "refill":
            slots.enter(packed, np.array([number[rows[3]]]), np.array([0]))
            held[0] = rows[3]
        elif change == "move":
            slots.move(np.array([2]), np.array([1]), 2)
            held, tokens = [held[0], held[2]], tokens[:2]
        states = slots.step(tokens)
        held = [(*row, token) for row, token in zip(held, tokens.tolist(), strict=True)]
        if not all(_is_alone(network, row, s) for row, s in zip(held, states, strict=True)):
            return False
    return True


def _is_alone(network: Network, row: Row, state: Any) -> bool:
    """Whether a state of the last token of a row gives the logits that the row gives by itself."""
    ids = torch.tensor([row], device=network.device)
    alone, found = (network.logits(x) for x in (network.states(ids)[0, -1:], state[None]))
    return same(found, alone, network.dtype, least=1.0)
