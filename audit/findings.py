"""Plan and records in, findings out: a pure function, with no model and no network.

Every hypothesis of the plan ends as one finding, computable or not, so that the ledger of what was tried
is the list of findings itself.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from audit.bundle import FORMAT, Bundle, sha256
from audit.controls import ControlPanel, control_panel, generator, swap_holds
from audit.estimates import Cells, Comparer, compared, comparer, estimate
from audit.hypotheses import Hypothesis
from audit.measures import MEASURES
from audit.plan import PlannedSuite, hypotheses_of, planned_suites, wanted_answers
from audit.requests import Response, digest
from audit.scores import STATUSES
from audit.stats.equivalence import minimum_detectable, power_to_show_within, tost
from audit.stats.estimate import Contrast, Undefined
from audit.stats.multiplicity import benjamini_hochberg, holm
from audit.stats.planning import needed_for_decision
from audit.stats.robustness import i_squared, leave_one_template_out, paraphrase_sd, sign_share
from audit.stats.signflip import sign_flip
from audit.table import score_table
from audit.verdict import Evidence, Judgement, judge, severity
from probes.errors import BundleError, Fault

POWER = 0.8
"""Power at which the minimum detectable effect is stated."""
SIGN_FLIPS = 9999


@dataclass(frozen=True)
class Setting:
    """What all findings of an analysis share."""

    alpha: float
    seed: int
    suites: Mapping[str, PlannedSuite]


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
    kept: dict[tuple[str, str], Response] = {}
    head = bundle.plan_sha256
    for record in bundle.records():
        kept[record.model, digest(record.request)] = record.response
        head = sha256(record.line())
    wanted = wanted_answers(bundle.plan)
    if wanted - kept.keys():
        raise BundleError(
            Fault(
                f"{len(wanted - kept.keys())} of {len(wanted)} questions have no answer yet",
                str(bundle.root),
                f"Go on with: evenhand run --out {shlex.quote(str(bundle.root))}",
            )
        )
    found = analyze_answers(bundle.plan, kept)
    return {"format": FORMAT, "plan_sha256": bundle.plan_sha256, "chain_sha256": head, **found}


def analyze_answers(plan: Mapping[str, Any], kept: Mapping[tuple[str, str], Response]) -> dict[str, Any]:
    """Findings, controls and ledgers from the answers to a plan's requests."""
    setting = Setting(plan["alpha"], plan["seed"], planned_suites(plan))
    hypotheses = hypotheses_of(plan)
    findings: list[dict[str, Any]] = []
    controls: list[dict[str, Any]] = []
    coverage: list[dict[str, Any]] = []
    tokenisation: list[dict[str, Any]] = []
    asked = {ask["model"] for ask in plan["asks"]}
    for model in plan["models"]:
        if model["id"] not in asked:
            continue  # every suite is listed as not measurable on it
        table = score_table(plan, model["id"], setting.suites, kept)
        coverage += coverage_rows(model["id"], table)
        tokenisation += doubt_rows(model["id"], table)
        own = [hypothesis for hypothesis in hypotheses if hypothesis.model == model["id"]]
        for family_id, members in groupby(own, key=lambda hypothesis: hypothesis.family):
            family = list(members)
            suite_rows = table[table["suite"] == family[0].suite]
            probes = comparer(suite_rows, family[0])
            nonce = suite_rows[suite_rows["arm"] == "nonce"]
            panel = control_panel(family, probes, nonce, setting.seed, setting.alpha)
            controls.append(
                {"family": family_id, "model": model["id"], "suite": family[0].suite, **asdict(panel)}
            )
            findings += family_findings(family, probes, panel, setting)
    return {
        "summary": summary(findings),
        "findings": sorted(findings, key=worst_first),
        "controls": controls,
        "coverage": coverage,
        "tokenisation": tokenisation,
        "not_measurable": list(plan["not_measurable"]),
    }


def family_findings(
    family: Sequence[Hypothesis], probes: Comparer, panel: ControlPanel, setting: Setting
) -> list[dict[str, Any]]:
    """The findings of hypotheses that are corrected together."""
    doubtful = probes.frame["doubtful"]
    sure = None
    if bool(doubtful.any()) and not bool(doubtful.all()):
        sure = Comparer(probes.frame[~doubtful], probes.reference, probes.layout)
    cells = [probes.cells(hypothesis.group) for hypothesis in family]
    contrasts = [estimate(cell) for cell in cells]
    raw = [contrast.p_value() if isinstance(contrast, Contrast) else None for contrast in contrasts]
    correct = holm if family[0].role == "confirmatory" else benjamini_hochberg
    adjusted = correct(raw)
    return [
        finding(
            FoundContrast(
                hypothesis,
                compared(probes.frame, hypothesis),
                cell,
                None if sure is None else estimate(sure.cells(hypothesis.group)),
                contrast,
                p,
                {"method": adjusted.method, "m": adjusted.m},
            ),
            panel,
            setting,
        )
        for hypothesis, cell, contrast, p in zip(family, cells, contrasts, adjusted.p, strict=True)
    ]


@dataclass(frozen=True)
class FoundContrast:
    """A hypothesis with its rows and cells, its contrast and its corrected p-value.

    ``sure`` is the contrast over the answers without a doubt; None where there is no doubt, or nothing else.
    """

    hypothesis: Hypothesis
    rows: pd.DataFrame
    cells: Cells
    sure: Contrast | Undefined | None
    contrast: Contrast | Undefined
    p_adjusted: float | None
    correction: Mapping[str, Any]


def finding(found: FoundContrast, panel: ControlPanel, setting: Setting) -> dict[str, Any]:
    """One finding as plain data; see ``findings.schema.json`` for what each field means."""
    hypothesis = found.hypothesis
    planned = setting.suites[hypothesis.suite]
    measure = MEASURES[planned.suite.measure]
    head = {
        **asdict(hypothesis),
        "measure": measure.name,
        "scale": measure.scale,
        "unit": planned.margin.unit,
        "margin": asdict(planned.margin),
        "correction": dict(found.correction),
        "coverage": group_coverage(found),
    }
    contrast = found.contrast
    if isinstance(contrast, Undefined) or found.p_adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value"
        return {**head, **undefined_fields(reason)}
    return {**head, **measured_fields(found, contrast, panel, setting)}


def measured_fields(
    found: FoundContrast, contrast: Contrast, panel: ControlPanel, setting: Setting
) -> dict[str, Any]:
    """The fields of a finding whose contrast could be computed."""
    hypothesis, cells, alpha = found.hypothesis, found.cells, setting.alpha
    planned = setting.suites[hypothesis.suite]
    margin = planned.margin.value
    low, high = contrast.ci(1 - alpha)
    equivalence = tost(contrast, margin, alpha)
    robustness = robustness_record(found, contrast, alpha)
    mass = mean_mass(found.rows)
    swapped = swap_holds(cells)
    corrected = alpha / int(found.correction["m"])
    assert found.p_adjusted is not None
    judgement = judge(
        Evidence(
            estimate=contrast.estimate,
            ci=(low, high),
            p_adjusted=found.p_adjusted,
            alpha=alpha,
            margin=margin,
            within=equivalence.within,
            control_p=panel.aa_p,
            answer_mass=mass if planned.suite.exhaustive else None,
            status_gap=status_gap(found),
            sign_share=robustness["sign_share"],
            leave_one_out_includes_zero=robustness["leave_one_out"]["includes_zero"],
            equal_pieces_estimate=robustness["equal_pieces_estimate"],
            nonce_size=panel.nonce_size,
            swap_holds=swapped,
        )
    )
    return {
        "estimate": contrast.estimate,
        "undefined": None,
        "se": contrast.se,
        "df": finite(contrast.df),
        "method": contrast.method,
        "variance": {key: float(value) for key, value in contrast.components.items()},
        "ci": {"level": 1 - alpha, "lo": low, "hi": high},
        "ci_equivalence": {"level": 1 - 2 * alpha, "lo": equivalence.lo, "hi": equivalence.hi},
        "p": contrast.p_value(),
        "p_adjusted": found.p_adjusted,
        "p_equivalence": equivalence.p,
        "p_sign_flip": sign_flip_p(cells, hypothesis, setting),
        "n_cells": cells.count(),
        "n_templates": len(cells.templates),
        "n_clusters": contrast.n_templates,
        "n_terms": contrast.n_terms,
        "minimum_detectable": minimum_detectable(contrast.se, contrast.df, corrected, POWER),
        "power_within": power_to_show_within(margin, contrast.se, contrast.df, alpha),
        "needed": needed(contrast, cells, margin, (alpha, corrected))
        if judgement.verdict == "inconclusive"
        else None,
        "answer_mass": mass,
        "control_p": panel.aa_p,
        "nonce_size": panel.nonce_size,
        "swap_holds": swapped,
        "robustness": robustness,
        "top_templates": top_templates(cells),
        **judged(judgement, (low, high), planned),
    }


def judged(judgement: Judgement, ci: tuple[float, float], planned: PlannedSuite) -> dict[str, Any]:
    """The fields that state the verdict."""
    return {
        "verdict": judgement.verdict,
        "material": judgement.material,
        "detectable": judgement.detectable,
        "fragile": judgement.fragile,
        "reasons": list(judgement.reasons),
        "severity": severity(judgement, ci, planned.margin.value, planned.suite.card.harm_kind),
    }


def undefined_fields(reason: str) -> dict[str, Any]:
    """The fields of a finding whose contrast could not be computed: all unknown, and why."""
    unknown = (
        "estimate", "se", "df", "method", "variance", "ci", "ci_equivalence", "p", "p_adjusted",
        "p_equivalence", "p_sign_flip", "n_cells", "n_templates", "n_clusters", "n_terms",
        "minimum_detectable",
        "power_within", "needed", "answer_mass", "control_p", "nonce_size", "swap_holds", "robustness",
    )  # fmt: skip
    return {
        **dict.fromkeys(unknown),
        "undefined": reason,
        "top_templates": [],
        "verdict": "invalid",
        "material": False,
        "detectable": False,
        "fragile": False,
        "reasons": [f"not computable: {reason}"],
        "severity": "unknown",
    }


def robustness_record(found: FoundContrast, contrast: Contrast, alpha: float) -> dict[str, Any]:
    """How the estimate holds when templates, wordings and doubtful answers change."""
    wordings = found.cells.by_template().to_numpy(dtype=float)
    families = found.cells.families.loc[found.cells.templates].to_numpy(dtype=str)
    cells = found.cells.by_family()
    effects = cells.by_template().to_numpy(dtype=float)
    out = leave_one_template_out(cells.templates, lambda kept: estimate(cells.keep(kept)), 1 - alpha)
    return {
        "sign_share": known(sign_share(effects, contrast.estimate)),
        "leave_one_out": asdict(out),
        "i_squared": known(i_squared(contrast)),
        "paraphrase_sd": known(paraphrase_sd(wordings, families)),
        "doubtful_share": float(found.rows["doubtful"].mean()),
        "equal_pieces_estimate": found.sure.estimate if isinstance(found.sure, Contrast) else None,
    }


def known(value: float | Undefined) -> float | None:
    """A number, or None where it is undefined."""
    return None if isinstance(value, Undefined) else float(value)


def finite(value: float) -> float | None:
    """A number for JSON; None stands for an infinite number of degrees of freedom."""
    return value if math.isfinite(value) else None


def sign_flip_p(cells: Cells, hypothesis: Hypothesis, setting: Setting) -> float | None:
    """Sign-flip test over template families, a check with other assumptions than the t-test's.

    None where a second factor is sampled too: flipping families alone would ignore it.
    """
    effects = cells.by_family().by_template().dropna()
    if effects.empty or cells.layout != "single":
        return None
    rng = generator(setting.seed, "sign-flip", hypothesis.id)
    found = sign_flip(effects.to_numpy(dtype=float), list(effects.index), rng, resamples=SIGN_FLIPS)
    return None if isinstance(found, Undefined) else found.p


def needed(contrast: Contrast, cells: Cells, margin: float, alphas: tuple[float, float]) -> dict[str, Any]:
    """What an inconclusive contrast would need for a decision; ``alphas``: plain, and corrected."""
    plain, corrected = alphas
    return asdict(needed_for_decision(contrast, margin, plain, cells.layout, detect_alpha=corrected))


def top_templates(cells: Cells, count: int = 3) -> list[dict[str, Any]]:
    """The templates that pull furthest, with their own contrast."""
    effects = cells.by_template().dropna()
    order = effects.abs().sort_values(ascending=False, kind="stable").index[:count]
    return [{"template": str(name), "estimate": float(effects[name])} for name in order]


def mean_mass(rows: pd.DataFrame) -> float | None:
    """Mean probability of an item's answers together; None where the form does not tell it."""
    mass = rows["mass"].dropna()
    return None if mass.empty else float(mass.mean())


def status_gap(found: FoundContrast) -> float:
    """Difference between group and reference in the share of scores without a value, 0 to 1."""
    own = found.rows["group"] == found.hypothesis.group
    lost = found.rows["status"] != "scored"
    return abs(float(lost[own].mean()) - float(lost[~own].mean()))


def group_coverage(found: FoundContrast) -> dict[str, dict[str, int]]:
    """Scores by status, for the group and for its reference: every denominator, every exclusion."""
    own = found.rows["group"] == found.hypothesis.group
    return {
        "group": status_counts(found.rows[own]),
        "reference": status_counts(found.rows[~own]),
    }


def status_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Scores by status; statuses that do not occur are left out."""
    counts = rows["status"].value_counts()
    return {status: int(counts[status]) for status in STATUSES if status in counts}


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
