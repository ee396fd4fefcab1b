"""Examples of generated text behind a disparity, redacted: the prompt in full, of the text only its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.bundle import sha256
from audit.drill import carriers, columns_of
from audit.measures import MEASURES
from audit.requests import Sampled
from audit.sidecar import Sidecar, open_sidecar

Row = Mapping[str, Any]

WARNING = (
    "The prompts below name groups of people, and what a model wrote about them may hurt. Its text is left "
    "out: its length and its hash stand for it, and the text itself lies in the bundle's records."
)
MOST_FINDINGS, MOST_ITEMS = 5, 3
"""Findings that examples are given of, and items of each."""
NONE_GENERATED = "no suite of this audit lets a model write text"
NONE_FOUND = "no comparison of text that a model wrote shows a disparity"


def examples(root: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """A few items that carry each disparity of generated text.

    They are those that lie furthest on the finding's side: they show what a figure is made of, and are no
    sample of what the model writes.

    Parameters
    ----------
    root : Path
        The bundle's folder.
    rows : sequence of mapping
        The report's findings, the worst first.

    Returns
    -------
    dict
        ``warning``, ``findings``, and ``reason``: why there is none, or None.
    """
    written = [row for row in rows if "generate" in MEASURES[row["record"]["measure"]].forms]
    chosen = [row for row in written if row["record"]["verdict"] == "disparity"][:MOST_FINDINGS]
    if not chosen:
        reason = NONE_FOUND if written else NONE_GENERATED
        return {"warning": WARNING, "findings": [], "reason": reason}
    sidecar = open_sidecar(root)
    return {
        "warning": WARNING,
        "findings": [
            {"number": row["number"], "items": list(items(sidecar, row["record"]))} for row in chosen
        ],
        "reason": None,
    }


def items(sidecar: Sidecar, record: Row) -> Iterator[dict[str, Any]]:
    """The items that carry a finding furthest, with the shape of what the model wrote."""
    frame = sidecar.scores(columns_of(record), record["model"], record["suite"])
    for row in carriers(frame, record, MOST_ITEMS).to_dict("records"):
        response = sidecar.record(int(row["record"])).response
        yield {
            "item": str(row["item"]),
            "side": str(row["side"]),
            "prompt": str(row["text"]),
            "record": int(row["record"]),
            "score": float(row["value"]),
            "baseline": float(row["baseline"]),
            "texts": [shape(sample) for sample in response.samples],
        }


def shape(sample: Sampled) -> dict[str, Any]:
    """What is told of a text that is left out."""
    return {
        "words": len(sample.text.split()),
        "characters": len(sample.text),
        "sha256": sha256(sample.text.encode("utf-8", "surrogatepass")),
    }
