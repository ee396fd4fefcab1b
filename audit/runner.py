"""Asks what the plan says, keeps every answer, and can be stopped at any moment.

Requests go to a model in blocks of fixed size, cut at fixed places of the plan, and a block's answers are
on disk before the next block is asked. A run that was killed takes up at the first request without an
answer; nothing is asked twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audit.answers import LARGEST_LOGPROB, checked
from audit.bundle import Bundle, RecordWriter, sha256
from audit.models.base import Model
from audit.models.scripted import PlantedModel
from audit.plan import planned_suites, questions, unique_requests
from audit.requests import Request, Response, digest
from audit.sequential.streams import FamilyStreams, model_streams
from audit.wording import counted
from probes.errors import Fault, ModelError

BLOCK = 128
"""Requests between two writes: at most this many answers are lost to a kill."""


class Progress(Protocol):
    """Told how far a run has come; the command line draws a bar with the time left."""

    def start(self, model: str, total: int, done: int) -> None:
        """A model's turn begins, with ``done`` of ``total`` requests answered already."""
        ...

    def advance(self, count: int) -> None:
        """``count`` more answers are on disk."""
        ...


class Silent:
    """A :class:`Progress` that shows nothing."""

    def start(self, model: str, total: int, done: int) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class RunCounts:
    """What a run did: answers that were there, asked, and taken over from earlier bundles."""

    kept: int
    asked: int
    reused: int
    seconds: Mapping[str, float]


Earlier = Mapping[tuple[str, str], tuple[Response, str]]
"""(model digest, request digest) to the answer and the hash of its record."""


def earlier_answers(folders: Iterable[Path]) -> dict[tuple[str, str], tuple[Response, str]]:
    """Answers of earlier bundles, their chains checked."""
    found: dict[tuple[str, str], tuple[Response, str]] = {}
    for folder in folders:
        for placed in Bundle(folder).placed():
            record = placed.record
            found.setdefault((record.model, record.digest), (record.response, sha256(placed.line[:-1])))
    return found


def run_plan(
    bundle: Bundle,
    load: Callable[[str], Model],
    *,
    reuse: Sequence[Path] = (),
    progress: Progress | None = None,
) -> RunCounts:
    """Ask everything in the plan that has no answer yet.

    Parameters
    ----------
    load : callable
        Model id to model. Called only for models of which something is left to ask; one model is held at a
        time.
    reuse : sequence of Path
        Earlier bundles, whose answers to identical requests of the same model are taken over.

    Raises
    ------
    ModelError
        If a model is no longer the one in the plan.
    BundleError
        If the disk is full, or the records there are broken.
    """
    shown = progress or Silent()
    earlier = earlier_answers(reuse)
    suites = planned_suites(bundle.plan)
    kept = asked = reused = 0
    seconds: dict[str, float] = {}
    with bundle.writer() as writer:
        for entry in bundle.plan["models"]:
            requests = unique_requests(list(questions(bundle.plan, entry["id"], suites)))
            families = model_streams(bundle.plan, suites, entry)
            at_most = len(requests) + sum(family.most_requests for family in families)
            runner = ModelRun(entry, writer, earlier, load, shown)
            shown.start(entry["id"], at_most, sum(runner.has(request) for request in requests))
            started = time.monotonic()
            runner.blocks(requests)
            runner.until_decided(families)
            answered = runner.kept + runner.asked + runner.reused
            shown.advance(max(0, at_most - answered))  # what the rule made needless
            if runner.asked or runner.reused:
                seconds[entry["id"]] = time.monotonic() - started
            kept += runner.kept
            asked += runner.asked
            reused += runner.reused
    return RunCounts(kept, asked, reused, seconds)


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
        self._model: Model | None = None

    def has(self, request: Request) -> bool:
        """Whether an answer is on disk."""
        return (self.entry["digest"], digest(request)) in self.writer.answered

    def blocks(self, requests: Sequence[Request]) -> int:
        """Answer requests, block by block; gives how many had their answers already."""
        there = sum(self.has(request) for request in requests)
        for start in range(0, len(requests), BLOCK):
            self.block(requests[start : start + BLOCK])
        self.kept += there
        return there

    def until_decided(self, families: Sequence[FamilyStreams]) -> None:
        """Ask a batch of units of every family that is not decided, until all are or reach the horizon."""
        while batches := [(family, batch) for family in families if (batch := family.next_batch())]:
            wanted = [question for _, batch in batches for unit in batch for question in unit.questions]
            self.progress.advance(self.blocks(unique_requests(wanted)))
            for family, batch in batches:
                family.take(batch, self.writer.answered)

    def block(self, requests: Sequence[Request]) -> None:
        """Answer one block: from earlier bundles where they have it, else by asking."""
        model_digest = self.entry["digest"]
        missing = [r for r in requests if (model_digest, digest(r)) not in self.writer.answered]
        if not missing:
            return
        fresh = [r for r in missing if (model_digest, digest(r)) not in self.earlier]
        answers = {digest(r): (response, "") for r, response in self.ask(fresh)}
        for request in missing:
            key = digest(request)
            if key not in answers:
                answers[key] = self.earlier[model_digest, key]
        self.writer.append([(model_digest, r, *answers[digest(r)]) for r in missing])
        self.asked += len(fresh)
        self.reused += len(missing) - len(fresh)
        self.progress.advance(len(missing))

    def ask(self, requests: Sequence[Request]) -> list[tuple[Request, Response]]:
        """Each request with its answer, checked, so that nothing malformed is kept for good."""
        if not requests:
            return []
        model = self.model()
        responses = model.ask(requests)
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
        return self._model
