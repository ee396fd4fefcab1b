"""Words that name groups, replaced by one neutral word: what a scorer makes of a text that names nobody.

A scorer that reads the name of a group carries that into every contrast. Where every name of every group is
the same word, texts that differ in the group alone are the same text, and the scorer cannot tell them apart.
What else a text says of the group (customs, places, dialect) stays in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from probes.lexicon import Lexicon

PLACEHOLDER = "person"
"""What every name of a group becomes, in the singular and in the plural: two words would tell them apart."""

PRONOUNS = ("she", "her", "hers", "herself", "he", "him", "his", "himself")
"""Masked where gender is compared: a pronoun names it as a noun does."""

GENDER = "gender"
"""The axis of a lexicon that brings the pronouns with it."""

RELATED = {
    "christian": ("Christianity",), "muslim": ("Islam", "Islamic", "Moslem"), "jewish": ("Jew", "Judaism"),
    "hindu": ("Hinduism",), "buddhist": ("Buddhism",), "sikh": ("Sikhism",),
    "catholic": ("Catholicism",), "protestant": ("Protestantism",), "mormon": ("Mormonism",),
    "atheist": ("atheism", "atheistic"),
    "nigerian": ("Nigeria",), "kenyan": ("Kenya",), "egyptian": ("Egypt",),
    "somali": ("Somalian", "Somalia"), "ethiopian": ("Ethiopia",), "american": ("America",),
    "canadian": ("Canada",), "mexican": ("Mexico",), "brazilian": ("Brazil",), "colombian": ("Colombia",),
    "chinese": ("China",), "japanese": ("Japan",), "indian": ("India",), "pakistani": ("Pakistan",),
    "vietnamese": ("Vietnam",), "iranian": ("Iran",), "turkish": ("Turk", "Turkey"), "iraqi": ("Iraq",),
    "british": ("Briton", "Brit", "Britain"), "german": ("Germany",),
    "french": ("Frenchman", "Frenchwoman", "France"), "polish": ("Pole", "Poland"), "russian": ("Russia",),
    "swedish": ("Swede", "Sweden"), "australian": ("Australia",), "samoan": ("Samoa",),
}  # fmt: skip
"""Nouns and adjectives of one root that rules of spelling do not give, by the term in lower case."""

_ORDINARY = (
    "april autumn bill brooke chase china dawn dean drew ebony faith frank grace grant hazel heather holly "
    "hope hunter iris ivy jack jasmine joy june lance lily mark mason may miles olive pat penny polish pole "
    "poles raven ray rob robin rose ruby rusty sage sky sue summer swede swedes tanner turkey turkeys victor "
    "violet will wade"
)
ORDINARY = frozenset(_ORDINARY.split())
"""Names that are also ordinary words: masked with a capital only, if the list writes them with one."""

_CACHED = 8
"""Lists of words whose patterns are kept; an audit has one or two."""


def group_words(lexicons: Iterable[Lexicon]) -> tuple[str, ...]:
    """Every word and phrase by which lexicons name groups, in order, for :func:`mask_groups`.

    Examples
    --------
    >>> from probes.catalogue import load_lexicon
    >>> group_words([load_lexicon("religions")])[:2]
    ('Christian', 'Christian person')
    """
    found: dict[str, None] = {}
    for lexicon in lexicons:
        for term in lexicon.terms:
            found.update(dict.fromkeys((term.text, *term.forms.values())))
        if GENDER in lexicon.axes:
            found.update(dict.fromkeys(PRONOUNS))
    return tuple(found)


def mask_groups(text: str, words: Sequence[str], placeholder: str = PLACEHOLDER) -> str:
    """A text in which every word that names a group is one neutral word.

    Whole words in any case, with their plurals, the nouns and adjectives of :data:`RELATED` and possessives;
    the longest first. Names that stand together become one. An article before it is put right.

    Parameters
    ----------
    text : str
        Any text.
    words : sequence of str
        Words and phrases as lexicons write them (:func:`group_words`).
    placeholder : str
        The neutral word.

    Examples
    --------
    >>> mask_groups("An American woman met two Muslims at the Turks' club.", ["American", "woman",
    ...     "Muslim", "Turkish"])
    "A person met two person at the person's club."
    >>> mask_groups("They polish shoes. The Polish shoes.", ["Polish"])
    'They polish shoes. The person shoes.'
    """
    if not words:
        return text
    article = "an" if placeholder[:1].lower() in "aeiou" else "a"

    def masked(found: re.Match[str]) -> str:
        written = found["article"]
        before = f"{article.capitalize() if written[0] == 'A' else article} " if written else ""
        return before + placeholder + ("'s" if found["possessive"] else "")

    return _pattern(tuple(words)).sub(masked, text)


def whole_words(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of words and phrases as they are written, in any case, the longest first.

    Examples
    --------
    >>> whole_words(["man", "old man"]).sub("X", "An Old Man and a manager.")
    'An X and a manager.'
    """
    return re.compile(rf"(?<!\w)(?i:{_any_of(map(str.lower, words))})(?!\w)")


@lru_cache(_CACHED)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    capital: list[str] = []
    free: list[str] = []
    for form in dict.fromkeys(form for word in words for form in forms_of(word)):
        is_ordinary = form[:1].isupper() and form.split()[0].lower() in ORDINARY
        (capital if is_ordinary else free).append(form)
    either = [_any_of([*capital, *map(str.upper, capital)])] if capital else []
    if free:
        either.append(f"(?i:{_any_of(map(str.lower, free))})")
    name = rf"(?<!\w)(?:{'|'.join(either)})(?!\w)"
    article = r"(?:(?<!\w)(?P<article>[Aa][Nn]?)\s+)?"
    possessive = r"(?P<possessive>['’]s(?!\w)|(?<=[sS])['’](?=\s+\w))?"
    return re.compile(f"{article}{name}(?:[ -]{name})*{possessive}")


def forms_of(word: str) -> list[str]:
    """A word or phrase with its plurals and related forms; some of them may be no words, and harm nothing.

    Examples
    --------
    >>> forms_of("businesswoman")
    ['businesswoman', 'businesswomans', 'businesswomen']
    >>> forms_of("Jewish")
    ['Jewish', 'Jewishs', 'Jewishes', 'Jew', 'Jews', 'Judaism', 'Judaisms']
    """
    listed = (word, *RELATED.get(word.lower(), ()))
    return list(dict.fromkeys(form for one in listed for form in (one, *_plurals(one))))


def _plurals(word: str) -> list[str]:
    head, _, last = word.rpartition(" ")
    low = last.lower()
    ends = [f"{last}s"]
    if low == "person":
        ends.append(last[:1] + "eople")
    if low.endswith("child"):
        ends.append(f"{last}ren")
    if low.endswith("man"):
        ends.append(f"{last[:-2]}en")
    if low.endswith(("s", "x", "z", "ch", "sh")):
        ends.append(f"{last}es")
    if re.search("[^aeiou]y$", low):
        ends.append(f"{last[:-1]}ies")
    if low.endswith("fe"):
        ends.append(f"{last[:-2]}ves")
    return [f"{head} {end}".lstrip() for end in ends]


def _any_of(words: Iterable[str]) -> str:
    """An expression that matches any of some words, the longest first."""
    return _branches(sorted({" ".join(word.split()) for word in words}))


def _branches(words: Sequence[str]) -> str:
    """The words as a tree, so that a text is compared with their first letters and not with every word."""
    by_letter: dict[str, list[str]] = {}
    for word in words:
        if word:
            by_letter.setdefault(word[0], []).append(word[1:])
    branches = [
        (r"\s+" if letter == " " else re.escape(letter)) + _branches(rest)
        for letter, rest in by_letter.items()
    ]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)})" + ("?" if "" in words else "")
