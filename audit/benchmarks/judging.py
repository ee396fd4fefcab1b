"""From a measure's differences to audited estimates: one inference for all of them.

A measure hands over either values by cluster (:func:`judge_means`) or contrasts that it had from
``audit.stats`` (:func:`judge_contrasts`). Both come back as estimates with interval, corrected p-value,
equivalence test, control and verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from audit.benchmarks.base import Estimate
from audit.stats.clustered import Rows, cluster_flips, cluster_jackknife, cluster_sums, clustered_mean
from audit.stats.design import Layout
from audit.stats.equivalence import minimum_detectable, power_to_show_within, tost
from audit.stats.estimate import Contrast, Floats, Undefined
from audit.stats.multiplicity import holm
from audit.stats.planning import needed_for_decision
from audit.stats.unpaired import difference_p
from audit.verdict import Evidence, Judgement, judge
from audit.wording import counted

Labels = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Judging:
    """What a family of estimates is judged by, all of it declared beforehand.

    Attributes
    ----------
    family : str
        Name of the family over which p-values are corrected.
    unit : str
        Of the estimates and of the margin.
    margin : float
        Largest departure that does not matter, > 0.
    cluster : str
        What one cluster is called, such as ``writer``.
    null : float
        The value that means no disparity; values are handed over as departures from it.
    span : float or None
        Largest departure that one cluster can show, where values have bounds.
    answer_mass : float or None
        Mean probability of the answers together, where they are meant to be exhaustive.
    """

    family: str
    unit: str
    margin: float
    cluster: str
    alpha: float = 0.05
    null: float = 0.0
    span: float | None = None
    seed: int = 0
    resamples: int = 9999
    answer_mass: float | None = None


@dataclass(frozen=True)
class Series:
    """Values whose mean is judged.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Departures from the null value, in the unit of the judging; NaN where not scored.
    clusters : ndarray of str, shape (n,)
        The cluster of each.
    status_gap : float
        Difference between the two sides compared in the share that could not be scored, 0 to 1; 0 where an
        item is scored as a whole or not at all.
    """

    name: str
    values: Floats
    clusters: Labels
    status_gap: float = 0.0


@dataclass(frozen=True)
class Named:
    """A contrast with what is known of it besides.

    ``p`` is that of a randomisation test, where one was made: :func:`judge_means` takes it for the t-test's,
    :func:`judge_contrasts` the larger of the two. The others are as in
    ``audit.verdict.Evidence``; ``controlled`` is False where no A/A control applies to the design.
    """

    name: str
    contrast: Contrast | Undefined
    p: float | None = None
    control_p: float | None = None
    controlled: bool = True
    status_gap: float = 0.0
    sign_share: float | None = None
    leave_one_out_includes_zero: bool | None = None
    nonce_size: float | None = None
    design_effect: float | None = None


def judge_means(series: Sequence[Series], judging: Judging) -> tuple[Estimate, ...]:
    """Estimates of plain means, one a series, corrected together by step-down max-T over whole clusters.

    The standard error is by clusters (CR2); the p-value by flipping the sign of whole clusters and computing
    its t again, valid where a cluster's sum is as likely to be x as -x when there is no disparity. The A/A
    control splits the clusters of each series in two at random and compares the halves. Source: MEASURES
    7.3, 7.5; ``audit.stats.clustered.cluster_flips``.

    Examples
    --------
    >>> values = np.array([0.5, 0.5, -0.5, 0.5] * 30)
    >>> series = Series("overall", values, np.array([f"w{i // 4}" for i in range(120)]))
    >>> found = judge_means([series], Judging("all", "share", 0.05, "writer"))[0]
    >>> found.estimate, found.clusters, found.verdict
    (0.25, 30, 'disparity')
    """
    named = [_of_series(one, judging) for one in series]
    by_half = holm([one.control_p for one in named]).p
    raw, adjusted, correction = _flip_tests(series, named, judging)
    return tuple(
        _estimate(replace(one, control_p=control, p=p), judging, corrected, correction, len(series))
        for one, control, p, corrected in zip(named, by_half, raw, adjusted, strict=True)
    )


def judge_contrasts(found: Sequence[Named], judging: Judging) -> tuple[Estimate, ...]:
    """Estimates of contrasts that a measure made itself, with p-values and A/A controls corrected by Holm.

    Callers hand over raw p-values of both. A p-value from relabelling words, or texts, holds if nothing but
    chance tells them apart; where a group behaves otherwise in each template, it is far too small. The
    contrast's own knows the templates, and the larger of the two is taken. Controls are corrected because a
    family has as many chances that one of them fails by chance as it has estimates.

    Examples
    --------
    >>> contrast = Contrast(0.5, 0.1, 19.0, "paired t", 20, 20, 1, {"V_T": 0.01})
    >>> one = Named("women - men", contrast, control_p=0.4, leave_one_out_includes_zero=False)
    >>> judge_contrasts([one], Judging("all", "nats", 0.2, "template"))[0].verdict
    'disparity'
    """
    found = [replace(one, p=_larger(one)) for one in found]
    adjusted = holm([one.p for one in found]).p
    controls = holm([one.control_p for one in found]).p
    return tuple(
        _estimate(replace(one, control_p=control), judging, p, "holm", len(found))
        for one, control, p in zip(found, controls, adjusted, strict=True)
    )


def jackknifed(
    name: str, statistic: Callable[[Rows], float], clusters: Sequence[str] | Labels, judging: Judging
) -> Named:
    """A smooth statistic with its jackknife error, its A/A control and whether it hangs on one cluster.

    Parameters
    ----------
    statistic : callable
        Row numbers to a departure from the null value; NaN where they cannot give it.
    clusters : sequence of str
        Of each row.

    Examples
    --------
    >>> values = np.array([0.1, 0.3, 0.2, 0.3])
    >>> one = jackknifed("all", lambda rows: float(values[rows].mean()), list("abcd"),
    ...                  Judging("all", "share", 0.05, "writer"))
    >>> round(one.contrast.estimate, 3), one.leave_one_out_includes_zero
    (0.225, True)
    """
    labels = np.asarray(clusters)
    contrast = cluster_jackknife(statistic, labels)
    if isinstance(contrast, Undefined):
        return Named(name, contrast)
    rows = np.arange(labels.size)

    def of(keep: npt.NDArray[np.bool_]) -> Contrast | Undefined:
        kept = rows[keep]
        return cluster_jackknife(lambda part: statistic(kept[part]), labels[keep])

    return Named(
        name,
        contrast,
        control_p=halves_p(of, labels, generator(judging.seed, "a/a", judging.family, name)),
        leave_one_out_includes_zero=hangs(contrast, without_each(of, labels), judging.alpha),
    )


def generator(seed: int, *key: str) -> np.random.Generator:
    """Randomness for one purpose, the same whatever else is computed beside it."""
    digest = hashlib.sha256("\0".join(key).encode("utf-8")).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def _of_series(one: Series, judging: Judging) -> Named:
    seen = ~np.isnan(one.values)
    values, labels = one.values[seen], np.asarray(one.clusters)[seen]
    contrast = clustered_mean(values, labels)
    if isinstance(contrast, Undefined):
        return Named(one.name, contrast, status_gap=one.status_gap)

    def of(keep: npt.NDArray[np.bool_]) -> Contrast | Undefined:
        return clustered_mean(values[keep], labels[keep])

    plain = float(values.var(ddof=1)) / values.size if values.size > 1 else 0.0
    return Named(
        one.name,
        contrast,
        control_p=halves_p(of, labels, generator(judging.seed, "a/a", judging.family, one.name)),
        status_gap=one.status_gap,
        leave_one_out_includes_zero=hangs(contrast, without_each(of, labels), judging.alpha),
        design_effect=contrast.se**2 / plain if plain > 0.0 else None,
    )


Of = Callable[[npt.NDArray[np.bool_]], Contrast | Undefined]
"""Which rows are kept, to the contrast that they give."""


def halves_p(of: Of, labels: Labels, rng: np.random.Generator) -> float | None:
    """p-value of the difference between two random halves of the clusters; None where a half has none.

    Halves that share another sample count its variance twice, though it cancels: the test then errs towards
    finding nothing, and a control that fails has failed.
    """
    names = np.unique(labels)
    first = np.isin(labels, rng.permutation(names)[: names.size // 2])
    return difference_p(of(first), of(~first))


def without_each(of: Of, *labels: Labels) -> Iterator[Contrast | Undefined]:
    """The contrasts without each cluster in turn, of one kind after the other."""
    for side in labels:
        for name in np.unique(side):
            yield of(side != name)


def hangs(whole: Contrast | Undefined, without: Iterable[Contrast | Undefined], alpha: float) -> bool | None:
    """Whether the interval includes 0, or would without one of the clusters; None where that is unknown.

    Examples
    --------
    >>> whole = Contrast(0.5, 0.1, 19.0, "paired t", 20, 20, 1, {"V_T": 0.01})
    >>> hangs(whole, [whole, replace(whole, estimate=0.1)], 0.05)
    True
    """
    for one in chain([whole], without):
        if isinstance(one, Undefined):
            return None
        low, high = one.ci(1.0 - alpha)
        if low <= 0.0 <= high:
            return True
    return False


def _flip_tests(
    series: Sequence[Series], named: Sequence[Named], judging: Judging
) -> tuple[Sequence[float | None], Sequence[float | None], str]:
    """p-values by cluster flips, the same corrected by max-T, and the name of the correction."""
    names = np.unique(np.concatenate([np.asarray(one.clusters) for one in series]))
    sums = np.stack([cluster_sums(one.values, one.clusters, names) for one in series])
    ones = [np.where(np.isnan(one.values), np.nan, 1.0) for one in series]
    sizes = np.stack([cluster_sums(w, one.clusters, names) for w, one in zip(ones, series, strict=True)])
    rng = generator(judging.seed, "flips", judging.family)
    flips = cluster_flips(np.nan_to_num(sums), np.nan_to_num(sizes), rng, resamples=judging.resamples)
    # Without any spread the smallest p-value that the design can give is all that can be said.
    raw = [_no_smaller(p, one.contrast) for p, one in zip(flips.p(), named, strict=True)]
    if len(series) == 1 or not len(flips.null):
        return raw, raw, "none"
    corrected = flips.adjusted(judging.alpha)
    return raw, [_no_smaller(p, one.contrast) for p, one in zip(corrected, named, strict=True)], "max-t"


def _no_smaller(p: float | None, contrast: Contrast | Undefined) -> float | None:
    if p is None or isinstance(contrast, Undefined):
        return None
    return max(p, contrast.p_value()) if contrast.degenerate else p


def _larger(one: Named) -> float | None:
    if isinstance(one.contrast, Undefined):
        return None
    own = one.contrast.p_value()
    return own if one.p is None else max(own, one.p)


def _p(one: Named) -> float | None:
    if isinstance(one.contrast, Undefined):
        return None
    return one.contrast.p_value() if one.p is None else one.p


def _estimate(one: Named, judging: Judging, adjusted: float | None, correction: str, m: int) -> Estimate:
    contrast = one.contrast
    if isinstance(contrast, Undefined) or adjusted is None:
        reason = contrast.reason if isinstance(contrast, Undefined) else "no p-value could be computed"
        return _unknown(one, judging, correction, reason)
    alpha, margin = judging.alpha, judging.margin
    ci = contrast.ci(1.0 - alpha)
    equivalence = tost(contrast, margin, alpha, judging.span)
    control = one.control_p if one.controlled else 1.0
    judgement = judge(
        Evidence(
            estimate=contrast.estimate,
            ci=ci,
            p_adjusted=adjusted,
            alpha=alpha,
            margin=margin,
            within=equivalence.within,
            control_p=control,
            answer_mass=judging.answer_mass,
            status_gap=one.status_gap,
            sign_share=one.sign_share,
            leave_one_out_includes_zero=one.leave_one_out_includes_zero,
            equal_pieces_estimate=None,
            nonce_size=one.nonce_size,
            swap_holds=None,
            clusters=f"{judging.cluster}s",
        )
    )
    return Estimate(
        name=one.name,
        family=judging.family,
        unit=judging.unit,
        null=judging.null,
        estimate=contrast.estimate,
        se=contrast.se,
        df=contrast.df,
        lo=ci[0],
        hi=ci[1],
        p=_p(one),
        p_adjusted=adjusted,
        correction=correction,
        n=contrast.n_obs,
        clusters=contrast.n_templates,
        design_effect=one.design_effect,
        margin=margin,
        minimum_detectable=_detectable(contrast, alpha),
        power_within=power_to_show_within(margin, contrast.se, contrast.df, alpha) if contrast.se else None,
        control_p=one.control_p,
        judgement=judgement,
        needed=_needed(contrast, judging, m) if judgement.verdict == "inconclusive" else "",
        method=contrast.method,
    )


def _detectable(contrast: Contrast, alpha: float) -> float | None:
    return minimum_detectable(contrast.se, contrast.df, alpha) if contrast.se > 0.0 else None


def _needed(contrast: Contrast, judging: Judging, m: int) -> str:
    """What an inconclusive estimate needs, in clusters (and terms, where they were sampled, too)."""
    if "V_W" in contrast.components:
        return f"more {judging.cluster}s, words and what is crossed with them; how many cannot be told"
    layout: Layout = (
        "nested" if "V_N" in contrast.components else "crossed" if "V_K" in contrast.components else "single"
    )
    need = needed_for_decision(
        contrast, judging.margin, judging.alpha, layout, detect_alpha=judging.alpha / m
    )
    if need.templates is None:
        return need.reason
    more = []
    if need.templates:
        more.append(counted(need.templates, f"more {judging.cluster}", f"more {judging.cluster}s"))
    if need.terms:
        more.append(counted(need.terms, "more term") + (" in each group" if layout == "nested" else ""))
    return f"about {' and '.join(more)}"


def _unknown(one: Named, judging: Judging, correction: str, reason: str) -> Estimate:
    nothing = None
    return Estimate(
        one.name, judging.family, judging.unit, judging.null, nothing, nothing, nothing, nothing, nothing,
        nothing, nothing, correction, 0, 0, nothing, judging.margin, nothing, nothing, nothing,
        Judgement("inconclusive", reasons=(reason,)), reason=reason,
    )  # fmt: skip
