"""How far people agree, among themselves and with the machine, in words: terminal, pages and report alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

NEITHER = "n/a"
ASSUMED = (
    "Intervals take responses as independent; those that share a template or a term are not, and their "
    "intervals are too short."
)
""":mod:`audit.stats.agreement` says why."""


def agreement_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """A few lines for every two reviewers, and what their intervals assume."""
    for row in found["agreement"]:
        one, other = row["reviewers"]
        yield (
            f"{row['question']}, {one} and {other}: {row['n']} responses, {row['disagreements']} with "
            f"different labels; same label {interval_text(row['observed'], '.0%')}"
        )
        yield f"  kappa {kappa_text(row['kappa'])}"
        yield f"  adjusted for prevalence and bias {interval_text(row['adjusted'], '+.2f')}"
        yield f"  weighted by order {kappa_text(row['weighted'])}"
    if found["agreement"]:
        yield ASSUMED


def machine_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Figures of every question and basis, then a line a group; at the end what the intervals assume."""
    for (question, basis), rows in groupby(found["machine"], key=lambda row: (row["question"], row["basis"])):
        whole, *groups = rows
        chosen = "drawn at random, evenly by group" if basis == "drawn at random" else "drawn or flagged"
        yield f"{question}, responses {chosen}: {whole['n']} compared"
        if whole["left_out"]:
            yield "  left out: " + ", ".join(f"{count} {why}" for why, count in whole["left_out"].items())
        yield f"  same label {interval_text(whole['observed'], '.0%')}"
        yield f"  kappa {kappa_text(whole['kappa'])}"
        yield f"  finds {whole['found']!r}: {detection_text(whole)}"
        for row in groups:
            if row["n"]:
                yield f"  {row['axis']} {row['group']}: {row['n']} compared, {detection_text(row)}"
        none = [f"{row['axis']} {row['group']}" for row in groups if not row["n"]]
        if none:
            yield f"  none compared: {', '.join(none)}"
    if found["machine"]:
        yield ASSUMED


def detection_text(row: Mapping[str, Any]) -> str:
    """Sensitivity and specificity in words."""
    return (
        f"sensitivity {interval_text(row['sensitivity'], '.0%')}, "
        f"specificity {interval_text(row['specificity'], '.0%')}"
    )


def interval_text(found: Mapping[str, Any], form: str) -> str:
    """A share or coefficient with its interval and n, or why there is none."""
    if found["estimate"] is None:
        return f"{NEITHER} ({found['reason']})"
    low, high = (format(found[end], form) for end in ("lo", "hi"))
    return f"{format(found['estimate'], form)} [{low}, {high}], n {found['n']}"


def kappa_text(found: Mapping[str, Any]) -> str:
    """Kappa with its interval and n, or why there is none."""
    if found["estimate"] is None or found["lo"] is None:
        bare = (
            NEITHER if found["estimate"] is None else f"{found['estimate']:+.2f}, n {found['n']}, no interval"
        )
        return f"{bare} ({found['reason']})"
    return interval_text(found, "+.2f")
