"""Rows of any lengths side by side in one long row of a pass, and the last layer only where it is read.

No row is padded: a layout lets each token read the tokens of its own row, and each row counts its positions
for itself. Where few tokens are wanted, only these ask and go through the last layer, while its keys and
values come of all. Both are used only where a probe on the loaded network has shown the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from audit.models.attending import laid_out, shown
from audit.models.network import Network, Part, same

TRIM_SHARE = 0.8
"""The last layer is trimmed where at most this share of the tokens is wanted: of the 12 units of work that a
token takes there (4 linear maps around the attention, 8 in the network behind it), 2 are done for every token
and all 12 for each wanted one."""

_MAPS = (("key", "value"), ("k_lin", "v_lin"), ("k_proj", "v_proj"))
"""How the linear maps of keys and values are named."""

_PROBE_LENGTHS = (9, 3, 6, 6, 4)


@dataclass(frozen=True)
class Block:
    """Rows of one length that stand side by side, and of which equally many tokens are wanted.

    Attributes
    ----------
    start : int
        Their first token in the pass.
    rows : int
        How many there are.
    length : int
        Tokens of each.
    first : int
        Their first wanted token among all wanted ones.
    wanted : int
        Wanted tokens of each.
    """

    start: int
    rows: int
    length: int
    first: int
    wanted: int


@dataclass(frozen=True)
class Last:
    """Where the last attention of a pass happens: the ``call``-th time, from 1, that ``layer`` is run."""

    layer: Any
    call: int


class SideBySide:
    """The layout of packed rows: each reads itself.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each row.
    wanted : sequence of int
        How many tokens of each row are wanted, >= 1.
    """

    def __init__(self, lengths: Sequence[int], wanted: Sequence[int]) -> None:
        self.blocks = list(blocks_of(lengths, wanted))
        self.whole: Any | None = None
        """What the last layer was given before it was trimmed: tensor (1, tokens, width)."""
        self.asked: list[Any] = []
        """The attention modules that have asked, in order."""

    def attend(self, module: Any, query: Any, key: Any, value: Any, scaling: float | None) -> Any:
        """Attention within each row; see :class:`~audit.models.attending.Layout`."""
        self.asked.append(module)
        if self.whole is None:
            rows = [Block(b.start, b.rows, b.length, b.start, b.length) for b in self.blocks]
            return attended((query, key, value), scaling, rows)
        key, value = (
            linear(self.whole).unflatten(-1, (-1, query.shape[-1])).transpose(1, 2)
            for linear in _key_and_value(module)
        )
        self.whole = None
        return attended((query.transpose(0, 2), key, value), scaling, self.blocks).transpose(0, 1)

    @contextmanager
    def trimmed(self, last: Last, wanted: Any) -> Iterator[None]:
        """Within it, one pass gives the states of the wanted tokens, each as a row of one token.

        Parameters
        ----------
        last : Last
            The network's last layer.
        wanted : tensor of int64, shape (wanted tokens)
            Where they stand in the pass.
        """
        calls = 0

        def narrow(_: Any, given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            nonlocal calls
            calls += 1
            if calls != last.call:
                return None
            self.whole = given[0]
            return (given[0][0, wanted].unsqueeze(1), *given[1:]), keywords

        hook = last.layer.register_forward_pre_hook(narrow, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()


class Packer:
    """Runs rows of any lengths in one pass of a network.

    Parameters
    ----------
    network : Network
        Any; it is probed.
    part : {"states", "hidden", "labels"}
        What is wanted of it. Of a classifier, only the first token of each row is.
    mask : int or None
        The mask token, where it has one: a network may count the masks of a row.

    Attributes
    ----------
    packs : bool
        Whether it gives the same numbers packed.
    """

    def __init__(self, network: Network, part: Part, mask: int | None = None) -> None:
        self._network = network
        self._part = part
        config = network.model.config.get_text_config()
        self._pad: int | None = config.pad_token_id
        self._types = int(getattr(config, "type_vocab_size", 0) or 0) if part == "labels" else 0
        self._offset = 0
        self._last: Last | None = None
        self.packs = False
        if not (_has_windows(config) or network.stretches):
            self._probe(mask)

    @property
    def trims(self) -> bool:
        """Whether it gives the same numbers where the last layer is run for the wanted tokens only."""
        return self._last is not None

    def takes(self, row: Sequence[int]) -> bool:
        """Whether a row may be packed: where padding has no position, a padding token shifts the others."""
        return self.packs and self._pad not in row

    def run(
        self,
        rows: Sequence[Sequence[int]],
        wanted: Sequence[Sequence[int]],
        types: Sequence[Sequence[int]] | None = None,
    ) -> Any:
        """What is wanted of some tokens of some rows, from one pass.

        Parameters
        ----------
        rows : sequence of rows
            Token ids, each row one that the network :meth:`takes`. Rows of one length should be neighbours.
        wanted : sequence of sequences of int
            Positions in each row, one at least.
        types : sequence of rows or None
            The types of the tokens, where the network takes them.

        Returns
        -------
        tensor, shape (wanted tokens, width)
            In the order of the rows, and of the positions of each.
        """
        counts = sum(map(len, wanted)), sum(map(len, rows))
        trim = self._part == "labels" or counts[0] <= TRIM_SHARE * counts[1]
        return self._pass(rows, wanted, types, self._last if trim else None)[0]

    def _pass(
        self,
        rows: Sequence[Sequence[int]],
        wanted: Sequence[Sequence[int]],
        types: Sequence[Sequence[int]] | None,
        last: Last | None,
    ) -> tuple[Any, SideBySide]:
        device = self._network.device
        layout = SideBySide([len(row) for row in rows], [len(places) for places in wanted])
        positions = (range(self._offset, self._offset + len(row)) for row in rows)
        given = {"input_ids": rows, "position_ids": positions}
        if types is not None:
            given["token_type_ids"] = types
        keywords = {name: torch.tensor([list(chain(*of))], device=device) for name, of in given.items()}
        places: list[int] = []
        start = 0
        for row, own in zip(rows, wanted, strict=True):
            places += [start + position for position in own]
            start += len(row)
        index = torch.tensor(places, device=device)
        narrowed: AbstractContextManager[None] = layout.trimmed(last, index) if last else nullcontext()
        with laid_out(layout), narrowed:
            found = self._network.run(self._part, keywords)
        if self._part == "labels":
            return found, layout
        return found[:, 0] if last else found[0, index], layout

    def _probe(self, mask: int | None) -> None:
        """Find out whether the network packs, whether it trims, and where its positions begin."""
        for offset in _offsets(self._network.model):
            self._offset = offset
            if shown(self._network.model, lambda: self._is_exact(mask)):
                self.packs = True
                return

    def _is_exact(self, mask: int | None) -> bool:
        """Packed rows against each by itself, with its attention as transformers computes it."""
        rows, wanted = _probe_rows(self._network, self._pad, mask)
        types = [[int(2 * k >= len(row)) for k in range(len(row))] for row in rows]
        typed = types if self._types > 1 and self._network.takes_types else None
        if self._part == "labels":
            wanted = [(0,) for _ in rows]
        alone = []
        for i, row in enumerate(rows):
            keywords = {"input_ids": torch.tensor([row], device=self._network.device)}
            if typed:
                keywords["token_type_ids"] = torch.tensor([typed[i]], device=self._network.device)
            found = self._network.run(self._part, keywords)
            alone.append(found if self._part == "labels" else found[0, list(wanted[i])])
        expected = torch.cat(alone)
        found, layout = self._pass(rows, wanted, typed, None)
        packs = self._part != "labels" and self._same(found, expected)
        last = _last_of(self._network.model, layout.asked)
        if last is None or not (packs or self._part == "labels"):
            return packs
        # What packs may refuse to be trimmed, again in any way it likes.
        if shown(self._network.model, lambda: self._same(self._pass(rows, wanted, typed, last)[0], expected)):
            self._last = last
        return packs or self.trims

    def _same(self, found: Any, expected: Any) -> bool:
        least = 1.0 if self._part == "labels" else 0.0
        return same(found, expected, self._network.dtype, least)


def cut_packed(rows: Sequence[Sequence[Any]], start: int, tokens: int) -> int:
    """Where a packed batch of rows ends that begins at ``start``, within a budget of tokens.

    Where two batches hold what is left, they are of about one size: a small pass is slow for its tokens.

    Examples
    --------
    >>> rows = [(1, 2), (3, 4), (5, 6), (7,), (8,)]
    >>> cut_packed(rows, 0, 8), cut_packed(rows, 0, 6), cut_packed(rows, 0, 3)
    (5, 2, 1)
    """
    first = _filled(rows, start, tokens)
    if first == len(rows) or _filled(rows, first, tokens) < len(rows):
        return first
    left = sum(map(len, rows[start:]))
    return min(_filled(rows, start, (left - 1) // 2) + 1, first)


def _filled(rows: Sequence[Sequence[Any]], start: int, tokens: int) -> int:
    """Where rows end that fill a budget of tokens."""
    end = start
    while end < len(rows) and len(rows[end]) <= tokens:
        tokens -= len(rows[end])
        end += 1
    return end


def blocks_of(lengths: Sequence[int], wanted: Sequence[int]) -> Iterator[Block]:
    """The blocks of rows of some lengths, of which some tokens each are wanted.

    Examples
    --------
    >>> [(b.start, b.rows, b.length) for b in blocks_of([2, 2, 3], [2, 2, 3])]
    [(0, 2, 2), (4, 1, 3)]
    """
    start = first = 0
    for (length, count), some in groupby(zip(lengths, wanted, strict=True)):
        rows = len(list(some))
        yield Block(start, rows, length, first, count)
        start += rows * length
        first += rows * count


def attended(
    heads: tuple[Any, Any, Any], scaling: float | None, blocks: Sequence[Block], is_causal: bool = False
) -> Any:
    """Attention of each block's wanted tokens to its rows: tensor (1, wanted tokens, heads, size).

    Parameters
    ----------
    heads : tuple of tensors, shape (1, heads, tokens, size of a head)
        Queries of the wanted tokens, keys and values of all; these may have fewer heads, each shared by as
        many of the queries.
    scaling : float or None
        As of :class:`~audit.models.attending.Layout`.
    blocks : sequence of Block
        In order, and of all rows.
    is_causal : bool
        Whether each token reads those before it and itself only; then every token is wanted.
    """
    query, key, value = heads
    _, count, tokens, size = query.shape
    found = query.new_empty((1, tokens, count, size))
    for b in blocks:
        own_query, own_key, own_value = (
            states[0, :, first : first + b.rows * own].unflatten(1, (b.rows, own)).transpose(0, 1)
            for states, first, own in (
                (query, b.first, b.wanted),
                (key, b.start, b.length),
                (value, b.start, b.length),
            )
        )
        out = scaled_dot_product_attention(
            own_query,
            own_key,
            own_value,
            scale=scaling,
            is_causal=is_causal,
            enable_gqa=key.shape[1] != count,
        )
        found[0, b.first : b.first + b.rows * b.wanted].unflatten(0, (b.rows, b.wanted)).copy_(
            out.transpose(1, 2)
        )
    return found


def _key_and_value(module: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    key, value = next(names for names in _MAPS if all(hasattr(module, name) for name in names))
    return getattr(module, key), getattr(module, value)


def _last_of(model: Any, asked: Sequence[Any]) -> Last | None:
    """The last layer, of the attention modules in order; None where layers are not held in a list."""
    path = next((name for name, one in model.named_modules() if asked and one is asked[-1]), "")
    while path:
        parent = path.rpartition(".")[0]
        if isinstance(model.get_submodule(parent), torch.nn.ModuleList):
            return Last(model.get_submodule(path), asked.count(asked[-1]))
        path = parent
    return None


def _offsets(model: Any) -> Iterator[int]:
    """What the first position of a row may be called: 0, or the first behind those that padding reserves."""
    yield 0
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            yield module.padding_idx + 1


def _has_windows(config: Any) -> bool:
    """Whether some layers read a neighbourhood only, which no short probe would show."""
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    return bool(kinds or getattr(config, "sliding_window", None) or getattr(config, "local_attention", None))


def _probe_rows(
    network: Network, pad: int | None, mask: int | None
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Rows of several lengths without padding tokens, differently masked; and wanted positions of each."""
    tokens = (k * k + 5 for k in range(1000))
    usable = (t % network.tokens for t in tokens)
    ids = (t for t in usable if t not in (pad, mask))
    rows = [[next(ids) for _ in range(length)] for length in _PROBE_LENGTHS]
    if mask is not None:
        rows[0][4] = rows[2][1] = rows[2][4] = rows[4][3] = mask
    wanted = [(4,), (0, 2), (1, 4), (2, 3), (3,)]
    return [tuple(row) for row in rows], wanted
