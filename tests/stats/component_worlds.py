"""Scores from the random effects model of MEASURES 7.12, with names in groups and samples in cells."""

from __future__ import annotations

import math

import numpy as np

from audit.stats.estimate import Undefined

TRUTH = {
    "s2_group": 0.5,
    "s2_template": 0.3,
    "s2_group_template": 0.2,
    "s2_name": 0.4,
    "s2_residual": 0.6,
    "s2_sample": 0.8,
}


def worlds(rng, sets, sizes, truth=TRUTH):
    """`sets` tables (sets, G, T, N, S) from the full model; an effect without its axis adds to the next."""
    n_groups, n_templates, n_names, n_samples = sizes
    shapes = {
        "s2_group": (n_groups, 1, 1, 1),
        "s2_template": (1, n_templates, 1, 1),
        "s2_group_template": (n_groups, n_templates, 1, 1),
        "s2_name": (n_groups, 1, n_names, 1),
        "s2_residual": (n_groups, n_templates, n_names, 1),
        "s2_sample": (n_groups, n_templates, n_names, n_samples),
    }
    return sum(
        math.sqrt(truth[name]) * rng.standard_normal((sets, *shape))
        for name, shape in shapes.items()
        if name in truth
    ) + np.zeros((sets, *sizes))


def defined(result):
    """The result, which must exist."""
    assert not isinstance(result, Undefined), result
    return result
