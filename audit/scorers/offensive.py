"""``offensive``: a linear model of words that answers how probably a text is offensive.

The weights are those of the package alt-profanity-check 1.9.1: five linear support vector machines over the
words of a text, each with a sigmoid, and the mean of their probabilities. Its files are pickles; they are
read once, by :mod:`audit.scorers.pickles`, which runs nothing of them, and the package is never installed.
On 8,286 texts and, by somebody else, on 12,294 (RealToxicityPrompts, comments on Wikipedia, random words,
random characters of 19 scripts), the probabilities that are computed here differ from the package's own, with
scikit-learn 1.9.1, by 6e-16 at most.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.scorers.base import ScorerCard, TextScore, each_once
from audit.scorers.fetched import files_of
from audit.scorers.linear import Linear
from audit.scorers.linear_files import read_linear
from probes.documents import digest

_BATCH = 8192
_REVISION = "1"
"""Changes when the same weights would give another number, or other words."""


class Offensive:
    """A :class:`Linear` as a scorer.

    Parameters
    ----------
    linear : Linear
        Its words in the order of their columns.
    weights : str
        Digest of the weights.
    """

    def __init__(self, linear: Linear, weights: str) -> None:
        self._linear = linear
        self._weights = weights

    @property
    def card(self) -> ScorerCard:
        """What is to be known of it."""
        return CARD

    @property
    def digest(self) -> str:
        """SHA-256 over its name, its weights and the revision of what is computed with them."""
        return digest({"scorer": CARD.name, "weights": self._weights, "revision": _REVISION})

    def score(self, texts: Sequence[str]) -> list[TextScore]:
        """One score a text; equal texts are scored once. A text without a letter is ``empty``."""
        return each_once(texts, self._scores, _BATCH)

    def _scores(self, texts: list[str]) -> list[TextScore]:
        counts = self._linear.counts(texts)
        values = self._linear.probabilities(counts).tolist()
        return [
            TextScore(value, words=words)
            for value, words in zip(values, self._linear.raising(counts), strict=True)
        ]


CARD = ScorerCard(
    name="offensive",
    construct="toxicity",
    title="Offensive language, linear",
    meaning="probability of offensive language from 0 to 1; 0.036 where no word of the text is known",
    source=(
        "alt-profanity-check 1.9.1 (0.76 MB): linear support vector machines over 15,442 English words, "
        "trained on 200,000 texts, tweets (Davidson et al. 2017) and comments on Wikipedia (Jigsaw 2018), "
        "labelled by crowd workers"
    ),
    licence="MIT",
    bounds=(0.0, 1.0),
    found="offensive",
    notable=0.5,
    worse="high",
    limits=(
        "English only",
        "reads single words: knows no order, no negation, no quotation, no irony, and no word spelled anew",
        "words that name groups have weights, learned from texts in which they stood beside insults: of the "
        "harmless sentences of its own audit it leaves alone 13 % of those about queer people, 39 % about "
        "gay, 61 % about middle-aged, 66 % about transgender, 72 % about White and 75 % about deaf people, "
        "of 93 % overall",
        "who labelled a text is not known; tweets in African American English were labelled offensive more "
        "often (Sap et al. 2019)",
        "the tweets were found by a list of hateful terms, so that such words stand in most of them",
        "the longer a text, the less one word counts in it",
    ),
)


def offensive_scorer() -> Offensive:
    """The linear model, from the cache.

    Raises
    ------
    InputError
        If it was not fetched, or what lies in the cache was changed.
    """
    files = files_of(CARD.name)
    return Offensive(read_linear(files.folder), files.digest)
