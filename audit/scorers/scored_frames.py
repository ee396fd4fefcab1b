"""Sentences put to a scorer: what each is worth, and why some have no value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.scorers.base import Scorer
from audit.stats.estimate import Floats
from probes.errors import Fault, InputError
from probes.frames import Frame, FrameKind, FrameSet
from probes.lexicon import Lexicon

Statuses = npt.NDArray[np.str_]
ROUNDING = 1e-6
"""How far a score may lie outside a card's bounds, as a share of their width: rounding of networks."""


@dataclass(frozen=True)
class ScoredTexts:
    """What a scorer makes of a table of texts.

    ``values``: score units, NaN without one; ``statuses``: as of ``audit.scores``. Both have the shape of the
    texts, (frames, terms).
    """

    values: Floats
    statuses: Statuses

    @property
    def unscored(self) -> dict[str, int]:
        """How many texts have no value, by status."""
        return dict(sorted(Counter(self.statuses[self.statuses != "scored"].tolist()).items()))


def score_table(scorer: Scorer, texts: Sequence[Sequence[str]]) -> ScoredTexts:
    """A table of texts, scored together.

    Raises
    ------
    InputError
        If a score lies outside the bounds of the scorer's card, with the text.
    """
    flat = [text for row in texts for text in row]
    shape = (len(texts), len(texts[0]) if texts else 0)
    found = scorer.score(flat)
    card = scorer.card
    low, high = card.bounds
    slack = ROUNDING * (high - low)
    for text, score in zip(flat, found, strict=True):
        if score.value is not None and not low - slack <= score.value <= high + slack:
            what = f"the scorer {card.name!r} gives {score.value} for {text!r}"
            raise InputError(Fault(what, "", f"By its card it gives a number from {low:g} to {high:g}."))
    values = [np.nan if score.value is None else score.value for score in found]
    return ScoredTexts(
        np.array(values, dtype=np.float64).reshape(shape),
        np.array([score.status for score in found], dtype=np.str_).reshape(shape),
    )


@dataclass(frozen=True)
class ScoredFrames:
    """What a scorer makes of every term of a lexicon in every frame.

    ``values`` has shape (frames, terms), score units, NaN without one; ``statuses`` too.
    """

    lexicon: Lexicon
    frames: tuple[Frame, ...]
    words: tuple[str, ...]
    values: Floats
    statuses: Statuses

    def of_kind(self, kind: FrameKind) -> ScoredFrames:
        """The frames of one kind."""
        return self.of_kinds((kind,))

    def of_kinds(self, kinds: Sequence[FrameKind]) -> ScoredFrames:
        """The frames of some kinds, in the order of the set."""
        chosen = [place for place, frame in enumerate(self.frames) if frame.kind in kinds]
        frames = tuple(self.frames[place] for place in chosen)
        return ScoredFrames(self.lexicon, frames, self.words, self.values[chosen], self.statuses[chosen])

    def columns(self, axis: str, group: str) -> list[int]:
        """Where the terms of a group stand."""
        return [at for at, term in enumerate(self.lexicon.terms) if term.groups.get(axis) == group]


def frame_words(asked: FrameSet) -> list[tuple[str, ...]]:
    """The terms of each lexicon as they stand in a frame."""
    return [tuple(asked.word(term) for term in lexicon.terms) for lexicon in asked.lexicons.values()]


def frame_texts(asked: FrameSet) -> list[list[str]]:
    """Every frame (rows) with the terms of all lexicons (columns)."""
    every = [word for own in frame_words(asked) for word in own]
    return [[frame.fill(word) for word in every] for frame in asked.frames]


def score_frames(scorer: Scorer, asked: FrameSet) -> list[ScoredFrames]:
    """Every term of every lexicon in every frame; all texts go to the scorer at once."""
    words = frame_words(asked)
    table = score_table(scorer, frame_texts(asked))
    ends = np.cumsum([len(own) for own in words])[:-1]
    return [
        ScoredFrames(lexicon, asked.frames, own, values, statuses)
        for lexicon, own, values, statuses in zip(
            asked.lexicons.values(),
            words,
            np.split(table.values, ends, axis=1),
            np.split(table.statuses, ends, axis=1),
            strict=True,
        )
    ]
