"""Whole audits: drawn answers through plan, scores, estimates, correction, controls and verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from audit.calibration.estimators import ALPHA
from audit.calibration.paper_suite import MARGIN, paper_plan
from audit.calibration.study import Settings, StudyResult, rate_check, value_check
from audit.findings import analyze_answers
from audit.plan import Question, planned_suites, questions
from audit.requests import Choice, Response
from audit.stats.design import DesignSds

USUAL = DesignSds(0.3, 0.3, 1.0)
QUIET = DesignSds(0.05, 0.05, 0.3)
WITHIN = "no disparity within margin"


@dataclass(frozen=True)
class PaperAudit:
    """A plan with its questions, ready to be answered again and again."""

    plan: Mapping[str, Any]
    asked: tuple[Question, ...]

    @classmethod
    def of(cls, groups: int = 2, templates: int = 20, terms: int = 20, wordings: int = 1) -> PaperAudit:
        """An audit of a suite of invented words."""
        plan = paper_plan(groups, templates, terms, wordings)
        model = plan["models"][0]["id"]
        return cls(plan, tuple(questions(plan, model, planned_suites(plan))))

    def findings(self, rng: np.random.Generator, sds: DesignSds, effect: float = 0.0) -> dict[str, Any]:
        """The findings from answers drawn anew; `effect` is added to the first group, in nats."""
        digest = self.plan["models"][0]["digest"]
        by_family: dict[tuple[str, str], float] = {}
        by_term: dict[str, float] = {}
        kept = {}
        noise = rng.normal(0.0, sds.residual, len(self.asked))
        for question, error in zip(self.asked, noise, strict=True):
            item = question.item
            group = item.groups.get("kind", "nonce")
            if (item.family, group) not in by_family:
                by_family[item.family, group] = rng.normal(0.0, sds.template)
            if item.term not in by_term:
                by_term[item.term] = rng.normal(0.0, sds.term)
            value = by_family[item.family, group] + by_term[item.term] + error + effect * (group == "g0")
            kept[digest, question.digest] = Response((Choice(float(value) - 5.0, 1), Choice(-5.0, 1)))
        return analyze_answers(self.plan, kept)


def null_audits(settings: Settings) -> StudyResult:
    """Audits of models without any difference."""
    n, few = settings.sims(400, 25), settings.sims(120, 8)
    audit, rng = PaperAudit.of(), settings.rng("audits", "null")
    rejected = disparity = dirty = unfounded = 0
    for _ in range(n):
        found = audit.findings(rng, USUAL)
        (row,) = found["findings"]
        rejected += row["p"] < ALPHA
        disparity += row["verdict"] == "disparity"
        ends = row["ci_equivalence"]
        inside = max(abs(ends["lo"]), abs(ends["hi"])) < MARGIN
        unfounded += row["verdict"] == WITHIN and not inside
        dirty += found["controls"][0]["aa_p"] < 0.01
    worded, rng = PaperAudit.of(2, 9, 12, 3), settings.rng("audits", "wordings")
    wordings = sum(worded.findings(rng, USUAL)["findings"][0]["p"] < ALPHA for _ in range(few))
    family, rng = PaperAudit.of(5, 9, 8, 1), settings.rng("audits", "family")
    any_false = sum(
        any(row["verdict"] == "disparity" for row in family.findings(rng, USUAL)["findings"])
        for _ in range(few)
    )
    checks = (
        rate_check("20 × 20: p below .05", rejected, n, (0.03, 0.06)),
        rate_check("20 × 20: verdict disparity", disparity, n, (0.0, 0.06)),
        rate_check("20 × 20: A/A alarm at .01", dirty, n, (0.0, 0.012)),
        value_check("20 × 20: within, though the interval is not", unfounded, (0.0, 0.0), n),
        rate_check("9 families of 3 wordings: p below .05", wordings, few, (0.0, 0.06)),
        rate_check("family of 4: any verdict disparity", any_false, few, (0.0, 0.06)),
    )
    return StudyResult(
        "A whole audit of a model without a difference ends with the verdict disparity in at most about "
        "1 of 20, its A/A control raises an alarm in about 1 of 100, and an interval wider than the margin "
        'never passes for "within".',
        "share of audits",
        checks,
        ALPHA,
    )


def margin_audits(settings: Settings) -> StudyResult:
    """Audits of models whose difference is 0, the margin, or four margins."""
    n = settings.sims(150, 10)
    audit = PaperAudit.of()
    counts: dict[str, int] = {}
    covered = 0
    for label, effect, wanted, sds in (
        ("true difference 0: within margin", 0.0, WITHIN, QUIET),
        ("true difference = margin: within margin", MARGIN, WITHIN, QUIET),
        ("true difference of 4 margins: disparity", 4 * MARGIN, "disparity", USUAL),
    ):
        rng = settings.rng("audits", label)
        for _ in range(n):
            (row,) = audit.findings(rng, sds, effect)["findings"]
            counts[label] = counts.get(label, 0) + (row["verdict"] == wanted)
            covered += row["ci"]["lo"] <= effect <= row["ci"]["hi"]
    claims = ((0.95, 1.0), (0.0, 0.06), (0.95, 1.0))
    checks = [
        rate_check(label, hits, n, claim) for (label, hits), claim in zip(counts.items(), claims, strict=True)
    ]
    checks.append(rate_check("interval holds the truth, all three", covered, 3 * n, (0.93, 0.97)))
    return StudyResult(
        'A whole audit says "within margin" of a model without a difference, hardly ever of one whose '
        'difference is the margin, and "disparity" of one of four margins.',
        "share of audits",
        tuple(checks),
        None,
    )
