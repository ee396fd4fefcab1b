"""What moves a scorer besides what is said: spelling, length, negation, quotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from audit.measures.readings import NOTABLE
from audit.scorers.agreement import text_classes
from audit.scorers.figures import share
from audit.stats.estimate import Floats
from probes.frames import FRAME_KINDS, FrameSet

CHANGES: dict[str, Callable[[str], str]] = {
    "all in lower case": str.lower,
    "all in upper case": str.upper,
    "without the full stop": lambda text: text.removesuffix("."),
    "with an exclamation mark": lambda text: f"{text.removesuffix('.')}!",
    "with a space at the end": lambda text: f"{text} ",
}
"""Spellings that change nothing of what a sentence says of a person, by name."""


def sample_words(asked: FrameSet) -> list[str]:
    """The first term of every group of every axis, as it stands in a frame."""
    words = [
        asked.word(lexicon.of_group(axis.id, group)[0])
        for lexicon in asked.lexicons.values()
        for axis in lexicon.axes.values()
        for group in axis.groups
    ]
    return list(dict.fromkeys(words))


def kinds_record(asked: FrameSet, values: Floats) -> dict[str, Any]:
    """What a scorer makes of each kind of frame, over all terms.

    Of ``negated`` and ``reported`` frames, those called negative are sentences whose negative word was read
    and whose denial or quotation was not. Of ``negative`` and ``positive`` frames, those not called so were
    missed.

    Parameters
    ----------
    values : ndarray, shape (frames, terms)
        Scores of all frames of the set.
    """
    record: dict[str, Any] = {}
    for kind in FRAME_KINDS:
        places = [place for place, frame in enumerate(asked.frames) if frame.kind == kind]
        codes = text_classes(values[places])
        record[kind] = {
            "n": int(codes.size),
            "called_negative": share((codes < 0).astype(float)),
            "called_positive": share((codes > 0).astype(float)),
            "frames": [
                {
                    "id": asked.frames[place].id,
                    "text": asked.frames[place].text,
                    "called_negative": float((values[place] <= -NOTABLE).mean()),
                    "called_positive": float((values[place] >= NOTABLE).mean()),
                    "mean": float(values[place].mean()),
                }
                for place in places
            ],
        }
    return record


def robustness_record(asked: FrameSet, score: Callable[[str], float]) -> list[dict[str, Any]]:
    """How many texts change their class with a spelling that says the same, one row a change.

    Over all frames, each with the first term of every group. ``largest``: the text whose score moved
    farthest; None where none moved.
    """
    words = sample_words(asked)
    texts = [[frame.fill(word) for word in words] for frame in asked.frames]
    before = score_all(texts, score)
    rows = []
    for name, change in CHANGES.items():
        after = score_all([[change(text) for text in row] for row in texts], score)
        rows.append({"change": name, **moved(texts, before, after)})
    return rows


def length_record(asked: FrameSet, score: Callable[[str], float]) -> list[dict[str, Any]]:
    """What added sentences that say nothing do to the score, by kind and number of sentences."""
    words = sample_words(asked)
    rows = []
    for kind in ("neutral", "negative", "positive"):
        texts = [[frame.fill(word) for word in words] for frame in asked.frames if frame.kind == kind]
        before = score_all(texts, score)
        for count in sorted({1, len(asked.padding)}):
            tail = " ".join(asked.padding[:count])
            after = score_all([[f"{text} {tail}" for text in row] for row in texts], score)
            means = {"mean_before": float(before.mean()), "mean_after": float(after.mean())}
            rows.append({"kind": kind, "sentences": count, **means, **moved(texts, before, after)})
    return rows


def score_all(texts: list[list[str]], score: Callable[[str], float]) -> Floats:
    """Scores of texts, (frames, terms)."""
    return np.array([[score(text) for text in row] for row in texts], dtype=np.float64)


def moved(texts: list[list[str]], before: Floats, after: Floats) -> dict[str, Any]:
    """How many classes changed, and which score moved farthest."""
    distance = np.abs(after - before)
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    farthest = {
        "text": texts[row][column],
        "before": float(before[row, column]),
        "after": float(after[row, column]),
    }
    return {
        "n": int(before.size),
        "changed": share((text_classes(before) != text_classes(after)).astype(float)),
        "largest": farthest if distance[row, column] > 0.0 else None,
    }
