"""Keeping what a reviewer did, in the audit's ``reviews.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.review.log import append_review
from dashboards.data import Opened
from dashboards.frame import reviewer
from dashboards.shown import plain
from probes.errors import InputError


def keep(audit: Opened, event: Mapping[str, Any]) -> bool:
    """Append what the reviewer did with these findings before them, or say why it could not be kept."""
    said = {"reviewer": reviewer(), "chain_sha256": audit.findings["chain_sha256"], **event}
    try:
        append_review(audit.root, said)
    except InputError as error:
        for fault in error.faults:
            plain(f"Not kept: {fault}", "banner", "div")
        return False
    return True
