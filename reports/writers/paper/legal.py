"""The legal map on paper: clause by clause, what speaks to it, what is missing, and who must act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.writers.paper.blocks import Block, Row, Run, facts, heading, lines, note, quiet, table, text

Data = Mapping[str, Any]

PLACES = {
    "provenance": "section 3",
    "context": "section 4",
    "method": "section 5",
    "not-measured": "section 9",
    "reproduction": "section 10",
    "signatures": "section 11",
    "selection": "section 12",
    "controls": "appendix B",
    "coverage": "appendix B",
    "reviews": "appendix B",
    "suites": "appendix C",
}
"""Where on paper that is which the page has under an anchor."""


INSTRUMENT = 75
"""Millimetres for an instrument's heading, what is said of it, and its first clause."""


def crosswalk(report: Data) -> list[Block]:
    """What the evidence speaks to, clause by clause, what is missing, and what it never decides."""
    told = report["crosswalk"]
    blocks = [note([("strong", told["banner"])])] if told["banner"] else []
    blocks += [
        text(
            f"Which parts of this audit speak to which clause, on {told['as_of']}. No row decides whether a "
            "law, a rule or a standard is kept. What a clause wants is told in this project's words, and the "
            "text of the instrument alone counts. How an entry is known speaks of that; the address is where "
            "the instrument is published, as generally known, and was not opened for this report."
        ),
        facts((row["status"], row["meaning"]) for row in told["statuses"]),
    ]
    for one in told["frameworks"]:
        blocks += framework(one)
    return blocks


def framework(one: Data) -> list[Block]:
    """One instrument with its clauses."""
    about = [one["instrument_version"], one["jurisdiction"], one["status"], one["applies"]]
    about += [f"verified on {one['verified_on']}, {one['how_known']}", one["source_url"]]
    more = [*(f"Replaces {line}" for line in one["replaces"]), *one["notes"]]
    return [
        heading(one["name"], listed=False, room=INSTRUMENT),
        quiet(lines(["; ".join(words for words in about if words), *more])),
        table(
            f"{one['name']}, clause by clause",
            ("clause", "wants", "evidence", "missing, and who must still act"),
            (clause(entry, one) for entry in one["entries"]),
            "1.5 2.5 3.1 3.3",
            dense=True,
        ),
    ]


def clause(entry: Data, of: Data) -> Row:
    """One clause."""
    first: list[Run] = [("strong", entry["clause"])]
    own = [entry["applies"]]
    if entry["how_known"] != of["how_known"]:
        own.append(entry["how_known"])
    if entry["verified_on"] != of["verified_on"]:
        own.append(f"verified on {entry['verified_on']}")
    for words in own:
        first += [("line",), ("small", words)] if words else []
    evidence: list[Run] = [("strong", entry["status"])]
    evidence += [("line",), entry["reason"]] if entry["reason"] else []
    for piece in entry["produced"]:
        place = PLACES.get(piece["anchor"], piece["where"])
        evidence += [("line",), piece["what"], ("small", f" ({place})")]
    act: list[Run] = []
    for words in entry["missing"]:
        act += [f"Missing: {words}.", ("line",)]
    act += [f"{entry['gap']} To act: {entry['who_must_act']}.", ("line",)]
    act.append(("small", f"Not claimed: {entry['must_not_claim']}"))
    return [first, entry["wants"], evidence, act]
