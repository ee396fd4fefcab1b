"""The slope of a score on a property of its term, with templates and terms as samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from audit.stats.estimate import Contrast, Undefined
from audit.stats.regression import slope


def world(
    rng: np.random.Generator, beta: float, n_templates: int = 12, n_terms: int = 30
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    x = rng.normal(size=n_terms)
    terms = 0.5 * rng.normal(size=n_terms)
    levels, tilts = rng.normal(size=n_templates), 0.2 * rng.normal(size=n_templates)
    y = beta * x + terms + levels[:, None] + tilts[:, None] * x + rng.normal(size=(n_templates, n_terms))
    row, column = np.indices(y.shape)
    return y.ravel(), np.tile(x, n_templates), row.ravel(), column.ravel()


def found(*data: np.ndarray) -> Contrast:
    got = slope(*data)
    assert isinstance(got, Contrast)
    return got


def test_one_level_for_all_templates_is_the_ordinary_slope() -> None:
    y, x, row, column = world(np.random.default_rng(1), 0.7)
    means = y.reshape(12, 30).mean(axis=0)
    # scipy.stats.linregress(x, mean over templates): the same line, since every term has every template.
    assert found(y, x, row, column).estimate == pytest.approx(linregress(x[:30], means).slope, abs=1e-12)


def test_null_slopes_are_rejected_about_one_time_in_twenty() -> None:
    """400 null worlds: 20 expected, and 2.6 standard errors of the binomial are 11.3; rows as units: more."""
    rng = np.random.default_rng(20)
    ours = naive = 0
    for _ in range(400):
        y, x, row, column = world(rng, 0.0, 8, 20)
        ours += found(y, x, row, column).p_value() < 0.05
        within = y.reshape(8, 20) - y.reshape(8, 20).mean(axis=1, keepdims=True)
        naive += linregress(x, within.ravel()).pvalue < 0.05
    assert 9 <= ours <= 31
    assert naive > 60


def test_a_planted_slope_is_covered() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        lo, hi = found(*world(rng, 0.8, 8, 20)).ci(0.95)
        covered += lo <= 0.8 <= hi
    assert covered >= 181  # 190 expected less 2.9 standard errors


def test_repeated_rows_add_no_certainty() -> None:
    data = world(np.random.default_rng(2), 0.3)
    one, two = found(*data), found(*(np.tile(column, 3) for column in data))
    assert two.se == pytest.approx(one.se, rel=1e-9)
    assert two.estimate == pytest.approx(one.estimate, abs=1e-12)


def test_order_changes_nothing_and_the_sign_follows_the_score() -> None:
    data = world(np.random.default_rng(3), 0.3)
    order = np.random.default_rng(5).permutation(data[0].size)
    one, shuffled = found(*data), found(*(column[order] for column in data))
    turned = found(-data[0], *data[1:])
    assert shuffled.estimate == pytest.approx(one.estimate, abs=1e-12)
    assert shuffled.se == pytest.approx(one.se, rel=1e-9)
    assert (turned.estimate, turned.se) == (-one.estimate, one.se)


def test_levels_of_templates_do_not_matter_even_with_missing_cells() -> None:
    y, x, row, column = world(np.random.default_rng(6), 0.5)
    y[[3, 50, 200]] = np.nan
    shifted = y + 10.0 * row
    assert found(shifted, x, row, column).estimate == pytest.approx(found(y, x, row, column).estimate)
    assert found(y, x, row, column).n_obs == y.size - 3


def test_no_change_is_exactly_zero_and_a_straight_line_has_no_error() -> None:
    _, x, row, column = world(np.random.default_rng(7), 0.0)
    flat, straight = found(np.full(x.size, -7.0), x, row, column), found(2.0 * x + row, x, row, column)
    assert (flat.estimate, flat.se, flat.p_value()) == (0.0, 0.0, 1.0)
    assert straight.estimate == pytest.approx(2.0)
    assert straight.se == 0.0


@pytest.mark.parametrize(("n_templates", "n_terms"), [(1, 9), (5, 3)])
def test_too_few_templates_or_terms_give_a_reason(n_templates: int, n_terms: int) -> None:
    got = slope(*world(np.random.default_rng(8), 1.0, n_templates, n_terms))
    assert isinstance(got, Undefined) and f"{n_terms} term(s)" in got.reason


def test_a_property_without_differences_gives_a_reason() -> None:
    y, x, row, column = world(np.random.default_rng(9), 1.0)
    got = slope(y, np.ones_like(x), row, column)
    assert isinstance(got, Undefined) and "does not differ" in got.reason
    assert isinstance(slope(np.full(y.size, np.nan), x, row, column), Undefined)


def test_a_term_without_its_property_is_refused() -> None:
    with pytest.raises(ValueError, match="no property"):
        slope([1.0, 2.0], [1.0, float("nan")], ["a", "b"], ["x", "y"])
