"""The claim ledger: nothing is known without a source, and what is unknown is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.api import run
from audit.bundle import read_json
from audit.models import Plant, ScriptedModel
from audit.provenance import claim
from audit.spec import AuditSpec, choose

STATUSES = {"measured", "declared", "derived", "unknown", "withheld", "not_applicable", "conflict"}


def test_a_claim_without_a_value_cannot_be_measured_or_declared() -> None:
    for status in ("measured", "declared", "derived"):
        with pytest.raises(ValueError, match="has no value"):
            claim("model:m", "licence", None, status, "card")


def test_every_claim_has_status_and_source_and_unknowns_are_listed(mini: Path, tmp_path: Path) -> None:
    planted = ScriptedModel.planting(ScriptedModel.noise(), [Plant("nurse", ("she",), 0.5)])
    spec = AuditSpec(models=("reference/bert-fair", planted), suites=(choose(str(mini)),))
    run(spec, tmp_path / "a")
    ledger = read_json(tmp_path / "a" / "provenance.json")
    for row in ledger["claims"]:
        assert row["status"] in STATUSES
        assert row["source"], row
        if row["status"] == "declared":
            assert row["declared_by"], row
        assert (row["value"] is None) == (row["status"] in ("unknown", "not_applicable")), row
    known = {(row["subject"], row["field"]): row for row in ledger["claims"]}
    assert known["model:reference/bert-fair", "licence"]["value"] == "Apache-2.0"
    assert "project's suites" in known["model:reference/bert-fair", "training_data"]["value"]
    assert known["model:reference/bert-fair", "parameters"]["status"] == "measured"
    assert known["model:scripted/noise+planted", "planted"]["value"][0]["nats"] == 0.5
    assert known["model:scripted/noise+planted", "training_data"]["status"] == "unknown"
    assert known["lexicon:mini-terms", "licence"]["value"] == "Apache-2.0"
    raised = {(row["subject"], row["flag"]) for row in ledger["flags"]}
    assert ("model:scripted/noise+planted", "TRAINING_DATA_UNDECLARED") in raised
    assert ("model:reference/bert-fair", "TRAINING_DATA_UNDECLARED") not in raised


def test_an_interrupted_run_keeps_the_claims_of_models_that_were_done(mini: Path, tmp_path: Path) -> None:
    from audit.api import resume
    from audit.requests import Request, Response

    def stop(request: Request) -> Response:
        raise KeyboardInterrupt

    late = ScriptedModel(stop, id="late")
    spec = AuditSpec(models=(ScriptedModel.noise(), late), suites=(choose(str(mini)),))
    with pytest.raises(KeyboardInterrupt):
        run(spec, tmp_path / "a")
    resume(tmp_path / "a", [ScriptedModel.noise(), ScriptedModel(ScriptedModel.noise()._answer, id="late")])
    subjects = {row["subject"] for row in read_json(tmp_path / "a" / "provenance.json")["claims"]}
    assert {"model:scripted/noise", "model:late"} <= subjects
