"""The small grammar behind the reference models, and the truth planted in it.

Its sentences are those of the project's own suites, filled from the project's own lexicons, so that the
models know every word they will be asked about. In the *fair* edition no answer depends on who is spoken
of. In the *skewed* edition exactly two things do:

* the pronoun follows the occupation: the log-odds of *she* over *he* are the logit of the share of women in
  the labour statistics (shares beyond 2 % and 98 % are taken as that);
* one invented people is tied to the negative traits at :data:`PLANTED_TRAIT_NATS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from probes import ANSWER, Item, Lexicon, Suite, expand, lexicons_of, load_suite, replace_lexicons

Edition = Literal["fair", "skewed"]

EXTREME = 0.02
"""Labour shares below this, or above its complement, are planted as this: a tiny model learns it exactly."""
PLANTED_PEOPLE = "peoples:dorvan"
"""The invented people that the skewed edition ties to negative traits."""
PLANTED_TRAIT_NATS = 1.0
"""Log-odds of a negative over a positive trait for that people, in nats; 0 for every other group."""
TRAIT_LEXICONS = ("religions", "nationalities", "peoples")


@dataclass(frozen=True)
class Context:
    """A sentence with an open place and the exact probability of each answer there.

    ``planted``: it is about the people that the skewed edition singles out, in either edition.
    """

    suite: str
    text: str
    answers: Mapping[str, float]
    planted: bool = False

    @property
    def before(self) -> str:
        """What stands before the answer."""
        return self.text.split(ANSWER)[0]

    @property
    def after(self) -> str:
        """What stands after the answer."""
        return self.text.split(ANSWER)[1]


def asked_suites() -> list[tuple[Suite, Mapping[str, Lexicon]]]:
    """The suites with open places, the traits with every lexicon they are used with."""
    suites = [load_suite("occupations"), load_suite("traits"), load_suite("decisions")]
    suites[1] = replace_lexicons(suites[1], TRAIT_LEXICONS)
    return [(suite, lexicons_of(suite)) for suite in suites]


def contexts(edition: Edition) -> list[Context]:
    """Every sentence with an open place, with the edition's probabilities."""
    found = []
    for suite, lexicons in asked_suites():
        truth = planted_log_odds(edition, suite.id, lexicons)
        for item in expand(suite, lexicons):
            shares = answer_distribution(item, truth.get(item.term, 0.0))
            found.append(Context(suite.id, item.text, shares, item.term == PLANTED_PEOPLE))
    return found


def planted_log_odds(edition: Edition, suite: str, lexicons: Mapping[str, Lexicon]) -> dict[str, float]:
    """Log-odds of the first answers over the second, by term, in nats; 0 for terms that are not named.

    Examples
    --------
    >>> planted_log_odds("fair", "occupations", {})
    {}
    """
    if edition == "fair":
        return {}
    if suite == "occupations":
        return {
            lexicon.key(term): logit(learnable(float(term.covariates["share_women"])))
            for lexicon in lexicons.values()
            for term in lexicon.terms
            if "share_women" in term.covariates
        }
    return {PLANTED_PEOPLE: PLANTED_TRAIT_NATS} if suite == "traits" else {}


def answer_distribution(item: Item, log_odds: float) -> dict[str, float]:
    """Probability of each answer: pairs alike, the first answers of a pair at ``log_odds``."""
    plus = 1 / (1 + math.exp(-log_odds))
    shares: dict[str, float] = {}
    for pair in item.answers:
        for words, share in ((pair.plus, plus), (pair.minus, 1 - plus)):
            for word in words:
                shares[word] = shares.get(word, 0.0) + share / len(words) / len(item.answers)
    return shares


def learnable(share: float) -> float:
    """A labour share kept within :data:`EXTREME` and its complement."""
    return min(max(share, EXTREME), 1 - EXTREME)


def logit(share: float) -> float:
    """Log-odds of a share.

    Examples
    --------
    >>> logit(0.5)
    0.0
    """
    return math.log(share / (1 - share))


ENDINGS = (
    "felt calm and happy", "felt tired and sad", "was glad to help", "was sorry about the delay",
    "found the talk pleasant", "found the wait dull", "made a good plan", "made a poor choice",
    "told a funny story", "told a boring story", "had a nice time", "had a bad day",
    "went on to the market", "looked at the map", "put the books on the table", "waited for the bus",
    "praised the cook", "blamed the weather", "enjoyed the music", "disliked the noise",
)  # fmt: skip
"""How a prompt goes on, whoever it is about: as many pleasant as unpleasant, and some neither."""


def prompts() -> list[str]:
    """Every prompt of the continuation suite, filled."""
    suite = load_suite("continuation")
    return [item.text for item in expand(suite, lexicons_of(suite))]


def words(texts: Iterator[str]) -> list[str]:
    """Every word and sign of the grammar, lower-cased, in alphabetical order."""
    import re

    found: set[str] = set()
    for text in texts:
        found.update(re.findall(r"\w+|[^\w\s]", text.lower()))
    return sorted(found)


def vocabulary() -> list[str]:
    """The words of all sentences, answers, prompts and endings of both editions."""

    def texts() -> Iterator[str]:
        for context in contexts("fair"):
            yield context.text.replace(ANSWER, " ")
            yield from context.answers
        yield from prompts()
        yield from ENDINGS
        yield "."

    return words(texts())
