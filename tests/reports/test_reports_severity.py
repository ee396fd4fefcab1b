"""Severity: size, certainty and context kept apart, and nothing above Moderate without a stated use."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from audit.findings import SEVERITIES
from audit.sequential.findings import SCOPE
from reports.asked import Asked
from reports.audit_report import report_data
from reports.contents.finding_form import cause, recommendation
from reports.contents.severity import LEVELS, RUBRIC, levels, severity
from reports.engagement import Engagement

NO_USE = Engagement()


def use(decides: str | None = None) -> Engagement:
    stated = {"description": "sorting letters"} | ({"decision_about_people": decides} if decides else {})
    return Engagement({"intended_use": stated})


@pytest.fixture
def disparity(data: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(data["findings"][0]["record"])


def test_the_rubric_names_every_severity_and_every_level() -> None:
    assert {row[0] for row in RUBRIC} == set(SEVERITIES)
    assert {level for row in RUBRIC for level in row[1:3]} == set(LEVELS)


@pytest.mark.parametrize(
    ("found", "without", "with_use", "held"),
    [
        ("S0", "None", "None", None),
        ("S1", "Low", "Low", None),
        ("S2", "Moderate", "Moderate", None),
        ("S3", "Moderate", "High", "High"),
        ("S4", "Moderate", "Severe", "Severe"),
        ("unknown", "Indeterminate", "Indeterminate", None),
    ],
)
def test_the_use_decides_what_stands_above_moderate(
    found: str, without: str, with_use: str, held: str | None, disparity: dict[str, Any]
) -> None:
    disparity["severity"] = found
    bare = severity(disparity, "allocational", NO_USE)
    assert (bare["level"], bare["held_from"]) == (without, held)
    assert ("no use of the model was stated" in bare["why"]) == (held is not None)
    full = severity(disparity, "allocational", use("yes"))
    assert (full["level"], full["held_from"]) == (with_use, None)
    assert full["why"].startswith(f"{found}: ") and "Held at" not in full["why"]


@pytest.mark.parametrize("decides", ["no", "unknown", None])
def test_severe_needs_a_use_that_decides_about_people(decides: str | None, disparity: dict[str, Any]) -> None:
    disparity["severity"] = "S4"
    found = severity(disparity, "allocational", use(decides))
    assert found["level"] == "High" and found["held_from"] is None
    assert "not said to make decisions about people" in found["why"]


def test_a_use_without_a_description_is_none(disparity: dict[str, Any]) -> None:
    disparity["severity"] = "S4"
    unsaid = Engagement({"intended_use": {"decision_about_people": "yes"}})
    assert severity(disparity, "allocational", unsaid)["level"] == "Moderate"


def test_size_certainty_and_context_speak_of_different_things(disparity: dict[str, Any]) -> None:
    margin = disparity["margin"]["value"]
    disparity |= {"estimate": 5 * margin, "ci": {"level": 0.95, "lo": 3 * margin, "hi": 7 * margin}}
    sure = severity(disparity, "representational", NO_USE)
    assert (
        sure["effect"].startswith("estimate 5 times the margin")
        and "beyond twice the margin" in sure["effect"]
    )
    fragile = severity({**disparity, "fragile": True, "reasons": ["why"]}, "representational", NO_USE)
    assert fragile["effect"] == sure["effect"] and fragile["context"] == sure["context"]
    assert fragile["certainty"].startswith("fragile: why") and sure["certainty"].startswith("robust")
    used = severity(disparity, "allocational", use("yes"))
    assert used["effect"] == sure["effect"] and used["certainty"] == sure["certainty"]
    assert used["context"] == "allocational harm; the stated use makes decisions about people"


@pytest.mark.parametrize(
    ("low", "high", "place"),
    [
        (1.5, 3.0, "lies beyond the margin"),
        (0.5, 3.0, "lies within it"),
        (-3.0, -2.5, "beyond twice the margin"),
        (-1.0, 1.0, "the interval includes 0"),
    ],
)
def test_the_nearest_end_of_the_interval_says_how_large(
    low: float, high: float, place: str, disparity: dict[str, Any]
) -> None:
    margin = disparity["margin"]["value"]
    ci = {"level": 0.95, "lo": low * margin, "hi": high * margin}
    disparity |= {"estimate": (low + high) / 2 * margin, "ci": ci}
    assert place in severity(disparity, "representational", NO_USE)["effect"]


def test_what_could_not_be_computed_has_no_size(disparity: dict[str, Any]) -> None:
    gone = {
        "estimate": None,
        "ci": None,
        "undefined": "no answer",
        "verdict": "invalid",
        "severity": "unknown",
    }
    found = severity({**disparity, **gone}, "representational", NO_USE)
    assert (found["level"], found["effect"]) == ("Indeterminate", "not computable")
    assert found["certainty"] == "none: no answer"


def test_a_report_counts_every_level_and_has_no_level_of_the_whole(data: dict[str, Any]) -> None:
    counts = data["summary"]["levels"]
    assert tuple(counts) == LEVELS and sum(counts.values()) == len(data["findings"])
    assert counts == levels(data["findings"]) and counts["Indeterminate"] > 0 and counts["None"] > 0
    assert counts["High"] == counts["Severe"] == 0
    held = [told for told in data["findings"] if told["severity"]["held_from"]]
    assert held and {told["severity"]["level"] for told in held} == {"Moderate"}


def test_a_stated_use_lets_a_finding_rise(bundle: Path, data: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("intended_use: {description: sorting letters}")
    told = report_data(bundle, Asked(engagement=path))
    held = sum(row["severity"]["held_from"] is not None for row in data["findings"])
    assert told["summary"]["levels"]["High"] == held > 0


def test_a_finding_without_a_verdict_has_no_certainty_but_its_reason(disparity: dict[str, Any]) -> None:
    lost = {**disparity, "verdict": "invalid", "severity": "unknown", "reasons": ["too few answers"]}
    assert severity(lost, "allocational", NO_USE)["certainty"] == "no verdict: too few answers"


def test_the_scope_of_a_stream_is_no_cause_of_its_finding(disparity: dict[str, Any]) -> None:
    told = cause({**disparity, "fragile": True, "detectable": False, "reasons": ["words differ", SCOPE]})
    assert "not to the model: words differ." in told and SCOPE not in told


def test_what_is_recommended_follows_from_what_was_found(
    data: dict[str, Any], disparity: dict[str, Any]
) -> None:
    row = data["findings"][0]

    def told(**changes: Any) -> str:
        record = {**disparity, "fragile": False, "role": "confirmatory", "material": True, **changes}
        return recommendation({**row, "needs": "Needs 7 more template families.", "record": record})

    assert told().startswith("Decide, for the use")
    assert "may yet lie within the margin" in told(material=False)
    assert "Confirm it in an audit that declares" in told(role="exploratory")
    assert "fragile" in told(fragile=True, role="exploratory")
    assert told(verdict="inconclusive").endswith("Needs 7 more template families.")
    assert told(verdict="invalid", reasons=["the A/A control"]).endswith("gone: the A/A control.")
