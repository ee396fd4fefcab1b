"""From a suite to its items: every template with every term, or a balanced sample of both.

Templates and terms are drawn whole and then fully crossed, so that either can serve as a cluster. The draw
ranks ids by a hash of (seed, suite, id): it is the same on every machine, a larger sample contains the
smaller one, and adding a term to a lexicon does not reshuffle the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from probes.cells import group_of
from probes.errors import Fault, SuiteError
from probes.fit import check_suite
from probes.items import Item
from probes.lexicon import Lexicon, Term
from probes.slot import axes_of, compared, nonce_terms, slot_lexicons
from probes.suite import Suite, Template

T = TypeVar("T")
Cell = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sampling:
    """How much of a suite is asked; None means all of it.

    Attributes
    ----------
    templates : int or None
        Templates, drawn evenly from the families.
    terms_per_group : int or None
        Terms of each cell, a cell being one combination of groups over all axes; for paired terms, pairs.
        A cell that no nested or paired contrast reads, as where the term is the group, gives what it has.
    nonce_terms : int or None
        Invented words of the negative control.
    seed : int
        Of the draw.
    """

    templates: int | None = None
    terms_per_group: int | None = None
    nonce_terms: int | None = None
    seed: int = 0


EVERYTHING = Sampling()


def expand(suite: Suite, lexicons: Mapping[str, Lexicon], sampling: Sampling = EVERYTHING) -> list[Item]:
    """Fill every chosen template with every chosen term, the invented words of the nonce arm last.

    Parameters
    ----------
    suite : Suite
        What is asked.
    lexicons : mapping
        By the names that the suite uses.
    sampling : Sampling
        How much of it; all by default.

    Returns
    -------
    list of Item
        In the order of the suite and its lexicons, whatever the sample; ids are unique.

    Raises
    ------
    SuiteError
        If suite and lexicons do not fit, or the sample asks for more than there is.
    """
    check_suite(suite, lexicons)
    faults = _sampling_faults(suite, lexicons, sampling)
    if faults:
        raise SuiteError(faults)
    templates = _sample_templates(suite, sampling)
    nonce = lexicons[suite.nonce.lexicon]
    probes = [(lex, term) for lex in slot_lexicons(suite, lexicons) for term in _sample(suite, lex, sampling)]
    invented = _draw(nonce_terms(suite, lexicons), sampling.nonce_terms, _Rank(suite, sampling, "nonce"))
    places = _places(suite, lexicons, sampling)
    items = [
        _item(suite, template, (lex, term), places[lex.key(term)])
        for template in templates
        for lex, term in probes
    ]
    items += [_item(suite, template, (nonce, term)) for template in templates for term in invented]
    return items


INVENTED = "invented"
"""The place of every invented word: each stands for a group of its own."""


def _item(suite: Suite, template: Template, word: tuple[Lexicon, Term], place: str = INVENTED) -> Item:
    lexicon, term = word
    key, nonce = lexicon.key(term), place == INVENTED
    return Item(
        id=f"{suite.id}/{template.id}/{key}",
        suite=suite.id,
        arm="nonce" if nonce else "probe",
        template=template.id,
        family=template.family,
        term=key,
        groups={} if nonce else dict(term.groups),
        text=suite.render(template, term),
        answers=suite.answers_of(template),
        forms=suite.forms,
        place=place,
    )


class _Rank:
    """A pseudo-random order of ids."""

    def __init__(self, suite: Suite, sampling: Sampling, kind: str) -> None:
        self.salt = f"{sampling.seed}\0{suite.id}\0{kind}\0"

    def __call__(self, name: str) -> bytes:
        return hashlib.sha256((self.salt + name).encode()).digest()


def _draw(terms: Sequence[Term], count: int | None, rank: _Rank) -> list[Term]:
    chosen = {term.id for term in sorted(terms, key=lambda term: rank(term.id))[:count]}
    return [term for term in terms if term.id in chosen]


def _partition(things: Iterable[tuple[Hashable, T]]) -> dict[Hashable, list[T]]:
    parts: dict[Hashable, list[T]] = {}
    for key, thing in things:
        parts.setdefault(key, []).append(thing)
    return parts


def _sample_templates(suite: Suite, sampling: Sampling) -> list[Template]:
    """Deal the templates out family by family, so that family counts differ by at most one where they can."""
    if sampling.templates is None:
        return list(suite.templates)
    rank = _Rank(suite, sampling, "template")
    ranked = sorted(suite.templates, key=lambda template: rank(template.id))
    families = _partition((template.family, template) for template in ranked)
    order = sorted(families, key=lambda family: rank(f"family {family}"))
    dealt = [t for turn in zip_longest(*(families[family] for family in order)) for t in turn if t]
    chosen = {template.id for template in dealt[: sampling.templates]}
    return [template for template in suite.templates if template.id in chosen]


def _cell(term: Term) -> Cell:
    return tuple(sorted(term.groups.items()))


def _strata(lexicon: Lexicon) -> dict[Hashable, list[list[Term]]]:
    """Units that are drawn whole (a pair, or a term without one), by the cells they touch."""
    units = _partition(
        (("pair", term.pair) if term.pair else ("term", term.id), term) for term in lexicon.terms
    )
    return _partition((tuple(sorted(_cell(term) for term in unit)), unit) for unit in units.values())


def _ranked(suite: Suite, lexicon: Lexicon, sampling: Sampling) -> list[list[list[Term]]]:
    """The units of each stratum, in the order in which a sample takes them."""
    rank = _Rank(suite, sampling, f"term {lexicon.id}")
    return [
        sorted(units, key=lambda unit: rank(unit[0].pair or unit[0].id))
        for units in _strata(lexicon).values()
    ]


def _sample(suite: Suite, lexicon: Lexicon, sampling: Sampling) -> list[Term]:
    if sampling.terms_per_group is None:
        return list(lexicon.terms)
    chosen = {
        term.id
        for ranked in _ranked(suite, lexicon, sampling)
        for unit in ranked[: sampling.terms_per_group]
        for term in unit
    }
    return [term for term in lexicon.terms if term.id in chosen]


def _places(suite: Suite, lexicons: Mapping[str, Lexicon], sampling: Sampling) -> dict[str, str]:
    """By what each term is matched: its pair, or its number among the terms of its cell.

    Numbers follow the order of the draw, so that samples of any size hold the same ones in every group.
    """
    places: dict[str, str] = {}
    taken: Counter[Cell] = Counter()
    for lexicon in slot_lexicons(suite, lexicons):
        for ranked in _ranked(suite, lexicon, sampling):
            for term in (term for unit in ranked for term in unit):
                cell = _cell(term)
                number = f"{'+'.join(axis for axis, _ in cell)} {taken[cell]}"
                if term.pair:
                    places[lexicon.key(term)] = f"pair {lexicon.id}:{term.pair}"
                else:
                    places[lexicon.key(term)] = number
                    taken[cell] += 1
    return places


def _sampling_faults(suite: Suite, lexicons: Mapping[str, Lexicon], sampling: Sampling) -> list[Fault]:
    faults: list[Fault] = []
    there = {"templates": len(suite.templates), "nonce_terms": len(nonce_terms(suite, lexicons))}
    for name, wanted in (
        ("templates", sampling.templates),
        ("terms_per_group", sampling.terms_per_group),
        ("nonce_terms", sampling.nonce_terms),
    ):
        where = f"{suite.where}: sampling.{name}"
        if wanted is not None and wanted < 1:
            faults.append(Fault(f"{wanted} is less than 1", where, "Ask for 1 or more, or leave it out."))
        elif wanted is not None and name in there and wanted > there[name]:
            what = f"{wanted} asked where the suite has {there[name]}"
            faults.append(Fault(what, where, f"Ask for {there[name]} or fewer."))
    for lexicon in slot_lexicons(suite, lexicons):
        size = min((len(units) for units in _sampled_strata(suite, lexicons, lexicon)), default=None)
        if sampling.terms_per_group is not None and size is not None and sampling.terms_per_group > size:
            what = f"{sampling.terms_per_group} asked where {lexicon.id} has {size} in its smallest group"
            where = f"{suite.where}: sampling.terms_per_group"
            faults.append(Fault(what, where, f"Ask for {size} or fewer."))
    return faults


def _sampled_strata(
    suite: Suite, lexicons: Mapping[str, Lexicon], lexicon: Lexicon
) -> list[list[list[Term]]]:
    """The strata that some nested or paired contrast reads."""
    read = {
        (axis, group)
        for contrast in suite.contrasts
        if contrast.terms != "fixed"
        for axis in axes_of(suite, lexicons, contrast)
        for group in compared(suite, lexicons, contrast, axis)
    }
    return [
        units
        for units in _strata(lexicon).values()
        if any(group_of(term.groups, axis) == group for u in units for term in u for axis, group in read)
    ]
