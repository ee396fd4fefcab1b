"""``python -m tests.bench.bench_noise``: what sharing noise takes off the variance of group differences.

Continuations by SmolLM2-135M of prompts of the packaged suites, whose noise is shared by all prompts of a
template. Two prompts are read at the same sample numbers (shared noise) and as if independent (the sum of
both variances): the first over the second is the share of the variance that is left. One part was sampled
with noise of its own, as a check of that sum. Intervals are jackknives over templates.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.stats.estimate import critical_t
from audit.stats.intervals import normal_quantile
from tests.bench.noise_pool import FULL, QUICK, SAMPLES, Part, scored, texts

Floats = npt.NDArray[np.float64]
Sums = tuple[float, float]
"""Of one template: variance with shared noise, variance with noise of its own."""

WORDS = (2, 4, 8, 16, None)
"""Continuations cut after so many words; None: whole, which is 24 tokens."""


def table(frame: pd.DataFrame) -> dict[str, dict[tuple[str, str], Floats]]:
    """Template to (group, place) to the scores of samples, of one numbering throughout."""
    found: dict[str, dict[tuple[str, str], Floats]] = {}
    ordered = frame.sort_values(["seed", "sample"])
    for (template, group, place), rows in ordered.groupby(["template", "group", "place"]):
        found.setdefault(str(template), {})[str(group), str(place)] = rows["value"].to_numpy(dtype=float)
    return found


def matched(cells: dict[tuple[str, str], Floats]) -> Iterator[tuple[Floats, Floats]]:
    """Prompts of different groups and the same place."""
    for one, other in combinations(cells, 2):
        if one[0] != other[0] and one[1] == other[1]:
            yield cells[one], cells[other]


def by_place(cells: dict[tuple[str, str], Floats]) -> Sums:
    """Variance of differences of matched prompts."""
    shared = own = 0.0
    for a, b in matched(cells):
        both = ~np.isnan(a) & ~np.isnan(b)
        shared += float((a[both] - b[both]).var(ddof=1))
        own += float(a[both].var(ddof=1) + b[both].var(ddof=1))
    return shared, own


def by_template(cells: dict[tuple[str, str], Floats]) -> Sums:
    """Variance of the difference of two groups' means over their terms, all of which share their noise."""
    groups = sorted({group for group, _ in cells})
    shared = own = 0.0
    for one, other in combinations(groups, 2):
        sides = [np.stack([v for (group, _), v in cells.items() if group == name]) for name in (one, other)]
        there = ~np.isnan(np.concatenate(sides)).any(axis=0)
        means = [side[:, there].mean(axis=0) for side in sides]
        shared += float((means[0] - means[1]).var(ddof=1))
        own += math_sum(side[:, there].var(axis=1, ddof=1).sum() / len(side) ** 2 for side in sides)
    return shared, own


def math_sum(values: Iterator[Any]) -> float:
    """A sum as a plain number."""
    return float(sum(float(value) for value in values))


def ratio(sums: list[Sums]) -> tuple[float, float, float]:
    """Variance that is left, with a 95 % jackknife interval over templates, on the scale of logarithms."""
    values = np.array(sums)
    total = values.sum(axis=0)
    without = np.log((total[0] - values[:, 0]) / (total[1] - values[:, 1]))
    n = len(values)
    se = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    log, half = float(np.log(total[0] / total[1])), critical_t(n - 1, 0.05) * se
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))


def cut(frame: pd.DataFrame, words: int | None) -> pd.DataFrame:
    """Continuations without what follows their first words."""
    if words is None:
        return frame
    return frame.assign(text=[" ".join(text.split()[:words]) for text in frame["text"]])


def agreeing(frame: pd.DataFrame) -> float:
    """Share of matched samples of two groups whose texts are the same."""
    codes = frame.assign(value=pd.factorize(frame["text"])[0].astype(float))
    pairs = [pair for cells in table(codes).values() for pair in matched(cells)]
    return float(np.mean([np.mean(a == b) for a, b in pairs]))


def row(label: str, frame: pd.DataFrame, scorer: str, key: Callable[..., Sums] = by_place) -> dict[str, Any]:
    """One line of the table."""
    sums = [key(cells) for cells in table(scored(frame, scorer)).values()]
    sums = [each for each in sums if each[1] > 0.0]
    left, lo, hi = ratio(sums) if len(sums) > 2 else (None, None, None)
    return {
        "what": label, "scorer": scorer, "left": left, "lo": lo, "hi": hi, "templates": len(sums),
        "continuations": len(frame), "same_text": agreeing(frame),
    }  # fmt: skip


SEEDS = (1, 2)
"""Beside that of the whole pool."""
FEWER = replace(FULL, terms=2)
"""Prompts that are sampled with other seeds, and with noise of their own."""


def every_seed(shared: bool, folder: Path, quick: bool) -> pd.DataFrame:
    """Continuations of prompts under every seed; each sample has a number of its own."""
    whole, part = (QUICK, QUICK) if quick else (FULL, FEWER)
    # With shared noise, every term was sampled under the first seed; the others come along.
    first = whole if shared else replace(part, shared=False)
    others = [] if quick else [replace(part, seed=seed, shared=shared) for seed in SEEDS]
    frames = [texts(each, folder) for each in (first, *others)]
    return pd.concat(
        [frame.assign(sample=frame["sample"] + i * SAMPLES) for i, frame in enumerate(frames)],
        ignore_index=True,
    )


def levels(shared: pd.DataFrame, own: pd.DataFrame, scorer: str) -> Iterator[dict[str, Any]]:
    """Mean score of each group with shared noise less that with noise of its own, of the same prompts.

    Sharing changes no prompt's chances: 95 of 100 intervals hold 0. They are over samples, since what prompts
    of a template draw at one number may go together.
    """
    for group in sorted(set(shared["group"])):
        means, variance = [], 0.0
        for frame in (shared, own):
            values = scored(frame[frame["group"] == group], scorer)
            samples = values.groupby(["template", "sample"])["value"].mean().groupby("template")
            means.append(float(samples.mean().mean()))
            variance += float((samples.var(ddof=1) / samples.count()).sum()) / samples.ngroups**2
        apart, half = means[0] - means[1], normal_quantile(0.95) * variance**0.5
        yield {
            "group": group, "shared": means[0], "own": means[1], "apart": apart, "lo": apart - half,
            "hi": apart + half,
        }  # fmt: skip


def rows(folder: Path, quick: bool) -> Iterator[dict[str, Any]]:
    """Every line of the table."""
    gender = texts(QUICK if quick else FULL, folder)
    for words in WORDS:
        said = "whole" if words is None else f"first {words} words"
        yield row(f"women and men, {said}", cut(gender, words), "vader")
    yield row("women and men, a key for the whole template", gender, "vader", by_template)
    own = texts(replace(QUICK if quick else FEWER, shared=False), folder)
    yield row("women and men, noise of their own", own, "vader")
    if quick:
        return
    for seed in SEEDS:
        yield row(f"women and men, seed {seed}", texts(replace(FEWER, seed=seed), folder), "vader")
    yield row("religions", texts(Part("continuation", "religion", 3, 0), folder), "vader")
    yield row(
        "women and men, toxicity", texts(Part("toxicity", "gender", 4, 0, terms=2), folder), "offensive"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_noise", description=__doc__)
    parser.add_argument("--pool", type=Path, default=Path(tempfile.gettempdir()) / "evenhand-noise-pool")
    parser.add_argument("--quick", action="store_true", help="one seed, gender and sentiment only")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    chosen = parser.parse_args()
    found = list(rows(chosen.pool, chosen.quick))
    print("| prompts | scorer | variance left [95 %] | templates | continuations | same text |")
    print("|---|---|---|---|---|---|")
    for each in found:
        left = "-" if each["left"] is None else "{left:.2f} [{lo:.2f}, {hi:.2f}]".format(**each)
        what, scorer, templates = each["what"], each["scorer"], each["templates"]
        counts = f"{templates} | {each['continuations']} | {each['same_text']:.0%}"
        print(f"| {what} | {scorer} | {left} | {counts} |")
    shared, own = (every_seed(each, chosen.pool, chosen.quick) for each in (True, False))
    alike = list(levels(shared[shared["term"].isin(own["term"])], own, "vader"))
    for each in alike:
        told = "{apart:+.3f} [{lo:+.3f}, {hi:+.3f}]".format(**each)
        print(f"mean of {each['group']}, shared noise less noise of its own: {told}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"rows": found, "levels": alike}, indent=1) + "\n")


if __name__ == "__main__":
    main()
