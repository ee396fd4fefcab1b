"""The findings of hypotheses that were put together, and are corrected together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.analysis.controls import ControlPanel
from audit.analysis.correction import corrected
from audit.analysis.estimates import Cells, Comparer, compared, estimate
from audit.analysis.finding_record import finding
from audit.analysis.found import Corrected, FoundContrast, Setting
from audit.analysis.profile import profile
from audit.analysis.scorer_agreement import family_agreement
from audit.analysis.scorer_flips import other_scorers
from audit.analysis.specifications import specification_curves
from audit.hypotheses import Hypothesis
from audit.stats.estimate import Contrast, Undefined


def family_findings(
    family: Sequence[Hypothesis], probes: Comparer, panel: ControlPanel, setting: Setting
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The findings of one family, in its order, and what is said of the family as a whole."""
    planned = setting.suites[family[0].suite]
    measure, margin = planned.measure, planned.margin.value
    cells = [probes.cells(hypothesis.group) for hypothesis in family]
    contrasts = [estimate(cell) for cell in cells]
    adjusted = corrected(family, cells, contrasts, setting)

    def correct(cells: Sequence[Cells], contrasts: Sequence[Contrast | Undefined]) -> list[float | None]:
        return [each.p for each in corrected(family, cells, contrasts, setting)]

    others = other_scorers(probes.frame, family, measure, correct, setting.alpha, margin)
    curves = specification_curves(probes.frame, family, measure, setting.alpha, margin)
    sure = without_doubt(probes)
    rows = [
        finding(
            FoundContrast(
                hypothesis=hypothesis,
                rows=compared(probes.frame, hypothesis),
                cells=cells[number],
                contrast=contrasts[number],
                corrected=adjusted[number],
                sure=None if sure is None else estimate(sure.cells(hypothesis.group)),
                scorers=others[number],
                curve=curves[number],
            ),
            panel,
            setting,
        )
        for number, hypothesis in enumerate(family)
    ]
    whole = {**ledger_row(family, adjusted), **profile(family, probes, contrasts, setting)}
    if planned.scorers and measure.planned:
        whole["agreement"] = family_agreement(probes.frame, measure.planned)
    return rows, whole


def without_doubt(probes: Comparer) -> Comparer | None:
    """The comparer of the answers without a doubt; None where there is no doubt, or nothing else."""
    doubtful = probes.frame["doubtful"]
    if not bool(doubtful.any()) or bool(doubtful.all()):
        return None
    return Comparer(probes.frame[~doubtful], probes.reference, probes.layout)


def ledger_row(family: Sequence[Hypothesis], adjusted: Sequence[Corrected]) -> dict[str, Any]:
    """The family in the ledger: hypotheses put, those that could not be tested, and how they were corrected.

    ``p_omnibus`` tests that no group of the family differs: the smallest p-value after a correction that
    bounds the chance of any false claim (max-T or Holm).
    """
    first, one = family[0], adjusted[0]
    strict = [each.p if each.method == "max-t" else each.p_holm for each in adjusted]
    tested = [p for p in strict if p is not None]
    return {
        "id": first.family,
        "model": first.model,
        "suite": first.suite,
        "contrast": first.contrast,
        "axis": first.axis,
        "role": first.role,
        "method": one.method,
        "m": one.m,
        "n_not_computable": one.m - len(tested),
        "note": one.reason,
        "p_omnibus": min(tested, default=None),
    }
