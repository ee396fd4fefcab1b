"""Everything that is decided before the first question, as plain data with one hash.

A plan embeds its suites and lexicons whole, so that a bundle can be analysed again years later without
the project's files, and it names each model by digest. It holds no time and no machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from audit.bundle import FORMAT
from audit.hypotheses import Hypothesis, declare, hypothesis_from_json
from audit.measures import MEASURES, Measure, decoding_from_json
from audit.models import LoadOptions, identify
from audit.models.base import Model
from audit.requests import SuiteRequest, digest
from audit.scorers.base import Construct
from audit.scorers.judge import Judges, Kept
from audit.scorers.masking import group_words
from audit.scorers.planned import PlannedScorer, planned_from_json
from audit.scorers.registry import SCORERS
from audit.scorers.wishes import decided, wish_faults
from audit.spec import AuditSpec, SuiteChoice
from audit.work import seconds, seconds_of
from probes import Item, Lexicon, Margin, Sampling, Suite, expand, lexicon_from_data, suite_from_data
from probes.errors import AuditFileError, BundleError, Fault


@dataclass(frozen=True)
class PlannedModel:
    """A model as the plan holds it; ``parameters`` is None where only loading could tell."""

    id: str
    digest: str
    kind: str
    capabilities: frozenset[str]
    parameters: int | None


def planned_model(model: str | Model, options: LoadOptions) -> PlannedModel:
    """A model by name, identified by its files without being loaded, or an object as it describes itself."""
    if isinstance(model, str):
        facts = identify(model, options)
        return PlannedModel(facts.id, facts.digest, facts.kind, facts.capabilities, facts.parameters)
    told = model.describe()
    return PlannedModel(
        model.id, model.digest, told.get("kind", "python"), model.capabilities, told.get("parameters")
    )


@dataclass(frozen=True)
class PlannedSuite:
    """A suite as the plan holds it, rebuilt; ``scorers`` and ``named`` as in ``audit.spec.SuiteChoice``."""

    suite: Suite
    lexicons: Mapping[str, Lexicon]
    sampling: Sampling
    margin: Margin
    items: tuple[Item, ...]
    scorers: tuple[PlannedScorer, ...] = ()
    named: tuple[str, ...] = ()

    @cached_property
    def measure(self) -> Measure:
        """The suite's measure, as the plan's scorers read it."""
        return MEASURES[self.suite.measure].with_scorers(self.scorers)

    def judges(self, kept: Kept) -> Judges:
        """The measure's scorers over some answers."""
        return Judges(self.measure.planned, kept, self.named)

    @property
    def probe_terms(self) -> set[str]:
        """The terms of the probe arm that are asked about."""
        return {item.term for item in self.items if item.arm == "probe"}


@dataclass(frozen=True)
class Question:
    """One item put to one model in one form.

    Where continuations are sampled in several settings, ``setting`` names the one of this question and
    ``first_sample`` is the number that its first sample has among all of the item's.
    """

    item: Item
    request: SuiteRequest
    digest: str
    setting: str = ""
    first_sample: int = 0


def make_plan(spec: AuditSpec) -> dict[str, Any]:
    """Decide everything: which items, in which form, and every hypothesis with its family.

    A suite in none of the forms that a model can answer is listed under ``not_measurable`` with the
    reason, and the rest goes on.

    Raises
    ------
    InputError
        If a model or suite cannot be used at all.
    """
    facts = [planned_model(model, spec.load) for model in spec.models]
    _refuse_twins(facts)
    suites = [plan_suite(choice) for choice in spec.suites]
    asks, not_measurable, hypotheses = [], [], []
    for model in facts:
        for planned in suites:
            suite = planned.suite
            form = next((form for form in suite.forms if form in model.capabilities), None)
            if form is None:
                can = ", ".join(sorted(model.capabilities)) or "nothing"
                reason = f"the suite asks in the form {' or '.join(suite.forms)}; the model answers {can}"
                not_measurable.append({"model": model.id, "suite": suite.id, "reason": reason})
                continue
            asks.append({"model": model.id, "suite": suite.id, "form": form, "items": len(planned.items)})
            hypotheses += declare(model.id, suite, planned.lexicons, planned.probe_terms)
    if not asks:
        lines = [
            Fault(f"{row['suite']} cannot be asked of {row['model']}: {row['reason']}", "", "")
            for row in not_measurable
        ]
        raise AuditFileError([*lines, Fault("nothing is left to ask", "", "Choose other suites or models.")])
    scorers = plan_scorers(spec, {planned.suite.id: planned for planned in suites}, asks)
    plan = {
        "format": FORMAT,
        "title": spec.title,
        "alpha": spec.alpha,
        "seed": spec.seed,
        "decoding": spec.decoding.to_json(),
        "load": spec.load.to_json(),
        "models": [{**asdict(model), "capabilities": sorted(model.capabilities)} for model in facts],
        "lexicons": {lexicon.digest: lexicon.data for p in suites for lexicon in p.lexicons.values()},
        "suites": [
            {
                "id": planned.suite.id,
                "digest": planned.suite.digest,
                "data": planned.suite.data,
                "lexicons": {name: lexicon.digest for name, lexicon in planned.lexicons.items()},
                "sampling": asdict(planned.sampling),
                "margin": asdict(planned.margin),
            }
            for planned in suites
        ],
        "asks": asks,
        "not_measurable": not_measurable,
        "hypotheses": [asdict(hypothesis) for hypothesis in hypotheses],
        "correction": {"confirmatory": "max-t", "exploratory": "benjamini-hochberg"},
    }
    if scorers:
        plan["scorers"] = [scorer.to_json() for scorer in scorers]
    if spec.until_decided:
        from audit.sequential.plan import section

        if len(spec.decoding.each()) > 1:
            what = "several decoding settings and until_decided, which asks in one setting only"
            raise AuditFileError(Fault(what, "", "Leave out one of the two."))
        rebuilt = {planned.suite.id: replace(planned, scorers=tuple(scorers)) for planned in suites}
        plan["sequential"] = section(plan, rebuilt, spec.until_decided.max_units)
    return plan


def plan_scorers(
    spec: AuditSpec, suites: Mapping[str, PlannedSuite], asks: Sequence[Mapping[str, Any]]
) -> list[PlannedScorer]:
    """What scores the text that is asked for, construct by construct in the order of the suites.

    Raises
    ------
    AuditFileError
        With everything that is wrong with the scorers that the auditor names.
    """
    faults = wish_faults(spec.scorers, {planned.measure.construct for planned in suites.values()})
    if faults:
        raise AuditFileError(faults)
    asked = dict.fromkeys(suites[ask["suite"]].measure.construct for ask in asks)
    return decided(spec.scorers, [construct for construct in asked if construct], spec.load)


def plan_suite(choice: SuiteChoice) -> PlannedSuite:
    """A chosen suite with its items."""
    items = tuple(expand(choice.suite, choice.lexicons, choice.sampling))
    return PlannedSuite(
        choice.suite, choice.lexicons, choice.sampling, choice.margin, items, choice.scorers, choice.named
    )


def planned_suites(plan: Mapping[str, Any]) -> dict[str, PlannedSuite]:
    """The plan's suites, rebuilt from the plan alone.

    Raises
    ------
    BundleError
        If the plan is not as this program writes it.
    """
    with strange_plans():
        return {name: plan_suite(choice) for name, choice in declared_suites(plan).items()}


def declared_suites(plan: Mapping[str, Any]) -> dict[str, SuiteChoice]:
    """The plan's suites with their lexicons, samples and margins, for who needs none of their items.

    Raises
    ------
    BundleError
        If the plan is not as this program writes it.
    """
    with strange_plans():
        return _declared_suites(plan)


@contextmanager
def strange_plans() -> Iterator[None]:
    """Name what is wrong with a plan of which a part is not of its kind."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        what = f"not as evenhand writes a plan ({type(error).__name__}: {error})"
        raise BundleError(Fault(what, "plan.json", "Restore the file from a copy.")) from None


def _declared_suites(plan: Mapping[str, Any]) -> dict[str, SuiteChoice]:
    rebuilt = {}
    lexicons = {
        key: lexicon_from_data(data, f"plan.json: lexicon {data['id']}")
        for key, data in plan["lexicons"].items()
    }
    named = tuple(sorted(group_words(lexicons.values())))
    scorers = tuple(planned_scorers(plan))
    asked = {ask["suite"] for ask in plan["asks"]}
    for entry in plan["suites"]:
        suite = suite_from_data(entry["data"], f"plan.json: suite {entry['id']}")
        own = {name: lexicons[key] for name, key in entry["lexicons"].items()}
        sampling, margin = Sampling(**entry["sampling"]), Margin(**entry["margin"])
        chosen = rebuilt[suite.id] = SuiteChoice(suite, own, sampling, margin, scorers, named)
        if chosen.measure.construct and not chosen.measure.planned and suite.id in asked:
            what = f"names no scorer of {chosen.measure.construct}, which suite {suite.id} needs"
            raise BundleError(Fault(what, "plan.json", "Restore the file from a copy."))
    return rebuilt


def load_options(plan: Mapping[str, Any]) -> LoadOptions:
    """How a plan has its models loaded."""
    with strange_plans():
        return LoadOptions(**plan["load"])


def measures_of(plan: Mapping[str, Any]) -> dict[str, Measure]:
    """Every measure that this program knows, by name, as the plan's scorers read it."""
    scorers = planned_scorers(plan)
    return {name: measure.with_scorers(scorers) for name, measure in MEASURES.items()}


def planned_scorers(plan: Mapping[str, Any]) -> list[PlannedScorer]:
    """The scorers that a plan names, the primary one of each construct first; none in older plans."""
    return [planned_from_json(entry) for entry in plan.get("scorers", ())]


def hypotheses_of(plan: Mapping[str, Any]) -> list[Hypothesis]:
    """The plan's hypotheses."""
    return [hypothesis_from_json(data) for data in plan["hypotheses"]]


def questions(
    plan: Mapping[str, Any], model: str, suites: Mapping[str, PlannedSuite] | None = None
) -> Iterator[Question]:
    """Every item put to a model whole, with its request, in the plan's order.

    Where a plan asks until decided, generated text about groups is not among it but drawn unit by unit
    (``audit.sequential.plan``); the invented words are.
    """
    rebuilt = planned_suites(plan) if suites is None else suites
    decoding = decoding_from_json(plan["decoding"])
    settings = [
        (name, number * decoding.stride, one) for number, (name, one) in enumerate(decoding.each().items())
    ]
    for ask in plan["asks"]:
        if ask["model"] != model:
            continue
        planned = rebuilt[ask["suite"]]
        measure = planned.measure
        drawn = bool(plan.get("sequential")) and ask["form"] == "generate"
        for item in planned.items:
            if drawn and item.arm == "probe":
                continue
            for name, first, one in settings if ask["form"] == "generate" else [("", 0, decoding)]:
                request = measure.ask(item, ask["form"], one)
                yield Question(item, request, digest(request), name, first)


def unique_requests(asked: Iterable[Question]) -> list[SuiteRequest]:
    """The requests to make: each once, in order of first need."""
    return list({question.digest: question.request for question in asked}.values())


def estimate_cost(plan: Mapping[str, Any], rate: Callable[[], float]) -> list[dict[str, Any]]:
    """Requests and seconds per model and asked scorer, estimated without asking anything, at most.

    At most: a rule may stop the asking, equal texts are scored once, and a scorer's own audit is made once.

    Parameters
    ----------
    rate : callable
        Gives this machine's speed in floating-point operations a second.

    Notes
    -----
    See :func:`audit.work.seconds`. Expect a factor of two either way.
    """
    suites = planned_suites(plan)
    speed = rate()
    from audit.scorers.own_audit import texts_asked
    from audit.sequential.plan import most_questions
    from probes.frames import frames_for

    rows = []
    written: Counter[Construct | None] = Counter()
    for model in plan["models"]:
        asked = [*questions(plan, model["id"], suites), *most_questions(plan, suites, model["id"])]
        requests = unique_requests(asked)
        for question in {question.digest: question for question in asked}.values():
            if question.request.form == "generate":
                written[suites[question.item.suite].measure.construct] += question.request.samples
        took = seconds(requests, model["parameters"], speed)
        rows.append({"model": model["id"], "requests": len(requests), "seconds": took})
    tokens = plan["decoding"]["max_new_tokens"]
    for scorer in planned_scorers(plan):
        if scorer.model is None:
            continue
        of_ours = texts_asked(frames_for(scorer.construct), scorer.construct)
        asked_of = {scorer.name: written[scorer.construct], f"{scorer.name}, its own audit": of_ours}
        parameters = scorer.model["parameters"]
        for name, texts in asked_of.items():
            took = seconds_of(texts, tokens * texts, parameters, speed)
            if scorer.name in SCORERS:
                took = texts / TEXTS_A_SECOND
            rows.append({"model": name, "requests": texts, "seconds": took})
    return rows


TEXTS_A_SECOND = 5_000
"""Short texts that every linear or lexicon scorer which comes with the instrument scores in a second."""


def _refuse_twins(facts: Sequence[PlannedModel]) -> None:
    ids = [model.id for model in facts]
    twins = sorted({model_id for model_id in ids if ids.count(model_id) > 1})
    if twins:
        raise AuditFileError([Fault(f"model {twin!r} is named twice", "", "Name it once.") for twin in twins])
