"""What the terminal says of the scorers of an audit, and of the texts that have no score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.plan import declared_suites
from audit.scorers.planned import MASKED
from audit.scorers.wording import gap_text, gaps, share_text, unscored_text
from audit.wording import counted, signed

Row = Mapping[str, Any]


def scorer_lines(plan: Row, findings: Row, audits: Mapping[str, Row]) -> Iterator[tuple[str, list[str]]]:
    """Which scorers judged each suite of each model, how far they agree, and what each gets wrong.

    Parameters
    ----------
    plan, findings : mapping
        Those of a bundle.
    audits : mapping
        The scorers' own audits by name, as the bundle keeps them.

    Yields
    ------
    (str, list of str)
        A heading, and its lines. Nothing for suites that no scorer judged.
    """
    named: dict[str, None] = {}
    suites = declared_suites(plan)
    for model, suite in dict.fromkeys((row["model"], row["suite"]) for row in findings["families"]):
        scorers = suites[suite].measure.scorers
        if not scorers:
            continue
        named |= dict.fromkeys(scorers)
        first, *others = scorers
        beside = f"; {' and '.join(others)} held against it" if others else "; no other held against it"
        own = [row for row in findings["families"] if (row["model"], row["suite"]) == (model, suite)]
        yield f"{suite}, {model}: {first} decides{beside}", [line for row in own for line in agreed(row)]
    lines = [line for name in named for line in own_lines(name, audits.get(name))]
    if lines:
        yield "Their own audits, on sentences whose truth is known", lines


def agreed(family: Row) -> Iterator[str]:
    """How far the scorers of one family of hypotheses agree."""
    for row in family.get("agreement", ()):  # bundles of earlier versions do not hold it
        kappa = row["kappa"]
        where = f"by {family['contrast'].replace('_', ' ')}, {row['scorer']}"
        if kappa["estimate"] is None:
            told = f"agreement unknown: {kappa['reason']}"
        elif kappa["lo"] is None:
            told = f"kappa {signed(kappa['estimate'])}, {kappa['reason']}"
        else:
            told = f"kappa {signed(kappa['estimate'])} [{signed(kappa['lo'])}, {signed(kappa['hi'])}]"
        alone = f"; {row['n_one_only']:,} that only one could score" if row["n_one_only"] else ""
        yield f"{where}: {told}, {counted(row['n'], 'text')}{alone}"


def own_lines(name: str, audited: Row | None) -> Iterator[str]:
    """What a scorer makes of groups, in a line or two."""
    if audited is None:
        yield f"{name}: not in this bundle; do not believe it before evenhand scorers audit"
        return
    if name.endswith(MASKED):
        name = f"{name} (audited unmasked)"
    overall = audited["accuracy"]
    if overall["specificity"]["estimate"] is None and audited["unscored"]:
        yield f"{name}: unknown, {unscored_text(audited['unscored'])} of {audited['texts']:,} sentences"
        return
    shown = [row for row in gaps(audited) if row["states"] == "higher"]
    if shown:
        worst = max(shown, key=lambda row: abs(row["estimate"]))
        yield (
            f"{name} reads the group: {worst['higher']} over {worst['lower']} by {gap_text(worst)}, "
            f"in {worst['kind']} sentences"
        )
    else:
        yield f"{name}: no gap between groups is shown"
    text = f"{name} finds {share_text(overall['sensitivity'])}, and leaves alone what it should in "
    text += share_text(overall["specificity"])
    groups = [group for axis in audited["axes"] for group in axis["groups"]]
    known = [group for group in groups if group["specificity"]["estimate"] is not None]
    if len({group["specificity"]["estimate"] for group in known}) > 1:
        least = min(known, key=lambda group: float(group["specificity"]["estimate"]))
        text += f"; least of {least['label']}, {share_text(least['specificity'])}"
    yield text


def lost_by_group(rows: Sequence[Row]) -> Iterator[str]:
    """Which groups lost answers most and least often, axis by axis, where they differ.

    Parameters
    ----------
    rows : sequence of mapping
        Findings of one model and suite.

    Examples
    --------
    >>> sides = {"group": {"scored": 6, "truncated": 2}, "reference": {"scored": 8}}
    >>> told = {"axis": "gender", "reference": "man", "group_label": "women", "reference_label": "men"}
    >>> list(lost_by_group([{**told, "coverage": sides}]))
    ['by gender from 0 of 8 (men) to 2 of 8 (women: 2 truncated)']
    """
    counts: dict[str, dict[str, Row]] = {}
    for row in rows:
        of_axis = counts.setdefault(row["axis"], {})
        if row["coverage"]:
            of_axis[row["group_label"]] = row["coverage"]["group"]
            if row["reference"] != "rest":
                of_axis[row["reference_label"]] = row["coverage"]["reference"]
    for axis, groups in counts.items():
        shares = {group: lost_share(own) for group, own in groups.items() if sum(own.values())}
        if len(set(shares.values())) < 2:
            continue
        fewest, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        why = ", ".join(f"{count:,} {status}" for status, count in lost(groups[most]).items())
        yield (
            f"by {axis.replace('_', ' ')} from {of_all(groups[fewest])} ({fewest}) to "
            f"{of_all(groups[most])} ({most}: {why})"
        )


def lost(statuses: Mapping[str, int]) -> dict[str, int]:
    """Answers without a score, by status."""
    return {status: count for status, count in statuses.items() if status != "scored" and count}


def lost_share(statuses: Mapping[str, int]) -> float:
    """Share of the answers that have no score."""
    return sum(lost(statuses).values()) / sum(statuses.values())


def of_all(statuses: Mapping[str, int]) -> str:
    """How many of the answers have no score."""
    return f"{sum(lost(statuses).values()):,} of {sum(statuses.values()):,}"
