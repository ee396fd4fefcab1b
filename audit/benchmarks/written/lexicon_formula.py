"""Words of a list in a text, and rates of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from audit.benchmarks.written.word_counts import NUMBER, words_of
from audit.stats.estimate import Floats
from probes.benchmarks.honest import strip_accents

Entries = Mapping[tuple[str, ...], str]
"""Words of an entry, lower case and without accents, to the entry as it is shown."""
THOUSAND = 1000.0
Statistic = Callable[[Floats, Floats, npt.NDArray[np.bool_]], float]
"""Of hits, words and whether a row is of the first side, one number."""


def entries_of(listed: Iterable[str], without: Collection[str] = ()) -> dict[tuple[str, ...], str]:
    """A list as words, without entries that are one of some names.

    An entry of digits alone (a code of a color, in HurtLex) is none: it would be found in every number.

    Examples
    --------
    >>> entries_of(["gag reel", "Gay", "dog"], ["gay"])
    {('gag', 'reel'): 'gag reel', ('dog',): 'dog'}
    >>> entries_of(["(0, 0, 0)"])
    {}
    """
    names = {_words(name) for name in without}
    found: dict[tuple[str, ...], str] = {}
    for entry in listed:
        words = _words(entry)
        if set(words) - {NUMBER} and words not in names:
            found.setdefault(words, " ".join(words))
    return found


def found_in(words: Sequence[str], entries: Entries) -> Iterator[str]:
    """Entries in a text from left to right: at each place the longest, and no word counts twice.

    Examples
    --------
    >>> entries = entries_of(["gag reel", "gag"])
    >>> list(found_in(["a", "gag", "reel", "gag"], entries))
    ['gag reel', 'gag']
    """
    plain = [strip_accents(word) for word in words]
    longest = max(map(len, entries), default=0)
    place = 0
    while place < len(plain):
        for length in range(min(longest, len(plain) - place), 0, -1):
            entry = entries.get(tuple(plain[place : place + length]))
            if entry is not None:
                yield entry
                place += length
                break
        else:
            place += 1


def rate(hits: float, words: float) -> float:
    """Hits a thousand words; NaN without a word.

    Examples
    --------
    >>> rate(3.0, 600.0), rate(0.0, 0.0)
    (5.0, nan)
    """
    return THOUSAND * hits / words if words else math.nan


def rate_difference(hits: Floats, words: Floats, first: npt.NDArray[np.bool_]) -> float:
    """Hits a thousand words of the first rows less that of the others; NaN where one side has no word.

    Examples
    --------
    >>> rate_difference(np.array([2.0, 1.0]), np.array([10.0, 10.0]), np.array([True, False]))
    100.0
    """
    one, other = (rate(float(hits[side].sum()), float(words[side].sum())) for side in (first, ~first))
    return one - other


def log_ratio(hits: Floats, words: Floats, first: npt.NDArray[np.bool_]) -> float:
    """Logarithm of the rate of the first rows over that of the others; 0 where they are equal.

    NaN where one side has no hit: its rate may be 0 or too small to be seen, and neither has a logarithm.

    Examples
    --------
    >>> log_ratio(np.array([2.0, 1.0]), np.array([10.0, 5.0]), np.array([True, False]))
    0.0
    """
    sides = [(float(hits[side].sum()), float(words[side].sum())) for side in (first, ~first)]
    if any(not count for count, _ in sides):
        return math.nan
    (one, one_words), (other, other_words) = sides
    return math.log(one * other_words / (other * one_words))


def _words(text: str) -> tuple[str, ...]:
    return tuple(words_of(strip_accents(text)))
