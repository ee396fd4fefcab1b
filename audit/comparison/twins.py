"""The questions that two audits have in common, and those that only one of them asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.comparison.pairs import ModelPair
from audit.comparison.side import Side
from audit.hypotheses import Hypothesis

SHARED = (
    "suite",
    "contrast",
    "axis",
    "group",
    "reference",
    "layout",
    "crossed_axis",
    "crossed_group",
    "crossed_reference",
)
"""What makes two hypotheses one question."""


@dataclass(frozen=True)
class Twin:
    """One question that both audits ask, with what each found."""

    before: Hypothesis
    after: Hypothesis
    found_before: Mapping[str, Any]
    found_after: Mapping[str, Any]

    @property
    def role(self) -> str:
        """Confirmatory only where both audits declared it so."""
        return self.after.role if self.before.role == self.after.role else "exploratory"

    @property
    def key(self) -> str:
        """The hypothesis' id without the model."""
        return self.after.id.removeprefix(f"{self.after.model}/")


def find_twins(before: Side, after: Side, pair: ModelPair) -> tuple[list[Twin], list[dict[str, Any]]]:
    """Hypotheses that both audits put to a pair, in the order after; and those that only one did."""
    old, new = (
        {tuple(getattr(h, name) for name in SHARED): h for h in side.hypotheses if h.model == model}
        for side, model in ((before, pair.before), (after, pair.after))
    )
    shared = [
        Twin(old[key], new[key], before.findings[old[key].id], after.findings[new[key].id])
        for key in new
        if key in old
    ]
    gone = [why_alone(h, before, after, pair.after) for key, h in old.items() if key not in new]
    come = [why_alone(h, after, before, pair.before) for key, h in new.items() if key not in old]
    return shared, [*gone, *come]


def why_alone(hypothesis: Hypothesis, side: Side, other: Side, model: str) -> dict[str, Any]:
    """A hypothesis of one audit, and why the other has none like it; ``model`` is the other's."""
    reason = f"no such contrast {other.when}"
    if hypothesis.suite not in other.suites:
        reason = f"the suite was not asked {other.when}"
    for row in other.plan["not_measurable"]:
        if (row["model"], row["suite"]) == (model, hypothesis.suite):
            reason = f"not measurable {other.when}: {row['reason']}"
    return {"when": side.when, "suite": hypothesis.suite, "id": hypothesis.id, "reason": reason}
