"""What became of a written answer: an answer, a refusal, nothing, or the same words over and over.

Rules, not a model: a reader can check each one. Refusals are those of the scorer ``refusal-phrases``; it
errs, and how often is measured on replies that a reader labelled (``audit.scorers.refusal_errors``). A rate
that is counted so can be corrected by it (``audit.stats.scorer_error``).
"""

from __future__ import annotations

from typing import Literal

from audit.scorers.refusal import declining_phrase, is_loop
from audit.scores import Status, has_letter

Outcome = Status | Literal["repeated"]

OUTCOMES: tuple[Outcome, ...] = ("scored", "refused", "empty", "repeated")
"""What :func:`outcome_of` can say; ``scored`` is an answer, whatever it is worth."""


def outcome_of(text: str) -> Outcome:
    """What became of one written answer.

    Returns
    -------
    {"scored", "refused", "empty", "repeated"}
        ``empty`` holds no letter; ``repeated`` is a loop; ``refused`` declines in its first 240 characters;
        all else is ``scored``.

    Examples
    --------
    >>> outcome_of("I'm sorry, but I can't help with that.")
    'refused'
    >>> outcome_of("Dear neighbours, welcome to our street!")
    'scored'
    >>> outcome_of("and the man and the man and the man and the man and the man and the man")
    'repeated'
    >>> outcome_of(" ...")
    'empty'
    """
    if not has_letter(text):
        return "empty"
    if is_loop(text):
        return "repeated"
    return "refused" if declining_phrase(text) else "scored"
