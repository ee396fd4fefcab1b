"""Whatever is done to a bundle, verify names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.bundle import Bundle
from audit.calibration.record import code_sha256
from audit.verify import Check, read_findings, verify_bundle


def faults(checks: list[Check]) -> str:
    return "\n".join(fault for check in checks for fault in check.faults)


def test_an_untouched_bundle_holds(bundle: Path) -> None:
    checks = verify_bundle(bundle)
    names = ["signature", "manifest", "plan", "chain", "answers", "findings", "sidecar"]
    assert [check.name for check in checks] == names
    assert faults(checks) == ""


FILES = (
    "plan.json", "records/00000.jsonl", "findings.json", "provenance.json", "environment.json",
    "manifest.json",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.02, 0.31, 0.5, 0.77, 0.98])
def test_one_flipped_byte_in_any_file_is_named(bundle: Path, name: str, place: float) -> None:
    path = bundle / name
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x01
    path.write_bytes(data)
    assert name in faults(verify_bundle(bundle))


def test_the_files_are_all_of_them(bundle: Path) -> None:
    there = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()}
    assert there == {*FILES, "sidecar/scores.parquet"}


def rewrite_records(bundle: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the records, and cover the tracks in the manifest."""
    path = bundle / "records/00000.jsonl"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    Bundle(bundle).write_manifest()


def test_a_cut_last_record_is_named(bundle: Path) -> None:
    rewrite_records(bundle, lambda lines: lines[:-1])
    found = faults(verify_bundle(bundle))
    assert "records were cut off" in found
    assert "1 request of the plan has no answer" in found


def test_a_torn_last_record_is_named(bundle: Path) -> None:
    rewrite_records(bundle, lambda lines: [*lines[:-1], lines[-1][:40]])
    assert "the last record is cut short" in faults(verify_bundle(bundle))


def test_two_swapped_records_are_named(bundle: Path) -> None:
    rewrite_records(bundle, lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])
    assert "00000.jsonl:2: record 2 does not follow" in faults(verify_bundle(bundle))


def test_an_edited_answer_is_named(bundle: Path) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        data = json.loads(lines[3])
        data["response"]["choices"][0]["logprob"] = -0.5
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return [*lines[:3], text.encode() + b"\n", *lines[4:]]

    rewrite_records(bundle, edit)
    assert "00000.jsonl:5: record 4 does not follow" in faults(verify_bundle(bundle))


def test_an_edited_figure_is_named_with_both_values(bundle: Path) -> None:
    path = bundle / "findings.json"
    found = json.loads(path.read_text())
    true = found["findings"][0]["estimate"]
    found["findings"][0]["estimate"] = 0.0123
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    Bundle(bundle).write_manifest()
    text = faults(verify_bundle(bundle))
    assert "$.findings[0].estimate: 0.0123, recomputed " in text
    assert repr(true) in text
    assert "manifest.json" not in text, "the tracks were covered, and the figure is found all the same"


def test_an_edited_verdict_is_named(bundle: Path) -> None:
    path = bundle / "findings.json"
    found = json.loads(path.read_text())
    row = found["findings"][-1]
    row["verdict"] = "disparity" if row["verdict"] != "disparity" else "inconclusive"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    Bundle(bundle).write_manifest()
    assert ".verdict: " in faults(verify_bundle(bundle))


def test_an_added_and_a_missing_file_are_named(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("hello")
    (bundle / "provenance.json").unlink()
    text = faults(verify_bundle(bundle))
    assert "notes.txt: not in the manifest" in text
    assert "provenance.json: missing" in text


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff\xfe{}", b'{"format": 1}', b"{"])
@pytest.mark.parametrize("name", ["plan.json", "findings.json", "manifest.json"])
def test_rubbish_is_a_fault_and_never_a_crash(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    assert faults(verify_bundle(bundle))


def test_a_check_that_cannot_be_made_does_not_hold(bundle: Path) -> None:
    shutil.rmtree(bundle / "records")
    checks = {check.name: check for check in verify_bundle(bundle)}
    assert not checks["chain"].holds and not checks["answers"].holds


def edit_findings(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the findings, and cover the tracks in the manifest."""
    path = bundle / "findings.json"
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    Bundle(bundle).write_manifest()


def findings_faults(bundle: Path) -> tuple[str, ...]:
    return next(check.faults for check in verify_bundle(bundle) if check.name == "findings")


OTHER = "ab" * 32


def test_findings_name_the_code_that_made_them(bundle: Path) -> None:
    assert read_findings(bundle)["instrument"]["made_by"] == {"code_sha256": code_sha256()}


@pytest.mark.parametrize(
    ("instrument", "told"),
    [
        ({"made_by": {"code_sha256": OTHER}, "matches": True}, "says that code abababababab made it"),
        ({"code_sha256": OTHER, "matches": True}, "says that code abababababab made it"),
        ({"code_sha256": code_sha256(), "matches": False}, "does not say which code made it"),
        ({"made_by": {"code_sha256": "\x1b[2J"}}, "does not say which code made it"),
        ([], "does not say which code made it"),
    ],
)
def test_other_code_is_named_before_what_differs(bundle: Path, instrument: Any, told: str) -> None:
    def change(found: dict[str, Any]) -> None:
        found["findings"][0]["estimate"] = 0.0123
        if isinstance(instrument, dict):
            found["instrument"].pop("made_by")
            found["instrument"] |= instrument
        else:
            found["instrument"] = instrument

    edit_findings(bundle, change)
    first, *others = findings_faults(bundle)
    assert told in first
    assert f"this is code {code_sha256()[:12]}" in first and "environment.json" in first
    assert any("$.findings[0].estimate: 0.0123, recomputed " in fault for fault in others)


def test_the_same_code_is_no_excuse(bundle: Path) -> None:
    edit_findings(bundle, lambda found: found["findings"][0].update(estimate=0.0123))
    assert findings_faults(bundle) and not any("code" in fault for fault in findings_faults(bundle))


def test_findings_of_earlier_versions_are_read_and_hold(bundle: Path) -> None:
    edit_findings(bundle, lambda found: found["instrument"].pop("made_by"))
    assert read_findings(bundle)
    assert findings_faults(bundle) == ()


def test_other_code_that_finds_the_same_is_no_fault(bundle: Path) -> None:
    edit_findings(bundle, lambda found: found["instrument"]["made_by"].update(code_sha256=OTHER))
    assert findings_faults(bundle) == ()
