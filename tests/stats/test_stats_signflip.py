from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from audit.stats.estimate import Undefined
from audit.stats.signflip import sign_flip

GOLDENS = json.loads((Path(__file__).parents[1] / "cases" / "stats_goldens.json").read_text())


def rng(seed=1):
    return np.random.default_rng(seed)


def test_golden():
    golden = GOLDENS["sign_flip"]
    result = sign_flip(golden["difference"], range(5), rng())
    assert (result.p, result.exact, result.resamples, result.n_clusters) == (golden["p"], True, 32, 5)
    # scipy.stats.wilcoxon([1, 2, 3, 4, 5], method="exact"), the same by ranks
    assert result.p == scipy.stats.wilcoxon(golden["difference"], method="exact").pvalue


def scipy_p(sums):
    """scipy.stats.permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=inf)."""
    return scipy.stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue


@pytest.mark.parametrize("kind", ["continuous", "tied", "sums of clusters"])
def test_exact_agrees_with_scipy(kind):
    random = rng(hash_of(kind))
    for _ in range(70):
        n = int(random.integers(2, 10))
        if kind == "continuous":
            difference, clusters = random.standard_normal(n), np.arange(n)
        elif kind == "tied":
            # eighths: sums of ties are exact, so that scipy sees them at a statistic near 0, too
            difference, clusters = random.integers(-8, 9, n) / 8.0, np.arange(n)
        else:
            difference = random.integers(1, 9, 4 * n) / 10.0
            clusters = random.integers(0, n, 4 * n)
        sums = np.array([difference[clusters == c].sum() for c in np.unique(clusters)])
        ours = sign_flip(difference, clusters, rng())
        assert ours.exact
        assert ours.p == pytest.approx(scipy_p(sums), abs=1e-12)
        order = random.permutation(difference.size)
        assert sign_flip(difference[order], clusters[order], rng()).p == ours.p


def hash_of(text):
    return sum(map(ord, text))


def test_all_patterns_are_counted():
    sums = rng(4).standard_normal(9)
    patterns = np.array(list(itertools.product([1, -1], repeat=9))) @ sums
    expected = np.mean(np.abs(patterns) >= abs(sums.sum()) - 1e-12)
    assert sign_flip(sums, np.arange(9), rng()).p == expected


def test_sums_that_differ_by_rounding_are_ties():
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in doubles: no pattern is less extreme than "nothing"
    assert sign_flip([0.1, 0.2, -0.3], [1, 2, 3], rng()).p == 1.0
    assert sign_flip([0.0, 0.0], [1, 2], rng()).p == 1.0


def test_twenty_clusters_are_exact_and_one_more_is_drawn():
    difference = rng(2).standard_normal(21) + 0.4
    exact = sign_flip(difference[:20], np.arange(20), rng())
    assert (exact.exact, exact.resamples) == (True, 2**20)
    drawn = sign_flip(difference, np.arange(21), rng(), resamples=999)
    assert (drawn.exact, drawn.resamples) == (False, 999)
    assert sign_flip(difference, np.arange(21), rng(), resamples=999) == drawn


def test_drawn_p_is_near_the_exact_one_and_never_zero():
    difference = np.concatenate([rng(3).standard_normal(18) + 0.5, np.zeros(3)])
    exact = sign_flip(difference[:18], np.arange(18), rng())
    drawn = sign_flip(difference, np.arange(21), rng())  # clusters of 0 leave the distribution as it is
    # 4 binomial sd of 9999 draws
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 9999) + 1e-4)
    assert sign_flip(np.ones(60), np.arange(60), rng(), resamples=99).p == 0.01


def test_clusters_stay_whole():
    # Twelve equal answers of one writer are one piece of evidence.
    assert sign_flip(np.ones(12), np.zeros(12), rng()).p == 1.0
    assert sign_flip(np.ones(12), np.repeat([1, 2, 3], 4), rng()).p == 0.25
    assert sign_flip(np.ones(12), np.arange(12), rng()).p == 2.0**-11


def test_null_rejection():
    random = rng(2031)
    p_values = []
    for _ in range(400):
        writers = random.integers(0, 30, 200)
        difference = random.standard_normal(30)[writers] + random.standard_normal(200)
        p_values.append(sign_flip(difference, writers, random, resamples=199).p)
    # .05 -1.8 sd / +2.3 sd of a binomial of 400
    assert 0.03 <= np.mean(np.array(p_values) <= 0.05) <= 0.075


def test_undefined_and_refused():
    assert isinstance(sign_flip([], [], rng()), Undefined)
    with pytest.raises(ValueError, match="missing"):
        sign_flip([1.0, np.nan], [1, 2], rng())
    with pytest.raises(ValueError, match="same length"):
        sign_flip([1.0], [1, 2], rng())
    with pytest.raises(ValueError, match="resamples"):
        sign_flip([1.0], [1], rng(), resamples=0)
