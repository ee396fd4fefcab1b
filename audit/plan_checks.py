"""What a plan must hold before anything is made of it; its suites are checked whole when they are rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from audit.compiled_schema import is_number
from audit.scorers.base import Construct, Kind

PLAN_KEYS: dict[str, type | tuple[type, ...]] = {
    "title": str, "alpha": float, "seed": int, "decoding": dict, "load": dict, "models": list,
    "lexicons": dict, "suites": list, "asks": list, "not_measurable": list, "hypotheses": list,
    "correction": dict,
}  # fmt: skip
METHODS = ("max-t", "holm", "benjamini-hochberg")
"""Corrections that a plan may declare."""
ROLES = ("confirmatory", "exploratory")
NOISES = ("shared", "own")
"""``audit.measures.Noise``, for who looks at a plan without loading the measures."""
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
    if plan["decoding"].get("noise", "own") not in NOISES:
        faults.append(f"decoding.noise is {str(plan['decoding']['noise'])[:40]!r}")
    sequential = plan.get("sequential")
    if sequential is not None:
        faults += sequential_faults(sequential)
    if "scorers" in plan:
        faults += scorer_faults(plan["scorers"])
    return faults


def scorer_faults(entries: Any) -> list[str]:
    """What is wrong with the scorers of a plan."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return ["scorers is of another kind"]
    if len(entries) > MOST_SCORERS:
        return [f"{len(entries)} scorers, and {MOST_SCORERS} at most are read"]
    faults = []
    for entry in entries:
        kinds = {"name": str, "digest": str, "bounds": list, "found": str, "masked": bool}
        strange = [key for key, kind in kinds.items() if not isinstance(entry.get(key), kind)]
        strange += [key for key, known in SCORER_CHOICES.items() if entry.get(key) not in known]
        if entry.keys() != SCORER_KEYS or strange or not is_reading(entry["reading"]):
            faults.append(f"the scorer {str(entry.get('name'))[:40]!r} is not as it is declared")
        elif (entry["kind"] == "asked") != (entry["reading"] is not None):
            faults.append(f"the reading of scorer {entry['name'][:40]!r} does not fit its kind")
        elif len(entry["bounds"]) != 2 or not all(map(is_number, [*entry["bounds"], entry["notable"]])):
            faults.append(f"the scale of scorer {entry['name'][:40]!r} is no pair of numbers")
        elif not entry["bounds"][0] < entry["bounds"][1]:
            faults.append(f"the scale of scorer {entry['name'][:40]!r} does not run upwards")
        elif not (is_loader(entry["model"]) if entry["kind"] == "asked" else entry["model"] is None):
            faults.append(f"what loads scorer {entry['name'][:40]!r} is not as it is declared")
    names = [entry.get("name") for entry in entries]
    if len(set(map(str, names))) < len(names):
        faults.append("a scorer is named twice")
    return faults


SCORER_KEYS = {
    "name", "construct", "kind", "digest", "bounds", "found", "notable", "worse", "masked", "reading",
    "model",
}  # fmt: skip


SCORER_CHOICES: Mapping[str, tuple[str, ...]] = {
    "construct": get_args(Construct), "kind": get_args(Kind), "worse": ("low", "high"),
}  # fmt: skip
MOST_SCORERS = 8 * len(get_args(Construct))
"""As many as an audit file may name."""


def is_loader(model: Any) -> bool:
    """Whether a plan says what answers for a scorer; how long a text may be is all that is its own."""
    if not isinstance(model, Mapping) or not isinstance(model.get("options"), Mapping):
        return False
    named = all(isinstance(model.get(key), str) for key in ("id", "digest", "kind"))
    longest = model["options"].get("max_length", 1)
    return named and model["options"].keys() <= {"max_length"} and type(longest) is int and longest > 0


def is_reading(reading: Any) -> bool:
    """Whether a plan says how answers become numbers, or says that there are none to read."""
    if reading is None:
        return True
    if not isinstance(reading, Mapping) or not isinstance(reading.get("weights"), list):
        return False
    pairs = [
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and is_number(pair[1])
        for pair in reading["weights"]
    ]
    return all(pairs) and is_number(reading.get("temperature")) and reading["temperature"] > 0


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
