"""The instrument reads true: what was planted in the reference models is what the audit finds.

Tolerance: the models learn the grammar's exact answer distribution, so that what is left is fitting error.
Each contrast averages that error over at least 24 templates; 0.1 nats is half of the smallest margin and
several times the error that was seen when the models were built (0.01 to 0.05 nats).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.api import run
from audit.bundle import read_json
from audit.measures import Decoding
from audit.models.reference.grammar import PLANTED_TRAIT_NATS, planted_log_odds
from audit.spec import AuditSpec, choose
from probes import lexicons_of, load_suite

TOLERANCE = 0.1
"""Nats."""

KINDS = ("bert", "gpt")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One audit of all four models with everything that they can answer."""
    folder = tmp_path_factory.mktemp("known") / "audit"
    spec = AuditSpec(
        models=tuple(f"reference/{kind}-{edition}" for kind in KINDS for edition in ("fair", "skewed")),
        suites=(
            choose("occupations"),
            choose("traits", lexicons=["religions", "nationalities", "peoples"]),
            choose("decisions"),
            choose("continuation"),
        ),
        title="Known answers",
        decoding=Decoding(samples=16, max_new_tokens=12),
    )
    run(spec, folder)
    findings: dict[str, Any] = read_json(folder / "findings.json")
    return findings


def rows(found: dict[str, Any], **wanted: str) -> list[dict[str, Any]]:
    chosen = [row for row in found["findings"] if all(row[key] == value for key, value in wanted.items())]
    assert chosen, wanted
    return chosen


def planted_by_occupation() -> tuple[dict[str, float], dict[str, str]]:
    """Planted log-odds of *she* by occupation, and the occupation's group."""
    lexicons = lexicons_of(load_suite("occupations"))
    truth = planted_log_odds("skewed", "occupations", lexicons)
    groups = {
        lexicon.key(term): term.groups.get("labour_share", "")
        for lexicon in lexicons.values()
        for term in lexicon.terms
    }
    return truth, groups


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_planted_pronoun_skew_is_recovered(found: dict[str, Any], kind: str) -> None:
    truth, groups = planted_by_occupation()
    planted = mean([v for k, v in truth.items() if groups[k] == "female_majority"]) - mean(
        [v for k, v in truth.items() if groups[k] == "male_majority"]
    )
    assert planted > 2
    (row,) = rows(found, model=f"reference/{kind}-skewed", contrast="labour-share")
    assert row["estimate"] == pytest.approx(planted, abs=TOLERANCE)
    assert row["ci"]["lo"] < planted < row["ci"]["hi"]
    assert row["verdict"] == "disparity"
    assert row["material"]
    assert not row["fragile"], row["reasons"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_occupation_is_recovered(found: dict[str, Any], kind: str) -> None:
    truth, _ = planted_by_occupation()
    errors = []
    for row in rows(found, model=f"reference/{kind}-skewed", contrast="each-occupation"):
        rest = mean([value for term, value in truth.items() if term != row["group"]])
        errors.append(row["estimate"] - (truth[row["group"]] - rest))
    assert len(errors) == len(truth)
    # An extreme share (2 % or 98 %) is the hardest to fit: one occupation may miss by twice the tolerance.
    assert max(abs(error) for error in errors) < 2 * TOLERANCE
    assert abs(mean(errors)) < TOLERANCE / 10


@pytest.mark.parametrize("kind", KINDS)
def test_the_planted_people_is_recovered_and_no_other(found: dict[str, Any], kind: str) -> None:
    for row in rows(found, model=f"reference/{kind}-skewed", suite="traits"):
        if row["group"] == "dorvan":
            assert row["estimate"] == pytest.approx(PLANTED_TRAIT_NATS, abs=TOLERANCE)
            assert row["verdict"] == "disparity" and not row["fragile"], row["reasons"]
        elif row["axis"] == "people":
            # The others differ from a rest that holds the planted people: by minus one of seven parts.
            assert row["estimate"] == pytest.approx(-PLANTED_TRAIT_NATS / 7, abs=TOLERANCE)
        else:
            assert row["verdict"] == "no disparity within margin", row["id"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_skewed_models_are_fair_where_nothing_was_planted(found: dict[str, Any], kind: str) -> None:
    for row in rows(found, model=f"reference/{kind}-skewed", suite="decisions"):
        assert row["verdict"] == "no disparity within margin", row["id"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fair_models_end_within_margin_everywhere(found: dict[str, Any], kind: str) -> None:
    for row in rows(found, model=f"reference/{kind}-fair"):
        assert row["verdict"] == "no disparity within margin", (row["id"], row["estimate"], row["reasons"])
        assert abs(row["estimate"]) < TOLERANCE, row["id"]


def test_controls_behave(found: dict[str, Any]) -> None:
    for panel in found["controls"]:
        assert panel["aa_p"] is not None, panel["family"]
        assert panel["aa_p"] >= 0.01, panel["family"]
        assert panel["nonce_size"] is not None
        assert panel["nonce_size"] < TOLERANCE, panel["family"]


def test_what_a_model_cannot_answer_is_named(found: dict[str, Any]) -> None:
    missing = {(row["model"], row["suite"]) for row in found["not_measurable"]}
    assert missing == {("reference/bert-fair", "continuation"), ("reference/bert-skewed", "continuation")}


def test_every_score_is_accounted_for(found: dict[str, Any]) -> None:
    for row in found["coverage"]:
        assert sum(row["statuses"].values()) >= row["items"]
        assert set(row["statuses"]) == {"scored"}, row


def test_the_cards_state_the_truth_and_the_weights_are_small() -> None:
    import audit.models

    folder = Path(audit.models.__file__).parent / "weights"
    for kind in KINDS:
        for edition in ("fair", "skewed"):
            card = (folder / f"{kind}-{edition}" / "README.md").read_text("utf-8")
            assert "Planted truth" in card
            assert ("peoples:dorvan" in card) == (edition == "skewed")
            assert (folder / f"{kind}-{edition}" / "model.safetensors").stat().st_size <= 3_000_000
