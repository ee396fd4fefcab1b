"""How far two scorers say the same of the same texts.

What they say is compared text by text: by rank, because scorers do not use their range alike, and by class
(negative, neutral, positive). That two scorers agree makes neither of them right; that they disagree says
that a contrast may hang on which of them reads.

Texts are not independent: those of one template family stay together wherever an interval is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from audit.measures import scorer_column
from audit.measures.readings import NOTABLE
from audit.stats.agreement import cohen_kappa
from audit.stats.estimate import ROUNDING, Floats, Undefined, critical_t
from probes.errors import Fault, InputError

CLASSES = ("negative", "neutral", "positive")
EXAMPLES = 5
"""Texts shown on which two scorers have opposite signs."""

Codes = npt.NDArray[np.int8]
Statistic = Callable[[Floats, Floats], float | Undefined]


@dataclass(frozen=True)
class Figure:
    """One number with its interval, or the reason why there is none.

    Attributes
    ----------
    estimate, lo, hi : float or None
        Bounds of level 0.95; None where there are too few template families for an interval.
    n, clusters : int
        Texts, and template families they come from.
    method : str
        How the interval was obtained; empty where there is none.
    reason : str
        Why the estimate or its interval is missing; empty where nothing is.
    """

    estimate: float | None
    lo: float | None
    hi: float | None
    n: int
    clusters: int
    method: str = ""
    reason: str = ""


def text_classes(values: Floats) -> Codes:
    """-1 for a negative text, 1 for a positive one, 0 for a neutral one; values must not be missing.

    Examples
    --------
    >>> text_classes(np.array([-0.05, 0.0, 0.6])).tolist()
    [-1, 0, 1]
    """
    codes: Codes = (values >= NOTABLE).astype(np.int8) - (values <= -NOTABLE).astype(np.int8)
    return codes


def agreement(frame: pd.DataFrame, scorers: Sequence[str], examples: int = EXAMPLES) -> dict[str, Any]:
    """What every pair of scorers says of the same texts.

    Parameters
    ----------
    frame : DataFrame
        Rows of the score table: ``value`` holds the first scorer's numbers, ``value:<scorer>`` those of the
        others, NaN where there is none; ``family`` the template family. With a ``group`` column, as
        ``estimates.axis_rows`` gives it, every group is told apart as well.
    scorers : sequence of str
        The measure's scorers, the primary one first.
    examples : int
        How many texts of opposite signs to name, those farthest apart first.

    Returns
    -------
    dict
        ``pairs``: one entry a pair with ``scorers``, ``overall``, ``groups`` (by group) and ``opposite``
        (index labels of ``frame`` with both scores). See :func:`compared`.

    Raises
    ------
    InputError
        If the measure has no two scorers, or the frame lacks a column of one.
    """
    if len(scorers) < 2:
        what = f"{len(scorers)} scorer(s), where agreement needs two"
        raise InputError(Fault(what, "", "Choose a contrast of generated text."))
    columns = {name: "value" if place == 0 else scorer_column(name) for place, name in enumerate(scorers)}
    lacking = [name for name, column in columns.items() if column not in frame]
    if lacking:
        what = f"the scorer {lacking[0]} was not used on these answers"
        raise InputError(Fault(what, "", "Analyze the bundle again with this version."))
    return {
        "scorers": list(scorers),
        "classes": list(CLASSES),
        "notable": NOTABLE,
        "pairs": [
            one_pair(frame, (one, other), (columns[one], columns[other]), examples)
            for one, other in combinations(scorers, 2)
        ],
    }


def one_pair(
    frame: pd.DataFrame, names: tuple[str, str], columns: tuple[str, str], examples: int
) -> dict[str, Any]:
    """Two scorers on all texts and on those of each group."""
    groups = {} if "group" not in frame else {str(g): rows for g, rows in frame.groupby("group", sort=False)}
    return {
        "scorers": list(names),
        "overall": compared(frame, columns),
        "groups": {group: compared(rows, columns) for group, rows in groups.items()},
        "opposite": opposite(frame, names, columns, examples),
    }


def compared(frame: pd.DataFrame, columns: tuple[str, str]) -> dict[str, Any]:
    """Two scorers on one set of texts.

    Returns
    -------
    dict
        ``n`` texts that both scored, ``n_one_only`` that one of them did not; ``spearman`` (-1 to 1, 0: no
        rank of one tells that of the other), ``class_agreement`` (share of the same class, 0 to 1) and
        ``kappa`` (-1 to 1, 0: as much as their own shares of classes would give by chance), each a
        :class:`Figure`; ``table``: texts by class of the first (rows) and of the second scorer;
        ``n_opposite``: texts that one calls negative and the other positive.
    """
    one, other = (frame[column].to_numpy(dtype=float) for column in columns)
    both = ~np.isnan(one) & ~np.isnan(other)
    clusters = pd.factorize(frame["family"].to_numpy(dtype=object)[both])[0]
    pair = (one[both], other[both])
    return {
        "n": int(both.sum()),
        "n_one_only": int((np.isnan(one) != np.isnan(other)).sum()),
        "spearman": asdict(figure(*pair, clusters, spearman)),
        "class_agreement": asdict(figure(*pair, clusters, class_agreement)),
        "kappa": asdict(figure(*pair, clusters, kappa_of_scores)),
        "table": class_table(*pair).astype(int).tolist(),
        "n_opposite": int((text_classes(pair[0]) * text_classes(pair[1]) < 0).sum()),
    }


def figure(one: Floats, other: Floats, clusters: npt.NDArray[np.intp], statistic: Statistic) -> Figure:
    """A statistic of two scorers' numbers with its delete-one-family jackknife interval.

    Notes
    -----
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11, families in place of
    observations; Student's t with one degree of freedom less than there are families. Cut at -1 and 1.
    """
    found = statistic(one, other)
    count = int(clusters.max()) + 1 if clusters.size else 0
    if isinstance(found, Undefined):
        return Figure(None, None, None, int(one.size), count, reason=found.reason)
    without = [statistic(one[clusters != code], other[clusters != code]) for code in range(count)]
    left = np.array([value for value in without if not isinstance(value, Undefined)])
    reason = ""
    if count < 2:
        reason = f"no interval: {count} template family"
    elif left.size < count:
        reason = "no interval: without one of the families there is no number"
    elif float(np.ptp(left)) <= ROUNDING:
        reason = "no interval: the template families show no spread"
    if reason:
        return Figure(found, None, None, int(one.size), count, reason=reason)
    se = math.sqrt((count - 1) / count * float(((left - left.mean()) ** 2).sum()))
    half = critical_t(count - 1, 0.05) * se
    low, high = max(-1.0, found - half), min(1.0, found + half)
    return Figure(found, low, high, int(one.size), count, "jackknife over template families")


def spearman(one: Floats, other: Floats) -> float | Undefined:
    """Rank correlation, ties at their mean rank.

    Source: Spearman (1904), American Journal of Psychology 15, 72-101.

    Examples
    --------
    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.4, 0.2])), 3)
    0.5
    """
    if one.size < 2:
        return Undefined(f"{one.size} text(s) that both scored")
    ranks = [rankdata(values) for values in (one, other)]
    if any(float(np.ptp(rank)) == 0.0 for rank in ranks):
        return Undefined("a scorer gives all texts the same score")
    a, b = (rank - rank.mean() for rank in ranks)
    # sums of products, and no matrix product: threads that are started for one cost more than they save
    shared, own, others = (float((one * two).sum()) for one, two in ((a, b), (a, a), (b, b)))
    return float(np.clip(shared / math.sqrt(own * others), -1.0, 1.0))


def class_agreement(one: Floats, other: Floats) -> float | Undefined:
    """Share of texts that both put into the same class."""
    if not one.size:
        return Undefined("no text that both scored")
    return float((text_classes(one) == text_classes(other)).mean())


def kappa_of_scores(one: Floats, other: Floats) -> float | Undefined:
    """Cohen's kappa of the classes of two scorers' numbers."""
    found = cohen_kappa(class_table(one, other))
    return found if isinstance(found, Undefined) else found.estimate


def class_table(one: Floats, other: Floats) -> Floats:
    """Counts by class: rows by the first scorer, columns by the second, from negative to positive."""
    cell = 3 * (text_classes(one).astype(int) + 1) + text_classes(other) + 1
    counts: Floats = np.bincount(cell, minlength=9).reshape(3, 3).astype(np.float64)
    return counts


def opposite(
    frame: pd.DataFrame, names: tuple[str, str], columns: tuple[str, str], examples: int
) -> list[dict[str, Any]]:
    """The texts of opposite classes that lie farthest apart: index labels of the frame and both scores."""
    one, other = (frame[column].to_numpy(dtype=float) for column in columns)
    both = np.flatnonzero(~np.isnan(one) & ~np.isnan(other))
    against = both[text_classes(one[both]) * text_classes(other[both]) < 0]
    order = against[np.argsort(-np.abs(one[against] - other[against]), kind="stable")][:examples]
    return [
        {"row": int(frame.index[place]), names[0]: float(one[place]), names[1]: float(other[place])}
        for place in order
    ]
