"""Everything else the terminal shows: plans, checks, suites, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit.verify import Check
from audit.wording import bounded_exp, figure
from probes import Item, Lexicon, Suite, comparisons


def plain_table(*columns: str) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    for column in columns:
        table.add_column(column)
    return table


def duration(seconds: float | None) -> str:
    """Seconds as a person says them.

    Examples
    --------
    >>> [duration(s) for s in (None, 0.4, 75, 5400)]
    ['unknown', 'under 1 s', '1 min 15 s', '1 h 30 min']
    """
    if seconds is None:
        return "unknown"
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def show_outlook(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a plan would ask, how long it takes and what it could detect."""
    console.print(Text(found["title"], style="bold"), Text(f"  plan {found['plan_sha256'][:12]}", "dim"))
    table = plain_table("model", "requests", "about")
    for row in found["cost"]:
        table.add_row(Text(row["model"]), f"{row['requests']:,}", duration(row["seconds"]))
    console.print(table)
    console.print()
    table = plain_table("contrast", "compared", "design", "smallest detectable", "margin", "within margin")
    for row in {(row["suite"], row["contrast"], row["axis"]): row for row in found["power"]}.values():
        table.add_row(
            Text(f"{row['suite']}, by {row['axis'].replace('_', ' ')}"),
            f"{row['hypotheses']} {row['role']}",
            f"{row['templates']} × {row['terms']}" if row["terms"] else f"{row['templates']} templates",
            size_text(row["minimum_detectable"], row["unit"]),
            size_text(row["margin"], row["unit"]),
            "unknown" if row["power_within"] is None else f"{row['power_within']:.0%}",
        )
    console.print(table)
    console.print()
    notes = [
        "Smallest detectable: the true disparity that would be found 4 times in 5. Within margin: how often "
        "the audit would rule out a disparity beyond the margin if there is none."
    ]
    notes += [f"Assumed spreads: {text}" for text in dict.fromkeys(found["assumed"])]
    for note in notes:
        console.print(Text(note, style="dim"))
    for row in found["not_measurable"]:
        console.print(Text(f"Not measurable: {row['suite']} on {row['model']}: {row['reason']}"))


def size_text(value: float | None, unit: str) -> str:
    """A size in its unit, and as a ratio where it is a log-odds."""
    if value is None:
        return "unknown"
    return f"{value:.2f} nats ({bounded_exp(value)} times)" if unit == "nats" else f"{figure(value)} {unit}"


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """Print each check, and every fault by name."""
    for check in checks:
        mark, style = ("○ holds", "green") if check.holds else ("× FAILS", "bold red")
        console.print(Text(f"{mark}  ", style=style).append(f"{check.name}: {check.detail}", style="default"))
        for fault in check.faults:
            console.print(Padding(Text(fault), (0, 0, 0, 9)))


def show_suites(console: Console, suites: Sequence[Suite]) -> None:
    """Print the suites that come with evenhand."""
    table = plain_table("suite", "version", "asks in the form", "title")
    for suite in suites:
        table.add_row(suite.id, suite.version, " or ".join(suite.forms), Text(suite.title))
    console.print(table)


def show_suite(
    console: Console, suite: Suite, lexicons: Mapping[str, Lexicon], items: Sequence[Item]
) -> None:
    """Print a suite's card, its comparisons and its templates."""
    console.print(Text(f"{suite.id} {suite.version}", style="bold"), Text(suite.title))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    card = suite.card
    rows = [
        ("harm", f"{card.harm} ({card.harm_kind})"),
        ("construct", card.construct),
        ("compares", card.compares),
        ("limits", "\n".join(card.limits)),
        ("critiques", "\n".join(card.critiques)),
        ("not evidence", card.not_evidence),
        ("licence", suite.licence),
        ("margin", f"{size_text(suite.margin.value, suite.margin.unit)}; {suite.margin.source}"),
        ("digest", suite.digest),
    ]
    for lexicon in lexicons.values():
        source = f"{lexicon.source.title}, {lexicon.source.year}"
        rows.append((f"lexicon {lexicon.id}", f"{len(lexicon.terms)} terms, {lexicon.licence}; {source}"))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    console.print(table)
    found = comparisons(suite, lexicons)
    probes = sum(item.arm == "probe" for item in items)
    console.print(
        f"\n{len(suite.templates)} templates in {len({t.family for t in suite.templates})} families, "
        f"{probes:,} items and {len(items) - probes:,} with invented words, {len(found)} comparisons:"
    )
    for comparison in [c for c in found if c.role == "confirmatory"]:
        text = f"{comparison.group_label} against {comparison.reference_label} ({comparison.terms} terms)"
        console.print(Padding(Text(text), (0, 0, 0, 2)))
    exploratory = sum(c.role == "exploratory" for c in found)
    if exploratory:
        console.print(Padding(Text(f"and {exploratory} exploratory ones"), (0, 0, 0, 2)))
    console.print()
    for template in suite.templates:
        console.print(Text(f"  {template.id:14}", style="dim").append(template.text, style="default"))


def show_models(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the models that come with evenhand."""
    table = plain_table("model", "here", "licence", "title")
    for row in rows:
        table.add_row(row["name"], "yes" if row["here"] else "fetch", row["licence"], Text(row["title"]))
    console.print(table)
