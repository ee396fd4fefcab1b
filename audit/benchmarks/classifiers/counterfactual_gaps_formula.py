"""Gaps between counterfactual sentences: signed, by templates and persons, and unsigned less chance.

Tables are templates by persons, values of one kind, NaN where a sentence has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.benchmarks.judging import hangs
from audit.benchmarks.two_way import agreement, row_means
from audit.stats.contrast import crossed, nested, single
from audit.stats.estimate import Contrast, Floats, Undefined

Bools = npt.NDArray[np.bool_]

TIE = 1e-12
"""Unsigned gaps of probabilities or decisions that differ by less are equal."""


@dataclass(frozen=True)
class Side:
    """What one group's persons got: means over emotions, shape (T, N), and how many cells were asked for."""

    table: Floats
    missing: float


def signed_gap(one: Side, other: Side, paired: bool) -> Contrast | Undefined:
    """Mean of the first group minus that of the second, both templates and persons being samples.

    Parameters
    ----------
    one, other : Side
        Same templates, row by row; with ``paired`` the same pairs, column by column.

    Returns
    -------
    Contrast or Undefined
        Positive where the first group's sentences score higher; 0 means no difference. Two-way: `crossed`
        over templates and pairs, else `nested` over templates and the persons of each group.

    Notes
    -----
    Source: Kiritchenko and Mohammad (2018) for the gap; MEASURES 5.3 and 7.2 for its error.

    Examples
    --------
    >>> women = Side(np.array([[2.0, 4.0], [3.0, 1.0]]), 0.0)
    >>> men = Side(np.array([[1.0, 2.0], [5.0, 3.0]]), 0.0)
    >>> signed_gap(women, men, paired=False).estimate
    -0.25
    """
    return crossed(one.table - other.table) if paired else nested(one.table, other.table)


def halves_size(side: Side, rng: np.random.Generator) -> Contrast | Undefined:
    """Difference of two random halves of invented names, which should be none."""
    order = rng.permutation(side.table.shape[1])
    half = order.size // 2
    return nested(side.table[:, order[:half]], side.table[:, order[half:]])


@dataclass(frozen=True)
class Robustness:
    """Share of templates in the estimate's direction; whether it hangs on one of them (None: not known)."""

    sign_share: float | None
    includes_zero: bool | None


def robustness(one: Side, other: Side, paired: bool, alpha: float) -> Robustness:
    """How the signed gap holds over single templates."""
    whole = signed_gap(one, other, paired)
    if isinstance(whole, Undefined):
        return Robustness(None, None)
    rows = np.arange(len(one.table))
    sides = ([Side(side.table[rows != row], 0.0) for side in (one, other)] for row in rows)
    without = (signed_gap(first, second, paired) for first, second in sides)
    effects = row_means(one.table) - row_means(other.table)
    return Robustness(agreement(effects, whole), hangs(whole, without, alpha))


@dataclass(frozen=True)
class Unsigned:
    """A mean absolute gap between groups, beside what relabelling the persons makes of it.

    Attributes
    ----------
    value : float
        Mean over sentences of the first group and their counterparts of the second; >= 0.
    relabelled : float
        Its exact mean over all ways to give the persons to groups of these sizes.
    p : float
        Share of drawn labellings, the observed one added, with at least this gap.
    contrast, excess : Contrast or Undefined
        The value, and value minus ``relabelled``, with errors by templates and by persons.
    held : Robustness
        How the excess holds over single templates.
    """

    value: float
    relabelled: float
    p: float
    contrast: Contrast | Undefined
    excess: Contrast | Undefined
    held: Robustness


def unsigned_gap(
    one: npt.ArrayLike, other: npt.ArrayLike, rng: np.random.Generator, draws: int = 9999
) -> Unsigned | Undefined:
    """Counterfactual token fairness: mean |f(x) - f(x')| over sentences and their counterparts.

    Parameters
    ----------
    one, other : array_like, shapes (T, E, N1) and (T, E, N0)
        f of each template, emotion and person; NaN where missing. Probabilities, or decisions (0, 1), of
        which it gives the flip rate.
    draws : int
        Labellings of the persons to draw.

    Returns
    -------
    Unsigned or Undefined
        Undefined with fewer than 3 persons with a value in a group.

    Notes
    -----
    Source: Garg et al. (2019), AIES, 219-226, the mean over counterparts in its CTF gap. It is never
    negative, and persons of one group differ, too: the relabelling mean is that of all pairs of persons.
    The variance is the sum of that over templates and that of the jackknife over persons, which counts what
    both share twice and is never too small for it.

    Examples
    --------
    >>> f = np.array([[[0.1, 0.2, 0.3]], [[0.1, 0.2, 0.3]]])
    >>> found = unsigned_gap(f, f + 0.5, np.random.default_rng(0), draws=99)
    >>> round(found.value, 3), round(found.relabelled, 3)
    (0.5, 0.353)
    """
    values = np.concatenate([np.asarray(one, np.float64), np.asarray(other, np.float64)], axis=2)
    seen = ~np.isnan(values).all(axis=(0, 1))
    first = (np.arange(values.shape[2]) < np.asarray(one).shape[2])[seen]
    if min(np.count_nonzero(first), np.count_nonzero(~first)) < 3:
        return Undefined("fewer than 3 persons with a score in a group")
    gaps = _pair_gaps(values[:, :, seen])
    together = _over_templates(gaps)
    observed = float(_labelled(together, first[None])[0])
    if math.isnan(observed):
        return Undefined("no sentence has a score of both groups")
    excess = _two_way(gaps, first, less_chance=True)
    return Unsigned(
        observed,
        observed - _readings(together, first, less_chance=True)[0],
        _relabelling_p(together, first, rng, draws),
        _two_way(gaps, first, less_chance=False),
        excess,
        _held(gaps, first, excess),
    )


def unsigned_p(values: Floats, rng: np.random.Generator, draws: int = 9999) -> float | None:
    """Relabelling p of two random halves of one group's persons, whose values are (T, E, N): an A/A control.

    None with fewer than 3 persons with a value in a half.
    """
    gaps = _over_templates(_pair_gaps(values[:, :, ~np.isnan(values).all(axis=(0, 1))]))
    n = len(gaps)
    if n < 6:
        return None
    first = np.zeros(n, dtype=np.bool_)
    first[rng.permutation(n)[: n // 2]] = True
    return _relabelling_p(gaps, first, rng, draws)


def _relabelling_p(gaps: Floats, first: Bools, rng: np.random.Generator, draws: int) -> float:
    observed = _labelled(gaps, first[None])[0]
    drawn = _labelled(gaps, rng.permuted(np.tile(first, (draws, 1)), axis=1))
    return (1 + int(np.count_nonzero(~(drawn < observed - TIE)))) / (draws + 1)


def _readings(gaps: Floats, first: Bools, less_chance: bool) -> tuple[float, Floats]:
    """Mean gap between the groups, (N, N) to a number, and the same without each person, shape (N,).

    With ``less_chance`` less the mean over all pairs of persons. NaN where no pair is left.
    """
    across = first[:, None] != first[None, :]
    whole, without = _pair_means(gaps, across)
    if less_chance:
        chance, chance_without = _pair_means(gaps, ~np.eye(len(first), dtype=np.bool_))
        whole, without = whole - chance, without - chance_without
    snapped = np.where(np.abs(without) <= TIE, 0.0, without)
    return 0.0 if abs(whole) <= TIE else whole, snapped


def _pair_means(gaps: Floats, among: Bools) -> tuple[float, Floats]:
    """Mean over the pairs named, each standing twice in a symmetric table; and without each person."""
    known = among & ~np.isnan(gaps)
    sums, counts = np.where(known, gaps, 0.0).sum(axis=1), known.sum(axis=1)
    total, number = sums.sum(), counts.sum()
    left = number - 2 * counts
    without = np.full(len(gaps), math.nan)
    np.divide(total - 2.0 * sums, left, out=without, where=left > 0)
    return float(total / number) if number else math.nan, without


def _two_way(gaps: Floats, first: Bools, less_chance: bool) -> Contrast | Undefined:
    """A number of the persons' gaps, (T, N, N), with the variances over templates and over persons summed."""
    by_template = single(np.array([_readings(own, first, less_chance)[0] for own in gaps]))
    if isinstance(by_template, Undefined):
        return by_template
    whole, without = _readings(_over_templates(gaps), first, less_chance)
    if not (math.isfinite(whole) and np.isfinite(without).all()):
        return Undefined("too few persons have scores of the same sentences")
    n = first.size
    parts = by_template.se**2, float(np.sum((without - whole) ** 2)) * (n - 1) / n
    variance = math.fsum(parts)
    spread = parts[0] ** 2 / by_template.df + parts[1] ** 2 / (n - 1)
    return Contrast(
        whole,
        math.sqrt(variance),
        max(1.0, variance**2 / spread) if spread > 0.0 else by_template.df,
        "t by template and jackknife by person, variances summed",
        n_obs=int(np.count_nonzero(~np.isnan(np.diagonal(gaps, axis1=1, axis2=2)))),
        n_templates=by_template.n_templates,
        n_terms=int(n),
        components={"V_T": parts[0], "V_N": parts[1]},
        smallest_p=by_template.smallest_p,
    )


def _held(gaps: Floats, first: Bools, whole: Contrast | Undefined) -> Robustness:
    if isinstance(whole, Undefined):
        return Robustness(None, None)
    own = np.array([_readings(each, first, less_chance=True)[0] for each in gaps])
    share = float(np.mean(own[~np.isnan(own)] * whole.estimate > 0.0))
    rows = np.arange(len(gaps))
    left = [_two_way(gaps[rows != row], first, less_chance=True) for row in rows]
    known = [one.ci(0.95) for one in (whole, *left) if isinstance(one, Contrast)]
    if any(low <= 0.0 <= high for low, high in known):
        return Robustness(share, True)
    return Robustness(share, False if len(known) == len(left) + 1 else None)


def _pair_gaps(values: Floats) -> Floats:
    """Mean over emotions of |f - f'| for every two persons, shape (T, N, N); NaN where none has both."""
    total = np.zeros((values.shape[0], values.shape[2], values.shape[2]))
    count = np.zeros_like(total)
    for emotion in range(values.shape[1]):
        gaps = np.abs(values[:, emotion, :, None] - values[:, emotion, None, :])
        known = ~np.isnan(gaps)
        total += np.where(known, gaps, 0.0)
        count += known
    found = np.full_like(total, math.nan)
    np.divide(total, count, out=found, where=count > 0)
    return found


def _labelled(gaps: Floats, first: npt.NDArray[np.bool_]) -> Floats:
    """Mean gap of the persons of the first group to the others for each labelling, shape (B,)."""
    known = (~np.isnan(gaps)).astype(np.float64)
    one, other = first.astype(np.float64), (~first).astype(np.float64)
    pairs = ((one @ known) * other).sum(axis=1)
    total = ((one @ np.where(known > 0.0, gaps, 0.0)) * other).sum(axis=1)
    found: Floats = np.divide(total, pairs, out=np.full(len(first), math.nan), where=pairs > 0.0)
    return found


def _nanmean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    found = np.full(len(values), math.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=1), count, out=found, where=count > 0)
    return found


def _over_templates(gaps: Floats) -> Floats:
    return _nanmean(gaps.reshape(len(gaps), -1).T).reshape(gaps.shape[1:])
