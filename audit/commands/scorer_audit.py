"""A scorer's own audit in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from audit.commands.listings import plain_table
from audit.wording import figure, signed

KINDS = {"neutral": "neutral", "negative": "clearly negative", "positive": "clearly positive"}
"""Kinds of sentences in which groups are compared, in words."""


def show_scorer_audit(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a scorer makes of the groups that sentences name, worst first."""
    console.print(Text(f"{found['scorer']}", style="bold"), Text(head(found), style="dim"))
    console.print()
    rows = sorted(gaps(found), key=lambda row: (row["states"] == "inconclusive", -abs(row["estimate"] or 0)))
    apart = [row for row in rows if row["higher"] is not None]
    if apart:
        table = plain_table("by", "sentences", "rated higher", "than", "gap", "p", "")
        for column in (table.columns[4], table.columns[-1]):
            column.no_wrap = True
        for row in apart:
            table.add_row(
                Text(row["axis"]),
                row["kind"],
                Text(row["higher"]),
                Text(row["lower"]),
                gap_text(row),
                figure(row["p_adjusted"]),
                "" if row["states"] == "inconclusive" else "× reads the group",
            )
        console.print(table)
    for text in notes(rows, found):
        console.print(Text(text))
    show_terms(console, found)
    show_rest(console, found)


def gap_text(row: Mapping[str, Any]) -> str:
    """A gap with its interval, or that its sentences show no spread to make one from."""
    if row["lo"] == row["hi"]:
        return f"{signed(row['estimate'])} in all alike"
    return f"{signed(row['estimate'])} [{signed(row['lo'])}, {signed(row['hi'])}]"


def head(found: Mapping[str, Any]) -> str:
    """What was scored, in one line."""
    identity = found["identity"] or {}
    package = f"{identity['package']} {identity['version']}, " if identity else ""
    frames = found["frames"]
    return (
        f"{package}{found['texts']:,} sentences from {sum(found['counts'].values())} frames "
        f"({frames['id']} {frames['version']})"
    )


def gaps(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The largest gap of every axis in every kind of sentence, groups by their labels."""
    for axis in found["axes"]:
        labels = {row["group"]: row["label"] for row in axis["groups"]}
        for kind, gap in axis["gap"].items():
            sides = {side: labels.get(gap[side]) for side in ("higher", "lower")}
            yield {**gap, **sides, "axis": axis["label"], "kind": kind}


def notes(rows: list[dict[str, Any]], found: Mapping[str, Any]) -> Iterator[str]:
    """What the table does not show, and how it is to be read."""
    alike: dict[str, list[str]] = {}
    for row in rows:
        if row["higher"] is None and row["estimate"] is not None:
            alike.setdefault(row["axis"], []).append(row["kind"])
    if alike:
        named = "; ".join(
            axis if len(kinds) == len(KINDS) else f"{axis}, {' and '.join(kinds)} sentences"
            for axis, kinds in alike.items()
        )
        yield f"No difference at all between groups in these sentences, by {named}."
    for row in rows:
        if row["estimate"] is None:
            yield f"Not known, {row['axis']} ({row['kind']}): {row['reason']}."
    yield (
        "A gap is a difference of mean scores, from -2 to 2; its interval and p-value are corrected for all "
        "pairs of groups of an axis. That none was found says nothing of other words and other sentences."
    )


def show_terms(console: Console, found: Mapping[str, Any]) -> None:
    """Print the terms that the scorer rates farthest from the others, each with its worst sentence."""
    terms = [term for axis in found["axes"] for term in axis["worst_terms"]]
    if not terms:
        return
    console.print()
    console.print(Text("Terms rated farthest from the others", style="bold"))
    for term in sorted(terms, key=lambda row: -abs(row["departure"]))[:5]:
        sentence = term["sentences"][0]
        line = f"{term['word']}: {signed(term['departure'])} in {KINDS[term['kind']]} sentences; "
        line += f"“{sentence['text']}” {signed(sentence['score'])}, others {signed(sentence['others'])}"
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def show_rest(console: Console, found: Mapping[str, Any]) -> None:
    """Print what else moves the scorer: denial, quotation, spelling, length."""
    console.print()
    console.print(Text("What else moves it", style="bold"))
    called = (
        ("negated", "called_negative", "sentences that deny a negative word are called negative"),
        ("reported", "called_negative", "sentences that quote a negative word are called negative"),
        ("negative", "called_negative", "clearly negative sentences are called negative"),
        ("positive", "called_positive", "clearly positive sentences are called positive"),
    )
    lines = [f"{share_text(found['kinds'][kind][key])} of {text}" for kind, key, text in called]
    lines += [
        f"{share_text(row['changed'])} of sentences change class when written {row['change']}"
        for row in found["robustness"]
    ]
    lines += [
        f"{row['sentences']} neutral sentence{'' if row['sentences'] == 1 else 's'} after a "
        f"{KINDS[row['kind']]} one: mean {signed(row['mean_before'])} becomes "
        f"{signed(row['mean_after'])}, {share_text(row['changed'])} change class"
        for row in found["length"]
    ]
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def share_text(share: Mapping[str, Any]) -> str:
    """A share with its interval."""
    if share["estimate"] is None:
        return f"an unknown share ({share['reason']})"
    return f"{share['estimate']:.0%} [{share['lo']:.0%}, {share['hi']:.0%}]"
