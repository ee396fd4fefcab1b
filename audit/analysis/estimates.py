"""From the table of scores to one number with its uncertainty.

Every contrast, whatever it measures, becomes a small array of cells. Its rows are paraphrase families: the
wordings of one template are not independent, so they are averaged before anything is estimated, and what is
counted as a cluster is the family.

* ``nested``: two matrices, templates x terms, one a group; each group has its own sampled terms;
* ``crossed``: one matrix of paired differences, templates x a second sampled factor (term pairs, answer
  pairs);
* ``single``: one column of paired differences, a template each;
* ``combination``: several matrices, templates x terms, each a group with a coefficient: an interaction of two
  axes, or a group against the average of all.

The same arrays, with other terms or wordings, make the controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.hypotheses import COMBINATION, OVERALL, REST, TERM_AXIS, Hypothesis, four_cells
from audit.stats.combination import combination
from audit.stats.contrast import Contrast, Undefined, cell_means, crossed, nested, single
from audit.stats.estimate import Floats
from audit.table import AXIS
from probes.cells import JOIN, is_crossed

Layout = Literal["nested", "crossed", "single", "combination"]


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
        families = self.families.loc[self.templates]
        if families.is_unique:
            return self
        names = list(dict.fromkeys(families))
        first = family_means(self.first, families).reindex(names)
        second = None if self.second is None else family_means(self.second, families).reindex(names)
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


def estimate(cells: Cells) -> Contrast | Undefined:
    """The contrast with its two-way cluster-robust variance; see ``audit.stats.contrast``.

    Its ``n_templates`` counts paraphrase families.
    """
    cells = cells.by_family()
    if len(cells.templates) < SMALLEST_CLUSTERS:
        return Undefined(f"{len(cells.templates)} template families; {SMALLEST_CLUSTERS} are needed")
    found = alone(cells)
    if isinstance(found, Contrast) and cells.floor > found.se**2:
        return pooled_spread(found, cells.floor)
    return found


def pooled_spread(found: Contrast, variance: float) -> Contrast:
    """The same contrast with the groups' pooled variance in place of its own, and components to match."""
    grown = {
        name: value * variance / found.se**2 if found.se > 0.0 else variance * (name == "V_T")
        for name, value in found.components.items()
    }
    method = f"{found.method}, spread of the groups pooled"
    return replace(found, se=math.sqrt(variance), method=method, components=grown)


def alone(cells: Cells) -> Contrast | Undefined:
    """The contrast of cells by family, by its own spread."""
    if cells.layout == "combination":
        tables = [table.to_numpy(dtype=float) for _, table in cells.parts]
        return combination(tables, [coefficient for coefficient, _ in cells.parts])
    first = cells.first.to_numpy(dtype=float)
    if cells.layout == "nested":
        assert cells.second is not None
        return nested(first, cells.second.to_numpy(dtype=float))
    if cells.layout == "crossed":
        return crossed(first)
    return single(first[:, 0])


def family_means(cells: pd.DataFrame, families: pd.Series[str]) -> pd.DataFrame:
    """Mean over the wordings of each family, of the cells that are there."""
    codes, names = pd.factorize(families)
    stacks = [nan_mean(list(cells.to_numpy(dtype=float)[codes == code])) for code in range(len(names))]
    return pd.DataFrame(stacks, index=list(names), columns=cells.columns)


def axis_rows(table: pd.DataFrame, hypothesis: Hypothesis) -> pd.DataFrame:
    """The probe rows of a hypothesis' suite that have a group on its axis, with that ``group``.

    Where two axes are crossed the group is a cell, such as ``black*woman``.
    """
    frame = table[(table["suite"] == hypothesis.suite) & (table["arm"] == "probe")]
    if not is_crossed(hypothesis.axis):
        column = "term" if hypothesis.axis == TERM_AXIS else AXIS + hypothesis.axis
        return frame[frame[column].notna()].assign(group=lambda rows: rows[column])
    one, other = (AXIS + part for part in hypothesis.axis.split(JOIN))
    frame = frame[frame[one].notna() & frame[other].notna()]
    return frame.assign(group=frame[one].astype(str) + JOIN + frame[other].astype(str))


def compared(rows: pd.DataFrame, hypothesis: Hypothesis) -> pd.DataFrame:
    """Of an axis' rows, those of a hypothesis' group and of its reference; of an interaction, four cells."""
    if hypothesis.reference in (REST, OVERALL):
        return rows
    if hypothesis.layout == COMBINATION:
        return rows[rows["group"].isin(list(four_cells(hypothesis.group, hypothesis.reference)))]
    return rows[rows["group"].isin([hypothesis.group, hypothesis.reference])]


def comparer(table: pd.DataFrame, hypothesis: Hypothesis) -> Comparer:
    """What makes the cells of a hypothesis and of all others of its family."""
    return Comparer(axis_rows(table, hypothesis), hypothesis.reference, hypothesis.layout)


class Comparer:
    """Makes the cells of any group of one axis; what the groups share is computed once.

    Parameters
    ----------
    frame : DataFrame
        Rows of the score table with a ``group`` column.
    reference : str
        A group, or ``rest``: all other groups. Where the term is the group each weighs the same; where
        groups have terms of their own, each term does. A group that was scored nowhere is no part of the
        rest; where one that was scored lacks a cell, the rest has none there either, so that its composition
        never changes from cell to cell. Or ``overall``: the mean of all groups that were scored, the one
        compared among them, each with the same weight.
    layout : {"nested", "paired", "fixed", "combination"}
        How terms relate to groups; see ``audit.hypotheses.Hypothesis``.
    """

    def __init__(self, frame: pd.DataFrame, reference: str, layout: str) -> None:
        self.frame = frame
        self.reference = reference
        self.layout = layout
        self.templates = list(dict.fromkeys(frame["template"]))
        self.families = frame.drop_duplicates("template").set_index("template")["family"]
        self._parts = {str(group): rows for group, rows in frame.groupby("group", sort=False)}

    def cells(self, group: str) -> Cells:
        """The cells of one group against the reference."""
        return replace(self.own_cells(group), floor=self._floor)

    @cached_property
    def _floor(self) -> float:
        return self.floor()

    def floor(self, change: Callable[[Cells], Cells] | None = None) -> float:
        """Mean variance of the groups' contrasts where each is compared with all; 0 with fewer than three.

        Parameters
        ----------
        change : callable, optional
            What is done to the cells of every group first.
        """
        if self.reference not in (REST, OVERALL) or len(self._scored) < SMALLEST_POOL:
            return 0.0
        made = (self.own_cells(group) for group in self._scored)
        found = [estimate(change(cells) if change else cells) for cells in made]
        known = [contrast.se**2 for contrast in found if isinstance(contrast, Contrast)]
        return math.fsum(known) / len(known) if len(known) >= SMALLEST_POOL else 0.0

    def own_cells(self, group: str) -> Cells:
        """The cells of one group by themselves: without what its family says of their spread."""
        if self.layout == "fixed":
            return self._fixed(group)
        if self.layout == "paired" and self.reference == OVERALL:
            return self._paired_overall(group)
        if self.layout == COMBINATION or self.reference == OVERALL:
            return self._combination(group)
        column = "term" if self.layout == "nested" else "pair"
        others = [name for name in self._parts if name != group]
        other = others if self.reference == REST else [self.reference]
        first = mean_cells(self._rows([group]), column, self.templates)
        second = mean_cells(self._rows(other), column, self.templates)
        if self.layout == "nested":
            return Cells("nested", first, second, self.families)
        return Cells("crossed", first - second, None, self.families)

    def weights(self, group: str) -> dict[str, float]:
        """The coefficient of each group's mean in the contrast of ``group``; they sum to 0."""
        if self.layout == COMBINATION:
            return four_cells(group, self.reference)
        if self.reference == OVERALL:
            names = list(dict.fromkeys([group, *self._scored]))
            return {name: float(name == group) - 1 / len(names) for name in names}
        if self.reference != REST:
            return {group: 1.0, self.reference: -1.0}
        sizes = {name: rows["term"].nunique() for name, rows in self._parts.items() if name != group}
        return {group: 1.0, **{name: -size / sum(sizes.values()) for name, size in sizes.items()}}

    @cached_property
    def _scored(self) -> list[str]:
        """The groups that were scored somewhere."""
        return [name for name, rows in self._parts.items() if rows["value"].notna().any()]

    def _combination(self, group: str) -> Cells:
        weights = self.weights(group)
        tables = [mean_cells(self._rows([name]), "term", self.templates) for name in weights]
        if len(weights) < 2:  # nothing to average with: undefined, and said so by the estimator
            return Cells("nested", tables[0], tables[0].iloc[:, :0], self.families)
        blocks = tuple(
            (coefficient, len(table.columns))
            for coefficient, table in zip(weights.values(), tables, strict=True)
        )
        return Cells("combination", pd.concat(tables, axis=1), None, self.families, blocks)

    def _paired_overall(self, group: str) -> Cells:
        tables = {
            name: mean_cells(self._rows([name]), "pair", self.templates) for name in self.weights(group)
        }
        first = tables[group]
        stack = [table.reindex(columns=first.columns).to_numpy(dtype=float) for table in tables.values()]
        return Cells("crossed", first - np.stack(stack).mean(axis=0), None, self.families)

    def _rows(self, groups: Sequence[str]) -> pd.DataFrame:
        there = [self._parts[group] for group in groups if group in self._parts]
        return pd.concat(there) if there else self.frame.iloc[:0]

    def _fixed(self, group: str) -> Cells:
        names, columns, stack, scored = self._means
        own = names.index(group) if group in names else None
        if own is None or len(names) < 2:
            empty = pd.DataFrame(index=self.templates, columns=["none"], dtype=float)
            return Cells("single", empty, None, self.families)
        chosen = np.array([self.reference in (OVERALL, name) for name in names])
        if self.reference == REST:
            chosen = np.arange(len(names)) != own
        there = chosen & scored if (chosen & scored).any() else chosen
        difference = stack[own] - stack[there].mean(axis=0)
        cells = pd.DataFrame(difference, index=self.templates, columns=columns)
        return Cells("crossed" if len(columns) > 1 else "single", cells, None, self.families)

    @cached_property
    def _means(self) -> tuple[list[str], list[str], Floats, npt.NDArray[np.bool_]]:
        """Groups, columns, mean cells (groups, templates, columns), and which groups were scored at all."""
        column = answer_units(self.frame)
        columns = list(dict.fromkeys(self.frame[column]))
        tables = [
            mean_cells(rows, column, self.templates).reindex(columns=columns) for rows in self._parts.values()
        ]
        stack = np.stack([table.to_numpy(dtype=float) for table in tables])
        return list(self._parts), columns, stack, (~np.isnan(stack)).any(axis=(1, 2))


def answer_units(frame: pd.DataFrame) -> str:
    """The column of the second factor for groups of one term: answer pairs, or nothing to vary."""
    return "unit" if frame["factor"].iloc[0] == "answers" else "factor"


def nan_mean(stack: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the first axis of the cells that are there; NaN where none is."""
    values = np.stack(stack)
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_cells(frame: pd.DataFrame, column: str, templates: Sequence[str]) -> pd.DataFrame:
    """Mean value by template and ``column``, every combination present, NaN where nothing was scored."""
    columns = list(dict.fromkeys(frame[column]))
    values = cell_means(
        frame["value"].to_numpy(dtype=float),
        frame["template"].to_numpy(dtype=str),
        frame[column].to_numpy(dtype=str),
        templates=list(templates),
        terms=columns,
    )
    return pd.DataFrame(values, index=list(templates), columns=columns)


def insufficient(cells: Cells, hypothesis: Hypothesis) -> str | None:
    """Why the sample is too small for any claim about people of two groups at once; None where it is not.

    Where the term is the group, as in ``Black women``, nothing was sampled from the cell that could be too
    few. Source: MEASURES 7.11.
    """
    if not is_crossed(hypothesis.axis) or hypothesis.layout == "fixed":
        return None
    return too_few(min(int(table.notna().any().sum()) for _, table in cells.parts), hypothesis.layout)


def too_few(smallest: int, layout: str) -> str | None:
    """Why a smallest cell of so many terms is too small for a claim; None where it is not."""
    if smallest >= SMALLEST_CELL:
        return None
    unit = "pair" if layout == "paired" else "term"
    count = f"{smallest} {unit}{'' if smallest == 1 else 's'}"
    return f"{count} in the smallest cell; {SMALLEST_CELL} are needed for a claim about an intersection"


SMALLEST_CELL = 10
"""Terms of each cell that a claim about people of two groups at once needs."""
SMALLEST_POOL = 3
"""Groups that are compared with one another before their spread is pooled."""
SMALLEST_CLUSTERS = 3
"""Template families that any estimate needs: two that agree prove nothing."""
SMALLEST_PAIRS = 3
"""Pairs of wordings that an A/A control needs."""


def half(names: Sequence[str], rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Names split at random into two halves; with an odd count, one is left out of neither but the first."""
    ordered = sorted(names)  # so that a split does not depend on the order of rows
    order = [ordered[i] for i in rng.permutation(len(ordered))]
    middle = (len(order) + 1) // 2
    return sorted(order[:middle]), sorted(order[middle:])


def split_terms(frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
    """Two random halves of the terms of ``frame``, as if they were two groups."""
    first, _ = half(list(dict.fromkeys(frame["term"])), rng)
    labelled = frame.assign(group=np.where(frame["term"].isin(first), "first", "second"))
    return Comparer(labelled, "second", "nested").cells("first")


def split_samples(frame: pd.DataFrame) -> Cells:
    """Even against odd samples of the same prompts, as if they were two groups."""
    odd = frame["unit"].astype(int) % 2
    templates = list(dict.fromkeys(frame["template"]))
    families = frame.drop_duplicates("template").set_index("template")["family"]
    first = mean_cells(frame[odd == 0], "term", templates)
    second = mean_cells(frame[odd == 1], "term", templates)
    both = [column for column in first.columns if column in second.columns]
    layout: Literal["crossed", "single"] = "crossed" if len(both) > 1 else "single"
    return Cells(layout, first[both] - second[both], None, families)


def swap_wordings(cells: Cells, rng: np.random.Generator) -> Cells | str:
    """One wording of each family against another, which comes first by a coin: no difference is expected.

    Where families were sampled down to one wording, templates are paired at random instead. Gives the
    reason where there are too few of either.
    """
    if cells.layout not in ("crossed", "single"):
        raise ValueError("wordings are swapped in cells of differences only")
    pairs = []
    for _, members in cells.families.groupby(cells.families, sort=True):
        wordings = sorted(members.index)
        if len(wordings) >= 2:
            a, b = rng.permutation(len(wordings))[:2]
            pairs.append((wordings[a], wordings[b]))
    if len(pairs) < SMALLEST_PAIRS:
        ordered = sorted(cells.templates)
        order = [ordered[i] for i in rng.permutation(len(ordered))]
        pairs = list(zip(order[::2], order[1::2], strict=False))
    if len(pairs) < SMALLEST_PAIRS:
        return f"{len(cells.templates)} templates are too few to be paired"
    names = [f"{a} and {b}" for a, b in pairs]
    values = [cells.first.loc[a].to_numpy() - cells.first.loc[b].to_numpy() for a, b in pairs]
    first = pd.DataFrame(values, index=names, columns=cells.first.columns)
    return Cells(cells.layout, first, None, pd.Series(names, index=names))
