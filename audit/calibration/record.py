"""The calibration of this version: the record that ships, and whether it is of this code."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

from probes.explain import schema_validator

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("record.json")

NOT_MEASURING = (
    "audit/attestation/", "audit/bundle_state.py", "audit/calibration/", "audit/chain_ends.py",
    "audit/cli.py", "audit/commands/", "audit/compare.py", "audit/comparison/", "audit/deviations.py",
    "audit/drill.py", "audit/impact/", "audit/integrity.py", "audit/provenance/", "audit/rerun.py",
    "audit/review/", "audit/slices.py", "audit/verification.py",
)  # fmt: skip
"""What shows findings and does not make them. Every other file of the instrument counts, new ones too."""


def code_sha256(root: Path = ROOT) -> str:
    """SHA-256 over the source of the instrument: what asks, scores, estimates, corrects and judges.

    Over ``path, NUL, size, NUL, content`` of every Python file of ``audit/`` and ``probes/``, sorted by path,
    line ends as on Unix, without :data:`NOT_MEASURING`.
    """
    files = [path for room in ("audit", "probes") for path in (root / room).rglob("*.py")]
    return files_sha256(
        root, (path for path in files if not path.relative_to(root).as_posix().startswith(NOT_MEASURING))
    )


def studies_sha256(root: Path = ROOT) -> str:
    """SHA-256 over the source of the studies themselves, in the same way."""
    return files_sha256(root, (root / "audit" / "calibration").rglob("*.py"))


def files_sha256(root: Path, files: Iterable[Path]) -> str:
    """One hash over files with their paths."""
    total = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def citation(path: Path = RECORD) -> dict[str, Any]:
    """What an audit says of the calibration of the version that made it.

    Parameters
    ----------
    path : Path
        The record of a calibration; the one that ships by default.

    Returns
    -------
    dict
        ``version, code_sha256, date, quick, studies, hold, matches, text``. Without a record all but
        ``matches`` (False) and ``text`` are None.

    Examples
    --------
    >>> citation(Path("none"))["text"]
    'this version has no record of a calibration'
    """
    if not path.is_file():
        fields = ("version", "code_sha256", "date", "quick", "studies", "hold")
        return {
            **dict.fromkeys(fields),
            "matches": False,
            "text": "this version has no record of a calibration",
        }
    record = json.loads(path.read_text("utf-8"))
    matches = record["code_sha256"] == code_sha256() and record["estimator"] == "shipped"
    return {
        "version": record["version"],
        "code_sha256": record["code_sha256"],
        "date": record["date"],
        "quick": record["quick"],
        "studies": len(record["studies"]),
        "hold": record["studies_holding"],
        "matches": matches,
        "text": sentence(record, matches),
    }


def sentence(record: Mapping[str, Any], matches: bool) -> str:
    """The citation in words."""
    kind = "briefly " if record["quick"] else ""
    part = "" if record["complete"] else ", not all that there are,"
    code = "is unchanged since" if matches else "has changed since"
    return (
        f"{kind}calibrated on {record['date']}: {record['studies_holding']} of {len(record['studies'])} "
        f"studies{part} hold; the code {code}"
    )


@cache
def record_schema() -> Validator:
    """The JSON Schema of a calibration record, ready to validate."""
    text = importlib.resources.files("audit").joinpath("schemas/calibration.schema.json").read_text("utf-8")
    return schema_validator(json.loads(text))
