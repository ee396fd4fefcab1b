"""All that the labels of people come to, as plain data for terminal and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.labelling.accuracy import accuracy_rows
from audit.labelling.contrasts import contrast_rows
from audit.labelling.labels import LABELLED, UNCLEAR, UNSETTLED, drawn_targets, labellers, with_labels
from audit.labelling.outputs import Outputs, scored_outputs
from audit.labelling.sample import strata_of
from audit.review.events import Review
from audit.review.log import read_reviews


def labelled(root: str | Path) -> dict[str, Any]:
    """What people's labels of an audit's outputs say of its scorers and of its findings.

    Parameters
    ----------
    root : path
        The bundle's folder.

    Returns
    -------
    dict
        ``counts`` (outputs, labelled, settled, cannot be told, not settled), ``people`` (name to outputs
        labelled on sheets), ``strata`` (a row each: ``stratum, model, suite, cell, band, outputs,
        labelled``), ``labellers`` (see ``audit.labelling.labels.labellers``), ``accuracy`` (see
        ``audit.labelling.accuracy.accuracy_rows``) and ``contrasts`` (see
        ``audit.labelling.contrasts.contrast_rows``). Without labels the last three are empty.

    Raises
    ------
    BundleError
        If the bundle is broken or the audit is not finished.
    InputError
        If no suite of the audit has outputs that people can be asked about.
    """
    outputs = scored_outputs(Path(root))
    return analysed(outputs, read_reviews(outputs.root).events)


def analysed(outputs: Outputs, events: Sequence[Review]) -> dict[str, Any]:
    """As :func:`labelled`, of outputs and reviews that were read already."""
    frame = with_labels(outputs, events)
    done = set(frame.loc[frame["state"] != "", "id"])
    strata = strata_of(outputs.scored, done).drop(columns="drawn")
    states = frame["state"].value_counts()
    return {
        "counts": {
            "outputs": len(outputs.scored),
            "labelled": len(done),
            "settled": int(states.get(LABELLED, 0)),
            "unclear": int(states.get(UNCLEAR, 0)),
            "unsettled": int(states.get(UNSETTLED, 0)),
        },
        "people": people(events),
        "strata": strata.reset_index().to_dict("records"),
        "labellers": labellers(outputs, events),
        "accuracy": accuracy_rows(outputs, frame),
        "contrasts": contrast_rows(outputs, frame),
    }


def people(events: Sequence[Review]) -> dict[str, int]:
    """Who labelled how many outputs on sheets, in the order in which they began."""
    drawn = drawn_targets(events)
    pairs = {
        (event.reviewer, event.target) for event in events if event.kind == "label" and event.target in drawn
    }
    counts = Counter(name for name, _ in pairs)
    return {name: counts[name] for name in dict.fromkeys(e.reviewer for e in events) if counts[name]}
