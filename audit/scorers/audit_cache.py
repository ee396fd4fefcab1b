"""A scorer's own audit, kept until the scorer, its code or the sentences change."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from audit.models.cache import cache_folder
from audit.scorers.identity import scorer_identity
from audit.scorers.own_audit import audit_scorer
from probes.errors import ModelError
from probes.frames import load_frames


def cached_audit(name: str) -> dict[str, Any]:
    """A scorer's own audit: from the cache where it is of this very scorer, else made and kept.

    Where the cache can be neither read nor written, the audit is made every time.

    Raises
    ------
    InputError
        If there is no scorer of that name.
    """
    identity = scorer_identity(name, load_frames())
    path = cache_path(identity["digest"])
    kept = None if path is None else read_kept(path, identity)
    if kept is not None:
        return kept
    made = audit_scorer(name)
    if path is not None:
        keep(path, made)
    return made


def cache_path(digest: str) -> Path | None:
    """Where the audit of that digest lies; None where the cache's folder is not known."""
    try:
        return cache_folder() / "scorers" / f"{digest}.json"
    except ModelError:
        return None


def read_kept(path: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """A kept audit of this very scorer; None where there is none that can be read."""
    try:
        kept = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return kept if isinstance(kept, dict) and kept.get("identity") == identity else None


def keep(path: Path, made: dict[str, Any]) -> None:
    """Keep an audit whole or not at all; a cache that cannot be written keeps nothing."""
    text = json.dumps(made, ensure_ascii=False, allow_nan=False)
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(prefix=path.name, dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
