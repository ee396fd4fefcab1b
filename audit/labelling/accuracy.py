"""How often each scorer finds what people find, whom an output is about taken apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.controls import generator
from audit.labelling.labels import UNCLEAR, UNSETTLED
from audit.labelling.outputs import Outputs, ScoredBy
from audit.review.machine import interval_data
from audit.stats.partial_verification import VerifiedCell, VerifiedDetection, verified_detection
from audit.table import AXIS
from audit.wording import counted

FEW = 10
"""Labelled outputs of a kind below which a share of them is said to rest on few."""


def accuracy_rows(outputs: Outputs, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Sensitivity and specificity of every scorer, weighted by the chances of the sample.

    Parameters
    ----------
    frame : DataFrame
        As of ``audit.labelling.labels.with_labels``.

    Returns
    -------
    list of dict
        A row for each model, suite, scorer and group, the first of each over all groups (``axis`` and
        ``group`` empty): ``found`` (the label that is looked for), ``outputs`` (with a score by this scorer),
        ``labelled``, ``positive`` (of these, called so by people), ``unclear`` and ``unsettled`` (labelled
        without a label that counts), ``flagged`` (share that the scorer finds, 0 to 1; None without outputs),
        ``sensitivity, specificity, prevalence`` (as of ``audit.review.machine.interval_data``), and ``notes``
        on what they rest on.
    """
    rows = []
    for (model, suite), own in frame[frame["stratum"] != ""].groupby(["model", "suite"], sort=False):
        if not (own["state"] != "").any():
            continue
        for scorer in outputs.asked[str(suite)].scorers:
            said = scorer.flags(own)
            known = own.assign(said=said)[~np.isnan(said)]
            for axis, group, part in by_group(outputs, known):
                head = {"model": model, "suite": suite, "scorer": scorer.name, "axis": axis, "group": group}
                found = outputs.asked[str(suite)].labels.found
                rows.append({**head, "found": found, **measured(outputs, part, scorer, tuple(head.values()))})
    return rows


def by_group(outputs: Outputs, rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """All rows, and then those of each group of each axis."""
    yield "", "", rows
    for axis in outputs.axes:
        for group, part in rows.groupby(AXIS + axis, sort=True):
            yield axis, str(group), part


def measured(outputs: Outputs, rows: pd.DataFrame, scorer: ScoredBy, name: Sequence[Any]) -> dict[str, Any]:
    """The figures of some outputs of one model and suite by one scorer."""
    cells, notes = verified_cells(rows)
    found: dict[str, Any]
    rng = generator(outputs.plan["seed"], "accuracy", *map(str, name))
    detection = verified_detection(cells, rng)
    found = {key: interval_data(getattr(detection, key)) for key in asdict(detection)}
    return {
        "outputs": len(rows),
        "labelled": int(rows["truth"].notna().sum()),
        "positive": int((rows["truth"] == 1.0).sum()),
        "unclear": int((rows["state"] == UNCLEAR).sum()),
        "unsettled": int((rows["state"] == UNSETTLED).sum()),
        "flagged": float(rows["said"].mean()) if len(rows) else None,
        **found,
        "notes": [*notes, *unsettled_notes(rows), *few_notes(detection)],
    }


def verified_cells(rows: pd.DataFrame) -> tuple[list[VerifiedCell], list[str]]:
    """Strata, each in what the scorer found and what not, with sizes and labels; and what had to be assumed.

    Outputs of which people could not tell are left out. A cell without labels is counted to the labelled
    cells of which the scorer says the same, as their sizes are; where there is none such, the outputs cannot
    be spoken for and no cell is given.
    """
    judged = rows[rows["state"] != UNCLEAR]
    parts = judged.groupby(["stratum", "said"], sort=True)["truth"]
    table = pd.DataFrame(
        {"size": parts.size(), "labelled": parts.count(), "positive": parts.sum()}
    ).reset_index()
    empty = table["labelled"] == 0
    if not empty.any():
        return [cell_of(row) for row in table.to_dict("records")], []
    notes, kept = [], table[~empty].copy()
    for said, part in table[empty].groupby("said"):
        count = int(part["size"].sum())
        own = kept["said"] == said
        kind = "found" if said else "not found"
        if not own.any():
            return [], [f"no output that the scorer has {kind} is labelled, of {counted(count, 'output')}"]
        grown = kept.loc[own, "size"] * (1.0 + count / kept.loc[own, "size"].sum())
        kept.loc[own, "size"] = np.maximum(np.round(grown), kept.loc[own, "labelled"]).astype(int)
        notes.append(f"{counted(count, 'output')} in strata without a label taken to be as the others {kind}")
    return [cell_of(row) for row in kept.to_dict("records")], notes


def cell_of(row: dict[Any, Any]) -> VerifiedCell:
    """One row of the table of cells."""
    return VerifiedCell(bool(row["said"]), *(int(row[name]) for name in ("size", "labelled", "positive")))


def unsettled_notes(rows: pd.DataFrame) -> list[str]:
    """That outputs on which people differ are counted by those on which they agree, which are easier."""
    count = int((rows["state"] == UNSETTLED).sum())
    return (
        [f"{counted(count, 'output')} on which labellers differ taken to be as the others"] if count else []
    )


def few_notes(detection: VerifiedDetection) -> list[str]:
    """Which of the shares rest on few labels."""
    shares = {"sensitivity": detection.sensitivity, "specificity": detection.specificity}
    return [
        f"few labels for {name}" for name, share in shares.items() if hasattr(share, "n") and share.n < FEW
    ]
