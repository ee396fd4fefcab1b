from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from audit.stats.estimate import Undefined
from audit.stats.prediction_powered import Sample, ppi_gap, ppi_mean
from audit.stats.scorer_error import Accuracy, Clustered, Flags, corrected_gap, rogan_gladen

SETS = 4000
"""Simulated audits for each rate; the binomial sd of a coverage of .95 is sqrt(.95 * .05 / 4000) = .0034."""
SLACK = 3 * math.sqrt(0.95 * 0.05 / SETS)
"""Three of these, .0103: what 93-97 % may be missed by through the simulation alone."""

GOOD = Accuracy(0.85, 100, 0.95, 100)


def calibrated(rng, sensitivity, specificity, labels):
    """An accuracy as people would find it with `labels` answers of each class."""
    hits, rejections = rng.binomial(labels, sensitivity), rng.binomial(labels, specificity)
    return Accuracy(hits / labels, labels, rejections / labels, labels)


def flagged(rng, rate, truth, n):
    return int(rng.binomial(n, rate * truth[0] + (1 - rate) * (1 - truth[1])))


def defined(result):
    assert not isinstance(result, Undefined), result
    return result


def test_rogan_gladen_golden():
    rate = rogan_gladen(120, 1000, GOOD)
    assert rate.raw == pytest.approx(0.0875, abs=1e-15)
    # MEASURES 7.9 by hand: (.12 * .88 / 1000 + .0875^2 .85 .15 / 100 + .9125^2 .95 .05 / 100) / .8^2
    by_hand = 0.0001056 + 0.0875**2 * 0.1275 / 100 + 0.9125**2 * 0.0475 / 100
    assert rate.se**2 == pytest.approx(by_hand / 0.64, rel=1e-12)
    assert (rate.estimate, rate.clipped, rate.n) == (rate.raw, False, 1000)


def test_the_interval_is_that_of_lang_and_reiczigel():
    """Their formula, written out as they give it, at 95 %."""
    z, n, m1, m0 = scipy.stats.norm.ppf(0.975), 1000, 100, 100
    big, m1b, m0b = n + z**2, m1 + 2, m0 + 2
    ap, se, sp = (120 + z**2 / 2) / big, (85 + 1) / m1b, (95 + 1) / m0b
    p = (ap + sp - 1) / (se + sp - 1)
    shift = 2 * z**2 * (p * se * (1 - se) / m1b - (1 - p) * sp * (1 - sp) / m0b)
    sd = math.sqrt(ap * (1 - ap) / big + p**2 * se * (1 - se) / m1b + (1 - p) ** 2 * sp * (1 - sp) / m0b)
    rate = rogan_gladen(120, 1000, GOOD)
    assert rate.lo == pytest.approx(p + shift - z * sd / (se + sp - 1), rel=1e-12)
    assert rate.hi == pytest.approx(p + shift + z * sd / (se + sp - 1), rel=1e-12)


@pytest.mark.parametrize("labels", [50, 200])
@pytest.mark.parametrize("rate", [0.03, 0.1, 0.3])
def test_a_corrected_rate_is_covered_at_either_level(rate, labels):
    # Specificity .9: at least 5 false positives are expected among the labels; see the next test for fewer.
    rng, truth = np.random.default_rng([int(100 * rate), labels]), (0.85, 0.9)
    inside = {0.95: 0, 0.9: 0}
    for _ in range(SETS // 2):
        count, accuracy = flagged(rng, rate, truth, 500), calibrated(rng, *truth, labels)
        for level in inside:
            found = rogan_gladen(count, 500, accuracy, level)
            # "No rate fits" is a miss.
            inside[level] += not isinstance(found, Undefined) and found.lo <= rate <= found.hi
    # 3 binomial sd of 2000 sets: .0146 at .95 and .0201 at .9, beyond 93-97 % (and 88-93.5 %)
    assert 0.93 - 0.0146 <= inside[0.95] / (SETS // 2) <= 0.97 + 0.0146
    assert 0.88 - 0.0201 <= inside[0.9] / (SETS // 2) <= 0.935 + 0.0201


def test_a_scorer_that_hardly_errs_in_few_labels_is_not_taken_for_perfect():
    """With 50 labels and specificity .99 most calibrations show no error; the plain interval covers .81."""
    rng, truth, rate = np.random.default_rng(5), (0.85, 0.99), 0.03
    ours = plain = 0
    for _ in range(SETS // 2):
        found = rogan_gladen(flagged(rng, rate, truth, 1000), 1000, calibrated(rng, *truth, 50))
        ours += not isinstance(found, Undefined) and found.lo <= rate <= found.hi
        plain += not isinstance(found, Undefined) and abs(found.raw - rate) <= 1.96 * found.se
    assert ours / (SETS // 2) >= 0.95 - 0.0146
    assert plain / (SETS // 2) < 0.87


def gap_world(rng, rates, truths, labels=100, n=600):
    """Flags of both groups; the plain two-proportion test would see only the counts."""
    return [
        Flags(flagged(rng, rate, truth, n), n, calibrated(rng, *truth, labels))
        for rate, truth in zip(rates, truths, strict=True)
    ]


def naive_p(one, zero):
    """The test of two proportions, for which flags are facts."""
    pooled = (one.flagged + zero.flagged) / (one.n + zero.n)
    se = math.sqrt(pooled * (1 - pooled) * (1 / one.n + 1 / zero.n))
    return 2 * scipy.stats.norm.sf(abs(one.rate - zero.rate) / se)


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_a_scorer_that_errs_by_group_makes_no_gap(rate):
    """MEASURES 11, item 13: no true gap, false positives more often for one group's answers."""
    rng = np.random.default_rng(int(rate * 100))
    naive = corrected = covered = refused = 0
    for _ in range(SETS):
        one, zero = gap_world(rng, (rate, rate), ((0.9, 0.95), (0.75, 0.85)))
        found = corrected_gap(one, zero)
        naive += naive_p(one, zero) < 0.05
        refused += isinstance(found, Undefined)
        corrected += not isinstance(found, Undefined) and found.p < 0.05
        covered += not isinstance(found, Undefined) and found.lo <= 0.0 <= found.hi
    if rate == 0.1:  # at .3 missed answers make up for false ones, in part
        assert naive / SETS > 0.3
    assert 0.03 - SLACK <= corrected / SETS <= 0.07 + SLACK
    assert corrected + covered + refused == SETS
    assert refused / SETS < 0.01  # a rate near 0 may by chance fit none


def test_a_true_gap_is_covered_and_a_common_accuracy_would_miss_it():
    rng, truths = np.random.default_rng(2), ((0.9, 0.95), (0.75, 0.85))
    covered = common = 0
    for _ in range(SETS):
        one, zero = gap_world(rng, (0.2, 0.1), truths)
        found = corrected_gap(one, zero)
        # "No rate fits" is a miss.
        covered += not isinstance(found, Undefined) and found.lo <= 0.1 <= found.hi
        shared = Flags(zero.flagged, zero.n, one.accuracy)
        wrong = corrected_gap(one, shared)
        common += not isinstance(wrong, Undefined) and wrong.lo <= 0.1 <= wrong.hi
    assert 0.93 - SLACK <= covered / SETS <= 0.97 + SLACK
    assert common / SETS < 0.5


def test_clustered_flags_need_their_own_variance():
    """20 templates of 30 answers; the templates' rates vary, so that answers of one are alike."""
    rng, truth, rejected, ignored = np.random.default_rng(8), (0.85, 0.9), 0, 0
    for _ in range(SETS // 2):
        groups, plain = [], []
        for _ in range(2):
            rates = rng.beta(2.0, 8.0, 20)
            counts = rng.binomial(30, rates * truth[0] + (1 - rates) * (1 - truth[1]))
            spread = Clustered(float((counts / 30).var(ddof=1)) / 20, 19.0)
            accuracy = calibrated(rng, *truth, 200)
            groups.append(Flags(int(counts.sum()), 600, accuracy, spread))
            plain.append(Flags(int(counts.sum()), 600, accuracy))
        rejected += defined(corrected_gap(*groups)).p < 0.05
        ignored += defined(corrected_gap(*plain)).p < 0.05
    # 3 binomial sd of 2000 sets: .0146
    assert 0.03 - 0.0146 <= rejected / (SETS // 2) <= 0.07 + 0.0146
    assert ignored / (SETS // 2) > 0.1


def test_a_clustered_variance_that_equals_the_plain_one_changes_nothing():
    q, n = 0.12, 1000
    plain = rogan_gladen(q * n, n, GOOD)
    same = rogan_gladen(q * n, n, GOOD, clustered=Clustered(q * (1 - q) / n, math.inf))
    assert (same.se, same.lo, same.hi) == pytest.approx((plain.se, plain.lo, plain.hi), rel=1e-12)
    few = rogan_gladen(q * n, n, GOOD, clustered=Clustered(q * (1 - q) / n, 5.0))
    assert few.hi - few.lo > plain.hi - plain.lo


def test_a_covariance_from_shared_templates_is_taken_off():
    one, zero = Flags(200, 1000, GOOD), Flags(120, 1000, GOOD)
    apart, paired = corrected_gap(one, zero), corrected_gap(one, zero, covariance=8e-5)
    assert apart.se**2 - paired.se**2 == pytest.approx(2 * 8e-5 / 0.64, rel=1e-9)
    assert paired.p < apart.p and paired.hi - paired.lo < apart.hi - apart.lo
    most = corrected_gap(one, one, covariance=0.2 * 0.8 / 1000)
    # what the labels leave uncertain stays, though the flags' errors cancel
    assert 0.0 < most.se < apart.se and most.lo < most.estimate < most.hi
    with pytest.raises(ValueError, match="covariance"):
        corrected_gap(one, zero, covariance=0.01)


accuracies = st.builds(
    Accuracy, st.floats(0.7, 1.0), st.integers(10, 500), st.floats(0.7, 1.0), st.integers(10, 500)
)
flags = st.builds(lambda share, n, accuracy: Flags(round(share * n), n, accuracy),
                  st.floats(0.0, 1.0), st.integers(1, 2000), accuracies)  # fmt: skip


@given(flags, flags)
def test_swapping_groups_flips_the_gap_and_p_agrees_with_the_interval(one, zero):
    there, back = corrected_gap(one, zero), corrected_gap(zero, one)
    if isinstance(there, Undefined):
        assert isinstance(back, Undefined)
        return
    assert (back.estimate, back.lo, back.hi, back.p) == pytest.approx(
        (-there.estimate, -there.hi, -there.lo, there.p), abs=1e-12
    )
    if abs(there.p - 0.05) > 1e-9:
        assert (there.p < 0.05) == (there.lo > 0.0 or there.hi < 0.0)
    for rate in (there.group1, there.group0):
        assert 0.0 <= rate.lo <= rate.estimate <= rate.hi <= 1.0


def test_a_perfect_scorer_with_many_labels_gives_the_flagged_rate():
    perfect = Accuracy(1.0, 10**7, 1.0, 10**7)
    rate = rogan_gladen(45, 100, perfect)
    wald = math.sqrt(0.45 * 0.55 / 100)
    assert (rate.estimate, rate.se) == pytest.approx((0.45, wald))
    # Agresti and Coull's interval is what is left of Lang and Reiczigel's.
    from statsmodels.stats.proportion import proportion_confint

    lo, hi = proportion_confint(45, 100, method="agresti_coull")
    assert (rate.lo, rate.hi) == pytest.approx((lo, hi), abs=1e-6)


def test_a_correction_below_0_is_held_at_0_and_kept():
    rate = rogan_gladen(3, 100, GOOD)
    assert rate.raw == pytest.approx((0.03 - 0.05) / 0.8)
    assert (rate.estimate, rate.lo, rate.clipped) == (0.0, 0.0, True)
    gap = corrected_gap(Flags(3, 100, GOOD), Flags(5, 100, GOOD))
    assert gap.estimate == pytest.approx(-0.02 / 0.8)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: rogan_gladen(0, 0, GOOD), "no answers"),
        (lambda: rogan_gladen(1, 2, Accuracy(0.6, 50, 0.69, 50)), "0.29"),
        (lambda: rogan_gladen(1, 2, Accuracy(1.0, 9, 1.0, 50)), "9 texts of known truth"),
        (lambda: rogan_gladen(1, 2, Accuracy(1.0, 50, 1.0, 0)), "0 texts of known truth"),
        (lambda: rogan_gladen(0, 5000, Accuracy(0.9, 1000, 0.8, 1000)), "other answers"),
        (lambda: rogan_gladen(5000, 5000, Accuracy(0.8, 1000, 0.9, 1000)), "other answers"),
        (lambda: rogan_gladen(0, 100, GOOD, clustered=Clustered(0.001, 9.0)), "no spread"),
        (lambda: rogan_gladen(9, 100, GOOD, clustered=Clustered(0.0, 9.0)), "no spread"),
        (lambda: corrected_gap(Flags(1, 2, GOOD), Flags(0, 0, GOOD)), "group 0: no answers"),
        (lambda: corrected_gap(Flags(0, 5000, Accuracy(0.9, 999, 0.8, 999)), Flags(9, 99, GOOD)), "group 1"),
        (lambda: Accuracy.of([True, True], [True, False]), "2 labels are positive and 0 negative"),
        (lambda: Accuracy.of([], []), "0 labels"),
    ],
)
def test_what_cannot_be_corrected_says_why(call, reason):
    found = call()
    assert isinstance(found, Undefined)
    assert reason in found.reason


def test_a_youden_index_of_exactly_three_tenths_is_corrected():
    assert not isinstance(rogan_gladen(40, 100, Accuracy(0.75, 50, 0.55, 50)), Undefined)


def test_one_and_two_answers_have_wide_intervals():
    for n in (1, 2):
        rate = defined(rogan_gladen(1, n, GOOD))
        assert rate.hi - rate.lo > 0.6


@pytest.mark.parametrize(
    "call",
    [
        lambda: Accuracy(1.1, 5, 0.5, 5),
        lambda: Accuracy(0.5, 5, float("nan"), 5),
        lambda: Accuracy(0.5, -1, 0.5, 5),
        lambda: Flags(3, 2, GOOD),
        lambda: Flags(float("nan"), 2, GOOD),
        lambda: Clustered(-1.0, 5.0),
        lambda: Clustered(float("inf"), 5.0),
        lambda: Clustered(1.0, 0.5),
        lambda: rogan_gladen(1, 2, GOOD, 95),
        lambda: Accuracy.of([True], [True, False]),
        lambda: Accuracy.of([1, 0], [True, False]),
        lambda: ppi_mean(Sample([1.0], [1.0, 2.0], [])),
        lambda: ppi_mean(Sample([1.0, np.nan], [1.0, 2.0], [])),
        lambda: ppi_mean(Sample([1.0, 0.0], [1.0, np.inf], [])),
    ],
)
def test_impossible_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"must|holds"):
        call()


# Prediction-powered means


def normal_sample(rng, n, more, correlation, shift=0.0):
    labels = rng.standard_normal(n) + shift
    noise = math.sqrt(1 - correlation**2)
    scores = correlation * (labels - shift) + noise * rng.standard_normal(n)
    return Sample(labels, scores, rng.standard_normal(more))


def rate_sample(rng, n, more, rate):
    """A scorer in [0, 1], .25 too high for negatives and .25 too low for positives."""

    def scores(truth):
        return np.clip(0.25 + 0.5 * truth + 0.2 * rng.standard_normal(truth.size), 0.0, 1.0)

    truth = (rng.random(n + more) < rate).astype(float)
    return Sample(truth[:n], scores(truth[:n]), scores(truth[n:]))


def test_ppi_against_a_search_for_the_best_weight():
    """MEASURES 7.9's two terms by numpy, and the weight by trying all."""
    sample = normal_sample(np.random.default_rng(1), 40, 300, 0.8)
    y, f, u = sample.labels, sample.scores, sample.unlabelled
    grid = np.linspace(0.0, 1.0, 20_001)
    variance = [lam**2 * np.var(u, ddof=1) / 300 + np.var(y - lam * f, ddof=1) / 40 for lam in grid]
    found = defined(ppi_mean(sample))
    assert found.lam == pytest.approx(grid[np.argmin(variance)], abs=1e-4)
    assert found.estimate == pytest.approx(found.lam * u.mean() + np.mean(y - found.lam * f), abs=1e-14)
    first, second = found.lam**2 * np.var(u, ddof=1) / 300, np.var(y - found.lam * f, ddof=1) / 40
    assert found.se**2 == pytest.approx(first + second * 39 / 37, rel=1e-12)
    # The formula of the paper, with one variance of f for both parts.
    alike = Sample(y, f, np.concatenate([f, f, f]))
    expected = np.cov(y, f)[0, 1] / ((1 + 40 / 120) * np.var(f, ddof=1))
    assert defined(ppi_mean(alike)).lam == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("correlation", "n"), [(0.9, 30), (0.5, 100), (0.0, 50)])
def test_a_ppi_mean_covers_and_never_costs_more_than_labels(correlation, n):
    rng, covered, ratio = np.random.default_rng([n, 1]), 0, []
    for _ in range(SETS):
        found = defined(ppi_mean(normal_sample(rng, n, 600, correlation)))
        covered += found.lo <= 0.0 <= found.hi
        ratio.append(found.se / found.labels_se)
    assert 0.93 - SLACK <= covered / SETS <= 0.97 + SLACK
    assert max(ratio) <= 1.0
    if correlation == 0.9:
        assert np.mean(ratio) < 0.6
    if correlation == 0.0:
        assert np.mean(ratio) > 0.97


def test_a_ppi_gap_of_rates_covers_where_the_scorer_alone_errs():
    rng, covered, rejected, scorer_near = np.random.default_rng(4), 0, 0, 0
    for _ in range(SETS):
        one, zero = rate_sample(rng, 100, 1000, 0.3), rate_sample(rng, 100, 1000, 0.2)
        found = defined(ppi_gap(one, zero))
        covered += found.lo <= 0.1 <= found.hi
        rejected += found.p < 0.05
        scorer = one.unlabelled.mean() - zero.unlabelled.mean()
        assert (found.p < 0.05) == (found.lo > 0.0 or found.hi < 0.0)
        scorer_near += abs(scorer - 0.1) < 0.02
    assert 0.93 - SLACK <= covered / SETS <= 0.97 + SLACK
    assert rejected / SETS > 0.5
    assert scorer_near / SETS < 0.1  # the scorer's own gap is half the true one


def test_a_scorer_that_misleads_is_given_no_weight():
    rng = np.random.default_rng(6)
    labels = rng.standard_normal(50)
    found = defined(ppi_mean(Sample(labels, -labels, rng.standard_normal(500))))
    assert (found.lam, found.estimate, found.se) == (0.0, labels.mean(), found.labels_se)
    constant = defined(ppi_mean(Sample(labels, np.ones(50), np.ones(500))))
    assert (constant.lam, constant.se) == (0.0, constant.labels_se)
    assert constant.df == pytest.approx(49.0)


def test_a_shift_of_the_scorer_changes_nothing():
    sample = normal_sample(np.random.default_rng(7), 60, 400, 0.8)
    moved = Sample(sample.labels, sample.scores + 5.0, sample.unlabelled + 5.0)
    one, other = defined(ppi_mean(sample)), defined(ppi_mean(moved))
    assert (one.estimate, one.se) == pytest.approx((other.estimate, other.se), rel=1e-9)
    swapped = defined(ppi_gap(moved, sample))
    assert swapped.estimate == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (Sample([], [], [0.1, 0.2]), "0 human label"),
        (Sample([1.0], [0.5], [0.1, 0.2]), "1 human label"),
        (Sample([1.0, 0.0], [0.5, 0.2], [0.1, 0.2]), "2 human label"),
        (Sample(np.arange(10.0), np.arange(10.0), []), "0 score"),
        (Sample(np.arange(10.0), np.arange(10.0), [1.0]), "1 score"),
        (Sample(np.ones(10), np.arange(10.0), [1.0, 2.0]), "all labels are equal"),
        (Sample(np.arange(10.0), np.arange(10.0), [4.0, 4.0]), "no spread is left"),
        (Sample(np.arange(10) / 7, np.arange(10) / 7 + 0.3, [0.1, 0.1]), "no spread is left"),
    ],
)
def test_too_little_for_a_powered_mean_says_why(sample, reason):
    for found in (ppi_mean(sample), ppi_gap(sample, sample)):
        assert isinstance(found, Undefined)
        assert reason in found.reason
