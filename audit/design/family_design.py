"""How many templates and terms stand behind a family of hypotheses, as it is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audit.hypotheses import COMBINATION, OVERALL, REST, TERM_AXIS, Hypothesis, four_cells
from audit.measures import Decoding
from audit.plan import PlannedSuite
from audit.stats.combination import equivalent_design
from audit.stats.design import DesignSds, Layout
from probes import Item
from probes.cells import group_of


@dataclass(frozen=True)
class FamilyDesign:
    """The size of a family's tables; that of its first hypothesis stands for all.

    Attributes
    ----------
    layout : {"nested", "crossed", "single"}
        As in ``audit.stats.contrast``.
    templates : int
        Template families.
    one, zero : int
        Nested: terms of the group and of its reference. Crossed: levels of the second factor, twice. Single:
        1 and 1.
    second : str
        What the second factor is, in the plural; empty where there is none.
    repeats : int
        Samples of one prompt that are averaged in a cell; 1 where nothing is sampled.
    sampled : bool
        Whether a cell is text that the model writes.
    shares_noise : bool
        Whether what is compared is then sampled with the same noise.
    sizes : tuple of int
        Terms of each group that enters the contrast; empty for other layouts.
    scale : float
        What makes two groups of ``one`` and ``zero`` terms as uncertain as a contrast of more: the factor of
        every standard deviation (``audit.stats.combination.equivalent_design``). 1 for two groups.
    reason : str
        Why the layout cannot be planned; empty where it can.
    """

    layout: Layout
    templates: int
    one: int
    zero: int
    second: str
    repeats: int
    sampled: bool = False
    shares_noise: bool = False
    sizes: tuple[int, ...] = ()
    scale: float = 1.0
    reason: str = ""

    @property
    def terms(self) -> int:
        """Terms of all groups together, or levels of the second factor; 0 where there is none."""
        return {"nested": sum(self.sizes), "crossed": self.one, "single": 0}[self.layout]

    @property
    def tables(self) -> int:
        """Groups of terms, each with a table of its own; 1 where differences are paired."""
        return max(1, len(self.sizes))

    def scaled(self, sds: DesignSds) -> DesignSds:
        """The standard deviations with which two groups are as uncertain as this contrast."""
        return DesignSds(self.scale * sds.template, self.scale * sds.term, self.scale * sds.residual)

    def unscaled(self, sds: DesignSds) -> DesignSds:
        """What ``scaled`` undoes."""
        return DesignSds(sds.template / self.scale, sds.term / self.scale, sds.residual / self.scale)


def family_design(hypothesis: Hypothesis, planned: PlannedSuite, decoding: Decoding) -> FamilyDesign:
    """The design of a hypothesis' family."""
    items = [item for item in planned.items if item.arm == "probe"]
    templates = len({item.family for item in items})
    sampled = planned.measure.factor == "samples"
    text = (decoding.total if sampled else 1, sampled, sampled and decoding.noise == "shared")
    if hypothesis.layout == "fixed":
        pairs = len(items[0].answers)
        if pairs > 1:
            return FamilyDesign("crossed", templates, pairs, pairs, "answer pairs", *text)
        return FamilyDesign("single", templates, 1, 1, "", *text)
    groups = terms_by_group(items, hypothesis.axis)
    one = len(groups.get(hypothesis.group, ()))
    if hypothesis.layout == "paired":
        return FamilyDesign("crossed", templates, one, one, "pairs of terms", *text)
    design = FamilyDesign("nested", templates, one, one, "terms a group", *text)
    if hypothesis.layout == COMBINATION or hypothesis.reference == OVERALL:
        weights, sizes = weights_of(hypothesis, groups)
        try:
            scale, each = equivalent_design(weights, sizes)
        except ValueError as error:
            return replace(design, sizes=tuple(sizes), reason=str(error))
        return replace(design, one=int(each), zero=int(each), sizes=tuple(sizes), scale=scale)
    if hypothesis.reference == REST:
        zero = sum(len(terms) for group, terms in groups.items() if group != hypothesis.group)
    else:
        zero = len(groups.get(hypothesis.reference, ()))
    return replace(design, zero=zero, sizes=(one, zero))


def weights_of(hypothesis: Hypothesis, groups: Mapping[str, set[str]]) -> tuple[list[float], list[int]]:
    """Coefficients and sizes of the groups of a contrast of more than two."""
    if hypothesis.layout == COMBINATION:
        weights = four_cells(hypothesis.group, hypothesis.reference)
    else:
        weights = {name: float(name == hypothesis.group) - 1 / len(groups) for name in groups}
    return list(weights.values()), [len(groups.get(name, ())) for name in weights]


def terms_by_group(items: Sequence[Item], axis: str) -> dict[str, set[str]]:
    """The terms of each group, or cell, of an axis; none where the term is the group."""
    groups: dict[str, set[str]] = {}
    for item in items:
        group = group_of(item.groups, axis)
        if group is not None and axis != TERM_AXIS:
            groups.setdefault(group, set()).add(item.term)
    return groups
