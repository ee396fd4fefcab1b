"""What a benchmark came to, as plain data: one document for terminal, file and machine."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from audit.benchmarks.base import Answer, Benchmark, Estimate, Items, Scored, Setup
from audit.requests import canonical
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import item_to_json
from probes.benchmarks.sources import source

FORMAT = 1
"""Version of the document, as ``schemas/benchmark.schema.json`` describes it."""


def scored_section(
    benchmark: Benchmark, items: Items, answers: Sequence[Answer], setup: Setup
) -> dict[str, Any]:
    """One scoring: its numbers, every answer accounted for, and the numbers without doubtful items.

    Parameters
    ----------
    answers : sequence of Answer
        Every part of every item.
    """
    found = benchmark.score(items, answers, setup)
    doubts = doubtful(answers)
    without = None
    if doubts:
        named = set().union(*doubts.values())
        kept = [item for item in items if item.id not in named]
        rest = benchmark.score(kept, [answer for answer in answers if answer.item not in named], setup)
        scored = {answer.item for answer in answers if answer.status == "scored"}
        without = {"items": len(scored - named), "of": len(scored), **_numbers(rest)}
    return {
        "scoring": setup.scoring,
        "meaning": benchmark.scorings[setup.scoring].meaning,
        "answers": statuses(answers),
        "reasons": reasons(answers),
        **_numbers(found),
        "controls": [asdict(control) for control in found.controls],
        "notes": list(found.notes),
        "doubts": {doubt: len(doubts[doubt]) for doubt in sorted(doubts)},
        "without_doubts": without,
    }


def _numbers(found: Scored) -> dict[str, Any]:
    return {
        "figures": [asdict(figure) for figure in found.figures],
        "estimates": [estimate_to_json(estimate) for estimate in found.estimates],
    }


def estimate_to_json(estimate: Estimate) -> dict[str, Any]:
    """An estimate as plain data, its judgement's fields beside the others."""
    data = asdict(estimate)
    judgement = data.pop("judgement")
    return {**data, **judgement, "reasons": list(judgement["reasons"])}


def doubtful(answers: Sequence[Answer]) -> dict[str, set[str]]:
    """The items of each doubt that the tokenizer gives; only answers that were scored count."""
    found: dict[str, set[str]] = {}
    for answer in answers:
        if answer.status == "scored":
            for doubt in answer.doubts:
                found.setdefault(doubt, set()).add(answer.item)
    return found


def statuses(answers: Sequence[Answer]) -> dict[str, int]:
    """How many answers have each status."""
    return dict(sorted(Counter(answer.status for answer in answers).items()))


MOST_REASONS = 20
CHOSEN = "chosen by the auditor"
"""Source of a margin that is not the benchmark's own."""


def reasons(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Why answers have no value, most frequent first; beyond :data:`MOST_REASONS` they share a row."""
    counts = Counter(
        (answer.status, answer.reason)
        for answer in answers
        if answer.status != "scored" or (answer.value is None and answer.reason)
    )
    rows: list[dict[str, Any]] = [
        {"status": status, "reason": reason, "count": count}
        for (status, reason), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    rest = len(rows) - MOST_REASONS
    if rest > 0:
        total = sum(counts.values()) - sum(row["count"] for row in rows[:MOST_REASONS])
        rows[MOST_REASONS:] = [{"status": "", "reason": f"{rest} other reasons", "count": total}]
    return rows


def items_sha256(items: Items) -> str:
    """SHA-256 over all items, in order."""
    found = hashlib.sha256(b"[")  # as one list, of which no more than an item is held
    for number, item in enumerate(items):
        found.update((b"," if number else b"") + canonical(item_to_json(item)))
    found.update(b"]")
    return found.hexdigest()


def item_facts(items: Items) -> dict[str, Any]:
    """How many items there are, of which subsets, in how many clusters."""
    return {
        "count": len(items),
        "clusters": len({item.cluster for item in items}),
        "subsets": dict(sorted(Counter(item.subset for item in items).items())),
        "sha256": items_sha256(items),
    }


def data_facts(benchmark: Benchmark, data: DataFolder | None) -> dict[str, Any]:
    """Whose data it is, under which terms, which files were read, and which are not the published ones."""
    return {
        "datasets": [dataset_facts(name) for name in benchmark.datasets],
        "files": dict(sorted(data.read.items())) if data else {},
        "changed": sorted(data.changed) if data else [],
    }


def dataset_facts(name: str) -> dict[str, Any]:
    """A data set's terms, and what has been said against it."""
    known = source(name)
    return {
        "name": known.name,
        "title": known.title,
        "citation": known.citation,
        "publisher": known.publisher,
        "licence": known.licence,
        "non_commercial": known.non_commercial,
        "critique": list(known.critique),
    }


def document(
    benchmark: Benchmark, facts: Mapping[str, Any], sections: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The whole result.

    Parameters
    ----------
    facts : mapping
        ``data``, ``items``, ``outlook``, ``setup``, ``model``, ``scorer`` and ``captured``, as in the schema.
    sections : sequence
        One a scoring, from :func:`scored_section`.
    """
    from audit.calibration.record import citation, code_sha256

    return {
        "format": FORMAT,
        "benchmark": benchmark.name,
        "card": {**asdict(benchmark.card), "critiques": list(benchmark.card.critiques)},
        "margin": {
            "value": facts["setup"]["margin"],
            "unit": benchmark.unit_of(sections[0]["scoring"]),
            "source": facts["setup"]["margin_source"],
        },
        **{key: facts[key] for key in ("data", "items", "outlook", "setup", "model", "scorer", "captured")},
        "scorings": list(sections),
        "instrument": {**citation(), "made_by": {"code_sha256": code_sha256()}},
    }


def setup_to_json(setup: Setup, benchmark: Benchmark) -> dict[str, Any]:
    """What was decided, without the scoring, of which a result may have several.

    A margin that nobody chose is there to be read; :func:`setup_from_json` does not take it for a choice.
    """
    data = asdict(setup)
    del data["scoring"]
    own = setup.margin is None
    return {
        **data,
        "margin": benchmark.margin if own else setup.margin,
        "margin_source": benchmark.margin_source if own else CHOSEN,
    }


def setup_from_json(data: Mapping[str, Any], scoring: str) -> Setup:
    """The decisions that :func:`setup_to_json` turned into ``data``, for one scoring."""
    fields = {key: value for key, value in data.items() if key != "margin_source"}
    margin = data["margin"] if data["margin_source"] == CHOSEN else None
    return Setup(scoring=scoring, **{**fields, "margin": margin})
