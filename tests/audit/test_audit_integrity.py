"""What is said of a folder at a glance, whatever lies in it."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import audit.bundle
from audit.api import run
from audit.bundle import Bundle, sha256
from audit.chain_ends import chain_ends
from audit.integrity import SMALL_BYTES, deviations, quick_status, state_of
from audit.models import ScriptedModel
from audit.spec import AuditSpec, choose
from tests.conftest import write_mini

CHECKS = ["files", "plan", "chain", "findings", "calibration", "signature"]
FILES = (
    "plan.json",
    "records/00000.jsonl",
    "findings.json",
    "provenance.json",
    "environment.json",
    "manifest.json",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit in several record files."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=6, terms=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit.bundle, "ROTATE_BYTES", 8_000)
        patch.setattr("audit.blocks.REQUESTS", 16)
        run(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(suite)),)), folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def record_files(root: Path) -> list[Path]:
    return sorted((root / "records").iterdir())


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    data = json.loads(path.read_text("utf-8"))
    changed = change(data)
    path.write_text(json.dumps(data if changed is None else changed), "utf-8")


def faults(root: Path) -> dict[str, str]:
    return {check.name: " ".join(check.faults) for check in quick_status(root) if check.faults}


# -- a finished audit ---------------------------------------------------------------------------------


def test_an_untouched_audit_is_finished_and_every_check_holds(bundle: Path) -> None:
    state = state_of(bundle)
    assert (state.state, state.title) == ("finished", "A finished audit")
    count = len(list(Bundle(bundle).records()))
    assert f"{count:,} answers" in state.message
    checks = quick_status(bundle)
    assert [check.name for check in checks] == CHECKS
    assert faults(bundle) == {}
    assert len(record_files(bundle)) > 2
    assert f"{count:,} by their numbers" in checks[2].detail
    assert checks[4].detail.startswith("calibrated on")
    assert checks[5].detail == "not signed"


def test_the_ends_of_the_chain_are_those_of_the_whole_chain(bundle: Path) -> None:
    ends = chain_ends(Bundle(bundle))
    records = list(Bundle(bundle).records())
    assert (ends.records, ends.head, ends.torn) == (len(records), sha256(records[-1].line()), False)
    assert ends.files == len(record_files(bundle))


# -- folders that are no audit ------------------------------------------------------------------------


def test_what_is_no_folder_of_an_audit(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    expected = {
        "none": ("not an audit", "No such folder"),
        "file": ("not an audit", "Not an audit"),
        "file/in": ("not an audit", "No such folder"),
        "nul\0byte": ("not an audit", "No such folder"),
        "other": ("not an audit", "Not an audit"),
        "pipe": ("not an audit", "Not an audit"),
        "loop": ("broken", "This audit is broken"),
        "n" * 300: ("broken", "This audit is broken"),
    }
    for name, (state, title) in expected.items():
        found = state_of(tmp_path / name)
        assert (found.state, found.title) == (state, title), name
        assert found.message and found.remedy
        assert [check.name for check in quick_status(tmp_path / name)] == CHECKS
        assert len(deviations(tmp_path / name)) == 1
    assert "Too many levels of symbolic links" in state_of(tmp_path / "loop").message


def test_an_empty_folder_and_what_a_killed_run_left_before_its_plan(tmp_path: Path) -> None:
    assert state_of(tmp_path).state == "empty"
    (tmp_path / "records").mkdir()
    (tmp_path / "plan.json.partial").write_text("{")
    found = state_of(tmp_path)
    assert found.state == "empty"
    assert "evenhand run --out" in found.remedy


def test_an_audit_that_lost_its_plan_is_broken_and_not_something_else(bundle: Path) -> None:
    (bundle / "plan.json").unlink()
    found = state_of(bundle)
    assert (found.state, "plan.json is missing" in found.message) == ("broken", True)


# -- plans --------------------------------------------------------------------------------------------


DEEP = '{"a":' * 5000 + "1" + "}" * 5000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("garbage", "not JSON"),
        ("[]", "bundle format None"),
        ('{"format": "1"}', "bundle format '1'"),
        ('{"format": 1}', "not as evenhand writes a plan"),
        ('{"format": NaN}', "which is no number"),
        ('{"format": ' + "1" * 5000 + "}", "absurd size"),
        (DEEP, "nested too deeply"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_a_plan_that_cannot_be_used_is_broken(bundle: Path, content: str, says: str) -> None:
    (bundle / "plan.json").write_text(content)
    found = state_of(bundle)
    assert found.state == "broken"
    assert says in found.message
    assert "plan.json" in found.message and found.remedy
    assert "plan" in faults(bundle)
    assert deviations(bundle)[0].startswith("The plan cannot be read")


def test_a_plan_or_findings_of_another_version(bundle: Path) -> None:
    edit(bundle / "findings.json", lambda data: {**data, "format": 2})
    assert state_of(bundle).state == "other version"
    edit(bundle / "plan.json", lambda data: {**data, "format": 99})
    found = state_of(bundle)
    assert (found.state, found.title) == ("other version", "Made by another version")
    assert "bundle format 99; this version of evenhand reads format 1" in found.message
    assert "environment.json" in found.remedy


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["suites"][0].update(data={}),
        lambda data: data["suites"][0].update(sampling={"odd": 1}),
        lambda data: data["models"][0].pop("digest"),
        lambda data: data["models"][0].update(id=1),
        lambda data: data["hypotheses"][0].pop("id"),
        lambda data: data["lexicons"].update(x={"id": "x"}),
        lambda data: data["suites"].append(3),
    ],
)
def test_a_plan_whose_parts_cannot_be_rebuilt_is_broken(bundle: Path, change: Callable[[Any], Any]) -> None:
    edit(bundle / "plan.json", lambda data: change(data) and None)
    found = state_of(bundle)
    assert found.state == "broken"
    assert "chain" not in found.message  # said of the plan, before the records are looked at


# -- records and findings -----------------------------------------------------------------------------


def test_a_plan_alone_and_a_run_half_done_are_unfinished(bundle: Path) -> None:
    (bundle / "findings.json").unlink()
    count = len(list(Bundle(bundle).records()))
    found = state_of(bundle)
    assert (found.state, found.message) == ("unfinished", f"{count:,} answers are kept")
    assert found.remedy.startswith("Go on with: evenhand run --out")
    last = record_files(bundle)[-1]
    lines = last.read_bytes().splitlines(keepends=True)
    last.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    torn = state_of(bundle)
    assert torn.state == "unfinished"
    assert torn.message == (
        f"{count - 1:,} answers are kept; the last answer was cut short and will be asked again"
    )
    shutil.rmtree(bundle / "records")
    assert state_of(bundle).message == "Nothing has been asked yet"
    (bundle / "records").mkdir()
    (bundle / "records" / "00000.jsonl").write_bytes(b"{")
    assert state_of(bundle).message.startswith("Nothing has been asked yet; the last answer was cut short")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not JSON"),
        ("[]", "not findings of this version"),
        ('{"format": 1}', "not findings of this version"),
        (DEEP, "nested too deeply"),
        ('{"format": 1e999}', "absurd size"),
    ],
)
def test_findings_that_cannot_be_read_are_made_again(bundle: Path, content: str, says: str) -> None:
    (bundle / "findings.json").write_text(content)
    found = state_of(bundle)
    assert (found.state, says in found.message) == ("broken", True)
    assert found.remedy.startswith("Make them again with: evenhand analyze")
    assert "findings" in faults(bundle)


def test_findings_of_other_answers_or_another_plan_are_not_shown(bundle: Path) -> None:
    edit(bundle / "findings.json", lambda data: {**data, "chain_sha256": "0" * 64})
    found = state_of(bundle)
    assert (found.state, "made from other answers" in found.message) == ("broken", True)
    assert "made from other answers" in faults(bundle)["findings"]
    edit(bundle / "findings.json", lambda data: {**data, "plan_sha256": "0" * 64})
    assert "made from another plan" in state_of(bundle).message
    (bundle / "findings.json").unlink()
    (bundle / "findings.json").symlink_to(bundle / "findings.json")
    assert state_of(bundle).state == "broken"


def test_records_cut_off_torn_reordered_or_gone_after_the_findings(bundle: Path, tmp_path: Path) -> None:
    def fresh() -> Path:
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        return Path(shutil.copytree(bundle, tmp_path / "again"))

    root = fresh()
    last = record_files(root)[-1]
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    assert "made from other answers" in state_of(root).message
    root = fresh()
    last = record_files(root)[-1]
    last.write_bytes(last.read_bytes() + b'{"n":')
    assert "cut short after the findings were made" in state_of(root).message
    assert "cut short" in faults(root)["chain"]
    root = fresh()
    first, second = record_files(root)[:2]
    first.rename(root / "x")
    second.rename(first)
    (root / "x").rename(second)
    assert "the chain of answers does not hold" in state_of(root).message
    assert "does not follow from" in faults(root)["chain"]
    root = fresh()
    record_files(root)[0].write_bytes(b"")
    assert "holds no record" in faults(root)["chain"]
    root = fresh()
    middle = record_files(root)[1]
    middle.write_bytes(middle.read_bytes()[:-5])
    assert "the file before it ends in a record that was cut short" in faults(root)["chain"]
    root = fresh()
    shutil.rmtree(root / "records")
    assert state_of(root).state == "broken"
    (root / "records").symlink_to(root / "records")
    assert state_of(root).state == "broken"


def test_a_changed_first_or_last_record_is_seen(bundle: Path) -> None:
    path = record_files(bundle)[-1]
    whole = path.read_bytes()
    for place in (5, len(whole) - 5):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        assert state_of(bundle).state == "broken"
        assert "chain" in faults(bundle)
    path.write_bytes(whole)
    assert state_of(bundle).state == "finished"


def test_files_are_compared_by_size_and_small_ones_by_hash(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle / "provenance.json"
    path.write_bytes(path.read_bytes().replace(b"measured", b"declared", 1))
    assert "does not have the hash" in faults(bundle)["files"]
    monkeypatch.setattr("audit.integrity.SMALL_BYTES", 10)
    assert "files" not in faults(bundle)
    path.write_bytes(path.read_bytes() + b" ")
    assert "provenance.json" in faults(bundle)["files"]
    (bundle / "more.txt").write_text("x")
    assert "more.txt: not in the manifest" in faults(bundle)["files"]
    assert SMALL_BYTES > 100_000


def test_a_suite_that_was_changed_in_the_plan_is_named(bundle: Path) -> None:
    def change(data: Any) -> None:
        data["suites"][0]["data"]["title"] = "another"
        data["hypotheses"].append(data["hypotheses"][0])

    edit(bundle / "plan.json", change)
    found = faults(bundle)
    assert "suite mini does not have the digest" in found["plan"]
    assert "a hypothesis is declared twice" in found["plan"]
    assert "does not follow from the plan" in found["chain"]


def test_a_file_that_may_not_be_read_is_one_clear_page(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "findings.json":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    found = state_of(bundle)
    assert (found.state, "Permission denied" in found.message) == ("broken", True)
    assert "findings" in faults(bundle)
    assert any("findings.json cannot be read" in text for text in deviations(bundle))

    def closed(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", closed)
    assert "cannot be read: Permission denied" in state_of(bundle).message


def test_a_pipe_in_place_of_a_file_is_not_waited_for(bundle: Path) -> None:
    for name in ("plan.json", "findings.json"):
        kept = (bundle / name).read_bytes()
        (bundle / name).unlink()
        os.mkfifo(bundle / name)
        found = state_of(bundle)
        assert (found.state, "neither a file nor a folder" in found.message) == ("broken", True)
        assert faults(bundle)
        (bundle / name).unlink()
        (bundle / name).write_bytes(kept)


def test_what_a_folder_holds_cannot_steer_the_terminal_or_fill_the_page(bundle: Path) -> None:
    edit(bundle / "findings.json", lambda data: {**data, "\x1b[31mred" + "x" * 5000: 1})
    edit(bundle / "environment.json", lambda data: data["runs"][0].update(started="\x1b[2J", reused=3))
    edit(bundle / "environment.json", lambda data: data["runs"].append(data["runs"][0]))
    texts = [state_of(bundle).message, *deviations(bundle)]
    texts += [text for check in quick_status(bundle) for text in (check.detail, *check.faults)]
    assert not any("\x1b" in text for text in texts)
    assert any("\\x1b[2J" in text for text in texts)
    assert max(map(len, texts)) < 1000


# -- anything at all ----------------------------------------------------------------------------------


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_no_content_of_any_file_raises(bundle: Path, name: str, content: bytes) -> None:
    path = bundle / name
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        assert state_of(bundle).state in ("broken", "other version", "finished")
        assert [check.name for check in quick_status(bundle)] == CHECKS
        assert faults(bundle)
        assert isinstance(deviations(bundle), list)
    finally:
        path.write_bytes(kept)


ODD = (None, True, -1, 1e308, 10**30, "", "\ud800", "x\x00", [], {}, [[]], {"a": 1}, float("inf"))


def spoil(node: Any, rng: random.Random) -> Any:
    """The same JSON with one thing in it replaced, dropped or doubled."""
    if isinstance(node, dict) and node and rng.random() < 0.9:
        key = rng.choice(sorted(node))
        kind = rng.random()
        if kind < 0.1:
            return {name: value for name, value in node.items() if name != key}
        return {**node, key: spoil(node[key], rng)}
    if isinstance(node, list) and node and rng.random() < 0.9:
        at = rng.randrange(len(node))
        if rng.random() < 0.1:
            return [*node, node[at]]
        return [*node[:at], spoil(node[at], rng), *node[at + 1 :]]
    return rng.choice(ODD)


@pytest.mark.parametrize("name", FILES)
def test_no_single_wrong_value_in_any_file_raises(bundle: Path, name: str) -> None:
    path = bundle / name
    kept = path.read_bytes()
    rng = random.Random(name)
    lines = name.endswith("l")
    for _ in range(15):
        first, _, rest = kept.partition(b"\n") if lines else (kept, b"", b"")
        text = json.dumps(spoil(json.loads(first), rng))
        path.write_bytes(text.encode() + (b"\n" + rest if lines else b""))
        state_of(bundle)
        assert [check.name for check in quick_status(bundle)] == CHECKS
        deviations(bundle)


# -- departures ---------------------------------------------------------------------------------------


def test_an_audit_as_planned_departs_in_nothing_but_the_calibration(bundle: Path) -> None:
    edit(bundle / "findings.json", lambda data: data["instrument"].update(matches=True))
    assert deviations(bundle) == []
    edit(bundle / "findings.json", lambda data: data["instrument"].update(matches=False, text="of old code"))
    assert deviations(bundle) == [
        "The findings were made by code that its calibration does not cover: of old code"
    ]


def test_every_departure_is_named(bundle: Path) -> None:
    def runs(data: Any) -> None:
        later = json.loads(json.dumps(data["runs"][0]))
        later.update(started="2026-02-03T04:05:06+00:00", reused=7)
        later["environment"]["packages"]["numpy"] = "9.9"
        later["environment"]["cores"] = 999
        later["environment"]["commit"] = {"sha": "f" * 40, "changed": False}
        data["runs"][0]["started"] = "2026-01-02T03:04:05+00:00"
        data["runs"].append(later)

    def findings(data: Any) -> None:
        data["instrument"]["matches"] = True
        data["families"][0].update(method="holm", note="max-T needs every cell")
        data["coverage"][0]["statuses"] = {"scored": 90, "error": 6, "empty": 4}

    def claims(data: Any) -> None:
        row = next(r for r in data["claims"] if r["subject"].startswith("model:") and r["field"] == "digest")
        row["value"] = "0" * 64

    def plan(data: Any) -> None:
        data["not_measurable"].append({"model": "m", "suite": "s", "reason": "it cannot fill"})

    edit(bundle / "environment.json", runs)
    edit(bundle / "findings.json", findings)
    edit(bundle / "provenance.json", claims)
    edit(bundle / "plan.json", plan)
    found = "\n".join(deviations(bundle))
    for text in (
        "Asked in 2 runs, so interrupted or taken up again 1 times: 2026-01-02T03:04:05+00:00, 2026-02-03",
        "7 answers were taken over from earlier bundles and not asked again",
        "to 9.9 between the runs of 2026-01-02T03:04:05+00:00 and 2026-02-03T04:05:06+00:00",
        "The cores changed from",
        f"to {'f' * 40} between the runs",
        "s was not measurable on m: it cannot fill",
        "has the digest 000000000000 by its provenance",
        "was corrected by holm, where the plan says max-t: max-T needs every cell",
        "10 of 100 scores (10.0%) of mini on",
        "have no value: 4 empty, 6 error",
    ):
        assert text in found, text


def test_files_that_are_not_there_are_said_to_tell_nothing(bundle: Path) -> None:
    for name in ("environment.json", "provenance.json", "findings.json"):
        (bundle / name).unlink()
    found = deviations(bundle)
    assert [text.split()[0] for text in found] == ["environment.json", "provenance.json", "findings.json"]
    assert all("what it would tell is not known" in text for text in found)
