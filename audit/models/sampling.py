"""Sampling whose noise comes from a counter: the same token whatever is drawn beside it.

Noise is a pure function of (key, position, token id), so no generator holds a state that batch size,
order, resuming or a worker's number could disturb. Adding Gumbel noise to log-probabilities and taking the
largest draws from the distribution (Gumbel 1954; Maddison, Tarlow and Minka 2014).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

PREFILTER = 1024
"""How many of the likeliest tokens are sorted first; rows that need more are sorted wider."""
WIDENING = 8
"""How many times more tokens are sorted where a nucleus did not lie within those that were."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_U = np.uint64


def sample_key(seed: int, request_digest: str, sample: int) -> int:
    """The 64-bit key of one sample of one request."""
    text = f"{seed}|{request_digest}|{sample}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


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
    totals = np.exp(scaled).sum(axis=1)
    width = min(PREFILTER, scaled.shape[1])
    whole = top_p[rows] >= 1
    chosen[rows[whole]] = _draw_from_all(scaled[whole], keys[rows[whole]], positions[rows[whole]])
    pending = np.flatnonzero(~whole)
    while pending.size:
        order, settled = _likeliest(scaled[pending], totals[pending], top_p[rows[pending]], width)
        done = pending[settled]
        chosen[rows[done]] = _draw(
            scaled[done],
            order[settled],
            totals[done],
            top_p[rows[done]],
            (keys[rows[done]], positions[rows[done]]),
        )
        pending = pending[~settled]
        width = min(width * WIDENING, scaled.shape[1])
    return chosen


def _draw_from_all(
    scaled: NDArray[np.float64], keys: NDArray[np.uint64], positions: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A token from the whole vocabulary of each row, with no need to sort it."""
    every = np.broadcast_to(np.arange(scaled.shape[1]), scaled.shape)
    chosen: NDArray[np.int64] = np.argmax(scaled + gumbel(keys, positions, every), axis=1)
    return chosen


def _likeliest(
    scaled: NDArray[np.float64], totals: NDArray[np.float64], top_p: NDArray[np.float64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The ``width`` likeliest tokens of each row in order, and whether the nucleus lies within them."""
    vocabulary = scaled.shape[1]
    if width >= vocabulary:
        return np.argsort(-scaled, axis=1, kind="stable"), np.ones(len(scaled), dtype=np.bool_)
    top = np.argpartition(-scaled, width - 1, axis=1)[:, :width]
    top.sort(axis=1)
    values = np.take_along_axis(scaled, top, axis=1)
    inner = np.argsort(-values, axis=1, kind="stable")
    order = np.take_along_axis(top, inner, axis=1)
    mass = np.exp(np.take_along_axis(scaled, order, axis=1)).sum(axis=1)
    # Strictly within: the last one may tie with tokens that were cut, and then ids decide.
    last = np.exp(np.take_along_axis(scaled, order[:, -1:], axis=1))[:, 0]
    return order, mass - last >= top_p * totals


def _draw(
    scaled: NDArray[np.float64],
    order: NDArray[np.int64],
    totals: NDArray[np.float64],
    top_p: NDArray[np.float64],
    counter: tuple[NDArray[np.uint64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """A token from the nucleus of each row, whose likeliest tokens stand in ``order``."""
    values = np.take_along_axis(scaled, order, axis=1)
    before = np.cumsum(np.exp(values), axis=1) - np.exp(values)
    kept = before < (top_p * totals)[:, None]
    kept[:, 0] = True
    # Beyond the widest nucleus nothing can be drawn, and noise is dear.
    widest = int(kept.sum(axis=1).max(initial=1))
    order, values, kept = order[:, :widest], values[:, :widest], kept[:, :widest]
    noisy = np.where(kept, values + gumbel(*counter, order), -np.inf)
    best = np.argmax(noisy, axis=1)
    picked: NDArray[np.int64] = np.take_along_axis(order, best[:, None], axis=1)[:, 0]
    return picked
