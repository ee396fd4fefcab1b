"""What is signed holds until anything of it changes, and then the file is named."""

from __future__ import annotations

import base64
import datetime
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit.api import run
from audit.attestation import Signature, signatures_of
from audit.attestation.envelope import LARGEST, open_envelope
from audit.attestation.keys import new_key, private_key, public_key
from audit.attestation.library import MissingLibraryError
from audit.attestation.sign import sign
from audit.attestation.signatures import MOST, is_signed
from audit.attestation.statement import Signer, hashes, statement_of, validator
from audit.bundle import Bundle, file_bytes, read_json, sha256, write_json
from audit.integrity import quick_status
from audit.models import ScriptedModel
from audit.requests import canonical
from audit.review.log import append_review
from audit.spec import AuditSpec, choose
from audit.verify import Check, attempt, check_report, content_checks, signature_check, verify_bundle
from probes.errors import InputError
from reports.audit_report import write
from tests.conftest import write_mini

ADA = Signer("Ada Ng", "lead auditor", "Example Ltd")
WHEN = datetime.datetime(2026, 5, 1, 14, 0, 30, tzinfo=datetime.UTC)


def no_passphrase() -> str:
    raise AssertionError("nobody is asked for the passphrase of a key that is not locked")


@dataclass(frozen=True)
class World:
    """A signed audit with a review and a report, and the key that signed it."""

    root: Path
    key: Path
    fingerprint: str


def review(root: Path) -> None:
    findings = read_json(root / "findings.json")
    event = {
        "kind": "comment", "reviewer": "Bo", "chain_sha256": findings["chain_sha256"],
        "finding": findings["findings"][0]["id"], "text": "seen",
    }  # fmt: skip
    append_review(root, event)


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unsigned")
    (folder / "suite").mkdir()
    suite = write_mini(folder / "suite", templates=6, terms=4)
    run(AuditSpec(models=(ScriptedModel.noise(),), suites=(choose(str(suite)),)), folder / "bundle")
    return folder / "bundle"


@pytest.fixture(scope="module")
def whole(unsigned: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("signed")
    root = Path(shutil.copytree(unsigned, folder / "bundle"))
    review(root)
    write(root, ["json", "md", "csv"])
    made = new_key(folder / "ada")
    signed = sign(root, folder / "ada", ADA, no_passphrase, WHEN)
    assert signed.fingerprint == made.fingerprint
    return World(root, folder / "ada", made.fingerprint)


@pytest.fixture
def world(whole: World, tmp_path: Path) -> World:
    return World(Path(shutil.copytree(whole.root, tmp_path / "bundle")), whole.key, whole.fingerprint)


def envelope_file(root: Path) -> Path:
    (path,) = (root / "attestations").iterdir()
    return path


def statement_in(path: Path) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(base64.b64decode(read_json(path)["payload"]))
    return statement


def only(root: Path) -> Signature:
    (found,) = signatures_of(root)
    return found


def faults(checks: list[Check]) -> str:
    return "\n".join(fault for check in checks for fault in check.faults)


def repair(root: Path) -> None:
    """Cover the tracks in the manifest."""
    Bundle(root).write_manifest()


# -- a signature that holds ---------------------------------------------------------------------------


def test_a_signed_audit_holds_and_says_by_whom(world: World) -> None:
    found = only(world.root)
    assert (found.name, found.role, found.organisation) == ("Ada Ng", "lead auditor", "Example Ltd")
    assert (found.at, found.fingerprint) == ("2026-05-01T14:00:30+00:00", world.fingerprint)
    assert found.valid and found.covers_report and found.problem == ""
    assert is_signed(world.root)
    checks = verify_bundle(world.root)
    assert faults(checks) == "" and checks[0].made
    assert checks[0].detail == (
        f"valid, by key {world.fingerprint} (nobody said whose it is); Ada Ng, lead auditor, Example Ltd, "
        "as stated, at 2026-05-01T14:00:30+00:00 by the signer's own clock"
    )
    assert quick_status(world.root)[-1] == checks[0]


def test_an_unsigned_audit_says_so_and_fails_where_a_key_was_asked_for(unsigned: Path) -> None:
    check = signature_check(unsigned, {})
    assert (check.detail, check.holds, check.made) == ("not signed", True, False)
    assert signatures_of(unsigned) == [] and not is_signed(unsigned)
    check = signature_check(unsigned, {"ab" * 32: "bo.pub"})
    assert check.made and "no valid signature is by a public key that was given: bo.pub" in faults([check])


def test_the_statement_speaks_of_every_file_and_of_the_audit(world: World) -> None:
    statement = statement_in(envelope_file(world.root))
    assert list(validator().iter_errors(statement)) == []
    there = {
        path.relative_to(world.root).as_posix(): sha256(path.read_bytes())
        for path in world.root.rglob("*")
        if path.is_file() and path.parent.name not in ("attestations", "sidecar")
    }
    assert {row["name"]: row["digest"]["sha256"] for row in statement["subject"]} == there
    assert {"plan.json", "manifest.json", "reviews.jsonl", "report.json", "report-csv/findings.csv"} <= set(
        there
    )
    findings = read_json(world.root / "findings.json")
    predicate, about = statement["predicate"], statement["predicate"]["audit"]
    assert predicate["statement"] == "measurement evidence only; no conformity decision"
    assert "as the signer stated them" in predicate["note"]
    assert (about["plan_sha256"], about["chain_sha256"]) == (there["plan.json"], findings["chain_sha256"])
    line = (world.root / "reviews.jsonl").read_bytes().splitlines()[-1]
    assert about["reviews"] == {"count": 1, "head": sha256(line)}
    assert sum(about["findings"].values()) == len(findings["findings"])
    assert [row["check"] for row in predicate["checked"]] == [
        "manifest", "plan", "chain", "answers", "findings", "sidecar", "report", "reviews"
    ]  # fmt: skip


def test_the_envelope_is_a_dsse_envelope_of_an_in_toto_statement(world: World) -> None:
    # the encoding that is signed, by the DSSE specification 1.0.0, and the signature by the key's own library
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = read_json(envelope_file(world.root))
    payload, kind = base64.b64decode(data["payload"]), data["payloadType"]
    assert kind == "application/vnd.in-toto+json" and statement_in(envelope_file(world.root))["_type"] == (
        "https://in-toto.io/Statement/v1"
    )
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    key: Any = load_pem_public_key(world.key.with_name("ada.pub").read_bytes())
    (signature,) = data["signatures"]
    assert signature["keyid"] == world.fingerprint
    key.verify(base64.b64decode(signature["sig"]), signed)


def test_the_same_key_signer_and_time_give_the_same_bytes(world: World) -> None:
    path = envelope_file(world.root)
    before = path.read_bytes()
    assert sign(world.root, world.key, ADA, no_passphrase, WHEN).path == path
    assert path.read_bytes() == before


def test_two_people_sign_one_after_the_other_and_neither_unsigns_the_other(
    world: World, tmp_path: Path
) -> None:
    new_key(tmp_path / "bo")
    sign(world.root, tmp_path / "bo", Signer("Bo", "responsible person"), no_passphrase)
    assert sorted((one.name, one.organisation, one.valid) for one in signatures_of(world.root)) == [
        ("Ada Ng", "Example Ltd", True), ("Bo", None, True)
    ]  # fmt: skip
    assert faults(verify_bundle(world.root)) == ""


def test_a_key_signs_for_one_person(world: World) -> None:
    with pytest.raises(InputError, match="this key has signed here as Ada Ng, lead auditor, Example Ltd"):
        sign(world.root, world.key, Signer("Bo", "lead auditor"), no_passphrase)
    assert only(world.root).name == "Ada Ng"


def test_keys_that_are_trusted_are_told_from_those_that_are_not(world: World, tmp_path: Path) -> None:
    check = signature_check(world.root, {world.fingerprint: "ada.pub"})
    assert check.holds and f"{world.fingerprint} (ada.pub)" in check.detail
    other = new_key(tmp_path / "bo").fingerprint
    check = signature_check(world.root, {other: "bo.pub"})
    assert "(none of the public keys given)" in check.detail
    assert check.faults == ("no valid signature is by a public key that was given: bo.pub",)
    assert signature_check(world.root, {other: "bo.pub", world.fingerprint: "ada.pub"}).holds


# -- what is changed after the signing ----------------------------------------------------------------

FILES = (
    "plan.json", "records/00000.jsonl", "findings.json", "provenance.json", "environment.json",
    "manifest.json", "reviews.jsonl", "report.json", "report.md", "report-csv/findings.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_in_any_file_is_named_by_the_signature(world: World, name: str) -> None:
    path = world.root / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)
    check = signature_check(world.root, {})
    assert f"{name}: is not as attestations/{world.fingerprint[:16]}.dsse.json has it signed" in faults(
        [check]
    )
    assert only(world.root).covers_report is False
    assert only(world.root).valid is name.startswith("report"), (
        "a report may be made again, the audit may not"
    )


def test_the_files_are_all_of_them(world: World) -> None:
    others = {"report-csv", "sidecar", "attestations"}
    there = {p.relative_to(world.root).as_posix() for p in world.root.rglob("*") if p.is_file()}
    assert {name for name in there if name.split("/")[0] not in others} == {
        n for n in FILES if "csv" not in n
    }


def test_any_flipped_bit_of_a_signature_is_seen(world: World) -> None:
    path = envelope_file(world.root)
    whole = path.read_bytes()
    for place in range(0, len(whole), 23):
        data = bytearray(whole)
        data[place] ^= 1 << (place % 8)
        path.write_bytes(data)
        with pytest.raises(InputError, match=path.name):
            open_envelope(path)
    path.write_bytes(whole)
    assert open_envelope(path).key.fingerprint == world.fingerprint


def test_a_cut_last_record_is_named_though_the_hashes_were_repaired(world: World) -> None:
    path = world.root / "records/00000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    repair(world.root)
    assert "records/00000.jsonl: is not as" in faults([signature_check(world.root, {})])
    assert "records were cut off" in faults(content_checks(world.root))


def test_reordered_records_are_named_though_the_hashes_were_repaired(world: World) -> None:
    path = world.root / "records/00000.jsonl"
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))
    repair(world.root)
    assert "records/00000.jsonl: is not as" in faults([signature_check(world.root, {})])
    assert "does not follow from the one before it" in faults(content_checks(world.root))


def test_a_figure_edited_in_findings_and_report_with_all_hashes_repaired_is_caught_twice(
    world: World,
) -> None:
    found = read_json(world.root / "findings.json")
    found["findings"][0]["estimate"] = 0.0123
    write_json(world.root / "findings.json", found)
    repair(world.root)
    write(world.root, ["json"])
    said = faults([signature_check(world.root, {})])
    assert "findings.json: is not as" in said and "manifest.json: is not as" in said
    again = faults(content_checks(world.root))
    assert "$.findings[0].estimate: 0.0123, recomputed " in again and "manifest.json" not in again


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["findings"][0]["record"].update(estimate=0.0123), "$.findings[0].estimate: 0.0123"),
        (lambda d: d["findings"].pop(), "$.findings: "),
        (
            lambda d: d["summary"]["verdicts"].update(disparity=9),
            "$.summary.verdicts.disparity: 9, recomputed",
        ),
        (lambda d: d["coverage"][0].update(n=7), "$.coverage[0].n: 7"),
        (lambda d: d["cover"].update(chain_sha256="0" * 64), "$.cover.chain_sha256"),
        (lambda d: d.pop("families"), "the content is not what it should be (KeyError"),
    ],
)
def test_a_figure_edited_in_the_report_alone_is_caught(
    unsigned: Path, tmp_path: Path, change: Callable[[Any], object], told: str
) -> None:
    root = Path(shutil.copytree(unsigned, tmp_path / "bundle"))
    write(root, ["json"])
    assert check_report(root).faults == ()
    data = read_json(root / "report.json")
    change(data)
    write_json(root / "report.json", data)
    (fault,) = attempt("report", "report.json", lambda: check_report(root)).faults
    assert fault.startswith("report.json: ") and told in fault


def test_a_missing_and_an_added_file_are_named_though_the_hashes_were_repaired(world: World) -> None:
    (world.root / "provenance.json").unlink()
    (world.root / "records" / "manifest.json").write_text("{}")
    (world.root / "report.md").unlink()
    repair(world.root)
    said = faults([signature_check(world.root, {})])
    assert "provenance.json: is missing, and not as" in said
    assert "records/manifest.json: is not as" in said
    assert "report.md: is not as" in said


def test_reviews_that_were_added_are_told_from_reviews_that_were_changed(world: World) -> None:
    review(world.root)
    assert only(world.root).problem.startswith("reviews.jsonl: reviews were added and are not as")
    (world.root / "reviews.jsonl").unlink()
    assert only(world.root).problem.startswith("reviews.jsonl: is missing, and not as")
    review(world.root)
    assert only(world.root).problem.startswith("reviews.jsonl: is not as")


def test_first_reviews_after_the_signing_take_the_signature_from_it(
    unsigned: Path, whole: World, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(unsigned, tmp_path / "bundle"))
    sign(root, whole.key, ADA, no_passphrase)
    assert only(root).valid and not only(root).covers_report, "there was no report"
    review(root)
    assert only(root).problem.startswith("reviews.jsonl: reviews were added and are not as")
    sign(root, whole.key, ADA, no_passphrase)
    assert only(root).valid


def test_a_report_made_after_the_signing_is_not_covered_and_no_fault(
    unsigned: Path, whole: World, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(unsigned, tmp_path / "bundle"))
    sign(root, whole.key, ADA, no_passphrase)
    write(root, ["md"])
    found = only(root)
    assert found.valid and not found.covers_report and found.unsigned == ("report.md",)
    check = signature_check(root, {})
    assert check.holds and check.detail.endswith("not covered, made since: report.md")


def test_findings_made_again_by_other_code_are_not_what_was_signed(world: World) -> None:
    found = read_json(world.root / "findings.json")
    found["instrument"]["made_by"]["code_sha256"] = "0" * 64
    write_json(world.root / "findings.json", found)
    repair(world.root)
    assert not is_signed(world.root)


def test_a_link_in_the_place_of_a_signed_file_is_named(world: World, tmp_path: Path) -> None:
    path = world.root / "environment.json"
    shutil.copy(path, tmp_path / "elsewhere")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert "environment.json: is a link, not as" in faults([signature_check(world.root, {})])


# -- what is no signature -----------------------------------------------------------------------------


def resigned(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    """Put another statement in the place of what was signed, by the same key."""
    from securesystemslib.dsse import Envelope

    path = envelope_file(world.root)
    statement = statement_in(path)
    change(statement)
    signer, _ = private_key(world.key, no_passphrase)
    envelope = Envelope(canonical(statement), "application/vnd.in-toto+json", {})
    envelope.sign(signer)
    path.write_bytes(file_bytes(envelope.to_dict()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda s: s["predicate"]["audit"]["findings"].update(disparity=99),
            "what it says of the audit is not so",
        ),
        (
            lambda s: s["predicate"]["audit"].update(chain_sha256="0" * 64),
            "what it says of the audit is not so",
        ),
        (lambda s: s["subject"].pop(0), "environment.json: is not as"),
        (lambda s: s["subject"].append(s["subject"][0]), "names a file twice"),
        (lambda s: s["predicate"].update(more=1), "does not state what a signature states"),
        (lambda s: s.update(predicateType="urn:other"), "does not state what a signature states"),
        (lambda s: s["predicate"]["signer"].update(name="A\x1b[31m"), "not one line of plain text"),
        (lambda s: s["predicate"]["key"].update(fingerprint="0" * 64), "the fingerprint it states"),
        (lambda s: s["predicate"]["key"].update(public="no key"), "no public key"),
        (lambda s: s["subject"].append({"name": "../x", "digest": {"sha256": "0" * 64}}), "../x: is missing"),
    ],
)
def test_a_statement_that_was_signed_and_is_not_so(
    world: World, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    resigned(world, lambda statement: None)
    assert only(world.root).valid
    resigned(world, change)
    assert told in only(world.root).problem
    assert "\x1b" not in faults([signature_check(world.root, {})])


def test_a_statement_signed_by_another_key_than_it_names(world: World, tmp_path: Path) -> None:
    other = new_key(tmp_path / "bo")
    key = {"type": "ed25519", "fingerprint": other.fingerprint, "public": other.pem}
    resigned(world, lambda statement: statement["predicate"].update(key=key))
    found = only(world.root)
    assert "the signature does not hold" in found.problem
    assert (found.name, found.fingerprint) == ("", ""), "nothing of it is believed"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not JSON"),
        (b"garbage", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "is no signed statement"),
        (b"{}", "is no signed statement"),
        (b"null", "is no signed statement"),
        (b'{"payload": 3, "payloadType": [], "signatures": {}}', "is no signed statement"),
        (b'{"payload": "", "payloadType": "x", "signatures": []}', "is no signed statement"),
        (
            b'{"payload": "e30=", "payloadType": "x", "signatures": [{"keyid": 1, "sig": "AA=="}]}',
            "was edited",
        ),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (LARGEST + 1), "more than any signature has"),
    ],
)
def test_rubbish_in_the_place_of_a_signature_is_one_clear_fault(
    world: World, content: bytes, told: str
) -> None:
    path = envelope_file(world.root)
    path.write_bytes(content)
    found = only(world.root)
    assert not found.valid and told in found.problem and path.name in found.problem
    assert told in faults([signature_check(world.root, {})])


def test_a_signature_written_in_another_way_is_a_fault(world: World) -> None:
    path = envelope_file(world.root)
    data = read_json(path)
    path.write_bytes(json.dumps(data).encode())
    assert "was edited: not as evenhand writes a signature" in only(world.root).problem
    signature = data["signatures"][0]
    whole = base64.b64decode(signature["sig"])
    start = signature["sig"][:-3]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    alike = [
        text
        for letter in letters
        if base64.b64decode(text := f"{start}{letter}==") == whole and text != signature["sig"]
    ]
    assert len(alike) == 15, "four bits that decoding passes over"
    path.write_bytes(file_bytes({**data, "signatures": [{**signature, "sig": alike[0]}]}))
    assert "was edited: not as evenhand writes a signature" in only(world.root).problem


def test_a_truncated_envelope_is_a_fault(world: World) -> None:
    path = envelope_file(world.root)
    path.write_bytes(path.read_bytes()[:-40])
    assert "not JSON" in only(world.root).problem


def test_links_pipes_and_strange_names_are_no_signatures(world: World, tmp_path: Path) -> None:
    path = envelope_file(world.root)
    folder = path.parent
    shutil.copy(path, folder / f"{'0' * 16}.dsse.json")
    shutil.copy(path, folder / "note\x1b.txt")
    (folder / f"{'1' * 16}.dsse.json").symlink_to(path)
    os.mkfifo(folder / f"{'2' * 16}.dsse.json")
    (folder / f"{'3' * 16}.dsse.json").mkdir()
    (folder / f"{'4' * 16}.dsse.json.partial").write_text("left by a kill")
    problems = [found.problem for found in signatures_of(world.root) if not found.valid]
    assert len(problems) == 5 and len(signatures_of(world.root)) == 6
    assert sum("is not a plain file" in text for text in problems) == 3
    assert any("does not have the name of the one key" in text for text in problems)
    assert any("note\\x1b.txt: does not have the name of a signature" in text for text in problems)
    assert is_signed(world.root), "rubbish beside it takes nothing from a signature that holds"
    assert not signature_check(world.root, {}).holds, "and is no part of the audit"


def test_a_folder_of_signatures_that_is_a_link_a_file_or_overfull(world: World, tmp_path: Path) -> None:
    folder = world.root / "attestations"
    path = envelope_file(world.root)
    for number in range(MOST):
        (folder / f"{number:016d}.dsse.json").write_text("{}")
    assert signatures_of(world.root)[-1].problem == f"attestations: more than {MOST} files"
    shutil.move(folder, tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert path.exists() and only(world.root).problem.startswith("attestations: is not a folder")
    folder.unlink()
    folder.write_text("x")
    assert only(world.root).problem.startswith("attestations: is not a folder")


@pytest.mark.parametrize("name", ["plan.json", "findings.json", "environment.json", "reviews.jsonl"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"findings": [1]}', b"\xff"])
def test_a_signed_bundle_whose_files_are_broken_never_raises(world: World, name: str, content: bytes) -> None:
    (world.root / name).write_bytes(content)
    found = only(world.root)
    assert not found.valid and name in found.problem
    shutil.rmtree(world.root / "records")
    assert not only(world.root).valid


# -- without the library ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["securesystemslib", "cryptography"])
def test_without_the_library_nothing_is_claimed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in [each for each in sys.modules if each.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    found = only(world.root)
    assert not found.valid and found.name == "" and not is_signed(world.root)
    assert f"signatures need {name}, which is not installed. Install it with: pip install" in found.problem
    assert not signature_check(world.root, {}).holds
    with pytest.raises(MissingLibraryError, match=r"evenhand\[sign\]"):
        new_key(tmp_path / "k")
    with pytest.raises(MissingLibraryError, match=r"evenhand\[sign\]"):
        public_key(world.key.with_name("ada.pub"))
    assert not (tmp_path / "k").exists()


# -- what is not signed -------------------------------------------------------------------------------


def test_an_audit_that_does_not_hold_is_not_signed(unsigned: Path, whole: World, tmp_path: Path) -> None:
    root = Path(shutil.copytree(unsigned, tmp_path / "bundle"))
    found = read_json(root / "findings.json")
    found["findings"][0]["estimate"] = 0.0123
    write_json(root / "findings.json", found)
    repair(root)
    with pytest.raises(InputError, match=r"estimate: 0.0123, recomputed .* Not signed. See: evenhand verify"):
        sign(root, whole.key, ADA, no_passphrase)
    assert not (root / "attestations").exists()


def test_a_bundle_with_a_link_in_it_is_not_signed(unsigned: Path, whole: World, tmp_path: Path) -> None:
    root = Path(shutil.copytree(unsigned, tmp_path / "bundle"))
    (tmp_path / "elsewhere").write_text("x")
    (root / "report.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"report\.md: is a link"):
        sign(root, whole.key, ADA, no_passphrase)


def test_statements_name_files_in_order(world: World) -> None:
    statement = statement_of(dict(reversed(hashes(world.root).items())), {})
    names = [row["name"] for row in statement["subject"]]
    assert names == sorted(names) and len(names) > 8
