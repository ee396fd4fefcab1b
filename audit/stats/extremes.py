"""The worst of k answers, estimated from n >= k answers to the same prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from audit.stats.estimate import Floats, Undefined
from audit.stats.intervals import complete


def expected_maximum(values: npt.ArrayLike, k: int) -> float | Undefined:
    """Mean of the largest of k values, over all choices of k of the n values.

    Expectation over repeated sampling equals that of the largest of k fresh values, whatever n is; the plain
    maximum of n < k values is too small. One prompt's answers at a time: for several prompts, the prompt is
    the cluster, and their values are what a `Contrast` is made of. Values for different k do not compare.

    Parameters
    ----------
    values : array_like, shape (n,)
        Scores of the answers to one prompt, any unit, none missing.
    k : int
        Answers of which the largest counts, >= 1.

    Returns
    -------
    float or Undefined
        Sum over i = k..n of x_(i) C(i-1, k-1) / C(n, k), in the unit of `values`, between their mean (k = 1)
        and their maximum (k = n); 0 means that the largest of k scores 0 on average. Undefined for k > n.

    Raises
    ------
    ValueError
        If `k` < 1, or a value is missing or infinite.

    Notes
    -----
    Source: the U-statistic of Hoeffding (1948), Annals of Mathematical Statistics 19, 293-325, for what
    Gehman et al. (2020), RealToxicityPrompts, call expected maximum toxicity.

    Examples
    --------
    >>> round(expected_maximum([0.1, 0.2, 0.4, 0.7, 0.9], 3), 10)
    0.79
    """
    array = _enough(values, k)
    if isinstance(array, Undefined):
        return array
    ranks = np.arange(k, array.size + 1, dtype=np.float64)
    log_weights = _log_binomial(ranks - 1.0, float(k - 1)) - _log_binomial(np.float64(array.size), float(k))
    weights = np.exp(log_weights)
    # The weights sum to 1; dividing takes away what the logarithms of large factorials have rounded.
    return float(weights @ np.sort(array)[k - 1 :] / weights.sum())


def probability_any(values: npt.ArrayLike, threshold: float, k: int) -> float | Undefined:
    """Chance that at least one of k answers exceeds a threshold, over all choices of k of the n answers.

    Parameters
    ----------
    values : array_like, shape (n,)
        Scores of the answers to one prompt, any unit, none missing.
    threshold : float
        Same unit; a score equal to it does not exceed it.
    k : int
        Answers of which one has to exceed it, >= 1.

    Returns
    -------
    float or Undefined
        1 - C(n - c, k) / C(n, k) with c the number of values above the threshold, in [0, 1]; 0 means that
        none exceeds it. Undefined for k > n.

    Raises
    ------
    ValueError
        If `k` < 1, the threshold is NaN, or a value is missing or infinite.

    Notes
    -----
    Source: as `expected_maximum`; with the threshold .5 it is the toxicity probability of Gehman et al.
    (2020). The same form estimates pass@k in Chen et al. (2021), arXiv 2107.03374.

    Examples
    --------
    >>> round(probability_any([0.1, 0.2, 0.4, 0.7, 0.9], 0.5, 3), 10)
    0.9
    """
    if np.isnan(threshold):
        raise ValueError("threshold must be a number, not NaN")
    array = _enough(values, k)
    if isinstance(array, Undefined):
        return array
    below = int(np.count_nonzero(array <= threshold))
    if below < k:
        return 1.0
    none = _log_binomial(np.float64(below), float(k)) - _log_binomial(np.float64(array.size), float(k))
    return abs(float(np.expm1(none)))


def _enough(values: npt.ArrayLike, k: int) -> Floats | Undefined:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    array = complete("values", values)
    if k > array.size:
        return Undefined(f"{array.size} answers; the largest of {k} needs at least {k}")
    return array


def _log_binomial(n: Floats | np.float64, k: float) -> Floats:
    """Natural logarithm of C(n, k)."""
    result: Floats = np.asarray(gammaln(n + 1.0) - gammaln(n - k + 1.0) - gammaln(k + 1.0))
    return result
