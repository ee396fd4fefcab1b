"""One finding as plain data: the estimate with everything that a verdict rests on, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from audit.analysis.cells import span
from audit.analysis.controls import ControlPanel, generator, swap_holds
from audit.analysis.effects import effect_sizes, resampled_interval
from audit.analysis.estimates import Cells, insufficient
from audit.analysis.found import FoundContrast, Setting, known
from audit.analysis.rare import mostly_alike, rare
from audit.analysis.robustness import robustness_record
from audit.analysis.scorer_flips import SHARE, ScorerEvidence, evidence, flips, share_span
from audit.hypotheses import Hypothesis
from audit.plan import PlannedSuite
from audit.scores import STATUSES
from audit.stats.equivalence import minimum_detectable, power_to_show_within, tost
from audit.stats.estimate import Contrast, Undefined
from audit.stats.planning import needed_for_decision
from audit.stats.signflip import sign_flip
from audit.stats.specification import SpecificationCurve
from audit.verdict import Evidence, Judgement, judge, severity

POWER = 0.8
"""Power at which the minimum detectable effect is stated."""
SIGN_FLIPS = 9999


def finding(found: FoundContrast, panel: ControlPanel, setting: Setting) -> dict[str, Any]:
    """One finding as plain data; see ``findings.schema.json`` for what each field means."""
    hypothesis = found.hypothesis
    planned = setting.suites[hypothesis.suite]
    measure = planned.measure
    head = {
        **asdict(hypothesis),
        "measure": measure.name,
        "scale": measure.scale,
        "unit": planned.margin.unit,
        "margin": asdict(planned.margin),
        "correction": {
            "method": found.corrected.method,
            "m": found.corrected.m,
            "critical": found.corrected.critical,
            "note": found.corrected.reason,
        },
        "coverage": group_coverage(found),
    }
    contrast = found.contrast
    if isinstance(contrast, Undefined) or found.corrected.p is None:
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
    equivalence = tost(contrast, margin, alpha, span(planned.measure, cells))
    coupled = setting.shares_noise and planned.measure.factor == "samples"
    seldom = planned.measure.bounds == SHARE or (coupled and mostly_alike(cells))
    too_rare = rare(cells, margin, alpha) if equivalence.within and seldom else None
    robustness = robustness_record(found, contrast, alpha)
    mass = mean_mass(found.rows)
    swapped = swap_holds(cells)
    corrected = alpha / found.corrected.m
    assert found.corrected.p is not None
    analyses = found.curve.sign_share if isinstance(found.curve, SpecificationCurve) else None
    judgement = judge(
        Evidence(
            estimate=contrast.estimate,
            ci=(low, high),
            p_adjusted=found.corrected.p,
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
            insufficient=insufficient(cells, hypothesis) or too_rare,
            scorer_flip=scorer_flip(found, contrast, setting, margin),
            settings_agree=robustness["decoding"]["agree"] if robustness["decoding"] else None,
            analyses_agree=known(analyses),
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
        "ci_simultaneous": simultaneous(found, contrast, alpha),
        "ci_resampled": resampled_interval(
            cells, generator(setting.seed, "bootstrap", hypothesis.id), 1 - alpha
        ),
        "ci_equivalence": {"level": 1 - 2 * alpha, "lo": equivalence.lo, "hi": equivalence.hi},
        "p": contrast.p_value(),
        "p_adjusted": found.corrected.p,
        "p_holm": found.corrected.p_holm,
        "p_equivalence": equivalence.p,
        "p_sign_flip": sign_flip_p(cells, hypothesis, setting),
        "n_cells": cells.count(),
        "n_templates": len(cells.templates),
        "n_clusters": contrast.n_templates,
        "n_terms": contrast.n_terms,
        "minimum_detectable": minimum_detectable(contrast.se, contrast.df, corrected, POWER),
        "power_within": power_to_show_within(margin, contrast.se, contrast.df, alpha),
        "needed": needed(contrast, cells, margin, (alpha, corrected))
        if judgement.verdict == "inconclusive" and not too_rare
        else None,
        "answer_mass": mass,
        "control_p": panel.aa_p,
        "nonce_size": panel.nonce_size,
        "swap_holds": swapped,
        "robustness": robustness,
        "effects": effect_sizes(cells, 1 - alpha),
        "scorers": [each.to_json() for each in found.scorers],
        "top_templates": top_templates(cells),
        **judged(judgement, (low, high), planned, found.scorers),
    }


def simultaneous(found: FoundContrast, contrast: Contrast, alpha: float) -> dict[str, float] | None:
    """The interval that holds together with those of the whole family; None outside max-T."""
    if found.corrected.critical is None:
        return None
    low, high = contrast.ci(1 - alpha)
    half = max(found.corrected.critical * contrast.se, (high - low) / 2.0)
    return {"level": 1 - alpha, "lo": contrast.estimate - half, "hi": contrast.estimate + half}


def scorer_flip(found: FoundContrast, contrast: Contrast, setting: Setting, margin: float) -> str | None:
    """Why another scorer contradicts the verdict; None where none does."""
    if not found.scorers:
        return None
    measure = setting.suites[found.hypothesis.suite].measure
    whole = share_span(measure, found.cells)
    own = evidence(measure.scorers[0], contrast, found.corrected.p, setting.alpha, margin, whole)
    return flips(own, found.scorers)


def judged(
    judgement: Judgement, ci: tuple[float, float], planned: PlannedSuite, others: Sequence[ScorerEvidence]
) -> dict[str, Any]:
    """The fields that state the verdict."""
    return {
        "verdict": judgement.verdict,
        "material": judgement.material,
        "detectable": judgement.detectable,
        "fragile": judgement.fragile,
        "reasons": [*judgement.reasons, *alone(planned, others)],
        "severity": severity(judgement, ci, planned.margin.value, planned.suite.card.harm_kind),
    }


def alone(planned: PlannedSuite, others: Sequence[ScorerEvidence]) -> list[str]:
    """That nothing is held against a scorer: a plan names only one, or no other could score the texts.

    Plans that name no scorers have those that never fail.
    """
    scorers = planned.measure.scorers
    if len(scorers) == 1:
        return [f"one scorer only: nothing is held against {scorers[0]}"]
    if not planned.scorers or not others or any(each.states for each in others):
        return []
    return [f"nothing is held against {scorers[0]}: {'; '.join(each.reason for each in others)}"]


def undefined_fields(reason: str) -> dict[str, Any]:
    """The fields of a finding whose contrast could not be computed: all unknown, and why."""
    unknown = (
        "estimate", "se", "df", "method", "variance", "ci", "ci_simultaneous", "ci_resampled",
        "ci_equivalence", "p", "p_adjusted", "p_holm", "p_equivalence", "p_sign_flip", "n_cells",
        "n_templates", "n_clusters", "n_terms", "minimum_detectable", "power_within", "needed",
        "answer_mass", "control_p", "nonce_size", "swap_holds", "robustness",
    )  # fmt: skip
    return {
        **dict.fromkeys(unknown),
        "undefined": reason,
        "effects": [],
        "scorers": [],
        "top_templates": [],
        "verdict": "invalid",
        "material": False,
        "detectable": False,
        "fragile": False,
        "reasons": [f"not computable: {reason}"],
        "severity": "unknown",
    }


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
    """What an inconclusive contrast would need for a decision; ``alphas``: plain, and corrected.

    A contrast of several groups is planned as one of two sides, and the terms of a side then shared out.
    """
    plain, corrected = alphas
    sizes = None
    if cells.second is not None:
        sizes = (len(cells.first.columns), len(cells.second.columns))
    layout = "nested" if cells.layout == "combination" else cells.layout
    found = needed_for_decision(contrast, margin, plain, layout, detect_alpha=corrected, sizes=sizes)
    if cells.layout == "combination":
        share = 2 / len(cells.blocks)
        found = replace(
            found,
            terms=None if found.terms is None else math.ceil(found.terms * share),
            terms_alone=None if found.terms_alone is None else math.ceil(found.terms_alone * share),
        )
    return asdict(found)


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


def finite(value: float) -> float | None:
    """A number for JSON; None stands for an infinite number of degrees of freedom."""
    return value if math.isfinite(value) else None
