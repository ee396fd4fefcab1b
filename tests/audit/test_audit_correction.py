"""Correction within a family: max-T where it can be had, Holm with a reason where not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.correction import corrected
from audit.analysis.estimates import Cells, estimate
from audit.analysis.found import Setting
from audit.hypotheses import Hypothesis
from audit.stats.estimate import Contrast
from audit.stats.multiplicity import holm

METHODS = {"confirmatory": "max-t", "exploratory": "benjamini-hochberg"}
SETTING = Setting(alpha=0.05, seed=1, suites={}, correction=METHODS)


def hypotheses(count: int, role: str = "confirmatory") -> list[Hypothesis]:
    rest = {"model": "m", "suite": "s", "contrast": "c", "axis": "a", "reference": "rest", "layout": "fixed"}
    words: dict[str, Any] = {"claim": "", "group_label": "", "reference_label": "", "role": role}
    return [Hypothesis(id=f"h{i}", family="f", group=f"g{i}", **rest, **words) for i in range(count)]


def world(rng: np.random.Generator, groups: int = 6, levels: int = 6, effect: float = 0.0) -> list[Cells]:
    """Each group against the mean of the others, over the same 10 templates and answer pairs."""
    values = rng.standard_normal((groups, 10, levels)) + 0.5 * rng.standard_normal((groups, 10, 1))
    values[0] += effect
    names = [f"t{i}" for i in range(10)]
    found = []
    for own in range(groups):
        difference = values[own] - np.delete(values, own, axis=0).mean(axis=0)
        frame = pd.DataFrame(difference, index=names, columns=[f"p{i}" for i in range(levels)])
        layout = "crossed" if levels > 1 else "single"
        found.append(Cells(layout, frame, None, pd.Series(names, index=names)))  # type: ignore[arg-type]
    return found


def adjusted(cells: list[Cells], role: str = "confirmatory") -> list[Any]:
    return corrected(hypotheses(len(cells), role), cells, [estimate(cell) for cell in cells], SETTING)


@pytest.mark.parametrize("levels", [1, 6])
def test_max_t_is_between_the_raw_p_and_mostly_below_holm(levels: int) -> None:
    rows = []
    for seed in range(30):
        cells = world(np.random.default_rng(seed), levels=levels, effect=1.0)
        contrasts = [estimate(cell) for cell in cells]
        raw = [contrast.p_value() for contrast in contrasts if isinstance(contrast, Contrast)]
        for p, found, by_holm in zip(raw, adjusted(cells), holm(raw).p, strict=True):
            assert found.method == "max-t" and found.m == 6 and found.reason == ""
            assert found.p >= p and found.p_holm == by_holm
            assert found.critical is not None and found.critical > 2.0
            rows.append(found.p <= by_holm)
    assert np.mean(rows) > 0.8


def test_the_family_wise_error_is_kept_end_to_end() -> None:
    sets = 300
    false = sum(
        min(found.p for found in adjusted(world(np.random.default_rng([9, seed])))) < 0.05
        for seed in range(sets)
    )
    # At a true .05, more than 26 of 300 has a chance of .002 (scipy.stats.binom.sf(26, 300, .05)).
    assert false <= 26, false


def test_the_same_seed_gives_the_same_p_and_another_family_other_draws() -> None:
    cells = world(np.random.default_rng(4), effect=0.7)
    assert adjusted(cells) == adjusted(cells)
    contrasts = [estimate(cell) for cell in cells]
    renamed = [replace(h, family="other") for h in hypotheses(6)]
    other = corrected(renamed, cells, contrasts, SETTING)
    assert [x.p for x in other] != [x.p for x in adjusted(cells)]
    assert [x.p for x in other] == pytest.approx([x.p for x in adjusted(cells)], abs=0.03)


def test_a_missing_cell_falls_back_to_holm_and_says_why() -> None:
    cells = world(np.random.default_rng(5))
    cells[2].first.iloc[0, 0] = np.nan
    for found in adjusted(cells):
        assert found.method == "holm" and "not scored" in found.reason and found.p == found.p_holm
        assert found.critical is None


def test_no_spread_falls_back_to_holm() -> None:
    cells = world(np.random.default_rng(6))
    cells[0].first.iloc[:, :] = 0.25
    assert {found.method for found in adjusted(cells)} == {"holm"}


def test_a_contrast_that_cannot_be_computed_counts_and_has_no_p() -> None:
    cells = world(np.random.default_rng(7))
    cells[1] = cells[1].keep(["t0", "t1"])
    found = adjusted(cells)
    assert found[1].p is None and found[1].p_holm is None
    assert {each.m for each in found} == {6}


def test_exploratory_families_are_corrected_by_benjamini_and_hochberg() -> None:
    cells = world(np.random.default_rng(8), effect=1.0)
    assert {found.method for found in adjusted(cells, "exploratory")} == {"benjamini-hochberg"}


def test_a_plan_that_declares_holm_is_held_to_it() -> None:
    cells = world(np.random.default_rng(8), effect=1.0)
    old = replace(SETTING, correction={"confirmatory": "holm", "exploratory": "benjamini-hochberg"})
    for found in corrected(hypotheses(6), cells, [estimate(cell) for cell in cells], old):
        assert found.method == "holm" and found.reason == ""
