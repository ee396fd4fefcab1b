"""The question, before any model sees it.

An :class:`Item` is one filled template. It knows which groups its term belongs to and which answers are
compared, and nothing of models or statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ANSWER = "{answer}"
"""Where the answer stands in a template and in an item's text: the mask of a masked model, the point at
which a causal model's continuation starts."""

Form = Literal["fill", "score", "generate"]
"""How an item may be asked; see ``audit.requests``."""

Arm = Literal["probe", "nonce"]
"""``probe``: a term that names a group. ``nonce``: an invented word, the negative control."""


@dataclass(frozen=True)
class AnswerPair:
    """Two sets of answers whose probabilities are compared.

    The value of a pair is ``log sum P(plus) - log sum P(minus)``, in nats.
    """

    id: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One filled question.

    Attributes
    ----------
    id : str
        ``suite/template/lexicon:term``; unique within an audit and stable across runs.
    template, family : str
        The template and its paraphrase family: cluster ids.
    term : str
        ``lexicon:term-id`` of what fills the slot: a cluster id.
    groups : mapping of axis to group
        Empty for the nonce arm.
    text : str
        The filled sentence. For ``fill`` and ``score`` it holds :data:`ANSWER` exactly once; for
        ``generate`` it is the prompt.
    answers : tuple of AnswerPair
        Empty for ``generate``.
    forms : tuple of Form
        The forms in which the item may be asked, preferred first.
    place : str
        What the term is matched by: items of one suite, template and place differ in whom they speak of, and
        of one cell of groups at most one term has it. Empty where nothing is matched.
    """

    id: str
    suite: str
    arm: Arm
    template: str
    family: str
    term: str
    groups: Mapping[str, str]
    text: str
    answers: tuple[AnswerPair, ...]
    forms: tuple[Form, ...]
    place: str = ""
