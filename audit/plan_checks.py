"""What a plan must hold before anything is made of it; its suites are checked whole when they are rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLAN_KEYS: dict[str, type | tuple[type, ...]] = {
    "title": str, "alpha": float, "seed": int, "decoding": dict, "load": dict, "models": list,
    "lexicons": dict, "suites": list, "asks": list, "not_measurable": list, "hypotheses": list,
    "correction": dict,
}  # fmt: skip
METHODS = ("max-t", "holm", "benjamini-hochberg")
"""Corrections that a plan may declare."""
ROLES = ("confirmatory", "exploratory")
MOST_UNITS = 100_000
"""The farthest horizon of an audit that asks until it is decided."""
LARGEST_ALPHA = 0.2


def plan_faults(plan: Mapping[str, Any]) -> list[str]:
    """Every way in which a plan is not as this program writes one, as short phrases."""
    faults = [f"{key} missing or of another kind" for key, kind in PLAN_KEYS.items()
              if not isinstance(plan.get(key), kind)]  # fmt: skip
    if faults:
        return faults
    if not 0.0 < plan["alpha"] <= LARGEST_ALPHA:
        faults.append(f"alpha is {plan['alpha']}")
    for role in ROLES:
        method = plan["correction"].get(role)
        if method not in METHODS:
            faults.append(f"correction.{role} is {method!r}, not one of {', '.join(METHODS)}")
    sequential = plan.get("sequential")
    if sequential is not None:
        faults += sequential_faults(sequential)
    return faults


def sequential_faults(section: Any) -> list[str]:
    """What is wrong with the section of an audit that asks until it is decided."""
    if not isinstance(section, Mapping):
        return ["sequential is of another kind"]
    limits = {"max_units": 2, "batch": 1}
    return [
        f"sequential.{key} is {section.get(key)!r}, not a whole number from {least} to {MOST_UNITS}"
        for key, least in limits.items()
        if type(section.get(key)) is not int or not least <= section[key] <= MOST_UNITS
    ]
