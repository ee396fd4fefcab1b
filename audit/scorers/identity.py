"""Which scorer this is: its name, its package's version and the code and sentences that audit it."""

from __future__ import annotations

from typing import Any

from audit.calibration.record import code_sha256
from audit.environment import version
from audit.scorers.sentiment import DISTRIBUTIONS
from probes.documents import digest
from probes.errors import Fault, InputError
from probes.explain import nearest
from probes.frames import FrameSet


def scorer_identity(name: str, frames: FrameSet) -> dict[str, Any]:
    """What a scorer's own audit depends on, with one digest over all of it.

    Returns
    -------
    dict
        ``scorer, package, version, code_sha256, frames_sha256, digest``; the version is None where the
        package does not tell it.

    Raises
    ------
    InputError
        If there is no scorer of that name.
    """
    if name not in DISTRIBUTIONS:
        raise InputError(Fault(f"no such scorer {name!r}", "", nearest(name, DISTRIBUTIONS)))
    package = DISTRIBUTIONS[name]
    known = {
        "scorer": name,
        "package": package,
        "version": version(package),
        "code_sha256": code_sha256(),
        "frames_sha256": frames.digest,
    }
    return {**known, "digest": digest(known)}
