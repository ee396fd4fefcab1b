"""Curated notes: what this project knows of well-known models, data sets and its own suites, dated.

A note speaks where the files of a model are silent, and stands against them where they disagree. It is found
by a whole name and never by a part of one: ``gpt2`` is no note about ``my-gpt2-small``.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from audit.provenance.claims import Claim, Origin, claim

BY = "this project's curated notes"
KNOWN: Mapping[str, str] = {
    "read": "read in the source",
    "general": "from general knowledge, the source not read again: check it before you rely on it",
}
"""How a fact of a note is known, in words."""

Relation = Literal["itself", "made from it"]


@dataclass(frozen=True)
class Note:
    """What is known of one model."""

    id: str
    title: str
    verified_on: str
    names: frozenset[str]
    datasets: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Matched:
    """A note that speaks of a model, or of what it was made from.

    ``name`` is the name that matched, and ``where`` what it was read from.
    """

    note: Note
    relation: Relation
    name: str
    where: str

    def data(self, subject: str) -> dict[str, str]:
        """As the ledger lists it."""
        return {
            "subject": subject,
            "note": self.note.id,
            "title": self.note.title,
            "verified_on": self.note.verified_on,
            "relation": self.relation,
            "matched_by": f"{self.name} ({self.where})",
        }


def _documents(folder: str) -> Iterator[Mapping[str, Any]]:
    root = importlib.resources.files("audit.provenance").joinpath(folder)
    for entry in sorted(root.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            yield yaml.safe_load(entry.read_text("utf-8"))


@cache
def notes() -> tuple[Note, ...]:
    """Every note, by the name of its file."""
    return tuple(
        Note(
            data["id"],
            data["title"],
            data["verified_on"],
            frozenset(name.casefold() for name in (*data["ids"], *data["aliases"])),
            tuple(data["datasets"]),
            data["facts"],
        )
        for data in _documents("notes")
    )


@cache
def document(name: str) -> Mapping[str, Any]:
    """A file of ``data/``: ``datasets``, ``suites`` or ``questions``."""
    text = importlib.resources.files("audit.provenance").joinpath(f"data/{name}.yaml").read_text("utf-8")
    data: Mapping[str, Any] = yaml.safe_load(text)
    return data


def matched(own: Iterable[tuple[str, str]], origins: Iterable[tuple[str, str]]) -> list[Matched]:
    """The notes about a model: of itself first, then of what it was made from.

    Parameters
    ----------
    own, origins : iterable of (name, where it was read)
        Names of the model itself, and of models that it was made from.

    Examples
    --------
    >>> [found.note.id for found in matched([("GPT2", "the plan")], [("my-gpt2", "config.json")])]
    ['gpt2']
    """
    found: dict[str, Matched] = {}
    sides: tuple[tuple[Relation, Iterable[tuple[str, str]]], ...] = (
        ("itself", own),
        ("made from it", origins),
    )
    for relation, names in sides:
        for name, where in names:
            for note in notes():
                if name.casefold() in note.names:
                    found.setdefault(note.id, Matched(note, relation, name, where))
    return list(found.values())


def note_claims(match: Matched, subject: str) -> list[Claim]:
    """What a note says of a model: its facts or, of what it was made from, licence and training data."""
    facts = match.note.facts
    if match.relation == "itself":
        rows = [_claim(match.note, subject, field, fact) for field, fact in facts.items()]
    else:
        inherited = (
            ("licence", "base_model_licence"),
            ("training_data", "base_model_training_data"),
        )
        rows = [_claim(match.note, subject, field, facts[name]) for name, field in inherited if name in facts]
    if match.note.datasets and match.relation == "itself":
        origin = Origin(f"note {match.note.id}", BY, at=match.note.verified_on)
        rows.append(claim(subject, "upstream_datasets", list(match.note.datasets), "declared", origin))
    return rows


def _claim(note: Note, subject: str, field: str, fact: Mapping[str, Any]) -> Claim:
    source = f"note {note.id} of {note.verified_on}, from: {fact['source']}"
    known = fact["value"] is not None
    origin = Origin(source, BY if known else None, f"notes/{note.id}.yaml", note.verified_on)
    return claim(
        subject, field, fact["value"], "declared" if known else "unknown", origin, KNOWN[fact["known"]]
    )


def dataset_claims(subject: str, prefix: str, names: Iterable[str], at: str | None) -> list[Claim]:
    """The licence of each data set that is named: as noted, or not known.

    Parameters
    ----------
    prefix : str
        ``dataset_licence`` of those that the model's own files name, ``upstream_licence`` of others.
    """
    told = document("datasets")
    rows = []
    for name in dict.fromkeys(names):
        entry = next(
            (
                entry
                for entry in told["datasets"]
                if name.casefold() in [known.casefold() for known in entry["ids"]]
            ),
            None,
        )
        field = f"{prefix}:{name}"
        if entry is None:
            origin = Origin("curated notes on data sets; the data set's own card was not read", at=at)
            rows.append(claim(subject, field, None, "unknown", origin, "no note speaks of it"))
            continue
        source = f"curated notes on data sets of {told['verified_on']}, from: {entry['source']}"
        value = entry["licence"]
        by = BY if value is not None else None
        origin = Origin(source, by, "data/datasets.yaml", told["verified_on"])
        status: Literal["declared", "unknown"] = "declared" if by else "unknown"
        rows.append(claim(subject, field, value, status, origin, KNOWN[entry["known"]]))
    return rows
