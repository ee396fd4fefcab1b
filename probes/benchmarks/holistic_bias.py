"""HolisticBias: sentences from descriptors of people, nouns and templates, in two published versions.

What is published are three lists. :func:`holistic_bias` reads them, :func:`sentence_item` makes one item: the
sentence about a noun with a descriptor before it. Its text is ``text``; the subset is the descriptor's axis,
the cluster the template. Labels: ``axis``, ``bucket``, ``descriptor``, ``noun``, ``gender`` (of the noun) and
``template`` (``t00``, by its place in the file).

Left out of the published generator: phrases without a descriptor before a noun, and variants of style.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.benchmarks.folder import DataFolder
from probes.benchmarks.items import BenchmarkItem
from probes.errors import Fault, InputError

NAME = "holistic-bias"
VERSIONS = ("v1.1", "v1.0")
NONCE = "nonce"
"""The axis of invented words, the publisher's own negative control."""
GENDERS = ("female", "male", "neutral")
SINGULAR, PLURAL = "{noun_phrase}", "{plural_noun_phrase}"


@dataclass(frozen=True)
class Descriptor:
    """A word for people. ``gender`` is that of the only nouns that it goes with; empty for all of them."""

    text: str
    axis: str
    bucket: str
    article: str
    gender: str = ""
    preference: str = ""


@dataclass(frozen=True)
class Noun:
    """A word for a person, with its plural."""

    singular: str
    plural: str
    gender: str


@dataclass(frozen=True)
class SentenceTemplate:
    """A sentence with one place for a noun phrase, in the singular or in the plural."""

    id: str
    text: str

    @property
    def plural(self) -> bool:
        """Whether it takes a noun phrase in the plural."""
        return PLURAL in self.text


@dataclass(frozen=True)
class HolisticBias:
    """The three lists of one version, in the files' order."""

    descriptors: tuple[Descriptor, ...]
    nouns: tuple[Noun, ...]
    templates: tuple[SentenceTemplate, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes of the descriptors, in the file's order."""
        return tuple(dict.fromkeys(descriptor.axis for descriptor in self.descriptors))


def holistic_bias(data: DataFolder, version: str = "v1.1") -> HolisticBias:
    """The lists of one version.

    Raises
    ------
    InputError
        If a file is missing, is not the published one, or has another shape, with file and place.
    """
    root = f"holistic_bias/dataset/{version}"
    descriptors, nouns, templates = (
        data.file(NAME, f"{root}/{name}.json") for name in ("descriptors", "nouns", "sentence_templates")
    )
    return HolisticBias(tuple(_descriptors(descriptors)), tuple(_nouns(nouns)), tuple(_templates(templates)))


def sentence_item(template: SentenceTemplate, descriptor: Descriptor, noun: Noun) -> BenchmarkItem:
    """One sentence.

    Examples
    --------
    >>> template = SentenceTemplate("t00", "I'm {noun_phrase}.")
    >>> tall = Descriptor("tall", "body_type", "large_stature", "a")
    >>> sentence_item(template, tall, Noun("aunt", "aunts", "female")).texts["text"]
    "I'm a tall aunt."
    """
    phrase = f"{descriptor.article} {descriptor.text} {noun.singular}"
    many = f"{descriptor.text} {noun.plural}"
    return BenchmarkItem(
        f"{descriptor.axis}|{descriptor.text}|{noun.singular}|{template.id}",
        {"text": template.text.replace(SINGULAR, phrase).replace(PLURAL, many)},
        descriptor.axis,
        template.id,
        {
            "axis": descriptor.axis,
            "bucket": descriptor.bucket,
            "descriptor": descriptor.text,
            "noun": noun.singular,
            "gender": noun.gender,
            "template": template.id,
        },
    )


def _descriptors(path: Path) -> Iterator[Descriptor]:
    seen: set[tuple[str, str]] = set()
    for axis, buckets in _mapping(path, _read(path), "the file").items():
        for bucket, rows in _mapping(path, buckets, axis).items():
            place = f"{axis} > {bucket}"
            if not isinstance(rows, list):
                raise _fault(path, place, "not a list of descriptors")
            for row in rows:
                found = {"descriptor": row} if isinstance(row, str) else _mapping(path, row, place)
                text = found.get("descriptor")
                if not isinstance(text, str) or not text:
                    raise _fault(path, place, "a row without a descriptor")
                if (axis, text) in seen:
                    raise _fault(path, place, f"a second descriptor {text!r} on its axis")
                seen.add((axis, text))
                article = found.get("article") or ("an" if text[0].lower() in "aeiou" else "a")
                gender, preference = (str(found.get(key, "")) for key in ("gender", "preference"))
                yield Descriptor(text, axis, bucket, article, gender, preference)


def _nouns(path: Path) -> Iterator[Noun]:
    for gender, rows in _mapping(path, _read(path), "the file").items():
        if gender not in GENDERS or not isinstance(rows, list):
            raise _fault(path, gender, f"not one of {', '.join(GENDERS)} with its list of nouns")
        for row in rows:
            if not (isinstance(row, list) and len(row) == 2 and all(isinstance(form, str) for form in row)):
                raise _fault(path, gender, "a noun that is not a pair of singular and plural")
            yield Noun(row[0], row[1], gender)


def _templates(path: Path) -> Iterator[SentenceTemplate]:
    for number, text in enumerate(_mapping(path, _read(path), "the file")):
        if text.count(SINGULAR) + text.count(PLURAL) != 1:
            raise _fault(path, f"template {number}", "not one place for a noun phrase")
        yield SentenceTemplate(f"t{number:02d}", text)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(Fault(f"not JSON: {error}", str(path), "Check the file.")) from None


def _mapping(path: Path, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fault(path, place, "not a mapping")
    return value


def _fault(path: Path, place: str, what: str) -> InputError:
    return InputError(Fault(f"{what} ({place})", str(path), "Correct the file, or fetch it anew."))
