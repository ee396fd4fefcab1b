"""Lexicons: the terms or names of groups of people, with their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from probes import documents
from probes.documents import Document
from probes.errors import SuiteError
from probes.explain import nearest

TERM_AXIS = "term"
"""The axis on which every term is its own group; no lexicon may name an axis so."""

ANY_AXIS = "*"
"""As the axis of a contrast: every axis of the slot's lexicons, whichever they are."""

REST = "rest"
"""The reference that stands for all other groups of an axis; no group may be named so."""

OVERALL = "overall"
"""The reference that stands for all groups of an axis, the one compared among them, each with the same
weight; no group may be named so."""


@dataclass(frozen=True)
class Source:
    """Where the content of a lexicon comes from."""

    title: str
    year: int
    publisher: str = ""
    table: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Axis:
    """One way in which people are grouped. ``groups`` maps a group's id to its label."""

    id: str
    label: str
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Term:
    """One word or phrase that names a member of its groups.

    Attributes
    ----------
    forms : mapping of form to text
        Other shapes of the term, such as ``person: Muslim person``.
    groups : mapping of axis to group
    pair : str or None
        Terms with one pair id differ in their group and, as far as words can, in nothing else.
    covariates : mapping of name to number or text
        What else is known of the term: its frequency, its number of pieces, its region.
    """

    id: str
    text: str
    groups: Mapping[str, str]
    forms: Mapping[str, str] = field(default_factory=dict)
    pair: str | None = None
    covariates: Mapping[str, float | str] = field(default_factory=dict)

    def form(self, name: str | None) -> str | None:
        """The term in a form; its plain text for None; None where the form is missing."""
        return self.text if name is None else self.forms.get(name)


@dataclass(frozen=True)
class Lexicon:
    """A named, versioned set of terms.

    Attributes
    ----------
    data : mapping
        The plain JSON content from which this was built, to be kept in a bundle; not to be changed.
    where : str
        The file, for messages.
    """

    id: str
    version: str
    title: str
    licence: str
    language: str
    source: Source
    axes: Mapping[str, Axis]
    terms: tuple[Term, ...]
    data: Mapping[str, Any] = field(repr=False)
    where: str = field(default="", compare=False)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the canonical JSON of the content."""
        return documents.digest(self.data)

    def key(self, term: Term) -> str:
        """The term's name across lexicons, ``lexicon:term``: what :class:`Item.term` holds."""
        return f"{self.id}:{term.id}"

    def of_group(self, axis: str, group: str) -> tuple[Term, ...]:
        """The terms of one group, in the order of the file."""
        return tuple(term for term in self.terms if term.groups.get(axis) == group)


def lexicon_from_data(data: Any, where: str) -> Lexicon:
    """Build a lexicon from plain data, such as a bundle embeds.

    Raises
    ------
    SuiteError
        With every fault.
    """
    return lexicon_from_document(documents.from_data(data, where, "lexicon"))


def lexicon_from_document(document: Document) -> Lexicon:
    """Build a lexicon from a document that was read, or raise all its faults."""
    if document.data is not None and isinstance(document.data, dict):
        _check(document)
    if document.faults:
        raise SuiteError(document.faults)
    data = document.data
    axes = {
        axis: Axis(axis, entry["label"], {group: g["label"] for group, g in entry["groups"].items()})
        for axis, entry in data["axes"].items()
    }
    return Lexicon(
        id=data["id"],
        version=data["version"],
        title=data["title"],
        licence=data["licence"],
        language=data["language"],
        source=Source(**data["source"]),
        axes=axes,
        terms=tuple(Term(**term) for term in data["terms"]),
        data=data,
        where=document.where,
    )


def _check(document: Document) -> None:
    """Add the faults that a schema cannot see, in the parts that satisfy the schema."""
    if document.clean("terms") and not document.data.get("terms"):
        document.fault(("terms",), "the lexicon has no terms", "Add the terms of each group.")
        return
    if not document.clean("terms"):
        terms = []
        listed = document.data.get("terms")
        if isinstance(listed, list):
            terms = [(i, term) for i, term in enumerate(listed) if document.clean("terms", i)]
    else:
        terms = list(enumerate(document.data["terms"]))
    _check_unique(document, terms)
    if document.clean("terms"):
        _check_pairs(document, terms)
    if document.clean("axes"):
        _check_groups(document, terms)


def _check_unique(document: Document, terms: list[tuple[int, Any]]) -> None:
    for name, fold in (("id", False), ("text", True)):
        first: dict[str, int] = {}
        for index, term in terms:
            value = term[name].casefold() if fold else term[name]
            if value in first:
                other = documents.spell(("terms", first[value]))
                what = f"the {name} {term[name]!r} is also that of {other}"
                document.fault(("terms", index, name), what, f"Give every term its own {name}.")
            first.setdefault(value, index)


def _check_pairs(document: Document, terms: list[tuple[int, Any]]) -> None:
    pairs: dict[str, list[int]] = {}
    for index, term in terms:
        if "pair" in term:
            pairs.setdefault(term["pair"], []).append(index)
    listed = dict(terms)
    for pair, members in pairs.items():
        if len(members) == 1:
            what = f"{listed[members[0]]['id']!r} has no partner in the pair {pair!r}"
            remedy = "Add the matching term of the other group, or take the pair away."
            document.fault(("terms", members[0], "pair"), what, remedy)
        seen: list[Any] = []
        for index in members:
            if listed[index]["groups"] in seen:
                what = f"the pair {pair!r} has two terms of the same groups"
                document.fault(("terms", index, "pair"), what, "Give each group one term of a pair.")
            seen.append(listed[index]["groups"])


def _check_groups(document: Document, terms: list[tuple[int, Any]]) -> None:
    axes = document.data.get("axes", {})
    used: set[tuple[str, str]] = set()
    for axis, entry in axes.items():
        if axis == TERM_AXIS:
            document.fault(("axes", axis), f"the axis id {axis!r} is reserved", "Rename the axis.")
        for reserved in (REST, OVERALL):
            if reserved in entry["groups"]:
                path = ("axes", axis, "groups", reserved)
                document.fault(path, f"the group id {reserved!r} is reserved", "Rename the group.")
    for index, term in terms:
        for axis, group in term["groups"].items():
            path = ("terms", index, "groups", axis)
            if axis not in axes:
                document.fault(path, f"unknown axis {axis!r}", nearest(axis, axes))
            elif group not in axes[axis]["groups"]:
                known = axes[axis]["groups"]
                what = f"the axis {axis!r} has no group {group!r}"
                document.fault(path, what, nearest(group, known))
            used.add((axis, group))
    if not document.clean("terms"):
        return
    for axis, entry in axes.items():
        for group in entry["groups"]:
            if (axis, group) not in used:
                what = f"the group {group!r} has no terms"
                document.fault(("axes", axis, "groups", group), what, "Add its terms or remove the group.")
