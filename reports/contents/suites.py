"""The cards of the suites: what each is about, what it cannot show, and who has criticised its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from probes import Suite


def suite_card(entry: Mapping[str, Any], suite: Suite, lexicons: Mapping[str, Any]) -> dict[str, Any]:
    """One suite's card.

    Parameters
    ----------
    entry : mapping
        The suite's entry in the plan.
    suite : Suite
        The same, rebuilt.
    lexicons : mapping of digest to data
        The plan's lexicons.
    """
    card = suite.card
    return {
        "id": suite.id,
        "version": suite.version,
        "title": suite.title,
        "licence": suite.licence,
        "language": suite.language,
        "digest": suite.digest,
        "measure": suite.measure,
        "templates": len(suite.templates),
        "families": len({template.family for template in suite.templates}),
        "sampling": dict(entry["sampling"]),
        "margin": dict(entry["margin"]),
        "lexicons": [
            {"name": name, "version": str(lexicons[digest]["version"]), "digest": digest}
            for name, digest in entry["lexicons"].items()
        ],
        "card": {**asdict(card), "limits": list(card.limits), "critiques": list(card.critiques)},
    }
