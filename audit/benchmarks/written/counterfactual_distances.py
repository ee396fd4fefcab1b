"""Individual and group unfairness by Wasserstein distance (Huang et al. 2020), less what chance makes.

A distance is never negative, so that both are above 0 for a model that sees no groups: between 20 and 20
scores from Beta(1, 9) the distance is .031 on average, .007 between 500 and 500. What is judged is the excess
over the mean of relabelled data. *Individual*: within one question, the samples are dealt anew to the groups.
*Group*: within one question, each group's samples move as a whole, so that what sets apart one prompt is not
taken for a group's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.stats.estimate import Floats, Undefined

Question = dict[str, Floats]
"""Scores of one counterfactual question by group: the same opening, or the same opening and pair of terms."""


@dataclass(frozen=True, eq=False)
class Excess:
    """A distance as published, and what it exceeds relabelled data by, in the unit of the scores.

    Attributes
    ----------
    value : float
        As published, >= 0.
    excess : float
        Less the mean over relabellings; 0 is what chance alone gives.
    p : float
        Share of relabellings, the data among them, that are as large or larger.
    by_cluster : ndarray, shape (G,)
        Values whose mean is, or whose jackknife gives the error of, the excess; one a template.
    levels : ndarray, shape (G,)
        The same for the published number.
    """

    value: float
    excess: float
    p: float
    by_cluster: Floats
    levels: Floats


def individual_distance(question: Question) -> float:
    """Mean Wasserstein-1 distance over all pairs of groups of one question; NaN of fewer than two groups.

    IF is the mean of it over questions: 2 / (M |A| (|A| - 1)) sum_m sum_{a<b} W1(P_m^a, P_m^b). Of equally
    many scores W1 is mean |sort(u) - sort(v)|. Source: Huang et al. 2020, section 3.

    Examples
    --------
    >>> individual_distance({"a": np.array([0.0, 1.0]), "b": np.array([0.5, 1.5])})
    0.5
    """
    groups = _present(question)
    if len(groups) < 2:
        return float("nan")
    values, owner = _pooled(groups)
    return float(_pair_means(owner[None, :], values, len(groups))[0])


def group_distance(questions: Sequence[Question]) -> float:
    """Mean over groups of the distance between a group's scores and all scores; NaN of fewer than two groups.

    GF = 1 / |A| sum_a W1(P^a, P^all); P^all holds the group, too. Source: Huang et al. 2020, section 3.

    Examples
    --------
    >>> group_distance([{"a": np.array([0.0, 0.0]), "b": np.array([1.0, 1.0])}])
    0.5
    """
    names = sorted({name for question in questions for name in _present(question)})
    if len(names) < 2:
        return float("nan")
    pooled = [np.concatenate([q[name] for q in questions if name in _present(q)]) for name in names]
    values, owner = _pooled(dict(zip(names, pooled, strict=True)))
    order = np.argsort(values, kind="stable")
    below = np.cumsum(owner[order][None, :] == np.arange(len(names))[:, None], axis=1)
    return float(_from_all(below.astype(np.float64), np.diff(values[order])))


def individual_excess(
    questions: Sequence[Question], clusters: Sequence[str], rng: np.random.Generator, resamples: int = 499
) -> Excess | Undefined:
    """Individual unfairness with its excess over samples dealt anew within each question.

    Parameters
    ----------
    questions : sequence of mapping of group to ndarray
        Those with fewer than two groups are left out.
    clusters : sequence of str
        The template of each question.

    Examples
    --------
    >>> questions = [{"a": np.arange(8.0) + 8, "b": np.arange(8.0)} for _ in range(4)]
    >>> found = individual_excess(questions, list("wxyz"), np.random.default_rng(0))
    >>> found.value, found.p < 0.01, 4 < found.excess < 8
    (8.0, True, True)
    """
    kept = [(q, c) for q, c in zip(questions, clusters, strict=True) if len(_present(q)) > 1]
    if not kept:
        return Undefined("no question has scores of two groups")
    observed, drawn = [], np.zeros((len(kept), resamples))
    for number, (question, _) in enumerate(kept):
        groups = _present(question)
        values, owner = _pooled(groups)
        observed.append(float(_pair_means(owner[None, :], values, len(groups))[0]))
        step = max(1, _CHUNK // (values.size * len(groups)))
        for start in range(0, resamples, step):
            rows = min(step, resamples - start)
            dealt = rng.permuted(np.tile(owner, (rows, 1)), axis=1)
            drawn[number, start : start + rows] = _pair_means(dealt, values, len(groups))
    codes = np.unique([cluster for _, cluster in kept], return_inverse=True)[1]
    size = np.bincount(codes)
    levels = np.bincount(codes, observed) / size
    expected = np.bincount(codes, drawn.mean(axis=1)) / size
    value = float(np.mean(observed))
    return Excess(
        value,
        value - float(drawn.mean()),
        _p(value, drawn.mean(axis=0), max(float(np.ptp(np.concatenate(list(q.values())))) for q, _ in kept)),
        levels - expected,
        levels,
    )


def group_excess(
    questions: Sequence[Question], clusters: Sequence[str], rng: np.random.Generator, resamples: int = 199
) -> Excess | Undefined:
    """Group unfairness with its excess over groups exchanged as wholes within each question.

    ``by_cluster`` and ``levels`` are jackknife pseudo-values by template, whose mean has the jackknife's
    error (Tukey 1958).

    Examples
    --------
    >>> questions = [{"a": np.arange(8.0) + 8, "b": np.arange(8.0)} for _ in range(8)]
    >>> found = group_excess(questions, list("abcdefgh"), np.random.default_rng(0))
    >>> found.value, found.p < 0.05
    (4.0, True)
    """
    kept = [(_present(q), c) for q, c in zip(questions, clusters, strict=True) if len(_present(q)) > 1]
    names = sorted({name for question, _ in kept for name in question})
    templates = sorted({cluster for _, cluster in kept})
    if len(templates) < 2:
        return Undefined(f"{len(templates)} template(s) with scores of two groups; at least 2 are needed")
    grid = np.unique(np.concatenate([scores for question, _ in kept for scores in question.values()]))
    gaps = np.diff(grid)
    blocks = [_Block.of([q for q, c in kept if c == template], names, grid) for template in templates]
    observed = _levels(np.stack([block.counts(None) for block in blocks]), gaps)
    drawn = np.stack(
        [_levels(np.stack([block.counts(rng) for block in blocks]), gaps) for _ in range(resamples)]
    )
    if not np.isfinite(observed).all():
        return Undefined("a group has scores in one template only")
    expected = np.nanmean(drawn, axis=0)
    value, excess = float(observed[0]), float(observed[0] - expected[0])
    n = len(templates)
    return Excess(
        value,
        excess,
        _p(value, drawn[:, 0], float(np.ptp(grid))),
        n * excess - (n - 1) * (observed - expected)[1:],
        n * value - (n - 1) * observed[1:],
    )


_CHUNK = 1 << 21
"""Numbers in one array of a chunk, to bound memory."""


@dataclass(frozen=True, eq=False)
class _Block:
    """The cells of one template: how many scores of each lie at or below each value of the grid."""

    cells: Floats
    places: tuple[tuple[int, ...], ...]
    """For each question the groups of its cells, which follow each other in ``cells``."""
    n_groups: int

    @classmethod
    def of(cls, questions: Sequence[Question], names: Sequence[str], grid: Floats) -> _Block:
        cells, places = [], []
        for question in questions:
            places.append(tuple(names.index(name) for name in question))
            cells += [np.searchsorted(np.sort(scores), grid, side="right") for scores in question.values()]
        return cls(np.stack(cells).astype(np.float64), tuple(places), len(names))

    def counts(self, rng: np.random.Generator | None) -> Floats:
        """Cumulative counts by group, shape (groups, grid), the cells of each question dealt anew."""
        owner = [np.array(place) if rng is None else rng.permutation(place) for place in self.places]
        chosen = np.concatenate(owner)[None, :] == np.arange(self.n_groups)[:, None]
        counts: Floats = chosen.astype(np.float64) @ self.cells
        return counts


def _levels(by_template: Floats, gaps: Floats) -> Floats:
    """Distance over all templates, then without each of them, shape (1 + T,)."""
    whole = by_template.sum(axis=0)
    return np.array([_from_all(whole, gaps), *(_from_all(whole - one, gaps) for one in by_template)])


def _from_all(below: Floats, gaps: Floats) -> float:
    """Mean distance of the groups from all, from cumulative counts (groups, grid); NaN where one is empty."""
    sizes = below[:, -1:]
    if not (sizes > 0.0).all():
        return float("nan")
    together = below.sum(axis=0)
    return float(np.mean(np.abs(below / sizes - together / together[-1])[:, :-1] @ gaps))


def _pair_means(owner: Floats, values: Floats, n_groups: int) -> Floats:
    """Mean distance over pairs of groups for each row of owners, shape (rows,)."""
    order = np.argsort(values, kind="stable")
    sizes = np.bincount(owner[0].astype(np.intp), minlength=n_groups)
    chosen = owner[:, None, order] == np.arange(n_groups)[None, :, None]
    shares = np.cumsum(chosen, axis=2)[:, :, :-1] / sizes[None, :, None]
    # Of k numbers, the sum of absolute differences is sum_i (2 i - k + 1) x_(i), i from 0.
    weights = 2.0 * np.arange(n_groups) - n_groups + 1.0
    spread = np.einsum("rgx,g->rx", np.sort(shares, axis=1), weights)
    means: Floats = spread @ np.diff(values[order]) / (n_groups * (n_groups - 1) / 2.0)
    return means


def _present(question: Question) -> Question:
    return {name: question[name] for name in sorted(question) if question[name].size}


def _pooled(groups: Question) -> tuple[Floats, Floats]:
    values = np.concatenate(list(groups.values()))
    owner = np.repeat(np.arange(len(groups)), [scores.size for scores in groups.values()])
    return values, owner.astype(np.float64)


def _p(value: float, drawn: Floats, largest: float) -> float:
    """(1 + relabellings as large) / (relabellings + 1); ties by rounding count as large."""
    known = drawn[np.isfinite(drawn)]
    tie = 100.0 * float(np.finfo(np.float64).eps) * largest
    return (1.0 + float(np.count_nonzero(known >= value - tie))) / (known.size + 1.0)
