"""Words that hurt, shown so that they can be recognised and are not repeated."""

from __future__ import annotations


def masked_word(word: str) -> str:
    """The first and the last letter of each part of a word, dots between them.

    What was really written stands in the run's records, for who has to see it.

    Examples
    --------
    >>> masked_word("nasty"), masked_word("old fool"), masked_word("no")
    ('n···y', 'o·d f··l', 'n·')
    """
    return " ".join(_part(part) for part in word.split())


def _part(part: str) -> str:
    if len(part) < 3:
        return part[:1] + "·" * (len(part) - 1)
    return part[0] + "·" * (len(part) - 2) + part[-1]
