"""How a score changes with a property of the terms: a least squares slope over templates and terms.

The property (a labour share, a frequency) belongs to the term, so that a thousand rows about twenty
occupations hold twenty values of it, not a thousand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audit.stats._two_way import Components, Design, contrast, flip_p
from audit.stats.estimate import Contrast, Floats, Undefined, as_floats

Codes = npt.NDArray[np.intp]

SMALLEST_TERMS = 4
"""Terms that a slope with an error needs: two for the line, one for the error, one to leave out."""


def slope(
    y: npt.ArrayLike, x: npt.ArrayLike, templates: npt.ArrayLike, terms: npt.ArrayLike
) -> Contrast | Undefined:
    """Least squares slope of a score on a property of its term, each template with a level of its own.

    Parameters
    ----------
    y : array_like, shape (n,)
        Scores, any unit; NaN means missing, and is left out.
    x : array_like, shape (n,)
        The property, one value a term, any unit.
    templates, terms : array_like, shape (n,)
        Labels of the template and of the term of each score.

    Returns
    -------
    Contrast or Undefined
        Units of `y` per unit of `x`; 0 means that the score does not change with the property. V_T and V_N
        are jackknifes that leave out one template and one term at a time, V_e is the sandwich by cells that
        both contain; V = max(V_T + V_N - V_e, V_T, V_N), Satterthwaite's degrees of freedom. Undefined with
        fewer than 2 templates or 4 terms, or where the property does not differ between terms.

    Raises
    ------
    ValueError
        If lengths differ, a value is infinite, or a property is missing.

    Notes
    -----
    Source: ordinary least squares with template effects; two-way clustering after Cameron, Gelbach and
    Miller (2011), J. Business and Economic Statistics 29, 238-249, with the jackknife (CR3) in each
    direction, because few terms with extreme properties have much leverage; MEASURES 7.2.

    Examples
    --------
    >>> x = [0.0, 1.0, 2.0, 3.0]
    >>> y = [0.0, 1.2, 1.8, 3.0, 1.0, 2.1, 3.0, 3.9]
    >>> found = slope(y, x * 2, list("aaaabbbb"), list("wxyzwxyz"))
    >>> round(found.estimate, 3), found.n_templates, found.n_terms
    (0.96, 2, 4)
    """
    scores, property_ = as_floats("y", y, 1), as_floats("x", x, 1)
    rows, columns = np.asarray(templates), np.asarray(terms)
    if not scores.shape == property_.shape == rows.shape == columns.shape:
        raise ValueError("y, x, templates and terms must have the same length")
    seen = ~np.isnan(scores)
    if np.isnan(property_[seen]).any():
        raise ValueError("a term has a score and no property")
    if not seen.any():
        return Undefined("no score; at least 2 templates and 4 terms are needed")
    scores, property_ = scores[seen], property_[seen]
    row, column = (np.unique(labels[seen], return_inverse=True)[1] for labels in (rows, columns))
    n_templates, n_terms = int(row.max()) + 1, int(column.max()) + 1
    if n_templates < 2 or n_terms < SMALLEST_TERMS:
        return Undefined(
            f"{n_templates} template(s) and {n_terms} term(s); at least 2 and {SMALLEST_TERMS} are needed"
        )
    whole = _fit(scores, property_, row)
    without = [
        np.array([_fit(scores[kept], property_[kept], row[kept])[0] for kept in _leaving_one(codes)])
        for codes in (row, column)
    ]
    estimate, x_within, residual, size = whole
    if not np.isfinite([estimate, *without[0], *without[1]]).all():
        return Undefined("the property does not differ between the terms of a template")
    by_template, by_term = (
        float(np.sum((drawn - estimate) ** 2)) * (drawn.size - 1) / drawn.size for drawn in without
    )
    cells = np.bincount(row * n_terms + column, x_within * residual)
    return contrast(
        estimate,
        Components(
            first=by_template,
            second=by_term,
            shared=float(np.sum(cells**2)) / size**2,
            df_first=float(n_templates - 1),
            df_second=float(n_terms - 2),
        ),
        Design(
            method="least squares slope, two-way jackknife",
            second="V_N",
            n_obs=int(scores.size),
            n_templates=n_templates,
            n_terms=n_terms,
            smallest_p=max(flip_p(n_templates), flip_p(n_terms)),
        ),
        scale=float(np.abs(scores).max()) * float(np.abs(x_within).sum()) / size,
    )


def _fit(y: Floats, x: Floats, templates: Codes) -> tuple[float, Floats, Floats, float]:
    """Slope, the property within templates, residuals, and the property's sum of squares."""
    count = np.bincount(templates)
    x_within, y_within = (
        values - (np.bincount(templates, values) / np.maximum(count, 1))[templates] for values in (x, y)
    )
    size = float(np.dot(x_within, x_within))
    if size <= 1e-20 * float(np.dot(x, x)):
        return float("nan"), x_within, y_within, size
    estimate = float(np.dot(x_within, y_within)) / size
    return estimate, x_within, y_within - estimate * x_within, size


def _leaving_one(codes: Codes) -> list[npt.NDArray[np.bool_]]:
    """Masks of the rows that stay when one cluster is left out."""
    return [codes != code for code in range(int(codes.max()) + 1)]
