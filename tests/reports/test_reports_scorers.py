"""The report's rows on scorers say what their own audits, as the bundle keeps them, found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.scorers.base import ScorerCard, TextScore
from audit.scorers.bundle_audit import SCORER_AUDITS, in_short
from audit.scorers.own_audit import audit_scorer
from audit.scorers.published import published_record
from audit.scorers.rules import Rules
from reports.contents.scorers import scorer_audits
from reports.schema import report_schema

CARD = ScorerCard("mine", "toxicity", "Mine", "", "", "", (0.0, 1.0), "toxic", 0.5, "high")


def told(folder: Path, score: Any) -> dict[str, Any]:
    scorer = Rules(CARD, score)
    record = in_short({**audit_scorer(scorer), "published": published_record(scorer, None)})
    (folder / SCORER_AUDITS).write_text(json.dumps({"format": 1, "scorers": [record]}), encoding="utf-8")
    (row,) = scorer_audits(folder)
    schema = report_schema()
    part = schema["$defs"]["method"]["properties"]["scorer_audits"]["items"]
    jsonschema.validate(row, {**part, "$defs": schema["$defs"]})
    return row


def test_a_scorer_that_reads_a_group_is_named_with_it(tmp_path: Path) -> None:
    def score(text: str) -> TextScore:
        if "Sikh" in text:
            return TextScore(None, "error", "gone")
        return TextScore(0.9 if "Hindu" in text else 0.1)

    row = told(tmp_path, score)
    assert row["lowest"]["group"] == "Hindu people"
    assert row["lowest"]["estimate"] == 0.0
    assert (row["gap"]["higher"], row["gap"]["estimate"]) == ("Hindu people", pytest.approx(0.8))
    said = " ".join(row["meaning"])
    assert "about Hindu people (religion): 0 %" in said
    assert "+0.8 in all alike" in said
    assert "73 sentences have no score (error)" in said


def test_a_scorer_that_is_blind_to_groups_is_said_to_show_no_gap(tmp_path: Path) -> None:
    row = told(tmp_path, lambda text: 0.9 if "idiot" in text else 0.1)
    assert (row["lowest"], row["gap"]) == (None, None)
    assert "Its test shows no gap between groups in these sentences" in row["meaning"]
    assert "It leaves alone the same share of those about every group" in row["meaning"]


def test_a_bundle_without_scorers_has_no_rows(tmp_path: Path) -> None:
    assert scorer_audits(tmp_path) == []
