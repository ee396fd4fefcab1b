"""What a file can hold that no person would write: each is one line with its remedy, never a traceback."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes import Fault, SuiteError, lexicon_from_data, load_lexicon, load_suite, suite_from_data
from probes.catalogue import is_path
from probes.documents import MAX_BYTES, ROOM, read
from probes.explain import schema_validator

ESC, NUL, CSI = "\x1b", "\0", "\x9b"


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(SuiteError) as caught:
        call()
    faults = caught.value.faults
    assert all(fault.remedy for fault in faults), faults
    assert len(str(caught.value).splitlines()) == len(faults)
    return faults


def changed(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    data = copy.deepcopy(dict(data))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return data


def suite(path: tuple[str | int, ...], value: Any) -> tuple[Fault, ...]:
    return faults_of(lambda: suite_from_data(changed(load_suite("traits").data, path, value), "x.yaml"))


def lexicon(path: tuple[str | int, ...], value: Any) -> tuple[Fault, ...]:
    data = changed(load_lexicon("religions").data, path, value)
    return faults_of(lambda: lexicon_from_data(data, "x.yaml"))


@pytest.mark.parametrize(
    "claim",
    ["{group} {ratio} as high as {reference} {", "{group} {{ratio}} {reference}", "{group} {ratio} }"],
)
def test_a_claim_holds_no_lone_brace(claim: str) -> None:
    (fault,) = suite(("contrasts", 0, "claim"), claim)
    assert fault.what == "a brace stands alone"
    assert "$.contrasts[0].claim" in fault.where


@pytest.mark.parametrize(
    "tagged", ["!!timestamp x", "!!bool maybe", "!!int ''", "!!str a", "!own a", "! a", "!!set {a}"]
)
@pytest.mark.parametrize("load", [load_suite, load_lexicon])
def test_yaml_tags_are_refused(load: Callable[[Path], object], tagged: str, tmp_path: Path) -> None:
    path = tmp_path / "tagged.yaml"
    path.write_text(f"id: a\ntitle: {tagged}\n", encoding="utf-8")
    (fault,) = faults_of(lambda: load(path))
    assert "line 2 uses a YAML tag" in fault.what


@pytest.mark.parametrize("name", ["a\0.yaml", "x" * 300 + ".yaml", "no/such/file.yaml"])
@pytest.mark.parametrize("load", [load_suite, load_lexicon])
def test_a_path_that_cannot_be_one(load: Callable[[str], object], name: str) -> None:
    (fault,) = faults_of(lambda: load(name))
    assert "cannot read" in fault.what
    assert NUL not in str(fault)


def test_a_lexicon_path_that_is_too_long(tmp_path: Path) -> None:
    data = changed(load_suite("traits").data, ("lexicons",), ["x" * 300 + ".yaml"])
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    faults = faults_of(lambda: load_suite(tmp_path / "own.yaml"))
    assert "there is no lexicon file" in faults[0].what


@pytest.mark.parametrize("name", [os.devnull, "/dev/zero", "."])
def test_what_is_no_regular_file_is_not_read(name: str) -> None:
    if not Path(name).exists():
        pytest.skip(f"this machine has no {name}")
    (fault,) = faults_of(lambda: load_suite(Path(name)))
    assert "not a file" in fault.what


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("read before its size was known"))
    (fault,) = faults_of(lambda: load_suite(path))
    assert f"{MAX_BYTES + 1:,} bytes" in fault.what


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "traits\n"),
        (("version",), "1.0.0\n"),
        (("title",), f"a{ESC}[31m title"),
        (("title",), "a title\n"),
        (("templates", 0, "text"), f"The {{group}} man{NUL} was {{answer}}."),
        (("templates", 0, "id"), "sx\n"),
        (("answers", "trait", 0, "plus"), [f"ru{CSI}de"]),
        (("contrasts", 0, "claim"), f"{{group}}{ESC} {{ratio}}"),
        (("margin", "source"), "a\ttab"),
        (("card", "limits"), ["a\x7fb"]),
    ],
)
def test_a_suite_holds_no_control_characters(path: tuple[str | int, ...], value: Any) -> None:
    fault = next(f for f in suite(path, value) if "control character" in f.what)
    assert "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path) in fault.where


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), "religions\n"),
        (("terms", 0, "text"), f"Chris{ESC}tian"),
        (("terms", 0, "covariates"), {"region": f"a{ESC}b"}),
        (("terms", 0, "forms", "person\n"), "a person"),
        (("axes", "religion", "label"), f"re{CSI}ligion"),
        (("source", "url"), "https://example.org/\n"),
    ],
)
def test_a_lexicon_holds_no_control_characters(path: tuple[str | int, ...], value: Any) -> None:
    assert any("control character" in fault.what for fault in lexicon(path, value))


def test_a_fault_is_safe_to_print() -> None:
    text = str(Fault(f"a{ESC}[2J\nb", f"x{CSI}y", f"re{NUL}medy \udcff"))
    assert text == r"x\x9by: a\x1b[2J b. re\x00medy \udcff"


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("margin", "value"), 101, "101 is more than 100"),
        (("margin", "value"), 0, "0 is not more than 0"),
        (("margin", "value"), 10**400, "larger than can be computed with"),
        (("planning", "term_sd"), 1001, "1001 is more than 1000"),
        (("planning", "term_sd"), -1, "-1 is less than 0"),
    ],
)
def test_numbers_have_bounds(path: tuple[str, ...], value: Any, what: str) -> None:
    (fault,) = suite(path, value)
    assert what in fault.what
    assert fault.remedy.startswith("Write a")


def test_a_whole_number_is_written_as_one() -> None:
    (fault,) = lexicon(("source", "year"), 2012.0)
    assert fault.what == "2012.0 is not a whole number"


def test_a_value_of_several_kinds_is_explained() -> None:
    (fault,) = lexicon(("terms", 0, "covariates"), {"region": [1]})
    assert fault.what == "[1] is not a number or text"


def test_yml_is_a_file_too(tmp_path: Path) -> None:
    assert is_path("mine.yml")
    own = changed(load_lexicon("religions").data, ("id",), "own")
    (tmp_path / "own.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    data = changed(load_suite("traits").data, ("lexicons",), ["own.yml"])
    (tmp_path / "mine.yml").write_text(yaml.safe_dump(data), encoding="utf-8")
    assert load_suite(str(tmp_path / "mine.yml")).lexicons == ("own.yml",)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0), ("-7", -7), ("+7", 7), ("120", 120), ("1.50", 1.5), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0),
        ("1e-3", 0.001), ("2.5E+1", 25.0), ("-.5e1", -5.0),
        # YAML 1.1 reads these as 8, -8, 31, 5, 1000, 1000.5, 750 and 750.5.
        ("010", "010"), ("-010", "-010"), ("0x1F", "0x1F"), ("0b101", "0b101"), ("1_000", "1_000"),
        ("1_000.5", "1_000.5"), ("12:30", "12:30"), ("12:30.5", "12:30.5"),
        ("010.5", "010.5"), ("0o10", "0o10"), ("1e", "1e"), (".", "."), ("-", None),
    ],
)  # fmt: skip
def test_numbers_are_decimal_and_everything_else_is_text(tmp_path: Path, written: str, value: object) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"a: {written}\n" if value is not None else "a:\n")
    found = read(path, "suite", schema_validator({"type": "object"})).data["a"]
    assert (type(found), found) == (type(value), value)


def test_a_number_with_a_leading_zero_is_named_where_a_number_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    text = (ROOM / "suites" / "traits.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("value: 0.2\n", "value: 00.2\n"), encoding="utf-8")
    (fault,) = faults_of(lambda: load_suite(path))
    assert "$.margin.value (line 83)" in fault.where
    assert '"00.2"' in fault.what
