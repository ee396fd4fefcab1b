"""A compiled schema says of every value what jsonschema says."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import audit.verify
from audit.api import audit as run_audit
from audit.bundle import read_json
from audit.compiled_schema import compiled
from audit.models import ScriptedModel
from audit.verify import findings_errors, findings_fit, findings_schema, read_findings
from probes.errors import BundleError
from tests.conftest import write_mini

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 1.0, 0.5, -0.5, 1e300, "", "a", "ab", "scored", [], ["a"], [1, None], {},
    {"a": 1}, {"a": "b", "b": 2}, {"a": None}, {"scored": 0}, [{"a": 1}],
)  # fmt: skip

SCHEMAS: tuple[Any, ...] = (
    True,
    False,
    {},
    {"type": "integer"},
    {"type": "number"},
    {"type": ["object", "null"]},
    {"type": "boolean"},
    {"type": "array", "items": {"type": ["string", "integer"]}},
    {"enum": ["a", None, 1]},
    {"enum": [True, 0]},
    {"const": 1},
    {"const": False},
    {"const": "invalid", "enum": ["invalid", "a"]},
    {"minimum": 1},
    {"minimum": 0, "maximum": 1},
    {"exclusiveMinimum": 0},
    {"minLength": 1},
    {"pattern": "^[a-z]$"},
    {"required": ["a"]},
    {"properties": {"a": {"type": "integer"}}},
    {"properties": {"a": True}, "additionalProperties": False},
    {"properties": {"a": {"minimum": 1}}, "additionalProperties": {"type": "integer"}},
    {"additionalProperties": {"type": "integer"}},
    {"propertyNames": {"enum": ["a", "scored"]}},
    {"allOf": [{"minimum": 0}, {"maximum": 1}]},
    {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}},
    {"if": {"type": "string"}, "then": {"minLength": 2}},
    {"if": {"type": "string"}, "else": {"type": "null"}},
    {"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}, "title": "t"},
    {"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n", "minimum": 1},
    {"$defs": {"t": {"properties": {"a": {"$ref": "#/$defs/t"}}, "type": "object"}}, "$ref": "#/$defs/t"},
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_it_agrees_with_jsonschema(schema: Any) -> None:
    if isinstance(schema, dict):
        Draft202012Validator.check_schema(schema)
    fits = compiled(schema) if isinstance(schema, dict) else compiled({"allOf": [schema]})
    for value in VALUES:
        assert fits(value) == Draft202012Validator(schema).is_valid(value), value


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"items": {"uniqueItems": True}}, "cannot be compiled: uniqueItems"),
        ({"oneOf": []}, "cannot be compiled: oneOf"),
        ({"enum": [{"a": 1}]}, "more than plain values"),
        ({"$ref": "#/$defs/no"}, "cannot be followed"),
        ({"$ref": "https://example.org/n", "$defs": {"n": True}}, "cannot be followed"),
        ({"$ref": "n", "$defs": {"n": True}}, "cannot be followed"),
    ],
)
def test_what_it_does_not_know_it_refuses(schema: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        compiled(schema)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("findings")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=8, terms=3)
    run_audit([ScriptedModel.noise()], [str(suite)], folder / "bundle")
    return folder / "bundle"


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def test_findings_with_one_thing_changed_are_judged_alike(bundle: Path) -> None:
    whole = read_json(bundle / "findings.json")
    whole["findings"] = [whole["findings"][0], whole["findings"][-1]]
    schema, fits = Draft202012Validator(findings_schema()), findings_fit()
    assert fits(whole) and schema.is_valid(whole)
    rng = random.Random(1)
    refused = 0
    for _ in range(250):
        changed = copy.deepcopy(whole)
        container, key = rng.choice(list(places(changed)))
        if rng.random() < 0.3:
            del container[key]
        elif isinstance(container, dict) and rng.random() < 0.2:
            container[rng.choice(["odd", "scored", ""])] = rng.choice(VALUES)
        else:
            container[key] = rng.choice(VALUES)
        assert fits(changed) == schema.is_valid(changed)
        refused += not fits(changed)
    assert 100 < refused < 250


def test_a_file_that_does_not_fit_is_still_told_where(bundle: Path) -> None:
    path = bundle / "findings.json"
    kept = path.read_text()
    assert findings_errors(read_json(path)) == []
    try:
        path.write_text(kept.replace('"verdict": "', '"verdict": "surely ', 1))
        with pytest.raises(BundleError, match=r"\$\.findings\[0\]\.verdict: 'surely"):
            read_findings(bundle)
    finally:
        path.write_text(kept)


def test_what_fits_is_not_validated_twice(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.verify, "Draft202012Validator", None)
    assert read_findings(bundle)["findings"]
