"""The ledger of a whole audit: its subjects, its stability, and the questions that it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.api import resume, run
from audit.bundle import read_json
from audit.cli import app
from audit.models import ScriptedModel
from audit.plan import plan_suite, planned_suites
from audit.provenance import claim, completeness, ledger, probe_claims, probes, questions
from audit.provenance.claims import Origin
from audit.provenance.models import FIELDS
from audit.spec import AuditSpec, choose
from probes.errors import InputError
from tests.conftest import write_mini
from tests.provenance.conftest import as_the_wheel_says, write_gguf

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference model and one that has no files, asked a suite of somebody else."""
    folder = tmp_path_factory.mktemp("ledger")
    mini = write_mini(folder)
    models = ("reference/bert-fair", ScriptedModel.noise())
    run(AuditSpec(models=models, suites=(choose(str(mini)),)), folder / "a")
    return folder / "a"


@pytest.fixture(scope="module")
def told(audited: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(audited / "provenance.json")
    return found


@pytest.fixture(scope="module")
def whole(audited: Path, told: dict[str, Any]) -> dict[str, Any]:
    """The same ledger, had a suite of this project been asked too."""
    plan = read_json(audited / "plan.json")
    suites = {**planned_suites(plan), "occupations": plan_suite(choose("occupations"))}
    return ledger(plan, suites, {}, told, read_json(audited / "environment.json")["runs"])


def known(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["subject"], row["field"]): row for row in told["claims"]}


def test_models_suites_lexicons_and_the_run_are_each_told_once_a_field(told: dict[str, Any]) -> None:
    assert len(known(told)) == len(told["claims"])
    kinds = {row["subject"].partition(":")[0] for row in told["claims"]}
    assert kinds == {"model", "suite", "lexicon", "run"}
    for subject in ("model:reference/bert-fair", "model:scripted/noise"):
        assert {field for of, field in known(told) if of == subject} >= set(FIELDS)
    for row in told["claims"]:
        assert row["source"].strip() and (row["value"] is None) == (
            row["status"] in ("unknown", "not_applicable")
        )
        assert row["status"] != "declared" or row["declared_by"]


def test_the_run_is_told_by_environment_and_plan(audited: Path, told: dict[str, Any]) -> None:
    environment = read_json(audited / "environment.json")["runs"][0]
    rows = known(told)
    assert rows["run", "started"]["value"] == [environment["started"]]
    assert rows["run", "python"]["value"] == environment["environment"]["python"]
    assert rows["run", "packages"]["value"] == environment["environment"]["packages"]
    assert rows["run", "seed"]["value"] == read_json(audited / "plan.json")["seed"]
    assert rows["run", "threads"]["status"] in ("measured", "unknown")
    measured = rows["model:reference/bert-fair", "architecture"]
    assert measured["observed_at"] == environment["started"]


def test_who_may_have_seen_the_questions(whole: dict[str, Any]) -> None:
    rows = known(whole)
    seen = rows["model:reference/bert-fair", "contamination:occupations"]
    assert seen["status"] == "declared" and "trained on the sentences" in seen["value"]
    # A suite of somebody else is none of those that it was trained on, and has no date.
    assert rows["model:reference/bert-fair", "contamination:mini"]["status"] == "unknown"
    assert rows["model:scripted/noise", "contamination:occupations"]["note"] == "no date rules it out"
    raised = {(row["subject"], row["flag"]): row for row in whole["flags"]}
    flag = raised["model:reference/bert-fair", "PROBES_MAY_BE_IN_TRAINING_DATA"]
    assert (flag["severity"], flag["claims"]) == ("review", ["contamination:occupations"])
    assert raised["model:scripted/noise", "PROBES_MAY_BE_IN_TRAINING_DATA"]["severity"] == "note"


@pytest.mark.parametrize(
    ("cutoff", "released", "status"),
    [("2017-12", None, "derived"), (None, "2018-10", "derived"), ("2026-11", None, "unknown"),
     ("2027", "2026-10", "derived"), (None, None, "unknown"), ("lately", None, "unknown")],
)  # fmt: skip
def test_dates_alone_rule_out_that_a_suite_was_seen(
    cutoff: str | None, released: str | None, status: str
) -> None:
    plan = {"models": [{"id": "m", "digest": "0"}], "seed": 1, "alpha": 0.05, "decoding": {}, "load": {}}
    origin = Origin("card", "its author")
    rows = [
        claim("model:m", field, value, "declared", origin)
        for field, value in (("cutoff", cutoff), ("released", released))
        if value
    ]
    rows.append(claim("model:m", "digest", "0", "measured", "files"))
    found = ledger(plan, {"occupations": plan_suite(choose("occupations"))}, {}, {"claims": rows})
    row = known(found)["model:m", "contamination:occupations"]
    assert row["status"] == status
    assert status == "unknown" or "not possible by dates" in row["value"]


def test_a_suite_of_this_project_says_what_it_is_made_of_and_one_of_others_is_not_spoken_for(
    whole: dict[str, Any],
) -> None:
    rows = known(whole)
    assert rows["suite:occupations", "personal_data"]["declared_by"] == "Evenhand"
    assert rows["suite:mini", "personal_data"]["status"] == "unknown"
    assert rows["suite:occupations", "canary"]["value"] == "none carried"
    beside = {row["suite"]: row for row in probes(whole["claims"])}
    occupations = beside["occupations"]
    assert occupations["sources"] and occupations["critiques"] and occupations["not_covered"]
    assert occupations["licence"] == "Apache-2.0" and len(occupations["digest"]) == 64
    assert [row["model"] for row in occupations["contamination"]] == ["reference/bert-fair", "scripted/noise"]


def test_a_suite_whose_answers_are_scored_names_its_scorers() -> None:
    rows = probe_claims({"continuation": plan_suite(choose("continuation"))})
    found = {(row["subject"], row["field"]): row for row in rows}
    for name in ("vader", "textblob"):
        assert found[f"scorer:{name}", "licence"]["value"].startswith("MIT")
        assert found[f"scorer:{name}", "version"]["status"] == "measured"
        assert name in found[f"scorer:{name}", "own_audit"]["value"]
        assert found[f"scorer:{name}", "digest"]["status"] == "unknown", "an older plan names no scorer"
        assert found[f"scorer:{name}", "construct"]["value"] == "sentiment"
    assert "PDDL" in found["scorer:textblob", "source"]["value"], "the list has another licence than the code"


def test_the_same_again_changes_nothing_and_what_was_seen_first_keeps_its_date(
    audited: Path, told: dict[str, Any]
) -> None:
    before = (audited / "provenance.json").read_bytes()
    resume(audited, [ScriptedModel.noise()])
    assert (audited / "provenance.json").read_bytes() == before
    plan = read_json(audited / "plan.json")
    facts = {"scripted/noise": ScriptedModel.noise().describe()}
    runs = read_json(audited / "environment.json")["runs"]
    later = ledger(plan, planned_suites(plan), facts, told, runs, "2099-01-01T00:00:00+00:00")
    assert later == told
    facts = {"scripted/noise": {**facts["scripted/noise"], "parameters": 7}}
    later = ledger(plan, planned_suites(plan), facts, told, runs, "2099-01-01T00:00:00+00:00")
    changed = [row for row in later["claims"] if row["observed_at"] == "2099-01-01T00:00:00+00:00"]
    assert [(row["field"], row["value"]) for row in changed] == [("parameters", 7)]


def test_a_bundle_of_an_earlier_version_keeps_its_claims_when_it_is_taken_up(
    audited: Path, told: Any
) -> None:
    keys = ("subject", "field", "value", "status", "source", "declared_by")
    old = {
        "claims": [
            {key: row[key] for key in keys}
            for row in told["claims"]
            if row["field"] in ("digest", "licence", "training_data")
        ],
        "flags": [{"subject": "model:scripted/noise", "flag": "LICENCE_UNDECLARED"}],
    }
    plan = read_json(audited / "plan.json")
    found = ledger(plan, {}, {}, old)
    assert {row["subject"] for row in found["claims"]} == {
        "model:reference/bert-fair",
        "model:scripted/noise",
    }
    assert {row["flag"] for row in found["flags"]} >= {"TRAINING_DATA_UNDECLARED", "LICENCE_UNDECLARED"}
    rows = questions(old["claims"], "model:scripted/noise")
    assert len(rows) == 22 and rows[0]["status"] == "measured"
    assert rows[9]["status"] == "unknown" and "holds no claim" in rows[9]["looked"][0]


# -- questions --------------------------------------------------------------------------------------


def test_a_question_is_as_well_known_as_the_least_of_its_answers() -> None:
    author = Origin("card", "its author")
    rows = [
        claim("model:m", "digest", "d", "measured", "files"),
        claim("model:m", "origin", "here", "declared", author),
        claim("model:m", "revision", None, "unknown", "the hub's cache"),
        claim("model:m", "opt_out", None, "not_applicable", "no texts of others"),
        claim("model:m", "personal_data", None, "withheld", "the developer"),
        claim("model:m", "data_points", 5, "measured", "files"),
        claim("model:m", "developer", [{"value": "a"}, {"value": "b"}], "conflict", "card; note"),
        claim("model:m", "licence", "MIT", "declared", author),
        claim("suite:s", "licence", "MIT", "declared", author),
        claim("model:m", "dataset_licence:x", "MIT", "declared", author),
        claim("model:m", "dataset_licence:y", None, "unknown", "notes"),
        claim("model:other", "data_cleaning", "all", "measured", "files"),
    ]
    found = {row["id"]: row for row in questions(rows, "model:m")}
    first = found["Q01"]
    assert (first["status"], first["open"], first["looked"]) == (
        "declared",
        ["revision"],
        ["the hub's cache"],
    )
    assert [(row["field"], row["status"]) for row in first["answers"]] == [
        ("digest", "measured"), ("origin", "declared"),
    ]  # fmt: skip
    assert found["Q14"]["status"] == "not_applicable" and found["Q11"]["status"] == "withheld"
    assert found["Q02"]["status"] == "conflict"
    assert found["Q13"]["status"] == "declared" and found["Q13"]["open"] == ["dataset_licence:y"]
    data_alone = [row["field"] for row in found["Q13"]["answers"]]
    assert data_alone == ["dataset_licence:x"]  # that of the weights says nothing of the data
    of_suite = {row["id"]: row for row in questions(rows, "suite:s")}
    assert [row["field"] for row in of_suite["Q13"]["answers"]] == ["licence"]
    assert found["Q09"]["status"] == "unknown"
    line = completeness(list(found.values()))
    assert line["of"] == 22 == sum(line["counts"].values())
    assert line["text"] == (
        "measured 1 · declared 2 (2 in part) · conflict 1 · withheld 1 · unknown 16 · not applicable 1 of 22"
    )


# -- the command ------------------------------------------------------------------------------------


def test_the_command_tells_the_ledger_of_a_folder_and_loads_nothing(bert: Path) -> None:
    told = CliRunner().invoke(app, ["models", "provenance", str(bert), "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["completeness"]["of"] == 22 and len(found["questions"]) == 22
    assert {row["flag"] for row in found["flags"]} >= {"CARD_NOT_BY_DEVELOPER", "DATASET_LICENCE_UNKNOWN"}
    assert found["notes"][0]["note"] == "bert-base-uncased"
    digest = next(row for row in found["claims"] if row["field"] == "digest")
    assert digest["status"] == "measured" and len(digest["value"]) == 64
    shown = CliRunner().invoke(app, ["models", "provenance", str(bert)])
    text = " ".join(shown.stdout.split())
    assert "▲ CARD_NOT_BY_DEVELOPER needs review" in text and found["completeness"]["text"] in text
    assert "[31m" not in shown.stdout


def test_the_command_reads_a_gguf_file_and_refuses_what_is_none_in_one_line(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", as_the_wheel_says)
    told = CliRunner().invoke(app, ["models", "provenance", str(path), "--json"])
    assert "QUANTISED_OR_CONVERTED" in told.stdout and told.exit_code == 0
    (tmp_path / "no.gguf").write_bytes(b"GGUF")
    for name in (str(tmp_path / "no.gguf"), str(tmp_path / "absent.gguf"), "no-such-model", "a\0b"):
        refused = CliRunner().invoke(app, ["models", "provenance", name])
        assert isinstance(refused.exception, InputError), name
        assert len(str(refused.exception).splitlines()) == 1


def test_control_characters_of_a_card_do_not_reach_the_terminal(bert: Path) -> None:
    card = bert / "README.md"
    card.write_text(card.read_text("utf-8").replace("Books and", "\x1b[31mBooks\x07 and"), "utf-8")
    shown = CliRunner().invoke(app, ["models", "provenance", str(bert)])
    assert shown.exit_code == 0 and "\x1b[31mBooks" not in shown.stdout and "\x07" not in shown.stdout
