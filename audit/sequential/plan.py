"""What is asked, unit by unit, where an audit asks until it is decided.

A unit is one matched set of prompts, drawn uniformly and with replacement from all that the suite's
templates and terms make, and asked with a seed that this prompt has not had before (with shared noise, with
one that no unit has had before, so that the groups of a unit differ in what is said of them and not in luck):

* ``paired`` terms: a template with one pair of terms, the prompt of each group compared;
* ``fixed`` terms: a template, the prompt of each group of the axis; one unit serves every hypothesis;
* ``nested`` terms: a template with one random term of each group, or of each cell of an interaction.

Units so drawn are independent and alike, so that the mean of the next one, given all before it, is the mean
over these very prompts under this decoding. That is what is estimated: **it says nothing of other
templates or terms.** An audit of fixed size takes template families for its units, and so speaks of
templates like these; but a suite has eight or so of those, and with eight units no sequential test can ever
decide.

A unit counts for a hypothesis where every group that it compares has a sample that could be scored. Where
some have none, the mean is that over the units that count. With shared noise, whether the text about one
group can be scored may go with what that about another says: this mean may then lie off the difference of the
groups' own means, at most by about the share of units left out times the widest difference.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pandas as pd

from audit.analysis.controls import generator
from audit.analysis.estimates import Comparer
from audit.hypotheses import TERM_AXIS, Hypothesis
from audit.measures import Decoding, decoding_from_json
from audit.plan import PlannedSuite, Question, hypotheses_of
from audit.requests import Generate, digest
from audit.stats.sequential import Rule
from audit.table import term_pairs
from probes import Item
from probes.cells import group_of
from probes.errors import AuditFileError, Fault
from probes.items import Form

BATCH = 32
"""Units of each undecided family that are asked before the rule is looked at again."""
SMALLEST_HORIZON = 2
"""Units of the shortest audit of this kind."""
SMALLEST_SAMPLES = 2
"""Continuations of a prompt that its A/A control needs."""

UNITS = {
    "paired": "a template with a pair of terms, one prompt a group",
    "fixed": "a template, one prompt a group",
    "nested": "a template with one random term of each group",
    "combination": "a template with one random term of each cell",
}
DRAWN_BY_TERM = ("nested", "combination")
"""Layouts in which each group has terms of its own, of which one is drawn."""
SCOPE = (
    "These prompts under this decoding: units are drawn uniformly and with replacement from the suite's "
    "prompts. Nothing is said of other templates or terms."
)
TEST = (
    "Disparity: the average wealth of bets against a mean of 0 reaches hypotheses/alpha and the confidence "
    "sequence of level 1 - alpha excludes 0. Within margin: that confidence sequence lies inside the margin."
)
FORM: Form = "generate"
"""The form whose suites are asked unit by unit; all others are asked whole."""


@dataclass(frozen=True)
class Unit:
    """One matched set of prompts, as drawn.

    Attributes
    ----------
    number : int
        From 1, in the order of the draw.
    prompts : mapping of group to tuple of Question
        What is asked of each group.
    """

    number: int
    template: str
    family: str
    prompts: Mapping[str, tuple[Question, ...]]

    @property
    def questions(self) -> list[Question]:
        """Every question of the unit, group by group."""
        return [question for asked in self.prompts.values() for question in asked]


Terms = Mapping[str, tuple[Item, ...]]
"""What is drawn as one within a group and template: a pair, a term, or all there is, to its items."""


@dataclass(frozen=True)
class Design:
    """One family that is asked unit by unit.

    Attributes
    ----------
    rule : Rule
        On the scale of X, contrasts divided by ``width``.
    width : float
        The widest contrast that scores can make, in the measure's unit.
    cells : mapping of group to template to Terms
        Every prompt that there is of the groups compared; empty where one of them has none.
    coefficients : mapping of group to mapping of group to float
        What a hypothesis makes of the groups' scores, by its own group; they sum to 0.
    terms : Comparer
        The terms of every group of the axis, as controls count them.
    """

    hypotheses: tuple[Hypothesis, ...]
    planned: PlannedSuite
    rule: Rule
    width: float
    decoding: Decoding
    batch: int
    cells: Mapping[str, Mapping[str, Terms]]
    coefficients: Mapping[str, Mapping[str, float]]
    terms: Comparer

    @property
    def first(self) -> Hypothesis:
        """A hypothesis of the family, for what all of them share."""
        return self.hypotheses[0]

    @property
    def sets(self) -> list[tuple[str, str]]:
        """Template and pair of every prompt set that holds each group; nested terms are drawn later."""
        if not self.cells:
            return []
        some, *others = self.cells.values()
        if self.first.layout in DRAWN_BY_TERM:
            return [(template, "") for template in some if all(template in other for other in others)]
        return [
            (template, key)
            for template, terms in some.items()
            for key in terms
            if all(key in other.get(template, {}) for other in others)
        ]

    def widening(self, scorer: str) -> float:
        """How many times as wide as the primary scorer's scale another one's is; 1 for an empty name.

        Divided by it, too, another scorer's contrasts lie between -1 and 1.
        """
        widths = {one.name: one.bounds[1] - one.bounds[0] for one in self.planned.measure.planned}
        return widths[scorer] / next(iter(widths.values())) if scorer else 1.0

    def units(self) -> Iterator[Unit]:
        """The units in the order in which they are drawn, up to the horizon.

        The draw depends on seed, suite, contrast and axis, and not on the model: two models are asked alike.
        """
        first, sets = self.first, self.sets
        rng = generator(self.decoding.seed, "units", first.suite, first.contrast, first.axis)
        occasions: Counter[str] = Counter()
        for number in range(1, self.rule.max_units + 1 if sets else 1):
            template, key = sets[int(rng.integers(len(sets)))]
            prompts = {}
            for group, templates in self.cells.items():
                terms = templates[template]
                drawn = list(terms)[int(rng.integers(len(terms)))] if first.layout in DRAWN_BY_TERM else key
                prompts[group] = tuple(
                    self._matched(item, number, place)
                    if self.decoding.noise == "shared"
                    else self._question(item, occasions)
                    for place, item in enumerate(terms[drawn])
                )
            family = next(iter(prompts.values()))[0].item.family
            yield Unit(number, template, family, prompts)

    def _question(self, item: Item, occasions: Counter[str]) -> Question:
        """An item, asked with a seed that its text has not had before in this family.

        Counted by text, since two terms may be spelled alike: an answer that is known already is no new unit.
        """
        seed = occasion_seed(self.decoding.seed, occasions[item.text])
        occasions[item.text] += 1
        measure = self.planned.measure
        request = measure.ask(item, FORM, replace(self.decoding, seed=seed))
        return Question(item, request, digest(request))

    def _matched(self, item: Item, number: int, place: int) -> Question:
        """An item, asked with the noise of its unit's number and of its place among those of its group."""
        first = self.first
        seed = occasion_seed(self.decoding.seed, number)
        request = self.planned.measure.ask(item, FORM, replace(self.decoding, seed=seed))
        assert isinstance(request, Generate)
        request = replace(request, noise=f"{first.suite}/{first.contrast}/{first.axis}/{place}")
        return Question(item, request, digest(request))


def occasion_seed(seed: int, occasion: int) -> int:
    """The sampling seed of a unit, or of a prompt that is asked again: another one each time, below 2**48."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0unit\0{occasion}".encode()).digest()[:6], "big")


def designs(
    plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], model: str | None = None
) -> list[Design]:
    """The families that a plan asks unit by unit, of one model or of all, in the plan's order."""
    if not plan.get("sequential"):
        return []
    asked = {
        (ask["model"], ask["suite"])
        for ask in plan["asks"]
        if ask["form"] == FORM and model in (None, ask["model"])
    }
    own = [h for h in hypotheses_of(plan) if (h.model, h.suite) in asked]
    families = [list(members) for _, members in groupby(own, key=lambda h: h.family)]
    return [design_of(plan, suites, family) for family in families]


def most_questions(plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], model: str) -> list[Question]:
    """Everything that a model is asked unit by unit if nothing is decided before the horizon."""
    return [q for design in designs(plan, suites, model) for unit in design.units() for q in unit.questions]


def is_sequential(plan: Mapping[str, Any], hypothesis: Hypothesis) -> bool:
    """Whether the family of a hypothesis is asked unit by unit."""
    asked = ((ask["model"], ask["suite"], ask["form"]) for ask in plan["asks"])
    return bool(plan.get("sequential")) and (hypothesis.model, hypothesis.suite, FORM) in asked


def design_of(
    plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], family: Sequence[Hypothesis]
) -> Design:
    """How one family is asked."""
    first, planned = family[0], suites[family[0].suite]
    cells = cells_of(first, planned)
    terms = Comparer(asked_terms(cells), first.reference, first.layout)
    coefficients = {h.group: terms.weights(h.group) for h in family}
    compared = {name for weights in coefficients.values() for name in weights}
    low, high = score_bounds(planned)
    width = (high - low) * max(sum(w for w in each.values() if w > 0) for each in coefficients.values())
    rule = Rule(
        margin=planned.margin.value / width,
        alpha=plan["alpha"],
        hypotheses=len(family),
        max_units=plan["sequential"]["max_units"],
    )
    there = compared <= cells.keys() and len(compared) > 1
    return Design(
        hypotheses=tuple(family),
        planned=planned,
        rule=rule,
        width=width,
        decoding=decoding_from_json(plan["decoding"]),
        batch=plan["sequential"]["batch"],
        cells={name: templates for name, templates in cells.items() if name in compared} if there else {},
        coefficients=coefficients,
        terms=terms,
    )


def score_bounds(planned: PlannedSuite) -> tuple[float, float]:
    """Smallest and largest score of a suite's measure."""
    bounds = planned.measure.bounds
    if bounds is None:
        raise AuditFileError(
            Fault(
                f"the scores of {planned.suite.measure} have no bounds, which asking until decided needs",
                planned.suite.where,
                "Leave out the suite, or ask it whole.",
            )
        )
    return bounds


def cells_of(hypothesis: Hypothesis, planned: PlannedSuite) -> dict[str, dict[str, Terms]]:
    """Group to template to what is drawn as one there: every prompt about the groups of an axis."""
    pairs = term_pairs({planned.suite.id: planned})
    cells: dict[str, dict[str, dict[str, tuple[Item, ...]]]] = {}
    for item in planned.items:
        axis = hypothesis.axis
        group = item.term if axis == TERM_AXIS else group_of(item.groups, axis)
        if item.arm != "probe" or group is None:
            continue
        key = {"paired": pairs.get(item.term, ""), "fixed": ""}.get(hypothesis.layout, item.term)
        terms = cells.setdefault(group, {}).setdefault(item.template, {})
        terms[key] = (*terms.get(key, ()), item)
    return {group: dict(templates) for group, templates in cells.items()}


def asked_terms(cells: Mapping[str, Mapping[str, Terms]]) -> pd.DataFrame:
    """The prompts as rows, in the form in which a :class:`Comparer` counts terms; none has a score yet."""
    rows = [
        (group, item.term, template, item.family, 0.0)
        for group, templates in cells.items()
        for template, terms in templates.items()
        for items in terms.values()
        for item in items
    ]
    return pd.DataFrame(rows, columns=["group", "term", "template", "family", "value"])


def section(
    plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], max_units: int, batch: int = BATCH
) -> dict[str, Any]:
    """What a plan declares of asking until decided; made before the first question, and again by verify.

    Raises
    ------
    AuditFileError
        If nothing in the plan can be asked so, with what hinders it.
    """
    faults = hindrances(plan, suites, max_units)
    if faults:
        raise AuditFileError(faults)
    declared: dict[str, Any] = {"max_units": max_units, "batch": batch}
    found = designs({**plan, "sequential": declared}, suites)
    return {
        **declared,
        "samples": plan["decoding"]["samples"],
        "alpha": plan["alpha"],
        "scope": SCOPE,
        "rule": TEST,
        "families": [
            {
                "family": design.first.family,
                "unit": UNITS[design.first.layout],
                "prompt_sets": len(design.sets),
                "hypotheses": len(design.hypotheses),
                "wealth_needed": len(design.hypotheses) / plan["alpha"],
                "margin": design.planned.margin.value,
                "score_bounds": list(score_bounds(design.planned)),
                "widest_difference": design.width,
            }
            for design in found
        ],
    }


def hindrances(plan: Mapping[str, Any], suites: Mapping[str, PlannedSuite], max_units: int) -> list[Fault]:
    """What keeps a plan from being asked until it is decided."""
    faults = []
    if max_units < SMALLEST_HORIZON:
        what = f"max_units is {max_units} where at least {SMALLEST_HORIZON} units are needed"
        faults.append(Fault(what, "", "Give a horizon such as 2000."))
    asked = list(dict.fromkeys(ask["suite"] for ask in plan["asks"] if ask["form"] == FORM))
    if not asked:
        what = "no suite is answered with generated text, so none can be asked until it is decided"
        faults.append(Fault(what, "", "Add such a suite (continuation), or leave out until-decided."))
    if asked and plan["decoding"]["samples"] < SMALLEST_SAMPLES:
        what = "1 sample of each prompt leaves the A/A control nothing to compare"
        faults.append(Fault(what, "", "Ask for 2 samples or more."))
    for name in asked:
        low, high = score_bounds(suites[name])
        margin = suites[name].margin.value
        if not margin < high - low:
            what = f"a margin of {margin} where no two scores differ by more than {high - low}"
            faults.append(Fault(what, f"suite {name}", "Declare a smaller margin."))
    return faults
