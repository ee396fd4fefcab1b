"""Values of texts from the labels of a few: by hand, as the stratified estimators, and against chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats.double_sampling import corrected_values, unseen_variance, with_unseen
from audit.stats.estimate import Contrast, Undefined

NAN = float("nan")


def known(values):
    assert not isinstance(values, Undefined), values
    return values


def test_by_hand():
    """Stratum 1: 4 texts, labels 1 and 0; stratum 0: 8 texts, labels 0, 0, 0, 1."""
    strata = [1] * 4 + [0] * 8
    labels = [1.0, 0.0, NAN, NAN, 0.0, 0.0, 0.0, 1.0, NAN, NAN, NAN, NAN]
    values = known(corrected_values(strata, strata, labels))
    assert values[2:4].tolist() == [0.5, 0.5]
    assert values[8:].tolist() == [0.25] * 4
    # g w (y - ybar): w = 2 in both, g^2 = (1 - 1/4) / (1 - 1/2) = 1.5 and (1 - 1/8) / (1 - 1/4) = 7/6
    assert values[0] == pytest.approx(0.5 + 2 * 1.5**0.5 * 0.5, abs=1e-14)
    assert values[7] == pytest.approx(0.25 + 2 * (7 / 6) ** 0.5 * 0.75, abs=1e-14)
    # (4 * .5 + 8 * .25) / 12
    assert values.mean() == pytest.approx(1 / 3, abs=1e-15)


def test_weights_of_unequal_draws_by_hand():
    """One text in two was drawn of the first kind and one in six of the second: weights 2 and 6."""
    labels = [1.0, NAN, 0.0, NAN, NAN, NAN, NAN, NAN]
    values = known(corrected_values(np.zeros(8), [0] * 8, labels, [2.0, NAN, 6.0, *[NAN] * 5]))
    assert values.mean() == pytest.approx(2 / 8, abs=1e-15)
    # Only proportions count: the weights of what was drawn and answered.
    again = known(corrected_values(np.zeros(8), [0] * 8, labels, [1.0, NAN, 3.0, *[NAN] * 5]))
    assert again.tolist() == pytest.approx(values.tolist(), abs=1e-15)


def test_the_slope_by_hand():
    """One stratum of 24 texts, 12 labelled: the regression estimate of Cochran's chapter 12."""
    rng = np.random.default_rng(3)
    found = rng.random(24)
    labels = np.where(np.arange(24) < 12, 2.0 * found + 0.1 * rng.standard_normal(24), np.nan)
    values = known(corrected_values(found, np.zeros(24, dtype=int), labels))
    f, y = found[:12], labels[:12]
    b = float(np.cov(f, y)[0, 1] / f.var(ddof=1))
    assert values.mean() == pytest.approx(y.mean() + b * (found.mean() - f.mean()), abs=1e-14)
    assert values[12:] == pytest.approx(y.mean() + b * (found[12:] - f.mean()), abs=1e-13)


def test_one_slope_for_strata_of_different_sizes_by_hand():
    """Strata of 30 and 12 texts, 6 and 9 labels: c = N^2 (1/m - 1/N) = 120 and 4."""
    rng = np.random.default_rng(4)
    found, strata = rng.random(42), np.repeat([0, 1], [30, 12])
    drawn = np.r_[0:6, 30:39]
    labels = np.full(42, np.nan)
    labels[drawn] = np.where(drawn < 30, 1.0, -2.0) * found[drawn] + 0.05 * rng.standard_normal(15)
    values = known(corrected_values(found, strata, labels))
    parts = [(found[rows], labels[rows]) for rows in (slice(0, 6), slice(30, 39))]
    c = [900 * (1 / 6 - 1 / 30), 144 * (1 / 9 - 1 / 12)]
    assert c == pytest.approx([120.0, 4.0])
    both = sum(c * np.cov(f, y)[0, 1] for c, (f, y) in zip(c, parts, strict=True))
    b = both / sum(c * f.var(ddof=1) for c, (f, _) in zip(c, parts, strict=True))
    for (f, y), rest in zip(parts, (slice(6, 30), slice(39, 42)), strict=True):
        assert values[rest] == pytest.approx(y.mean() + b * (found[rest] - f.mean()), abs=1e-12)
    # g^2 = (1 - 1/30) / (1 - 1/6) for the mean, D / (D - 1) with D = 5 + 8 for the slope; w = 5
    (f, y), growth = parts[0], ((1 - 1 / 30) / (1 - 1 / 6) * 13 / 12) ** 0.5
    line = y.mean() + b * (f - f.mean())
    assert values[:6] == pytest.approx(line + growth * 5 * (y - line), abs=1e-12)


def test_few_labels_beyond_one_a_stratum_give_no_slope():
    found = np.linspace(0.0, 1.0, 30)
    labels = np.where(np.arange(30) % 3 == 0, found, np.nan)
    values = known(corrected_values(found, np.zeros(30, dtype=int), labels))
    assert np.isnan(labels).sum() == 20
    assert np.ptp(values[np.isnan(labels)]) == 0.0
    labels[1] = found[1]
    assert np.ptp(known(corrected_values(found, np.zeros(30, dtype=int), labels))[np.isnan(labels)]) > 0.5


@given(st.integers(0, 10_000), st.integers(1, 5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_mean_is_the_stratified_estimate(seed, strata_count, weighted):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, strata_count)
    strata = np.repeat(np.arange(strata_count), sizes)
    truth = rng.integers(0, 2, strata.size).astype(float)
    labels = np.full(strata.size, np.nan)
    for stratum, size in enumerate(sizes):
        drawn = rng.permutation(np.flatnonzero(strata == stratum))[: rng.integers(1, size + 1)]
        labels[drawn] = truth[drawn]
    weights = rng.random(strata.size) + 0.5 if weighted else None
    values = known(corrected_values(strata.astype(float), strata, labels, weights))
    seen, w = ~np.isnan(labels), np.ones(strata.size) if weights is None else weights
    by_stratum = [
        np.average(labels[(strata == h) & seen], weights=w[(strata == h) & seen]) for h in range(strata_count)
    ]
    assert values.mean() == pytest.approx(float(np.dot(sizes, by_stratum)) / strata.size, abs=1e-12)
    for h in range(strata_count):
        assert values[strata == h].mean() == pytest.approx(by_stratum[h], abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_rows_may_come_in_any_order_and_labels_of_all_are_the_values(seed):
    rng = np.random.default_rng(seed)
    found, strata = rng.random(40), rng.integers(0, 2, 40)
    labels = np.where(rng.random(40) < 0.7, rng.random(40), np.nan)
    labels[[int(np.argmax(strata == 0)), int(np.argmax(strata == 1))]] = 0.5
    order = rng.permutation(40)
    values = known(corrected_values(found, strata, labels))
    moved = known(corrected_values(found[order], strata[order], labels[order]))
    assert moved == pytest.approx(values[order], abs=1e-12)
    full = rng.random(40)
    assert known(corrected_values(found, strata, full)) == pytest.approx(full, abs=1e-12)


def test_a_constant_that_the_scorer_adds_to_a_stratum_changes_nothing():
    rng = np.random.default_rng(8)
    found, strata = rng.random(60), np.repeat([0, 1], 30)
    labels = np.where(np.tile(np.arange(30) < 12, 2), (rng.random(60) < found).astype(float), np.nan)
    plain = known(corrected_values(found, strata, labels))
    assert known(corrected_values(found + 0.4 * strata, strata, labels)) == pytest.approx(plain, abs=1e-12)


def test_a_stratum_without_a_label_is_undefined_and_named():
    found = corrected_values([0.0] * 5, [7, 7, 9, 9, 9], [1.0, 0.0, NAN, NAN, NAN])
    assert isinstance(found, Undefined)
    assert found.reason == "1 of 2 strata without a label: 9 (3 texts)"
    assert isinstance(corrected_values([], [], []), Undefined)
    assert isinstance(unseen_variance([1, 2], [0.0, NAN], [1.0, 1.0]), Undefined)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0.0], [0, 0], [1.0, 1.0]), "1 scores and 2 labels"),
        (([0.0, 0.0], [0], [1.0, 1.0]), "1 strata and 2 labels"),
        (([NAN, 0.0], [0, 0], [1.0, 1.0]), "found has a missing value"),
        (([0.0, 0.0], [0.5, 0.5], [1.0, 1.0]), "whole numbers"),
        (([0.0, 0.0], [0, 0], [1.0, 1.0], [1.0]), "1 weights and 2 labels"),
        (([0.0, 0.0], [0, 0], [1.0, 1.0], [0.0, 1.0]), "positive"),
        (([0.0, 0.0], [0, 0], [1.0, 1.0], [NAN, 1.0]), "positive"),
    ],
)
def test_impossible_columns_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        corrected_values(*columns)


def test_what_labels_may_have_missed_by_hand():
    """10 labels of 40 texts, all 0: (.5 / 11) (10.5 / 11) / 10 * (1 - 10/40), for a share of 1 in all."""
    labels = [0.0] * 10 + [NAN] * 30
    expected = (0.5 / 11) * (10.5 / 11) / 10 * 0.75
    assert unseen_variance([0] * 40, labels, [1 / 40] * 40) == pytest.approx(expected, rel=1e-12)
    # Twice the unit, four times the variance; half of the texts counted, a quarter of it.
    twice = [0.0 if value == 0.0 else NAN for value in labels]
    assert unseen_variance([0] * 40, twice, [1 / 40] * 40, (0.0, 2.0)) == pytest.approx(4 * expected)
    half = [1 / 40] * 20 + [0.0] * 20
    assert unseen_variance([0] * 40, labels, half) == pytest.approx(expected / 4)
    assert unseen_variance([0] * 10, [0.0] * 10, [0.1] * 10) == 0.0
    with pytest.raises(ValueError, match="outside"):
        unseen_variance([0, 0], [2.0, NAN], [0.5, 0.5])


def test_labels_that_show_their_spread_miss_nothing():
    labels = [0.0, 1.0] * 10 + [NAN] * 30
    assert unseen_variance([0] * 50, labels, [1 / 50] * 50) == 0.0
    contrast = Contrast(0.1, 0.03, 19.0, "paired t", 20, 20, 1)
    assert with_unseen(contrast, 0.0) is contrast
    grown = with_unseen(contrast, 0.0016)
    assert isinstance(grown, Contrast)
    assert (grown.se, grown.df, grown.estimate) == (pytest.approx(0.05), 19.0, 0.1)
    assert with_unseen(Undefined("no"), 0.1) == Undefined("no") == with_unseen(contrast, Undefined("no"))
