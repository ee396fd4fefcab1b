"""The schemas of others are those that their table names, and nothing refers to a file that is not there."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import re
from pathlib import Path

import pytest

from reports.exports.validate import REFERRED, SCHEMAS, ExportError, held_to, spdx_ids, validator

FOLDER = Path(str(importlib.resources.files("reports").joinpath("schemas/vendor")))
ROW = re.compile(r"^\| (\S+) \| .+ \| (\S+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
TABLE = {
    name: (licence, sha) for name, licence, sha in ROW.findall((FOLDER / "README.md").read_text("utf-8"))
}


def test_the_table_names_every_file_and_nothing_else() -> None:
    assert TABLE.keys() == {path.name for path in FOLDER.iterdir()} - {"README.md"}
    assert {licence for licence, _ in TABLE.values()} == {"Apache-2.0", "MIT"}
    assert {*SCHEMAS.values(), *REFERRED} <= TABLE.keys()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_file_is_byte_for_byte_as_it_came(name: str) -> None:
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == TABLE[name][1]


def test_every_reference_from_file_to_file_is_at_hand() -> None:
    for name in SCHEMAS.values():
        text = (FOLDER / name).read_text("utf-8")
        others = {found.partition("#")[0] for found in re.findall(r'"\$ref":\s*"([^"#][^"]*)"', text)}
        assert others <= set(REFERRED), name
    schema = json.loads((FOLDER / SCHEMAS["cyclonedx"]).read_text("utf-8"))
    for kind in SCHEMAS:
        validator(kind).check_schema(validator(kind).schema)
    assert schema["$id"] == "http://cyclonedx.org/schema/bom-1.7.schema.json"


def test_licences_are_found_however_they_are_spelt() -> None:
    assert spdx_ids()["apache-2.0"] == "Apache-2.0" and spdx_ids()["mit"] == "MIT"
    assert "modified mit" not in spdx_ids()


BILL = {"bomFormat": "CycloneDX", "specVersion": "1.7"}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"serialNumber": "1"}, r"\$\.serialNumber"),
        ({"components": [{"type": "file"}]}, r"\$\.components\[0\]"),
        (
            {"components": [{"type": "data", "name": "x", "licenses": [{"license": {"id": "Free"}}]}]},
            "licenses",
        ),
        ({"declarations": {"attestations": [{"map": [{"conformance": {"score": 2}}]}]}}, "score"),
    ],
)
def test_what_is_not_as_the_schema_says_is_an_error_of_the_program(
    more: dict[str, object], path: str
) -> None:
    assert held_to(BILL, "cyclonedx", "x") == BILL
    with pytest.raises(ExportError, match=rf"x\.json is no cyclonedx document: .*{path}"):
        held_to({**BILL, **more}, "cyclonedx", "x.json")
