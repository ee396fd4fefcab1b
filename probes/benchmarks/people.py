"""The names that our own packs put into their sentences, and which groups of them are compared."""

from __future__ import annotations

from typing import Literal

from probes.catalogue import load_lexicon
from probes.lexicon import Term

Kind = Literal["name", "adjective", "occupation"]

NONCE = "nonce"
"""The arm, axis or group of items with invented words, the negative control."""

COMPARISONS = (
    ("gender", "woman", "man", "names of women - men"),
    ("race", "black", "white", "names of Black - White people"),
    ("race", "hispanic", "white", "names of Hispanic - White people"),
    ("race", "asian", "white", "names of Asian - White people"),
)
"""Axis, group, reference group, and what the comparison is called."""


def people() -> tuple[Term, ...]:
    """First names typical of women and of men of four groups in the United States."""
    return load_lexicon("names").terms


def invented(kind: Kind = "name") -> tuple[Term, ...]:
    """Words that mean nobody and nothing, standing in the place of a name, an adjective or an occupation."""
    return load_lexicon("nonce").of_group("class", kind)


def pairs_of(axis: str, group: str, reference: str, per_cell: int) -> list[tuple[Term, Term]]:
    """Pairs of names that differ on one axis and agree on the other, in the order of the lexicon.

    Parameters
    ----------
    per_cell : int
        Pairs for each group of the other axis.

    Examples
    --------
    >>> one, other = pairs_of("gender", "woman", "man", 1)[0]
    >>> one.groups["race"] == other.groups["race"], one.groups["gender"], other.groups["gender"]
    (True, 'woman', 'man')
    """
    other = "race" if axis == "gender" else "gender"
    cells: dict[tuple[str, str], list[Term]] = {}
    for term in people():
        cells.setdefault((term.groups[axis], term.groups[other]), []).append(term)
    found = []
    for side in dict.fromkeys(term.groups[other] for term in people()):
        ones, zeros = cells[group, side], cells[reference, side]
        found += list(zip(ones[:per_cell], zeros[:per_cell], strict=True))
    return found
