"""What a report says of signatures: who signed what, and that it does not know whose key it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from audit.attestation import signatures_of
from audit.attestation.keys import new_key
from audit.attestation.sign import sign
from audit.attestation.statement import Signer
from audit.bundle import read_json
from audit.cli import main
from audit.review.log import append_review
from reports.asked import Asked
from reports.audit_report import html, markdown, report_data
from reports.contents.attestation import attestation


def no_passphrase() -> str:
    raise AssertionError("the key is not locked")


@pytest.fixture
def signed(bundle: Path, tmp_path: Path) -> tuple[Path, str]:
    root = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    new_key(tmp_path / "ada")
    made = sign(root, tmp_path / "ada", Signer("Ada <b>Ng</b>", "lead | auditor"), no_passphrase)
    return root, made.fingerprint


def test_an_unsigned_audit_is_said_to_be_unsigned(data: dict[str, Any]) -> None:
    told = data["attestation"]
    assert (told["signed"], told["signatures"]) == (False, [])
    assert told["covers"].startswith("No valid signature is of the records") and told["covers"] in markdown(
        data
    )


def test_a_signed_audit_names_its_signers_and_their_keys(signed: tuple[Path, str]) -> None:
    root, fingerprint = signed
    data = report_data(root)
    told = data["attestation"]
    assert told["signed"] is True and told["covers"].startswith("A signature covers the audit's plan")
    (row,) = told["signatures"]
    assert (row["name"], row["role"], row["organisation"]) == ("Ada <b>Ng</b>", "lead | auditor", None)
    assert (row["fingerprint"], row["valid"], row["problem"]) == (fingerprint, True, "")
    page, text = html(data), markdown(data)
    assert "Ada &lt;b&gt;Ng&lt;/b&gt;" in page and "<b>Ng" not in page
    for document in (page, text):
        assert fingerprint in document and "this report does not know" in document
    assert "lead \\| auditor" in text, "a name breaks no table"


def test_the_same_signed_bundle_gives_the_same_report(signed: tuple[Path, str]) -> None:
    assert attestation(signed[0]) == attestation(signed[0])


def test_a_signature_that_no_longer_covers_the_reviews_signs_nothing(
    signed: tuple[Path, str], data: dict[str, Any]
) -> None:
    root, _ = signed
    findings = read_json(root / "findings.json")
    append_review(
        root,
        {
            "kind": "comment", "reviewer": "Bo", "chain_sha256": findings["chain_sha256"],
            "finding": findings["findings"][0]["id"], "text": "seen",
        },
    )  # fmt: skip
    told = attestation(root)
    assert told["signed"] is False and told["covers"].startswith("No valid signature")
    assert told["signatures"][0]["problem"].startswith("reviews.jsonl: reviews were added")
    assert "reviews.jsonl: reviews were added" in markdown({**data, "attestation": told})


def test_the_report_says_what_verifying_does_not_prove(data: dict[str, Any]) -> None:
    (verify,) = (row for row in data["reproduction"]["commands"] if row["command"] == "evenhand verify DIR")
    assert "does not stop a dishonest operator from choosing probes, seeds or runs" in verify["does"]


def test_a_report_with_an_engagement_that_nobody_signed_is_a_draft(
    signed: tuple[Path, str], tmp_path: Path
) -> None:
    root, _ = signed
    outside = tmp_path / "engagement.yaml"
    outside.write_text("format: 1\ntitle: Said after signing\n", "utf-8")
    data = report_data(root, Asked(engagement=outside))
    assert data["cover"]["status"] == "UNSIGNED DRAFT" and data["attestation"]["signed"] is False
    (row,) = data["attestation"]["signatures"]
    assert row["valid"] is False and row["problem"].endswith("in the audit's folder, and sign again.")
    assert row["problem"] in markdown(data).replace("\\", "")

    shutil.copy(outside, root / "engagement.yaml")
    assert report_data(root)["cover"]["signed"] is False, "it came after the signature"
    sign(root, tmp_path / "ada", Signer("Ada <b>Ng</b>", "lead | auditor"), no_passphrase)
    for asked in (Asked(), Asked(engagement=outside)):
        assert report_data(root, asked)["cover"]["signed"] is True, "the very file that was signed"


def test_the_steps_from_a_draft_to_a_signed_report_hold(bundle: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    key = tmp_path / "key"
    names = {"DIR": str(root), "KEY": str(key), "NAME": "Ada Ng", "ROLE": "auditor"}
    said = [row["command"] for row in report_data(root)["reproduction"]["commands"]]
    steps = said[said.index("evenhand report DIR --new-engagement DIR/engagement.yaml") :]
    new, make, seal, check = (
        [re.sub(r"\b(DIR|KEY|NAME|ROLE)\b", lambda found: names[found[0]], word) for word in step.split()[1:]]
        for step in steps
    )
    for arguments in (new, make, seal, ["report", str(root)], seal, check):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0, arguments
    assert "SIGNED by Ada Ng" in (root / "report.html").read_text("utf-8")
    (signature,) = signatures_of(root)
    assert signature.covers_report


def test_a_signer_is_told_to_make_the_report_again(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    for arguments in (
        ["--new-key", str(tmp_path / "key")],
        [str(root), "--key", str(tmp_path / "key"), "--name", "Ada", "--role", "auditor"],
    ):
        with pytest.raises(SystemExit):
            main(["sign", *arguments])
    told = capsys.readouterr().out
    assert f"evenhand sign DIR --key {tmp_path / 'key'} --name NAME --role ROLE" in told
    assert f"Make it again, evenhand report {root}, in every format that lies there" in told
    with pytest.raises(SystemExit):
        main(["sign", *arguments])
    assert "Make it again" not in capsys.readouterr().out, "it was, before the second signature"
