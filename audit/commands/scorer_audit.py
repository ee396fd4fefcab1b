"""A scorer's own audit in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from audit.commands import terminal
from audit.commands.listings import plain_table
from audit.commands.terminal import print_json
from audit.scorers.base import Scorer
from audit.scorers.wording import (
    KINDS,
    dialect_lines,
    gap_text,
    gaps,
    notes,
    other_lines,
    published_lines,
    share_text,
    unlike,
    unscored_text,
)
from audit.wording import counted, p_text, signed
from probes.benchmarks.folder import DataFolder


def audit_and_show(scorer: Scorer, data: Path | None, as_json: bool) -> None:
    """Audit a scorer, or take its audit from the cache, and print it.

    Parameters
    ----------
    data : Path or None
        Folder of published data; None for where ``evenhand benchmarks`` looks for them.
    """
    from audit.benchmarks.fetch import data_folder
    from audit.commands.progress import Bars
    from audit.scorers.audit_cache import cached_audit

    with Bars() as progress:
        found = cached_audit(scorer, DataFolder(data_folder(data)), progress)
    if as_json:
        print_json(found)
    else:
        show_scorer_audit(terminal.console(), found)


def show_scorer_audit(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a scorer makes of the groups that sentences name, worst first."""
    console.print(Text(f"{found['scorer']}", style="bold"), Text(head(found), style="dim"))
    console.print()
    rows = gaps(found)
    apart = [row for row in rows if row["higher"] is not None and row["states"] != "inconclusive"]
    if apart:
        console.print(
            Text("× It reads the group: what it makes of sentences that say the same", style="bold")
        )
        table = plain_table("by", "sentences", "scored higher", "than", "gap", "p")
        table.columns[4].no_wrap = True
        for row in apart:
            table.add_row(
                Text(row["axis"]),
                row["kind"],
                Text(row["higher"]),
                Text(row["lower"]),
                gap_text(row),
                p_text(row["p_adjusted"]),
            )
        console.print(table)
    for text in notes(rows, found):
        console.print(Text(text))
    show_accuracy(console, found)
    show_terms(console, found)
    show_dialect(console, found)
    show_rest(console, found)
    show_published(console, found.get("published"))


def head(found: Mapping[str, Any]) -> str:
    """What was scored, in one line."""
    packages = [f"{name} {version}, " for name, version in found["identity"]["packages"].items()]
    frames = found["frames"]
    return (
        f"{found['card']['construct']}; {''.join(packages)}{found['texts']:,} sentences from "
        f"{sum(found['counts'].values())} frames ({frames['id']} {frames['version']})"
    )


def show_accuracy(console: Console, found: Mapping[str, Any]) -> None:
    """Print how often the scorer is right, over all groups and for those that differ from all."""
    overall = found["accuracy"]
    card = found["card"]
    console.print()
    console.print(Text("How often it is right about sentences whose truth is known", style="bold"))
    rows = list(unlike(found))
    head = ["by", "group", f"{card['found']}: found", "not: left alone"]
    told = [["", "all", *both_shares(overall)]]
    told += [[axis, group["label"], *both_shares(group)] for axis, group in rows]
    if any(group["unscored"] for _, group in rows):
        head.append("without a score")
        told = [
            [*cells, unscored_text(own)]
            for cells, own in zip(told, [{}, *(group["unscored"] for _, group in rows)], strict=True)
        ]
    table = plain_table(*head)
    for cells in told:
        table.add_row(*map(Text, cells))
    console.print(table)
    others = sum(len(axis["groups"]) for axis in found["axes"]) - len(rows)
    if others:
        console.print(Text(f"The other {counted(others, 'group')}: within 5 points of the middle group."))
    worst = found["false_positives"]
    if worst["called"]:
        console.print(
            Text(
                f"Plain sentences are called {worst['found']} with {worst['called']} of {worst['terms']} "
                "terms: "
                + ", ".join(f"{row['word']} {share_text(row['share'])}" for row in worst["worst"][:5])
                + "."
            )
        )


def both_shares(told: Mapping[str, Any]) -> tuple[str, str]:
    """Sensitivity and specificity."""
    return share_text(told["sensitivity"]), share_text(told["specificity"])


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


def show_dialect(console: Console, found: Mapping[str, Any]) -> None:
    """Print what the scorer makes of one content in two dialects."""
    console.print()
    console.print(Text("African American English beside the same in mainstream English", style="bold"))
    for line in dialect_lines(found):
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def show_rest(console: Console, found: Mapping[str, Any]) -> None:
    """Print what else moves the scorer: denial, quotation, spelling, length."""
    console.print()
    console.print(Text("What else moves it", style="bold"))
    for line in other_lines(found):
        console.print(Padding(Text(line), (0, 0, 0, 2)))


def show_published(console: Console, told: Mapping[str, Any] | None) -> None:
    """Print what the scorer makes of published labelled sentences; nothing where none was asked for."""
    if told is None:
        return
    console.print()
    console.print(Text("On published labelled sentences", style="bold"))
    for line in published_lines(told):
        console.print(Padding(Text(line), (0, 0, 0, 2)))
