"""What a report holds beside the measurements, as the schema names it: made up, with every text hostile."""

from __future__ import annotations

import copy
from typing import Any

HOSTILE = "<script>alert(1)</script> *b* | d # e \x1b[31m"


def formed(data: dict[str, Any]) -> dict[str, Any]:
    """A report whose findings have the form that auditors know."""
    changed = copy.deepcopy(data)
    for told in changed["findings"]:
        told["severity"] = {
            "level": "Moderate",
            "effect": "3.2 times the margin",
            "certainty": "robust",
            "context": "representational harm",
            "why": "S3: a rule",
            "held_from": "High",
        }
        told |= {
            "covers": "population of templates",
            "condition": f"{told['statement']} {HOSTILE}",
            "criteria": "Declared beforehand",
            "cause": "Hypothesis, not examined",
            "effect": "Not measured",
            "recommendation": "Confirm it",
            "recommended_by": "default",
            "owner": None,
            "due": None,
            "response": HOSTILE,
            "evidence": ["finding x", "family y"],
            "risks": [{"vocabulary": "MIT AI Risk Repository", "id": "1.1", "name": "Unfair discrimination"}],
        }
    return changed


def whole(data: dict[str, Any]) -> dict[str, Any]:
    """A report with every section."""
    row = {"before": "disparity", "after": "inconclusive", "findings": 2}
    model = {"id": HOSTILE, "digest": "0" * 64}
    size = {
        "number": "F-001",
        "subject": HOSTILE,
        "verdict": "changed",
        "size": "+0.5 [+0.1, +0.9]",
        "p_adjusted": 0.01,
        "notes": [HOSTILE],
    }
    question = {
        "id": 4,
        "question": "sources or owners",
        "status": "declared",
        "answers": [
            {"field": "training_data", "value": HOSTILE, "status": "declared", "declared_by": "the card"}
        ],
        "open": ["lineage"],
        "looked": ["model card"],
        "standards": ["AB 2013"],
    }
    probe = {
        "suite": "mini",
        "version": "1.0.0",
        "sources": [HOSTILE],
        "licence": None,
        "coverage": "two kinds of people",
        "not_covered": [],
        "critiques": [],
        "contamination": [{"model": "m", "value": None, "status": "unknown"}],
        "canary": None,
    }
    asked = {"subject": "model:m", "completeness": {"text": "declared 1 of 22"}, "rows": [question]}
    note = {"subject": "model:m", "title": HOSTILE, "verified_on": "2026-11-23", "matched_by": "id"}
    ledger = {**data["provenance"], "questions": [asked], "probes": [probe], "notes": [note]}
    return formed(data) | {
        "provenance": ledger,
        "executive": {
            "tested": ["1 model"],
            "found": [{"number": "F-001", "statement": HOSTILE, "size": "2", "certainty": "robust"}],
            "published": None,
            "not_tested": ["languages other than en"],
            "to_do": [HOSTILE],
        },
        "engagement": {
            "given": False,
            "sha256": None,
            "commissioned_by": HOSTILE,
            "relationship": None,
            "criteria": ["The plan"],
            "assurance": "Agreed-upon procedures",
        },
        "context": {
            "intended_use": None,
            "languages": ["en"],
            "exclusions": [HOSTILE],
            "groups": [{"group": HOSTILE, "why": "the suite asks", "source": "suite mini"}],
            "harms": [{"harm": HOSTILE, "kind": "representational", "source": "suite mini"}],
        },
        "method": {
            "measures": [{"measure": "answer_log_odds", "formula": "ln(a / b)", "scorers": []}],
            "intervals": [
                {
                    "interval": "ci",
                    "method": "paired t",
                    "level": 0.95,
                    "covers": "population of templates",
                    "meaning": "other template families",
                    "fixed": ["the answers"],
                    "findings": 26,
                }
            ],
            "tests": ["two-sided"],
            "multiplicity": [
                {
                    "role": "confirmatory",
                    "method": "max-t",
                    "families": 2,
                    "comparisons": 2,
                    "largest_family": 1,
                    "notes": [],
                }
            ],
            "thresholds": [{"name": HOSTILE, "value": 0.2, "unit": "nats", "source": "the plan"}],
            "scorer_validity": [{"primary": "vader", "second": "textblob", "meaning": "they agree"}],
            "scorer_audits": [{"scorer": "vader", "construct": "sentiment", "meaning": ["it errs"]}],
            "human_review": {"text": "nobody"},
            "severity": [
                {"record": "S3", "without_use": "Moderate", "with_use": "High", "when": "a robust disparity"}
            ],
        },
        "changes": {
            "earlier": {"title": HOSTILE, "run_id": "0-1", "plan_sha256": "0" * 64},
            "comparable": True,
            "why": None,
            "plan": [HOSTILE],
            "environment": [],
            "models": [{"before": model, "after": model, "same_digest": True, "changes": []}],
            "verdicts": [row],
            "new": ["F-001"],
            "resolved": [],
            "no_longer_shown": [],
            "moved": [],
            "sizes": [size],
            "flips": [],
            "coverage": [],
            "not_compared": [],
        },
        "examples": {
            "warning": "Prompts may offend.",
            "reason": None,
            "findings": [
                {
                    "number": "F-001",
                    "items": [
                        {
                            "item": "a/b",
                            "prompt": HOSTILE,
                            "side": "group",
                            "record": 7,
                            "score": 0.5,
                            "baseline": -0.5,
                            "texts": [{"words": 3, "characters": 17, "sha256": "0" * 64}],
                        }
                    ],
                }
            ],
        },
    }
