"""Which scorer this is, and with which sentences and code it is audited."""

from __future__ import annotations

from typing import Any

from audit.calibration.record import code_sha256
from audit.environment import version
from audit.scorers.base import Scorer
from probes.benchmarks.packs import pack
from probes.documents import digest
from probes.frames import FrameSet


def scorer_identity(scorer: Scorer, frames: FrameSet) -> dict[str, Any]:
    """What a scorer's own audit depends on, with one digest over all of it.

    Returns
    -------
    dict
        ``scorer, scorer_sha256, packages, code_sha256, frames_sha256, dialect_sha256, digest``; a package's
        version is None where it does not tell it.
    """
    known = {
        "scorer": scorer.card.name,
        "scorer_sha256": scorer.digest,
        "packages": {package: version(package) for package in scorer.card.packages},
        "code_sha256": code_sha256(),
        "frames_sha256": frames.digest,
        "dialect_sha256": digest(pack("matched-guise")["dialect"]),
    }
    return {**known, "digest": digest(known)}
