"""How far an estimate can be trusted when what should not matter changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from audit.analysis.decoding import decoding_effects, decoding_sd, seed_sd, settings_agree
from audit.analysis.estimates import estimate
from audit.analysis.found import FoundContrast, known
from audit.stats.estimate import Contrast, Undefined
from audit.stats.robustness import i_squared, leave_one_template_out, paraphrase_sd, sign_share
from audit.stats.specification import SpecificationCurve


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
        "curve": curve_record(found),
        "decoding": decoding_record(found, alpha),
    }


def decoding_record(found: FoundContrast, alpha: float) -> dict[str, Any] | None:
    """The contrast within each decoding setting and from seed to seed; None where nothing was sampled."""
    rows, hypothesis = found.rows, found.hypothesis
    if rows.empty or rows["factor"].iloc[0] != "samples":
        return None
    effects = decoding_effects(rows, hypothesis)
    spread = decoding_sd(rows, hypothesis)
    return {
        "settings": [setting_row(name, effect, alpha) for name, effect in effects.items()],
        "agree": settings_agree(effects),
        "sd": None if isinstance(spread, Undefined) else spread.sd,
        "seed_sd": known(seed_sd(rows, hypothesis)),
    }


def setting_row(name: str, effect: Contrast | Undefined, alpha: float) -> dict[str, Any]:
    """The contrast within one decoding setting as plain data."""
    if isinstance(effect, Undefined):
        return {"setting": name, "estimate": None, "lo": None, "hi": None, "reason": effect.reason}
    low, high = effect.ci(1 - alpha)
    return {"setting": name, "estimate": effect.estimate, "lo": low, "hi": high, "reason": ""}


def curve_record(found: FoundContrast) -> dict[str, Any] | None:
    """The specification curve; single analyses are listed for confirmatory hypotheses only."""
    curve = found.curve
    if not isinstance(curve, SpecificationCurve):
        return None
    listed = curve.rows if found.hypothesis.role == "confirmatory" else ()
    return {
        "run": curve.n_run,
        "not_computable": dict(curve.not_computable),
        "same_sign": curve.n_same_sign,
        "significant": curve.n_significant_same,
        "significant_opposite": curve.n_significant_opposite,
        "on_scale": curve.n_on_scale,
        "within": curve.n_within,
        "median_t": known(curve.median_t),
        "analyses": [{**asdict(row), "choices": dict(row.choices)} for row in listed],
    }
