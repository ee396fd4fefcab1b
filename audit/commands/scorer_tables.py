"""What ``evenhand scorers`` shows: tables of scorers, cards, and the scores of a file."""

from __future__ import annotations

import csv
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from audit.benchmarks.captured import read_rows
from audit.commands.fitted import Fitted
from audit.commands.listings import plain_table
from audit.scorers.base import Scorer, TextScore
from audit.scorers.recipes import UNCONFIRMED, recipes
from audit.scorers.registry import CONSTRUCTS, SCORERS, scorer_named
from audit.scores import STATUSES
from audit.spreadsheets import guarded
from audit.wording import counted, figure, visible
from probes.errors import Fault, InputError
from probes.explain import nearest

READY = "ready"


def list_rows() -> list[dict[str, Any]]:
    """Every scorer that is known by name: what comes with the instrument, then classifiers of the hub."""
    known = [
        {
            "name": name,
            "construct": entry.construct,
            "kind": entry.kind,
            "state": state_of(name),
            "judges": place_of(name),
        }
        for name, entry in SCORERS.items()
    ]
    hub = [
        {
            "name": name,
            "construct": recipe.construct,
            "kind": "asked",
            "state": "from the hub" if recipe.confirmed else "from the hub, unconfirmed",
            "judges": "",
        }
        for name, recipe in recipes().items()
    ]
    return known + hub


def state_of(name: str) -> str:
    """Whether a scorer can score now; else what it lacks."""
    try:
        scorer_named(name)
    except InputError as error:
        fault = error.faults[0]
        return fault.remedy or fault.what
    return READY


def place_of(name: str) -> str:
    """Where a scorer stands among those that judge its construct unless others are named."""
    for construct, pair in CONSTRUCTS.items():
        if name in pair:
            return f"{construct}, {'primary' if pair[0] == name else 'held against it'}"
    return ""


def show_scorers(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the list."""
    table = plain_table("scorer", "measures", "kind", "by default", "state")
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(Text(str(row[key])) for key in ("name", "construct", "kind", "judges", "state")))
    console.print(Fitted(table))
    console.print()
    console.print(
        Text(
            "rules: computed again from the text whenever wanted; asked: its answers are kept as a model's. "
            f"unconfirmed: its files were {UNCONFIRMED}; its labels are checked when it is loaded. "
            "Any classifier of yours: model:PATH#label.",
            style="dim",
        )
    )


def card_data(name: str, scorer: Scorer) -> dict[str, Any]:
    """A scorer's card, its digest, and the largest gap that its own audit found."""
    card = asdict(scorer.card)
    lists = {key: list(value) for key, value in card.items() if isinstance(value, tuple)}
    return {**card, **lists, "digest": scorer.digest, "own_audit": own_audit(name)}


def own_audit(name: str) -> dict[str, Any] | None:
    """The largest gap between groups in a scorer's own audit (``gap``; None where there is none at all).

    None for a scorer that was not audited.
    """
    from audit.commands.progress import Bars
    from audit.scorers.audit_cache import cached_audit
    from audit.scorers.wording import gaps

    if name not in SCORERS:
        return None
    try:
        with Bars() as progress:
            found = cached_audit(scorer_named(name), progress=progress)
    except InputError:
        return None
    return {"gap": next((row for row in gaps(found) if row["higher"] is not None), None)}


def show_card(console: Console, found: Mapping[str, Any]) -> None:
    """Print a scorer's card."""
    console.print(Text(found["name"], style="bold"), Text(f"  {found['title']}", style="dim"))
    side = "or less" if found["worse"] == "low" else "or more"
    lines = {
        "measures": found["construct"],
        "value": found["meaning"],
        "calls a text": f"{found['found']} at {found['notable']:g} {side}",
        "source": found["source"],
        "licence": found["licence"],
        "packages": ", ".join(found["packages"]) or "none of its own",
        "language": found["language"],
        "limits": "; ".join(found["limits"]) or "none stated",
        "digest": found["digest"],
        "its own audit": error_text(found),
    }
    table = plain_table("", "")
    for key, value in lines.items():
        table.add_row(key, Text(visible(str(value))))
    table.show_header = False
    console.print(table)


def error_text(found: Mapping[str, Any]) -> str:
    """The largest gap of a scorer's own audit, in words, and where all of it is."""
    from audit.scorers.wording import gap_text

    what = "" if found["name"] in {**SCORERS, **recipes()} else f" --construct {found['construct']}"
    whole = f"all: evenhand scorers audit {shlex.quote(found['name'])}{what}"
    audited = found["own_audit"]
    if audited is None:
        return f"not here; do not believe it before it is audited: {whole.removeprefix('all: ')}"
    gap = audited["gap"]
    if gap is None:
        return f"no difference between groups; {whole}"
    return (
        f"{'largest gap, inconclusive' if gap['states'] == 'inconclusive' else 'reads the group'}, by "
        f"{gap['axis']}: {gap['higher']} over {gap['lower']} by {gap_text(gap)}, in {gap['kind']} sentences; "
        f"{whole}"
    )


@dataclass(frozen=True)
class Texts:
    """Texts of a file with the lines they stand on, and their ids where the file has some."""

    texts: tuple[str, ...]
    lines: tuple[int, ...]
    ids: tuple[Any, ...] | None


def read_texts(path: Path, column: str) -> Texts:
    """The texts of a file; a cell that holds nothing is an empty text.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows or no such column, or a text is something else.
    """
    rows = read_rows(path)
    columns = dict.fromkeys(key for row in rows for key in row.fields)
    if not rows:
        raise InputError(Fault("there are no rows", str(path), "Put one text on each."))
    if column not in columns:
        raise InputError(Fault(f"there is no column {column!r}", str(path), nearest(column, columns)))
    texts = []
    for row in rows:
        text = row.fields.get(column)
        if text is not None and not isinstance(text, str):
            what = f"line {row.line}: {column} is a {type(text).__name__} and no text"
            raise InputError(Fault(what, str(path), "Put a string there."))
        texts.append(text or "")
    ids = tuple(row.fields.get("id") for row in rows) if "id" in columns and column != "id" else None
    return Texts(tuple(texts), tuple(row.line for row in rows), ids)


def score_rows(texts: Texts, scores: Sequence[TextScore]) -> list[dict[str, Any]]:
    """One row a text: its line, its id where there is one, and its score."""
    ids = texts.ids or (None,) * len(scores)
    return [
        {
            "line": line,
            **({} if texts.ids is None else {"id": own}),
            "value": score.value,
            "status": score.status,
            "reason": score.reason,
            "words": list(score.words),
        }
        for line, own, score in zip(texts.lines, ids, scores, strict=True)
    ]


def write_scores(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write scores as CSV or JSON lines, unrounded.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            if path.suffix.lower() == ".jsonl":
                file.writelines(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
                return
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({key: written(cell) for key, cell in row.items()} for row in rows)
    except OSError as error:
        raise InputError(
            Fault(f"cannot be written: {error.strerror}", str(path), "Check the path.")
        ) from None


def written(cell: Any) -> Any:
    """What stands in a CSV file for a cell: words and ids come from the texts and run nowhere."""
    text = "; ".join(cell) if isinstance(cell, list) else cell
    return guarded(text) if isinstance(text, str) else text


def summary(scorer: Scorer, scores: Sequence[TextScore]) -> dict[str, Any]:
    """How many texts have which status, and what those that have a value come to."""
    values = [score.value for score in scores if score.value is not None]
    by_status = Counter(score.status for score in scores)
    reasons = Counter(score.reason for score in scores if score.reason)
    return {
        "scorer": scorer.card.name,
        "digest": scorer.digest,
        "construct": scorer.card.construct,
        "texts": len(scores),
        "statuses": {status: by_status[status] for status in STATUSES if by_status[status]},
        "reasons": dict(reasons.most_common(5)),
        "mean": sum(values) / len(values) if values else None,
        "found": scorer.card.found,
        "share_found": sum(map(scorer.card.is_found, values)) / len(values) if values else None,
    }


def show_scores(console: Console, found: Mapping[str, Any], out: str | None) -> None:
    """Print what the scores come to, and where they lie."""
    statuses = ", ".join(f"{count:,} {status}" for status, count in found["statuses"].items())
    console.print(Text(found["scorer"], style="bold"), Text(f"  {found['digest'][:12]}", style="dim"))
    console.print(Text(f"{counted(found['texts'], 'text')}: {statuses}"))
    if found["mean"] is None:
        console.print(Text("No text has a value."))
    else:
        share = f"{found['share_found']:.1%} of those with a value are called {found['found']}"
        console.print(Text(f"mean {found['construct']} {figure(found['mean'])}; {share}"))
    for reason, count in found["reasons"].items():
        console.print(Text(f"  {count:,} without a value: {visible(reason)}"))
    console.print(Text(f"The scores lie in {out}" if out else "Each score: --out FILE, or --json"))
