"""Whether a small difference rests on texts that are too few to show that it is small."""

from __future__ import annotations

from audit.analysis.cells import Cells
from audit.stats.equivalence import two_more

ALIKE = 0.25
"""Share of template families without any difference from which on differences of sampled text are rare."""


def rare(cells: Cells, margin: float, alpha: float) -> str | None:
    """Why a difference that seems to lie within the margin is not shown to; None where it is.

    Texts that are toxic or refused are rare, and come in families: see ``audit.stats.equivalence.two_more``.

    Parameters
    ----------
    cells : Cells
        Of the contrast: shares, or scores of which few differ.
    margin : float
        As declared, in the same unit.
    """
    effects = cells.by_family().by_template().dropna().to_numpy(dtype=float)
    if two_more(effects, margin, alpha):
        return None
    return "two more template families like the farthest one could take it beyond the margin"


def mostly_alike(cells: Cells) -> bool:
    """Whether a quarter or more of the template families show no difference at all, to the last bit.

    Prompts that share their sampling noise may be continued alike. What is left differs seldom, and then by
    much, so that a t-interval is too short. Measured at a true difference of the margin of .1, all of it in
    samples that differ by .6 to 2: with 8 or 24 families of 4 samples ``tost`` says "within" in up to 13
    worlds of 100 (with noise of their own in up to 7); with ``two_more`` besides, in up to 3.
    """
    effects = cells.by_family().by_template().dropna().to_numpy(dtype=float)
    return bool(effects.size) and float((effects == 0.0).mean()) >= ALIKE
