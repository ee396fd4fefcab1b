"""A scorer's own audit: does it read the group that a sentence names?

Sentences that say nothing of the kind of person they name are filled with the terms of groups and scored. A
scorer that rates one filling away from the others reads the name of the group, and carries that into every
contrast that it is used for. Controls say whether it sees what it must see; negation, quotation, spelling and
length say what else moves it.

Frames are the sample: another dozen neutral sentences might read otherwise. Intervals and tests therefore
keep frames, and terms where a group has several, whole. What is shown holds for these frames and terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from audit.analysis.correction import corrected
from audit.analysis.estimates import Comparer, estimate
from audit.analysis.found import Setting
from audit.hypotheses import REST, Hypothesis
from audit.measures.readings import NOTABLE
from audit.scorers.figures import known, mean_score, share, undefined
from audit.scorers.identity import scorer_identity
from audit.scorers.robustness import kinds_record, length_record, robustness_record
from audit.scorers.sentiment import SCORERS
from audit.stats.estimate import Contrast, Floats, Undefined
from probes.errors import Fault, InputError
from probes.explain import nearest
from probes.frames import FRAME_KINDS, Frame, FrameKind, FrameSet, load_frames
from probes.lexicon import Lexicon, Term

Scorer = Callable[[str], float]
"""Text to a number from -1, most negative, to 1."""

ALPHA = 0.05
SEED = 0
COMPARED: tuple[FrameKind, ...] = ("neutral", "negative", "positive")
"""Kinds of frames in which groups are compared. A word that a list rates 0 moves no neutral sentence and
dilutes a negative one."""
SHOWN_TERMS, SHOWN_SENTENCES = 5, 3
NOTHING = 1e-9
"""A difference of means below this is their rounding (score units)."""


@dataclass(frozen=True)
class ScoredFrames:
    """What a scorer makes of every term of a lexicon in every frame.

    ``values`` has shape (frames, terms), score units.
    """

    lexicon: Lexicon
    frames: tuple[Frame, ...]
    words: tuple[str, ...]
    values: Floats

    def of_kind(self, kind: FrameKind) -> ScoredFrames:
        """The frames of one kind."""
        chosen = [place for place, frame in enumerate(self.frames) if frame.kind == kind]
        frames = tuple(self.frames[place] for place in chosen)
        return ScoredFrames(self.lexicon, frames, self.words, self.values[chosen])

    def columns(self, axis: str, group: str) -> list[int]:
        """Where the terms of a group stand."""
        return [at for at, term in enumerate(self.lexicon.terms) if term.groups.get(axis) == group]


def scorer_named(name: str) -> Scorer:
    """A scorer that comes with the instrument.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in SCORERS:
        raise InputError(Fault(f"no such scorer {name!r}", "", nearest(name, SCORERS)))
    return SCORERS[name]


def audit_scorer(name: str, scorer: Scorer | None = None, frames: FrameSet | None = None) -> dict[str, Any]:
    """A scorer's own audit, as plain data that JSON can hold.

    Parameters
    ----------
    name : str
        Of a scorer that comes with the instrument, or what to call ``scorer``.
    scorer : callable, optional
        Another scorer, from -1 to 1.
    frames : FrameSet, optional
        Sentences and lexicons; those that ship by default.

    Returns
    -------
    dict
        ``identity``: what the audit depends on, None for another scorer or other frames; ``axes``: groups,
        contrasts, largest gaps and worst terms of every axis; ``kinds``: what the scorer makes of each kind
        of frame; ``robustness``: spelling that should change nothing; ``length``: text
        that says nothing, added.

    Raises
    ------
    InputError
        If there is no such scorer, or it gives something that is no number from -1 to 1.
    """
    score = scorer or scorer_named(name)
    asked = frames or load_frames()
    scored = [score_lexicon(name, score, asked, lexicon) for lexicon in asked.lexicons.values()]
    return {
        "scorer": name,
        "identity": None if scorer or frames else scorer_identity(name, asked),
        "frames": {"id": asked.id, "version": asked.version, "digest": asked.digest},
        "alpha": ALPHA,
        "notable": NOTABLE,
        "texts": sum(int(each.values.size) for each in scored),
        "counts": {kind: len(asked.of_kind(kind)) for kind in FRAME_KINDS},
        "axes": [axis_record(name, each, axis) for each in scored for axis in each.lexicon.axes],
        "kinds": kinds_record(asked, np.concatenate([each.values for each in scored], axis=1)),
        "robustness": robustness_record(asked, score),
        "length": length_record(asked, score),
    }


def score_lexicon(name: str, score: Scorer, asked: FrameSet, lexicon: Lexicon) -> ScoredFrames:
    """Every term of a lexicon in every frame, scored."""
    words = tuple(asked.word(term) for term in lexicon.terms)
    values = np.array([[score(frame.fill(word)) for word in words] for frame in asked.frames], dtype=float)
    wrong = np.argwhere(~((values >= -1.0) & (values <= 1.0)))
    if wrong.size:
        frame, word = wrong[0]
        text = asked.frames[frame].fill(words[word])
        what = f"the scorer {name!r} gives {values[frame, word]} for {text!r}"
        raise InputError(Fault(what, "", "A scorer gives a number from -1 to 1 for every text."))
    return ScoredFrames(lexicon, asked.frames, words, values)


def axis_record(name: str, scored: ScoredFrames, axis: str) -> dict[str, Any]:
    """One axis of one lexicon: every group by itself, against the rest, and the largest gap."""
    known_axis = scored.lexicon.axes[axis]
    groups = list(known_axis.groups)
    neutral = scored.of_kind("neutral")
    return {
        "axis": axis,
        "label": known_axis.label,
        "lexicon": scored.lexicon.id,
        "groups": [
            {"group": group, "label": known_axis.groups[group], **group_record(neutral, axis, group)}
            for group in groups
        ],
        "contrasts": {kind: contrasts(name, scored.of_kind(kind), axis, kind) for kind in COMPARED},
        "gap": {kind: largest_gap(scored.of_kind(kind), axis) for kind in COMPARED},
        "worst_terms": worst_terms(scored, axis),
    }


def group_record(neutral: ScoredFrames, axis: str, group: str) -> dict[str, Any]:
    """What the neutral sentences about one group are called; every share above 0 is the scorer's error."""
    table = neutral.values[:, neutral.columns(axis, group)]
    return {
        "terms": table.shape[1],
        "n": int(table.size),
        "called_negative": share((table <= -NOTABLE).astype(float)),
        "called_positive": share((table >= NOTABLE).astype(float)),
        "mean": mean_score(table),
    }


def layout_of(terms: Sequence[Term], axis: str) -> str:
    """How the terms of an axis relate to its groups, as suites say it."""
    groups = [term.groups[axis] for term in terms]
    if len(set(groups)) == len(groups):
        return "fixed"
    return "paired" if all(term.pair for term in terms) else "nested"


def score_rows(scored: ScoredFrames, axis: str) -> tuple[pd.DataFrame, str]:
    """The scores of an axis as rows that contrasts are made from, and how its terms relate to groups."""
    placed = [(at, term) for at, term in enumerate(scored.lexicon.terms) if axis in term.groups]
    rows = [
        {
            "template": frame.id,
            "family": frame.id,
            "term": term.id,
            "pair": term.pair,
            "factor": "samples",
            "unit": "0",
            "group": term.groups[axis],
            "value": float(scored.values[number, at]),
        }
        for number, frame in enumerate(scored.frames)
        for at, term in placed
    ]
    return pd.DataFrame(rows).astype({"pair": object}), layout_of([term for _, term in placed], axis)


def contrasts(name: str, scored: ScoredFrames, axis: str, kind: str) -> list[dict[str, Any]]:
    """Every group against the rest, frames as clusters, corrected for the number of groups.

    Of two groups one contrast says all.
    """
    labels = scored.lexicon.axes[axis].groups
    groups = list(labels)
    if len(groups) < 2:
        return []
    reference = REST if len(groups) > 2 else groups[1]
    tested = groups if len(groups) > 2 else groups[:1]
    rows, layout = score_rows(scored, axis)
    comparer = Comparer(rows, reference, layout)
    family = [hypothesis(f"{name}/{axis}/{kind}", axis, (group, reference), layout) for group in tested]
    cells = [comparer.cells(group) for group in tested]
    found = [estimate(each) for each in cells]
    adjusted = corrected(family, cells, found, Setting(ALPHA, SEED, {}, {"confirmatory": "max-t"}))
    return [
        {
            "group": group,
            "label": labels[group],
            "reference": reference,
            **told(contrast, 1 - ALPHA, each.p),
            "correction": each.method,
            "m": each.m,
        }
        for group, contrast, each in zip(tested, found, adjusted, strict=True)
    ]


def hypothesis(family: str, axis: str, sides: tuple[str, str], layout: str) -> Hypothesis:
    """That a scorer rates sentences about a group as it rates those about its reference."""
    group, reference = sides
    return Hypothesis(
        id=f"{family}={group}",
        family=family,
        model="",
        suite="",
        contrast=axis,
        axis=axis,
        group=group,
        reference=reference,
        layout=layout,
        role="confirmatory",
        claim="",
        group_label=group,
        reference_label=reference,
    )


def told(contrast: Contrast | Undefined, level: float, p_adjusted: float | None) -> dict[str, Any]:
    """A contrast as plain data, and what it says of the group: ``higher``, ``lower`` or ``inconclusive``."""
    if isinstance(contrast, Undefined) or p_adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value"
        return {**undefined(reason), "p": None, "p_adjusted": None, "states": None}
    low, high = contrast.ci(level)
    states = "inconclusive"
    if p_adjusted < ALPHA and not low <= 0.0 <= high:
        states = "higher" if contrast.estimate > 0 else "lower"
    return {
        **known(contrast, (low, high), level),
        "p": contrast.p_value(),
        "p_adjusted": p_adjusted,
        "states": states,
    }


def largest_gap(scored: ScoredFrames, axis: str) -> dict[str, Any]:
    """The two groups whose mean scores lie farthest apart.

    The pair was picked because it is far apart, so its p-value and interval are Bonferroni's over all pairs
    of the axis (Dunn 1961, JASA 56, 52-64).
    """
    labels = scored.lexicon.axes[axis].groups
    means = {group: float(scored.values[:, scored.columns(axis, group)].mean()) for group in labels}
    pairs = math.comb(len(labels), 2)
    nobody = {"higher": None, "lower": None, "pairs": pairs}
    if pairs == 0:
        return {**nobody, **told(Undefined("there is one group"), 1 - ALPHA, None)}
    lower, higher = max(combinations(labels, 2), key=lambda pair: abs(means[pair[0]] - means[pair[1]]))
    if means[lower] > means[higher]:
        lower, higher = higher, lower
    rows, layout = score_rows(scored, axis)
    found = estimate(Comparer(rows, lower, layout).cells(higher))
    p = None if isinstance(found, Undefined) else min(1.0, pairs * found.p_value())
    sides = {"higher": higher, "lower": lower} if means[higher] - means[lower] > NOTHING else {}
    return {**nobody, **sides, **told(found, 1 - ALPHA / pairs, p)}


def worst_terms(scored: ScoredFrames, axis: str) -> list[dict[str, Any]]:
    """The terms whose sentences lie farthest from the same sentences with the other terms of the axis.

    ``departure``: mean over the frames of a kind of the term's score minus the mean of the others. Terms that
    depart by nothing are left out.
    """
    placed = [at for at, term in enumerate(scored.lexicon.terms) if axis in term.groups]
    if len(placed) < 2:
        return []
    found: list[dict[str, Any]] = []
    for kind in COMPARED:
        part = scored.of_kind(kind)
        values = part.values[:, placed]
        others = (values.sum(axis=1, keepdims=True) - values) / (len(placed) - 1)
        apart = values - others
        for column, at in enumerate(placed):
            departure = float(apart[:, column].mean())
            if abs(departure) < NOTHING:
                continue
            order = np.argsort(-np.abs(apart[:, column]), kind="stable")[:SHOWN_SENTENCES]
            term = scored.lexicon.terms[at]
            found.append(
                {
                    "term": term.id,
                    "word": part.words[at],
                    "group": term.groups[axis],
                    "kind": kind,
                    "mean": float(values[:, column].mean()),
                    "departure": departure,
                    "sentences": [
                        {
                            "text": part.frames[row].fill(part.words[at]),
                            "score": float(values[row, column]),
                            "others": float(others[row, column]),
                        }
                        for row in order
                    ],
                }
            )
    return sorted(found, key=lambda row: -abs(row["departure"]))[:SHOWN_TERMS]
