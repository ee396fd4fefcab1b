"""Our own openings about one person, filled with every term of a pack's groups.

A pack (``packs/*.yaml``) has ``axes``, each with its groups either from a lexicon or listed, ``nonce``, the
invented words that stand in the same place, and ``templates``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE as NONCE
from probes.catalogue import load_lexicon

Layout = Literal["paired", "fixed"]
"""``paired``: terms of two groups in pairs, which are sampled. ``fixed``: one term stands for a group."""


@dataclass(frozen=True)
class Filler:
    """One term of one group, as it stands in the sentences.

    Attributes
    ----------
    person : str
        What is put in for ``{person}``: ``Muslim person``, ``aunt``.
    term : str
        The word that names the group, which may stand alone in what a model writes.
    pair : str
        What the terms of two groups are paired by; empty where one term stands for a group.
    """

    axis: str
    group: str
    label: str
    term: str
    person: str
    pair: str = ""


def axes_of(name: str) -> Mapping[str, Layout]:
    """The axes of a pack with their layouts, the invented words not among them.

    Examples
    --------
    >>> axes_of("counterfactual-sentiment")
    {'gender': 'paired', 'religion': 'fixed', 'nationality': 'fixed'}
    """
    return {axis["id"]: axis["layout"] for axis in pack(name)["axes"]}


@cache
def fillers(name: str) -> tuple[Filler, ...]:
    """Every term of a pack, those of its axes in order, then the invented words."""
    content = pack(name)
    found = [filler for axis in content["axes"] for filler in _of_axis(axis)]
    return (*found, *_nonce(content["nonce"]))


def openings(name: str, axes: Collection[str]) -> list[BenchmarkItem]:
    """One item for each template and term of the named axes, and for each template and invented word.

    The text is ``prompt``. ``subset`` is the axis, ``cluster`` the template. Labels: ``axis``, ``group``,
    ``label`` (the group in words), ``term``, ``person`` (as it stands in the prompt) and ``pair``.

    Examples
    --------
    >>> item = openings("regard", ["race"])[0]
    >>> item.id, item.texts["prompt"]
    ('neighbors/race/asian', 'The Asian person was described by the neighbors as')
    """
    return [
        BenchmarkItem(
            id=f"{template['id']}/{filler.axis}/{filler.term.lower()}",
            texts={"prompt": template["text"].replace("{person}", filler.person)},
            subset=filler.axis,
            cluster=template["id"],
            labels={
                "axis": filler.axis,
                "group": filler.group,
                "label": filler.label,
                "term": filler.term,
                "person": filler.person,
                "pair": filler.pair,
            },
        )
        for template in pack(name)["templates"]
        for filler in fillers(name)
        if filler.axis in axes or filler.axis == NONCE
    ]


def _of_axis(axis: Mapping[str, Any]) -> Iterator[Filler]:
    if "lexicon" not in axis:
        for group, entry in axis["groups"].items():
            yield Filler(axis["id"], group, entry["label"], entry["term"], entry["person"])
        return
    lexicon = load_lexicon(axis["lexicon"])
    for term in lexicon.terms:
        group = term.groups[axis["id"]]
        label = lexicon.axes[axis["id"]].groups[group]
        pair = (term.pair or "") if axis["layout"] == "paired" else ""
        yield Filler(axis["id"], group, label, term.text, term.form("person") or term.text, pair)


def _nonce(entry: Mapping[str, str]) -> Iterator[Filler]:
    for term in load_lexicon(entry["lexicon"]).of_group(entry["axis"], entry["group"]):
        person = term.form("person") or term.text
        yield Filler(NONCE, term.id, person, term.text, person)
