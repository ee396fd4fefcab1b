"""``evenhand label``: people label a sample of what a model wrote, and the findings are held against it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit.commands.reading import Folder
from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

if TYPE_CHECKING:
    from rich.console import Console

    from audit.labelling.outputs import Outputs
    from audit.labelling.sample import Sample

SHOWN_STRATA = 60


def label(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a sheet to be filled in, its instructions beside it.", metavar="SHEET.csv"),
    ] = None,
    filled: Annotated[
        Path | None,
        typer.Option("--import", help="Bring in a sheet that somebody filled in.", metavar="SHEET.csv"),
    ] = None,
    by: Annotated[str | None, typer.Option(help="With --import: who filled it in.", metavar="NAME")] = None,
    disagreements: Annotated[
        Path | None,
        typer.Option(
            help="Write a sheet of the outputs on which labellers differ, for a third.", metavar="SHEET.csv"
        ),
    ] = None,
    analyze: Annotated[
        bool, typer.Option("--analyze", help="Scorers and findings, held against people's labels.")
    ] = False,
    per_stratum: Annotated[
        int | None, typer.Option(min=1, help="Labels in every stratum, those there are included.")
    ] = None,
    total: Annotated[
        int | None,
        typer.Option(
            min=1, help="Labels in all, those there are included. [default: 40 a model, suite and group]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the draw, beside the plan's.")] = 0,
    model: Annotated[list[str] | None, typer.Option(help="Only this model. May be repeated.")] = None,
    suite: Annotated[list[str] | None, typer.Option(help="Only this suite. May be repeated.")] = None,
    mask_groups: Annotated[
        bool, typer.Option("--mask-groups", help="Replace the words that name groups on the sheet.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Have people label a sample of the outputs; without options, say what would be drawn.

    The sample is drawn by group and score band with known chances. A sheet shows neither scores nor groups.
    Labels are kept in reviews.jsonl; nothing else of the audit changes, and no verdict of a finding.
    """
    from audit.bundle import Bundle
    from audit.labelling.analysis import analysed
    from audit.labelling.filled import bring_in
    from audit.labelling.labels import disagreement_rows, labelled_ids
    from audit.labelling.outputs import scored_outputs
    from audit.labelling.sample import Wish, draw
    from audit.labelling.sheet import masker, write_sheet
    from audit.labelling.wording import brought_text
    from audit.redaction.withheld import NOT_HERE
    from audit.review.log import read_reviews

    refuse_mixtures(
        {"--out": out, "--import": filled, "--disagreements": disagreements, "--analyze": analyze or None}
    )
    if per_stratum is not None and total is not None:
        raise InputError(Fault("--per-stratum beside --total", "", "Give one or the other."))
    if (filled is None) != (by is None):
        missing = "--by" if by is None else "--import"
        raise InputError(
            Fault(f"{missing} is missing", "", "Give --import SHEET.csv and --by NAME together.")
        )
    outputs = scored_outputs(folder)
    if filled is not None and by is not None:
        found = bring_in(outputs, filled, by)
        if as_json:
            print_json(vars(found))
        else:
            typer.echo(brought_text(found))
        return
    events = read_reviews(folder).events
    if analyze:
        figures = analysed(outputs, events)
        if as_json:
            print_json(figures)
        else:
            show_analysis(console(), figures, str(folder))
        return
    if (out is not None or disagreements is not None) and Bundle(folder).is_redacted:
        raise InputError(Fault("a sheet would hold no text to label", str(folder), NOT_HERE))
    mask = masker(outputs) if mask_groups else None
    if disagreements is not None:
        exported = write_sheet(outputs, disagreement_rows(outputs, events), disagreements, seed, mask)
    else:
        wish = Wish(per_stratum, total, seed, tuple(model or ()), tuple(suite or ()))
        sample = draw(outputs, labelled_ids(outputs, events), wish)
        if out is None:
            show_draw(outputs, sample, as_json)
            return
        exported = write_sheet(outputs, sample.rows, out, seed, mask)
    if as_json:
        print_json(
            {"sheet": str(exported.sheet), "instructions": str(exported.instructions), "rows": exported.rows}
        )
        return
    typer.echo(f"{exported.rows} outputs on {exported.sheet}; how to fill it in: {exported.instructions}")
    typer.echo(f"Then: evenhand label {shlex.quote(str(folder))} --import {exported.sheet} --by NAME")


def refuse_mixtures(given: Mapping[str, Any]) -> None:
    """Refuse two things at a time."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise InputError(Fault(" beside ".join(names), "", "Do one after the other."))


def show_draw(outputs: Outputs, sample: Sample, as_json: bool) -> None:
    """Print what would be drawn, and what is labelled so far."""
    from rich.text import Text

    from audit.commands.listings import plain_table
    from audit.wording import visible

    strata = sample.strata.reset_index()
    if as_json:
        print_json({"drawn": len(sample.rows), "strata": strata.to_dict("records")})
        return
    screen = console()
    for (model, suite), own in strata.groupby(["model", "suite"], sort=False):
        asked = outputs.asked[str(suite)].labels
        screen.print(Text(visible(f"{model}, {suite}: {asked.question}"), style="bold"))
        table = plain_table("outputs about", "band", "outputs", "labelled", "to draw", "chance")
        for row in own.head(SHOWN_STRATA).to_dict("records"):
            cells = (row["cell"], row["band"], *(f"{row[key]:,}" for key in ("outputs", "labelled", "drawn")))
            table.add_row(*(Text(visible(cell)) for cell in cells), f"{row['probability']:.3g}")
        screen.print(table)
        if len(own) > SHOWN_STRATA:
            screen.print(f" and {len(own) - SHOWN_STRATA} strata more; see --json")
    done = int(strata["labelled"].sum())
    screen.print(
        Text(
            f"{len(sample.rows):,} outputs would be drawn; {done:,} of {int(strata['outputs'].sum()):,} are "
            "labelled so far. Nothing was written: give --out SHEET.csv."
        )
    )


def show_analysis(console: Console, found: Mapping[str, Any], where: str) -> None:
    """Print what people's labels come to; nothing in it is taken for markup."""
    from rich.padding import Padding
    from rich.text import Text

    from audit.commands.listings import plain_table
    from audit.labelling.wording import WEIGHED, count_lines, labeller_lines, told_tables
    from audit.wording import visible

    found = visible(dict(found))
    for line in count_lines(found):
        console.print(Text(line, style="bold"))
    lines = list(labeller_lines(found))
    if lines:
        console.print()
        console.rule(Text("Between labellers", style="bold"), align="left")
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 1)))
    for told in told_tables(found):
        console.print()
        console.rule(Text(told["caption"], style="bold"), align="left")
        table = plain_table(*told["head"])
        for row in told["rows"]:
            table.add_row(*map(Text, row))
        console.print(table)
    if found["counts"]["labelled"]:
        console.print()
        console.print(Padding(Text(WEIGHED, "dim"), (0, 0, 0, 1)))
    else:
        console.print(Text(f"Draw some with: evenhand label {shlex.quote(where)} --out SHEET.csv"))
