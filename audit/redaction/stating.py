"""What each scorer of an audit says of a text, as a redacted record states it in the text's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audit.kept import Key
from audit.measures.continuation import said_of
from audit.plan import planned_suites
from audit.redaction.withheld import Stated
from audit.requests import Response
from audit.scorers.judge import Judges, read_kept
from audit.scorers.planned import PlannedScorer
from audit.scorers.registry import scorer_named
from audit.table import suite_judges


class Stating:
    """The scorers of a plan, each text scored once.

    Parameters
    ----------
    judges : iterable of Judges
        Those of each construct, over the same answers.
    kept : mapping
        The answers of the audit, in which those of scorers that were asked are found.

    Attributes
    ----------
    digests : dict of str to str
        Name to digest of every scorer; of one of rules, as it is now.
    """

    def __init__(self, judges: Iterable[Judges], kept: Mapping[Key, Response]) -> None:
        self._judges = list(dict.fromkeys(judges))
        self._kept = kept
        self._known: dict[str, tuple[Stated, ...]] = {}
        planned = [scorer for judges in self._judges for scorer in judges.planned]
        self.digests = {
            scorer.name: scorer.digest if scorer.kind == "asked" else scorer_named(scorer.registered).digest
            for scorer in planned
        }

    @classmethod
    def of(cls, plan: Mapping[str, Any], kept: Mapping[Key, Response]) -> Stating:
        """Those of a plan; where it names none, they are those of its measures."""
        return cls(suite_judges(planned_suites(plan), kept).values(), kept)

    def __call__(self, text: str) -> tuple[Stated, ...]:
        """What each scorer says of a text; of those that are asked, those that were asked about it."""
        if text not in self._known:
            self._known[text] = tuple(stated for judges in self._judges for stated in self._by(judges, text))
        return self._known[text]

    def _by(self, judges: Judges, text: str) -> list[Stated]:
        """What the scorers of one construct say; nothing where one of them was never asked about the text."""
        asked = judges.requests(text)
        if not asked.keys() <= self._kept.keys():
            return []
        requests = dict(asked.keys())  # scorer digest to request digest
        return [
            Stated(name, score.value, score.status, score.reason, requests.get(scorer.digest, ""))
            for scorer, (name, score) in zip(judges.planned, said_of(text, judges).items(), strict=True)
        ]


def answered(scorer: PlannedScorer, request: str, kept: Mapping[Key, Response]) -> Stated | None:
    """What a scorer answered to a request, by its digest; None where it was not asked that."""
    response = kept.get((scorer.digest, request))
    if response is None:
        return None
    score = read_kept(scorer, response)
    return Stated(scorer.name, score.value, score.status, score.reason, request)
