"""Benchmarks that are programs of their own: two give a figure to the table, the others tell for themselves.

Each takes ``--json FILE``. The file of one with a figure holds an object ``figure`` with ``value``, a number,
and ``sound``, whether the result that it was measured with is right; or the figure is read from what else it
holds.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.harness import INVALID, MET, MISSED, NOT_MEASURED
from tests.bench.rpc import ROOT, thread_variables

Found = Mapping[str, Any]

LONGEST_S = 900
"""Seconds after which a program is ended, and its figure is not measured."""


def as_told(found: Found) -> Found:
    """The figure that a program states itself."""
    figure = found.get("figure")
    if not isinstance(figure, dict):
        raise ValueError("its file holds no figure")
    return figure


ALPHA, PLANTED = 0.05, 2
"""The error rate of all designs; the disparity that the target is about, in margins."""
FIXED, PEER = "fixed", "fixed, 25 "
"""How the names of designs of a fixed size begin, and that of the one that the target is about."""


def fewer_tokens(found: Found) -> Found:
    """How many times as many tokens the fixed design needs at the planted disparity as asking until decided.

    The latter is done as by default, which is the first such design; it must not err more often than chance
    allows at a rate of 5 %, at any disparity.
    """
    if "figure" in found:
        return as_told(found)
    rows = found["rows"]
    at = [row for row in rows if row["size"] == PLANTED]
    fixed = next((row for row in at if row["design"].startswith(PEER)), None)
    ours = next((row for row in at if not row["design"].startswith(FIXED)), None)
    if fixed is None or ours is None:
        raise ValueError(f"its file holds no designs at {PLANTED} margins")
    wrong = max(
        row["wrong"] - 3 * math.sqrt(ALPHA / row["times"]) for row in rows if row["design"] == ours["design"]
    )
    told = [f"{ours['design']}: decided in {ours['decided']:.0%} of {ours['times']} audits"]
    told.append(f"{fixed['design']}: in {fixed['decided']:.0%}")
    interval = ours.get("tokens_interval")
    if interval and all(interval):
        least, most = (fixed["tokens"] / bound for bound in reversed(interval))
        told.insert(0, f"tokens until the verdict: {least:.1f} to {most:.1f} times fewer, 95 %")
    return {"value": fixed["tokens"] / ours["tokens"], "sound": wrong <= ALPHA, "note": "; ".join(told)}


@dataclass(frozen=True)
class Figure:
    """A figure with a target: a ratio of at least so much, or a share of at most so much.

    ``read`` finds it in what the program writes.
    """

    title: str
    against: str
    module: str
    target: float
    is_share: bool = False
    read: Callable[[Found], Found] = as_told

    @property
    def goal(self) -> str:
        return f"≤ {self.target:.0%}" if self.is_share else f"≥ {self.target:g} ×"

    def is_met(self, value: float) -> bool:
        return value <= self.target if self.is_share else value >= self.target


FIGURES: dict[str, Figure] = {
    "verdict": Figure(
        "tokens until the verdict on a disparity of twice the margin, at equal error rates",
        "25 samples for every prompt",
        "tests.bench.bench_verdict",
        5.0,
        read=fewer_tokens,
    ),
    "overhead": Figure(
        "everything but the model, of a CrowS run", "its wall time", "tests.bench.profile_run", 0.05, True
    ),
}
"""By name, as ``--only`` takes them."""

OTHERS: dict[str, str] = {
    "noise": "tests.bench.bench_noise",
    "resampling": "tests.bench.bench_resampling",
    "scorers": "tests.bench.bench_scorers",
    "bundle": "tests.bench.bench_bundle",
    "report": "tests.bench.bench_report",
}
"""Programs without a row of the table, which ``--all`` runs after it."""

POOLED = frozenset({"verdict", "noise"})
"""Those that draw from continuations which a model writes once."""


@dataclass(frozen=True)
class Run:
    """How such programs are run.

    Attributes
    ----------
    folder : Path
        Where their numbers go, ``NAME.json``.
    cache : Path
        Where continuations are kept.
    """

    folder: Path
    cache: Path
    threads: int = 1
    device: str = "cpu"

    def start(self, name: str, module: str, words: Sequence[str] = (), *, shown: bool = False) -> Found:
        """What a program writes; what it prints goes to the screen only where that is asked for.

        Raises
        ------
        RuntimeError
            One line: why it wrote nothing.
        """
        if importlib.util.find_spec(module) is None:
            raise RuntimeError(f"there is no {module}")
        path = self.folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        pool = ("--pool", str(self.cache / "noise-pool")) if name in POOLED else ()
        # A program takes a GPU where there is one.
        hidden = {"CUDA_VISIBLE_DEVICES": ""} if self.device == "cpu" else {}
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, "--json", str(path), *pool, *words],
                cwd=ROOT,
                env={**os.environ, **thread_variables(self.threads), **hidden},
                stdout=None if shown else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=LONGEST_S,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{module} did not end in {LONGEST_S} seconds") from error
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise RuntimeError(lines[-1].strip() if lines else f"{module} ended with {done.returncode}")
        if not path.exists():
            raise RuntimeError(f"{module} wrote nothing")
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def measured(self, name: str, quick: bool) -> dict[str, Any]:
        """A figure of the table and its verdict, ready to be written."""
        figure = FIGURES[name]
        told: dict[str, Any] = {
            "title": figure.title,
            "against": figure.against,
            "goal": figure.goal,
            "is_share": figure.is_share,
        }
        try:
            found = figure.read(self.start(name, figure.module, ["--quick"] if quick else []))
            value = found.get("value")
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(str(found.get("reason") or f"its figure is {value!r}"))
        except (LookupError, ValueError, TypeError, OSError, RuntimeError) as error:
            return {**told, "verdict": NOT_MEASURED, "reason": _one_line(error)}
        told = {**told, "value": value, "note": found.get("note", "")}
        if not found.get("sound"):
            return {**told, "verdict": INVALID, "reason": "the result is not right"}
        return {**told, "verdict": MET if figure.is_met(value) else MISSED, "reason": ""}


def left_out(name: str) -> dict[str, Any]:
    """The row of a figure that a quick run does not measure."""
    figure = FIGURES[name]
    return {
        "title": figure.title,
        "against": figure.against,
        "goal": figure.goal,
        "is_share": figure.is_share,
        "verdict": NOT_MEASURED,
        "reason": f"a quick run leaves it out; --only {name} measures it",
    }


def _one_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"its file has no {error}"
    return " ".join(str(error).split())[:200]
