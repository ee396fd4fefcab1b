"""What must hold of every estimator, whatever the scores: order, signs, shifts, scales, repeats, few data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats.combination import combination
from audit.stats.contrast import Contrast, Undefined, cell_means, crossed, nested, sandwich, single
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.sandwich import mean_sandwich
from audit.stats.signflip import sign_flip

Tables = list[np.ndarray]
Result = Contrast | Undefined
KINDS = ("normal", "ties", "large", "template", "constant")
bounded = settings(max_examples=25, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(2, 7), st.integers(2, 6))
kinds = st.sampled_from(KINDS)
shares = st.sampled_from([0.0, 0.0, 0.15, 0.4])


def long(tables: Tables, *, small_sample: bool) -> Result:
    """Two groups as a long table."""
    where = [np.argwhere(~np.isnan(table)) for table in tables]
    y = np.concatenate([table[~np.isnan(table)] for table in tables])
    treated = np.repeat([1, 0], [len(found) for found in where])
    template = np.concatenate([found[:, 0] for found in where])
    term = np.concatenate([found[:, 1] + 100 * place for place, found in enumerate(where)])
    return sandwich(y, treated, template, term, small_sample=small_sample)


def averages(n_groups: int) -> list[float]:
    return [float(place == 0) - 1 / n_groups for place in range(n_groups)]


def exchanged(tables: Tables) -> Tables:
    return tables[::-1]


def negated(tables: Tables) -> Tables:
    return [-table for table in tables]


@dataclass(frozen=True)
class Estimator:
    """A contrast of some tables, templates x terms.

    ``swap`` gives the tables with the groups exchanged; ``shifts`` says whether a constant in all scores
    cancels (it does not in what is a difference already).
    """

    of: Callable[[Tables], Result]
    groups: int
    swap: Callable[[Tables], Tables]
    shifts: bool = True
    columns: bool = True


ESTIMATORS = {
    "nested": Estimator(lambda t: nested(t[0], t[1]), 2, exchanged),
    "crossed": Estimator(lambda t: crossed(t[0]), 1, negated, shifts=False),
    "single": Estimator(lambda t: single(t[0][:, 0]), 1, negated, shifts=False, columns=False),
    "sandwich": Estimator(lambda t: long(t, small_sample=False), 2, exchanged),
    "sandwich, corrected": Estimator(lambda t: long(t, small_sample=True), 2, exchanged),
    "mean_sandwich": Estimator(lambda t: mean_sandwich(t[0]), 1, negated, shifts=False),
    # the cells of an interaction are exchanged by turning their order: 1, -1, 1, -1 becomes -1, 1, -1, 1
    "interaction": Estimator(lambda t: combination(t, [1, -1, 1, -1]), 4, exchanged),
    "average of all": Estimator(lambda t: combination(t, averages(3)), 3, negated),
}
every = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys())


def scores(
    seed: int, groups: int, shape: tuple[int, int], kind: str, share: float
) -> tuple[Tables, np.random.Generator]:
    """Tables of one number of templates, the groups with different numbers of terms."""
    random = np.random.default_rng(seed)
    tables = []
    by_template = random.standard_normal((shape[0], 1)) / 3.0
    for place in range(groups):
        size = (shape[0], shape[1] + place)
        table = {
            "normal": lambda size=size: random.standard_normal(size),
            "ties": lambda size=size: random.integers(0, 2, size).astype(float),
            "large": lambda size=size: 1e6 + 1e4 * random.standard_normal(size),
            "template": lambda size=size: np.repeat(by_template, size[1], axis=1),
            "constant": lambda size=size: np.full(size, 0.1),
        }[kind]()
        tables.append(np.where(random.random(size) < share, np.nan, table))
    return tables, random


def same(one: Result, other: Result, factor: float = 1.0) -> None:
    """Both undefined, or one is the other times ``factor``."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, Undefined) or isinstance(other, Undefined):
        return
    size = max(abs(other.estimate), other.se, 1e-9) * abs(factor)
    assert one.estimate == pytest.approx(factor * other.estimate, rel=1e-7, abs=1e-7 * size)
    assert one.se == pytest.approx(abs(factor) * other.se, rel=1e-6, abs=1e-9 * abs(factor))
    if not other.degenerate:  # without spread nothing rests on the degrees of freedom but rounding
        assert one.df == pytest.approx(other.df, rel=1e-5)
    assert one.p_value() == pytest.approx(other.p_value(), rel=1e-5, abs=1e-12)
    assert (one.n_obs, one.n_templates, one.n_terms) == (other.n_obs, other.n_templates, other.n_terms)


# Contrasts


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares)
def test_the_order_of_templates_is_irrelevant(estimator, seed, shape, kind, share):
    tables, random = scores(seed, estimator.groups, shape, kind, share)
    order = random.permutation(shape[0])
    same(estimator.of([table[order] for table in tables]), estimator.of(tables))


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares)
def test_the_order_of_terms_is_irrelevant(estimator, seed, shape, kind, share):
    tables, random = scores(seed, estimator.groups, shape, kind, share)
    if not estimator.columns:
        return  # one column only
    turned = [table[:, random.permutation(table.shape[1])] for table in tables]
    same(estimator.of(turned), estimator.of(tables))


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares)
def test_exchanging_the_groups_flips_the_sign_exactly(estimator, seed, shape, kind, share):
    tables, _ = scores(seed, estimator.groups, shape, kind, share)
    found, swapped = estimator.of(tables), estimator.of(estimator.swap(tables))
    same(swapped, found, -1.0)
    if isinstance(found, Contrast) and isinstance(swapped, Contrast) and estimator.groups <= 2:
        assert swapped.estimate == -found.estimate


@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares)
def test_negative_coefficients_flip_the_sign_exactly(seed, shape, kind, share):
    for groups, coefficients in ((4, [1.0, -1.0, -1.0, 1.0]), (3, averages(3))):
        tables, _ = scores(seed, groups, shape, kind, share)
        found = combination(tables, coefficients)
        swapped = combination(tables, [-coefficient for coefficient in coefficients])
        same(swapped, found, -1.0)
        if isinstance(found, Contrast) and isinstance(swapped, Contrast):
            assert swapped.estimate == -found.estimate


@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares, order=st.permutations(range(4)))
def test_the_names_of_groups_are_irrelevant(seed, shape, kind, share, order):
    tables, _ = scores(seed, 4, shape, kind, share)
    coefficients = [0.5, -1.0, 0.75, -0.25]
    turned = combination([tables[place] for place in order], [coefficients[place] for place in order])
    same(turned, combination(tables, coefficients))


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares, constant=st.floats(-50, 50))
def test_a_constant_added_to_all_scores_changes_nothing(estimator, seed, shape, kind, share, constant):
    tables, _ = scores(seed, estimator.groups, shape, kind, share)
    if estimator.shifts:
        same(estimator.of([table + constant for table in tables]), estimator.of(tables))


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares, factor=st.floats(0.01, 1000))
def test_estimate_and_error_follow_the_scale(estimator, seed, shape, kind, share, factor):
    tables, _ = scores(seed, estimator.groups, shape, kind, share)
    found = estimator.of(tables)
    same(estimator.of([factor * table for table in tables]), found, factor)
    same(estimator.of([-factor * table for table in tables]), found, -factor)


@every
@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares, times=st.integers(2, 5))
def test_repeating_every_answer_does_not_shrink_the_interval(estimator, seed, shape, kind, share, times):
    tables, random = scores(seed, estimator.groups, shape, kind, share)
    repeated = []
    for table in tables:
        row, column = (np.tile(index.ravel(), times) for index in np.indices(table.shape))
        order = random.permutation(row.size)
        repeated.append(
            cell_means(
                np.tile(table.ravel(), times)[order],
                row[order],
                column[order],
                templates=range(table.shape[0]),
                terms=range(table.shape[1]),
            )
        )
    same(estimator.of(repeated), estimator.of(tables))


@bounded
@given(seed=seeds, shape=shapes, kind=kinds, share=shares, times=st.integers(2, 4))
def test_repeating_every_row_of_a_long_table_changes_nothing_but_the_count(seed, shape, kind, share, times):
    (one, zero), _ = scores(seed, 2, shape, kind, share)
    found = [np.argwhere(~np.isnan(table)) for table in (one, zero)]
    y = np.concatenate([one[~np.isnan(one)], zero[~np.isnan(zero)]])
    columns = (
        y,
        np.repeat([1, 0], [len(place) for place in found]),
        np.concatenate([place[:, 0] for place in found]),
        np.concatenate([place[:, 1] + 100 * group for group, place in enumerate(found)]),
    )
    for small_sample in (False, True):
        once = sandwich(*columns, small_sample=small_sample)
        many = sandwich(*(np.tile(column, times) for column in columns), small_sample=small_sample)
        assert type(once) is type(many)
        if isinstance(once, Contrast) and isinstance(many, Contrast):
            assert many.estimate == pytest.approx(once.estimate, rel=1e-7, abs=1e-9)
            assert many.se == pytest.approx(once.se, rel=1e-6, abs=1e-9)
            assert many.n_obs == times * once.n_obs


@every
@pytest.mark.parametrize("kind", ["template", "constant"])
@bounded
@given(seed=seeds, shape=shapes, share=shares)
def test_scores_without_a_group_effect_give_exactly_zero(estimator, kind, seed, shape, share):
    tables, _ = scores(seed, estimator.groups, shape, kind, share)
    if not estimator.shifts:
        tables = [table - table for table in tables]  # the paired difference of a blind model
    found = estimator.of(tables)
    if isinstance(found, Contrast):
        assert (found.estimate, found.se, found.p_value()) == (0.0, 0.0, 1.0)
        assert found.ci(0.95) == (0.0, 0.0)


@every
@bounded
@given(
    seed=seeds,
    shape=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    kind=kinds,
    share=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
def test_few_data_give_a_finite_contrast_or_a_reason(estimator, seed, shape, kind, share):
    tables, _ = scores(seed, estimator.groups, shape, kind, share)
    if not estimator.columns:
        tables = [np.resize(table, (shape[0], 1)) if table.size else np.zeros((0, 1)) for table in tables]
    found = estimator.of(tables)
    if isinstance(found, Undefined):
        assert found.reason
        return
    assert math.isfinite(found.estimate) and math.isfinite(found.se) and found.df >= 1.0
    assert 0.0 < found.p_value() <= 1.0
    assert found.n_templates >= 2
    seen = sum(int((~np.isnan(table)).sum()) for table in tables)
    assert 2 <= found.n_obs <= seen
    low, high = found.ci(0.95)
    assert low <= found.estimate <= high


@pytest.mark.parametrize("n", [0, 1])
@every
def test_none_or_one_template_is_never_a_contrast(estimator, n):
    tables = [np.zeros((n, 3)) for _ in range(estimator.groups)]
    found = estimator.of(tables)
    assert isinstance(found, Undefined)
    assert str(n) in found.reason


# Sign flips


@bounded
@given(seed=seeds, n=st.integers(1, 9), clusters=st.integers(1, 7), kind=st.sampled_from(["normal", "ties"]))
def test_the_sign_flip_test_sees_clusters_and_not_their_names_or_order(seed, n, clusters, kind):
    random = np.random.default_rng(seed)
    values = random.standard_normal(n) if kind == "normal" else random.integers(-1, 2, n).astype(float)
    labels = random.integers(0, clusters, n)
    found = sign_flip(values, labels, random)
    assert not isinstance(found, Undefined)
    assert found.exact
    assert 2.0 ** (1 - found.n_clusters) <= found.p <= 1.0 or found.n_clusters == 1
    order, names = random.permutation(n), random.permutation(100)[:clusters]
    others = {
        "order": sign_flip(values[order], labels[order], random),
        "names": sign_flip(values, names[labels], random),
        "sign": sign_flip(-values, labels, random),
        "scale": sign_flip(values * 128.0, labels, random),
        "repeats": sign_flip(np.repeat(values, 4), np.repeat(labels, 4), random),
    }
    for name, other in others.items():
        assert not isinstance(other, Undefined)
        assert other.p == found.p, name
    assert others["sign"].statistic == -found.statistic


def test_the_sign_flip_test_of_nothing_has_a_reason():
    assert isinstance(sign_flip([], [], np.random.default_rng(0)), Undefined)
    one = sign_flip([3.0], ["a"], np.random.default_rng(0))
    two = sign_flip([3.0, 3.0], ["a", "b"], np.random.default_rng(0))
    none = sign_flip([0.0, 0.0, 0.0], ["a", "b", "c"], np.random.default_rng(0))
    assert [found.p for found in (one, two, none) if not isinstance(found, Undefined)] == [1.0, 0.5, 1.0]


# Corrections

p_values = st.lists(
    st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.05, 1.0])), max_size=9
)
both = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])


def known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


@both
@bounded
@given(p=p_values, data=st.data())
def test_a_correction_follows_its_hypotheses(adjust, p, data):
    order = data.draw(st.permutations(range(len(p))))
    found = adjust(p)
    assert adjust([p[place] for place in order]).p == tuple(found.p[place] for place in order)
    assert [value is None for value in found.p] == [value is None for value in p]
    assert (found.m, found.n_not_computable) == (len(p), p.count(None))


@both
@bounded
@given(p=p_values)
def test_a_correction_never_lowers_a_p_value_and_keeps_their_order(adjust, p):
    raw, adjusted = known(p), known(adjust(p).p)
    assert all(
        before <= after * (1 + 1e-12) <= 1.0 + 1e-9 for before, after in zip(raw, adjusted, strict=True)
    )
    ranked = sorted(zip(raw, adjusted, strict=True))
    assert all(a[1] <= b[1] for a, b in pairwise(ranked))


@both
@bounded
@given(p=p_values)
def test_what_could_not_be_tested_counts_like_a_p_value_of_one(adjust, p):
    filled = adjust([1.0 if value is None else value for value in p]).p
    for given_, ours, theirs in zip(p, adjust(p).p, filled, strict=True):
        if given_ is not None:
            assert ours == pytest.approx(theirs, rel=1e-12)


@bounded
@given(p=p_values, more=st.floats(0, 1))
def test_holm_is_the_stricter_and_another_question_never_helps(p, more):
    for strict, loose in zip(known(holm(p).p), known(benjamini_hochberg(p).p), strict=True):
        assert loose <= strict * (1 + 1e-12)
    for before, after in zip(known(holm(p).p), known(holm([*p, more]).p), strict=False):
        assert before <= after * (1 + 1e-12)


@both
def test_none_or_one_hypothesis_needs_no_correction(adjust):
    assert adjust([]).p == ()
    assert adjust([None]).p == (None,)
    assert adjust([0.03]).p == (0.03,)
    assert adjust([0.02, 0.02]).p == ((0.04, 0.04) if adjust is holm else (0.02, 0.02))
