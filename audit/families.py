"""The findings of hypotheses that were put together, and are corrected together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.controls import ControlPanel
from audit.correction import corrected
from audit.estimates import Comparer, compared, estimate
from audit.finding_record import finding
from audit.found import FoundContrast, Setting
from audit.hypotheses import Hypothesis


def family_findings(
    family: Sequence[Hypothesis], probes: Comparer, panel: ControlPanel, setting: Setting
) -> list[dict[str, Any]]:
    """The findings of one family, in its order."""
    doubtful = probes.frame["doubtful"]
    sure = None
    if bool(doubtful.any()) and not bool(doubtful.all()):
        sure = Comparer(probes.frame[~doubtful], probes.reference, probes.layout)
    cells = [probes.cells(hypothesis.group) for hypothesis in family]
    contrasts = [estimate(cell) for cell in cells]
    adjusted = corrected(contrasts, setting.correction[family[0].role])
    found = [
        FoundContrast(
            hypothesis=hypothesis,
            rows=compared(probes.frame, hypothesis),
            cells=cell,
            contrast=contrast,
            corrected=p,
            sure=None if sure is None else estimate(sure.cells(hypothesis.group)),
        )
        for hypothesis, cell, contrast, p in zip(family, cells, contrasts, adjusted, strict=True)
    ]
    return [finding(each, panel, setting) for each in found]
