"""On how many threads this process computes."""

from __future__ import annotations

import os
import sys

from probes.errors import Fault, ModelError

MOST_THREADS = 4096
"""More than any machine has; libraries fail in ways of their own where they cannot have as many."""

_VARIABLE = "OMP_NUM_THREADS"


def use_threads(count: int | None) -> None:
    """Compute on so many threads from here on, in every model of this process; None changes nothing.

    Raises
    ------
    ModelError
        If it is no whole number from 1 to :data:`MOST_THREADS`.
    """
    if count is None:
        return
    if type(count) is not int or not 1 <= count <= MOST_THREADS:
        raise ModelError(Fault(f"{count!r} threads", "", f"Give a whole number from 1 to {MOST_THREADS}."))
    # Read by torch when it is imported; importing it here would only cost the start of a command.
    os.environ[_VARIABLE] = str(count)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)


def threads() -> str | None:
    """How many threads models compute on; before any is loaded, what the process was told; None is unsaid.

    A text, as it has always stood in the environment of a run.
    """
    torch = sys.modules.get("torch")
    return os.environ.get(_VARIABLE) if torch is None else str(torch.get_num_threads())
