"""Contrasts over two samples at once, with what a verdict wants to know of them.

Sentences and the words put into them are both samples. A table has one row a template (prompt) and one column
a word (pair, attribute, occupation); NaN where a cell was not scored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Control, Figure
from audit.benchmarks.judging import Judging, Labels, Named, generator, halves_p, hangs, without_each
from audit.benchmarks.shares import with_interval
from audit.stats.contrast import crossed, nested, single
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.multiplicity import holm
from audit.stats.robustness import sign_share
from audit.stats.two_way_jackknife import Rows, two_way_jackknife
from audit.verdict import CONTROL_ALPHA

FEWEST_TO_SPLIT = 4
"""Columns that an A/A control needs: two in each half."""


Halves = Literal["columns", "rows"]
"""What an A/A control deals into two: the words, over the same sentences, or the sentences themselves."""


def crossed_named(name: str, table: Floats, judging: Judging, halves: Halves = "columns") -> Named:
    """The mean of a table of paired differences, with its A/A control and its robustness.

    The control compares two random halves of the columns over the same rows, or rows paired at random; it
    should show nothing. Left out in turn is every row and every column.

    Examples
    --------
    >>> table = np.array([[0.4, 0.6, 0.5, 0.5], [0.5, 0.6, 0.4, 0.6], [0.6, 0.5, 0.5, 0.4]])
    >>> one = crossed_named("all", table, Judging("all", "nats", 0.2, "template"))
    >>> round(one.contrast.estimate, 3), one.sign_share, one.leave_one_out_includes_zero
    (0.508, 1.0, False)
    """
    contrast = crossed(table)
    if isinstance(contrast, Undefined):
        return Named(name, contrast)
    effects, rng = row_means(table), generator(judging.seed, "a/a", judging.family, name)
    without = (crossed(np.delete(table, n, axis)) for axis in (0, 1) for n in range(table.shape[axis]))
    return Named(
        name,
        contrast,
        control_p=column_halves_p([table], rng) if halves == "columns" else _row_pairs_p(effects, rng),
        sign_share=agreement(effects, contrast),
        leave_one_out_includes_zero=hangs(contrast, without, judging.alpha),
    )


def nested_named(name: str, one: Floats, zero: Floats, judging: Judging, halves: Halves = "columns") -> Named:
    """The difference of two tables with the same rows and columns of their own: `one` minus `zero`.

    The control compares two random halves of each table's columns (the smaller p-value, after Holm), or rows
    paired at random. Left out in turn is every row and every column.

    Examples
    --------
    >>> one = np.array([[0.4, 0.6, 0.5, 0.5], [0.5, 0.6, 0.4, 0.6], [0.6, 0.5, 0.5, 0.4]])
    >>> found = nested_named("all", one, one - 1.0, Judging("all", "nats", 0.2, "template"))
    >>> round(found.contrast.estimate, 3), found.leave_one_out_includes_zero
    (1.0, False)
    """
    contrast = nested(one, zero)
    if isinstance(contrast, Undefined):
        return Named(name, contrast)

    def without() -> Iterator[Contrast | Undefined]:
        for row in range(one.shape[0]):
            yield nested(np.delete(one, row, 0), np.delete(zero, row, 0))
        for column in range(one.shape[1]):
            yield nested(np.delete(one, column, 1), zero)
        for column in range(zero.shape[1]):
            yield nested(one, np.delete(zero, column, 1))

    effects = row_means(one) - row_means(zero)
    rng = generator(judging.seed, "a/a", judging.family, name)
    return Named(
        name,
        contrast,
        control_p=column_halves_p([one, zero], rng) if halves == "columns" else _row_pairs_p(effects, rng),
        sign_share=agreement(effects, contrast),
        leave_one_out_includes_zero=hangs(contrast, without(), judging.alpha),
    )


def jackknifed_two_way(
    name: str,
    statistic: Callable[[Rows], float],
    labels: tuple[Labels, Labels],
    judging: Judging,
) -> Named:
    """A smooth statistic of rows that have a template and a word each, with its two-way jackknife error.

    Parameters
    ----------
    statistic : callable
        Row numbers to a departure from the null value; NaN where they cannot give it.
    labels : tuple of two arrays of str, shapes (n,)
        The template and the word of each row.

    Notes
    -----
    The control compares two random halves of the words. Whether the interval includes 0 without one template
    or word is judged by the statistic without it and the standard error of all.

    Examples
    --------
    >>> values = np.array([0.5, 0.4, 0.6, 0.5, 0.5, 0.6] * 2)
    >>> templates = np.repeat(["a", "b"], 6)
    >>> words = np.array(list("uvwxyz") * 2)
    >>> one = jackknifed_two_way("all", lambda rows: float(values[rows].mean()), (templates, words),
    ...                          Judging("all", "nats", 0.2, "template"))
    >>> round(one.contrast.estimate, 3), one.leave_one_out_includes_zero
    (0.517, False)
    """
    contrast = two_way_jackknife(statistic, *labels)
    if isinstance(contrast, Undefined):
        return Named(name, contrast)
    rows = np.arange(labels[0].size)

    def of(keep: npt.NDArray[np.bool_]) -> Contrast | Undefined:
        kept = rows[keep]
        return two_way_jackknife(lambda part: statistic(kept[part]), labels[0][keep], labels[1][keep])

    def without(keep: npt.NDArray[np.bool_]) -> Contrast | Undefined:
        left = statistic(rows[keep])
        return replace(contrast, estimate=left) if math.isfinite(left) else Undefined("lost")

    return Named(
        name,
        contrast,
        control_p=halves_p(of, labels[1], generator(judging.seed, "a/a", judging.family, name)),
        leave_one_out_includes_zero=hangs(contrast, without_each(without, *labels), judging.alpha),
    )


def mean_figure(name: str, values: Floats, contrast: Contrast | Undefined, unit: str) -> Figure:
    """The plain mean of all scored values as a figure, with the interval of the contrast that it estimates.

    Examples
    --------
    >>> found = mean_figure("overall", np.array([1.0, np.nan]), Undefined("1 template"), "nats")
    >>> found.value, found.n, found.lo, found.reason
    (1.0, 1, None, 'no interval: 1 template')
    """
    seen = values[~np.isnan(values)]
    if seen.size == 0:
        return Figure(name, None, unit, 0, reason="nothing was scored")
    value = math.fsum(seen.tolist()) / seen.size
    return with_interval(Figure(name, value, unit, int(seen.size)), contrast)


def halves_control(name: str, table: Floats, detail: str) -> Control:
    """Do the first and the second half of invented words, over the same rows, differ? They should not.

    Examples
    --------
    >>> halves_control("invented words", np.zeros((3, 4)), "two halves").holds
    True
    """
    half = table.shape[1] // 2
    found = nested(table[:, :half], table[:, half:])
    if isinstance(found, Undefined):
        return Control(name, None, None, None, f"{detail}: {found.reason}")
    p = found.p_value()
    return Control(name, found.estimate, p, p >= CONTROL_ALPHA, detail)


def size(contrast: Contrast | Undefined) -> float | None:
    """How large a control's contrast is, whatever its sign; None where there is none."""
    return None if isinstance(contrast, Undefined) else abs(contrast.estimate)


def row_means(table: Floats) -> Floats:
    """Mean of each row's scored cells, shape (T,); NaN for a row without any.

    Examples
    --------
    >>> row_means(np.array([[1.0, 3.0], [np.nan, 2.0], [np.nan, np.nan]]))
    array([ 2.,  2., nan])
    """
    seen = ~np.isnan(table)
    count = seen.sum(axis=1)
    means = np.full(table.shape[0], np.nan)
    np.divide(np.where(seen, table, 0.0).sum(axis=1), count, out=means, where=count > 0)
    return means


def agreement(effects: Floats, contrast: Contrast) -> float | None:
    """Share of the rows' effects that have the estimate's sign; None where no row has any."""
    share = sign_share(effects, contrast.estimate)
    return None if isinstance(share, Undefined) else share


def column_halves_p(tables: Sequence[Floats], rng: np.random.Generator) -> float | None:
    """Smallest corrected p-value of two random halves of each table's columns; None where none has four."""
    found: list[float | None] = []
    for table in tables:
        order = rng.permutation(table.shape[1])
        if order.size >= FEWEST_TO_SPLIT:
            half = order.size // 2
            halves = nested(table[:, order[:half]], table[:, order[half:]])
            found.append(None if isinstance(halves, Undefined) else halves.p_value())
    return min((p for p in holm(found).p if p is not None), default=None) if found else None


def _row_pairs_p(effects: Floats, rng: np.random.Generator) -> float | None:
    """p-value of the difference between rows paired at random, where none is expected."""
    kept = effects[~np.isnan(effects)]
    half = kept.size // 2
    shuffled = rng.permutation(kept)
    found = single(shuffled[:half] - shuffled[half : 2 * half])
    return None if isinstance(found, Undefined) else found.p_value()
