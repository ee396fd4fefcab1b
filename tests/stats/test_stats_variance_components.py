from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from component_worlds import TRUTH, defined, worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats.estimate import Undefined
from audit.stats.variance_components import components, setting_sd

SETS = 2000


@pytest.mark.parametrize(
    ("axes", "sizes", "present"),
    [
        ("GT", (6, 5, 1, 1), ("s2_group", "s2_template", "s2_residual")),
        ("TN", (1, 6, 5, 1), ("s2_template", "s2_name", "s2_residual")),
        ("GTS", (5, 4, 1, 3), ("s2_group", "s2_template", "s2_group_template", "s2_sample")),
        ("GTN", (5, 4, 3, 1), ("s2_group", "s2_template", "s2_group_template", "s2_name", "s2_residual")),
        ("GTNS", (4, 4, 3, 2), tuple(TRUTH)),
    ],
)
def test_components_have_the_right_mean_over_simulations(axes, sizes, present):
    truth = {name: TRUTH[name] for name in present}
    tables = worlds(np.random.default_rng(len(axes)), SETS, sizes, truth)
    wanted = [size for size, axis in zip(sizes, "GTNS", strict=True) if axis in axes]
    found = [defined(components(table.reshape(wanted), axes)).raw for table in tables]
    assert set(found[0]) == set(present)
    for name in present:
        values = np.array([row[name] for row in found])
        # 4 standard errors of the mean over the sets, as the sets themselves show it
        assert abs(values.mean() - truth[name]) < 4 * values.std() / math.sqrt(SETS), name


def test_components_by_hand():
    # Group means 2, 3, 7, template means 3, 4, 5; residuals 0 0 0, 0 1 -1, 0 -1 1: MS 4 / 4 = 1
    found = defined(components([[1.0, 2.0, 3.0], [2.0, 4.0, 3.0], [6.0, 6.0, 9.0]], "GT"))
    assert found.s2_residual == pytest.approx(1.0)
    assert found.s2_group == pytest.approx(7 - 1 / 3)
    assert found.s2_template == pytest.approx(1 - 1 / 3)
    assert (found.s2_name, found.s2_group_template, found.s2_sample, found.s2_group_sample) == (None,) * 4


def test_components_against_the_restricted_likelihood_of_statsmodels():
    """Balanced and with all estimates above 0, REML and expected mean squares agree (Searle et al. 1992)."""
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    sizes = (5, 6, 3, 1)
    table = worlds(np.random.default_rng(4), 1, sizes)[0, ..., 0]
    ours = defined(components(table, "GTN"))
    assert min(ours.raw.values()) > 0.0
    group, template, name = (axis.ravel() for axis in np.indices(table.shape))
    frame = pd.DataFrame({"y": table.ravel(), "one": 1, "g": group, "t": template})
    frame["gt"], frame["gn"] = frame["g"] * 100 + frame["t"], group * 100 + name
    parts = {"g": "0 + C(g)", "t": "0 + C(t)", "gt": "0 + C(gt)", "gn": "0 + C(gn)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its optimiser talks of gradients
        # MixedLM.from_formula("y ~ 1", groups="one", re_formula="0", vc_formula=parts).fit(reml=True)
        model = MixedLM.from_formula("y ~ 1", frame, groups="one", re_formula="0", vc_formula=parts)
        fit = model.fit(reml=True, method=["bfgs", "powell"])
    reference = dict(zip(model.exog_vc.names, fit.vcomp, strict=True)) | {"e": fit.scale}
    assert ours.s2_group == pytest.approx(reference["g"], rel=2e-3)
    assert ours.s2_template == pytest.approx(reference["t"], rel=2e-3)
    assert ours.s2_group_template == pytest.approx(reference["gt"], rel=2e-3)
    assert ours.s2_name == pytest.approx(reference["gn"], rel=2e-3)
    assert ours.s2_residual == pytest.approx(reference["e"], rel=2e-3)


def test_a_negative_estimate_is_held_at_0_and_kept():
    found = defined(components([[1.0, -1.0, 0.5], [-1.0, 1.0, -0.4], [0.0, 0.1, 0.0]], "GT"))
    assert found.s2_group == 0.0
    assert found.raw["s2_group"] < 0.0


def test_tables_agree_where_one_contains_the_other():
    table = worlds(np.random.default_rng(2), 1, (4, 5, 3, 2))[0]
    full = defined(components(table, "GTNS"))
    averaged = defined(components(table.mean(axis=3), "GTN"))
    for name in ("s2_group", "s2_template", "s2_group_template", "s2_name"):
        assert averaged.raw[name] == pytest.approx(full.raw[name], abs=1e-12)
    assert averaged.s2_residual == pytest.approx(full.s2_residual + full.s2_sample / 2, abs=1e-12)
    small = defined(components(table.mean(axis=(2, 3)), "GT"))
    # names' share in group means, which a table of means cannot tell apart
    assert small.raw["s2_group"] == pytest.approx(full.raw["s2_group"] + full.raw["s2_name"] / 3, abs=1e-12)


@given(st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_components_ignore_order_and_a_shift_and_follow_the_unit(seed):
    rng = np.random.default_rng(seed)
    table = worlds(rng, 1, (4, 5, 3, 1))[0, ..., 0]
    one = defined(components(table, "GTN")).raw
    mixed = table[rng.permutation(4)][:, rng.permutation(5)][:, :, rng.permutation(3)]
    other = defined(components(3.0 * mixed + 7.0, "GTN")).raw
    assert {name: 9.0 * value for name, value in one.items()} == pytest.approx(other, abs=1e-10)


@pytest.mark.parametrize(
    ("table", "axes", "reason"),
    [
        (np.zeros((0, 3)), "GT", "0 group(s)"),
        (np.ones((1, 3)), "GT", "1 group(s)"),
        (np.ones((3, 1)), "TN", "1 name(s)"),
        (np.ones((3, 3, 1)), "GTS", "1 sample(s)"),
        (np.ones((1, 1, 2)), "GTN", "1 group(s) and 1 template(s)"),
        (np.full((3, 3), 7.1), "GT", "no spread"),
        (np.zeros((2, 2)), "GT", "no spread"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), "GT", "1 of 4 cells are missing"),
    ],
)
def test_tables_without_components_say_why(table, axes, reason):
    found = components(table, axes)
    assert isinstance(found, Undefined)
    assert reason in found.reason


def test_two_by_two_is_the_smallest_table():
    found = defined(components([[1.0, 2.0], [3.0, 6.0]], "GT"))
    # residuals +-.5: MS 1; groups: var(1.5, 4.5) = 4.5 - 1 / 2; templates: var(2, 4) = 2 - 1 / 2
    assert (found.s2_residual, found.s2_group, found.s2_template) == pytest.approx((1.0, 4.0, 1.5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: components([[1.0, np.inf], [2.0, 3.0]], "GT"),
        lambda: components([[1.0, 2.0]], "GTN"),
        lambda: components([[1.0, 2.0]], "TG"),
        lambda: setting_sd([1.0, np.nan], [0.1, 0.1]),
        lambda: setting_sd([1.0, 2.0], [0.1]),
        lambda: setting_sd([1.0, 2.0], [0.1, -0.1]),
        lambda: setting_sd([1.0, 2.0], [[0.1, np.nan], [np.nan, 0.1]]),
    ],
)
def test_impossible_arguments_are_errors(call):
    with pytest.raises(ValueError, match=r"must|need|holds"):
        call()


# Settings


def test_the_sd_over_settings_is_found_without_the_noise():
    rng, raw = np.random.default_rng(4), []
    noise = np.array([0.3, 0.5, 0.4, 0.2])
    for _ in range(SETS):
        shared = 0.6 * rng.standard_normal()  # templates that all settings have in common
        effects = 0.5 * rng.standard_normal(4) + noise * rng.standard_normal(4) + shared
        raw.append(defined(setting_sd(effects, np.diag(noise**2) + 0.36)).raw)
    # 4 standard errors of the mean over the sets
    assert abs(np.mean(raw) - 0.25) < 4 * np.std(raw) / math.sqrt(SETS)


def test_settings_by_hand_and_at_the_edges():
    assert defined(setting_sd([0.0, 2.0], [1.0, 0.0])).raw == pytest.approx(2.0 - 0.5)
    quiet = defined(setting_sd([1.0, 1.0], [0.1, 0.1]))
    assert (quiet.sd, quiet.raw, quiet.n_settings) == (0.0, pytest.approx(-0.01), 2)
    for n in (0, 1):
        assert f"{n} setting(s)" in setting_sd(np.ones(n), np.ones(n)).reason
