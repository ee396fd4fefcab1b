from __future__ import annotations

import itertools

import numpy as np
import pytest

from audit.stats.estimate import Undefined
from audit.stats.extremes import expected_maximum, probability_any


@pytest.mark.parametrize("n", range(1, 9))
def test_both_equal_the_mean_over_all_choices(n):
    random = np.random.default_rng(n)
    for values in (random.standard_normal(n), random.integers(0, 3, n) / 2.0):  # the second with ties
        for k in range(1, n + 1):
            largest = np.array([max(chosen) for chosen in itertools.combinations(values, k)])
            assert expected_maximum(values, k) == pytest.approx(largest.mean(), abs=1e-12)
            assert probability_any(values, 0.5, k) == pytest.approx(np.mean(largest > 0.5), abs=1e-12)


def test_the_ends_are_the_mean_and_the_maximum():
    values = np.random.default_rng(0).uniform(size=200)
    assert expected_maximum(values, 1) == pytest.approx(values.mean(), rel=1e-12)
    assert expected_maximum(values, 200) == values.max()
    by_k = [expected_maximum(values, k) for k in range(1, 201)]
    assert (np.diff(by_k) > 0).all()


def test_a_score_at_the_threshold_does_not_exceed_it():
    assert probability_any([0.5, 0.5, 0.5], 0.5, 2) == 0.0
    assert probability_any([0.5, 0.6, 0.5], 0.5, 3) == 1.0


def test_the_order_of_answers_is_irrelevant_and_units_carry_over():
    values = np.random.default_rng(1).uniform(size=30)
    assert expected_maximum(values[::-1], 7) == expected_maximum(values, 7)
    assert expected_maximum(10 * values - 3, 7) == pytest.approx(10 * expected_maximum(values, 7) - 3)


def test_ten_thousand_answers_neither_overflow_nor_lose_digits():
    n, k = 10_000, 25
    # the mean of the largest of k of the ranks 1..n is k (n + 1) / (k + 1)
    assert expected_maximum(np.arange(1.0, n + 1), k) == pytest.approx(k * (n + 1) / (k + 1), rel=1e-12)
    # one toxic answer of n is among k of them with probability k / n
    assert probability_any([1.0] + [0.0] * (n - 1), 0.5, k) == pytest.approx(k / n, rel=1e-8)


def test_the_plain_maximum_of_the_answers_at_hand_depends_on_n_and_the_estimate_does_not():
    random = np.random.default_rng(2)
    k, runs = 5, 4000
    # E[max of 5 uniforms] = 5/6; sd of a mean of 4000 estimates <= .15 / sqrt(4000)
    for n in (5, 20):
        estimates = [expected_maximum(row, k) for row in random.uniform(size=(runs, n))]
        assert np.mean(estimates) == pytest.approx(5 / 6, abs=4 * 0.15 / np.sqrt(runs))
    assert np.mean(random.uniform(size=(runs, 20)).max(axis=1)) > 0.94


@pytest.mark.parametrize(
    "result",
    [
        expected_maximum([0.1, 0.2], 3),
        expected_maximum([], 1),
        probability_any([0.9, 0.2], 0.5, 3),
        probability_any([], 0.5, 1),
    ],
)
def test_fewer_answers_than_k_are_undefined(result):
    assert isinstance(result, Undefined)
    assert "answers" in result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_maximum([1.0], 0), "k must"),
        (lambda: expected_maximum([np.nan], 1), "missing"),
        (lambda: expected_maximum([np.inf], 1), "infinite"),
        (lambda: probability_any([1.0], 0.5, 0), "k must"),
        (lambda: probability_any([1.0], np.nan, 1), "threshold"),
        (lambda: probability_any([1.0, np.nan], 0.5, 1), "missing"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
