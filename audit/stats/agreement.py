"""How far two people, or a person and a scorer, give the same labels to the same responses.

All of it takes responses as independent of each other. Responses that share a template or a term are not,
and their intervals are then too short.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import ROUNDING, Floats, Undefined, check_fraction
from audit.stats.intervals import Interval, normal_quantile, wilson

Counts = npt.NDArray[np.int64]

SMALLEST_N = 2
"""Responses that agreement beyond chance needs."""


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance, with its large-sample uncertainty.

    Parameters
    ----------
    estimate : float
        In [-1, 1]: 1 is perfect agreement, 0 is what chance gives by the two raters' own shares of labels,
        below 0 is worse than chance.
    se : float
        Its standard error, >= 0.
    lo, hi : float or None
        Bounds within [-1, 1]; None where the standard error is 0, and then `reason` says so.
    level : float
        Coverage, in (0, 1).
    n : int
        Responses labelled by both.
    observed, expected : float
        Agreement found, and agreement to expect by chance, in [0, 1]; weighted where labels are ordered.
    method : str
        How it was obtained.
    reason : str
        Why there are no bounds; empty where there are.

    Examples
    --------
    >>> kappa = cohen_kappa([[20, 5], [10, 15]])
    >>> round(kappa.estimate, 3), kappa.n, kappa.observed, kappa.expected
    (0.4, 50, 0.7, 0.5)
    """

    estimate: float
    se: float
    lo: float | None
    hi: float | None
    level: float
    n: int
    observed: float
    expected: float
    method: str
    reason: str = ""


def agreement_table(first: Sequence[str], second: Sequence[str], labels: Sequence[str]) -> Counts:
    """Count the responses by both raters' labels.

    Parameters
    ----------
    first, second : sequence of str, length n
        The labels of each rater, response by response.
    labels : sequence of str
        Every label that could be given, in order.

    Returns
    -------
    ndarray of int, shape (labels, labels)
        Rows are the first rater's labels, columns the second's.

    Raises
    ------
    ValueError
        If the columns differ in length, a label occurs twice in `labels` or one is not in it.

    Examples
    --------
    >>> agreement_table(["a", "b", "a"], ["a", "b", "b"], ["a", "b"]).tolist()
    [[1, 1], [0, 1]]
    """
    if len(first) != len(second):
        raise ValueError(f"labels of {len(first)} and of {len(second)} responses; each needs both raters'")
    place = {label: number for number, label in enumerate(labels)}
    if len(place) != len(labels):
        raise ValueError(f"a label occurs twice: {', '.join(labels)}")
    unknown = sorted({*first, *second} - place.keys())
    if unknown:
        raise ValueError(f"not among the labels: {', '.join(unknown)}")
    table = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1
    return table


def cohen_kappa(
    table: npt.ArrayLike, level: float = 0.95, weights: Literal["none", "linear"] = "none"
) -> Kappa | Undefined:
    """Cohen's kappa of two raters.

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        Responses by the first rater's label (rows) and the second's (columns), in the order of the labels.
    level : float
        Coverage, in (0, 1).
    weights : {"none", "linear"}
        ``linear``, for ordered labels: labels i and j agree by 1 - abs(i - j) / (k - 1).

    Returns
    -------
    Kappa or Undefined
        (observed - expected) / (1 - expected). Undefined with fewer than two responses, and where both
        raters gave one and the same label throughout: chance alone would make them agree.

    Raises
    ------
    ValueError
        If the table is not square with two labels or more, or a count is negative or not whole, or `level` is
        not in (0, 1).

    Notes
    -----
    Source: Cohen (1960), Educational and Psychological Measurement 20, 37-46; weighted: Cohen (1968),
    Psychological Bulletin 70, 213-220. Standard error where kappa may be anything: Fleiss, Cohen and Everitt
    (1969), Psychological Bulletin 72, 323-327; the unweighted one is that of weights 1 on the diagonal and 0
    elsewhere. Bounds are estimate ± z se, cut at -1 and 1.

    Examples
    --------
    >>> kappa = cohen_kappa([[44, 5, 1], [7, 20, 3], [9, 5, 6]])
    >>> round(kappa.estimate, 4), round(kappa.lo, 4), round(kappa.hi, 4)
    (0.4915, 0.3502, 0.6329)
    """
    counts = square(table)
    check_fraction("level", level)
    agree = agreement_weights(len(counts), weights)
    n = int(counts.sum())
    if n < SMALLEST_N:
        return Undefined(f"{n} responses labelled by both; {SMALLEST_N} are needed")
    if one_label(counts):
        return Undefined("both raters gave one and the same label throughout")
    share = counts / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    # In whole numbers, so that raters who agree as by chance get exactly 0.
    steps = len(counts) - 1
    whole = np.rint(agree * steps).astype(np.int64)
    found = int((counts * whole).sum()) * n
    chance = int(counts.sum(axis=1) @ whole @ counts.sum(axis=0))
    most = steps * n * n
    observed, expected = found / most, chance / most
    kappa = (found - chance) / (most - chance)
    # How much a label agrees with the other rater's on average, by row label and by column label.
    means = (agree @ columns)[:, None] + (rows @ agree)[None, :]
    squares = float((share * (agree - means * (1.0 - kappa)) ** 2).sum())
    variance = squares - (kappa - expected * (1.0 - kappa)) ** 2
    # What is left of a difference of equal numbers is their rounding, of either sign.
    variance = 0.0 if abs(variance) <= ROUNDING * max(squares, 1.0) else variance
    se = math.sqrt(variance / n) / (1.0 - expected)
    method = "Cohen's kappa" if weights == "none" else "Cohen's kappa, linear weights"
    if se == 0.0:
        reason = "the large-sample standard error is 0 here, which says nothing of the uncertainty"
        if min(np.count_nonzero(rows), np.count_nonzero(columns)) == 1:
            reason = f"one rater gave one label throughout: {reason}"
        return Kappa(kappa, se, None, None, level, n, observed, expected, method, reason)
    half = normal_quantile(level) * se
    lo, hi = max(-1.0, kappa - half), min(1.0, kappa + half)
    return Kappa(kappa, se, lo, hi, level, n, observed, expected, method)


def observed_agreement(table: npt.ArrayLike, level: float = 0.95) -> Interval | Undefined:
    """Share of the responses that got the same label from both raters, with Wilson's interval.

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        As for :func:`cohen_kappa`.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        In [0, 1]; it counts what chance gives, too. Undefined without responses.

    Raises
    ------
    ValueError
        As :func:`cohen_kappa`.

    Examples
    --------
    >>> found = observed_agreement([[20, 5], [10, 15]])
    >>> found.estimate, round(found.lo, 3), round(found.hi, 3)
    (0.7, 0.562, 0.809)
    """
    counts = square(table)
    return wilson(int(np.trace(counts)), int(counts.sum()), level)


def adjusted_kappa(table: npt.ArrayLike, level: float = 0.95) -> Interval | Undefined:
    """Prevalence- and bias-adjusted kappa: agreement beyond that of raters who draw labels evenly.

    Beside Cohen's kappa it tells low agreement from a rare label: where one label is far more frequent than
    the others, kappa is low however often raters agree.

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        As for :func:`cohen_kappa`; k is the number of labels that could be given.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval or Undefined
        (k observed - 1) / (k - 1), in [-1 / (k - 1), 1]; 0 is even chance. Bounds are Wilson's for the
        observed agreement, on the same scale. Undefined without responses.

    Raises
    ------
    ValueError
        As :func:`cohen_kappa`.

    Notes
    -----
    Source: Byrt, Bishop and Carlin (1993), Journal of Clinical Epidemiology 46, 423-429, for two labels;
    Bennett, Alpert and Goldstein (1954), Public Opinion Quarterly 18, 303-308, for any number.

    Examples
    --------
    >>> table = [[80, 10], [10, 0]]
    >>> round(adjusted_kappa(table).estimate, 3), round(cohen_kappa(table).estimate, 3)
    (0.6, -0.111)
    """
    counts = square(table)
    found = observed_agreement(counts, level)
    if isinstance(found, Undefined):
        return found
    k = len(counts)
    estimate, lo, hi = ((k * share - 1.0) / (k - 1) for share in (found.estimate, found.lo, found.hi))
    return Interval(estimate, lo, hi, level, found.n, "prevalence- and bias-adjusted kappa, Wilson")


@dataclass(frozen=True)
class Detection:
    """How often a scorer finds what people call by one label, each with its interval.

    Parameters
    ----------
    sensitivity : Interval or Undefined
        Of the responses that people give the label, the share that the scorer gives it too, in [0, 1].
    specificity : Interval or Undefined
        Of the other responses, the share that the scorer does not give it either, in [0, 1].

    Examples
    --------
    >>> Detection(Undefined("no observations"), wilson(3, 4)).specificity.estimate
    0.75
    """

    sensitivity: Interval | Undefined
    specificity: Interval | Undefined


def detection(labels: npt.ArrayLike, flags: npt.ArrayLike, level: float = 0.95) -> Detection:
    """Hold a scorer's flags against people's labels.

    Parameters
    ----------
    labels, flags : array_like of bool, shape (n,)
        What people said and what the scorer said, response by response.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Detection
        Both shares with Wilson's interval; a share is Undefined where people called no response so, or all.

    Raises
    ------
    ValueError
        If the columns differ in length or hold anything but booleans, or `level` is not in (0, 1).

    Examples
    --------
    >>> found = detection([True, True, False, False], [True, False, False, False])
    >>> found.sensitivity.estimate, found.specificity.estimate
    (0.5, 1.0)
    """
    # An empty list has no type of its own.
    truth, said = (np.asarray(side, dtype=None if np.size(side) else np.bool_) for side in (labels, flags))
    if truth.ndim != 1 or truth.shape != said.shape:
        raise ValueError("labels and flags must be columns of the same length")
    if truth.dtype != np.bool_ or said.dtype != np.bool_:
        raise ValueError("labels and flags must be booleans; leave missing ones out and report how many")
    hits, rejections = int(np.count_nonzero(truth & said)), int(np.count_nonzero(~truth & ~said))
    positive = int(np.count_nonzero(truth))
    return Detection(wilson(hits, positive, level), wilson(rejections, int(truth.size) - positive, level))


def square(table: npt.ArrayLike) -> Counts:
    """A table of counts, checked: square, two labels or more, whole numbers from 0.

    Examples
    --------
    >>> square([[1.0, 0], [0, 2]]).tolist()
    [[1, 0], [0, 2]]
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or len(counts) < 2:
        raise ValueError(f"a table of agreement is square with two labels or more, not {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.floor(counts)).any():
        raise ValueError("counts must be whole numbers from 0")
    return counts.astype(np.int64)


def agreement_weights(k: int, weights: Literal["none", "linear"]) -> Floats:
    """How far two labels agree, 1 on the diagonal and 0 farthest from it; shape (k, k).

    Examples
    --------
    >>> agreement_weights(3, "linear").tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    if weights == "none":
        return np.eye(k)
    if weights != "linear":
        raise ValueError(f"weights must be 'none' or 'linear', not {weights!r}")
    places = np.arange(k, dtype=np.float64)
    steps: Floats = np.abs(places[:, None] - places[None, :])
    return 1.0 - steps / (k - 1)


def one_label(counts: Counts) -> bool:
    """Whether both raters gave one and the same label throughout."""
    return int(np.count_nonzero(counts)) == 1 and bool(np.trace(counts))
