from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from audit.stats.estimate import Undefined
from audit.stats.intervals import cliffs_delta, hedges_g, hedges_j, newcombe, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 20), (7, 7), (3, 10), (500, 1000)])
def test_wilson_against_statsmodels(k, n):
    # proportion_confint(k, n, alpha, method="wilson")
    interval = wilson(k, n, 0.9)
    assert (interval.lo, interval.hi) == pytest.approx(proportion_confint(k, n, 0.1, "wilson"), abs=1e-12)
    assert 0.0 <= interval.lo <= k / n <= interval.hi <= 1.0


@pytest.mark.parametrize(("one", "zero"), [((45, 100), (30, 100)), ((0, 10), (0, 15)), ((3, 7), (20, 20))])
def test_newcombe_against_statsmodels(one, zero):
    # confint_proportions_2indep(k1, n1, k0, n0, method="newcomb", compare="diff")
    reference = confint_proportions_2indep(*one, *zero, method="newcomb", compare="diff")
    interval = newcombe(one, zero)
    assert interval.n == one[1] + zero[1]
    assert (interval.lo, interval.hi) == pytest.approx(reference, abs=1e-10)
    swapped = newcombe(zero, one)
    assert (swapped.lo, swapped.hi) == (-interval.hi, -interval.lo)


def test_cliffs_delta_against_all_pairs():
    random = np.random.default_rng(2)
    for _ in range(20):
        x, y = random.integers(0, 6, 13) / 3.0, random.integers(0, 5, 9) / 3.0
        pairs = np.sign(x[:, None] - y[None, :]).mean()
        assert cliffs_delta(x, y) == pytest.approx(pairs, abs=1e-12)
        # 2 U / (n m) - 1 with scipy.stats.mannwhitneyu(x, y).statistic
        u = scipy.stats.mannwhitneyu(x, y).statistic
        assert cliffs_delta(x, y) == pytest.approx(2 * u / (13 * 9) - 1, abs=1e-12)
        assert cliffs_delta(y, x) == -cliffs_delta(x, y)
        assert hedges_g(y, x) == -hedges_g(x, y)
    assert cliffs_delta([1.0, 1.0], [1.0]) == 0.0


def test_hedges_j_is_near_its_usual_approximation():
    for df in (5, 20, 1000, 1e6):
        assert hedges_j(df) == pytest.approx(1 - 3 / (4 * df - 1), abs=0.002)


@pytest.mark.parametrize(
    "result",
    [
        wilson(0, 0),
        newcombe((0, 0), (1, 2)),
        hedges_g([1.0], [1.0, 2.0]),
        hedges_g([1.0, 1.0], [2.0, 2.0]),
        cliffs_delta([], [1.0]),
    ],
)
def test_undefined(result):
    assert isinstance(result, Undefined)
    assert result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson(3, 2), "counts"),
        (lambda: wilson(-1, 2), "counts"),
        (lambda: wilson(1, 2, 95), "level"),
        (lambda: hedges_j(1), "df"),
        (lambda: hedges_g([1.0, np.nan], [1.0, 2.0]), "missing"),
        (lambda: cliffs_delta([np.inf], [1.0]), "infinite"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
