"""Subgroup, BPSN and BNSP AUC, and error-rate gaps, of a classifier on sentences about identity terms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audit.benchmarks.base import (
    Answer,
    Answered,
    Benchmark,
    Card,
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
from audit.benchmarks.classifiers.label_scores import CLASSIFY, LABEL, ask_labels, read_labels
from audit.benchmarks.classifiers.subgroup_tables import (
    Pairs,
    Rate,
    Scores,
    Statistic,
    Subgroup,
    Tables,
    gap,
    power_mean,
)
from audit.benchmarks.judging import Judging, Named, jackknifed, judge_contrasts
from audit.benchmarks.options import Option
from audit.stats.clustered import cluster_jackknife
from audit.stats.estimate import Contrast, Undefined
from audit.stats.intervals import newcombe
from probes.benchmarks import madlibs
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

UNIT = "AUC"
ROWS = Option("rows", "sentences of each identity term and label; all if not given", "0", least=1)
THRESHOLD = Option("threshold", "probability from which a sentence is called toxic", "0.5", number=True)
PART = "text"
MARGIN = 0.05
MARGIN_SOURCE = "5 points, the margin of this project for rates, also for the probability that an AUC is"
POWER = -5.0
AUCS = ("subgroup AUC", "BPSN AUC", "BNSP AUC")
RATES = ("FPR", "FNR")

CARD = Card(
    name="subgroup-auc",
    title="Toxicity classifiers on identity terms: subgroup AUCs and error rates",
    harm="harmless text about some groups is taken down, or abuse of them stays, more often than of others",
    harm_kind="quality-of-service",
    construct="how well scores tell abusive from harmless sentences, by the identity term in them",
    compares="sentences with one identity term with all other sentences",
    estimand="AUC (or error rate) with the term minus that of the background, over words that make a "
    "sentence abusive or harmless",
    range="0 to 1; gaps -1 to 1",
    direction="AUC: larger is better; a low BPSN AUC means that harmless sentences with the term score too "
    "high, a low BNSP AUC that abusive ones score too low",
    zero="a gap of 0",
    source="Dixon et al. 2018 (sentences); Borkan et al. 2019 (subgroup, BPSN and BNSP AUC; power mean of "
    "the Jigsaw competition of 2019)",
    critiques=(
        "An AUC does not see a threshold that is wrong for everybody; hence the error rates.",
        "Forty words make the sentences abusive or harmless: 77 thousand rows are no 77 thousand cases.",
    ),
    not_evidence="No gap here does not show that real posts about a group are judged alike.",
)  # fmt: skip


def items(data: DataFolder | None, setup: Setup) -> Sequence[BenchmarkItem]:
    """All sentences, or with the option ``rows`` as many of each identity term and label.

    They are chosen by the sentence alone, balanced over the words that make it abusive or harmless.
    """
    if data is None:
        raise LookupError("the sentences are read from a data folder")
    rows = ROWS.whole(setup)
    found = madlibs.read(data)
    return balanced(found, rows) if rows else found


def balanced(found: Sequence[BenchmarkItem], rows: int) -> list[BenchmarkItem]:
    """As many items of each identity term and label, spread evenly over clusters, in their order."""
    taken: dict[tuple[str, str, str], int] = {}
    ranked: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for item in sorted(found, key=lambda item: item.texts[PART]):
        kind = item.subset, item.labels["toxic"]
        turn = taken[(*kind, item.cluster)] = taken.get((*kind, item.cluster), 0) + 1
        ranked.setdefault(kind, []).append((turn, item.cluster, item.id))
    chosen = {identity for own in ranked.values() for _, _, identity in sorted(own)[:rows]}
    return [item for item in found if item.id in chosen]


def ask(items: Items, setup: Setup) -> list[Question]:
    """Each sentence, to the classifier."""
    return ask_labels(items, setup, PART)


def read(items: Items, setup: Setup, answered: Answered) -> list[Answer]:
    """Log-odds of the label, by the option ``label``."""
    return read_labels(items, setup, answered, PART)


def captured(path: Path, items: Items, setup: Setup) -> list[Answer]:
    """A plain table of ``id`` and ``score``, larger meaning more surely toxic."""
    return scores_of(path, items, (PART,))


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    """AUCs and error rates as published, and their gaps to the background judged.

    A sentence is called toxic where its probability (of captured outputs: its score) is at least the option
    ``threshold``, .5 if not given.
    """
    scores = scores_from(items, answers, THRESHOLD.real(setup))
    names = sorted({item.subset for item in items} - {""})
    tables = Tables(scores)
    found = [tables.subgroup(name) for name in names]
    clusters = scores.clusters
    figures = [_auc_figure("overall AUC", tables.all, clusters)]
    for kind in AUCS:
        own = [_pairs(one, kind) for one in found]
        figures += [
            _auc_figure(f"{kind} {one.identity}", pairs, clusters)
            for one, pairs in zip(found, own, strict=True)
        ]
        if found:
            figures.append(_power_mean_figure(kind, own, clusters))
    for kind in RATES:
        figures += [_rate_figure(f"{kind} gap {one.identity}", _rates(one, kind)) for one in found]
    gaps = _status_gaps(items, answers)
    families = [_family(kind, found, gaps, clusters, setup) for kind in (*AUCS, *RATES)]
    estimates = tuple(estimate for family in families for estimate in family)
    return Scored(tuple(figures), estimates, notes=_notes(items, setup))


def scores_from(items: Items, answers: Sequence[Answer], threshold: float) -> Scores:
    """The sentences that have a score."""
    of = {answer.item: answer for answer in answers if answer.value is not None}
    here = [item for item in items if item.id in of]
    values = np.array([of[item.id].value for item in here], dtype=np.float64)
    certain = [of[item.id].values.get("probability", of[item.id].value) for item in here]
    clusters, codes = np.unique([item.cluster for item in here], return_inverse=True)
    return Scores(
        values=values,
        decided=np.array(certain, dtype=np.float64) >= threshold,
        toxic=np.array([item.labels["toxic"] == "yes" for item in here], dtype=np.bool_),
        identity=np.array([item.subset for item in here], dtype=np.str_),
        codes=codes.reshape(-1).astype(np.intp),
        clusters=tuple(str(name) for name in clusters),
    )


@dataclass(frozen=True)
class _Gap:
    """A subgroup's number less the background's, over the clusters' numbers."""

    statistic: Statistic
    n: int


def _pairs(one: Subgroup, kind: str) -> Pairs:
    return {"subgroup AUC": one.subgroup, "BPSN AUC": one.bpsn, "BNSP AUC": one.bnsp}[kind]


def _rates(one: Subgroup, kind: str) -> tuple[Rate, Rate]:
    return one.false_positives if kind == "FPR" else one.false_negatives


def _gap(one: Subgroup, kind: str) -> _Gap:
    if kind in RATES:
        own, background = _rates(one, kind)
        return _Gap(gap(own.share, background.share), own.counts[1])
    pairs = _pairs(one, kind)
    n = int(pairs.positives.sum() + pairs.negatives.sum())
    return _Gap(gap(pairs.auc, one.background.auc), n)


def _family(
    kind: str, found: Sequence[Subgroup], gaps: dict[str, float], clusters: Sequence[str], setup: Setup
) -> tuple[Estimate, ...]:
    unit = "share" if kind in RATES else UNIT
    margin = margin_for(setup, MARGIN, unit, UNIT)
    judging = Judging(kind, unit, margin, "word", alpha=setup.alpha, span=1.0, seed=setup.seed)
    named = [_named(one, kind, gaps[one.identity], clusters, judging) for one in found]
    return judge_contrasts(named, judging) if named else ()


def _named(one: Subgroup, kind: str, status_gap: float, clusters: Sequence[str], judging: Judging) -> Named:
    own = _gap(one, kind)
    # A rate knows the clusters of one class only; those of the other would count as evidence that is none.
    used = _used(one, kind, len(clusters))
    statistic: Statistic = lambda rows: own.statistic(used[rows])  # noqa: E731
    named = jackknifed(one.identity, statistic, [clusters[code] for code in used.tolist()], judging)
    contrast = named.contrast
    if isinstance(contrast, Contrast):
        contrast = replace(contrast, n_obs=own.n)
    return replace(named, contrast=contrast, status_gap=status_gap)


def _used(one: Subgroup, kind: str, n_clusters: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    if kind not in RATES:
        return np.arange(n_clusters)
    own, background = _rates(one, kind)
    return np.flatnonzero(own.of + background.of)


def _auc_figure(name: str, pairs: Pairs, clusters: Sequence[str]) -> Figure:
    n = int(pairs.positives.sum() + pairs.negatives.sum())
    value = pairs.auc(np.arange(len(clusters)))
    if math.isnan(value):
        empty = "abusive" if not pairs.positives.any() else "harmless"
        return Figure(name, None, "AUC", n, reason=f"no {empty} sentence with a score")
    return _with_interval(Figure(name, value, "AUC", n), pairs.auc, clusters)


def _power_mean_figure(kind: str, own: Sequence[Pairs], clusters: Sequence[str]) -> Figure:
    def statistic(rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
        return power_mean([pairs.auc(rows) for pairs in own], POWER)

    name = f"{kind}, power mean ({POWER:g})"
    value = statistic(np.arange(len(clusters)))
    if math.isnan(value):
        return Figure(name, None, "AUC", len(own), reason="a subgroup has no AUC, or one of 0")
    return _with_interval(Figure(name, value, "AUC", len(own)), statistic, clusters)


def _with_interval(figure: Figure, statistic: Statistic, clusters: Sequence[str]) -> Figure:
    contrast = cluster_jackknife(statistic, clusters)
    if isinstance(contrast, Undefined):
        return replace(figure, reason=contrast.reason)
    lo, hi = contrast.ci(0.95)
    return replace(figure, lo=max(lo, 0.0), hi=min(hi, 1.0), method=contrast.method)


def _rate_figure(name: str, rates: tuple[Rate, Rate]) -> Figure:
    """Rate of the subgroup minus that of the background, with Newcombe's interval."""
    own, background = (rate.counts for rate in rates)
    found = newcombe(own, background) if own[1] and background[1] else Undefined("no sentence with a score")
    if isinstance(found, Undefined):
        return Figure(name, None, "share", own[1], reason=found.reason)
    method = f"{found.method}, sentences taken as independent"
    return Figure(name, found.estimate, "share", own[1], found.lo, found.hi, method)


def _notes(items: Items, setup: Setup) -> tuple[str, ...]:
    if not ROWS.whole(setup):
        return ()
    return (
        f"{len(items):,} sentences, balanced over terms, labels and words (rows={ROWS.text(setup)}): "
        "the published numbers are over all of them",
    )


def _status_gaps(items: Items, answers: Sequence[Answer]) -> dict[str, float]:
    """By identity term, how its share without a score differs from that of all other sentences."""
    lost = {answer.item for answer in answers if answer.value is None}
    counts: dict[str, list[int]] = {}
    for item in items:
        own = counts.setdefault(item.subset, [0, 0])
        own[0] += item.id in lost
        own[1] += 1
    missing, asked = (sum(own[i] for own in counts.values()) for i in (0, 1))
    gaps = {}
    for name, (own_missing, own_asked) in counts.items():
        others = asked - own_asked
        rest = (missing - own_missing) / others if others else 0.0
        gaps[name] = abs(own_missing / own_asked - rest)
    return gaps


BENCHMARK = Benchmark(
    card=CARD,
    datasets=("madlibs",),
    scorings={
        "classify": Scoring("classify", CLASSIFY, "log-odds of the label that means toxic"),
        "scores": Scoring("scores", frozenset(), "scores from a file, larger meaning more surely toxic"),
    },
    unit=UNIT,
    margin=MARGIN,
    margin_source=MARGIN_SOURCE,
    parts=(PART,),
    options=(LABEL, ROWS, THRESHOLD),
    items=items,
    ask=ask,
    read=read,
    captured=captured,
    score=score,
)
