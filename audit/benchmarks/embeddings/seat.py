"""SEAT: the word embedding association test on sentences that say little but the word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.benchmarks.base import Answer, Benchmark, Items, Scored, Setup
from audit.benchmarks.embeddings import association_tests, geometry, vectors_file, weat
from audit.benchmarks.embeddings.seat_average import gender_average
from probes.benchmarks.association_tests import sentence_tests
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem

CARD = replace(
    weat.CARD,
    name="seat",
    title="Sentence encoder association test",
    construct="association of sentences about groups with attributes, as nearness of vectors",
    compares="the two sets of target sentences of a test, by their nearness to its two sets of attributes",
    source="May, Wang, Bordia, Bowman and Rudinger 2019; code read: W4ngatang/sent-bias sentbias/weat.py and "
    "McGill-NLP/bias-bench bias_bench/benchmark/seat",
    critiques=(
        "The published p takes sentences as independent; the sentences of one word are not.",
        "Goldfarb-Tarrant et al. 2021: such measures do not go with what a model does in use.",
    ),
)  # fmt: skip


def items(data: DataFolder | None, setup: Setup) -> Sequence[BenchmarkItem]:
    """Every sentence of every published test."""
    if data is None:
        raise LookupError("the sentences are read from a data folder")
    return sentence_tests(data)


def score(items: Items, answers: Sequence[Answer], setup: Setup) -> Scored:
    """The numbers of every test, and the average that bias-bench reports for gender.

    The option ``draws`` sets how many partitions are drawn where they are too many to count.
    """
    found = association_tests.score(items, answers, setup)
    figure, estimates = gender_average(geometry.geometries(items, answers), setup)
    return replace(found, figures=(figure, *found.figures), estimates=(*estimates, *found.estimates))


BENCHMARK = Benchmark(
    card=CARD,
    datasets=("seat",),
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
    score=score,
)
