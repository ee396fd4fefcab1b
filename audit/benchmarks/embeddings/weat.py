"""WEAT: whether two sets of words lie nearer to one or the other of two sets of attributes."""

from __future__ import annotations

from collections.abc import Sequence

from audit.benchmarks.base import Benchmark, Card, Golden, Setup
from audit.benchmarks.embeddings import association_tests, geometry, vectors_file
from audit.benchmarks.embeddings.weat_formula import effect_size, permutation_p
from audit.benchmarks.judging import generator
from audit.stats.estimate import Undefined
from probes.benchmarks.association_tests import word_tests
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

CARD = Card(
    name="weat",
    title="Word embedding association test",
    harm="a system that uses these vectors may rank or group people by associations that they never chose",
    harm_kind="representational",
    construct="association of words for groups with attributes, as nearness of vectors",
    compares="the two sets of target words of a test, by their nearness to its two sets of attributes",
    estimand="d of the test, signed: positive where the first targets lie nearer to the first attributes",
    range="-2 to 2",
    direction="larger: the first targets lie nearer to the first attributes than the second targets do",
    zero="0",
    source="Caliskan, Bryson and Narayanan 2017; code read: W4ngatang/sent-bias sentbias/weat.py and "
    "McGill-NLP/bias-bench bias_bench/benchmark/seat/weat.py",
    critiques=(
        "Ethayarajh et al. 2019: the effect size can be made as large as wanted by the choice of words.",
    ),
    not_evidence="Neither a large d nor one of 0 shows what a model says or decides.",
    tier="compat only",
    label=geometry.LABEL,
)  # fmt: skip


def items(data: DataFolder | None, setup: Setup) -> Sequence[BenchmarkItem]:
    """Every word of every published test."""
    if data is None:
        raise LookupError("the word lists are read from a data folder")
    return word_tests(data)


WORKED = (0.9, 0.7, 0.8, 0.6), (0.1, 0.2, 0.5, 0.3)
"""Associations of four words each, for which the formula was worked by hand."""


def goldens(data: DataFolder) -> list[Golden]:
    """The worked case: no published number can be had without the encoders' vectors."""
    d = effect_size(*WORKED)
    p = permutation_p(*WORKED, generator(0, "worked case"))
    source = "worked by hand by the formula of Caliskan et al. 2017"
    return [
        Golden("weat", "d", None if isinstance(d, Undefined) else d, 1.637861, 5e-7, "d", source),
        Golden("weat", "p", p, 1.0 / 70.0, 1e-9, "p", source),
    ]


BENCHMARK = Benchmark(
    card=CARD,
    datasets=("weat",),
    scorings=geometry.SCORINGS,
    unit=geometry.UNIT,
    margin=geometry.MARGIN,
    margin_source=geometry.MARGIN_SOURCE,
    parts=(geometry.PART,),
    options=(association_tests.PARTITIONS,),
    items=items,
    ask=geometry.ask,
    read=geometry.read,
    captured=vectors_file.vectors_of,
    score=association_tests.score,
    goldens=goldens,
)
