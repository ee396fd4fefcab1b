"""What a measure can show with the items that it has, said before the first question."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from audit.benchmarks.base import Benchmark, Items, Setup
from audit.stats.equivalence import minimum_detectable, power_to_show_within
from audit.stats.estimate import critical_t

OVERALL = "all items"


def outlook(bench: Benchmark, items: Items, setup: Setup) -> list[dict[str, Any]]:
    """For all items and each subset: its size, what it could detect, whether it can ever be within margin.

    Items are taken as independent here, and all of them as counting; clusters whose items go together, and
    items that are left out, make every figure worse. ``within_reach`` is whether an
    interval of level 1 - 2 alpha fits inside the margin at all, if there is no disparity. None where the
    measure's spread is not known beforehand. Source: MEASURES 7.7, 7.8.

    Examples
    --------
    >>> from audit.stats.equivalence import power_to_show_within
    >>> round(power_to_show_within(0.05, 0.5 / 87**0.5, 86.0, 0.05), 3)
    0.0
    """
    subsets = sorted({item.subset for item in items} - {""})
    named = [(OVERALL, items)]
    if len(subsets) > 1:
        named += [(name, [item for item in items if item.subset == name]) for name in subsets]
    return [_of(name, own, bench, setup) for name, own in named]


def _of(name: str, items: Items, bench: Benchmark, setup: Setup) -> dict[str, Any]:
    margin = bench.margin if setup.margin is None else setup.margin
    n = len(items)
    row: dict[str, Any] = {
        "subset": name,
        "items": n,
        "clusters": len({item.cluster for item in items}),
        "minimum_detectable": None,
        "power_within": None,
        "within_reach": None,
    }
    spread = bench.spread.get(setup.scoring) if isinstance(bench.spread, Mapping) else bench.spread
    if spread is None or n < 2:
        return row
    se, df = spread / math.sqrt(n), float(n - 1)
    return {
        **row,
        "minimum_detectable": minimum_detectable(se, df, setup.alpha),
        "power_within": power_to_show_within(margin, se, df, setup.alpha),
        "within_reach": critical_t(df, 2.0 * setup.alpha) * se < margin,
    }


def beyond_reach(rows: Iterable[Mapping[str, Any]]) -> str:
    """Which subsets have too few items to be within margin if items are independent; empty where none has.

    Examples
    --------
    >>> row = {"subset": "age", "items": 87, "within_reach": False}
    >>> beyond_reach([row])[:42]
    'Too few items to be within margin, even if'
    """
    names = [f"{row['subset']} ({row['items']:,})" for row in rows if row["within_reach"] is False]
    if not names:
        return ""
    return (
        f"Too few items to be within margin, even if there were no disparity at all: {', '.join(names)}. "
        "Unless a model ties, or its answers balance out within clusters, their findings will be disparities "
        "or inconclusive."
    )
