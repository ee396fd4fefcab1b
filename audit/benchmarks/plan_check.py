"""Whether the plan of a benchmark's run is one that this program writes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from audit.benchmarks import benchmark
from audit.benchmarks.base import Setup
from audit.models import LoadOptions
from audit.plan_checks import LARGEST_ALPHA
from probes.errors import InputError

_NUMBERS = ("alpha", "margin", "seed", "samples", "max_new_tokens", "temperature", "top_p")


def plan_faults(plan: Mapping[str, Any]) -> list[str]:
    """What is wrong with a plan that was read from a file, in words; nothing where it can be used."""
    name = plan["benchmark"]
    try:
        bench = benchmark(name if isinstance(name, str) else repr(name))
    except InputError as error:
        return [error.faults[0].what]
    scorings = plan["scorings"]
    if not (isinstance(scorings, list) and scorings and all(isinstance(one, str) for one in scorings)):
        return ["scorings is no list of names"]
    found = [f"{name} has no scoring {one!r}" for one in scorings if one not in bench.scorings]
    items = plan["items"]
    if not (isinstance(items, dict) and isinstance(items.get("sha256"), str)):
        found.append("items has no sha256")
    for key in ("model", "scorer"):
        entry = plan[key]
        named = isinstance(entry, dict) and all(isinstance(entry.get(one), str) for one in ("id", "digest"))
        if not named and (entry is not None or key == "model"):
            found.append(f"{key} has no id and digest")
    if not isinstance(plan["load"], dict) or set(plan["load"]) - {
        field.name for field in fields(LoadOptions)
    }:
        found.append("load is not what models are loaded with")
    return found + _setup_faults(plan["setup"])


def _setup_faults(setup: Any) -> list[str]:
    known = {field.name for field in fields(Setup)} - {"scoring"}
    if not isinstance(setup, dict) or not known <= set(setup):
        return ["setup lacks a decision"]
    if unknown := set(setup) - known - {"margin_source"}:
        return [f"setup has the unknown {min(unknown)!r}"]
    found = [f"{key} is {str(setup[key])[:40]!r}" for key in _NUMBERS if not _number(setup[key])]
    options = setup["options"]
    if not (isinstance(options, dict) and all(isinstance(value, str) for value in options.values())):
        found.append("options are no texts by name")
    if found:
        return found
    if not 0.0 < setup["alpha"] <= LARGEST_ALPHA:
        found.append(f"alpha is {setup['alpha']}")
    if not setup["margin"] > 0.0:
        found.append(f"margin is {setup['margin']}")
    return found


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
