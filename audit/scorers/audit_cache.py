"""A scorer's own audit, kept until the scorer, its code or the sentences change."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.bundle_files import this_writer, write_whole
from audit.models.cache import cache_folder
from audit.scorers.base import Scorer
from audit.scorers.identity import scorer_identity
from audit.scorers.own_audit import audit_scorer, texts_asked
from audit.scorers.published import published_record, published_sets
from audit.scorers.store import stored
from audit.scorers.watched import Watched
from probes.benchmarks.folder import DataFolder
from probes.documents import digest
from probes.errors import BundleError, ModelError
from probes.frames import frames_for

if TYPE_CHECKING:
    from audit.runner import Progress


def cached_audit(
    scorer: Scorer, data: DataFolder | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """A scorer's own audit: from the cache where it is of this very scorer, else made and kept.

    Where the cache can be neither read nor written, the audit is made every time.

    Parameters
    ----------
    scorer : Scorer
    data : DataFolder, optional
        Published data; what is there of the labelled sets that the scorer can be held to is used.
    progress : Progress, optional
        Told how far it is where the audit has to be made. A network takes minutes over its sentences; its
        scores are then kept as they come, so that an audit that is stopped goes on where it was.

    Returns
    -------
    dict
        As ``own_audit.audit_scorer`` gives it, with ``published``: what ``published.published_record`` gives.
    """
    frames = frames_for(scorer.card.construct)
    identity = scorer_identity(scorer, frames)
    sets = published_sets(scorer.card.construct, data)
    path = cache_path(digest({"own": identity["digest"], "published": sets}))
    kept = None if path is None else read_kept(path, identity)
    if kept is not None:
        return kept
    asked = scorer
    if progress is not None:
        progress.start(f"{scorer.card.name}, its own audit", texts_asked(frames, scorer.card.construct), 0)
        asked = Watched(stored(scorer), progress.advance)
    made = {**audit_scorer(asked), "published": published_record(scorer, data)}
    if path is not None and "error" not in made["unscored"]:  # what failed may succeed the next time
        keep(path, made)
    return made


def cache_path(digest: str) -> Path | None:
    """Where the audit of that digest lies; None where the cache's folder is not known."""
    try:
        return cache_folder() / "scorers" / f"{digest}.json"
    except ModelError:
        return None


def read_kept(path: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """A kept audit of this very scorer; None where there is none that is as it was kept."""
    try:
        file = json.loads(path.read_bytes().decode("utf-8"))
        if not isinstance(file, dict) or file.get("sha256") != digest(file.get("audit")):
            return None
    except (OSError, ValueError, RecursionError):
        return None
    kept: dict[str, Any] = file["audit"]
    return kept if kept["identity"] == identity else None


def keep(path: Path, made: dict[str, Any]) -> None:
    """Keep an audit whole or not at all; a cache that cannot be written keeps nothing."""
    text = json.dumps({"sha256": digest(made), "audit": made}, ensure_ascii=False, allow_nan=False)
    with contextlib.suppress(BundleError, OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode("utf-8"), this_writer())
