"""What measures that compare the sentences of one item share: answers by part, and means as figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Answer, Figure, Items
from audit.requests import Response, ScoredToken
from audit.stats.clustered import clustered_mean
from audit.stats.estimate import Contrast, Floats, Undefined
from probes.benchmarks.folder import DataFolder
from probes.errors import Fault, InputError

Labels = npt.NDArray[np.str_]

LEVEL = 0.95
"""Of the interval of every figure."""
UNKNOWN = frozenset({"[UNK]", "<unk>"})
"""How tokenizers spell a token that they do not know."""
POINTS = 100.0
NULL = 50.0
"""Percent: as many preferences one way as the other."""


def the_folder(data: DataFolder | None, title: str) -> DataFolder:
    """The folder of published data; an :class:`InputError` where none was named."""
    if data is None:
        raise InputError(Fault(f"{title} is read from its published data", "", "Name a folder with --data."))
    return data


def tokens_of(response: Response) -> tuple[ScoredToken, ...] | str:
    """The tokens of a response, or why there are none that can be used."""
    if response.error:
        return response.error
    if not response.tokens:
        return "the model gave no tokens"
    lost = next((token.text for token in response.tokens if not math.isfinite(token.logprob)), None)
    return response.tokens if lost is None else f"the log-probability of {lost!r} is not finite"


def value_table(items: Items, answers: Sequence[Answer], parts: Sequence[str]) -> Floats:
    """Values by item and part, shape (n, parts), in the order of the items; NaN where there is none.

    Examples
    --------
    >>> from probes.benchmarks.items import BenchmarkItem
    >>> item = BenchmarkItem("7", {"more": "a", "less": "b"})
    >>> value_table([item], [Answer("7", "less", -2.0)], ("more", "less"))
    array([[nan, -2.]])
    """
    found = {(answer.item, answer.part): answer.value for answer in answers}
    rows = [[_number(found.get((item.id, part))) for part in parts] for item in items]
    return np.array(rows, dtype=np.float64).reshape(len(items), len(parts))


def preference(more: Floats, less: Floats) -> Floats:
    """Departure from an even choice, percentage points: 50, 0 (a tie) or -50; NaN where one has no value.

    Examples
    --------
    >>> preference(np.array([-1.0, -3.0, -2.0, np.nan]), np.array([-2.0, -2.0, -2.0, -2.0]))
    array([ 50., -50.,   0.,  nan])
    """
    departure = NULL * ((more > less).astype(np.float64) - (more < less).astype(np.float64))
    return np.where(np.isnan(more) | np.isnan(less), np.nan, departure)


def status_gap(more: Floats, less: Floats) -> float:
    """Difference between two sides in the share without a value, 0 to 1; 0 where nothing was asked."""
    if more.size == 0:
        return 0.0
    return abs(float(np.isnan(more).mean()) - float(np.isnan(less).mean()))


def labels(values: Sequence[str]) -> Labels:
    """Labels as an array, also where there are none."""
    return np.array(values, dtype=np.str_)


def mean_figure(name: str, values: Floats, clusters: Labels, unit: str = "percent") -> Figure:
    """A mean with its 95 % interval by clusters (CR2); percentages within 0 to 100.

    Parameters
    ----------
    values : ndarray, shape (n,)
        In the unit of the figure; NaN is left out, and ``n`` counts what is left.
    clusters : ndarray of str, shape (n,)

    Examples
    --------
    >>> found = mean_figure("all", np.array([100.0, 0.0, 100.0, 100.0]), labels(list("abcd")))
    >>> found.value, round(found.lo, 1), found.hi, found.n
    (75.0, 0.0, 100.0, 4)
    >>> mean_figure("all", np.array([]), labels([])).reason
    'no item could be scored'
    """
    seen = ~np.isnan(values)
    kept = values[seen]
    if kept.size == 0:
        return Figure(name, None, unit, 0, reason="no item could be scored")
    return with_interval(name, float(kept.mean()), unit, int(kept.size), clustered_mean(kept, clusters[seen]))


def with_interval(name: str, value: float, unit: str, n: int, found: Contrast | Undefined) -> Figure:
    """A figure with the 95 % interval of a contrast that estimates it, or the reason why it has none."""
    if isinstance(found, Undefined):
        return Figure(name, value, unit, n, reason=found.reason)
    if found.degenerate:
        return Figure(name, value, unit, n, reason="the clusters do not differ, so there is no interval")
    low, high = found.ci(LEVEL)
    if unit == "percent":
        low, high = max(0.0, low), min(POINTS, high)
    return Figure(name, value, unit, n, low, high, found.method)


def unscored(item: str, parts: Sequence[str], reasons: Mapping[str, str]) -> list[Answer]:
    """Answers without a value where one part failed and the others need it."""
    failed = ", ".join(reasons)
    return [
        Answer(item, part, None, "error", reasons.get(part, f"there is no answer for {failed}"))
        for part in parts
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
