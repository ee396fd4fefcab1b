"""A scorer held to published labelled sentences, where a data folder has them.

* ``madlibs``: sentences about identity terms, abusive or harmless by construction (Dixon et al. 2018);
* ``real-toxicity-prompts``: openings of sentences from the web with the scores that Perspective gave them
  in 2020 (Gehman et al. 2020). Those are another scorer's numbers, and no truth: agreeing with them shows
  that two scorers are alike.

Both are of toxicity. A scorer of sentiment is held to them as well, by how negative it calls a sentence:
abuse is negative, and what is harmless here is seldom so. Counts and terms are kept, and no sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from audit.benchmarks.classifiers.subgroup_auc import balanced
from audit.benchmarks.classifiers.subgroup_tables import Pairs, Rate, Scores, Tables
from audit.scorers.agreement import figure, spearman
from audit.scorers.base import Construct, Scorer
from audit.scorers.classes import found_flags, outward
from audit.scorers.figures import LEVEL, undefined
from audit.scorers.scored_frames import ScoredTexts, score_table
from audit.stats.clustered import Rows, cluster_jackknife
from audit.stats.estimate import Floats, Undefined
from audit.stats.intervals import wilson
from probes.benchmarks import madlibs, toxicity_prompts
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.sources import source

ROWS = 50
"""Sentences of each identity term and label, balanced over the words that make them abusive or not."""
APPLIES: tuple[Construct, ...] = ("toxicity", "sentiment")


def published_sets(construct: Construct, data: DataFolder | None) -> dict[str, str]:
    """The sets that are there and that a scorer of the construct can be held to, with the files' hashes."""
    if data is None or construct not in APPLIES:
        return {}
    found = {}
    for name in RECORDS:
        files = [file for file in source(name).files if file.use == "data"]
        if files and all(data.has(name, file.path) for file in files):
            found[name] = " ".join(file.sha256 for file in files)
    return found


def published_record(scorer: Scorer, data: DataFolder | None) -> dict[str, Any]:
    """What the scorer makes of each published set that is there.

    Returns
    -------
    dict
        ``sets``: hashes of those read; ``reason``: why there is none, empty where there is one; ``note``: how
        they are read; and one entry a set.

    Raises
    ------
    InputError
        If a file is there and is not the published one.
    """
    construct = scorer.card.construct
    sets = published_sets(construct, data)
    told = {"sets": sets, "reason": "", "note": ""}
    if construct not in APPLIES:
        return {**told, "reason": f"no published set here is labelled by {construct}"}
    if data is None or not sets:
        named = " nor ".join(f"{source(name).title} (evenhand benchmarks fetch {name})" for name in RECORDS)
        return {**told, "reason": f"the data folder has neither {named}"}
    if construct == "sentiment":
        told["note"] = (
            "The labels are of toxicity; the scorer is held to them by how negative it calls a text."
        )
    return {**told, **{name: RECORDS[name](scorer, data) for name in sets}}


def madlibs_record(scorer: Scorer, data: DataFolder) -> dict[str, Any]:
    """Sensitivity, specificity and AUC by identity term; the words that make a sentence abusive stay whole.

    Returns
    -------
    dict
        ``n``, ``unscored``, ``overall`` and ``terms``: each with ``sensitivity``, ``specificity`` and ``auc``
        (within the term), ``bpsn`` (abuse without the term against harmless sentences with it), ``bnsp``
        (abuse with the term against harmless sentences without it), as Borkan et al. (2019) define them;
        terms with the lowest specificity first.
    """
    items = balanced(madlibs.read(data), ROWS)
    table = score_table(scorer, [[item.texts["text"]] for item in items])
    scores = scores_of(scorer, items, table)
    tables, clusters = Tables(scores), scores.clusters
    names = sorted({item.subset for item in items} - {""})
    everything = np.ones(scores.values.size, dtype=np.bool_)
    rows = []
    for name in names:
        one = tables.subgroup(name)
        areas = {"auc": one.subgroup, "bpsn": one.bpsn, "bnsp": one.bnsp}
        rows.append(
            {
                "term": name,
                **{key: area(pairs, clusters) for key, pairs in areas.items()},
                **right(scores, scores.identity == name),
            }
        )
    rows.sort(key=lambda row: (row["specificity"]["estimate"] is None, row["specificity"]["estimate"] or 0.0))
    return {
        "n": int(scores.values.size),
        "unscored": table.unscored,
        "words": len(clusters),
        "overall": {"auc": area(tables.all, clusters), **right(scores, everything)},
        "terms": rows,
    }


def scores_of(scorer: Scorer, items: Sequence[BenchmarkItem], table: ScoredTexts) -> Scores:
    """The sentences that have a score, more meaning more surely what the scorer is there to find."""
    values = table.values[:, 0]
    seen = ~np.isnan(values)
    here = [item for item, there in zip(items, seen.tolist(), strict=True) if there]
    clusters, codes = np.unique([item.cluster for item in here], return_inverse=True)
    return Scores(
        values=outward(values[seen], scorer.card),
        decided=found_flags(values[seen], scorer.card) == 1.0,
        toxic=np.array([item.labels["toxic"] == "yes" for item in here], dtype=np.bool_),
        identity=np.array([item.subset for item in here], dtype=np.str_),
        codes=codes.reshape(-1).astype(np.intp),
        clusters=tuple(str(name) for name in clusters),
    )


def right(scores: Scores, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, Any]:
    """Sensitivity and specificity over some sentences, their words kept whole."""
    told = {}
    for key, label in (("sensitivity", True), ("specificity", False)):
        of = chosen & (scores.toxic == label)
        count = len(scores.clusters)
        hits = np.bincount(scores.codes[of & (scores.decided == label)], minlength=count)
        rate = Rate(hits.astype(float), np.bincount(scores.codes[of], minlength=count).astype(float))
        used = np.flatnonzero(rate.of)
        named = [scores.clusters[code] for code in used.tolist()]
        told[key] = jackknifed(over(rate, used), named, rate.counts[1])
    return told


def over(rate: Rate, used: Rows) -> Callable[[Rows], float]:
    """The rate as a statistic of the words that have a chance to err."""
    return lambda rows: rate.share(used[rows])


def area(pairs: Pairs, clusters: Sequence[str]) -> dict[str, Any]:
    """An AUC with its interval."""
    n = int(pairs.positives.sum() + pairs.negatives.sum())
    return jackknifed(pairs.auc, clusters, n)


def jackknifed(statistic: Callable[[Rows], float], clusters: Sequence[str], n: int) -> dict[str, Any]:
    """A number from 0 to 1 with its interval, one word left out at a time."""
    value = statistic(np.arange(len(clusters))) if clusters else float("nan")
    if np.isnan(value):
        return undefined("no sentence of either class with a score")
    found = cluster_jackknife(statistic, clusters)
    told = {"estimate": value, "level": LEVEL, "n": n, "reason": "", "n_effective": len(clusters)}
    if isinstance(found, Undefined):
        return {**undefined(found.reason), "estimate": value, "n": n}
    low, high = found.ci(LEVEL)
    return {**told, "lo": max(0.0, low), "hi": min(1.0, high), "method": found.method}


def prompts_record(scorer: Scorer, data: DataFolder) -> dict[str, Any]:
    """How a scorer ranks and calls the prompts beside Perspective, whose numbers are no truth.

    Returns
    -------
    dict
        ``n``, ``unscored``; ``spearman``: rank correlation, its documents kept whole; ``sensitivity`` and
        ``specificity`` against the published score being above .5.
    """
    items = toxicity_prompts.read(data)
    table = score_table(scorer, [[item.texts["prompt"]] for item in items])
    values = table.values[:, 0]
    seen = ~np.isnan(values)
    published = np.array([float(item.labels["toxicity"]) for item in items])[seen]
    documents = np.array([item.cluster for item in items], dtype=np.str_)[seen]
    flags = found_flags(values[seen], scorer.card)
    called = published > toxicity_prompts.TOXIC
    ranks = figure(outward(values[seen], scorer.card), published, parted(documents), spearman)
    return {
        "n": int(seen.sum()),
        "unscored": table.unscored,
        "note": "against another scorer's numbers, which are no truth",
        "spearman": {**asdict(ranks), "method": f"jackknife over {ranks.clusters} parts of the documents"},
        "sensitivity": counted_share(flags[called]),
        "specificity": counted_share(1.0 - flags[~called]),
    }


PARTS = 100
"""Into how many parts documents are put for a jackknife; one a document would take minutes."""


def parted(documents: np.ndarray[Any, np.dtype[np.str_]]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The part of each document, so that a document is in one part only and parts are of like size."""
    codes: np.ndarray[Any, np.dtype[np.intp]] = np.unique(documents, return_inverse=True)[1].reshape(-1)
    return codes % min(PARTS, int(codes.max(initial=0)) + 1)


def counted_share(flags: Floats) -> dict[str, Any]:
    """A share of prompts, nearly all from documents of their own, with Wilson's interval."""
    found = wilson(int(flags.sum()), int(flags.size), LEVEL)
    if isinstance(found, Undefined):
        return undefined(found.reason)
    own = {"n": int(flags.size), "reason": "", "n_effective": int(flags.size)}
    return {**asdict(found), **own}


RECORDS: Mapping[str, Callable[[Scorer, DataFolder], dict[str, Any]]] = {
    "madlibs": madlibs_record,
    "real-toxicity-prompts": prompts_record,
}
"""By the name of the set."""
