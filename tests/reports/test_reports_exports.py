"""The exports: valid offline, with the numbers of ``report.json``, the disclaimer, and no text of a model."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.bundle import Bundle, PassingFile
from audit.cli import main
from audit.commands import report as report_command
from audit.plan import planned_suites
from audit.sidecar import open_sidecar
from audit.spec import AuditSpec, choose
from dashboards.views import export as export_view
from probes.errors import BundleError
from reports import audit_report
from reports.audit_report import FORMATS, report_data, write
from reports.contents.cover import CLAIMS_LIMITS
from reports.exports import cyclonedx, eval_ever
from reports.exports.archive import zipped
from reports.exports.eval_ever import NEITHER, About, written_answers
from reports.exports.files import component, said
from reports.exports.hub import hub_files
from reports.exports.validate import ExportError, validator
from tests.audit.sequential_world import alike, spec_for, write_suite, writer
from tests.audit.test_audit_sidecar import asked
from tests.conftest import write_mini
from tests.reports.export_world import HOSTILE, MARK, crosswalk, hostile_audit

EXPORTS = ("cyclonedx", "eval-ever", "croissant", "hub", "bundle")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_audit(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def told(hostile: Path) -> dict[str, Any]:
    return report_data(hostile)


@pytest.fixture(scope="module")
def folder(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is written of the hostile audit."""
    out = tmp_path_factory.mktemp("out")
    write(hostile, [*EXPORTS, "json"], out)
    return out


@pytest.fixture(scope="module")
def bill(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.cdx.json").read_text())
    return found


@pytest.fixture(scope="module")
def results(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    paths = sorted((folder / "report-eval-ever").rglob("*.json"))
    return [(path, json.loads(path.read_text())) for path in paths]


def cards(bill: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in [bill["metadata"]["component"], *bill["components"]]:
        if "modelCard" in part:
            yield part


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, all the way down."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield str(key), inner
        if isinstance(inner, dict | list):
            yield from walk(inner)


def figures(told: dict[str, Any], model: str) -> list[tuple[float, float | None, float | None]]:
    """Estimate and interval of every finding with a figure, in the report's order."""
    records = [row["record"] for row in told["findings"] if row["record"]["model"] == model]
    return [
        (r["estimate"], (r["ci"] or {}).get("lo"), (r["ci"] or {}).get("hi"))
        for r in records
        if r["estimate"] is not None
    ]


# -- all of them ------------------------------------------------------------------------------------


def test_the_same_bundle_gives_the_same_bytes_wherever_it_lies(
    hostile: Path, folder: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(hostile, tmp_path / "elsewhere"))
    for path in write(copied, [*EXPORTS, "json"], tmp_path / "out"):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path / "out")).read_bytes(), path


def test_every_export_holds_the_disclaimer_and_no_text_of_a_model(hostile: Path, folder: Path) -> None:
    assert MARK.encode() in (hostile / "records/00000.jsonl").read_bytes()
    holders = {"report.cdx.json", "report-eval-ever", "report-croissant", "report-hub", "report-bundle.zip"}
    assert {path.name for path in folder.iterdir()} == holders | {"report.json"}
    for name in holders - {"report-bundle.zip"}:
        files = [path for path in [folder / name, *(folder / name).rglob("*")] if path.is_file()]
        texts = [path.read_text("utf-8") for path in files]
        assert not any(MARK in text for text in texts), name
        for line in CLAIMS_LIMITS:
            assert any(line in " ".join(text.split()) for text in texts), (name, line)
    with zipfile.ZipFile(folder / "report-bundle.zip") as archive:
        texts = [archive.read(member).decode() for member in archive.namelist()]
    assert not any(MARK in text for text in texts) and any(CLAIMS_LIMITS[1] in text for text in texts)


def test_every_format_has_a_row_in_the_dashboard_and_in_the_help() -> None:
    assert list(export_view.FORMATS) == list(FORMATS)
    assert report_command.FORMATS.split(", ") == list(FORMATS)


def test_an_export_that_is_not_valid_is_not_written(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cyclonedx, "tools", lambda cover: [{"type": "hammer", "name": "x"}])
    with pytest.raises(ExportError, match=r"report\.cdx\.json .*tools"):
        write(hostile, ["json", "cyclonedx"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(eval_ever, "answered", lambda *told: 1)
    with pytest.raises(ExportError, match=r"_samples\.jsonl:1 .*output"):
        write(hostile, ["eval-ever"], tmp_path / "out")


def test_nothing_is_written_through_a_link_however_deep(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "out/report-eval-ever").mkdir(parents=True)
    (tmp_path / "out/report-eval-ever/data").symlink_to(tmp_path / "precious")
    with pytest.raises(BundleError, match=r"data.*is a link"):
        write(hostile, ["eval-ever"], tmp_path / "out")
    assert list((tmp_path / "precious").iterdir()) == []


def test_the_command_writes_exports(
    hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", str(hostile), "--format", "hub,bundle", "--out", str(tmp_path / "out"), "--json"])
    assert ended.value.code == 0
    paths = [Path(name) for name in json.loads(capsys.readouterr().out)["written"]]
    assert len(paths) == 5 and all(path.is_file() for path in paths)


def test_names_become_parts_of_paths_that_every_system_takes() -> None:
    names = [
        "a/b",
        "a\\b",
        "..",
        ".",
        "",
        "con",
        "CON.txt",
        "data",
        "x" * 300,
        "é",
        "a b",
        "a\x00b",
        "-",
        "a.",
    ]
    made = [component(name) for name in names]
    assert len(set(made)) == len(names) and all(len(name) <= 80 for name in made)
    for name in made:
        assert name.isascii() and not set(name) & set('/\\ <>:"|?*\x00') and name[-1] != "."
        assert name.split(".")[0].lower() not in ("", "con", "data")
    assert component("bert-base-uncased") == "bert-base-uncased"
    assert said({"name": "Ada", "organization": None}) == "Ada" and said([]) == said(None) == "not stated"


# -- CycloneDX --------------------------------------------------------------------------------------


def test_the_bill_holds_every_figure_unrounded(bill: dict[str, Any], told: dict[str, Any]) -> None:
    validator("cyclonedx").validate(bill)
    models = list(cards(bill))
    assert len(models) == 2 and bill["metadata"]["component"]["bom-ref"] == "audit"
    for part, model in zip(models, told["cover"]["models"], strict=True):
        metrics = part["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
        bounds = [metric.get("confidenceInterval", {}) for metric in metrics]
        found = [
            (
                float(metric["value"]),
                *(float(ci[key]) if ci else None for key in ("lowerBound", "upperBound")),
            )
            for metric, ci in zip(metrics, bounds, strict=True)
        ]
        assert found == figures(told, model["id"]) and found
        assessed = part["modelCard"]["considerations"]["fairnessAssessments"]
        assert len(assessed) == sum(row["record"]["model"] == model["id"] for row in told["findings"])
        assert part["hashes"][0]["content"] == model["digest"]


def test_every_reference_and_pointer_of_the_bill_leads_somewhere(bill: dict[str, Any]) -> None:
    pairs = list(walk(bill))
    refs = [value for key, value in pairs if key == "bom-ref"]
    assert len(refs) == len(set(refs))
    used = [
        value for key, value in pairs if key in ("target", "assessor", "requirement", "attributedTo", "ref")
    ]
    used += [
        ref
        for key, value in pairs
        if key in ("assemblies", "dependsOn", "claims", "counterClaims", "counterEvidence", "evidence")
        for ref in value
        if isinstance(ref, str)
    ]
    assert used and set(used) <= set(refs)
    for row in bill["citations"]:
        for pointer in row["pointers"]:
            found: Any = bill
            for step in pointer.split("/")[1:]:
                found = found[int(step)] if isinstance(found, list) else found[step]
            assert isinstance(found, str) and found


def test_the_bill_states_no_conformance_and_says_what_is_unknown(
    bill: dict[str, Any], told: dict[str, Any]
) -> None:
    assert "conformance" not in {key for key, _ in walk(bill)}
    unknown = next(row["assemblies"] for row in bill["compositions"] if row["aggregate"] == "unknown")
    assert {"training-data-1", "training-data-2"} <= set(unknown)
    assert all(
        row["timestamp"] == told["cover"]["last_run"] for row in [bill["metadata"], *bill["citations"]]
    )
    claims = {row["bom-ref"] for row in bill["declarations"]["claims"]}
    for row in told["findings"]:
        kind = "counter" if row["record"]["verdict"] == "invalid" else "claim"
        assert f"{kind}-{row['number']}" in claims
    statement = bill["declarations"]["affirmation"]["statement"]
    assert statement.startswith("UNSIGNED DRAFT") and "signatories" not in bill["declarations"]["affirmation"]
    assert "thirdParty" not in bill["declarations"]["assessors"][0]


def test_the_scorers_are_components_with_digest_licence_and_who_stated_it(
    hostile: Path, bill: dict[str, Any]
) -> None:
    planned = json.loads((hostile / "plan.json").read_text("utf-8"))["scorers"]
    parts = {part["bom-ref"]: part for part in bill["components"]}
    found = [part for ref, part in parts.items() if ref.startswith("scorer-")]
    assert [part["name"] for part in found] == [row["name"] for row in planned] != []
    assert [part["hashes"][0]["content"] for part in found] == [row["digest"] for row in planned]
    assert all(part["type"] == "library" and part["licenses"] and part["version"] for part in found)
    tool = next(row for row in bill["dependencies"] if row["ref"] == "tool-1")
    assert tool["dependsOn"] == [ref for ref in parts if ref.startswith("scorer-")]
    cited = {pointer for row in bill["citations"] for pointer in row["pointers"]}
    for number, part in enumerate(bill["components"]):
        if part in found:
            stated = part["licenses"][0]["license"]
            field = "id" if "id" in stated else "name"
            assert f"/components/{number}/licenses/0/license/{field}" in cited


def test_one_model_is_the_subject_and_its_licence_is_as_declared(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data)
    model = changed["cover"]["models"][0]["id"]
    changed["cover"]["models"] = changed["cover"]["models"][:1]
    changed["findings"] = [row for row in changed["findings"] if row["record"]["model"] == model]
    changed["families"] = [row for row in changed["families"] if row["model"] == model]
    claim = {"subject": f"model:{model}", "status": "declared", "source": "card", "declared_by": "its author"}
    claims = [
        row for row in changed["provenance"]["claims"] if row["field"] not in ("licence", "training_data")
    ]
    claims += [
        {**claim, "field": "licence", "value": "apache-2.0"},
        {**claim, "field": "training_data", "value": "books and web pages"},
        {**claim, "field": "datasets", "value": ["bookcorpus", "wikipedia"]},
        {**claim, "field": "dataset_licence:bookcorpus", "value": None, "status": "unknown"},
        {**claim, "field": "dataset_licence:wikipedia", "value": "CC-BY-SA-3.0", "declared_by": "a note"},
    ]
    changed["provenance"]["claims"] = claims
    found = cyclonedx.bill(changed)
    validator("cyclonedx").validate(found)
    subject = found["metadata"]["component"]
    assert subject["type"] == "machine-learning-model" and subject["modelCard"]
    assert subject["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    cited = {row["pointers"][0]: row["attributedTo"] for row in found["citations"]}
    source = cited["/metadata/component/licenses/0/license/id"]
    assert next(p["name"] for p in found["components"] if p["bom-ref"] == source) == "its author"
    parts = {part["bom-ref"]: (number, part) for number, part in enumerate(found["components"])}
    assert parts["training-data-1"][1]["name"] == "books and web pages"
    books, (number, pages) = parts["training-data-1-1"][1], parts["training-data-1-2"]
    assert books["name"] == "bookcorpus" and "licenses" not in books
    assert books["properties"][0]["value"].startswith("unknown (card")
    assert pages["licenses"][0]["license"]["id"] == "CC-BY-SA-3.0"
    source = cited[f"/components/{number}/licenses/0/license/id"]
    assert parts[source][1]["name"] == "a note"
    assert {"training-data-1", "training-data-1-1", "training-data-1-2"} <= {
        row["ref"] for row in subject["modelCard"]["modelParameters"]["datasets"]
    }
    stated = next(row for row in claims if row["field"] == "licence" and row["value"] == "apache-2.0")
    stated["value"] = "Modified MIT"
    licence = cyclonedx.bill(changed)["metadata"]["component"]["licenses"][0]["license"]
    assert licence == {"name": "Modified MIT", "acknowledgement": "declared"}
    stated["status"] = "conflict"
    disputed = cyclonedx.bill(changed)["metadata"]["component"]
    assert "licenses" not in disputed
    assert any(row["value"].startswith("conflict: Modified MIT") for row in disputed["properties"])


def test_a_crosswalk_becomes_requirements_with_claims_for_and_against(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data)
    sure, fragile = changed["findings"][0], changed["findings"][1]
    sure["record"] |= {"verdict": "disparity", "fragile": False}
    fragile["record"] |= {"verdict": "disparity", "fragile": True, "reasons": ["one template carries it"]}
    sure["review"]["status"] = "disputed"
    changed["crosswalk"] = crosswalk([sure["number"], fragile["record"]["id"]])
    changed["cover"] |= {"performed_by": {"name": "Ada"}, "relationship": "third_party"}
    row = {"role": "auditor", "organisation": "Fair Ltd", "at": "2026-11-30T10:00:00+00:00", "problem": ""}
    changed["attestation"]["signatures"] = [
        {**row, "name": "Ada", "fingerprint": "a" * 64, "valid": True},
        {**row, "name": "Eve", "fingerprint": "b" * 64, "valid": False},
    ]
    found = cyclonedx.bill(changed)
    validator("cyclonedx").validate(found)
    plan, standard = found["definitions"]["standards"]
    assert len(plan["requirements"]) == len(data["families"])
    assert [row["identifier"] for row in standard["requirements"]] == ["MEASURE 2.11", "MEASURE 2.6"]
    one, none = found["declarations"]["attestations"][1]["map"]
    assert one["claims"] == [f"claim-{sure['number']}", f"claim-{fragile['number']}"]
    assert f"counter-{sure['number']}" in one["counterClaims"]
    assert "counter-not-measured-1" in one["counterClaims"]
    assert one["confidence"].keys() == {"rationale"}  # a score would be read as how far the clause is met
    assert one["confidence"]["rationale"].startswith("partial; 1 of 2")
    families = found["declarations"]["attestations"][0]["map"]
    assert any("score" in row["confidence"] for row in families)
    assert none.keys() == {"requirement", "confidence"} and none["confidence"].keys() == {"rationale"}
    (doubted,) = [
        row for row in found["declarations"]["claims"] if row.get("counterEvidence") == ["doubt-F-002"]
    ]
    assert doubted["bom-ref"] == "claim-F-002"
    assert found["declarations"]["assessors"][0] | {"bom-ref": 0} == {
        "bom-ref": 0, "thirdParty": True, "organization": {"name": "Ada"},
    }  # fmt: skip
    assert [row["name"] for row in found["declarations"]["affirmation"]["signatories"]] == ["Ada"]
    assert "signatories" not in cyclonedx.bill(data)["declarations"]["affirmation"]
    own = cyclonedx.bill({**data, "crosswalk": {**data["crosswalk"], "frameworks": []}})
    assert len(own["declarations"]["attestations"]) == 1


def test_text_from_outside_stays_text_however_hostile(data: dict[str, Any], bundle: Path) -> None:
    changed = copy.deepcopy(data)
    nasty = "\x00\x1b[31m\r\n\t\x7f \u2028 \U0001f600 {0} %s ' \" \\ ]]> -- " + "w" * 5000
    subject = f"model:{changed['cover']['models'][0]['id']}"
    claims = {(row["subject"], row["field"]): row for row in changed["provenance"]["claims"]}
    for field in ("licence", "developer", "architecture", "revision", "training_data"):
        row = claims.get((subject, field), {"subject": subject, "field": field})
        if not row.keys() >= {"status"}:
            changed["provenance"]["claims"].append(row)
        row |= {"value": nasty, "status": "declared", "source": nasty, "declared_by": nasty}
    changed["cover"] |= {"title": nasty, "evenhand": [nasty], "performed_by": nasty, "relationship": nasty}
    changed["not_measured"][0]["why"] = nasty
    changed["suites"][0] |= {"title": nasty, "licence": nasty, "version": nasty}
    for told in changed["findings"]:
        told |= {"statement": nasty, "claim": nasty}
        told["record"] |= {"group_label": nasty, "reasons": [nasty]}
    for name in EXPORTS:
        for path, content in FORMATS[name](changed, bundle).items():
            if path.endswith(".json"):
                assert isinstance(content, bytes) and json.loads(content), path
            if path.endswith(".yaml"):
                assert all(nasty in entry["notes"] for entry in yaml.safe_load(content))
    validator("cyclonedx").validate(cyclonedx.bill(changed))
    assert cyclonedx.bill(changed)["components"][0]["supplier"]["name"] == nasty


def test_the_serial_number_is_the_audits_and_reviews_raise_the_version(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data)
    changed["reviews"]["events"] += 2
    one, two = cyclonedx.bill(data), cyclonedx.bill(changed)
    assert one["serialNumber"] == two["serialNumber"] and (one["version"], two["version"]) == (1, 3)
    changed["cover"]["chain_sha256"] = "0" * 64
    assert cyclonedx.bill(changed)["serialNumber"] != one["serialNumber"]


# -- Every Eval Ever --------------------------------------------------------------------------------


def test_results_and_answers_are_valid_and_belong_together(
    results: list[tuple[Path, dict[str, Any]]], folder: Path, told: dict[str, Any]
) -> None:
    assert len(results) == 2
    for path, found in results:
        validator("eval-ever").validate(found)
        detail = found["detailed_evaluation_results"]
        samples = folder / "report-eval-ever" / detail["file_path"]
        assert samples == path.with_name(f"{path.stem}_samples.jsonl")
        content = samples.read_bytes()
        assert detail["checksum"] == hashlib.sha256(content).hexdigest()
        rows = [json.loads(line) for line in content.splitlines()]
        assert detail["total_rows"] == len(rows) == len({row["sample_id"] for row in rows})
        assert found["model_info"]["id"] == "/".join(path.parts[-3:-1])
        for row in rows:
            validator("eval-ever-sample").validate(row)
            assert row["evaluation_id"] == found["evaluation_id"]
            assert row["model_id"] == found["model_info"]["id"]
            assert row["evaluation"]["is_correct"] is False and row["metadata"]["is_correct"] == NEITHER
            assert float(row["answer_attribution"][0]["extracted_value"]) == row["evaluation"]["score"]
    assert {found["model_info"]["name"] for _, found in results} == {HOSTILE, "writer"}


def test_results_hold_every_figure_unrounded(
    results: list[tuple[Path, dict[str, Any]]], told: dict[str, Any]
) -> None:
    for _, found in results:
        rows = [row["score_details"] for row in found["evaluation_results"]]
        bounds = [row["uncertainty"].get("confidence_interval", {}) for row in rows]
        made = [
            (row["score"], ci.get("lower"), ci.get("upper")) for row, ci in zip(rows, bounds, strict=True)
        ]
        assert made == figures(told, found["model_info"]["name"])
        by_id = {row["record"]["id"]: row["record"] for row in told["findings"]}
        for row in found["evaluation_results"]:
            p = row["score_details"]["details"].get("p_adjusted")
            assert (p and float(p)) == by_id[row["evaluation_result_id"]]["p_adjusted"]
            config = row["metric_config"]
            ends = (2.0, -2.0) if config["metric_unit"] == "points" else ("Infinity", "-Infinity")
            assert (config["max_score"], config["min_score"]) == ends
            assert "not to be ranked" in config["additional_details"]["reading"]
        assert found["evaluation_results"]


def test_written_text_stands_as_hash_and_length_and_what_has_no_value_is_counted(
    results: list[tuple[Path, dict[str, Any]]], folder: Path, hostile: Path
) -> None:
    found = next(found for _, found in results if found["model_info"]["name"] == "writer")
    detail = found["detailed_evaluation_results"]
    lines = (folder / "report-eval-ever" / detail["file_path"]).read_text().splitlines()
    frame = open_sidecar(hostile).scores(["output", "value", "text", "n"], "writer")
    valued = frame[frame["value"].notna()]
    missing = len(frame) - len(valued)
    assert missing and detail["additional_details"]["without_a_value"] == f"{missing} empty"
    for line, (text, value, prompt, n) in zip(lines, valued.itertuples(index=False), strict=True):
        row = json.loads(line)
        assert row["input"]["raw"] == prompt and row["evaluation"]["score"] == value
        (shown,) = row["output"]["raw"]
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        assert shown.startswith(f"[withheld: {len(text)} characters, sha256 {sha256}]; ")
        assert shown.endswith(f"records/00000.jsonl, record {n}")


def test_how_text_was_sampled_stands_beside_figures_of_text_alone(
    results: list[tuple[Path, dict[str, Any]]], told: dict[str, Any]
) -> None:
    for _, found in results:
        for row in found["evaluation_results"]:
            stated = row.get("generation_config", {}).get("generation_args")
            own = told["settings"]["decoding"]
            args = {
                "temperature": own["temperature"],
                "top_p": own["top_p"],
                "max_tokens": own["max_new_tokens"],
            }
            assert stated == (args if row["evaluation_name"] == "talk" else None)
    changed = copy.deepcopy(told)
    changed["settings"]["decoding"]["settings"] = [{"temperature": 0.5, "top_p": 1.0}]
    talked = next(row for row in changed["findings"] if row["record"]["suite"] == "talk")
    stated = eval_ever.result(changed, talked)["generation_config"]
    assert stated.keys() == {"additional_details"} and "0.5" in stated["additional_details"]["decoding"]


def test_a_model_without_answers_has_results_without_a_file_of_answers(
    bundle: Path, data: dict[str, Any]
) -> None:
    files = eval_ever.eval_ever_files(data, bundle)
    names = [name for name in files if "silent" in name]
    (content,) = [files[name] for name in names]
    assert isinstance(content, bytes)
    found = json.loads(content)
    assert found["evaluation_results"] == [] and "detailed_evaluation_results" not in found


def test_answers_that_were_drawn_have_ids_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "mini").mkdir()
    mini = write_mini(tmp_path / "mini", templates=4, terms=2)
    spec = spec_for(write_suite(tmp_path / "talk", "nested"), writer(alike), 64, also=[mini])
    root = asked(spec, tmp_path / "drawn")
    model = Bundle(root).plan["models"][0]
    answers = written_answers(
        About(model, "a/b", "e", "data/c/a/b/u"), planned_suites(Bundle(root).plan), open_sidecar(root)
    )
    content = io.BytesIO()
    answers.file.copy_to(content)
    ids = [json.loads(line)["sample_id"] for line in content.getvalue().splitlines()]
    assert len(ids) == len(set(ids)) == answers.rows and sum("~" in each for each in ids) > 64


# -- Croissant, hub, archive ------------------------------------------------------------------------

READER = """
import json, sys
import mlcroissant
for path in sys.argv[1:]:
    found = mlcroissant.Dataset(jsonld=path)
    issues = found.metadata.ctx.issues
    rows = [row["questions/text"].decode() for row in found.records("questions")]
    rai = [found.metadata.data_limitations, found.metadata.data_biases, found.metadata.data_social_impact]
    print(json.dumps([sorted(issues.errors), sorted(issues.warnings), rows, rai]))
"""


def test_suites_are_read_by_the_reference_reader_with_no_fault(
    folder: Path, told: dict[str, Any], hostile: Path
) -> None:
    pytest.importorskip("mlcroissant", reason="the reader of Croissant comes with the extra dev")
    suites = planned_suites(Bundle(hostile).plan)
    homes = [folder / "report-croissant" / suite for suite in suites]
    paths = [str(home / "croissant.json") for home in homes]
    done = subprocess.run([sys.executable, "-c", READER, *paths], capture_output=True, text=True, check=True)
    for line, (name, planned), home in zip(done.stdout.splitlines(), suites.items(), homes, strict=True):
        errors, warnings, rows, rai = json.loads(line)
        assert errors == warnings == [] and rows == [item.text for item in planned.items]
        card = next(suite["card"] for suite in told["suites"] if suite["id"] == name)
        assert rai[0][: len(card["limits"])] == card["limits"] and rai[1:] == [
            card["critiques"],
            card["harm"],
        ]
        described = json.loads((home / "croissant.json").read_text())
        for entry in described["distribution"]:
            content = (home / entry["contentUrl"]).read_bytes()
            assert entry["sha256"] == hashlib.sha256(content).hexdigest()
            assert entry["contentSize"] == f"{len(content)} B"
        assert described["license"] == "https://spdx.org/licenses/Apache-2.0"
        assert described["creator"]["name"] == "not stated" and len(described["conformsTo"]) == 2


def test_the_author_of_a_suite_of_this_project_is_this_project(tmp_path: Path) -> None:
    from audit.models import ScriptedModel
    from audit.plan import make_plan
    from reports.exports.croissant import author

    plan = make_plan(AuditSpec((ScriptedModel.group_blind(),), (choose("occupations"),)))
    assert author(planned_suites(plan)["occupations"]) == "Evenhand"


def test_models_that_differ_in_capitals_alone_have_folders_of_their_own(
    hostile: Path, told: dict[str, Any]
) -> None:
    models = [{**told["cover"]["models"][0], "id": name} for name in ("GPT2", "gpt2")]
    files = hub_files({**told, "cover": {**told["cover"], "models": models}}, hostile)
    assert len({name.casefold() for name in files}) == len(files) == 4


def test_the_hub_reads_its_results(folder: Path, told: dict[str, Any]) -> None:
    hub = pytest.importorskip("huggingface_hub._eval_results", reason="an older huggingface_hub")
    for model in told["cover"]["models"]:
        home = folder / "report-hub" / component(model["id"])
        entries = yaml.safe_load((home / ".eval_results/evenhand.yaml").read_text("utf-8"))
        parsed = hub.parse_eval_result_entries(entries)
        assert [entry.value for entry in parsed] == [row[0] for row in figures(told, model["id"])]
        assert hub.eval_result_entries_to_yaml(parsed) == entries
        text = (home / "README-section.md").read_text("utf-8")
        rows = [line for line in text.splitlines() if line.startswith("| F-")]
        assert len(rows) == sum(row["record"]["model"] == model["id"] for row in told["findings"])
        assert {line.count("|") - line.count("\\|") for line in rows} == {8} and "<script" not in text


def test_the_archive_holds_the_bundles_files_and_no_time(folder: Path, hostile: Path) -> None:
    with zipfile.ZipFile(folder / "report-bundle.zip") as archive:
        assert archive.testzip() is None
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name in ("plan.json", "findings.json", "provenance.json", "manifest.json", "environment.json"):
            assert archive.read(name) == (hostile / name).read_bytes()
        assert archive.read("report.json") == (folder / "report.json").read_bytes()
        assert not any("records" in name for name in archive.namelist())
    large = PassingFile()
    large.write(b"x" * 5)
    for _ in range(2):
        with zipfile.ZipFile(io.BytesIO(zipped({"a": large, "b": b"y"}))) as archive:
            assert (archive.read("a"), archive.read("b")) == (b"xxxxx", b"y")


def test_an_archive_of_a_bundle_without_its_manifest_is_refused_by_name(
    hostile: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(hostile, tmp_path / "audit"))
    (copied / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"missing.*manifest\.json|manifest\.json.*missing"):
        audit_report.write(copied, ["bundle"], tmp_path / "out")
