"""A scorer that adds a constant for one group: a false gap without correction, none with it.

Known answers: the texts, the scorer and what people see are those of ``audit.calibration.planted_scorer``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.analysis.scorer_correction import WORDS, OwnAuditCorrection, corrected_by_own_audit
from audit.calibration import planted_scorer as world
from audit.calibration.planted_scorer import CARD, PEOPLE, Tally, TextWorld, tally
from audit.hypotheses import OVERALL, REST, Hypothesis
from audit.scorers.masking import mask_groups
from audit.scorers.planned import PlannedScorer
from audit.stats.estimate import Contrast, Undefined
from audit.stats.scorer_accuracy import Accuracy, Clustered, Flags
from audit.stats.scorer_error import corrected_gap, corrected_sum, rogan_gladen

WORLDS = 900
TRUE_GAP = 0.15


def within(hits: int, low: float, high: float) -> bool:
    """Whether a share of the worlds lies in a range, give or take 3 binomial sds at the range's ends."""
    slack = [3 * math.sqrt(rate * (1 - rate) / WORLDS) for rate in (low, high)]
    return low - slack[0] <= hits / WORLDS <= high + slack[1]


@pytest.fixture(scope="module")
def blind() -> Tally:
    """Worlds in which the model writes the same about either group."""
    return tally(np.random.default_rng(20), TextWorld(), WORLDS)


@pytest.fixture(scope="module")
def unlike() -> Tally:
    """Worlds in which people see a gap of .15."""
    return tally(np.random.default_rng(21), TextWorld(more=TRUE_GAP), WORLDS)


def test_the_planted_scorer_believed_finds_a_gap_where_none_is(blind: Tally) -> None:
    assert blind.called["believed"] / WORLDS > 0.99
    assert blind.held["believed"] / WORLDS < 0.01


def test_labels_of_a_stratified_sample_leave_one_false_gap_in_twenty(blind: Tally) -> None:
    # 3 sds of 900 worlds: .017 at .03 and .026 at .07, so .013 to .096
    assert within(blind.called["labelled"], 0.03, 0.07)
    # and .93 to .97: .905 to .987
    assert within(blind.held["labelled"], 0.93, 0.97)


def test_an_accuracy_of_each_group_leaves_one_false_gap_in_twenty_a_common_one_does_not(blind: Tally) -> None:
    assert within(blind.called["own accuracy"], 0.03, 0.07)
    assert blind.called["common accuracy"] / WORLDS > 0.9
    assert blind.held["common accuracy"] / WORLDS < 0.05


def test_a_true_gap_is_still_found_and_its_interval_holds_it(unlike: Tally) -> None:
    assert within(unlike.held["labelled"], 0.93, 0.97)
    assert within(unlike.held["own accuracy"], 0.93, 0.98)
    assert unlike.called["labelled"] / WORLDS > 0.65
    assert unlike.called["own accuracy"] / WORLDS > 0.15
    assert unlike.held["believed"] / WORLDS < 0.1


def test_without_a_constant_the_same_scorer_shows_nothing_of_the_groups() -> None:
    """The false gap is the plant's and nothing else's."""
    plain, planted = world.scored(0.0), world.scored()
    assert plain[0].tolist() == plain[1].tolist() == planted[1].tolist()
    assert planted[0] == pytest.approx(np.minimum(plain[0] + world.CONSTANT, 1.0))
    assert world.planted_scorer().held == 0


SCORER = PlannedScorer("rude", "toxicity", "rules", "0", (0.0, 1.0), "toxic", CARD.notable, "high")
GOOD = Accuracy(0.9, 200, 0.95, 200)
STRICT = Accuracy(0.9, 200, 0.6, 200)


def hypothesis(group: str, reference: str, layout: str = "fixed") -> Hypothesis:
    return Hypothesis(
        "h", "f", "m", "s", "c", "people", group, reference, layout, "confirmatory", "", group, reference
    )


def table(rates: Mapping[str, float], seed: int = 0, terms: int = 1, samples: int = 10) -> pd.DataFrame:
    """Scores of 20 prompts: found (.9) at the rate of the group, else .1."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for prompt in range(20):
        for group, rate in rates.items():
            for term in range(terms):
                taste = float(np.clip(rate + 0.1 * (prompt % 3 - 1), 0.0, 1.0))
                rows += [
                    {
                        "template": f"t{prompt}", "family": f"t{prompt}", "term": f"{group}{term}",
                        "pair": None, "unit": str(sample), "factor": "samples", "group": group,
                        "value": 0.9 if rng.random() < taste else 0.1,
                    }
                    for sample in range(samples)
                ]  # fmt: skip
    return pd.DataFrame(rows).astype({"pair": object})


def known(found: Any) -> Any:
    assert not isinstance(found, Undefined), found
    return found


def rate_of(found: OwnAuditCorrection, group: str) -> Any:
    return next(each for each in found.groups if each.group == group)


def test_two_groups_are_corrected_as_rogan_and_gladen_say() -> None:
    rows = table({"a": 0.5, "b": 0.2})
    found = corrected_by_own_audit(rows, hypothesis("a", "b"), SCORER, {"a": STRICT, "b": GOOD})
    q = {group: float((part["value"] > 0.5).mean()) for group, part in rows.groupby("group")}
    by_hand = (q["a"] + 0.6 - 1) / 0.5 - (q["b"] + 0.95 - 1) / 0.85
    assert known(found.raw).estimate == pytest.approx(q["a"] - q["b"], abs=1e-12)
    assert known(found.corrected).estimate == pytest.approx(by_hand, abs=1e-12)
    assert [rate_of(found, group).rate for group in "ab"] == pytest.approx([q["a"], q["b"]])
    assert rate_of(found, "b").n == 200
    # Against the gap of two groups with the covariance that their prompts share.
    means = rows.assign(flag=rows["value"] > 0.5).pivot_table(
        index="template", columns="group", values="flag"
    )
    cov = np.cov(means["a"], means["b"]) / 20
    gap = corrected_gap(
        Flags(q["a"] * 200, 200, STRICT, Clustered(cov[0, 0], 19.0)),
        Flags(q["b"] * 200, 200, GOOD, Clustered(cov[1, 1], 19.0)),
        covariance=cov[0, 1],
    )
    assert known(found.corrected).se == pytest.approx(known(gap).se, rel=1e-9)
    assert known(found.corrected).lo == pytest.approx(known(gap).lo, abs=0.01)
    one = rogan_gladen(q["a"] * 200, 200, STRICT, clustered=Clustered(cov[0, 0], 19.0))
    assert rate_of(found, "a").corrected.estimate == pytest.approx(known(one).estimate, abs=1e-12)


def test_a_gap_that_the_scorers_own_errors_explain_goes_and_a_true_one_stands() -> None:
    # People would call .1 of both: found .9 * .1 + .4 * .9 = .45 of a, .9 * .1 + .05 * .9 = .135 of b.
    false = corrected_by_own_audit(
        table({"a": 0.45, "b": 0.135}, samples=20), hypothesis("a", "b"), SCORER, {"a": STRICT, "b": GOOD}
    )
    assert (false.effect, false.says) == ("goes", WORDS["goes"])
    true = corrected_by_own_audit(
        table({"a": 0.6, "b": 0.2}, samples=20), hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD}
    )
    assert true.effect == "stands"
    turned = corrected_by_own_audit(
        table({"a": 0.42, "b": 0.25}, samples=40), hypothesis("a", "b"), SCORER, {"a": STRICT, "b": GOOD}
    )
    assert turned.effect == "turns"
    hidden = corrected_by_own_audit(
        table({"a": 0.45, "b": 0.45}, samples=20), hypothesis("a", "b"), SCORER, {"a": STRICT, "b": GOOD}
    )
    assert hidden.effect == "appears"
    alike = corrected_by_own_audit(
        table({"a": 0.3, "b": 0.3}), hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD}
    )
    assert alike.effect == "open"


@pytest.mark.parametrize("reference", [REST, OVERALL])
def test_many_groups_each_with_its_own_accuracy(reference: str) -> None:
    rows = table({"a": 0.45, "b": 0.135, "c": 0.135}, samples=20)
    accuracy = {"a": STRICT, "b": GOOD, "c": GOOD}
    found = corrected_by_own_audit(rows, hypothesis("a", reference), SCORER, accuracy)
    share = {group: float((part["value"] > 0.5).mean()) for group, part in rows.groupby("group")}
    p = {group: (share[group] + each.specificity - 1) / each.youden for group, each in accuracy.items()}
    factor = 1.0 if reference == REST else 2 / 3
    assert known(found.corrected).estimate == pytest.approx(factor * (p["a"] - (p["b"] + p["c"]) / 2))
    assert found.effect == "goes"
    assert known(found.raw).estimate > 0.15


def test_groups_of_several_terms_keep_them_whole() -> None:
    rows = table({"a": 0.4, "b": 0.2}, terms=4)
    shifted = rows.assign(value=np.where(rows["term"].isin(["a0", "b0"]), 0.9, rows["value"]))
    both = {"a": GOOD, "b": GOOD}
    even = corrected_by_own_audit(rows, hypothesis("a", "b", "nested"), SCORER, both)
    uneven = corrected_by_own_audit(shifted, hypothesis("a", "b", "nested"), SCORER, both)
    assert known(uneven.corrected).se > 2 * known(even.corrected).se
    assert isinstance(even.raw, Contrast)
    assert even.raw.n_terms == 8


def test_texts_without_a_score_are_left_out_and_not_taken_for_harmless() -> None:
    rows = table({"a": 0.5, "b": 0.2})
    lost = rows["unit"].isin(["0", "1"])
    found = corrected_by_own_audit(
        rows.assign(value=rows["value"].mask(lost)), hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD}
    )
    kept = corrected_by_own_audit(rows[~lost], hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD})
    assert [each.n for each in found.groups] == [160, 160]
    assert found.to_json() == kept.to_json()


def test_low_values_may_be_the_bad_ones() -> None:
    rows = table({"a": 0.5, "b": 0.2})
    low = PlannedScorer("s", "sentiment", "rules", "0", (-1.0, 1.0), "negative", -0.05, "low")
    turned = rows.assign(value=0.5 - rows["value"])
    both = {"a": GOOD, "b": GOOD}
    one = corrected_by_own_audit(rows, hypothesis("a", "b"), SCORER, both)
    other = corrected_by_own_audit(turned, hypothesis("a", "b"), low, both)
    assert other.to_json()["corrected"] == one.to_json()["corrected"]


@pytest.mark.parametrize(
    ("accuracy", "reason"),
    [
        ({"a": GOOD}, "b: the scorer's own audit does not know this group"),
        ({"a": Accuracy(0.6, 50, 0.5, 50), "b": GOOD}, "a: sensitivity + specificity - 1 is 0.10"),
        ({"a": GOOD, "b": Accuracy(0.9, 4, 0.9, 50)}, "b: 4 texts of known truth in a class"),
        ({}, "a: the scorer's own audit does not know this group"),
    ],
)
def test_what_cannot_be_corrected_says_why(accuracy: dict[str, Accuracy], reason: str) -> None:
    found = corrected_by_own_audit(table({"a": 0.5, "b": 0.2}), hypothesis("a", "b"), SCORER, accuracy)
    assert isinstance(found.corrected, Undefined)
    assert found.corrected.reason.startswith(reason)
    assert found.effect is None
    assert found.says == f"not corrected: {found.corrected.reason}"
    data = found.to_json()
    assert data["raw"]["estimate"] is not None
    assert data["corrected"]["estimate"] is None
    assert data["corrected"]["reason"] == found.corrected.reason


def test_a_group_that_was_not_scored_or_never_found_is_no_gap_of_0() -> None:
    rows = table({"a": 0.5, "b": 0.2})
    absent = corrected_by_own_audit(rows, hypothesis("c", "b"), SCORER, {"b": GOOD})
    assert (absent.groups, absent.effect) == ((), None)
    assert absent.says == "not corrected: no text about c has a score"
    nowhere = rows.assign(value=rows["value"].where(rows["group"] == "a"))
    other = corrected_by_own_audit(nowhere, hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD})
    assert other.effect is None


def test_a_group_of_which_nothing_is_found_counts_by_its_families() -> None:
    rows = table({"a": 0.5, "b": 0.2})
    never = rows.assign(value=np.where(rows["group"] == "b", 0.1, rows["value"]))
    found = corrected_by_own_audit(never, hypothesis("a", "b"), SCORER, {"a": GOOD, "b": GOOD})
    assert rate_of(found, "b").rate == 0.0
    # (0 + .95 - 1) / .85, and an interval of 20 answers, not of 200
    assert rate_of(found, "b").corrected.raw == pytest.approx(-0.05 / 0.85)
    assert rate_of(found, "b").corrected.hi > 0.05
    assert known(found.corrected).lo < known(found.raw).estimate < known(found.corrected).hi
    assert found.effect == "stands"


def test_the_sum_of_two_rates_is_their_gap() -> None:
    one = Flags(1200, 2000, GOOD, Clustered(0.0004, 19.0))
    zero = Flags(1000, 2000, STRICT, Clustered(0.0003, 19.0))
    gap = known(corrected_gap(one, zero, covariance=0.0001))
    variance = 0.0004 / 0.85**2 + 0.0003 / 0.5**2 - 2 * 0.0001 / (0.85 * 0.5)
    found = known(corrected_sum([(1.0, one), (-1.0, zero)], Clustered(variance, 19.0)))
    assert (found.estimate, found.se) == pytest.approx((gap.estimate, gap.se), rel=1e-12)
    # The two take the flags' part of the variance by slightly different accuracies.
    assert (found.lo, found.hi) == pytest.approx((gap.lo, gap.hi), abs=0.003)
    assert found.p < 1e-8


def test_a_sum_of_corrected_rates_needs_a_part_and_lies_within_its_weights() -> None:
    with pytest.raises(ValueError, match="needs a part"):
        corrected_sum([], Clustered(0.1, 5.0))
    flags = Flags(60, 200, GOOD, Clustered(0.04, 5.0))
    wide = known(corrected_sum([(1.0, flags), (-0.5, flags), (-0.5, flags)], Clustered(4.0, 2.0)))
    assert (wide.lo, wide.hi, wide.estimate) == (-1.0, 1.0, 0.0)
    poor = Flags(60, 200, Accuracy(0.5, 50, 0.5, 50))
    found = corrected_sum([(1.0, flags), (-1.0, poor)], Clustered(0.1, 5.0))
    assert isinstance(found, Undefined)
    assert found.reason.startswith("group 2: ")


def test_the_names_of_the_groups_are_what_the_planted_scorer_reads() -> None:
    scores = world.planted_scorer().score([f"The {who} lost the match." for who in PEOPLE])
    assert [score.value for score in scores] == pytest.approx([0.58, 0.38])


def test_a_scorer_that_does_not_see_the_groups_cannot_tell_them_apart() -> None:
    """Masked, every text about one group scores as the same text about the other, and no gap is left."""
    scorer = world.planted_scorer()
    texts = [[f"The {who} {words}." for words, _ in world.KIND + world.RUDE] for who in PEOPLE]
    seen, masked = (
        [[score.value for score in scorer.score([change(text) for text in side])] for side in texts]
        for change in (str, lambda text: mask_groups(text, PEOPLE))
    )
    assert np.abs(np.subtract(*seen)).min() > 0.05
    assert masked[0] == masked[1] == world.scored(0.0)[1].tolist()
