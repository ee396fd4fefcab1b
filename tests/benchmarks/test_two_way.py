"""Contrasts over sentences and words: their controls, and whether they hang on one of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audit.benchmarks.judging import Judging, Named, judge_contrasts
from audit.benchmarks.two_way import (
    crossed_named,
    halves_control,
    jackknifed_two_way,
    mean_figure,
    nested_named,
)
from audit.stats.contrast import crossed
from audit.stats.estimate import Contrast, Floats, Undefined

JUDGING = Judging("all", "nats", 0.2, "template")


def table(rows: int = 10, columns: int = 12, mean: float = 0.5, seed: int = 3) -> Floats:
    return np.random.default_rng(seed).normal(mean, 0.1, (rows, columns))


def long(cells: Floats) -> tuple[Floats, tuple[np.ndarray, np.ndarray]]:
    rows, columns = np.indices(cells.shape).reshape(2, -1)
    return cells.ravel(), (rows.astype(str), columns.astype(str))


def test_a_clear_difference_hangs_on_nothing_and_one_that_includes_0_always_does() -> None:
    assert crossed_named("all", table(), JUDGING).leave_one_out_includes_zero is False
    assert crossed_named("all", table(mean=0.0), JUDGING).leave_one_out_includes_zero is True
    two = nested_named("all", table(), table(mean=0.0, seed=4), JUDGING)
    assert two.leave_one_out_includes_zero is False and two.sign_share == 1.0


@pytest.mark.parametrize("axis", [0, 1])
def test_each_row_and_each_column_is_left_out(axis: int) -> None:
    """The interval ends just above 0; without one of the eight, it does not."""
    rng = np.random.default_rng(0)
    cells = np.repeat(rng.normal(0.02, 0.02, (8, 1)), 12, axis=1) + rng.normal(0, 1e-4, (8, 12))
    cells = cells if axis == 0 else cells.T
    whole = crossed(cells)
    assert isinstance(whole, Contrast)
    cells = cells - (whole.ci(0.95)[0] - 0.0005)

    def hangs(on: int) -> bool:
        found = [crossed(np.delete(cells, place, on)) for place in range(cells.shape[on])]
        return any(isinstance(one, Contrast) and one.ci(0.95)[0] <= 0.0 for one in found)

    assert hangs(axis) and not hangs(1 - axis), "the case is one that hangs on this axis only"
    assert crossed_named("all", cells, JUDGING).leave_one_out_includes_zero is True


def test_the_control_sees_words_that_come_in_two_kinds_whatever_the_halves() -> None:
    same = crossed_named("all", np.tile(table(columns=1), 12), JUDGING)
    assert same.control_p == 1.0
    assert crossed_named("all", table(columns=3), JUDGING).control_p is None
    nested = nested_named("all", table(), table(columns=3), JUDGING)
    alone = nested_named("all", table(), np.tile(table(columns=1), 3), JUDGING)
    assert nested.control_p is not None and nested.control_p == alone.control_p


def test_a_smooth_mean_has_about_the_error_of_the_two_way_contrast() -> None:
    cells = table() + np.random.default_rng(8).normal(0, 0.3, (1, 12))
    values, labels = long(cells)
    one = jackknifed_two_way("all", lambda rows: float(values[rows].mean()), labels, JUDGING)
    two = crossed(cells)
    assert isinstance(one.contrast, Contrast) and isinstance(two, Contrast)
    assert one.contrast.estimate == pytest.approx(two.estimate)
    assert 1.0 <= one.contrast.se / two.se < 1.05
    assert one.leave_one_out_includes_zero is False and one.control_p is not None


def test_nothing_to_tell() -> None:
    empty = np.empty((0, 0))
    for one in (crossed_named("all", empty, JUDGING), nested_named("all", empty, empty, JUDGING)):
        assert isinstance(one.contrast, Undefined)
        assert judge_contrasts([one], JUDGING)[0].reason
    lost = jackknifed_two_way("all", lambda rows: math.nan, long(table())[1], JUDGING)
    assert isinstance(lost.contrast, Undefined)
    assert halves_control("words", empty, "two halves").holds is None
    assert mean_figure("all", np.array([np.nan]), Undefined("none"), "nats").value is None


def test_controls_of_a_family_are_corrected_together() -> None:
    contrast = Contrast(0.5, 0.1, 19.0, "paired t", 20, 20, 1, {"V_T": 0.01})
    named = [Named(str(k), contrast, control_p=p) for k, p in enumerate((0.004, 0.5, 0.6))]
    found = judge_contrasts(named, JUDGING)
    assert found[0].control_p == pytest.approx(0.012) and found[0].verdict == "disparity"
    assert judge_contrasts(named[:1], JUDGING)[0].verdict == "invalid"


def test_halves_of_invented_words_that_differ_do_not_hold() -> None:
    cells = table(columns=8)
    assert halves_control("words", cells, "two halves").holds is True
    cells[:, :4] += 1.0
    found = halves_control("words", cells, "two halves")
    assert found.holds is False and found.value == pytest.approx(1.0, abs=0.1)
