"""Selection rates and impact ratios of people, from a table that the user gave: beside the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.impact.rates import impact


def selection(path: Path | None) -> dict[str, Any] | None:
    """The tables of a file of applicants; None where none was given.

    Raises
    ------
    InputError
        For a table that cannot be used.
    """
    return None if path is None else impact(path)
