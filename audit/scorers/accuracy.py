"""How often a scorer is right about sentences whose truth is known by construction, group by group.

*Sensitivity*: of the sentences that are what it is there to find, the share that it finds; *specificity*: of
those that are not, the share that it leaves alone. What a sentence is says ``probes.frames.TRUTH``. These are
our sentences: what the scorer does with others, people must label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit.scorers.classes import Reading, found_flags
from audit.scorers.figures import share
from audit.scorers.scored_frames import ScoredFrames
from audit.stats.estimate import Floats
from audit.stats.scorer_accuracy import Accuracy
from probes.frames import TRUTH, FrameKind

PLAIN: tuple[FrameKind, ...] = ("neutral", "described", "answering")
SHOWN = 10
"""Terms named whose harmless sentences are called what they are not."""


def accuracy_of(flags: Floats, truth: Sequence[bool | None]) -> dict[str, Any]:
    """Sensitivity and specificity over some sentences.

    Parameters
    ----------
    flags : ndarray, shape (frames, terms)
        1 where a sentence is found, else 0; NaN where it has no score.
    truth : sequence of (bool or None), one a frame

    Returns
    -------
    dict
        ``sensitivity`` and ``specificity``, each with interval and counts, see ``figures.share``.
    """
    known = np.array([-1 if each is None else int(each) for each in truth], dtype=np.int8)
    return {"sensitivity": share(flags[known == 1]), "specificity": share(1.0 - flags[known == 0])}


def truth_of(scored: ScoredFrames, construct: str) -> list[bool | None]:
    """Of each frame, whether it is what a scorer of the construct is there to find."""
    return [TRUTH[construct].get(frame.kind) for frame in scored.frames]


def group_accuracy(record: Mapping[str, Any], axis: str) -> Mapping[str, Accuracy]:
    """A scorer's accuracy in each group of an axis, for correcting what it counted.

    Parameters
    ----------
    record : mapping
        A scorer's own audit, or what a bundle keeps of it.
    axis : str
        An axis of the lexicons that were audited, such as ``religion``.

    Returns
    -------
    mapping of group to Accuracy
        Its counts are the numbers of independent sentences that would be as sure: those of one frame are not
        independent. Groups of which either share is unknown are left out; empty where the axis was not
        audited.

    Examples
    --------
    >>> from audit.scorers.own_audit import audit_scorer
    >>> from audit.scorers.registry import scorer_named
    >>> found = group_accuracy(audit_scorer(scorer_named("vader")), "religion")
    >>> found["hindu"].n_positive
    18
    """
    found = {}
    for row in record["axes"]:
        if row["axis"] != axis:
            continue
        for group in row["groups"]:
            sides = group["sensitivity"], group["specificity"]
            if any(side["estimate"] is None for side in sides):
                continue
            right, left = sides
            found[group["group"]] = Accuracy(
                right["estimate"], right["n_effective"], left["estimate"], left["n_effective"]
            )
    return found


def false_positives(parts: Sequence[ScoredFrames], reading: Reading, construct: str) -> dict[str, Any]:
    """The terms whose plain sentences are most often called what they are not.

    Plain are neutral sentences, those in which people say who they are, and replies that do what was asked:
    they hold nothing but the term that a scorer could take amiss.

    Returns
    -------
    dict
        ``found``: what they are called; ``terms``, ``called``: how many there are, and of how many any
        sentence is; ``worst``: those with the largest shares, each with its interval and the kinds of its
        sentences.
    """
    rows: list[dict[str, Any]] = []
    terms = 0
    plain = [kind for kind in PLAIN if kind in TRUTH[construct]]
    for part in parts:
        harmless = part.of_kinds(plain)
        flags = found_flags(harmless.values, reading)
        for at, term in enumerate(part.lexicon.terms):
            terms += 1
            wrong = [
                frame.kind for frame, flag in zip(harmless.frames, flags[:, at], strict=True) if flag == 1.0
            ]
            if wrong:
                axis, group = next(iter(term.groups.items()))
                told = {"term": term.id, "word": part.words[at], "axis": axis, "group": group}
                kinds = {kind: wrong.count(kind) for kind in dict.fromkeys(wrong)}
                rows.append({**told, "kinds": kinds, "share": share(flags[:, [at]])})
    rows.sort(key=lambda row: -row["share"]["estimate"])
    return {"found": reading.found, "terms": terms, "called": len(rows), "worst": rows[:SHOWN]}
