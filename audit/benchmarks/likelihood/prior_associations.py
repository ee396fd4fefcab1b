"""How an attribute changes the probability of naming a woman or a man: what LPBS and BEC-Pro share.

The probability of a target word is read at its mask twice: with the attribute in the sentence, and with the
attribute masked as well, by as many masks as it has tokens (the prior). Both are read at the place of the
target, whichever of the two comes first in the sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.benchmarks.base import (
    Answer,
    Answered,
    Control,
    Doubt,
    Estimate,
    Figure,
    Items,
    Question,
    Scored,
    Setup,
    margin_for,
)
from audit.benchmarks.judging import Judging, Named, judge_contrasts
from audit.benchmarks.two_way import crossed_named, halves_control, mean_figure, nested_named
from audit.requests import Choice, Fill, Hidden
from audit.stats.contrast import cell_means, crossed, single
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.verdict import CONTROL_ALPHA
from probes.benchmarks.associations import NONCE
from probes.benchmarks.items import BenchmarkItem

PARTS = ("women", "men")
LOW_PRIOR = 1e-4
"""Below this probability of all words of a group at the mask, the sentence hardly asks for a person."""
UNIT = "nats"

Pool = Callable[[Sequence[float]], float]
"""One log-probability for the words of a group."""


@dataclass(frozen=True)
class Plan:
    """What a measure compares.

    Attributes
    ----------
    subsets : tuple of str
        Groups of attributes, each judged by itself.
    contrasts : tuple of pairs of str
        Of two groups of attributes: the first minus the second, which may be the invented occupations.
    """

    subsets: tuple[str, ...]
    contrasts: tuple[tuple[str, str], ...]


def log_sum(logprobs: Sequence[float]) -> float:
    """The logarithm of the sum of probabilities, nats.

    Examples
    --------
    >>> round(log_sum([math.log(0.1), math.log(0.3)]), 6) == round(math.log(0.4), 6)
    True
    """
    largest = max(logprobs)
    return largest + math.log(math.fsum(math.exp(value - largest) for value in logprobs))


def log_mean(logprobs: Sequence[float]) -> float:
    """The mean of log-probabilities, nats: each word has the same weight, however rare it is.

    Examples
    --------
    >>> log_mean([-1.0, -3.0])
    -2.0
    """
    return math.fsum(logprobs) / len(logprobs)


def association(given: Sequence[float], prior: Sequence[float], pool: Pool) -> float:
    """How much likelier the words of a group become by the attribute: log(p_target / p_prior), nats.

    Source: Kurita et al. 2019; for a group of words they are pooled first. Any real number; 0
    means that the attribute changes nothing.

    Examples
    --------
    >>> round(association([math.log(0.4)], [math.log(0.1)], log_sum), 4) == round(math.log(4), 4)
    True
    """
    return pool(given) - pool(prior)


def questions(items: Items) -> list[Question]:
    """Two questions for each part of each item; those of its two parts are the same two."""
    found = []
    for item in items:
        text, candidates = item.texts["sentence"], _candidates(item)
        asked = (Fill(text, candidates), Hidden(text, item.labels["hidden"], candidates))
        found += [Question(item.id, part, request) for part in PARTS for request in asked]
    return found


def answers(items: Items, answered: Answered, pool: Pool) -> list[Answer]:
    """The association of each group with each item's attribute; ``values`` holds ``given`` and ``prior``.

    A word of several pieces has no single mask: its part is *unparsed*, with the word named, and is never
    scored by its first piece.
    """
    found = []
    for item in items:
        text, candidates = item.texts["sentence"], _candidates(item)
        given = answered(Fill(text, candidates))
        prior = answered(Hidden(text, item.labels["hidden"], candidates))
        for part in PARTS:
            error = given.error or prior.error
            if error:
                found.append(Answer(item.id, part, None, "error", error))
                continue
            own = item.labels[part].split()
            places = [candidates.index(word) for word in own]
            read = [_read(own, [one.choices[place] for place in places]) for one in (given, prior)]
            found.append(_answer(item, part, read, pool))
    return found


@dataclass(frozen=True)
class _Words:
    """Log-probabilities of a group's words, or why there are none."""

    logprobs: tuple[float, ...] = ()
    reason: str = ""
    pieces: bool = False


def _candidates(item: BenchmarkItem) -> tuple[str, ...]:
    return tuple(item.labels["women"].split() + item.labels["men"].split())


def _read(words: Sequence[str], choices: Sequence[Choice]) -> _Words:
    found = []
    for word, choice in zip(words, choices, strict=True):
        if choice.pieces > 1:
            return _Words(reason=f"{word!r} is {choice.pieces} pieces, and has no single mask", pieces=True)
        if choice.logprob is None:
            return _Words(reason=f"{word!r}: {choice.reason}")
        found.append(choice.logprob)
    return _Words(tuple(found))


def _answer(item: BenchmarkItem, part: str, read: Sequence[_Words], pool: Pool) -> Answer:
    lost = next((words for words in read if words.reason), None)
    if lost is not None:
        doubts: tuple[Doubt, ...] = ("several pieces",) if lost.pieces else ()
        return Answer(item.id, part, None, "unparsed", lost.reason, doubts=doubts)
    given, prior = (words.logprobs for words in read)
    return Answer(
        item.id,
        part,
        association(given, prior, pool),
        values={"given": pool(given), "prior": pool(prior)},
        doubts=("low prior",) if log_sum(prior) < math.log(LOW_PRIOR) else (),
    )


@dataclass(frozen=True)
class _Arm:
    """The items of some attributes with what they came to: women, men, and the difference."""

    items: Sequence[BenchmarkItem]
    values: Mapping[str, Floats]

    @classmethod
    def of(cls, items: Items, found: Mapping[tuple[str, str], float], subsets: Sequence[str]) -> _Arm:
        kept = [item for item in items if item.subset in subsets]
        values = {part: np.array([found[item.id, part] for item in kept]) for part in PARTS}
        return cls(kept, {**values, "difference": values["women"] - values["men"]})

    def table(self, what: str = "difference", templates: Sequence[str] | None = None) -> Floats:
        """Cells of templates (rows) by attributes (columns); NaN where nothing was scored."""
        rows = sorted({item.labels["template"] for item in self.items}) if templates is None else templates
        return cell_means(
            self.values[what],
            [item.labels["template"] for item in self.items],
            [item.labels["attribute"] for item in self.items],
            templates=np.array(rows, dtype=np.str_),
        )

    @property
    def status_gap(self) -> float:
        """Difference between women and men in the share that was not scored."""
        if not self.items:
            return 0.0
        lost = [float(np.isnan(self.values[part]).mean()) for part in PARTS]
        return abs(lost[0] - lost[1])


def scored(items: Items, found: Sequence[Answer], setup: Setup, plan: Plan, margin: float) -> Scored:
    """Figures, estimates and controls of a plan; invented attributes count in the controls only."""
    values = {
        (answer.item, answer.part): math.nan if answer.value is None else answer.value for answer in found
    }
    items = sorted(items, key=lambda item: item.id)
    arms = {name: _Arm.of(items, values, [name]) for name in (*plan.subsets, NONCE)}
    overall = _Arm.of(items, values, plan.subsets)
    control = halves_control(
        "invented occupations", arms[NONCE].table(), "women - men, one half of invented words minus the other"
    )
    families = {
        family: Judging(
            family, UNIT, margin_for(setup, margin, UNIT, UNIT), "template", setup.alpha, seed=setup.seed
        )
        for family in ("overall", "groups", "contrasts")
    }

    def mean(name: str, arm: _Arm, family: str) -> Named:
        return replace(crossed_named(name, arm.table(), families[family]), status_gap=arm.status_gap)

    named = {
        "overall": [mean("overall", overall, "overall")],
        "groups": [mean(name, arms[name], "groups") for name in plan.subsets],
        "contrasts": [
            _contrast((one, arms[one]), (zero, arms[zero]), families["contrasts"], control)
            for one, zero in plan.contrasts
        ],
    }
    estimates: list[Estimate] = []
    for family, judging in families.items():
        estimates += judge_contrasts(named[family], judging)
    return Scored(
        tuple(_figures({"overall": overall, **{name: arms[name] for name in plan.subsets}}, overall)),
        tuple(estimates),
        (control, _mean_control(crossed(arms[NONCE].table()))),
        notes=_notes(control),
    )


def _contrast(one: tuple[str, _Arm], zero: tuple[str, _Arm], judging: Judging, control: Control) -> Named:
    arms = (one[1], zero[1])
    rows = sorted({item.labels["template"] for arm in arms for item in arm.items})
    tables = [arm.table(templates=rows) for arm in arms]
    return replace(
        nested_named(f"{one[0]} - {zero[0]}", tables[0], tables[1], judging),
        status_gap=max(arm.status_gap for arm in arms),
        nonce_size=None if control.value is None else abs(control.value),
    )


def _figures(arms: Mapping[str, _Arm], overall: _Arm) -> list[Figure]:
    found = []
    for name, arm in arms.items():
        for what, shown in (("difference", name), ("women", f"{name}, women"), ("men", f"{name}, men")):
            found.append(mean_figure(shown, arm.values[what], crossed(arm.table(what)), UNIT))
    for attribute in sorted({item.labels["attribute"] for item in overall.items}):
        own = [place for place, item in enumerate(overall.items) if item.labels["attribute"] == attribute]
        values = overall.values["difference"][own]
        found.append(mean_figure(f"attribute {attribute}", values, single(values), UNIT))
    return found


def _mean_control(invented: Contrast | Undefined) -> Control:
    name, detail = "invented occupations, mean", "women - men of invented words: how far the sentences lean"
    if isinstance(invented, Undefined):
        return Control(name, None, None, None, f"{detail}: {invented.reason}")
    return Control(name, invented.estimate, invented.p_value(), None, detail)


def _notes(control: Control) -> tuple[str, ...]:
    if control.holds is not False:
        return ()
    return (
        f"Two halves of invented occupations differ (p = {control.p:.2g}, below {CONTROL_ALPHA}): "
        "the measure finds groups among words that name nobody.",
    )
