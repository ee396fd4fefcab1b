"""Two groups that share no template, each sampled in clusters, such as prompts about one or the other."""

from __future__ import annotations

import math

import numpy.typing as npt

from audit.stats._two_way import permutation_p
from audit.stats.clustered import clustered_mean
from audit.stats.estimate import Contrast, Undefined


def unpaired(
    one: npt.ArrayLike, clusters1: npt.ArrayLike, zero: npt.ArrayLike, clusters0: npt.ArrayLike
) -> Contrast | Undefined:
    """Mean of one group less that of another, with the clusters of each taken whole.

    Parameters
    ----------
    one, zero : array_like, shapes (n1,) and (n0,)
        Scores of group 1 and group 0, any unit; NaN means missing.
    clusters1, clusters0 : array_like, of the same shapes
        The cluster of each. The groups are taken as independent: a cluster that is in both, and makes them
        alike, makes the true error smaller than this one.

    Returns
    -------
    Contrast or Undefined
        Difference in score units; 0 means none. The two variances are those of `clustered_mean` and add up,
        the degrees of freedom are Welch's. Undefined where a group has fewer than 2 clusters.

    Raises
    ------
    ValueError
        If lengths differ or a score is infinite.

    Notes
    -----
    With one score a cluster this is Welch's t-test. Source: Welch (1947), Biometrika 34, 28-35; for the
    means Bell and McCaffrey (2002), see `clustered_mean`.

    Examples
    --------
    >>> found = unpaired([0.4, 0.6, 0.5], ["a", "b", "c"], [0.1, 0.2, 0.3], ["d", "e", "f"])
    >>> round(found.estimate, 3), round(found.se, 4), found.n_templates, round(found.df, 6)
    (0.3, 0.0816, 6, 4.0)
    """
    return difference(clustered_mean(one, clusters1), clustered_mean(zero, clusters0))


def difference(one: Contrast | Undefined, zero: Contrast | Undefined) -> Contrast | Undefined:
    """Difference of two independent means, each with its own error; see :func:`unpaired`."""
    if isinstance(one, Undefined):
        return Undefined(f"group 1: {one.reason}")
    if isinstance(zero, Undefined):
        return Undefined(f"group 0: {zero.reason}")
    first, second = one.se**2, zero.se**2
    total = first + second
    df = min(one.df, zero.df)
    if total > 0.0:  # relative sizes: squares of very small variances would underflow
        df = 1.0 / ((first / total) ** 2 / one.df + (second / total) ** 2 / zero.df)
    return Contrast(
        one.estimate - zero.estimate,
        math.sqrt(total),
        max(1.0, df),
        "two cluster-robust means (CR2), Welch",
        n_obs=one.n_obs + zero.n_obs,
        n_templates=one.n_templates + zero.n_templates,
        n_terms=1,
        components={"V_T": total},
        smallest_p=permutation_p(one.n_templates, zero.n_templates),
    )


def difference_p(one: Contrast | Undefined, other: Contrast | Undefined) -> float | None:
    """p-value of the difference of two independent estimates; None where one is undefined.

    Without any spread on either side there is no test: 1 where they are equal, else None.

    Examples
    --------
    >>> difference_p(Contrast(0.5, 0.1, 9.0, "", 10, 10, 1), Contrast(0.5, 0.1, 9.0, "", 10, 10, 1))
    1.0
    """
    gap = difference(one, other)
    if isinstance(gap, Undefined):
        return None
    if gap.se == 0.0:
        return 1.0 if gap.estimate == 0.0 else None
    return gap.p_value()
