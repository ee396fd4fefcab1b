"""Slices of the answers: counted whole, with intervals over families, and no number where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.slices import slice_columns, slices
from audit.stats.contrast import Contrast, single
from probes.errors import InputError


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        {"item": f"s/t{t}/{w}", "suite": "s", "family": f"f{t // 2}", "template": f"t{t}", "term": w,
         "axis:kind": "one" if w < "c" else None, "value": rng.normal(), "status": "scored"}
        for t in range(8) for w in "abcd"
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[table["term"] == "d", ["value", "status"]] = [np.nan, "error"]
    return table


def test_counts_are_whole_and_means_those_of_family_means(frame: pd.DataFrame) -> None:
    found = slices(frame, ["term"]).set_index("term")
    assert found["scores"].tolist() == [8, 8, 8, 8] and found["items"].sum() == len(frame)
    assert found["lost"].tolist() == [0, 0, 0, 8]
    means = frame[frame["term"] == "a"].groupby("family")["value"].mean()
    contrast = single(means.to_numpy())
    assert isinstance(contrast, Contrast)
    assert found.loc["a", "mean"] == pytest.approx(contrast.estimate)
    assert (found.loc["a", "lo"], found.loc["a", "hi"]) == pytest.approx(contrast.ci(0.95))


def test_what_was_not_scored_has_no_mean_and_says_why(frame: pd.DataFrame) -> None:
    lost = slices(frame, ["term"]).set_index("term").loc["d"]
    assert np.isnan(lost["mean"]) and np.isnan(lost["lo"]) and lost["reason"] == "nothing was scored"


def test_one_family_has_a_mean_and_no_interval(frame: pd.DataFrame) -> None:
    found = slices(frame, ["family"])
    assert found["mean"].notna().all() and found["lo"].isna().all()
    assert set(found["reason"]) == {"one template family"}


def test_a_missing_group_is_a_slice_of_its_own(frame: pd.DataFrame) -> None:
    found = slices(frame, ["axis:kind"])
    assert found["axis:kind"].isna().sum() == 1 and found["scores"].sum() == len(frame)


def test_only_columns_that_tell_rows_apart_are_offered(frame: pd.DataFrame) -> None:
    assert slice_columns(frame) == ["template", "family", "term", "status", "axis:kind"]


def test_too_many_slices_and_unknown_columns_are_said(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no column 'shoe'"):
        slices(frame, ["shoe"])
    long = pd.DataFrame({"item": range(6000), "family": "f", "value": 1.0, "term": range(6000)})
    with pytest.raises(InputError, match="6,000 slices"):
        slices(long, ["term"])


def test_families_that_score_alike_give_no_interval(frame: pd.DataFrame) -> None:
    alike = slices(frame.assign(value=0.25), []).iloc[0]
    assert alike["mean"] == 0.25 and np.isnan(alike["lo"]) and np.isnan(alike["hi"])
    assert alike["reason"] == "all template families score alike"
