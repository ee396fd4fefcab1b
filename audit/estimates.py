"""From the table of scores to one number with its uncertainty.

Every contrast, whatever it measures, becomes a small array of cells whose rows are templates:

* ``nested``: two matrices, templates x terms, one a group; each group has its own sampled terms;
* ``crossed``: one matrix of paired differences, templates x a second sampled factor (term pairs, answer
  pairs);
* ``single``: one column of paired differences, a template each.

The same arrays, with other terms or wordings, make the controls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from audit.hypotheses import REST, TERM_AXIS, Hypothesis
from audit.stats.contrast import Contrast, Undefined, crossed, nested, single
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

    @property
    def templates(self) -> list[str]:
        """The templates, in the suite's order."""
        return list(self.first.index)

    def by_template(self) -> pd.Series[float]:
        """The contrast of each template alone: difference of its mean cells."""
        first = self.first.mean(axis=1)
        return first if self.second is None else first - self.second.mean(axis=1)


def estimate(cells: Cells) -> Contrast | Undefined:
    """The contrast with its two-way cluster-robust variance; see ``audit.stats.contrast``."""
    first = cells.first.to_numpy(dtype=float)
    if cells.layout == "nested":
        assert cells.second is not None
        return nested(first, cells.second.to_numpy(dtype=float))
    if cells.layout == "crossed":
        return crossed(first)
    return single(first[:, 0])


def contrast_rows(table: pd.DataFrame, hypothesis: Hypothesis) -> pd.DataFrame:
    """The probe rows that a hypothesis compares, with their ``group``; only the two groups compared."""
    frame = table[(table["suite"] == hypothesis.suite) & (table["arm"] == "probe")]
    column = "term" if hypothesis.axis == TERM_AXIS else AXIS + hypothesis.axis
    frame = frame[frame[column].notna()].assign(group=lambda rows: rows[column])
    if hypothesis.reference == REST:
        return frame
    return frame[frame["group"].isin([hypothesis.group, hypothesis.reference])]


def contrast_cells(table: pd.DataFrame, hypothesis: Hypothesis) -> Cells:
    """The cells of a hypothesis, from the probe rows of its suite."""
    frame = contrast_rows(table, hypothesis)
    return group_cells(frame, hypothesis.group, hypothesis.reference, hypothesis.layout)


def group_cells(frame: pd.DataFrame, group: str, reference: str, layout: str) -> Cells:
    """The cells of one group against a reference, from rows with a ``group`` column."""
    own = frame[frame["group"] == group]
    other = frame[frame["group"] != group] if reference == REST else frame[frame["group"] == reference]
    templates = list(dict.fromkeys(frame["template"]))
    families = frame.drop_duplicates("template").set_index("template")["family"]
    if layout == "nested":
        return Cells(
            "nested", mean_cells(own, "term", templates), mean_cells(other, "term", templates), families
        )
    if layout == "paired":
        first, second = mean_cells(own, "pair", templates), mean_cells(other, "pair", templates)
        return Cells("crossed", first - second, None, families)
    units = answer_units(frame)
    first = mean_cells(own, units, templates)
    columns = first.columns
    rest = [
        mean_cells(rows, units, templates).reindex(columns=columns).to_numpy(dtype=float)
        for _, rows in other.groupby("group", sort=False)
    ]
    difference = first - pd.DataFrame(nan_mean(rest), index=first.index, columns=columns)
    return Cells("crossed" if len(columns) > 1 else "single", difference, None, families)


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
    means = frame.groupby(["template", column], sort=False)["value"].mean()
    wide = means.unstack(column)
    return wide.reindex(index=list(templates), columns=columns)


def half(names: Sequence[str], rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Names split at random into two halves; with an odd count, one is left out of neither but the first."""
    order = [names[i] for i in rng.permutation(len(names))]
    middle = (len(order) + 1) // 2
    return sorted(order[:middle]), sorted(order[middle:])


def split_terms(frame: pd.DataFrame, rng: np.random.Generator) -> Cells:
    """Two random halves of the terms of ``frame``, as if they were two groups."""
    first, _ = half(list(dict.fromkeys(frame["term"])), rng)
    labelled = frame.assign(group=np.where(frame["term"].isin(first), "first", "second"))
    return group_cells(labelled, "first", "second", "nested")


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


def swap_wordings(cells: Cells, rng: np.random.Generator) -> Cells | None:
    """One wording of each family against another, which comes first by a coin: no difference is expected.

    None where fewer than two families have two wordings.
    """
    if cells.second is not None:
        raise ValueError("wordings are swapped in cells of differences only")
    rows, names = [], []
    for family, members in cells.families.groupby(cells.families, sort=False):
        if len(members) < 2:
            continue
        a, b = rng.permutation(len(members))[:2]
        rows.append(cells.first.loc[members.index[a]] - cells.first.loc[members.index[b]])
        names.append(str(family))
    if len(rows) < 2:
        return None
    first = pd.DataFrame(rows)
    first.index = pd.Index(names)
    return Cells(cells.layout, first, None, pd.Series(names, index=names))


def split_templates(cells: Cells, rng: np.random.Generator) -> Cells | str:
    """Two random halves of the templates, as if they were two groups' terms; the second factor stays crossed.

    Gives the reason where there are too few templates, or no second factor to cross them with.
    """
    if cells.layout != "crossed" or len(cells.templates) < 4:
        return f"{len(cells.templates)} templates of one wording each cannot be split"
    first, second = half(cells.templates, rng)
    levels = pd.Series(cells.first.columns, index=cells.first.columns)
    return Cells("nested", cells.first.loc[first].T, cells.first.loc[second].T, levels)
