"""What fills a suite's slot: lexicons with their axes, groups and cells, and the words invented for it."""

from __future__ import annotations

from collections.abc import Mapping

from probes.cells import JOIN, cell_label, group_of, is_crossed
from probes.lexicon import ANY_AXIS, OVERALL, REST, TERM_AXIS, Lexicon, Term
from probes.suite import Contrast, Suite


def slot_lexicons(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Lexicon]:
    """The lexicons that fill the slot, in the suite's order."""
    return [lexicons[name] for name in suite.lexicons]


def nonce_terms(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Term]:
    """The invented words of the negative control, in the order of their lexicon."""
    lexicon, group = lexicons[suite.nonce.lexicon], suite.nonce.group
    return [term for term in lexicon.terms if group is None or term.groups.get("class") == group]


def axis_groups(suite: Suite, lexicons: Mapping[str, Lexicon], axis: str) -> dict[str, str]:
    """The groups of an axis over the slot's lexicons: id to label.

    Of two axes crossed, the cells that have terms; a label is empty where it cannot be joined.
    """
    if axis == TERM_AXIS:
        return {lex.key(term): term.text for lex in slot_lexicons(suite, lexicons) for term in lex.terms}
    if is_crossed(axis):
        ones, others = (axis_groups(suite, lexicons, part) for part in axis.split(JOIN))
        there = {group_of(t.groups, axis) for lex in slot_lexicons(suite, lexicons) for t in lex.terms}
        cells = {
            f"{one}{JOIN}{other}": cell_label(label, other_label) or ""
            for one, label in ones.items()
            for other, other_label in others.items()
        }
        return {cell: label for cell, label in cells.items() if cell in there}
    return {
        group: label
        for lexicon in slot_lexicons(suite, lexicons)
        if axis in lexicon.axes
        for group, label in lexicon.axes[axis].groups.items()
    }


def axes_of(suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast) -> list[str]:
    """The axes of a contrast: its own, both crossed for an interaction, or all of the lexicons for ``*``."""
    if contrast.crossed_with:
        return [f"{contrast.axis}{JOIN}{contrast.crossed_with}"]
    if contrast.axis != ANY_AXIS:
        return [contrast.axis]
    return list(dict.fromkeys(axis for lex in slot_lexicons(suite, lexicons) for axis in lex.axes))


def groups_of(suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str) -> list[str]:
    """The groups of an axis that a contrast compares; of an interaction, the cells of no reference group."""
    if not contrast.crossed_with:
        return list(contrast.groups or axis_groups(suite, lexicons, axis))
    return [
        f"{group}{JOIN}{other}"
        for group in contrast.groups or axis_groups(suite, lexicons, contrast.axis)
        for other in axis_groups(suite, lexicons, contrast.crossed_with)
        if group != contrast.reference and other != contrast.crossed_reference
    ]


def compared(suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str) -> list[str]:
    """The groups of an axis whose terms a contrast reads, its reference included."""
    if contrast.crossed_with:
        ones = [*(contrast.groups or axis_groups(suite, lexicons, contrast.axis)), contrast.reference]
        others = axis_groups(suite, lexicons, contrast.crossed_with)
        return list(dict.fromkeys(f"{one}{JOIN}{other}" for one in ones for other in others))
    known = axis_groups(suite, lexicons, axis)
    if contrast.groups is None or contrast.reference in (REST, OVERALL):
        return list(known)
    return [group for group in known if group in (*contrast.groups, contrast.reference)]
