"""``engagement.yaml``: who commissioned, ran and answers an audit, and for which use of the model.

People write it, by hand; everything in it may be left out, and what is left out is said to be missing.
"""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

from audit.bundle import ENGAGEMENT, disk_errors, file_sha256
from probes.documents import Document, Step, spell
from probes.documents import read as read_document
from probes.errors import InputError
from probes.explain import nearest, schema_validator
from reports.lint import REMEDY, claims_in, strings

__all__ = ["Engagement", "engagement_schema", "find_engagement", "number_of", "read_engagement"]


@dataclass(frozen=True)
class Engagement:
    """What people said of an audit as a whole.

    Attributes
    ----------
    given : mapping
        As ``engagement.schema.json`` describes; empty where no file was given.
    responses : mapping of finding id to mapping
        Owner, due, response and recommendation, as far as they were given.
    sha256 : str or None
        Of the file; None where there is none.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sha256: str | None = None

    @property
    def use(self) -> Mapping[str, Any]:
        """The intended use, as far as it was stated."""
        stated: Mapping[str, Any] = self.given.get("intended_use", {})
        return stated

    @property
    def has_use(self) -> bool:
        """Whether it was said what the model is to be used for."""
        return "description" in self.use


def number_of(place: int) -> str:
    """The number of the finding at a place of the report, counted from 1.

    Examples
    --------
    >>> number_of(7), number_of(1234)
    ('F-007', 'F-1234')
    """
    return f"F-{place:03d}"


def find_engagement(root: Path, given: Path | None) -> Path | None:
    """The file that was given, or the one that lies in the bundle's folder; None where there is neither."""
    if given is not None:
        return given
    own = root / ENGAGEMENT
    return own if os.path.lexists(own) else None


def read_engagement(path: Path | None, findings: Sequence[str]) -> Engagement:
    """Read an engagement file.

    Parameters
    ----------
    path : Path or None
        The file; None where none was given.
    findings : sequence of str
        Ids of the bundle's findings, in the report's order.

    Raises
    ------
    InputError
        With every fault: what is unknown, of the wrong kind, no day of the calendar, about no finding of this
        bundle, or claims more than a measurement shows.
    """
    if path is None:
        return Engagement()
    document = read_document(path, "engagement", engagement_schema())
    if document.faults:
        raise InputError(document.faults)
    check_dates(document)
    check_words(document)
    responses = dict(matched_responses(document, findings))
    if document.faults:
        raise InputError(document.faults)
    with disk_errors(path):
        sha256 = file_sha256(path)
    return Engagement(document.data, responses, sha256)


def check_dates(document: Document) -> None:
    """Keep a fault for each day that the calendar does not have."""
    for place in date_places(document.data):
        text = document.data
        for step in place:
            text = text[step]
        try:
            date.fromisoformat(text)
        except ValueError:
            document.fault(place, f"{text!r} is no day of the calendar", "Write it as 2026-11-30.")


def date_places(data: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Where a file states days."""
    for part, name in (("sign_off", "date"), ("responses", "due")):
        for key, entry in data.get(part, {}).items():
            if name in entry:
                yield part, key, name


def check_words(document: Document) -> None:
    """Keep a fault for each word that claims more than a measurement shows."""
    for place, text in strings(document.data):
        for word in claims_in(text):
            document.fault(place, f"says {word!r}, which no measurement shows", REMEDY)


def matched_responses(document: Document, findings: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Responses by the id of the finding that they are about; a fault for each that is about none."""
    known = {number_of(place): finding for place, finding in enumerate(findings, start=1)}
    ids, seen = set(findings), dict[str, str]()
    for key, entry in document.data.get("responses", {}).items():
        finding = known.get(key, key if key in ids else None)
        place: tuple[Step, ...] = ("responses", key)
        if finding is None:
            close = get_close_matches(key, findings, n=1)
            remedy = nearest(key, close) if close else f"They are numbered {span(known)}."
            document.fault(place, f"no finding {key!r} in this bundle", remedy)
        elif finding in seen:
            what = f"answers the same finding as {spell(('responses', seen[finding]))}"
            document.fault(place, what, "Keep one of the two.")
        else:
            seen[finding] = key
            yield finding, entry


def span(numbers: Mapping[str, str]) -> str:
    """First and last of the findings' numbers."""
    names = list(numbers)
    return f"{names[0]} to {names[-1]}" if names else "not at all: there is none"


@cache
def engagement_schema() -> Validator:
    """The JSON Schema of an engagement file, ready to validate."""
    text = importlib.resources.files("reports").joinpath("schemas/engagement.schema.json").read_text("utf-8")
    return schema_validator(json.loads(text))
