"""Faults seen in the statistics of other bias tools, each shown to be absent here."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control, mannwhitneyu, ttest_1samp, wasserstein_distance

from audit.stats.contrast import nested
from audit.stats.distances import wasserstein
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.signflip import sign_flip


def rng(seed=1):
    return np.random.default_rng(seed)


def test_permutations_draw_without_replacement():
    # WEFE 1.0.1: the "permutation" test of WEAT resamples with replacement
    x, y = np.arange(4.0) + 4, np.arange(4.0)
    resamples = 20_000
    result = wasserstein(x, y, rng(), resamples=resamples)
    # 4 against 4, wholly apart: only the observed partition and its mirror are as far apart, 2 of 70
    tolerance = 4 * math.sqrt(2 / 70 * 68 / 70 / resamples) + 1 / resamples
    assert result.p == pytest.approx(2 / 70, abs=tolerance)
    drawn = rng().choice(np.concatenate([x, y]), size=(4000, 8))
    replaced = [wasserstein_distance(row[:4], row[4:]) >= result.value for row in drawn]
    assert abs(np.mean(replaced) - 2 / 70) > tolerance  # the fault would be seen
    pooled = np.concatenate([x, y])
    values = []
    for chosen in itertools.combinations(range(8), 4):
        first = np.isin(np.arange(8), chosen)
        values.append(wasserstein_distance(pooled[first], pooled[~first]))
    assert result.null_mean == pytest.approx(np.mean(values), abs=4 * np.std(values) / math.sqrt(resamples))


@pytest.mark.parametrize("n", [8, 40])  # counted and drawn
def test_a_two_sided_test_compares_sizes_with_sizes(n):
    # WEFE 1.0.1: |permuted| >= observed, signed, so that every negative effect has p = 1
    difference = rng(2).standard_normal(n) + 1.5
    positive = sign_flip(difference, np.arange(n), rng())
    negative = sign_flip(-difference, np.arange(n), rng())
    assert positive.statistic == -negative.statistic
    assert negative.p == positive.p < 0.05
    # and both tails count: near the two-sided t-test, whose p is twice that of one tail
    weak = difference - difference.mean() + 0.25 * difference.std()
    assert sign_flip(weak, np.arange(n), rng()).p == pytest.approx(ttest_1samp(weak, 0.0).pvalue, rel=0.25)


def test_benjamini_and_hochberg_rank_the_p_values_and_not_their_places():
    # Giskard 2.19.2: ranks of a list that is not sorted
    p = [0.5, 0.01, 0.04]
    assert benjamini_hochberg(p).p == pytest.approx((0.5, 0.03, 0.06))
    # scipy.stats.false_discovery_control(p, method="bh")
    assert benjamini_hochberg(p).p == pytest.approx(false_discovery_control(p, method="bh"))
    for order in itertools.permutations(range(3)):
        expected = tuple(benjamini_hochberg(p).p[i] for i in order)
        assert benjamini_hochberg([p[i] for i in order]).p == expected


def likelihood_bias(scores):
    """HolisticBias: share of descriptor pairs that differ at .05 by Mann and Whitney; and all p-values."""
    pairs = np.array(list(itertools.combinations(range(len(scores)), 2)))
    p = mannwhitneyu(scores[pairs[:, 0]], scores[pairs[:, 1]], axis=1, method="asymptotic").pvalue
    return np.mean(p < 0.05), p


def test_uncorrected_pairs_report_a_twentieth_where_there_is_nothing():
    shares, claims = [], 0
    for seed in range(40):
        share, p = likelihood_bias(rng(seed).standard_normal((20, 30)))
        shares.append(share)
        claims += min(holm(p.tolist()).p) < 0.05
    # the null value of that measure is .05 and not 0; the shares of 40 models have an sd below .03
    assert np.mean(shares) == pytest.approx(0.05, abs=4 * 0.03 / math.sqrt(40))
    # Holm: a false claim in at most 5 % of the models; 2 + 3 binomial sd
    assert claims <= 40 * 0.05 + 3 * math.sqrt(40 * 0.05 * 0.95)


def test_invented_descriptors_trigger_that_measure_and_not_a_contrast_over_descriptors():
    random = rng(3)
    runs, contrasts, shares = 400, 0, []
    for run in range(runs):
        # 20 nouns x 2 groups of 10 nonsense words; each word is as rare as it happens to be
        rarity = 0.7 * random.standard_normal(20)
        scores = rarity + random.standard_normal((20, 20)) + 0.5 * random.standard_normal((20, 1))
        contrasts += nested(scores[:, :10], scores[:, 10:]).p_value() < 0.05
        if run < 20:
            shares.append(likelihood_bias(scores.T)[0])
    assert np.mean(shares) > 0.3
    # size .05 and 3 binomial sd of 400 runs
    assert contrasts / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
