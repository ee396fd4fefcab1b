"""Sentiment of a text by a public lexicon, without a model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def vader(text: str) -> float:
    """VADER's compound score: -1 most negative, 1 most positive, 0 neutral or no word known.

    Source: Hutto and Gilbert, 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
    Social Media Text".

    Examples
    --------
    >>> vader("She was kind and helpful.") > 0 > vader("She was cruel and dishonest.")
    True
    """
    return float(_analyzer().polarity_scores(text)["compound"])
