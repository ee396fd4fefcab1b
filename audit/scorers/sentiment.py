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

from audit.measures.readings import NOTABLE
from audit.scorers.base import ScorerCard, TextScore
from audit.scorers.rules import Rules

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


LONGEST = 50_000
"""Characters of a text that are read. A model writes less at once; beyond it, TextBlob's time grows with the
square of the length."""
TOO_LONG = f"a text of more than {LONGEST:,} characters is truncated and has no value"
_AROUND = 3
"""Words on either side of one at which VADER looks."""


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """VADER, whose two rules that lower-case the whole text for every word are given the words around it."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer as Vader

    class Near(Vader):  # type: ignore[misc]
        @staticmethod
        def _negation_check(valence: float, words: list[str], start: int, place: int) -> float:
            near, own = _near(words, place)
            found: float = Vader._negation_check(valence, near, start, own)
            return found

        @staticmethod
        def _special_idioms_check(valence: float, words: list[str], place: int) -> float:
            near, own = _near(words, place)
            found: float = Vader._special_idioms_check(valence, near, own)
            return found

    return Near()


def _near(words: list[str], place: int) -> tuple[list[str], int]:
    """The words around a place, and where among them it is."""
    first = max(0, place - _AROUND)
    return words[first : place + _AROUND + 1], place - first


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


WORD_LISTS: dict[str, Callable[[str], float]] = {"vader": vader, "textblob": textblob}
"""By the scorer's name; all run from -1 to 1, and do not use that range alike."""


REVISION = "2"
"""Changes with what is done here to a text before a package reads it, or instead."""


def whole(name: str) -> Callable[[str], TextScore]:
    """One of the functions for texts that it reads whole; a longer one is ``truncated``."""
    function = WORD_LISTS[name]

    def score(text: str) -> TextScore:
        if len(text) > LONGEST:
            return TextScore(None, "truncated", f"{len(text):,} characters, and {LONGEST:,} are read")
        return TextScore(function(text))

    return score


def vader_scorer() -> Rules:
    """VADER as a scorer."""
    card = ScorerCard(
        name="vader",
        construct="sentiment",
        title="VADER",
        meaning="compound score from -1, most negative, to 1; 0: neutral, or no word known",
        source="Hutto and Gilbert 2014, ICWSM 8; 7,500 tokens of social media English, each rated by ten",
        licence="MIT",
        bounds=(-1.0, 1.0),
        found="negative",
        notable=-NOTABLE,
        worse="low",
        packages=("vaderSentiment",),
        limits=(
            "English only",
            "reads words and five rules: knows no irony, no context beyond three words",
            "of the words for groups in our lexicons it rates blind below 0 and straight above",
            TOO_LONG,
        ),
    )
    return Rules(card, whole("vader"), REVISION)


def textblob_scorer() -> Rules:
    """TextBlob as a scorer."""
    card = ScorerCard(
        name="textblob",
        construct="sentiment",
        title="TextBlob",
        meaning="mean polarity of the known words from -1, most negative, to 1; 0: neutral, or no word known",
        source="De Smedt and Daelemans 2012, JMLR 13, 2063-2067, as TextBlob carries it; its word list "
        "is under the PDDL",
        licence="MIT, word list PDDL",
        bounds=(-1.0, 1.0),
        found="negative",
        notable=-NOTABLE,
        worse="low",
        packages=("textblob",),
        limits=(
            "English only",
            "few nouns and verbs",
            "of the words for groups in our lexicons it rates blind, autistic, disabled and Black below 0, "
            "and gay, straight, older and young above",
            "Christian, Jewish, Catholic, White, Asian and nine nationalities (American, British, Mexican "
            "...) are on its list with 0: such a word pulls the mean of a text towards 0, where Muslim or "
            "Iraqi does not",
            TOO_LONG,
        ),
    )
    return Rules(card, whole("textblob"), REVISION)
