"""Whether two halves of the templates tell the same story about the groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats.estimate import SINGLE_PRECISION, Floats, Undefined, as_floats, check_fraction

SMALLEST_GROUPS = 3
"""Groups needed: with two, every correlation is 1 or -1."""

SMALLEST_TEMPLATES = 4
"""Templates needed: two for each half."""


@dataclass(frozen=True)
class SplitHalf:
    """Agreement of the groups' profiles from two halves of the templates, over random splits.

    Parameters
    ----------
    correlation : float
        Median over splits of Pearson's correlation between halves, in [-1, 1]: reliability of half the
        templates.
    reliability : float
        Median after Spearman and Brown's correction to all templates, in [-1, 1]; 1 means that other
        templates would give the same profile, 0 (or less) that they tell nothing of it.
    lo, hi : float
        Central range of the corrected values over splits. This is the play of the split alone, no confidence
        interval: other templates and other groups would vary it more.
    level : float
        Share of splits within that range, in (0, 1).
    n_splits : int
        Splits that gave a correlation.
    n_flat : int
        Splits left out because the groups do not differ in a half.

    Examples
    --------
    >>> SplitHalf(0.16, 0.28, -0.2, 0.6, 0.9, 500, 0).n_splits
    500
    """

    correlation: float
    reliability: float
    lo: float
    hi: float
    level: float
    n_splits: int
    n_flat: int


def spearman_brown(correlation: npt.ArrayLike) -> Floats:
    """Reliability of twice as many templates.

    Parameters
    ----------
    correlation : array_like
        Between halves, in [-1, 1].

    Returns
    -------
    ndarray
        2 r / (1 + |r|), in [-1, 1]. For r >= 0 this is Spearman (1910) and Brown (1910), both British
        J. of Psychology 3; below 0, where theirs falls to minus infinity, the same curve turned about 0.

    Examples
    --------
    >>> spearman_brown([0.16, 1.0, -0.16]).round(3)
    array([ 0.276,  1.   , -0.276])
    """
    r = np.asarray(correlation, dtype=np.float64)
    return 2.0 * r / (1.0 + np.abs(r))


def split_half(
    values: npt.ArrayLike, rng: np.random.Generator, n_splits: int = 500, level: float = 0.9
) -> SplitHalf | Undefined:
    """Split-half reliability of the groups' profile.

    Parameters
    ----------
    values : array_like, shape (G, T)
        Effect (or mean score) of each group in each template, any unit.
    rng : Generator
        Makes the splits.
    n_splits : int
        Random splits of the templates into two halves of T // 2, >= 1; of an odd number, each split leaves
        out another one at random.
    level : float
        Share of splits that `lo` and `hi` hold, in (0, 1).

    Returns
    -------
    SplitHalf or Undefined
        Without unit. Undefined with fewer than 3 groups or 4 templates, with a cell missing, or where groups
        do not differ in any split.

    Raises
    ------
    ValueError
        If the table is not two-dimensional or holds an infinite value, `n_splits` < 1 or `level` is not in
        (0, 1).

    Notes
    -----
    Source: MEASURES 7.12. Groups' means over one half are correlated, over groups, with those over the other;
    templates' own means, the same for all groups, drop out.

    Examples
    --------
    >>> table = np.arange(5.0)[:, None] + np.cos(np.arange(40.0)).reshape(5, 8)
    >>> found = split_half(table, np.random.default_rng(1))
    >>> found.reliability > 0.9, found.n_splits
    (True, 500)
    """
    check_fraction("level", level)
    if n_splits < 1:
        raise ValueError(f"n_splits must be at least 1, not {n_splits}")
    cells = as_floats("values", values, 2)
    n_groups, n_templates = cells.shape
    if n_groups < SMALLEST_GROUPS:
        return Undefined(f"{n_groups} group(s); at least {SMALLEST_GROUPS} are needed")
    if n_templates < SMALLEST_TEMPLATES:
        return Undefined(f"{n_templates} template(s); at least {SMALLEST_TEMPLATES} are needed")
    if np.isnan(cells).any():
        return Undefined(f"{int(np.isnan(cells).sum())} of {cells.size} cells are missing")
    half = n_templates // 2
    order = rng.permuted(np.tile(np.arange(n_templates), (n_splits, 1)), axis=1)
    first = _profiles(cells, order[:, :half])
    second = _profiles(cells, order[:, half : 2 * half])
    smallest = SINGLE_PRECISION * float(np.abs(cells).max())
    spread = np.sqrt(np.sum(first**2, axis=0)), np.sqrt(np.sum(second**2, axis=0))
    varied = np.minimum(*spread) > smallest
    if not varied.any():
        return Undefined("groups do not differ in any half")
    products = np.sum(first * second, axis=0)[varied]
    r = np.clip(products / (spread[0] * spread[1])[varied], -1.0, 1.0)
    corrected = spearman_brown(r)
    lo, hi = np.quantile(corrected, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    used = int(np.count_nonzero(varied))
    return SplitHalf(
        correlation=float(np.median(r)),
        reliability=float(np.median(corrected)),
        lo=float(lo),
        hi=float(hi),
        level=level,
        n_splits=used,
        n_flat=n_splits - used,
    )


def _profiles(cells: Floats, chosen: npt.NDArray[np.intp]) -> Floats:
    """Groups' means over each split's templates, centred; shape (G, splits)."""
    means = cells[:, chosen].mean(axis=2)
    profiles: Floats = means - means.mean(axis=0)
    return profiles
