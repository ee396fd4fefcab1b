"""Everything else the terminal shows: plans, checks, suites, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit.commands.fitted import Fitted
from audit.wording import bounded_exp, counted, duration, figure, visible
from probes import Item, Lexicon, Suite, comparisons

if TYPE_CHECKING:
    from audit.verify import Check


def plain_table(*columns: str) -> Table:
    """A table without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    for column in columns:
        table.add_column(column)
    return table


def show_outlook(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a plan would ask, how long it takes and what it could detect."""
    console.print(Text(found["title"], style="bold"), Text(f"  plan {found['plan_sha256'][:12]}", "dim"))
    table = plain_table("model", "requests", "about")
    for row in found["cost"]:
        table.add_row(Text(row["model"]), f"{row['requests']:,}", duration(row["seconds"]))
    console.print(Fitted(table))
    console.print()
    table = plain_table("contrast", "compared", "design", "smallest detectable", "margin", "within margin")
    rows = labelled(found["power"], ("minimum_detectable", "power_within"))
    for label, row in rows:
        table.add_row(
            Text(label),
            f"{row['hypotheses']} {row['role']}",
            design_text(row),
            size_text(row["minimum_detectable"], row["unit"]),
            size_text(row["margin"], row["unit"]),
            "unknown" if row["power_within"] is None else f"{row['power_within']:.0%}",
        )
    console.print(Fitted(table))
    console.print()
    notes = [
        "Smallest detectable: the true disparity that would be found 4 times in 5. Within margin: how often "
        "the audit would rule out a disparity beyond the margin if there is none."
    ]
    notes += [f"Assumed spreads: {text}" for text in dict.fromkeys(found["assumed"])]
    for note in notes:
        console.print(Text(note, style="dim"))
    for text in dict.fromkeys(found.get("found_earlier", ())):
        console.print(Text(f"Spreads of {text}", style="dim"))
    if beyond_reach(rows):
        console.print(Text(beyond_reach(rows)))
    for row in found["not_measurable"]:
        console.print(Text(f"Not measurable: {row['suite']} on {row['model']}: {row['reason']}"))
    if "solve" in found:
        console.print()
        show_solution(console, found["solve"])


Labelled = Sequence[tuple[str, Mapping[str, Any]]]


def labelled(rows: Sequence[Mapping[str, Any]], figures: Sequence[str]) -> Labelled:
    """Rows of families with what they are called; one for all models where the figures are the same.

    A family is called by its suite and axis, and by its contrast and model where that does not tell it.
    """
    kept = {
        (row["suite"], row["axis"], row["contrast"], *(repr(row[name]) for name in figures)): row
        for row in reversed(rows)
    }
    names = []
    for row in reversed(kept.values()):
        alike = [
            other for other in kept.values() if (other["suite"], other["axis"]) == (row["suite"], row["axis"])
        ]
        name = f"{row['suite']}, by {row['axis'].replace('_', ' ')}"
        if len({other["contrast"] for other in alike}) > 1:
            name = f"{name} ({row['contrast']})"
        if sum(other["contrast"] == row["contrast"] for other in alike) > 1:
            name = f"{name}, {row['model']}"
        names.append((name, row))
    return names


def beyond_reach(rows: Labelled) -> str:
    """Which families cannot be found within their margin, whatever the model does; empty without any."""
    names = [f"{name}, {row['margin']:g} {row['unit']}" for name, row in rows if row["within_reach"] is False]
    if not names:
        return ""
    return (
        f"Never within margin: {'; '.join(names)}. Even if there were no disparity at all, these designs "
        "would show so no more often than the test may err. Their findings will be disparities or "
        "inconclusive. What they would need: --solve with the margin."
    )


def show_solution(console: Console, found: Mapping[str, Any]) -> None:
    """Print what each family needs for a size, and why where no number suffices."""
    console.print(Text(f"Needed for {found['size']:g}, in each suite's unit", style="bold"))
    table = plain_table("contrast", "to", "now", "families alone", "the others alone", "fewest cells")
    reasons: dict[str, list[str]] = {}
    for label, row in labelled(found["rows"], ("detect", "within", "reason")):
        second = row["at_hand"]["second_factor"]
        if row["reason"]:
            reasons.setdefault(f"{label}: {row['reason']}", [])
            continue
        for name, verb in (("detect", "find"), ("within", "rule out")):
            need = row[name]
            table.add_row(
                Text(label),
                f"{verb} {found['size']:g} {row['unit']}",
                f"{need['power_now']:.0%}",
                needed_text(need["templates"]["n"], ""),
                needed_text(need["terms"]["n"], second),
                cheapest_text(need["cheapest"], second),
            )
            for key in ("templates", "terms", "cheapest"):
                if need[key]["reason"]:
                    reasons.setdefault(f"{label}: {need[key]['reason']}", []).append(verb)
    if table.row_count:
        console.print(Fitted(table))
        console.print()
    for reason, verbs in reasons.items():
        console.print(Text(f"{reason}{f' (to {verbs[0]})' if len(verbs) == 1 else ''}."))
    chance = f"{found['power']:.0%}"
    console.print(
        Text(
            f"Find: a true disparity of this size, with a chance of {chance}, where the first step of the "
            "family's correction must be met; that is conservative, for later steps ask less. Rule out: a "
            f"disparity beyond this margin, with a chance of {chance} if there is none. Now: the chance with "
            "what is at hand. Alone: how many if the other number stays; fewest cells: if both may change.",
            style="dim",
        )
    )


def needed_text(number: int | None, unit: str) -> str:
    """A number of templates or terms, or that none suffices."""
    return "no number suffices" if number is None else f"{number:,} {unit}".rstrip()


def cheapest_text(need: Mapping[str, Any], unit: str) -> str:
    """The design with the fewest cells."""
    if need["cells"] is None:
        return "beyond reason"
    if not unit:
        return counted(need["templates"], "family", "families")
    return f"{need['templates']:,} × {need['terms']:,} {unit} = {need['cells']:,}"


def design_text(row: Mapping[str, Any]) -> str:
    """What a family is asked: templates and terms, or units of them until it is decided."""
    if row.get("max_units"):
        return f"until decided, at most {counted(row['max_units'], 'unit')}"
    return f"{row['templates']} × {row['terms']}" if row["terms"] else counted(row["templates"], "template")


def size_text(value: float | None, unit: str) -> str:
    """A size in its unit, and as a ratio where it is a log-odds."""
    if value is None:
        return "unknown"
    return f"{value:.2f} nats ({bounded_exp(value)} times)" if unit == "nats" else f"{figure(value)} {unit}"


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """Print each check, and every fault by name."""
    for check in checks:
        mark, style = ("○ holds", "green") if check.made else ("–      ", "dim")
        if not check.holds:
            mark, style = "× FAILS", "bold red"
        told = visible(f"{check.name}: {check.detail}")
        console.print(Text(f"{mark}  ", style=style).append(told, style="default"))
        for fault in check.faults:
            console.print(Padding(Text(visible(fault)), (0, 0, 0, 9)))


def show_suites(console: Console, suites: Sequence[Suite]) -> None:
    """Print the suites that come with evenhand."""
    table = plain_table("suite", "version", "asks in the form", "title")
    for suite in suites:
        table.add_row(suite.id, suite.version, " or ".join(suite.forms), Text(suite.title))
    console.print(Fitted(table))


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
        terms = counted(len(lexicon.terms), "term")
        rows.append((f"lexicon {lexicon.id}", f"{terms}, {lexicon.licence}; {source}"))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    console.print(table)
    found = comparisons(suite, lexicons)
    probes = sum(item.arm == "probe" for item in items)
    families = len({template.family for template in suite.templates})
    console.print(
        f"\n{counted(len(suite.templates), 'template')} in {counted(families, 'family', 'families')}, "
        f"{counted(probes, 'item')} and {len(items) - probes:,} with invented words, "
        f"{counted(len(found), 'comparison')}:"
    )
    for comparison in [c for c in found if c.role == "confirmatory"]:
        text = f"{comparison.group_label} against {comparison.reference_label} ({comparison.terms} terms)"
        console.print(Padding(Text(text), (0, 0, 0, 2)))
    exploratory = sum(c.role == "exploratory" for c in found)
    if exploratory:
        console.print(Padding(Text(f"and {counted(exploratory, 'exploratory one')}"), (0, 0, 0, 2)))
    console.print()
    for template in suite.templates:
        console.print(Text(f"  {template.id:14}", style="dim").append(template.text, style="default"))


def show_models(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the models that come with evenhand."""
    table = plain_table("model", "here", "licence", "title")
    for row in rows:
        table.add_row(row["name"], "yes" if row["here"] else "fetch", row["licence"], Text(row["title"]))
    console.print(Fitted(table))
