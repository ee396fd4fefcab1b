"""From the table of scores to one number with its uncertainty.

Every contrast, whatever it measures, becomes a small array of cells. Its rows are paraphrase families: the
wordings of one template are not independent, so they are averaged before anything is estimated, and what is
counted as a cluster is the family.

* ``nested``: two matrices, templates x terms, one a group; each group has its own sampled terms;
* ``crossed``: one matrix of paired differences, templates x a second sampled factor (term pairs, answer
  pairs);
* ``single``: one column of paired differences, a template each.

The same arrays, with other terms or wordings, make the controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from audit.hypotheses import REST, TERM_AXIS, Hypothesis
from audit.stats.contrast import Contrast, Undefined, cell_means, crossed, nested, single
from audit.table import AXIS


@dataclass(frozen=True)
class Cells:
    """The arrays of one contrast.

    Attributes
    ----------
    first : DataFrame
        Rows are templates, columns are terms (nested) or the second factor; NaN is a missing cell.
        For ``crossed`` and ``single`` it holds differences, first group minus reference.
    second : DataFrame or None
        The reference group's cells; only for ``nested``.
    families : Series
        Template to paraphrase family.
    """

    layout: Literal["nested", "crossed", "single"]
    first: pd.DataFrame
    second: pd.DataFrame | None
    families: pd.Series[str]

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
        return Cells(self.layout, first, second, pd.Series(names, index=names))

    def count(self) -> int:
        """Cells that were scored."""
        there = int(self.first.notna().to_numpy().sum())
        return there if self.second is None else there + int(self.second.notna().to_numpy().sum())

    @property
    def templates(self) -> list[str]:
        """The templates, in the suite's order."""
        return list(self.first.index)

    def by_template(self) -> pd.Series[float]:
        """The contrast of each template alone: difference of its mean cells."""
        first = self.first.mean(axis=1)
        return first if self.second is None else first - self.second.mean(axis=1)


def estimate(cells: Cells) -> Contrast | Undefined:
    """The contrast with its two-way cluster-robust variance; see ``audit.stats.contrast``.

    Its ``n_templates`` counts paraphrase families.
    """
    cells = cells.by_family()
    if len(cells.templates) < SMALLEST_CLUSTERS:
        return Undefined(f"{len(cells.templates)} template families; {SMALLEST_CLUSTERS} are needed")
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
    """The probe rows of a hypothesis' suite that have a group on its axis, with that ``group``."""
    frame = table[(table["suite"] == hypothesis.suite) & (table["arm"] == "probe")]
    column = "term" if hypothesis.axis == TERM_AXIS else AXIS + hypothesis.axis
    return frame[frame[column].notna()].assign(group=lambda rows: rows[column])


def compared(rows: pd.DataFrame, hypothesis: Hypothesis) -> pd.DataFrame:
    """Of an axis' rows, those of the hypothesis' group and of its reference."""
    if hypothesis.reference == REST:
        return rows
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
        never changes from cell to cell.
    layout : {"nested", "paired", "fixed"}
        How terms relate to groups; see ``probes.suite.TermDesign``.
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
        if self.layout == "fixed":
            return self._fixed(group)
        column = "term" if self.layout == "nested" else "pair"
        others = [name for name in self._parts if name != group]
        other = others if self.reference == REST else [self.reference]
        first = mean_cells(self._rows([group]), column, self.templates)
        second = mean_cells(self._rows(other), column, self.templates)
        if self.layout == "nested":
            return Cells("nested", first, second, self.families)
        return Cells("crossed", first - second, None, self.families)

    def _rows(self, groups: Sequence[str]) -> pd.DataFrame:
        there = [self._parts[group] for group in groups if group in self._parts]
        return pd.concat(there) if there else self.frame.iloc[:0]

    def _fixed(self, group: str) -> Cells:
        means = self._means
        others = [name for name in means if name != group]
        if group not in means or not others:
            empty = pd.DataFrame(index=self.templates, columns=["none"], dtype=float)
            return Cells("single", empty, None, self.families)
        chosen = others if self.reference == REST else [self.reference]
        scored = [name for name in chosen if means[name].notna().to_numpy().any()] or chosen
        rest = np.stack([means[name].to_numpy(dtype=float) for name in scored]).mean(axis=0)
        difference = means[group] - rest
        return Cells("crossed" if len(difference.columns) > 1 else "single", difference, None, self.families)

    @cached_property
    def _means(self) -> dict[str, pd.DataFrame]:
        """Mean cells of each group, all with the same rows and columns."""
        column = answer_units(self.frame)
        columns = list(dict.fromkeys(self.frame[column]))
        return {
            group: mean_cells(rows, column, self.templates).reindex(columns=columns)
            for group, rows in self._parts.items()
        }


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
    if cells.second is not None:
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
