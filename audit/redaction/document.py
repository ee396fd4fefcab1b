"""``redaction.json``: what a redacted copy says of its original."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from audit.bundle import REDACTION, read_json
from probes.errors import BundleError, Fault

FORMAT = 1
NOTE = (
    "A copy of an audit without the texts that a model wrote. Each is replaced by its length, its SHA-256 "
    "and what each scorer said of it. Chain, plan and findings are those of the original. What the scorers "
    "said is as whoever redacted it states: only the original can show it. A hash keeps no secret of a text "
    "that can be guessed."
)


@dataclass(frozen=True)
class Redaction:
    """What a redacted copy says of its original.

    Attributes
    ----------
    records, texts : int
        Records of which something is withheld, and texts, each as often as it stands there.
    scorers : mapping of str to str
        Name to digest of the scorers whose scores stand in the place of texts.
    replaced, left_out : mapping of str to str
        Path to the SHA-256 that the original's file has: of those of which the copy holds another version,
        and of those that it does not hold.
    """

    plan_sha256: str
    chain_sha256: str
    records: int
    texts: int
    scorers: Mapping[str, str]
    replaced: Mapping[str, str]
    left_out: Mapping[str, str]

    def data(self) -> dict[str, Any]:
        """As it lies in a copy."""
        return {"format": FORMAT, "note": NOTE, **asdict(self)}


def read_redaction(root: Path) -> Redaction:
    """What the copy in a folder says.

    Raises
    ------
    BundleError
        If it says it in another form than this version writes.
    """
    path = root / REDACTION
    data = read_json(path)
    error = next(iter(sorted(validator().iter_errors(data), key=lambda error: error.json_path)), None)
    if error is not None:
        what = f"not as evenhand writes it: {error.json_path}: {error.message[:200]}"
        raise BundleError(Fault(what, str(path), "Redact the original bundle again."))
    return Redaction(**{key: value for key, value in data.items() if key not in ("format", "note")})


@cache
def validator() -> Draft202012Validator:
    """The JSON Schema of ``redaction.json``, ready to validate."""
    text = importlib.resources.files("audit").joinpath("schemas/redaction.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))
