"""Words that hurt, shown so that they can be recognised; messages that do not repeat them."""

from __future__ import annotations

import re

LONGEST_WORD = 40
"""Characters; what is longer is a text, and not shown at all."""
LONGEST_MESSAGE = 200
MOST_READ = 1000
"""Characters of a message that are looked at."""
_PLAIN = frozenset(["the", "and", "are", "for", "from", "has", "not", "that", "this", "too", "was", "with"])
"""Words that tell nothing, and stand in messages of our own."""
_WORD = re.compile(r"[^\W_]{3,}")


def unquoted(message: str, text: str) -> str:
    """A message in one line, and short, without the words of a text that it is about.

    Who fails over a text may quote some of it, cut anywhere. What happens to stand in both goes as well.

    Examples
    --------
    >>> unquoted("cannot parse 'nasty fool' at 3", "That nasty fool!")
    "cannot parse '… …' at 3"
    """
    own = text.casefold()
    part = message[:MOST_READ].replace(text, "…") if text else message[:MOST_READ]
    plain = _WORD.sub(lambda found: "…" if is_quoted(found[0].casefold(), own) else found[0], part)
    line = " ".join(plain.split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}…"


def is_quoted(word: str, text: str) -> bool:
    """Whether a word, in lower case, may have been taken from a text."""
    return word in text and word not in _PLAIN


def masked_word(word: str) -> str:
    """The first and the last letter of each part of a word, dots between them.

    What was really written stands in the run's records, for who has to see it.

    Examples
    --------
    >>> masked_word("nasty"), masked_word("old fool"), masked_word("no")
    ('n···y', 'o·d f··l', 'n·')
    """
    if len(word) > LONGEST_WORD:
        return "···"
    return " ".join(_part(part) for part in word.split())


def _part(part: str) -> str:
    if len(part) < 3:
        return part[:1] + "·" * (len(part) - 1)
    return part[0] + "·" * (len(part) - 2) + part[-1]
