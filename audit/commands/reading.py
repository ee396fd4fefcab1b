"""Commands that read a finished audit: ``evenhand analyze`` and ``show``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from audit.commands.terminal import Json, console, print_json
from probes.errors import Fault, InputError

Folder = Annotated[Path, typer.Argument(help="The bundle's folder.", metavar="DIR")]

VERDICTS = {
    "disparity": "disparity",
    "within": "no disparity within margin",
    "inconclusive": "inconclusive",
    "invalid": "invalid",
}
"""How a verdict is named on the command line."""


def analyze(folder: Folder, as_json: Json = False) -> None:
    """Findings again, from the plan and the kept answers. Needs no model."""
    from audit import api
    from audit.bundle import Bundle
    from audit.commands.show import show_findings

    findings = api.analyze(folder)
    if as_json:
        print_json(findings)
        return
    show_findings(console(), Bundle(folder).plan, findings, str(folder))


def show(
    folder: Folder,
    suite: Annotated[str | None, typer.Option(help="Only this suite, in detail.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model, in detail.")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="Only disparity, within, inconclusive or invalid, in detail.")
    ] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Every hypothesis, family by family.")] = False,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="With a filter: show what the models wrote. It may hurt."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the findings, worst first. With a filter, each with its robustness record.

    With a filter, disparities of text that a model wrote have the items that carry them: the prompts, and of
    the texts their length and hash, or with --reveal the texts themselves.
    """
    from audit.bundle import Bundle
    from audit.commands.show import show_detail, show_findings
    from audit.own_errors import own_errors
    from audit.verify import read_findings

    bundle = Bundle(folder)
    findings = read_findings(folder)
    if verdict is not None and verdict not in VERDICTS:
        raise InputError(Fault(f"no verdict {verdict!r}", "", f"One of: {', '.join(VERDICTS)}."))
    filters = {"suite": suite, "model": model, "verdict": VERDICTS.get(verdict or "")}
    if ledger and any(filters.values()):
        raise InputError(Fault("--ledger beside a filter", "", "The ledger is shown whole."))
    if reveal and not any(filters.values()):
        remedy = "Choose which findings: --suite, --model or --verdict."
        raise InputError(Fault("--reveal shows the texts behind findings that are chosen", "", remedy))
    if ledger and not as_json:
        from audit.commands.ledger import show_ledger

        show_ledger(console(), findings)
        return
    if not any(filters.values()):
        if as_json:
            print_json(findings)
        else:
            show_findings(console(), bundle.plan, findings, str(folder))
            show_labels(folder)
        return
    rows = [row for row in findings["findings"] if matches(row, filters)]
    if not rows:
        wanted = ", ".join(f"{key} {value!r}" for key, value in filters.items() if value)
        raise InputError(
            Fault(f"no finding with {wanted}", str(folder), "See evenhand show without filters.")
        )
    texts = carried_texts(folder, rows, reveal)
    if as_json:
        print_json([{**row, "carried_by": texts[row["id"]]} if row["id"] in texts else row for row in rows])
        return
    show_detail(console(), rows, texts, own_errors(folder, rows))
    if texts and reveal and bundle.is_redacted:
        from audit.redaction.withheld import NOT_HERE

        typer.echo(f"\n{NOT_HERE}")
    elif reveal and not texts:
        typer.echo("\nNothing to reveal: texts stand beside disparities of what a model wrote.")
    elif texts and not reveal:
        typer.echo("\nText that a model wrote is withheld: it may hurt. Show it with --reveal.")


def carried_texts(
    folder: Path, rows: Sequence[Mapping[str, Any]], reveal: bool
) -> dict[str, list[dict[str, Any]]]:
    """By the id of a finding, the items that carry it: of disparities of text that a model wrote."""
    from audit.redaction.carried import carried, shown_of
    from audit.sidecar import open_sidecar

    chosen = shown_of(rows)
    if not chosen:
        return {}
    sidecar = open_sidecar(folder)
    return {row["id"]: list(carried(sidecar, row, reveal)) for row in chosen}


def show_labels(folder: Path) -> None:
    """Print that people labelled outputs of the audit, and where that leads, if they did."""
    from audit.labelling.labels import drawn_targets
    from audit.review.log import read_reviews
    from audit.wording import counted

    count = len(drawn_targets(read_reviews(folder).events))
    if count:
        where = shlex.quote(str(folder))
        typer.echo(f" people labelled {counted(count, 'output')}: evenhand label {where} --analyze")


def matches(row: Mapping[str, Any], filters: Mapping[str, str | None]) -> bool:
    """Whether a finding passes filters."""
    return all(wanted is None or row[key] == wanted for key, wanted in filters.items())
