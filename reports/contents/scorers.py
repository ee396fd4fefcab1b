"""What the scorers that judged the texts get wrong, by their own audits as the bundle keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audit.scorers.bundle_audit import read_scorer_audits
from audit.scorers.wording import KINDS
from reports.figures import number, p_value, share, signed

Record = Mapping[str, Any]


def scorer_audits(root: Path) -> list[dict[str, Any]]:
    """One row a scorer: how often it is right, where it is so least often, and its largest gap.

    Returns
    -------
    list of dict
        ``scorer, construct, found``; ``sensitivity`` and ``specificity`` over all groups, and ``lowest``: the
        group with the lowest specificity, None where all have the same; ``gap``: the largest between groups
        that its test shows, None where it shows none; ``dialect``: the difference by dialect, None where it
        was not asked; ``unscored``: sentences without a score, by status; ``meaning``: the same in
        sentences. Empty where the bundle keeps no audit of a scorer.
    """
    return [row(record) for record in read_scorer_audits(root).values()]


def row(record: Record) -> dict[str, Any]:
    """One scorer."""
    told: dict[str, Any] = {
        "scorer": record["scorer"],
        "construct": record["card"]["construct"],
        "found": record["card"]["found"],
        "sensitivity": figure(record["accuracy"]["sensitivity"]),
        "specificity": figure(record["accuracy"]["specificity"]),
        "lowest": lowest(record),
        "gap": largest(record),
        "dialect": None if record["dialect"]["reason"] else by_dialect(record["dialect"]),
        "unscored": dict(record["unscored"]),
    }
    return {**told, "meaning": list(sentences(told))}


def figure(told: Record) -> dict[str, Any]:
    """A number with its interval, or why there is none."""
    return {key: told[key] for key in ("estimate", "lo", "hi", "reason")}


def lowest(record: Record) -> dict[str, Any] | None:
    """The group of which the scorer is right least often where nothing is to be found; None where all tie."""
    known = [
        {"group": group["label"], "axis": axis["label"], **figure(group["specificity"])}
        for axis in record["axes"]
        for group in axis["groups"]
        if group["specificity"]["estimate"] is not None
    ]
    if len({each["estimate"] for each in known}) < 2:
        return None
    return min(known, key=lambda each: each["estimate"])


def largest(record: Record) -> dict[str, Any] | None:
    """The largest gap between two groups that its corrected test shows."""
    shown = []
    for axis in record["axes"]:
        labels = {group["group"]: group["label"] for group in axis["groups"]}
        for kind, gap in axis["gap"].items():
            if gap["states"] == "higher":
                sides = {side: labels[gap[side]] for side in ("higher", "lower")}
                told = {"axis": axis["label"], "sentences": kind, **sides, **figure(gap)}
                shown.append({**told, "p_adjusted": gap["p_adjusted"]})
    return max(shown, key=lambda each: abs(each["estimate"]), default=None)


def by_dialect(told: Record) -> dict[str, Any]:
    """Mean score of African American English less that of mainstream English."""
    return {**figure(told["difference"]), "states": told["difference"]["states"]}


def sentences(told: Record) -> Iterator[str]:
    """A row in sentences."""
    yield (
        f"Of our sentences that are {told['found']} it finds {spread(told['sensitivity'])}; of those that "
        f"are not it leaves alone {spread(told['specificity'])}"
    )
    if (worst := told["lowest"]) is not None:
        yield f"It leaves alone least of those about {worst['group']} ({worst['axis']}): {spread(worst)}"
    elif told["specificity"]["estimate"] is not None:
        yield "It leaves alone the same share of those about every group"
    if (gap := told["gap"]) is None:
        yield "Its test shows no gap between groups in these sentences"
    else:
        ends = "in all alike" if gap["lo"] == gap["hi"] else f"[{signed(gap['lo'])}, {signed(gap['hi'])}]"
        yield (
            f"Its largest gap between groups that its test shows: {gap['higher']} over {gap['lower']} by "
            f"{signed(gap['estimate'])} {ends}, corrected p {p_value(gap['p_adjusted'])}, in "
            f"{KINDS[gap['sentences']]} sentences"
        )
    if (dialect := told["dialect"]) is not None and dialect["estimate"] is not None:
        yield (
            f"African American English less the same in mainstream English: {signed(dialect['estimate'])} "
            f"[{signed(dialect['lo'])}, {signed(dialect['hi'])}], "
            + {"higher": "scored higher", "lower": "scored lower"}.get(dialect["states"], "inconclusive")
        )
    for status, count in told["unscored"].items():
        yield f"{number(count)} sentences have no score ({status}) and enter no figure"


def spread(told: Record) -> str:
    """A share with its interval."""
    if told["estimate"] is None:
        return f"an unknown share ({told['reason']})"
    return f"{share(told['estimate'])} [{share(told['lo'])}, {share(told['hi'])}]"
