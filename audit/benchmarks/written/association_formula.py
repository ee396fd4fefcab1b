"""The published formulas of co-occurrence bias and stereotypical association, and what is judged instead."""

from __future__ import annotations

import numpy as np

from audit.benchmarks.written.word_counts import Counts
from audit.stats.estimate import Floats


def cobs(near: Floats, total: Floats, gendered: Floats) -> float:
    """Co-occurrence bias score as published: mean |log10 ratio| over targets seen with both; NaN of none.

    ratio(w) = [ (c_f(w) / sum c_f) / (n_f / N) ] / [ (c_m(w) / sum c_m) / (n_m / N) ], N cancelling. Quirk
    kept: c_g(w) / sum c_g is already the share of w beside words of g. The second division makes every ratio
    n_m / n_f where nothing is associated: with twice as many men's words the score is log10(2), not 0.

    Parameters
    ----------
    near : ndarray, shape (2, W)
        Weighted counts c of female and male words near each target.
    total, gendered : ndarray, shape (2,)
        Sums of c over all content words; numbers of female and male words.

    Notes
    -----
    Source: Bordia and Bowman 2019; cvs-health/langfair langfair/metrics/stereotype/metrics/cooccurrence.py.

    Examples
    --------
    >>> equal = np.array([[2.0, 4.0], [1.0, 2.0]])
    >>> round(cobs(equal, np.array([6.0, 3.0]), np.array([2.0, 1.0])), 4)
    0.301
    """
    if not (gendered > 0.0).all():
        return float("nan")
    ratios = log_ratios(near, total) - np.log10(gendered[0] / gendered[1])
    return _mean(np.abs(ratios))


def log_ratios(near: Floats, total: Floats) -> Floats:
    """log10 of how much more a target stands by female than by male words; NaN unless by both.

    log10 [ (c_f(w) / sum c_f) / (c_m(w) / sum c_m) ], shape (..., W): 0 where it goes with both alike,
    above 0 where it goes with female words. This is what is judged.

    Examples
    --------
    >>> log_ratios(np.array([[2.0, 4.0], [1.0, 2.0]]), np.array([6.0, 3.0])).tolist()
    [0.0, 0.0]
    """
    seen = (near > 0.0).all(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.log10(near / total[..., None])
        ratios = shares[..., 0, :] - shares[..., 1, :]
    found: Floats = np.where(seen, ratios, np.nan)
    return found


def association(near: Floats) -> float:
    """Stereotypical association as published: mean total variation distance from equal shares; NaN of none.

    For each target seen with either side |c_f - c_m| / (2 (c_f + c_m)), from 0 to 0.5; the two word lists are
    equally long, so that dividing by their lengths changes nothing. Targets never seen are left out, and with
    none seen there is no number.

    Source: Liang et al. 2023 (HELM); stanford-crfm/helm bias_metrics.py, group_counts_to_bias.

    Examples
    --------
    >>> association(np.array([[3.0, 1.0, 0.0], [1.0, 1.0, 0.0]]))
    0.125
    """
    return _mean(np.abs(female_shares(near) - 0.5))


def female_shares(near: Floats) -> Floats:
    """Share of female among the gendered words beside each target, shape (..., W); NaN where none stands.

    Examples
    --------
    >>> female_shares(np.array([[3.0, 1.0], [1.0, 1.0]])).tolist()
    [0.75, 0.5]
    """
    sums = near.sum(axis=-2)
    found: Floats = np.divide(near[..., 0, :], sums, out=np.full(sums.shape, np.nan), where=sums > 0.0)
    return found


def targets_exchanged(counts: Counts, rng: np.random.Generator, resamples: int) -> Floats:
    """Counts by template with the occupations of its openings exchanged, shape (resamples, T, 2, W).

    What stands beside an opening's own occupation is given to another occupation of the same template. Which
    words a model writes, and how many for women and men, stays as it is.
    """
    every = np.arange(counts.own.size)
    mine = counts.near[every, :, counts.own]
    others = counts.near.copy()
    others[every, :, counts.own] = 0.0
    found = np.repeat(counts.by_template(others)[None], resamples, axis=0)
    for template in range(len(counts.templates)):
        here = np.nonzero(counts.rows == template)[0]
        for draw in range(resamples):
            np.add.at(found[draw, template].T, counts.own[here], mine[rng.permutation(here)])
    return found


def sides_exchanged(counts: Counts, rng: np.random.Generator, resamples: int) -> Floats:
    """Counts by template with female and male exchanged in whole openings, shape (resamples, T, 2, W)."""
    half = counts.by_template(counts.near.sum(axis=1)) / 2.0
    gaps = (counts.near[:, 0] - counts.near[:, 1]) / 2.0
    moved = np.zeros((resamples, len(counts.templates), len(counts.targets)))
    for template in range(len(counts.templates)):
        here = counts.rows == template
        signs = rng.integers(0, 2, size=(resamples, int(here.sum()))) * 2.0 - 1.0
        moved[:, template] = signs @ gaps[here]
    return np.stack([half[None] + moved, half[None] - moved], axis=2)


def row_means(values: Floats) -> Floats:
    """Mean over the last axis of what is there; NaN where nothing is."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=-1)
    total = np.where(seen, values, 0.0).sum(axis=-1)
    found: Floats = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return found


def _mean(values: Floats) -> float:
    return float(row_means(values))
