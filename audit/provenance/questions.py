"""The 22 questions that standards ask about origin and data, answered from the claims, subject by subject.

The questions are the union of what the named standards want; ``data/questions.yaml`` maps each to them. An
answer is what the ledger holds and no more: a question is as well known as the least of its known answers,
and what of it is not known stands beside. There is no grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.provenance.notes import document

ANSWERED = ("conflict", "declared", "derived", "measured")
"""Statuses of an answer, from the one that must be looked at first to the one that needs it least."""
SAID = ("measured", "derived", "declared", "conflict", "withheld", "unknown", "not_applicable")
"""The order of a completeness line."""
NO_CLAIM = "the ledger of this audit, which holds no claim about it"


def questions(claims: Sequence[Mapping[str, Any]], subject: str) -> list[dict[str, Any]]:
    """Each question with what the ledger answers about one subject.

    Parameters
    ----------
    claims : sequence of mapping
        The ledger's.
    subject : str
        A model or a suite, as the ledger names it.

    Returns
    -------
    list of dict
        ``id, question, standards, status, answers, open, looked``. ``answers`` are the claims with a value
        (``field, value, status, declared_by``), ``open`` the fields without, ``looked`` where those were
        looked for.
    """
    own = {str(row["field"]): row for row in claims if row["subject"] == subject}
    of_suite = subject.startswith("suite:")
    return [_answered(entry, own, of_suite) for entry in document("questions")["questions"]]


def _answered(
    entry: Mapping[str, Any], own: Mapping[str, Mapping[str, Any]], of_suite: bool
) -> dict[str, Any]:
    fields = [*entry["fields"], *(entry.get("suite_fields", ()) if of_suite else ())]
    rows = [row for name in fields for row in _named(name, own)]
    known = [row for row in rows if row["status"] in ANSWERED]
    unknown = [row for row in rows if row["status"] in ("unknown", "withheld")]
    return {
        "id": entry["id"],
        "question": entry["asks"],
        "standards": list(entry["standards"]),
        "status": _status(known, rows),
        "answers": [{key: row[key] for key in ("field", "value", "status", "declared_by")} for row in known],
        "open": [row["field"] for row in unknown],
        "looked": list(dict.fromkeys(str(row["source"]) for row in unknown)) if rows else [NO_CLAIM],
    }


def _named(name: str, own: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The claims that a field of a question stands for."""
    if name.endswith(":"):
        return [row for field, row in own.items() if field.startswith(name)]
    return [own[name]] if name in own else []


def _status(known: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> str:
    there = [row["status"] for row in known or rows]
    order = (*ANSWERED, "withheld", "unknown", "not_applicable")
    return next((status for status in order if status in there), "unknown")


def completeness(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many questions are known how, in numbers and in one line; no grade.

    Returns
    -------
    dict
        ``of``, ``counts`` by status, ``in_part`` (answered, and a part of it not known) and ``text``.

    Examples
    --------
    >>> rows = [{"status": "declared", "open": ["x"]}, {"status": "unknown", "open": ["y"]}]
    >>> completeness(rows)["text"]
    'measured 0 · declared 1 (1 in part) · unknown 1 of 2'
    """
    statuses = [row["status"] for row in rows]
    counts = {status: statuses.count(status) for status in SAID}
    partly = {
        status: sum(row["status"] == status and bool(row["open"]) for row in rows) for status in ANSWERED
    }
    shown = [
        f"{status.replace('_', ' ')} {count}" + (f" ({partly[status]} in part)" if partly.get(status) else "")
        for status, count in counts.items()
        if count or status in ("measured", "declared", "unknown")
    ]
    text = f"{' · '.join(shown)} of {len(rows)}"
    return {"of": len(rows), "counts": counts, "in_part": sum(partly.values()), "text": text}


def subjects(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whom the questions are put to: every model, then every suite."""
    names = dict.fromkeys(str(row["subject"]) for row in claims)
    return [name for kind in ("model:", "suite:") for name in names if name.startswith(kind)]


def answered(claims: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each model and suite: the questions with their answers, and the completeness line."""
    found = []
    for subject in subjects(claims):
        rows = questions(claims, subject)
        found.append({"subject": subject, "completeness": completeness(rows), "rows": rows})
    return found


def probes(claims: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each suite what belongs beside every number of it.

    Returns
    -------
    list of dict
        ``suite, version, digest, licence, sources, critiques, coverage, not_covered, canary`` as the ledger
        holds them, null where it does not, and ``contamination``, a row a model.
    """
    known = {(row["subject"], row["field"]): row["value"] for row in claims}
    found = []
    for subject in subjects(claims):
        if not subject.startswith("suite:"):
            continue
        name = subject.removeprefix("suite:")
        told = {field: known.get((subject, field)) for field in ("version", "digest", "licence", "canary")}
        limits = known.get((subject, "limits")) or []
        found.append(
            {
                "suite": name,
                **told,
                "sources": known.get((subject, "datasets")) or [],
                "critiques": known.get((subject, "critiques")) or [],
                "coverage": known.get((subject, "coverage")),
                "not_covered": limits,
                "contamination": [
                    {
                        "model": str(row["subject"]).removeprefix("model:"),
                        "status": row["status"],
                        "value": row["value"],
                    }
                    for row in claims
                    if row["field"] == f"contamination:{name}"
                ],
            }
        )
    return found
