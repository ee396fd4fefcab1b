"""The crosswalk: clause by clause, what of this audit speaks to it, what is missing, and who must still act.

Nothing here decides whether a law is kept. A row says which evidence was produced; the rules stand in
``reports/frameworks/*.yaml``, and what they look for in ``reports/contents/evidence.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from reports.contents.evidence import SOURCES, Evidence
from reports.legal_map import Instrument, legal_map

Data = Mapping[str, Any]

PRODUCED, PARTIAL, NOT_TESTED = "evidence produced", "partial", "not tested"
NOT_APPLICABLE, OUTSIDE = "not applicable", "outside this tool"
MEANINGS = {
    PRODUCED: "what the clause asks to be tested and written down, as far as a test can speak to it, is here",
    PARTIAL: "some of it is here, and what is missing stands beside it",
    NOT_TESTED: "an audit could speak to it, and this one does not",
    NOT_APPLICABLE: "what the clause is about was not given to this report",
    OUTSIDE: "no audit of this kind can speak to it",
}
"""The only words for what evidence there is; none of them says that a clause is fulfilled."""

STALE_DAYS = 180
"""Days after which an entry that was not verified again is called stale."""

INHERITED = ("applies_from", "verified_on", "how_known")
"""What an entry takes from its instrument where it does not say otherwise."""


def crosswalk(data: Data, as_of: date, instruments: Iterable[Instrument] | None = None) -> dict[str, Any]:
    """Every clause of the legal map with its evidence and a status.

    Parameters
    ----------
    data : mapping
        The rest of the report.
    as_of : date
        The day that the report speaks of.
    instruments : iterable of mapping, optional
        The legal map; that of this package if it is not given.

    Returns
    -------
    dict
        As the report's schema describes. Each entry has at least one piece of evidence or a reason.
    """
    rows = [framework(found, data, as_of) for found in (legal_map() if instruments is None else instruments)]
    stale = [
        {"framework": row["id"], "clause": entry["clause"], "verified_on": entry["verified_on"], "days": days}
        for row in rows
        for entry in row["entries"]
        if (days := (as_of - date.fromisoformat(entry["verified_on"])).days) > STALE_DAYS
    ]
    return {
        "as_of": as_of.isoformat(),
        "banner": banner(stale),
        "stale": stale,
        "statuses": [{"status": status, "meaning": meaning} for status, meaning in MEANINGS.items()],
        "frameworks": rows,
    }


def banner(stale: Iterable[Data]) -> str | None:
    """What warns of an old map; None where it is none."""
    rows = list(stale)
    if not rows:
        return None
    oldest = min(row["verified_on"] for row in rows)
    return (
        f"Legal map not verified since {oldest}: {len(rows)} of its entries are older than "
        f"{STALE_DAYS} days on the day of this report. Read the instruments again before relying on a row."
    )


def framework(found: Instrument, data: Data, as_of: date) -> dict[str, Any]:
    """One instrument with its clauses."""
    keys = ("id", "name", "instrument_version", "jurisdiction", "status", "source_url", *INHERITED)
    later = applies(found["applies_from"], as_of)
    arrived = found["status"] == "applies later" and later is None
    return {
        **{key: found[key] for key in keys},
        **({"status": f"applies since {found['applies_from']}, if nothing was changed"} if arrived else {}),
        "applies": later,
        "replaces": list(found.get("replaces", ())),
        "notes": list(found.get("notes", ())),
        "entries": [
            clause({**{key: found[key] for key in INHERITED}, **entry}, data, as_of)
            for entry in found["entries"]
        ],
    }


def applies(applies_from: str | None, as_of: date) -> str | None:
    """From when a clause applies, where that day is still to come.

    Examples
    --------
    >>> applies("2027-12-02", date(2026, 11, 23)), applies("2027-12-02", date(2027, 12, 2))
    ('applies from 2027-12-02', None)
    """
    later = applies_from is not None and date.fromisoformat(applies_from) > as_of
    return f"applies from {applies_from}" if later else None


def clause(entry: Data, data: Data, as_of: date) -> dict[str, Any]:
    """One clause: what of the audit speaks to it, and what is missing."""
    rule = entry["evidence"]
    spoken, silent = looked_up(rule.get("speaks", ()), data)
    needed, missing = looked_up(rule.get("needs", ()), data)
    _, unmet = looked_up(rule.get("when", ()), data)
    found = list(dict.fromkeys([*spoken, *needed]))
    status, reason = PARTIAL, ""
    if rule["reach"] == "outside":
        status, reason = OUTSIDE, rule["why"]
    elif unmet:
        status, reason, found = NOT_APPLICABLE, "; ".join(unmet), []
    elif not spoken:
        status, reason, found = NOT_TESTED, "; ".join(silent), []
    elif rule["reach"] == "full" and not silent and not missing:
        status = PRODUCED
    lacking = [*silent, *missing] if status == PARTIAL else []
    return {
        "clause": entry["clause"],
        "wants": entry["wants"],
        "status": status,
        "reason": reason,
        "applies": applies(entry["applies_from"], as_of),
        "evidence": list(dict.fromkeys(name for piece in found for name in piece.ids)),
        "produced": [{"what": piece.what, "where": piece.where, "anchor": piece.anchor} for piece in found],
        "missing": list(dict.fromkeys(lacking)),
        "gap": entry["gap"],
        "who_must_act": entry["who_must_act"],
        "must_not_claim": entry["must_not_claim"],
        **{key: entry[key] for key in INHERITED},
    }


def looked_up(names: Iterable[str], data: Data) -> tuple[list[Evidence], list[str]]:
    """What some sources hold, and why others hold nothing."""
    found = [SOURCES[name](data) for name in names]
    return (
        [piece for piece in found if isinstance(piece, Evidence)],
        [piece for piece in found if isinstance(piece, str)],
    )
