"""One contrast under every other reasonable analysis of the same answers.

The choices that an analyst could have made otherwise, crossed:

* ``reading`` (and ``scorer``): what the number is read as; a measure declares its readings;
* ``templates``: all families, either half of them by name, or the first wording of each family only;
* ``pooling``: repeated answers to one question, and the wordings of one family, by mean or by median;
* ``doubtful``: answers that the tokenizer makes doubtful kept or dropped, where there are any.

A choice that cannot change anything (a median of two) is no specification of its own, so that nothing is
counted twice. How terms relate to groups is left as it is: that is the design, not a choice of analysis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.analysis.estimates import Cells, Comparer, answer_units, estimate
from audit.hypotheses import COMBINATION, Hypothesis
from audit.measures import Measure, Reading
from audit.measures.readings import READINGS
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.specification import POOLINGS, Pooling, Specification, SpecificationCurve, curve, pool

LAYOUTS = frozenset({"nested", "paired", "fixed", COMBINATION})
"""How terms may relate to groups for a curve to be had."""
FOUND_SHARE = "found share"
"""The reading that may be another one's repetition."""
LARGEST_ALIKE = 2
"""So many numbers have one and the same mean and median."""


@dataclass(frozen=True)
class Wordings:
    """Some templates, sorted into their families.

    Attributes
    ----------
    families : tuple of str
        By name, those that have a template.
    places : ndarray of int, shape (families, most wordings of a family)
        Where each wording stands among the templates of the cells; one past the last where a family has
        fewer.
    """

    families: tuple[str, ...]
    places: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Analysis:
    """A reading of the answers, ready to be compared.

    Attributes
    ----------
    choices : mapping
        Reading, scorer and doubtful answers.
    primary : bool
        Whether the reading is the measure's own value.
    comparers : mapping of pooling to Comparer
        Repeated answers pooled so; empty where the reading cannot be had: its specifications are still
        counted, as not computable.
    sets : mapping of str to (Wordings, poolings)
        Template sets, each with the poolings that differ in it.
    reason : str
        Why there are no comparers.
    floors : dict
        What :meth:`floor` has found so far.
    """

    choices: Mapping[str, str]
    primary: bool
    comparers: Mapping[Pooling, Comparer]
    sets: Mapping[str, tuple[Wordings, tuple[Pooling, ...]]]
    reason: str = ""
    floors: dict[tuple[str, Pooling], float] = field(default_factory=dict, compare=False)

    def specifications(self, group: str) -> Iterator[Specification]:
        """Every specification of one group's contrast under this reading."""
        made = {comparer: comparer.own_cells(group) for comparer in set(self.comparers.values())}
        cells = {how: made[comparer] for how, comparer in self.comparers.items()}
        for name, (wordings, poolings) in self.sets.items():
            for how in poolings:
                choices = {**self.choices, "templates": name, "pooling": how}
                result: Contrast | Undefined = Undefined(self.reason)
                if cells:
                    chosen = pooled(cells[how], wordings, how)
                    result = estimate(replace(chosen, floor=self.floor(name, how)))
                yield Specification(choices, result, self.primary)

    def floor(self, name: str, how: Pooling) -> float:
        """The smallest variance of a contrast in one specification: the same for all groups."""
        if (name, how) not in self.floors:
            wordings = self.sets[name][0]
            self.floors[name, how] = self.comparers[how].floor(lambda cells: pooled(cells, wordings, how))
        return self.floors[name, how]


def specification_curves(
    frame: pd.DataFrame, family: Sequence[Hypothesis], measure: Measure, alpha: float, margin: float
) -> list[SpecificationCurve | Undefined]:
    """The specification curve of each hypothesis of one family.

    Parameters
    ----------
    frame : DataFrame
        The probe rows of the family's axis with their ``group``, as ``estimates.axis_rows`` gives them.
    family : sequence of Hypothesis
        Of one suite, contrast and axis.
    alpha, margin : float
        As for the main analysis. Only specifications in the margin's unit are held against the margin, which
        are those of the measure's own value.

    Returns
    -------
    list of SpecificationCurve or Undefined
        In the family's order. The first specification of each is the main analysis; where that is undefined,
        so is the curve.
    """
    reason = "nothing was asked" if frame.empty else unknown_layout(family[0].layout)
    if reason:
        return [Undefined(reason) for _ in family]
    analyses = list(all_analyses(frame, family[0], measure))
    return [
        curve([each for one in analyses for each in one.specifications(hypothesis.group)], alpha, margin)
        for hypothesis in family
    ]


def unknown_layout(layout: str) -> str:
    """Why a layout has no curve; empty where it has one."""
    return "" if layout in LAYOUTS else f"no specification curve is defined for {layout} terms"


def all_analyses(frame: pd.DataFrame, first: Hypothesis, measure: Measure) -> Iterator[Analysis]:
    """Every reading, with and without doubtful answers."""
    families = frame.drop_duplicates("template").set_index("template")["family"]
    sets = template_sets(families)
    question = question_columns(frame, first.layout)
    for reading in measure.readings:
        for label, rows in doubt_sets(frame).items():
            choices = {"reading": reading.name, **({"scorer": reading.scorer} if reading.scorer else {})}
            choices["doubtful"] = label
            values = read(rows, reading)
            if not isinstance(values, Undefined) and is_repeated(reading, values, rows):
                continue
            if isinstance(values, Undefined):
                repeats, comparers, reason = most_repeats(rows, question), {}, values.reason
            else:
                rows = rows.assign(value=values)
                repeats, reason = most_repeats(rows, question), ""
                comparers = pooled_comparers(rows, first, repeats)
            arranged = arrange(sets, list(dict.fromkeys(rows["template"])), families, repeats)
            yield Analysis(choices, reading.primary, comparers, arranged, reason)


def read(frame: pd.DataFrame, reading: Reading) -> Floats | Undefined:
    """The values of one reading, NaN where nothing was scored."""
    if reading.column not in frame or (frame[reading.column].isna().all() and frame["value"].notna().any()):
        return Undefined(f"the scorer {reading.scorer} was not used on these answers")
    values = frame[reading.column].to_numpy(dtype=float)
    function = READINGS[reading.function]
    return function(values) if reading.level is None else function(values, reading.level)


def is_repeated(reading: Reading, values: Floats, frame: pd.DataFrame) -> bool:
    """Whether a share of texts found is the mean itself: the scorer gives 0 and 1 only."""
    return reading.function == FOUND_SHARE and np.array_equal(values, frame[reading.column], equal_nan=True)


def doubt_sets(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows with doubtful answers, and, where only some are doubtful, without."""
    doubtful = frame["doubtful"].to_numpy(dtype=bool)
    if not doubtful.any() or doubtful.all():
        return {"kept": frame}
    return {"kept": frame, "dropped": frame[~doubtful]}


def template_sets(families: pd.Series[str]) -> dict[str, tuple[str, ...]]:
    """The four sets of templates by name, less those that repeat an earlier one.

    Halves are by sorted family name, the first wording by sorted template name: neither knows the answers.
    """
    members: dict[str, list[str]] = {}
    for template, family in sorted(families.items()):
        members.setdefault(str(family), []).append(str(template))
    names = sorted(members)
    middle = (len(names) + 1) // 2
    wanted = {
        "all": [template for name in names for template in members[name]],
        "first half of the families": [template for name in names[:middle] for template in members[name]],
        "second half of the families": [template for name in names[middle:] for template in members[name]],
        "first wording of each family": [members[name][0] for name in names],
    }
    sets: dict[str, tuple[str, ...]] = {}
    for label, templates in wanted.items():
        if templates and tuple(templates) not in sets.values():
            sets[label] = tuple(templates)
    return sets


def arrange(
    sets: Mapping[str, Sequence[str]], templates: Sequence[str], families: pd.Series[str], repeats: int
) -> dict[str, tuple[Wordings, tuple[Pooling, ...]]]:
    """Each template set in its families, with the poolings that differ in it."""
    arranged = {}
    for label, chosen in sets.items():
        wordings = sort_wordings(chosen, templates, families)
        differ = max(repeats, wordings.places.shape[1]) > LARGEST_ALIKE
        arranged[label] = (wordings, POOLINGS if differ else POOLINGS[:1])
    return arranged


def sort_wordings(chosen: Sequence[str], templates: Sequence[str], families: pd.Series[str]) -> Wordings:
    """Some templates by family; those that the rows at hand do not hold are left out."""
    place = {template: number for number, template in enumerate(templates)}
    members: dict[str, list[int]] = {}
    for template in chosen:
        if template in place:
            members.setdefault(str(families[template]), []).append(place[template])
    width = max((len(own) for own in members.values()), default=1)
    places = np.full((len(members), width), len(templates), dtype=np.intp)
    for row, own in enumerate(members.values()):
        places[row, : len(own)] = own
    return Wordings(tuple(members), places)


def pooled(cells: Cells, wordings: Wordings, how: Pooling) -> Cells:
    """The cells of some templates, with the wordings of a family pooled."""
    names = list(wordings.families)

    def grid(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame.to_numpy(dtype=float)
        padded = np.concatenate([values, np.full((1, values.shape[1]), np.nan)])
        stack = np.moveaxis(padded[wordings.places], 1, 0)
        return pd.DataFrame(pool(stack, how), index=names, columns=frame.columns)

    held = {field.name: getattr(cells, field.name) for field in fields(cells)}
    grids: dict[str, Any] = {
        name: grid(frame) for name, frame in held.items() if isinstance(frame, pd.DataFrame)
    }
    return replace(cells, families=pd.Series(names, index=names), **grids)


def question_columns(frame: pd.DataFrame, layout: str) -> list[str]:
    """What tells one question from another; what differs beyond it are repeated answers.

    Where a group is one term, answer pairs are the second factor and no repetitions.
    """
    question = ["template", "term"]
    return [*question, answer_units(frame)] if layout == "fixed" else question


def most_repeats(frame: pd.DataFrame, question: Sequence[str]) -> int:
    """The largest number of scored answers to one question."""
    scored = frame[frame["value"].notna()]
    return 0 if scored.empty else int(scored.groupby(list(question), sort=False).size().max())


def pooled_comparers(frame: pd.DataFrame, first: Hypothesis, repeats: int) -> dict[Pooling, Comparer]:
    """What makes cells from repeated answers, by their mean and by their median."""
    mean = Comparer(frame, first.reference, first.layout)
    if repeats <= LARGEST_ALIKE:
        return {"mean": mean, "median": mean}
    question = question_columns(frame, first.layout)
    middle = frame.groupby(question, sort=False)["value"].median()
    one_each = frame.drop_duplicates(question).assign(value=middle.to_numpy(dtype=float))
    return {"mean": mean, "median": Comparer(one_each, first.reference, first.layout)}
