"""What page and text show alike: the report's data, sorted into the tables that both print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.benchmarks import wording as measures
from audit.impact import wording as rates
from audit.labelling import wording as labelling
from audit.redaction.withheld import text_shown
from audit.review.wording import agreement_lines, machine_lines
from audit.wording import MARKS, counted, visible
from reports import figures
from reports.text import value_text
from reports.writers import detail, plain

Data = Mapping[str, Any]

COVER = (
    "title", "status", "as_of", "claims_limits", "plan_sha256", "chain_sha256", "started", "last_run",
    "evenhand", "instrument", "models", "signed",
)  # fmt: skip
"""What the first page tells in its own words; the rest stands there by name."""


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
        "text_shown": text_shown,
        "detail": detail,
        "plain": plain,
        "analysed": analysed,
        "value_text": value_text,
        "more_of_cover": [
            (name, value.replace("_", " ") if name == "relationship" else value)
            for name, value in plain.more(seen["cover"], COVER)
        ],
        "rates": rates,
        "measures": measures,
        "spoken": spoken(seen["reviews"]["responses"]),
        "labels_told": labels_told(seen["reviews"].get("labelled")),
        "review_lines": [
            ("Between reviewers, blind", list(agreement_lines(seen["reviews"]))),
            ("People and the machine", list(machine_lines(seen["reviews"]))),
        ],
    }


def spoken(responses: Sequence[Data]) -> dict[str, Any]:
    """What people said of single responses, less the bare labels of sheets, of which there may be thousands.

    Returns
    -------
    dict
        ``rows``, those to list; ``left``, a sentence on the others, empty where there are none.
    """
    rows = [row for row in responses if not row["drawn"] or row["text"]]
    number = len(responses) - len(rows)
    left = (
        f"Not listed here: {counted(number, 'label')} of a drawn sample. What people find in a sample says "
        "what they come to; report.json and reviews.csv hold each."
    )
    return {"rows": rows, "left": left if number else ""}


def labels_told(found: Data | None) -> dict[str, Any] | None:
    """What people found in a sample, as lines and tables; None where nobody labelled one."""
    if found is None:
        return None
    lines = [*labelling.count_lines(found), *labelling.labeller_lines(found)]
    return {"lines": lines, "tables": list(labelling.told_tables(found)), "note": labelling.WEIGHED}


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


MOST_CURVES = 8
"""Findings of which the other analyses are drawn, the most severe first; those of the rest are tables."""


def analysed(told: Data) -> bool:
    """Whether a finding's single analyses are shown: those of every disparity that was to be confirmed."""
    record = told["record"]
    curve = record["robustness"] and record["robustness"]["curve"]
    return bool(record["verdict"] == "disparity" and curve and curve["analyses"])
