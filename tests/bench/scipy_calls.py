"""scipy's resampling as its users call it, vectorised. Nothing of Evenhand: peers import it, too.

``values`` is one comparison (n,) or several (m, n); ``batch`` is how many resamples scipy holds at a time,
None its own choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

Arrays = np.ndarray
Call = Callable[[Arrays, float, int | None], Any]


def flips(values: Arrays, resamples: float, batch: int | None) -> Any:
    """A test of paired differences by flipping their signs."""
    return scipy.stats.permutation_test(
        (values,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=batch,
        axis=-1,
        rng=np.random.default_rng(3),
    )


def labels(values: Arrays, resamples: float, batch: int | None) -> Any:
    """A test of the units at even places against those at odd ones, by giving labels anew."""
    return scipy.stats.permutation_test(
        (values[..., ::2], values[..., 1::2]),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=resamples,
        batch=batch,
        axis=-1,
        rng=np.random.default_rng(3),
    )


def bootstrap(method: str) -> Call:
    """An interval of means by the bootstrap."""

    def theirs(values: Arrays, resamples: float, batch: int | None) -> Any:
        return scipy.stats.bootstrap(
            (values,),
            np.mean,
            method=method,
            vectorized=True,
            n_resamples=int(resamples),
            batch=batch,
            axis=-1,
            rng=np.random.default_rng(3),
        )

    return theirs


CALLS: dict[str, Call] = {"flips": flips, "labels": labels, "bootstrap": bootstrap("percentile")}
"""By name, those of the table."""
