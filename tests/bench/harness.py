"""Rounds in which our side and its peers take turns, and what is concluded from them.

Nothing here knows of models: a side is anything that answers calls with the seconds they took.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.bench.rpc import SideError

Part = dict[str, Any]
Record = dict[str, Any]

OURS = "evenhand"
MET, MISSED, INVALID, NOT_MEASURED = "met", "missed", "invalid", "not measured"

QUIET = 0.7
"""A round before or after which bare matrix products are slower than this share of the fastest of the run is
another program's noise. It is done again."""


class Side(Protocol):
    """One that does the work, such as :class:`tests.bench.rpc.Remote`."""

    def call(self, method: str, **arguments: Any) -> tuple[float, Any]:
        """Seconds that a method took, and what it gave."""
        ...


@dataclass(frozen=True)
class Agreement:
    """Whether two sides found the same.

    ``largest`` is the largest difference in ``unit``; None where nothing could be compared.
    """

    same: bool
    largest: float | None
    unit: str
    note: str = ""


Agree = Callable[[Part, Any, Any], Agreement]


@dataclass(frozen=True)
class Opponent:
    """Somebody else's way to do a task.

    Attributes
    ----------
    side : str
        ``module:Class``.
    settings : sequence
        What its user may choose, best first by experience; the fastest on the trial is the peer.
    target : float or None
        How many times as fast we are to be, at least; None: only told.
    agree : callable
        Compares results of one part; called in every round.
    confirm : callable or None
        ``confirm(side, part, ours)`` has the peer check our result of one part, once.
    timed : str
        What share of the work it does, where it does not do all: its speed is that of this share.
    """

    name: str
    side: str
    settings: Sequence[Any]
    target: float | None
    agree: Agree
    confirm: Callable[[Side, Part, Any], Agreement] | None = None
    timed: str = ""


@dataclass(frozen=True)
class Task:
    """A piece of work that is done side by side.

    Attributes
    ----------
    parts : sequence
        A round does one, in turn.
    trial : part
        A little of the same, on which sides warm up and peers try their settings.
    limit : float or None
        The share of the speed of bare matrix products that is to be reached, at least; None: only told.
    has_products : bool
        Whether such a share has a meaning.
    alike : bool
        Whether all parts need the same operations a unit, so that one is counted.
    """

    id: str
    title: str
    unit: str
    work: str
    ours: str
    model: str
    parts: Sequence[Part]
    trial: Part
    opponents: Sequence[Opponent]
    limit: float | None = None
    has_products: bool = True
    alike: bool = False


def measure(
    task: Task, ours: Side, peers: Mapping[str, Side | str], rounds: int, fastest: float = 0.0
) -> Record:
    """Everything that was measured of a task, ready to be written.

    Parameters
    ----------
    peers : mapping
        By name of the opponent: its side, or why it is not there.
    fastest : float
        The fastest bare matrix products of the run so far, operations a second.

    Raises
    ------
    SideError
        Where our own side fails. Where a peer does, it says so in its place.
    """
    missing = {name: peer for name, peer in peers.items() if isinstance(peer, str)}
    there = {name: peer for name, peer in peers.items() if not isinstance(peer, str)}
    load = [os.getloadavg()[0]]
    flops = _operations(task, ours)
    tried: dict[str, dict[str, float]] = {}
    best: dict[str, Any] = {}
    for opponent in task.opponents:
        if opponent.name in there:
            try:
                best[opponent.name], tried[opponent.name] = _best(opponent, there[opponent.name], task.trial)
            except SideError as error:
                missing[opponent.name] = last_line(error)
    turns = _Turns(task, ours, there, best, missing)
    quiet = turns.take(rounds, fastest)
    done = [turns.done[number] for number in range(rounds)]
    checks = _confirmed(task, there, missing, done)
    load.append(os.getloadavg()[0])
    told = [{name: timing for name, timing in one.items() if name != "results"} for one in done]
    return {
        "task": task.id,
        "title": task.title,
        "unit": task.unit,
        "work": task.work,
        "load": load,
        "rounds": told,
        **quiet,
        "settings": {name: {"best": best[name], "seconds": tried[name]} for name in best},
        "comparisons": [
            _comparison(opponent, told, missing.get(opponent.name), checks.get(opponent.name, []))
            for opponent in task.opponents
        ],
        "limit": _limit(task, told, flops) if task.has_products else None,
    }


def _operations(task: Task, ours: Side) -> list[float]:
    """Operations a unit of every part, counted before anything is timed; our side warms up in it."""
    ours.call("run", part=task.trial)
    if not task.has_products:
        return []
    parts = task.parts[:1] if task.alike else task.parts
    found = [ours.call("counted", part=part)[1] for part in parts]
    each = [one["flops"] / one["done"] for one in found]
    return each * len(task.parts) if task.alike else each


def _best(opponent: Opponent, side: Side, part: Part) -> tuple[Any, dict[str, float]]:
    """The fastest setting, and the seconds a unit of each; the first one is run twice, to warm up."""
    side.call("run", part=part, setting=opponent.settings[0])
    seconds = {}
    for setting in opponent.settings if len(opponent.settings) > 1 else ():
        took, value = side.call("run", part=part, setting=setting)
        seconds[setting] = took / value["done"]
    chosen = min(seconds, key=seconds.__getitem__) if seconds else opponent.settings[0]
    return chosen, {str(setting): each for setting, each in seconds.items()}


@dataclass
class _Turns:
    """The rounds of a task. A peer that fails is put among the missing, and not asked again."""

    task: Task
    ours: Side
    peers: Mapping[str, Side]
    best: Mapping[str, Any]
    missing: Record

    def __post_init__(self) -> None:
        self.done: dict[int, Record] = {}

    def take(self, rounds: int, fastest: float) -> Record:
        """Do all rounds; those of a busy machine again, but not more of them than there are rounds.

        Returns how many were done again, how many are noise all the same, and the fastest products.
        """
        repeated, waiting = 0, list(range(rounds))
        while True:
            products = self.ours.call("probe")[1]
            for number in waiting:
                found = self._round(number)
                found["products"] = [products, products := self.ours.call("probe")[1]]
                self.done[number] = found
            fastest = max(fastest, *(max(one["products"]) for one in self.done.values()))
            busy = [n for n, one in self.done.items() if min(one["products"]) < QUIET * fastest]
            waiting = busy[: rounds - repeated]
            if not waiting:
                return {"repeated": repeated, "busy": len(busy), "fastest": fastest}
            repeated += len(waiting)

    def _round(self, number: int) -> Record:
        """Our side, then each peer: one after the other."""
        part = self.task.parts[number % len(self.task.parts)]
        found: Record = {"part": number % len(self.task.parts), "results": {"part": part}}
        if self.task.has_products:
            found["limit"] = self.ours.call("limit")[1]
        for name in (OURS, *self.best):
            if name in self.missing:
                continue
            try:
                side = self.ours if name == OURS else self.peers[name]
                seconds, value = side.call("run", part=part, setting=self.best.get(name))
            except SideError as error:
                if name == OURS:
                    raise
                self.missing[name] = last_line(error)
                continue
            found[name] = {"seconds": seconds, "done": value["done"]}
            found["results"][name] = value["result"]
        return found


def _confirmed(
    task: Task, peers: Mapping[str, Side], missing: Record, rounds: Sequence[Record]
) -> dict[str, list[Agreement]]:
    """What was compared with each peer; one that cannot confirm is put among the missing."""
    found: dict[str, list[Agreement]] = {}
    for opponent in task.opponents:
        results = [one["results"] for one in rounds if opponent.name in one]
        checks = [opponent.agree(one["part"], one[OURS], one[opponent.name]) for one in results]
        if opponent.confirm and results and opponent.name not in missing:
            try:
                checks.append(opponent.confirm(peers[opponent.name], results[0]["part"], results[0][OURS]))
            except SideError as error:
                missing[opponent.name] = last_line(error)
        found[opponent.name] = checks
    return found


def rate(timing: Mapping[str, float]) -> float:
    """Units a second."""
    return timing["done"] / timing["seconds"]


def spread_of(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def _comparison(
    opponent: Opponent, rounds: Sequence[Record], reason: str | None, checks: Sequence[Agreement]
) -> Record:
    """How many times as fast as a peer, and whether both found the same."""
    told: Record = {"against": opponent.name, "target": opponent.target, "timed": opponent.timed}
    if reason is not None:
        return {**told, "verdict": NOT_MEASURED, "reason": reason}
    ours, theirs = ([rate(one[name]) for one in rounds] for name in (OURS, opponent.name))
    ratio = statistics.median(ours) / statistics.median(theirs)
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    differing = [check for check in checks if not check.same]
    largest: dict[str, float | None] = {}
    for check in checks:
        known = [value for value in (largest.get(check.unit), check.largest) if value is not None]
        largest[check.unit] = max(known) if known else None
    verdict = INVALID if differing or not checks else judged(ratio, opponent.target)
    return {
        **told,
        "verdict": verdict,
        "reason": differing[0].note if differing else "",
        "ours": spread_of(ours),
        "theirs": spread_of(theirs),
        "ratio": ratio,
        "ratio_rounds": spread_of(each),
        "differences": largest,
        "notes": sorted({check.note for check in checks if check.note}),
    }


def _limit(task: Task, rounds: Sequence[Record], flops: Sequence[float]) -> Record:
    """The operations that were executed, as a share of what bare matrix products do in the same time."""
    shares = [flops[one["part"]] * rate(one[OURS]) / one["limit"] for one in rounds]
    share = statistics.median(shares)
    goal = task.limit
    return {
        "flops_a_unit": statistics.mean(flops),
        "limit_flops_s": spread_of([one["limit"] for one in rounds]),
        "share": spread_of(shares),
        "target": goal,
        "verdict": judged(share, goal),
    }


def judged(value: float, target: float | None) -> str | None:
    """Whether a value is as large as it is to be; None where there is no target."""
    return None if target is None else MET if value >= target else MISSED


def last_line(error: Exception) -> str:
    """What an error says at its end."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


def is_sound(records: Sequence[Record]) -> bool:
    """Whether no comparison was made with a wrong result."""
    return not any(one["verdict"] == INVALID for record in records for one in record["comparisons"])
