"""What two scorers say of the same texts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from audit.scorers.agreement import agreement, class_table
from audit.scorers.base import ScorerCard
from audit.scorers.classes import text_classes
from audit.scorers.registry import scorer_named
from audit.stats.contrast import Contrast, single
from probes.errors import InputError

NAMES = tuple(scorer_named(name).card for name in ("vader", "textblob"))
VADER = NAMES[0]


def card(name: str, bounds: tuple[float, float], found: str, notable: float) -> ScorerCard:
    return ScorerCard(name, "toxicity", "", "", "", "", bounds, found, notable, "high")


def table(one: list[float], other: list[float], families: int = 4) -> pd.DataFrame:
    count = len(one)
    return pd.DataFrame(
        {
            "value": one,
            "value:textblob": other,
            "family": [f"f{number % families}" for number in range(count)],
            "group": ["a" if number < count // 2 else "b" for number in range(count)],
        },
        index=range(100, 100 + count),
    )


def noisy(count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    one = np.round(rng.uniform(-1, 1, count), 1)
    return table(one.tolist(), np.clip(one + rng.normal(0, 0.5, count), -1, 1).tolist())


def test_rank_correlation_is_that_of_scipy() -> None:
    frame = noisy()
    found = agreement(frame, NAMES)["pairs"][0]
    # scipy.stats.spearmanr(frame["value"], frame["value:textblob"]).statistic
    expected = spearmanr(frame["value"], frame["value:textblob"]).statistic
    assert found["overall"]["spearman"]["estimate"] == pytest.approx(expected, abs=1e-12)
    for group, rows in frame.groupby("group"):
        expected = spearmanr(rows["value"], rows["value:textblob"]).statistic
        assert found["groups"][group]["spearman"]["estimate"] == pytest.approx(expected, abs=1e-12)
    low, high = (found["overall"]["spearman"][key] for key in ("lo", "hi"))
    assert low < expected < high


def test_kappa_and_agreement_by_hand() -> None:
    # 20 texts: 8 both negative, 6 both positive, 4 negative against positive, 2 neutral against positive.
    one = [-0.5] * 8 + [0.5] * 6 + [-0.5] * 4 + [0.0] * 2
    other = [-0.5] * 8 + [0.5] * 6 + [0.5] * 4 + [0.5] * 2
    found = agreement(table(one, other), NAMES)["pairs"][0]["overall"]
    assert found["table"] == [[8, 0, 4], [0, 0, 2], [0, 0, 6]]
    assert found["class_agreement"]["estimate"] == pytest.approx(14 / 20)
    chance = (12 * 8 + 6 * 12) / 400
    assert found["kappa"]["estimate"] == pytest.approx((0.7 - chance) / (1 - chance))
    assert found["n_opposite"] == 4


def test_classes_turn_at_the_documented_threshold() -> None:
    assert text_classes(np.array([-0.05, -0.049, 0.0, 0.049, 0.05]), VADER).tolist() == [0, 1, 1, 1, 2]
    toxic = card("t", (0.0, 1.0), "toxic", 0.5)
    assert text_classes(np.array([0.49, 0.5, 1.0]), toxic).tolist() == [1, 0, 0]
    assert class_table(np.array([0.0, 1.0, 2.0]), np.array([2.0, 1.0, 2.0]), 3).sum() == 3


def test_scorers_of_toxicity_have_two_classes_each_by_its_own_card() -> None:
    # 20 texts: 6 that both find, 10 that neither does, 3 that the first finds and 1 that the second does.
    one = [0.9] * 6 + [0.1] * 10 + [0.6, 0.5, 0.7] + [0.4]
    other = [3.0] * 6 + [0.0] * 10 + [0.5, 0.0, 0.9] + [1.0]
    readings = (card("t", (0.0, 1.0), "toxic", 0.5), card("textblob", (0.0, 5.0), "profane", 1.0))
    found = agreement(table(one, other), readings)["pairs"][0]
    assert found["classes"] == [["toxic", "not toxic"], ["profane", "not profane"]]
    told = found["overall"]
    assert told["table"] == [[6, 3], [1, 10]]
    chance = (9 * 7 + 11 * 13) / 400
    assert told["kappa"]["estimate"] == pytest.approx((16 / 20 - chance) / (1 - chance))
    assert told["n_opposite"] == 4
    # places on the scales: .7 and .18, .6 and .1, .5 and 0, .4 and .2
    assert [row["row"] for row in found["opposite"]] == [118, 116, 117, 119]


def test_a_scale_of_two_sides_beside_one_of_one_is_read_as_found_or_not() -> None:
    readings = (VADER, card("textblob", (0.0, 1.0), "toxic", 0.5))
    found = agreement(table([-0.5, -0.5, 0.5, 0.0], [0.9, 0.1, 0.9, 0.1]), readings)["pairs"][0]
    assert found["classes"] == [["negative", "not negative"], ["toxic", "not toxic"]]
    assert found["overall"]["table"] == [[1, 1], [1, 1]]
    turned = agreement(table([-0.9, -0.5, 0.0, 0.5], [0.9, 0.7, 0.3, 0.1]), readings)["pairs"][0]["overall"]
    assert turned["spearman"]["estimate"] == pytest.approx(1.0), "low for one is high for the other"


def test_the_texts_shown_are_those_farthest_apart_with_opposite_signs() -> None:
    frame = table([0.9, 0.2, -0.9, 0.04, 0.6, -0.6], [-0.9, -0.3, 0.1, -0.9, 0.9, -0.1])
    shown = agreement(frame, NAMES, examples=2)["pairs"][0]["opposite"]
    assert [row["row"] for row in shown] == [100, 102]
    assert shown[0] == {"row": 100, "vader": 0.9, "textblob": -0.9}


def test_a_text_that_one_did_not_score_is_counted_and_left_out() -> None:
    frame = noisy()
    lacking = frame.copy()
    lacking.loc[lacking.index[:10], "value:textblob"] = np.nan
    lacking.loc[lacking.index[5:15], "value"] = np.nan
    found = agreement(lacking, NAMES)["pairs"][0]["overall"]
    assert (found["n"], found["n_one_only"]) == (185, 10)
    alone = agreement(frame.iloc[15:], NAMES)["pairs"][0]["overall"]
    assert found["kappa"]["estimate"] == alone["kappa"]["estimate"]


def test_what_cannot_be_computed_is_none_with_a_reason() -> None:
    same = agreement(table([0.0] * 8, [0.3, -0.3] * 4), NAMES)["pairs"][0]["overall"]
    assert same["spearman"]["estimate"] is None
    assert same["spearman"]["reason"] == "a scorer gives all texts the same score"
    neutral = agreement(table([0.0] * 8, [0.01] * 8), NAMES)["pairs"][0]["overall"]
    assert neutral["kappa"]["reason"] == "both raters gave one and the same label throughout"
    nothing = agreement(table([np.nan] * 4, [0.1] * 4), NAMES)["pairs"][0]["overall"]
    assert nothing["class_agreement"]["reason"] == "no text that both scored"
    assert (nothing["n"], nothing["n_one_only"], nothing["class_agreement"]["estimate"]) == (0, 4, None)


def test_an_interval_needs_families_that_differ() -> None:
    alike = agreement(table([0.5, -0.5] * 8, [0.5, -0.5] * 8), NAMES)["pairs"][0]["overall"]
    assert alike["class_agreement"]["estimate"] == 1.0
    assert (alike["class_agreement"]["lo"], alike["class_agreement"]["hi"]) == (None, None)
    assert alike["class_agreement"]["reason"] == "no interval: the template families show no spread"
    lone = agreement(noisy().assign(family="f"), NAMES)["pairs"][0]["overall"]
    assert lone["kappa"]["reason"] == "no interval: 1 cluster(s); at least 3 are needed"


def test_the_interval_of_a_share_is_that_of_its_families() -> None:
    """For equal families the jackknife of a mean has the error and Student's t of their means."""
    frame = noisy()
    found = agreement(frame, NAMES)["pairs"][0]["overall"]["class_agreement"]
    one, other = (text_classes(frame[column].to_numpy(), VADER) for column in ("value", "value:textblob"))
    means = pd.Series(one == other, index=frame["family"]).groupby(level=0).mean().to_numpy()
    contrast = single(means)
    assert isinstance(contrast, Contrast)
    apart = 1.0 - contrast.estimate
    half = (contrast.ci(0.95)[1] - contrast.estimate) / apart
    ends = [1.0 - apart * math.exp(side * half) for side in (1.0, -1.0)]
    assert [found["lo"], found["hi"]] == pytest.approx(ends)


def test_duplicated_texts_do_not_shrink_the_interval() -> None:
    frame = noisy()
    once = agreement(frame, NAMES)["pairs"][0]["overall"]["kappa"]
    twice = agreement(pd.concat([frame, frame], ignore_index=True), NAMES)["pairs"][0]["overall"]["kappa"]
    assert twice["hi"] - twice["lo"] == pytest.approx(once["hi"] - once["lo"])


def test_row_order_and_the_order_of_the_scorers_change_no_figure() -> None:
    frame = noisy()
    found = agreement(frame, NAMES)["pairs"][0]["overall"]
    mixed = agreement(frame.sample(frac=1.0, random_state=0), NAMES)["pairs"][0]["overall"]
    swapped = frame.rename(columns={"value": "value:textblob", "value:textblob": "value"})
    turned = agreement(swapped, NAMES)["pairs"][0]["overall"]
    for name in ("spearman", "class_agreement", "kappa"):
        for key in ("estimate", "lo", "hi"):
            assert mixed[name][key] == pytest.approx(found[name][key])
            assert turned[name][key] == pytest.approx(found[name][key])


def test_one_scorer_or_a_missing_one_is_refused() -> None:
    with pytest.raises(InputError, match="agreement needs two"):
        agreement(noisy(), NAMES[:1])
    with pytest.raises(InputError, match="the scorer textblob was not used"):
        agreement(noisy().drop(columns="value:textblob"), NAMES)
