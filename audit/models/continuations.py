"""How probable tokens are after those before them, by a causal network, with what rows share computed once.

There are two ways, and both give the same numbers. In a *tree*, every token that rows have in common is
computed once and read by each of them. In *rows*, whole rows are padded to like lengths; a row that begins
another is not run. Which of them computes less is counted; the tree is taken only where a probe of the
loaded network has shown that it gives what plain rows give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.attending import laid_out, shown
from audit.models.budget import Budget
from audit.models.network import Network, same
from audit.models.reading import Row, cut_alike, tokens_alike
from audit.models.trie import Branches, Forest, Numbers, Pass, forest

TREE_COST = 1.05
"""What a token costs in a tree, of what it costs in padded rows, where texts are short."""

ATTENTION = 12
"""A token that reads so many others as its state has numbers, times this, costs twice as much: a layer
multiplies with about 12 matrices as wide as a state, and with each state that it reads twice. Padded rows
skip the half of them that comes later, which a tree only masks."""

_PROBE_ROWS: tuple[Row, ...] = (
    (5, 9, 7, 6, 8, 5, 4, 9, 6, 3, 7, 8, 5, 3, 9, 4, 6, 7, 3, 5),
    (5, 9, 7, 6, 8, 5, 4, 9, 6, 3, 4, 7, 9, 5),
    (5, 9, 7, 3),
    (5, 9, 4, 6, 8),
    (5, 9, 4, 6, 3, 7),
    (8, 5, 6, 9),
)


@dataclass(frozen=True)
class Span:
    """The tokens of ``row`` from ``start`` on are wanted, each after all before it; ``start`` >= 1."""

    row: Row
    start: int

    @property
    def targets(self) -> Row:
        """The wanted tokens."""
        return self.row[self.start :]


class CausalReader:
    """Reads log-probabilities from a causal network.

    Parameters
    ----------
    network : Network
        Of a causal language model.
    budget : Budget
        Tokens of one forward pass.
    """

    def __init__(self, network: Network, budget: Budget) -> None:
        self._network = network
        self._budget = budget

    def read(self, spans: Sequence[Span]) -> list[list[float]]:
        """For each span, one log-probability for each of its targets, in order, nats.

        Logits are float32, their difference to the log-sum-exp float64.
        """
        rows: dict[Row, int] = {}
        for span in spans:
            rows[span.row] = min(span.start, rows.get(span.row, span.start))
        found: dict[Row, NDArray[np.float64]] = {}
        with torch.inference_mode():
            for part in self._parts(rows):
                trees = forest(part)
                reading = _Reading(self._network, trees)
                if self._pays(trees):
                    self._in_trees(reading)
                else:
                    self._in_rows(reading)
                for row, first in trees.offsets.items():
                    found[row] = reading.values[first : first + len(row) - part[row]]
        return [found[span.row][span.start - rows[span.row] :].tolist() for span in spans]

    def _parts(self, rows: dict[Row, int]) -> Iterator[dict[Row, int]]:
        """The rows; where the length of a row changes its positions, those of one length at a time."""
        if not self._network.stretches:
            yield from [rows] if rows else []
            return
        for length in sorted({len(row) for row in rows}):
            yield {row: start for row, start in rows.items() if len(row) == length}

    def _in_trees(self, reading: _Reading) -> None:
        def run(leaves: Sequence[int]) -> None:
            reading.tree(leaves[0], leaves[-1] + 1)

        leaves = range(len(reading.trees.firsts) - 1)
        self._budget.spend(
            leaves, lambda _, start, tokens: reading.trees.cut(start, self._network.fitting(tokens)), run
        )

    def _in_rows(self, reading: _Reading) -> None:
        lengths = _lengths(reading.trees)
        order = np.argsort(-lengths, kind="stable")
        rows = _of_lengths(lengths[order])
        self._budget.spend(
            order.tolist(),
            lambda _, start, tokens: cut_alike(rows, start, self._network.fitting(tokens), padded=True),
            reading.rows,
        )

    def _pays(self, trees: Forest) -> bool:
        """Whether a tree computes less than rows do, and the same."""
        rows = _of_lengths(-np.sort(-_lengths(trees)))
        tokens = self._network.fitting(self._budget.tokens)
        cost = TREE_COST + len(rows[0]) / (ATTENTION * self._network.width)
        if cost * _tree_tokens(trees, tokens) >= tokens_alike(rows, tokens, padded=True):
            return False
        return len(rows[0]) <= self.reach

    @cached_property
    def reach(self) -> float:
        """The length of the longest rows that a tree may hold: 0 where a probe shows no equality."""
        network = self._network
        if not (network.takes_positions and shown(network.model, self._tree_is_exact)):
            return 0
        return network.reach(max(map(len, _PROBE_ROWS)) - 1)

    def _tree_is_exact(self) -> bool:
        probe = [tuple(token % self._network.vocabulary for token in row) for row in _PROBE_ROWS]
        trees = forest(dict.fromkeys(probe, 1))
        leaves = len(trees.firsts) - 1
        reading = _Reading(self._network, trees)
        return all(reading.is_exact(*part) for part in ((0, leaves), (0, 1), (1, leaves)))


def _lengths(trees: Forest) -> Numbers:
    """Tokens of the row of each leaf."""
    lengths: Numbers = trees.depths[trees.firsts[1:] - 1] + 1
    return lengths


def _of_lengths(lengths: Numbers) -> list[range]:
    """Rows of which nothing but their lengths is known."""
    return [range(length) for length in lengths.tolist()]


def _tree_tokens(trees: Forest, tokens: int) -> int:
    """Tokens of all passes over a forest, those that are repeated included."""
    start, total = 0, len(trees.tokens)
    while start < len(trees.firsts) - 1:
        total += int(trees.depths[trees.firsts[start]])
        start = trees.cut(start, tokens)
    return total


class _Reading:
    """The reads of a forest while they are answered; ``values`` holds nats, in the forest's order."""

    def __init__(self, network: Network, trees: Forest) -> None:
        self._network = network
        self.trees = trees
        self.values = np.full(len(trees.read_nodes), np.nan)
        self._order = np.argsort(trees.read_nodes, kind="stable")
        nodes = np.arange(len(trees.tokens) + 1)
        self._bounds = np.searchsorted(trees.read_nodes[self._order], nodes)

    def tree(self, first: int, last: int) -> None:
        """Answer the reads of some neighbouring leaves."""
        states, one = self.tree_states(first, last)
        if bool(states.isnan().any()):
            # What a token does not read is multiplied with 0, which turns no NaN into a number.
            del states
            for leaf in range(first, last):
                self.rows([leaf])
            return
        own = one.nodes[one.repeated :]
        self._answer(states, own, np.arange(one.repeated, len(one.nodes)))

    def tree_states(self, first: int, last: int) -> tuple[Any, Pass]:
        """The states (tokens, width) of a pass over some neighbouring leaves, and the pass."""
        one = Pass.of(self.trees, first, last)
        depths = self.trees.depths[one.nodes]
        ids, positions = (self._tensor(numbers)[None] for numbers in (self.trees.tokens[one.nodes], depths))
        with laid_out(Branches(one.ends, depths, self._network.device)):
            return self._network.states_at(ids, positions)[0], one

    def is_exact(self, first: int, last: int) -> bool:
        """Whether a pass over some neighbouring leaves gives what each node's row gives by itself."""
        states, one = self.tree_states(first, last)
        for node, found in zip(one.nodes.tolist(), self._network.logits(states), strict=True):
            row = self.trees.tokens[np.append(self.trees.path(node), node)]
            alone = self._network.logits(self._network.states(self._tensor(row)[None])[0, -1:])[0]
            if not same(found, alone, self._network.dtype, least=1.0):
                return False
        return True

    def rows(self, leaves: Sequence[int]) -> None:
        """Answer the reads of some leaves from their whole rows, padded on the right."""
        trees = self.trees
        own = [np.arange(trees.firsts[leaf], trees.firsts[leaf + 1]) for leaf in leaves]
        paths = [np.concatenate((trees.path(nodes[0]), nodes)) for nodes in own]
        lengths = np.array([len(path) for path in paths])
        longest = int(lengths.max())
        inside = np.arange(longest) < lengths[:, None]
        # What fills a row is a token of its own: of another it could get what is no number.
        ids = np.array([trees.tokens[path[0]] for path in paths])[:, None].repeat(longest, axis=1)
        ids[inside] = trees.tokens[np.concatenate(paths)]
        mask = None if inside.all() else self._tensor(inside.astype(np.int64))
        states = self._network.states(self._tensor(ids), mask).flatten(0, 1)
        nodes = np.concatenate(own)
        row = np.repeat(np.arange(len(leaves)), [len(one) for one in own])
        self._answer(states, nodes, row * longest + trees.depths[nodes])

    def _answer(self, states: Any, nodes: Numbers, places: Numbers) -> None:
        """Answer the reads of nodes whose states lie at places of states (tokens, width)."""
        firsts, counts = self._bounds[nodes], self._bounds[nodes + 1] - self._bounds[nodes]
        asked = counts > 0
        firsts, counts, places = firsts[asked], counts[asked], places[asked]
        for part in self._network.logit_chunks(len(places)):
            logits = self._network.logits(states[self._tensor(places[part])])
            totals = torch.logsumexp(logits, dim=-1).cpu().double()
            row = np.repeat(np.arange(len(logits)), counts[part])
            within = np.arange(len(row)) - np.repeat(np.cumsum(counts[part]) - counts[part], counts[part])
            reads = self._order[firsts[part][row] + within]
            read = logits[self._tensor(row), self._tensor(self.trees.read_targets[reads])]
            self.values[reads] = (read.cpu().double() - totals[torch.from_numpy(row)]).numpy()

    def _tensor(self, numbers: Numbers) -> Any:
        return torch.from_numpy(numbers).to(self._network.device)
