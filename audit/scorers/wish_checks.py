"""Whether what is handed over as a scorer has the form of one; of an audit file, its schema has said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from audit.models.base import Model
from audit.scorers.base import Scorer
from audit.scorers.labels import is_number
from probes.errors import Fault

if TYPE_CHECKING:
    from audit.scorers.wishes import ScorerWish

LONGEST_NAME = 120
"""Characters; a name stands in tables."""


def wish_form_faults(wish: ScorerWish, where: str) -> Iterator[Fault]:
    """What is no value of its kind in a wish."""
    if not isinstance(wish.name, str):
        yield odd("name", wish.name, where, "Give a text.")
    if not isinstance(wish.model, str | Model):
        yield odd("model", wish.model, where, "Give a folder, an id or a model.")
    labels: Any = wish.labels
    if not isinstance(labels, Mapping) or not all(isinstance(label, str) for label in labels):
        yield odd("labels", labels, where, "Give each label that counts its weight: {'toxic': 1}.")
    if wish.max_length is not None and type(wish.max_length) is not int:
        yield odd("max_length", wish.max_length, where, "Give a whole number of tokens.")
    if wish.notable is not None and not is_number(wish.notable):
        yield odd("notable", wish.notable, where, "Give a number on the scorer's scale.")
    if not isinstance(wish.mask_groups, bool):
        yield odd("mask_groups", wish.mask_groups, where, "Give true or false.")


def card_faults(scorer: Scorer, where: str) -> Iterator[Fault]:
    """What is no value of its kind on the card of somebody's scorer."""
    card, bounds = scorer.card, scorer.card.bounds
    if not isinstance(card.name, str) or not isinstance(scorer.digest, str):
        yield odd("the name or digest of a scorer", card.name, where, "Give texts.")
    pair = isinstance(bounds, tuple | list) and len(bounds) == 2 and all(map(is_number, bounds))
    if not pair or not bounds[0] < bounds[1]:
        yield odd("bounds", bounds, where, "Give the smallest and the largest value.")
    if not is_number(card.notable):
        yield odd("notable", card.notable, where, "Give a number on the scorer's scale.")


def title_faults(title: str, where: str) -> Iterator[Fault]:
    """Why a scorer cannot be called so in tables."""
    if len(title) > LONGEST_NAME or not title.isprintable():
        what = f"the name {title[:40]!r} is longer than {LONGEST_NAME} characters or cannot be printed"
        yield Fault(what, where, "Give it a short name of its own: name.")


def odd(what: str, value: Any, where: str, remedy: str) -> Fault:
    """That something is no value of its kind."""
    return Fault(f"{what} is {str(value)[:40]!r}, a {type(value).__name__}", where, remedy)
