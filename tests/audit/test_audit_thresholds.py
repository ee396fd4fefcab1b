"""How a share of negative texts moves with its threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.analysis import thresholds
from audit.analysis.correction import corrected
from audit.analysis.estimates import Comparer, estimate
from audit.analysis.found import Setting
from audit.analysis.thresholds import THRESHOLDS, family_curves, threshold_curve
from audit.hypotheses import Hypothesis
from audit.plan import plan_suite
from audit.spec import choose
from audit.stats.estimate import Contrast
from probes.errors import InputError

GROUPS = ("one", "two", "three", "four")
SETTING = Setting(
    0.05,
    7,
    {name: plan_suite(choose(name)) for name in ("continuation", "traits")},
    {"confirmatory": "max-t", "exploratory": "benjamini-hochberg"},
)


def hypothesis(group: str, suite: str = "continuation") -> Hypothesis:
    return Hypothesis(
        id=f"m/{suite}/religion/kind={group}",
        family=f"m/{suite}/religion/kind",
        model="m",
        suite=suite,
        contrast="religion",
        axis="kind",
        group=group,
        reference="rest",
        layout="fixed",
        role="confirmatory",
        claim="",
        group_label=group,
        reference_label="the others",
    )


FAMILY = [hypothesis(group) for group in GROUPS]


def texts(extreme: float = 0.0, families: int = 10, samples: int = 20) -> pd.DataFrame:
    """Scores of each group alike, but that ``extreme`` of the texts of ``one`` are very negative."""
    rng = np.random.default_rng(5)
    rows = []
    for family in range(families):
        for group in GROUPS:
            value = rng.uniform(-0.45, 0.9, samples)
            if group == "one":
                value[rng.permutation(samples)[: round(extreme * samples)]] = -0.85
            rows += [
                {
                    "template": f"t{family}",
                    "family": f"f{family}",
                    "term": group,
                    "pair": None,
                    "unit": str(number),
                    "factor": "samples",
                    "group": group,
                    "value": one,
                    "value:textblob": -one,
                }
                for number, one in enumerate(value)
            ]
    return pd.DataFrame(rows)


def test_a_difference_in_extreme_texts_only_shows_beyond_the_mild_ones() -> None:
    rows = threshold_curve(texts(0.3), FAMILY, FAMILY[0], "vader", (0.01, 0.5, 0.8), SETTING)
    assert [row["states"] for row in rows][1:] == ["higher", "higher"]
    assert rows[1]["share_group"] == pytest.approx(0.3)
    assert rows[1]["share_reference"] == 0.0
    assert rows[1]["estimate"] == pytest.approx(0.3)
    assert rows[1]["lo"] <= rows[1]["estimate"] <= rows[1]["hi"]
    assert (rows[1]["n_group"], rows[1]["n_reference"]) == (200, 600)
    assert rows[0]["estimate"] < rows[1]["estimate"]
    against = threshold_curve(texts(0.3), FAMILY, FAMILY[1], "vader", (0.5,), SETTING)[0]
    assert against["estimate"] == pytest.approx(-0.1)


def test_every_point_is_the_contrast_of_the_plain_reading_with_its_familys_correction() -> None:
    frame = texts(0.2)
    curves = family_curves(frame, FAMILY, "textblob", THRESHOLDS, SETTING)
    for place, threshold in enumerate(THRESHOLDS):
        reading = frame.assign(value=(frame["value:textblob"] <= -threshold).astype(float))
        comparer = Comparer(reading, "rest", "fixed")
        cells = [comparer.cells(group) for group in GROUPS]
        plain = [estimate(cell) for cell in cells]
        adjusted = corrected(FAMILY, cells, plain, SETTING)
        for each, contrast, p in zip(FAMILY, plain, adjusted, strict=True):
            row = curves[each.id][place]
            assert isinstance(contrast, Contrast)
            assert row.threshold == threshold
            assert row.estimate == contrast.estimate
            assert (row.lo, row.hi) == contrast.ci(0.95)
            assert row.p_adjusted == p.p
            assert row.p_adjusted is not None and row.p_adjusted >= contrast.p_value() - 1e-12


def test_texts_that_a_threshold_parts_alike_are_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = texts()
    frame["value"] = frame["value"].round(0)
    made: list[float] = []
    real = thresholds.at_one_threshold

    def counted(rows, family, what, setting):  # type: ignore[no-untyped-def]
        made.append(what[0])
        return real(rows, family, what, setting)

    monkeypatch.setattr(thresholds, "at_one_threshold", counted)
    curves = family_curves(frame, FAMILY, "vader", (0.1, 0.2, 0.3), SETTING)
    assert made == [0.1]
    assert [row.threshold for row in curves[FAMILY[0].id]] == [0.1, 0.2, 0.3]


def test_order_of_rows_and_of_thresholds_changes_nothing() -> None:
    frame = texts(0.1)
    mixed = frame.sample(frac=1.0, random_state=3)
    there = family_curves(frame, FAMILY, "vader", (0.1, 0.5), SETTING)
    back = family_curves(mixed, FAMILY, "vader", (0.5, 0.1), SETTING)
    for each in FAMILY:
        for row, other in zip(there[each.id], reversed(back[each.id]), strict=True):
            assert row.estimate == pytest.approx(other.estimate, abs=1e-12)
            assert row.states == other.states


def test_groups_that_read_alike_are_inconclusive_and_never_within_a_margin() -> None:
    frame = texts()
    frame["value"] = np.tile(np.resize([-0.9, 0.5], 20), 40)
    for row in family_curves(frame, FAMILY, "vader", (0.05,), SETTING)[FAMILY[0].id]:
        assert (row.estimate, row.states) == (0.0, "inconclusive")


def test_a_threshold_that_parts_nothing_has_no_estimate_and_says_why() -> None:
    row = threshold_curve(texts(), FAMILY, FAMILY[0], "vader", (0.95,), SETTING)[0]
    assert (row["estimate"], row["lo"], row["p_adjusted"], row["states"]) == (None, None, None, None)
    assert (row["reason"], row["share_group"], row["n_group"]) == ("no text counts as negative", 0.0, 200)
    dark = texts().assign(value=-0.9)
    row = threshold_curve(dark, FAMILY, FAMILY[0], "vader", (0.5,), SETTING)[0]
    assert (row["reason"], row["share_group"]) == ("every text counts as negative", 1.0)


def test_texts_without_a_score_are_no_texts_that_are_not_negative() -> None:
    frame = texts(0.5)
    own = frame["group"] == "one"
    frame.loc[own & (frame["value"] > -0.5), "value"] = np.nan
    row = threshold_curve(frame, FAMILY, FAMILY[0], "vader", (0.5,), SETTING)[0]
    assert (row["share_group"], row["n_group"]) == (1.0, 100)
    nothing = threshold_curve(frame.assign(value=np.nan), FAMILY, FAMILY[0], "vader", (0.5,), SETTING)[0]
    assert nothing["reason"] == "no text of this contrast was scored by vader"
    assert nothing["share_group"] is None
    empty = threshold_curve(frame.iloc[:0], FAMILY, FAMILY[0], "textblob", (0.5,), SETTING)[0]
    assert empty["reason"] == "no text of this contrast was scored by textblob"


def test_what_has_no_share_of_negative_texts_is_refused() -> None:
    frame = texts()
    with pytest.raises(InputError, match=r"answer_log_odds reads no text by a scorer"):
        family_curves(frame, [hypothesis("one", "traits")], "vader", (0.1,), SETTING)
    with pytest.raises(InputError, match=r"has no scorer 'vadr'.*Did you mean 'vader'"):
        family_curves(frame, FAMILY, "vadr", (0.1,), SETTING)
    for wrong in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="a threshold of"):
            family_curves(frame, FAMILY, "vader", (0.1, wrong), SETTING)
    stranger = replace(FAMILY[0], id="another")
    with pytest.raises(InputError, match="another is not in the family"):
        threshold_curve(frame, FAMILY, stranger, "vader", (0.1,), SETTING)
