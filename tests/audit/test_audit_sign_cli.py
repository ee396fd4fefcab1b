"""``evenhand sign`` and ``evenhand verify`` as a user types them."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from audit.bundle import Bundle, read_json, write_json
from tests.conftest import evenhand

Capture = pytest.CaptureFixture[str]
WHO = ("--name", "Ada Ng", "--role", "lead auditor")


def fault_of(capsys: Capture, *words: object) -> str:
    """The one line that bad input gets."""
    code, out, err = evenhand(capsys, *words)
    assert (code, out) == (2, "") and "Traceback" not in err, err
    (line,) = err.splitlines()
    assert line.startswith("evenhand: ")
    return line


@pytest.fixture
def key(tmp_path: Path, capsys: Capture) -> Path:
    path = tmp_path / "ada"
    assert evenhand(capsys, "sign", "--new-key", path)[0] == 0
    return path


def test_a_new_key_is_its_owners_alone_and_is_not_written_over(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "ada"
    code, out, _ = evenhand(capsys, "sign", "--new-key", path, "--json")
    made = json.loads(out)
    assert code == 0 and made["written"] == [str(path), f"{path}.pub"] and len(made["fingerprint"]) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "PRIVATE" in path.read_text() and "PRIVATE" not in path.with_name("ada.pub").read_text()
    before = path.read_bytes()
    assert "not written over" in fault_of(capsys, "sign", "--new-key", path)
    path.unlink()
    assert f"{path}.pub: there is a file already" in fault_of(capsys, "sign", "--new-key", path)
    assert not path.exists() and before
    path.symlink_to(tmp_path / "elsewhere")
    assert f"{path}: there is a file already" in fault_of(capsys, "sign", "--new-key", path)
    assert "cannot write" in fault_of(capsys, "sign", "--new-key", tmp_path / "no" / "folder")


def test_a_disk_that_fails_leaves_no_half_of_a_key(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("audit.attestation.keys.os.fsync", full)
    assert "No space left" in fault_of(capsys, "sign", "--new-key", tmp_path / "ada")
    assert list(tmp_path.iterdir()) == []


def test_sign_and_verify(bundle: Path, key: Path, capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "verify", bundle)
    assert code == 0 and "–        signature: not signed" in out and "○ holds  manifest" in out
    code, out, _ = evenhand(
        capsys, "sign", bundle, "--key", key, *WHO, "--organisation", "Example Ltd", "--json"
    )
    made = json.loads(out)
    assert code == 0 and Path(made["written"]).parent == bundle / "attestations"
    assert made["files"] == len([p for p in bundle.rglob("*") if p.is_file()]) - 2, "sidecar, and itself"
    code, out, _ = evenhand(capsys, "verify", bundle)
    text = " ".join(out.split())
    assert (
        code == 0
        and f"○ holds signature: valid, by key {made['fingerprint']} (nobody said whose it is)" in text
    )
    assert "Ada Ng, lead auditor, Example Ltd, as stated, at " in text
    code, out, _ = evenhand(capsys, "verify", bundle, "--public-key", f"{key}.pub", "--json")
    rows = json.loads(out)
    assert code == 0 and all(row["holds"] and row["code"] == 0 for row in rows)
    assert f"({key}.pub)" in rows[0]["detail"]


def test_a_key_of_somebody_else_fails_with_1(
    bundle: Path, key: Path, tmp_path: Path, capsys: Capture
) -> None:
    evenhand(capsys, "sign", "--new-key", tmp_path / "bo")
    evenhand(capsys, "sign", bundle, "--key", key, *WHO)
    code, out, _ = evenhand(capsys, "verify", bundle, "--public-key", tmp_path / "bo.pub")
    assert code == 1 and "× FAILS  signature" in out and "no valid signature is by a public key" in out
    both = ("--public-key", tmp_path / "bo.pub", "--public-key", f"{key}.pub")
    assert evenhand(capsys, "verify", bundle, *both)[0] == 0
    shutil.rmtree(bundle / "attestations")
    assert evenhand(capsys, "verify", bundle, "--public-key", f"{key}.pub")[0] == 1


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("records/00000.jsonl", {"signature": 1, "manifest": 2, "chain": 3, "recompute": 4, "rerun": None}),
        ("findings.json", {"signature": 1, "manifest": 0, "chain": 0, "recompute": 4, "rerun": None}),
        ("", {"signature": 0, "manifest": 0, "chain": 0, "recompute": 0, "rerun": None}),
    ],
)
def test_what_was_found_is_kept_layer_by_layer(
    bundle: Path, key: Path, tmp_path: Path, capsys: Capture, name: str, codes: dict[str, int | None]
) -> None:
    evenhand(capsys, "sign", bundle, "--key", key, *WHO)
    if name == "findings.json":  # a figure is edited, and all hashes repaired
        found = read_json(bundle / name)
        found["findings"][0]["estimate"] = 0.0123
        write_json(bundle / name, found)
        Bundle(bundle).write_manifest()
    elif name:
        (bundle / name).write_bytes((bundle / name).read_bytes()[:-1])
    out = bundle / "verification.json"
    code, _, _ = evenhand(capsys, "verify", bundle, "--out", out, "--by", "Bo", "--public-key", f"{key}.pub")
    kept = read_json(out)
    Draft202012Validator(verification_schema()).validate(kept)
    assert {row["layer"]: row["code"] for row in kept["layers"]} == codes
    assert (code, kept["holds"]) == ((1, False) if name else (0, True))
    assert kept["verified_by"] == "Bo" and len(kept["public_keys"]) == 1 and kept["evenhand"]
    assert "does not stop a dishonest operator" in kept["threat_model"]
    if not name:
        assert evenhand(capsys, "verify", bundle)[0] == 0, "what was found is no part of what is checked"


def verification_schema() -> dict[str, Any]:
    schema: dict[str, Any] = read_json(Path("audit/schemas/verification.schema.json").resolve())
    return schema


def test_what_was_found_is_kept_nowhere_else_in_the_bundle(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    for out in ("plan.json", "other.json", "records/verification.json", "records"):
        assert "no place for" in fault_of(capsys, "verify", bundle, "--out", bundle / out, "--by", "Bo")
    assert "go together" in fault_of(capsys, "verify", bundle, "--out", tmp_path / "v.json")
    assert "go together" in fault_of(capsys, "verify", bundle, "--by", "Bo")
    assert "is no name" in fault_of(capsys, "verify", bundle, "--by", " ", "--out", tmp_path / "v.json")
    assert not (tmp_path / "v.json").exists()


def test_what_was_found_replaces_no_pipe_device_or_link_without_end(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to("loop")
    for out in (pipe, loop):
        assert "no place for" in fault_of(capsys, "verify", bundle, "--out", out, "--by", "Bo")
    assert stat.S_ISFIFO(pipe.stat().st_mode) and loop.is_symlink()
    assert "Too many levels" in fault_of(capsys, "sign", bundle, "--key", loop, *WHO)


def test_a_name_that_cannot_be_written_down_is_not_signed(bundle: Path, key: Path, capsys: Capture) -> None:
    (bundle / "report-csv").mkdir()
    try:
        (bundle / "report-csv" / os.fsdecode(b"\xff.csv")).write_text("a table")
    except OSError:
        pytest.skip("this file system takes text alone for a name")
    line = fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert "udcff.csv': a name that is not UTF-8" in line and not (bundle / "attestations").exists()


def test_a_key_without_a_name_and_an_endless_passphrase_are_one_line(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nameless in ("", "/"):
        assert "there is a file already" in fault_of(capsys, "sign", "--new-key", nameless)
    path = tmp_path / "locked"
    monkeypatch.setenv("EVENHAND_PASSPHRASE", "x" * 1024)
    assert "1,024 bytes" in fault_of(capsys, "sign", "--new-key", path, "--passphrase")
    assert not path.exists()
    monkeypatch.setenv("EVENHAND_PASSPHRASE", os.fsdecode(b"\xff"))
    assert evenhand(capsys, "sign", "--new-key", path, "--passphrase")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "missing: DIR, --key, --name, --role"),
        (("BUNDLE", "--key", "KEY", "--name", "Ada"), "missing: --role"),
        (("GONE", "--key", "KEY", *WHO), "no such folder"),
        (("BUNDLE", "--key", "GONE", *WHO), "no such file. Make a key with: evenhand sign --new-key FILE"),
        (("BUNDLE", "--key", "BUNDLE", *WHO), "a private key within the bundle"),
        (("BUNDLE", "--key", "FOLDER", *WHO), "cannot be read: Is a directory"),
        (("BUNDLE", "--key", "KEY.pub", *WHO), "a public key, which cannot sign"),
        (("BUNDLE", "--key", "KEY", "--name", "", "--role", "x"), "--name '' is no name"),
        (("BUNDLE", "--key", "KEY", "--name", "A", "--role", "x\ny"), "is no name"),
        (("BUNDLE", "--key", "KEY", "--name", "A" * 201, "--role", "x"), "is no name"),
        (("BUNDLE", "--key", "KEY", "--passphrase", *WHO), "--passphrase without --new-key"),
        (("BUNDLE", "--new-key", "GONE"), "--new-key beside what is to be signed"),
    ],
)
def test_what_cannot_be_signed_is_one_line(
    bundle: Path, key: Path, tmp_path: Path, capsys: Capture, words: tuple[str, ...], told: str
) -> None:
    folder, gone = tmp_path / "folder", tmp_path / "gone"
    folder.mkdir()
    places = {"BUNDLE": bundle, "KEY": key, "KEY.pub": f"{key}.pub", "GONE": gone, "FOLDER": folder}
    assert told in fault_of(capsys, "sign", *(places.get(word, word) for word in words))
    assert not (bundle / "attestations").exists()


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0o644, "a private key that others may use (mode 0644). chmod 600"),
        (None, 0o640, "mode 0640"),
        (b"", 0o600, "no private key"),
        (b"garbage", 0o600, "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "no private key"),
        (b"\xff\xfe", 0o600, "no private key"),
        (b"x" * 70_000, 0o600, "so no key"),
    ],
)
def test_a_key_file_with_wrong_permissions_or_content_is_one_line(
    bundle: Path, key: Path, capsys: Capture, content: bytes | None, mode: int, told: str
) -> None:
    if content is not None:
        key.write_bytes(content)
    key.chmod(mode)
    line = fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert told in line and str(key) in line


def test_keys_of_another_kind_and_the_wrong_half_are_one_line(
    bundle: Path, key: Path, capsys: Capture
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    assert "a private key. Give its public half" in fault_of(capsys, "verify", bundle, "--public-key", key)
    public = key.with_name("ada.pub")
    assert public.stat().st_mode & 0o077, "others may read it: it is public"
    assert "a public key, which cannot sign" in fault_of(capsys, "sign", bundle, "--key", public, *WHO)
    other = generate_private_key(SECP256R1())
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert "a key of the kind ecdsa, not ed25519" in fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert "not ed25519" in fault_of(capsys, "verify", bundle, "--public-key", public)
    public.write_bytes(b"\xff")
    assert f"{public}: no public key" in fault_of(capsys, "verify", bundle, "--public-key", public)
    public.unlink()
    os.mkfifo(public)
    assert "neither a file nor a folder" in fault_of(capsys, "verify", bundle, "--public-key", public)


def test_a_locked_key_signs_with_its_passphrase_alone(
    bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked"
    monkeypatch.delenv("EVENHAND_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody sits there
    assert "needs a passphrase" in fault_of(capsys, "sign", "--new-key", path, "--passphrase")
    assert not path.exists()
    monkeypatch.setenv("EVENHAND_PASSPHRASE", "correct horse")
    assert evenhand(capsys, "sign", "--new-key", path, "--passphrase")[0] == 0
    assert "ENCRYPTED" in path.read_text()
    monkeypatch.setenv("EVENHAND_PASSPHRASE", "battery staple")
    assert "the passphrase is not that of the key" in fault_of(capsys, "sign", bundle, "--key", path, *WHO)
    monkeypatch.delenv("EVENHAND_PASSPHRASE")
    assert f"{path}: the key needs a passphrase" in fault_of(capsys, "sign", bundle, "--key", path, *WHO)
    monkeypatch.setenv("EVENHAND_PASSPHRASE", "correct horse")
    assert evenhand(capsys, "sign", bundle, "--key", path, *WHO)[0] == 0


def test_a_read_only_bundle_is_one_line(
    bundle: Path, key: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("audit.bundle_files.os.replace", refuse)
    line = fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert "cannot write: Read-only file system" in line and "attestations" in line
    assert list((bundle / "attestations").iterdir()) == []
    assert evenhand(capsys, "verify", bundle)[0] == 0


def test_a_folder_of_signatures_that_leads_out_is_not_written_to(
    bundle: Path, key: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (bundle / "attestations").symlink_to(tmp_path / "elsewhere")
    assert "is a link" in fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_edited_audit_is_not_signed(bundle: Path, key: Path, capsys: Capture) -> None:
    (bundle / "provenance.json").write_text("{}")
    line = fault_of(capsys, "sign", bundle, "--key", key, *WHO)
    assert "provenance.json" in line and "Not signed. See: evenhand verify" in line


def test_without_the_extra_it_is_said_what_to_install(
    bundle: Path, key: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [each for each in sys.modules if each.split(".")[0] == "securesystemslib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "securesystemslib", None)
    for words in (
        ("sign", "--new-key", tmp_path / "k"),
        ("sign", bundle, "--key", key, *WHO),
        ("verify", bundle, "--public-key", f"{key}.pub"),
    ):
        line = fault_of(capsys, *words)
        assert (
            "securesystemslib, which is not installed. Install it with: pip install 'evenhand[sign]'" in line
        )
    assert evenhand(capsys, "verify", bundle)[0] == 0, "an unsigned audit needs nothing to be verified"


def test_help_says_what_verifying_proves(capsys: Capture) -> None:
    code, out, _ = evenhand(capsys, "verify", "--help")
    text = " ".join(out.replace("│", " ").split())
    assert code == 0 and "does not stop a dishonest operator from choosing probes, seeds or runs" in text
    code, out, _ = evenhand(capsys, "sign", "--help")
    assert code == 0 and "--new-key" in out
