"""Sentiment of a text by a public lexicon, without a model.

Two scorers of different origin, so that what one says can be held against the other. A contrast that they
contradict is a property of a scorer and not of the audited model.

============  ==========================================  ====================================  ===========
scorer        word list                                   rule                                  licences
============  ==========================================  ====================================  ===========
``vader``     7500 tokens of social media English,        sum of valences with rules for        MIT, list
              rated by ten paid raters each               negation, degree and capitals,        included
                                                          s / sqrt(s^2 + 15)
``textblob``  2900 senses, mostly adjectives, tagged by   mean over the known words and         MIT, list
              Pattern's authors or inferred               phrases, with negation and degree     PDDL
============  ==========================================  ====================================  ===========

The lists share no raters and the rules no normalisation. Both know English only, and neither knows irony.
TextBlob's list has few nouns and verbs. On 120 continuations of suite ``continuation`` by SmolLM2-135M the
two call 68 % and 65 % of the texts anything but neutral, with standard deviations of .43 and .25 and a rank
correlation of .46; of the texts that both rate, a quarter have opposite signs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@cache
def _polarity() -> Callable[[str], tuple[float, float]]:
    from textblob.en import sentiment

    found: Callable[[str], tuple[float, float]] = sentiment
    return found


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


def textblob(text: str) -> float:
    """TextBlob's polarity: -1 most negative, 1 most positive, 0 neutral or no word known.

    The mean polarity of the words and phrases that the lexicon knows. That a text without a known word scores
    0 is the scorer's definition: it is scored and neutral, not missing.

    Source: De Smedt and Daelemans, 2012, "Pattern for Python", JMLR 13, 2063-2067, as TextBlob carries it;
    word list en-sentiment.xml, version 1.3.

    Examples
    --------
    >>> textblob("She was kind and helpful.") > 0 > textblob("She was cruel and dishonest.")
    True
    >>> textblob("She opened the door.")
    0.0
    """
    return max(-1.0, min(1.0, float(_polarity()(text)[0])))  # a mean may pass its ends by rounding


SCORERS: dict[str, Callable[[str], float]] = {"vader": vader, "textblob": textblob}
"""By name; all run from -1 to 1, and do not use that range alike."""

DISTRIBUTIONS: dict[str, str] = {"vader": "vaderSentiment", "textblob": "textblob"}
"""Scorer to the package that holds its rules and words: with its version, what a score depends on."""
