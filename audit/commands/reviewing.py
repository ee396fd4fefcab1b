"""``evenhand reviews``: what people made of an audit so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from audit.commands.reading import Folder
from audit.commands.terminal import Json, console, print_json

if TYPE_CHECKING:
    from rich.console import Console

STATUS_MARKS = {"accepted": "○", "disputed": "×", "open": "?"}


def reviews(folder: Folder, as_json: Json = False) -> None:
    """Show what reviewers kept: by reviewer, where findings stand, how far people and machine agree."""
    from audit.review.summary import summarize

    found = summarize(folder)
    if as_json:
        print_json(found)
    else:
        show_reviews(console(), found, str(folder))


def show_reviews(console: Console, found: Mapping[str, Any], where: str) -> None:
    """Print a summary of the reviews; nothing in it is taken for markup."""
    from rich.padding import Padding
    from rich.text import Text

    from audit.review.wording import agreement_lines, machine_lines
    from audit.wording import visible

    found = visible(dict(found))
    count = f"{found['reviews']} reviews of {where}" if found["reviews"] else f"No reviews of {where} yet"
    console.print(Text(visible(count), style="bold"))
    for line in warnings(found):
        console.print(Text(line, style="yellow"))
    for title, lines in (
        ("Reviewers", reviewer_lines(found)),
        ("Findings", finding_lines(found)),
        ("Between reviewers, blind", agreement_lines(found)),
        ("People and machine", machine_lines(found)),
    ):
        shown = list(lines)
        if shown:
            console.print()
            console.rule(Text(title, style="bold"), align="left")
        for line in shown:
            console.print(Padding(Text(line), (0, 0, 0, 1)))


def warnings(found: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know before trusting the rest."""
    if found["torn"]:
        yield f"{found['torn']} was cut short in the writing; the next review drops it"
    if found["stale"]:
        yield f"reviews of other records than those that the findings were made from: {found['stale']}"
    if found["stale"] is None:
        yield f"whether reviews are of the records as they are is unknown: {found['stale_reason']}"


def reviewer_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """One line a reviewer, then the decisions."""
    for name, kinds in found["reviewers"].items():
        yield f"{name}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    if found["decisions"]:
        told = ", ".join(f"{count} {decision}" for decision, count in found["decisions"].items())
        yield f"decisions with the machine's value in sight: {told}"


def finding_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """One line a finding of which anybody said anything."""
    for row in found["findings"]:
        by = f" by {row['reviewer']}, {row['at']}" if row["reviewer"] else ""
        comments = f"; {row['comments']} comments" if row["comments"] else ""
        reason = f": {' '.join(row['reason'].split())}" if row["reason"] else ""
        yield f"{STATUS_MARKS[row['status']]} {row['status']}  {row['finding']}{by}{comments}{reason}"
