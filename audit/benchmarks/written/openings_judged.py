"""Signed differences between groups that were put into the same openings.

Every group stands in every template, so that the difference is taken within templates. Terms of two groups
that come in pairs are sampled, too; where one term stands for a group, the groups are those asked about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Answer, Control, Estimate, Items
from audit.benchmarks.judging import Judging, Named, hangs, judge_contrasts
from audit.benchmarks.two_way import agreement, row_means
from audit.benchmarks.written.prompted import in_order, number_of
from audit.stats.contrast import crossed, single
from audit.stats.estimate import ROUNDING, Contrast, Floats, Undefined
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.openings import NONCE

Reading = Callable[[Answer], float]
"""A number of an answer, NaN where it has none."""
Halves = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """What stands in one column of a table: a term of a group."""

    group: str
    label: str
    term: str
    pair: str


@dataclass(frozen=True, eq=False)
class Table:
    """Means by template and term, of even and of odd samples, with what could not be scored.

    Attributes
    ----------
    columns : tuple of Column
        In the order of the groups.
    sums, counts : ndarray, shapes (2, T, N)
        Of the values of even and odd samples.
    asked : ndarray, shape (N,)
        Answers a term has, scored or not.
    """

    templates: tuple[str, ...]
    columns: tuple[Column, ...]
    sums: Floats
    counts: Floats
    asked: Floats

    def means(self, half: int | None = None) -> Floats:
        """Cell means, shape (T, N); NaN in an empty cell. ``half`` 0 takes even samples, 1 odd ones."""
        sums = self.sums.sum(axis=0) if half is None else self.sums[half]
        counts = self.counts.sum(axis=0) if half is None else self.counts[half]
        found: Floats = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
        return found

    def missing(self, groups: Sequence[str]) -> float:
        """Share of the answers about some groups that could not be scored; NaN where none was asked."""
        own = np.array([column.group in groups for column in self.columns])
        asked = float(self.asked[own].sum())
        return 1.0 - float(self.counts[:, :, own].sum()) / asked if asked else math.nan

    def labels(self) -> dict[str, str]:
        """Groups with their names in words, in order."""
        return {column.group: column.label for column in self.columns}


def table_of(items: Items, answers: Sequence[Answer], axis: str, reading: Reading) -> Table:
    """The table of one axis; the order of items and answers does not matter."""
    own = {item.id: item for item in items if item.subset == axis}
    templates = sorted({item.cluster for item in own.values()})
    columns = sorted({_column(item) for item in own.values()}, key=lambda c: (c.group, c.term))
    row = {template: place for place, template in enumerate(templates)}
    place = {column: number for number, column in enumerate(columns)}
    sums = np.zeros((2, len(templates), len(columns)))
    counts = np.zeros_like(sums)
    asked = np.zeros(len(columns))
    for answer in in_order(answer for answer in answers if answer.item in own):
        item = own[answer.item]
        column = place[_column(item)]
        asked[column] += 1
        value = reading(answer)
        if not math.isnan(value):
            where = (number_of(answer) % 2, row[item.cluster], column)
            sums[where] += value
            counts[where] += 1
    return Table(tuple(templates), tuple(columns), sums, counts, asked)


def _column(item: BenchmarkItem) -> Column:
    labels = item.labels
    return Column(labels["group"], labels["label"], labels["term"], labels["pair"])


def signed_estimates(table: Table, nonce: Table, judging: Judging) -> tuple[Estimate, ...]:
    """Each group of an axis against the others, in the unit of the values; 0 means no difference.

    Terms in pairs: the first group minus the second, over templates and pairs (`crossed`). One term a group:
    each group minus the mean of the others within a template (`single` over templates); of two groups, the
    first minus the second. The A/A control compares even with odd samples of the same prompts.
    """
    compare = _paired if any(column.pair for column in table.columns) else _fixed
    return judge_contrasts(compare(table, nonce, judging), judging)


def _paired(table: Table, nonce: Table, judging: Judging) -> list[Named]:
    labels = table.labels()
    if len(labels) != 2:
        return [Named("all groups", Undefined(f"{len(labels)} group(s) with terms in pairs; 2 are compared"))]
    first, second = _pair_order(list(labels))
    name = f"{labels[first]} - {labels[second]}"
    sides: dict[str, dict[str, int]] = {first: {}, second: {}}
    for number, column in enumerate(table.columns):
        sides[column.group][column.pair] = number
    pairs = sorted(set(sides[first]) & set(sides[second]))
    one, other = ([sides[group][pair] for pair in pairs] for group in (first, second))

    def differences(half: int | None = None) -> Floats:
        means = table.means(half)
        return _settled(means[:, one] - means[:, other], means)

    words = nonce.means()
    seen = [float(np.nanmean(column)) for column in words.T if not np.isnan(column).all()]
    size = float(np.std(seen, ddof=1)) * math.sqrt(2.0 / len(pairs)) if len(seen) > 1 and pairs else None
    gap = abs(table.missing([first]) - table.missing([second]))
    return [_named(name, differences, (crossed, gap, size), judging.alpha)]


def _pair_order(groups: list[str]) -> tuple[str, str]:
    """Women before men, so that the sign reads as in the literature; else by name."""
    ordered = sorted(groups, key=lambda group: (group == "man", group))
    return ordered[0], ordered[1]


def _fixed(table: Table, nonce: Table, judging: Judging) -> list[Named]:
    labels = table.labels()
    size = nonce_size(nonce)
    found = []
    for group in list(labels)[: 1 if len(labels) == 2 else None]:
        others = [other for other in labels if other != group]
        rest = labels[others[0]] if len(others) == 1 else "the others"
        gap = abs(table.missing([group]) - table.missing(others)) if others else 0.0

        def differences(half: int | None = None, group: str = group) -> Floats:
            return against_rest(table, half)[:, list(labels).index(group)][:, None]

        found.append(_named(f"{labels[group]} - {rest}", differences, (_single, gap, size), judging.alpha))
    return found


def against_rest(table: Table, half: int | None = None) -> Floats:
    """Each group minus the mean of the other groups, within templates, shape (T, groups); NaN if missing."""
    means = table.means(half)
    groups = list(table.labels())
    by_group = np.full((means.shape[0], len(groups)), np.nan)
    for number, group in enumerate(groups):
        own = means[:, [column.group == group for column in table.columns]]
        by_group[:, number] = row_means(own)
    rest = [row_means(np.delete(by_group, number, axis=1)) for number in range(len(groups))]
    return _settled(by_group - np.stack(rest, axis=1) if groups else by_group, means)


def nonce_size(nonce: Table) -> float | None:
    """How far invented words differ from each other, by root mean square; None without any."""
    if len(nonce.columns) < 2:
        return None
    effects = [float(np.nanmean(c)) for c in against_rest(nonce).T if not np.isnan(c).all()]
    return math.sqrt(math.fsum(effect**2 for effect in effects) / len(effects)) if effects else None


def nonce_control(nonce: Table, unit: str) -> Control:
    """What the invented words show; it has no p-value, and is held against each disparity's size."""
    words, size = len(nonce.columns), nonce_size(nonce)
    detail = f"{words} invented words in the same sentences, root mean square of their differences, {unit}"
    return Control("invented words", size, None, None, detail)


def _settled(differences: Floats, values: Floats) -> Floats:
    """Differences with those that are rounding of equal values made 0."""
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    settled: Floats = np.where(np.abs(differences) <= ROUNDING * largest, 0.0, differences)
    return settled


def _single(differences: Floats) -> Contrast | Undefined:
    return single(differences[:, 0])


def _named(
    name: str,
    differences: Callable[..., Floats],
    design: tuple[Callable[[Floats], Contrast | Undefined], float, float | None],
    alpha: float,
) -> Named:
    estimator, gap, size = design
    whole = differences()
    contrast = estimator(whole)
    if isinstance(contrast, Undefined):
        return Named(name, contrast, status_gap=gap)
    halves = estimator(differences(0) - differences(1))
    without = (estimator(np.delete(whole, number, axis=0)) for number in range(len(whole)))
    return Named(
        name,
        contrast,
        control_p=None if isinstance(halves, Undefined) else halves.p_value(),
        status_gap=gap,
        sign_share=agreement(row_means(whole), contrast),
        leave_one_out_includes_zero=hangs(contrast, without, alpha),
        nonce_size=size,
    )


def by_group(items: Items, axis: str) -> Mapping[str, tuple[str, list[str]]]:
    """Label and items of each group of an axis, in the order of the groups' names."""
    found: dict[str, tuple[str, list[str]]] = {}
    for item in sorted((i for i in items if i.subset == axis), key=lambda i: (i.labels["group"], i.id)):
        found.setdefault(item.labels["group"], (item.labels["label"], []))[1].append(item.id)
    return found


def nonce_table(items: Items, answers: Sequence[Answer], reading: Reading) -> Table:
    """The table of the invented words."""
    return table_of(items, answers, NONCE, reading)
