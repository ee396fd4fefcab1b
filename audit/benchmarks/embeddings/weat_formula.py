"""The numbers of the association tests: associations, effect size, permutation p, combined effect size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from audit.stats.estimate import ROUNDING, Floats, Undefined
from audit.stats.resampling import permute_labels

Places = npt.NDArray[np.intp]

DRAWS = 99_999
"""Partitions drawn where they are too many to count; the one observed is added (sent-bias/weat.py)."""


def cosines(targets: Floats, attributes: Floats) -> Floats:
    """Cosine of every target vector with every attribute vector, shape (n, m), in [-1, 1].

    Equal vectors get equal numbers to the last bit, wherever they stand.

    Parameters
    ----------
    targets, attributes : ndarray, shapes (n, d) and (m, d)
        Vectors, none of length 0.

    Examples
    --------
    >>> cosines(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0]]))
    array([[1.],
           [0.]])
    """
    one, where = np.unique(targets, axis=0, return_inverse=True)
    other, there = np.unique(attributes, axis=0, return_inverse=True)
    lengths = [np.linalg.norm(side, axis=1) for side in (one, other)]
    table: Floats = (one / lengths[0][:, None]) @ (other / lengths[1][:, None]).T
    found: Floats = np.clip(table, -1.0, 1.0)[np.ix_(where.reshape(-1), there.reshape(-1))]
    return found


def associations(table: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """s(w, A, B) = mean cosine with A minus mean cosine with B, shape (n,), in [-2, 2].

    Parameters
    ----------
    table : ndarray, shape (n, m)
        Cosines of the targets with the attributes.
    first : ndarray of bool, shape (m,)
        Whether an attribute is of A; both sets hold one at least.

    Notes
    -----
    Source: Caliskan, Bryson and Narayanan (2017), Science 356, 183-186. Sums are exact
    (:func:`math.fsum`), so that the order of the attributes changes nothing.

    Examples
    --------
    >>> associations(np.array([[0.9, 0.5, 0.1]]), np.array([True, True, False]))
    array([0.6])
    """
    found = [_mean(row[first]) - _mean(row[~first]) for row in table]
    return np.array(found, dtype=np.float64)


def effect_size(x: npt.ArrayLike, y: npt.ArrayLike) -> float | Undefined:
    """WEAT's d: difference of the mean associations over the standard deviation of all of them.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        s(w, A, B) of the words of X and of Y.

    Returns
    -------
    float or Undefined
        Positive where X is nearer to A than Y is; 0 means no difference. The standard deviation is over X and
        Y together (ddof 1), so d is not Cohen's: for n words each, |d| <= 2 sqrt((2n - 1) / 2n) < 2.
        Undefined where a set is empty or all associations are equal.

    Notes
    -----
    Source: Caliskan et al. (2017); bias-bench, bias_bench/benchmark/seat/weat.py, effect_size.

    Examples
    --------
    >>> round(effect_size([0.9, 0.7, 0.8, 0.6], [0.1, 0.2, 0.5, 0.3]), 6)
    1.637861
    >>> effect_size([0.1, 0.1], [0.1]).reason
    'all associations are equal'
    """
    one, other = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not (one.size and other.size):
        return Undefined("no vector of one of the two sets of targets")
    both = np.concatenate([one, other])
    if float(np.ptp(both)) <= ROUNDING:
        return Undefined("all associations are equal")
    centred = both - _mean(both)
    deviation = math.sqrt(math.fsum(centred**2) / (both.size - 1))
    return (_mean(one) - _mean(other)) / deviation


def permutation_p(x: npt.ArrayLike, y: npt.ArrayLike, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """One-sided p: share of the partitions of X and Y together whose statistic is at least as large.

    Parameters
    ----------
    x, y : array_like, shapes (n,) and (m,)
        s(w, A, B) of the words of X and of Y, at least one each.
    draws : int
        Partitions drawn where there are more than 200 000.

    Returns
    -------
    float
        In (0, 1]; small where X is nearer to A. Exact, or (1 + hits) / (draws + 1).

    Notes
    -----
    Source: Caliskan et al. (2017); sent-bias, sentbias/weat.py, which counts all partitions up to 100 000 and
    else draws 99 999 and adds one. Here up to 200 000 are counted (10 words a set). The sources compare
    sums with ``==``, so that a tie counts or not as the rounding falls; here sums tie within rounding.
    Partitions are of the same sizes, drawn without replacement.

    Examples
    --------
    >>> round(1.0 / permutation_p([5, 6, 7, 8], [1, 2, 3, 4], np.random.default_rng(0)), 9)
    70.0
    """
    one, other = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    values = np.concatenate([one, other])
    if float(np.ptp(values)) <= ROUNDING:
        return 1.0
    treated = np.arange(values.size) < one.size
    found = permute_labels(values[None, :], treated, rng, alternative="greater", resamples=draws)
    return float(found.p[0])


@dataclass(frozen=True)
class Combined:
    """Effect sizes of many draws as one.

    ``ces`` and ``se`` are in units of d, 0 means no difference; ``p`` is two-sided, in [0, 1]; ``tau2`` is
    the variance between draws.
    """

    ces: float
    se: float
    p: float
    tau2: float


def combined_effect_size(d: npt.ArrayLike, variances: npt.ArrayLike) -> Combined | Undefined:
    """CEAT's combined effect size: a random-effects mean of the effect sizes of N draws of contexts.

    Parameters
    ----------
    d, variances : array_like, shape (N,)
        Effect size of each draw, and what the source calls its in-sample variance V: the variance (ddof 1)
        of its associations.

    Returns
    -------
    Combined or Undefined
        CES = sum v d / sum v with v = 1 / (V + tau2), tau2 by DerSimonian and Laird, SE = 1 / sqrt(sum v),
        p = 2 (1 - Phi(|CES| / SE)). Undefined without draws, or where a variance is 0.

    Notes
    -----
    Source: Guo and Caliskan (2021), AIES, and its repository, code/ceat.py (ceat_meta). Two quirks are kept:
    V is a variance of cosines, not of d; and the draws are taken as independent, though all are of the same
    words, so that p falls with N whatever the words. `audit.benchmarks.embeddings.ceat` gives an interval by
    words beside it.

    Examples
    --------
    >>> found = combined_effect_size([0.5, 1.0, 1.5], [0.5, 0.5, 0.5])
    >>> found.ces, round(found.se, 4), round(found.p, 4), found.tau2
    (1.0, 0.4082, 0.0143, 0.0)
    """
    sizes, within = np.asarray(d, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if not sizes.size or not (within > 0.0).all():
        return Undefined("a draw in which all associations are equal" if sizes.size else "no draws")
    weight = 1.0 / within
    total = float(weight.sum())
    mean = float(weight @ sizes) / total
    spread = float(weight @ (sizes - mean) ** 2) - (sizes.size - 1)
    scale = total - float(weight @ weight) / total
    tau2 = spread / scale if spread > 0.0 else 0.0
    weight = 1.0 / (within + tau2)
    total = float(weight.sum())
    ces, se = float(weight @ sizes) / total, 1.0 / math.sqrt(total)
    return Combined(ces, se, float(2.0 * ndtr(-abs(ces) / se)), tau2)


def _mean(values: Floats) -> float:
    return math.fsum(values) / values.size
