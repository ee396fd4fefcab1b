"""Our own sentences for measures whose published ones may not, or need not, be had: ``packs/*.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("packs")


@cache
def pack(name: str) -> dict[str, Any]:
    """The content of one pack, as plain data; its shape is in the docstring of the reader that takes it.

    Every pack says ``title``, ``version``, ``language``, ``licence`` and ``source``.
    """
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return found
