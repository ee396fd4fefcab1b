"""Jensen-Shannon divergence less chance, and the jackknife over two samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from audit.stats.clustered import cluster_jackknife
from audit.stats.divergence import Divergence, jensen_shannon
from audit.stats.estimate import Contrast, Undefined
from audit.stats.two_way_jackknife import two_way_jackknife


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def fills(p: list[float], names: int, templates: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(3, p, size=(names, templates)).astype(float)


def test_the_value_is_that_of_scipy_and_the_mean_over_templates() -> None:
    one, two = fills([0.5, 0.3, 0.2], 9, 4, 1), fills([0.2, 0.3, 0.5], 11, 4, 2)
    found = jensen_shannon(one, two, rng(), resamples=9)
    assert isinstance(found, Divergence)
    # scipy.spatial.distance.jensenshannon(p, q, base=2) is the square root of the divergence.
    theirs = [jensenshannon(one[:, t].sum(axis=0), two[:, t].sum(axis=0), base=2) ** 2 for t in range(4)]
    assert found.value == pytest.approx(float(np.mean(theirs)), abs=1e-12)


def test_both_ends_of_the_range() -> None:
    apart = [np.tile(one, (5, 3, 1)) for one in ([2.0, 0.0], [0.0, 2.0])]
    found = jensen_shannon(apart[0], apart[1], rng(), resamples=199)
    assert isinstance(found, Divergence)
    assert found.value == 1.0 and found.p < 0.05
    same = jensen_shannon(apart[0], apart[0], rng(), resamples=199)
    assert isinstance(same, Divergence)
    assert (same.value, same.contrast.estimate, same.contrast.se, same.p) == (0.0, 0.0, 0.0, 1.0)


def test_without_a_difference_the_excess_is_near_0_though_the_distance_is_not() -> None:
    """200 null tables: p < .05 in at most .05 + 3 standard errors (.096); the bare distance is always > 0."""
    hits, excess = 0, []
    for seed in range(200):
        p = [0.4, 0.3, 0.2, 0.1]
        one = jensen_shannon(fills(p, 8, 4, 2 * seed), fills(p, 8, 4, 2 * seed + 1), rng(), resamples=99)
        assert isinstance(one, Divergence)
        assert one.value > 0.0
        hits += one.p < 0.05
        excess.append(one.contrast.estimate)
    assert hits / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert abs(float(np.mean(excess))) < 3 * float(np.std(excess)) / math.sqrt(200)


def test_terms_without_answers_and_groups_too_small() -> None:
    one = fills([0.5, 0.5], 4, 3, 1)
    empty = np.concatenate([one, np.zeros((2, 3, 2))])
    found, padded = jensen_shannon(one, one, rng()), jensen_shannon(empty, one, rng())
    assert isinstance(found, Divergence) and isinstance(padded, Divergence)
    assert found.value == padded.value and found.contrast.n_terms == padded.contrast.n_terms
    assert isinstance(jensen_shannon(one[:1], one, rng()), Undefined)
    assert isinstance(jensen_shannon(one[:, :1], one[:, :1], rng()), Undefined)
    assert isinstance(jensen_shannon(np.zeros((3, 3, 2)), one, rng()), Undefined)
    with pytest.raises(ValueError, match="must be the same"):
        jensen_shannon(one, one[:, :2], rng())


def test_repeating_rows_does_not_shrink_the_two_way_error() -> None:
    values = np.random.default_rng(1).normal(size=24)
    rows, columns = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    once = two_way_jackknife(lambda kept: float(values[kept].mean()), rows, columns)
    twice = np.tile(values, 2)
    again = two_way_jackknife(lambda kept: float(twice[kept].mean()), np.tile(rows, 2), np.tile(columns, 2))
    assert isinstance(once, Contrast) and isinstance(again, Contrast)
    assert once.se == pytest.approx(again.se, rel=1e-12)


def test_the_two_way_error_is_the_sum_of_the_one_way_ones() -> None:
    values = np.random.default_rng(2).normal(size=20)
    rows, columns = np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4)

    def mean(kept: np.ndarray) -> float:
        return float(values[kept].mean())

    found = two_way_jackknife(mean, rows, columns)
    sides = [cluster_jackknife(mean, side) for side in (rows, columns)]
    assert isinstance(found, Contrast)
    assert found.se**2 == pytest.approx(sum(s.se**2 for s in sides if isinstance(s, Contrast)), rel=1e-12)


def test_what_the_two_way_jackknife_cannot_say() -> None:
    assert isinstance(two_way_jackknife(lambda rows: 1.0, ["a", "a"], ["x", "y"]), Undefined)
    lost = two_way_jackknife(
        lambda rows: 1.0 if rows.size == 4 else math.nan, ["a", "a", "b", "b"], ["x", "y", "x", "y"]
    )
    assert isinstance(lost, Undefined) and "without 'a'" in lost.reason
    with pytest.raises(ValueError, match="same length"):
        two_way_jackknife(lambda rows: 1.0, ["a"], ["x", "y"])
