"""The sampler against exact probabilities, and against a slow one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from audit.models import sampling
from audit.models.sampling import LARGEST_NOISE, UNDEFINED, gumbel, sample_key, splitmix64
from tests.models import slow_sampling


def sample(
    logits: NDArray[np.float32],
    keys: NDArray[np.uint64],
    positions: NDArray[np.int64],
    temperature: NDArray[np.float64],
    top_p: NDArray[np.float64],
) -> NDArray[np.int64]:
    return sampling.sample(torch.from_numpy(logits), keys, positions, temperature, top_p)


def nucleus(logits: NDArray[np.float32], temperature: float, top_p: float) -> NDArray[np.float64]:
    """Exact probabilities, by a loop over sorted tokens."""
    p = np.exp(logits.astype(np.float64) / temperature)
    p /= p.sum()
    kept = np.zeros_like(p)
    mass = 0.0
    for token in sorted(range(len(p)), key=lambda i: (-p[i], i)):
        if mass >= top_p:
            break
        kept[token] = p[token]
        mass += p[token]
    return kept / kept.sum()


def draw(
    logits: NDArray[np.float32], n: int, temperature: float, top_p: float, seed: int = 0
) -> NDArray[np.int64]:
    keys = np.array([sample_key(seed, "request", i) for i in range(n)], dtype=np.uint64)
    rows = np.tile(logits, (n, 1))
    return sample(rows, keys, np.zeros(n, np.int64), np.full(n, temperature), np.full(n, top_p))


@pytest.mark.parametrize("tail", [1024, 2])
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 0.9), (0.7, 0.95), (1.3, 1.0), (1.0, 0.5)])
def test_draws_follow_the_nucleus(
    monkeypatch: pytest.MonkeyPatch, tail: int, temperature: float, top_p: float
) -> None:
    monkeypatch.setattr(sampling, "TAIL", tail)
    logits = np.random.default_rng(5).normal(0, 1.5, 40).astype(np.float32)
    expected = nucleus(logits, temperature, top_p)
    n = 20_000
    counts = np.bincount(draw(logits, n, temperature, top_p), minlength=40)
    assert counts[expected == 0].sum() == 0
    # A true sampler fails this once in 10,000 runs; the seed is fixed, so it fails always or never.
    inside = expected > 0
    assert stats.chisquare(counts[inside], n * expected[inside]).pvalue > 1e-4


def test_a_wrong_distribution_would_be_seen() -> None:
    logits = np.random.default_rng(5).normal(0, 1.5, 40).astype(np.float32)
    wrong = nucleus(logits, 1.1, 0.9)
    counts = np.bincount(draw(logits, 20_000, 1.0, 0.9), minlength=40)
    inside = (wrong > 0) & (counts > 0)
    share = wrong[inside] / wrong[inside].sum()
    assert stats.chisquare(counts[inside], counts[inside].sum() * share).pvalue < 1e-4


def settings(
    n: int, seed: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Keys, positions, temperatures and top_p of every kind."""
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 2**64, n, dtype=np.uint64),
        rng.integers(0, 200, n),
        rng.choice([0.0, 0.05, 0.7, 1.0, 1.0, 1.0, 3.0, 100.0], n),
        rng.choice([1e-9, 1e-4, 0.1, 0.5, 0.9, 0.9, 0.99, 1 - 1e-9, 1.0, 1.0], n),
    )


def worlds() -> dict[str, NDArray[np.float32]]:
    """Logits of many shapes: (rows, vocabulary)."""
    rng = np.random.default_rng(1)
    plain = rng.normal(0, 2, (400, 700)).astype(np.float32)
    absent = plain.copy()
    absent[rng.random(plain.shape) < 0.5] = -np.inf
    peaked = plain.copy()
    peaked[np.arange(400), rng.integers(0, 700, 400)] += 60
    return {
        "plain": plain,
        "ties": plain.round(0),
        "flat": np.zeros((400, 700), np.float32),
        "few": plain[:, :3],
        "wide": rng.normal(0, 2.5, (60, 20_000)).astype(np.float32),
        "absent": absent,
        "peaked": peaked,
        "far": plain * 1000,
    }


@pytest.mark.parametrize("tail", [1024, 1])
@pytest.mark.parametrize("world", worlds())
def test_the_slow_sampler_draws_the_same(monkeypatch: pytest.MonkeyPatch, world: str, tail: int) -> None:
    monkeypatch.setattr(sampling, "TAIL", tail)
    logits = worlds()[world]
    how = settings(len(logits), 7)
    assert sample(logits, *how).tolist() == slow_sampling.sample(logits, *how).tolist()


def test_blocks_change_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = worlds()["plain"]
    how = settings(len(logits), 8)
    whole = sample(logits, *how)
    monkeypatch.setattr(sampling, "BLOCK", 1000)
    monkeypatch.setattr(sampling, "_NOISE_BLOCK", 1000)
    assert sample(logits, *how).tolist() == whole.tolist()


def test_a_total_in_float32_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mass before the second token equals top_p to the last bits: only the exact total tells its side."""
    n = 3000
    logits = np.tile(np.log(np.arange(1.0, n + 1)).astype(np.float32)[::-1], (2000, 1))
    mass = np.exp(logits[0].astype(np.float64) - logits[0, 0].astype(np.float64))
    cut = np.cumsum(mass)[40] / mass.sum()
    top_p = np.where(np.arange(2000) % 2, cut * (1 + 1e-10), cut * (1 - 1e-10))
    keys, positions, ones = np.arange(2000, dtype=np.uint64), np.zeros(2000, np.int64), np.ones(2000)
    drawn = sample(logits, keys, positions, ones, top_p)
    assert drawn.tolist() == slow_sampling.sample(logits, keys, positions, ones, top_p).tolist()
    assert drawn[::2].max() == 40
    assert drawn[1::2].max() == 41


def test_where_there_is_no_distribution_nothing_is_drawn() -> None:
    logits = np.zeros((5, 4), np.float32)
    logits[0, 2] = np.nan
    logits[1] = -np.inf
    logits[2, 1:3] = np.inf
    logits[3, 3] = np.inf
    logits[4, 1:] = -np.inf
    for temperature, top_p in ((1.0, 0.9), (1.0, 1.0), (0.0, 0.5)):
        drawn = set()
        for key in range(40):
            keys = np.full(5, key, np.uint64)
            tokens = sample(logits, keys, np.zeros(5, np.int64), np.full(5, temperature), np.full(5, top_p))
            assert tokens[[0, 1]].tolist() == [UNDEFINED, UNDEFINED]
            assert tokens[3:].tolist() == [3, 0]
            drawn.add(int(tokens[2]))
        assert drawn == ({1, 2} if temperature else {1})


def test_rows_are_drawn_as_if_alone() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (50, 300)).astype(np.float32)
    keys = rng.integers(0, 2**63, 50).astype(np.uint64)
    positions = rng.integers(0, 30, 50)
    temperature = rng.choice([0.0, 0.5, 1.0], 50)
    top_p = rng.choice([0.3, 0.9, 1.0], 50)
    together = sample(logits, keys, positions, temperature, top_p)
    for i in rng.permutation(50):
        one = slice(i, i + 1)
        assert sample(logits[one], keys[one], positions[one], temperature[one], top_p[one])[0] == together[i]


def test_temperature_0_takes_the_likeliest_and_the_lowest_of_equals() -> None:
    logits = np.array([[0.0, 3.0, 3.0, 1.0]], dtype=np.float32)
    assert draw(logits[0], 5, 0.0, 0.9).tolist() == [1] * 5


def noise_of(keys: NDArray[np.uint64], position: int, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """Noise (keys, tokens)."""
    place = torch.full((len(keys), 1), position)
    noise: NDArray[np.float64] = gumbel(
        torch.from_numpy(keys.view(np.int64))[:, None], place, torch.from_numpy(tokens)
    ).numpy()
    return noise


def test_noise_is_gumbel_and_keyed_by_everything() -> None:
    keys = np.arange(200, dtype=np.uint64)
    tokens = np.arange(100)
    noise = noise_of(keys, 0, tokens)
    assert stats.kstest(noise.ravel(), "gumbel_r").pvalue > 1e-4
    later = noise_of(keys, 1, tokens)
    for other in (later, np.roll(noise, 1, axis=0), np.roll(noise, 1, axis=1)):
        # 20,000 independent pairs: |r| > 4 / sqrt(20000) happens once in 16,000.
        assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(20_000)
    assert np.array_equal(noise_of(keys, 0, tokens[7:9]), noise[:, 7:9])


def test_noise_is_what_it_was_and_bounded() -> None:
    keys = np.random.default_rng(4).integers(0, 2**64, 500, dtype=np.uint64)
    tokens = np.arange(40)
    before = slow_sampling.gumbel(keys, np.full(500, 3), np.tile(tokens, (500, 1)))
    np.testing.assert_allclose(noise_of(keys, 3, tokens), before, rtol=1e-12)
    # The largest uniform number below 1 has the largest noise.
    assert -np.log(-np.log(1 - 2.0**-53)) < LARGEST_NOISE < -np.log(-np.log(1 - 2.0**-53)) + 0.02


def test_splitmix64_matches_the_published_sequence() -> None:
    # The first outputs for seed 1234567, as in Rosetta Code's and Vigna's splitmix64.c.
    golden = np.uint64(0x9E3779B97F4A7C15)
    states = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * golden
    assert splitmix64(torch.from_numpy(states.view(np.int64))).numpy().view(np.uint64).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_keys_are_fixed_for_ever() -> None:
    assert sample_key(0, "request", 0) != sample_key(0, "request", 1) != sample_key(1, "request", 1)
    assert sample_key(7, "ab", 3) == int.from_bytes(
        __import__("hashlib").blake2b(b"7|ab|3", digest_size=8).digest(), "big"
    )


def test_the_whole_vocabulary_and_a_nucleus_of_nearly_all_of_it_draw_alike() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, (64, 3000)).astype(np.float32)
    keys = rng.integers(0, 2**63, 64).astype(np.uint64)
    positions, temperature = np.arange(64), np.ones(64)
    whole = sample(logits, keys, positions, temperature, np.ones(64))
    nearly = sample(logits, keys, positions, temperature, np.full(64, np.nextafter(1.0, 0.0)))
    np.testing.assert_array_equal(whole, nearly)
    assert len(set(whole.tolist())) > 20
