"""The sampler as it was first written: float64 over the whole vocabulary, one sort a row, on a processor.

The slow reference that the package's own is held against.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_U = np.uint64


def splitmix64(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of SplitMix64 (Steele, Lea and Flood 2014), elementwise."""
    z = state ^ (state >> _U(30))
    z = z * _MIX_1
    z = z ^ (z >> _U(27))
    z = z * _MIX_2
    mixed: NDArray[np.uint64] = z ^ (z >> _U(31))
    return mixed


def gumbel(
    keys: NDArray[np.uint64], positions: NDArray[np.int64], tokens: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Standard Gumbel noise, fixed by key, position and token id.

    Parameters
    ----------
    keys : array, shape (rows,)
        From :func:`sample_key`.
    positions : array, shape (rows,)
        How many tokens each row has drawn before.
    tokens : array, shape (rows, n)
        Token ids; the noise of a token does not depend on which others are listed.

    Returns
    -------
    array, shape (rows, n)
    """
    starts = splitmix64(keys + (positions.astype(np.uint64) + _U(1)) * _GOLDEN)
    bits = splitmix64(starts[:, None] + (tokens.astype(np.uint64) + _U(1)) * _GOLDEN)
    uniform = ((bits >> _U(11)).astype(np.float64) + 0.5) * 2.0**-53
    noise: NDArray[np.float64] = -np.log(-np.log(uniform))
    return noise


def sample(
    logits: NDArray[np.float32],
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    temperature: NDArray[np.float64],
    top_p: NDArray[np.float64],
) -> NDArray[np.int64]:
    """One token for each row.

    Parameters
    ----------
    logits : array, shape (rows, vocabulary)
        Unnormalised log-probabilities of the next token.
    keys : array, shape (rows,)
        From :func:`sample_key`.
    positions : array, shape (rows,)
        How many tokens each row has drawn before.
    temperature : array, shape (rows,)
        0 takes the likeliest token, the lowest id of equals.
    top_p : array, shape (rows,)
        The smallest set of likeliest tokens whose mass reaches it is kept, lower ids first among equals;
        the distribution is renormalised over it.

    Returns
    -------
    array of token ids, shape (rows,)
    """
    chosen = np.empty(len(logits), dtype=np.int64)
    greedy = temperature <= 0
    chosen[greedy] = np.argmax(logits[greedy], axis=1)
    rows = np.flatnonzero(~greedy)
    if rows.size == 0:
        return chosen
    scaled = logits[rows].astype(np.float64) / temperature[rows, None]
    scaled -= scaled.max(axis=1, keepdims=True)
    order = np.argsort(-scaled, axis=1, kind="stable")
    values = np.take_along_axis(scaled, order, axis=1)
    mass = np.exp(values)
    before = np.cumsum(mass, axis=1) - mass
    kept = (before < top_p[rows, None] * mass.sum(axis=1, keepdims=True)) | (top_p[rows, None] >= 1)
    kept[:, 0] = True
    noisy = np.where(kept, values + gumbel(keys[rows], positions[rows], order), -np.inf)
    best = np.argmax(noisy, axis=1)
    chosen[rows] = np.take_along_axis(order, best[:, None], axis=1)[:, 0]
    return chosen
