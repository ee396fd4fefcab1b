"""What is signed: which files lay in the bundle, what the audit is, and who says so."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.bundle import (
    ATTESTATIONS,
    PARTIAL,
    REPORTS,
    SIDECAR,
    VERIFICATION,
    Bundle,
    file_sha256,
    read_json,
)
from audit.review.log import read_reviews
from audit.verdict import VERDICTS

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:evenhand:attestation:1"
NO_DECISION = "measurement evidence only; no conformity decision"
AS_STATED = "name, role, organisation and time are as the signer stated them, the time by a local clock"
NO_FILE = ("is a link", "is no file")
"""What stands in the place of a hash."""
LONGEST_NAME = 200
"""Characters of a name, a role or an organisation."""


@dataclass(frozen=True)
class Signer:
    """Who signs, as they state it.

    ``organisation`` is None where nobody stated one.
    """

    name: str
    role: str
    organisation: str | None = None

    def __str__(self) -> str:
        return ", ".join(text for text in (self.name, self.role, self.organisation) if text)

    def data(self) -> dict[str, str | None]:
        """As it stands in a predicate."""
        return {"name": self.name, "role": self.role, "organisation": self.organisation}


def is_plain(text: str) -> bool:
    r"""Whether a name is one line of letters that a page can show as they are.

    Examples
    --------
    >>> is_plain("Zoë Ng"), is_plain(" "), is_plain("a\u202eb")
    (True, False, False)
    """
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_NAME


def signable(root: Path) -> list[Path]:
    """Every file that a signature covers, links too, in order of path."""
    left_out = {ATTESTATIONS, SIDECAR, VERIFICATION}
    return sorted(
        path
        for path in root.rglob("*")
        if (path.is_symlink() or not path.is_dir())
        and not path.name.endswith(PARTIAL)
        and path.relative_to(root).parts[0] not in left_out
    )


def hashes(root: Path) -> dict[str, str]:
    """Path below the bundle to SHA-256, of every file that a signature covers.

    A link, and what is no file, has no hash; one of :data:`NO_FILE` stands in its place.
    """
    found = {}
    for path in signable(root):
        if path.is_symlink() or not path.is_file():
            value = NO_FILE[0 if path.is_symlink() else 1]
        else:
            value = file_sha256(path)
        found[path.relative_to(root).as_posix()] = value
    return found


def is_report(name: str) -> bool:
    """Whether a file is a report's, by its path below the bundle."""
    return name.split("/")[0].startswith(REPORTS)


def about(root: Path) -> dict[str, Any]:
    """What a finished audit is: its plan, chain, reviews, runs, instrument and findings by verdict."""
    bundle = Bundle(root)
    findings = read_json(root / "findings.json")
    reviews = read_reviews(root)
    verdicts = [row["verdict"] for row in findings["findings"]]
    instrument = findings["instrument"]
    return {
        "plan_sha256": bundle.plan_sha256,
        "chain_sha256": findings["chain_sha256"],
        "reviews": {"count": len(reviews.events), "head": reviews.head},
        "runs": [run["started"] for run in read_json(root / "environment.json")["runs"]],
        "instrument": {
            "code_sha256": instrument.get("made_by", {}).get("code_sha256"),
            "calibration": instrument["text"],
        },
        "findings": {verdict: verdicts.count(verdict) for verdict in VERDICTS},
    }


def statement_of(files: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """An in-toto Statement over files by their hashes."""
    subject = [{"name": name, "digest": {"sha256": value}} for name, value in sorted(files.items())]
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {"statement": NO_DECISION, "note": AS_STATED, **predicate},
    }


def signed_files(statement: Mapping[str, Any]) -> dict[str, str]:
    """Path to SHA-256 of what a statement speaks of."""
    subject: Sequence[Mapping[str, Any]] = statement["subject"]
    return {row["name"]: row["digest"]["sha256"] for row in subject}


def statement_fault(statement: Any) -> str | None:
    """Where something departs from the form of a statement; None where it does not."""
    errors = sorted(validator().iter_errors(statement), key=lambda error: error.json_path)
    if errors:
        return f"{errors[0].json_path}: {errors[0].message[:LONGEST_NAME]}"
    names = [text for text in statement["predicate"]["signer"].values() if text is not None]
    if not all(is_plain(text) for text in names):
        return "$.predicate.signer: a name, role or organisation is not one line of plain text"
    if len(signed_files(statement)) < len(statement["subject"]):
        return "$.subject: names a file twice"
    return None


@cache
def validator() -> Draft202012Validator:
    """The JSON Schema of a statement, ready to validate."""
    text = importlib.resources.files("audit").joinpath("schemas/attestation.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))
