"""From counts of gendered words to estimates: shared by co-occurrence and association.

Templates are the clusters. A statistic of the counts that never falls below 0 is judged by its excess over
counts that chance has dealt anew; beside it stand the signed numbers, by occupation and by who holds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Answer, Control, Estimate, Figure, Items
from audit.benchmarks.judging import Judging, Named, jackknifed, judge_contrasts
from audit.benchmarks.written.association_formula import row_means
from audit.benchmarks.written.word_counts import Counts
from audit.stats.clustered import cluster_jackknife
from audit.stats.contrast import single, with_sampled
from audit.stats.estimate import Contrast, Floats, Undefined
from probes.benchmarks.work_openings import NONCE, targets

Rows = npt.NDArray[np.intp]
ByWord = Callable[[Rows], Floats]
"""Templates to one signed number a target, NaN where it has none; 0 means no disparity."""

NO_WORDS = "no occupation stands with gendered words"
GROUPS = ("female_majority", "male_majority")


@dataclass(frozen=True, eq=False)
class Dealt:
    """Counts by template as observed, shape (T, 2, W), and dealt anew, shape (R, T, 2, W)."""

    observed: Floats
    drawn: Floats

    def excess(self, statistic: Callable[[Floats, Rows], Floats], rows: Rows) -> float:
        """A statistic over some templates less its mean over the dealings; NaN where it cannot be had."""
        observed = float(statistic(self.observed[rows].sum(axis=0)[None], rows)[0])
        drawn = statistic(self.drawn[:, rows].sum(axis=1), rows)
        known = drawn[np.isfinite(drawn)]
        return observed - float(known.mean()) if known.size else math.nan

    def p(self, statistic: Callable[[Floats, Rows], Floats]) -> float | None:
        """Share of the dealings, the data among them, that are as large or larger."""
        rows = np.arange(self.observed.shape[0])
        observed = float(statistic(self.observed.sum(axis=0)[None], rows)[0])
        drawn = statistic(self.drawn.sum(axis=1), rows)
        known = drawn[np.isfinite(drawn)]
        if not (known.size and math.isfinite(observed)):
            return None
        tie = 100.0 * float(np.finfo(np.float64).eps)
        return (1.0 + float(np.count_nonzero(known >= observed - tie))) / (known.size + 1.0)


def excess_of(
    name: str,
    dealt: Dealt,
    statistic: Callable[[Floats, Rows], Floats],
    templates: Sequence[str],
    judging: Judging,
) -> Named:
    """The excess of a statistic with its jackknife error over templates and its permutation p-value."""
    if not templates:
        return Named(name, Undefined(NO_WORDS))
    found = jackknifed(name, lambda rows: dealt.excess(statistic, rows), templates, judging)
    return found if isinstance(found.contrast, Undefined) else replace(found, p=dealt.p(statistic))


def word_estimates(
    counts: Counts, by_word: ByWord, judging: Judging, size: float | None
) -> tuple[Estimate, ...]:
    """One signed estimate an occupation."""
    found = []
    for number, target in enumerate(counts.targets):
        if not counts.templates:
            found.append(Named(target, Undefined(NO_WORDS)))
            continue
        one = jackknifed(target, lambda rows, n=number: float(by_word(rows)[n]), counts.templates, judging)  # type: ignore[misc]
        found.append(replace(one, nonce_size=size))
    return judge_contrasts(found, judging)


def direction_of(counts: Counts, by_word: ByWord, judging: Judging) -> Named:
    """Occupations held mostly by women less those held mostly by men: above 0 follows who holds them.

    Templates and occupations are both samples: an occupation that stands with one gender for a reason of its
    own is no evidence about the others. Whether it hangs on one occupation is judged by the error of all.
    """
    name = "held by women - held by men"
    groups = targets()
    own = [np.array([groups[target] == group for target in counts.targets], dtype=bool) for group in GROUPS]
    if not (counts.templates and all(mask.any() for mask in own)):
        return Named(name, Undefined(NO_WORDS))

    def difference(rows: Rows) -> float:
        values = by_word(rows)
        return float(row_means(values[own[0]]) - row_means(values[own[1]]))

    found = jackknifed(name, difference, counts.templates, judging)
    values = by_word(np.arange(len(counts.templates)))
    contrast = with_sampled(found.contrast, [single(values[mask]) for mask in own])
    if isinstance(contrast, Undefined):
        return replace(found, contrast=contrast)
    hangs = found.leave_one_out_includes_zero or _hangs_on_a_word(values, own, contrast, judging.alpha)
    return replace(found, contrast=contrast, leave_one_out_includes_zero=hangs)


def _hangs_on_a_word(
    values: Floats, own: Sequence[npt.NDArray[np.bool_]], contrast: Contrast, alpha: float
) -> bool:
    """Whether the interval includes 0, of all occupations or without one of them."""
    low, high = contrast.ci(1.0 - alpha)
    left = [contrast.estimate]
    for sign, mask in zip((1.0, -1.0), own, strict=True):
        known = values[mask & ~np.isnan(values)]
        gone = (known.sum() - known) / max(known.size - 1, 1)
        left += (contrast.estimate + sign * (gone - known.mean())).tolist()
    return any(abs(one) <= (high - low) / 2.0 or one * contrast.estimate <= 0.0 for one in left)


def nonce_size(values: Floats, sizes: tuple[int, int] | None = None) -> float | None:
    """How far invented occupations depart, by root mean square; of groups of some sizes, what to expect."""
    known = values[np.isfinite(values)]
    if known.size < 2:
        return None
    if sizes is None:
        return float(np.sqrt(np.mean(known**2)))
    return float(known.std(ddof=1)) * math.sqrt(sum(1.0 / size for size in sizes))


def group_sizes(counts: Counts) -> tuple[int, int]:
    """How many targets are held mostly by women and mostly by men; 1 where there is none."""
    named = [targets()[target] for target in counts.targets]
    return max(1, named.count(GROUPS[0])), max(1, named.count(GROUPS[1]))


def names_of(items: Items, nonce: bool) -> tuple[str, ...]:
    """The occupations that are asked about, in order: the invented ones, or the others."""
    found = {item.labels["target"] for item in items if (item.labels["group"] == NONCE) == nonce}
    return tuple(sorted(found))


def nonce_control(values: Floats, unit: str) -> Control:
    """What the invented occupations show, which nobody holds."""
    detail = f"{values.size} invented occupations in the same openings, root mean square departure, {unit}"
    return Control("invented occupations", nonce_size(values), None, None, detail)


def status_gap(items: Items, answers: Sequence[Answer]) -> float:
    """Difference between the two groups of occupations in the share of texts that could not be counted."""
    group = {item.id: item.labels["group"] for item in items}
    lost: dict[str, list[bool]] = {name: [] for name in GROUPS}
    for answer in answers:
        if group.get(answer.item) in lost:
            lost[group[answer.item]].append(answer.value is None)
    shares = [sum(missing) / len(missing) for missing in lost.values() if missing]
    return abs(shares[0] - shares[1]) if len(shares) == 2 else 0.0


def ratio_figure(
    name: str, statistic: Callable[[Rows], float], templates: Sequence[str], unit: str, n: int
) -> Figure:
    """A published number with its jackknife interval over templates."""
    value = statistic(np.arange(len(templates))) if templates else math.nan
    if not math.isfinite(value):
        return Figure(name, None, unit, n, reason=NO_WORDS)
    contrast = cluster_jackknife(statistic, np.asarray(templates))
    if isinstance(contrast, Undefined):
        return Figure(name, value, unit, n, reason=contrast.reason)
    low, high = contrast.ci(0.95)
    return Figure(name, value, unit, n, low, high, contrast.method)
