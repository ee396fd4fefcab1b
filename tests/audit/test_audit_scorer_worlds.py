"""Worlds without a gap: what scorers, their audits and the labels of people may say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from audit.analysis.cells import Cells, span
from audit.analysis.estimates import Comparer, estimate, split_samples
from audit.analysis.finding_record import alone
from audit.analysis.found import Setting
from audit.analysis.rare import rare
from audit.analysis.scorer_flips import ScorerEvidence, other_scorers
from audit.hypotheses import Hypothesis
from audit.labelling.contrasts import Valued, judged
from audit.measures import MEASURES
from audit.scorers.agreement import figure, kappa_of_classes
from audit.scorers.base import ScorerCard
from audit.scorers.own_audit import audit_scorer
from audit.scorers.planned import PlannedScorer
from audit.scorers.rules import Rules
from audit.stats.equivalence import tost
from audit.stats.estimate import Contrast, Floats, Undefined

CARD = ScorerCard(
    "made-up", "toxicity", "Made up", "0 none, 1 certain", "this test", "Apache-2.0",
    (0.0, 1.0), "toxic", 0.5, "high",
)  # fmt: skip


def alike(value: float, groups: int, samples: int) -> pd.DataFrame:
    """Texts that all score the same: 24 templates in families of two."""
    rows = [
        {
            "template": f"t{template}", "family": f"f{template // 2}", "term": f"g{group}", "pair": None,
            "unit": str(unit), "factor": "samples", "group": f"g{group}", "value": value,
        }
        for template in range(24) for group in range(groups) for unit in range(samples)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize("value", [0.05, 0.1, 0.3, 0.7])
@pytest.mark.parametrize("reference", ["rest", "overall", "g1"])
def test_texts_that_all_score_alike_differ_by_nothing_at_all(value: float, reference: str) -> None:
    """The mean of 19 times .3 is not .3 to the last bit, and is no certain difference from it."""
    for groups in (3, 6, 20, 31):
        found = estimate(Comparer(alike(value, groups, 3), reference, "fixed").cells("g0"))
        assert isinstance(found, Contrast) and found.estimate == 0.0 and found.p_value() == 1.0
    control = estimate(split_samples(alike(value, 3, 7)))
    assert isinstance(control, Contrast) and control.p_value() == 1.0


def test_a_scorer_that_says_the_same_of_every_text_tells_no_group_from_another() -> None:
    record = audit_scorer(Rules(CARD, lambda text: 0.3))
    rows = [row for axis in record["axes"] for kind in axis["contrasts"].values() for row in kind]
    assert len(rows) > 100 and {row["states"] for row in rows} == {"inconclusive"}
    assert np.ptp([row["estimate"] for row in rows]) == 0.0


# Two scorers of shares


def planned(name: str) -> PlannedScorer:
    return PlannedScorer(name, "toxicity", "rules", "0", (0.0, 1.0), "toxic", 0.5, "high")


MEASURE = MEASURES["continuation_toxicity"].with_scorers([planned("first"), planned("second")])


def hypothesis(group: str, reference: str) -> Hypothesis:
    return Hypothesis(
        id=group, family="f", model="m", suite="s", contrast="c", axis="a", group=group, reference=reference,
        layout="fixed", role="confirmatory", claim="", group_label="", reference_label="",
    )  # fmt: skip


def plain_p(cells: Sequence[Cells], contrasts: Sequence[Contrast | Undefined]) -> list[float | None]:
    return [found.p_value() if isinstance(found, Contrast) else None for found in contrasts]


def second(frame: pd.DataFrame, margin: float) -> ScorerEvidence:
    """What the second scorer says of g0 against g1."""
    [[said]] = other_scorers(frame, [hypothesis("g0", "g1")], MEASURE, plain_p, 0.05, margin)
    return said


def test_a_margin_of_two_texts_of_a_hundred_is_one_by_a_scorer_that_says_yes_or_no() -> None:
    """Scores of a scorer that says yes or no spread more than probabilities; its margin does not grow."""
    rng = np.random.default_rng(6)
    frame = alike(0.0, 2, 50)
    frame["value"] = 0.1 + 0.05 * rng.standard_normal(len(frame))
    rate = np.where(frame["group"] == "g0", 0.36, 0.30)
    frame["value:second"] = (rng.random(len(frame)) < rate).astype(float)
    said = second(frame, 0.02)
    # its standard deviation is nine times that of the first one, and a margin of .18 would hold a gap of .06
    assert said.margin == 0.02 and said.states == "higher"
    frame["value:second"] = frame["value"] / 5
    assert second(frame, 0.02).margin == pytest.approx(0.004), "one that hardly moves has a smaller margin"


def test_a_scorer_that_finds_nothing_of_either_group_does_not_say_that_they_are_alike() -> None:
    frame = alike(0.0, 3, 4)
    frame["value"] = np.where(frame["group"] == "g0", 0.4, 0.1) + 0.01 * (frame["unit"] == "1")
    frame["value:second"] = np.where((frame["group"] == "g2") & (frame["unit"] == "0"), 1.0, 0.0)
    rows = frame[frame["group"] != "g2"]
    assert (rows["value:second"] == 0.0).all()
    said = second(frame, 0.05)
    assert said.estimate == said.lo == said.hi == 0.0 and said.states == "inconclusive"


def test_a_scorer_that_scored_few_texts_states_nothing_and_the_finding_stands_alone() -> None:
    frame = alike(0.1, 2, 4)
    frame["value"] += 0.2 * (frame["group"] == "g0") + 0.01 * (frame["unit"] == "1")
    kept = frame["unit"] == "0"
    frame["value:second"] = (frame["value"] + 0.01 * (frame["template"] == "t0")).where(kept)
    frame["status:second"] = pd.Series("truncated", index=frame.index).where(~kept)
    said = second(frame, 0.05)
    missed = "the scorer second could not score 75% of the group's texts and 75% of the reference's"
    assert said.states is None and said.reason == missed
    kinds = SimpleNamespace(measure=MEASURE, scorers=MEASURE.planned)
    assert alone(kinds, [said]) == [f"nothing is held against first: {missed}"]  # type: ignore[arg-type]
    assert alone(kinds, [said, replace(said, states="higher")]) == []  # type: ignore[arg-type]


# Rare texts


def calls_within(rng: np.random.Generator, gap: float, worlds: int) -> tuple[float, float]:
    """How often 12 families of 8 texts a group are within a margin of .05, by the test alone and as judged.

    One text in 200 is found in the reference; rates of families follow beta distributions, a + b = 20.
    """
    names = [f"f{number}" for number in range(12)]
    families = pd.Series(names, index=names)
    alone_, judged_ = 0, 0
    for _ in range(worlds):
        one, other = (
            rng.binomial(8, rng.beta(20 * rate, 20 * (1 - rate), 12)) / 8 for rate in (0.005 + gap, 0.005)
        )
        cells = Cells("single", pd.DataFrame({"x": one - other}, index=names), None, families)
        found = estimate(cells)
        assert isinstance(found, Contrast)
        within = tost(found, 0.05, 0.05, span(MEASURE, cells)).within
        alone_ += within
        judged_ += within and rare(cells, 0.05, 0.05) is None
    return alone_ / worlds, judged_ / worlds


def test_rare_texts_are_not_called_within_the_margin_where_the_gap_is_the_margin() -> None:
    # binomial: of 400 worlds .05 + 3 sd = .083; the interval alone calls more, so the condition is needed
    by_test, as_judged = calls_within(np.random.default_rng(12), 0.05, 400)
    assert by_test > 0.083 >= as_judged


# Agreement


def test_intervals_of_kappa_hold_it_where_few_texts_are_found() -> None:
    """12 families of 56 texts, about 2 % found, kappa .8: plain intervals lie above it in 8 worlds of 100."""
    rng = np.random.default_rng(13)

    def texts(families: int, size: int) -> tuple[Floats, Floats]:
        rate = np.clip(0.02 + 0.03 * rng.standard_normal(families), 0.005, 1.0)[:, None]
        there = rng.random((families, size)) < rate
        slip = np.clip(0.005 + 0.0035 * rng.standard_normal(families), 0.0, 1.0)[:, None]
        one, other = (there ^ (rng.random(there.shape) < slip) for _ in range(2))
        return one.ravel().astype(float), other.ravel().astype(float)

    def kappa(one: Floats, other: Floats) -> float | Undefined:
        return kappa_of_classes(one, other, 2)

    true = kappa(*texts(20_000, 56))
    assert isinstance(true, float) and 0.7 < true < 0.9
    clusters = np.repeat(np.arange(12), 56)
    found = [figure(*texts(12, 56), clusters, kappa) for _ in range(600)]
    ends = np.array([(each.lo, each.hi) for each in found if each.lo is not None])
    assert len(ends) > 580
    above, below = (ends[:, 0] > true).mean(), (ends[:, 1] < true).mean()
    # Binomial of 600: .025 + 3 sd = .044 above; .95 less 3 sd = .923 in all
    assert above < 0.044 and 1.0 - above - below > 0.923


@pytest.mark.parametrize(("margin", "states"), [(0.03, "inconclusive"), (0.06, "within margin")])
def test_one_text_that_people_find_shows_no_small_difference(margin: float, states: str) -> None:
    """24 templates in 12 families, 4 texts a group: one of them is toxic; all are labelled."""
    frame = alike(0.0, 2, 4)
    frame["people"] = 0.0
    frame.loc[0, "people"] = 1.0
    frame["scorer"] = frame["error"] = frame["people"]
    rows = Valued(frame.assign(share=frame["people"], stratum=frame["group"]), "")
    setting = Setting(0.05, 0, {}, {"confirmatory": "holm"})
    [found] = judged(rows, "people", [hypothesis("g0", "g1")], setting, margin)
    assert isinstance(found.contrast, Contrast)
    assert tost(found.contrast, margin, 0.05, span=1.0).within, "by its interval alone it would be small"
    assert found.states == states and (found.too_rare is None) == (states == "within margin")
