"""What is known of the run itself, from its environment and plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.provenance.claims import Claim, Origin, claim, found_or_unknown

ENVIRONMENT = "environment.json"
MACHINE = (
    "python",
    "implementation",
    "system",
    "machine",
    "processor",
    "cores",
    "threads",
    "packages",
    "commit",
)
"""What an environment says, field by field."""
DECIDED = ("seed", "alpha", "decoding", "load")
"""What the plan decides about how it is asked."""


def run_claims(plan: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """The run as environment and plan tell it: the last run, with a note where an earlier one differed.

    Parameters
    ----------
    runs : sequence of mapping
        As environment.json lists them, in order; no claim where there is none yet.
    """
    if not runs:
        return []
    last = runs[-1]
    where = Origin(ENVIRONMENT, location=ENVIRONMENT, at=last["started"])
    started, clock = [run["started"] for run in runs], "by this machine's clock"
    counts = {key: last[key] for key in ("kept", "asked", "reused")}
    rows = [
        claim("run", "started", started, "measured", where, clock),
        claim("run", "seconds_asking", sum(run["seconds_asking"] for run in runs), "measured", where),
        claim("run", "questions", counts, "measured", where),
    ]
    for field in MACHINE:
        value = last["environment"].get(field)
        others = [run["environment"].get(field) for run in runs[:-1]]
        note = None if all(other == value for other in others) else "another in an earlier run of this audit"
        rows.append(found_or_unknown("run", field, value, "measured", where, note))
    decided = Origin("plan.json, written before the first question", location="plan.json")
    rows += [claim("run", field, plan[field], "measured", decided) for field in DECIDED]
    return rows
