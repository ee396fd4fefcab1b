"""A small audit of all that an export must survive: hostile names, written text, answers without a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.api import audit
from audit.measures import Decoding
from audit.models import ScriptedModel
from audit.requests import Generate, Request, Response, Sampled
from tests.audit.sequential_world import write_suite
from tests.conftest import write_mini

MARK = "unspeakable-words"
"""Stands in everything that the writing model writes."""
HOSTILE = "../a/b\"'<script>&|`*_ ünï \u202e =1+1 " + "long" * 100
TITLE = 'A "title" \\ with {braces}, <b>tags</b> & signs'


def written(request: Request) -> Response:
    """Text that may be in no export; one sample in two is empty."""
    assert isinstance(request, Generate)
    texts = [f" {MARK} {request.prompt} {number}" if number else " " for number in range(request.samples)]
    return Response(samples=tuple(Sampled(text, 3, "stop") for text in texts))


def hostile_audit(folder: Path) -> Path:
    """Two models and two suites, one of them of text."""
    (folder / "mini").mkdir()
    models = [
        ScriptedModel(
            ScriptedModel.noise(scale=0.5)._answer, id=HOSTILE, capabilities=frozenset({"fill", "score"})
        ),
        ScriptedModel(written, id="writer", capabilities=frozenset({"generate"})),
    ]
    suites = [write_mini(folder / "mini", templates=6, terms=3), write_suite(folder / "talk")]
    audit(models, [str(path) for path in suites], folder / "audit", title=TITLE, decoding=Decoding(samples=2))
    return folder / "audit"


def crosswalk(numbers: list[str]) -> dict[str, Any]:
    """A crosswalk of two clauses: one that names findings, one that nothing speaks to."""
    entries = [
        {"clause": "MEASURE 2.11", "status": "partial", "evidence": [*numbers, "plan"], "wants": "fairness"},
        {"clause": "MEASURE 2.6", "status": "not tested", "evidence": [], "reason": "no suite asks"},
    ]
    return {
        "as_of": "2026-11-26",
        "stale": [],
        "frameworks": [{"id": "nist-ai-rmf", "name": "NIST AI RMF", "version": "1.0", "entries": entries}],
    }
