"""Where and with what an audit ran: facts beside the numbers, never part of them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.models.threads import threads

PACKAGES = (
    "evenhand",
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "gguf",
    "numpy",
    "scipy",
    "pandas",
    "textblob",
    "vaderSentiment",
)


def environment() -> dict[str, Any]:
    """Versions, hardware and commit of this process; null where something cannot be known."""
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": commit(),
        "threads": threads(),
    }


def peak_memory() -> int:
    """The most memory that this process has held so far, bytes.

    Linux says it of this process alone, while what `getrusage` says there begins with all that the process
    held which started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def version(package: str) -> str | None:
    """Version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str | None:
    """The processor's name, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return platform.processor() or None
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, None)


def commit() -> Mapping[str, Any] | None:
    """Git commit of the source tree and whether it was changed; null for an installed copy."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"sha": head, "changed": changed}


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


def matmul_rate() -> float:
    """Floating-point operations a second of a single-precision matrix product here, measured in 0.1 s."""
    import time

    import numpy as np

    a = np.ones((512, 768), dtype=np.float32)
    b = np.ones((768, 768), dtype=np.float32)
    a @ b
    best = float("inf")
    end = time.perf_counter() + 0.1
    while time.perf_counter() < end:
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * 512 * 768 * 768 / best
