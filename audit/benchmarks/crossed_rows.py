"""Contrasts over two crossed samples (sentences and terms, or two lists of occupations), with their controls.

What ``judging.jackknifed`` is for clusters of one kind: the A/A control from two random halves, whether the
result hangs on one row or column, and how many rows agree with it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audit.benchmarks.judging import Judging, Labels, Named, Of, generator, halves_p, hangs, without_each
from audit.benchmarks.two_way import agreement
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.regression import slope
from audit.stats.sandwich import mean_of_rows

Kept = npt.NDArray[np.bool_]


def mean_named(name: str, values: Floats, rows: Labels, columns: Labels, judging: Judging) -> Named:
    """The mean of paired differences, rows and columns both sampled.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Differences, in the unit of the judging; NaN where there is none.
    rows, columns : ndarray of str, shape (n,)
        Labels of the two samples (sentences and terms, two lists of occupations).

    Examples
    --------
    >>> values = np.array([0.1, 0.3, 0.2, 0.2, 0.3, 0.1, 0.2, 0.3])
    >>> found = mean_named("all", values, np.array(list("aabbccdd")), np.array(list("xyxyxyxy")),
    ...                    Judging("all", "nats", 0.2, "template"))
    >>> round(found.contrast.estimate, 4), found.sign_share
    (0.2125, 1.0)
    """
    seen = ~np.isnan(values)
    values, rows, columns = values[seen], rows[seen], columns[seen]
    names, codes = np.unique(rows, return_inverse=True)
    effects = np.bincount(codes, values, names.size) / np.maximum(np.bincount(codes), 1)

    def of(kept: Kept) -> Contrast | Undefined:
        return mean_of_rows(values[kept], rows[kept], columns[kept])

    return _named(name, of, effects, (rows, columns), judging)


def slope_named(name: str, y: Floats, x: Floats, templates: Labels, terms: Labels, judging: Judging) -> Named:
    """The slope of scores on a property of their term, templates and terms both sampled.

    Parameters
    ----------
    y, x : ndarray, shape (n,)
        Scores, NaN where there is none, and the property of each score's term.
    templates, terms : ndarray of str, shape (n,)

    Examples
    --------
    >>> y, x = np.array([0.0, 1.1, 2.0, 2.9, 0.1, 1.0, 2.2, 3.0]), np.arange(4.0)
    >>> found = slope_named("slope", y, np.tile(x, 2), np.array(list("aaaabbbb")), np.array(list("wxyzwxyz")),
    ...                     Judging("overall", "nats", 0.2, "template"))
    >>> round(found.contrast.estimate, 3)
    0.975
    """
    seen = ~np.isnan(y)
    y, x, templates, terms = y[seen], x[seen], templates[seen], terms[seen]

    names, row = np.unique(templates, return_inverse=True)
    effects = np.array([_own_slope(y[row == code], x[row == code]) for code in range(names.size)])

    def of(kept: Kept) -> Contrast | Undefined:
        return slope(y[kept], x[kept], templates[kept], terms[kept])

    return _named(name, of, effects, (templates, terms), judging)


def _own_slope(y: Floats, x: Floats) -> float:
    """Least squares slope within one template; NaN where the property does not differ."""
    within = x - x.mean()
    size = float(np.dot(within, within))
    return float(np.dot(within, y)) / size if size > 0.0 else math.nan


def _named(name: str, of: Of, effects: Floats, labels: tuple[Labels, Labels], judging: Judging) -> Named:
    """A contrast of rows with what splitting its first labels, and leaving out any label, says of it.

    The halves share their columns; see :func:`audit.benchmarks.judging.halves_p`.
    """
    n = labels[0].size
    whole = of(np.ones(n, dtype=np.bool_)) if n else Undefined("no row holds a score")
    if isinstance(whole, Undefined):
        return Named(name, whole)
    return Named(
        name,
        whole,
        control_p=halves_p(of, labels[0], generator(judging.seed, "a/a", judging.family, name)),
        sign_share=agreement(effects, whole),
        leave_one_out_includes_zero=hangs(whole, without_each(of, *labels), judging.alpha),
    )
