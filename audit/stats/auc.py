"""Area under the ROC curve by ranks, and its parts by clusters, from which any cluster can be left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import Floats, Undefined
from audit.stats.intervals import cliffs_delta, complete

Codes = npt.NDArray[np.intp]


def auc(positives: npt.ArrayLike, negatives: npt.ArrayLike) -> float | Undefined:
    """How often a positive scores higher than a negative, ties by half.

    Parameters
    ----------
    positives, negatives : array_like, shapes (n,) and (m,)
        Scores of the two classes, same unit, none missing.

    Returns
    -------
    float or Undefined
        P(positive > negative) + P(equal) / 2, in [0, 1]; .5 means that scores do not tell the classes apart.
        Undefined where a class is empty.

    Raises
    ------
    ValueError
        If a score is missing or infinite.

    Notes
    -----
    Source: Mann and Whitney (1947); Hanley and McNeil (1982). O((n + m) log(n + m)).

    Examples
    --------
    >>> auc([0.9, 0.4, 0.4], [0.4, 0.1])
    0.8333333333333333
    >>> auc([0.9], []).reason
    'no negatives'
    """
    one, other = complete("positives", positives), complete("negatives", negatives)
    if not (one.size and other.size):
        return Undefined("no negatives" if one.size else "no positives")
    delta = cliffs_delta(one, other)
    assert not isinstance(delta, Undefined)
    return (delta + 1.0) / 2.0


def sorted_clusters(scores: npt.ArrayLike, codes: Codes, n_clusters: int) -> list[Floats]:
    """The scores of each cluster in increasing order, ``n_clusters`` arrays.

    Parameters
    ----------
    scores : array_like, shape (n,)
        None missing.
    codes : ndarray of int, shape (n,)
        The number of each score's cluster, from 0.

    Examples
    --------
    >>> sorted_clusters([3.0, 1.0, 2.0], np.array([0, 0, 1]), 3)
    [array([1., 3.]), array([2.]), array([], dtype=float64)]
    """
    values = complete("scores", scores)
    order = np.lexsort((values, codes))
    ends = np.cumsum(np.bincount(codes, minlength=n_clusters))
    return list(np.split(values[order], ends[:-1]))


def wins(higher: Sequence[Floats], lower: npt.ArrayLike, codes: Codes) -> Floats:
    """Pairs in which a score of a cluster of one class exceeds one of a cluster of the other, ties by half.

    Parameters
    ----------
    higher : sequence of G arrays
        Scores of one class by cluster, from :func:`sorted_clusters`.
    lower : array_like, shape (m,)
        Scores of the other class, none missing.
    codes : ndarray of int, shape (m,)
        The number of the cluster of each, below G.

    Returns
    -------
    ndarray, shape (G, G)
        ``[g, h]``: pairs of a score of cluster g of the first class and one of cluster h of the second in
        which the first is higher. All of them over the number of pairs is the AUC; without row and column g
        it is the AUC without cluster g. Counts of subsets add up: those of a part subtract from those of all.

    Notes
    -----
    O(G m log n / G). Source: Obuchowski (1997), Biometrics 53, 567-578, for clusters that hold both classes.

    Examples
    --------
    >>> by_cluster = sorted_clusters([0.9, 0.4], np.array([0, 1]), 2)
    >>> wins(by_cluster, [0.4, 0.1], np.array([0, 1]))
    array([[1. , 1. ],
           [0.5, 1. ]])
    """
    values = complete("lower", lower)
    table = np.empty((len(higher), len(higher)))
    for row, scores in zip(table, higher, strict=True):
        reached = np.searchsorted(scores, values, "left") + np.searchsorted(scores, values, "right")
        row[:] = np.bincount(codes, scores.size - reached / 2.0, len(higher))
    return table
