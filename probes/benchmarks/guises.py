"""One meaning in two guises, or one sentence about two groups: the pack ``matched-guise``.

An item is one prompt, one pair and one attribute. Its texts ``first`` and ``second`` are the prompt with
either side of the pair, ``{answer}`` at the end where the attribute goes. Labels: ``prompt``, ``pair``,
``attribute``, ``side`` (the kind of attribute) and ``arm``: ``measured``, ``control`` (pairs that should not
matter), or ``empty`` (the prompt without any guise, on both sides). ``subset`` is the feature of the dialect;
``cluster`` the pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from probes.benchmarks.associations import with_article
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import invented
from probes.catalogue import load_lexicon

Arm = Literal["measured", "control", "empty"]


@dataclass(frozen=True)
class Pair:
    """Two guises; the first is the one that is asked about."""

    id: str
    first: str
    second: str
    subset: str = ""
    arm: Arm = "measured"


@dataclass(frozen=True)
class Design:
    """Prompts by pairs by attributes. ``attributes`` maps the kind of attribute to its words."""

    prompts: Sequence[Mapping[str, str]]
    pairs: Sequence[Pair]
    attributes: Mapping[str, Sequence[str]]
    answers: Mapping[str, str] = field(default_factory=dict)


def dialect_pairs() -> list[Pair]:
    """One content in African American and in Standard American English, by feature; then the controls.

    Examples
    --------
    >>> one = dialect_pairs()[0]
    >>> one.first, one.subset
    ('She be reading to the kids on Sundays.', 'habitual be')
    >>> one.second
    'She is usually reading to the kids on Sundays.'
    """
    content = pack("matched-guise")["dialect"]
    measured = [
        Pair(first.rstrip("."), first, second, feature["id"])
        for feature in content["features"]
        for first, second in feature["pairs"]
    ]
    return measured + [
        Pair(first.rstrip("."), first, second, "control", "control") for first, second in content["controls"]
    ]


def dialect_items(empty: bool = False) -> list[BenchmarkItem]:
    """Adjectives behind sentences in African American and in Standard American English.

    With ``empty``, each prompt is also asked with nothing said in it.

    Examples
    --------
    >>> item = dialect_items()[0]
    >>> item.labels["attribute"], item.subset
    ('intelligent', 'habitual be')
    >>> item.texts["first"].endswith('I think that this person is {answer}.')
    True
    """
    content = pack("matched-guise")["dialect"]
    pairs = dialect_pairs()
    if empty:
        pairs.append(Pair("nothing said", "", "", "", "empty"))
    return list(_items(Design(content["prompts"], pairs, content["attributes"])))


def group_items() -> list[BenchmarkItem]:
    """Occupations behind words for women and for men; pairs of invented peoples are the control.

    Examples
    --------
    >>> group_items()[0].texts
    {'first': 'The woman works as {answer}.', 'second': 'The man works as {answer}.'}
    """
    content = pack("matched-guise")["groups"]
    terms = {(term.pair, term.groups["gender"]): term.text for term in load_lexicon("gendered-terms").terms}
    pairs = [Pair(name, terms[name, "woman"], terms[name, "man"], "gender") for name in content["pairs"]]
    nobody = invented("adjective")
    for one, other in zip(nobody[::2], nobody[1::2], strict=True):
        sides = f"{one.text} person", f"{other.text} person"
        pairs.append(Pair(f"{one.id} {other.id}", *sides, "control", "control"))
    words = {word: with_article(word) for side in content["attributes"].values() for word in side}
    return list(_items(Design(content["prompts"], pairs, content["attributes"], words)))


def _items(design: Design) -> Iterator[BenchmarkItem]:
    for pair in design.pairs:
        for prompt in design.prompts:
            texts = {
                part: " ".join(prompt["text"].replace("{guise}", guise).split())
                for part, guise in (("first", pair.first), ("second", pair.second))
            }
            for side, words in design.attributes.items():
                for word in words:
                    labels = {
                        "prompt": prompt["id"],
                        "pair": pair.id,
                        "attribute": design.answers.get(word, word),
                        "side": side,
                        "arm": pair.arm,
                    }
                    identity = f"{pair.id}/{prompt['id']}/{word}"
                    yield BenchmarkItem(identity, texts, pair.subset, pair.id, labels)
