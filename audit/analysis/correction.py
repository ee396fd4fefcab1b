"""Correcting the p-values of hypotheses that are put together.

Confirmatory families are corrected by step-down max-T, which keeps what their contrasts share; by Holm where
that cannot be had, with the reason. Exploratory ones by Benjamini and Hochberg. Holm's p-values stand beside
the others in every case, because anyone can check them by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from audit.analysis.controls import generator
from audit.analysis.estimates import Cells
from audit.analysis.found import Corrected, Setting
from audit.hypotheses import Hypothesis
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.max_t import JointTable, flip_draws, max_t, wild_draws
from audit.stats.multiplicity import benjamini_hochberg, holm

RESAMPLES = 9999
"""Joint draws of a family's statistics."""

Found = Contrast | Undefined


def corrected(
    family: Sequence[Hypothesis], cells: Sequence[Cells], contrasts: Sequence[Found], setting: Setting
) -> list[Corrected]:
    """The corrected p-values of a family, in its order, by the method that the plan declares for its role."""
    method = setting.correction[family[0].role]
    raw = [contrast.p_value() if isinstance(contrast, Contrast) else None for contrast in contrasts]
    by_holm = holm(raw)
    if method == "max-t":
        together = [cell.by_family() for cell in cells]
        reason = hindrance(together, contrasts)
        if not reason:
            seed = generator(setting.seed, "max-t", family[0].family)
            t = [contrast.t if isinstance(contrast, Contrast) else float("nan") for contrast in contrasts]
            found = max_t(t, joint_null(together, contrasts, seed), floor=raw)
            critical = found.critical(setting.alpha)
            bound = None if isinstance(critical, Undefined) else critical
            return [
                Corrected(p, other, "max-t", found.m, bound)
                for p, other in zip(found.p, by_holm.p, strict=True)
            ]
        return [Corrected(p, p, "holm", by_holm.m, reason=reason) for p in by_holm.p]
    chosen = benjamini_hochberg(raw) if method == "benjamini-hochberg" else by_holm
    return [
        Corrected(p, other, chosen.method, chosen.m) for p, other in zip(chosen.p, by_holm.p, strict=True)
    ]


def hindrance(cells: Sequence[Cells], contrasts: Sequence[Found]) -> str:
    """Why the statistics of these cells (by family) cannot be drawn together; empty where they can."""
    pairs = [
        (cell, contrast)
        for cell, contrast in zip(cells, contrasts, strict=True)
        if isinstance(contrast, Contrast)
    ]
    if not pairs:
        return "no contrast could be computed"
    if any(contrast.degenerate for _, contrast in pairs):
        return "a contrast shows no spread, so it has no joint distribution with the others"
    if any(cell.layout not in ("nested", "crossed", "single") for cell, _ in pairs):
        return "max-T is not defined for contrasts of more than two groups"
    if any(cell.count() < planned(cell) for cell, _ in pairs):
        return "max-T needs every cell, and some were not scored"
    return ""


def planned(cells: Cells) -> int:
    """Cells that there would be if all were scored."""
    return int(cells.first.size) + (0 if cells.second is None else int(cells.second.size))


def joint_null(
    cells: Sequence[Cells], contrasts: Sequence[Found], rng: np.random.Generator
) -> Iterator[Floats]:
    """The family's statistics under random signs of whole template families and terms, the same for all."""
    names = list(dict.fromkeys(name for cell in cells for name in cell.templates))
    if all(cell.layout == "single" for cell in cells):
        effects = pd.DataFrame({number: cell.first.iloc[:, 0] for number, cell in enumerate(cells)})
        return flip_draws(effects.reindex(names).to_numpy(dtype=float).T, rng, resamples=RESAMPLES)
    rows = {name: code for code, name in enumerate(names)}
    columns: dict[str, int] = {}
    tables = [
        joint_table(cell, rows, columns) if isinstance(contrast, Contrast) else None
        for cell, contrast in zip(cells, contrasts, strict=True)
    ]
    return wild_draws(tables, rng, resamples=RESAMPLES)


def joint_table(cells: Cells, rows: dict[str, int], columns: dict[str, int]) -> JointTable:
    """Cells with codes for what they share with others; new terms are added to ``columns``."""

    def codes(frame: pd.DataFrame) -> np.ndarray:
        found = [columns.setdefault(str(name), len(columns)) for name in frame.columns]
        return np.array(found, dtype=np.intp)

    return JointTable(
        cells.first.to_numpy(dtype=float),
        None if cells.second is None else cells.second.to_numpy(dtype=float),
        np.array([rows[name] for name in cells.templates], dtype=np.intp),
        codes(cells.first),
        None if cells.second is None else codes(cells.second),
    )
