"""Cells of two axes: people of two groups at once, spelled ``black*woman`` on the axis ``race*gender``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from probes.lexicon import ANY_AXIS, Lexicon, Term

JOIN = "*"
"""Stands between two axes, and between two groups; no id holds it."""

PEOPLE = " people"


def is_crossed(axis: str) -> bool:
    """Whether an axis is two axes crossed.

    Examples
    --------
    >>> is_crossed("race*gender"), is_crossed("race"), is_crossed("*")
    (True, False, False)
    """
    return axis != ANY_AXIS and JOIN in axis


def group_of(groups: Mapping[str, str], axis: str) -> str | None:
    """The group on an axis, or the cell on two crossed axes, of a term with these groups.

    Examples
    --------
    >>> black_woman = {"race": "black", "gender": "woman"}
    >>> group_of(black_woman, "race*gender"), group_of(black_woman, "race"), group_of({}, "race*gender")
    ('black*woman', 'black', None)
    """
    if not is_crossed(axis):
        return groups.get(axis)
    own = [groups.get(part) for part in axis.split(JOIN)]
    return None if None in own else JOIN.join(group for group in own if group is not None)


def terms_of(lexicons: Sequence[Lexicon], axis: str, group: str) -> list[Term]:
    """The terms of one group or cell, in the order of the files."""
    return [term for lexicon in lexicons for term in lexicon.terms if group_of(term.groups, axis) == group]


def cell_label(first: str, second: str) -> str | None:
    """Two groups' labels in one, or None where they cannot be joined into English.

    One must be an adjective before ``people``, the other a noun that can take its place.

    Examples
    --------
    >>> cell_label("Black people", "women"), cell_label("men", "Asian people")
    ('Black women', 'Asian men')
    >>> cell_label("Black people", "Muslim people") is None
    True
    """
    if first.endswith(PEOPLE) == second.endswith(PEOPLE):
        return None
    people, noun = (first, second) if first.endswith(PEOPLE) else (second, first)
    return f"{people.removesuffix(PEOPLE)} {noun}"
