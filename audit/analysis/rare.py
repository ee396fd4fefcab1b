"""Whether a small difference of shares rests on texts that are too few to show that it is small."""

from __future__ import annotations

from audit.analysis.cells import Cells
from audit.stats.equivalence import two_more


def rare(cells: Cells, margin: float, alpha: float) -> str | None:
    """Why a difference of shares that seems to lie within the margin is not shown to; None where it is.

    Texts that are toxic or refused are rare, and come in families: see ``audit.stats.equivalence.two_more``.

    Parameters
    ----------
    cells : Cells
        Of the contrast, shares.
    margin : float
        As declared, in shares.
    """
    effects = cells.by_family().by_template().dropna().to_numpy(dtype=float)
    if two_more(effects, margin, alpha):
        return None
    return "two more template families like the farthest one could take it beyond the margin"
