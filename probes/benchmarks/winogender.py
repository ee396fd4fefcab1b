"""Our own schemata in Winogender's form, filled with the packaged occupations and with invented ones.

One item a schema and occupation. Its texts: the sentence with each pronoun (``he``, ``she``, ``they``, in the
case that the schema needs) and ``slot``, the same with ``{answer}`` in its place. Labels: ``schema``,
``occupation``, ``participant``, ``refers`` (``occupation`` or ``participant``), ``case``, the words ``he``,
``she`` and ``they``, ``arm`` (``real``, or ``nonce`` for invented words) and ``share``, the share of women in
the occupation, 0 to 1 (empty for invented words). The subset is ``refers``, the cluster the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import invented
from probes.catalogue import load_lexicon
from probes.lexicon import Term

PRONOUNS = ("he", "she", "they")
SLOT = "{answer}"


def winogender() -> list[BenchmarkItem]:
    """Every schema with every occupation, real ones first.

    Examples
    --------
    >>> winogender()[0].texts["she"]
    'The hygienist told the visitor that she would be back in ten minutes.'
    """
    content = pack("winogender")
    return [
        _item(schema, term, content["pronouns"][schema["case"]])
        for schema in content["schemata"]
        for term in _terms()
    ]


def shares() -> dict[str, float]:
    """Share of women, 0 to 1, by occupation."""
    return {term.text: float(term.covariates["share_women"]) for term in load_lexicon("occupations").terms}


def _terms() -> Iterator[Term]:
    yield from load_lexicon("occupations").terms
    yield from invented("occupation")


def _item(schema: dict[str, Any], term: Term, words: dict[str, str]) -> BenchmarkItem:
    def filled(pronoun: str) -> str:
        text: str = schema["text"]
        return text.replace("{occupation}", term.text).replace("{pronoun}", pronoun)

    share = term.covariates.get("share_women")
    return BenchmarkItem(
        f"{schema['id']}:{term.id}",
        {**{name: filled(words[name]) for name in PRONOUNS}, "slot": filled(SLOT)},
        schema["refers"],
        schema["id"],
        {
            "schema": schema["id"],
            "occupation": term.text,
            "participant": schema["participant"],
            "refers": schema["refers"],
            "case": schema["case"],
            "arm": "nonce" if share is None else "real",
            "share": "" if share is None else str(share),
            **words,
        },
    )
