"""Commands that read a finished audit: ``evenhand analyze`` and ``show``."""

from __future__ import annotations

from collections.abc import Mapping
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
    as_json: Json = False,
) -> None:
    """Show the findings, worst first. With a filter, each with its robustness record."""
    from audit.bundle import Bundle
    from audit.commands.show import show_detail, show_findings
    from audit.verify import read_findings

    bundle = Bundle(folder)
    findings = read_findings(folder)
    if verdict is not None and verdict not in VERDICTS:
        raise InputError(Fault(f"no verdict {verdict!r}", "", f"One of: {', '.join(VERDICTS)}."))
    filters = {"suite": suite, "model": model, "verdict": VERDICTS.get(verdict or "")}
    if ledger and any(filters.values()):
        raise InputError(Fault("--ledger beside a filter", "", "The ledger is shown whole."))
    if ledger and not as_json:
        from audit.commands.ledger import show_ledger

        show_ledger(console(), findings)
        return
    if not any(filters.values()):
        if as_json:
            print_json(findings)
        else:
            show_findings(console(), bundle.plan, findings, str(folder))
        return
    rows = [row for row in findings["findings"] if matches(row, filters)]
    if not rows:
        wanted = ", ".join(f"{key} {value!r}" for key, value in filters.items() if value)
        raise InputError(
            Fault(f"no finding with {wanted}", str(folder), "See evenhand show without filters.")
        )
    if as_json:
        print_json(rows)
    else:
        show_detail(console(), rows)


def matches(row: Mapping[str, Any], filters: Mapping[str, str | None]) -> bool:
    """Whether a finding passes filters."""
    return all(wanted is None or row[key] == wanted for key, wanted in filters.items())
