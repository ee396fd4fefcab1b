"""Which disparities an audit looks for: declared in the plan, before anything is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from probes import REST, TERM_AXIS, Lexicon, Suite, comparisons

__all__ = ["REST", "TERM_AXIS", "Hypothesis", "declare", "hypothesis_from_json"]


@dataclass(frozen=True)
class Hypothesis:
    """One contrast of one group with a reference, on one model.

    Attributes
    ----------
    id : str
        ``model/suite/contrast/axis=group``; unique in an audit.
    family : str
        The hypotheses that are corrected together: one model, suite, contrast and axis.
    layout : {"nested", "paired", "fixed"}
        How terms relate to groups; see ``probes.suite.TermDesign``.
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
            id=f"{model}/{suite.id}/{found.contrast}/{found.axis}={found.group}",
            family=f"{model}/{suite.id}/{found.contrast}/{found.axis}",
            model=model,
            suite=suite.id,
            contrast=found.contrast,
            axis=found.axis,
            group=found.group,
            reference=found.reference,
            layout=found.terms,
            role=found.role,
            claim=found.claim,
            group_label=found.group_label,
            reference_label=found.reference_label,
        )
        for found in comparisons(suite, lexicons)
        if found.axis != TERM_AXIS or found.group in terms
    ]


def hypothesis_from_json(data: dict[str, Any]) -> Hypothesis:
    """The hypothesis that :func:`dataclasses.asdict` turned into ``data``."""
    return Hypothesis(**data)
