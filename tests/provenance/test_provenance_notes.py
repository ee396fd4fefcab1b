"""Curated notes: well-formed, dated, sourced, and found by whole names only."""

from __future__ import annotations

import importlib.resources
import json
from datetime import date
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from audit.models import CATALOG
from audit.provenance.licences import spdx
from audit.provenance.notes import BY, document, matched, note_claims, notes
from audit.provenance.questions import answered
from probes import suite_ids

ROOT = importlib.resources.files("audit.provenance")
DOCUMENTS: dict[str, dict[str, Any]] = {
    entry.name: yaml.safe_load(entry.read_text("utf-8")) for entry in ROOT.joinpath("notes").iterdir()
}
SCHEMA = json.loads(
    importlib.resources.files("audit").joinpath("schemas/note.schema.json").read_text("utf-8")
)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_note_fits_its_schema_and_names_what_is_known_here(name: str) -> None:
    note = DOCUMENTS[name]
    assert list(Draft202012Validator(SCHEMA).iter_errors(note)) == []
    assert name == f"{note['id']}.yaml"
    assert date.fromisoformat(note["verified_on"]) <= date.today()
    licence = note["facts"].get("licence", {"value": None})["value"]
    assert licence is None or spdx(licence) == licence, "an identifier, so that it can be compared"
    known = {identifier for entry in document("datasets")["datasets"] for identifier in entry["ids"]}
    assert set(note["datasets"]) <= known


def test_the_schema_refuses_a_fact_without_its_source_and_a_field_that_is_not_one() -> None:
    validator = Draft202012Validator(SCHEMA)
    note = DOCUMENTS["gpt2.yaml"]
    for change in (
        {"licence": {"value": "MIT", "known": "general"}},
        {"licence": {"value": "MIT", "known": "surely", "source": "the web"}},
        {"colour": {"value": "red", "known": "read", "source": "the web"}},
        {"cutoff": {"value": "recently", "known": "read", "source": "the web"}},
    ):
        assert not validator.is_valid({**note, "facts": {**note["facts"], **change}}), change


def test_the_three_models_of_the_specification_and_ten_more() -> None:
    names = {note.id for note in notes()}
    assert {"bert-base-uncased", "gpt2", "smollm2-135m", "smollm2-135m-instruct"} <= names
    assert len(names) >= 14
    every = [name for note in notes() for name in note.names]
    assert len(every) == len(set(every)), "a name that means two notes means none"


def test_a_note_is_found_by_a_whole_name_and_never_by_a_part() -> None:
    for name in ("gpt2", "GPT2", "openai-community/gpt2"):
        (match,) = matched([(name, "plan")], [])
        assert (match.note.id, match.relation) == ("gpt2", "itself")
    for name in ("my-gpt2", "gpt2-finetuned", "other/gpt2", "gpt", "", "./gpt2", "gpt2/"):
        assert matched([(name, "plan")], []) == [], name


def test_of_what_a_model_was_made_from_only_licence_and_data_are_told() -> None:
    (match,) = matched([], [("gpt2", "config.json")])
    assert match.relation == "made from it"
    fields = {row["field"] for row in note_claims(match, "model:m")}
    assert fields == {"base_model_licence", "base_model_training_data"}


def test_a_fact_is_declared_by_the_notes_with_date_and_source_and_says_how_it_is_known() -> None:
    (match,) = matched([("bert-base-uncased", "plan")], [])
    rows = {row["field"]: row for row in note_claims(match, "model:m")}
    licence = rows["licence"]
    assert (licence["status"], licence["declared_by"]) == ("declared", BY)
    assert (
        licence["observed_at"] == match.note.verified_on
        and licence["location"] == "notes/bert-base-uncased.yaml"
    )
    assert licence["note"] == "read in the source"
    assert "check it before you rely on it" in rows["released"]["note"]
    assert rows["cutoff"]["status"] == "unknown" and "Wikipedia export" in rows["cutoff"]["source"]


def test_what_is_said_of_this_projects_suites_names_them_all() -> None:
    assert set(document("suites")["suites"]) == set(suite_ids())
    assert any("smollm2-135m" in note.names for note in notes()) and "smollm2-135m" in CATALOG


def test_the_22_questions_each_with_fields_and_standards() -> None:
    asked = document("questions")["questions"]
    assert [row["id"] for row in asked] == [f"Q{n:02d}" for n in range(1, 23)]
    for row in asked:
        assert row["asks"].endswith("?") and row["fields"] and row["standards"]
    told = " ".join(text for row in asked for text in row["standards"])
    for standard in (
        "AB 2013",
        "Annex XI",
        "Template",
        "OASIS",
        "Datasheets",
        "Model cards",
        "Croissant RAI",
        "SB 26-189",
    ):
        assert standard in told
    for number in range(1, 13):
        assert any(f"({number})" in text for row in asked for text in row["standards"] if "AB 2013" in text)
    assert answered([]) == []
