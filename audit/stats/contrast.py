"""Differences between two groups, with uncertainty that respects templates and terms.

Templates and terms are both samples: the question is about other templates and other names, too. Rows are
therefore never independent units. With the rows taken as units, a model without any bias is called biased in
about one audit of three (MEASURES 7.2); the estimators here keep that at one in twenty.

==================  ============================================================  =======================
data                design                                                        estimator
==================  ============================================================  =======================
(T, N1), (T, N0)    different terms stand for the two groups                      `nested`
(T, K)              paired difference for each template and second-factor level   `crossed`
(T,)                paired difference for each template (or writer, or prompt)    `single`
long table          any pattern of missing and repeated cells                     `sandwich`
==================  ============================================================  =======================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import Components, Design, contrast, flip_p, permutation_p, welch_df
from audit.stats.estimate import Contrast, Floats, Undefined, as_floats, sum_of_squares
from audit.stats.sandwich import mean_sandwich, sandwich

__all__ = [
    "Contrast", "Undefined", "cell_means", "crossed", "means_by_place", "nested", "sandwich", "single",
    "with_sampled",
]  # fmt: skip


def nested(group1: npt.ArrayLike, group0: npt.ArrayLike) -> Contrast | Undefined:
    """Contrast of two groups that are represented by different terms, over the same templates.

    Parameters
    ----------
    group1, group0 : array_like, shapes (T, N1) and (T, N0)
        Scores, any unit; row t is the same template in both. NaN means missing.

    Returns
    -------
    Contrast or Undefined
        Mean over templates of the difference of the two term means, in score units; any real number, and 0
        means no difference. Components V_T (templates), V_N (terms), V_e (their interaction);
        V = max(V_T + V_N - V_e, V_T, V_N) with Satterthwaite's degrees of freedom, at least 1. With any
        cell missing, `sandwich` with its correction for few clusters takes over (templates are then
        weighted by their information, and ``n_obs`` counts the cells that entered). Undefined with fewer
        than 2 templates or 2 terms in a group.

    Raises
    ------
    ValueError
        If the numbers of templates differ or a score is infinite.

    Notes
    -----
    Source: MEASURES 7.2; two-way random effects after Clark (1973) and Raaijmakers et al. (1999), with
    Satterthwaite (1946). V_N has Welch's degrees of freedom, not the N1 + N0 - 2 of MEASURES: a few terms
    against many would else reject too often (`welch_df`). If V_T and V_N both vanish while cells still
    differ, V = V_e.

    Examples
    --------
    >>> result = nested([[2.0, 4.0], [3.0, 1.0]], [[1.0, 2.0], [5.0, 3.0]])
    >>> result.estimate, result.n_obs, result.n_terms
    (-0.25, 8, 4)
    """
    one, zero = as_floats("group1", group1, 2), as_floats("group0", group0, 2)
    if one.shape[0] != zero.shape[0]:
        raise ValueError(
            f"the groups have {one.shape[0]} and {zero.shape[0]} templates; they must match row by row"
        )
    if np.isnan(one).any() or np.isnan(zero).any():
        return _nested_with_gaps(one, zero)
    n_templates, n1, n0 = one.shape[0], one.shape[1], zero.shape[1]
    if n_templates < 2:
        return Undefined(f"{n_templates} template(s); at least 2 are needed")
    if min(n1, n0) < 2:
        return Undefined(f"{n1} and {n0} term(s) in the two groups; at least 2 are needed in each")
    by_template = one.mean(axis=1) - zero.mean(axis=1)
    by_terms = [float(one.mean(axis=0).var(ddof=1)) / n1, float(zero.mean(axis=0).var(ddof=1)) / n0]
    components = Components(
        first=float(by_template.var(ddof=1)) / n_templates,
        second=math.fsum(by_terms),
        shared=(_interaction_mean_square(one) / n1 + _interaction_mean_square(zero) / n0) / n_templates,
        df_first=float(n_templates - 1),
        df_second=welch_df(by_terms, (n1, n0)),
    )
    return contrast(
        float(by_template.mean()),
        components,
        Design(
            method="two-way nested",
            second="V_N",
            n_obs=n_templates * (n1 + n0),
            n_templates=n_templates,
            n_terms=n1 + n0,
            smallest_p=max(flip_p(n_templates), permutation_p(n1, n0)),
        ),
        scale=max(float(np.abs(one).max()), float(np.abs(zero).max())),
    )


def crossed(difference: npt.ArrayLike) -> Contrast | Undefined:
    """Mean paired difference over templates crossed with a second random factor.

    Parameters
    ----------
    difference : array_like, shape (T, K)
        Group 1 minus group 0 in the same cell: T templates by K trait pairs, term pairs or seeds, any unit.
        NaN where either side is missing.

    Returns
    -------
    Contrast or Undefined
        Mean of the cells, score units; any real number, and 0 means no difference. V_T = var(row means) / T,
        V_K = var(column means) / K, V_e = interaction mean square / (T K);
        V = max(V_T + V_K - V_e, V_T, V_K), Satterthwaite's degrees of freedom, at least 1. With any cell
        missing: the two-way cluster sandwich with its correction for few clusters, which equals this
        formula on a complete table. Undefined with fewer than 2 templates or 2 columns.

    Raises
    ------
    ValueError
        If the table is not two-dimensional or holds an infinite value.

    Notes
    -----
    Source: MEASURES 7.2, applied to differences; Raaijmakers et al. (1999).

    Examples
    --------
    >>> result = crossed([[1.0, 2.0], [3.0, 2.0], [2.0, 4.0]])
    >>> round(result.estimate, 4), result.n_obs
    (2.3333, 6)
    >>> crossed([[0.0, 0.0], [0.0, 0.0]]).ci(0.95)
    (0.0, 0.0)
    """
    cells = as_floats("difference", difference, 2)
    if np.isnan(cells).any():
        return mean_sandwich(cells)
    n_templates, n_levels = cells.shape
    if min(n_templates, n_levels) < 2:
        return Undefined(
            f"{n_templates} template(s) and {n_levels} second-factor level(s); at least 2 of each are needed"
        )
    components = Components(
        first=float(cells.mean(axis=1).var(ddof=1)) / n_templates,
        second=float(cells.mean(axis=0).var(ddof=1)) / n_levels,
        shared=_interaction_mean_square(cells) / (n_templates * n_levels),
        df_first=float(n_templates - 1),
        df_second=float(n_levels - 1),
    )
    return contrast(
        float(cells.mean()),
        components,
        Design(
            method="two-way crossed",
            second="V_K",
            n_obs=int(cells.size),
            n_templates=n_templates,
            n_terms=n_levels,
            smallest_p=max(flip_p(n_templates), flip_p(n_levels)),
        ),
        scale=float(np.abs(cells).max()),
    )


def single(difference: npt.ArrayLike) -> Contrast | Undefined:
    """Mean paired difference when templates (or writers, or prompts) are the only random factor.

    Parameters
    ----------
    difference : array_like, shape (T,)
        One paired difference, group 1 minus group 0, for each independent unit, any unit of measurement.
        NaN means missing: left out, and visible as ``n_obs`` < T.

    Returns
    -------
    Contrast or Undefined
        Mean, score units; any real number, and 0 means no difference. Student's t with T - 1 degrees of
        freedom. Undefined with fewer than 2 values.

    Raises
    ------
    ValueError
        If the list is not one-dimensional or holds an infinite value.

    Notes
    -----
    Source: Student (1908). Values must be independent: average within a template first (`cell_means`).

    Examples
    --------
    >>> result = single([0.1, 0.3, -0.1, 0.3])
    >>> round(result.estimate, 3), round(result.se, 4), result.df
    (0.15, 0.0957, 3.0)
    """
    values = as_floats("difference", difference, 1)
    values = values[~np.isnan(values)]
    n = int(values.size)
    if n < 2:
        return Undefined(f"{n} paired difference(s); at least 2 are needed")
    return contrast(
        float(values.mean()),
        Components(float(values.var(ddof=1)) / n, 0.0, 0.0, float(n - 1), float(n - 1)),
        Design("paired t", None, n_obs=n, n_templates=n, n_terms=1, smallest_p=flip_p(n)),
        scale=float(np.abs(values).max()),
    )


def with_sampled(
    contrast: Contrast | Undefined, parts: Sequence[Contrast | Undefined]
) -> Contrast | Undefined:
    """A contrast whose cells are means over one more sample, such as the words that were scored in each.

    Parameters
    ----------
    contrast : Contrast or Undefined
        Of the cell means, two-way.
    parts : sequence of (Contrast or Undefined)
        The mean over that further sample in each group that the estimate adds or takes off, by `single`: one,
        or two of a difference. Only their errors are used.

    Returns
    -------
    Contrast or Undefined
        The same estimate with V = V of `contrast` + the sum of those of `parts`, Satterthwaite's degrees of
        freedom, never more than without. The noise of single cells is in both sums, so that V is a little
        too large. Undefined where any of them is.

    Notes
    -----
    Source: the one-way components of three crossed random factors add up (Clark 1973; MEASURES 7.2). With the
    words taken as fixed, 10 prompts by 30 pairs by 10 and 10 words reject .2 of nulls at .05.

    Examples
    --------
    >>> cells, words = crossed([[1.0, 2.0], [3.0, 2.0], [2.0, 4.0]]), single([1.0, 3.0, 3.0])
    >>> both = with_sampled(cells, [words])
    >>> round(cells.se, 3), round(words.se, 3), round(both.se, 3)
    (0.441, 0.667, 0.799)
    """
    known = [one for one in (contrast, *parts) if isinstance(one, Contrast)]
    if isinstance(contrast, Undefined) or len(known) <= len(parts):
        return next(one for one in (contrast, *parts) if isinstance(one, Undefined))
    largest = max(one.se for one in known)
    if largest == 0.0:
        return contrast
    shares = [(one.se / largest) ** 2 for one in known]
    total = math.fsum(shares)
    spread = math.fsum(share**2 / one.df for share, one in zip(shares, known, strict=True))
    return replace(
        contrast,
        se=largest * math.sqrt(total),
        df=max(1.0, total**2 / spread),
        method=f"{contrast.method}, and words" if parts else contrast.method,
        components={**contrast.components, "V_W": math.fsum(one.se**2 for one in known[1:])},
    )


def cell_means(
    values: npt.ArrayLike,
    template: npt.ArrayLike,
    term: npt.ArrayLike,
    *,
    templates: npt.ArrayLike | None = None,
    terms: npt.ArrayLike | None = None,
) -> Floats:
    """Average a long table into one number for each template and term, so that repeats add no certainty.

    Parameters
    ----------
    values : array_like, shape (n,)
        Scores, any unit; NaN means missing and is left out of its cell's mean.
    template, term : array_like, shape (n,)
        Labels.
    templates, terms : array_like, optional
        The labels of rows and columns, in the order wanted. Give `templates` when the tables of two groups
        must match row by row. By default the labels that occur, sorted.

    Returns
    -------
    ndarray, shape (T, N)
        Cell means, in units of `values`; NaN in a cell that holds no answer.

    Raises
    ------
    ValueError
        If lengths differ, a label is not listed or is listed twice, or a score is infinite.

    Examples
    --------
    >>> cell_means([1.0, 3.0, 5.0], ["a", "a", "b"], ["Eve", "Eve", "Anne"])
    array([[nan,  2.],
           [ 5., nan]])
    """
    scores = as_floats("values", values, 1)
    rows, n_rows = _positions("template", template, templates)
    columns, n_columns = _positions("term", term, terms)
    if not scores.size == rows.size == columns.size:
        raise ValueError("values, template and term must have the same length")
    return means_by_place(scores, (rows, columns), (n_rows, n_columns))


def means_by_place(
    values: npt.ArrayLike, places: tuple[npt.NDArray[np.intp], ...], shape: tuple[int, ...]
) -> Floats:
    """Average a long table into an array, each score at its place; as :func:`cell_means`, without labels.

    Parameters
    ----------
    values : array_like, shape (n,)
        Scores, any unit; NaN means missing and is left out of its cell's mean.
    places : tuple of integer arrays, each of shape (n,)
        Where each score belongs, axis by axis.
    shape : tuple of int
        Of the array.

    Returns
    -------
    ndarray of that shape
        Cell means, in units of `values`; NaN in a cell that holds no answer.

    Raises
    ------
    ValueError
        If lengths differ, a place lies outside the array, or a score is infinite.

    Examples
    --------
    >>> means_by_place([1.0, 3.0, 5.0], (np.array([0, 0, 1]), np.array([1, 1, 0])), (2, 2))
    array([[nan,  2.],
           [ 5., nan]])
    """
    scores = as_floats("values", values, 1)
    size = math.prod(shape)
    seen = ~np.isnan(scores)
    cell = np.ravel_multi_index(places, shape)[seen] if scores.size else np.empty(0, dtype=np.intp)
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, scores[seen], size)
    means = np.full(size, np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means.reshape(shape)


def _positions(
    name: str, labels: npt.ArrayLike, listed: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.intp], int]:
    given = np.asarray(labels)
    order = np.unique(given) if listed is None else np.asarray(listed)
    place = {label: index for index, label in enumerate(order.tolist())}
    if len(place) != order.size:
        raise ValueError(f"the list of {name}s names one twice")
    unknown = sorted({repr(label) for label in given.tolist() if label not in place})
    if unknown:
        raise ValueError(f"{name} not in the list of {name}s: {', '.join(unknown[:5])}")
    return np.array([place[label] for label in given.tolist()], dtype=np.intp), len(place)


def _interaction_mean_square(cells: Floats) -> float:
    """Mean square of a table after removing row and column means."""
    residual = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0, keepdims=True) + cells.mean()
    freedom: int = (cells.shape[0] - 1) * (cells.shape[1] - 1)
    return sum_of_squares(residual) / freedom


def _nested_with_gaps(one: Floats, zero: Floats) -> Contrast | Undefined:
    rows, columns = np.indices((one.shape[0], one.shape[1] + zero.shape[1]))
    return sandwich(
        np.concatenate([one, zero], axis=1).ravel(),
        (columns < one.shape[1]).ravel(),
        rows.ravel(),
        columns.ravel(),
        small_sample=True,
    )
