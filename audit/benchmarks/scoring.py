"""Scores a captured file: no model is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.benchmarks.base import Benchmark, Setup
from audit.benchmarks.outlook import outlook
from audit.benchmarks.result import data_facts, document, item_facts, scored_section, setup_to_json
from audit.bundle import file_sha256
from probes.benchmarks.folder import DataFolder
from probes.errors import Fault, InputError


def score_file(bench: Benchmark, path: Path, setup: Setup, data: DataFolder | None) -> dict[str, Any]:
    """The result of a captured file.

    Raises
    ------
    InputError
        If the data or the file cannot be read; every fault with its line.
    """
    items = list(bench.items(data, setup))
    answers = list(bench.captured(path, items, setup))
    if not any(answer.status == "scored" for answer in answers):
        raise InputError(Fault("nothing in it could be scored", str(path), "Check its columns and ids."))
    facts = {
        "data": data_facts(bench, data),
        "items": item_facts(items),
        "outlook": outlook(bench, items, setup),
        "setup": setup_to_json(setup, bench),
        "model": None,
        "scorer": None,
        "captured": {"file": path.name, "sha256": file_sha256(path)},
    }
    return document(bench, facts, [scored_section(bench, items, answers, setup)])
