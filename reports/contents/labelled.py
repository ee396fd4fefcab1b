"""What people found in a sample of the outputs, as the report keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.labelling.analysis import labelled
from audit.labelling.labels import drawn_targets
from audit.review.events import Review

KEPT = ("counts", "people", "labellers", "accuracy", "contrasts")
"""What of the analysis a report holds; see ``audit.labelling.analysis.labelled``."""


def labelled_section(root: Path, events: Sequence[Review]) -> dict[str, Any] | None:
    """The analysis of people's labels; None where nobody labelled a sample."""
    if not drawn_targets(events):
        return None
    found = labelled(root)
    return {key: found[key] for key in KEPT}
