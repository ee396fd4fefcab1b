"""Findings in the terminal: worst first, in plain words, with what controls them and what to do next."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audit.commands.fitted import Fitted
from audit.commands.judged import lost_by_group, scorer_lines
from audit.redaction.withheld import text_shown
from audit.wording import (
    MARKS,
    claim,
    counted,
    curve_phrase,
    margin_phrase,
    needed_phrase,
    p_text,
    signed,
    spelling,
    statement,
    verdict_phrase,
    visible,
)

STYLES = {
    "disparity": "bold red",
    "no disparity within margin": "green",
    "inconclusive": "yellow",
    "invalid": "magenta",
}
VERDICTS = {"no disparity within margin": "within margin"}
"""Verdicts in the words of a table, where they differ."""
EXPLORATORY_SHOWN = 6
LONG_FAMILY = 8
"""With more findings than this in a suite, those within margin share a line."""
OPEN_SHOWN = 4
"""In such a suite so many inconclusive findings have lines of their own, and the others share one."""


class Terminal(Console):
    """A console whose reader may go away, as ``head`` does."""

    def on_broken_pipe(self) -> None:
        """Leave it to the program to end well."""
        raise BrokenPipeError


def show_findings(console: Console, plan: Mapping[str, Any], findings: Mapping[str, Any], where: str) -> None:
    """Print a whole analysis: verdicts by model, then controls, coverage and next steps."""
    from audit.scorers.bundle_audit import read_scorer_audits

    judged = list(scorer_lines(plan, findings, read_scorer_audits(Path(where))))
    plan = {key: visible(plan[key]) for key in ("title", "models", "asks")}
    findings = visible(findings)
    where = shlex.quote(where)
    rows = findings["findings"]
    console.print(Text(plan["title"], style="bold"), Text(f"  plan {findings['plan_sha256'][:12]}", "dim"))
    for model in plan["models"]:
        own = [row for row in rows if row["model"] == model["id"]]
        if not own:
            continue
        console.print()
        console.rule(Text(model["id"], style="bold"), align="left")
        for suite in dict.fromkeys(ask["suite"] for ask in plan["asks"] if ask["model"] == model["id"]):
            console.print(suite_view(suite, [row for row in own if row["suite"] == suite]))
    console.print()
    console.rule(Text("Controls", style="bold"), align="left")
    console.print(control_view(findings["controls"]))
    console.print(Padding(Text(f"The instrument: {findings['instrument']['text']}.", "dim"), (1, 0, 0, 1)))
    if judged:
        console.print()
        console.rule(Text("What judged the texts", style="bold"), align="left")
        for heading, lines in judged:
            console.print(Padding(Text(visible(heading)), (0, 0, 0, 1)))
            for line in lines:
                console.print(Padding(Text(visible(line), "dim"), (0, 0, 0, 3)))
    notes = coverage_notes(findings)
    if notes:
        console.print()
        console.rule(Text("Not measured, and doubtful", style="bold"), align="left")
        for note in notes:
            console.print(Padding(Text(note), (0, 0, 0, 1)))
    console.print()
    console.rule(Text("What next", style="bold"), align="left")
    for line in next_steps(findings, where):
        console.print(Text(f" {line}"), soft_wrap=True)  # a command is copied whole


def suite_view(suite: str, rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The findings of one suite: every confirmatory one, the farthest of the exploratory ones."""
    confirmatory = [row for row in rows if row["role"] == "confirmatory"]
    exploratory = [row for row in rows if row["role"] != "confirmatory"]
    parts: list[RenderableType] = [Text(f"\n{suite}", style="bold cyan")]
    if confirmatory:
        long = len(confirmatory) > LONG_FAMILY
        settled = [row for row in confirmatory if long and row["severity"] == "S0"]
        unclear = [row for row in confirmatory if row["verdict"] == "inconclusive" and row["ci"]]
        folded = unclear[OPEN_SHOWN:] if long else []
        if len(folded) == 1:
            folded = []  # a line for one finding saves nothing
        shown = [row for row in confirmatory if row not in settled and row not in folded]
        if shown:
            parts.append(finding_table(shown))
        if folded:
            parts.append(shared_line(folded, "inconclusive", alone=False))
        if settled:
            parts.append(shared_line(settled, "no disparity within margin", alone=not shown))
    if exploratory:
        counts = count_verdicts(exploratory)
        shown = [row for row in exploratory if row["severity"] != "S0"][:EXPLORATORY_SHOWN]
        text = f"  exploratory, {counted(len(exploratory), 'contrast')}: {counts}"
        parts.append(Text(f"{text}; most severe first:" if shown else text, style="dim"))
        if shown:
            parts.append(finding_table(shown, header=not confirmatory))
    return Group(*parts)


def shared_line(rows: Sequence[Mapping[str, Any]], verdict: str, alone: bool) -> RenderableType:
    """Findings of one verdict, together: which groups, and what all their intervals lie within."""
    low = min(row["ci"]["lo"] for row in rows)
    high = max(row["ci"]["hi"] for row in rows)
    spelt = spelling(rows[0]["scale"], rows[0]["margin"]["value"])
    between = (
        f"{math.exp(low):.3f} to {math.exp(high):.3f} times"
        if rows[0]["scale"] == "log-odds"
        else f"{spelt.text(low)} to {spelt.text(high)} {spelt.unit}"
    )
    text = Text(f"{MARKS[verdict]} {VERDICTS.get(verdict, verdict)}  ", style=STYLES[verdict])
    count = f"all {len(rows)}" if alone else f"{len(rows)} more"
    text.append(f"{count}, all intervals within {between}: ", style="default")
    text.append(", ".join(row["group_label"] for row in rows), style="dim")
    return Padding(text, (0, 0, 0, 1))


def count_verdicts(rows: Sequence[Mapping[str, Any]]) -> str:
    """Verdicts counted, in the order of the legend."""
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in STYLES}
    return ", ".join(
        f"{count} {VERDICTS.get(verdict, verdict)}" for verdict, count in counts.items() if count
    )


def finding_table(rows: Sequence[Mapping[str, Any]], header: bool = True) -> Fitted:
    """One line a finding: verdict, claim with interval, size of the sample, corrected p."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1), show_edge=False, show_header=header)
    table.add_column("verdict", width=23)
    table.add_column(f"finding [{rows[0]['ci']['level'] if rows[0]['ci'] else 0.95:.0%} interval]", ratio=1)
    table.add_column("n", justify="right", no_wrap=True, width=10)
    table.add_column("p adj.", justify="right", no_wrap=True, width=7)
    for row in rows:
        style = STYLES[row["verdict"]]
        verdict = Text(f"{MARKS[row['verdict']]} {verdict_phrase(row)}", style=style)
        if row["severity"] not in ("unknown", "S0"):
            verdict.append(f" {row['severity']}", style="bold")
        table.add_row(verdict, described(row), size(row), p_text(row["p_adjusted"]))
    return Fitted(table, bare=2)


def described(row: Mapping[str, Any]) -> Text:
    """The claim with what qualifies it underneath."""
    text = emphasised(claim(row))
    if row["verdict"] == "inconclusive":
        text.append(f"\n{needed_phrase(row)}", style="dim")
    elif row["verdict"] == "no disparity within margin":
        text.append(f"\nmargin {margin_phrase(row)}", style="dim")
    elif row["reasons"] and row["estimate"] is not None:
        text.append(f"\n{'; '.join(row['reasons'])}", style="dim")
    return text


def emphasised(text: str) -> Text:
    """Words between asterisks in italics; nothing else is taken for markup."""
    result = Text()
    for number, part in enumerate(re.split(r"\*([^*]+)\*", text)):
        result.append(part, style="italic" if number % 2 else "")
    return result


def size(row: Mapping[str, Any]) -> str:
    """Cells, and the template families and terms that they cross."""
    if row["n_cells"] is None:
        return "-"
    terms = f" × {row['n_terms']}" if row["n_terms"] and row["n_terms"] > 1 else ""
    return f"{row['n_cells']:,}\n({row['n_clusters']}{terms})"


def control_view(controls: Sequence[Mapping[str, Any]]) -> Fitted:
    """One line a family: the smallest A/A p-value and how far invented words differ."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 1))
    table.add_column("model", ratio=1)
    table.add_column("contrast", ratio=1)
    table.add_column("A/A", no_wrap=True)
    table.add_column("largest A/A gap", justify="right", no_wrap=True)
    table.add_column("invented words", justify="right", no_wrap=True)
    for row in controls:
        gaps = [entry["estimate"] for entry in row["aa"] if entry["estimate"] is not None]
        gap = signed(max(gaps, key=abs)) if gaps else "-"
        nonce = "-" if row["nonce_size"] is None else f"±{row['nonce_size']:.2f}"
        differ = sum(entry["p_adjusted"] is not None and entry["p_adjusted"] < 0.05 for entry in row["nonce"])
        if len(row["nonce"]) > 1:
            nonce += f", {differ} of {len(row['nonce'])} differ"
        if row["aa_p"] is None:
            state = Text("not available", style="yellow")
        elif row["aa_p"] < 0.01:
            state = Text(f"× fails, p = {row['aa_p']:.2g}", style="bold red")
        else:
            state = Text(f"○ clean, p = {row['aa_p']:.2g}", style="green")
        axis = row["family"].rpartition("/")[2].replace("_", " ")
        table.add_row(Text(row["model"]), Text(f"{row['suite']}, by {axis}"), state, gap, nonce)
    return Fitted(table, bare=2)


def coverage_notes(findings: Mapping[str, Any]) -> list[str]:
    """What could not be asked or scored, and which answers the tokenizer treats unequally."""
    notes = [
        f"{row['suite']} was not asked of {row['model']}: {row['reason']}"
        for row in findings["not_measurable"]
    ]
    for row in findings["coverage"]:
        lost = {status: count for status, count in row["statuses"].items() if status != "scored"}
        if lost:
            counts = ", ".join(f"{count} {status}" for status, count in lost.items())
            reason = next(iter(row["reasons"]), "")
            notes.append(f"{row['model']}, {row['suite']} ({row['arm']}): {counts}, such as: {reason}")
            if row["arm"] == "probe":
                own = [
                    each
                    for each in findings["findings"]
                    if (each["model"], each["suite"]) == (row["model"], row["suite"])
                ]
                notes += [f"{row['model']}, {row['suite']}: lost {told}" for told in lost_by_group(own)]
    doubts: dict[tuple[str, str], list[str]] = {}
    for row in findings["tokenisation"]:
        doubts.setdefault((row["model"], row["suite"]), []).append(row["doubt"])
    for (model, suite), texts in doubts.items():
        shown = " | ".join(texts[:3]) + (" | ..." if len(texts) > 3 else "")
        notes.append(
            f"{model}, {suite}: answers that the tokenizer splits unequally, kept and marked: {shown}"
        )
    return notes


def next_steps(findings: Mapping[str, Any], where: str) -> list[str]:
    """Commands that make sense from here."""
    open_rows = [row for row in findings["findings"] if row["verdict"] == "inconclusive"]
    steps = [
        f"evenhand show {where} --suite NAME    all findings of a suite, with their robustness record",
        f"evenhand report {where}    the report; a draft, which says how it is signed",
        f"evenhand verify {where}    check hashes and chain, and recompute every figure",
        f"evenhand analyze {where}    findings again from the kept answers, without a model",
    ]
    if open_rows:
        count = counted(len(open_rows), "inconclusive finding")
        steps.append(f"{count}: ask more templates or terms, as described there")
    return steps


def show_detail(
    console: Console,
    rows: Sequence[Mapping[str, Any]],
    texts: Mapping[str, Sequence[Mapping[str, Any]]],
    errors: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Print findings with everything that a reviewer asks of them.

    ``texts``: by the id of a finding, the items that carry it, as from ``audit.redaction.carried.carried``.
    ``errors``: what the own audits of the scorers leave of a finding, by its id; see ``audit.own_errors``.
    """
    from audit.own_errors import told_errors

    for row in visible(list(rows)):
        console.print()
        console.print(
            Text(f"{MARKS[row['verdict']]} {verdict_phrase(row)}", style=STYLES[row["verdict"]]),
            Text(row["id"], style="dim"),
        )
        console.print(Padding(emphasised(statement(row)), (0, 0, 0, 2)))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        own = visible(list((errors or {}).get(row["id"], ())))
        without = [(f"less the errors of {each['scorer']}", told_errors(each)) for each in own]
        for name, value in [*detail_rows(row), *without]:
            table.add_row(Text(name), Text(value))
        for item in texts.get(row["id"], ()):
            told = f"{item['side']} {item['score']:+.3f}: {item['prompt']}"
            written = (f"    {text_shown(text)}" for text in item["texts"])
            table.add_row(Text("carried by"), Text(visible("\n".join([told, *written]))))
        console.print(table)


def detail_rows(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each line of a detailed finding."""
    if row["estimate"] is None:
        return [("reasons", "; ".join(row["reasons"]))]
    robust = row["robustness"]
    flip = "" if row["p_sign_flip"] is None else f", sign-flip over families {row['p_sign_flip']:.3g}"
    low, high = row["ci_equivalence"]["lo"], row["ci_equivalence"]["hi"]
    out = robust["leave_one_out"]
    lines = [
        ("estimate", f"{row['estimate']:+.4f} {row['unit']}, se {row['se']:.4f} ({row['method']})"),
        ("interval", f"[{row['ci']['lo']:+.4f}, {row['ci']['hi']:+.4f}] at {row['ci']['level']:.0%}"),
        (
            "equivalence",
            f"[{low:+.4f}, {high:+.4f}] at {row['ci_equivalence']['level']:.0%} against a margin of "
            f"±{row['margin']['value']} {row['unit']} ({row['margin']['source']})",
        ),
        ("second look", second_look(row)),
        (
            "p",
            f"{row['p']:.3g}, corrected {row['p_adjusted']:.3g} ({row['correction']['method']}, "
            f"{counted(row['correction']['m'], 'hypothesis', 'hypotheses')}; "
            f"Holm {number(row['p_holm'], '.3g')}){flip}",
        ),
        ("effect", "; ".join(effect_text(effect) for effect in row["effects"]) or "unknown"),
        ("detectable", f"{row['minimum_detectable']:.3f} {row['unit']} with a power of 80 %"),
        (
            "controls",
            f"A/A p {number(row['control_p'], '.2g')}, invented words "
            f"±{number(row['nonce_size'], '.3f')}, swap {'holds' if row['swap_holds'] else 'FAILS'}",
        ),
        (
            "families",
            f"{number(robust['sign_share'], '.0%')} agree in sign; without any one of them "
            f"{number(out['lo'], '+.3f')} to {number(out['hi'], '+.3f')}; "
            f"I² {number(robust['i_squared'], '.0%')}; wordings sd {number(robust['paraphrase_sd'], '.3f')}",
        ),
        ("analyses", curve_phrase(row)),
        *sampling_rows(row),
        ("coverage", coverage_text(row["coverage"])),
        ("answers", answers_text(row)),
    ]
    if row["reasons"]:
        lines.append(("reasons", "; ".join(row["reasons"])))
    if row["verdict"] == "inconclusive":
        lines.append(("needed", needed_phrase(row)))
    return lines


def second_look(row: Mapping[str, Any]) -> str:
    """The other intervals of the same estimate."""
    parts = []
    for key, words in (("ci_simultaneous", "together with the family"), ("ci_resampled", "")):
        found = row[key]
        if found:
            parts.append(f"[{found['lo']:+.4f}, {found['hi']:+.4f}] {words or found['method']}")
    return "; ".join(parts) or "none"


def effect_text(effect: Mapping[str, Any]) -> str:
    """One standardised effect with its interval, or why it has none."""
    if effect["estimate"] is None:
        return f"{effect['name']} undefined: {effect['reason']}"
    if effect["lo"] is None:
        return f"{effect['name']} {effect['estimate']:+.2f}"
    return f"{effect['name']} {effect['estimate']:+.2f} [{effect['lo']:+.2f}, {effect['hi']:+.2f}]"


def sampling_rows(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What other scorers and decoding settings say of sampled text; nothing for other answers."""
    lines = []
    for scorer in row["scorers"]:
        found = "unknown"
        if scorer["estimate"] is not None:
            ends = "" if scorer["lo"] is None else f" [{scorer['lo']:+.3f}, {scorer['hi']:+.3f}]"
            found = f"{scorer['estimate']:+.3f}{ends} ({scorer['states']})"
        lost = f"; {coverage_text(scorer['coverage'])}" if "coverage" in scorer else ""
        lines.append(
            (f"by {scorer['scorer']}", f"{found}{scorer['reason'] and ': ' + scorer['reason']}{lost}")
        )
    decoding = row["robustness"]["decoding"]
    if decoding:
        each = [f"{one['setting']} {number(one['estimate'], '+.3f')}" for one in decoding["settings"]]
        text = f"seed to seed sd {number(decoding['seed_sd'], '.3f')}"
        lines.append(("sampling", "; ".join([text, *each])))
    return lines


def answers_text(row: Mapping[str, Any]) -> str:
    """How much of the probability the answers hold, and how many the tokenizer treats unequally."""
    mass = row["answer_mass"]
    held = "share of the probability unknown" if mass is None else f"hold {mass:.1%} of the probability"
    doubtful = row["robustness"]["doubtful_share"]
    if not doubtful:
        return f"{held}; all are whole words or of equal length"
    equal = number(row["robustness"]["equal_pieces_estimate"], "+.3f")
    return f"{held}; {doubtful:.0%} are split or of unequal length, without them {equal}"


def coverage_text(coverage: Mapping[str, Mapping[str, int]]) -> str:
    """Scores by status on both sides."""
    sides = []
    for side, counts in coverage.items():
        sides.append(f"{side}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    return "; ".join(sides)


def number(value: float | None, form: str) -> str:
    """A number, or the word for a missing one."""
    return "unknown" if value is None else format(value, form)
