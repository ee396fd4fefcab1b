"""One record of the ledger: what is said of a thing, how it is known, by whom, and where it was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from audit.provenance.licences import spdx

Status = Literal["measured", "declared", "derived", "unknown", "withheld", "not_applicable", "conflict"]
Claim = dict[str, Any]

KNOWN = ("measured", "declared", "derived", "conflict")
"""Statuses that come with a value; the others come without."""
SHOWN = 400
"""Characters of a value that are repeated in a note."""


@dataclass(frozen=True)
class Origin:
    """Where a claim was read.

    Attributes
    ----------
    source : str
        In words: what was read, or, of a claim that is unknown, where it was looked for.
    by : str or None
        Who says so, of a claim that is declared.
    location : str or None
        The file, relative to its folder, or the address.
    at : str or None
        When: the start of the run, or the day on which a note was checked.
    sha256 : str or None
        Of the bytes that it was read from.
    """

    source: str
    by: str | None = None
    location: str | None = None
    at: str | None = None
    sha256: str | None = None


def claim(
    subject: str, field: str, value: Any, status: Status, origin: Origin | str, note: str | None = None
) -> Claim:
    """One record of the ledger.

    Parameters
    ----------
    subject : str
        ``model:``, ``suite:``, ``lexicon:`` or ``scorer:`` and a name, or ``run``.
    value : Any
        Plain JSON data; None where the status says that there is none.
    origin : Origin or str
        Where it was read, or only the words for it.
    note : str, optional
        What else there is to say, such as why it could not be read.

    Raises
    ------
    ValueError
        If status and value do not fit, or nothing says where it was looked for.

    Examples
    --------
    >>> claim("model:m", "licence", None, "unknown", "model card")["status"]
    'unknown'
    """
    told = Origin(origin) if isinstance(origin, str) else origin
    if status in KNOWN and value is None:
        raise ValueError(f"{subject}: {field} is {status} and has no value")
    if status not in KNOWN and value is not None:
        raise ValueError(f"{subject}: {field} is {status} and has a value")
    if not told.source.strip():
        raise ValueError(f"{subject}: {field} does not say where it was looked for")
    if status == "declared" and not told.by:
        raise ValueError(f"{subject}: {field} is declared by nobody")
    return {
        "subject": subject,
        "field": field,
        "value": value,
        "status": status,
        "source": told.source,
        "declared_by": told.by,
        "location": told.location,
        "observed_at": told.at,
        "evidence_sha256": told.sha256,
        "note": note,
    }


def found_or_unknown(
    subject: str, field: str, value: Any, status: Status, origin: Origin, note: str | None = None
) -> Claim:
    """A claim that something makes, or that was looked for there and not found.

    An empty list or text is nothing found.
    """
    if value is None or value == [] or value == "":
        return claim(subject, field, None, "unknown", replace(origin, by=None), note)
    return claim(subject, field, value, status, origin, note)


def found_only(subject: str, facts: Mapping[str, Any], status: Status, origin: Origin) -> Iterator[Claim]:
    """A claim for each fact that is given; what only few models tell is not missed where it is not."""
    for field, value in facts.items():
        if value is not None and value != [] and value != "":
            yield claim(subject, field, value, status, origin)


def settle(claims: Iterable[Claim]) -> list[Claim]:
    """One record a subject and field, from all that were made about it.

    What is known goes before what is not, and what came first before what came later. Where two that can be
    compared disagree, the record is a ``conflict`` that holds both; what agrees, or cannot be compared, is
    repeated in the note.
    """
    groups: dict[tuple[str, str], list[Claim]] = {}
    for row in claims:
        groups.setdefault((row["subject"], row["field"]), []).append(row)
    return [_one(field, rows) for (_, field), rows in groups.items()]


def _one(field: str, rows: Sequence[Claim]) -> Claim:
    known = [row for row in rows if row["status"] in KNOWN]
    silent = [row for row in rows if row["status"] not in KNOWN]
    if not known:
        first = silent[0]
        sources = dict.fromkeys(row["source"] for row in silent)
        notes = dict.fromkeys(row["note"] for row in silent if row["note"])
        return {**first, "source": "; ".join(sources), "note": "; ".join(notes) or None}
    first, rest = known[0], known[1:]
    key = COMPARED.get(field)
    told = [first["note"]] if first["note"] else []
    told += [f"not in {row['source']}{_why(row)}" for row in silent]
    if key is not None and len({key(row["value"]) for row in known} - {None}) > 1:
        return _conflict(known, told)
    told += [_beside(first, row) for row in rest if row["declared_by"] or row["value"] != first["value"]]
    return {**first, "note": "; ".join(dict.fromkeys(told)) or None}


def _conflict(rows: Sequence[Claim], told: Sequence[str]) -> Claim:
    keys = (
        "value", "status", "source", "declared_by", "location", "observed_at", "evidence_sha256", "note",
    )  # fmt: skip
    first = rows[0]
    sources = dict.fromkeys(row["source"] for row in rows)
    return claim(
        first["subject"],
        first["field"],
        [{key: row[key] for key in keys} for row in rows],
        "conflict",
        Origin("; ".join(sources), location=first["location"], at=first["observed_at"]),
        "; ".join(dict.fromkeys(told)) or None,
    )


def _beside(first: Claim, row: Claim) -> str:
    """What another claim about the same field says."""
    same = row["value"] == first["value"]
    return f"{row['declared_by'] or row['source']} says{' the same' if same else ': ' + _short(row['value'])}"


def _why(row: Mapping[str, Any]) -> str:
    return f" ({row['note']})" if row["note"] else ""


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _licence(value: Any) -> Any:
    return spdx(str(value)) or str(value).casefold()


def _languages(value: Any) -> Any:
    return frozenset(str(item).casefold() for item in value) if isinstance(value, list) else str(value)


def _names(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    return frozenset(str(item).casefold().rpartition("/")[2] for item in items)


def _relation(value: Any) -> Any:
    relation = value.get("relation") if isinstance(value, Mapping) else None
    return None if relation == "named" else relation


COMPARED: dict[str, Callable[[Any], Any]] = {
    "licence": _licence,
    "languages": _languages,
    "base_model": _names,
    "card_author": _relation,
}
"""Fields in which two claims can be held against each other, with what of a value is compared, None where
nothing of it can be. Words about data, uses and limits cannot: there both stand, and nobody is said to
contradict."""


def values(row: Mapping[str, Any]) -> list[Any]:
    """The values of a claim: one, or all that stand in conflict."""
    if row["status"] == "conflict":
        return [told["value"] for told in row["value"]]
    return [] if row["value"] is None else [row["value"]]
