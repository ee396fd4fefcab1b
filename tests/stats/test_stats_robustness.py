from __future__ import annotations

import numpy as np
import pytest
from null_worlds import crossed_world, defined, nested_world

from audit.stats.contrast import crossed, nested, single
from audit.stats.estimate import Undefined
from audit.stats.robustness import i_squared, leave_one_template_out, paraphrase_sd, sign_share


def test_sign_share():
    assert sign_share([1.0, 2.0, -1.0, np.nan], 0.7) == pytest.approx(2 / 3)
    assert sign_share([1.0, 2.0, -1.0, 0.0], -0.7) == 0.25
    assert isinstance(sign_share([1.0, -1.0], 0.0), Undefined)
    assert isinstance(sign_share([np.nan], 1.0), Undefined)
    with pytest.raises(ValueError, match="estimate"):
        sign_share([1.0], float("nan"))


def test_leave_one_template_out_by_hand():
    effects = np.array([1.0, 2.0, 3.0, 10.0])
    out = leave_one_template_out(range(4), lambda kept: single(effects[kept]), 0.95)
    assert (out.lo, out.hi) == (2.0, 5.0)
    # without 10: 2 +- 4.303 / sqrt(3) includes 0
    assert out.includes_zero
    even = leave_one_template_out(range(4), lambda kept: single(effects[kept] + 100.0), 0.95)
    assert not even.includes_zero
    # pairs of 1, 1.05 and 2: all but the last one left, (1, 1.05), include 0
    pairs = np.array([1.0, 1.05, 2.0])
    assert leave_one_template_out(range(3), lambda kept: single(pairs[kept]), 0.95).includes_zero


def test_leave_one_template_out_finds_the_template_that_carries_the_result():
    group1, group0 = nested_world(np.random.default_rng(3), 0.0, 10, 8, 0.1, 0.1, 0.3)
    group1[:, :] += 0.6
    held = leave_one_template_out(list(range(10)), lambda kept: nested(group1[kept], group0[kept]), 0.95)
    assert held.includes_zero is False
    assert held.lo <= defined(nested(group1, group0)).estimate <= held.hi


def test_leave_one_template_out_says_why_not():
    out = leave_one_template_out(["a", "b"], lambda kept: single([1.0] * len(kept)), 0.95)
    assert (out.lo, out.hi, out.includes_zero) == (None, None, None)
    assert "without template a" in out.reason
    assert leave_one_template_out([], lambda kept: single([]), 0.95).reason


def higgins(effects, variance):
    """statsmodels.stats.meta_analysis.combine_effects(effects, variances).i2, with equal variances."""
    from statsmodels.stats.meta_analysis import combine_effects

    return max(0.0, float(combine_effects(effects, np.full(len(effects), variance)).i2))


@pytest.mark.parametrize("seed", range(5))
def test_i_squared_against_statsmodels(seed):
    cells = crossed_world(np.random.default_rng(seed), 9, 6, 0.5)
    contrast = defined(crossed(cells))
    residual = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    variance = np.sum(residual**2) / (8 * 5) / 6
    assert i_squared(contrast) == pytest.approx(higgins(cells.mean(axis=1), variance), abs=1e-10)
    group1, group0 = nested_world(np.random.default_rng(seed), 0.0, 9, 6, 0.5)
    contrast = defined(nested(group1, group0))
    effects = group1.mean(axis=1) - group0.mean(axis=1)
    assert i_squared(contrast) == pytest.approx(higgins(effects, contrast.components["V_e"] * 9), abs=1e-10)


def test_i_squared_ends():
    same = crossed_world(np.random.default_rng(0), 9, 6, template=0.0)
    same -= same.mean(axis=1, keepdims=True) - np.linspace(0, 1e-3, 9)[:, None]
    assert i_squared(defined(crossed(same))) == 0.0
    lines = np.arange(5.0)[:, None] + np.zeros((5, 4))
    assert i_squared(defined(crossed(lines))) == 1.0
    assert isinstance(i_squared(defined(single([1.0, 2.0]))), Undefined)
    assert isinstance(i_squared(defined(crossed(np.ones((3, 3))))), Undefined)


def test_paraphrase_sd_by_hand():
    # a: 1, 3 (sum of squares 2); b: 0, 3, 6 (18); c and d alone; freedom 1 + 2
    effects = [1.0, 0.0, 3.0, 3.0, 6.0, 9.0, np.nan, 2.0]
    families = ["a", "b", "a", "b", "b", "c", "c", "d"]
    assert paraphrase_sd(effects, families) == pytest.approx((20 / 3) ** 0.5)
    assert paraphrase_sd([1.0, 1.0], ["a", "a"]) == 0.0
    assert isinstance(paraphrase_sd([1.0, 2.0, np.nan], ["a", "b", "a"]), Undefined)
    assert isinstance(paraphrase_sd([], []), Undefined)
    with pytest.raises(ValueError, match="same length"):
        paraphrase_sd([1.0], ["a", "b"])
