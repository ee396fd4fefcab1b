"""The place of a folder in the hub's cache: which repository and which revision it is a snapshot of."""

from __future__ import annotations

import os
import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")


def hub_place(folder: Path) -> tuple[str, str] | None:
    """The hub id and the commit of a folder in the hub's cache; None for any other folder.

    The cache keeps ``models--OWNER--NAME/snapshots/COMMIT``.

    Examples
    --------
    >>> hub_place(Path("/c/models--openai-community--gpt2/snapshots/" + "a" * 40))[0]
    'openai-community/gpt2'
    >>> hub_place(Path("/c/gpt2")) is None
    True
    """
    parts = Path(os.path.abspath(folder)).parts
    if len(parts) < 3 or parts[-2] != "snapshots" or not _COMMIT.fullmatch(parts[-1]):
        return None
    name = parts[-3]
    if not name.startswith("models--"):
        return None
    return "/".join(name.removeprefix("models--").split("--")), parts[-1]
