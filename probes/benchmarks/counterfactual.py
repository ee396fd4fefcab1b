"""Sentences about feelings in which only the person changes, from our own pack ``counterfactual-gaps``.

The pack holds ``templates`` (``id``, ``text``) and ``feelings`` (emotion to words). An item is one sentence:

* ``texts``: ``text``;
* ``subset``: the emotion;
* ``cluster``: the template;
* ``labels``: ``kind`` (``name``, ``noun``, or ``nonce`` for an invented name), ``person`` (the term's key),
  ``gender`` and ``race`` where the term has one, ``pair`` where it has a counterpart.
"""

from __future__ import annotations

from collections.abc import Iterator

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.catalogue import load_lexicon
from probes.lexicon import Term

PACK = "counterfactual-gaps"


def items() -> list[BenchmarkItem]:
    """Every template with every emotion and every person.

    Examples
    --------
    >>> items()[0].texts["text"]
    'Abigail felt angry all day.'
    """
    content = pack(PACK)
    found = []
    for number, template in enumerate(content["templates"]):
        for emotion, words in content["feelings"].items():
            feeling = words[number % len(words)]
            for person, labels in persons():
                text = template["text"].format(
                    person=person, Person=person[0].upper() + person[1:], feeling=feeling
                )
                identity = f"{template['id']}/{emotion}/{labels['person']}"
                found.append(BenchmarkItem(identity, {"text": text}, emotion, template["id"], labels))
    return found


def persons() -> Iterator[tuple[str, dict[str, str]]]:
    """Who stands in the sentences, as the text says it, with their labels."""
    for kind, lexicon_id in (("name", "names"), ("noun", "gendered-terms"), ("nonce", "nonce")):
        lexicon = load_lexicon(lexicon_id)
        for term in lexicon.terms:
            if kind == "nonce" and term.groups.get("class") != "name":
                continue
            text = f"the {term.text}" if kind == "noun" else term.text
            yield text, _labels(kind, lexicon.key(term), term)


def _labels(kind: str, key: str, term: Term) -> dict[str, str]:
    labels = {"kind": kind, "person": key}
    labels.update({axis: term.groups[axis] for axis in ("gender", "race") if axis in term.groups})
    if term.pair is not None:
        labels["pair"] = term.pair
    return labels
