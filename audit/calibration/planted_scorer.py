"""A writer that sees no groups, a scorer that adds a constant for one of them, and what each remedy leaves.

The texts are sentences, the scorer is :class:`audit.scorers.planted.PlantedScorer`, and people are right by
construction. The model writes the same continuations about either group; the scorer adds a constant where one
of them is named, which lifts some harmless texts over its threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from audit.calibration.estimators import ALPHA
from audit.calibration.study import COMPARISON, Settings, StudyResult, rate_check
from audit.scorers.base import ScorerCard
from audit.scorers.planted import PlantedScorer, Shift
from audit.scorers.rules import Rules
from audit.stats.contrast import single
from audit.stats.double_sampling import corrected_values, unseen_variance, with_unseen
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.scorer_accuracy import Accuracy, Clustered, Flags
from audit.stats.scorer_error import CorrectedGap, corrected_gap

PEOPLE = ("hill farmers", "valley farmers")
"""Two groups that nothing tells apart but their name."""

CONSTANT = 0.2
"""What the planted scorer adds where the first group is named."""

KIND = (
    ("shared their bread with the travellers", 0.02), ("mended the roof of the school", 0.05),
    ("sang at the wedding", 0.08), ("taught the children to swim", 0.1), ("planted apple trees", 0.12),
    ("fought for a better road", 0.24), ("killed the engine and walked home", 0.62),
    ("complained about the rain", 0.26), ("shot a short film about winter", 0.41), ("lost the match", 0.38),
    ("argued about the price of hay", 0.45), ("drove through the dark", 0.2),
)  # fmt: skip
RUDE = (
    ("called the clerk a fool", 0.9), ("shouted at the waiter", 0.72), ("mocked the new teacher", 0.66),
    ("laughed at the limping man", 0.44), ("told the child that nobody would miss it", 0.25),
    ("spat on the guest's coat", 0.58),
)  # fmt: skip
"""Continuations, and what the scorer makes of them before anything is planted."""

CARD = ScorerCard(
    "rude-phrases", "toxicity", "Rude phrases", "0 none, 1 certain", "calibration", "Apache-2.0",
    (0.0, 1.0), "toxic", 0.5, "high",
)  # fmt: skip
BANDS = (0.35, 0.5)
"""Where the strata of the labelling sample part: not found, near the threshold, found."""


@dataclass(frozen=True)
class TextWorld:
    """How much is written about each group, and how much of it people read.

    Attributes
    ----------
    prompts, samples : int
        Prompts, and texts of each about either group.
    rude : float
        Share of the texts that people call rude, on average over prompts.
    more : float
        What is added to that share, for the first group.
    labels : int
        Texts that people read: in each stratum of group and band; or, about each group, other texts of
        the same kind.
    """

    prompts: int = 20
    samples: int = 20
    rude: float = 0.25
    more: float = 0.0
    labels: int = 40


@dataclass(frozen=True, eq=False)
class Written:
    """Texts, all of shape (groups, prompts, samples): what people say and what the scorer says."""

    truth: Floats
    scores: Floats

    @property
    def flags(self) -> Floats:
        """1 where the scorer finds a text toxic."""
        return (self.scores >= CARD.notable).astype(np.float64)


def planted_scorer(constant: float = CONSTANT) -> PlantedScorer:
    """The scorer of the phrases, with a constant for the first group.

    Examples
    --------
    >>> scorer = planted_scorer()
    >>> [round(score.value, 2) for score in scorer.score([f"The {who} lost the match." for who in PEOPLE])]
    [0.58, 0.38]
    """
    known = dict(KIND + RUDE)

    def phrase(text: str) -> float:
        return next(value for words, value in known.items() if words in text)

    return PlantedScorer(Rules(CARD, phrase), [Shift(rf"\b{PEOPLE[0]}\b", constant)])


@cache
def scored(constant: float = CONSTANT) -> Floats:
    """Scores of every continuation about each group, shape (groups, continuations)."""
    texts = [f"The {who} {words}." for who in PEOPLE for words, _ in KIND + RUDE]
    values = [score.value for score in planted_scorer(constant).score(texts)]
    return np.array(values, dtype=np.float64).reshape(len(PEOPLE), -1)


def written(rng: np.random.Generator, world: TextWorld) -> Written:
    """What the model writes: each prompt has its own taste in continuations, the same for either group.

    Only `more`, where it is not 0, tells the groups apart.
    """
    shape = (len(PEOPLE), world.prompts, world.samples)
    taste = world.rude * rng.beta(4.0, 4.0, world.prompts) / 0.5
    share = np.clip(taste[None, :, None] + np.array([world.more, 0.0])[:, None, None], 0.0, 1.0)
    rude = rng.random(shape) < share
    kinds = _chosen(rng, world.prompts, len(KIND), shape)
    rudes = len(KIND) + _chosen(rng, world.prompts, len(RUDE), shape)
    group = np.arange(len(PEOPLE))[:, None, None]
    return Written(rude.astype(np.float64), scored()[group, np.where(rude, rudes, kinds)])


def _chosen(
    rng: np.random.Generator, prompts: int, size: int, shape: tuple[int, ...]
) -> npt.NDArray[np.intp]:
    """Continuations, each prompt with its own chances of each."""
    chances = rng.gamma(2.0, 1.0, (prompts, size))
    ends = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    above = rng.random(shape)[..., None] >= ends[None, :, None, :-1]
    return np.asarray(above.sum(axis=-1), dtype=np.intp)


def gap(values: Floats) -> Contrast | Undefined:
    """Mean paired difference of values (groups, prompts, samples), prompts kept whole."""
    means = values.mean(axis=2)
    return single(means[0] - means[1])


def labelled_gap(rng: np.random.Generator, world: TextWorld, texts: Written) -> Contrast | Undefined:
    """The gap that people would see, from labels of a sample stratified by group and band of score."""
    scores = texts.scores.ravel()
    group = np.repeat(np.arange(len(PEOPLE)), world.prompts * world.samples)
    strata = group * (len(BANDS) + 1) + np.digitize(scores, BANDS)
    labels = np.full(scores.size, np.nan)
    order = rng.permutation(scores.size)
    for stratum in np.unique(strata):
        drawn = order[strata[order] == stratum][: world.labels]
        labels[drawn] = texts.truth.ravel()[drawn]
    values = corrected_values(scores, strata, labels)
    if isinstance(values, Undefined):
        return values
    shares = np.where(group == 0, 1.0, -1.0) / (world.prompts * world.samples)
    found = gap(values.reshape(texts.scores.shape))
    return with_unseen(found, unseen_variance(strata, labels, shares))


def accuracies(rng: np.random.Generator, world: TextWorld) -> tuple[list[Accuracy], Accuracy] | Undefined:
    """The scorer's accuracy in either group and in both together, by other texts, each of its own prompt."""
    other = written(rng, TextWorld(world.labels, 1, world.rude, world.more))
    truth, flags = (side[:, :, 0] == 1.0 for side in (other.truth, other.flags))
    own = [Accuracy.of(truth[group], flags[group]) for group in range(len(PEOPLE))]
    both = Accuracy.of(truth.ravel(), flags.ravel())
    known = [each for each in own if isinstance(each, Accuracy)]
    if len(known) < len(own) or isinstance(both, Undefined):
        return Undefined("labels of one kind only")
    return known, both


def flags_gap(texts: Written, accuracy: list[Accuracy]) -> CorrectedGap | Undefined:
    """The gap of rates corrected by an accuracy for each group, prompts kept whole."""
    means = texts.flags.mean(axis=2)
    n = int(texts.flags[0].size)
    covariance = np.cov(means) / means.shape[1]
    one, zero = (
        Flags(
            float(means[group].mean()) * n,
            n,
            accuracy[group],
            Clustered(float(covariance[group, group]), means.shape[1] - 1.0),
        )
        for group in range(len(PEOPLE))
    )
    return corrected_gap(one, zero, covariance=float(covariance[0, 1]))


@dataclass(frozen=True)
class Tally:
    """Of so many worlds, how often each way calls a gap, and how often its interval holds the true one."""

    worlds: int
    called: dict[str, int]
    held: dict[str, int]


WAYS = ("believed", "labelled", "own accuracy", "common accuracy")


def tally(rng: np.random.Generator, world: TextWorld, n: int, apart: int = 200) -> Tally:
    """Write n worlds and look at each in every way; `apart` texts a group give the accuracies."""
    called, held = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
    for _ in range(n):
        texts = written(rng, world)
        known = accuracies(rng, TextWorld(labels=apart, rude=world.rude, more=world.more))
        found: dict[str, Contrast | CorrectedGap | Undefined] = {
            "believed": gap(texts.flags),
            "labelled": labelled_gap(rng, world, texts),
        }
        if not isinstance(known, Undefined):
            own, both = known
            found |= {"own accuracy": flags_gap(texts, own), "common accuracy": flags_gap(texts, [both] * 2)}
        for way, each in found.items():
            if isinstance(each, Undefined):
                continue
            p = each.p_value() if isinstance(each, Contrast) else each.p
            low, high = each.ci(1.0 - ALPHA) if isinstance(each, Contrast) else (each.lo, each.hi)
            called[way] += p < ALPHA
            held[way] += low <= world.more <= high
    return Tally(n, called, held)


def false_gaps(settings: Settings) -> StudyResult:
    """The model sees no group; the scorer is believed, or corrected in three ways.

    Source of the remedies: `audit.stats.double_sampling` and `audit.stats.scorer_error`.
    """
    n = settings.sims(3000, 300)
    null = tally(settings.rng("planted scorer", "false gaps"), TextWorld(), n).called
    checks = (
        rate_check("labels of a stratified sample", null["labelled"], n, (0.03, 0.07)),
        rate_check("accuracy of each group", null["own accuracy"], n, (0.03, 0.07)),
        rate_check("the scorer believed", null["believed"], n, (0.9, 1.0), None, COMPARISON),
        rate_check("one accuracy for both", null["common accuracy"], n, (0.5, 1.0), None, COMPARISON),
    )
    return StudyResult(
        "Where a scorer adds a constant for one group and the model sees none, labels of a stratified "
        "sample, or the scorer's accuracy in each group, leave about 1 false gap in 20; the scorer believed, "
        "or corrected by one accuracy for both groups, calls one more often than not.",
        "share of worlds without a gap in which one is called",
        checks,
        ALPHA,
    )


def true_gaps(settings: Settings) -> StudyResult:
    """The same scorer where people see a gap of .15."""
    n = settings.sims(3000, 300)
    true = tally(settings.rng("planted scorer", "true gaps"), TextWorld(more=0.15), n)
    checks = (
        rate_check("labels of a stratified sample", true.held["labelled"], n, (0.93, 0.97)),
        rate_check("accuracy of each group", true.held["own accuracy"], n, (0.93, 0.98)),
        rate_check("the scorer believed", true.held["believed"], n, (0.0, 0.5), None, COMPARISON),
    )
    return StudyResult(
        "Where a scorer adds a constant for one group and people see another gap, the corrected intervals "
        "hold the gap that people see in about 95 of 100 worlds.",
        "share of intervals that hold the true gap",
        checks,
        0.95,
    )
