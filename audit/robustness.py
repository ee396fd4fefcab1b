"""How far an estimate can be trusted when what should not matter changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from audit.estimates import estimate
from audit.found import FoundContrast, known
from audit.stats.estimate import Contrast
from audit.stats.robustness import i_squared, leave_one_template_out, paraphrase_sd, sign_share


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
