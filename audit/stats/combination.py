"""Linear combinations of several groups' means, each group with terms of its own.

Two groups with the coefficients 1 and -1 make the contrast of `nested`. Four cells with 1, -1, -1, 1 make an
interaction, the difference of two differences. All groups with 1 - 1/G for one and -1/G for the others make
a group against the average of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import Components, Design, contrast, flip_p, permutation_p, welch_df
from audit.stats.contrast import _interaction_mean_square
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined, as_floats
from audit.stats.sandwich import _clustered, _codes

SMALLEST_COUNT = 2
"""Templates, and terms of each group, without which there is no spread to estimate."""
SINGULAR = 1e-10
"""Eigenvalues of the groups' cross-products that are smaller, relative to the largest, are 0: at least one
always is, because group effects are known up to a constant only."""


def combination(groups: Sequence[npt.ArrayLike], coefficients: Sequence[float]) -> Contrast | Undefined:
    """Linear combination of the means of several groups of terms, over the same templates.

    Parameters
    ----------
    groups : sequence of array_like, shapes (T, N_g)
        Scores, any unit; row t is the same template in all. NaN means missing.
    coefficients : sequence of float
        One a group, summing to 0, so that what all groups share cancels. A group with 0 is left out.

    Returns
    -------
    Contrast or Undefined
        Mean over templates of sum_g c_g ybar_tg, score units; any real number, and 0 means that the weighted
        groups balance. V_T = var_t(sum_g c_g ybar_tg) / T, V_N = sum_g c_g^2 var_n(ybar_gn) / N_g,
        V_e = sum_g c_g^2 s2_eg / (T N_g); V = max(V_T + V_N - V_e, V_T, V_N) with Satterthwaite's degrees of
        freedom, at least 1. With any cell missing, the two-way cluster sandwich of least squares on template
        and group effects, corrected for few clusters; ``n_obs`` then counts the cells that entered, and a
        template counts where two groups or more have answers. Undefined with fewer than 2 templates or 2
        terms in a group, or where no answers tie the groups together.

    Raises
    ------
    ValueError
        If there is not one coefficient a group, fewer than two differ from 0, they are not finite or do not
        sum to 0, the numbers of templates differ, or a score is infinite.

    Notes
    -----
    Source: MEASURES 7.2, extended to any coefficients: the variance of a weighted sum of independent means is
    the sum of their variances, each times its coefficient squared. Missing cells: Cameron, Gelbach and Miller
    (2011), as in `sandwich`. For two groups with 1 and -1 it is `nested` exactly. V_N has Welch's degrees of
    freedom, as there: a group of few terms is known no better for standing against an average of many. With
    sum_g N_g - G in their place, one of 8 groups of 4 terms against the average of all rejects .106 of nulls
    at .05 where terms vary most, and .04 so.

    Examples
    --------
    >>> women, men = [[2.0, 4.0], [3.0, 1.0]], [[1.0, 2.0], [5.0, 3.0]]
    >>> combination([women, men], [1, -1]).estimate
    -0.25
    >>> result = combination([women, men, men, women], [1, -1, -1, 1])
    >>> result.estimate, result.n_obs, result.n_terms
    (-0.5, 16, 8)
    """
    weights = _checked(coefficients, len(groups))
    tables = [as_floats(f"groups[{place}]", group, 2) for place, group in enumerate(groups)]
    if len({table.shape[0] for table in tables}) > 1:
        counts = ", ".join(str(table.shape[0]) for table in tables)
        raise ValueError(f"the groups have {counts} templates; they must match row by row")
    kept = [(weight, table) for weight, table in zip(weights, tables, strict=True) if weight != 0.0]
    if any(np.isnan(table).any() for _, table in kept):
        return _with_gaps(kept)
    sizes = [table.shape[1] for _, table in kept]
    n_templates = kept[0][1].shape[0]
    reason = _too_few(n_templates, sizes)
    if reason:
        return Undefined(reason)
    by_template = np.zeros(n_templates)
    by_terms, shared = [], 0.0
    for weight, table in kept:
        by_template = by_template + weight * table.mean(axis=1)
        by_terms.append(weight**2 * (float(table.mean(axis=0).var(ddof=1)) / table.shape[1]))
        shared += weight**2 * (_interaction_mean_square(table) / table.shape[1])
    return contrast(
        float(by_template.mean()),
        Components(
            first=float(by_template.var(ddof=1)) / n_templates,
            second=math.fsum(by_terms),
            shared=shared / n_templates,
            df_first=float(n_templates - 1),
            df_second=welch_df(by_terms, sizes),
        ),
        Design(
            method="two-way nested, linear combination",
            second="V_N",
            n_obs=n_templates * sum(sizes),
            n_templates=n_templates,
            n_terms=sum(sizes),
            smallest_p=_smallest_p(n_templates, [weight for weight, _ in kept], sizes),
        ),
        scale=max(float(np.abs(table).max()) for _, table in kept),
    )


def _checked(coefficients: Sequence[float], n_groups: int) -> list[float]:
    weights = [float(coefficient) for coefficient in coefficients]
    if len(weights) != n_groups:
        raise ValueError(f"{len(weights)} coefficients for {n_groups} groups; each group needs one")
    if not all(math.isfinite(weight) for weight in weights):
        raise ValueError("a coefficient is not finite")
    size = math.fsum(abs(weight) for weight in weights)
    if abs(math.fsum(weights)) > ROUNDING * size:
        raise ValueError(f"the coefficients sum to {math.fsum(weights):.3g}; they must sum to 0")
    if sum(weight != 0.0 for weight in weights) < 2:
        raise ValueError("at least two groups need a coefficient other than 0")
    return weights


def _too_few(n_templates: int, sizes: Sequence[int]) -> str:
    if n_templates < SMALLEST_COUNT:
        return f"{n_templates} template(s); at least 2 are needed"
    if min(sizes) < SMALLEST_COUNT:
        counts = ", ".join(str(size) for size in sizes)
        return f"{counts} term(s) with answers in the groups; at least 2 are needed in each"
    return ""


def _smallest_p(n_templates: int, weights: Sequence[float], sizes: Sequence[int]) -> float:
    """Flip templates, or permute terms between the groups that count for and those that count against.

    Permuting over all groups could give a smaller p-value; the larger of the two claims less.
    """
    plus = sum(size for weight, size in zip(weights, sizes, strict=True) if weight > 0.0)
    return max(flip_p(n_templates), permutation_p(plus, sum(sizes) - plus))


def _with_gaps(kept: Sequence[tuple[float, Floats]]) -> Contrast | Undefined:
    """Least squares on template and group effects; the variance from sums of influence over clusters."""
    weights = np.array([weight for weight, _ in kept])
    cells = np.concatenate([table for _, table in kept], axis=1)
    owner = np.repeat(np.arange(len(kept)), [table.shape[1] for _, table in kept])
    there = ~np.isnan(cells)
    # A template with answers for one group only is absorbed by its own effect and tells nothing.
    present = np.stack([there[:, owner == group].any(axis=1) for group in range(len(kept))])
    row, column = np.nonzero(there & (present.sum(axis=0) >= 2)[:, None])
    y, group = cells[row, column], owner[column]
    rows, columns = _codes(row), _codes(column)
    n_templates = int(rows.max(initial=-1)) + 1
    sizes = [int(np.unique(columns[group == code]).size) for code in range(len(kept))]
    reason = _too_few(n_templates, sizes)
    if reason:
        return Undefined(reason)

    # Frisch-Waugh: group dummies and scores, each minus its template mean.
    dummies = np.eye(len(kept))[group]
    dummies = dummies - _template_means(dummies, rows, n_templates)[rows]
    scores = y - _template_means(y[:, None], rows, n_templates)[rows, 0]
    inverse = np.linalg.pinv(dummies.T @ dummies, rcond=SINGULAR, hermitian=True)
    solved = inverse @ weights
    # The combination can be estimated where the answers tie its groups together through shared templates.
    if not np.allclose((dummies.T @ dummies) @ solved, weights, atol=1e-8 * float(np.abs(weights).max())):
        return Undefined("no templates are shared by the groups, directly or through others")
    pull = dummies @ solved
    estimate = float(pull @ scores)
    residual = scores - dummies @ (inverse @ (dummies.T @ scores))
    influence = pull * residual
    by_term = np.bincount(columns, influence) ** 2
    owners = [np.unique(columns[group == code]) for code in range(len(kept))]
    df_terms = welch_df([float(by_term[own].sum()) for own in owners], sizes)
    components = _clustered(influence, rows, columns, (float(n_templates - 1), df_terms), min(sizes))
    return contrast(
        estimate,
        components,
        Design(
            method="linear combination, missing cells (cluster sandwich, few-cluster correction)",
            second="V_N",
            n_obs=int(y.size),
            n_templates=n_templates,
            n_terms=sum(sizes),
            smallest_p=_smallest_p(n_templates, weights.tolist(), sizes),
        ),
        scale=float(np.abs(y).max()),
    )


def _template_means(values: Floats, rows: npt.NDArray[np.intp], n_templates: int) -> Floats:
    """Column means of `values` within each template, shape (n_templates, columns)."""
    totals = np.zeros((n_templates, values.shape[1]))
    np.add.at(totals, rows, values)
    means: Floats = totals / np.bincount(rows, minlength=n_templates)[:, None]
    return means


def equivalent_design(coefficients: Sequence[float], sizes: Sequence[int]) -> tuple[float, float]:
    """The contrast of two groups, planned as `design_se` plans it, that is as certain as a combination.

    Parameters
    ----------
    coefficients : sequence of float
        One a group; those of 0 count for nothing.
    sizes : sequence of int
        Terms of each group, >= 1.

    Returns
    -------
    tuple of float
        What to multiply every standard deviation by, sqrt(sum c^2 / 2), and how many terms each of the two
        groups has: the mean of the sizes, harmonic and weighted by c^2. Its standard error is that of the
        combination; its degrees of freedom are those of two groups.

    Raises
    ------
    ValueError
        If a size is below 1 or no coefficient differs from 0.

    Notes
    -----
    Source: the expectations of the components of `combination`: sum c^2 / T for templates,
    sum c^2 / N_g for terms, each as 2 / T and 2 / N times the square of the factor.

    Examples
    --------
    >>> scale, terms = equivalent_design([1, -1, -1, 1], [12, 12, 12, 12])
    >>> round(scale, 4), round(terms, 4)
    (1.4142, 12.0)
    """
    if not sizes or min(sizes) < 1:
        raise ValueError("each group needs at least 1 term")
    squares = math.fsum(float(coefficient) ** 2 for coefficient in coefficients)
    if squares == 0.0:
        raise ValueError("no coefficient differs from 0")
    per_term = math.fsum(float(c) ** 2 / size for c, size in zip(coefficients, sizes, strict=True))
    return math.sqrt(squares / 2.0), squares / per_term
