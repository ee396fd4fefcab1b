"""Suites: what is asked, of whom, and how the answers are to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from probes import documents
from probes.documents import Document
from probes.errors import SuiteError
from probes.items import AnswerPair, Form
from probes.lexicon import Term
from probes.suite_checks import check_document
from probes.wording import PLACEHOLDER, placeholders, slot_form

TermDesign = Literal["nested", "paired", "fixed"]
"""How the terms of the groups relate.

``nested``: each group has its own terms, a sample of those it could have. ``paired``: terms with one pair
id are matched across groups. ``fixed``: the term is the group, so only templates and answers are sampled.
"""

Role = Literal["confirmatory", "exploratory"]
Unit = Literal["nats", "points", "shares"]

HarmKind = Literal["representational", "allocational", "quality-of-service"]
"""What kind of harm a disparity could do: to how people are spoken of, to what they are given, or to how
well they are served."""


@dataclass(frozen=True)
class Card:
    """What a suite is for, and what it cannot show."""

    harm: str
    harm_kind: HarmKind
    construct: str
    compares: str
    limits: tuple[str, ...]
    critiques: tuple[str, ...]
    not_evidence: str


@dataclass(frozen=True)
class Nonce:
    """The negative control: invented words, optionally of one class of their lexicon."""

    lexicon: str
    group: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What the two sides of an answer stand for, in words."""

    plus: str
    minus: str


@dataclass(frozen=True)
class Contrast:
    """Which groups are compared with which reference.

    ``axis`` is an axis of the slot's lexicons, ``term`` (every term is its own group, named
    ``lexicon:term``), two axes crossed like ``race*gender`` (each cell is a group, named ``black*woman``) or
    ``*``. ``groups`` None means all but the reference. ``claim`` is the sentence that a finding states, with
    ``{ratio}`` or ``{difference}``, ``{group}`` and ``{reference}`` open.

    With ``crossed_with``, another axis, what is compared are differences: that between a group and the
    reference among each group of that axis, with the same difference among ``crossed_reference``. The claim
    then names ``{crossed_group}`` and ``{crossed_reference}`` too. ``labels`` names cells whose two labels do
    not join into English.
    """

    id: str
    axis: str
    reference: str
    terms: TermDesign
    role: Role
    claim: str
    groups: tuple[str, ...] | None = None
    crossed_with: str = ""
    crossed_reference: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Margin:
    """How small a disparity must be to be called negligible, declared before the question."""

    value: float
    unit: Unit
    source: str


@dataclass(frozen=True)
class Planning:
    """Standard deviations assumed by the planner, in the margin's unit."""

    template_sd: float
    term_sd: float
    residual_sd: float
    source: str


@dataclass(frozen=True)
class Template:
    """One wording. ``answers`` names the set of answers that fits its grammar."""

    id: str
    family: str
    text: str
    answers: str | None = None


@dataclass(frozen=True)
class Suite:
    """A named, versioned set of templates with the groups compared and the measure that reads them.

    Attributes
    ----------
    answers : mapping of set name to answer pairs
        All sets have the same pair ids; empty for ``generate``.
    data : mapping
        The plain JSON content from which this was built, to be kept in a bundle; not to be changed.
    where : str
        The file, for messages and for lexicons that stand next to it.
    exhaustive : bool
        Whether the answers are meant to be all that a model may say, as yes and no are.
    """

    id: str
    version: str
    title: str
    licence: str
    language: str
    card: Card
    forms: tuple[Form, ...]
    measure: str
    slot: str
    lexicons: tuple[str, ...]
    nonce: Nonce
    answers: Mapping[str, tuple[AnswerPair, ...]]
    outcome: Outcome
    contrasts: tuple[Contrast, ...]
    margin: Margin
    planning: Planning
    templates: tuple[Template, ...]
    data: Mapping[str, Any] = field(repr=False)
    where: str = field(default="", compare=False)
    exhaustive: bool = False

    @cached_property
    def digest(self) -> str:
        """The sha256 of the canonical JSON of the content."""
        return documents.digest(self.data)

    def answers_of(self, template: Template) -> tuple[AnswerPair, ...]:
        """The answer pairs of a template: those of its set, or of the first; none for ``generate``."""
        if not self.answers:
            return ()
        return self.answers[template.answers or next(iter(self.answers))]

    def slots(self, template: Template) -> tuple[str | None, ...]:
        """The forms in which a template asks for its term, None for the plain text."""
        found = (slot_form(name, self.slot) for name in placeholders(template.text))
        return tuple(form for matches, form in found if matches)

    def render(self, template: Template, term: Term) -> str:
        """The template with the term in its slot; ``{answer}`` stays."""

        def fill(match: re.Match[str]) -> str:
            matches, form = slot_form(match[1], self.slot)
            text = term.form(form) if matches else match[0]
            if text is None:
                raise KeyError(f"{term.id} has no form {form}")
            return text

        return PLACEHOLDER.sub(fill, template.text)


def replace_lexicons(suite: Suite, lexicons: Sequence[str]) -> Suite:
    """The same suite asked about the groups of other lexicons; its content and digest change with it.

    Contrasts on the axis ``*`` follow the new lexicons. Whether the named axes are still there is found by
    :func:`probes.check_suite`.

    Raises
    ------
    SuiteError
        If the list is empty, repeats itself or holds what cannot be a lexicon's name.
    """
    return suite_from_data({**suite.data, "lexicons": list(lexicons)}, suite.where)


def suite_from_data(data: Any, where: str) -> Suite:
    """Build a suite from plain data, such as a bundle embeds.

    Raises
    ------
    SuiteError
        With every fault that shows without the lexicons; :func:`probes.check_suite` finds the others.
    """
    document = documents.from_data(data, where, "suite")
    check_document(document)
    if document.faults:
        raise SuiteError(document.faults)
    return build(document)


def build(document: Document) -> Suite:
    """Turn a document that satisfies the schema into a suite."""
    data = document.data
    card: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data["card"].items()
    }
    contrasts = (
        Contrast(**{**entry, "groups": tuple(entry["groups"]) if "groups" in entry else None})
        for entry in data["contrasts"]
    )
    answers = {
        name: tuple(AnswerPair(p["id"], tuple(p["plus"]), tuple(p["minus"])) for p in pairs)
        for name, pairs in data.get("answers", {}).items()
    }
    return Suite(
        id=data["id"],
        version=data["version"],
        title=data["title"],
        licence=data["licence"],
        language=data["language"],
        card=Card(**card),
        forms=tuple(data["forms"]),
        measure=data["measure"],
        slot=data["slot"],
        lexicons=tuple(data["lexicons"]),
        nonce=Nonce(data["nonce"]["lexicon"], data["nonce"].get("class")),
        answers=answers,
        outcome=Outcome(**data["outcome"]),
        contrasts=tuple(contrasts),
        margin=Margin(**data["margin"]),
        planning=Planning(**data["planning"]),
        templates=tuple(Template(**template) for template in data["templates"]),
        data=data,
        where=document.where,
        exhaustive=data.get("exhaustive", False),
    )
