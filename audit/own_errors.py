"""The findings of a bundle beside what is left of them without the scorers' own errors.

For every finding of generated text and each of its scorers whose own audit lies in the bundle
(``scorers.json``). Nothing of it is kept: it is computed when it is shown, from the bundle alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from audit.analysis.estimates import axis_rows
from audit.analysis.scorer_correction import LEVEL, OwnAuditCorrection, corrected_by_own_audit
from audit.bundle import Bundle
from audit.drill import DRAWN, Finding, columns_of, hypothesis_of, own_rows
from audit.measures import scorer_column
from audit.plan import declared_suites
from audit.scorers.accuracy import group_accuracy
from audit.scorers.base import ScorerCard
from audit.scorers.bundle_audit import read_scorer_audits
from audit.sidecar import open_sidecar
from audit.stats.estimate import Undefined
from audit.wording import in_points


def own_errors(root: Path, findings: Sequence[Finding]) -> dict[str, list[dict[str, Any]]]:
    """What the own audits of the scorers leave of some findings of a bundle.

    Parameters
    ----------
    findings : sequence of mapping
        Entries of ``findings.json``.

    Returns
    -------
    dict
        Finding id to one entry a scorer, as ``OwnAuditCorrection.to_json`` makes it, the primary one first.
        Findings that no scorer judged, and all of a bundle that keeps no audit of its scorers, are left out.
    """
    audits = read_scorer_audits(root)
    if not audits:
        return {}
    suites = declared_suites(Bundle(root).plan)
    judged = [row for row in findings if set(suites[row["suite"]].measure.scorers) & audits.keys()]
    if not judged:
        return {}
    sidecar = open_sidecar(root)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in judged:
        scorers = suites[row["suite"]].measure.scorers
        columns = [*columns_of(row), *(scorer_column(name) for name in scorers[1:])]
        frame = sidecar.scores(columns, row["model"], row["suite"])
        found[row["id"]] = [each.to_json() for each in errors_of(frame, row, scorers, audits)]
    return found


def errors_of(
    frame: pd.DataFrame, finding: Finding, scorers: Sequence[str], audits: Mapping[str, Mapping[str, Any]]
) -> list[OwnAuditCorrection]:
    """One finding by each of its scorers whose own audit is known.

    Parameters
    ----------
    frame : DataFrame
        The scores of the finding's model and suite, as ``audit.sidecar.Sidecar.scores`` gives them.
    scorers : sequence of str
        Names, the primary one first: its scores are in ``value``.
    audits : mapping
        The scorers' own audits by their names.
    """
    hypothesis = hypothesis_of(finding)
    rows = axis_rows(own_rows(frame, finding), hypothesis)
    found = []
    for place, name in enumerate(scorers):
        if name not in audits:
            continue
        card = card_of(audits[name])
        if finding.get("sequential") is not None or bool(rows["drawn"].any()):
            drawn = Undefined(DRAWN)
            found.append(OwnAuditCorrection(name, card.found, (), drawn, drawn))
            continue
        own = rows if place == 0 else rows.assign(value=rows[scorer_column(name)])
        accuracy = group_accuracy(audits[name], hypothesis.axis)
        found.append(corrected_by_own_audit(own, hypothesis, card, accuracy, finding["correction"]["m"]))
    return found


def card_of(audit: Mapping[str, Any]) -> ScorerCard:
    """The scorer's card, as its own audit keeps it."""
    card: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in audit["card"].items()
    }
    return ScorerCard(**card)


def told_errors(each: Mapping[str, Any]) -> str:
    """One entry of :func:`own_errors` in words, with the level of its intervals where it is not 95 %.

    Examples
    --------
    >>> gap = {"estimate": 0.2, "lo": 0.1, "hi": 0.3, "level": 0.95}
    >>> less = {**gap, "lo": 0.05}
    >>> told_errors({"found": "toxic", "says": "the gap stands", "raw": gap, "corrected": less})
    'called toxic +20.0 percentage points [+10.0, +30.0], corrected +20.0 [+5.0, +30.0]: the gap stands'
    """
    gaps = (each["raw"], each["corrected"])
    told = ["" if gap["estimate"] is None else in_points(gap) for gap in gaps]
    raw = f"called {each['found']} {told[0].replace(' [', ' percentage points [', 1)}" if told[0] else ""
    corrected = f"corrected {told[1]}" if told[1] else ""
    level = each["raw"]["level"]
    kind = f" (intervals of {100.0 * level:.4g} %, for all comparisons)" if raw and level > LEVEL else ""
    parts = ", ".join(part for part in (raw, corrected) if part)
    return f"{parts}{kind}: {each['says']}".removeprefix(": ")
