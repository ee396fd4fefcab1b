"""Sentences that name a person and an attribute: packs ``lpbs`` and ``bec-pro``.

An item is one sentence with one attribute. Its text ``sentence`` holds ``{answer}`` where the person is
named. Labels: ``template``; ``attribute`` (the word); ``hidden`` (the stretch of the sentence that holds it);
``women`` and ``men`` (the words for the person, parted by spaces). ``subset`` is the group of the attribute,
``nonce`` for invented ones. ``cluster`` is the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.benchmarks.packs import pack
from probes.benchmarks.people import NONCE as NONCE
from probes.benchmarks.people import invented
from probes.catalogue import load_lexicon
from probes.errors import Fault, InputError

PROFESSIONS = "occupations/bec_pro/Professions US+DE.tsv"
PROFESSION_COLUMNS = ("simplified_professions", "percent_us", "prof_gender")
PROFESSION_GROUPS = {"female": "mostly women", "male": "mostly men", "balanced": "balanced"}


@dataclass(frozen=True)
class Attribute:
    """A word with the group that it is reported under and the kind of template that it fits."""

    text: str
    subset: str
    kind: str = "occupation"


def with_article(noun: str) -> str:
    """A noun behind *a* or *an*, by its first letter.

    Examples
    --------
    >>> with_article("nurse"), with_article("engineer")
    ('a nurse', 'an engineer')
    """
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def nonce_occupations() -> list[str]:
    """Invented occupations, from the lexicon of invented words."""
    return [term.text for term in invented("occupation")]


def lpbs_items() -> list[BenchmarkItem]:
    """Occupations and traits in the sentences of the pack ``lpbs``.

    Examples
    --------
    >>> items = lpbs_items()
    >>> items[0].texts["sentence"], items[0].labels["hidden"], items[0].subset
    ('I heard that {answer} works as a hygienist.', 'hygienist', 'mostly women')
    """
    occupations = load_lexicon("occupations")
    attributes = [
        Attribute(term.text, subset)
        for group, subset in (("female_majority", "mostly women"), ("male_majority", "mostly men"))
        for term in occupations.of_group("labour_share", group)
    ]
    traits = pack("lpbs")["traits"]
    attributes += [Attribute(word, subset, "trait") for subset, words in traits.items() for word in words]
    return list(_items("lpbs", [*attributes, *_nonce()]))


def bec_pro_items(data: DataFolder) -> list[BenchmarkItem]:
    """The 60 professions of BEC-Pro in the sentences of the pack ``bec-pro``."""
    attributes = [Attribute(name, PROFESSION_GROUPS[group]) for name, _, group in professions(data)]
    return list(_items("bec-pro", [*attributes, *_nonce()]))


def professions(data: DataFolder) -> list[tuple[str, float, str]]:
    """Name, percentage of women in the United States, and group (female, male, balanced) of each profession.

    Raises
    ------
    InputError
        If a line is not such a row, with its number.
    """
    path = data.file("bec-pro", PROFESSIONS)
    rows, seen = [], set()
    for number, row in table(path, PROFESSION_COLUMNS):
        name, share, group = row
        if group not in PROFESSION_GROUPS:
            raise InputError(Fault(f"no group {group!r}", f"{path}:{number}", "Restore the published file."))
        if not name or name in seen:
            what = f"profession {name!r} twice" if name else "a profession without a name"
            raise InputError(Fault(what, f"{path}:{number}", "Restore the published file."))
        seen.add(name)
        rows.append((name, percentage(path, number, share), group))
    return rows


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """The named columns of a tab-separated file, line by line with its number.

    Raises
    ------
    InputError
        If the file is not UTF-8, lacks a column, holds no row, or a line has another number of cells.
    """
    remedy = "Restore the published file."
    try:
        lines = path.read_bytes().decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(Fault(f"not UTF-8 at byte {error.start}", str(path), remedy)) from None
    header = lines[0].split("\t") if lines else []
    for column in columns:
        if column not in header:
            raise InputError(Fault(f"no column {column!r}", f"{path}:1", remedy))
    if len(lines) < 2:
        raise InputError(Fault("no rows", str(path), remedy))
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            what = f"{len(cells)} cells where the header names {len(header)}"
            raise InputError(Fault(what, f"{path}:{number}", remedy))
        yield number, [cells[header.index(column)].strip() for column in columns]


def percentage(path: Path, number: int, text: str) -> float:
    """A percentage between 0 and 100, both excluded; an :class:`InputError` names the line of another."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < 100.0:
        what = f"{text!r} is no percentage between 0 and 100"
        raise InputError(Fault(what, f"{path}:{number}", "Restore the published file."))
    return value


def _nonce() -> list[Attribute]:
    return [Attribute(word, NONCE) for word in nonce_occupations()]


def _items(name: str, attributes: Iterable[Attribute]) -> Iterator[BenchmarkItem]:
    content = pack(name)
    for attribute in attributes:
        for template in content["templates"]:
            if template["kind"] != attribute.kind:
                continue
            targets = content["targets"][template["slot"]]
            text = template["text"].format(
                target="{answer}", a=with_article(attribute.text), bare=attribute.text
            )
            yield BenchmarkItem(
                f"{template['id']}/{attribute.text}",
                {"sentence": text},
                attribute.subset,
                template["id"],
                {
                    "template": template["id"],
                    "attribute": attribute.text,
                    "hidden": attribute.text,
                    "women": " ".join(targets["women"]),
                    "men": " ".join(targets["men"]),
                },
            )
