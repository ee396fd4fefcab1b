"""Resampling at scale: the fast ways give what the plain ones give, and memory stays bounded."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit.stats import bootstrap_means as bootstrap
from audit.stats.max_t import JointTable, flip_draws, max_t, wild_draws
from audit.stats.resampling import TIE, permute_labels, sign_flips
from audit.stats.signs import random_signs, sign_patterns
from tests.memory import megabytes
from tests.stats.null_draws import flip_null, wild_null


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 3), (0, 4), (4, 0), (2, 1000)])
def test_signs_from_bytes_are_those_of_integers(shape):
    ours, theirs, signs = rng(5), rng(5), np.empty(shape)
    for _ in range(2):
        random_signs(ours, shape, signs)
        assert (signs == 2.0 * theirs.integers(0, 2, shape, dtype=np.int8) - 1.0).all()
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_patterns_that_fit_come_once_each():
    (patterns,) = sign_patterns(5, rng(), 15)
    found = {tuple(row) for row in patterns}
    assert len(found) == len(patterns) == 15
    assert found | {(1.0,) * 5} == {(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=4)}
    assert len(next(sign_patterns(5, rng(), 14))) == 14


# Sign flips in single precision first


def thirds(random, m, n):
    return random.integers(-2, 3, (m, n)) / 3.0


WORLDS = {
    "continuous": lambda random, m, n: random.standard_normal((m, n)) + 0.1,
    "0 and 1": lambda random, m, n: random.integers(0, 2, (m, n)) - random.integers(0, 2, (m, n)) * 1.0,
    # not exact in either precision, so that tied sums differ by rounding
    "thirds": thirds,
    # sums that single precision cannot tell apart, and double can
    "almost tied": lambda random, m, n: thirds(random, m, n) + 1e-9 * random.standard_normal((m, n)),
    "one almost tied": lambda random, m, n: np.where(
        np.arange(m)[:, None] == 0, thirds(random, m, n), random.standard_normal((m, n))
    ),
    "huge": lambda random, m, n: 1e300 * random.standard_normal((m, n)),
    "tiny": lambda random, m, n: 1e-300 * random.standard_normal((m, n)),
    "one large": lambda random, m, n: random.standard_normal((m, n)) * np.where(np.arange(n) == 3, 1e6, 1.0),
    "nothing": lambda random, m, n: np.zeros((m, n)),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("m", "n"), [(1, 41), (150, 64)])
def test_flips_are_counted_as_in_double_precision(world, m, n):
    values = WORLDS[world](rng(3), m, n)
    resamples = 1500
    found = sign_flips(values, rng(4), resamples=resamples)
    # the same draws: a bit for each cluster, in whole words of four bytes
    width = 4 * -(-n // 32)
    raw = np.frombuffer(rng(4).bytes(resamples * width), dtype=np.uint8).reshape(resamples, width)
    signs = 2.0 * np.unpackbits(raw, axis=1)[:, :n].astype(np.float64) - 1.0
    for row, p in zip(values, found.p, strict=True):
        hits = np.abs((signs * row).sum(axis=1)) >= abs(row.sum()) - TIE * np.abs(row).sum()
        assert p == (1 + np.count_nonzero(hits)) / (resamples + 1)


def test_other_comparisons_change_no_p_value_of_drawn_flips():
    values = rng(5).standard_normal((300, 45)) + 0.1
    together = sign_flips(values, rng(6), resamples=3000)
    alone = [sign_flips(row[None, :], rng(6), resamples=3000).p[0] for row in values[:5]]
    assert together.p[:5].tolist() == alone


def test_drawn_flips_of_few_discrete_scores_are_near_their_enumeration():
    values = np.zeros((2, 24))
    values[0, :6], values[1, :9] = 1.0, [1, 1, 1, 1, 1, 1, -1, -1, 1]
    found = sign_flips(values, rng(7), resamples=40_000)
    for row, p, size in zip(values, found.p, (6, 9), strict=True):
        sums = [np.dot(s, row[:size]) for s in itertools.product((1, -1), repeat=size)]
        exact = np.mean(np.abs(sums) >= row.sum())
        # binomial of 40 000: five sd
        assert abs(p - exact) <= 5.0 * np.sqrt(exact * (1.0 - exact) / 40_000)


# max-T


@pytest.mark.parametrize("discrete", [False, True])
def test_max_t_of_chunks_against_a_direct_loop(discrete, monkeypatch):
    values = rng(8).standard_normal((12, 40)) + 0.3
    if discrete:
        values = np.clip(np.round(values), -1.0, 1.0)
    t = values.mean(axis=1) / values.std(axis=1, ddof=1) * np.sqrt(40)
    t[4] = np.nan
    null = flip_null(values, rng(9), resamples=800)
    monkeypatch.setattr("audit.stats.signs.CHUNK", 4000)  # chunks of 100 draws
    monkeypatch.setattr("audit.stats.signs.WIDEST", 500)  # given on by 41 at most
    monkeypatch.setattr("audit.stats.max_t._BLOCK", 200)  # looked through by 16
    chunks = [chunk.copy() for chunk in flip_draws(values, rng(9), resamples=800)]
    assert len(chunks) == 24
    assert np.concatenate(chunks) == pytest.approx(null, rel=1e-12, abs=1e-12)
    found = max_t(t, flip_draws(values, rng(9), resamples=800))
    order = [i for i in np.argsort(-np.abs(t), kind="stable") if i != 4]
    largest, before = [], 0.0
    expected = {}
    for place, i in enumerate(order):
        hits = 0
        for draw in null:
            top = max(abs(draw[k]) for k in order[place:])
            hits += top >= abs(t[i]) * (1.0 - 1e-9)
            if place == 0:
                largest.append(top)
        before = max(before, (1 + hits) / 801)
        expected[i] = before
    assert found.p == tuple(expected.get(i) for i in range(12))
    assert found.resamples == 800
    assert found.maxima == pytest.approx(sorted(largest), rel=1e-12)


def test_signed_families_come_in_chunks_too(monkeypatch):
    y = rng(10).standard_normal((6, 9))
    tables = [JointTable(y[:, :4], y[:, 4:], np.arange(6), np.arange(4), np.arange(4, 9)), None]
    null = wild_null(tables, rng(11), resamples=700)
    monkeypatch.setattr("audit.stats.signs.WIDEST", 200)
    chunks = list(wild_draws(tables, rng(11), resamples=700))
    assert {len(chunk) for chunk in chunks} == {100}
    assert np.concatenate(chunks) == pytest.approx(null, rel=1e-12, nan_ok=True)
    assert max_t([2.0, np.nan], iter(chunks)).p == max_t([2.0, np.nan], null).p


def test_draws_in_chunks_are_checked():
    with pytest.raises(ValueError, match="no draw"):
        max_t([1.0], iter([]))
    with pytest.raises(ValueError, match="missing values"):
        max_t([1.0], iter([np.array([[1.0]]), np.array([[np.nan]])]))
    with pytest.raises(ValueError, match="must have shapes"):
        max_t([1.0], iter([np.ones((2, 2))]))
    with pytest.raises(ValueError, match="resamples must be at least 1"):
        max_t([1.0], flip_draws([[1.0, 2.0]], rng(), resamples=0))


# Labels and bootstraps


@pytest.mark.parametrize("discrete", [False, True])
def test_labels_are_those_of_the_smallest_keys(discrete):
    values = rng(12).standard_normal((3, 31))
    if discrete:
        values = np.round(values)
    treated = np.arange(31) % 3 == 0
    found = permute_labels(values, treated, rng(13), resamples=900)
    keys = rng(13).random((900, 31))
    chosen = np.argsort(keys, axis=1)[:, : treated.sum()]
    for row, p in zip(values, found.p, strict=True):
        centred = row - row.mean()
        one = centred[chosen].mean(axis=1)
        drawn = one - (centred.sum() - one * treated.sum()) / (~treated).sum()
        own = centred[treated].mean() - centred[~treated].mean()
        tie = TIE * np.abs(centred).sum()
        tails = [np.count_nonzero(drawn >= own - tie), np.count_nonzero(drawn <= own + tie)]
        assert p == min(1.0, 2.0 * (1 + min(tails)) / 901)


def test_equal_keys_leave_the_groups_their_sizes():
    class Equal:
        def random(self, shape):
            return np.zeros(shape)

    # The drawn twelve of 24 are others than those of the data, which alone reach their own difference. Were
    # all 24 chosen, no group would be left to compare with, and every draw would count.
    treated = np.arange(24) % 2 == 0
    found = permute_labels(treated[None, :] * 1.0, treated, Equal(), alternative="greater", resamples=50)
    assert found.p[0] == 1 / 51


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_drawn_anew_are_those_kept(weighted, monkeypatch):
    values = rng(14).standard_normal((7, 30))
    weights = rng(15).integers(1, 6, (7, 30)) if weighted else None
    monkeypatch.setattr(bootstrap, "_CHUNK", 10_000)  # one comparison a chunk, or four
    results, generators = [], []
    for kept in (1 << 27, 0):
        monkeypatch.setattr(bootstrap, "_KEPT", kept)
        generators.append(rng(16))
        found = bootstrap.bootstrap_means(values, generators[-1], weights=weights, resamples=9000)
        results.append(np.concatenate([found.lo, found.hi]))
    assert results[1] == pytest.approx(results[0], rel=1e-12)
    assert generators[0].bit_generator.state == generators[1].bit_generator.state


# Memory

PEAK = """
import numpy as np
from audit.stats import bootstrap_means as bootstrap
from audit.stats.max_t import flip_draws, max_t
from audit.stats.resampling import permute_labels, sign_flips

rng = np.random.default_rng(0)
wide, long = rng.standard_normal((2500, 24)), rng.standard_normal((2, 60_000))
bootstrap._KEPT = 1 << 20
before = peak()
for table, resamples in ((wide, 8000), (long, 600)):
    sign_flips(table, rng, resamples=resamples)
    max_t(np.full(len(table), 2.0), flip_draws(table, rng, resamples=resamples))
    permute_labels(table, np.arange(table.shape[1]) % 2, rng, resamples=resamples // 10)
bootstrap.bootstrap_means(rng.standard_normal((2000, 5)), rng, resamples=12_000, method="percentile")
print(peak() - before)
"""


def test_a_process_that_resamples_stays_small():
    # megabytes. All statistics of the first table would be 160 in double precision and the intermediate ones
    # more, all signs of the second 144 (in single precision), all bootstrap means 192
    assert megabytes(PEAK) < 120
