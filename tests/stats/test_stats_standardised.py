from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi, nct, norm

from audit.stats.estimate import Undefined
from audit.stats.intervals import hedges_g, hedges_j
from audit.stats.standardised import hedges_g_interval, paired_d, paired_d_average, pooled_set_d

X, Y = [0.9, 0.7, 0.8, 0.6, 1.4], [0.1, 0.2, 0.5, 0.3, 0.7]


def shifted(d, n):
    """Pairs whose d_z is d."""
    z = np.random.default_rng(n).standard_normal(n)
    z = (z - z.mean()) / z.std(ddof=1)
    return z + d, np.zeros(n)


def noncentral(t, df, noncentrality):
    """P(T <= t): adaptive integration over the standard deviation."""
    scale = 1 / math.sqrt(df)
    centre, width = 1.0, 9 * scale

    def integrand(s):
        return norm.cdf(t * s - noncentrality) * chi.pdf(s, df, scale=scale)

    turn = noncentrality / t if t else centre
    points = [p for p in (centre, turn) if 0 < p < centre + width]
    return quad(integrand, max(0, centre - width), centre + width, points=points, limit=500, epsabs=1e-13)[0]


@pytest.mark.parametrize("n", [2, 3, 8, 40, 300])
@pytest.mark.parametrize("d", [0.0, 0.1, 0.9, -2.0, 30.0])
def test_the_bounds_put_t_at_the_tails_of_the_noncentral_distribution(n, d):
    interval = paired_d(*shifted(d, n), 0.9, corrected=False)
    t = interval.estimate * math.sqrt(n)
    assert interval.estimate == pytest.approx(d, abs=1e-9)
    for bound, tail in ((interval.lo, 0.95), (interval.hi, 0.05)):
        if t >= 0:
            assert noncentral(t, n - 1, bound * math.sqrt(n)) == pytest.approx(tail, abs=1e-8)
        else:
            assert 1 - noncentral(-t, n - 1, -bound * math.sqrt(n)) == pytest.approx(tail, abs=1e-8)
        # scipy.stats.nct.cdf(t, n - 1, noncentrality), where it is reliable
        if abs(d) < 3:
            assert nct.cdf(t, n - 1, bound * math.sqrt(n)) == pytest.approx(tail, abs=1e-7)


@pytest.mark.parametrize("d", [1e3, 1e7])
def test_differences_with_hardly_any_spread_still_have_an_interval(d):
    # scipy.stats.nct is NaN here; the noise of the mean no longer counts, and d sqrt(chi2 / df) remains
    interval = paired_d(*shifted(d, 20), corrected=False)
    tails = chi.ppf([0.025, 0.975], 19, scale=1 / math.sqrt(19))
    assert (interval.lo, interval.hi) == pytest.approx(interval.estimate * tails, rel=1e-5)


def test_the_correction_moves_the_point_and_not_the_interval():
    plain, corrected = paired_d(X, Y, corrected=False), paired_d(X, Y)
    assert corrected.estimate == pytest.approx(hedges_j(4) * plain.estimate)
    assert (corrected.lo, corrected.hi) == (plain.lo, plain.hi)
    assert corrected.lo < corrected.estimate < corrected.hi
    assert plain.estimate == pytest.approx(np.mean(np.subtract(X, Y)) / np.std(np.subtract(X, Y), ddof=1))


@pytest.mark.parametrize("function", [paired_d, paired_d_average, hedges_g_interval])
def test_swapping_flips_the_sign_and_units_do_not_matter(function):
    interval, swapped = function(X, Y), function(Y, X)
    assert (swapped.estimate, swapped.lo, swapped.hi) == (-interval.estimate, -interval.hi, -interval.lo)
    scaled = function(100 * np.array(X) + 7, 100 * np.array(Y) + 7)
    assert (scaled.estimate, scaled.lo, scaled.hi) == pytest.approx(
        (interval.estimate, interval.lo, interval.hi)
    )


def test_g_has_the_interval_of_its_t():
    interval = hedges_g_interval(X, Y, 0.9)
    assert interval.estimate == hedges_g(X, Y)
    root = math.sqrt(25 / 10)
    t = interval.estimate / hedges_j(8) * root
    assert nct.cdf(t, 8, [interval.lo * root, interval.hi * root]) == pytest.approx([0.95, 0.05], abs=1e-8)
    assert interval.n == 10


def test_d_av_has_bonetts_interval_where_the_standard_deviations_agree():
    random = np.random.default_rng(4)
    x, y = random.standard_normal((2, 25)) + 0.8 * random.standard_normal(25)
    x, y = x / x.std(ddof=1) * 3 + 1, y / y.std(ddof=1) * 3
    interval = paired_d_average(x, y)
    # Bonett (2008): d +- z sqrt(d^2 (s1^4 + s2^4 + 2 r^2 s1^2 s2^2) / (8 df s^4) + s_d^2 / (df s^2))
    d, r, df = np.mean(x - y) / 3, np.corrcoef(x, y)[0, 1], 24
    se = math.sqrt(d**2 * (2 + 2 * r**2) / (8 * df) + (2 - 2 * r) / df)
    expected = (d, d - norm.ppf(0.975) * se, d + norm.ppf(0.975) * se)
    assert (interval.estimate, interval.lo, interval.hi) == pytest.approx(expected, rel=1e-12)
    assert paired_d_average(2 * x, y).estimate == pytest.approx(np.mean(2 * x - y) / 4.5)


def test_coverage():
    random = np.random.default_rng(11)
    runs, level = 1500, 0.95
    noise = 4 * math.sqrt(level * (1 - level) / runs)  # 4 binomial sd: .0225
    for mu, n in ((0.0, 6), (1.0, 6), (1.0, 30)):
        covered = dict.fromkeys(("z", "av", "g"), 0)
        common = math.sqrt(0.6) * random.standard_normal((runs, 1, n))
        scores = common + math.sqrt(0.4) * random.standard_normal((runs, 2, n))
        others = random.standard_normal((runs, n))
        for (x, y), other in zip(scores, others, strict=True):
            z, av, g = paired_d(x + mu, y), paired_d_average(x + mu, y), hedges_g_interval(x + mu, other)
            covered["z"] += z.lo <= mu / math.sqrt(0.8) <= z.hi
            covered["av"] += av.lo <= mu <= av.hi
            covered["g"] += g.lo <= mu <= g.hi
        # exact for normal scores
        assert covered["z"] / runs == pytest.approx(level, abs=noise)
        assert covered["g"] / runs == pytest.approx(level, abs=noise)
        # large-sample: .01 more for n = 6
        assert covered["av"] / runs == pytest.approx(level, abs=noise + 0.01)


def test_the_effect_size_of_weat_is_bounded_and_is_not_cohens_d():
    far = pooled_set_d([1e6] * 4, [0.0] * 4)
    assert far == pytest.approx(2 * math.sqrt(7 / 8))
    assert isinstance(hedges_g([1e6] * 4, [0.0] * 4), Undefined)
    assert pooled_set_d(X, Y) == pytest.approx((np.mean(X) - np.mean(Y)) / np.std(X + Y, ddof=1))
    assert pooled_set_d(Y, X) == -pooled_set_d(X, Y)
    assert pooled_set_d(X, Y) < hedges_g(X, Y)


@pytest.mark.parametrize(
    "result",
    [
        paired_d([], []),
        paired_d([1.0], [2.0]),
        paired_d([1.0, 2.0], [2.0, 5.0]),  # J needs two degrees of freedom
        paired_d([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]),
        paired_d([0.3, 0.2, 0.8], [0.2, 0.1, 0.7]),  # differences of .1, but for rounding
        paired_d_average([1.0, 2.0], [2.0, 5.0]),
        paired_d_average([1.0, 1.0, 1.0], [2.0, 5.0, 4.0]),
        paired_d_average([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]),
        hedges_g_interval([1.0], [1.0, 2.0]),
        hedges_g_interval([1.0, 1.0], [2.0, 2.0]),
        pooled_set_d([], [1.0]),
        pooled_set_d([1.0, 1.0], [1.0]),
        pooled_set_d([0.1 + 0.2], [0.3]),
    ],
)
def test_undefined(result):
    assert isinstance(result, Undefined)
    assert result.reason


def test_two_pairs_suffice_without_correction():
    interval = paired_d([1.0, 2.0], [2.0, 5.0], corrected=False)
    assert interval.estimate == pytest.approx(-math.sqrt(2))
    assert interval.lo < interval.estimate < interval.hi


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_d([1.0], [1.0, 2.0]), "paired"),
        (lambda: paired_d([1.0, np.nan], [1.0, 2.0]), "missing"),
        (lambda: paired_d_average([1.0, np.inf], [1.0, 2.0]), "infinite"),
        (lambda: paired_d(X, Y, 95), "level"),
        (lambda: paired_d_average(X, Y, 0.0), "level"),
        (lambda: hedges_g_interval(X, Y, 1.0), "level"),
        (lambda: hedges_g_interval(X, Y, 1.0 - 1e-16), "too near 1"),
        (lambda: pooled_set_d([np.nan], [1.0]), "missing"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
