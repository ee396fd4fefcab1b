"""The specification curve on tables of scores: what is varied, what stays, and what survives."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.estimates import Comparer, estimate
from audit.analysis.specifications import specification_curves, template_sets
from audit.hypotheses import COMBINATION, OVERALL, REST, Hypothesis
from audit.measures import MEASURES
from audit.stats.estimate import Contrast, Undefined
from audit.stats.specification import SpecificationCurve

ODDS, SENTIMENT = MEASURES["answer_log_odds"], MEASURES["continuation_sentiment"]
ALPHA, MARGIN = 0.05, 0.2
DESIGNS = [
    ("nested", "two"),
    ("nested", REST),
    ("paired", "two"),
    ("paired", REST),
    ("fixed", "two"),
    ("fixed", REST),
    ("nested", OVERALL),
    ("paired", OVERALL),
    ("fixed", OVERALL),
    (COMBINATION, "two*man"),
]
CROSSED = ("one*woman", "two*woman", "one*man", "two*man")


def first_group(layout: str) -> str:
    return CROSSED[0] if layout == COMBINATION else "one"


def table(
    layout: str,
    rng: np.random.Generator,
    *,
    effect: float = 0.0,
    families: int = 8,
    wordings: int = 3,
    terms: int = 6,
    units: int = 3,
    factor: str = "answers",
    groups: tuple[str, ...] = ("one", "two", "three"),
    noise: float = 1.0,
    spread: float = 0.0,
) -> pd.DataFrame:
    """Scores of groups in some layout; the first scores ``effect`` higher. No answer is doubtful.

    ``spread``: sd of the effects of family x group and of terms, the noise that is shared.
    """
    rows = []
    groups = CROSSED if layout == COMBINATION else groups
    family = {key: spread * rng.normal() for key in product(range(families), groups)}
    own = {key: spread * rng.normal() for key in product(groups, range(terms))}
    for f, w, g in product(range(families), range(wordings), groups):
        for n, u in product(range(1 if layout == "fixed" else terms), range(units)):
            rows.append(
                {
                    "template": f"t{f}-{w}",
                    "family": f"f{f}",
                    "term": g if layout == "fixed" else f"{g}{n}",
                    "pair": f"p{n}" if layout == "paired" else None,
                    "unit": str(u),
                    "factor": factor,
                    "group": g,
                    "value": noise * rng.normal()
                    + family[f, g]
                    + (layout != "fixed") * own[g, n]
                    + effect * (g == groups[0]),
                    "doubtful": False,
                }
            )
    return pd.DataFrame(rows)


def hypothesis(layout: str, reference: str, group: str = "one") -> Hypothesis:
    return Hypothesis(
        id=group, family="family", model="m", suite="s", contrast="c", axis="a", group=group,
        reference=reference, layout=layout, role="confirmatory", claim="", group_label="", reference_label="",
    )  # fmt: skip


def curve_of(frame: pd.DataFrame, layout: str, reference: str, measure: Any = ODDS) -> SpecificationCurve:
    asked = [hypothesis(layout, reference, first_group(layout))]
    (found,) = specification_curves(frame, asked, measure, ALPHA, MARGIN)
    assert isinstance(found, SpecificationCurve)
    return found


def with_gaps(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(value=frame["value"].where(rng.random(len(frame)) > 0.1))


def with_doubts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(doubtful=frame["unit"] == "0")


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("layout", "reference"), DESIGNS)
def test_the_first_specification_is_the_main_analysis(layout: str, reference: str, gaps: bool) -> None:
    rng = np.random.default_rng(1)
    frame = table(layout, rng, effect=0.5)
    frame = with_gaps(frame, rng) if gaps else frame
    main = estimate(Comparer(frame, reference, layout).cells(first_group(layout)))
    assert isinstance(main, Contrast)
    found = curve_of(frame, layout, reference)
    first = found.rows[0]
    assert first.choices == {
        "reading": "log-odds", "doubtful": "kept", "templates": "all", "pooling": "mean"
    }  # fmt: skip
    assert (found.estimate, first.estimate, first.p) == (main.estimate, main.estimate, main.p_value())


@pytest.mark.parametrize(("layout", "reference"), DESIGNS)
def test_every_mean_is_what_the_slow_way_gives(layout: str, reference: str) -> None:
    rng = np.random.default_rng(2)
    frame = with_doubts(with_gaps(table(layout, rng, effect=0.5, families=7), rng))
    frame = frame[~frame["template"].isin(["t0-2", "t3-1"])]  # families differ in their wordings
    sets = template_sets(frame.drop_duplicates("template").set_index("template")["family"])
    readings = {
        "log-odds": frame["value"],
        "probability": 1 / (1 + np.exp(-frame["value"])),
        "choice": (frame["value"] > 0).astype(float).where(frame["value"].notna()),
    }
    checked = 0
    for row in curve_of(frame, layout, reference).rows:
        if row.choices["pooling"] != "mean":
            continue
        rows = frame.assign(value=readings[row.choices["reading"]])
        rows = rows[~rows["doubtful"]] if row.choices["doubtful"] == "dropped" else rows
        rows = rows[rows["template"].isin(sets[row.choices["templates"]])]
        slow = estimate(Comparer(rows, reference, layout).cells(first_group(layout)))
        assert isinstance(slow, Contrast)
        assert row.estimate == pytest.approx(slow.estimate, rel=1e-12)
        assert row.p == pytest.approx(slow.p_value(), rel=1e-9)
        checked += 1
    assert checked == 3 * 2 * 4


def test_a_median_is_taken_over_repeated_answers_and_over_wordings() -> None:
    frame = table("nested", np.random.default_rng(3), effect=0.5, units=5)
    found = {
        (row.choices["templates"], row.choices["pooling"]): row
        for row in curve_of(frame, "nested", "two").rows
        if row.choices["reading"] == "log-odds"
    }
    cells = frame.groupby(["group", "family", "template", "term"])["value"].median()
    for templates, chosen in (("all", cells), ("first wording of each family", cells.filter(like="-0"))):
        by_family = chosen.groupby(["group", "family", "term"]).median().groupby(["group", "family"]).mean()
        by_hand = (by_family["one"] - by_family["two"]).mean()
        assert found[templates, "median"].estimate == pytest.approx(by_hand, rel=1e-12)
        assert found[templates, "mean"].estimate != pytest.approx(by_hand, rel=1e-3)


def test_answer_pairs_of_a_single_term_are_no_repetitions() -> None:
    # three answer pairs, one wording: the pairs are the second factor, so a median has nothing to pool
    one = table("fixed", np.random.default_rng(4), wordings=1, units=5)
    assert {row.choices["pooling"] for row in curve_of(one, "fixed", REST).rows} == {"mean"}
    samples = one.assign(factor="samples")
    assert {row.choices["pooling"] for row in curve_of(samples, "fixed", REST).rows} == {"mean", "median"}


@pytest.mark.parametrize(("layout", "reference"), DESIGNS)
def test_a_planted_effect_holds_in_all_48_specifications(layout: str, reference: str) -> None:
    # about -1 against +1, and 12 families, so that a half is enough to reject where nothing varies
    frame = table(layout, np.random.default_rng(5), effect=2.0, families=12, units=4)
    found = curve_of(with_doubts(frame.assign(value=frame["value"] - 1.0)), layout, reference)
    if layout == "fixed":
        # a median over one wording of one answer is no other analysis
        assert found.held("disparity") == (42, 42)
    else:
        assert found.held("disparity") == (48, 48)
    assert found.sign_share == 1.0 and not found.not_computable
    assert isinstance(found.median_t, float) and found.median_t > 3
    assert len({tuple(row.choices.items()) for row in found.rows}) == found.n_run


@pytest.mark.parametrize("layout", ["nested", "paired", "fixed"])
def test_the_groups_exchanged_turn_every_sign(layout: str) -> None:
    frame = with_doubts(table(layout, np.random.default_rng(6), groups=("one", "two")))
    swapped = frame.assign(group=frame["group"].map({"one": "two", "two": "one"}))
    first, second = curve_of(frame, layout, "two"), curve_of(swapped, layout, "two")
    for a, b in zip(first.rows, second.rows, strict=True):
        assert a.choices == b.choices
        assert a.estimate == pytest.approx(-b.estimate, abs=1e-9)  # type: ignore[operator]
        assert a.p == pytest.approx(b.p, abs=1e-9)
    assert first.n_same_sign == second.n_same_sign


@pytest.mark.parametrize(("layout", "reference"), DESIGNS)
def test_the_order_of_rows_changes_nothing(layout: str, reference: str) -> None:
    rng = np.random.default_rng(7)
    frame = with_doubts(with_gaps(table(layout, rng, effect=0.3), rng))
    found = curve_of(frame, layout, reference)
    again = curve_of(frame.sample(frac=1.0, random_state=1), layout, reference)
    for a, b in zip(found.rows, again.rows, strict=True):
        assert a.choices == b.choices and a.reason == b.reason
        assert a.estimate == pytest.approx(b.estimate, abs=1e-9)
        assert a.p == pytest.approx(b.p, abs=1e-9)


def test_rows_doubled_make_nothing_more_certain() -> None:
    frame = table("nested", np.random.default_rng(8), effect=0.3)
    twice = curve_of(pd.concat([frame, frame]), "nested", "two")
    for a, b in zip(curve_of(frame, "nested", "two").rows, twice.rows, strict=True):
        assert a.p == pytest.approx(b.p, abs=1e-9)


SEEDS = 200


@pytest.mark.parametrize("layout", ["nested", "fixed"])
def test_without_an_effect_specifications_are_significant_as_often_as_they_may(layout: str) -> None:
    shares = []
    for seed in range(SEEDS):
        frame = table(
            layout, np.random.default_rng([seed, 9]), families=8, wordings=3, terms=5, units=2,
            groups=("one", "two"), factor="samples", spread=0.7,
        )  # fmt: skip
        found = curve_of(frame, layout, "two")
        sure = found.n_significant_same + found.n_significant_opposite
        shares.append(sure / found.n_run)
    # Each specification rejects with probability <= .05; those of one table may be wholly dependent, so the
    # mean share has at most the sd of a binomial of 200: sqrt(.05 * .95 / 200) = .0154. Three of these.
    assert abs(np.mean(shares) - ALPHA) <= 3 * 0.0154


def test_an_effect_that_doubtful_answers_carry_goes_with_them() -> None:
    frame = with_doubts(table("nested", np.random.default_rng(10), noise=0.3, families=10))
    frame["value"] += 2.0 * ((frame["group"] == "one") & frame["doubtful"])
    found = curve_of(frame, "nested", "two")
    kept = [
        row for row in found.rows if row.choices["doubtful"] == "kept" and row.choices["pooling"] == "mean"
    ]
    dropped = [row for row in found.rows if row.choices["doubtful"] == "dropped"]
    assert all(row.p is not None and row.p < ALPHA for row in kept)
    assert dropped and not all(row.p is not None and row.p < ALPHA for row in dropped)
    assert found.held("disparity") < (found.n_run, found.n_run)  # type: ignore[operator]


def test_nothing_is_dropped_where_all_answers_are_doubtful_or_none_is() -> None:
    frame = table("nested", np.random.default_rng(11))
    for flag in (True, False):
        found = curve_of(frame.assign(doubtful=flag), "nested", "two")
        assert {row.choices["doubtful"] for row in found.rows} == {"kept"}


def test_a_group_whose_answers_are_all_doubtful_is_counted_as_not_computable() -> None:
    frame = table("fixed", np.random.default_rng(12))
    found = curve_of(frame.assign(doubtful=frame["group"] == "one"), "fixed", REST)
    dropped = [row for row in found.rows if row.choices["doubtful"] == "dropped"]
    assert all(row.estimate is None and row.reason for row in dropped)
    assert sum(found.not_computable.values()) == len(dropped) == found.n_run


def test_template_sets_are_by_name_and_never_counted_twice() -> None:
    names = [f"t{f}{w}" for f in "cabd" for w in "21"]
    families = pd.Series({name: name[:2] for name in names})
    sets = template_sets(families)
    assert sets["first half of the families"] == ("ta1", "ta2", "tb1", "tb2")
    assert sets["second half of the families"] == ("tc1", "tc2", "td1", "td2")
    assert sets["first wording of each family"] == ("ta1", "tb1", "tc1", "td1")
    assert set(sets["all"]) == set(names)
    single = template_sets(pd.Series({"x1": "x", "y1": "y", "z1": "z"}))
    assert list(single) == ["all", "first half of the families", "second half of the families"]
    assert template_sets(pd.Series({"x1": "x"})) == {"all": ("x1",)}


def test_too_few_template_families_give_no_curve_and_too_few_in_a_half_are_counted() -> None:
    few = table("nested", np.random.default_rng(13), families=1)
    (found,) = specification_curves(few, [hypothesis("nested", "two")], ODDS, ALPHA, MARGIN)
    assert isinstance(found, Undefined) and "1 template families" in found.reason
    four = curve_of(table("nested", np.random.default_rng(14), families=4), "nested", "two")
    halves = [row for row in four.rows if "half" in row.choices["templates"]]
    assert all(row.estimate is None for row in halves)
    assert four.not_computable == {"2 template families; 3 are needed": len(halves)}


def test_groups_and_answers_that_are_not_there_give_reasons() -> None:
    frame = table("nested", np.random.default_rng(15))
    asked = [hypothesis("nested", "two", "one"), hypothesis("nested", "two", "four")]
    there, missing = specification_curves(frame, asked, ODDS, ALPHA, MARGIN)
    assert isinstance(there, SpecificationCurve) and isinstance(missing, Undefined)
    (strange,) = specification_curves(frame, [hypothesis("diagonal", "two")], ODDS, ALPHA, MARGIN)
    assert strange == Undefined("no specification curve is defined for diagonal terms")
    for nothing in (frame.iloc[:0], frame.assign(value=np.nan)):
        (found,) = specification_curves(nothing, asked[:1], ODDS, ALPHA, MARGIN)
        assert isinstance(found, Undefined) and found.reason


def sentiment_table(rng: np.random.Generator, effect: float, other: float) -> pd.DataFrame:
    """Samples scored twice, the second scorer seeing an effect of its own."""
    frame = table("fixed", rng, factor="samples", units=4, families=14)
    shift = (frame["group"] == "one").to_numpy(dtype=float)
    first = np.clip(0.3 * frame["value"] + effect * shift, -1, 1)
    second = np.clip(0.3 * rng.normal(size=len(frame)) + other * shift, -1, 1)
    return frame.assign(**{"value": first, "value:textblob": second})


def test_both_scorers_and_the_shares_are_specifications_and_only_the_mean_meets_the_margin() -> None:
    frame = sentiment_table(np.random.default_rng(16), 0.4, 0.4)
    found = curve_of(frame, "fixed", REST, SENTIMENT)
    kinds = {(row.choices["scorer"], row.choices["reading"]) for row in found.rows}
    assert kinds == set(product(("vader", "textblob"), ("mean", "negative share", "positive share")))
    assert found.held("disparity") == (48, 48)
    on_scale = {
        (row.choices["scorer"], row.choices["reading"]) for row in found.rows if row.within is not None
    }
    assert on_scale == {("vader", "mean")} and found.n_on_scale == 8
    shares = [row for row in found.rows if row.choices["reading"] == "negative share"]
    assert all(row.estimate is not None and row.estimate > 0 for row in shares)  # fewer negative texts


def test_an_effect_of_one_scorer_alone_holds_in_half_of_the_curve() -> None:
    found = curve_of(sentiment_table(np.random.default_rng(17), 0.4, -0.4), "fixed", REST, SENTIMENT)
    assert (found.n_significant_same, found.n_significant_opposite, found.n_run) == (24, 24, 48)
    assert found.sign_share == 23 / 47  # the main analysis is no other analysis


def test_a_scorer_that_was_not_used_is_counted_as_such() -> None:
    frame = sentiment_table(np.random.default_rng(18), 0.4, 0.4)
    for without in (frame.drop(columns="value:textblob"), frame.assign(**{"value:textblob": np.nan})):
        found = curve_of(without, "fixed", REST, SENTIMENT)
        assert found.n_run == 24
        assert found.not_computable == {"the scorer textblob was not used on these answers": 24}


def test_an_equal_model_lies_within_the_margin_in_every_specification_on_its_scale() -> None:
    frame = table("nested", np.random.default_rng(19), noise=0.05)
    found = curve_of(frame, "nested", "two")
    held = found.held("no disparity within margin")
    assert held == (8, 8) == (found.n_within, found.n_on_scale)


def test_a_blind_model_has_no_sign_anywhere() -> None:
    found = curve_of(table("nested", np.random.default_rng(20), noise=0.0), "nested", "two")
    assert (found.estimate, found.n_same_sign, found.n_significant_opposite) == (0.0, 0, 0)
    assert isinstance(found.sign_share, Undefined)


def test_every_reading_of_a_measure_makes_specifications() -> None:
    frame = table("nested", np.random.default_rng(21))
    one = replace(ODDS, readings=ODDS.readings[:1])
    assert curve_of(frame, "nested", "two").n_run == 3 * curve_of(frame, "nested", "two", one).n_run
