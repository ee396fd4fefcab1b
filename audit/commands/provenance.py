"""``evenhand models provenance``: the ledger of one model in the terminal, without an audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audit.commands.fitted import Fitted
from audit.commands.listings import plain_table
from audit.models.facts import file_facts
from audit.models.options import LoadOptions
from audit.provenance.claims import values
from audit.provenance.flags import MEANINGS, flags
from audit.provenance.models import model_ledger
from audit.provenance.questions import completeness, questions
from audit.wording import visible


def model_provenance(name: str, options: LoadOptions) -> dict[str, Any]:
    """Claims, flags, notes and answered questions of one model, from its files.

    Raises
    ------
    ModelError
        Where there is no such model.
    """
    facts = file_facts(name, options)
    subject = f"model:{name}"
    claims, spoke = model_ledger({"id": name, "digest": facts.get("digest")}, facts)
    rows = questions(claims, subject)
    return {
        "subject": subject,
        "claims": claims,
        "flags": [{**flag, "meaning": MEANINGS[flag["flag"]]} for flag in flags(claims)],
        "notes": [match.data(subject) for match in spoke],
        "completeness": completeness(rows),
        "questions": rows,
        "unreadable": facts.get("unreadable"),
    }


def show_provenance(console: Console, found: Mapping[str, Any]) -> None:
    """Print what needs review, the questions with their answers, and every claim."""
    shown = visible(dict(found))
    console.print(Text(shown["subject"], style="bold"), Text(f"  {shown['completeness']['text']}", "dim"))
    if shown["unreadable"]:
        console.print(Text(f"Its files do not make a model that can be loaded: {shown['unreadable']}"))
    console.print()
    for flag in shown["flags"]:
        mark = "▲" if flag["severity"] == "review" else "○"
        text = f"{mark} {flag['flag']}  {flag['meaning']} (rests on {', '.join(flag['claims'])})"
        console.print(Text(text))
    if not shown["flags"]:
        console.print(Text("No rule asks for a review. That says nothing of what no rule looks for."))
    for note in shown["notes"]:
        console.print(
            Text(f"Note of {note['verified_on']}: {note['title']}, found by {note['matched_by']}", "dim")
        )
    console.print()
    console.print(Fitted(question_table(shown["questions"])))
    console.print()
    console.print(Fitted(claim_table(shown["claims"])))
    console.print()
    for line in unknown_lines(shown["claims"]):
        console.print(Text(line))


def question_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One line a question."""
    table = plain_table("question", "known", "answer")
    for row in rows:
        answers = [f"{told['field']}: {brief(told)}" for told in row["answers"]]
        answers += [f"not known: {', '.join(row['open'])}"] if row["open"] else []
        table.add_row(
            Text(f"{row['id']} {row['question']}"), row["status"].replace("_", " "), Text("; ".join(answers))
        )
    return table


def claim_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One line a claim that has a value, but for the hashes of the files one by one."""
    table = plain_table("field", "status", "value", "by", "where")
    for row in (row for row in rows if row["value"] is not None and not row["field"].startswith("file:")):
        table.add_row(
            Text(row["field"]),
            row["status"].replace("_", " "),
            Text(brief(row)),
            Text(row["declared_by"] or ""),
            Text(row["location"] or row["source"]),
        )
    return table


def unknown_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What has no value, by where it was looked for and why."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row["value"] is None:
            place = (row["status"].replace("_", " "), row["source"], row["note"] or "")
            places.setdefault(place, []).append(row["field"])
    return [
        f"{status}: {', '.join(fields)} (looked for in: {source}{'; ' if note else ''}{note})"
        for (status, source, note), fields in places.items()
    ]


def brief(row: Mapping[str, Any]) -> str:
    """A value on one line; values in conflict beside each other."""
    texts = [value if isinstance(value, str) else plain(value) for value in values(row)]
    text = " ≠ ".join(texts)
    return text if len(text) <= 160 else text[:159] + "…"


def plain(value: Any) -> str:
    """A list or mapping in words.

    Examples
    --------
    >>> plain(["en", "fr"]), plain({"F32": 2}), plain(3)
    ('en, fr', 'F32 2', '3')
    """
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
    return str(value)
