"""What a verification found, layer by layer, as a record that can be kept.

::

    layer      checks                                     asks
    signature  signature                                  is it what somebody signed, and by which key
    manifest   manifest                                   has every file the hash it should have
    chain      plan, chain, redaction, original,          does every record follow from the one before it
               answers, reviews
    recompute  findings, sidecar, report                  does every figure come out again
    rerun      rerun                                      does the model still answer so

A layer's code is its place in this order where it fails, and 0 where it holds; None where it was not made.
The command itself ends with 0 or 1, as every command does.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.bundle import file_sha256
from audit.calibration.record import code_sha256
from audit.environment import version
from audit.verify import Check

FORMAT = 1
LAYERS: dict[str, tuple[str, ...]] = {
    "signature": ("signature",),
    "manifest": ("manifest",),
    "chain": ("plan", "chain", "redaction", "original", "answers", "reviews"),
    "recompute": ("findings", "sidecar", "report"),
    "rerun": ("rerun",),
}
"""Layer to its checks, from the outermost in."""
THREAT_MODEL = (
    "Verifying detects accidental or later alteration. It does not stop a dishonest operator from choosing "
    "probes, seeds or runs. The chain of records alone proves nothing against someone who rewrites all of "
    "it: that takes a signature whose key you trust, or a copy of the chain's head kept elsewhere."
)


def layer_of(check: Check) -> str:
    """The layer that a check belongs to."""
    return next(layer for layer, names in LAYERS.items() if check.name in names)


def layers(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Each layer with its code: 0 holds, its number where it fails, None where nothing of it was checked."""
    rows = []
    for number, layer in enumerate(LAYERS, start=1):
        own = [check for check in checks if layer_of(check) == layer and (check.made or not check.holds)]
        code = None if not own else number if any(not check.holds for check in own) else 0
        rows.append({"layer": layer, "code": code})
    return rows


def check_rows(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as plain data, each with its layer; ``holds`` is None where there was nothing to check."""
    codes = {row["layer"]: row["code"] for row in layers(checks)}
    return [
        {
            "layer": layer_of(check),
            "code": codes[layer_of(check)],
            "check": check.name,
            "holds": check.holds if check.made or not check.holds else None,
            "detail": check.detail,
            "faults": list(check.faults),
        }
        for check in checks
    ]


def verification(
    root: Path, checks: Sequence[Check], verified_by: str, keys: Sequence[str]
) -> dict[str, Any]:
    """What was verified, by whom, when and with which version.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    checks : sequence of Check
        What was found.
    verified_by : str
        As they state it.
    keys : sequence of str
        Fingerprints of the public keys that were trusted.

    Returns
    -------
    dict
        As ``verification.schema.json`` describes. Hashes of files that are not there are None.
    """
    found = {name: root / name for name in ("plan.json", "manifest.json")}
    files = {name: file_sha256(path) if path.is_file() else None for name, path in found.items()}
    return {
        "format": FORMAT,
        "verified_by": verified_by,
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "note": "who verified is as they state it; the time is that of a local clock",
        "evenhand": version("evenhand"),
        "code_sha256": code_sha256(),
        "plan_sha256": files["plan.json"],
        "manifest_sha256": files["manifest.json"],
        "public_keys": list(keys),
        "holds": all(check.holds for check in checks),
        "layers": layers(checks),
        "checks": check_rows(checks),
        "threat_model": THREAT_MODEL,
    }
