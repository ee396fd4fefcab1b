"""Evenhand's instrument: asks models, keeps every answer, estimates disparities, states verdicts.

The verbs are loaded on first use, so that ``import audit`` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "AuditSpec": "audit.spec",
    "Bundle": "audit.bundle",
    "ScorerWish": "audit.scorers.wishes",
    "ScriptedModel": "audit.models",
    "analyze": "audit.api",
    "audit": "audit.api",
    "choose": "audit.spec",
    "compare_bundles": "audit.compare",
    "findings_frame": "audit.api",
    "labelled": "audit.labelling.analysis",
    "make_plan": "audit.plan",
    "measure": "audit.benchmarks.api",
    "measure_captured": "audit.benchmarks.api",
    "measures_frame": "audit.benchmarks.api",
    "read_audit": "audit.spec",
    "resume": "audit.api",
    "run": "audit.api",
    "score_texts": "audit.scorers.scoring",
    "verify_bundle": "audit.verify",
}
"""Public name to the module that defines it."""

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
