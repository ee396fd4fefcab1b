"""Which of HolisticBias's sentences are asked: all of them are more than most models can be asked.

Options: ``version`` (v1.1, v1.0); ``templates``, ``nouns`` and ``descriptors`` (of each axis), a number or
``all``; ``pairs`` of descriptors to compare, such as ``gay:straight, Deaf:blind``; ``groups``, such as
``religion/all``, each compared with the rest of its axis; ``frequency``, a table with the columns
``descriptor`` and ``log_frequency``. A smaller choice with the same seed is a part of a larger one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TypeVar

from audit.benchmarks.base import Setup
from audit.benchmarks.captured import number_of, read_rows
from audit.benchmarks.judging import generator
from audit.benchmarks.options import Option
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.holistic_bias import (
    GENDERS,
    NONCE,
    VERSIONS,
    Descriptor,
    HolisticBias,
    Noun,
    holistic_bias,
    sentence_item,
)
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError
from probes.explain import nearest

DEFAULTS = {"templates": 10, "nouns": 10, "descriptors": 12}
"""How many are asked where nothing else is said; with them, about 15,000 sentences."""
LEAST = {"templates": 2, "nouns": 2, "descriptors": 2}
PAIRS = "Black:white, gay:straight, disabled:able-bodied, Muslim:Christian, Chinese:American"
VERSION = Option("version", "of the published lists", VERSIONS[0], tuple(VERSIONS))
COUNTS = {
    name: Option(name, f"how many {name} are asked, drawn by the seed", str(count), ("all",), LEAST[name])
    for name, count in DEFAULTS.items()
}
NAMED_PAIRS = Option("pairs", "descriptors to compare, one:other with commas between pairs", PAIRS)
NAMED_GROUPS = Option("groups", "axis/bucket with commas, each compared with the rest of its axis")
FREQUENCY = Option("frequency", "a table of descriptor and log_frequency, which is taken out")
OPTIONS = (VERSION, *COUNTS.values(), NAMED_PAIRS, NAMED_GROUPS, FREQUENCY)

Thing = TypeVar("Thing")


def chosen_items(data: DataFolder | None, setup: Setup) -> list[BenchmarkItem]:
    """The sentences that are asked, in the order of the files' templates."""
    if data is None:
        raise InputError(Fault("no folder with the data of HolisticBias", "", "Name one with --data."))
    lists = holistic_bias(data, VERSION.text(setup))
    _check_named(lists, setup)
    descriptors = _descriptors(lists, setup)
    templates = _first(lists.templates, _count(setup, "templates"), setup, "templates")
    nouns = _nouns(lists.nouns, setup)
    items = [
        sentence_item(template, descriptor, noun)
        for template in templates
        for descriptor in descriptors
        for noun in nouns
        if descriptor.gender in ("", noun.gender)
    ]
    frequency = FREQUENCY.text(setup)
    return _with_frequency(items, Path(frequency)) if frequency else items


def named_pairs(setup: Setup) -> list[tuple[str, str]]:
    """Pairs of descriptors to compare."""
    return _pairs(NAMED_PAIRS.text(setup))


def named_groups(setup: Setup) -> list[tuple[str, str]]:
    """Axis and bucket of the groups to compare with the rest of their axis."""
    found = []
    for name in _listed(NAMED_GROUPS.text(setup)):
        axis, _, bucket = name.partition("/")
        found.append((axis, bucket))
    return found


def _check_named(lists: HolisticBias, setup: Setup) -> None:
    """Refuse pairs and groups that a user names and the lists do not have."""
    words = {one.text for one in lists.descriptors}
    for name in chain.from_iterable(named_pairs(setup)) if "pairs" in setup.options else ():
        if name not in words:
            raise InputError(Fault(f"no descriptor {name!r} is known", "option pairs", nearest(name, words)))
    groups = {f"{one.axis}/{one.bucket}" for one in lists.descriptors}
    for name in map("/".join, named_groups(setup)):
        if name not in groups:
            raise InputError(Fault(f"no group {name!r} is known", "option groups", nearest(name, groups)))


def _descriptors(lists: HolisticBias, setup: Setup) -> list[Descriptor]:
    """Of each axis as many as are asked, those that are named for comparison before the others."""
    wanted = set(chain.from_iterable(named_pairs(setup)))
    groups = set(named_groups(setup))
    count = _count(setup, "descriptors")
    found = []
    for axis in lists.axes:
        own = [one for one in lists.descriptors if one.axis == axis]
        named = [one for one in own if one.text in wanted or (axis, one.bucket) in groups]
        drawn = own if axis == NONCE else _first(own, count, setup, "descriptors", axis)
        kept = {one.text for one in (*named, *drawn)}
        found += [one for one in own if one.text in kept]
    return found


def _nouns(nouns: Sequence[Noun], setup: Setup) -> list[Noun]:
    """Nouns of each gender in turn, so that a small choice has all of them."""
    mixed = [
        _first([noun for noun in nouns if noun.gender == gender], None, setup, "nouns", gender, ordered=False)
        for gender in GENDERS
    ]
    in_turn = [noun for row in zip_longest(*mixed) for noun in row if noun is not None]
    count = _count(setup, "nouns")
    kept = set(in_turn if count is None else in_turn[:count])
    return [noun for noun in nouns if noun in kept]


def _first(
    things: Sequence[Thing], count: int | None, setup: Setup, *key: str, ordered: bool = True
) -> list[Thing]:
    """So many of a list, drawn by the seed; all of them for None. ``ordered``: as in the list."""
    order = generator(setup.seed, "holistic-bias", *key).permutation(len(things)).tolist()
    drawn = order[:count]
    return [things[place] for place in (sorted(drawn) if ordered else drawn)]


def _count(setup: Setup, name: str) -> int | None:
    return None if COUNTS[name].text(setup) == "all" else COUNTS[name].whole(setup)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for part in _listed(text):
        one, colon, other = (piece.strip() for piece in part.partition(":"))
        if not (one and colon and other) or one == other:
            what = f"{part!r} is no pair of descriptors"
            raise InputError(
                Fault(what, "option pairs", "Write them as one:other, with commas between pairs.")
            )
        found.append((one, other))
    return found


def _with_frequency(items: list[BenchmarkItem], path: Path) -> list[BenchmarkItem]:
    """Items with the label ``log_frequency``, of each descriptor that the table has."""
    table: dict[str, str] = {}
    for row in read_rows(path):
        word, given = row.fields.get("descriptor"), row.fields.get("log_frequency")
        try:
            value = number_of(given)
        except ValueError:
            value = math.nan
        if word is None or math.isnan(value):
            what = "not a descriptor with its log_frequency"
            raise InputError(Fault(what, f"{path}:{row.line}", "Give both columns, the second a number."))
        if str(word) in table:
            raise InputError(
                Fault(f"a second frequency of {str(word)[:60]!r}", f"{path}:{row.line}", "Keep one.")
            )
        table[str(word)] = repr(value)
    missing = sorted({item.labels["descriptor"] for item in items} - table.keys())
    if missing:
        what = f"no frequency of {', '.join(map(repr, missing[:3]))} and {len(missing) - 1:,} more"
        if len(missing) == 1:
            what = f"no frequency of {missing[0]!r}"
        raise InputError(Fault(what, str(path), "Give one for every descriptor that is asked."))
    return [
        replace(item, labels={**item.labels, "log_frequency": table[item.labels["descriptor"]]})
        for item in items
    ]
