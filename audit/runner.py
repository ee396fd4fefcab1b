"""Asks what the plan says, keeps every answer, and can be stopped at any moment.

Requests go to a model in blocks (``audit.blocks``), cut at fixed places of the plan, and a block's answers
are on disk before the next block is asked. A run that was killed takes up at the first block without all its
answers; nothing is asked twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.answers import LARGEST_LOGPROB, checked
from audit.blocks import blocks
from audit.bundle import Bundle, RecordWriter
from audit.kept_lines import KeptLines
from audit.models.base import Model, Paced
from audit.models.scripted import PlantedModel
from audit.plan import load_options, planned_scorers, planned_suites, questions, unique_requests
from audit.progress import Pace, watched
from audit.progress import Progress as Progress
from audit.progress import Silent as Silent
from audit.requests import Classify, Request, Response, digest
from audit.scored import asked_about
from audit.scorers.judge import Key
from audit.scorers.planned import PlannedScorer
from audit.scorers.wishes import answering
from audit.sequential.streams import FamilyStreams, model_streams
from audit.table import suite_judges
from audit.wording import counted
from probes.errors import Fault, ModelError


@dataclass(frozen=True)
class RunCounts:
    """What a run did: answers that were there, asked, and taken over from earlier bundles.

    ``pass_tokens`` says, for each model that was loaded and computes here, how many tokens one forward pass
    held at most in the end; fewer than at first where memory ran out.
    """

    kept: int
    asked: int
    reused: int
    seconds: Mapping[str, float]
    pass_tokens: Mapping[str, int] = field(default_factory=dict)


Earlier = Mapping[Key, tuple[Response, str]]
"""(model digest, request digest) to the answer and the hash of its record."""


class EarlierAnswers(Earlier):
    """Answers of earlier bundles, their chains checked; a redacted one is no answer to take over.

    Of two answers to one request the first counts.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._answers = KeptLines()
        self._hashes: dict[Key, str] = {}
        for folder in folders:
            for placed in Bundle(folder).placed():
                record = placed.record
                if record.redacted is None and (record.model, record.digest) not in self._hashes:
                    key = self._answers.put(record, placed.path, placed.offset, len(placed.line))
                    self._hashes[key] = placed.sha256

    def __getitem__(self, key: Key) -> tuple[Response, str]:
        return self._answers[key], self._hashes[key]

    def __contains__(self, key: object) -> bool:
        return key in self._hashes

    def __iter__(self) -> Iterator[Key]:
        return iter(self._hashes)

    def __len__(self) -> int:
        return len(self._hashes)


def run_plan(
    bundle: Bundle,
    load: Callable[[str], Model],
    *,
    reuse: Sequence[Path] = (),
    progress: Progress | None = None,
    scorer: Callable[[PlannedScorer], Model] | None = None,
) -> RunCounts:
    """Ask everything in the plan that has no answer yet: the models, then the scorers about their texts.

    Parameters
    ----------
    load : callable
        Model id to model. Called only for models of which something is left to ask; one model is held at a
        time. Where a plan asks until decided, its scorers are held beside it.
    reuse : sequence of Path
        Earlier bundles, whose answers to identical requests of the same model are taken over.
    scorer : callable, optional
        Planned scorer to what answers for it, called in the same way; by default it is loaded by its name.

    Raises
    ------
    ModelError
        If a model or scorer is no longer the one in the plan.
    BundleError
        If the disk is full, or the records there are broken.
    """
    options = load_options(bundle.plan)
    with bundle.writer() as writer:
        asking = PlanRun(
            bundle.plan,
            writer,
            EarlierAnswers(reuse),
            load,
            scorer or (lambda planned: answering(planned, options)),
            progress or Silent(),
        )
        for entry in bundle.plan["models"]:
            asking.model(entry)
        asking.scorers()
    return asking.counts()


class PlanRun:
    """One run through a plan: each model in turn, then each scorer that is asked."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        writer: RecordWriter,
        earlier: Earlier,
        load: Callable[[str], Model],
        scorer: Callable[[PlannedScorer], Model],
        progress: Progress,
    ) -> None:
        self.plan = plan
        self.writer = writer
        self.earlier = earlier
        self.load = load
        self.progress = progress
        self.suites = planned_suites(plan)
        self._judges = suite_judges(self.suites, writer.answered)
        self._done: list[ModelRun] = []
        asked = {one.digest: one for one in planned_scorers(plan) if one.kind == "asked"}
        self._scorers = {
            key: ModelRun(
                {"id": one.name, "digest": key}, writer, earlier, self._loads(scorer, one), Silent()
            )
            for key, one in asked.items()
        }

    def model(self, entry: Mapping[str, Any]) -> None:
        """Ask one model everything; it is let go afterwards."""
        requests = unique_requests(questions(self.plan, entry["id"], self.suites))
        families = model_streams(self.plan, self.suites, entry)
        at_most = len(requests) + sum(family.most_requests for family in families)
        runner = ModelRun(entry, self.writer, self.earlier, self.load, self.progress)
        runner.begin(requests, at_most)
        started = time.monotonic()
        runner.blocks(requests)
        runner.until_decided(families, self._ask_scorers)
        self.progress.advance(max(0, at_most - runner.answered))  # what the rule made needless
        runner.seconds = time.monotonic() - started
        runner.let_go()
        self._done.append(runner)

    def scorers(self) -> None:
        """Ask the scorers about every text that the models wrote, one scorer after another."""
        wanted: dict[Key, Classify] = {}
        for entry in self.plan["models"] if self._scorers else ():
            for question in questions(self.plan, entry["id"], self.suites):
                wanted |= asked_about(question, entry["digest"], self._judges, self.writer.answered) or {}
        for key, runner in self._scorers.items():
            requests = [request for (name, _), request in wanted.items() if name == key]
            runner.progress = self.progress
            runner.begin(requests, len(requests))
            started = time.monotonic()
            runner.blocks(requests)
            runner.seconds += time.monotonic() - started
            runner.let_go()
            self._done.append(runner)

    @staticmethod
    def _loads(scorer: Callable[[PlannedScorer], Model], planned: PlannedScorer) -> Callable[[str], Model]:
        return lambda _: scorer(planned)

    def counts(self) -> RunCounts:
        """What was done in all."""
        return RunCounts(
            kept=sum(runner.kept for runner in self._done),
            asked=sum(runner.asked for runner in self._done),
            reused=sum(runner.reused for runner in self._done),
            seconds={
                runner.entry["id"]: runner.seconds for runner in self._done if runner.asked or runner.reused
            },
            pass_tokens={
                runner.entry["id"]: runner.pass_tokens for runner in self._done if runner.pass_tokens
            },
        )

    def _ask_scorers(self, requests: Mapping[Key, Classify]) -> None:
        """Ask the scorers about the texts of one batch, while their model waits."""
        for key, runner in self._scorers.items():
            started = time.monotonic()
            runner.blocks([request for (name, _), request in requests.items() if name == key])
            runner.seconds += time.monotonic() - started


class ModelRun:
    """Asks one model, loaded only when an answer is missing."""

    def __init__(
        self,
        entry: Mapping[str, Any],
        writer: RecordWriter,
        earlier: Earlier,
        load: Callable[[str], Model],
        progress: Progress,
    ) -> None:
        self.entry = entry
        self.writer = writer
        self.earlier = earlier
        self.load = load
        self.progress = progress
        self.kept = 0
        self.asked = 0
        self.reused = 0
        self.seconds = 0.0
        self.pass_tokens: int | None = None
        self._pace = Pace(progress)
        self._model: Model | None = None

    @property
    def answered(self) -> int:
        """Requests that have their answers by now."""
        return self.kept + self.asked + self.reused

    def begin(self, requests: Sequence[Request], at_most: int) -> None:
        """Start the bar of a turn that asks these requests first, and in all at most so many."""
        self._pace = Pace(self.progress, requests if len(requests) == at_most else None)
        there = self._pace.worth(request for request in requests if self.has(request))
        self.progress.start(self.entry["id"], at_most, there)

    def let_go(self) -> None:
        """Hold the model no longer, so that there is room for the next one."""
        self._model = None

    def has(self, request: Request) -> bool:
        """Whether an answer is on disk."""
        return (self.entry["digest"], digest(request)) in self.writer.answered

    def blocks(self, requests: Sequence[Request]) -> int:
        """Answer requests, block by block; gives how many had their answers already."""
        missing = [request for request in requests if not self.has(request)]
        there = len(requests) - len(missing)
        if missing:
            fresh = any((self.entry["digest"], digest(request)) not in self.earlier for request in missing)
            for block in blocks(requests, block_tokens(self.model()) if fresh else None):
                self.block(block)
        self.kept += there
        return there

    def until_decided(
        self, families: Sequence[FamilyStreams], judge: Callable[[Mapping[Key, Classify]], None]
    ) -> None:
        """Ask a batch of units of every family that is not decided, until all are or reach the horizon.

        ``judge`` has the scorers asked about what was written, on which the next decision rests.
        """
        while batches := [(family, batch) for family in families if (batch := family.next_batch())]:
            wanted = [question for _, batch in batches for unit in batch for question in unit.questions]
            self.progress.advance(self.blocks(unique_requests(wanted)))
            for family, batch in batches:
                judge(family.follow_ups(batch, self.writer.answered))
                family.take(batch, self.writer.answered)

    def block(self, requests: Sequence[Request]) -> None:
        """Answer one block: from earlier bundles where they have it, else by asking."""
        model_digest = self.entry["digest"]
        missing = [r for r in requests if (model_digest, digest(r)) not in self.writer.answered]
        if not missing:
            return
        fresh = [r for r in missing if (model_digest, digest(r)) not in self.earlier]
        with self._pace.block(missing):
            answers = {digest(r): (response, "") for r, response in self.ask(fresh)}
            for request in missing:
                key = digest(request)
                if key not in answers:
                    answers[key] = self.earlier[model_digest, key]
            self.writer.append([(model_digest, r, *answers[digest(r)]) for r in missing])
        self.asked += len(fresh)
        self.reused += len(missing) - len(fresh)

    def ask(self, requests: Sequence[Request]) -> list[tuple[Request, Response]]:
        """Each request with its answer, checked, so that nothing malformed is kept for good."""
        if not requests:
            return []
        model = self.model()
        with watched(model, self._pace):
            responses = model.ask(requests)
        self._watch(model)
        if len(responses) != len(requests):
            given, asked = counted(len(responses), "answer"), counted(len(requests), "request")
            raise ModelError(
                Fault(
                    f"model {self.entry['id']!r} gave {given} to {asked}",
                    "",
                    "Mend the model: an answer a request, in order.",
                )
            )
        largest = math.inf if isinstance(model, PlantedModel) else LARGEST_LOGPROB
        return [(r, checked(r, response, largest)) for r, response in zip(requests, responses, strict=True)]

    def _watch(self, model: Model) -> None:
        """Say so where memory ran out since the last block."""
        if not isinstance(model, Paced):
            return
        if self.pass_tokens is not None and model.pass_tokens < self.pass_tokens:
            told = f"memory ran out; {counted(model.pass_tokens, 'token')} a pass from here on"
            self.progress.say(f"{self.entry['id']}: {told}, where there were {self.pass_tokens:,}")
        self.pass_tokens = model.pass_tokens

    def model(self) -> Model:
        """The model, checked against the plan."""
        if self._model is None:
            model = self.load(self.entry["id"])
            if model.digest != self.entry["digest"]:
                raise ModelError(
                    Fault(
                        f"model {self.entry['id']!r} is no longer the one in the plan: its digest is "
                        f"{model.digest[:12]}, the plan says {self.entry['digest'][:12]}",
                        "",
                        "Restore the model's files, or start a new audit in another folder.",
                    )
                )
            self._model = model
            self.pass_tokens = model.pass_tokens if isinstance(model, Paced) else None
        return self._model


def block_tokens(model: Model) -> int | None:
    """How much work is a block for a model; None where it does not say."""
    return model.block_tokens if isinstance(model, Paced) else None
