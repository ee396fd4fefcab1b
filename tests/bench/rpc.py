"""Sides of a benchmark in a process of their own, which works only while it is told to.

``python -m tests.bench.rpc`` reads one call a line from stdin and answers each with a line: the seconds that
the method took, and what it gave. Nothing but the standard library is imported here, since
peers run it in their own environment.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measured import CLOCK, clock, let_go

ROOT = Path(__file__).resolve().parents[2]

REST_S = 0.2
"""Pause after a call: threads of the process that was active spin for a while before they sleep."""


MAKE, FORGET = "(make)", "(forget)"


class SideError(Exception):
    """A side failed; the message is its traceback, or what it last said."""


class Process:
    """The other end: starts a process in which sides are made, and calls their methods.

    Parameters
    ----------
    python : path
        Whose environment it runs in.
    threads : int
        Of matrix products.
    clock : {"wall", "cpu"}
        What its seconds are.
    """

    def __init__(self, python: Path | str, threads: int, clock: str = "wall") -> None:
        # Closed with the process, in close().
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.bench.rpc"],
            cwd=ROOT,
            env={**os.environ, **thread_variables(threads), **_FIXED, CLOCK: clock},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )

    @property
    def is_there(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def begin(self, side: str, **arguments: Any) -> Remote:
        """Have a side made, ``module:Class``; what is asked next is whether it is ready."""
        self._tell(side, MAKE, arguments)
        return Remote(self, side)

    def forget(self) -> None:
        """Let go of all sides, and of their memory."""
        self._tell("", FORGET, {})
        self._answer()

    def call(self, side: str, method: str, arguments: Mapping[str, Any]) -> tuple[float, Any]:
        """Seconds that a method took, without the way there and back, and what it gave."""
        self._tell(side, method, arguments)
        found = self._answer()
        time.sleep(REST_S)
        return found

    def _tell(self, side: str, method: str, arguments: Mapping[str, Any]) -> None:
        assert self._process.stdin
        # A process that has ended says so where its answer is read.
        with contextlib.suppress(BrokenPipeError):
            told = {"side": side, "method": method, "arguments": arguments}
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()

    def _answer(self) -> tuple[float, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise SideError(f"the process ended: {self._errors.read()[-2000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise SideError(answer["error"])
        return answer["seconds"], answer["value"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._errors.close()


@dataclass(frozen=True)
class Remote:
    """A side in another process."""

    process: Process
    side: str

    def ready(self) -> None:
        """Wait until it is made; before any side works, so that several processes make theirs at once."""
        self.process._answer()

    def call(self, method: str, **arguments: Any) -> tuple[float, Any]:
        """Seconds that a method took, and what it gave."""
        return self.process.call(self.side, method, arguments)


_FIXED = {
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "true",
    # float32 is float32 on a GPU, too, whatever a library would like
    "NVIDIA_TF32_OVERRIDE": "0",
}


def thread_variables(threads: int) -> Mapping[str, str]:
    """Environment variables that fix the number of threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    return dict.fromkeys(names, str(threads))


def serve() -> None:
    """Answer calls until there are no more; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    made: dict[str, Any] = {}
    for line in sys.stdin:
        told = json.loads(line)
        try:
            answer = _done(made, told["side"], told["method"], told["arguments"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _done(made: dict[str, Any], side: str, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    if method == MAKE:
        # Two peers that differ in a setting alone are one side.
        if side not in made:
            module, _, name = side.partition(":")
            made[side] = getattr(importlib.import_module(module), name)(**arguments)
        return {"seconds": 0.0, "value": None}
    if method == FORGET:
        made.clear()
        gc.collect()
        let_go()
        return {"seconds": 0.0, "value": None}
    start = clock()
    value = getattr(made[side], method)(**arguments)
    return {"seconds": clock() - start, "value": value}


if __name__ == "__main__":
    serve()
