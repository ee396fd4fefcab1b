"""Letters that the fonts of a paper lack, spelt out: a document for keeping may hold no empty box.

The fonts are those inside the typst package, so that a report looks the same wherever it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Fits = Callable[[Sequence[str]], bool]
"""Whether a document of some words can be made."""


def words_of(value: Any) -> set[str]:
    """Every word of some data that has a letter beyond ASCII."""
    if isinstance(value, str):
        return set() if value.isascii() else {word for word in value.split() if not word.isascii()}
    if isinstance(value, Mapping):
        return words_of(list(value.keys())) | words_of(list(value.values()))
    found: set[str] = set()
    if isinstance(value, list | tuple):
        for item in value:
            found |= words_of(item)
    return found


def missing(words: Iterable[str], fits: Fits) -> list[str]:
    """The words that cannot be set, found by halving."""
    rest = sorted(words)
    if not rest or fits(rest):
        return []
    if len(rest) == 1:
        return rest
    half = len(rest) // 2
    return missing(rest[:half], fits) + missing(rest[half:], fits)


def spellings(words: Iterable[str], fits: Fits) -> dict[str, str]:
    r"""Words that cannot be set, with what stands for them: each missing letter as its number.

    Examples
    --------
    >>> no_snowman = lambda words: not any("\u2603" in word for word in words)
    >>> spellings(["na\u00efve", "snow\u2603"], no_snowman)
    {'snow☃': 'snow\\x2603'}
    """
    lost = missing(words, fits)
    letters = set(missing({sign for word in lost for sign in word if not sign.isascii()}, fits))
    found = {}
    for word in lost:
        shown = "".join(spelt(sign) if sign in letters else sign for sign in word)
        # each letter may be there, and not this row of them
        found[word] = shown if fits([shown]) else ascii_only(word)
    return found


def ascii_only(text: str) -> str:
    """Text with every letter beyond ASCII spelt out."""
    return "".join(sign if sign.isascii() else spelt(sign) for sign in text)


def spelt(sign: str) -> str:
    """A letter as its number, as control characters are spelt out elsewhere."""
    return f"\\x{ord(sign):02x}"


def replaced(value: Any, spelling: Mapping[str, str]) -> Any:
    """The same data with the words that cannot be set spelt out."""
    if not spelling:
        return value
    if isinstance(value, str):
        if value.isascii():
            return value
        for word, shown in spelling.items():
            value = value.replace(word, shown)
        return value
    if isinstance(value, Mapping):
        return {replaced(key, spelling): replaced(item, spelling) for key, item in value.items()}
    return [replaced(item, spelling) for item in value] if isinstance(value, list) else value
