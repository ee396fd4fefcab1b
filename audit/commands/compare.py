"""``evenhand compare``: two finished audits held against each other, in the terminal or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.commands.terminal import Json, console, print_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

Before = Annotated[Path, typer.Argument(help="The bundle before.", metavar="BEFORE")]
After = Annotated[Path, typer.Argument(help="The bundle after.", metavar="AFTER")]
PairOption = Annotated[
    str | None,
    typer.Option(
        "--models",
        help="Compare these two models only; needed where ids differ and there are several.",
        metavar="BEFORE=AFTER",
    ),
]

STYLES = {
    "changed": "bold red",
    "inconclusive": "yellow",
    "not comparable": "magenta",
    "no change within margin": "green",
}
MARKS = {"changed": "●", "inconclusive": "?", "not comparable": "×", "no change within margin": "○"}
"""A sign beside the colour: no verdict is told by colour alone."""
SHOWN = 8
"""Contrasts of one suite and role that get a line of their own."""
FLIPS_SHOWN = 3


def compare(before: Before, after: After, models: PairOption = None, as_json: Json = False) -> None:
    """Say what changed from one audit to another, paired item by item."""
    from audit.compare import compare_bundles

    found = compare_bundles(before, after, models=named_models(before, after, models))
    if as_json:
        print_json(found)
        return
    show_comparison(console(), found)


def named_models(before: Path, after: Path, text: str | None) -> tuple[str, str] | None:
    """The two models that ``--models`` names."""
    if text is None:
        return None
    from audit.comparison.pairs import asked_models, named_pair
    from audit.comparison.side import checked_plan

    return named_pair(text, *(asked_models(checked_plan(root)) for root in (before, after)))


def show_comparison(console: Console, found: Mapping[str, Any]) -> None:
    """Print a whole comparison: what differs in plan, then each pair of models, worst change first."""
    from rich.text import Text

    from audit.wording import visible

    found = visible(dict(found))
    for when in ("before", "after"):
        told = found[when]
        console.print(
            Text(f"{when:<7}"), Text(told["title"], "bold"), Text(f" plan {told['plan_sha256'][:12]}", "dim")
        )
    texts = [row["text"] for row in (*found["plan_changes"], *found["environment_changes"])]
    section(console, "What else differs", texts or ["nothing: one plan, one environment"])
    for pair in found["pairs"]:
        console.print()
        names = dict.fromkeys(pair[when]["id"] for when in ("before", "after"))
        console.rule(Text(" → ".join(names), style="bold"), align="left")
        for line in pair_lines(pair):
            console.print(Text(f" {line}", "dim"))
        for part in pair_views(found, pair["pair"]):
            console.print(part)
    lost = [f"{row['model']} ({row['when']}): {row['reason']}" for row in found["unpaired"]]
    lost += not_compared_lines(found["not_compared"])
    if lost:
        section(console, "Not compared", lost)


def section(console: Console, title: str, lines: Sequence[str]) -> None:
    """A heading with lines under it."""
    from rich.padding import Padding
    from rich.text import Text

    console.print()
    console.rule(Text(title, style="bold"), align="left")
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 1)))


def not_compared_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Suites, and hypotheses by suite and reason, that are compared with none."""
    counts = Counter((row["suite"], row["when"], row["reason"], row["id"] is None) for row in rows)
    for (suite, when, reason, whole), count in counts.items():
        what = suite if whole else f"{suite}, {count} {'hypothesis' if count == 1 else 'hypotheses'}"
        yield f"{what} ({when}): {reason}"


def pair_lines(pair: Mapping[str, Any]) -> Iterator[str]:
    """What is known of two models."""
    digests = [pair[when]["digest"][:12] for when in ("before", "after")]
    yield (
        f"the same model, {digests[0]}" if pair["same_digest"] else f"{digests[0]} before, {digests[1]} after"
    )
    for change in pair["changes"]:
        yield change["text"]


def pair_views(found: Mapping[str, Any], number: int) -> Iterator[RenderableType]:
    """Suite by suite: how the rows fell together, the changes, the flips and the moves."""
    from rich.padding import Padding
    from rich.text import Text

    from audit.comparison.wording import matching_phrase, move_phrase

    own = {
        key: [row for row in found[key] if row["pair"] == number]
        for key in ("matching", "findings", "flips", "overall")
    }
    suites = dict.fromkeys(row["suite"] for row in (*own["matching"], *own["findings"]))
    for suite in suites:
        yield Text(f"\n{suite}", style="bold cyan")
        rows = [row for row in own["findings"] if row["suite"] == suite]
        for role in ("confirmatory", "exploratory"):
            yield from role_views([row for row in rows if row["role"] == role], role)
        unit = rows[0]["unit"] if rows else ""
        lines = [matching_phrase(row) for row in own["matching"] if row["suite"] == suite]
        lines += [
            move_phrase(row, unit)
            for row in own["overall"]
            if row["suite"] == suite and row["arm"] == "probe"
        ]
        lines += [line for row in own["flips"] if row["suite"] == suite for line in flip_lines(row)]
        lines += dict.fromkeys(note for row in rows for note in row["notes"])
        for line in lines:
            yield Padding(Text(line, "dim"), (0, 0, 0, 1))


def role_views(rows: Sequence[Mapping[str, Any]], role: str) -> Iterator[RenderableType]:
    """The changes of one suite and role: the worst with a line each, the rest counted."""
    from rich.padding import Padding
    from rich.text import Text

    if not rows:
        return
    known = [row for row in rows if row["change"] is not None]
    shown = [row for row in known if row["verdict"] != "no change within margin" or row["detectable"]][:SHOWN]
    counts = ", ".join(
        f"{count} {verdict}"
        for verdict in STYLES
        if (count := sum(row["verdict"] == verdict for row in rows))
    )
    word = "contrast" if len(rows) == 1 else "contrasts"
    more = "; the worst first:" if len(shown) > 1 else ""
    yield Padding(Text(f"{role}, {len(rows)} {word}: {counts}{more}"), (0, 0, 0, 1))
    if shown:
        yield change_table(shown)
    reasons = Counter(row["undefined"] for row in rows if row["change"] is None)
    for reason, count in reasons.items():
        line = f"{MARKS['not comparable']} {count} not comparable: {reason}"
        yield Padding(Text(line, STYLES["not comparable"]), (0, 0, 0, 1))


def change_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One line a change: verdict, who and how much, corrected p."""
    from rich.table import Table
    from rich.text import Text

    from audit.comparison.wording import change_phrase, change_verdict_phrase, subject
    from audit.wording import p_text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1), show_edge=False)
    table.add_column("change", width=25)
    table.add_column("contrast [interval]", ratio=1)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("p adj.", justify="right", no_wrap=True, width=7)
    for row in rows:
        verdict = Text(f"{MARKS[row['verdict']]} {change_verdict_phrase(row)}", style=STYLES[row["verdict"]])
        text = Text(f"{subject(row)}: {change_phrase(row)}")
        verdicts = f"{row['before']['verdict']} before, {row['after']['verdict']} after"
        text.append("\n" + "; ".join([verdicts, *row["reasons"]]), style="dim")
        table.add_row(verdict, text, f"{row['rows']:,}", p_text(row["change"]["p_adjusted"]))
    return table


def flip_lines(row: Mapping[str, Any]) -> Iterator[str]:
    """How many answers flipped, and the farthest of them."""
    told = (
        "preferences flipped" if row["kind"] == "preference" else "prompts: their texts are of another class"
    )
    yield f"{row['flipped']:,} of {row['rows']:,} {told}" + (", such as:" if row["flipped"] else "")
    for item in row["items"][:FLIPS_SHOWN]:
        unit = f" [{item['unit']}]" if item["unit"] else ""
        yield f"  {item['before']:+.2f} to {item['after']:+.2f}: {item['text']}{unit}"
