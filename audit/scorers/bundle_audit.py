"""The scorers' own audits, kept in the bundle of the audit that used them.

They are made at the run, when the scorers are at hand, and lie in ``scorers.json``, which the manifest lists:
a reader of the bundle sees what a scorer makes of groups though the scorer be gone. Bundles without scorers,
and those of earlier versions, have no such file.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from audit.benchmarks.fetch import data_folder
from audit.bundle import Bundle, read_json, write_json
from audit.scorers.audit_cache import cached_audit
from audit.scorers.base import Scorer
from probes.benchmarks.folder import DataFolder
from probes.errors import BundleError, Fault

if TYPE_CHECKING:
    from audit.runner import Progress

SCORER_AUDITS = "scorers.json"
FORMAT = 1


def write_scorer_audits(
    bundle: Bundle,
    scorers: Sequence[Scorer],
    data: DataFolder | None = None,
    progress: Progress | None = None,
) -> None:
    """Audit each scorer, or take its audit from the cache, and write what is to be known into the bundle.

    The manifest is written after it (``audit.api.analyze`` does). Nothing is written without a scorer.

    Parameters
    ----------
    scorers : sequence of Scorer
        Those that the plan names, the primary one first; each once.
    data : DataFolder, optional
        Published data; by default where ``evenhand benchmarks`` looks for them.
    progress : Progress, optional
        Told how far an audit is that has to be made.
    """
    if not scorers:
        return
    folder = data or DataFolder(data_folder())
    made = [in_short(cached_audit(scorer, folder, progress)) for scorer in scorers]
    write_json(bundle.root / SCORER_AUDITS, {"format": FORMAT, "scorers": made})


def read_scorer_audits(root: Path) -> dict[str, dict[str, Any]]:
    """The audits that a bundle keeps of its scorers, by their names; empty where it keeps none.

    Raises
    ------
    BundleError
        If the file does not fit its schema.
    """
    path = root / SCORER_AUDITS
    if not path.exists():
        return {}
    kept = read_json(path)
    error = next(iter(sorted(Draft202012Validator(scorers_schema()).iter_errors(kept), key=str)), None)
    if error is not None:
        what = f"{error.json_path}: {error.message}"
        raise BundleError(Fault(what[:300], str(path), "Take the bundle from its source again."))
    return {record["scorer"]: record for record in kept["scorers"]}


def scorers_schema() -> dict[str, Any]:
    """The JSON Schema of that file."""
    text = importlib.resources.files("audit").joinpath("schemas/scorers.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def in_short(record: Mapping[str, Any]) -> dict[str, Any]:
    """An audit without what only its own page shows: single sentences, and every group against the rest."""
    axes = [
        {
            **{key: value for key, value in axis.items() if key != "contrasts"},
            "worst_terms": [{**term, "sentences": term["sentences"][:1]} for term in axis["worst_terms"]],
        }
        for axis in record["axes"]
    ]
    kinds = {
        kind: {key: value for key, value in told.items() if key != "frames"}
        for kind, told in record["kinds"].items()
    }
    return {**record, "axes": axes, "kinds": kinds}
