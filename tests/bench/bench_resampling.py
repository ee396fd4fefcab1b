"""``python -m tests.bench.bench_resampling``: ways of resampling beside scipy, each in a fresh process."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import scipy

from tests.bench.bench_stats import SIDES, TASKS, measure

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A core against a core: matrix products would use all of them, scipy's resampling only one."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_resampling", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers and the machine to this file")
    parser.add_argument("--one", nargs=2, metavar=("TASK", "SIDE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(*chosen.one)))
        return
    rows = [row(name) for name in TASKS]
    show(rows)
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine(), "tasks": rows}, indent=1) + "\n")


def row(name: str) -> dict[str, object]:
    """One line of the table; the sides that scipy does not have are None."""
    task = TASKS[name]
    found: dict[str, object] = {"task": name, "work": task.work}
    for side in SIDES:
        found[side] = fresh(name, side) if task.has(side) else None
    return found


def fresh(name: str, side: str) -> dict[str, float]:
    """Seconds and peak memory of one side, in a process of its own."""
    words = [sys.executable, "-m", "tests.bench.bench_resampling", "--one", name, side]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}, check=False
    )
    if done.returncode:
        sys.exit(f"{name}, {side} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ] if Path("/proc/cpuinfo").exists() else []  # fmt: skip
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads_used": 1,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def show(rows: list[dict[str, object]]) -> None:
    about = machine()
    print(f"{about['processor']}, one thread; numpy {about['numpy']}, scipy {about['scipy']}")
    print(
        "loop: scipy called for each comparison, its defaults; wide: all comparisons in one call, best batch"
    )
    print("scipy's seconds are for the same work, scaled linearly from the share in brackets")
    print("MB: peak resident memory of the process, about 60 of which are Python and the libraries")
    print()
    head = ("task", "ours s", "MB", "loop s", "ratio", "MB", "wide s", "ratio", "MB")
    print("{:<32} {:>8} {:>5} {:>17} {:>7} {:>5} {:>17} {:>7} {:>5}".format(*head))
    for found in rows:
        ours = found["ours"]
        line = f"{found['task']:<32} {ours['seconds']:>8.3f} {ours['peak_mb']:>5.0f}"
        for side in SIDES[1:]:
            theirs = found[side]
            if theirs is None:
                line += f" {'-':>17} {'-':>7} {'-':>5}"
                continue
            seconds = f"{theirs['seconds']:.1f} (1/{round(1 / theirs['share'])})"
            ratio = theirs["seconds"] / ours["seconds"]
            line += f" {seconds:>17} {ratio:>6.0f}x {theirs['peak_mb']:>5.0f}"
        print(line)


if __name__ == "__main__":
    main()
