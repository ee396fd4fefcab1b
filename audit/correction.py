"""Correcting the p-values of hypotheses that are put together: by max-T, Holm, or Benjamini and Hochberg."""

from __future__ import annotations

from collections.abc import Sequence

from audit.found import Corrected
from audit.stats.estimate import Contrast, Undefined
from audit.stats.multiplicity import benjamini_hochberg, holm


def corrected(contrasts: Sequence[Contrast | Undefined], method: str) -> list[Corrected]:
    """The corrected p-values of a family, in its order.

    Parameters
    ----------
    method : {"max-t", "holm", "benjamini-hochberg"}
        As the plan declares it for the family's role.
    """
    raw = [contrast.p_value() if isinstance(contrast, Contrast) else None for contrast in contrasts]
    by_holm = holm(raw)
    chosen = benjamini_hochberg(raw) if method == "benjamini-hochberg" else by_holm
    return [
        Corrected(p, other, chosen.method, chosen.m) for p, other in zip(chosen.p, by_holm.p, strict=True)
    ]
