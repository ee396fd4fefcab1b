"""What needs a person's review, found by rule from the claims.

A flag says that somebody should look, and at which claims; it never says that something infringes. ``review``
is for what the model's own files leave out or contradict; ``note`` for what is to be borne in mind, or is
missing for nearly every model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from audit.provenance.claims import values
from audit.provenance.licences import is_noncommercial, is_sharealike, spdx
from audit.provenance.models import is_local
from audit.provenance.notes import BY as NOTES

Row = Mapping[str, Any]
Claims = Mapping[str, Row]
Severity = Literal["review", "note"]
Raised = tuple[Severity, list[str]]
"""How urgent, and the fields that it rests on."""

MEANINGS: Mapping[str, str] = {
    "TRAINING_DATA_UNDECLARED": "needs review: the model's own files name no data set that it was trained "
    "on; what its card's text or others say stands in the ledger",
    "DATASET_LICENCE_UNKNOWN": "needs review: the model's files name a data set whose licence is not known",
    "LICENCE_UNDECLARED": "needs review: no licence of the model was found",
    "LICENCE_MISMATCH": "needs review: the card, the licence file, the developer's own licence or that of "
    "the model that it was made from do not name the same licence",
    "NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM": "needs review: the model, a data set or a model that it was made "
    "from is under terms that allow non-commercial use only, or want works made from it shared alike; "
    "whether they reach your use is for a lawyer",
    "CARD_NOT_BY_DEVELOPER": "needs review: the card, or a part of it, was not written by those who made the "
    "model, so what it declares is second-hand",
    "QUANTISED_OR_CONVERTED": "needs review: the weights were converted, and may behave otherwise than the "
    "published checkpoint; what was measured is the conversion",
    "BASE_MODEL_UNRESOLVED": "needs review: it was made from another model, and its own files name none that "
    "can be looked up",
    "PROBES_MAY_BE_IN_TRAINING_DATA": "needs review: the questions are known to have been part of what the "
    "model was trained on, or nothing rules it out; then its answers may show that it knows them",
    "REVISION_NOT_PINNED": "needs review: it came from a hub, and which revision was loaded is not known",
    "CUTOFF_UNKNOWN": "needs review: how far the training data reach in time is not known",
}
"""What each flag asks a person to look at."""


def flags(claims: Sequence[Row]) -> list[dict[str, Any]]:
    """Every flag that the claims about models raise, model by model, in the order of ``RULES``.

    Returns
    -------
    list of dict
        ``subject, flag, severity, claims``: the last are the fields that it rests on.
    """
    found = []
    for subject in dict.fromkeys(row["subject"] for row in claims):
        if not subject.startswith("model:"):
            continue
        own = {row["field"]: row for row in claims if row["subject"] == subject}
        for name, rule in RULES.items():
            raised = rule(own)
            if raised:
                found.append({"subject": subject, "flag": name, "severity": raised[0], "claims": raised[1]})
    return found


def is_unknown(own: Claims, field: str) -> bool:
    """Whether a field was looked for and not found."""
    return field in own and own[field]["status"] == "unknown"


def told(own: Claims, field: str) -> Iterator[Any]:
    """The values of a field."""
    if field in own:
        yield from values(own[field])


def training_data(own: Claims) -> Raised | None:
    """No data set in the card's front matter or a header, and no statement of the publisher's in the
    catalogue.

    Prose of the card and notes are no declaration that a reader of many models could find; they are kept.
    """
    rows = [own[field] for field in ("datasets", "training_data") if field in own]
    by_owner = [
        row
        for row in rows
        if row["status"] == "declared"
        and row["declared_by"] != NOTES
        and not str(row["source"]).startswith("text of the model card")
    ]
    return None if by_owner or not rows else ("review", [row["field"] for row in rows])


def data_licences(own: Claims) -> Raised | None:
    """A data set that the model's own files name, of unknown licence."""
    return _raised("review", (name for name in _fields(own, "dataset_licence:") if is_unknown(own, name)))


def licence_undeclared(own: Claims) -> Raised | None:
    """No licence in card, header, catalogue or notes, and none by the text of a file."""
    if not is_unknown(own, "licence") or (own.get("licence_file") or {}).get("value"):
        return None
    return "review", ["licence"]


def licence_mismatch(own: Claims) -> Raised | None:
    """More than one licence by card, file, notes and base model; one that has no name here is itself."""
    fields = ("licence", "licence_file", "base_model_licence")
    named = {field: {spdx(str(v)) or str(v).casefold() for v in told(own, field)} for field in fields}
    if len(set().union(*named.values())) < 2:
        return None
    return "review", [field for field in fields if named[field]]


def terms_upstream(own: Claims) -> Raised | None:
    """Non-commercial or share-alike terms by name; ``review`` where commercial use is not allowed."""
    names = [
        *_fields(own, "dataset_licence:"),
        *_fields(own, "upstream_licence:"),
        "base_model_licence",
        "licence",
    ]
    bound = {name: [str(value) for value in told(own, name)] for name in names}
    noncommercial = [name for name, found in bound.items() if any(map(is_noncommercial, found))]
    alike = [name for name, found in bound.items() if any(map(is_sharealike, found))]
    if noncommercial:
        return "review", list(dict.fromkeys([*noncommercial, *alike]))
    return ("note", alike) if alike else None


def card_author(own: Claims) -> Raised | None:
    """By others instead of the developers, ``review``; by others beside the developers' own, ``note``."""
    relations = {value.get("relation") for value in told(own, "card_author") if isinstance(value, Mapping)}
    if "instead of the developers" in relations:
        return "review", ["card_author"]
    return ("note", ["card_author"]) if "completing the developers' own" in relations else None


def converted(own: Claims) -> Raised | None:
    """De-quantised from a GGUF file, or quantised by its configuration."""
    return ("review", ["conversion"]) if "conversion" in own else None


def base_model(own: Claims) -> Raised | None:
    """Made from another model by its files, and none is named, or only a place on a disk is."""
    signs = [
        field
        for field in ("conversion", "base_model_relation", "finetune")
        if field in own and own[field]["status"] not in ("unknown", "not_applicable")
    ]
    own_word = "base_model" in own and own["base_model"]["declared_by"] != NOTES
    named = [name for value in told(own, "base_model") for name in value if own_word]
    if not named:
        return ("review", [*signs, "base_model"]) if signs else None
    return ("review", ["base_model"]) if all(is_local(str(name)) for name in named) else None


def contamination(own: Claims) -> Raised | None:
    """``review`` where the questions are known to be in the training data, ``note`` where nothing rules it
    out by date.
    """
    rows = [own[name] for name in _fields(own, "contamination:")]
    known = [row["field"] for row in rows if row["status"] == "declared"]
    if known:
        return "review", known
    return _raised("note", (row["field"] for row in rows if row["status"] == "unknown"))


def not_pinned(own: Claims) -> Raised | None:
    """From a hub, of unknown revision."""
    return ("review", ["revision"]) if is_unknown(own, "revision") else None


def cutoff(own: Claims) -> Raised | None:
    """Nobody says how far the data reach."""
    return ("note", ["cutoff"]) if is_unknown(own, "cutoff") else None


Rule = Callable[[Claims], Raised | None]

RULES: Mapping[str, Rule] = {
    "TRAINING_DATA_UNDECLARED": training_data,
    "DATASET_LICENCE_UNKNOWN": data_licences,
    "LICENCE_UNDECLARED": licence_undeclared,
    "LICENCE_MISMATCH": licence_mismatch,
    "NONCOMMERCIAL_OR_SHAREALIKE_UPSTREAM": terms_upstream,
    "CARD_NOT_BY_DEVELOPER": card_author,
    "QUANTISED_OR_CONVERTED": converted,
    "BASE_MODEL_UNRESOLVED": base_model,
    "PROBES_MAY_BE_IN_TRAINING_DATA": contamination,
    "REVISION_NOT_PINNED": not_pinned,
    "CUTOFF_UNKNOWN": cutoff,
}
"""Every flag with its rule."""


def _fields(own: Claims, prefix: str) -> list[str]:
    return [field for field in own if field.startswith(prefix)]


def _raised(severity: Severity, fields: Iterable[str]) -> Raised | None:
    found = list(fields)
    return (severity, found) if found else None


def month(text: Any) -> tuple[int, int] | None:
    """Year and month of a date, the last month where only a year is given; None for what is no date.

    Examples
    --------
    >>> month("2018-10"), month("2017"), month("2026-11-23"), month("soon")
    ((2018, 10), (2017, 12), (2026, 11), None)
    """
    found = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-\d{2})?)?", str(text))
    return (int(found[1]), int(found[2] or 12)) if found else None
