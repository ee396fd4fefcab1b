"""The forest of what rows of tokens have in common: each beginning that several rows share is one path in it.

In a causal network the state of a token depends on the tokens before it and on nothing else, so that rows
which begin alike have their first states in common. Those are computed once, and where the rows part, each
token reads the path that leads to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import scaled_dot_product_attention

from audit.models.reading import Row

Numbers = NDArray[np.int64]

BLOCK = 128
"""Tokens that read together: a mask lies over them and the paths to them, not over a whole pass."""

FULL = 0.75
"""A pass ends where the fewest tokens have to be repeated, from this share of its budget on."""


@dataclass(frozen=True)
class Forest:
    """Rows of tokens as a forest, its tokens numbered from the root down, each branch to its end.

    Attributes
    ----------
    offsets : mapping
        Row to where its reads begin.
    tokens, depths, parents, ends : arrays, shape (nodes,)
        Of each node: its token, the number of tokens before it in its rows, the node before it (-1: none),
        and where the nodes end that come after it in its rows: those of number >= its own, < ``ends``.
    firsts : array, shape (leaves + 1,)
        Where the nodes begin that each leaf has for itself, in order, and at last the number of nodes.
    read_nodes, read_targets : arrays, shape (reads,)
        The node after which a token is wanted, and the token, of all tokens of row by row.
    """

    offsets: Mapping[Row, int]
    tokens: Numbers
    depths: Numbers
    parents: Numbers
    ends: Numbers
    firsts: Numbers
    read_nodes: Numbers
    read_targets: Numbers

    def path(self, node: int) -> Numbers:
        """The nodes before one, from the root on."""
        found = np.empty(self.depths[node], dtype=np.int64)
        for i in range(len(found) - 1, -1, -1):
            node = int(self.parents[node])
            found[i] = node
        return found

    def cut(self, start: int, tokens: int) -> int:
        """The leaf at which a pass ends that begins with leaf ``start``, within a budget of tokens.

        A pass that begins within a tree repeats the path to its first leaf. Of the ends that fill a pass well
        the one is taken after which the fewest tokens are repeated.
        """
        repeated = int(self.depths[self.firsts[start]])
        room = int(self.firsts[start]) + tokens - repeated
        last = int(np.searchsorted(self.firsts, room, side="right")) - 1
        if last >= len(self.firsts) - 1 or last <= start:
            return max(start + 1, last)
        full = int(np.searchsorted(self.firsts, room - (1 - FULL) * tokens, side="left"))
        ends = np.arange(max(full, start + 1), last + 1) if full <= last else np.array([last])
        repeats = self.depths[self.firsts[ends]]
        return int(ends[::-1][np.argmin(repeats[::-1])])


def forest(rows: Mapping[Row, int]) -> Forest:
    """The forest of rows.

    Parameters
    ----------
    rows : mapping
        Row to the position, >= 1, of its first token that is wanted; all after it are wanted, too. The last
        token of a row is wanted and not fed.

    Examples
    --------
    >>> grown = forest({(1, 2, 3): 1, (1, 2, 4, 5): 3, (7, 8): 1})
    >>> grown.tokens.tolist(), grown.depths.tolist(), grown.ends.tolist()
    ([1, 2, 4, 7], [0, 1, 2, 0], [3, 3, 3, 4])
    >>> grown.read_nodes.tolist(), grown.read_targets.tolist(), grown.firsts.tolist()
    ([0, 1, 2, 3], [2, 3, 5, 8], [0, 3, 4])
    """
    tokens: list[int] = []
    depths: list[int] = []
    parents: list[int] = []
    ends: list[int] = []
    firsts: list[int] = []
    nodes: list[int] = []
    targets: list[int] = []
    offsets: dict[Row, int] = {}
    path: list[int] = []
    before: Row = ()
    for row in sorted(rows):
        count = len(tokens)
        common = min(shared(before, row), len(path))
        for node in path[common:]:
            ends[node] = count
        del path[common:]
        if common < len(row) - 1:
            if not path or path[-1] < count - 1:
                firsts.append(count)
            new = range(count, count + len(row) - 1 - common)
            tokens += row[common:-1]
            depths += range(common, len(row) - 1)
            parents += [path[-1] if path else -1, *new[:-1]]
            ends += [0] * len(new)
            path += new
        offsets[row] = len(nodes)
        nodes += path[rows[row] - 1 : len(row) - 1]
        targets += row[rows[row] :]
        before = row
    for node in path:
        ends[node] = len(tokens)
    firsts.append(len(tokens))
    columns = (tokens, depths, parents, ends, firsts, nodes, targets)
    return Forest(offsets, *(np.array(column, dtype=np.int64) for column in columns))


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common beginning of two rows."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


@dataclass(frozen=True)
class Pass:
    """Some neighbouring leaves of a forest, with the paths to them: what is run at once.

    Attributes
    ----------
    nodes : array, shape (tokens,)
        The number in the forest of each token of the pass.
    repeated : int
        So many of the first are here only to be read by those after them.
    ends : array, shape (tokens,)
        As of the forest, in numbers of the pass.
    """

    nodes: Numbers
    repeated: int
    ends: Numbers

    @classmethod
    def of(cls, trees: Forest, first: int, last: int) -> Pass:
        """The pass of the leaves from ``first`` on up to ``last``, which is not one of them."""
        start, end = int(trees.firsts[first]), int(trees.firsts[last])
        path = trees.path(start)
        nodes = np.concatenate((path, np.arange(start, end)))
        return cls(nodes, len(path), np.minimum(trees.ends[nodes], end) - start + len(path))


class Branches:
    """The layout of a pass: each token reads those on the path to it, and itself.

    Parameters
    ----------
    ends, depths : arrays, shape (tokens,)
        Of each token of the pass: where those end that read it, and its depth.
    device : torch.device
        Where the pass is run.
    window : int or None
        A token reads so many tokens at most, itself among them; None where there is no bound.
    """

    def __init__(self, ends: Numbers, depths: Numbers, device: Any, window: int | None = None) -> None:
        self._given = ends, depths, device
        self._windows: dict[int, Branches] = {}
        self._length = len(ends)
        blocks = -(-len(ends) // BLOCK)
        size = -(-len(ends) // blocks)
        starts = np.arange(0, len(ends), size)
        paths = [np.flatnonzero(ends[:start] > start) for start in starts]
        keys = np.full((len(starts), size + max(map(len, paths))), len(ends))
        for row, path, start in zip(keys, paths, starts, strict=True):
            own = np.arange(size)[: len(ends) - start] + start
            row[: len(path) + len(own)] = np.concatenate((path, own))
        # What is only there to fill a block: a reader that is not asked, and a token that nobody reads.
        readers = np.minimum(starts[:, None] + np.arange(size), len(ends) - 1)
        ends, depths = np.append(ends, 0), np.append(depths, 0)
        reads = (keys[:, None] <= readers[:, :, None]) & (readers[:, :, None] < ends[keys][:, None])
        if window is not None:
            reads &= depths[readers][:, :, None] - depths[keys][:, None] < window
        self._shape = len(starts), size, keys.shape[1]
        self._readers = torch.from_numpy(readers.ravel()).to(device)
        self._keys = torch.from_numpy(np.minimum(keys, self._length - 1).ravel()).to(device)
        self._mask = torch.from_numpy(reads[:, None]).to(device)

    def within(self, window: int) -> Branches:
        """The same layout, in which a token reads so many tokens at most, itself among them."""
        if window not in self._windows:
            self._windows[window] = Branches(*self._given, window)
        return self._windows[window]

    def attend(self, module: Any, query: Any, key: Any, value: Any, scaling: float | None) -> Any:
        """Attention of one layer, as :class:`~audit.models.attending.Layout` has it."""
        if query.shape[2] != self._length or query.shape[0] != 1:
            raise ValueError("a pass of another form than its layout")
        blocks, size, width = self._shape
        groups = query.shape[1] // key.shape[1]
        queries = _blocks(query, self._readers, (blocks, size))
        keys = _blocks(key, self._keys, (blocks, width)).repeat_interleave(groups, dim=1)
        values = _blocks(value, self._keys, (blocks, width)).repeat_interleave(groups, dim=1)
        attended = scaled_dot_product_attention(queries, keys, values, attn_mask=self._mask, scale=scaling)
        return attended.transpose(1, 2).flatten(0, 1)[None, : self._length]


def _blocks(vectors: Any, places: Any, shape: tuple[int, int]) -> Any:
    """Vectors (1, heads, tokens, size) at places: tensor (blocks, heads, places of a block, size)."""
    return vectors[0].index_select(1, places).unflatten(1, shape).transpose(0, 1)
