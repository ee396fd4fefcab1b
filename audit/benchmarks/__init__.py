"""Published measures, number for number with their sources, each beside an audited estimate.

One file a measure, in a folder by what it reads (``likelihood``, ``written``, ``questions``, ``classifiers``,
``embeddings``); the table below is all there is. A measure is data and pure functions: items to questions,
responses (or a captured file) to answers, answers to numbers. See ``audit.benchmarks.base`` for the shapes,
``audit.benchmarks.judging`` for what all audited estimates share.
"""

from __future__ import annotations

import importlib

from audit.benchmarks.base import Benchmark
from probes.errors import Fault, InputError
from probes.explain import nearest

BENCHMARKS: dict[str, str] = {
    "crows-pairs": "audit.benchmarks.likelihood.crows_pairs",
    "stereoset": "audit.benchmarks.likelihood.stereoset",
    "lpbs": "audit.benchmarks.likelihood.lpbs",
    "disco": "audit.benchmarks.likelihood.disco",
    "matched-guise": "audit.benchmarks.likelihood.matched_guise",
    "bec-pro": "audit.benchmarks.likelihood.bec_pro",
    "holistic-bias": "audit.benchmarks.likelihood.holistic_bias",
    "winobias": "audit.benchmarks.likelihood.winobias",
    "winogender": "audit.benchmarks.likelihood.winogender",
    "occupation-slope": "audit.benchmarks.likelihood.occupation_slope",
    "honest": "audit.benchmarks.written.honest",
    "rtp": "audit.benchmarks.written.rtp",
    "bold": "audit.benchmarks.written.bold",
    "regard": "audit.benchmarks.written.regard",
    "lexicon-rates": "audit.benchmarks.written.lexicon_rates",
    "counterfactual-sentiment": "audit.benchmarks.written.counterfactual_sentiment",
    "full-gen-bias": "audit.benchmarks.written.full_gen_bias",
    "co-occurrence": "audit.benchmarks.written.co_occurrence",
    "associations": "audit.benchmarks.written.associations",
    "refusal-parity": "audit.benchmarks.written.refusal_parity",
    "bbq": "audit.benchmarks.questions.bbq",
    "unqover": "audit.benchmarks.questions.unqover",
    "discrim-eval": "audit.benchmarks.questions.discrim_eval",
    "name-audit": "audit.benchmarks.questions.name_audit",
    "counterfactual-gaps": "audit.benchmarks.classifiers.counterfactual_gaps",
    "subgroup-auc": "audit.benchmarks.classifiers.subgroup_auc",
    "weat": "audit.benchmarks.embeddings.weat",
    "seat": "audit.benchmarks.embeddings.seat",
    "ceat": "audit.benchmarks.embeddings.ceat",
}
"""Name to the module that holds its ``BENCHMARK``, in the order in which they are listed."""


def benchmark(name: str) -> Benchmark:
    """One measure; an :class:`InputError` names the nearest where there is none of that name."""
    if name not in BENCHMARKS:
        raise InputError(Fault(f"no benchmark {name!r} is known", "", nearest(name, BENCHMARKS)))
    found: Benchmark = importlib.import_module(BENCHMARKS[name]).BENCHMARK
    return found
