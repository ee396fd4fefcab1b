"""How much memory a piece of code takes, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_BEFORE = """
import sys
from audit.environment import peak_memory

def peak():
    return peak_memory() / 2**20
"""


def megabytes(code: str, *arguments: str) -> float:
    """What a program prints last, which calls ``peak()``: the most megabytes that it has held so far."""
    done = subprocess.run(
        [sys.executable, "-c", _BEFORE + code, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return float(done.stdout.split()[-1])
