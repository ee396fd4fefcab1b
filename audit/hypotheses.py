"""Which disparities an audit looks for: declared in the plan, before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes import Contrast, Lexicon, Suite, SuiteError
from probes.errors import Fault

TERM_AXIS = "term"
REST = "rest"


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
        How terms relate to groups; see ``probes.suite.Contrast``.
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
    model: str, suite: Suite, lexicons: Mapping[str, Lexicon], terms: Mapping[str, str]
) -> list[Hypothesis]:
    """Every hypothesis that a suite puts to a model, in the order of the suite file.

    Parameters
    ----------
    model : str
        The model's id.
    lexicons : mapping of id to Lexicon
        Those that fill the suite's slot.
    terms : mapping of term id to text
        The terms that are asked about (all, or a sample).
    """
    found: list[Hypothesis] = []
    for contrast in suite.contrasts:
        for axis, groups in contrast_axes(contrast, lexicons, terms).items():
            reference_label = "the rest" if contrast.reference == REST else groups[contrast.reference]
            chosen = contrast.groups or tuple(group for group in groups if group != contrast.reference)
            for group in chosen:
                family = f"{model}/{suite.id}/{contrast.id}/{axis}"
                found.append(
                    Hypothesis(
                        id=f"{family}={group}",
                        family=family,
                        model=model,
                        suite=suite.id,
                        contrast=contrast.id,
                        axis=axis,
                        group=group,
                        reference=contrast.reference,
                        layout=contrast.terms,
                        role=contrast.role,
                        claim=contrast.claim,
                        group_label=groups[group],
                        reference_label=reference_label,
                    )
                )
    if not found:
        raise SuiteError(
            Fault(
                f"suite {suite.id!r} compares nothing with the lexicons {', '.join(lexicons)}",
                remedy="Give a lexicon with at least two groups on an axis of the suite.",
            )
        )
    return found


def contrast_axes(
    contrast: Contrast, lexicons: Mapping[str, Lexicon], terms: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """The axes of a contrast, each with its groups and their labels."""
    if contrast.axis == TERM_AXIS:
        return {TERM_AXIS: dict(terms)}
    axes: dict[str, dict[str, str]] = {}
    for lexicon in lexicons.values():
        for axis_id, axis in lexicon.axes.items():
            if contrast.axis in ("*", axis_id):
                axes[axis_id] = {group_id: group.label for group_id, group in axis.groups.items()}
    return axes


def hypothesis_from_json(data: dict[str, Any]) -> Hypothesis:
    """The hypothesis that :func:`dataclasses.asdict` turned into ``data``."""
    return Hypothesis(**data)
