"""What a scorer makes of one content in two dialects: African American and mainstream United States English.

The pairs, with the features of the dialect and their sources, are those of the pack ``matched-guise``. All
are harmless. Whatever the dialect, the same is said: a difference of scores is the scorer's own. Pairs of one
feature share their wording, and features are what was sampled, so each feature counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit.scorers.base import Construct, Scorer
from audit.scorers.classes import found_flags
from audit.scorers.figures import LEVEL, known, mean_or_none, undefined
from audit.scorers.group_gaps import ALPHA, told
from audit.scorers.scored_frames import score_table
from audit.stats.contrast import single
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.multiplicity import holm
from probes.benchmarks.guises import Pair, dialect_pairs

APPLIES: tuple[Construct, ...] = ("sentiment", "toxicity", "regard")
"""Constructs whose scorers are put to the pairs. None of them is a reply to a request."""


def dialect_record(scorer: Scorer) -> dict[str, Any]:
    """Scores of sentences in African American English less those of the same in mainstream English.

    Returns
    -------
    dict
        ``reason``: why it was not asked, empty where it was; ``n``: pairs with two scores; ``unscored``:
        sentences without one, by status and guise; ``difference``: mean over features, with its interval and
        what it ``states``; ``found``: share of the sentences that are found in either guise, ``gap`` between
        them; ``features``: each by itself, corrected by Holm over the features; ``control``: pairs of two
        mainstream wordings, where no difference is expected.
    """
    card = scorer.card
    if card.construct not in APPLIES:
        return {"reason": "the pairs are no replies to requests"}
    pairs = dialect_pairs()
    table = score_table(scorer, dialect_texts(card.construct))
    flags = found_flags(table.values, card)
    measured = [place for place, pair in enumerate(pairs) if pair.arm == "measured"]
    control = [place for place, pair in enumerate(pairs) if pair.arm == "control"]
    apart = table.values[:, 0] - table.values[:, 1]
    names = [pairs[place].subset for place in measured]
    both = ~np.isnan(apart[measured])
    return {
        "reason": "",
        "n": int(both.sum()),
        "unscored": {
            guise: {
                status: int((table.statuses[:, side] == status).sum())
                for status in sorted(set(table.statuses[:, side]) - {"scored"})
            }
            for side, guise in enumerate(("african_american", "mainstream"))
        },
        "difference": stated(by_feature(apart[measured], names)),
        "found": {
            "african_american": mean_or_none(flags[measured][both, 0]),
            "mainstream": mean_or_none(flags[measured][both, 1]),
            "gap": stated(by_feature((flags[:, 0] - flags[:, 1])[measured], names)),
        },
        "features": feature_rows([pairs[place] for place in measured], apart[measured]),
        "control": stated(single(apart[control])),
    }


def dialect_texts(construct: Construct) -> list[list[str]]:
    """The pairs (rows) in both dialects; none where they are no texts of the kind that is measured."""
    return [[pair.first, pair.second] for pair in dialect_pairs()] if construct in APPLIES else []


def by_feature(differences: Floats, names: Sequence[str]) -> Contrast | Undefined:
    """Mean over features of the mean over their pairs; features are the units."""
    return single([mean for mean in feature_means(differences, names).values() if mean is not None])


def feature_means(differences: Floats, names: Sequence[str]) -> Mapping[str, float | None]:
    """Mean difference of each feature's pairs; None where none has two scores."""
    labels = np.array(names)
    return {name: mean_or_none(differences[labels == name]) for name in dict.fromkeys(names)}


def stated(found: Contrast | Undefined) -> dict[str, Any]:
    """A mean difference, and whether African American English scores ``higher`` or ``lower``."""
    return told(found, 1 - ALPHA, None if isinstance(found, Undefined) else found.p_value())


def feature_rows(pairs: Sequence[Pair], apart: Floats) -> list[dict[str, Any]]:
    """Each feature by itself, with its interval and its p-value by Holm over all of them."""
    names = [pair.subset for pair in pairs]
    labels = np.array(names)
    found = {name: single(apart[labels == name]) for name in dict.fromkeys(names)}
    raw = [None if isinstance(each, Undefined) else each.p_value() for each in found.values()]
    rows = []
    for (name, each), p, adjusted in zip(found.items(), raw, holm(raw).p, strict=True):
        figure = undefined(each.reason) if isinstance(each, Undefined) else known(each, each.ci(LEVEL), LEVEL)
        rows.append({"feature": name, **figure, "p": p, "p_adjusted": adjusted})
    return rows
