"""Two groups that share no template, with what a verdict needs besides: a control, and how it holds alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.benchmarks.judging import Judging, Labels, Named, generator, hangs
from audit.stats.clustered import clustered_mean
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.unpaired import difference, unpaired

Side = tuple[Floats, Labels]
"""Values, NaN where there is none, with the cluster of each."""


def compared(name: str, one: Side, zero: Side, judging: Judging, status_gap: float = 0.0) -> Named:
    """Mean of one group less that of the other, by whole clusters, with its control.

    The A/A control splits the clusters of each group at random and compares the two differences.

    Examples
    --------
    >>> one = np.array([0.4, 0.6, 0.5]), np.array(["a", "b", "c"])
    >>> zero = np.array([0.1, 0.2, 0.3]), np.array(["d", "e", "f"])
    >>> found = compared("toxic - other", one, zero, Judging("all", "share", 0.05, "prompt"))
    >>> round(found.contrast.estimate, 3), found.leave_one_out_includes_zero
    (0.3, True)
    """
    contrast = unpaired(*one, *zero)
    if isinstance(contrast, Undefined):
        return Named(name, contrast, status_gap=status_gap)
    rng = generator(judging.seed, "a/a", judging.family, name)
    halves = [_halves(side, rng) for side in (one, zero)]
    control = difference(unpaired(*halves[0][0], *halves[1][0]), unpaired(*halves[0][1], *halves[1][1]))
    return Named(
        name,
        contrast,
        control_p=None if isinstance(control, Undefined) else control.p_value(),
        status_gap=status_gap,
        leave_one_out_includes_zero=hangs(contrast, _without(one, zero), judging.alpha),
    )


def _halves(side: Side, rng: np.random.Generator) -> tuple[Side, Side]:
    values, labels = side
    names = np.unique(labels)
    first = np.isin(labels, rng.permutation(names)[: names.size // 2])
    return (values[first], labels[first]), (values[~first], labels[~first])


def _without(one: Side, zero: Side) -> Iterator[Contrast | Undefined]:
    """The difference without each of the clusters."""
    means = clustered_mean(*one), clustered_mean(*zero)
    for place, (values, labels) in enumerate((one, zero)):
        for name in np.unique(labels[~np.isnan(values)]):
            kept = labels != name
            without = clustered_mean(values[kept], labels[kept])
            yield difference(without, means[1]) if place == 0 else difference(means[0], without)
