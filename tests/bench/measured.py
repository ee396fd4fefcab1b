"""What every side tells of its process. Nothing but the standard library: peers import it, too."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import time
from typing import Any

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "minicons", "lm_eval")


CLOCK = "EVENHAND_BENCH_CLOCK"
"""The environment variable that says what seconds are."""
CLOCKS = ("wall", "cpu")


def clock() -> float:
    """Seconds, of the wall or of this process on all processors, once a GPU has done all it was told."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
    elif torch and torch.backends.mps.is_available():
        torch.mps.synchronize()
    return time.process_time() if os.environ.get(CLOCK) == "cpu" else time.perf_counter()


def let_go() -> None:
    """Give back a GPU's memory that nothing uses any more."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


class Facts:
    """Versions and hardware of a side's process."""

    device = "cpu"

    def facts(self) -> dict[str, Any]:
        """Versions, threads, and the accelerator, if it works on one."""
        found: dict[str, Any] = {"packages": {}, "accelerator": None}
        for name in PACKAGES:
            try:
                found["packages"][name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        torch = sys.modules.get("torch")
        if torch:
            found["threads"] = torch.get_num_threads()
            if self.device.startswith("cuda"):
                found["accelerator"] = torch.cuda.get_device_name(self.device)
                found["packages"]["cuda"] = torch.version.cuda
        return found
