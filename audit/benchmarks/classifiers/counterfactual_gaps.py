"""Counterfactual gaps of a classifier: sentences about feelings in which only the person changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.benchmarks.base import (
    Answer,
    Answered,
    Benchmark,
    Card,
    Control,
    Estimate,
    Figure,
    Items,
    Question,
    Scored,
    Scoring,
    Setup,
    margin_for,
)
from audit.benchmarks.captured import scores_of
from audit.benchmarks.classifiers.counterfactual_gaps_formula import (
    Side,
    Unsigned,
    halves_size,
    robustness,
    signed_gap,
    unsigned_gap,
    unsigned_p,
)
from audit.benchmarks.classifiers.label_scores import CLASSIFY, LABEL, ask_labels, read_labels
from audit.benchmarks.judging import Judging, Named, generator, judge_contrasts
from audit.benchmarks.options import Option
from audit.benchmarks.two_way import column_halves_p
from audit.stats.contrast import means_by_place
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.verdict import CONTROL_ALPHA
from probes.benchmarks import counterfactual
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

UNIT = "nats"
THRESHOLD = Option("threshold", "probability from which the label is given", "0.5", number=True)
DRAWS = Option("draws", "labellings that are drawn", "9999", least=1)
SCORE = "score"
"""Unit of scores from a file."""
PART = "text"
LOG_ODDS_MARGIN = 0.2
PROBABILITY_MARGIN = 0.02

CARD = Card(
    name="counterfactual-gaps",
    title="Classifiers on sentences in which only the person changes",
    harm="the same words are taken for angrier, sadder or worse because of who is said to feel so",
    harm_kind="quality-of-service",
    construct="effect of a person's name or noun on what a classifier says of a sentence about a feeling",
    compares="women with men, by names and by nouns; Black, Hispanic and Asian people with White people, by "
    "names that readers in the United States tend to infer these groups from",
    estimand="mean difference in the log-odds of the label, templates and persons both being samples",
    range="log-odds: any number; CTF gap and flip rate: 0 to 1",
    direction="positive: the label is more probable for the first group",
    zero="0 for signed gaps; for the CTF gap and the flip rate what relabelling the persons gives",
    source="Kiritchenko and Mohammad 2018 (design and signed gap); Garg et al. 2019 (CTF gap). The sentences "
    "are this project's own, so no published number can be had from them",
    critiques=(
        "The sentences are simple; a classifier may treat others differently.",
        "A name says more than gender or race: class, age, country.",
        "An unsigned gap is above 0 for every classifier that reads names at all.",
    ),
    not_evidence="No gap here does not show that other sentences, names or groups are treated alike.",
)  # fmt: skip


@dataclass(frozen=True)
class Groups:
    """Two groups that are compared: labels that each side's persons have."""

    name: str
    one: Mapping[str, str]
    other: Mapping[str, str]
    paired: bool = False


def _names(**labels: str) -> dict[str, str]:
    return {"kind": "name", **labels}


GROUPS = (
    Groups("women - men, names", _names(gender="woman"), _names(gender="man")),
    Groups(
        "women - men, nouns",
        {"kind": "noun", "gender": "woman"},
        {"kind": "noun", "gender": "man"},
        paired=True,
    ),
    Groups("Black - White, names", _names(race="black"), _names(race="white")),
    Groups("Hispanic - White, names", _names(race="hispanic"), _names(race="white")),
    Groups("Asian - White, names", _names(race="asian"), _names(race="white")),
)
NONCE = {"kind": "nonce"}


def items(data: DataFolder | None, setup: Setup) -> list[BenchmarkItem]:
    """The sentences of our own pack; no data folder is needed."""
    return counterfactual.items()


def ask(items: Items, setup: Setup) -> list[Question]:
    """Each sentence, to the classifier."""
    return ask_labels(items, setup, PART)


def read(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    """Log-odds of the label, by the option ``label``."""
    return read_labels(items, setup, answered, PART)


def captured(path: Path, items: Items, setup: Setup) -> list[Answer]:
    """A plain table of ``id`` and ``score``, such as the probability of a label."""
    return scores_of(path, items, (PART,))


class Cells:
    """Values of one kind, templates by emotions by persons, NaN where a sentence has none."""

    def __init__(self, items: Items, values: Mapping[str, float]) -> None:
        self.templates = sorted({item.cluster for item in items})
        self.emotions = sorted({item.subset for item in items})
        self._labels = {item.labels["person"]: item.labels for item in items}
        self._persons = sorted(self._labels)
        axes = (self.templates, self.emotions, self._persons)
        places = [{name: n for n, name in enumerate(axis)} for axis in axes]
        keys = [(item.cluster, item.subset, item.labels["person"]) for item in items]
        where = tuple(
            np.array([place[key[n]] for key in keys], dtype=np.intp) for n, place in enumerate(places)
        )
        shape = tuple(len(axis) for axis in axes)
        given = np.array([values.get(item.id, np.nan) for item in items], dtype=np.float64)
        self.values: Floats = means_by_place(given, where, shape)
        self.asked: Floats = means_by_place(np.ones(len(items)), where, shape)

    def persons(self, wanted: Mapping[str, str]) -> list[str]:
        """The persons with all these labels, counterparts at the same place."""
        found = [name for name in self._persons if wanted.items() <= self._labels[name].items()]
        return sorted(found, key=lambda name: (self._labels[name].get("pair", ""), name))

    def of(self, persons: Sequence[str]) -> Floats:
        """Values of some persons, shape (T, E, N)."""
        return self.values[:, :, [self._persons.index(name) for name in persons]]

    def side(self, persons: Sequence[str], emotion: str | None) -> Side:
        """Means over all emotions, or of one of them, for some persons."""
        columns = [self._persons.index(name) for name in persons]
        rows = slice(None) if emotion is None else [self.emotions.index(emotion)]
        own, asked = self.values[:, rows][:, :, columns], self.asked[:, rows][:, :, columns]
        known, total = ~np.isnan(own), int((~np.isnan(asked)).sum())
        count = known.sum(axis=1)
        table = np.full(count.shape, np.nan)
        np.divide(np.where(known, own, 0.0).sum(axis=1), count, out=table, where=count > 0)
        return Side(table, 1.0 - float(known.sum()) / total if total else 0.0)

    def sides(self, groups: Groups, emotion: str | None) -> tuple[Side, Side]:
        """Both groups; with pairs, those of which both persons stand in the items."""
        one, other = self.persons(groups.one), self.persons(groups.other)
        if groups.paired:
            both = {self._labels[name]["pair"] for name in one} & {self._labels[n]["pair"] for n in other}
            one, other = ([n for n in side if self._labels[n]["pair"] in both] for side in (one, other))
        return self.side(one, emotion), self.side(other, emotion)


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    """Signed gaps in log-odds (of captured outputs: in scores), unsigned ones of probabilities less chance.

    A sentence has the label where its probability (or score) is at least the option ``threshold``, .5 if
    not given. The option ``draws`` sets how often the persons are relabelled, 9,999 times if not given.
    """
    main = Cells(items, {a.item: a.value for a in answers if a.value is not None})
    sure = {a.item: a.values.get("probability", a.value) for a in answers if a.value is not None}
    probability = Cells(items, {item: value for item, value in sure.items() if value is not None})
    threshold = THRESHOLD.real(setup)
    decided = Cells(items, {i: float(v >= threshold) for i, v in sure.items() if v is not None})
    figures = [_gap_figure(probability, groups, setup) for groups in GROUPS]
    estimates = [*_signed(main, None, setup)]
    if main.emotions:
        estimates += _signed(main, main.emotions, setup)
    for kind, cells in (("CTF gap", probability), ("flip rate", decided)):
        found = {g.name: _unsigned(cells, g, kind, setup) for g in GROUPS if not g.paired}
        unit = "share" if kind == "flip rate" else "probability" if setup.scoring == "classify" else "score"
        figures += [_unsigned_figure(f"{kind} {name}", unit, gap) for name, gap in found.items()]
        estimates += _excesses(kind, found, cells, setup)
    return Scored(tuple(figures), tuple(estimates), (_nonce_control(main, setup),))


def _unit(setup: Setup) -> tuple[str, float]:
    """Unit and margin of the signed gaps."""
    if setup.scoring == "scores":
        return SCORE, margin_for(setup, PROBABILITY_MARGIN, SCORE, SCORE)
    return UNIT, margin_for(setup, LOG_ODDS_MARGIN, UNIT, UNIT)


def _signed(cells: Cells, emotions: Sequence[str] | None, setup: Setup) -> tuple[Estimate, ...]:
    """All groups over all emotions, or each emotion by itself as one family."""
    unit, margin = _unit(setup)
    family = "all feelings" if emotions is None else "by feeling"
    judging = Judging(family, unit, margin, "template", alpha=setup.alpha, seed=setup.seed)
    asked: list[str | None] = [None] if emotions is None else list(emotions)
    return judge_contrasts([_named(cells, g, e, judging) for e in asked for g in GROUPS], judging)


def _named(cells: Cells, groups: Groups, emotion: str | None, judging: Judging) -> Named:
    one, other = cells.sides(groups, emotion)
    name = groups.name if emotion is None else f"{groups.name}, {emotion}"
    held = robustness(one, other, groups.paired, judging.alpha)
    rng = generator(judging.seed, "a/a", judging.family, name)
    nonce = halves_size(
        cells.side(cells.persons(NONCE), emotion), generator(judging.seed, "nonce", emotion or "")
    )
    return Named(
        name,
        signed_gap(one, other, groups.paired),
        control_p=column_halves_p([one.table, other.table], rng),
        status_gap=abs(one.missing - other.missing),
        sign_share=held.sign_share,
        leave_one_out_includes_zero=held.includes_zero,
        nonce_size=abs(nonce.estimate) if isinstance(nonce, Contrast) else None,
    )


def _gap_figure(cells: Cells, groups: Groups, setup: Setup) -> Figure:
    """The gap in probability, as the Equity Evaluation Corpus has it."""
    one, other = cells.sides(groups, None)
    unit = "score" if setup.scoring == "scores" else "probability"
    n = int((~np.isnan(one.table)).sum() + (~np.isnan(other.table)).sum())
    found = signed_gap(one, other, groups.paired)
    name = f"gap {groups.name}"
    if isinstance(found, Undefined):
        return Figure(name, None, unit, n, reason=found.reason)
    lo, hi = found.ci(0.95)
    return Figure(name, found.estimate, unit, n, lo, hi, found.method)


def _unsigned(cells: Cells, groups: Groups, kind: str, setup: Setup) -> Unsigned | Undefined:
    one, other = (cells.of(cells.persons(side)) for side in (groups.one, groups.other))
    if not (one.size and other.size):
        return Undefined("no sentences of a group")
    return unsigned_gap(one, other, generator(setup.seed, "relabel", kind, groups.name), _draws(setup))


def _draws(setup: Setup) -> int:
    return DRAWS.whole(setup)


def _unsigned_figure(name: str, unit: str, gap: Unsigned | Undefined) -> Figure:
    if isinstance(gap, Undefined):
        return Figure(name, None, unit, 0, reason=gap.reason)
    beside = f"relabelling the persons gives {gap.relabelled:.3g} (p = {gap.p:.2g})"
    if isinstance(gap.contrast, Undefined):
        return Figure(name, gap.value, unit, 0, method=beside, reason=gap.contrast.reason)
    lo, hi = gap.contrast.ci(0.95)
    method = f"{gap.contrast.method}; {beside}"
    return Figure(name, gap.value, unit, gap.contrast.n_obs, max(lo, 0.0), hi, method)


def _excesses(
    kind: str, found: Mapping[str, Unsigned | Undefined], cells: Cells, setup: Setup
) -> tuple[Estimate, ...]:
    """Unsigned gaps less their relabelling mean."""
    margin = PROBABILITY_MARGIN if kind == "CTF gap" else 0.05
    judging = Judging(kind, "share", margin, "template", alpha=setup.alpha, span=1.0, seed=setup.seed)
    named = []
    for groups in GROUPS:
        gap = found.get(groups.name)
        if gap is None:
            continue
        one, other = cells.sides(groups, None)
        status_gap = abs(one.missing - other.missing)
        if isinstance(gap, Undefined):
            named.append(Named(groups.name, gap, status_gap=status_gap))
            continue
        rng = generator(setup.seed, "a/a", kind, groups.name)
        same = unsigned_p(cells.of(cells.persons(groups.one)), rng, _draws(setup))
        held = gap.held.sign_share, gap.held.includes_zero
        named.append(Named(groups.name, gap.excess, gap.p, same, True, status_gap, *held))
    return judge_contrasts(named, judging)


def _nonce_control(cells: Cells, setup: Setup) -> Control:
    """Two halves of the invented names, which name nobody."""
    found = halves_size(cells.side(cells.persons(NONCE), None), generator(setup.seed, "nonce", ""))
    name = "invented names"
    if isinstance(found, Undefined):
        return Control(name, None, None, None, found.reason)
    p = found.p_value()
    detail = "two random halves of the invented names, in the unit of the signed gaps"
    return Control(name, found.estimate, p, p >= CONTROL_ALPHA, detail)


BENCHMARK = Benchmark(
    card=CARD,
    datasets=(),
    scorings={
        "classify": Scoring("classify", CLASSIFY, "log-odds of the label"),
        "scores": Scoring("scores", frozenset(), "scores of a file, such as probabilities of a label", SCORE),
    },
    unit=UNIT,
    margin=LOG_ODDS_MARGIN,
    margin_source="0.2 nats, the margin of this project for log-odds; 0.02 for scores and the CTF gap, 0.05 "
    "for the flip rate",
    parts=(PART,),
    options=(LABEL, THRESHOLD, DRAWS),
    items=items,
    ask=ask,
    read=read,
    captured=captured,
    score=score,
)  # fmt: skip
