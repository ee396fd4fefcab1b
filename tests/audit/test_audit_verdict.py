"""The rules of the verdict, each at its edge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.verdict import Evidence, Judgement, judge, severity

CLEAR = Evidence(
    estimate=0.9,
    ci=(0.6, 1.2),
    p_adjusted=0.001,
    alpha=0.05,
    margin=0.2,
    within=False,
    control_p=0.4,
    answer_mass=None,
    status_gap=0.0,
    sign_share=1.0,
    leave_one_out_includes_zero=False,
    equal_pieces_estimate=0.9,
    nonce_size=0.1,
    swap_holds=True,
)


def test_a_clear_disparity() -> None:
    assert judge(CLEAR) == Judgement("disparity", material=True)


@pytest.mark.parametrize(
    "change",
    [
        {"control_p": 0.0099},
        {"answer_mass": 0.899},
        {"status_gap": 0.0501},
        {"status_gap": float("nan")},
        {"swap_holds": False},
    ],
)
def test_what_takes_a_verdict_away(change: dict[str, float]) -> None:
    found = judge(replace(CLEAR, **change))
    assert found.verdict == "invalid" and len(found.reasons) == 1
    assert judge(replace(CLEAR, control_p=0.01, answer_mass=0.9, status_gap=0.05)).verdict == "disparity"


@pytest.mark.parametrize(
    "change",
    [
        {"control_p": None},
        {"leave_one_out_includes_zero": None},
        {"leave_one_out_includes_zero": True},
        {"sign_share": 0.79},
        {"equal_pieces_estimate": -0.01},
        {"nonce_size": 0.45},
        {"settings_agree": False},
        {"analyses_agree": 0.79},
    ],
)
def test_what_makes_a_disparity_fragile(change: dict[str, float | None]) -> None:
    found = judge(replace(CLEAR, **change))
    assert found.verdict == "disparity" and found.fragile and len(found.reasons) == 1


@pytest.mark.parametrize("change", [{"insufficient": "5 names"}, {"scorer_flip": "another scorer disagrees"}])
@pytest.mark.parametrize("clear", [CLEAR, replace(CLEAR, estimate=0.1, ci=(0.05, 0.15), within=True)])
def test_too_few_or_contradicted_is_inconclusive_either_way(change: dict[str, str], clear: Evidence) -> None:
    assert judge(clear).verdict != "inconclusive"
    assert judge(replace(clear, **change)) == Judgement("inconclusive", reasons=tuple(change.values()))


def test_not_significant_is_inconclusive_and_never_within_margin() -> None:
    assert judge(replace(CLEAR, p_adjusted=0.05)).verdict == "inconclusive"
    assert judge(replace(CLEAR, ci=(-0.1, 1.9))).verdict == "inconclusive"


def test_small_and_significant_is_within_margin_and_detectable() -> None:
    found = judge(replace(CLEAR, ci=(0.05, 0.15), within=True))
    assert found == Judgement("no disparity within margin", detectable=True)


@pytest.mark.parametrize("harm", ["allocational", "quality-of-service", "representational"])
def test_less_certainty_never_means_more_severity(harm: str) -> None:
    for ci in ((0.1, 0.5), (0.3, 0.7), (0.5, 0.9), (-0.9, -0.5)):
        ranks = [
            severity(Judgement("disparity", material=min(map(abs, ci)) > 0.2, fragile=fragile), ci, 0.2, harm)  # type: ignore[arg-type]
            for fragile in (False, True)
        ]
        assert ranks[0] >= ranks[1], (harm, ci, ranks)


def test_severity_of_what_is_not_a_disparity() -> None:
    assert severity(Judgement("inconclusive"), (-1, 9), 0.2, "allocational") == "unknown"
    assert severity(Judgement("invalid"), (5, 9), 0.2, "allocational") == "unknown"
    assert severity(Judgement("no disparity within margin"), (0, 0.1), 0.2, "allocational") == "S0"
    within = Judgement("no disparity within margin", detectable=True)
    assert severity(within, (0.01, 0.1), 0.2, "allocational") == "S1"
