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
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.analysis.cells import CELL_COLUMNS, mean_cells, plain_index
from audit.analysis.cells import Cells as Cells
from audit.hypotheses import COMBINATION, OVERALL, REST, TERM_AXIS, Hypothesis, four_cells
from audit.stats.combination import combination
from audit.stats.contrast import Contrast, Undefined, crossed, means_by_place, nested, single
from audit.stats.estimate import ROUNDING, Floats
from audit.table import AXIS
from probes.cells import JOIN, is_crossed


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
    groups = compared_groups(hypothesis)
    return rows if groups is None else rows[rows["group"].isin(groups)]


def compared_groups(hypothesis: Hypothesis) -> list[str] | None:
    """The groups that a hypothesis compares; None where it compares all of its axis."""
    if hypothesis.reference in (REST, OVERALL):
        return None
    if hypothesis.layout == COMBINATION:
        return list(four_cells(hypothesis.group, hypothesis.reference))
    return [hypothesis.group, hypothesis.reference]


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
        labels = [name for name in CELL_COLUMNS if name in frame]
        self.frame = frame
        self.reference = reference
        self.layout = layout
        self._plain = frame[labels].astype(object).assign(value=frame["value"])
        self.templates = plain_index(dict.fromkeys(self._plain["template"]))
        first = self._plain.drop_duplicates("template")
        self.families = pd.Series(first["family"].to_numpy(), index=self.templates, dtype=object)
        self._parts = {str(group): rows for group, rows in self._plain.groupby("group", sort=False)}
        self._own: dict[str, Cells] = {}

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
        if group not in self._own:
            self._own[group] = self._cells(group)
        return self._own[group]

    def _cells(self, group: str) -> Cells:
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
        return Cells("crossed", self._apart(first - second), None, self.families)

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
        return Cells("crossed", self._apart(first - np.stack(stack).mean(axis=0)), None, self.families)

    def _rows(self, groups: Sequence[str]) -> pd.DataFrame:
        there = [self._parts[group] for group in groups if group in self._parts]
        return pd.concat(there) if there else self._plain.iloc[:0]

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
        difference = without_rounding(difference, self._largest)
        cells = pd.DataFrame(difference, index=self.templates, columns=columns)
        return Cells("crossed" if len(columns) > 1 else "single", cells, None, self.families)

    def _apart(self, differences: pd.DataFrame) -> pd.DataFrame:
        values = without_rounding(differences.to_numpy(dtype=float), self._largest)
        return pd.DataFrame(values, index=differences.index, columns=differences.columns)

    @cached_property
    def _largest(self) -> float:
        """The largest absolute score."""
        return float(self._plain["value"].abs().max())

    @cached_property
    def _means(self) -> tuple[list[str], pd.Index[Any], Floats, npt.NDArray[np.bool_]]:
        """Groups, columns, mean cells (groups, templates, columns), and which groups were scored at all."""
        column = answer_units(self._plain)
        codes, columns = pd.factorize(self._plain[column], use_na_sentinel=False)
        groups = pd.factorize(self._plain["group"])[0]
        rows = self.templates.get_indexer(plain_index(self._plain["template"]))
        shape = (len(self._parts), len(self.templates), len(columns))
        stack = means_by_place(self._plain["value"].to_numpy(dtype=float), (groups, rows, codes), shape)
        scored = np.asarray((~np.isnan(stack)).any(axis=(1, 2)))
        return list(self._parts), plain_index(columns), stack, scored


def without_rounding(differences: Floats, largest: float) -> Floats:
    """Differences of means, with 0 for those that are nothing but the rounding of the means.

    The mean of 19 times 0.3 is not 0.3 to the last bit: where all texts score alike, such differences would
    be alike, too, and would seem certain.

    Parameters
    ----------
    largest : float
        The largest absolute score, in the unit of the differences.

    Examples
    --------
    >>> without_rounding(np.array([0.3 - 5.7 / 19, 0.1, np.nan]), 0.3)
    array([0. , 0.1, nan])
    """
    return np.where(np.abs(differences) <= ROUNDING * largest, 0.0, differences)


def answer_units(frame: pd.DataFrame) -> str:
    """The column of the second factor for groups of one term: answer pairs, or nothing to vary."""
    return "unit" if frame["factor"].iloc[0] == "answers" else "factor"


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
    templates = plain_index(dict.fromkeys(frame["template"]))
    families = frame.drop_duplicates("template").set_index("template")["family"]
    first = mean_cells(frame[odd == 0], "term", templates)
    second = mean_cells(frame[odd == 1], "term", templates)
    both = [column for column in first.columns if column in second.columns]
    layout: Literal["crossed", "single"] = "crossed" if len(both) > 1 else "single"
    apart = without_rounding((first[both] - second[both]).to_numpy(), float(frame["value"].abs().max()))
    cells = pd.DataFrame(apart, index=templates, columns=both)
    return Cells(layout, cells, None, families)


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
