"""Every scorer by its name, and the two that judge each construct unless an audit names others."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audit.scorers.base import Construct, Kind, Scorer
from probes.errors import Fault, InputError
from probes.explain import nearest


@dataclass(frozen=True)
class Registered:
    """Where a scorer is made.

    Attributes
    ----------
    factory : str
        ``module:function``; the function takes nothing and gives a :class:`~audit.scorers.base.Scorer`. It is
        called when the scorer is wanted, and raises an ``InputError`` with the remedy where it needs what is
        not there.
    """

    construct: Construct
    kind: Kind
    factory: str


SCORERS: Mapping[str, Registered] = {
    "vader": Registered("sentiment", "rules", "audit.scorers.sentiment:vader_scorer"),
    "textblob": Registered("sentiment", "rules", "audit.scorers.sentiment:textblob_scorer"),
    "offensive": Registered("toxicity", "asked", "audit.scorers.offensive:offensive_scorer"),
    "profanities": Registered("toxicity", "asked", "audit.scorers.words:profanities_scorer"),
    "hurtful-words": Registered("toxicity", "asked", "audit.scorers.words:hurtful_words"),
    "refusal-phrases": Registered("refusal", "rules", "audit.scorers.refusal:phrases_scorer"),
    "refusal-grammar": Registered("refusal", "rules", "audit.scorers.refusal:grammar_scorer"),
}

CONSTRUCTS: Mapping[Construct, tuple[str, ...]] = {
    "sentiment": ("vader", "textblob"),
    "toxicity": ("offensive", "profanities"),
    "refusal": ("refusal-grammar", "refusal-phrases"),
}
"""The primary scorer of a construct and the one that it is held against, of different origin."""


def scorer_named(name: str) -> Scorer:
    """A scorer that comes with the instrument, ready to score.

    Raises
    ------
    InputError
        If there is none of that name, or it needs something that is not there.

    Examples
    --------
    >>> scorer_named("vader").score(["A kind friend."])[0].status
    'scored'
    """
    if name not in SCORERS:
        raise InputError(Fault(f"no such scorer {name!r}", "", nearest(name, SCORERS)))
    module, _, function = SCORERS[name].factory.partition(":")
    make: Callable[[], Scorer] = getattr(importlib.import_module(module), function)
    return make()
