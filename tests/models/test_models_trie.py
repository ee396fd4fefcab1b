"""The forest of what rows have in common, its passes and the layout of each, against slow definitions."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from audit.models import trie
from audit.models.reading import MIN_FILL, cut_alike, tokens_alike
from audit.models.trie import Branches, Forest, Pass, forest, shared

Row = tuple[int, ...]


def some_rows(seed: int, count: int, longest: int = 12) -> dict[Row, int]:
    """Rows of few tokens, many of which begin others, each with the first token that is wanted."""
    rng = random.Random(seed)
    rows: dict[Row, int] = {}
    while len(rows) < count:
        begun = rng.choice(list(rows)) if rows and rng.random() < 0.7 else ()
        own = tuple(rng.randint(0, 3) for _ in range(rng.randint(1, 5)))
        row = (*begun[: rng.randint(0, len(begun))], *own)[:longest]
        if len(row) > 1:
            rows[row] = rng.randint(1, len(row) - 1)
    return rows


def beginning(trees: Forest, node: int) -> Row:
    """The tokens from the root down to a node."""
    return tuple(trees.tokens[np.append(trees.path(node), node)].tolist())


@pytest.mark.parametrize("seed", range(6))
def test_every_beginning_is_one_node(seed: int) -> None:
    rows = some_rows(seed, 60)
    trees = forest(rows)
    fed = {row[:k] for row in rows for k in range(1, len(row))}
    found = [beginning(trees, node) for node in range(len(trees.tokens))]
    assert len(found) == len(fed) and set(found) == fed, "each is computed, and once"
    for node, own in enumerate(found):
        assert trees.depths[node] == len(own) - 1
        after = [k for k, other in enumerate(found) if other[: len(own)] == own]
        assert after == list(range(node, trees.ends[node])), "those after it follow it at once"


@pytest.mark.parametrize("seed", range(6))
def test_each_wanted_token_is_read_after_those_before_it(seed: int) -> None:
    rows = some_rows(seed, 60)
    trees = forest(rows)
    for row, start in rows.items():
        reads = range(trees.offsets[row], trees.offsets[row] + len(row) - start)
        assert [int(trees.read_targets[k]) for k in reads] == list(row[start:])
        assert [beginning(trees, int(trees.read_nodes[k])) for k in reads] == [
            row[:k] for k in range(start, len(row))
        ]
    assert len(trees.read_nodes) == sum(len(row) - start for row, start in rows.items())


@pytest.mark.parametrize("seed", range(6))
def test_leaves_are_rows_that_begin_no_other(seed: int) -> None:
    rows = some_rows(seed, 60)
    trees = forest(rows)
    fed = {row[:-1] for row in rows}
    whole = {row for row in fed if not any(row != other and other[: len(row)] == row for other in fed)}
    ends = trees.firsts[1:] - 1
    assert {beginning(trees, int(node)) for node in ends} == whole and len(ends) == len(whole)


@pytest.mark.parametrize("budget", [1, 7, 16, 40, 1000])
def test_passes_hold_every_node_once_within_the_budget(budget: int) -> None:
    trees = forest(some_rows(1, 90))
    start, own = 0, []
    leaves = len(trees.firsts) - 1
    while start < leaves:
        end = trees.cut(start, budget)
        one = Pass.of(trees, start, end)
        assert end > start
        assert len(one.nodes) <= budget or end == start + 1
        own += one.nodes[one.repeated :].tolist()
        assert one.nodes[: one.repeated].tolist() == trees.path(int(one.nodes[one.repeated])).tolist()
        start = end
    assert own == list(range(len(trees.tokens)))


def test_a_pass_ends_where_little_is_repeated() -> None:
    # Of the second tree two leaves would fit, but then the third would repeat the path to it.
    rows = {(1, 2, 3, 4, k, k, 1): 1 for k in range(20)} | {(7, 2, 3, 4, 5, 6, k, 1): 1 for k in range(8)}
    trees = forest(rows)
    (second,) = np.flatnonzero(trees.depths == 0)[1:]
    (boundary,) = np.flatnonzero(trees.firsts == second)
    assert trees.cut(0, int(second) + 9) == boundary
    assert trees.cut(0, 4 * int(second) // 3 + 8) > boundary, "unless too much of a pass stays empty"
    assert trees.cut(0, len(trees.tokens)) == len(trees.firsts) - 1


@pytest.mark.parametrize("block", [3, 8, 500])
@pytest.mark.parametrize("window", [None, 1, 4])
@pytest.mark.parametrize("groups", [1, 2])
def test_each_token_reads_its_path(
    block: int, window: int | None, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trie, "BLOCK", block)
    trees = forest(some_rows(2, 40))
    leaves = len(trees.firsts) - 1
    generator = torch.Generator().manual_seed(0)
    for first, last in ((0, leaves), (leaves // 3, leaves // 2)):
        one = Pass.of(trees, first, last)
        sizes = (1, 2 * groups, len(one.nodes), 5), (1, 2, len(one.nodes), 5), (1, 2, len(one.nodes), 5)
        query, key, value = (torch.randn(size, generator=generator) for size in sizes)
        layout: Any = Branches(one.ends, trees.depths[one.nodes], torch.device("cpu"))
        if window is not None:
            layout = layout.within(window)
        found = layout.attend(None, query, key, value, 0.3)
        assert found.shape == (1, len(one.nodes), 2 * groups, 5)
        number = {int(node): k for k, node in enumerate(one.nodes)}
        for k, node in enumerate(one.nodes.tolist()):
            path = [number[before] for before in trees.path(node).tolist()] + [k]
            read = path if window is None else path[-window:]
            for head in range(2 * groups):
                shared_head = head // groups
                weights = torch.softmax(0.3 * key[0, shared_head, read] @ query[0, head, k], 0)
                expected = weights @ value[0, shared_head, read]
                assert torch.allclose(found[0, k, head], expected, atol=1e-5)


def test_a_layout_of_another_pass_is_refused() -> None:
    layout = Branches(np.array([2, 2]), np.array([0, 1]), torch.device("cpu"))
    vectors = torch.zeros(1, 1, 3, 4)
    with pytest.raises(ValueError, match="another form"):
        layout.attend(None, vectors, vectors, vectors, None)


def test_padded_batches_are_counted_as_they_are_made() -> None:
    rng = random.Random(0)
    lengths = sorted((rng.randint(1, 40) for _ in range(300)), reverse=True)
    rows = [range(length) for length in lengths]
    start, total = 0, 0
    while start < len(lengths):
        end = cut_alike(rows, start, 128, padded=True)
        batch = lengths[start:end]
        assert len(batch) == 1 or len(batch) * batch[0] <= 128
        assert batch[-1] >= MIN_FILL * batch[0]
        following = lengths[start : end + 1]
        assert end == 300 or len(following) * batch[0] > 128 or following[-1] < MIN_FILL * batch[0]
        total += len(batch) * batch[0]
        start = end
    assert tokens_alike(rows, 128, padded=True) == total


def test_long_rows_cost_no_more_than_their_tokens() -> None:
    # A row is looked at a fixed number of times, however many of its tokens are wanted.
    class Counted(int):
        hashed = 0

        def __hash__(self) -> int:
            Counted.hashed += 1
            return int(self)

    row = tuple(Counted(k) for k in range(2000))
    trees = forest({row: 1})
    assert len(trees.read_nodes) == 1999
    assert Counted.hashed <= 4 * len(row)


def test_rows_share_what_both_begin_with() -> None:
    assert [shared((1, 2), (1, 3)), shared((1, 2), (1, 2, 3)), shared((), (1,))] == [1, 2, 0]
    assert math.isclose(shared((1,), (2,)), 0)
