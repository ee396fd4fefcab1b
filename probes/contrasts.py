"""Which groups a suite compares with which reference, everything resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probes.cells import JOIN
from probes.fit import check_suite
from probes.lexicon import OVERALL, REST, Lexicon
from probes.slot import axes_of, axis_groups, groups_of
from probes.suite import Contrast, Role, Suite, TermDesign

MANY_LABELS = {REST: "the others compared", OVERALL: "the average of all compared"}
"""What a reference is called that is no single group."""


@dataclass(frozen=True)
class Comparison:
    """One group against its reference: a contrast with everything resolved.

    Attributes
    ----------
    id : str
        ``contrast/axis/group``; unique within a suite.
    axis : str
        An axis of ``Item.groups``, or ``term``: then ``group`` is an ``Item.term``. Two axes crossed, like
        ``race*gender``, have cells for groups, like ``black*woman``.
    reference : str
        A group of the axis; ``rest``: every other group of the axis, compared or not; or ``overall``: every
        group of the axis, this one included.
    claim : str
        As in the suite, placeholders open.
    crossed_axis, crossed_group, crossed_reference : str
        Of an interaction, else empty: the second axis, with the group and the reference on it. ``axis``,
        ``group`` and ``reference`` then hold both axes and two cells, but the labels ``group_label`` and
        ``reference_label`` are those of the first axis alone, as the claim needs them.
    """

    id: str
    contrast: str
    axis: str
    group: str
    reference: str
    group_label: str
    reference_label: str
    terms: TermDesign
    role: Role
    claim: str
    crossed_axis: str = ""
    crossed_group: str = ""
    crossed_reference: str = ""
    crossed_group_label: str = ""
    crossed_reference_label: str = ""


def comparisons(suite: Suite, lexicons: Mapping[str, Lexicon]) -> list[Comparison]:
    """Every group against its reference, in the order of the suite and its lexicons.

    Parameters
    ----------
    suite : Suite
        What is asked.
    lexicons : mapping
        By the names that the suite uses.

    Raises
    ------
    SuiteError
        If suite and lexicons do not fit.
    """
    check_suite(suite, lexicons)
    return [
        _comparison(suite, lexicons, contrast, axis, group)
        for contrast in suite.contrasts
        for axis in axes_of(suite, lexicons, contrast)
        for group in groups_of(suite, lexicons, contrast, axis)
        if group != contrast.reference
    ]


def _comparison(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str, group: str
) -> Comparison:
    if contrast.crossed_with:
        return _interaction(suite, lexicons, contrast, axis, group)
    labels = {**axis_groups(suite, lexicons, axis), **MANY_LABELS, **contrast.labels}
    return Comparison(
        id=f"{contrast.id}/{axis}/{group}",
        contrast=contrast.id,
        axis=axis,
        group=group,
        reference=contrast.reference,
        group_label=labels[group],
        reference_label=labels[contrast.reference],
        terms=contrast.terms,
        role=contrast.role,
        claim=contrast.claim,
    )


def _interaction(
    suite: Suite, lexicons: Mapping[str, Lexicon], contrast: Contrast, axis: str, cell: str
) -> Comparison:
    group, other = cell.split(JOIN)
    labels = axis_groups(suite, lexicons, contrast.axis)
    crossed = axis_groups(suite, lexicons, contrast.crossed_with)
    return Comparison(
        id=f"{contrast.id}/{axis}/{cell}",
        contrast=contrast.id,
        axis=axis,
        group=cell,
        reference=f"{contrast.reference}{JOIN}{contrast.crossed_reference}",
        group_label=labels[group],
        reference_label=labels[contrast.reference],
        terms=contrast.terms,
        role=contrast.role,
        claim=contrast.claim,
        crossed_axis=contrast.crossed_with,
        crossed_group=other,
        crossed_reference=contrast.crossed_reference,
        crossed_group_label=crossed[other],
        crossed_reference_label=crossed[contrast.crossed_reference],
    )
