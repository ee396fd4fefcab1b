"""All draws of a family's statistics at once, as the tests look at them."""

from __future__ import annotations

import numpy as np

from audit.stats.max_t import flip_draws, wild_draws


def flip_null(effects, rng, resamples=9999):
    """The draws of `flip_draws`, shape (B, m)."""
    chunks = [chunk.copy() for chunk in flip_draws(effects, rng, resamples=resamples)]
    return np.concatenate(chunks) if chunks else np.empty((0, len(effects)))


def wild_null(tables, rng, resamples=9999):
    """The draws of `wild_draws`, shape (B, m)."""
    return np.concatenate(list(wild_draws(tables, rng, resamples=resamples)))
