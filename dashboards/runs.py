"""Runs of published measures: which of the folders hold one, and what lies there, each read once.

Nothing is computed here: ``audit.benchmarks.folder`` recomputes a result from the kept answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from audit.benchmarks.base import Answer
from audit.benchmarks.differences import differences
from audit.benchmarks.folder import ITEMS, RESULT, KeptRun
from audit.benchmarks.folder import is_run as holds_run
from audit.bundle import read_json
from dashboards.data import Signature, fact_of, shown
from dashboards.opening import given, named
from probes.benchmarks.items import BenchmarkItem
from reports.schema import checked


def bundles() -> dict[str, Path]:
    """The folders that were given and hold no run, by name: audits, or what is wrong with them."""
    return named([folder for folder in given() if not is_run(folder)])


def runs() -> dict[str, Path]:
    """The folders that hold a run of a published measure, by name."""
    return named([folder for folder in given() if is_run(folder)])


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return _is_run(str(folder), fact_of(folder / "plan.json"))


@st.cache_data(show_spinner=False, max_entries=256)
def _is_run(folder: str, plan: tuple[str, int, int] | None) -> bool:
    return plan is not None and holds_run(Path(folder))


def signature(root: Path) -> Signature:
    """What tells one state of a run from another without reading it."""
    try:
        records = sorted((root / "records").glob("*.jsonl"))
    except OSError:
        records = []
    paths = [*(root / name for name in ("plan.json", ITEMS, RESULT)), *records]
    return tuple(fact for path in paths if (fact := fact_of(path)))


def stated(root: Path) -> Mapping[str, Any] | None:
    """The result as it lies in a run's folder, which nobody checked yet; None where there is none."""
    path = root / RESULT
    fact = fact_of(path)
    return None if fact is None else _stated(str(path), fact)


@st.cache_resource(show_spinner=False, max_entries=64)
def _stated(path: str, fact: tuple[str, int, int]) -> Mapping[str, Any]:
    return checked(shown(read_json(Path(path)), Path(path)), "benchmark", Path(path))


@dataclass(frozen=True)
class Opened:
    """A run as its kept answers give it now.

    Attributes
    ----------
    root, sign : Path, Signature
        Its folder, and the state of its files.
    found : mapping
        The result, as ``benchmark.schema.json`` describes.
    changed : tuple of str
        Where the result in the folder differs from it; empty where it holds.
    items : sequence of BenchmarkItem
        What was asked.
    answers : mapping
        By scoring: what came of every part of every item.
    """

    root: Path
    sign: Signature
    found: Mapping[str, Any]
    changed: tuple[str, ...]
    items: Sequence[BenchmarkItem]
    answers: Mapping[str, Sequence[Answer]]


def opened(root: Path) -> Opened:
    """Recompute a run from its records, or take it from the cache if no file of it changed."""
    return _opened(str(root), signature(root))


@st.cache_resource(show_spinner="Computing the numbers again from the kept answers …", max_entries=8)
def _opened(folder: str, sign: Signature) -> Opened:
    root = Path(folder)
    run = KeptRun(root)
    found = run.result()
    told = shown(found, root / RESULT)
    return Opened(root, sign, told, tuple(differences(run.stated(), found)), run.items, run.answers())
