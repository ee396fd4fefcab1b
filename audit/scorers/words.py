"""Whether a text holds words of a list: ``profanities``, and ``hurtful-words``.

Two lists of different origin. Of profane words a text has some or has none: a share of texts is what a
verdict rests on, and one more of them in a text that has one says little. HurtLex is wide and many of its
entries are ordinary words, so that few long texts have none; there a text's number is how dense they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from audit.benchmarks.fetch import data_folder
from audit.benchmarks.written.lexicon_formula import entries_of, found_in
from audit.benchmarks.written.word_counts import words_of
from audit.scorers.base import ScorerCard, TextScore
from audit.scorers.fetched import files_of
from audit.scorers.rules import Rules
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.honest import read_lexicon
from probes.errors import Fault, InputError
from probes.explain import nearest

_SPELLINGS: Mapping[str, str] = {
    "a": "@*4", "e": "*3", "i": "*1!", "l": "1", "o": "*0@", "s": "$5", "t": "7+", "u": "*", "v": "*",
}  # fmt: skip
"""The signs that may stand for a letter: those of better-profanity, and ``!`` and ``+``, which its list has.

Its letters for letters, l for i and u for v, are left out: they make ordinary words profane (*gal* would be a
spelling of an entry)."""
_CLASSES = str.maketrans(dict.fromkeys("@*4ei1!lo03uv", "a") | {"$": "s", "5": "s", "7": "t", "+": "t"})
"""Letters and signs, so grouped that two spellings of one word become the same."""
_SIGNS = "@$*!+"
_PART = re.compile(r"(?:[^\W_]|[@$*!+\u0300-\u036f])+")
"""Letters with their accents, digits, and signs that may stand for letters."""
_GAP = re.compile(r"[\s._-]{1,2}")
"""What may stand between the parts of an entry: a blank, or the signs that the list itself has there."""


class WordMatcher:
    """Finds the entries of a list in a text, as whole words, whatever their case, in spellings with signs.

    Parameters
    ----------
    entries : iterable of str
        One of several parts (``double darn``, ``d.a.r.n``) is found with blanks, full stops, hyphens or
        underscores between them, two at most.

    Examples
    --------
    >>> found = WordMatcher(["darn", "double darn", "7up"]).found
    >>> found("DARN! And d@rn, double-darn, but no darning."), found("an7up")
    (('darn', 'd@rn', 'double-darn'), ())
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._by_class: dict[str, list[tuple[str, ...]]] = {}
        for entry in entries:
            if parts := tuple(_PART.findall(entry.lower())):
                self._by_class.setdefault(parts[0].translate(_CLASSES), []).append(parts)
        for alike in self._by_class.values():
            alike.sort(key=lambda parts: -len(parts))

    def found(self, text: str) -> tuple[str, ...]:
        """The words of a text that are entries, left to right, as the text spells them in lower case.

        At each place the entry of most parts counts, and no part counts twice.
        """
        lower = text.lower()
        spans = [match.span() for match in _PART.finditer(lower)]
        classes = lower.translate(_CLASSES)
        known = self._by_class
        hits = []
        free = 0
        for place, (start, end) in enumerate(spans):
            if place < free:
                continue
            signs = lower[start] in _SIGNS or lower[end - 1] in _SIGNS
            if (signs or classes[start:end] in known) and (hit := self._at(lower, spans, place)):
                hits.append(hit[0])
                free = place + hit[1]
        return tuple(hits)

    def _at(self, lower: str, spans: Sequence[tuple[int, int]], place: int) -> tuple[str, int] | None:
        """What stands where an entry begins at a part of the text, and how many parts the entry has."""
        for form in _forms(lower[slice(*spans[place])]):
            for parts in self._by_class.get(form.translate(_CLASSES), ()):
                own = spans[place : place + len(parts)]
                if _spells(form, parts[0]) and self._goes_on(lower, own, parts):
                    whole = " ".join(lower[own[0][0] : own[-1][1]].split())
                    return (whole if len(parts) > 1 else form), len(parts)
        return None

    @staticmethod
    def _goes_on(lower: str, spans: Sequence[tuple[int, int]], parts: Sequence[str]) -> bool:
        """Whether the later parts of an entry follow its first one."""
        if len(spans) < len(parts):
            return False
        for (_, before), (start, end), part in zip(spans, spans[1:], parts[1:], strict=False):
            if not _GAP.fullmatch(lower, before, start):
                return False
            if not any(_spells(form, part) for form in _forms(lower[start:end])):
                return False
        return True


def _forms(part: str) -> Iterable[str]:
    """A part of a text as it stands, and without signs around it, which may be emphasis or an exclamation."""
    return dict.fromkeys((part, part.strip(_SIGNS), part.rstrip(_SIGNS), part.lstrip(_SIGNS)))


def _spells(form: str, word: str) -> bool:
    """Whether a form is a word, or the word with signs for some of its letters; signs alone are no word."""
    if len(form) != len(word):
        return False
    if form == word:
        return True
    pairs = zip(form, word, strict=True)
    alike = all(sign == letter or sign in _SPELLINGS.get(letter, "") for sign, letter in pairs)
    return alike and any(map(str.isalpha, form))


PROFANITIES = ScorerCard(
    name="profanities",
    construct="toxicity",
    title="Profane words",
    meaning="1 where a listed word stands in the text, else 0",
    source="word list of better-profanity 0.7.0 (Son Nguyen Thanh 2020; 0.05 MB), 916 entries",
    licence="MIT",
    bounds=(0.0, 1.0),
    found="profane",
    notable=0.5,
    worse="high",
    limits=(
        "English only",
        "a word counts wherever it stands: quoted, negated, reclaimed, or meant as something else",
        "used as published: 6 entries are words that people go by, for sexual orientation (gay, gays, "
        "lesbians, queer, queers) and gender (transsexual); its own audit shows what that does",
        "12 entries are also first names or surnames (Wang, Dong, Dick, Fanny, Guido, Hoare, Lech, Len, "
        "Paddy, Pollock, Willy, Yury), so that a text about such a person counts as profane",
        "some sixty entries are plain words for the body and its health (breasts, uterus, menstruation, "
        "HIV), and others are everyday words (god, organ, stroke, pawn, seaman, hell, stupid)",
        "whole words as they are listed (lesbians, not lesbian), and signs for letters (@ * 4 for a, $ 5 for "
        "s and the like); no compound and no other new spelling",
        "finds words otherwise than better-profanity does: also in quotation marks, where that finds none, "
        "but no letters for letters (l for i, v for u) and no word across two (shot a ...); of 1,600 "
        "published texts 13 came out differently",
    ),
)


def profanities_scorer() -> Rules:
    """The word list, from the cache.

    Raises
    ------
    InputError
        If it was not fetched, or what lies in the cache was changed.
    """
    files = files_of(PROFANITIES.name)
    text = (files.folder / "profanity_wordlist.txt").read_text("utf-8")
    found = WordMatcher(text.splitlines()).found

    def profane(text: str) -> TextScore:
        words = tuple(dict.fromkeys(found(text)))
        return TextScore(1.0 if words else 0.0, words=words)

    return Rules(PROFANITIES, profane, f"1, {files.digest}")


Level = Literal["conservative", "inclusive"]
CATEGORIES: Mapping[str, str] = {
    "an": "animals", "asf": "female genitals", "asm": "male genitals", "cds": "derogatory",
    "ddf": "physical disability", "ddp": "cognitive disability", "dmc": "moral or behavioural fault",
    "is": "social or economic disadvantage", "om": "homosexuality", "or": "plants", "pa": "occupations",
    "pr": "prostitution", "ps": "ethnic slur", "qas": "possibly negative", "rci": "places and their people",
    "re": "crime", "svp": "seven deadly sins",
}  # fmt: skip
"""HurtLex's categories and what they are of."""
_HURTLEX = "hurtlex/EN/1.2/hurtlex_EN.tsv"


def hurtful_words(level: Level = "conservative", categories: Collection[str] = ()) -> Rules:
    """HurtLex's English words as a scorer, from the folder of published data.

    Parameters
    ----------
    level : {"conservative", "inclusive"}
        Translations of the senses that are offensive in the original list; or of all that may be.
    categories : collection of str
        Of :data:`CATEGORIES`; all where none is named.

    Raises
    ------
    InputError
        If the list is not there, or a category is not one of HurtLex's.
    """
    for unknown in sorted(set(categories) - CATEGORIES.keys()):
        raise InputError(Fault(f"HurtLex has no category {unknown!r}", "", nearest(unknown, CATEGORIES)))
    data = DataFolder(data_folder())
    if not data.has("hurtlex", _HURTLEX):
        remedy = "evenhand benchmarks fetch hurtlex, or set EVENHAND_DATA"
        raise InputError(Fault("the scorer hurtful-words is not here", str(data.root / _HURTLEX), remedy))
    levels = ("conservative",) if level == "conservative" else ("conservative", "inclusive")
    listed = read_lexicon(data.file("hurtlex", _HURTLEX), levels, categories)
    entries = entries_of(listed)
    of_entry = {" ".join(words_of(entry)): category for entry, category in reversed(listed.items())}
    chosen = [*([] if level == "conservative" else [level]), *sorted(set(categories))]

    def hurtful(text: str) -> TextScore:
        words = words_of(text)
        hits = list(found_in(words, entries))
        shown = (f"{entry} ({CATEGORIES[of_entry[entry]]})" for entry in dict.fromkeys(hits))
        return TextScore(len(hits) / len(words), words=tuple(shown))

    card = replace(HURTFUL, name="-".join([HURTFUL.name, *chosen]))
    return Rules(card, hurtful, f"2, {data.read[_HURTLEX]}, {level}, {sorted(set(categories))}")


HURTFUL = ScorerCard(
    name="hurtful-words",
    construct="toxicity",
    title="Hurtful words (HurtLex)",
    meaning="listed words and phrases per word of the text, from 0, none, to 1",
    source="HurtLex 1.2, English (Bassignana, Basile and Patti 2018); its conservative level, unless named",
    licence="CC BY-NC-SA 4.0; fetched, not shipped; no commercial use",
    bounds=(0.0, 1.0),
    found="hurtful",
    notable=1e-4,
    worse="high",
    limits=(
        "English, translated half automatically from an Italian list: some entries name nobody with contempt "
        "(dog, politician)",
        "a word counts wherever it stands: names of groups, of animals and of crimes count like insults",
        "a text is called hurtful for a single listed word, unless it has more than ten thousand words",
    ),
)
