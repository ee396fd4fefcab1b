"""What an audit file may say: every fault in one line with its remedy, before anything is planned."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.measures import MEASURES
from audit.models import LoadOptions
from audit.models.devices import check_device
from audit.spec import choose, read_audit
from probes import SuiteError, load_suite, suite_from_data
from probes.errors import AuditFileError, Fault

PLAIN: dict[str, Any] = {"models": ["reference/bert-fair"], "suites": ["traits"]}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, **changes}), encoding="utf-8")
    return path


def fault_of(path: Path) -> Fault:
    with pytest.raises(AuditFileError) as caught:
        read_audit(path)
    (fault,) = caught.value.faults
    assert fault.remedy
    return fault


@pytest.mark.parametrize(
    ("changes", "where", "what", "remedy"),
    [
        ({"seed": 1.0}, "$.seed", "1.0 is not a whole number", "Write a whole number."),
        ({"seed": "1"}, "$.seed", '"1" is not a whole number', "Write a whole number."),
        ({"seed": -1}, "$.seed", "-1 is less than 0", "at least 0"),
        ({"seed": 10**400}, "$.seed", "larger than can be computed with", "smaller"),
        ({"seed": 2**63}, "$.seed", "is more than", "at most"),
        ({"suites": [{"id": "traits", "templates": 4.0}]}, "$.suites[0].templates", "4.0", "whole number"),
        ({"suites": [3]}, "$.suites[0]", "3 is not text or a mapping", "Write text or a mapping."),
        ({"suites": [{"id": "traits", "odd": 1}]}, "$.suites[0].odd", "unknown key", "Known"),
        (
            {"suites": [{"id": "traits", "margin": {"value": 101, "source": "x"}}]},
            "$.suites[0].margin.value",
            "101 is more than 100",
            "more than 0 and at most 100",
        ),
        ({"decoding": {"samples": 2.0}}, "$.decoding.samples", "2.0", "whole number"),
        ({"decoding": {"temperature": 101}}, "$.decoding.temperature", "more than 100", "at most 100"),
        ({"alpha": 0.00001}, "$.alpha", "is less than 0.0001", "at least 0.0001 and at most 0.2"),
        ({"title": "a\x1b[31m"}, "$.title", "control character U+001B", "Remove it."),
        ({"title": "a\n"}, "$.title", "control character U+000A", ">-"),
        ({"title": ""}, "$.title", "the text is empty", "Write some text."),
        ({"models": ["a\0b"]}, "$.models[0]", "control character U+0000", "Remove it."),
        ({"load": {"device": "banana"}}, "$.load.device", '"banana" is not a device', "form"),
        ({"load": {"device": "cpu\n"}}, "$.load.device", "control character", "one line"),
        ({"load": {"allow_pickle": 1}}, "$.load.allow_pickle", "1 is not true or false", "true or false"),
    ],
)
def test_a_fault_of_an_audit_file(
    changes: dict[str, Any], where: str, what: str, remedy: str, tmp_path: Path
) -> None:
    fault = fault_of(written(tmp_path, **changes))
    assert where in fault.where
    assert what in fault.what
    assert remedy in fault.remedy


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_devices_that_the_file_may_name_are_known(device: str, tmp_path: Path) -> None:
    spec = read_audit(written(tmp_path, load={"device": device}))
    assert spec.load == LoadOptions(device=device)
    check_device(device)


def test_a_folder_beside_the_audit_file_stays_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = ["./my/bert", "../other/bert", "my/bert", "/abs/bert"]
    path = written(tmp_path, models=models)
    monkeypatch.chdir(tmp_path)
    assert read_audit(Path(path.name)).models == ("./my/bert", "../other/bert", "my/bert", "/abs/bert")
    monkeypatch.chdir(tmp_path.parent)
    assert read_audit(Path(tmp_path.name) / path.name).models[0] == f"./{tmp_path.name}/my/bert"


def test_a_suite_beside_the_audit_file_may_end_in_yml(mini: Path, tmp_path: Path) -> None:
    mini.rename(mini.with_suffix(".yml"))
    path = written(mini.parent, suites=[mini.with_suffix(".yml").name])
    assert read_audit(path).suites[0].suite.id == "mini"


def other(measure: str, name: str = "traits") -> Any:
    data = copy.deepcopy(dict(load_suite(name).data))
    return suite_from_data({**data, "measure": measure}, "own.yaml")


@pytest.mark.parametrize(
    ("measure", "name", "what", "remedy"),
    [
        (
            "foo",
            "traits",
            "unknown measure 'foo'",
            "Known: answer_log_odds, continuation_sentiment, continuation_toxicity, ",
        ),
        ("answer_logodds", "traits", "unknown measure", "Did you mean 'answer_log_odds'?"),
        ("continuation_sentiment", "traits", "cannot read", "'forms: [generate]', or 'answer_log_odds'"),
        ("answer_log_odds", "continuation", "cannot read", "or 'continuation_sentiment'"),
    ],
)
def test_a_measure_reads_the_forms_of_its_suite(measure: str, name: str, what: str, remedy: str) -> None:
    with pytest.raises(SuiteError) as caught:
        choose(other(measure, name))
    (fault,) = caught.value.faults
    assert fault.where == "own.yaml: $.measure"
    assert what in fault.what
    assert remedy in fault.remedy


def test_a_margin_has_the_unit_of_its_measure() -> None:
    data = copy.deepcopy(dict(load_suite("continuation").data))
    suite = suite_from_data({**data, "margin": {**data["margin"], "unit": "nats"}}, "own.yaml")
    with pytest.raises(SuiteError, match=r"own.yaml: \$.margin.unit: .* Write 'unit: points'"):
        choose(suite)


def test_every_measure_says_which_forms_it_reads() -> None:
    assert all(measure.forms <= {"fill", "score", "generate"} for measure in MEASURES.values())
    assert all(measure.forms for measure in MEASURES.values())
