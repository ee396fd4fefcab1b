from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from audit.stats.contrast import Contrast, crossed, nested, single
from audit.stats.estimate import Undefined
from audit.stats.max_t import JointTable, MaxT, max_t
from audit.stats.multiplicity import holm
from audit.stats.resampling import sign_flips
from tests.stats.null_draws import flip_null, wild_null


def rng(seed=1):
    return np.random.default_rng(seed)


def defined(result):
    assert isinstance(result, Contrast), result
    return result


# The adjustment


def slow_max_t(t, null):
    """The formula of MEASURES 7.5, one hypothesis and one draw at a time."""
    order = sorted(range(len(t)), key=lambda i: -abs(t[i]))
    adjusted, so_far = [None] * len(t), 0.0
    for place, i in enumerate(order):
        hits = sum(max(abs(draw[k]) for k in order[place:]) >= abs(t[i]) - 1e-12 for draw in null)
        so_far = max(so_far, (1 + hits) / (len(null) + 1))
        adjusted[i] = so_far
    return tuple(adjusted)


def slow_t(values):
    n = len(values)
    mean = sum(values) / n
    return mean / (sum((x - mean) ** 2 for x in values) / (n - 1) / n) ** 0.5


@pytest.mark.parametrize("seed", range(5))
def test_three_hypotheses_over_all_sign_patterns_against_brute_force(seed):
    effects = rng(seed).standard_normal((3, 7)) + np.array([[1.5], [0.5], [0.0]])
    effects[1] += 0.8 * effects[0]
    t = [slow_t(row) for row in effects.tolist()]
    patterns = list(itertools.product([1, -1], repeat=7))
    every = [[slow_t([s * x for s, x in zip(p, row, strict=True)]) for row in effects] for p in patterns]
    # all 128 patterns, the data themselves among them: (1 + hits of the other 127) / 128
    expected = slow_max_t(t, every[1:])
    null = flip_null(effects, rng())
    assert null.shape == (63, 3)  # a common sign changes no |t|
    assert max_t(t, null).p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("m", [1, 2, 6])
def test_any_draws_against_the_slow_formula(m):
    random = rng(m)
    null = np.round(random.standard_normal((57, m)), 1)  # with ties
    for t in np.round(2 * random.standard_normal((10, m)), 1):
        assert max_t(t, null).p == pytest.approx(slow_max_t(t.tolist(), null.tolist()), abs=1e-12)


def test_the_order_of_hypotheses_changes_nothing():
    random = rng(3)
    t, null = 2 * random.standard_normal(8), random.standard_normal((199, 8))
    order = random.permutation(8)
    assert max_t(t[order], null[:, order]).p == tuple(max_t(t, null).p[i] for i in order)


def test_one_hypothesis_is_its_own_sign_flip_test():
    effects = rng(4).standard_normal((1, 9)) + 0.4
    t = defined(single(effects[0])).t
    # |t| grows with |sum|, so that flips rank both alike
    assert max_t([t], flip_null(effects, rng())).p[0] == sign_flips(effects, rng()).p[0]


def test_a_hypothesis_that_cannot_be_tested_counts_and_stays_out_of_the_maxima():
    random = rng(5)
    t, null = np.array([2.5, 1.0, 0.2]), random.standard_normal((999, 3))
    more = max_t([2.5, np.nan, 1.0, 0.2], np.insert(null, 1, 1e9, axis=1))
    alone = max_t(t, null)
    assert more.p == (alone.p[0], None, *alone.p[1:])
    assert (more.m, more.n_not_computable) == (4, 1)
    assert more.critical(0.05) == alone.critical(0.05)
    nothing = max_t([np.nan], np.zeros((9, 1)))
    assert nothing.p == (None,) and isinstance(nothing.critical(0.05), Undefined)
    assert max_t([], np.empty((9, 0))).p == ()


def test_infinite_statistics_are_compared_as_such():
    assert max_t([np.inf], [[np.inf], [1.0], [-np.inf]]).p == (0.75,)
    assert max_t([3.0], [[np.inf], [1.0], [2.0]]).p == (0.5,)
    assert isinstance(max_t([1.0], [[np.inf]] * 9).critical(0.2), Undefined)


def test_the_critical_value_bounds_the_single_step_p_value():
    random = rng(6)
    null = random.standard_normal((199, 5))
    maxima = np.abs(null).max(axis=1)
    critical = max_t(np.zeros(5), null).critical(0.05)
    # 10 of 199 maxima reach it: an observed maximum equal to it has p = 11 / 200, any larger one at most .05
    assert np.count_nonzero(maxima >= critical) == 10
    assert max_t([critical * 1.001, 0, 0, 0, 0], null).p[0] <= 0.05
    assert max_t([critical, 0, 0, 0, 0], null).p[0] > 0.05
    assert isinstance(max_t(np.zeros(5), null).critical(0.004), Undefined)
    with pytest.raises(ValueError, match="alpha"):
        max_t(np.zeros(5), null).critical(5)


def test_no_adjusted_p_value_falls_below_its_floor():
    null = np.zeros((99, 2))
    assert max_t([3.0, 2.0], null).p == (0.01, 0.01)
    assert max_t([3.0, 2.0], null, floor=[0.2, None]).p == (0.2, 0.01)


def test_wrong_arguments_are_refused():
    for t, null, message in (
        ([1.0], [[1.0, 2.0]], "shapes"),
        ([1.0], np.empty((0, 1)), "no draw"),
        ([1.0], [[np.nan]], "missing"),
    ):
        with pytest.raises(ValueError, match=message):
            max_t(t, null)
    with pytest.raises(ValueError, match="floor"):
        max_t([1.0], [[1.0]], floor=[1.5])
    with pytest.raises(ValueError, match="floor"):
        max_t([1.0], [[1.0]], floor=[])
    with pytest.raises(ValueError, match="resamples"):
        flip_null([[1.0, 2.0]], rng(), resamples=0)
    with pytest.raises(ValueError, match="resamples"):
        wild_null([], rng(), resamples=0)
    assert isinstance(max_t([1.0], [[1.0]]), MaxT)


# Flips of one factor


def test_flipped_statistics_are_those_of_single():
    effects = rng(7).standard_normal((3, 5))
    effects[1, 2] = np.nan
    null = flip_null(effects, rng())
    patterns = list(itertools.product([1.0, -1.0], repeat=4))[1:]
    assert len(null) == len(patterns) == 15
    for draw, pattern in zip(null, patterns, strict=True):
        signs = np.array([1.0, *pattern])
        for value, row in zip(draw, effects, strict=True):
            assert value == pytest.approx(defined(single(signs * row)).t, rel=1e-9)


def test_many_clusters_are_drawn():
    effects = rng(8).standard_normal((2, 30))
    null = flip_null(effects, rng(1), resamples=500)
    assert null.shape == (500, 2)
    assert (flip_null(effects, rng(1), resamples=500) == null).all()
    assert (flip_null(np.stack([effects[0], -effects[0]]), rng(1), resamples=9).sum(axis=1) == 0).all()


def test_clusters_that_agree_are_never_taken_for_proof():
    null = flip_null(np.full((1, 3), 2.0), rng())
    assert np.isinf(null).sum() == 0  # three patterns differ from the data, and each of them has spread
    assert max_t([np.inf], null).p == (0.25,)
    assert np.isnan(flip_null([[1.0, np.nan, np.nan]], rng())).all()
    assert (flip_null(np.zeros((1, 4)), rng()) == 0.0).all()


# Signs of two factors


def slow_draw(y1, y0, shares, signs):
    """y* of one draw as whole tables, then the contrast by its own function."""
    s, u1, u0 = signs
    estimate = y1.mean() - (0.0 if y0 is None else y0.mean())
    to_a, to_b = shares[0] * estimate, shares[1] * estimate
    tables = []
    n1, n0 = y1.shape[1], 0 if y0 is None else y0.shape[1]
    for y, u, half, part in ((y1, u1, 0.5, n0), (y0, u0, -0.5, -n1)):
        if y is None:
            continue
        a, b = y.mean(axis=1) - y.mean(), y.mean(axis=0) - y.mean()
        e = y - y.mean() - a[:, None] - b[None, :]
        a = a + to_a * (1.0 if y0 is None else half)
        b = b + to_b * (1.0 if y0 is None else part / (n1 + n0))
        tables.append(s[:, None] * a[:, None] + u[None, :] * b[None, :] + np.outer(s, u) * e)
    if y0 is not None:
        return defined(nested(*tables)).t
    return defined(crossed(tables[0]) if y1.shape[1] > 1 else single(tables[0][:, 0])).t


def own_shares(y1, y0):
    """Shares of templates and terms in the variance, from the components of the contrast alone."""
    t = len(y1)
    if y0 is None:
        v_t = y1.mean(axis=1).var(ddof=1) / t
        v_n = y1.mean(axis=0).var(ddof=1) / y1.shape[1] if y1.shape[1] > 1 else 0.0
    else:
        n1, n0 = y1.shape[1], y0.shape[1]
        v_t = (y1.mean(axis=1) - y0.mean(axis=1)).var(ddof=1) / t
        pooled = (n1 - 1) * y1.mean(axis=0).var(ddof=1) + (n0 - 1) * y0.mean(axis=0).var(ddof=1)
        v_n = pooled / (n1 + n0 - 2) * (1 / n1 + 1 / n0)
    return v_t / (v_t + v_n), v_n / (v_t + v_n)


@pytest.mark.parametrize(
    ("t", "n1", "n0"), [(6, 5, 4), (9, 3, 12), (3, 2, 2), (7, 6, 0), (4, 2, 0), (8, 1, 0)]
)
def test_drawn_statistics_are_those_of_the_contrasts_on_whole_tables(t, n1, n0):
    random = rng(t * n1)
    y1 = random.standard_normal((t, n1)) + 0.5 + random.standard_normal((t, 1))
    y0 = random.standard_normal((t, n0)) if n0 else None
    rows, columns = random.permutation(t), random.permutation(n1 + n0)
    table = JointTable(y1, y0, rows, columns[:n1], columns[n1:] if n0 else None)
    null = wild_null([table], rng(2), resamples=40)
    again = rng(2)  # the same signs: one row of them for each draw, templates first
    s = 2.0 * again.integers(0, 2, (40, t), dtype=np.int8) - 1
    u = 2.0 * again.integers(0, 2, (40, n1 + n0), dtype=np.int8) - 1
    for draw in range(40):
        signs = s[draw][rows], u[draw][columns[:n1]], u[draw][columns[n1:]]
        expected = slow_draw(y1, y0, own_shares(y1, y0), signs)
        assert null[draw, 0] == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_all_signs_positive_give_the_data_back():
    class Heads:
        def integers(self, low, high, size, dtype):
            return np.ones(size, dtype=dtype)

    random = rng(9)
    one, zero = random.standard_normal((2, 6, 5)) + 1.0
    codes = np.arange(6), np.arange(5)
    tables = [JointTable(one, zero, *codes, 5 + np.arange(5)), JointTable(one, None, *codes)]
    null = wild_null(tables, Heads(), resamples=1)
    assert null[0, 0] == pytest.approx(defined(nested(one, zero)).t, rel=1e-10)
    assert null[0, 1] == pytest.approx(defined(crossed(one)).t, rel=1e-10)


def test_equal_codes_carry_equal_signs():
    y = rng(10).standard_normal((5, 4))
    rows, columns = np.arange(5), np.arange(4)
    order, turn = np.array([3, 1, 4, 0, 2]), np.array([2, 0, 3, 1])
    same = JointTable(y[order][:, turn], None, order, turn)
    other = JointTable(y, None, rows + 5, columns + 4)
    null = wild_null([JointTable(y, None, rows, columns), same, other], rng(), resamples=200)
    assert null[:, 1] == pytest.approx(null[:, 0], abs=1e-9)
    assert abs(np.corrcoef(null[:, 0], null[:, 2])[0, 1]) < 0.4  # 5.6 sd of 200 independent pairs


def test_one_factor_is_flipped_exactly():
    values = rng(11).standard_normal((7, 1)) + 0.5
    null = wild_null([JointTable(values, None, np.arange(7), np.arange(1))], rng(), resamples=3000)
    exact = np.unique(np.round(np.abs(flip_null(values.T, rng())), 9))
    assert set(np.round(np.abs(null[:, 0]), 9)) <= {*exact, round(abs(defined(single(values[:, 0])).t), 9)}


def test_chunks_and_gaps_in_the_family_change_nothing_else():
    y = rng(12).standard_normal((4, 600))
    table = JointTable(y, None, np.arange(4), np.arange(600))
    null = wild_null([None, table, table], rng(), resamples=4000)  # three chunks of 1747
    assert np.isnan(null[:, 0]).all()
    assert (null[:, 1] == null[:, 2]).all()
    assert np.isfinite(null[:, 1]).all()
    # centred, and as wide at the end as at the start: sd of a mean of 2000 draws is .02 of their spread
    assert abs(null[:, 1].mean()) < 5 * null[:, 1].std() / np.sqrt(4000)
    assert null[:2000, 1].std() == pytest.approx(null[2000:, 1].std(), rel=0.15)


def test_tables_without_spread_are_never_taken_for_proof():
    table = JointTable(np.full((3, 4), 2.0), None, np.arange(3), np.arange(4))
    null = wild_null([table], rng(), resamples=4000)
    # all three templates agree in sign in a quarter of the draws; 4 sd of 4000: .027
    assert max_t([np.inf], null).p[0] == pytest.approx(0.25, abs=0.027)
    nothing = JointTable(np.zeros((3, 4)), None, np.arange(3), np.arange(4))
    assert (wild_null([nothing], rng(), resamples=9) == 0.0).all()


def test_tables_that_cannot_be_drawn_are_refused():
    y, rows, columns = np.ones((3, 4)), np.arange(3), np.arange(4)
    gap = y.copy()
    gap[0, 0] = np.nan
    for arguments, message in (
        ((gap, None, rows, columns), "missing"),
        ((y, None, rows[:2], columns), "row code"),
        ((y, None, np.zeros(3, dtype=int), columns), "twice"),
        ((y, None, rows, columns - 1), "negative"),
        ((y[:1], None, rows[:1], columns), "no two-way contrast"),
        ((y, y[:, :1], rows, columns, np.array([9])), "no two-way contrast"),
        ((y, y, rows, columns), "together"),
        ((y, y[:2], rows, columns, columns), "row code"),
    ):
        with pytest.raises(ValueError, match=message):
            JointTable(*arguments)


def test_memory_stays_bounded():
    y = rng(13).standard_normal((27, 480))
    codes = np.arange(27), np.arange(8), np.arange(8, 480)
    tables = [JointTable(y[:, :8], y[:, 8:], *codes)] * 3
    tracemalloc.start()
    null = wild_null(tables, rng())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert null.shape == (9999, 3)
    # all draws of y* at once would be 27 x 480 x 9999 doubles, 1 GB; all column means 38 MB an array
    assert peak < 150e6


# Honesty of whole families


def crossed_family(random, design, sds, reference, effects=()):
    """Tables and contrasts of 30 groups over T templates and K levels, each against one group or the rest."""
    (t, k), (template, level, residual), m = design, sds, 30
    y = template * random.standard_normal((m + 1, t, 1)) + level * random.standard_normal((m + 1, 1, k))
    y = y + residual * random.standard_normal((m + 1, t, k))
    y[: len(effects)] += np.reshape(effects, (-1, 1, 1))
    rest = (y[m] if reference == "group" else (y.sum(axis=0) - y[g]) / m for g in range(m))
    differences = [y[g] - other for g, other in enumerate(rest)]
    return [(JointTable(d, None, np.arange(t), np.arange(k)), defined(crossed(d))) for d in differences]


def nested_family(random, design, sds, reference, effects=()):
    """The same for groups that have k terms of their own."""
    (t, k), (template, term, residual), m = design, sds, 30
    y = template * random.standard_normal((m + 1, t, 1)) + term * random.standard_normal((m + 1, 1, k))
    y = y + residual * random.standard_normal((m + 1, t, k))
    codes = np.arange((m + 1) * k).reshape(m + 1, k)
    family = []
    for g in range(m):
        others = [m] if reference == "group" else [h for h in range(m + 1) if h != g]
        rest, rest_codes = np.concatenate([y[h] for h in others], axis=1), codes[others].ravel()
        family.append(
            (JointTable(y[g], rest, np.arange(t), codes[g], rest_codes), defined(nested(y[g], rest)))
        )
    return family


def adjusted(random, family, resamples=299):
    null = wild_null([table for table, _ in family], random, resamples=resamples)
    return np.array(max_t([contrast.t for _, contrast in family], null).p)


PLAIN, TEMPLATES, TERMS = (0.3, 0.3, 1.0), (1.0, 0.1, 0.3), (0.3, 1.0, 0.3)


@pytest.mark.parametrize(
    ("make", "design", "sds", "reference", "families"),
    [
        (crossed_family, (20, 20), PLAIN, "group", 200),
        (crossed_family, (20, 20), PLAIN, "rest", 200),
        (crossed_family, (9, 12), PLAIN, "group", 200),
        (crossed_family, (9, 12), PLAIN, "rest", 200),
        (crossed_family, (9, 12), TEMPLATES, "rest", 200),
        (crossed_family, (9, 3), PLAIN, "rest", 200),
        (crossed_family, (20, 3), TERMS, "group", 200),
        (nested_family, (9, 8), PLAIN, "group", 80),
        (nested_family, (9, 8), TERMS, "rest", 80),
        (nested_family, (9, 3), PLAIN, "rest", 80),
    ],
)
def test_families_of_thirty_give_few_false_claims(make, design, sds, reference, families):
    random = rng(sum(design) + families)
    claims = [adjusted(random, make(random, design, sds, reference)).min() <= 0.05 for _ in range(families)]
    # MEASURES 11 test 1: at most .07; beside it 2 binomial sd at .07, .036 for 200 and .057 for 80
    assert np.mean(claims) <= 0.07 + 2 * np.sqrt(0.07 * 0.93 / families)


@pytest.mark.parametrize(("design", "effect"), [((20, 20), 0.6), ((9, 12), 1.0)])
def test_correlated_families_lose_less_than_by_holm(design, effect):
    random = rng(21)
    joint, separate = [], []
    for _ in range(60):
        family = crossed_family(random, design, PLAIN, "group", [effect] * 10)
        joint.append(np.mean(adjusted(random, family)[:10] <= 0.05))
        separate.append(np.mean(np.array(holm([c.p_value() for _, c in family]).p)[:10] <= 0.05))
    gain = np.array(joint) - np.array(separate)
    # paired, family by family: above 0 by 3 standard errors
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(60)
