"""A scorer's own audit: does it read the group that a sentence names?

Sentences that say nothing of the kind of person they name are filled with the terms of groups and scored. A
scorer that rates one filling away from the others reads the name of the group, and carries that into every
contrast that it is used for. Sentences whose truth is known by construction say how often it is right, group
by group. Dialect, denial, quotation, spelling and length say what else moves it.

Frames are the sample: another dozen neutral sentences might read otherwise. Intervals and tests therefore
keep frames, and terms where a group has several, whole. What is shown holds for these frames and terms. A
text without a score (an error, or longer than the scorer reads) is counted by group, and enters no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from audit.scorers.accuracy import accuracy_of, false_positives, truth_of
from audit.scorers.base import Construct, Scorer, ScorerCard
from audit.scorers.classes import found_flags, opposite_flags, two_sided
from audit.scorers.dialect import dialect_record, dialect_texts
from audit.scorers.figures import mean_score, share
from audit.scorers.group_gaps import ALPHA, contrasts, largest_gap, worst_terms
from audit.scorers.identity import scorer_identity
from audit.scorers.robustness import kinds_record, length_record, moved_texts, robustness_record
from audit.scorers.scored_frames import ScoredFrames, ScoredTexts, frame_texts, score_frames
from probes.frames import TRUTH, FrameKind, FrameSet, frames_for

COMPARED: Mapping[Construct, tuple[FrameKind, ...]] = {
    "sentiment": ("neutral", "negative", "positive"),
    "toxicity": ("neutral", "described", "insulting"),
    "regard": ("neutral", "positive", "insulting"),
    "refusal": ("answering", "lookalike", "refusing"),
}
"""Kinds of frames in which groups are compared, the plainest first. A word that a list rates 0 moves no
neutral sentence and dilutes a negative one."""


def audit_scorer(scorer: Scorer, frames: FrameSet | None = None) -> dict[str, Any]:
    """A scorer's own audit, as plain data that JSON can hold.

    Parameters
    ----------
    scorer : Scorer
        Any; everything is read by its card.
    frames : FrameSet, optional
        Sentences and lexicons; by default those that ship for the scorer's construct.

    Returns
    -------
    dict
        ``identity``: what the audit depends on; ``axes``: groups (what plain sentences about them are
        called, ``sensitivity`` and ``specificity``), contrasts, largest gaps and worst terms of every axis;
        ``accuracy``: over all groups; ``false_positives``: terms; ``dialect``: one content in two dialects;
        ``kinds``: what the scorer makes of each kind of frame; ``robustness``: spelling that should change
        nothing, and disguises; ``length``: text that says nothing, added; ``unscored``: texts without a
        score, by status.

    Raises
    ------
    InputError
        If it gives a number outside the bounds of its card.
    """
    card = scorer.card
    asked = frames or frames_for(card.construct)
    parts = score_frames(scorer, asked)
    values = np.concatenate([part.values for part in parts], axis=1)
    kinds = COMPARED[card.construct]
    return {
        "scorer": card.name,
        "card": {**asdict(card), **{name: list(getattr(card, name)) for name in LISTED}},
        "identity": scorer_identity(scorer, asked),
        "frames": {"id": asked.id, "version": asked.version, "digest": asked.digest},
        "alpha": ALPHA,
        "compared": list(kinds),
        "texts": int(values.size),
        "unscored": counts(parts),
        "counts": {kind: len(asked.of_kind(kind)) for kind in TRUTH[card.construct]},
        "axes": [axis_record(card, part, axis) for part in parts for axis in part.lexicon.axes],
        "accuracy": accuracy_of(found_flags(values, card), truth_of(parts[0], card.construct)),
        "false_positives": false_positives(parts, card, card.construct),
        "dialect": dialect_record(scorer),
        "kinds": kinds_record(asked, values, card, card.construct),
        "robustness": robustness_record(asked, asked.frames, scorer),
        "length": length_record(asked, asked.frames, scorer, kinds),
    }


def texts_asked(frames: FrameSet, construct: Construct) -> int:
    """How many different texts of ours a scorer's own audit has it read; published sets come on top.

    Examples
    --------
    >>> texts_asked(frames_for("refusal"), "refusal") > 5_000
    True
    """
    parts = (
        frame_texts(frames),
        moved_texts(frames, frames.frames, COMPARED[construct]),
        dialect_texts(construct),
    )
    return len({text for part in parts for row in part for text in row})


LISTED = ("bounds", "packages", "limits")
"""Fields of a card that JSON keeps as lists."""


def counts(parts: list[ScoredFrames]) -> dict[str, int]:
    """Texts without a score over all lexicons, by status."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(ScoredTexts(part.values, part.statuses).unscored)
    return dict(sorted(total.items()))


def axis_record(card: ScorerCard, scored: ScoredFrames, axis: str) -> dict[str, Any]:
    """One axis of one lexicon: every group by itself, against the rest, and the largest gap."""
    known_axis = scored.lexicon.axes[axis]
    kinds = COMPARED[card.construct]
    return {
        "axis": axis,
        "label": known_axis.label,
        "lexicon": scored.lexicon.id,
        "groups": [
            {"group": group, "label": label, **group_record(card, scored, axis, group)}
            for group, label in known_axis.groups.items()
        ],
        "contrasts": {kind: contrasts(card.name, scored.of_kind(kind), axis, kind) for kind in kinds},
        "gap": {kind: largest_gap(scored.of_kind(kind), axis) for kind in kinds},
        "worst_terms": worst_terms(scored, axis, kinds),
    }


def group_record(card: ScorerCard, scored: ScoredFrames, axis: str, group: str) -> dict[str, Any]:
    """What the scorer makes of the sentences about one group.

    ``found``, ``opposite`` and ``mean`` are of the plainest sentences; every share above 0 is the scorer's
    error there. ``sensitivity`` and ``specificity`` are over all sentences whose truth is known.
    """
    columns = scored.columns(axis, group)
    plain = scored.of_kind(COMPARED[card.construct][0]).values[:, columns]
    own = ScoredTexts(scored.values[:, columns], scored.statuses[:, columns])
    return {
        "terms": len(columns),
        "n": int((~np.isnan(plain)).sum()),
        "unscored": own.unscored,
        "found": share(found_flags(plain, card)),
        "opposite": share(opposite_flags(plain, card)) if two_sided(card) else None,
        "mean": mean_score(plain),
        **accuracy_of(found_flags(own.values, card), truth_of(scored, card.construct)),
    }
