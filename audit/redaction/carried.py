"""Texts that carry a disparity: the prompts in full, and of what the model wrote its shape, or itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.drill import carriers, columns_of
from audit.measures import MEASURES
from audit.redaction.withheld import text_told
from audit.requests import Sampled
from audit.sidecar import Sidecar

Row = Mapping[str, Any]

MOST_FINDINGS, MOST_ITEMS = 5, 3
"""Findings that examples are given of, and items of each."""


def written_about(rows: Sequence[Row]) -> list[Row]:
    """The findings of text that a model wrote, of some of ``findings.json``."""
    return [row for row in rows if "generate" in MEASURES[row["measure"]].forms]


def shown_of(rows: Sequence[Row]) -> list[Row]:
    """The findings of text that a model wrote whose texts are shown: disparities, the first few."""
    return [row for row in written_about(rows) if row["verdict"] == "disparity"][:MOST_FINDINGS]


def carried(sidecar: Sidecar, finding: Row, reveal: bool) -> Iterator[dict[str, Any]]:
    """The items that lie furthest on a finding's side, with what the model wrote.

    Yields
    ------
    dict
        ``item, side, prompt, record`` (its number), ``score, baseline`` (of the other side, in the measure's
        unit) and ``texts``: of each its ``words, characters, sha256``, and ``text`` where it is revealed and
        there.
    """
    frame = sidecar.scores(columns_of(finding), finding["model"], finding["suite"])
    for row in carriers(frame, finding, MOST_ITEMS).to_dict("records"):
        response = sidecar.record(int(row["record"])).response
        yield {
            "item": str(row["item"]),
            "side": str(row["side"]),
            "prompt": str(row["text"]),
            "record": int(row["record"]),
            "score": float(row["value"]),
            "baseline": float(row["baseline"]),
            "texts": [written(sample, reveal) for sample in response.samples],
        }


def written(sample: Sampled, reveal: bool) -> dict[str, Any]:
    """What is told of a sample that a model wrote."""
    return text_told(sample.text, reveal) if sample.withheld is None else sample.withheld.shape()
