"""Means of groups whose clusters are sampled, each against the others: no pairing, nothing counterfactual.

Prompts about two groups are about other people, too. What can be compared are the groups' means, the cluster
(an article, a writer, a person) being what was sampled. A cluster may hold values of several groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import flip_p
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined, as_floats
from audit.stats.unpaired import difference_p

FEWEST_CLUSTERS = 2
"""Clusters that a group needs for its mean to have an error."""
LEFT_OUT = 50
"""Clusters that are left out in turn: those that pull the estimate farthest from 0."""


@dataclass(frozen=True, eq=False)
class GroupTable:
    """Sums and numbers of values by cluster and group.

    Attributes
    ----------
    groups : tuple of str
        Names, in the order of the columns.
    sums, counts : ndarray, shape (C, G)
        Of the values of each cluster in each group.
    largest : float
        Largest absolute value, the size that rounding is of.
    """

    groups: tuple[str, ...]
    sums: Floats
    counts: Floats
    largest: float

    def clusters_of(self, group: str) -> int:
        """Clusters that hold a value of a group."""
        return int(np.count_nonzero(self.counts[:, self.groups.index(group)]))

    def some(self, rows: npt.ArrayLike) -> GroupTable:
        """The table of some clusters, by a mask or by their numbers."""
        keep = np.asarray(rows)
        return GroupTable(self.groups, self.sums[keep], self.counts[keep], self.largest)


def group_table(values: npt.ArrayLike, groups: Sequence[str], clusters: Sequence[str]) -> GroupTable:
    """The table of values, NaN being missing; the order of the values does not matter but for rounding.

    Examples
    --------
    >>> group_table([1.0, 2.0, 4.0], ["a", "a", "b"], ["x", "x", "y"]).sums.tolist()
    [[3.0, 0.0], [0.0, 4.0]]
    """
    scores = as_floats("values", values, 1)
    if not scores.size == len(groups) == len(clusters):
        raise ValueError("values, groups and clusters must have the same length")
    names, columns = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    labels, rows = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    seen = ~np.isnan(scores)
    shape = (labels.size, names.size)
    place = (rows * names.size + columns)[seen]
    return GroupTable(
        tuple(names.tolist()),
        np.bincount(place, scores[seen], shape[0] * shape[1]).astype(np.float64).reshape(shape),
        np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64),
        float(np.abs(scores[seen]).max(initial=0.0)),
    )


def combined_means(table: GroupTable, weights: Mapping[str, float]) -> Contrast | Undefined:
    """A weighted sum of group means, with a standard error by whole clusters.

    Parameters
    ----------
    weights : mapping of str to float
        Coefficient of each group's mean, summing to 0: 1 for a group and -1/k for k others.

    Returns
    -------
    Contrast or Undefined
        In the unit of the values; ``n_templates`` counts clusters. V = sum_c (sum_g w_g u_gc)^2, u_gc being
        the residual sum of cluster c in group g over n_g sqrt(1 - n_gc / n_g): CR2 in each group, as
        `clustered_mean`, and what a cluster of several groups has in common counts once. Welch-Satterthwaite
        degrees of freedom from those of the groups. Undefined where a group has fewer than 2 clusters.

    Notes
    -----
    Source: Bell and McCaffrey (2002), Survey Methodology 28, 169-181; Satterthwaite (1946).

    Examples
    --------
    >>> table = group_table([0.1, 0.3, 0.2, 0.6, 0.8, 0.7], list("aaabbb"), list("uvwxyz"))
    >>> found = combined_means(table, {"a": 1.0, "b": -1.0})
    >>> round(found.estimate, 3), round(found.se, 4), round(found.df, 6)
    (-0.5, 0.0816, 4.0)
    """
    estimate, influence, parts = 0.0, np.zeros(len(table.sums)), []
    for group, weight in weights.items():
        column = table.groups.index(group) if group in table.groups else None
        known = 0 if column is None else table.clusters_of(group)
        if column is None or known < FEWEST_CLUSTERS:
            return Undefined(
                f"{group} has {known} cluster(s) with a score; at least {FEWEST_CLUSTERS} are needed"
            )
        counts = table.counts[:, column]
        n, share = float(counts.sum()), counts / counts.sum()
        mean = float(table.sums[:, column].sum()) / n
        residuals = table.sums[:, column] - counts * mean
        residuals = np.where(np.abs(residuals) <= ROUNDING * n * table.largest, 0.0, residuals)
        own = weight * residuals / (n * np.sqrt(1.0 - share))
        estimate += weight * mean
        influence += own
        parts.append((float(np.sum(own**2)), _df(share)))
    variance = float(np.sum(influence**2))
    within = math.fsum(part for part, _ in parts)
    spread = math.fsum(part**2 / df for part, df in parts)
    seen = table.counts[:, [table.groups.index(group) for group in weights]].sum(axis=1) > 0
    return Contrast(
        0.0 if abs(estimate) <= ROUNDING * table.largest else estimate,
        math.sqrt(variance),
        max(1.0, within**2 / spread) if spread > 0.0 else float(np.count_nonzero(seen) - 1),
        "group means by clusters (CR2)",
        n_obs=int(table.counts[:, [table.groups.index(group) for group in weights]].sum()),
        n_templates=int(np.count_nonzero(seen)),
        n_terms=1,
        components={"V_T": variance},
        smallest_p=flip_p(int(np.count_nonzero(seen))),
    )


def includes_zero_without_one(table: GroupTable, weights: Mapping[str, float], alpha: float) -> bool | None:
    """Whether the interval includes 0 without one of the clusters; None where that cannot be had.

    Left out in turn are the `LEFT_OUT` clusters that pull the estimate farthest from 0; others move it less.

    Examples
    --------
    >>> table = group_table([0.1, 0.3, 0.2, 0.2, 0.6, 0.8, 0.7, 0.7], list("aaaabbbb"), list("stuvwxyz"))
    >>> includes_zero_without_one(table, {"a": 1.0, "b": -1.0}, 0.05)
    False
    """
    whole = combined_means(table, weights)
    if isinstance(whole, Undefined):
        return None
    low, high = whole.ci(1.0 - alpha)
    if low <= 0.0 <= high:
        return True
    pull = np.zeros(len(table.sums))
    for group, weight in weights.items():
        column = table.groups.index(group)
        sums, counts = table.sums[:, column], table.counts[:, column]
        left = counts.sum() - counts
        without = np.divide(sums.sum() - sums, left, out=np.zeros_like(left), where=left > 0)
        pull += weight * (sums.sum() / counts.sum() - without)
    for number in np.argsort(-pull * math.copysign(1.0, whole.estimate), kind="stable")[:LEFT_OUT]:
        found = combined_means(table.some(np.arange(len(pull)) != number), weights)
        if isinstance(found, Undefined):
            return None
        low, high = found.ci(1.0 - alpha)
        if low <= 0.0 <= high:
            return True
    return False


def halves_p(table: GroupTable, weights: Mapping[str, float], rng: np.random.Generator) -> float | None:
    """p-value of the same sum in two random halves of the clusters of each group; None where one has none.

    Examples
    --------
    >>> table = group_table(np.arange(16.0) % 4, list("ab") * 8, [f"c{n}" for n in range(16)])
    >>> 0 < halves_p(table, {"a": 1.0, "b": -1.0}, np.random.default_rng(0)) <= 1
    True
    """
    rank = np.empty(len(table.sums), dtype=np.intp)
    # By the groups that a cluster has, so that each half has its share of every group.
    order = np.lexsort((rng.permutation(len(table.sums)), *(table.counts > 0).T))
    rank[order] = np.arange(len(order))
    one, other = (combined_means(table.some(rank % 2 == half), weights) for half in (0, 1))
    return difference_p(one, other)


def _df(share: Floats) -> float:
    """Bell and McCaffrey's degrees of freedom of a group's mean from its clusters' shares of its values."""
    odds = share**2 / (1.0 - share)
    between = float(odds.sum()) ** 2 - float(np.sum(odds**2))
    return max(1.0, 1.0 / (float(np.sum(share**2)) + between))
