"""Plan and records in, findings out: a pure function, with no model and no network.

Every hypothesis of the plan ends as one finding, computable or not. With the families, each with its size,
its correction and its omnibus test, the findings are the ledger of all that was tried.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import pandas as pd

from audit.analysis.controls import control_panel
from audit.analysis.estimates import comparer
from audit.analysis.families import family_findings
from audit.analysis.finding_record import status_counts
from audit.analysis.found import Setting
from audit.bundle import FORMAT, Bundle
from audit.kept import KeptAnswers, read_answers
from audit.plan import hypotheses_of
from audit.requests import Response
from audit.scored import ScoredAnswers, score_answers
from audit.sequential.findings import sequential_coverage, sequential_family
from probes.errors import BundleError, Fault


def analyze_bundle(bundle: Bundle) -> dict[str, Any]:
    """The findings of a bundle, from its plan and records alone.

    Returns
    -------
    dict
        As ``findings.schema.json`` describes. The same plan and records give the same findings, to the
        last digit on one machine and to 1e-9 on any other.

    Raises
    ------
    BundleError
        If the records are broken, or questions are unanswered: a verdict on part of an audit would depend on
        when it was stopped.
    """
    return bundle_findings(bundle, *complete_answers(bundle))


def complete_answers(bundle: Bundle) -> tuple[KeptAnswers, ScoredAnswers]:
    """Every answer of a finished audit, with its scores.

    Raises
    ------
    BundleError
        If the records are broken, or questions are unanswered.
    """
    answers = read_answers(bundle)
    scored = score_answers(bundle.plan, answers.responses)
    refuse_unanswered(bundle, scored)
    return answers, scored


def bundle_findings(bundle: Bundle, answers: KeptAnswers, scored: ScoredAnswers) -> dict[str, Any]:
    """As :func:`analyze_bundle`, from answers that were read and scored already."""
    refuse_unanswered(bundle, scored)
    head = {"format": FORMAT, "plan_sha256": bundle.plan_sha256, "chain_sha256": answers.head}
    return {**head, **analyze_scores(bundle.plan, scored)}


def refuse_unanswered(bundle: Bundle, scored: ScoredAnswers) -> None:
    """Stop at a bundle of which some questions have no answer yet."""
    if scored.missing:
        raise BundleError(
            Fault(
                f"{scored.missing} of {len(scored.needed)} questions have no answer yet",
                str(bundle.root),
                f"Go on with: evenhand run --out {shlex.quote(str(bundle.root))}",
            )
        )


def analyze_answers(plan: Mapping[str, Any], kept: Mapping[tuple[str, str], Response]) -> dict[str, Any]:
    """Findings, controls and ledgers from the answers to a plan's requests."""
    return analyze_scores(plan, score_answers(plan, kept))


def analyze_scores(plan: Mapping[str, Any], scored: ScoredAnswers) -> dict[str, Any]:
    """Findings, controls and ledgers from the scores of all that a plan asks."""
    if scored.missing:
        raise ValueError(f"{scored.missing} answers are missing: findings rest on all of them")
    shared = plan["decoding"].get("noise") == "shared"
    setting = Setting(plan["alpha"], plan["seed"], scored.suites, plan["correction"], shared)
    hypotheses = hypotheses_of(plan)
    findings: list[dict[str, Any]] = []
    families: list[dict[str, Any]] = []
    controls: list[dict[str, Any]] = []
    coverage: list[dict[str, Any]] = []
    tokenisation: list[dict[str, Any]] = []
    for model, table in scored.tables.items():
        coverage += coverage_rows(model, table)
        coverage += sequential_coverage(
            streams for streams in scored.streams.values() if streams.design.first.model == model
        )
        tokenisation += doubt_rows(model, table)
        own = [hypothesis for hypothesis in hypotheses if hypothesis.model == model]
        for family_id, members in groupby(own, key=lambda hypothesis: hypothesis.family):
            family = list(members)
            suite_rows = table[table["suite"] == family[0].suite]
            nonce = suite_rows[suite_rows["arm"] == "nonce"]
            if family_id in scored.streams:
                rows, whole, control = sequential_family(scored.streams[family_id], setting, nonce)
                findings += rows
                families.append(whole)
                controls.append(control)
                continue
            probes = comparer(suite_rows, family[0])
            panel = control_panel(family, probes, nonce, setting.seed, setting.alpha)
            controls.append({"family": family_id, "model": model, "suite": family[0].suite, **asdict(panel)})
            rows, whole = family_findings(family, probes, panel, setting)
            findings += rows
            families.append(whole)
    return {
        "summary": summary(findings),
        "findings": sorted(findings, key=worst_first),
        "families": families,
        "controls": controls,
        "coverage": coverage,
        "tokenisation": tokenisation,
        "not_measurable": list(plan["not_measurable"]),
    }


def coverage_rows(model: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Scores by status for each suite and arm, with the reasons of those that have no value."""
    rows = []
    for (suite, arm), part in table.groupby(["suite", "arm"], sort=False):
        reasons = part.loc[part["status"] != "scored", "reason"].value_counts()
        rows.append(
            {
                "model": model,
                "suite": suite,
                "arm": arm,
                "items": int(part["item"].nunique()),
                "statuses": status_counts(part),
                "reasons": {str(reason): int(count) for reason, count in reasons.head(20).items()},
            }
        )
    return rows


def doubt_rows(model: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The tokenisation ledger: answers of one pair that differ in their number of pieces."""
    doubtful = table[table["doubtful"]]
    groups = doubtful.groupby(["suite", "unit", "doubts"], sort=False)["item"].nunique().reset_index()
    return [
        {
            "model": model,
            "suite": row["suite"],
            "unit": row["unit"],
            "doubt": row["doubts"],
            "items": row["item"],
        }
        for row in groups.to_dict("records")
    ]


def summary(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts by verdict, model and suite, confirmatory and exploratory apart; no overall score."""
    counts: dict[str, dict[str, int]] = {}
    for row in findings:
        key = f"{row['model']}/{row['suite']}/{row['role']}"
        counts.setdefault(key, {})
        counts[key][row["verdict"]] = counts[key].get(row["verdict"], 0) + 1
    return {"hypotheses": len(findings), "verdicts": counts}


SEVERITIES = ("S4", "S3", "S2", "S1", "unknown", "S0")


def worst_first(row: Mapping[str, Any]) -> tuple[int, int, float, str]:
    """Order of findings: severity, confirmatory first, then how far from 0 in margins."""
    size = 0.0 if row["estimate"] is None else abs(row["estimate"]) / row["margin"]["value"]
    return (SEVERITIES.index(row["severity"]), row["role"] != "confirmatory", -size, row["id"])
