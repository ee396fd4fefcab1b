"""``evenhand impact``: selection rates of people, and their impact ratios."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.commands.terminal import Json, console, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from audit.commands.fitted import Fitted

Applicants = Annotated[
    Path,
    typer.Argument(
        help="CSV: sex, race_ethnicity or both, then applicants and selected, or one row a person with "
        "selected (0 or 1) or score.",
        metavar="FILE.csv",
    ),
]


def impact(
    file: Applicants,
    exclude_small: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help="Leave categories of less than 2 % out of the ratios, for this reason."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Selection or scoring rates of people by category, and impact ratios. Asks no model."""
    from audit.impact.rates import impact as computed
    from audit.wording import visible

    found = computed(file, exclude_small)
    if as_json:
        print_json(found)
        return
    show_impact(console(), visible(found))


def show_impact(out: Console, found: Mapping[str, Any]) -> None:
    """Print every table, then what the figures are not."""
    from rich.text import Text

    from audit.impact.wording import OUTCOMES, title
    from audit.wording import counted

    outcome = OUTCOMES[found["kind"]]
    median = "" if found["median"] is None else f", median score {found['median']:g}"
    people = f"{counted(found['people'], 'person', 'people')}, {found['selected']:,} {outcome}{median}"
    out.print(Text(f"{people}; {found['label']}"), Text(f"  file {found['sha256'][:12]}", "dim"))
    for table in found["tables"]:
        out.print()
        unknown = f"  unknown category: {counted(table['unknown'], 'person', 'people')}"
        out.print(Text(title(table), style="bold"), Text(unknown))
        if table["note"]:
            out.print(Text(table["note"]))
        if table["rows"]:
            out.print(rate_table(table, outcome))
            out.print(Text("Intervals are of the ratio; p is corrected for every pair.", style="dim"))
    out.print()
    for line in found["cautions"]:
        out.print(Text(f"- {line}", style="dim"))


def rate_table(table: Mapping[str, Any], outcome: str) -> Fitted:
    """One line a category."""
    from rich.table import Table
    from rich.text import Text

    from audit.commands.fitted import Fitted
    from audit.impact.wording import shown_row

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    drawn.add_column("category")
    for name in ("people", outcome.split()[0], "rate", "ratio", "interval", "exact p"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("indicator or reason")
    for row in table["rows"]:
        shown = shown_row(row)
        texts = (shown[name] for name in ("rate", "ratio", "interval", "p"))
        drawn.add_row(
            Text(shown["category"]), f"{row['n']:,}", f"{row['selected']:,}", *texts, Text(shown["says"])
        )
    return Fitted(drawn)
