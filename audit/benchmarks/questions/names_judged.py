"""Contrasts of people's names over templates, both of them sampled, with what a verdict wants to know.

A table has one row for each template and one column for each name, or pair of names; NaN where a cell was not
scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from audit.benchmarks.base import Control, Estimate, Items
from audit.benchmarks.judging import Judging, Named, judge_contrasts
from audit.benchmarks.two_way import crossed_named, nested_named, row_means
from audit.stats.contrast import nested
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.verdict import CONTROL_ALPHA
from probes.benchmarks.people import COMPARISONS, NONCE

FEWEST_TO_SPREAD = 2
"""Columns without which invented words have no spread."""


def table(items: Items, values: Mapping[str, float], column: str) -> tuple[Floats, list[str]]:
    """Values by cluster and by a label of the items, and the columns' names, in order of appearance.

    Items of one cell are averaged.

    Examples
    --------
    >>> from probes.benchmarks.items import BenchmarkItem
    >>> rows = [BenchmarkItem(name, {}, cluster="loan", labels={"name": name}) for name in ("ada", "eve")]
    >>> table(rows, {"ada": 1.0}, "name")
    (array([[ 1., nan]]), ['ada', 'eve'])
    """
    rows = {name: place for place, name in enumerate(dict.fromkeys(item.cluster for item in items))}
    names = {name: place for place, name in enumerate(dict.fromkeys(item.labels[column] for item in items))}
    total, count = np.zeros((len(rows), len(names))), np.zeros((len(rows), len(names)))
    for item in items:
        if item.id in values:
            place = rows[item.cluster], names[item.labels[column]]
            total[place] += values[item.id]
            count[place] += 1.0
    cells = np.full(total.shape, np.nan)
    np.divide(total, count, out=cells, where=count > 0.0)
    return cells, list(names)


def crossed_names(name: str, cells: Floats, judging: Judging, nonce: Floats) -> Named:
    """The mean of paired differences, beside what invented names show.

    Parameters
    ----------
    cells, nonce : ndarray, shapes (T, K) and (T, L)
        Differences of pairs of names, and of pairs of invented ones.
    """
    return replace(crossed_named(name, cells, judging), nonce_size=_nonce_size(nonce, [cells.shape[1]]))


def nested_names(name: str, one: Floats, zero: Floats, judging: Judging, nonce: Floats) -> Named:
    """The difference of two groups' names, beside what invented names show.

    Parameters
    ----------
    one, zero, nonce : ndarray, shapes (T, N1), (T, N0) and (T, L)
        Values of both groups' names and of invented ones; row t is the same template in all.
    """
    found = nested_named(name, one, zero, judging)
    if isinstance(found.contrast, Undefined):
        return found
    return replace(
        found,
        status_gap=abs(float(np.isnan(one).mean()) - float(np.isnan(zero).mean())),
        nonce_size=_nonce_size(nonce, [one.shape[1], zero.shape[1]]),
    )


def names_judged(items: Items, values: Mapping[str, float], judging: Judging) -> tuple[Estimate, ...]:
    """The family of :func:`names_compared`."""
    return judge_contrasts(names_compared(items, values, judging), judging)


def names_compared(items: Items, values: Mapping[str, float], judging: Judging) -> list[Named]:
    """Women's names minus men's, and each group's minus White people's, over the templates of the items.

    Parameters
    ----------
    items : sequence of BenchmarkItem
        With the labels ``name``, ``gender`` and ``race``, and of invented names, whose ``arm`` is ``nonce``.
    values : mapping of str to float
        By item; one that lacks was not scored.
    """
    people = [item for item in items if item.labels["arm"] != NONCE]
    nonce = nonce_table(items, values, people)
    return [nested_names(label, one, zero, judging, nonce) for label, one, zero in sides(people, values)]


def sides(people: Items, values: Mapping[str, float]) -> list[tuple[str, Floats, Floats]]:
    """The tables of both groups of each comparison, rows in common."""
    cells, columns = table(people, values, "name")
    group = {item.labels["name"]: item.labels for item in people}
    found = []
    for axis, one, zero, label in COMPARISONS:
        first, second = (
            cells[:, [place for place, name in enumerate(columns) if group[name][axis] == side]]
            for side in (one, zero)
        )
        found.append((label, first, second))
    return found


def nonce_table(items: Items, values: Mapping[str, float], like: Items) -> Floats:
    """The table of invented names, without the rows that real ones lack."""
    rows = {item.cluster for item in like}
    invented = [item for item in items if item.labels["arm"] == NONCE and item.cluster in rows]
    return table(invented, values, "name")[0]


def nonce_control(nonce: Floats, unit: str) -> Control:
    """Do the first and the second half of the invented names differ? They should not."""
    half = nonce.shape[1] // 2
    found = nested(nonce[:, :half], nonce[:, half:])
    return control("invented names, two halves", found, f"first minus second half, {unit}")


def control(name: str, found: Contrast | Undefined, detail: str) -> Control:
    """A contrast that should show nothing, as a control."""
    if isinstance(found, Undefined):
        return Control(name, None, None, None, f"{detail}: {found.reason}")
    p = found.p_value()
    return Control(name, found.estimate, p, p >= CONTROL_ALPHA, detail)


def _nonce_size(nonce: Floats, sizes: Sequence[int]) -> float | None:
    """How far groups of so many invented words would differ by themselves, by root mean square."""
    means = row_means(nonce.T)
    means = means[~np.isnan(means)]
    if means.size < FEWEST_TO_SPREAD:
        return None
    return float(means.std(ddof=1)) * math.sqrt(math.fsum(1.0 / size for size in sizes))
