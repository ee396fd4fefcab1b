"""Texts that anybody brings, scored: a table of numbers, statuses and words, without the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from audit.scorers.base import Scorer, TextScore
from audit.scorers.recipes import scorer_of
from audit.scorers.store import stored
from probes.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 2048
"""Texts scored between two reports of progress; a classifier sorts them by length."""


def score_texts(texts: Iterable[str], scorer: str | Scorer) -> pd.DataFrame:
    """Scores of texts, in their order; kept in the cache unless the scorer is one of rules.

    Parameters
    ----------
    texts : iterable of str
        A list, or a Series, whose index the result then has.
    scorer : str or Scorer
        A name (:func:`audit.scorers.recipes.scorer_of`), or any scorer.

    Returns
    -------
    DataFrame
        ``value``: on the scale of the scorer's card, NaN where there is none; ``status``, and ``reason``
        where there is no value; ``words``: those that the value rests on, a tuple.

    Raises
    ------
    InputError
        If there is no such scorer, or something is no text.

    Examples
    --------
    >>> score_texts(["A kind friend.", "..."], "vader")["status"].tolist()
    ['scored', 'empty']
    """
    import pandas as pd

    listed = list(texts)
    scores = scores_of(listed, scorer_of(scorer) if isinstance(scorer, str) else scorer)
    return pd.DataFrame(
        {
            "value": pd.Series([score.value for score in scores], dtype=float),
            "status": pd.Series([score.status for score in scores], dtype=object),
            "reason": pd.Series([score.reason for score in scores], dtype=object),
            "words": pd.Series([score.words for score in scores], dtype=object),
        }
    ).set_axis(texts.index if isinstance(texts, pd.Series) else range(len(listed)), axis=0)


def scores_of(
    texts: Sequence[str], scorer: Scorer, advance: Callable[[int], None] | None = None
) -> list[TextScore]:
    """One score a text, block by block, through the store.

    Parameters
    ----------
    advance : callable, optional
        Told how many more texts are scored.

    Raises
    ------
    InputError
        If something is no text.
    """
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            what = f"text {number} is a {type(text).__name__} and no text"
            raise InputError(
                Fault(what, "", "Give a string for every text, an empty one where there is none.")
            )
    through = stored(scorer)
    scores: list[TextScore] = []
    for start in range(0, len(texts), BLOCK):
        scores += through.score(texts[start : start + BLOCK])
        if advance is not None:
            advance(len(scores) - start)
    return scores
