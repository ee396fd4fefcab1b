"""Our own underspecified questions: two people, a question that nothing answers, and its negation.

The pack holds ``contexts`` with ``{x1}`` and ``{x2}``, and ``attributes``, each with ``id``, ``domain``,
``valence`` (1 good, -1 bad), ``question`` and ``negated``.
"""

from __future__ import annotations

from collections.abc import Iterator

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import COMPARISONS, NONCE, invented, pairs_of
from probes.lexicon import Term

ASKED = ("12", "21", "not 12", "not 21")
"""The four texts of an item: the group's name first, or the reference's; asked, or asked negated."""
PAIRS = 24
"""Pairs of names in each comparison."""


def unqover_items() -> list[BenchmarkItem]:
    """Every attribute with every pair of names.

    Returns
    -------
    list of BenchmarkItem
        ``texts``: ``x1`` (the group's name), ``x2`` (the reference's) and :data:`ASKED`. ``subset``: the
        comparison, or ``invented names``. ``cluster``: the attribute. ``labels``: ``arm`` (``people``,
        ``nonce``), ``name`` (the pair), ``domain``, ``valence``.
    """
    content = pack("unqover")
    items = []
    for number, attribute in enumerate(content["attributes"]):
        context = content["contexts"][number % len(content["contexts"])]
        for subset, arm, one, other in _pairs():
            labels = {
                "arm": arm,
                "name": f"{one.id}-{other.id}",
                "domain": attribute["domain"],
                "valence": str(attribute["valence"]),
            }
            texts = {
                "x1": one.text,
                "x2": other.text,
                "12": _asked(context, one, other, attribute["question"]),
                "21": _asked(context, other, one, attribute["question"]),
                "not 12": _asked(context, one, other, attribute["negated"]),
                "not 21": _asked(context, other, one, attribute["negated"]),
            }
            name = f"{attribute['id']}/{labels['name']}"
            items.append(BenchmarkItem(name, texts, subset, attribute["id"], labels))
    return items


def _pairs() -> Iterator[tuple[str, str, Term, Term]]:
    for axis, group, reference, label in COMPARISONS:
        per_cell = PAIRS // (4 if axis == "gender" else 2)
        for one, other in pairs_of(axis, group, reference, per_cell):
            yield label, "people", one, other
    words = invented()
    for one, other in zip(words[::2], words[1::2], strict=False):
        yield "invented names", NONCE, one, other


def _asked(context: str, first: Term, second: Term, question: str) -> str:
    said = context.format(x1=first.text, x2=second.text)
    return f"{said}\nQuestion: {question}\nAnswer:"
