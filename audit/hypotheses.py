"""Which disparities an audit looks for: declared in the plan, before anything is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from probes import OVERALL, REST, TERM_AXIS, Comparison, Lexicon, Suite, comparisons
from probes.cells import JOIN

__all__ = [
    "COMBINATION",
    "OVERALL",
    "REST",
    "TERM_AXIS",
    "Hypothesis",
    "declare",
    "four_cells",
    "hypothesis_from_json",
]

COMBINATION = "combination"
"""The layout of an interaction: four cells, each with terms of its own, and a difference of differences."""


@dataclass(frozen=True)
class Hypothesis:
    """One contrast of one group with a reference, on one model.

    Attributes
    ----------
    id : str
        ``model/suite/contrast/axis=group``, and ``.../race=black*gender=woman`` for an interaction; unique in
        an audit.
    family : str
        The hypotheses that are corrected together: one model, suite, contrast and axis.
    axis, group, reference : str
        As in ``probes.Comparison``: two axes crossed have cells for groups, and an interaction names the cell
        of its two groups and that of its two references.
    layout : {"nested", "paired", "fixed", "combination"}
        How terms relate to groups; see ``probes.suite.TermDesign``. ``combination``: an interaction.
    crossed_axis, crossed_group, crossed_reference : str
        Of an interaction, else empty: the second axis, with the group and the reference on it.
    role : {"confirmatory", "exploratory"}
        Confirmatory families are corrected by Holm, exploratory ones by Benjamini and Hochberg.
    """

    id: str
    family: str
    model: str
    suite: str
    contrast: str
    axis: str
    group: str
    reference: str
    layout: str
    role: str
    claim: str
    group_label: str
    reference_label: str
    crossed_axis: str = ""
    crossed_group: str = ""
    crossed_reference: str = ""
    crossed_group_label: str = ""
    crossed_reference_label: str = ""


def declare(
    model: str, suite: Suite, lexicons: Mapping[str, Lexicon], terms: Collection[str]
) -> list[Hypothesis]:
    """Every hypothesis that a suite puts to a model, in the order of the suite file.

    Parameters
    ----------
    model : str
        The model's id.
    lexicons : mapping of name to Lexicon
        By the names that the suite uses.
    terms : collection of str
        The terms that are asked about, where that is a sample.

    Raises
    ------
    SuiteError
        If suite and lexicons do not fit.
    """
    return [
        Hypothesis(
            id=f"{model}/{suite.id}/{found.contrast}/{spelled(found)}",
            family=f"{model}/{suite.id}/{found.contrast}/{found.axis}",
            model=model,
            suite=suite.id,
            contrast=found.contrast,
            axis=found.axis,
            group=found.group,
            reference=found.reference,
            layout=COMBINATION if found.crossed_axis else found.terms,
            role=found.role,
            claim=found.claim,
            group_label=found.group_label,
            reference_label=found.reference_label,
            crossed_axis=found.crossed_axis,
            crossed_group=found.crossed_group,
            crossed_reference=found.crossed_reference,
            crossed_group_label=found.crossed_group_label,
            crossed_reference_label=found.crossed_reference_label,
        )
        for found in comparisons(suite, lexicons)
        if found.axis != TERM_AXIS or found.group in terms
    ]


def spelled(found: Comparison) -> str:
    """What a comparison is about, for an id: each axis with its group."""
    if not found.crossed_axis:
        return f"{found.axis}={found.group}"
    pairs = zip(found.axis.split(JOIN), found.group.split(JOIN), strict=True)
    return JOIN.join(f"{axis}={group}" for axis, group in pairs)


def four_cells(group: str, reference: str) -> dict[str, float]:
    """The cells of an interaction with their coefficients: a difference of two differences.

    Examples
    --------
    >>> four_cells("black*woman", "white*man")
    {'black*woman': 1.0, 'white*woman': -1.0, 'black*man': -1.0, 'white*man': 1.0}
    """
    (one, two), (base, crossed_base) = group.split(JOIN), reference.split(JOIN)
    return {
        f"{first}{JOIN}{second}": sign * crossed_sign
        for (second, crossed_sign), (first, sign) in product(
            ((two, 1.0), (crossed_base, -1.0)), ((one, 1.0), (base, -1.0))
        )
    }


def hypothesis_from_json(data: dict[str, Any]) -> Hypothesis:
    """The hypothesis that :func:`dataclasses.asdict` turned into ``data``."""
    return Hypothesis(**data)
