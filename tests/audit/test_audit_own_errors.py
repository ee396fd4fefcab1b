"""A bundle's findings beside what its scorers' own audits leave of them: computed, shown, and no more."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit import own_errors as module
from audit.analysis.estimates import axis_rows
from audit.analysis.scorer_correction import corrected_by_own_audit
from audit.bundle import read_json
from audit.cli import app
from audit.drill import hypothesis_of, own_rows
from audit.own_errors import errors_of, own_errors, told_errors
from audit.scorers.accuracy import group_accuracy
from audit.scorers.registry import scorer_named
from audit.sidecar import open_sidecar
from reports.audit_report import report_data
from reports.writers.detail import detail
from tests.audit.review_world import write_audit


def share(estimate: float) -> dict[str, Any]:
    return {"estimate": estimate, "n_effective": 60}


def own_audit(name: str, specificity: dict[str, float]) -> dict[str, Any]:
    """As a scorer's own audit keeps it, of axis religion alone."""
    groups = [
        {"group": group, "sensitivity": share(0.9), "specificity": share(value)}
        for group, value in specificity.items()
    ]
    return {
        "scorer": name,
        "card": {**asdict(scorer_named(name).card), "bounds": [-1.0, 1.0]},
        "axes": [{"axis": "religion", "groups": groups}],
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audit(tmp_path_factory.mktemp("own_errors"))


@pytest.fixture
def findings(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The findings of a bundle that keeps an audit of ``vader``, which errs for one group more."""
    rows: list[dict[str, Any]] = read_json(root / "findings.json")["findings"]
    groups = {row["group"] for row in rows if row["suite"] == "continuation"}
    audits = {"vader": own_audit("vader", {group: 0.6 if group == "muslim" else 0.97 for group in groups})}
    monkeypatch.setattr(module, "read_scorer_audits", lambda root: audits)
    return rows


def test_every_finding_of_written_text_is_corrected_by_the_audits_that_are_there(
    root: Path, findings: list[dict[str, Any]]
) -> None:
    found = own_errors(root, findings)
    written = [row["id"] for row in findings if row["suite"] == "continuation"]
    assert list(found) == written
    assert 0 < len(written) < len(findings)
    assert {tuple(each["scorer"] for each in entries) for entries in found.values()} == {("vader",)}
    row = next(row for row in findings if row["group"] == "muslim")
    entry = found[row["id"]][0]
    # Its texts are called negative more often, and the own audit takes a part of that off.
    assert entry["raw"]["estimate"] > entry["corrected"]["estimate"]
    assert next(each for each in entry["groups"] if each["group"] == "muslim")["specificity"] == 0.6


def test_another_scorer_is_read_from_its_own_column(root: Path, findings: list[dict[str, Any]]) -> None:
    row = next(row for row in findings if row["group"] == "muslim")
    audits = {name: own_audit(name, {"muslim": 0.9}) for name in ("vader", "textblob")}
    frame = open_sidecar(root).scores(model=row["model"], suite=row["suite"])
    first, second = errors_of(frame, row, ["vader", "textblob"], audits)
    own = frame.assign(value=frame["value:textblob"])
    again = errors_of(own, row, ["textblob"], audits)[0]
    assert (first.scorer, second.scorer) == ("vader", "textblob")
    assert again.to_json() == second.to_json()
    swapped = errors_of(
        frame.assign(**{"value:textblob": -frame["value"]}), row, ["vader", "textblob"], audits
    )
    assert swapped[0].to_json() == first.to_json()
    assert swapped[1].to_json()["raw"] != first.to_json()["raw"]


def test_what_is_asked_until_decided_is_not_corrected(root: Path, findings: list[dict[str, Any]]) -> None:
    row = next(row for row in findings if row["group"] == "muslim")
    frame = open_sidecar(root).scores(model=row["model"], suite=row["suite"])
    audits = {"vader": own_audit("vader", {"muslim": 0.9})}
    found = errors_of(frame, {**row, "sequential": {"stopped_at": None}}, ["vader"], audits)
    assert found[0].says.startswith("not corrected: asked until decided")


def test_a_bundle_without_audits_of_its_scorers_has_nothing_to_correct(root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(root, tmp_path / "older"))
    (root / "scorers.json").unlink()
    assert own_errors(root, read_json(root / "findings.json")["findings"]) == {}
    shown = CliRunner().invoke(app, ["show", str(root), "--suite", "continuation"])
    assert shown.exit_code == 0, shown.output
    assert "errors" not in shown.output
    data = report_data(root)
    assert all(row["scorer_errors"] == [] for row in data["findings"])


def test_show_and_report_tell_it_and_the_verdict_stays(root: Path, findings: list[dict[str, Any]]) -> None:
    row = next(row for row in findings if row["group"] == "muslim")
    told = told_errors(own_errors(root, [row])[row["id"]][0])
    shown = CliRunner().invoke(app, ["show", str(root), "--suite", "continuation"])
    assert shown.exit_code == 0, shown.output
    assert " ".join(told.split()[:4]) in " ".join(shown.output.split())
    data = report_data(root)
    entry = next(each for each in data["findings"] if each["record"]["id"] == row["id"])
    assert entry["scorer_errors"] == [{"scorer": "vader", "text": told}]
    assert dict(detail(entry))["less the errors of vader"] == told
    assert entry["record"] == row


def test_the_accuracy_is_that_of_the_findings_axis(root: Path, findings: list[dict[str, Any]]) -> None:
    row = next(row for row in findings if row["group"] == "muslim")
    audit = own_audit("vader", {"muslim": 0.9})
    assert set(group_accuracy(audit, row["axis"])) == {"muslim"}
    frame = open_sidecar(root).scores(model=row["model"], suite=row["suite"])
    found = errors_of(frame, row, ["vader"], {"vader": audit})[0]
    assert found.says.endswith("the scorer's own audit does not know this group")
    rows = axis_rows(own_rows(frame, row), hypothesis_of(row))
    m = row["correction"]["m"]
    by_hand = corrected_by_own_audit(rows, hypothesis_of(row), scorer_named("vader").card, {}, m)
    # The gaps of a family are told together: Bonferroni's level, in words, too.
    assert m > 1 and found.to_json()["raw"]["level"] == pytest.approx(1 - 0.05 / m)
    assert f"intervals of {100 - 5 / m:.4g} %" in told_errors(found.to_json())
    assert by_hand.to_json()["raw"] == found.to_json()["raw"]
