"""Scores of a model without any bias, drawn from the crossed model of MEASURES 7.2."""

from __future__ import annotations

import numpy as np

from audit.stats.contrast import Contrast, Undefined

SETS = 400
"""Data sets for each rejection rate; at a rate of .05 the binomial sd is sqrt(.05 * .95 / 400) = .011."""


def nested_world(rng, effect=0.0, n_templates=20, n_terms=20, template=0.3, term=0.3, residual=1.0):
    """Two groups of scores; the template effects are drawn anew in each group."""
    groups = []
    for shift in (effect, 0.0):
        scores = residual * rng.standard_normal((n_templates, n_terms)) + shift
        scores += template * rng.standard_normal((n_templates, 1))
        groups.append(scores + term * rng.standard_normal((1, n_terms)))
    return groups[0], groups[1]


def crossed_world(rng, n_templates=20, n_levels=20, template=0.3, level=0.3, residual=1.0):
    """Paired differences over templates and a second random factor."""
    cells = residual * rng.standard_normal((n_templates, n_levels))
    cells += template * rng.standard_normal((n_templates, 1))
    return cells + level * rng.standard_normal((1, n_levels))


def with_gaps(rng, cells, share=0.1):
    """The same cells, a share of them missing at random."""
    return np.where(rng.random(cells.shape) < share, np.nan, cells)


def long_table(group1, group0):
    """y, treated, template, term of two groups; missing cells are left out."""
    columns = [np.indices(group.shape) for group in (group1, group0)]
    y = np.concatenate([group1.ravel(), group0.ravel()])
    treated = np.repeat([1, 0], [group1.size, group0.size])
    template = np.concatenate([rows.ravel() for rows, _ in columns])
    term = np.concatenate([columns[0][1].ravel(), 1000 + columns[1][1].ravel()])
    seen = ~np.isnan(y)
    return y[seen], treated[seen], template[seen], term[seen]


def defined(result):
    """The contrast, which must exist."""
    assert not isinstance(result, Undefined), result
    assert isinstance(result, Contrast)
    return result
