"""The ledger in the terminal: every hypothesis that was put, family by family, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit.commands.fitted import Fitted
from audit.commands.show import STYLES, number
from audit.wording import MARKS, counted, p_text, verdict_phrase, visible, with_interval

METHODS = {
    "max-t": "step-down max-T (Westfall and Young)",
    "holm": "Holm",
    "benjamini-hochberg": "Benjamini and Hochberg",
    "bonferroni e-values": "e-values over the size of the family, valid at any time",
}
RANKED = 5
"""Groups shown at each end of a ranking."""


def show_ledger(console: Console, findings: Mapping[str, Any]) -> None:
    """Print each family: its size and correction, its omnibus test, every hypothesis, and the ranking."""
    shown = visible(dict(findings))
    rows = shown["findings"]
    lost = sum(family["n_not_computable"] for family in shown["families"])
    hypotheses = counted(len(rows), "hypothesis", "hypotheses")
    families = counted(len(shown["families"]), "family", "families")
    console.print(
        Text(f"Declared before the first question: {hypotheses} in {families}; {lost} could not be computed.")
    )
    for family in shown["families"]:
        console.print()
        console.rule(Text(family["id"], style="bold"), align="left")
        for line in family_lines(family):
            console.print(Padding(Text(line), (0, 0, 0, 1)))
        own = [row for row in rows if row["family"] == family["id"]]
        console.print(hypothesis_table(own))
        for line in profile_lines(family, {row["group"]: row["group_label"] for row in own}):
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, 1)))


def family_lines(family: Mapping[str, Any]) -> list[str]:
    """How the family was corrected, and whether any of its groups differs."""
    method = METHODS.get(family["method"], family["method"])
    size = counted(family["m"], "hypothesis", "hypotheses")
    lines = [f"{family['role']}, {size}, corrected by {method}"]
    if family["note"]:
        lines.append(f"Holm stands in for max-T: {family['note']}")
    if family["n_not_computable"]:
        lines.append(f"{family['n_not_computable']} could not be computed and count all the same")
    if family["p_omnibus"] is not None and family["m"] > 1:
        lines.append(f"omnibus, no group differs: p {p_text(family['p_omnibus'])}")
    return [*lines, *map(agreement_text, family.get("agreement", ()))]


def agreement_text(pair: Mapping[str, Any]) -> str:
    """How far another scorer agrees with the first one on the family's texts."""
    said = with_interval(pair["kappa"], "+.2f")
    only = f"; {pair['n_one_only']:,} that one of them could not score" if pair["n_one_only"] else ""
    return f"agreement with {pair['scorer']}: kappa {said} on {counted(pair['n'], 'text')}{only}"


def hypothesis_table(rows: Sequence[Mapping[str, Any]]) -> Fitted:
    """One line a hypothesis, in the order of its raw p-value; those without one last."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    table.add_column("hypothesis", ratio=1)
    for name in ("estimate", "p", "Holm", "corrected"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in sorted(rows, key=lambda row: (row["p"] is None, row["p"], row["id"])):
        estimate = number(row["estimate"], "+.3f")
        table.add_row(
            Text(f"{row['group_label']} / {row['reference_label']}"),
            estimate,
            *(p_text(row[name]) for name in ("p", "p_holm", "p_adjusted")),
            Text(f"{MARKS[row['verdict']]} {verdict_phrase(row)}", style=STYLES[row["verdict"]]),
        )
    return Fitted(table)


def profile_lines(family: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """What is left of a ranking of the groups; nothing where there is none to make."""
    lines = []
    shrunken, reliability = family["shrinkage"], family["reliability"]
    if shrunken:
        order = sorted(shrunken["groups"], key=lambda row: row["expected_rank"])
        ends = {row["group"]: row for row in [*order[:RANKED], *order[-RANKED:]]}
        ranks = (
            f"{labels.get(group, group)} {row['shrunken']:+.3f} (rank {row['rank_lo']} to {row['rank_hi']})"
            for group, row in ends.items()
        )
        lines.append(
            f"shrunken towards their mean, with ranks at {shrunken['level']:.0%}: {', '.join(ranks)}"
        )
    if reliability:
        needed = reliability["needed"]["templates"]["n"]
        more = f"{needed:,} template families" if needed else reliability["needed"]["templates"]["reason"]
        halves = reliability["split_half"]
        lines.append(
            f"order of the groups: generalizability {reliability['coefficient']:.2f} over "
            f"{counted(reliability['templates'], 'family', 'families')} (split-half "
            f"{number(halves['reliability'] if halves else None, '.2f')}); "
            f"for {reliability['target']}: {more}"
        )
    return lines
