"""AUC against a count of all pairs, and its parts by cluster against the AUC of what is left."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit.stats.auc import auc, sorted_clusters, wins
from audit.stats.estimate import Floats, Undefined


def by_pairs(positives: Floats, negatives: Floats) -> float:
    """Every pair, one at a time."""
    pairs = list(itertools.product(positives, negatives))
    return sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)


@pytest.mark.parametrize("seed", range(20))
def test_auc_is_the_share_of_pairs_with_ties_by_half(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positives, negatives = rng.integers(0, 6, 1 + seed), rng.integers(0, 5, 21 - seed)
    expected = by_pairs(positives, negatives)
    assert auc(positives, negatives) == pytest.approx(expected, abs=1e-14)
    turned = auc(negatives, positives)
    assert not isinstance(turned, Undefined) and turned == pytest.approx(1.0 - expected, abs=1e-14)


def test_auc_at_its_ends() -> None:
    assert (auc([2.0, 3.0], [1.0]), auc([1.0], [2.0]), auc([1.0, 1.0], [1.0])) == (1.0, 0.0, 0.5)


@pytest.mark.parametrize(("one", "other", "lacks"), [([], [1.0], "positives"), ([1.0], [], "negatives")])
def test_auc_without_a_class_is_undefined_and_never_zero(
    one: list[float], other: list[float], lacks: str
) -> None:
    found = auc(one, other)
    assert isinstance(found, Undefined) and found.reason == f"no {lacks}"


def test_auc_refuses_a_missing_score() -> None:
    with pytest.raises(ValueError, match="positives"):
        auc([float("nan")], [1.0])


@pytest.mark.parametrize("seed", range(5))
def test_wins_of_any_clusters_are_those_of_their_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positives, negatives = rng.integers(0, 9, 30).astype(float), rng.integers(0, 9, 25).astype(float)
    own, theirs = rng.integers(0, 4, 30), rng.integers(0, 4, 25)
    table = wins(sorted_clusters(positives, own, 4), negatives, theirs)
    for g, h in itertools.product(range(4), repeat=2):
        high, low = positives[own == g], negatives[theirs == h]
        pairs = high.size * low.size
        assert table[g, h] == (round(2.0 * by_pairs(high, low) * pairs) / 2.0 if pairs else 0.0)
    kept = [0, 2, 3]
    high, low = positives[np.isin(own, kept)], negatives[np.isin(theirs, kept)]
    whole = table[np.ix_(kept, kept)].sum() / (high.size * low.size)
    assert whole == pytest.approx(by_pairs(high, low), abs=1e-14)
