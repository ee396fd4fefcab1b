"""What page and text show alike: the report's data, sorted into the tables that both print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.review.wording import agreement_lines, machine_lines
from audit.wording import MARKS, visible
from reports import figures
from reports.text import value_text
from reports.writers import detail

Data = Mapping[str, Any]


def shown(data: Data) -> dict[str, Any]:
    """The names that the templates use.

    Control characters are spelt out here, once for all text; JSON alone keeps them as they are.
    """
    seen = visible(dict(data))
    return {
        "report": seen,
        "groups": groups(seen["findings"]),
        "marks": MARKS,
        "figures": figures,
        "detail": detail,
        "value_text": value_text,
        "review_lines": [
            ("Between reviewers, blind", list(agreement_lines(seen["reviews"]))),
            ("People and the machine", list(machine_lines(seen["reviews"]))),
        ],
    }


def groups(rows: Sequence[Data]) -> list[dict[str, Any]]:
    """Findings by model and suite, confirmatory ones apart from exploratory, worst first."""
    found: dict[tuple[str, str, str], list[Data]] = {}
    for told in rows:
        record = told["record"]
        found.setdefault((record["model"], record["suite"], record["role"]), []).append(told)
    return [
        {"id": f"group-{place}", "model": model, "suite": suite, "role": role, "rows": own}
        for place, ((model, suite, role), own) in enumerate(found.items(), start=1)
    ]
