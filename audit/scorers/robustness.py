"""What moves a scorer besides what is said: spelling, disguise, length, denial, quotation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from audit.scorers.base import Scorer
from audit.scorers.classes import Reading, found_flags, opposite_flags, text_classes, two_sided
from audit.scorers.figures import mean_or_none, share
from audit.scorers.scored_frames import ScoredTexts, score_table
from audit.stats.estimate import Floats
from probes.frames import TRUTH, Frame, FrameKind, FrameSet

LONG = re.compile(r"\b[^\W\d_]{4,}\b")
"""Words in which letters are changed: short ones can hardly be read then."""
DIGITS = str.maketrans("aeio", "4310")
LOOKALIKES = str.maketrans({"a": "\N{CYRILLIC SMALL LETTER A}", "e": "\N{CYRILLIC SMALL LETTER IE}",
                            "o": "\N{CYRILLIC SMALL LETTER O}"})  # fmt: skip


def _within_words(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change of everything but the first letter of long words."""
    return lambda text: LONG.sub(lambda word: word[0][0] + change(word[0][1:]), text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "all in lower case": str.lower,
    "all in upper case": str.upper,
    "without the full stop": lambda text: text.removesuffix("."),
    "with an exclamation mark": lambda text: f"{text.removesuffix('.')}!",
    "with a space at the end": lambda text: f"{text} ",
}
"""Spellings that change nothing of what a sentence says of a person, by name."""

DISGUISES: dict[str, Callable[[str], str]] = {
    "with digits for vowels": _within_words(lambda word: word.translate(DIGITS)),
    "with a letter doubled": _within_words(lambda word: word[0] + word),
    "with look-alike letters": _within_words(lambda word: word.translate(LOOKALIKES)),
    "with its letters apart": _within_words(lambda word: "".join(f" {letter}" for letter in word)),
}
"""Spellings by which writers get past scorers, by name; people read them without effort.

Source: Gröndahl et al. 2018, "All You Need is Love: Evading Hate Speech Detection"; Röttger et al. 2021,
HateCheck, spelling variations."""

CHANGES = {**SPELLINGS, **DISGUISES}


def sample_words(asked: FrameSet) -> list[str]:
    """The first term of every axis, as it stands in a frame."""
    words = [
        asked.word(next(term for term in lexicon.terms if axis in term.groups))
        for lexicon in asked.lexicons.values()
        for axis in lexicon.axes
    ]
    return list(dict.fromkeys(words))


def kinds_record(asked: FrameSet, values: Floats, card: Reading, construct: str) -> dict[str, Any]:
    """What a scorer makes of each kind of frame, over all terms.

    Parameters
    ----------
    values : ndarray, shape (frames, terms)
        Scores of all frames of the set, NaN without one.

    Returns
    -------
    dict
        By kind ``truth``: what the sentences are by construction, None where readers would differ; ``n``:
        scored; ``found``, and on a scale of two sides ``opposite``: shares; ``frames``: each by itself.
    """
    record: dict[str, Any] = {}
    for kind, truth in TRUTH[construct].items():
        places = [place for place, frame in enumerate(asked.frames) if frame.kind == kind]
        own = values[places]
        found, opposite = found_flags(own, card), opposite_flags(own, card)
        sided = two_sided(card)
        record[kind] = {
            "truth": truth,
            "n": int((~np.isnan(own)).sum()),
            "found": share(found),
            "opposite": share(opposite) if sided else None,
            "frames": [
                {
                    "id": asked.frames[place].id,
                    "text": asked.frames[place].text,
                    "found": mean_or_none(found[row]),
                    "opposite": mean_or_none(opposite[row]) if sided else None,
                    "mean": mean_or_none(own[row]),
                }
                for row, place in enumerate(places)
            ],
        }
    return record


def filled(asked: FrameSet, frames: Sequence[Frame]) -> list[list[str]]:
    """Frames (rows) with the first term of every axis (columns)."""
    words = sample_words(asked)
    return [[frame.fill(word) for word in words] for frame in frames]


def changed_texts(texts: Sequence[Sequence[str]], change: Callable[[str], str]) -> list[list[str]]:
    """A table of texts, every one changed."""
    return [[change(text) for text in row] for row in texts]


def longer(asked: FrameSet) -> list[tuple[int, Callable[[str], str]]]:
    """How many sentences that say nothing are added, and what adds them."""
    tails = {count: " ".join(asked.padding[:count]) for count in sorted({1, len(asked.padding)})}
    return [(count, partial(lengthened, tail=tail)) for count, tail in tails.items()]


def lengthened(text: str, tail: str) -> str:
    """A text with more behind it."""
    return f"{text} {tail}"


def moved_texts(asked: FrameSet, frames: Sequence[Frame], kinds: Sequence[FrameKind]) -> list[list[str]]:
    """Everything that is scored to see what moves a scorer."""
    plain = filled(asked, frames)
    told = filled(asked, [frame for frame in frames if frame.kind in kinds])
    spelt = [row for change in CHANGES.values() for row in changed_texts(plain, change)]
    return [*plain, *spelt, *(row for _, lengthen in longer(asked) for row in changed_texts(told, lengthen))]


def robustness_record(asked: FrameSet, frames: Sequence[Frame], scorer: Scorer) -> list[dict[str, Any]]:
    """How many texts change their class with another spelling, one row a change.

    Over frames, each with the first term of every axis. ``lost``: of the texts that were found, the share
    that is not found any more. ``largest``: the text whose score moved farthest; None where none moved.
    """
    texts = filled(asked, frames)
    before = score_table(scorer, texts)
    rows = []
    for name, change in CHANGES.items():
        after = score_table(scorer, changed_texts(texts, change))
        kind = "spelling" if name in SPELLINGS else "disguise"
        rows.append({"change": name, "kind": kind, **moved(texts, before, after, scorer.card)})
    return rows


def length_record(
    asked: FrameSet, frames: Sequence[Frame], scorer: Scorer, kinds: Sequence[FrameKind]
) -> list[dict[str, Any]]:
    """What added sentences that say nothing do to the score, by kind and number of sentences."""
    rows = []
    for kind in kinds:
        texts = filled(asked, [frame for frame in frames if frame.kind == kind])
        before = score_table(scorer, texts)
        for count, lengthen in longer(asked):
            after = score_table(scorer, changed_texts(texts, lengthen))
            means = {
                "mean_before": mean_or_none(before.values),
                "mean_after": mean_or_none(after.values),
            }
            told = moved(texts, before, after, scorer.card)
            rows.append({"kind": kind, "sentences": count, **means, **told})
    return rows


def moved(
    texts: Sequence[Sequence[str]], before: ScoredTexts, after: ScoredTexts, card: Reading
) -> dict[str, Any]:
    """How many classes changed, how many finds were lost, and which score moved farthest."""
    one, other = before.values, after.values
    both = ~np.isnan(one) & ~np.isnan(other)
    changed = np.full(one.shape, np.nan)
    changed[both] = text_classes(one[both], card) != text_classes(other[both], card)
    found = found_flags(one, card)
    lost = np.where(both & (found == 1.0), 1.0 - found_flags(other, card), np.nan)
    distance = np.where(both, np.abs(other - one), 0.0)
    row, column = (int(place) for place in np.unravel_index(int(distance.argmax()), distance.shape))
    farthest = {
        "text": texts[row][column],
        "before": float(one[row, column]),
        "after": float(other[row, column]),
    }
    return {
        "n": int(both.sum()),
        "unscored": after.unscored,
        "changed": share(changed),
        "lost": share(lost),
        "largest": farthest if distance[row, column] > 0.0 else None,
    }
