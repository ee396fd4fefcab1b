"""Which model of the one audit is held against which of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.comparison.plan_changes import value_changes
from audit.comparison.side import Side
from audit.provenance import MEASURED_OF_MODELS
from probes.errors import Fault, InputError

COMPARED_CLAIMS = (*MEASURED_OF_MODELS, "revision", "conversion", "planted")
"""Claims of the ledger that tell two versions of a model apart."""


@dataclass(frozen=True)
class ModelPair:
    """Two models by their ids, and whether their digests are one."""

    before: str
    after: str
    same_digest: bool


def pair_models(before: Side, after: Side, models: tuple[str, str] | None) -> list[ModelPair]:
    """Models by equal id; else the only one of each audit; else as named.

    Parameters
    ----------
    models : (str, str), optional
        Ids of one model of each audit; then these two are compared and no others.

    Raises
    ------
    InputError
        If it cannot be told which belong together, or one that is named is not there; it lists what there
        is.
    """
    there = asked_models(before.plan), asked_models(after.plan)
    if models is not None:
        faults = [
            Fault(f"no model {name!r} was asked {side.when}", str(side.root), f"There is: {', '.join(ids)}.")
            for side, name, ids in zip((before, after), models, there, strict=True)
            if name not in ids
        ]
        if faults:
            raise InputError(faults)
        return [model_pair(before, after, *models)]
    alike = [name for name in there[0] if name in there[1]]
    if alike:
        return [model_pair(before, after, name, name) for name in alike]
    if len(there[0]) == len(there[1]) == 1:
        return [model_pair(before, after, there[0][0], there[1][0])]
    raise InputError(
        Fault(
            "it cannot be told which model belongs to which",
            f"before: {', '.join(there[0]) or 'none'}; after: {', '.join(there[1]) or 'none'}",
            "Name two with --models BEFORE=AFTER.",
        )
    )


def model_pair(before: Side, after: Side, one: str, other: str) -> ModelPair:
    """Two models that are held against each other."""
    return ModelPair(one, other, before.model(one)["digest"] == after.model(other)["digest"])


def asked_models(plan: Mapping[str, Any]) -> list[str]:
    """Ids of the models that anything was asked of, in the plan's order."""
    asked = {ask["model"] for ask in plan["asks"]}
    return [entry["id"] for entry in plan["models"] if entry["id"] in asked]


def named_pair(text: str, before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """``BEFORE=AFTER`` as two ids, which may hold the sign themselves.

    Raises
    ------
    InputError
        If the text holds no such sign, or can be read in no way or in several.

    Examples
    --------
    >>> named_pair("a=b=c", ["a=b", "x"], ["c"])
    ('a=b', 'c')
    """
    splits = [(text[:place], text[place + 1 :]) for place, sign in enumerate(text) if sign == "="]
    fitting = [pair for pair in splits if pair[0] in before and pair[1] in after]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and len(splits) == 1:
        return splits[0]  # which of the two is not there is said where they are looked up
    what = "can be read in several ways" if fitting else "names no two models"
    remedy = f"Before there is: {', '.join(before)}; after: {', '.join(after)}."
    raise InputError(Fault(f"--models {text!r} {what}", "", remedy))


def pair_record(number: int, pair: ModelPair, before: Side, after: Side) -> dict[str, Any]:
    """A pair as plain data, with what the ledgers say of the two differently."""
    sides = ((before, pair.before), (after, pair.after))
    return {
        "pair": number,
        **{
            side.when: {key: side.model(name)[key] for key in ("id", "digest", "kind", "parameters")}
            for side, name in sides
        },
        "same_digest": pair.same_digest,
        "changes": list(value_changes("model", "", *(measured_facts(side, name) for side, name in sides))),
    }


def measured_facts(side: Side, model: str) -> Mapping[str, Any]:
    """What was read off a model when it was loaded; empty where the ledger tells nothing."""
    return {
        str(claim["field"]): claim["value"]
        for claim in side.claims
        if claim["subject"] == f"model:{model}"
        and claim["field"] in COMPARED_CLAIMS
        and claim["status"] == "measured"
    }


def unpaired(pairs: Sequence[ModelPair], before: Side, after: Side) -> Iterator[dict[str, Any]]:
    """Models of either audit that are compared with none."""
    for side in (before, after):
        taken = {getattr(pair, side.when) for pair in pairs}
        asked = asked_models(side.plan)
        for entry in side.plan["models"]:
            if entry["id"] not in taken:
                reason = "no model to hold it against" if entry["id"] in asked else "nothing was asked of it"
                yield {"when": side.when, "model": entry["id"], "reason": reason}
