"""The arrays of a contrast, and how a table of scores is averaged into them.

Their rows are templates or, where the wordings of one template were averaged, paraphrase families.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.measures import Measure
from audit.stats.contrast import means_by_place

Layout = Literal["nested", "crossed", "single", "combination"]

CELL_COLUMNS = ("template", "family", "term", "pair", "unit", "factor", "group")
"""Columns of labels that cells are made from."""


@dataclass(frozen=True)
class Cells:
    """The arrays of one contrast.

    Attributes
    ----------
    first : DataFrame
        Rows are templates, columns are terms (nested) or the second factor; NaN is a missing cell.
        For ``crossed`` and ``single`` it holds differences, first group minus reference; for
        ``combination`` the terms of all groups side by side, so that whatever is done to templates is done to
        every group.
    second : DataFrame or None
        The reference group's cells; only for ``nested``.
    families : Series
        Template to paraphrase family.
    blocks : tuple of (coefficient, number of columns)
        Which columns of ``first`` belong together, from left to right, and how much they count; only for
        ``combination``.
    floor : float
        Smallest variance of the contrast, unit squared: that of its family's contrasts on average, where
        every group is compared with all; else 0. A group that happens to score alike everywhere has no
        spread of its own, and against the mean of the others would seem sure to differ.
    """

    layout: Layout
    first: pd.DataFrame
    second: pd.DataFrame | None
    families: pd.Series[str]
    blocks: tuple[tuple[float, int], ...] = ()
    floor: float = 0.0

    @property
    def parts(self) -> list[tuple[float, pd.DataFrame]]:
        """Each group's cells with its coefficient; of paired differences, one part."""
        if self.layout != "combination":
            return [(1.0, self.first)] + ([] if self.second is None else [(-1.0, self.second)])
        ends = np.cumsum([size for _, size in self.blocks])
        return [
            (coefficient, self.first.iloc[:, end - size : end])
            for (coefficient, size), end in zip(self.blocks, ends, strict=True)
        ]

    def swapped(self) -> Cells:
        """The same cells with the groups exchanged: every coefficient changes its sign."""
        if self.layout == "combination":
            return replace(self, blocks=tuple((-coefficient, size) for coefficient, size in self.blocks))
        if self.second is None:
            return replace(self, first=-self.first)
        return replace(self, first=self.second, second=self.first)

    def keep(self, templates: Sequence[str]) -> Cells:
        """The same cells, for some of the templates."""
        second = None if self.second is None else self.second.loc[list(templates)]
        return replace(self, first=self.first.loc[list(templates)], second=second)

    def by_family(self) -> Cells:
        """The same cells with the wordings of a family averaged, over those that were scored."""
        families = self.families
        if not families.index.equals(self.first.index):
            families = families.loc[self.templates]
        codes, found = pd.factorize(families.to_numpy(dtype=object))
        if len(found) == len(codes):
            return self
        names = plain_index(found)
        first = family_means(self.first, codes, names)
        second = None if self.second is None else family_means(self.second, codes, names)
        return replace(self, first=first, second=second, families=pd.Series(names, index=names))

    def count(self) -> int:
        """Cells that were scored."""
        there = int(self.first.notna().to_numpy().sum())
        return there if self.second is None else there + int(self.second.notna().to_numpy().sum())

    @property
    def templates(self) -> list[str]:
        """The templates, in the suite's order."""
        return list(self.first.index)

    def by_template(self) -> pd.Series[float]:
        """The contrast of each template alone, from its mean cells; NaN where a group has none."""
        (coefficient, table), *others = self.parts
        total = coefficient * table.mean(axis=1)
        for coefficient, table in others:
            total = total + coefficient * table.mean(axis=1)
        return total


def plain_index(labels: Iterable[object]) -> pd.Index[Any]:
    """Labels as plain objects: Arrow's strings cost more to make and to look up than all that is averaged."""
    return pd.Index(list(labels), dtype=object)


def family_means(cells: pd.DataFrame, codes: npt.NDArray[np.intp], names: pd.Index[Any]) -> pd.DataFrame:
    """Mean over the wordings of each family, of the cells that are there; ``codes`` number the families."""
    values = cells.to_numpy(dtype=float)
    there = ~np.isnan(values)
    known = np.where(there, values, 0.0)
    total, count = np.zeros((2, len(names), values.shape[1]))
    for rows in wordings(codes):
        total[codes[rows]] += known[rows]
        count[codes[rows]] += there[rows]
    means = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return pd.DataFrame(means, index=names, columns=cells.columns)


def wordings(codes: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    """Positions of the first wording of every family, then of every second one, and so on.

    Examples
    --------
    >>> [rows.tolist() for rows in wordings(np.array([0, 0, 1, 0, 1]))]
    [[0, 2], [1, 4], [3]]
    """
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    place = np.arange(len(codes)) - np.concatenate([[0], ends[:-1]])[codes[order]]
    for number in range(int(place.max(initial=-1)) + 1):
        yield order[place == number]


def mean_cells(frame: pd.DataFrame, column: str, templates: pd.Index[Any]) -> pd.DataFrame:
    """Mean value by template and ``column``, every combination present, NaN where nothing was scored."""
    codes, columns = pd.factorize(frame[column].to_numpy(dtype=object), use_na_sentinel=False)
    places = (templates.get_indexer(plain_index(frame["template"])), codes)
    values = means_by_place(frame["value"].to_numpy(dtype=float), places, (len(templates), len(columns)))
    return pd.DataFrame(values, index=templates, columns=plain_index(columns))


def span(measure: Measure, cells: Cells) -> float | None:
    """The largest difference that one template can show; None where scores have no bounds."""
    if measure.bounds is None:
        return None
    low, high = measure.bounds
    return (high - low) * sum(max(coefficient, 0.0) for coefficient, _ in cells.parts)
