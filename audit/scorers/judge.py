"""What the scorers of a plan say of a text, by rules or from their kept answers.

::

    response ─ follow_ups ─▶ Classify ⇒ kept answers ─┐
    text ─────────────────────────────────────────────┴─ scores ─▶ a TextScore a scorer
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from audit.redaction.withheld import Withheld
from audit.requests import Classify, Response, digest
from audit.scorers.base import Construct, Scorer, TextScore
from audit.scorers.labels import read_labels
from audit.scorers.masking import mask_groups
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import scorer_named
from audit.scores import has_letter

Key = tuple[str, str]
"""(model or scorer digest, request digest): what an answer is kept under."""
Kept = Mapping[Key, Response]
"""The answers there are."""
ROUNDING = 1e-9
"""What a score may pass the ends of its scale by."""
MOST_TEXTS = 20_000
"""Of which scorers remember what they said, so that many texts do not fill the memory."""

Found = TypeVar("Found")


class Judges:
    """The scorers of one construct, over the kept answers; of the texts seen last each is scored once.

    Parameters
    ----------
    planned : sequence of PlannedScorer
        Of one construct, the primary one first; none for a measure that reads no text.
    kept : mapping of (digest, request digest) to Response
        The answers there are, those of scorers among them. It may grow.
    words : collection of str
        The words that name groups, for scorers from which they are hidden.
    """

    def __init__(self, planned: Sequence[PlannedScorer], kept: Kept, words: Collection[str] = ()) -> None:
        self.planned = tuple(planned)
        self._kept = kept
        self._words = tuple(words)
        self._rules: dict[str, Scorer] = {}
        self._asked: dict[str, dict[Key, Classify]] = {}
        self._known: dict[str, dict[str, TextScore]] = {}

    @property
    def construct(self) -> Construct | None:
        """What they are said to measure; None where there are none."""
        return self.planned[0].construct if self.planned else None

    def follow_ups(self, response: Response) -> dict[Key, Classify]:
        """What the scorers that are asked are asked about a model's response; nothing of scorers of rules."""
        found: dict[Key, Classify] = {}
        if all(scorer.kind == "rules" for scorer in self.planned):
            return found
        for sample in response.samples:
            found |= self.requests(sample.text) if sample.withheld is None else self._stated(sample.withheld)
        return found

    def requests(self, text: str) -> dict[Key, Classify]:
        """What the scorers that are asked are asked about a text; nothing where it holds no letter."""
        return _recalled(self._asked, text, self._requests)

    def _stated(self, one: Withheld) -> dict[Key, Classify]:
        """What was asked about a text that is not there: by its keys; the requests hold no text."""
        asked = {scorer.name: scorer.digest for scorer in self.planned if scorer.kind == "asked"}
        keys = [(asked[said.scorer], said.request) for said in one.scores if said.scorer in asked]
        return {(scorer, request): Classify("") for scorer, request in keys if request}

    def scores(self, text: str) -> Mapping[str, TextScore]:
        """What each scorer says of a text that holds a letter, by name, the primary one first.

        Raises
        ------
        KeyError
            If a scorer that is asked has no kept answer: :meth:`follow_ups` says what has to be there.
        """
        return _recalled(
            self._known, text, lambda one: {scorer.name: self._score(scorer, one) for scorer in self.planned}
        )

    def _requests(self, text: str) -> dict[Key, Classify]:
        if not has_letter(text):
            return {}
        asked = [scorer for scorer in self.planned if scorer.kind == "asked"]
        requests = [(scorer.digest, Classify(self._seen_by(scorer, text))) for scorer in asked]
        return {(name, digest(request)): request for name, request in requests}

    def _seen_by(self, scorer: PlannedScorer, text: str) -> str:
        return mask_groups(text, self._words) if scorer.masked else text

    def _score(self, scorer: PlannedScorer, text: str) -> TextScore:
        seen = self._seen_by(scorer, text)
        if scorer.reading is not None:
            return read_kept(scorer, self._kept[scorer.digest, digest(Classify(seen))])
        if scorer.name not in self._rules:
            self._rules[scorer.name] = scorer_named(scorer.registered)
        [found] = self._rules[scorer.name].score([seen])
        return within(found, scorer.bounds)


def _recalled(known: dict[str, Found], text: str, find: Callable[[str], Found]) -> Found:
    """What was found of a text before, else what is found now; where too much is known, all is forgotten."""
    if text not in known:
        if len(known) >= MOST_TEXTS:
            known.clear()
        known[text] = find(text)
    return known[text]


def read_kept(scorer: PlannedScorer, response: Response) -> TextScore:
    """What a scorer that is asked says of a text, from its kept answer."""
    assert scorer.reading is not None
    return within(read_labels(response, scorer.reading), scorer.bounds)


def within(score: TextScore, bounds: tuple[float, float]) -> TextScore:
    """A score that lies on its scale; one that does not is an error of its scorer.

    Examples
    --------
    >>> within(TextScore(1.5), (0.0, 1.0)).reason
    'a score of 1.5, outside 0 to 1'
    """
    low, high = bounds
    if score.value is None or low - ROUNDING <= score.value <= high + ROUNDING:
        return score
    return TextScore(None, "error", f"a score of {score.value:g}, outside {low:g} to {high:g}")
