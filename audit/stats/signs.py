"""Random signs for whole clusters, a chunk of bounded memory at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from audit.stats.estimate import Floats

CHUNK = 1 << 20
"""Doubles in one array of signs (8 MiB)."""

WIDEST = 1 << 22
"""Doubles in one array of statistics (32 MiB)."""


def random_signs(rng: np.random.Generator, shape: tuple[int, int], out: Floats) -> None:
    """Fill `out`, of this shape, with signs of equal chances.

    They are those of ``2 * rng.integers(0, 2, shape, dtype=numpy.int8) - 1``, which keeps the highest bit of
    each random byte, and leave the generator in the same state; drawing the bytes takes a third of the time.

    Examples
    --------
    >>> signs = np.empty((2, 3))
    >>> random_signs(np.random.default_rng(0), (2, 3), signs)
    >>> bool((signs == 2.0 * np.random.default_rng(0).integers(0, 2, (2, 3), dtype=np.int8) - 1.0).all())
    True
    """
    if 0 in shape:
        return  # no byte at all: the generator would give up a word for it
    raw = np.frombuffer(rng.bytes(shape[0] * shape[1]), dtype=np.int8).reshape(shape)
    out[...] = np.bitwise_or(np.right_shift(np.invert(raw), 7), 1)


def sign_patterns(n_clusters: int, rng: np.random.Generator, resamples: int) -> Iterator[Floats]:
    """Sign patterns of G clusters in chunks of rows: all that differ, where they fit, else random ones.

    Parameters
    ----------
    n_clusters : int
        G.
    rng : numpy.random.Generator
        Source of randomness; not used where all patterns fit.
    resamples : int
        Rows to draw. Where the 2^(G - 1) patterns that differ by more than a common sign are at most one
        more, each of them comes once, but for the one of no change.

    Yields
    ------
    ndarray, shape (rows, G)
        1 and -1. The next chunk is written over it.

    Examples
    --------
    >>> [chunk.tolist() for chunk in sign_patterns(2, np.random.default_rng(0), 99)]
    [[[1.0, -1.0]]]
    """
    if 0 < n_clusters <= 30 and 2 ** (n_clusters - 1) <= resamples + 1:
        every = itertools.product((1.0, -1.0), repeat=n_clusters - 1)
        yield np.array([(1.0, *pattern) for pattern in every]).reshape(-1, n_clusters)[1:]
        return
    size = max(1, CHUNK // max(1, n_clusters))
    signs = np.empty((min(size, resamples), n_clusters))
    for start in range(0, resamples, size):
        here = signs[: min(size, resamples - start)]
        random_signs(rng, here.shape, here)
        yield here


def row_blocks(rows: int, width: int) -> Iterator[slice]:
    """Parts of so many rows that an array of them, `width` wide, stays within `WIDEST`.

    Examples
    --------
    >>> list(row_blocks(5, WIDEST // 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    size = max(1, WIDEST // max(1, width))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
