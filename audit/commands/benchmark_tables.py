"""Published measures in the terminal: what there is, and what one came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit.benchmarks.base import Benchmark, Items, Setup
from audit.benchmarks.outlook import beyond_reach, outlook
from audit.benchmarks.result import dataset_facts
from audit.benchmarks.run import kinds_of
from audit.benchmarks.wording import (
    COMPAT_ONLY,
    FIGURE_HEAD,
    GROUP_HEAD,
    answers_text,
    cautions,
    control_text,
    doubt_texts,
    estimate_groups,
    extent,
    figure_cells,
    group_cells,
    most_severe,
    subject,
    twins,
    verdict_counts,
)
from audit.commands.fitted import Fitted
from audit.commands.listings import plain_table
from audit.commands.show import STYLES
from audit.redaction.withheld import text_shown
from audit.wording import counted, visible
from probes.benchmarks.folder import DataFolder
from probes.benchmarks.sources import Source, source
from probes.errors import Fault

Row = Mapping[str, Any]


def list_row(bench: Benchmark, root: Path) -> dict[str, Any]:
    """What the list says of a measure."""
    return {
        "name": bench.name,
        "title": bench.card.title,
        "tier": bench.card.tier,
        "label": bench.card.label,
        "kinds": kinds_of(bench),
        "scorings": list(bench.scorings),
        "datasets": list(bench.datasets),
        "data_here": all(is_here(name, root) for name in bench.datasets),
    }


def is_here(name: str, root: Path) -> bool:
    """Whether every file that a measure reads of a data set lies there, right or wrong."""
    return all((root / file.path).is_file() for file in source(name).files if file.use == "data")


def show_list(out: Console, rows: Sequence[Row]) -> None:
    """Print every measure."""
    table = plain_table("measure", "asked of", "data", "title")
    for row in rows:
        data = "own sentences" if not row["datasets"] else "here" if row["data_here"] else "fetch"
        title = f"{row['title']} ({row['label']})" if row["label"] else row["title"]
        table.add_row(row["name"], ", ".join(row["kinds"]) or "captured files", data, Text(title))
    out.print(Fitted(table))
    out.print(Text("Every measure also scores captured files: evenhand benchmarks score.", style="dim"))


def card_data(bench: Benchmark, root: Path) -> dict[str, Any]:
    """A measure's card, scorings and data, as plain data; with its data here, what it can show, too."""
    here = list_row(bench, root)
    items: Items = []
    if here["data_here"]:
        setup = Setup(next(iter(bench.scorings)))
        items = bench.items(DataFolder(root, changed_ok=True) if bench.datasets else None, setup)
    return {
        **here,
        "outlook": outlook(bench, items, setup) if items else [],
        "card": {**asdict(bench.card), "critiques": list(bench.card.critiques)},
        "margin": {"value": bench.margin, "unit": bench.unit, "source": bench.margin_source},
        "options": [
            {"name": one.name, "meaning": one.meaning, "default": one.default, "allowed": one.allowed()}
            for one in bench.options
        ],
        "scorings": [
            {"scoring": row.name, "forms": sorted(row.forms), "meaning": row.meaning}
            for row in bench.scorings.values()
        ],
        "data": [
            {**dataset_facts(name), "files": [asdict(file) for file in source(name).files]}
            for name in bench.datasets
        ],
    }


def show_card(out: Console, found: Mapping[str, Any]) -> None:
    """Print a measure's card."""
    card = found["card"]
    out.print(Text(found["name"], style="bold"), Text(card["title"]))
    if card["label"]:
        out.print(Text(f"  {card['label']}", style="bold yellow"))
    if card["tier"] == "compat only":
        out.print(Text(f"  {COMPAT_ONLY}", style="bold yellow"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    rows = [
        ("harm", f"{card['harm']} ({card['harm_kind']})"),
        ("construct", card["construct"]),
        ("compares", card["compares"]),
        ("estimates", card["estimand"]),
        ("published number", card["range"]),
        ("larger", card["direction"]),
        ("no disparity", card["zero"]),
        ("margin", "{value:.4g} {unit}; {source}".format(**found["margin"])),
        ("source", card["source"]),
        ("critiques", "\n".join(card["critiques"])),
        ("not evidence", card["not_evidence"]),
        ("asked of", ", ".join(found["kinds"]) or "no model: captured files only"),
    ]
    for data in found["data"]:
        terms = f"{data['licence']}{', non-commercial use only' if data['non_commercial'] else ''}"
        rows.append((f"data {data['name']}", f"{data['title']}, {data['citation']}; {terms}"))
        rows += [("", f"{file['path']}  {file['sha256'][:12]}") for file in data["files"]]
        rows += [("said against it", text) for text in data["critique"]]
    for row in found["options"]:
        default = f"; by default {row['default']}" if row["default"] else ""
        rows.append((f"option {row['name']}", f"{row['meaning']} ({row['allowed']}{default})"))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    out.print(table)
    out.print()
    table = plain_table("scoring", "asks", "meaning")
    for row in found["scorings"]:
        table.add_row(row["scoring"], ", ".join(row["forms"]) or "a captured file", Text(row["meaning"]))
    out.print(Fitted(table))
    show_outlook(out, found["outlook"])


def show_outlook(out: Console, rows: Sequence[Row]) -> None:
    """Print what a measure can show with the items that it has."""
    if not rows:
        return
    out.print()
    if all(row["minimum_detectable"] is None for row in rows):
        sizes: dict[int, list[str]] = {}
        for row in rows[1:]:
            sizes.setdefault(row["items"], []).append(row["subset"])
        parts = [f"{size:,} of {' and of '.join(names)}" for size, names in sizes.items() if len(names) < 3]
        parts += [
            f"{size:,} of each of {', '.join(names)}" for size, names in sizes.items() if len(names) > 2
        ]
        held = f": {'; '.join(parts)}" if parts else ""
        counts = f"{counted(rows[0]['items'], 'item')} in {counted(rows[0]['clusters'], 'cluster')}"
        out.print(Text(f"{counts}{held}. What they can detect, only answers can tell."))
        return
    table = plain_table("items of", "items", "clusters", "smallest detectable", "within margin, if none")
    for row in rows:
        detectable, power = row["minimum_detectable"], row["power_within"]
        table.add_row(
            Text(row["subset"]),
            f"{row['items']:,}",
            f"{row['clusters']:,}",
            "unknown" if detectable is None else f"{detectable:.3g}",
            "" if power is None else f"{power:.0%}",
        )
    out.print(Fitted(table))
    if text := beyond_reach(rows):
        out.print(Text(text))


def terms_text(known: Source) -> str:
    """What a user should know before data is fetched."""
    lines = [
        f"{known.title} ({known.citation}), published at {known.publisher}",
        f"  licence: {known.licence}",
    ]
    lines += [f"  said against it: {text}" for text in known.critique]
    return "\n".join(lines)


def show_goldens(out: Console, rows: Sequence[Row], missing: Sequence[Fault]) -> None:
    """Print every published number beside ours."""
    table = plain_table("measure", "number", "ours", "source's", "difference", "")
    for name in ("ours", "source's", "difference"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for row in rows:
        ours = "unknown" if row["ours"] is None else digits(row["ours"], row["tolerance"])
        gap = "" if row["difference"] is None else f"{row['difference']:+.1e}" if row["difference"] else "0"
        mark = "○ agrees" if row["agrees"] else "× DIFFERS"
        theirs = digits(row["theirs"], row["tolerance"])
        style = "green" if row["agrees"] else "bold red"
        table.add_row(row["benchmark"], Text(row["name"]), ours, theirs, gap, Text(mark, style=style))
    out.print(Fitted(table))
    agree = sum(row["agrees"] for row in rows)
    said = f"{agree} of {counted(len(rows), 'published number')} agree within tolerance"
    rest = f"; {counted(len(missing), 'measure')} NOT verified" if missing else ""
    out.print(Text(f"{said}{rest}."))
    for fault in missing:
        out.print(Text(visible(f"Not verified: {fault}"), style="yellow"))
    for text in dict.fromkeys(f"{row['benchmark']}: {row['source']}" for row in rows):
        out.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))


def digits(value: float, tolerance: float) -> str:
    """A number with as many digits as its tolerance allows to compare."""
    return f"{value:.6f}" if tolerance < 1e-4 else f"{value:.4f}" if tolerance < 5e-3 else f"{value:.2f}"


LARGEST = 24
"""Rows of figures, or of estimates, beyond which a scoring is cut down to :data:`SHOWN` of them."""
SHOWN = 16


def show_result(out: Console, found: Mapping[str, Any], folder: str, whole: bool = False) -> None:
    """Print a result: the published numbers, the audited estimates, and what must stand beside them.

    Of a large result the most severe estimates are shown and the others counted, unless it is wanted whole.
    """
    found = visible(found)
    card = found["card"]
    out.print(Text(f"{found['benchmark']} of {subject(found)}", style="bold"), Text(card["title"]))
    out.print(Text(extent(found), style="dim"))
    if card["label"]:
        out.print(Text(f"{card['label']}", style="bold yellow"))
    if card["tier"] == "compat only":
        out.print(Text(COMPAT_ONLY, style="bold yellow"))
    for section in found["scorings"]:
        show_section(out, section, whole)
    out.print()
    out.rule(Text("What to know", style="bold"), align="left")
    for line in cautions(found):
        out.print(bullet(line))
    if folder:
        out.print(Text(f"\nThe run lies in {folder}"), soft_wrap=True)


def show_section(out: Console, section: Row, whole: bool) -> None:
    """Print one scoring."""
    out.print()
    out.rule(Text(section["scoring"], style="bold"), align="left")
    out.print(Text(f"{section['meaning'].rstrip('.')}; {answers_text(section)}"))
    figures = section["figures"]
    cut = not whole and len(figures) > LARGEST
    if figures:
        out.print()
        out.print(figure_table(figures[:SHOWN] if cut else figures))
        show_rest(out, f"{len(figures) - SHOWN:,} more published numbers" if cut else "")
    estimates = section["estimates"]
    cut = not whole and len(estimates) > LARGEST
    shown = most_severe(estimates, SHOWN) if cut else estimates
    for line, rows in estimate_groups(shown):
        out.print()
        out.print(Text(line, style="cyan"))
        out.print(estimate_table(rows, twins(estimates)))
    rest = [row for row in estimates if not any(row is one for one in shown)]
    show_rest(out, f"the most severe; {len(rest):,} more estimates: {verdict_counts(rest)}" if rest else "")
    if section["controls"] or section["notes"] or section["doubts"]:
        out.print()
    for control in section["controls"]:
        out.print(hanging(control_text(control)))
    for note in section["notes"]:
        out.print(hanging(f"Note: {note}"))
    for text in doubt_texts(section):
        out.print(hanging(text))


def show_texts(out: Console, texts: Sequence[Row], reveal: bool, whole: bool) -> None:
    """Print what a model wrote, if it is to be revealed; else how much of it there is."""
    if not texts:
        return
    many = counted(len(texts), "text")
    out.print()
    if not reveal:
        out.print(Text(f"{many} that the model wrote withheld: they may hurt. Show them with --reveal."))
        return
    out.rule(Text("What the model wrote", style="bold"), align="left")
    shown = texts if whole else texts[:SHOWN]
    for row in visible(list(shown)):
        value = row["status"] if row["value"] is None else f"{row['value']:.4g}"
        told = f"{row['scoring']}, {row['item']}, {row['part']}: {value}"
        out.print(Text(told, style="dim"))
        out.print(Padding(Text(text_shown(row)), (0, 0, 0, 2)))
    out.print(Text(f"Model-written text is shown; {many}, of which {len(shown):,} here."))


def show_rest(out: Console, text: str) -> None:
    """Say what is left out of a table, and how to have it."""
    if text:
        out.print(Text(f"{text}. All of them: --all, or --json", style="dim"))


def hanging(text: str, style: str = "") -> Padding:
    """A paragraph as far in as its first line is."""
    words = text.lstrip()
    return Padding(Text(words, style), (0, 0, 0, len(text) - len(words)))


def bullet(text: str) -> Table:
    """A paragraph behind a dash."""
    grid = Table.grid()
    grid.add_column(width=2)
    grid.add_column()
    grid.add_row(Text("-", "dim"), Text(text, "dim"))
    return grid


def figure_table(rows: Sequence[Row]) -> Fitted:
    """The published numbers."""
    table = plain_table(*FIGURE_HEAD)
    for name in ("value", "items"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for row in rows:
        table.add_row(*map(Text, figure_cells(row)))
    return Fitted(table)


NARROWEST = {"of what (clusters)": 12, "needs, or why": 12}
"""Columns of the estimates that may be wrapped, and to which width."""


def estimate_table(rows: Sequence[Row], alike: Sequence[str]) -> Fitted:
    """Audited estimates of one unit and margin, with their verdicts."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in GROUP_HEAD:
        table.add_column(head, no_wrap=head not in NARROWEST, min_width=NARROWEST.get(head))
    for row in rows:
        verdict, *cells = group_cells(row, alike)
        table.add_row(Text(verdict, style=STYLES[row["verdict"]]), *map(Text, cells))
    return Fitted(table, bare=2)
