"""Sampling whose noise comes from a counter: the same token whatever is drawn beside it.

Noise is a pure function of (key, position, token id), so no generator holds a state that batch size,
order, resuming or a worker's number could disturb. Adding Gumbel noise to log-probabilities and taking the
largest draws from the distribution (Gumbel 1954; Maddison, Tarlow and Minka 2014).

Nothing is sorted, and hardly any noise is made. Unlikely tokens are set aside by a floor, and by a bound none
of them is the token that is drawn; of the few others the noisiest is taken if the mass of the likelier ones
leaves it within the nucleus, else the noisiest of those that are likelier than it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.models.devices import doubled, of_long_integers

UNDEFINED = -1
"""In the place of a token where logits are no distribution: one is not a number, or all are -inf."""

TAIL = 1024
"""Tokens below a share of 1 / TAIL of the mass outside a nucleus are set aside at first."""

BLOCK = 2**20
"""Logits that a processor works on at once: so few that they stay in its cache."""
DEVICE_BLOCK = 2**25
"""The same of any other device, whose memory they are to leave free."""

_SLACK = 1e-4
"""More than the relative error of a sum of float32 exponentials."""
_GUARD = 64
"""Steps of 2**-53 that the bound on noise is widened by: more than two float64 exponentials are wrong by."""
_UNIFORMS = 2**53
LARGEST_NOISE = 36.75
"""No noise is larger: -log(-log(1 - 2**-53)) is 36.74."""
_NOISE_BLOCK = 2**18
_COLDEST = 1e-30
"""A lower temperature draws as this one, and a higher one than its reciprocal as that."""
_LEADING = 0.9
"""The nucleus whose tokens are tried first where the whole vocabulary is drawn from."""
_LOWEST = -(2**63)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def sample_key(seed: int, noise: str, sample: int) -> int:
    """The 64-bit key of one sample of the requests that share their noise."""
    text = f"{seed}|{noise}|{sample}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def _signed(value: int) -> int:
    """The 64-bit integer with the same bits, as torch has no arithmetic of unsigned ones."""
    return value - 2**64 if value >= 2**63 else value


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def splitmix64(state: torch.Tensor) -> torch.Tensor:
    """The output function of SplitMix64 (Steele, Lea and Flood 2014), elementwise, on the bits of int64."""
    return _fold(_scramble(state), 31)


def _scramble(state: torch.Tensor) -> torch.Tensor:
    """All of it but the last step."""
    return _fold(_fold(state, 30).mul_(_MIX_1), 27).mul_(_MIX_2)


def _fold(z: torch.Tensor, by: int) -> torch.Tensor:
    shifted = z >> by
    # Shifting a negative number fills with ones; an unsigned one is filled with zeros.
    return shifted.bitwise_and_(2 ** (64 - by) - 1).bitwise_xor_(z)


def gumbel(keys: torch.Tensor, positions: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Standard Gumbel noise, fixed by key, position and token id; at most :data:`LARGEST_NOISE`.

    Parameters
    ----------
    keys : tensor of int64
        From :func:`sample_key`, their bits.
    positions : tensor of int64
        How many tokens a sample has drawn before.
    tokens : tensor of int64
        Token ids. All three are broadcast; the noise of a token does not depend on which others are listed.

    Returns
    -------
    tensor of float64
    """
    bits = splitmix64(_starts(keys, positions) + (tokens + 1) * _GOLDEN)
    uniform = (doubled((bits >> 11).bitwise_and_(_UNIFORMS - 1)) + 0.5) / _UNIFORMS
    # The largest of them is rounded to 1, whose noise would be infinite.
    uniform.clamp_(max=1 - 1 / _UNIFORMS)
    return uniform.log_().neg_().log_().neg_()


def _starts(keys: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    return splitmix64(keys + (positions + 1) * _GOLDEN)


@dataclass(frozen=True)
class _Rows:
    """What is drawn from, a block of rows: logits (rows, vocabulary) with a finite largest one, on a device.

    ``shifted`` are the logits less the largest, over the temperature, float32; ``total`` sums their
    exponentials, with a relative error below _SLACK.
    """

    logits: torch.Tensor
    shifted: torch.Tensor
    top: Floats
    total: Floats
    keys: Integers
    positions: Integers
    temperature: Floats
    top_p: Floats

    def exact_total(self, row: int) -> float:
        """The sum in float64."""
        logits = doubled(self.logits[row]) / self.temperature[row]
        return float((logits - self.top[row]).exp_().sum())

    def above(self, rows: Integers, floor: Floats) -> _Some:
        """The tokens of some rows whose shifted logit is not below a floor; the likeliest is none that is."""
        device = self.shifted.device
        lowest = torch.from_numpy(floor).float().to(device)
        shifted = self.shifted
        if len(rows) < len(shifted):
            shifted = shifted[torch.from_numpy(rows).to(device)]
        found = shifted >= lowest[:, None]
        if device.type == "cpu":
            row, token = np.divmod(np.flatnonzero(found.numpy()), found.shape[1])
        else:
            row, token = found.nonzero().T.cpu().numpy()
        return self.some(rows[row], token)

    def some(self, rows: Integers, tokens: Integers) -> _Some:
        """The tokens with their noise; rows in order."""
        device = self.logits.device
        logits = self.logits[torch.from_numpy(rows).to(device), torch.from_numpy(tokens).to(device)]
        value = logits.cpu().double().numpy() / self.temperature[rows] - self.top[rows]
        counter = (self.keys[rows], self.positions[rows], tokens)
        noise = gumbel(*(torch.from_numpy(part) for part in counter)).numpy()
        return _Some(rows, tokens, value, value + noise)


@dataclass(frozen=True)
class _Some:
    """Some tokens of some rows, those of one row together, in the order of the vocabulary.

    ``value`` is their logit over the temperature less the largest of the row; ``noisy`` is that with noise.
    """

    row: Integers
    token: Integers
    value: Floats
    noisy: Floats

    def __getitem__(self, index: Any) -> _Some:
        return _Some(self.row[index], self.token[index], self.value[index], self.noisy[index])

    def rows(self) -> tuple[Integers, Integers, Integers]:
        """The distinct rows, where each begins, and the number of its row for each token."""
        first = np.flatnonzero(np.diff(self.row, prepend=-1))
        return self.row[first], first, np.repeat(np.arange(len(first)), np.diff(first, append=len(self.row)))

    def noisiest(self) -> Integers:
        """Where the noisiest token of each row stands, the first of equals."""
        _, first, number = self.rows()
        best = np.flatnonzero(self.noisy == np.maximum.reduceat(self.noisy, first)[number])
        return best[np.flatnonzero(np.diff(number[best], prepend=-1))]


def sample(
    logits: torch.Tensor,
    keys: NDArray[np.uint64],
    positions: Integers,
    temperature: Floats,
    top_p: Floats,
) -> Integers:
    """One token for each row.

    Parameters
    ----------
    logits : tensor, shape (rows, vocabulary)
        Unnormalised log-probabilities of the next token, on any device. Where some are +inf, only those are
        possible, and equally so.
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
        :data:`UNDEFINED` where there is no distribution to draw from.
    """
    chosen = np.full(len(logits), UNDEFINED, dtype=np.int64)
    block = BLOCK if logits.device.type == "cpu" else DEVICE_BLOCK
    size = max(1, block // max(1, logits.shape[1]))
    counters = keys.view(np.int64)
    # Beyond these nothing changes, but quotients would leave the numbers of float32.
    temperature = np.where(temperature > 0, np.clip(temperature, _COLDEST, 1 / _COLDEST), 0.0)
    for start in range(0, len(logits), size):
        part = slice(start, start + size)
        some = logits[part].float()
        top = some.amax(dim=1)
        if not bool(top.isfinite().all()):
            some = torch.where((top == torch.inf)[:, None], _infinite(some), some)
            top = some.amax(dim=1)
        is_defined = top.isfinite().cpu().numpy()
        for greedy in (True, False):
            rows = start + np.flatnonzero(is_defined & ((temperature[part] <= 0) == greedy))
            if not len(rows):
                continue
            theirs = some if len(rows) == len(some) else some[torch.from_numpy(rows - start).to(some.device)]
            if greedy:
                chosen[rows] = theirs.argmax(dim=1).cpu().numpy()
            else:
                chosen[rows] = _draw(
                    theirs, (counters[rows], positions[rows]), (temperature[rows], top_p[rows])
                )
    return chosen


def _infinite(logits: torch.Tensor) -> torch.Tensor:
    return torch.where(logits == torch.inf, 0.0, -torch.inf)


def _draw(logits: torch.Tensor, counter: tuple[Integers, Integers], how: tuple[Floats, Floats]) -> Integers:
    temperature, top_p = how
    top = logits.amax(dim=1, keepdim=True)
    shifted = logits - top
    if (temperature != 1).any():
        shifted /= torch.from_numpy(temperature).float().to(shifted.device)[:, None]
    total = shifted.exp().sum(dim=1).cpu().double().numpy()
    largest = top[:, 0].cpu().double().numpy() / temperature
    rows = _Rows(logits, shifted, largest, total, *counter, temperature, top_p)
    chosen = np.full(len(logits), UNDEFINED, dtype=np.int64)
    _draw_from_all(rows, np.flatnonzero(top_p >= 1), chosen)
    _draw_from_nucleus(rows, np.flatnonzero(top_p < 1), chosen)
    return chosen


def _floor(rows: _Rows, which: Integers, top_p: Floats, share: int) -> Floats:
    """The shifted logit of tokens that have 1 / share of the mass that stays outside a nucleus."""
    outside = (1 - top_p) * rows.total[which]
    # No token is likelier than the likeliest, whose shifted logit is 0.
    floor: Floats = np.minimum(np.log(outside / share) - _SLACK, 0.0)
    return floor


def _draw_from_nucleus(rows: _Rows, which: Integers, chosen: Integers) -> None:
    """A token from the nucleus of each row.

    The tokens above a floor hold the nucleus where their mass reaches ``top_p``, for they are the likeliest.
    It does so for certain where the floor is the mass outside a nucleus over the size of the vocabulary:
    all tokens below it together have less than that.
    """
    for share in (TAIL, rows.logits.shape[1]):
        if not len(which):
            return
        some = rows.above(which, _floor(rows, which, rows.top_p[which], share))
        _, first, number = some.rows()
        mass = np.add.reduceat(np.exp(some.value), first)
        reached = mass >= rows.top_p[which] * rows.total[which] * (1 + _SLACK)
        holds = reached | (share >= rows.logits.shape[1])
        _settle(rows, some[holds[number]], chosen)
        which = which[~holds]


def _settle(rows: _Rows, some: _Some, chosen: Integers) -> None:
    """Of tokens that hold the nucleus of their row, the noisiest that lies in it."""
    while len(some.row):
        row, first, number = some.rows()
        best = some.noisiest()
        value, token = some.value[best][number], some.token[best][number]
        likelier = (some.value > value) | ((some.value == value) & (some.token < token))
        before = np.add.reduceat(np.where(likelier, np.exp(some.value), 0.0), first)
        limit = rows.top_p[row] * rows.total[row]
        for i in np.flatnonzero((np.abs(before - limit) <= _SLACK * rows.total[row]) & (before > 0)):
            limit[i] = rows.top_p[row[i]] * rows.exact_total(row[i])
        lies_within = (before < limit) | (before == 0)
        chosen[row[lies_within]] = some.token[best[lies_within]]
        some = some[likelier & ~lies_within[number]]


def _draw_from_all(rows: _Rows, which: Integers, chosen: Integers) -> None:
    """A token from the whole vocabulary of each row.

    A token below a floor wins only with more noise than lies between the floor and the noisiest token above
    it. Whether it has that is read from the first bits of its counter, with no logarithm; where even the
    largest noise is less, nothing is read.
    """
    if not len(which):
        return
    floor = _floor(rows, which, np.full(len(which), _LEADING), TAIL)
    some = rows.above(which, floor)
    some = some[some.noisiest()]
    needed = some.noisy - floor - _SLACK
    is_open = needed < LARGEST_NOISE
    least = np.maximum(np.floor(np.exp(-np.exp(-needed)) * _UNIFORMS).astype(np.int64) - _GUARD, 0)
    others = list(_noisy(rows, which[is_open], least[is_open]))
    row, token = (
        (np.concatenate([pair[k] for pair in others]) for k in (0, 1)) if others else (which[:0],) * 2
    )
    further = rows.some(row, token)
    row, token = np.concatenate([some.row, further.row]), np.concatenate([some.token, further.token])
    order = np.lexsort((token, -np.concatenate([some.noisy, further.noisy]), row))
    first = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
    chosen[row[first]] = token[first]


def _noisy(rows: _Rows, which: Integers, least: Integers) -> Iterator[tuple[Integers, Integers]]:
    """The tokens of some rows whose uniform number, in steps of 2**-53, may be ``least`` or more."""
    device = of_long_integers(rows.logits.device)
    vocabulary = rows.logits.shape[1]
    counters = torch.arange(1, vocabulary + 1, device=device) * _GOLDEN
    starts = _starts(torch.from_numpy(rows.keys[which]), torch.from_numpy(rows.positions[which]))
    # The last step of splitmix64 leaves the first 31 bits as they are; of 64 unsigned bits, less 2**63.
    lowest = torch.from_numpy(((least >> 22) - 2**30) << 33)
    size = max(1, (_NOISE_BLOCK if device.type == "cpu" else DEVICE_BLOCK) // vocabulary)
    for begin in range(0, len(which), size):
        part = slice(begin, begin + size)
        bits = _scramble(starts[part].to(device)[:, None] + counters)
        found = bits.bitwise_xor_(_LOWEST) >= lowest[part].to(device)[:, None]
        row, token = np.nonzero(found.numpy()) if device.type == "cpu" else found.nonzero().T.cpu().numpy()
        yield which[part][row], token
