"""How far two scorers say the same of the same texts.

What they say is compared text by text: by rank, because scorers do not use their range alike, and by class,
each scorer's by its own card: negative, neutral or positive where its scale has two sides, else found or not
(toxic or not, a refusal or not). Where only one of two has a scale of two sides, both are read as found or
not. That two scorers agree makes neither of them right; that they disagree says that a contrast may hang on
which of them reads.

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
from audit.scorers.classes import Codes, Reading, class_names, found_flags, outward, text_classes, two_sided
from audit.scorers.figures import LEVEL
from audit.stats.agreement import cohen_kappa
from audit.stats.clustered import Rows, cluster_jackknife
from audit.stats.estimate import Floats, Undefined, critical_t
from probes.errors import Fault, InputError

EXAMPLES = 5
"""Texts shown on which two scorers contradict each other."""

Statistic = Callable[[Floats, Floats], float | Undefined]
Readings = tuple[Reading, Reading]


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


def agreement(frame: pd.DataFrame, scorers: Sequence[Reading], examples: int = EXAMPLES) -> dict[str, Any]:
    """What every pair of scorers says of the same texts.

    Parameters
    ----------
    frame : DataFrame
        Rows of the score table: ``value`` holds the first scorer's numbers, ``value:<scorer>`` those of the
        others, NaN where there is none; ``family`` the template family. With a ``group`` column, as
        ``estimates.axis_rows`` gives it, every group is told apart as well.
    scorers : sequence of ScorerCard or PlannedScorer
        The measure's scorers, the primary one first.
    examples : int
        How many texts of contradicting classes to name, those farthest apart first.

    Returns
    -------
    dict
        ``pairs``: one entry a pair with ``scorers``, ``classes``, ``overall``, ``groups`` (by group) and
        ``opposite`` (index labels of ``frame`` with both scores). See :func:`compared`.

    Raises
    ------
    InputError
        If the measure has no two scorers, or the frame lacks a column of one.
    """
    if len(scorers) < 2:
        what = f"{len(scorers)} scorer(s), where agreement needs two"
        raise InputError(Fault(what, "", "Choose a contrast of generated text."))
    columns = {
        each.name: "value" if place == 0 else scorer_column(each.name) for place, each in enumerate(scorers)
    }
    lacking = [name for name, column in columns.items() if column not in frame]
    if lacking:
        what = f"the scorer {lacking[0]} was not used on these answers"
        raise InputError(Fault(what, "", "Analyze the bundle again with this version."))
    return {
        "scorers": [each.name for each in scorers],
        "pairs": [
            one_pair(frame, (one, other), (columns[one.name], columns[other.name]), examples)
            for one, other in combinations(scorers, 2)
        ],
    }


def one_pair(
    frame: pd.DataFrame, readings: Readings, columns: tuple[str, str], examples: int
) -> dict[str, Any]:
    """Two scorers on all texts and on those of each group."""
    groups = {} if "group" not in frame else {str(g): rows for g, rows in frame.groupby("group", sort=False)}
    return {
        "scorers": [reading.name for reading in readings],
        "classes": [list(names) for names in class_labels(readings)],
        "overall": compared(frame, readings, columns),
        "groups": {group: compared(rows, readings, columns) for group, rows in groups.items()},
        "opposite": opposite(frame, readings, columns, examples),
    }


def both_sided(readings: Readings) -> bool:
    """Whether the scales of both scorers have two sides, so that their texts have three classes."""
    return all(two_sided(reading) for reading in readings)


def class_labels(readings: Readings) -> list[tuple[str, ...]]:
    """The classes of each scorer's texts in a comparison of the two, what it is there to find first."""
    if both_sided(readings):
        return [class_names(reading) for reading in readings]
    return [(reading.found, f"not {reading.found}") for reading in readings]


def codes_of(one: Floats, other: Floats, readings: Readings) -> tuple[Codes, Codes]:
    """The classes of two scorers' numbers, none missing, as indices of :func:`class_labels`."""
    if both_sided(readings):
        return text_classes(one, readings[0]), text_classes(other, readings[1])
    first, second = (
        (1 - found_flags(values, reading)).astype(np.int8)
        for values, reading in zip((one, other), readings, strict=True)
    )
    return first, second


def compared(frame: pd.DataFrame, readings: Readings, columns: tuple[str, str]) -> dict[str, Any]:
    """Two scorers on one set of texts.

    Returns
    -------
    dict
        ``n`` texts that both scored, ``n_one_only`` that one of them did not; ``spearman`` (-1 to 1, 0: no
        rank of one tells that of the other; turned so that 1 is agreement), ``class_agreement`` (share of
        the same class, 0 to 1) and ``kappa`` (-1 to 1, 0: as much as their own shares of classes would give
        by chance), each a :class:`Figure`; ``table``: texts by class of the first (rows) and of the second
        scorer; ``n_opposite``: texts that one calls negative and the other positive, or that one finds and
        the other does not.
    """
    one, other = (frame[column].to_numpy(dtype=float) for column in columns)
    both = ~np.isnan(one) & ~np.isnan(other)
    clusters = pd.factorize(frame["family"].to_numpy(dtype=object)[both])[0]
    codes = codes_of(one[both], other[both], readings)
    pair = (codes[0].astype(np.float64), codes[1].astype(np.float64))
    last = len(class_labels(readings)[0]) - 1
    kappa: Statistic = lambda a, b: kappa_of_classes(a, b, last + 1)  # noqa: E731
    turned = tuple(outward(v[both], r) for v, r in zip((one, other), readings, strict=True))
    return {
        "n": int(both.sum()),
        "n_one_only": int((np.isnan(one) != np.isnan(other)).sum()),
        "spearman": asdict(figure(turned[0], turned[1], clusters, spearman)),
        "class_agreement": asdict(figure(*pair, clusters, class_agreement)),
        "kappa": asdict(figure(*pair, clusters, kappa)),
        "table": class_table(*pair, last + 1).astype(int).tolist(),
        "n_opposite": int((np.abs(pair[0] - pair[1]) == last).sum()),
    }


FARTHEST = 100.0
"""Largest logarithm of a factor: beyond it an interval reaches from -1 to 1."""


def figure(one: Floats, other: Floats, clusters: npt.NDArray[np.intp], statistic: Statistic) -> Figure:
    """A statistic of two scorers' numbers with its interval, one family left out at a time.

    See ``audit.stats.clustered.cluster_jackknife``; here on the scale of a logarithm.

    Notes
    -----
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11, families in place of
    observations; Student's t with one degree of freedom less than there are families, on the scale of the
    logarithm of 1 less the statistic: of kappa that is the disagreement found over that by chance. Cut at -1.

    Measured for kappa (6 to 24 families of 20 to 56 texts, 2 to 40 % found, kappa .22 to .83, 400 sets each):
    coverage of the 95 % interval .93 to .98; on the plain scale .91 to .95, too high where few are found.
    """
    found = statistic(one, other)
    count = int(np.unique(clusters).size)
    if isinstance(found, Undefined):
        return Figure(None, None, None, int(one.size), count, reason=found.reason)

    def of_rows(rows: Rows) -> float:
        value = statistic(one[rows], other[rows])
        return math.nan if isinstance(value, Undefined) else value

    spread = cluster_jackknife(of_rows, clusters)
    reason = ""
    if isinstance(spread, Undefined):
        reason = f"no interval: {spread.reason}"
    elif spread.degenerate:
        reason = "no interval: the template families show no spread"
    if isinstance(spread, Undefined) or reason:
        return Figure(found, None, None, int(one.size), count, reason=reason)
    apart = 1.0 - found
    factor = math.exp(min(critical_t(spread.df, 1.0 - LEVEL) * spread.se / apart, FARTHEST))
    low, high = max(-1.0, 1.0 - apart * factor), 1.0 - apart / factor
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
    """Share of texts that both put into the same class; classes as codes from 0."""
    if not one.size:
        return Undefined("no text that both scored")
    return float((one == other).mean())


def kappa_of_classes(one: Floats, other: Floats, count: int) -> float | Undefined:
    """Cohen's kappa of the classes of two scorers, codes from 0 below ``count``."""
    found = cohen_kappa(class_table(one, other, count))
    return found if isinstance(found, Undefined) else found.estimate


def class_table(one: Floats, other: Floats, count: int) -> Floats:
    """Counts by class: rows by the first scorer, columns by the second, what is found first."""
    cell = (count * one + other).astype(np.intp)
    counts: Floats = np.bincount(cell, minlength=count**2).reshape(count, count).astype(np.float64)
    return counts


def opposite(
    frame: pd.DataFrame, readings: Readings, columns: tuple[str, str], examples: int
) -> list[dict[str, Any]]:
    """The texts of contradicting classes that lie farthest apart: index labels of the frame and both scores.

    Distances are between places on each scorer's own scale, from one end to the other.
    """
    one, other = (frame[column].to_numpy(dtype=float) for column in columns)
    both = np.flatnonzero(~np.isnan(one) & ~np.isnan(other))
    first, second = codes_of(one[both], other[both], readings)
    last = len(class_labels(readings)[0]) - 1
    against = both[np.abs(first.astype(int) - second) == last]
    places = [along(values[against], r) for values, r in zip((one, other), readings, strict=True)]
    order = against[np.argsort(-np.abs(places[0] - places[1]), kind="stable")][:examples]
    names = [reading.name for reading in readings]
    return [
        {"row": int(frame.index[place]), names[0]: float(one[place]), names[1]: float(other[place])}
        for place in order
    ]


def along(values: Floats, reading: Reading) -> Floats:
    """Where values lie between the ends of a scale, 0 to 1; 1 is most surely what is found."""
    low, high = reading.bounds
    share = (values - low) / (high - low)
    return 1.0 - share if reading.worse == "low" else share
