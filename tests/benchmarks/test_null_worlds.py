"""Worlds in which nothing differs, through the whole path from answers to verdicts: how often a measure errs.

Templates, words, writers and prompts have effects of their own in each of them, because they are samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from audit.benchmarks import benchmark
from audit.benchmarks.base import Answer, Estimate, Items, Scored, Setup
from audit.benchmarks.embeddings.geometry import answer_of
from audit.benchmarks.judging import Judging, Named, Series, jackknifed, judge_contrasts, judge_means
from audit.benchmarks.written.association_judged import direction_of
from audit.benchmarks.written.honest import PAIRS
from audit.benchmarks.written.word_counts import Counts
from probes.benchmarks.guises import group_items
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.work_openings import targets

Floats = npt.NDArray[np.float64]
ALPHA = 0.05


class Effects:
    """Normal effects by key, drawn once each."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.known: dict[tuple[str, ...], float] = {}

    def __call__(self, sd: float, *key: str) -> float:
        if key not in self.known:
            self.known[key] = float(self.rng.standard_normal())
        return sd * self.known[key]

    def noise(self, sd: float) -> float:
        return sd * float(self.rng.standard_normal())


def most(worlds: int, share: float = ALPHA, z: float = 2.3) -> float:
    """What a share of so many worlds may come to by chance: its binomial error, 2.3 times (.01 one-sided)."""
    return share + z * math.sqrt(share * (1.0 - share) / worlds)


def rate(families: Sequence[Sequence[Estimate]], verdict: str) -> float:
    """Share of families in which any estimate has a verdict."""
    return sum(any(one.verdict == verdict for one in family) for family in families) / len(families)


def family(scored: Scored, name: str) -> list[Estimate]:
    found = [one for one in scored.estimates if one.family == name]
    assert found and all(one.se for one in found), "nothing to err with"
    return found


# Guises: prompts, pairs and adjectives each lean to one side by themselves.


def guise_items() -> list[BenchmarkItem]:
    """Six prompts by six pairs, with all occupations."""
    items = [item for item in group_items() if item.labels["arm"] == "measured"]
    kept = {key: sorted({item.labels[key] for item in items})[:6] for key in ("prompt", "pair")}
    return [item for item in items if all(item.labels[key] in names for key, names in kept.items())]


def guise_answers(items: Items, seed: int) -> list[Answer]:
    effect, answers = Effects(seed), []
    for item in items:
        at = item.labels
        value = effect(0.2, "prompt", at["prompt"], at["side"]) + effect(0.2, "pair", at["pair"], at["side"])
        value += effect(0.5, "word", at["attribute"]) + effect.noise(0.5)
        answers += [Answer(item.id, "first", value), Answer(item.id, "second", 0.0)]
    return answers


# Refusals: some groups are declined more in some frames, others in others.


def refusal_items() -> list[BenchmarkItem]:
    items = benchmark("refusal-parity").items(None, Setup("outputs"))
    groups = ("Muslim people", "Christian people")
    return [item for item in items if item.labels["group"] in groups and item.labels["kind"] == "plain"]


def refusal_answers(items: Items, seed: int) -> list[Answer]:
    effect, answers = Effects(seed), []
    for item in items:
        group = item.labels["group"]
        odds = effect(1.0, "request", item.cluster) + effect(0.3, "request", item.cluster, group)
        odds += effect(1.0, "frame", item.labels["frame"], group)
        declined = effect.rng.random() < 1.0 / (1.0 + math.exp(-odds))
        answers.append(
            Answer(item.id, "0", None, "refused", "it declines", "no")
            if declined
            else Answer(item.id, "0", 0.0, text="yes", values={"repeated": 0.0})
        )
    return answers


World = tuple[str, Callable[[], list[BenchmarkItem]], Callable[[Items, int], list[Answer]], tuple[str, ...]]
WORLDS: dict[str, World] = {
    "matched-guise": ("log-odds", guise_items, guise_answers, ("overall", "sides")),
    "refusal-parity": (
        "outputs", refusal_items, refusal_answers, ("religion, plain", "religion, plain, ratio"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("measure", WORLDS)
def test_a_world_without_disparity_is_seldom_called_one(measure: str) -> None:
    scoring, items_of, answers_of, families = WORLDS[measure]
    items, worlds = items_of(), 60
    found = [
        benchmark(measure).score(items, answers_of(items, seed), Setup(scoring, seed=seed))
        for seed in range(worlds)
    ]
    for name in families:
        judged = [family(scored, name) for scored in found]
        assert rate(judged, "disparity") <= most(worlds), name  # .05 + 2.3 sd of 60 worlds: .115
        assert rate(judged, "invalid") <= most(worlds, 0.01), name  # the A/A control at .01: .040


def work_counts(seed: int) -> Counts:
    """Occupations that stand with women's or men's words for reasons of their own, in eight openings."""
    rng = np.random.default_rng(seed)
    names = tuple(sorted(targets()))
    size = (8, len(names))
    odds = rng.normal(0.0, 0.3, (8, 1)) + rng.normal(0.0, 0.8, (1, len(names)))
    women = rng.binomial(5, 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    near = np.zeros((size[0] * size[1], 2, len(names)))
    own = np.tile(np.arange(len(names)), 8)
    near[np.arange(own.size), 0, own], near[np.arange(own.size), 1, own] = women.ravel(), 5.0 - women.ravel()
    both = near.sum(axis=2)
    openings = tuple(f"opening {n}" for n in range(8))
    return Counts(openings, names, np.repeat(np.arange(8), len(names)), own, near, both, both)


def test_occupations_that_differ_by_themselves_do_not_make_a_direction() -> None:
    judging, worlds, found = Judging("direction", "share", 0.05, "template"), 150, []
    for seed in range(worlds):
        counts = work_counts(seed)
        near = counts.by_template(counts.near)

        def shares(rows: npt.NDArray[np.intp], near: Floats = near) -> Floats:
            summed = near[rows].sum(axis=0)
            return np.asarray(summed[0] / summed.sum(axis=0) - 0.5)

        found.append(judge_contrasts([direction_of(counts, shares, judging)], judging))
    assert rate(found, "disparity") <= most(worlds)  # .05 + 2.3 sd of 150 worlds: .091


def clustered_world(seed: int, n_clusters: int, kind: str) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Values by clusters of very different sizes that go together; their mean is 0."""
    rng = np.random.default_rng([seed, n_clusters])
    sizes = np.maximum(1, rng.lognormal(1.2, 0.9, n_clusters).round().astype(np.intp))
    names = np.repeat([f"w{n:02}" for n in range(n_clusters)], sizes)
    common = np.repeat(rng.standard_normal(n_clusters), sizes)
    values = 0.5 * common + rng.standard_normal(names.size)
    if kind == "choices":
        return np.sign(values) / 2.0, names
    if kind == "rare":
        return np.where(rng.random(names.size) < 0.1, np.sign(common), 0.0), names
    return values, names


@pytest.mark.parametrize("kind", ["choices", "rare", "numbers"])
@pytest.mark.parametrize("n_clusters", [2, 4, 5, 10, 20])
def test_few_clusters_of_unequal_size_are_seldom_called_a_disparity(n_clusters: int, kind: str) -> None:
    worlds, found, covered = 100, [], 0
    for seed in range(worlds):
        judging = Judging("all", "share", 0.05, "writer", span=1.0, seed=seed, resamples=199)
        found.append(judge_means([Series("all", *clustered_world(seed, n_clusters, kind))], judging))
        low, high = found[-1][0].lo, found[-1][0].hi
        assert low is not None and high is not None
        covered += low <= 0.0 <= high
    # 2^(1 - G) is the smallest p of G clusters: .0625 of five.
    assert rate(found, "disparity") <= (most(worlds) if n_clusters > 5 else 0.0)  # .100
    assert rate(found, "invalid") <= most(worlds, 0.01)  # .033
    assert 1.0 - covered / worlds <= most(worlds, ALPHA, 3.1)  # fifteen cases, .001 each: .118


def test_a_family_of_many_estimates_is_seldom_invalid() -> None:
    """Thirty A/A controls at .01 each would make a quarter of all families invalid."""
    worlds, found = 25, []
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        judging = Judging("occupations", "share", 0.05, "template", seed=seed)
        named: list[Named] = []
        for number in range(30):
            values = rng.standard_normal(6)
            mean: Callable[[npt.NDArray[np.intp]], float] = lambda rows, v=values: float(v[rows].mean())  # type: ignore[misc]  # noqa: E731
            named.append(jackknifed(str(number), mean, [f"t{n}" for n in range(6)], judging))
        found.append(judge_contrasts(named, judging))
    assert rate(found, "invalid") <= most(worlds, 0.01)  # .056
    assert rate(found, "disparity") <= most(worlds)  # .150


def test_a_difference_of_the_margin_that_few_templates_show_is_seldom_within_it() -> None:
    """Of all sentences one in twenty hurts women only: the difference is .05, and most samples show none."""
    measure, worlds = benchmark("honest"), 60
    items = [
        BenchmarkItem(
            f"{frame} {term}", {"template": f"The {term} {frame} [M]."}, "type", f"type {frame}",
            {"group": group, "identity": f"the {term}", "term": term, "frame": f"type {frame}",
             "number": "singular", "type": "type"},
        )
        for frame in range(15)
        for pair in list(PAIRS.items())[:6]
        for term, group in zip(pair, ("female", "male"), strict=True)
    ]  # fmt: skip
    found = []
    for seed in range(worlds):
        hurts = np.random.default_rng(seed).random(15) < 0.05
        answers = [
            Answer(item.id, str(k), float(bad), text="x", values={"folded": float(bad)})
            for item in items
            for bad in [hurts[int(item.cluster.split()[1])] and item.labels["group"] == "female"]
            for k in range(2)
        ]
        scored = measure.score(items, answers, Setup("written", seed=seed))
        found.append([one for one in scored.estimates if one.family == "overall"])
    assert any(one.estimate == 0.0 for each in found for one in each), "no sample without a difference"
    assert rate(found, "no disparity within margin") <= most(worlds, ALPHA, 2.0)  # .106


def test_exchanging_the_sides_of_a_null_world_turns_every_sign_and_nothing_else() -> None:
    items = guise_items()
    one = guise_answers(items, 3)
    other = [replace(answer, part="second" if answer.part == "first" else "first") for answer in one]
    scored = [benchmark("matched-guise").score(items, answers, Setup("log-odds")) for answers in (one, other)]
    for first, second in zip(scored[0].estimates, scored[1].estimates, strict=True):
        assert first.estimate is not None and second.estimate == pytest.approx(-first.estimate, abs=1e-12)
        assert (first.se, first.p, first.verdict) == pytest.approx((second.se, second.p, second.verdict))


def random_vectors(seed: int, tests: int = 19, words: int = 6) -> tuple[list[BenchmarkItem], list[Answer]]:
    """Tests of two sets of targets and two of attributes, every word with a random vector."""
    rng = np.random.default_rng(seed)
    items, answers = [], []
    for test in range(tests):
        for role in ("targ1", "targ2", "attr1", "attr2"):
            for number in range(words):
                word = f"{role} {number}"
                labels = {"role": role, "category": role, "word": word}
                name = f"{test}/{word}"
                items.append(
                    BenchmarkItem(name, {"vector": word}, f"t{test:02}", f"t{test:02}: {word}", labels)
                )
                answers.append(answer_of(name, rng.standard_normal(10)))
    return items, answers


def test_random_vectors_seldom_part_two_sets_of_words() -> None:
    """An effect size cannot pass 2: over 19 tests, its jackknife t alone errs in one world of three."""
    worlds, found = 15, []
    for seed in range(worlds):
        scored = benchmark("weat").score(
            *random_vectors(seed), Setup("mean", seed=seed, options={"draws": "99"})
        )
        found.append(family(scored, "tests"))
    assert rate(found, "disparity") <= most(worlds)  # .05 + 2.3 sd of 15 worlds: .179
    assert rate(found, "invalid") <= most(worlds, 0.01)  # .069
