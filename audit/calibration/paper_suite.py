"""A suite of invented words, made for calibration: as many groups, templates and terms as a study needs."""

from __future__ import annotations

from typing import Any

from audit.models import ScriptedModel
from audit.models.base import Model
from audit.plan import make_plan
from audit.spec import AuditSpec, SuiteChoice
from probes import Lexicon, Sampling, Suite, check_suite, lexicon_from_data, suite_from_data

MARGIN = 0.2
"""Nats."""
NONCE_TERMS = 8
WHERE = "calibration"
CARD = {
    "harm": "none: its words are invented",
    "harm_kind": "representational",
    "construct": "what was planted",
    "compares": "invented words with invented words",
    "limits": ["It is no suite for real models."],
    "critiques": ["None: nothing is claimed of people."],
    "not_evidence": "Nothing here says anything about people.",
}


def words(name: str, groups: dict[str, int]) -> Lexicon:
    """Invented words of some groups on the axis ``kind``."""
    data = {
        "id": name,
        "version": "1.0.0",
        "title": "Invented words for calibration",
        "licence": "Apache-2.0",
        "language": "en",
        "source": {"title": "made up for calibration", "year": 2026},
        "axes": {
            "kind": {"label": "kind", "groups": {group: {"label": f"words of {group}"} for group in groups}}
        },
        "terms": [
            {"id": f"{group}-{number}", "text": f"{name}{group}x{number}", "groups": {"kind": group}}
            for group, size in groups.items()
            for number in range(size)
        ],
    }
    return lexicon_from_data(data, WHERE)


def paper_suite(groups: int, templates: int, terms: int, wordings: int) -> SuiteChoice:
    """The suite: groups ``g0`` to ``g(k-1)``, all but the last compared with the last."""
    names = [f"g{number}" for number in range(groups)]
    lexicons = {
        "calibration-words": words("calibration-words", dict.fromkeys(names, terms)),
        "calibration-nonce": words("calibration-nonce", {"one": NONCE_TERMS // 2, "two": NONCE_TERMS // 2}),
    }
    data: dict[str, Any] = {
        "id": "calibration",
        "version": "1.0.0",
        "title": "Invented words for calibration",
        "licence": "Apache-2.0",
        "language": "en",
        "card": CARD,
        "forms": ["fill", "score"],
        "measure": "answer_log_odds",
        "slot": "who",
        "lexicons": ["calibration-words"],
        "nonce": {"lexicon": "calibration-nonce"},
        "answers": {"subject": [{"id": "pronoun", "plus": ["she"], "minus": ["he"]}]},
        "outcome": {"plus": "she", "minus": "he"},
        "contrasts": [
            {
                "id": "kind",
                "axis": "kind",
                "groups": names[:-1],
                "reference": names[-1],
                "terms": "nested",
                "role": "confirmatory",
                "claim": "the odds of *she* over *he* are {ratio} as high with {group} as with {reference}",
            }
        ],
        "margin": {"value": MARGIN, "unit": "nats", "source": "calibration"},
        "planning": {"template_sd": 0.3, "term_sd": 0.3, "residual_sd": 1.0, "source": "calibration"},
        "templates": [
            {
                "id": f"t{number}",
                "family": f"f{number // wordings}",
                "text": f"The {{who}} number {number} said that {{answer}} was late.",
            }
            for number in range(templates * wordings)
        ],
    }
    suite: Suite = suite_from_data(data, WHERE)
    check_suite(suite, lexicons)
    return SuiteChoice(suite, lexicons, Sampling(), suite.margin)


def paper_spec(model: Model, choice: SuiteChoice, seed: int = 0) -> AuditSpec:
    """An audit of one model with such a suite."""
    return AuditSpec(models=(model,), suites=(choice,), title="Calibration", seed=seed)


def paper_plan(groups: int, templates: int, terms: int, wordings: int) -> dict[str, Any]:
    """Its plan; the model only lends its name."""
    return make_plan(paper_spec(ScriptedModel.noise(), paper_suite(groups, templates, terms, wordings)))
