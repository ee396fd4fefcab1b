"""How far two groups' answers differ in kind, template by template, less what chance alone makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import Components, Design, contrast, permutation_p
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined, as_floats

_CHUNK = 1 << 22
"""Numbers held at a time, to bound memory."""


@dataclass(frozen=True)
class Divergence:
    """A mean Jensen-Shannon divergence and what relabelling the terms makes of it.

    Attributes
    ----------
    value : float
        The mean over templates as observed, bits, 0 to 1; biased upward.
    null_mean : float
        Its mean over relabellings of whole terms, same unit.
    p : float
        (1 + #{relabelled >= value}) / (resamples + 1), in (0, 1].
    by_template : ndarray, shape (T,)
        Excess of each template over its own mean under relabelling.
    without_term : ndarray, shape (n + m,)
        The excess without each term in turn.
    contrast : Contrast
        The excess, `value` - `null_mean`: 0 means what chance alone gives, and it may be negative. V_T from
        the spread over templates, V_N from leaving out one term at a time.
    """

    value: float
    null_mean: float
    p: float
    by_template: Floats
    without_term: Floats
    contrast: Contrast


def jensen_shannon(
    first: npt.ArrayLike, second: npt.ArrayLike, rng: np.random.Generator, *, resamples: int = 1999
) -> Divergence | Undefined:
    """Mean over templates of the Jensen-Shannon divergence between two groups' answers.

    Parameters
    ----------
    first, second : array_like, shapes (n, T, K) and (m, T, K)
        How often each term of a group got each of K answers in each of T templates; all 0 where it got none.
        Categories may mean another answer in every template.
    rng : numpy.random.Generator
        Source of randomness.
    resamples : int
        Relabellings of whole terms to draw, >= 1.

    Returns
    -------
    Divergence or Undefined
        In bits. A template in which a group has no answer is left out. Undefined with fewer than 2 such
        templates or 2 terms in a group.

    Raises
    ------
    ValueError
        If shapes do not fit, a count is negative, or `resamples` < 1.

    Notes
    -----
    Source: Lin (1991), IEEE Transactions on Information Theory 37, 145-151; the excess over relabellings as
    in `distances`. Each term's answers move together, because those to one name are not independent.

    Examples
    --------
    >>> women = np.tile([[3.0, 1.0], [2.0, 2.0]], (8, 1, 1))
    >>> men = np.tile([[1.0, 3.0], [2.0, 2.0]], (8, 1, 1))
    >>> found = jensen_shannon(women, men, np.random.default_rng(0))
    >>> round(found.value, 4), found.p < 0.01
    (0.0944, True)
    >>> jensen_shannon(women, women, np.random.default_rng(0)).contrast.estimate
    0.0
    """
    one, two = as_floats("first", first, 3), as_floats("second", second, 3)
    if one.shape[1:] != two.shape[1:]:
        raise ValueError(f"templates and answers must be the same, not {one.shape} and {two.shape}")
    if (one < 0.0).any() or (two < 0.0).any() or np.isnan(one).any() or np.isnan(two).any():
        raise ValueError("counts must be numbers that are not negative")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    kept = (one.sum(axis=(0, 2)) > 0.0) & (two.sum(axis=(0, 2)) > 0.0)
    one, two = one[:, kept], two[:, kept]
    one, two = one[one.sum(axis=(1, 2)) > 0.0], two[two.sum(axis=(1, 2)) > 0.0]
    n_templates, n1, n0 = one.shape[1], one.shape[0], two.shape[0]
    if n_templates < 2 or min(n1, n0) < 2:
        return Undefined(
            f"{n_templates} template(s) with answers for {n1} and {n0} term(s); at least 2 of each are needed"
        )
    everything = np.concatenate([one, two])
    total = everything.sum(axis=0)
    mine = one.sum(axis=0)
    observed = _by_template(mine, total - mine)
    drawn = np.concatenate(list(_relabelled(everything, n1, rng, resamples)))
    null = _mean(drawn, 0)
    value = float(observed.mean())
    means = _mean(drawn, 1)
    means = means[~np.isnan(means)]
    hits = int(np.count_nonzero(means >= value - ROUNDING))
    excess = observed - null
    if not np.isfinite(excess).all():
        return Undefined("a template has answers for too few terms to relabel them")
    without = _without_one(one, two)
    if not np.isfinite(without).all():
        return Undefined("a group's answers all come from one term")
    variance = float(np.sum((without - value) ** 2)) * (without.size - 1) / without.size
    parts = Components(
        float(excess.var(ddof=1)) / n_templates, variance, 0.0, n_templates - 1.0, float(without.size - 1)
    )
    design = Design(
        "excess over relabelled terms; templates and jackknife over terms",
        "V_N",
        int(np.count_nonzero(everything.sum(axis=2))),
        n_templates,
        n1 + n0,
        permutation_p(n1, n0),
    )
    return Divergence(
        value,
        float(null.mean()),
        (1 + hits) / (means.size + 1),
        excess,
        without - float(null.mean()),
        contrast(float(excess.mean()), parts, design, scale=1.0),
    )


def _relabelled(everything: Floats, n1: int, rng: np.random.Generator, resamples: int) -> Iterator[Floats]:
    """Divergence of each template for each relabelling, in chunks of shape (b, T)."""
    n, n_templates, n_answers = everything.shape
    flat = everything.reshape(n, -1)
    total = flat.sum(axis=0)
    step = max(1, _CHUNK // flat.shape[1])
    labels = np.arange(n) < n1
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        chosen = rng.permuted(np.tile(labels, (rows, 1)), axis=1).astype(np.float64)
        mine = chosen @ flat
        shape = (rows, n_templates, n_answers)
        yield _by_template(mine.reshape(shape), (total - mine).reshape(shape))


def _without_one(one: Floats, two: Floats) -> Floats:
    """Mean divergence without each term in turn."""
    mine, others = one.sum(axis=0), two.sum(axis=0)
    first = [_by_template(mine - term, others) for term in one]
    return _mean(np.array(first + [_by_template(mine, others - term) for term in two]), 1)


def _mean(values: Floats, axis: int) -> Floats:
    """Mean along an axis of what is there; NaN where nothing is."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=axis)
    means = np.full(count.shape, np.nan)
    np.divide(np.where(seen, values, 0.0).sum(axis=axis), count, out=means, where=count > 0)
    return means


def _by_template(mine: Floats, others: Floats) -> Floats:
    """Jensen-Shannon divergence along the last axis, bits; NaN where a side has no counts."""
    totals = [np.where(side.sum(axis=-1) > 0.5, side.sum(axis=-1), np.nan) for side in (mine, others)]
    p, q = mine / totals[0][..., None], others / totals[1][..., None]
    middle = (p + q) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(side > 0.0, side * np.log2(side / middle), 0.0) for side in (p, q)]
    found: Floats = (terms[0] + terms[1]).sum(axis=-1) / 2.0
    lost = np.isnan(totals[0]) | np.isnan(totals[1])
    found = np.where(lost, np.nan, np.where(found <= ROUNDING, 0.0, found))
    return found
