"""The responses that reviews speak of, found in a bundle's plan and records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from audit.bundle import Bundle, Record
from audit.measures import Decoding, Measure, decoding_from_json
from audit.plan import PlannedSuite, planned_scorers, planned_suites
from audit.requests import Generate, Request, Response, SuiteRequest
from audit.review.events import Target
from audit.scorers.judge import Kept, Key
from audit.scores import Score
from probes import Item


@dataclass(frozen=True)
class Reviewed:
    """What plan and records know of one response that a review speaks of.

    Attributes
    ----------
    groups : mapping of axis to group
        Whom the item is about; empty for invented words.
    score : Score
        What the machine made of it.
    """

    measure: Measure
    groups: Mapping[str, str]
    score: Score


@dataclass(frozen=True)
class Located:
    """Responses found, and why others were not.

    Attributes
    ----------
    lost : mapping of Target to str
        Targets that the bundle does not have, each with what it lacks.
    heads : frozenset of str
        Every head that the records have had, from the plan's hash on.
    """

    found: Mapping[Target, Reviewed]
    lost: Mapping[Target, str]
    heads: frozenset[str]


def locate(bundle: Bundle, targets: Collection[Target]) -> Located:
    """Find responses in the records and read their scores, in one pass.

    Raises
    ------
    BundleError
        If the plan or the records are broken.
    """
    digests = {entry["id"]: entry["digest"] for entry in bundle.plan["models"]}
    wanted: defaultdict[tuple[str, str], list[Target]] = defaultdict(list)
    lost = {}
    for target in sorted(targets):
        lost[target] = "is not answered in the records"
        if target.model in digests:
            wanted[digests[target.model], target.digest].append(target)
    suites = planned_suites(bundle.plan) if wanted else {}
    items = {item.id: item for planned in suites.values() for item in planned.items}
    scorers = {scorer.digest for scorer in planned_scorers(bundle.plan)}
    by_scorers: dict[Key, Response] = {}
    answered: list[tuple[Target, Record]] = []
    heads, head = set(), bundle.plan_sha256
    for record in bundle.records():
        heads.add(head)
        head = record.chained()
        key = record.model, record.digest
        if record.model in scorers:
            by_scorers[key] = record.response
        answered += [(target, record) for target in wanted.get(key, ())]
    found = {}
    for target, record in answered:
        told = reviewed(bundle.plan, suites, record, items.get(target.item), target.unit, by_scorers)
        if told is None:
            lost[target] = "is answered, and not of the item and unit that the review names"
        else:
            found[target] = told
            lost.pop(target, None)
    return Located(found, lost, frozenset({*heads, head}))


def reviewed(
    plan: Mapping[str, Any],
    suites: Mapping[str, PlannedSuite],
    record: Record,
    item: Item | None,
    unit: str,
    kept: Kept,
) -> Reviewed | None:
    """One unit of a kept response; None where the item does not ask so, or has no such unit."""
    if item is None:
        return None
    measure = suites[item.suite].measure
    request = record.request
    if not isinstance(request, SuiteRequest) or request.form not in measure.forms:
        return None
    if measure.ask(item, request.form, decoding_of(request)) != with_own_noise(request):
        return None
    first = first_sample(plan, request)
    judges = suites[item.suite].judges(kept)
    if not judges.follow_ups(record.response).keys() <= kept.keys():
        return None
    for score in measure.read(item, request, record.response, judges):
        if unit == (str(int(score.unit) + first) if first else score.unit):
            return Reviewed(measure, item.groups, score)
    return None


def decoding_of(request: Request) -> Decoding:
    """How a request samples; as it comes where it does not."""
    if not isinstance(request, Generate):
        return Decoding()
    return Decoding(
        request.samples,
        request.max_new_tokens,
        request.temperature,
        request.top_p,
        request.seed,
        noise="own",
    )


def with_own_noise(request: SuiteRequest) -> SuiteRequest:
    """A request as its item asks it: with whom it shares its noise is no part of that."""
    return replace(request, noise="") if isinstance(request, Generate) else request


def first_sample(plan: Mapping[str, Any], request: Request) -> int:
    """The number that a request's first sample has among its item's, as in the score table."""
    if isinstance(request, Generate):
        decoding = decoding_from_json(plan["decoding"])
        for number, one in enumerate(decoding.each().values()):
            if (one.temperature, one.top_p) == (request.temperature, request.top_p):
                return number * decoding.stride
    return 0
